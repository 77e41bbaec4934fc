"""What must hold between the settings of a window, and between them and the rest of the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow.keys import TABLE_NAME
from windrow.spec.column_coherence import no_column
from windrow.spec.columns import NUMBERS, Column
from windrow.spec.faults import Fault, Path
from windrow.spec.names import RESERVED_COLUMNS
from windrow.spec.windows import (
    NUMERIC_ONLY,
    Aggregate,
    CumulativeWindow,
    SequenceWindow,
    SessionWindow,
    SlidingWindow,
    TumblingWindow,
    WindowSpec,
)
from windrow.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windrow.spec.stream import StreamSpec


def window_faults(spec: StreamSpec, name: str) -> Iterator[Fault]:
    """Everything about one window that does not hang together."""
    path: Path = ("windows", name)
    window = spec.windows[name]
    if not TABLE_NAME.fullmatch(name):
        yield Fault(path, "use a-z, 0-9 and '_', starting with a letter", is_name=True)
    match window:
        case TumblingWindow():
            yield from _tumbling(spec, path, window)
        case SlidingWindow():
            yield from _sliding(path, window)
        case SessionWindow():
            yield from _session(path, window)
        case CumulativeWindow():
            yield from _cumulative(path, window)
        case SequenceWindow():
            yield from _sequence(path, window)
    if not isinstance(window, SessionWindow) and window.fill_limit is not None and window.fill is None:
        message = "says how far fill goes; set fill as well, or leave it out"
        yield Fault((*path, "fill_limit"), message, ((*path, "fill"),))
    for output, aggregate in window.aggregates.items():
        yield from _aggregate(spec, window, (*path, "aggregates", output), aggregate)


def _positive(path: Path, setting: str, length: int) -> Iterator[Fault]:
    if length <= 0:
        yield Fault((*path, setting), "is no time at all; use 1us or more")


def _tumbling(spec: StreamSpec, path: Path, window: TumblingWindow) -> Iterator[Fault]:
    fixed_us = window.span.fixed_us(window.timezone)
    # Calendar and shifted windows cross buckets whatever their size is.
    if fixed_us is not None and window.offset == 0 and (fixed_us <= 0 or spec.bucket % fixed_us):
        message = (
            f"{window.span} does not divide the bucket ({format_duration(spec.bucket)}); set bucket to a multiple of it"
        )
        if fixed_us <= 0:
            message = "is no time at all; use 1us or more"
        yield Fault((*path, "size"), message, (("bucket",), (*path, "timezone"), (*path, "offset")))
    elif window.span.count <= 0:
        yield from _positive(path, "size", window.span.count)


def _sliding(path: Path, window: SlidingWindow) -> Iterator[Fault]:
    for setting, span in (("size", window.span), ("slide", window.slide)):
        yield from _positive(path, setting, span.count)
    between = ((*path, "size"), (*path, "timezone"))
    size, slide = window.span.fixed_us(window.timezone), window.slide.fixed_us(window.timezone)
    if window.slide.longest_us > window.span.longest_us:
        message = f"{window.slide} is more than size ({window.span}), so rows between two windows would be in none"
        yield Fault((*path, "slide"), f"{message}; make size at least as long", between)
    elif size is not None and slide is None:
        message = f"{window.slide} follows the calendar and size ({window.span}) does not; use the same kind of length"
        yield Fault((*path, "slide"), message, between)


def _session(path: Path, window: SessionWindow) -> Iterator[Fault]:
    yield from _positive(path, "gap", window.gap)
    if window.max_duration is not None and window.max_duration < window.gap:
        message = f"{format_duration(window.max_duration)} is less than gap ({format_duration(window.gap)})"
        yield Fault((*path, "max_duration"), f"{message}; make it longer", ((*path, "gap"),))


def _cumulative(path: Path, window: CumulativeWindow) -> Iterator[Fault]:
    spans = (("size", window.span), ("step", window.step))
    for setting, span in spans:
        yield from _positive(path, setting, span.count)
    if all(span.count > 0 for _, span in spans) and not window.span.is_multiple_of(window.step, window.timezone):
        message = f"{window.span} is not a whole number of steps ({window.step}); make it a multiple of step"
        yield Fault((*path, "size"), message, ((*path, "step"), (*path, "timezone")))


def _sequence(path: Path, window: SequenceWindow) -> Iterator[Fault]:
    yield from _positive(path, "step", window.step)
    if window.min_observed > window.length:
        message = f"{window.min_observed} of {window.length} steps can never be observed; use at most length"
        yield Fault((*path, "min_observed"), message, ((*path, "length"),))
    for suffix, setting in (("_mask", window.mask), ("_target", window.horizon > 0)):
        for output in window.aggregates:
            if setting and f"{output}{suffix}" in window.aggregates:
                message = f"the companion of {output!r} is called so; choose another name"
                yield Fault((*path, "aggregates", f"{output}{suffix}"), message, is_name=True)


def _aggregate(spec: StreamSpec, window: WindowSpec, path: Path, aggregate: Aggregate) -> Iterator[Fault]:
    output = path[-1]
    if not TABLE_NAME.fullmatch(str(output)) or output in RESERVED_COLUMNS or output in spec.keys:
        message = "choose another name (a-z, 0-9, '_'; not a key, not one of Windrow's own)"
        yield Fault(path, message, is_name=True)
    if aggregate.column is None:
        return
    column: Column | None = spec.columns.get(aggregate.column)
    if column is None:
        yield no_column(spec.columns, path, aggregate.column)
        return
    between: tuple[Path, ...] = (("columns", aggregate.column, "type"), ("columns", aggregate.column, "drop"))
    if column.drop:
        yield Fault(path, f"{aggregate.column!r} is dropped", between)
    elif aggregate.function in NUMERIC_ONLY and column.type not in NUMBERS:
        message = f"{aggregate.function} needs a number, {aggregate.column!r} is a {column.type}"
        yield Fault(path, message, between)
    elif column.type == "list" and aggregate.function != "count":
        yield Fault(path, f"{aggregate.column!r} is a list, which can only be counted", between)
    elif not _is_filled_with_its_kind(window, aggregate, column):
        fill = getattr(window, "fill", None)
        message = f"fill: {fill} needs numbers, and {aggregate} is a {column.type}; use null or previous"
        yield Fault(path, message, (*between, (*path[:2], "fill")))


def _is_filled_with_its_kind(window: WindowSpec, aggregate: Aggregate, column: Column) -> bool:
    """Whether what stands in for what is missing could stand in this column."""
    fill = getattr(window, "fill", None)
    is_number = aggregate.function in {"count", "n_unique", "approx_n_unique"} or column.type in NUMBERS
    return is_number or fill in {None, "null", "previous"}
