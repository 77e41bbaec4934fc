"""Raw columns to typed ones, without loss: which rows are of the column's type, and for the others why not.

All of it is columnar. What is written as most senders write it is read in one pass; only the rows that this leaves
are looked at again, more slowly and under the same rules.
"""

from collections.abc import Callable
from typing import NamedTuple

import polars as pl

from windrow.decoding.decimals import read_decimals
from windrow.decoding.times import read_dates, read_times
from windrow.lake.schema import column_type
from windrow.spec import Column, StreamSpec
from windrow.spec.columns import TEXTS

_EXACT_FLOATS = float(1 << 53)
"""Up to here, floats are whole numbers one apart."""
_WHOLE_NUMBER = r"^([+-]?[0-9]+)\.0*$"


class Breach(NamedTuple):
    """Rows that break a rule."""

    reason: str
    """As in Reject."""
    rule: str
    """What is wrong, to stand after `column 'x' `."""
    rows: pl.Series
    """A mask."""


class Reading(NamedTuple):
    """Values of the column's type, null where there is none; and the rows that broke a rule, first rule first."""

    values: pl.Series
    breaches: tuple[Breach, ...] = ()


def read(raw: pl.Series, spec: StreamSpec, name: str) -> Reading:
    """A raw column as its type in the spec.

    Blanks around numbers, bools and times are ignored, and a text of nothing but blanks is no value there. Of typed
    values only those are taken that the column's type can hold as they are: whole floats for an int, integers for a
    text, any number for a float. What a number cannot be read from directly, it is read from as text.
    """
    column = spec.columns[name]
    if raw.dtype == pl.Null():
        return Reading(raw.cast(column_type(column)))
    if column.type == "timestamp":
        return _read_times(raw, spec, name)
    values = _date(raw, spec, name) if column.type == "date" else _READERS[column.type](raw, column)
    breaches = _unread(raw, values, column, *_expected(spec, name))
    if column.type == "float" or (column.type == "list" and column.items == "float"):
        breaches += _not_finite(values)
    return Reading(values, breaches)


def _expected(spec: StreamSpec, name: str) -> tuple[str, str]:
    """Reason and rule for what is not of the type."""
    column = spec.columns[name]
    match column.type:
        case "timestamp":
            return "bad_time", f"is not a time written as {', '.join(spec.formats_of(name))}"
        case "date":
            return "bad_time", f"is not a date written as {', '.join(spec.formats_of(name))}"
        case "string" | "categorical":
            return "wrong_type", "is not text"
        case "json":
            return "wrong_type", "is not JSON text"
        case "int":
            return "wrong_type", "is not an int"
        case "decimal":
            return "wrong_type", f"is not a decimal({column.precision},{column.scale})"
        case "list":
            return "wrong_type", f"is not a list({column.items})"
        case _:
            return "wrong_type", f"is not a {column.type}"


def _unread(raw: pl.Series, values: pl.Series, column: Column, reason: str, rule: str) -> tuple[Breach, ...]:
    """Rows that hold something of which no value could be made."""
    if values.null_count() == raw.null_count():
        return ()
    rows = raw.is_not_null() & values.is_null()
    if raw.dtype == pl.String() and column.type not in TEXTS:
        rows &= raw.str.strip_chars() != ""
    return (Breach(reason, rule, rows),) if rows.any() else ()


def _not_finite(values: pl.Series) -> tuple[Breach, ...]:
    is_list = isinstance(values.dtype, pl.List)
    if (values.explode() if is_list else values).is_finite().all():
        return ()
    finite = (
        values.list.eval(pl.element().is_finite().fill_null(value=True)).list.all() if is_list else values.is_finite()
    )
    rule = "holds numbers that are not finite" if is_list else "is not a finite number"
    return (Breach("not_finite", rule, (~finite).fill_null(value=False)),)


# ------------------------------------------------------------------------------------------------ times


def _read_times(raw: pl.Series, spec: StreamSpec, name: str) -> Reading:
    moments = read_times(raw, spec.formats_of(name), spec.time)
    clocks = f"is a local time that the clocks of {spec.time.zone}"
    twice = f"{clocks} show twice; send offsets, or set time.ambiguous to earliest or latest"
    skipped = f"{clocks} skip; send offsets, or set time.nonexistent to forward"
    breaches = [
        Breach(reason, rule, rows)
        for reason, rule, rows in (
            ("ambiguous_time", twice, moments.ambiguous),
            ("nonexistent_time", skipped, moments.nonexistent),
        )
        if rows is not None and rows.any()
    ]
    unread = _unread(raw, moments.times, spec.columns[name], *_expected(spec, name))
    return Reading(moments.times, (*breaches, *unread))


def _date(raw: pl.Series, spec: StreamSpec, name: str) -> pl.Series:
    return read_dates(raw, spec.formats_of(name), spec.time)


# ------------------------------------------------------------------------------------------------ text


def _text(raw: pl.Series, _: Column) -> pl.Series:
    if raw.dtype == pl.String():
        return raw
    if raw.dtype.is_integer() or isinstance(raw.dtype, pl.Categorical | pl.Enum):
        return raw.cast(pl.String)
    return _nothing(raw, pl.String())


def _bool(raw: pl.Series, _: Column) -> pl.Series:
    if raw.dtype == pl.Boolean():
        return raw
    if raw.dtype != pl.String():
        return _nothing(raw, pl.Boolean())
    return _again(raw, _true_or_false(raw), lambda rest: _true_or_false(rest.str.strip_chars().str.to_lowercase()))


def _true_or_false(text: pl.Series) -> pl.Series:
    is_true, is_false = (text == "true") | (text == "1"), (text == "false") | (text == "0")
    return is_true.zip_with(is_true | is_false, _nothing(text, pl.Boolean()))


# ------------------------------------------------------------------------------------------------ numbers


def _int(raw: pl.Series, _: Column) -> pl.Series:
    kind = raw.dtype
    if kind.is_integer():
        return raw.cast(pl.Int64, strict=False)
    if kind.is_float():
        whole = (raw == raw.floor()) & (raw.abs() <= _EXACT_FLOATS)
        return raw.zip_with(whole, _nothing(raw, kind)).cast(pl.Int64, strict=False)
    if kind == pl.String() or kind.is_decimal():
        text = raw.cast(pl.String)
        return _again(text, _to_int(text), _padded_int)
    return _nothing(raw, pl.Int64())


def _padded_int(text: pl.Series) -> pl.Series:
    """Whole numbers with blanks around or zeros after a point, `.0` first: that is how floats are written."""
    stripped = text.str.strip_chars()
    values = _to_int(stripped.str.strip_suffix(".0"))
    return _again(stripped, values, lambda rest: _to_int(rest.str.replace(_WHOLE_NUMBER, "$1")))


def _to_int(text: pl.Series) -> pl.Series:
    return text.cast(pl.Int64, strict=False)


def _float(raw: pl.Series, _: Column) -> pl.Series:
    kind = raw.dtype
    if kind.is_integer() or kind.is_float():
        return raw.cast(pl.Float64)
    if kind == pl.String() or kind.is_decimal():
        text = raw.cast(pl.String)
        return _again(text, _to_float(text), lambda rest: _to_float(rest.str.strip_chars()))
    return _nothing(raw, pl.Float64())


def _to_float(text: pl.Series) -> pl.Series:
    return text.cast(pl.Float64, strict=False)


def _decimal(raw: pl.Series, column: Column) -> pl.Series:
    wanted = column_type(column)
    if raw.dtype == wanted:
        return raw
    if raw.dtype == pl.String() or raw.dtype.is_numeric():
        return read_decimals(raw.cast(pl.String), column.precision, column.scale)
    return _nothing(raw, wanted)


# ------------------------------------------------------------------------------------------------ lists


def _list(raw: pl.Series, column: Column) -> pl.Series:
    wanted = column_type(column)
    if raw.dtype == wanted:
        return raw
    if isinstance(raw.dtype, pl.Array):
        raw = raw.arr.to_list()
    if not isinstance(raw.dtype, pl.List) or not isinstance(wanted, pl.List):
        return _nothing(raw, wanted)
    held, items = pl.Series([], dtype=raw.dtype.inner).dtype, pl.Series([], dtype=wanted.inner).dtype
    if held == pl.Null():
        return raw.cast(wanted)
    if not (held.is_numeric() and items.is_numeric()):
        return raw if held == items else _nothing(raw, wanted)
    # Numbers of another kind are taken if they come back as they were.
    values = raw.cast(wanted, strict=False)
    return values.zip_with(values.cast(raw.dtype, strict=False).eq_missing(raw), _nothing(raw, wanted))


# ------------------------------------------------------------------------------------------------ shared by all


_READERS: dict[str, Callable[[pl.Series, Column], pl.Series]] = {
    "string": _text,
    "categorical": _text,
    "json": _text,
    "bool": _bool,
    "int": _int,
    "float": _float,
    "decimal": _decimal,
    "list": _list,
}


def _nothing(like: pl.Series, kind: pl.DataType) -> pl.Series:
    return pl.Series(like.name, [None], kind).new_from_index(0, like.len())


def _again(text: pl.Series, values: pl.Series, slowly: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Values, and where the quick way found none, what the slow way finds."""
    if values.null_count() == text.null_count():
        return values
    left = (text.is_not_null() & values.is_null()).arg_true()
    return values.scatter(left, slowly(text.gather(left)))
