"""Bytes that requests hold are bounded, and given back whole (law 10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.errors import Unavailable
from windrow.testing import RecordingMetrics
from windrow_ingest.budget import Budget


def test_the_bound_is_exact() -> None:
    budget = Budget(100, RecordingMetrics())
    with budget.lease() as lease:
        lease.take(60)
        lease.take(40)
        with pytest.raises(Unavailable, match="100 bytes are waiting to become durable"):
            lease.take(1)


def test_one_requests_share_is_not_another_ones() -> None:
    budget = Budget(100, RecordingMetrics())
    with budget.lease() as first, budget.lease() as second:
        first.take(70)
        with pytest.raises(Unavailable):
            second.take(31)
        second.take(30)
        assert (first.held_bytes, second.held_bytes) == (70, 30)


def test_a_request_that_fails_gives_back_what_it_held() -> None:
    budget = Budget(100, RecordingMetrics())

    def fail() -> None:
        with budget.lease() as lease:
            lease.take(100)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with budget.lease() as next_one:
        next_one.take(100)


@given(st.lists(st.lists(st.integers(0, 60), max_size=4), max_size=6))
def test_the_level_shown_is_what_is_held_and_never_more_than_the_bound(requests: list[list[int]]) -> None:
    metrics = RecordingMetrics()
    budget = Budget(100, metrics)
    for sizes in requests:
        held = 0
        with budget.lease() as lease:
            for size in sizes:
                try:
                    lease.take(size)
                    held += size
                except Unavailable:
                    assert held + size > 100
                assert lease.held_bytes == held <= 100
                assert metrics.gauges.get(("pending_bytes", ()), 0) == held
        assert metrics.gauges["pending_bytes", ()] == 0
