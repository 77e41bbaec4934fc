"""What must hold between the outputs of a window, its other settings and the columns that they are of."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from windrow.keys import TABLE_NAME
from windrow.spec.column_coherence import no_column
from windrow.spec.columns import NUMBERS, Column, ColumnType
from windrow.spec.faults import Fault, Path
from windrow.spec.names import RESERVED_COLUMNS, RESERVED_OUTPUTS
from windrow.spec.windows import NUMERIC_ONLY, Aggregate, SequenceWindow, WindowSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windrow.spec.stream import StreamSpec

_MAX_INT = 1 << 63
_MAX_DIGITS = 38
_WITHOUT_NUMBERS = {"fill": "use null or previous", "padding": "use null"}
"""What may stand for what is missing, and what does where there are no numbers."""


def output_faults(spec: StreamSpec, path: Path, window: WindowSpec) -> Iterator[Fault]:
    """Everything about the outputs of one window (at `path`) that does not hang together."""
    own = own_columns(window)
    for output, aggregate in window.aggregates.items():
        of_output: Path = (*path, "aggregates", output)
        if not TABLE_NAME.fullmatch(output) or output in RESERVED_COLUMNS or output in own or output in spec.keys:
            message = "choose another name (a-z, 0-9, '_'; not a key, not one of Windrow's own)"
            yield Fault(of_output, message, is_name=True)
        yield from _companions(spec, path, window, output)
        if aggregate.carry == "none" and aggregate.max_carry is not None:
            message = "nothing is carried with carry: none; leave it out"
            yield Fault((*of_output, "max_carry"), message, ((*of_output, "carry"),))
        if aggregate.carry == "linear" and isinstance(window, SequenceWindow) and window.parts:
            message = "a line is drawn to the next value, which may lie beyond a cut; use carry: previous"
            yield Fault((*of_output, "carry"), message, ((*path, "validate_from"), (*path, "test_from")))
        yield from _column(spec, of_output, window, aggregate)


def own_columns(window: WindowSpec) -> frozenset[str]:
    """Columns of Windrow's own in the rows of this window, besides those that every table has."""
    if not isinstance(window, SequenceWindow):
        return RESERVED_OUTPUTS
    return RESERVED_OUTPUTS | {"observed_steps"} | ({"part"} if window.parts else set())


def _companions(spec: StreamSpec, path: Path, window: WindowSpec, output: str) -> Iterator[Fault]:
    if not isinstance(window, SequenceWindow):
        return
    targets = ("", "_target") if window.horizon else ("",)
    masks = ("", "_mask") if window.mask else ("",)
    between = ((*path, "mask"), (*path, "horizon"))
    for name in [f"{output}{target}{mask}" for target in targets for mask in masks if target or mask]:
        if name in window.aggregates:
            message = f"the companion of {output!r} is called so; choose another name"
            yield Fault((*path, "aggregates", name), message, between, is_name=True)
        elif name in spec.keys:
            message = f"its companion would be called {name!r}, as a key is; choose another name"
            yield Fault((*path, "aggregates", output), message, between, is_name=True)


def _column(spec: StreamSpec, path: Path, window: WindowSpec, aggregate: Aggregate) -> Iterator[Fault]:
    column: Column | None = None
    between: tuple[Path, ...] = ()
    if aggregate.column is not None:
        column = spec.columns.get(aggregate.column)
        if column is None:
            yield no_column(spec.columns, path, aggregate.column)
            return
        between = tuple(("columns", aggregate.column, each) for each in ("type", "drop", "precision", "scale"))
        if column.drop:
            yield Fault(path, f"{aggregate.column!r} is dropped", between)
            return
        if aggregate.function in NUMERIC_ONLY and column.type not in NUMBERS:
            message = f"{aggregate.function} needs a number, {aggregate.column!r} is a {column.type}"
            yield Fault(path, message, between)
            return
        if column.type == "list" and aggregate.function != "count":
            yield Fault(path, f"{aggregate.column!r} is a list, which can only be counted", between)
            return
    for setting in _WITHOUT_NUMBERS:
        fault = _unsuited(aggregate, column, setting, getattr(window, setting, None))
        if fault:
            yield Fault(path, fault, (*between, (*path[:2], setting)))


def _unsuited(aggregate: Aggregate, column: Column | None, setting: str, value: str | float | None) -> str | None:
    """Why a value cannot stand in this output for what is missing; None if it can."""
    kind = _kind(aggregate, column)
    if value in (None, "null", "previous"):
        return None
    if kind not in NUMBERS:
        shown = value if isinstance(value, str) else f"{value:g}"
        return f"{setting}: {shown} needs numbers, and {aggregate} is a {kind}; {_WITHOUT_NUMBERS[setting]}"
    if not isinstance(value, float):
        return None
    if kind == "int" and value.is_integer() and not -_MAX_INT <= value < _MAX_INT:
        return f"{setting}: {value:g} is no whole number of 64 bits, which {aggregate} is; use one"
    if kind == "decimal" and column is not None:
        precision = _MAX_DIGITS if aggregate.function == "sum" else column.precision
        _, digits, exponent = Decimal(str(value)).normalize().as_tuple()
        assert isinstance(exponent, int)  # the text of a spec holds no infinity
        if max(0, len(digits) + exponent) > precision - column.scale or -exponent > column.scale:
            return f"{setting}: {value:g} is no decimal({precision},{column.scale}), which {aggregate} is; use one"
    return None


def _kind(aggregate: Aggregate, column: Column | None) -> ColumnType:
    """What an output holds, before anything is filled."""
    match aggregate.function:
        case "count" | "n_unique" | "approx_n_unique" | "changes" | "resets":
            return "int"
        case "sum" | "min" | "max" | "first" | "last" if column is not None:
            return column.type
        case "collect":
            return "list"
        case "time_of_min" | "time_of_max":
            return "timestamp"
        case _:
            return "float"
