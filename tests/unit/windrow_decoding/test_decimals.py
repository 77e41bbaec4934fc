"""Decimals: exactly what was written, or nothing."""

import re
from decimal import Context, Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.decoding.decimals import read_decimals

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
digits = st.text("0123456789", max_size=24)
signs = st.sampled_from(["", "+", "-"])
numbers = st.builds(
    lambda sign, whole, point, part, exponent: f"{sign}{whole}{point}{part}{exponent}",
    signs,
    st.text("0", max_size=3).flatmap(lambda zeros: digits.map(lambda rest: zeros + rest)),
    st.sampled_from([".", ""]),
    st.builds(lambda some, zeros: some + zeros, st.text("0123456789", max_size=6), st.text("0", max_size=4)),
    st.just("") | st.builds(lambda sign, size: f"e{sign}{size}", signs, st.integers(0, 45)),
)
noise = st.text("0123456789+-.eE_ x", max_size=8)
shapes = st.integers(1, 38).flatmap(lambda precision: st.tuples(st.just(precision), st.integers(0, precision)))


def exactly(text: str, precision: int, scale: int) -> Decimal | None:
    """The number a text is, if a decimal of this shape holds all of it."""
    if not NUMBER.fullmatch(text.strip()):
        return None
    number = Decimal(text.strip())
    units = number.scaleb(scale, Context(prec=200))
    return number if units == units.to_integral_value() and abs(units) < 10**precision else None


@settings(max_examples=200)
@given(st.lists(numbers | noise | st.none(), max_size=6), shapes)
def test_a_decimal_is_read_to_its_last_digit_or_not_at_all(texts: list[str | None], shape: tuple[int, int]) -> None:
    values = read_decimals(pl.Series("d", texts, pl.String), *shape)

    assert values.dtype == pl.Decimal(*shape)
    assert values.to_list() == [None if text is None else exactly(text, *shape) for text in texts]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.50", "1.50"),
        ("1.5000", "1.50"),
        (" -007.1 ", "-7.10"),
        ("15e-1", "1.50"),
        ("1.5E+2", "150.00"),
        ("0e99", "0"),
        ("-0", "0"),
        ("99999999.99", "99999999.99"),
        ("99999999.990", "99999999.99"),
        (".5", "0.50"),
        ("5.", "5.00"),
    ],
)
def test_a_number_may_be_written_in_many_ways(text: str, value: str) -> None:
    assert read_decimals(pl.Series([text]), 10, 2)[0] == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "1.555",
        "1.001",
        "100000000.00",
        "99999999.995",
        "1e-3",
        "1e8",
        "1e99999999999999999999",
        "",
        ".",
        "+",
        "1,5",
        "1_000",
        "0x10",
        "nan",
        "inf",
        "1.5.5",
        "--1",
        "1e",
        "e5",
        "٣",
        "1 2",
    ],
)
def test_what_would_lose_a_digit_or_is_no_number_is_nothing(text: str) -> None:
    assert read_decimals(pl.Series([text]), 10, 2)[0] is None


def test_a_decimal_of_38_digits_is_held() -> None:
    text = "-" + "9" * 30 + "." + "9" * 8

    assert read_decimals(pl.Series([text]), 38, 8)[0] == Decimal(text)
