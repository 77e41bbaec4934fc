"""Rows are put in the same order whether it goes by one number per row or by comparing them."""

import random
from datetime import date

import polars as pl
import pytest

from windrow import spec
from windrow.lake.schema import BUCKET, SHARD
from windrow.spec import StreamSpec
from windrow_writer import ordering
from windrow_writer.ordering import in_order

_HOUR_US = 3_600_000_000
_TYPES = {"int": "int", "text": "string", "day": "date", "flag": "bool"}
_VALUES = {
    "int": [None, -(2**40), -1, 0, 7, 2**40],
    "text": [None, "", "a", "b", "ab", "é", "z", "Ω", "\U0001f600"],
    "day": [None, date(1969, 12, 31), date(1970, 1, 1)],
    "flag": [None, False, True],
}


def _spec(*keys: str) -> StreamSpec:
    columns = ", ".join(f"{name}: {kind}" for name, kind in _TYPES.items())
    return spec.parse(
        f"stream: s\ntime: {{column: ts, formats: [iso8601]}}\nkeys: [{', '.join(keys)}]\n"
        f"columns: {{ts: timestamp, {columns}}}\nbucket: 1h\n",
        "test.yaml",
    )


def _rows(seed: int, count: int = 500) -> pl.DataFrame:
    rng = random.Random(seed)
    times = [rng.randrange(-3 * _HOUR_US, 3 * _HOUR_US) for _ in range(count)]
    return pl.DataFrame(
        {
            "ts": pl.Series(times).cast(pl.Datetime("us", "UTC")),
            **{name: [rng.choice(values) for _ in range(count)] for name, values in _VALUES.items()},
            BUCKET: pl.Series([time // _HOUR_US * _HOUR_US for time in times], dtype=pl.Int64),
            SHARD: pl.Series([rng.randrange(3) for _ in range(count)], dtype=pl.Int32),
        }
    )


@pytest.mark.parametrize("keys", [("int",), ("text",), ("text", "int"), ("day", "text"), ("flag",)])
@pytest.mark.parametrize("seed", range(5))
def test_rows_lie_by_place_then_key_then_time(keys: tuple[str, ...], seed: int) -> None:
    rows = _rows(seed)
    order = [BUCKET, SHARD, *keys, "ts"]
    found = in_order(pl.concat([rows[300:], rows[:300]]), _spec(*keys))
    assert found.select(order).equals(rows.select(order).sort(order))
    assert found.sort(found.columns).equals(rows.sort(rows.columns))  # and none is lost or torn apart


@pytest.mark.parametrize("column", ["int", "text"])
@pytest.mark.parametrize("count", [0, 1, 50])
def test_a_key_without_any_value_is_no_obstacle(column: str, count: int) -> None:
    rows = _rows(1, count).with_columns(pl.lit(None, _rows(1).schema[column]).alias(column))
    order = [BUCKET, SHARD, column, "ts"]
    assert in_order(rows, _spec(column)).select(order).equals(rows.select(order).sort(order))


def test_keys_too_far_apart_for_one_number_are_compared() -> None:
    rows = _rows(2).with_columns(pl.Series("int", [-(2**63), 2**63 - 1] * 250))
    order = [BUCKET, SHARD, "int", "ts"]
    assert in_order(rows, _spec("int")).select(order).equals(rows.select(order).sort(order))
    assert ordering.one_number([rows["int"]]) is None
    assert ordering.one_number([rows["int"] // 2**20, rows["ts"].to_physical()]) is None


def test_text_and_whole_numbers_need_no_comparing() -> None:
    rows = _rows(3)
    assert ordering.one_number([rows[BUCKET] // _HOUR_US, rows[SHARD], rows["text"], rows["int"]]) is not None


def test_rows_of_a_spec_without_their_key_are_in_order_too() -> None:
    rows = _rows(4).drop("text")
    order = [BUCKET, SHARD, "int", "ts"]
    assert in_order(rows, _spec("text", "int")).select(order).equals(rows.select(order).sort(order))
