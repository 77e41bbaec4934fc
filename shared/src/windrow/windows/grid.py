"""Windows that begin at round times: which there are, and which a time falls in. Pure.

A `__pane` is the piece of time between neighbouring bounds of a definition's windows, named by its first bound. Rows
of a pane are in the same windows. The same time is in the same pane whatever other rows there are.
"""

import polars as pl

from windrow.spec.windows import AlignedWindow
from windrow.windows.grid_calendar import CalendarGrid, calendar_grid
from windrow.windows.grid_fixed import FixedGrid, fixed_grid
from windrow.windows.runs import checked


def grid_of(window: AlignedWindow) -> FixedGrid | CalendarGrid:
    """What the bounds of a definition's windows are."""
    return fixed_grid(window) or calendar_grid(window)


def with_pane(rows: pl.LazyFrame, time: str, window: AlignedWindow) -> pl.LazyFrame:
    """Rows with the `__pane` that their time is in (Int64, µs since 1970). Streams, whatever the definition."""
    # With `closed: right` a row at a window's end is in it: then time goes by a microsecond late.
    in_us = pl.col(time).dt.timestamp("us") - _shift(window)
    return rows.with_columns(grid_of(window).pane(in_us).alias("__pane"))


def memberships(panes: pl.Series, window: AlignedWindow) -> pl.DataFrame:
    """Every window that holds each of these panes, in order: `__pane`, `__start`, `__end` (Int64, µs since 1970).

    Panes are distinct. One that no window holds is absent. Raises TooLarge where memory would not hold so many.
    """
    grid = grid_of(window)
    panes = panes.sort()
    windows = grid.windows(panes, panes + 1)
    starts = windows["__start"]
    first = starts.search_sorted(panes - grid.longest, side="right")
    behind = starts.search_sorted(panes, side="right")
    near = pl.DataFrame({"__pane": panes, "first": first, "behind": behind}).filter(pl.col("first") < pl.col("behind"))
    checked(near.select((pl.col("behind") - pl.col("first")).cast(pl.Int64).sum()).item())
    each = near.select("__pane", pl.int_ranges("first", "behind").alias("place")).explode("place")
    held = pl.concat([each.select("__pane"), windows[each["place"]]], how="horizontal")
    return held.filter(pl.col("__end") > pl.col("__pane"))


def bounds_around(window: AlignedWindow, low_us: int, high_us: int) -> pl.DataFrame:
    """Every window that can hold a row of the times [low_us, high_us), in order: `__start`, `__end` (Int64 µs)."""
    low, high = low_us - _shift(window), high_us - _shift(window)
    windows = grid_of(window).windows(pl.Series([low], dtype=pl.Int64), pl.Series([high], dtype=pl.Int64))
    return windows.filter((pl.col("__start") < high) & (pl.col("__end") > low) & (low < high))


def _shift(window: AlignedWindow) -> int:
    return 1 if window.closed == "right" else 0
