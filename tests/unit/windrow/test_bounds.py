"""Bounds of a file's rows: they hold for every row, however the rows were cut, and are exact where they can be told."""

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from windrow.lake.bounds import Bounds

COLUMNS = {
    "text": (pl.String(), st.text(max_size=300)),
    "whole": (pl.Int64(), st.integers(-(2**63), 2**63 - 1)),
    "real": (pl.Float64(), st.floats()),
    "flag": (pl.Boolean(), st.booleans()),
    "day": (pl.Date(), st.dates(date(1, 1, 1), date(9999, 1, 1))),
    "at": (pl.Datetime("us", "UTC"), st.datetimes(timezones=st.just(UTC))),
    "price": (pl.Decimal(15, 5), st.decimals(-(10**9), 10**9, places=5)),
}
SCHEMA = pl.Schema({name: kind for name, (kind, _) in COLUMNS.items()})
rows = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, (_, values) in COLUMNS.items()}), min_size=1, max_size=12
)


@given(rows, st.integers(1, 5))
def test_bounds_of_parts_together_are_those_of_the_whole(found: list[dict[str, object]], step: int) -> None:
    whole = pl.DataFrame(found, SCHEMA)
    together = Bounds()
    for part in whole.iter_slices(step):
        together = together.and_of(Bounds.of(part, SCHEMA.names()))

    assert json.loads(together.statistics()) == json.loads(Bounds.of(whole, SCHEMA.names()).statistics())


@given(rows)
def test_no_row_lies_outside_of_what_the_log_is_told(found: list[dict[str, object]]) -> None:
    told = json.loads(Bounds.of(pl.DataFrame(found, SCHEMA), SCHEMA.names()).statistics(), parse_float=Decimal)

    assert told["numRecords"] == len(found)
    for name in SCHEMA:
        values = [row[name] for row in found if row[name] is not None]
        assert told["nullCount"][name] == len(found) - len(values)
        for value in values:
            if isinstance(value, float) and math.isnan(value):
                continue
            if name in told["minValues"]:
                assert parsed(name, told["minValues"][name]) <= value  # type: ignore[operator]
            if name in told["maxValues"]:
                assert parsed(name, told["maxValues"][name]) >= value  # type: ignore[operator]


def parsed(name: str, value: object) -> object:
    match name:
        case "day":
            return date.fromisoformat(str(value))
        case "at":
            return datetime.fromisoformat(str(value))
        case "real":
            return float(str(value))
    return value


def test_a_bound_is_told_to_the_last_digit_and_the_last_microsecond() -> None:
    frame = pl.DataFrame(
        {
            "at": [datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)],
            "price": [Decimal("9999999999.99999")],
            "early": [date(33, 1, 1)],
        },
        {"at": pl.Datetime("us", "UTC"), "price": pl.Decimal(15, 5), "early": pl.Date()},
    )

    assert json.loads(Bounds.of(frame, frame.columns).statistics())["maxValues"] == {
        "at": "2026-01-01T00:00:00.000001Z",
        "price": 9999999999.99999,
        "early": "0033-01-01",
    }


def test_what_json_cannot_say_is_left_out_and_nulls_are_counted() -> None:
    frame = pl.DataFrame({"real": [1.0, math.inf, math.nan], "text": ["a", "b" * 1000, None], "other": [1, 2, 3]})

    assert json.loads(Bounds.of(frame, ["real", "text"]).statistics()) == {
        "numRecords": 3,
        "minValues": {"real": 1.0, "text": "a"},
        "maxValues": {"text": "b" * 1000},
        "nullCount": {"real": 0, "text": 1},
    }
