"""Records to the rows of a window definition: the one door to the window arithmetic."""

from collections.abc import Sequence

import polars as pl

from windrow.lake.schema import TIMESTAMP, result_schema
from windrow.spec import StreamSpec, WindowSpec
from windrow.spec.windows import AlignedWindow, CountWindow, PairwiseWindow, SequenceWindow, SessionWindow
from windrow.windows import aggregates, counting, grid, pairwise, sequences, sessions
from windrow.windows.filling import fill
from windrow.windows.series import Owned


def compute(
    rows: pl.DataFrame | pl.LazyFrame, spec: StreamSpec, window: WindowSpec, owned: Owned = None
) -> pl.DataFrame:
    """The rows of a definition, in order of key and time, as `result_schema` says.

    `rows` hold each record once, with the spec's stored columns and its identity; their order does not matter. Raises
    TooLarge when numbers add up to more than their type holds.
    """
    lazy = rows.lazy()
    if has_panes(window):
        return from_panes(panes(lazy, spec, window), spec, window, owned)
    match window:
        case AlignedWindow():
            return _aligned(lazy, spec, window, owned)
        case SessionWindow():
            return sessions.whole(lazy, spec, window, owned)
        case SequenceWindow():
            return sequences.whole(lazy, spec, window, owned)
        case CountWindow():
            return counting.whole(lazy, spec, window)
        case PairwiseWindow():
            return pairwise.whole(lazy, spec, window)
        case _:
            raise TypeError(type(window))


# ------------------------------------------------------------------------------------------------ in two steps


def has_panes(window: WindowSpec) -> bool:
    """Whether the definition can be computed from panes: parts of rows that merge exactly, in any order."""
    if not aggregates.decomposable(window):
        return False
    if isinstance(window, SessionWindow):
        return window.max_duration is None  # where an endless session is cut depends on every row of it
    return isinstance(window, AlignedWindow | SequenceWindow)


def panes(rows: pl.DataFrame | pl.LazyFrame, spec: StreamSpec, window: WindowSpec) -> pl.DataFrame:
    """What is kept of some records: one row per key and pane, the smallest piece of time that windows are made of."""
    lazy = rows.lazy()
    match window:
        case AlignedWindow():
            by = [*spec.keys, "__pane"]
            return aggregates.parts(grid.with_pane(lazy, spec.time.column, window), by, spec, window)
        case SessionWindow():
            return sessions.panes(lazy, spec, window)
        case SequenceWindow():
            return sequences.panes(lazy, spec, window)
        case _:
            raise TypeError(type(window))


def merge_panes(some: Sequence[pl.DataFrame], spec: StreamSpec, window: WindowSpec) -> pl.DataFrame:
    """Panes of several groups of records as those of all. No record may be in two of the groups."""
    together = some[0] if len(some) == 1 else pl.concat(some)
    if isinstance(window, SessionWindow):
        return sessions.merge_panes(together, spec, window)
    return together if len(some) == 1 else aggregates.merge(together, [*spec.keys, "__pane"], spec, window)


def from_panes(merged: pl.DataFrame, spec: StreamSpec, window: WindowSpec, owned: Owned = None) -> pl.DataFrame:
    """The rows of a definition from the merged panes of all its records."""
    match window:
        case AlignedWindow():
            return _aligned_from_panes(merged, spec, window, owned)
        case SessionWindow():
            return sessions.from_panes(merged, spec, window, owned)
        case SequenceWindow():
            return sequences.from_panes(merged, spec, window, owned)
        case _:
            raise TypeError(type(window))


# ------------------------------------------------------------------------------------------------ aligned windows


def _aligned_from_panes(merged: pl.DataFrame, spec: StreamSpec, window: AlignedWindow, owned: Owned) -> pl.DataFrame:
    by = [*spec.keys, "__start", "__end"]
    members = grid.memberships(merged["__pane"].unique(), window)
    if owned is not None and window.fill is None:
        members = members.filter(pl.col("__start").is_between(*owned, closed="left"))
    if _is_side_by_side(members):
        rows = aggregates.finish(merged.join(members, on="__pane").drop("__pane"), by, spec, window)
    else:
        rows = aggregates.merge_into(merged, members, by, spec, window)
    return _finished(rows, spec, window, owned)


def _is_side_by_side(members: pl.DataFrame) -> bool:
    """Whether each pane is a window of its own, so that there is nothing to merge."""
    return members["__pane"].is_unique().all() and members.select("__start", "__end").is_unique().all()


def _aligned(rows: pl.LazyFrame, spec: StreamSpec, window: AlignedWindow, owned: Owned) -> pl.DataFrame:
    """Straight from the rows: each is laid into every window that holds it."""
    by = [*spec.keys, "__start", "__end"]
    prepared = grid.with_pane(aggregates.prepared(rows, spec, window), spec.time.column, window).collect()
    members = grid.memberships(prepared["__pane"].unique(), window)
    if owned is not None and window.fill is None:
        members = members.filter(pl.col("__start").is_between(*owned, closed="left"))
    laid = prepared.lazy().join(members.lazy(), on="__pane").drop("__pane")
    return _finished(aggregates.whole(laid, by, spec, window), spec, window, owned)


def _finished(rows: pl.DataFrame, spec: StreamSpec, window: AlignedWindow, owned: Owned) -> pl.DataFrame:
    filled = fill(rows, spec, window)
    if owned is not None:
        filled = filled.filter(pl.col("__start").is_between(*owned, closed="left"))
    schema = result_schema(spec, window)
    return (
        filled.with_columns(
            pl.col("__start").cast(TIMESTAMP).alias("window_start"), pl.col("__end").cast(TIMESTAMP).alias("window_end")
        )
        .select(pl.col(name).cast(kind) for name, kind in schema.items())
        .sort(*spec.keys, "window_start", "window_end")
    )
