"""Which records stand for their keys in a key-value table, and how each type stands there."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.segments import RECEIVED_US, batch_rows
from windrow.spec import StreamSpec, parse
from windrow_writer.sinks.latest import MAX_ITEM_BYTES, key_of, latest_of, size_bytes

TEXT = """
stream: sensors
time: {column: ts}
keys: [sensor, channel]
columns:
  ts: timestamp
  sensor: string
  channel: int
  text: string
  whole: int
  real: float
  exact: decimal(38,10)
  truth: bool
  day: date
  at: timestamp
  kind: categorical
  document: json
  many: list(float)
"""
SPEC = parse(TEXT, "sensors.yaml")
FIRST = parse(TEXT + "keep: first\n", "sensors.yaml")


def rows(*records: dict[str, object], batch: str = "a", received_us: int = RECEIVED_US) -> pl.DataFrame:
    return batch_rows(SPEC, batch, [{"sensor": "s", "channel": 1, **record} for record in records], received_us)


def standing(frame: pl.DataFrame, spec: StreamSpec = SPEC) -> dict[str, object]:
    """What `text` holds for each key."""
    found, refused = latest_of(frame, spec)
    assert refused == []
    return {record.key: record.columns.get("text") for record in found}


# ------------------------------------------------------------------------------------------------ which


def test_the_latest_record_of_every_key_stands_however_rows_lie() -> None:
    frame = rows(
        {"ts": 5, "text": "early"}, {"ts": 9, "text": "late"}, {"ts": 7, "text": "between"},
        {"ts": 1, "channel": 2, "text": "alone"},
    )  # fmt: skip

    assert standing(frame) == standing(frame.reverse()) == {"s|1": "late", "s|2": "alone"}


@pytest.mark.parametrize(("spec", "expected"), [(SPEC, "again"), (FIRST, "once")], ids=["last", "first"])
def test_at_one_time_the_spec_says_which_stands(spec: StreamSpec, expected: str) -> None:
    once = rows({"ts": 5, "text": "once"}, batch="b", received_us=RECEIVED_US)
    again = rows({"ts": 5, "text": "again"}, batch="a", received_us=RECEIVED_US + 1)

    assert standing(pl.concat([once, again]), spec) == standing(pl.concat([again, once]), spec) == {"s|1": expected}


def test_a_record_says_what_puts_it_before_or_after_others() -> None:
    [record], _ = latest_of(rows({"ts": 1}, {"ts": 2}, batch="b7"), SPEC)

    assert (record.event_time_us, record.received_us) == (RECEIVED_US + 2_000_000, RECEIVED_US)
    assert (record.batch, record.ordinal) == ("b7", 1)


# ------------------------------------------------------------------------------------------------ how


def test_every_type_stands_there_exactly() -> None:
    at = datetime(999, 2, 3, 4, 5, 6, 7, tzinfo=UTC)
    told = {
        "text": "", "whole": -(2**63), "real": 0.1, "exact": Decimal("-1234567890123456789012345678.0123456789"),
        "truth": False, "day": date(2026, 1, 31), "at": at, "kind": "k", "document": '{"a": 1}', "many": [1.5, None],
    }  # fmt: skip
    [record], _ = latest_of(rows({"ts": 0, **told}), SPEC)

    assert record.columns == {
        "ts": "2026-01-01T00:00:00.000000Z",
        "sensor": "s",
        "channel": Decimal(1),
        "text": "",
        "whole": Decimal(-(2**63)),
        "real": Decimal("0.1"),
        "exact": Decimal("-1234567890123456789012345678.0123456789"),
        "truth": False,
        "day": "2026-01-31",
        "at": "0999-02-03T04:05:06.000007Z",
        "kind": "k",
        "document": '{"a": 1}',
        "many": [Decimal("1.5"), None],
    }


def test_what_is_null_is_left_out() -> None:
    [record], _ = latest_of(rows({"ts": 0}), SPEC)

    assert record.columns.keys() == {"ts", "sensor", "channel"}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_reads_back_as_itself(value: float) -> None:
    [record], _ = latest_of(rows({"ts": 0, "real": value}), SPEC)
    stored = record.columns["real"]

    assert float(str(stored)) == value
    assert isinstance(stored, Decimal) == (value == 0 or 1e-130 <= abs(value) < 1e126)


# ------------------------------------------------------------------------------------------------ keys


def test_one_key_column_is_its_text() -> None:
    assert key_of(["sensor-1"]) == "sensor-1"
    assert key_of([7]) == "7"
    assert key_of([True]) == "true"
    assert key_of([date(2026, 1, 31)]) == "2026-01-31"
    assert key_of([datetime(2026, 1, 31, tzinfo=UTC)]) == "2026-01-31T00:00:00.000000Z"
    assert key_of([""]) == "\\0"


def test_different_keys_have_different_texts_and_none_is_empty() -> None:
    texts = ["".join(each) for size in range(4) for each in product("a|\\0", repeat=size)]
    pairs = list(product(texts, repeat=2))
    keys = {key_of(pair) for pair in pairs}

    assert len(keys) == len(pairs) == 7_225
    assert "" not in keys


# ------------------------------------------------------------------------------------------------ limits


def test_a_record_that_is_too_large_takes_no_part_and_costs_only_itself() -> None:
    large = "x" * MAX_ITEM_BYTES
    found, refused = latest_of(
        rows(
            {"ts": 1, "text": "fits"}, {"ts": 2, "text": large}, {"ts": 3, "text": large},
            {"ts": 1, "channel": 2, "text": "other"},
        ),
        SPEC,
    )  # fmt: skip

    assert {record.key: record.columns["text"] for record in found} == {"s|1": "fits", "s|2": "other"}
    assert len(refused) == 2
    assert all("the record of key 's|1' has 409" in reason for reason in refused)
    assert all(reason.endswith("an item may have 409600") for reason in refused)


def test_a_key_of_which_no_record_fits_has_none() -> None:
    found, refused = latest_of(rows({"ts": 1, "text": "x" * MAX_ITEM_BYTES}), SPEC)

    assert found == []
    assert len(refused) == 1


def test_the_largest_record_that_fits_is_taken() -> None:
    [record], _ = latest_of(rows({"ts": 1, "text": ""}), SPEC)
    room = MAX_ITEM_BYTES - size_bytes(record)

    assert len(latest_of(rows({"ts": 1, "text": "x" * room}), SPEC)[0]) == 1
    assert len(latest_of(rows({"ts": 1, "text": "x" * (room + 1)}), SPEC)[1]) == 1
    assert len(latest_of(rows({"ts": 1, "text": "é" * (room // 2 + 1)}), SPEC)[1]) == 1


def test_a_key_that_is_too_long_is_told_once_however_many_records_it_has() -> None:
    found, refused = latest_of(rows(*({"ts": second, "sensor": "s" * 2_047} for second in range(50))), SPEC)

    assert found == []
    [reason] = refused
    assert "has 2049 bytes; a key may have 2048" in reason
    assert len(reason) < 200


def test_nothing_among_no_rows() -> None:
    assert latest_of(rows(), SPEC) == ([], [])
