"""Windows without rows: which are there all the same, and what stands in them."""

from decimal import Decimal

import polars as pl
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from windrow.errors import BadInput
from windrow.lake.schema import output_type
from windrow.spark.grid import Grid
from windrow.spark.types import spark_type
from windrow.spark.whole import numbers
from windrow.spec import StreamSpec
from windrow.spec.windows import AlignedWindow, SequenceWindow
from windrow.units import to_us

_INT64_MIN = -(1 << 63)
_BOUNDS = "array<struct<__start:bigint,__end:bigint>>"


def fill(rows: DataFrame, grid: Grid, spec: StreamSpec, window: AlignedWindow) -> DataFrame:
    """Rows with those of the windows that `fill` adds, which have a `row_count` of 0.

    `rows` have keys, `__k`, `__m`, `__start`, `__end`, outputs and `row_count`.
    """
    outputs = [F.col(name).cast(spark_type(output_type(spec, window, name))).alias(name) for name in window.aggregates]
    places = ("__k", "__m", "__start", "__end")
    typed = rows.select(*spec.keys, *places, *outputs, "row_count")
    if window.fill is None:
        return typed
    by_time = Window.partitionBy(*spec.keys).orderBy("__start", "__end")
    last = to_us(window.fill_to) if window.fill_to is not None else None
    first = to_us(window.fill_from) if window.fill_from is not None else None
    here = F.struct("__k", "__m", "__start", *window.aggregates)
    known = typed.withColumns({"__before": F.lag(here).over(by_time), "__after": F.lead(here).over(by_time)})
    # Each row brings itself and the missing windows after it; the first of its key also those before it.
    runs = [_run(F.col("__k"), _next_place(grid, last), grid, window)]
    if first is not None:
        from_k = grid.last_before(F.lit(first - 1).cast("long"))
        leading = _run(from_k, F.struct(F.col("__k"), F.col("__m")), grid, window)
        runs.insert(0, F.when(F.col("__before").isNull(), leading).otherwise(F.array().cast(_BOUNDS)))
    own = F.array(F.struct("__start", "__end"))
    labels = ("before", "after") if first is not None else ("after",)
    each = [_marked(own, "own"), *(_marked(run, label) for run, label in zip(runs, labels, strict=True))]
    laid = known.withColumn("__window", F.explode(F.concat(*each)))
    found = F.col("__window")
    is_own, is_after = found["label"] == "own", found["label"] == "after"
    values = {
        name: F.when(is_own, F.col(name)).otherwise(
            _filled(name, is_after, spec, window).cast(spark_type(output_type(spec, window, name)))
        )
        for name in window.aggregates
    }
    return laid.select(
        *spec.keys,
        found["__start"].alias("__start"),
        found["__end"].alias("__end"),
        *(value.alias(name) for name, value in values.items()),
        F.when(is_own, F.col("row_count")).otherwise(0).alias("row_count"),
    )


def constant(value: float | str | None, name: str, spec: StreamSpec, window: AlignedWindow | SequenceWindow) -> Column:
    """What stands in an output where `fill` or `padding` is zero or a number; null in what is no number.

    Raises BadInput where the output cannot be that number.
    """
    kind = output_type(spec, window, name)
    number = 0.0 if value == "zero" else value
    if not isinstance(number, float) or not kind.is_numeric():
        return F.lit(None).cast(spark_type(kind))
    if isinstance(kind, pl.Decimal):
        exact = Decimal(repr(number))
        if exact != round(exact, kind.scale) or abs(exact) >= 10 ** (kind.precision - kind.scale):
            raise BadInput(f"{number:g} cannot stand in {name}, which is a {kind}; choose another number, or null")
    elif kind.is_integer() and not _INT64_MIN <= number < -_INT64_MIN:
        raise BadInput(f"{number:g} cannot stand in {name}, which holds 64 bits; choose another number, or null")
    return F.lit(number).cast(spark_type(kind))


def on_line(before: Column, after: Column, share: Column) -> Column:
    """The value so far on the way from one to the other; share goes from 0 to 1."""
    way = after - before
    # Where the way passes what a float holds, its parts do not.
    return F.when(F.abs(way) < F.lit(float("inf")), before + way * share).otherwise(
        before * (1 - share) + after * share
    )


# ------------------------------------------------------------------------------------------------ runs


def _marked(windows: Column, label: str) -> Column:
    return F.transform(
        windows,
        lambda one: F.struct(one["__start"].alias("__start"), one["__end"].alias("__end"), F.lit(label).alias("label")),
    )


def _next_place(grid: Grid, last: int | None) -> Column:
    """The next window of the key with rows; after the last, the first that `fill_to` leaves out."""
    after = F.struct(F.col("__after")["__k"].alias("__k"), F.col("__after")["__m"].alias("__m"))
    if last is None:
        return F.when(F.col("__after").isNotNull(), after)
    behind = grid.last_before(F.lit(last - 1).cast("long")) + 1
    edge = F.struct(behind.alias("__k"), F.lit(1).cast("long").alias("__m"))
    return F.when(F.col("__after").isNotNull(), after).otherwise(edge)


def _run(k: Column, until: Column, grid: Grid, window: AlignedWindow) -> Column:
    """The windows that are filled between those that begin where k does and the place `until`."""
    last_k, last_m = until["__k"], until["__m"]
    if grid.step is None:
        nothing = F.array().cast("array<bigint>")
        ks = F.when(last_k.isNotNull(), numbers(k + 1, last_k - 1)).otherwise(nothing)
        between = F.transform(ks, lambda each: _window(grid, each, F.lit(1).cast("long")))
    else:
        nothing = F.array().cast("array<bigint>")
        ks = F.when(last_k > k, numbers(k + 1, last_k)).otherwise(nothing)
        between = F.flatten(
            F.transform(
                ks,
                lambda each: F.transform(
                    F.filter(
                        grid.steps_of(each, F.lit(1).cast("long")),
                        lambda m: (each < last_k) | (m < last_m),
                    ),
                    lambda m: _window(grid, each, m),
                ),
            )
        )
    missing = F.filter(between, lambda one: _is_wanted(one, window))
    if window.max_gap is not None:
        missing = F.when(F.size(missing) <= window.max_gap, missing).otherwise(F.array().cast(_BOUNDS))
    return missing if window.fill_limit is None else F.slice(missing, 1, window.fill_limit)


def _window(grid: Grid, k: Column, m: Column) -> Column:
    return F.struct(grid.start(k).alias("__start"), grid.end(k, m).alias("__end"))


def _is_wanted(one: Column, window: AlignedWindow) -> Column:
    wanted = one["__start"] < one["__end"]  # a day that a country skips has no length
    if window.fill_from is not None:
        wanted &= one["__start"] >= to_us(window.fill_from)
    if window.fill_to is not None:
        wanted &= one["__start"] < to_us(window.fill_to)
    return wanted


# ------------------------------------------------------------------------------------------------ values


def _filled(name: str, is_after: Column, spec: StreamSpec, window: AlignedWindow) -> Column:
    """The value of a missing window after the row at hand, or before it."""
    match window.fill:
        case "previous":
            return F.when(is_after, F.col(name))
        case "linear" if output_type(spec, window, name).is_numeric():
            after = F.col("__after")
            share = (F.col("__window")["__start"] - F.col("__start")) / (after["__start"] - F.col("__start"))
            return F.when(is_after & after.isNotNull(), on_line(F.col(name), after[name], share))
        case _:
            return constant(window.fill, name, spec, window)
