"""Raw columns to checked ones: which rows fit the spec, and for each other record the first reason why not.

All of it is columnar. A row costs Python time only if it is refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from windrow.decoding.chunks import INDEX
from windrow.decoding.cleansing import bounds, cleanse, constants
from windrow.decoding.types import Breach
from windrow.quarantine import Reject
from windrow.spec import StreamSpec
from windrow.spec.columns import NUMBERS
from windrow.units import SECOND_US, format_duration

__all__ = ["INDEX", "Checked", "check"]

_VALUE_CHARS = 200
_VALUES_SHOWN = 10
_FIRST_EVENT_US = -12_212_553_600 * SECOND_US
"""1583-01-01. ISO 8601 asks for an agreement before that; what comes from there is 0001-01-01, "no time", or a typo."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Rows that fit, typed, with their index; and one reject for each record that does not."""

    rows: pl.DataFrame
    rejects: tuple[Reject, ...]


class _Fault(NamedTuple):
    """A rule that some rows of a column break."""

    column: str
    breach: Breach


def check(raw: pl.DataFrame, spec: StreamSpec, received_us: int, names: Sequence[str] | None = None) -> Checked:
    """Type, cleanse and check the columns `names`: those in `spec.read`, if not given.

    `raw` has them under the spec's names, and INDEX. A raw column is either text or typed already (see
    `types.read`). Columns beside them stay as they are. Rows that share an INDEX are one record: if one of them breaks
    a rule all of them go, with one reject, for the first rule by row and then by column. `received_us` is the time
    against which `max_future` and `max_age` are measured.
    """
    faults: list[_Fault] = []
    kept: list[pl.Series] = []
    for name in spec.read if names is None else names:
        values, breaches = cleanse(raw[name], spec, name)
        kept.append(values.alias(name))
        faults.extend(_Fault(name, breach) for breach in (*breaches, *_breaches(values, spec, name, received_us)))
    typed = raw.with_columns(kept)
    if not faults:
        return Checked(typed, ())
    first = _first_faults(raw[INDEX], faults)
    rows = typed.filter(~pl.col(INDEX).is_in(first[INDEX].implode()))
    return Checked(rows, _rejects(first, raw, spec, faults))


def _breaches(values: pl.Series, spec: StreamSpec, name: str, received_us: int) -> Iterator[Breach]:
    """Rows whose value, or lack of one, the spec does not allow."""
    column = spec.columns[name]
    if spec.required(name) and values.null_count():
        yield Breach("missing_column", "is required and missing or null", values.is_null())
    if name == spec.time.column:
        yield from _untimely(values.to_physical(), spec, received_us)
    if column.range is not None and column.type in NUMBERS:
        low, high = column.range
        yield from _beyond(values, *bounds(column.range, column), "out_of_range", f"lies outside of {_span(low, high)}")
    if column.allowed:
        allowed = constants(column.allowed, spec, name)
        fits = values.is_in(allowed.implode())
        if not fits.all():
            shown = ", ".join(repr(value) for value in column.allowed[:_VALUES_SHOWN])
            more = ", …" if len(column.allowed) > _VALUES_SHOWN else ""
            yield Breach("not_allowed", f"is none of {shown}{more}", ~fits)


def _untimely(in_us: pl.Series, spec: StreamSpec, received_us: int) -> Iterator[Breach]:
    """Event times that are too far off."""
    time = spec.time
    yield from _beyond(in_us, _FIRST_EVENT_US, None, "time_too_early", "lies before the year 1583")
    rule = f"lies more than {format_duration(time.max_future)} after the record was received"
    yield from _beyond(in_us, None, received_us + time.max_future, "time_in_future", rule)
    if time.max_age is not None:
        rule = f"lies more than {format_duration(time.max_age)} before the record was received"
        yield from _beyond(in_us, received_us - time.max_age, None, "time_too_old", rule)


def _beyond(values: pl.Series, low: Any, high: Any, reason: str, rule: str) -> Iterator[Breach]:
    """Values below `low` or above `high`. Where there are none, that is known from the extremes alone."""
    least: Any = values.min()
    most: Any = values.max()
    if least is None:
        return
    is_low, is_high = low is not None and least < low, high is not None and most > high
    if is_low and is_high:
        yield Breach(reason, rule, (values < low) | (values > high))
    elif is_low or is_high:
        yield Breach(reason, rule, values < low if is_low else values > high)


def _span(low: float | None, high: float | None) -> str:
    """A range as the spec writes it."""
    return f"[{'~' if low is None else f'{low:g}'}, {'~' if high is None else f'{high:g}'}]"


# ------------------------------------------------------------------------------------------------ rejects

_FAULT, _ROW = "fault", "row"


def _first_faults(index: pl.Series, faults: Sequence[_Fault]) -> pl.DataFrame:
    """For each refused record its INDEX, the first of its rows that is at fault, and the number of the fault."""
    masks = [fault.breach.rows.alias(str(number)) for number, fault in enumerate(faults)]
    first = pl.coalesce(pl.when(str(number)).then(pl.lit(number)) for number in range(len(faults)))
    return (
        pl.DataFrame([index.alias(INDEX), *masks])
        .select(INDEX, pl.int_range(pl.len(), dtype=pl.Int64).alias(_ROW), first.alias(_FAULT))
        .filter(pl.col(_FAULT).is_not_null())
        .unique(INDEX, keep="first", maintain_order=True)
    )


def _rejects(first: pl.DataFrame, raw: pl.DataFrame, spec: StreamSpec, faults: Sequence[_Fault]) -> tuple[Reject, ...]:
    rejects: dict[int, Reject] = {}
    for number, (name, breach) in enumerate(faults):
        part = first.filter(pl.col(_FAULT) == number)
        field = _field(name, spec)
        sentence = f"column {field!r} {breach.rule}"
        for index, value in zip(part[INDEX].to_list(), raw[name].gather(part[_ROW]).to_list(), strict=True):
            shown = None if value is None else str(value)[:_VALUE_CHARS]
            message = sentence if shown is None else f"{sentence}: {shown!r}"
            rejects[index] = Reject(reason=breach.reason, message=message, index=index, field=field, value=shown)
    return tuple(rejects[index] for index in first[INDEX].to_list())


def _field(name: str, spec: StreamSpec) -> str:
    """The sender's name for a column: its first source, or the parts of the time."""
    if name == spec.time.column and spec.time.parts:
        return " ".join(spec.time.parts)
    return spec.source_of(name)
