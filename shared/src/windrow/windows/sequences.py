"""Sequences: rows resampled on a grid, cut into arrays of the same length."""

from collections.abc import Iterator

import polars as pl

from windrow.lake.schema import TIMESTAMP, output_type, result_schema
from windrow.spec import StreamSpec
from windrow.spec.windows import SequenceWindow
from windrow.windows import aggregates, series, splits, steps
from windrow.windows.runs import checked
from windrow.windows.series import Owned

_AT_ONCE = 4_000_000
"""Values of an output that are laid out at once. Sequences that overlap hold each value many times over."""


def panes(rows: pl.LazyFrame, spec: StreamSpec, window: SequenceWindow) -> pl.DataFrame:
    """The cells of the grid that some records fall in, as parts that merge; `__pane` is a cell's start (µs)."""
    placed = rows.with_columns(_cell_start(spec, window).alias("__pane"))
    return aggregates.parts(placed, [*spec.keys, "__pane"], spec, window)


def from_panes(merged: pl.DataFrame, spec: StreamSpec, window: SequenceWindow, owned: Owned = None) -> pl.DataFrame:
    """The rows of the definition from the merged cells of all records.

    `owned`: only sequences that start in here (µs since 1970, end excluded).
    """
    cells = aggregates.finish(merged, [*spec.keys, "__pane"], spec, window)
    return _sequences(cells.rename({"__pane": "__start"}), spec, window, owned)


def whole(rows: pl.LazyFrame, spec: StreamSpec, window: SequenceWindow, owned: Owned = None) -> pl.DataFrame:
    """The rows of the definition straight from all records, for any aggregates."""
    start = _cell_start(spec, window)
    placed = aggregates.prepared(rows, spec, window).with_columns(
        start.alias("__start"), (start + window.step).alias("__end")
    )
    cells = aggregates.whole(placed, [*spec.keys, "__start", "__end"], spec, window)
    return _sequences(cells, spec, window, owned)


def _cell_start(spec: StreamSpec, window: SequenceWindow) -> pl.Expr:
    time = pl.col(spec.time.column).dt.timestamp("us")
    return (time - window.offset) // window.step * window.step + window.offset


def _sequences(cells: pl.DataFrame, spec: StreamSpec, window: SequenceWindow, owned: Owned) -> pl.DataFrame:
    """`cells`: one row per key and cell with rows: `__start`, the outputs and `row_count`."""
    ordered = (
        cells.lazy()
        .sort(*spec.keys, "__start")
        .select(
            *spec.keys,
            series.numbers(spec.keys).alias("__series"),
            ((pl.col("__start") - window.offset) // window.step).alias("__cell"),
            pl.int_range(pl.len()).alias("__place"),
            pl.col("row_count").cum_sum().alias("__rows"),
            "row_count",
            *(pl.col(name).cast(output_type(spec, window, name)) for name in window.aggregates),
        )
        .collect(engine="streaming")
    )
    none = pl.DataFrame(schema=result_schema(spec, window))
    return pl.concat([none, *_arrays(ordered, _found(ordered, window, owned), spec, window)])


# ------------------------------------------------------------------------------------------------ which there are


def _found(cells: pl.DataFrame, window: SequenceWindow, owned: Owned) -> pl.DataFrame:
    """The sequences there are, in order. Raises TooLarge where they are more than memory holds.

    `__series`, `__cell` (the first of the sequence), `__place` (its first row of `cells`), `observed_steps`,
    `row_count`, and `part` where there are cuts.
    """
    stride = window.stride or window.length
    cell = pl.col("__cell")
    # Each cell with rows is in the sequences of these numbers; those that the cell before is in are listed there.
    first, last = (cell - window.length) // stride + 1, cell // stride
    if owned is not None:
        low, high = (-((window.offset - bound) // (stride * window.step)) for bound in owned)
        first, last = pl.max_horizontal(first, pl.lit(low)), pl.min_horizontal(last, pl.lit(high - 1))
    fresh = pl.max_horizontal(first, series.neighbour(last, 1) + 1)
    ranges = cells.select("__series", fresh.alias("first"), (last + 1).alias("until")).filter(
        pl.col("first") < pl.col("until")
    )
    checked(int((ranges["until"] - ranges["first"]).sum()))
    listed = (
        ranges.lazy()
        .select("__series", pl.int_ranges("first", "until").alias("__cell"))
        .explode("__cell")
        .with_columns(cell * stride, (cell * stride + window.length - 1).alias("__end"))
    )
    if window.parts:
        start = cell * window.step + window.offset
        end = start + (window.length + window.horizon) * window.step
        listed = listed.with_columns(splits.part_of(start, end, window).alias("part")).drop_nulls("part")
    earliest = cells.lazy().select(
        "__series", "__cell", "__place", (pl.col("__rows") - pl.col("row_count")).alias("__rows_before")
    )
    latest = cells.lazy().select("__series", "__cell", "__rows", pl.col("__place").alias("__last"))
    return (
        listed.join_asof(earliest, on="__cell", by="__series", strategy="forward", check_sortedness=False)
        .join_asof(
            latest, left_on="__end", right_on="__cell", by="__series", strategy="backward", check_sortedness=False
        )
        .with_columns(
            (pl.col("__last") - pl.col("__place") + 1).alias("observed_steps"),
            (pl.col("__rows") - pl.col("__rows_before")).alias("row_count"),
        )
        .filter(pl.col("observed_steps") >= window.min_observed)
        .select("__series", "__cell", "__place", "observed_steps", "row_count", *(["part"] if window.parts else []))
        .collect()
    )


# ------------------------------------------------------------------------------------------------ what they hold


def _arrays(
    cells: pl.DataFrame, found: pl.DataFrame, spec: StreamSpec, window: SequenceWindow
) -> Iterator[pl.DataFrame]:
    """The rows of the definition, some at a time, so that what is laid out on the way stays small."""
    span = window.length + window.horizon
    known = steps.known(cells, window)
    for batch in found.iter_slices(max(1, _AT_ONCE // span)):
        # The cell before may fill the first steps; and no sequence has more cells than steps.
        first = max(0, batch["__place"][0] - 1)
        near = known.slice(first, batch["__place"][-1] + span - first)
        keys = [cells[name].gather(batch["__place"]) for name in spec.keys]
        yield _rows(keys, near, batch, spec, window)


def _rows(
    keys: list[pl.Series], known: pl.DataFrame, found: pl.DataFrame, spec: StreamSpec, window: SequenceWindow
) -> pl.DataFrame:
    length, span = window.length, window.length + window.horizon
    start = pl.col("__cell")
    # The steps of all sequences, each once; a sequence's own are the last up to where it has added its own.
    fresh = pl.max_horizontal(start, series.neighbour(start, 1) + span)
    laid = found.select("__series", pl.int_ranges(fresh, start + span).alias("__cell"))
    values = steps.dense(known, laid.explode("__cell"), spec, window)
    until = laid.select(pl.col("__cell").list.len().cast(pl.Int64).cum_sum()).to_series()
    columns = [
        *keys,
        *found.select(
            (start * window.step + window.offset).cast(TIMESTAMP).alias("window_start"),
            ((start + length) * window.step + window.offset).cast(TIMESTAMP).alias("window_end"),
        ),
        *_reshaped(values, until - span, length, ""),
        *(_reshaped(values, until - window.horizon, window.horizon, "_target") if window.horizon else ()),
        *found.drop("__series", "__cell", "__place"),
    ]
    rows = pl.DataFrame(columns)
    return rows.select(pl.col(name).cast(kind) for name, kind in result_schema(spec, window).items())


def _reshaped(values: pl.DataFrame, first: pl.Series, length: int, suffix: str) -> Iterator[pl.Series]:
    """Each column of values as arrays: `length` of them from each of the places `first`."""
    places = pl.select(pl.int_ranges(first, first + length).explode()).to_series()
    for column in values:
        is_mask = column.name.startswith(steps.MASK)
        name = column.name.removeprefix(steps.MASK) + suffix + ("_mask" if is_mask else "")
        yield _arrays_of(column.gather(places), length).alias(name)


def _arrays_of(values: pl.Series, length: int) -> pl.Series:
    if not isinstance(values.dtype, pl.List):
        return values.reshape((-1, length))
    # Lists cannot be reshaped.
    numbered = pl.DataFrame([values.alias("value"), pl.int_range(values.len(), eager=True).alias("row") // length])
    return numbered.group_by("row", maintain_order=True).agg("value")["value"].list.to_array(length)
