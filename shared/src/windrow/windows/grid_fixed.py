"""Windows of fixed length. Pure arithmetic, which streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from windrow.spec.windows import CumulativeWindow, SlidingWindow, TumblingWindow
from windrow.units import DAY_US
from windrow.windows.runs import checked, within

if TYPE_CHECKING:
    from windrow.spec.spans import Span
    from windrow.spec.windows import AlignedWindow

_MONDAY_US = -3 * DAY_US
"""The last Monday before 1970, which weeks are counted from."""


@dataclass(frozen=True, slots=True)
class FixedGrid:
    """Starts at `origin` + k·`slide` for every whole k; at each, windows of 1, 2, … `count` times `step`. All in µs.

    A tumbling or sliding window has one length (count 1). Of several, the longest is as long as the slide.
    """

    origin: int
    slide: int
    step: int
    count: int

    @property
    def longest(self) -> int:
        """Length of the longest window."""
        return self.step * self.count

    def pane(self, time: pl.Expr) -> pl.Expr:
        """The window bound at or before a time (Int64 µs)."""
        pitch = self.step if self.count > 1 else self.slide
        since = time - self.origin
        rest = since.mod(pitch)
        # Where windows end between two starts, that is a bound as well; where the slide is longer, a hole begins there.
        between = self.step % self.slide if self.count == 1 else 0
        if between:
            rest = pl.when(rest >= between).then(rest - between).otherwise(rest)
        return time - rest

    def windows(self, low: pl.Series, high: pl.Series) -> pl.DataFrame:
        """Every window that overlaps one of the ranges [low, high): `__start`, `__end`, in order."""
        first = (low - self.longest - self.origin) // self.slide + 1
        starts = within(first, (high - 1 - self.origin) // self.slide).numbers
        if self.count == 1:
            return self.at(starts)
        checked(starts.len() * self.count)
        steps = pl.int_ranges(0, self.count)
        return self.at(starts.to_frame("k").select((pl.col("k") * self.count + steps).explode()).to_series())

    def positions(self, windows: pl.DataFrame) -> pl.Series:
        """Places of windows (`__start`, `__end`) in the row of all."""
        number = (pl.col("__start") - self.origin) // self.slide
        inner = (pl.col("__end") - pl.col("__start")) // self.step - 1
        return windows.select((number * self.count + inner).alias("__position")).to_series()

    def first_from(self, time: int) -> int:
        """The place of the first window that begins at or after a time."""
        return -((self.origin - time) // self.slide) * self.count

    def at(self, positions: pl.Series) -> pl.DataFrame:
        """The windows at these places: `__start`, `__end`."""
        start = positions // self.count * self.slide + self.origin
        length = (positions % self.count + 1) * self.step
        return pl.DataFrame({"__start": start, "__end": start + length})


def fixed_grid(window: AlignedWindow) -> FixedGrid | None:
    """The grid of a definition, if all its lengths are fixed."""
    match window:
        case TumblingWindow():
            slide, step = window.span, window.span
        case SlidingWindow():
            slide, step = window.slide, window.span
        case CumulativeWindow():
            slide, step = window.span, window.step
        case _:
            raise TypeError(type(window))
    slide_us, step_us = _length(slide, window.timezone), _length(step, window.timezone)
    if slide_us is None or step_us is None:
        return None
    origin = window.offset + (_MONDAY_US if slide.unit == "w" else 0)
    count = slide_us // step_us if isinstance(window, CumulativeWindow) else 1
    return FixedGrid(origin % slide_us, slide_us, step_us, count)


def _length(span: Span, timezone: str) -> int | None:
    """Its length in µs, if it always has the same: as a span knows, and of weeks in UTC."""
    if span.unit == "w" and timezone == "UTC":
        return span.count * 7 * DAY_US
    return span.fixed_us(timezone)
