"""Windows that follow the clocks of a zone. Bounds are found around the days with rows, and rows laid between them.

Local times are never rounded: bounds are turned to UTC, and rows assigned there, so that windows side by side hold
every instant once, whatever the clocks do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from windrow.spec.spans import Span
from windrow.spec.windows import CumulativeWindow, SlidingWindow, TumblingWindow
from windrow.units import DAY_US
from windrow.windows.calendar import WALL, instants, later, month_start, unit_of, unit_start, walls
from windrow.windows.runs import checked, within

if TYPE_CHECKING:
    from windrow.spec.windows import AlignedWindow

_SLACK_US = 2 * DAY_US
"""More than clocks are ever off UTC, and than a change of clocks makes a span longer or shorter."""
_RUN = 1 << 40
"""Distance of the positions of runs of windows: more than there are windows in any."""
_SCHEMA = {"__start": pl.Int64, "__end": pl.Int64}


@dataclass(frozen=True, slots=True)
class CalendarGrid:
    """Starts every `slide`, and at each a window of `size`; or, with `step`, windows that grow by it up to `size`.

    Where the slide follows the calendar, starts are the begins of its units plus `offset` on the wall; where it is
    fixed, they are fixed. Windows of no length, such as days that a country skips, are left out.
    """

    timezone: str
    offset: int
    slide: Span
    size: Span
    step: Span | None

    @property
    def longest(self) -> int:
        """No window is longer (µs)."""
        return self.size.longest_us + _SLACK_US

    def pane(self, time: pl.Expr) -> pl.Expr:
        """The window bound at or before a time (Int64 µs)."""
        return time.map_batches(self._pane, return_dtype=pl.Int64, is_elementwise=True)

    def _pane(self, times: pl.Series) -> pl.Series:
        if times.is_empty():
            return times
        days = (times // DAY_US).unique() * DAY_US
        step_us = None if self.step is None else self.step.fixed_us(self.timezone)
        if step_us is None:
            windows = self.windows(days, days + DAY_US)
            bounds = pl.concat([windows["__start"], windows["__end"].rename("__start")]).unique().sort()
        else:
            bounds = self._bases(days, days + DAY_US)["__start"].sort()
        found = bounds.gather(bounds.search_sorted(times, side="right") - 1)
        if step_us is not None:
            found += (times - found) // step_us * step_us
        return found.rename(times.name)

    def windows(self, low: pl.Series, high: pl.Series) -> pl.DataFrame:
        """Every window that overlaps one of the ranges [low, high), and some around: `__start`, `__end`, in order."""
        return self._numbered(low, high).select(_SCHEMA.keys())

    def places(self, low: pl.Series, high: pl.Series) -> Places:
        """`windows` by their places among all; and the first that begins at or after each `high`."""
        return Places(self._numbered(low, high))

    def _numbered(self, low: pl.Series, high: pl.Series) -> pl.DataFrame:
        bases = self._bases(low, high)
        found = bases if self.step is None else self._steps(bases, self.step)
        return (
            found.filter(pl.col("__start") < pl.col("__end"))
            .group_by("__start", "__end")
            .agg(pl.col("__run").min())
            .sort("__start", "__end")
            .select("__start", "__end", (pl.int_range(pl.len()) + pl.col("__run") * _RUN).alias("__position"))
        )

    def _bases(self, low: pl.Series, high: pl.Series) -> pl.DataFrame:
        """A window of the whole size at every start: `__run`, `__number`, `__wall`, `__start`, `__end`, by start."""
        around = self.slide.longest_us + 2 * _SLACK_US
        numbers, run = within(self._number(low - self.size.longest_us - around), self._number(high + around))
        slide_us = self.slide.fixed_us(self.timezone)
        if slide_us is None:
            wall = self._shifted(unit_start(numbers, self.slide))
            start = instants(wall, self.timezone)
        else:
            start = numbers * slide_us + self.offset
            wall = walls(start, self.timezone)
        size_us = self.size.fixed_us(self.timezone)
        if size_us is not None:
            end = start + size_us
        elif self.size.months is not None and self.slide.months is not None:
            # Not from the start, which may be an offset's 31st: windows side by side must meet.
            months = numbers * self.slide.months + self.size.months
            end = instants(self._shifted(month_start(months)), self.timezone)
        else:
            end = instants(later(wall, self.size), self.timezone)
        return pl.DataFrame({"__run": run, "__number": numbers, "__wall": wall, "__start": start, "__end": end})

    def _shifted(self, wall: pl.Series) -> pl.Series:
        return (wall.cast(pl.Int64) + self.offset).cast(WALL)

    def _number(self, time: pl.Series) -> pl.Series:
        slide_us = self.slide.fixed_us(self.timezone)
        since = time - self.offset
        return unit_of(since.cast(WALL), self.slide) if slide_us is None else since // slide_us

    def _steps(self, bases: pl.DataFrame, step: Span) -> pl.DataFrame:
        """The windows that grow by steps up to each base, the last of which ends with it."""
        bases = bases.filter(pl.col("__start") < pl.col("__end"))
        step_us = step.fixed_us(self.timezone)
        if step_us is not None:
            count = (pl.col("__end") - pl.col("__start") + step_us - 1) // step_us
        else:  # the most there can be: what lies beyond the end falls together there
            count = pl.lit((self.size.longest_us + _SLACK_US) // (step.longest_us - DAY_US // 2) + 1, pl.Int64)
        checked(bases.select(count.sum() if step_us is not None else count * pl.len()).item())
        each = bases.with_columns(pl.int_ranges(1, count + 1).alias("__step")).explode("__step")
        if step_us is not None:
            ends = each.select(pl.col("__start") + pl.col("__step") * step_us).to_series()
        elif step.months is not None and self.size.months is not None:
            months = each.select(pl.col("__number") * self.size.months + pl.col("__step") * step.months).to_series()
            ends = instants(self._shifted(month_start(months)), self.timezone)
        else:
            wall = each.select(pl.col("__wall").cast(pl.Int64) + pl.col("__step") * step.longest_us).to_series()
            ends = instants(wall.cast(WALL), self.timezone)
        return each.with_columns(pl.min_horizontal("__end", ends.alias("__grown")).alias("__end"))


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Some windows of a grid in the row of all. Neighbours are 1 apart; where others lie between, much further."""

    table: pl.DataFrame
    """`__start`, `__end`, `__position`, in order."""

    def positions(self, windows: pl.DataFrame) -> pl.Series:
        """Places of windows (`__start`, `__end`)."""
        found = windows.select("__start", "__end").join(
            self.table, on=["__start", "__end"], how="left", maintain_order="left", validate="m:1"
        )
        return found["__position"]

    def first_from(self, time: int) -> int:
        """The place of the first window that begins at or after a time; behind the last, if none does."""
        place = self.table["__start"].search_sorted(time)
        positions = self.table["__position"]
        return int(positions[place] if place < positions.len() else positions[-1] + 1)

    def at(self, positions: pl.Series) -> pl.DataFrame:
        """The windows at these places: `__start`, `__end`."""
        return self.table.select("__start", "__end")[positions % _RUN]


def calendar_grid(window: AlignedWindow) -> CalendarGrid:
    """The grid of any definition of aligned windows."""
    match window:
        case TumblingWindow():
            slide, step = window.span, None
        case SlidingWindow():
            slide, step = window.slide, None
        case CumulativeWindow():
            slide, step = window.span, window.step
        case _:
            raise TypeError(type(window))
    return CalendarGrid(window.timezone, window.offset, slide, window.span, step)
