"""Of two records of a key, one is later: a total order, whatever came first."""

from itertools import permutations

import pytest

from windrow.latest import Keep, LatestRecord, is_later


def record(event_time_us: int, received_us: int = 0, batch: str = "a", ordinal: int = 0) -> LatestRecord:
    return LatestRecord("k", event_time_us, received_us, batch, ordinal, {})


def test_the_later_event_time_is_later_however_it_was_received() -> None:
    for keep in ("last", "first"):
        assert is_later(record(2, received_us=1), record(1, received_us=9), keep)
        assert not is_later(record(1, received_us=9), record(2, received_us=1), keep)


@pytest.mark.parametrize(("keep", "winner"), [("last", 1), ("first", 0)])
@pytest.mark.parametrize(
    "pair",
    [
        (record(1, received_us=1, batch="b", ordinal=2), record(1, received_us=2, batch="a", ordinal=1)),
        (record(1, batch="a", ordinal=2), record(1, batch="b", ordinal=1)),
        (record(1, ordinal=1), record(1, ordinal=2)),
    ],
    ids=["received", "batch", "ordinal"],
)
def test_at_one_time_the_record_that_stays_in_the_tables_is_later(
    pair: tuple[LatestRecord, LatestRecord], keep: Keep, winner: int
) -> None:
    assert is_later(pair[winner], pair[1 - winner], keep)
    assert not is_later(pair[1 - winner], pair[winner], keep)


@pytest.mark.parametrize("keep", ["last", "first"])
def test_no_record_is_later_than_itself_and_of_any_two_others_one_is(keep: Keep) -> None:
    records = [record(t, r, b, o) for t in (1, 2) for r in (1, 2) for b in "ab" for o in (1, 2)]

    assert not any(is_later(each, each, keep) for each in records)
    assert all(is_later(one, other, keep) != is_later(other, one, keep) for one, other in permutations(records, 2))
