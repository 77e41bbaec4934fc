"""What must hold between the settings of a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow.keys import TABLE_NAME
from windrow.spec.durations import MAX_DURATION_US
from windrow.spec.faults import Fault, Path
from windrow.spec.moments import written
from windrow.spec.output_coherence import output_faults
from windrow.spec.windows import (
    MAX_WINDOWS,
    AlignedWindow,
    CountWindow,
    CumulativeWindow,
    PairwiseWindow,
    SequenceWindow,
    SessionWindow,
    SlidingWindow,
    TumblingWindow,
)
from windrow.units import format_duration, to_us

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windrow.spec.moments import Moment
    from windrow.spec.stream import StreamSpec

_MAX_OVERLAP = 10_000
"""Most windows that a row is in, where each of them holds rows of its own."""
_MAX_STEPS = 100_000
"""Most windows that share a start."""


def window_faults(spec: StreamSpec, name: str) -> Iterator[Fault]:
    """Everything about one window that does not hang together."""
    path: Path = ("windows", name)
    window = spec.windows[name]
    if not TABLE_NAME.fullmatch(name):
        yield Fault(path, "use a-z, 0-9 and '_', starting with a letter", is_name=True)
    match window:
        case TumblingWindow():
            yield from _positive(path, "size", window.span.count)
        case SlidingWindow():
            yield from _sliding(path, window)
        case SessionWindow():
            yield from _session(path, window)
        case CumulativeWindow():
            yield from _cumulative(path, window)
        case SequenceWindow():
            yield from _sequence(path, window)
        case CountWindow():
            yield from _overlap(path, "row", window.length, window.stride or window.length)
        case PairwiseWindow():
            yield from _positive(path, "size", window.span)
    if isinstance(window, AlignedWindow):
        yield from _filling(path, window)
    yield from output_faults(spec, path, window)


def _positive(path: Path, setting: str, length: int) -> Iterator[Fault]:
    if length <= 0:
        yield Fault((*path, setting), "is no time at all; use 1us or more")


def _sliding(path: Path, window: SlidingWindow) -> Iterator[Fault]:
    for setting, span in (("size", window.span), ("slide", window.slide)):
        yield from _positive(path, setting, span.count)
    between = ((*path, "size"), (*path, "timezone"))
    in_how_many = _rounded_up(window.span.longest_us, window.slide.longest_us)
    if window.span.unit == "us" and window.slide.fixed_us(window.timezone) is None:
        message = f"{window.slide} follows the calendar and size ({window.span}) does not; use the same kind of length"
        yield Fault((*path, "slide"), message, between)
    elif in_how_many > _MAX_OVERLAP:
        least = format_duration(_rounded_up(window.span.longest_us, _MAX_OVERLAP))
        message = f"a row would be in {in_how_many:,} windows, and {_MAX_OVERLAP:,} are the most; use {least} or more"
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
    in_how_many = _rounded_up(window.span.longest_us, window.step.longest_us)
    if in_how_many > _MAX_STEPS:
        least = format_duration(_rounded_up(window.span.longest_us, _MAX_STEPS))
        message = f"a row would be in {in_how_many:,} windows, and {_MAX_STEPS:,} are the most; use {least} or more"
        yield Fault((*path, "step"), message, ((*path, "size"),))


def _sequence(path: Path, window: SequenceWindow) -> Iterator[Fault]:
    yield from _positive(path, "step", window.step)
    if window.min_observed > window.length:
        message = f"{window.min_observed} of {window.length} steps can never be observed; use at most length"
        yield Fault((*path, "min_observed"), message, ((*path, "length"),))
    steps = window.length + window.horizon
    yield from _within_a_century(path, "length", steps, window.step, ((*path, "step"), (*path, "horizon")))
    yield from _within_a_century(path, "stride", window.stride, window.step, ((*path, "step"),))
    yield from _within_a_century(path, "max_gap", window.max_gap, window.step, ((*path, "step"),))
    yield from _overlap(path, "step", steps, window.stride or window.length)
    yield from _ascending(path, ("validate_from", window.validate_from), ("test_from", window.test_from))


def _overlap(path: Path, what: str, length: int, stride: int) -> Iterator[Fault]:
    in_how_many = _rounded_up(length, stride)
    if in_how_many > _MAX_OVERLAP:
        least = _rounded_up(length, _MAX_OVERLAP)
        message = f"a {what} would be in {in_how_many:,} windows, and {_MAX_OVERLAP:,} are the most"
        between = ((*path, "length"), (*path, "horizon"))
        yield Fault((*path, "stride"), f"{message}; use {least} or more", between)


def _filling(path: Path, window: AlignedWindow) -> Iterator[Fault]:
    if window.fill is None:
        for setting in ("fill_limit", "max_gap", "fill_from", "fill_to"):
            if getattr(window, setting) is not None:
                message = "says how far fill goes; set fill as well, or leave it out"
                yield Fault((*path, setting), message, ((*path, "fill"),))
        return
    spacing = tuple((*path, setting) for setting in ("size", "slide", "step"))
    every_us = window.every.longest_us
    yield from _within_a_century(path, "max_gap", window.max_gap, every_us, spacing)
    yield from _ascending(path, ("fill_from", window.fill_from), ("fill_to", window.fill_to))
    if window.fill_from and window.fill_to and every_us:
        windows = (to_us(window.fill_to) - to_us(window.fill_from)) // every_us
        if windows > MAX_WINDOWS:
            message = f"{windows:,} windows of every key would be filled, and {MAX_WINDOWS:,} are the most"
            yield Fault((*path, "fill_to"), f"{message}; make it earlier", (*spacing, (*path, "fill_from")))


def _ascending(path: Path, low: tuple[str, Moment | None], high: tuple[str, Moment | None]) -> Iterator[Fault]:
    if low[1] and high[1] and low[1] >= high[1]:
        message = f"{written(high[1])} is not after {low[0]} ({written(low[1])}); make it later"
        yield Fault((*path, high[0]), message, ((*path, low[0]),))


def _within_a_century(
    path: Path, setting: str, count: int | None, each_us: int, between: tuple[Path, ...]
) -> Iterator[Fault]:
    if count is not None and count * each_us > MAX_DURATION_US:
        message = f"{count:,} times {format_duration(each_us)} is more than a century; use a smaller number"
        yield Fault((*path, setting), message, between)


def _rounded_up(whole: int, part: int) -> int:
    return -(-whole // part) if part > 0 else 0
