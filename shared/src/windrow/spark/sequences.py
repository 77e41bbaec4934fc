"""Sequences: rows resampled on a grid, cut into arrays of the same length."""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from windrow.lake.schema import output_type
from windrow.spark import aggregates
from windrow.spark.filling import constant, on_line
from windrow.spark.series import with_neighbours
from windrow.spark.types import spark_type
from windrow.spark.whole import floor_div, numbers
from windrow.spec import StreamSpec
from windrow.spec.windows import SequenceWindow
from windrow.units import to_us


def compute(rows: DataFrame, spec: StreamSpec, window: SequenceWindow) -> DataFrame:
    """The rows of the definition: keys, `__start`, `__end`, outputs, `part`, `observed_steps`, `row_count`."""
    stride = window.stride or window.length
    span = window.length + window.horizon
    cells = _cells(rows, spec, window)
    cell, following, sequence = F.col("__cell"), F.col("__next"), F.col("__sequence")
    # A stretch is a cell with rows and those without behind it. It is part of the sequences that hold its cell, and of
    # those that begin behind that and hold the next cell with rows; in between there are only empty ones.
    behind = F.greatest(floor_div(cell, stride) + 1, floor_div(following - span, stride) + 1)
    touched = F.concat(
        numbers(floor_div(cell - span, stride) + 1, floor_div(cell, stride)),
        F.coalesce(numbers(behind, floor_div(following - 1, stride)), F.array().cast("array<bigint>")),
    )
    begin, end = sequence * stride, sequence * stride + span
    stretch = F.struct(
        F.greatest(cell, begin).alias("__from"),
        F.least(F.coalesce(following, cell + 1), end).alias("__until"),
        cell.alias("__cell"),
        following.alias("__next"),
        *window.aggregates,
        *(F.col(f"__next_{name}") for name in window.aggregates if window.fill == "linear"),
    )
    is_input = (cell >= begin) & (cell < begin + window.length)
    found = (
        cells.withColumn("__sequence", F.explode(touched))
        .groupBy(*spec.keys, "__sequence")
        .agg(
            F.count(F.when(is_input, 1)).alias("observed_steps"),
            F.sum(F.when(is_input, F.col("row_count"))).alias("row_count"),
            F.collect_list(stretch).alias("__stretches"),
        )
        .filter(F.col("observed_steps") >= window.min_observed)
    )
    start = begin * window.step + window.offset
    bounded = found.withColumns({"__start": start, "__end": start + window.length * window.step})
    if window.parts:
        bounded = bounded.withColumn("part", _part(F.col("__start"), span * window.step, window)).dropna(
            subset=["part"]
        )
    # Stretches do not overlap, so they are in order by their first field.
    ordered = bounded.withColumn("__stretches", F.array_sort("__stretches"))
    return ordered.select(
        *spec.keys,
        "__start",
        "__end",
        *(column for name in window.aggregates for column in _outputs(name, begin, end, spec, window)),
        *(["part"] if window.parts else []),
        "observed_steps",
        "row_count",
    )


def _cells(rows: DataFrame, spec: StreamSpec, window: SequenceWindow) -> DataFrame:
    """The cells with rows: `__cell`, `__next` (the next with rows of the key), outputs, `__next_x`, `row_count`."""
    placed = with_neighbours(rows, spec, window).withColumn(
        "__cell", floor_div(F.col("__time") - window.offset, window.step)
    )
    start = F.col("__cell") * window.step + window.offset
    bounded = placed.withColumns({"__start": start, "__end": start + window.step})
    found = aggregates.whole(bounded, [*spec.keys, "__cell", "__start", "__end"], spec, window)
    by_time = Window.partitionBy(*spec.keys).orderBy("__cell")
    typed = [F.col(name).cast(spark_type(output_type(spec, window, name))).alias(name) for name in window.aggregates]
    following = {f"__next_{name}": F.lead(name).over(by_time) for name in window.aggregates if window.fill == "linear"}
    return found.select(*spec.keys, "__cell", *typed, "row_count").withColumns(
        {"__next": F.lead("__cell").over(by_time), **following}
    )


def _part(start: Column, length_us: int, window: SequenceWindow) -> Column:
    """The part of time that a sequence and its target lie in; null where a cut goes through them."""
    held = []
    for name, begin, until in window.parts:
        inside = F.lit(True)
        if begin is not None:
            inside &= start >= to_us(begin)
        if until is not None:
            inside &= start + length_us <= to_us(until)
        held.append(F.when(inside, F.lit(name)))
    return F.coalesce(*held)


# ------------------------------------------------------------------------------------------------ arrays


def _outputs(name: str, begin: Column, end: Column, spec: StreamSpec, window: SequenceWindow) -> list[Column]:
    kind = spark_type(output_type(spec, window, name))
    pad = constant(window.padding, name, spec, window)
    values = _laid(lambda stretch, cell: _value(name, stretch, cell, spec, window).cast(kind), pad, begin, end)
    columns = [F.slice(values, 1, window.length).alias(name)]
    seen = _laid(
        lambda stretch, cell: (cell == stretch["__cell"]) & stretch[name].isNotNull(),
        F.lit(False),
        begin,
        end,
    )
    if window.mask:
        columns.append(F.slice(seen, 1, window.length).alias(f"{name}_mask"))
    if window.horizon:
        columns.append(F.slice(values, window.length + 1, window.horizon).alias(f"{name}_target"))
        if window.mask:
            columns.append(F.slice(seen, window.length + 1, window.horizon).alias(f"{name}_target_mask"))
    return columns


def _laid(value: Callable[[Column, Column], Column], pad: Column, begin: Column, end: Column) -> Column:
    """One value for every cell of a sequence: of its stretches, and `pad` before and after them."""
    stretches = F.col("__stretches")
    first = F.element_at(stretches, 1)["__from"]
    behind = F.element_at(stretches, -1)["__until"]
    inner = F.flatten(
        F.transform(
            stretches,
            lambda stretch: F.transform(
                F.sequence(stretch["__from"], stretch["__until"] - 1), lambda cell: value(stretch, cell)
            ),
        )
    )
    before, after = (F.array_repeat(pad, count.cast("int")) for count in (first - begin, end - behind))
    return F.concat(before, inner, after)


def _value(name: str, stretch: Column, cell: Column, spec: StreamSpec, window: SequenceWindow) -> Column:
    """What stands in a cell of a stretch."""
    distance, empty = cell - stretch["__cell"], stretch["__next"] - stretch["__cell"] - 1
    filled = _filled(name, stretch, distance, spec, window)
    if window.fill_limit is not None:
        filled = F.when(distance <= window.fill_limit, filled)
    is_gap = F.lit(True) if window.max_gap is None else empty <= window.max_gap
    # A value beyond the next cut would tell a training sequence of the test.
    for _, _, until in window.parts:
        if until is not None:
            cut = to_us(until)
            begins_before = cell * window.step + window.offset < cut
            is_gap &= ~begins_before | (stretch["__next"] < (cut - window.offset) // window.step)
    pad = constant(window.padding, name, spec, window)
    return F.when(distance == 0, stretch[name]).when(is_gap, filled).otherwise(pad)


def _filled(name: str, stretch: Column, distance: Column, spec: StreamSpec, window: SequenceWindow) -> Column:
    match window.fill:
        case "previous":
            return stretch[name]
        case "linear" if output_type(spec, window, name).is_numeric():
            share = distance / (stretch["__next"] - stretch["__cell"])
            return on_line(stretch[name], stretch[f"__next_{name}"], share)
        case _:
            return constant(window.fill, name, spec, window)
