"""Law 7: a record counts once."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow import spec
from windrow.lake.dedupe import deduplicate
from windrow.lake.schema import segment_schema
from windrow.spec import StreamSpec


def stream(keep: str = "last", unique: str = "[k, ts]") -> StreamSpec:
    text = f"stream: s\nkeep: {keep}\nunique: {unique}\ntime: {{column: ts}}\n"
    return spec.parse(text + "columns: {ts: timestamp, k: string, v: int}", "x")


def moment(second: int) -> datetime:
    return datetime.fromtimestamp(1_774_915_200 + second, UTC)


records = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from("ab"), st.integers(0, 9), st.sampled_from(["b1", "b2"]), st.integers(0, 3)
    ),
    max_size=12,
    unique_by=lambda record: record[3:],  # a batch has one record at each place
)


def frame(rows: list[tuple[int, str, int, str, int]]) -> pl.DataFrame:
    data = [(moment(t), k, v, batch, ordinal, moment(60 + int(batch[1]))) for t, k, v, batch, ordinal in rows]
    return pl.DataFrame(data, schema=segment_schema(stream()), orient="row")


@given(records, st.randoms(use_true_random=False), st.sampled_from(["last", "first"]))
def test_what_stays_depends_on_the_records_and_not_on_their_order(
    rows: list[tuple[int, str, int, str, int]], random: object, keep: str
) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    once = deduplicate(frame(rows), stream(keep))

    assert deduplicate(frame(shuffled), stream(keep)).sort("k", "ts").equals(once.sort("k", "ts"))
    assert deduplicate(once, stream(keep)).equals(once)
    assert once.select("k", "ts").is_unique().all()
    assert set(once.select("k", "ts").rows()) == {(k, moment(t)) for t, k, *_ in rows}


@pytest.mark.parametrize(("keep", "value"), [("last", 2), ("first", 1)])
def test_which_one_stays_is_the_specs(keep: str, value: int) -> None:
    copies = frame([(0, "a", 2, "b2", 0), (0, "a", 1, "b1", 5)])

    assert deduplicate(copies, stream(keep))["v"].to_list() == [value]


def test_within_a_batch_the_later_place_is_the_later_record() -> None:
    copies = frame([(0, "a", 1, "b1", 1), (0, "a", 0, "b1", 0), (0, "a", 2, "b1", 2)])

    assert deduplicate(copies, stream())["v"].to_list() == [2]


def test_without_unique_columns_equal_rows_of_different_places_are_different_records() -> None:
    rows = frame([(0, "a", 1, "b1", 0), (0, "a", 1, "b1", 1), (0, "a", 1, "b2", 0)])

    assert deduplicate(rows, stream(unique="[]")).height == 3
    assert deduplicate(pl.concat([rows, rows]), stream(unique="[]")).height == 3
