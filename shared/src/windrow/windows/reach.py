"""Which buckets' records a window depends on, and which windows a record can change. Pure.

A bucket owns the windows of a definition that start in it. What a definition reaches over is arithmetic for windows
that lie on a grid; for sessions it follows from the records, and is found by looking further until nothing changes.
"""

from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from windrow.spec.spans import Span
from windrow.spec.windows import AlignedWindow, CumulativeWindow, SequenceWindow, SlidingWindow, TumblingWindow
from windrow.units import DAY_US
from windrow.windows import grid

_FIRST_US = pl.col("first_time").dt.timestamp("us")
_LAST_US = pl.col("last_time").dt.timestamp("us")


class Stretch(NamedTuple):
    """A stretch of event time, µs since 1970, its end excluded."""

    from_us: int
    to_us: int


def bucket_of(time_us: int, size_us: int) -> int:
    """The start of the bucket that holds a time."""
    return time_us // size_us * size_us


def bucket_at(start_us: int, size_us: int) -> Stretch:
    """A bucket as a stretch."""
    return Stretch(start_us, start_us + size_us)


def buckets_of(stretch: Stretch, size_us: int) -> range:
    """The starts of the buckets that a stretch touches."""
    return range(bucket_of(stretch.from_us, size_us), stretch.to_us, size_us)


# ------------------------------------------------------------------------------------------------ windows on a grid


@dataclass(frozen=True, slots=True)
class _Grid:
    """Windows that start every `slide_us`, as far as what they depend on goes."""

    slide_us: int
    offset_us: int
    size_us: int

    def first_from(self, time_us: int) -> int:
        """The first start at or after a time."""
        return -((self.offset_us - time_us) // self.slide_us) * self.slide_us + self.offset_us

    def last_before(self, time_us: int) -> int:
        """The last start before a time."""
        return (time_us - 1 - self.offset_us) // self.slide_us * self.slide_us + self.offset_us


@dataclass(frozen=True, slots=True)
class _Margins:
    """How much further than its bounds a window looks, µs; back from its start, which may be carried from exactly."""

    back_us: int
    forward_us: int


def owners(window: AlignedWindow | SequenceWindow, bucket_us: int, touched: Stretch) -> list[int]:
    """The buckets (starts, `bucket_us` long) that own a window which a record in `touched` can change."""
    margins, shift_us = _margins(window), _shift(window)
    low, high = touched.from_us - shift_us - margins.forward_us, touched.to_us + margins.back_us
    found = _grid(window)
    if found is None:
        assert isinstance(window, AlignedWindow)
        starts = grid.bounds_around(window, low, high)["__start"]
        return sorted({bucket_of(start, bucket_us) for start in starts})
    first, last = found.first_from(low - found.size_us + 1), found.last_before(high)
    if last < first:
        return []
    if found.slide_us <= bucket_us:
        return list(range(bucket_of(first, bucket_us), last + 1, bucket_us))
    return sorted({bucket_of(start, bucket_us) for start in range(first, last + 1, found.slide_us)})


def reach(window: AlignedWindow | SequenceWindow, bucket_us: int, owner_us: int) -> Stretch | None:
    """Where the records are that the windows of one bucket are made of; None when no window starts there."""
    margins, shift_us = _margins(window), _shift(window)
    found = _grid(window)
    if found is None:
        assert isinstance(window, AlignedWindow)
        around = grid.bounds_around(window, owner_us, owner_us + bucket_us)
        own = around.filter(pl.col("__start").is_between(owner_us, owner_us + bucket_us, closed="left"))
        if own.is_empty():
            return None
        bounds = own.select(pl.col("__start").min().alias("first"), pl.col("__end").max().alias("end")).row(0)
        return Stretch(bounds[0] - (margins.back_us or -shift_us), bounds[1] + margins.forward_us + shift_us)
    first, last = found.first_from(owner_us), found.last_before(owner_us + bucket_us)
    if last < first:
        return None
    return Stretch(first - (margins.back_us or -shift_us), last + found.size_us + margins.forward_us + shift_us)


def _grid(window: AlignedWindow | SequenceWindow) -> _Grid | None:
    """The fixed grid that windows start on; None when the calendar says where they do."""
    match window:
        case SequenceWindow():
            slide_us = (window.stride or window.length) * window.step
            return _Grid(slide_us, window.offset, (window.length + window.horizon) * window.step)
        case TumblingWindow():
            size = window.span.fixed_us(window.timezone)
            return None if size is None else _Grid(size, window.offset, size)
        case SlidingWindow():
            size, slide = window.span.fixed_us(window.timezone), window.slide.fixed_us(window.timezone)
            return None if size is None or slide is None else _Grid(slide, window.offset, size)
        case CumulativeWindow():
            size, step = window.span.fixed_us(window.timezone), window.step.fixed_us(window.timezone)
            return None if size is None or step is None else _Grid(size, window.offset, size)
        case _:
            raise TypeError(type(window))


def _shift(window: AlignedWindow | SequenceWindow) -> int:
    """By how much later the last record of a window may lie: (start, end] instead of [start, end)."""
    return int(isinstance(window, AlignedWindow) and window.closed == "right")


def _margins(window: AlignedWindow | SequenceWindow) -> _Margins:
    carried = [each for each in window.aggregates.values() if each.function in ("time_weighted_mean", "integral")]
    back_us = max((each.max_carry or 0 for each in carried if each.carry != "none"), default=0)
    forward_us = max((each.max_carry or 0 for each in carried if each.carry == "linear"), default=0)
    gap_us = _gap(window)
    return _Margins(back_us + gap_us, forward_us + gap_us)


def _gap(window: AlignedWindow | SequenceWindow) -> int:
    """How far the windows or steps may be that a gap is filled from."""
    if window.fill is None or window.max_gap is None:
        return 0
    match window:
        case SequenceWindow():
            return window.max_gap * window.step
        case TumblingWindow():
            return window.max_gap * _longest(window.span)
        case SlidingWindow():
            return window.max_gap * _longest(window.slide)
        case CumulativeWindow():
            # The windows of one start are neighbours, and so are the last of one and the first of the next.
            return (window.max_gap + 1) * _longest(window.step) + _longest(window.span)
        case _:
            raise TypeError(type(window))


def _longest(span: Span) -> int:
    return span.count if span.unit == "us" else span.longest_us + DAY_US


# ------------------------------------------------------------------------------------------------ sessions


def touching(runs: pl.DataFrame, gap_us: int, touched: Stretch) -> pl.DataFrame:
    """The runs that hold a record of a stretch, or come within the gap of it."""
    return runs.filter((_LAST_US + gap_us >= touched.from_us) & (_FIRST_US - gap_us < touched.to_us))


def beginning(runs: pl.DataFrame, within: Stretch) -> pl.DataFrame:
    """The runs that begin in a stretch."""
    return runs.filter(_FIRST_US.is_between(*within, closed="left"))


def covering(runs: pl.DataFrame, gap_us: int, least: Stretch) -> Stretch:
    """What has to be known of to know these runs whole: from a gap before the first to a gap after the last record.

    `runs` have `first_time` and `last_time`. When this lies within what was looked at, nothing outside can change them;
    otherwise, look there too and ask again.
    """
    bounds = runs.select(_FIRST_US.min().alias("first"), _LAST_US.max().alias("last")).row(0)
    low = least.from_us if bounds[0] is None else min(bounds[0], least.from_us)
    high = least.to_us if bounds[1] is None else max(bounds[1] + 1, least.to_us)
    return Stretch(low - gap_us, high + gap_us)


def starts_of(runs: pl.DataFrame) -> list[int]:
    """When runs begin, µs."""
    return runs.select(_FIRST_US.alias("start"))["start"].to_list()
