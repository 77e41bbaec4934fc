"""What is done to values on the way, and in which order."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow import spec
from windrow.decoding.cleansing import bounds, cleanse, constants
from windrow.spec import Column, StreamSpec


def stream(settings: str) -> StreamSpec:
    return spec.parse(f"stream: s\ntime: {{column: ts}}\ncolumns: {{ts: timestamp, x: {{{settings}}}}}", "x")


def kept(settings: str, *values: Any, kind: pl.DataType | None = None) -> list[Any]:
    found = cleanse(pl.Series("x", values, pl.String() if kind is None else kind), stream(settings), "x")
    assert found.breaches == ()
    return found.values.to_list()


def reasons(settings: str, *values: str | None) -> list[str]:
    return [breach.reason for breach in cleanse(pl.Series("x", values, pl.String), stream(settings), "x").breaches]


# ------------------------------------------------------------------------------------------------ missing


def test_a_marker_is_no_value_whatever_blanks_stand_around_it() -> None:
    assert kept("type: float, missing: [NA, -200, ' - ']", "NA", " NA", "-200", "-200 ", "-", "200", None) == [
        *[None] * 5,
        200.0,
        None,
    ]
    assert kept("type: string, missing: [NA]", "NA", " NA ", "na", "NAN", "") == [None, None, "na", "NAN", ""]


def test_a_text_is_compared_with_a_marker_as_text() -> None:
    assert kept("type: int, missing: ['000', -200]", "000", "0", "-200", "-200.0") == [None, 0, None, -200]


def test_a_typed_number_is_compared_with_a_marker_by_value() -> None:
    missing = "missing: [NA, -200, 1.5, 1e999999]"

    assert kept(f"type: float, {missing}", -200.0, 1.5, 2.0, None, kind=pl.Float64()) == [None, None, 2.0, None]
    assert kept(f"type: int, {missing}", -200, 1, None, kind=pl.Int64()) == [None, 1, None]
    exact = [Decimal("-200.00"), Decimal("1.50"), Decimal("1.51")]
    assert kept(f"type: 'decimal(10,2)', {missing}", *exact, kind=pl.Decimal(10, 2)) == [None, None, exact[2]]


def test_a_typed_number_that_is_none_can_be_a_marker() -> None:
    assert kept("type: float, missing: [nan]", float("nan"), 1.0, kind=pl.Float64()) == [None, 1.0]


def test_a_marker_is_told_before_the_type_is_read() -> None:
    assert reasons("type: int, missing: [NA]", "NA") == []
    assert reasons("type: int, missing: [NA]", "N/A") == ["wrong_type"]
    assert kept("type: timestamp, missing: ['0001-01-01']", "0001-01-01") == [None]
    assert kept("type: bool, missing: ['0']", "0", "1") == [None, True]


# ------------------------------------------------------------------------------------------------ trim


def test_blanks_around_a_text_go_if_that_is_asked_and_what_was_only_blanks_is_no_value() -> None:
    assert kept("type: string, trim: true", " a b ", "  ", "", "x", None) == ["a b", None, None, "x", None]
    assert kept("type: categorical, trim: true", "\ta") == ["a"]
    assert kept("type: string", " a ", "  ", "") == [" a ", "  ", ""]


# ------------------------------------------------------------------------------------------------ null_if, clamp


@pytest.mark.parametrize(
    ("settings", "text", "other"),
    [
        ("type: int, null_if: [0, 7]", "007", "8"),
        ("type: float, null_if: [-9.99]", "-9.990", "-9.98"),
        ("type: 'decimal(10,2)', null_if: [1.1]", "1.10", "1.11"),
        ("type: string, null_if: [x]", "x", "X"),
        ("type: bool, null_if: [true]", "1", "0"),
        ("type: date, formats: '%d/%m/%Y', null_if: ['1900-01-01']", "01/01/1900", "02/01/1900"),
        ("type: timestamp, formats: epoch_s, null_if: ['1970-01-01']", "0", "1"),
    ],
)
def test_typed_values_can_mean_no_value(settings: str, text: str, other: str) -> None:
    found = kept(settings, text, other)

    assert found[0] is None
    assert found[1] is not None


def test_numbers_beyond_a_bound_are_set_to_it() -> None:
    assert kept("type: float, clamp: [0, 1.5]", "-1", "0.5", "9", None) == [0.0, 0.5, 1.5, None]
    assert kept("type: int, clamp: [~, 5]", "-999", "9") == [-999, 5]
    assert kept("type: int, clamp: [0, ~]", "-999", "9") == [0, 9]
    assert kept("type: 'decimal(6,2)', clamp: [0.5, 10]", "0.49", "10.01", "3") == [
        Decimal("0.50"),
        Decimal(10),
        Decimal(3),
    ]


def test_a_number_that_is_not_finite_is_refused_and_not_set_to_a_bound() -> None:
    assert reasons("type: float, clamp: [0, 1]", "inf") == ["not_finite"]


@pytest.mark.parametrize(
    ("kind", "limits", "held"),
    [
        ("int", (0.5, 9.5), (1, 9)),
        ("int", (-0.5, None), (0, None)),
        ("int", (-1e300, 1e300), (-(1 << 63), (1 << 63) - 1)),
        ("float", (0.5, 1e300), (0.5, 1e300)),
        ("float", (float("-inf"), float("inf")), (None, None)),
        ("decimal(4,2)", (0.001, 0.999), (Decimal("0.01"), Decimal("0.99"))),
        ("decimal(4,2)", (-1e300, 1e300), (Decimal("-99.99"), Decimal("99.99"))),
        ("decimal(38,38)", (-0.1, 0.1), (Decimal("-0.1"), Decimal("0.1"))),
    ],
)
def test_a_bound_is_what_the_column_can_hold_inside_of_it(kind: str, limits: tuple[float, float], held: object) -> None:
    assert bounds(limits, Column.model_validate({"type": kind})) == held


# ------------------------------------------------------------------------------------------------ default and fill


def test_a_default_stands_in_where_the_sender_gave_nothing() -> None:
    settings = "type: int, default: 5, missing: [NA]"

    assert kept(settings, None, "", " ", "NA", "7") == [5, 5, 5, 5, 7]
    assert kept("type: string, default: none, trim: true", None, "", " ", "x") == ["none", "none", "none", "x"]
    assert kept("type: string, default: none", None, "") == ["none", ""]


def test_a_default_does_not_stand_in_for_what_null_if_took_away_but_a_fill_does() -> None:
    assert kept("type: int, default: 5, null_if: [0]", "0", None) == [None, 5]
    assert kept("type: int, default: 5, null_if: [0], fill: 9", "0", None, "1") == [9, 5, 1]
    assert kept("type: int, fill: 9", None, "1") == [9, 1]


def test_defaults_and_fills_are_not_cleansed_themselves() -> None:
    assert kept("type: int, default: 50, clamp: [0, 10], null_if: [50]", None, "99") == [50, 10]
    assert kept("type: int, fill: 50, clamp: [0, 10], null_if: [50]", None, "50") == [50, 50]


def test_neither_hides_what_could_not_be_read() -> None:
    assert reasons("type: int, default: 5, fill: 9", "x", None) == ["wrong_type"]


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ("type: bool, fill: false", False),
        ("type: float, fill: 1e-7", 1e-7),
        ("type: 'decimal(4,2)', fill: 0.1", Decimal("0.10")),
        ("type: string, fill: 'true'", "true"),
        ("type: date, formats: '%d/%m/%Y', fill: '2026-01-31'", date(2026, 1, 31)),
        ("type: timestamp, formats: epoch_s, fill: '2026-01-31T01:00:00+01:00'", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_a_constant_has_the_type_of_its_column(settings: str, value: object) -> None:
    assert kept(settings, None) == [value]


def test_a_constant_that_its_column_cannot_hold_is_left_out() -> None:
    parsed = spec.parse(
        "stream: s\ntime: {column: ts}\ncolumns: {ts: timestamp, n: int, f: float, d: 'decimal(4,2)'}", "x"
    )

    assert constants((1, "x", 2.5, 3.0, True), parsed, "n").to_list() == [1, 3]
    assert constants((1, float("inf")), parsed, "f").to_list() == [1.0]
    assert constants((1.005, 1.5, 100), parsed, "d").to_list() == [Decimal("1.50")]
    assert constants(("2026-01-01", "?"), parsed, "ts").to_list() == [datetime(2026, 1, 1, tzinfo=UTC)]


# ------------------------------------------------------------------------------------------------ all together

number = st.integers(-3, 3)


@given(
    st.lists(st.sampled_from(["NA", "", None, *map(str, range(-3, 4))]), max_size=6),
    st.tuples(number, number).map(sorted),
    st.none() | number,
    number,
    st.none() | number,
)
def test_the_steps_come_in_the_order_of_the_documentation(
    texts: list[str | None], clamp: list[int], default: int | None, null_if: int, fill: int | None
) -> None:
    stand_ins = "".join(
        f", {name}: {value}" for name, value in (("default", default), ("fill", fill)) if value is not None
    )

    def expected(text: str | None) -> int | None:
        if text in ("NA", "", None):
            return fill if default is None else default
        value = int(str(text))
        return fill if value == null_if else min(max(value, clamp[0]), clamp[1])

    settings = f"type: int, missing: NA, null_if: {null_if}, clamp: {clamp}{stand_ins}"
    assert kept(settings, *texts) == [expected(text) for text in texts]
