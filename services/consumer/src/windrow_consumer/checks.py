"""Raw columns to typed ones: which rows fit the spec, and for each other row the first reason why not.

All of it is columnar. A row costs Python time only if it is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from windrow.lake.schema import column_type
from windrow.quarantine import Reject
from windrow.spec import StreamSpec
from windrow.units import SECOND_US, format_duration
from windrow_consumer.times import parse_times

INDEX = "_index"
_FAULT = "_fault"
_VALUE_CHARS = 200
_FIRST_EVENT_US = -12_212_553_600 * SECOND_US
"""1583-01-01. ISO 8601 asks for an agreement before that; what comes from there is 0001-01-01, "no time", or a typo."""
_BOOLS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Checked:
    """Rows that fit, typed, with their index in the batch; and a reject for each of the others."""

    rows: pl.DataFrame
    rejects: tuple[Reject, ...]


@dataclass(frozen=True, slots=True)
class _Fault:
    reason: str
    column: str
    rule: str
    """What was expected, to stand after `column 'x': `."""
    mask: pl.Expr


def check(raw: pl.DataFrame, spec: StreamSpec, received_us: int) -> Checked:
    """Type and check rows. `raw` has a column per spec column, under the spec's name, and INDEX.

    A raw column is either text (from CSV, or times from JSON) or already of its type.
    `received_us` is the time against which `max_future` is measured.
    """
    typed = raw.with_columns(_typed(raw[name], spec, name).alias(f"_typed_{name}") for name in spec.columns)
    faults = [fault for name in spec.columns for fault in _faults(spec, name, received_us)]
    first = pl.coalesce(*(pl.when(fault.mask).then(pl.lit(number)) for number, fault in enumerate(faults)))
    typed = typed.with_columns(first.alias(_FAULT))
    bad = typed.filter(pl.col(_FAULT).is_not_null())
    good = typed.filter(pl.col(_FAULT).is_null()) if bad.height else typed
    rows = good.select(INDEX, *(pl.col(f"_typed_{name}").alias(name) for name in spec.columns))
    return Checked(rows, _rejects(bad, spec, faults))


def _typed(raw: pl.Series, spec: StreamSpec, name: str) -> pl.Series:
    kind = spec.columns[name].type
    if raw.dtype != pl.String():
        return raw.cast(column_type(kind), strict=False)
    match kind:
        case "string":
            return raw
        case "timestamp":
            return parse_times(raw, spec.time.formats if name == spec.time.column else ("iso8601",))
        case "bool":
            return (
                raw.str.strip_chars().str.to_lowercase().replace_strict(_BOOLS, default=None, return_dtype=pl.Boolean)
            )
        case "int":
            return raw.str.strip_chars().cast(pl.Int64, strict=False)
        case "float":
            return raw.str.strip_chars().cast(pl.Float64, strict=False)


def _faults(spec: StreamSpec, name: str, received_us: int) -> list[_Fault]:
    kind = spec.columns[name].type
    raw, typed = pl.col(name), pl.col(f"_typed_{name}")
    faults = []
    if spec.required(name):
        missing = raw.is_null()
        faults.append(_Fault("missing_column", spec.source_of(name), "is required and missing or null", missing))
    unread = raw.is_not_null() & typed.is_null()
    if kind == "timestamp":
        formats = ", ".join(spec.time.formats) if name == spec.time.column else "iso8601"
        faults.append(_Fault("bad_time", spec.source_of(name), f"is not a time written as {formats}", unread))
    else:
        faults.append(_Fault("wrong_type", spec.source_of(name), f"is not {_article(kind)}", unread))
    if kind == "float":
        finite = typed.is_not_null() & ~typed.is_finite()
        faults.append(_Fault("not_finite", spec.source_of(name), "is not a finite number", finite))
    if name == spec.time.column:
        early = typed < pl.lit(_FIRST_EVENT_US).cast(column_type(kind))
        faults.append(_Fault("time_too_early", spec.source_of(name), "lies before the year 1583", early))
        limit = format_duration(spec.time.max_future)
        late = typed > pl.lit(received_us + spec.time.max_future).cast(column_type(kind))
        rule = f"lies more than {limit} after the record was received"
        faults.append(_Fault("time_in_future", spec.source_of(name), rule, late))
    return faults


def _article(kind: str) -> str:
    return f"an {kind}" if kind == "int" else f"a {kind}"


def _rejects(bad: pl.DataFrame, spec: StreamSpec, faults: Sequence[_Fault]) -> tuple[Reject, ...]:
    rejects = []
    for row in bad.iter_rows(named=True):
        fault = faults[row[_FAULT]]
        name = next(column for column in spec.columns if spec.source_of(column) == fault.column)
        value = row[name]
        shown = None if value is None else str(value)[:_VALUE_CHARS]
        message = f"column {fault.column!r} {fault.rule}" + ("" if shown is None else f": {shown!r}")
        rejects.append(Reject(reason=fault.reason, message=message, index=row[INDEX], field=fault.column, value=shown))
    return tuple(rejects)
