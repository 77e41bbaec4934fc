"""Which rows fit the spec, and for every other row the first reason why not."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow import spec
from windrow.lake.schema import column_type
from windrow.spec import StreamSpec
from windrow.units import to_us
from windrow_consumer.checks import INDEX, Checked, check

PARSED = spec.parse(
    """
stream: s
time: {column: ts, formats: [iso8601], max_future: 10m}
keys: [k]
columns:
  ts: {type: timestamp, source: at}
  k: string
  b: bool
  n: int
  v: {type: float, required: true}
  seen: timestamp
""",
    "x",
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
GOOD = {"ts": "2026-01-01", "k": "x", "b": "true", "n": "1", "v": "1.5", "seen": "2025-01-01"}


def text_row(**fields: str | None) -> pl.DataFrame:
    """One row as CSV gives it: all text."""
    return pl.DataFrame({**GOOD, **fields}, schema=dict.fromkeys(GOOD, pl.String)).with_columns(pl.lit(0).alias(INDEX))


def judge(frame: pl.DataFrame, parsed: StreamSpec = PARSED) -> Checked:
    return check(frame.with_columns(pl.col(INDEX).cast(pl.Int64)), parsed, to_us(NOW))


def value_of(name: str, text: str | None) -> Any:
    checked = judge(text_row(**{name: text}))
    assert checked.rejects == ()
    return checked.rows[name][0]


def refused(name: str, text: str | None) -> tuple[str, str]:
    checked = judge(text_row(**{name: text}))
    assert checked.rows.height == 0
    [reject] = checked.rejects
    assert reject.field == PARSED.source_of(name)
    assert reject.index == 0
    assert reject.value == text
    return reject.reason, reject.message


def test_rows_that_fit_have_the_specs_types_and_columns() -> None:
    checked = judge(text_row())

    assert checked.rejects == ()
    assert dict(checked.rows.schema) == {
        INDEX: pl.Int64(),
        **{name: column_type(column.type) for name, column in PARSED.columns.items()},
    }
    assert checked.rows.drop(INDEX).rows() == [(NOW, "x", True, 1, 1.5, datetime(2025, 1, 1, tzinfo=UTC))]


# ------------------------------------------------------------------------------------------------ text to types


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("TRUE", True), (" True ", True), ("1", True), ("false", False), ("0", False)]
)
def test_texts_that_are_a_bool(text: str, value: bool) -> None:
    assert value_of("b", text) is value


@pytest.mark.parametrize("text", ["yes", "t", "2", "", "-1", "truefalse", "on"])
def test_texts_that_are_no_bool(text: str) -> None:
    assert refused("b", text) == ("wrong_type", f"column 'b' is not a bool: {text!r}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        (" +5 ", 5),
        ("-5", -5),
        ("007", 7),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
    ],
)
def test_texts_that_are_a_whole_number(text: str, value: int) -> None:
    assert value_of("n", text) == value


@pytest.mark.parametrize(
    "text",
    [
        "9223372036854775808",
        "-9223372036854775809",
        "1.0",
        "1.",
        "1e3",
        "1_000",
        "0x10",
        "",
        "-",
        "5 5",
        "٣",
        "NaN",
        "true",
    ],
)
def test_texts_that_are_no_whole_number_of_64_bits(text: str) -> None:
    assert refused("n", text) == ("wrong_type", f"column 'n' is not an int: {text!r}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5", 1.5),
        ("-0", -0.0),
        (" +5 ", 5.0),
        ("1e5", 1e5),
        ("1E-5", 1e-5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-400", 0.0),
    ],
)
def test_texts_that_are_a_float(text: str, value: float) -> None:
    assert value_of("v", text) == value


@pytest.mark.parametrize("text", ["", "x", "1,5", "1_000", "0x10", "1d", "1e", "--1", "1 2"])
def test_texts_that_are_no_float(text: str) -> None:
    assert refused("v", text) == ("wrong_type", f"column 'v' is not a float: {text!r}")


@pytest.mark.parametrize("text", ["NaN", "nan", "inf", "-inf", "Infinity", "1e400", "-1e400"])
def test_a_float_that_is_not_finite_is_refused(text: str) -> None:
    assert refused("v", text) == ("not_finite", f"column 'v' is not a finite number: {text!r}")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_read_back_to_the_last_digit(value: float) -> None:
    found = value_of("v", repr(value))

    assert (found, math.copysign(1, found)) == (value, math.copysign(1, value))


# ------------------------------------------------------------------------------------------------ missing values


@pytest.mark.parametrize("name", ["ts", "k", "v"])
def test_time_keys_and_required_columns_must_be_there(name: str) -> None:
    source = PARSED.source_of(name)

    assert refused(name, None) == ("missing_column", f"column '{source}' is required and missing or null")


@pytest.mark.parametrize("name", ["b", "n", "seen"])
def test_other_columns_may_be_missing(name: str) -> None:
    assert value_of(name, None) is None


def test_the_columns_of_the_identity_must_be_there() -> None:
    parsed = spec.parse("stream: s\ntime: {column: ts}\nunique: [ts, id]\ncolumns: {ts: timestamp, id: int}", "x")
    raw = pl.DataFrame({"ts": ["2026-01-01"], "id": [None], INDEX: [4]}, schema_overrides={"id": pl.Int64})
    [reject] = judge(raw, parsed).rejects

    assert (reject.reason, reject.field, reject.index) == ("missing_column", "id", 4)


# ------------------------------------------------------------------------------------------------ times


def test_a_text_that_is_no_time_says_which_formats_were_tried() -> None:
    assert refused("ts", "tomorrow") == ("bad_time", "column 'at' is not a time written as iso8601: 'tomorrow'")
    assert refused("seen", "?") == ("bad_time", "column 'seen' is not a time written as iso8601: '?'")


def test_a_time_may_lie_in_the_future_by_exactly_as_much_as_the_spec_allows() -> None:
    limit = NOW + timedelta(minutes=10)
    assert value_of("ts", limit.isoformat()) == limit

    reason, message = refused("ts", (limit + timedelta(microseconds=1)).isoformat())
    assert reason == "time_in_future"
    assert "lies more than 10m after the record was received" in message


def test_only_the_event_time_is_held_against_the_clock() -> None:
    assert value_of("seen", "2999-01-01") == datetime(2999, 1, 1, tzinfo=UTC)
    assert value_of("seen", "0001-01-01") == datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["0001-01-01", "1582-12-31T23:59:59.999999Z"])
def test_an_event_before_1583_is_refused_for_it_is_a_placeholder_or_a_typo(text: str) -> None:
    reason, message = refused("ts", text)

    assert reason == "time_too_early"
    assert "lies before the year 1583" in message


def test_the_first_moment_of_1583_is_a_time_like_any_other() -> None:
    assert value_of("ts", "1583-01-01") == datetime(1583, 1, 1, tzinfo=UTC)


# ------------------------------------------------------------------------------------------------ many rows


def test_the_first_fault_in_the_order_of_the_spec_is_the_one_that_is_told() -> None:
    checked = judge(text_row(ts="?", k=None, v="x", n="y"))

    assert [(reject.reason, reject.field) for reject in checked.rejects] == [("bad_time", "at")]
    assert judge(text_row(n="y", v=None)).rejects[0].field == "n"


def test_a_long_value_is_shown_in_part() -> None:
    [reject] = judge(text_row(n="9" * 5_000)).rejects

    assert reject.value == "9" * 200
    assert len(reject.message) < 300


@given(
    st.lists(
        st.tuples(st.sampled_from(["2026-01-01", "?", None]), st.sampled_from(["1", "x", "nan", None])), max_size=12
    )
)
def test_every_row_is_kept_or_refused_and_knows_its_place(rows: list[tuple[str | None, str | None]]) -> None:
    raw = pl.DataFrame(
        [{**GOOD, "ts": time, "v": value, INDEX: 10 * number} for number, (time, value) in enumerate(rows)],
        schema={**dict.fromkeys(GOOD, pl.String), INDEX: pl.Int64},
    )
    checked = judge(raw)

    good = [10 * number for number, row in enumerate(rows) if row == ("2026-01-01", "1")]
    assert checked.rows[INDEX].to_list() == good
    assert sorted([*good, *(reject.index or 0 for reject in checked.rejects)]) == raw[INDEX].to_list()


def test_values_that_came_with_a_type_keep_it() -> None:
    raw = pl.DataFrame(
        {
            "ts": ["2026-01-01"] * 3,
            "k": ["x"] * 3,
            "b": [True] * 3,
            "n": [2**63 - 1, 0, None],
            "v": [0.5, float("inf"), 1.0],
        }
    ).with_columns(pl.lit(None, pl.String).alias("seen"), pl.int_range(3, dtype=pl.Int64).alias(INDEX))
    checked = judge(raw)

    assert checked.rows["n"].to_list() == [2**63 - 1, None]
    assert [(reject.index, reject.reason, reject.value) for reject in checked.rejects] == [(1, "not_finite", "inf")]
