import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.outcomes import Dead, Retry
from windrow.retry import FailureLimit, RetryPolicy

POLICY = RetryPolicy(base_s=1.0, cap_s=60.0, max_attempts=6)
fractions = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 10_000), fractions)
def test_a_delay_lies_between_nothing_and_the_ceiling(attempt: int, fraction: float) -> None:
    assert 0 <= POLICY.delay_s(attempt, fraction) <= POLICY.cap_s


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    assert [POLICY.delay_s(attempt, 0.5) for attempt in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


@given(st.integers(1, 100), fractions, fractions)
def test_jitter_is_full(attempt: int, less: float, more: float) -> None:
    assert (POLICY.delay_s(attempt, less) <= POLICY.delay_s(attempt, more)) or less > more
    assert POLICY.delay_s(attempt, 0.0) == 0.0


def test_a_retry_without_a_delay_gets_one() -> None:
    assert POLICY.settle(Retry("busy"), 1, 0.25) == Retry("busy", 0.25)


def test_a_retry_keeps_the_delay_it_named() -> None:
    assert POLICY.settle(Retry("waiting", 7.0), 5, 0.25) == Retry("waiting", 7.0)
    assert POLICY.settle(Retry("waiting", 0.0), 5, 0.25) == Retry("waiting", 0.0)


@pytest.mark.parametrize("attempt", [6, 7, 100])
def test_used_up_attempts_are_death_with_the_last_reason(attempt: int) -> None:
    assert POLICY.settle(Retry("S3 says no"), attempt, 0.5) == Dead(f"gave up after {attempt} attempts: S3 says no")


def test_one_attempt_before_the_last_is_still_a_retry() -> None:
    assert isinstance(POLICY.settle(Retry("S3 says no"), 5, 0.5), Retry)


# ------------------------------------------------------------------------------------------------ failure limit

LIMIT = FailureLimit(window=4, max_ratio=0.5)


@pytest.mark.parametrize(
    ("recent", "is_exceeded"),
    [
        ((), False),
        ((True, True, True), False),  # too few to judge by
        ((True, True, False, False), True),
        ((True, False, False, False), False),
        ((True, True, True, True, False, False, False, True), False),  # only the latest count
        ((False, False, False, False, True, True, False, False), True),
    ],
)
def test_a_consumer_stops_from_the_ratio_on_and_judges_only_a_full_window(
    recent: tuple[bool, ...], is_exceeded: bool
) -> None:
    assert LIMIT.is_exceeded(recent) is is_exceeded


@given(st.lists(st.booleans(), max_size=30))
def test_no_failure_never_stops_anybody(recent: list[bool]) -> None:
    assert not LIMIT.is_exceeded(tuple(False for _ in recent))
