"""Aligned windows by number: where each begins and ends, and which of them hold a time. Spark expressions.

Windows are numbered by their start: window k = 0 is the one that begins at 1970 (plus offset), or is of the day, week
or month of 1970-01-01. Of the cumulative windows that share a start, m = 1 is the shortest. All times are µs.
"""

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812

from windrow.spark import clock
from windrow.spark.whole import floor_div, numbers
from windrow.spec.spans import Span
from windrow.spec.windows import AlignedWindow, CumulativeWindow, SlidingWindow, TumblingWindow
from windrow.units import DAY_US

_DAYS_A_MONTH_IS_SHORT = 3
_DAY_SIZES = {"d": 1, "w": 7}


@dataclass(frozen=True, slots=True)
class Grid:
    """The windows of one definition."""

    window: AlignedWindow
    slide: Span
    """From one start to the next."""
    size: Span
    step: Span | None
    """By how much the windows of one start grow; None where there is one."""

    # -------------------------------------------------------------------------------------------- bounds

    def start(self, k: Column) -> Column:
        """Where window k begins."""
        slide = self._fixed(self.slide)
        return k * slide + self._origin(slide) if slide is not None else self._instant(self._start_on_wall(k))

    def end(self, k: Column, m: Column | None = None) -> Column:
        """Where window k ends; of cumulative ones the m-th, or without m the longest."""
        if m is None or self.step is None:
            return self._longest_end(k)
        return F.least(self._end_of_step(k, m), self._longest_end(k))

    def steps(self, k: Column) -> Column:
        """How many windows begin where k does."""
        if self.step is None:
            return F.lit(1).cast("long")
        end, fixed = self._longest_end(k), self._fixed(self.step)
        if fixed is not None:
            return floor_div(end - self.start(k) + (fixed - 1), fixed)
        near = self._step_near(k, end)
        return F.coalesce(
            *(F.when(self._end_of_step(k, near + by) >= end, near + by) for by in (-2, -1, 0, 1)), near + 2
        )

    def _longest_end(self, k: Column) -> Column:
        size = self._fixed(self.size)
        if size is not None:
            return self.start(k) + size
        if self.size.months is not None and self.slide.months is not None and self._fixed(self.slide) is None:
            # Not from the start, which may be an offset's 31st: windows side by side must meet.
            month = clock.later(F.lit(0).cast("long"), Span(1, "mo"), k * self.slide.months + self.size.months)
            return self._instant(month + self.window.offset)
        return self._instant(clock.later(self._start_on_wall(k), self.size))

    def _end_of_step(self, k: Column, m: Column) -> Column:
        step = self.step
        assert step is not None
        fixed = self._fixed(step)
        if fixed is not None:
            return self.start(k) + m * fixed
        if step.months is not None:
            begin = clock.unit_start(k, self.slide)
            return self._instant(clock.later(begin, step, m) + self.window.offset)
        return self._instant(clock.later(self._start_on_wall(k), step, m))

    # -------------------------------------------------------------------------------------------- what holds a time

    def last_before(self, time: Column) -> Column:
        """The last window that begins at a time or before."""
        slide = self._fixed(self.slide)
        if slide is not None:
            return floor_div(time - self._origin(slide), slide)
        near = clock.unit_of(clock.wall(time, self.window.timezone) - self.window.offset, self.slide)
        # Where clocks go back over a bound it has passed while they show less; where they skip it, the other way round.
        return F.coalesce(*(F.when(self.start(near + by) <= time, near + by) for by in (1, 0)), near - 1)

    @property
    def is_contiguous(self) -> bool:
        """Whether the windows that hold a time are all from `first_after` to `last_before`.

        Not of calendar lengths from fixed starts: two that begin on the 30th and the 31st may end on the same 28th, the
        later one by its time of day before the earlier one.
        """
        return self._fixed(self.slide) is None or self._fixed(self.size) is not None

    def first_after(self, time: Column) -> Column:
        """The first window that ends after a time. Needs `is_contiguous`."""
        slide, size = self._fixed(self.slide), self._fixed(self.size)
        if slide is not None and size is not None:
            return floor_div(time - (self._origin(slide) + size), slide) + 1
        shown = clock.wall(time, self.window.timezone) - self.window.offset
        near = clock.unit_of(clock.later(shown, self.size, -1), self.slide)
        # A month before the 28th may be up to three days too early.
        around = range(-2, _DAYS_A_MONTH_IS_SHORT + 3)
        return F.coalesce(*(F.when(self.end(near + by) > time, near + by) for by in around), near + around.stop)

    def possible(self, last: Column) -> Column:
        """The windows that can hold a time of which this one is `last_before`: an array of `__k` and `__end`."""
        slide = self._fixed(self.slide)
        assert slide is not None
        most = (self.size.longest_us + DAY_US) // slide + 1
        return F.transform(
            F.sequence(last - most, last), lambda k: F.struct(k.alias("__k"), self.end(k).alias("__end"))
        )

    def first_step_after(self, k: Column, time: Column) -> Column:
        """The shortest of the windows that begin where k does which holds a time of k."""
        assert self.step is not None
        fixed = self._fixed(self.step)
        if fixed is not None:
            return floor_div(time - self.start(k), fixed) + 1
        near = self._step_near(k, time)
        candidates = (F.greatest(near + by, F.lit(1)) for by in (-2, -1, 0, 1))
        return F.coalesce(*(F.when(self._end_of_step(k, m) > time, m) for m in candidates), near + 2)

    def steps_of(self, k: Column, first: Column) -> Column:
        """The m of the windows that begin where k does, from the first; without those that end where another does."""
        every = numbers(first, self.steps(k))
        if self.step is None or self._fixed(self.step) is not None:
            return every
        return F.filter(every, lambda m: (m == 1) | (self.end(k, m) > self.end(k, m - 1)))

    def _step_near(self, k: Column, time: Column) -> Column:
        """About how many steps of the calendar go from the start of k to a time."""
        assert self.step is not None
        start, there = self._start_on_wall(k), clock.wall(time, self.window.timezone)
        if self.step.months is None:
            return floor_div(there - start, self.step.count * _DAY_SIZES[self.step.unit] * DAY_US) + 1
        month = Span(1, "mo")
        offset = self.window.offset
        return floor_div(
            clock.unit_of(there - offset, month) - clock.unit_of(start - offset, month), self.step.months
        ) + F.lit(1)

    # -------------------------------------------------------------------------------------------- lengths

    def _fixed(self, span: Span) -> int | None:
        """The length of a span in µs, if it has always the same."""
        if span.unit == "w" and self.window.timezone == "UTC":
            return span.count * 7 * DAY_US
        return span.fixed_us(self.window.timezone)

    def _origin(self, slide: int) -> int:
        monday = clock.MONDAY * DAY_US if self.slide.unit == "w" else 0
        return (self.window.offset + monday) % slide

    def _start_on_wall(self, k: Column) -> Column:
        if self._fixed(self.slide) is not None:
            return clock.wall(self.start(k), self.window.timezone)
        return clock.unit_start(k, self.slide) + self.window.offset

    def _instant(self, wall_time: Column) -> Column:
        return clock.instant(wall_time, self.window.timezone)


def grid_of(window: AlignedWindow) -> Grid:
    """The grid of a definition."""
    match window:
        case TumblingWindow():
            return Grid(window, window.span, window.span, None)
        case SlidingWindow():
            return Grid(window, window.slide, window.span, None)
        case CumulativeWindow():
            return Grid(window, window.span, window.span, window.step)
        case _:
            raise TypeError(type(window))
