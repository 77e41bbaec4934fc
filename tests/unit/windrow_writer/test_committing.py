"""Commit until nothing is left to do; an error means unknown, so look again (law 5)."""

import random
from collections.abc import Callable

import pytest

from windrow import log
from windrow.errors import OutcomeUnknown, SchemaConflict, Unavailable
from windrow.lake.marks import AddedFile
from windrow.testing import ManualClock, RecordingMetrics
from windrow_writer.committing import Committer


class HeldAlready:
    """Leases of a writer that is alone."""

    def hold(self, stream: str, table: str) -> int:
        return 1


class Handle(int):
    """A number that says it is a handle, of a table that nobody has committed to."""

    def mark(self, name: str) -> None:
        return None

    def committed_files(self) -> list[AddedFile]:
        return []

    def carry(self, marks: dict[str, int]) -> None:
        assert marks == {"windrow.fence": 1}


class Scripted:
    """Handles with a number, and steps that do what the script says."""

    def __init__(self, *script: bool | Exception) -> None:
        self._script = iter(script)
        self.opened = 0
        self.used: list[int] = []

    def open(self) -> int:
        self.opened += 1
        return Handle(self.opened)

    def step(self, handle: int) -> str:
        self.used.append(handle)
        result = next(self._script)
        if isinstance(result, Exception):
            raise result
        return result


class HighestJitter(random.Random):
    def random(self) -> float:
        return 1.0


UNKNOWN = OutcomeUnknown("the reply was lost")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def metrics() -> RecordingMetrics:
    return RecordingMetrics()


@pytest.fixture
def commit(clock: ManualClock, metrics: RecordingMetrics) -> Callable[[Scripted], None]:
    committer = Committer(clock, metrics, log.quiet(), HeldAlready(), attempts=4, rng=HighestJitter())  # type: ignore[arg-type]
    return lambda script: committer.commit("s", "records", script.open, script.step)  # type: ignore[arg-type,return-value]


def test_every_step_has_a_fresh_handle_until_nothing_is_left(
    commit: Callable[[Scripted], None], metrics: RecordingMetrics
) -> None:
    script = Scripted("some", "some", "nothing")
    commit(script)

    assert script.used == [1, 2, 3]
    assert metrics.total("commits_made") == 2
    assert metrics.total("commits_repeated") == 0


def test_nothing_to_do_is_no_commit(commit: Callable[[Scripted], None], metrics: RecordingMetrics) -> None:
    commit(Scripted("nothing"))

    assert metrics.total("commits_made") == 0


def test_after_a_failure_that_may_have_been_a_commit_it_looks_again_with_a_fresh_handle(
    commit: Callable[[Scripted], None], metrics: RecordingMetrics
) -> None:
    script = Scripted(UNKNOWN, UNKNOWN, "some", "nothing")
    commit(script)

    assert script.used == [1, 2, 3, 4]
    assert (metrics.total("commits_repeated"), metrics.total("commits_made")) == (2, 1)
    assert metrics.counts["commits_repeated", (("stream", "s"), ("table", "records"))] == 2


def test_it_gives_up_after_as_many_failures_as_there_are_attempts(commit: Callable[[Scripted], None]) -> None:
    script = Scripted(UNKNOWN, UNKNOWN, "some", UNKNOWN, UNKNOWN, "some")
    with pytest.raises(OutcomeUnknown, match="the reply was lost"):
        commit(script)

    assert script.used == [1, 2, 3, 4, 5]


def test_it_waits_between_failures_twice_as_long_each_time(
    commit: Callable[[Scripted], None], clock: ManualClock
) -> None:
    waits: list[float] = []
    sleep = clock.sleep
    clock.sleep = lambda seconds: (waits.append(seconds), sleep(seconds))[1]  # type: ignore[method-assign,func-returns-value]
    with pytest.raises(OutcomeUnknown):
        commit(Scripted(*[UNKNOWN] * 4))

    assert waits == pytest.approx([0.4, 0.8, 1.6])
    assert clock.monotonic_s() == pytest.approx(2.8)


def test_waits_are_spread_so_that_rivals_do_not_meet_again(clock: ManualClock, metrics: RecordingMetrics) -> None:
    for seed in range(20):
        before_s = clock.monotonic_s()
        script = Scripted(UNKNOWN, "nothing")
        Committer(clock, metrics, log.quiet(), HeldAlready(), 4, random.Random(seed)).commit(
            "s", "t", script.open, script.step
        )  # type: ignore[arg-type]
        assert 0 <= clock.monotonic_s() - before_s <= 0.4
    assert clock.monotonic_s() > 0


@pytest.mark.parametrize("error", [SchemaConflict("another type"), Unavailable("down"), ZeroDivisionError("a bug")])
def test_any_other_error_is_not_repeated(commit: Callable[[Scripted], None], error: Exception) -> None:
    script = Scripted(error, "some")
    with pytest.raises(type(error)):
        commit(script)

    assert script.used == [1]


def test_a_handle_that_cannot_be_opened_is_an_error_of_its_own(clock: ManualClock, metrics: RecordingMetrics) -> None:
    def unreachable() -> int:
        raise Unavailable("connection refused")

    committer = Committer(clock, metrics, log.quiet(), HeldAlready(), 4)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        committer.commit("s", "t", unreachable, lambda _: "nothing")  # type: ignore[arg-type,return-value]


def test_a_commit_that_was_all_there_was_is_not_asked_after_again(
    commit: Callable[[Scripted], None],
) -> None:
    script = Scripted(UNKNOWN, "all")
    commit(script)

    assert script.used == [1, 2]
