"""Whether panes may be merged without looking at the records again: never where a record could be in both."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.lake.dedupe import deduplicate
from windrow.lake.schema import segment_schema
from windrow.spec import StreamSpec
from windrow.units import SECOND_US, from_us
from windrow.windows import engine
from windrow.windows.sharing import may_share_records

TEXT = """
stream: s
time: {column: ts}
keys: [k]
unique: [k, ts]
columns: {ts: timestamp, k: string, id: int}
windows:
  tumbling: {size: 4s, aggregates: {n: count, id_sum: sum(id)}}
  session: {kind: session, gap: 2s, aggregates: {n: count, id_sum: sum(id)}}
  steps: {kind: sequence, step: 3s, length: 2, aggregates: {n: count, id_sum: sum(id)}}
"""
BY_KEY = spec.parse(TEXT, "x")
BY_ID = spec.parse(TEXT.replace("unique: [k, ts]", "unique: [ts, id]"), "x")
"""Two copies of a record may say different keys."""
KEYLESS = spec.parse(TEXT.replace("keys: [k]\n", "").replace("unique: [k, ts]", "unique: [ts]"), "x")
ANYTHING_TWICE = spec.parse(TEXT.replace("unique: [k, ts]\n", ""), "x")
WINDOWS = sorted(BY_KEY.windows)
Record = tuple[int, str | None, int]
"""Second, key, id."""
records = st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["a", "b", None]), st.integers(0, 2)), max_size=6)


def frame(rows: list[Record], batch: str, parsed: StreamSpec) -> pl.DataFrame:
    data = [
        (from_us(second * SECOND_US), key, number, batch, ordinal, from_us(int(batch)))
        for ordinal, (second, key, number) in enumerate(rows)
    ]
    return deduplicate(pl.DataFrame(data, schema=segment_schema(parsed), orient="row"), parsed)


def panes(rows: list[Record], batch: str, parsed: StreamSpec, window: str) -> pl.DataFrame:
    return engine.panes(frame(rows, batch, parsed), parsed, parsed.windows[window])


@settings(max_examples=200)
@given(st.sampled_from([BY_KEY, BY_ID, KEYLESS]), st.sampled_from(WINDOWS), records, records)
def test_panes_that_may_be_merged_make_the_windows_of_all_records_together(
    parsed: StreamSpec, name: str, left: list[Record], right: list[Record]
) -> None:
    window = parsed.windows[name]
    one, other = panes(left, "1", parsed, name), panes(right, "2", parsed, name)
    if may_share_records(one, other, parsed):
        return
    together = deduplicate(pl.concat([frame(left, "1", parsed), frame(right, "2", parsed)]), parsed)
    merged = engine.merge_panes([one, other], parsed, window)

    assert together.height == frame(left, "1", parsed).height + frame(right, "2", parsed).height
    assert engine.from_panes(merged, parsed, window).equals(engine.compute(together, parsed, window))


@settings(max_examples=200)
@given(st.sampled_from([BY_KEY, BY_ID, KEYLESS]), st.sampled_from(WINDOWS), records, records)
def test_records_may_be_shared_where_panes_of_a_key_cover_the_same_time_and_nowhere_else(
    parsed: StreamSpec, name: str, left: list[Record], right: list[Record]
) -> None:
    one, other = panes(left, "1", parsed, name), panes(right, "2", parsed, name)
    meet = any(
        mine["first_time"] <= theirs["last_time"] and theirs["first_time"] <= mine["last_time"]
        for mine in one.to_dicts()
        for theirs in other.to_dicts()
        if parsed is not BY_KEY or mine["k"] == theirs["k"]
    )

    assert may_share_records(one, other, parsed) is meet
    assert may_share_records(other, one, parsed) is meet


@pytest.mark.parametrize("name", WINDOWS)
def test_without_unique_panes_say_nothing_of_shared_records(name: str) -> None:
    one = panes([(1, "a", 0)], "1", ANYTHING_TWICE, name)

    assert may_share_records(one, one, ANYTHING_TWICE) is False


def test_records_of_a_later_time_are_merged_and_those_in_between_are_not() -> None:
    early = panes([(1, "a", 0), (3, "a", 0)], "1", BY_KEY, "tumbling")

    assert may_share_records(early, panes([(4, "a", 0)], "2", BY_KEY, "tumbling"), BY_KEY) is False
    assert may_share_records(early, panes([(2, "a", 0)], "2", BY_KEY, "tumbling"), BY_KEY) is True
    assert may_share_records(early, panes([(2, "b", 0)], "2", BY_KEY, "tumbling"), BY_KEY) is False
    assert may_share_records(early, panes([(2, "b", 0)], "2", BY_ID, "tumbling"), BY_ID) is True
