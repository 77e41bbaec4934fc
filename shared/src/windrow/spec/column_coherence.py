"""What must hold between the settings of one column, and between them and its type."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from windrow.spec.columns import NUMBERS, TEXTS, Column, ColumnType
from windrow.spec.faults import Fault, Path
from windrow.spec.names import did_you_mean, one_of, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from windrow.spec.stream import StreamSpec

_TIMES: frozenset[ColumnType] = frozenset({"timestamp", "date"})
_BELONGS: dict[str, frozenset[ColumnType]] = {
    "precision": frozenset({"decimal"}),
    "scale": frozenset({"decimal"}),
    "items": frozenset({"list"}),
    "formats": _TIMES,
    "clamp": NUMBERS,
    "range": NUMBERS,
}
"""Settings that mean nothing to columns of other types."""
_MEANT: dict[ColumnType, str] = {
    "string": "a text",
    "categorical": "a text",
    "bool": "true or false",
    "int": "a whole number of 64 bits",
    "float": "a number",
    "decimal": "a number",
    "timestamp": "a time such as 2026-01-31T12:00:00Z",
    "date": "a day such as 2026-01-31",
    "json": "a text",
}
_INT64 = range(-(1 << 63), 1 << 63)


def column_faults(spec: StreamSpec, name: str) -> Iterator[Fault]:
    """Everything about one column that does not hang together."""
    path: Path = ("columns", name)
    column = spec.columns[name]
    of_type: tuple[Path, ...] = ((*path, "type"),)
    for setting, types in _BELONGS.items():
        if setting in column.model_fields_set and column.type not in types:
            article = "an" if column.type == "int" else "a"
            message = f"belongs to columns of type {one_of(sorted(types))}, and {name!r} is {article} {column.type}"
            yield Fault((*path, setting), f"{message}; leave it out", of_type, is_name=True)
    for setting, bounds in (("clamp", column.clamp), ("range", column.range)):
        if bounds and bounds[0] is not None and bounds[1] is not None and bounds[0] > bounds[1]:
            yield Fault((*path, setting), f"the lowest, {bounds[0]:g}, is more than the highest, {bounds[1]:g}")
    for setting in ("null_if", "allowed"):
        for place, value in enumerate(getattr(column, setting)):
            yield from _value(name, column, (*path, setting, place), value)
    for setting in ("default", "fill"):
        value = getattr(column, setting)
        if value is not None:
            yield from _value(name, column, (*path, setting), value)


def no_column(columns: Mapping[str, Column], path: Path, name: str) -> Fault:
    """The fault of naming a column that is not there."""
    message = f"no column named {shown(name)}{did_you_mean(name, columns, quoted=True)}"
    return Fault(path, message, (("columns", name),))


def _value(name: str, column: Column, path: Path, value: object) -> Iterator[Fault]:
    between: tuple[Path, ...] = (("columns", name, "type"),)
    if column.type == "list":
        yield Fault(path, f"{name!r} is a list, and takes no single values", between)
    elif not _fits(column.type, value):
        remedy = ""
        if column.type in TEXTS or column.type == "json":
            remedy = f"; put it in quotes: '{shown(value)}'"
        elif column.type == "bool" and isinstance(value, str):
            remedy = "; write true or false, as yes, no, on and off are texts"
        elif column.type in NUMBERS and isinstance(value, str) and _is_number(value):
            remedy = "; write it without quotes"
        yield Fault(path, f"{shown(value)} is not {_MEANT[column.type]}, which {name!r} holds{remedy}", between)


def _fits(kind: ColumnType, value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case "string" | "categorical" | "json" | "list":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "int":
            return is_number and isinstance(value, int) and value in _INT64
        case "float":
            return is_number
        case "decimal":
            return is_number or (isinstance(value, str) and _is_number(value))
        case "timestamp":
            return isinstance(value, str) and _reads(datetime.fromisoformat, value)
        case "date":
            return isinstance(value, str) and _reads(date.fromisoformat, value)


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _reads(parse: object, text: str) -> bool:
    assert callable(parse)
    try:
        parse(text)
    except ValueError:
        return False
    return True
