"""What a spec says, and what is seldom meant or costs much: nothing that would keep it from being published."""

from collections.abc import Iterator

from windrow.spec.faults import Fault, Path
from windrow.spec.stream import StreamSpec
from windrow.spec.windows import (
    FROM_PARTS,
    WITH_CARRY,
    AggregateFunction,
    AnyWindow,
    CumulativeWindow,
    SequenceWindow,
    SessionWindow,
    SlidingWindow,
    TumblingWindow,
)
from windrow.units import DAY_US, format_duration

_Aligned = TumblingWindow | SlidingWindow | CumulativeWindow
_MANY_BUCKETS = 100
_MINUTE_US = 60_000_000
_MINUTES = (1, 5, 15, 30, 60, 120, 180, 240, 360, 480, 720)
_INSTEAD: dict[AggregateFunction, AggregateFunction] = {
    "median": "approx_quantile",
    "quantile": "approx_quantile",
    "n_unique": "approx_n_unique",
}


def advice(spec: StreamSpec) -> list[Fault]:
    """Every setting that is better known about, and what to do for something else."""
    return [fault for name, window in spec.windows.items() for fault in _window(spec, ("windows", name), window)]


def _window(spec: StreamSpec, path: Path, window: AnyWindow) -> Iterator[Fault]:
    match window:
        case TumblingWindow() | SlidingWindow() | CumulativeWindow():
            yield from _zone(path, window)
            if isinstance(window, SlidingWindow) and window.slide.longest_us > window.span.longest_us:
                yield _holes(path, "slide", str(window.slide), f"size ({window.span})")
        case SequenceWindow():
            if window.stride is not None and window.stride > window.length:
                yield _holes(path, "stride", f"{window.stride:,}", f"length ({window.length:,})")
        case SessionWindow():
            if window.max_duration is not None:
                message = "where a session is cut depends on all rows since activity began, so they are read again"
                yield Fault((*path, "max_duration"), f"{message} for every record; leave it out if sessions pause")
        case _:
            return  # files are read once
    yield from _far(spec, path, window)
    yield from _whole(spec, path, window)


def _zone(path: Path, window: _Aligned) -> Iterator[Fault]:
    if window.timezone == "UTC" or {window.span.unit, window.every.unit} != {"us"}:
        return
    days, rest_us = divmod(window.span.count, DAY_US)
    message = f"has no effect, as {window.span} begin at the same times in every zone"
    remedy = "leave it out" if rest_us else f"set size to {days}d for days as they are in {window.timezone}"
    yield Fault((*path, "timezone"), f"{message}; {remedy}")


def _holes(path: Path, setting: str, every: str, size: str) -> Fault:
    message = f"{every} is more than {size}, so rows between two windows are in none"
    return Fault((*path, setting), f"{message}; use at most that for all rows")


def _far(spec: StreamSpec, path: Path, window: AnyWindow) -> Iterator[Fault]:
    """Warn of the setting that reaches furthest, if it reaches over many buckets."""
    reach_us, setting = max(_reaches(window))
    if reach_us <= _MANY_BUCKETS * spec.bucket:
        return
    buckets = -(-reach_us // spec.bucket)
    message = f"reaches over {buckets:,} buckets of {format_duration(spec.bucket)}, which are read again for a record"
    remedy = f"set bucket to {format_duration(_ample(-(-reach_us // _MANY_BUCKETS)))} or more"
    yield Fault((*path, *setting), f"{message}; {remedy}")


def _reaches(window: AnyWindow) -> Iterator[tuple[int, Path]]:
    """How far (µs) rows are apart that change each other's windows, by each setting."""
    match window:
        case TumblingWindow() | SlidingWindow() | CumulativeWindow():
            yield window.span.longest_us, ("size",)
            yield (window.max_gap or 0) * window.every.longest_us, ("max_gap",)
        case SequenceWindow():
            yield (window.length + window.horizon) * window.step, ("length",)
            yield (window.max_gap or 0) * window.step, ("max_gap",)
        case SessionWindow():
            yield window.gap, ("gap",)
    for output, aggregate in window.aggregates.items():
        if aggregate.function in WITH_CARRY:
            yield aggregate.max_carry or 0, ("aggregates", output)


def _ample(least_us: int) -> int:
    """The shortest bucket of a usual length that is at least so long."""
    usual = (minutes * _MINUTE_US for minutes in _MINUTES)
    return next((each for each in usual if each >= least_us), -(-least_us // DAY_US) * DAY_US)


def _whole(spec: StreamSpec, path: Path, window: AnyWindow) -> Iterator[Fault]:
    """Warn of functions that need all rows of a window, where windows cross buckets and something can be done."""
    functions = {each.function for each in window.aggregates.values()} - FROM_PARTS
    is_cut = isinstance(window, SessionWindow) and window.max_duration is not None  # read whole for that already
    if not functions or is_cut or not _crosses_buckets(spec, window):
        return
    remedies: list[str] = []
    if functions <= set(_INSTEAD):
        remedies.append("use " + " and ".join(f"{_INSTEAD[each]} for {each}" for each in sorted(functions)))
    size_us = window.span.fixed_us(window.timezone) if isinstance(window, TumblingWindow | CumulativeWindow) else None
    if size_us and spec.bucket % size_us:
        remedies.append("set bucket to a multiple of size")
    if remedies:
        message = f"{', '.join(sorted(functions))}: where a window crosses buckets, all its rows are read again"
        yield Fault((*path, "aggregates"), f"{message} for a record; {', or '.join(remedies)}")


def _crosses_buckets(spec: StreamSpec, window: AnyWindow) -> bool:
    size_us: int | None
    every_us: int | None
    match window:
        case SequenceWindow():
            size_us, offset_us = (window.length + window.horizon) * window.step, window.offset
            every_us = (window.stride or window.length) * window.step
        case TumblingWindow() | SlidingWindow() | CumulativeWindow():
            size_us, offset_us = window.span.fixed_us(window.timezone), window.offset + (window.closed == "right")
            every_us = window.slide.fixed_us(window.timezone) if isinstance(window, SlidingWindow) else size_us
        case _:
            return True
    if size_us is None or every_us is None:
        return True
    return bool(spec.bucket % every_us or offset_us % every_us + size_us > every_us)
