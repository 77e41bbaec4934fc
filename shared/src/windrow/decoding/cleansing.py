"""What is done to a column on the way from what was sent to what is kept. Pure and columnar.

In this order: `missing` markers go; `trim` takes blanks off texts; the type is read; `null_if` and `clamp` change typed
values; `default` stands in where the sender gave nothing, and `fill` wherever there is nothing still. What comes after
(`required`, `range`, `allowed`) is held against the value that is kept, so defaults and fills are checked too.
"""

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

import polars as pl

from windrow.decoding.decimals import read_decimals
from windrow.decoding.times import read_dates, read_times
from windrow.decoding.types import Reading, read
from windrow.spec import Column, Scalar, StreamSpec
from windrow.spec.columns import NUMBERS, TEXTS

Limits = tuple[float | None, float | None]
Bound = int | float | Decimal | None
_INT64 = range(-(1 << 63), 1 << 63)
_EXACT = Context(prec=400)  # the digits of the largest float, and of any scale


def cleanse(raw: pl.Series, spec: StreamSpec, name: str) -> Reading:
    """A raw column as it is kept, and the rows that are not of its type."""
    column = spec.columns[name]
    sent = _without_markers(raw, column.missing)
    if column.trim and column.type in TEXTS and sent.dtype == pl.String():
        sent = _trimmed(sent)
    values, breaches = read(sent, spec, name)
    absent = values.is_null() if column.default is not None and values.null_count() else None
    if column.null_if:
        values = _without(values, constants(column.null_if, spec, name))
    if column.clamp is not None and column.type in NUMBERS:
        values = values.clip(*bounds(column.clamp, column))
    if absent is not None and column.default is not None:
        values = _instead(values, absent, constants((column.default,), spec, name))
    if column.fill is not None and values.null_count():
        values = _instead(values, values.is_null(), constants((column.fill,), spec, name))
    return Reading(values, breaches)


def constants(values: Sequence[Scalar], spec: StreamSpec, name: str) -> pl.Series:
    """Values out of a spec as a column holds them. What its type cannot hold is left out.

    Times and dates are iso8601 there, however the sender writes them.
    """
    written = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    text = pl.Series(name, written, pl.String)
    match spec.columns[name].type:
        case "timestamp":
            held = read_times(text, ("iso8601",), spec.time).times
        case "date":
            held = read_dates(text, ("iso8601",), spec.time)
        case _:
            held, breaches = read(text, spec, name)
            for breach in breaches:
                held = _cleared(held, breach.rows)
    return held.drop_nulls()


def bounds(limits: Limits, column: Column) -> tuple[Bound, Bound]:
    """Lowest and highest as a column of numbers can hold them, rounded inwards; None where a side is open."""
    low, high = (limit if limit is not None and math.isfinite(limit) else None for limit in limits)
    if column.type == "float":
        return low, high
    if column.type == "int":
        least, most, digit = Decimal(_INT64[0]), Decimal(_INT64[-1]), Decimal(1)
    else:
        digit = Decimal(1).scaleb(-column.scale)
        most = Decimal(10**column.precision - 1).scaleb(-column.scale, _EXACT)
        least = most.copy_negate()

    def held(limit: float | None, rounding: str) -> Bound:
        if limit is None:
            return None
        near = min(max(Decimal(repr(limit)).quantize(digit, rounding, _EXACT), least), most)
        return int(near) if column.type == "int" else near

    return held(low, ROUND_CEILING), held(high, ROUND_FLOOR)


def _without_markers(raw: pl.Series, markers: Sequence[str]) -> pl.Series:
    """Raw values with null in place of the markers: texts by their text, typed numbers by their value."""
    if not markers:
        return raw
    if raw.dtype == pl.String():
        wanted = pl.Series([marker.strip() for marker in markers], dtype=pl.String)
        found = raw.str.strip_chars().is_in(wanted.implode())
        return _cleared(raw, found) if found.any() else raw
    return _without(raw, _numbers(markers, raw.dtype)) if raw.dtype.is_numeric() else raw


def _numbers(markers: Sequence[str], kind: pl.DataType) -> pl.Series:
    """The markers that are numbers of this kind."""
    text = pl.Series([marker.strip() for marker in markers], dtype=pl.String)
    if kind.is_float():
        return text.cast(pl.Float64, strict=False).cast(kind).drop_nulls()
    scale = kind.scale if isinstance(kind, pl.Decimal) else 0
    return read_decimals(text, 38, scale).cast(kind, strict=False).drop_nulls()


def _trimmed(text: pl.Series) -> pl.Series:
    stripped = text.str.strip_chars()
    empty = stripped == ""
    return _cleared(stripped, empty) if empty.any() else stripped


def _without(values: pl.Series, unwanted: pl.Series) -> pl.Series:
    """Values with null in place of the unwanted ones."""
    if unwanted.is_empty():
        return values
    found = values.is_in(unwanted.implode())
    return _cleared(values, found) if found.any() else values


def _cleared(values: pl.Series, rows: pl.Series) -> pl.Series:
    """Values with null in some rows. A row of `rows` that is null itself counts as false."""
    nothing = pl.Series(values.name, [None], values.dtype).new_from_index(0, values.len())
    return nothing.zip_with(rows.fill_null(value=False), values)


def _instead(values: pl.Series, rows: pl.Series, constant: pl.Series) -> pl.Series:
    """Values with a constant in some rows; unchanged if there is no constant."""
    if constant.is_empty():
        return values
    return constant.new_from_index(0, values.len()).zip_with(rows, values)
