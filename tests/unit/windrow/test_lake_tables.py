from hypothesis import given
from hypothesis import strategies as st

from tests.support.texts import buckets_us, shards
from windrow.lake import tables
from windrow.lake.tables import Place

counts = st.integers(0, 10**9)


@given(counts, st.booleans(), counts, st.booleans())
def test_more_inputs_win_and_among_equals_the_final_one(
    left: int, left_is_final: bool, right: int, right_is_final: bool
) -> None:
    """Law 6: windows only grow."""
    grown = tables.growth(left, is_final=left_is_final) < tables.growth(right, is_final=right_is_final)

    assert grown == ((left, left_is_final) < (right, right_is_final))


@given(counts, st.booleans())
def test_a_place_mark_tells_whether_the_place_was_sealed(count: int, is_final: bool) -> None:
    assert tables.is_final_growth(tables.growth(count, is_final=is_final)) is is_final


def test_a_place_that_was_never_written_is_not_sealed() -> None:
    assert tables.is_final_growth(None) is False


@given(buckets_us, shards, buckets_us, shards)
def test_places_have_marks_of_their_own(left_us: int, left: int, right_us: int, right: int) -> None:
    same = (left_us, left) == (right_us, right)

    for mark in (tables.place_mark, tables.version_mark, lambda place: tables.late_mark("b", place)):
        assert (mark(Place(left_us, left)) == mark(Place(right_us, right))) == same


def test_no_batch_can_be_mistaken_for_a_place_or_a_total() -> None:
    here = Place(0, 0)
    others = {tables.place_mark(here), tables.version_mark(here), tables.late_mark("0", here)}
    totals = {tables.DECODED, tables.QUARANTINED, tables.RETURNED, tables.DUPLICATES, tables.MAX_TIME_US}

    assert not {tables.batch_mark(name) for name in ("", "windrow.decoded", *others)} & (totals | others)
    assert len(others) == 3
