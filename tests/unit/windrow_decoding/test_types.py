"""Raw values to values of a type: as Python reads the same text, and never with a loss."""

import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.decoding.types import Reading, read
from windrow.lake.schema import column_type

PARSED = spec.parse(
    """
stream: s
time: {column: ts}
columns:
  ts: timestamp
  string: string
  categorical: categorical
  json: json
  bool: bool
  int: int
  float: float
  decimal: "decimal(10,2)"
  timestamp: {type: timestamp, formats: [iso8601, epoch_s]}
  date: {type: date, formats: [iso8601, "%d/%m/%Y"]}
  strings: list(string)
  ints: list(int)
  floats: list(float)
""",
    "x",
)
INT64 = range(-(1 << 63), 1 << 63)


def reading(name: str, values: list[Any], kind: pl.DataType) -> Reading:
    found = read(pl.Series("raw", values, kind), PARSED, name)
    assert found.values.dtype == column_type(PARSED.columns[name])
    return found


def fates(name: str, values: list[Any], kind: pl.DataType | None = None) -> list[object]:
    """What became of each value: itself, None for no value, or the reason it was refused in a tuple."""
    found = reading(name, values, pl.String() if kind is None else kind)
    fates: list[object] = found.values.to_list()
    for breach in reversed(found.breaches):
        fates = [(breach.reason,) if is_broken else fate for fate, is_broken in zip(fates, breach.rows, strict=True)]
    return fates


WRONG, ENDLESS = ("wrong_type",), ("not_finite",)

# ------------------------------------------------------------------------------------------------ text to bools


@pytest.mark.parametrize("text", ["true", "TRUE", " True ", "1", "1 "])
def test_texts_that_are_true(text: str) -> None:
    assert fates("bool", [text]) == [True]


@pytest.mark.parametrize("text", ["false", "FALSE", "\tFalse", "0"])
def test_texts_that_are_false(text: str) -> None:
    assert fates("bool", [text]) == [False]


@pytest.mark.parametrize("text", ["yes", "t", "2", "-1", "truefalse", "on", "1.0"])
def test_texts_that_are_no_bool(text: str) -> None:
    assert fates("bool", [text]) == [WRONG]


# ------------------------------------------------------------------------------------------------ text to numbers

blanks = st.text(" \t", max_size=2)
noise = st.text("0123456789+-.eE_,x ", max_size=7)
integers = st.integers() | st.sampled_from([INT64[0], INT64[-1], INT64[0] - 1, INT64[-1] + 1])
int_texts = st.builds(
    "{}{}{}{}{}".format,
    blanks,
    st.sampled_from(["", "+", "00"]),
    integers,
    st.sampled_from(["", ".", ".0", ".000", ".5"]),
    blanks,
)


def as_python_int(text: str) -> object:
    plain = text.strip()
    if not plain:
        return None
    if not re.fullmatch(r"[+-]?[0-9]+(\.0*)?", plain):
        return WRONG
    value = int(plain.partition(".")[0])
    return value if value in INT64 else WRONG


@settings(max_examples=200)
@given(st.lists(int_texts | noise, max_size=5))
def test_a_whole_number_is_read_as_python_reads_it_and_may_end_in_a_point_and_zeros(texts: list[str]) -> None:
    assert fates("int", texts) == [as_python_int(text) for text in texts]


@pytest.mark.parametrize("text", ["1.5", "1e3", "1_000", "0x10", "-", "5 5", "٣", "NaN", "true", ".0", "1.0.0"])
def test_texts_that_are_no_whole_number(text: str) -> None:
    assert fates("int", [text]) == [WRONG]


floats = st.floats().map(repr) | st.decimals(allow_nan=False, allow_infinity=False).map(str)
float_texts = st.builds("{}{}{}".format, blanks, floats, blanks) | noise


def as_python_float(text: str) -> object:
    plain = text.strip().lower()
    if not plain:
        return None
    if re.fullmatch(r"[+-]?(inf|infinity|nan)", plain):
        return ENDLESS
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", plain):
        return WRONG
    return float(plain) if math.isfinite(float(plain)) else ENDLESS


@settings(max_examples=200)
@given(st.lists(float_texts, max_size=5))
def test_a_float_is_read_as_python_reads_it_to_the_last_bit(texts: list[str]) -> None:
    # repr tells -0.0 from 0.0
    assert repr(fates("float", texts)) == repr([as_python_float(text) for text in texts])


@pytest.mark.parametrize("text", ["x", "1,5", "1_000", "0x10", "1d", "1e", "--1", "1 2", ".", "e5", "infinit", "٣"])
def test_texts_that_are_no_float(text: str) -> None:
    assert fates("float", [text]) == [WRONG]


@pytest.mark.parametrize("text", ["NaN", "nan", "inf", "-inf", " Infinity", "1e400", "-1e400"])
def test_a_float_that_is_not_finite_is_refused_for_that(text: str) -> None:
    assert fates("float", [text]) == [ENDLESS]


def test_a_decimal_is_exact_or_refused() -> None:
    assert fates("decimal", ["1.50", " 7 ", "1.555", "100000000", "x", None]) == [
        Decimal("1.50"),
        Decimal(7),
        WRONG,
        WRONG,
        WRONG,
        None,
    ]


@pytest.mark.parametrize("name", ["bool", "int", "float", "decimal", "timestamp", "date"])
@pytest.mark.parametrize("text", ["", "  ", "\t"])
def test_blanks_alone_are_no_value_where_blanks_mean_nothing(name: str, text: str) -> None:
    assert fates(name, [text]) == [None]


@pytest.mark.parametrize("name", ["string", "categorical", "json"])
def test_a_text_is_taken_as_it_is(name: str) -> None:
    texts = ["", "  ", " x ", "\u0000", "NULL", None]

    assert fates(name, texts) == texts


@pytest.mark.parametrize("name", ["strings", "ints", "floats"])
def test_a_text_is_no_list(name: str) -> None:
    assert fates(name, ["[1]", None]) == [WRONG, None]


# ------------------------------------------------------------------------------------------------ times


def test_times_and_dates_are_read_by_the_formats_of_their_column() -> None:
    assert fates("timestamp", ["2026-01-01", "1767225600", "01/01/2026"]) == [
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=UTC),
        ("bad_time",),
    ]
    assert fates("date", ["2026-01-31", "31/01/2026", "2026-01-31T00:00:00Z"]) == [
        date(2026, 1, 31),
        date(2026, 1, 31),
        ("bad_time",),
    ]


LOCAL = spec.parse("stream: s\ntime: {column: ts, zone: Europe/Berlin}\ncolumns: {ts: timestamp, seen: timestamp}", "x")


@pytest.mark.parametrize("name", ["ts", "seen"])
def test_a_local_time_that_is_not_one_moment_is_refused_with_the_choice_there_is(name: str) -> None:
    texts = pl.Series(["2025-10-26 02:30", "2025-03-30 02:30", "?", "2025-10-26T02:30:00+01:00", None])
    values, breaches = read(texts, LOCAL, name)

    assert values.to_list() == [None, None, None, datetime(2025, 10, 26, 1, 30, tzinfo=UTC), None]
    assert [(breach.reason, breach.rows.arg_true().to_list()) for breach in breaches][:2] == [
        ("ambiguous_time", [0]),
        ("nonexistent_time", [1]),
    ]
    assert breaches[0].rule == (
        "is a local time that the clocks of Europe/Berlin show twice; "
        "send offsets, or set time.ambiguous to earliest or latest"
    )
    assert breaches[1].rule == (
        "is a local time that the clocks of Europe/Berlin skip; send offsets, or set time.nonexistent to forward"
    )
    assert breaches[2].reason == "bad_time"
    assert breaches[2].rows[2]


# ------------------------------------------------------------------------------------------------ typed values

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
TYPED = [
    ("string", pl.String(), ["x"], ["x"]),
    ("string", pl.Int64(), [5], ["5"]),
    ("string", pl.Categorical(), ["x"], ["x"]),
    ("string", pl.Float64(), [5.0], [WRONG]),
    ("string", pl.Boolean(), [True], [WRONG]),
    ("bool", pl.Boolean(), [True, False], [True, False]),
    ("bool", pl.Int64(), [1], [WRONG]),
    ("int", pl.Int64(), [INT64[0], INT64[-1]], [INT64[0], INT64[-1]]),
    ("int", pl.UInt64(), [1 << 63, 5], [WRONG, 5]),
    ("int", pl.Int8(), [-5], [-5]),
    (
        "int",
        pl.Float64(),
        [5.0, -0.0, 5.5, 2.0**53, 2.0**54, float("nan"), float("inf")],
        [5, 0, WRONG, 1 << 53, WRONG, WRONG, WRONG],
    ),
    ("int", pl.Decimal(10, 2), [Decimal("5.00"), Decimal("5.50")], [5, WRONG]),
    ("int", pl.Boolean(), [True], [WRONG]),
    ("int", pl.Date(), [date(2026, 1, 1)], [WRONG]),
    ("float", pl.Float64(), [0.5, float("inf"), float("nan")], [0.5, ENDLESS, ENDLESS]),
    ("float", pl.Float32(), [0.5], [0.5]),
    ("float", pl.Int64(), [5], [5.0]),
    ("float", pl.Decimal(20, 17), [Decimal("0.1")], [0.1]),
    ("float", pl.Boolean(), [True], [WRONG]),
    ("decimal", pl.Decimal(10, 2), [Decimal("1.50")], [Decimal("1.50")]),
    (
        "decimal",
        pl.Decimal(20, 4),
        [Decimal("1.5000"), Decimal("1.5001"), Decimal(10**12)],
        [Decimal("1.50"), WRONG, WRONG],
    ),
    ("decimal", pl.Int64(), [5, 10**8], [Decimal(5), WRONG]),
    ("decimal", pl.Float64(), [1.1, 1e-5, 0.1 + 0.2, float("nan")], [Decimal("1.10"), WRONG, WRONG, WRONG]),
    ("decimal", pl.Boolean(), [True], [WRONG]),
    ("timestamp", pl.Datetime("us", "UTC"), [MOMENT], [MOMENT]),
    ("timestamp", pl.Datetime("ns"), [MOMENT.replace(tzinfo=None)], [MOMENT]),
    ("timestamp", pl.Int64(), [1767225600], [MOMENT]),
    ("timestamp", pl.Float64(), [1767225600.0], [MOMENT]),
    ("timestamp", pl.Date(), [date(2026, 1, 1)], [MOMENT]),
    ("timestamp", pl.Boolean(), [True], [("bad_time",)]),
    ("date", pl.Date(), [date(2026, 1, 1)], [date(2026, 1, 1)]),
    ("date", pl.Datetime("us", "UTC"), [MOMENT], [("bad_time",)]),
    ("strings", pl.List(pl.String()), [["a", None], []], [["a", None], []]),
    ("strings", pl.List(pl.Int64()), [[1]], [WRONG]),
    ("ints", pl.List(pl.Int64()), [[1]], [[1]]),
    ("ints", pl.List(pl.Int32()), [[1, None]], [[1, None]]),
    ("ints", pl.List(pl.Float64()), [[1.0], [1.5], [], [float("nan")]], [[1], WRONG, [], WRONG]),
    ("ints", pl.List(pl.String()), [["1"]], [WRONG]),
    ("ints", pl.Int64(), [1], [WRONG]),
    ("floats", pl.List(pl.Int64()), [[1, 2]], [[1.0, 2.0]]),
    ("floats", pl.Array(pl.Float64(), 2), [[1.0, 2.0]], [[1.0, 2.0]]),
    (
        "floats",
        pl.List(pl.Float64()),
        [[1.0], [float("inf")], [None, float("nan")], [None], []],
        [[1.0], ENDLESS, ENDLESS, [None], []],
    ),
    ("floats", pl.List(pl.Null()), [[None], []], [[None], []]),
    ("floats", pl.List(pl.Boolean()), [[True]], [WRONG]),
]


@pytest.mark.parametrize(("name", "kind", "values", "expected"), TYPED, ids=lambda part: str(part)[:30])
def test_a_typed_value_is_taken_if_the_column_can_hold_it_as_it_is(
    name: str, kind: pl.DataType, values: list[object], expected: list[object]
) -> None:
    assert fates(name, [*values, None], kind) == [*expected, None]
    for value, fate in zip(values, expected, strict=True):
        assert fates(name, [value], kind) == [fate]


@pytest.mark.parametrize("name", PARSED.columns)
def test_a_column_of_nothing_is_nothing_of_the_columns_type(name: str) -> None:
    for kind in (pl.Null(), pl.String()):
        assert reading(name, [None, None], kind).values.to_list() == [None, None]
        assert reading(name, [], kind).values.to_list() == []


POOL = [
    "1",
    " 2.0 ",
    "x",
    "",
    " ",
    "inf",
    "true",
    "TRUE",
    "1.555",
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "31/12/2025",
    "1e3",
    None,
]


@given(st.sampled_from(list(PARSED.columns)), st.lists(st.sampled_from(POOL), max_size=6))
def test_what_becomes_of_a_value_does_not_depend_on_its_neighbours(name: str, texts: list[str | None]) -> None:
    assert fates(name, texts) == [fates(name, [text])[0] for text in texts]
