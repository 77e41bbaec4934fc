"""Tumbling, sliding and cumulative windows."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from windrow.spark import aggregates, filling
from windrow.spark.grid import Grid, grid_of
from windrow.spark.series import looks_around, with_neighbours
from windrow.spec import StreamSpec
from windrow.spec.windows import AlignedWindow, TumblingWindow


def compute(rows: DataFrame, spec: StreamSpec, window: AlignedWindow) -> DataFrame:
    """The rows of the definition: keys, `__start`, `__end`, outputs, `row_count`."""
    grid = grid_of(window)
    # With `closed: right` a row at a window's end is in it: then time goes by a microsecond late.
    time = F.col("__time") - 1 if window.closed == "right" else F.col("__time")
    placed, panes = _placed(with_neighbours(rows, spec, window).withColumn("__at", time), grid)
    by = [*spec.keys, "__k", "__m"]
    if not isinstance(window, TumblingWindow) and aggregates.decomposable(spec, window):
        # Rows of one pane are in the same windows, so only one row of each pane goes into every one of them.
        pieces = aggregates.parts(placed, [*spec.keys, *panes], spec, window)
        found = aggregates.finish(aggregates.merge(_laid(pieces, grid), by, spec, window), by, spec, window)
    else:
        laid = _laid(placed, grid)
        if looks_around(window):
            laid = laid.withColumns(_bounds(grid))
        found = aggregates.whole(laid, by, spec, window)
    return filling.fill(found.withColumns(_bounds(grid)), grid, spec, window)


def _placed(rows: DataFrame, grid: Grid) -> tuple[DataFrame, list[str]]:
    """Rows with the windows that hold them, and the columns that say so; rows of the same windows share them."""
    time = F.col("__at")
    if grid.is_contiguous and grid.step is None and not isinstance(grid.window, TumblingWindow):
        held = rows.withColumns({"__first_k": grid.first_after(time), "__last_k": grid.last_before(time)})
        return held, ["__first_k", "__last_k"]
    if not grid.is_contiguous:
        return _held(rows, grid), ["__held"]
    one = rows.withColumn("__k", grid.last_before(time))
    if grid.step is None:
        return one, ["__k"]
    return one.withColumn("__first_m", grid.first_step_after(F.col("__k"), time)), ["__k", "__first_m"]


def _held(rows: DataFrame, grid: Grid) -> DataFrame:
    """Rows with `__held`, the numbers of all windows that hold them."""
    # To turn wall-clock times to instants is slow, so it is done once for all rows between two starts of windows.
    timed = rows.withColumn("__last_k", grid.last_before(F.col("__at")))
    possible = timed.select("__last_k").distinct().withColumn("__possible", grid.possible(F.col("__last_k")))
    held = F.filter("__possible", lambda each: each["__end"] > F.col("__at"))
    return timed.join(possible, "__last_k").withColumn("__held", F.transform(held, lambda each: each["__k"]))


def _laid(placed: DataFrame, grid: Grid) -> DataFrame:
    """Rows once for every window that holds them: `__k` and `__m` say which."""
    k = F.col("__k")
    if grid.step is not None:
        return placed.withColumn("__m", F.explode(grid.steps_of(k, F.col("__first_m"))))
    one = placed.withColumn("__m", F.lit(1).cast("long"))
    if isinstance(grid.window, TumblingWindow):
        return one
    if not grid.is_contiguous:
        return one.withColumn("__k", F.explode("__held"))
    held = F.col("__first_k") <= F.col("__last_k")  # where windows are shorter than their slide there are holes
    return one.filter(held).withColumn("__k", F.explode(F.sequence("__first_k", "__last_k")))


def _bounds(grid: Grid) -> dict[str, Column]:
    k, m = F.col("__k"), F.col("__m")
    return {"__start": grid.start(k), "__end": grid.end(k, m)}
