"""Windows that are slices of the rows of a key, in order of time: counted ones, and those that end at each row."""

import polars as pl

from windrow.spec import StreamSpec, WindowSpec
from windrow.windows import aggregates

_AT_ONCE = 4_000_000
"""Rows that are laid out at once. Windows that overlap hold each row many times over."""


def aggregated(ordered: pl.DataFrame, slices: pl.DataFrame, spec: StreamSpec, window: WindowSpec) -> pl.DataFrame:
    """The aggregates of each slice, in the order of `slices`; one row each.

    `slices` say where each begins in `ordered` and how many rows it has (one or more): `from` and `rows`, Int64.
    """
    sources = (aggregate.column for aggregate in window.aggregates.values() if aggregate.column is not None)
    needed = ordered.select(*dict.fromkeys((*sources, spec.time.column, *spec.identity)))
    numbered = slices.select(pl.int_range(pl.len()).alias("__slice"), "from", "rows")
    batch = (pl.col("rows").cum_sum() - 1) // _AT_ONCE
    parts = numbered.with_columns(batch.alias("batch")).partition_by("batch", maintain_order=True, include_key=False)
    found = [aggregates.whole(_laid_out(needed, part), ["__slice"], spec, window) for part in parts or [numbered]]
    return pl.concat(found).sort("__slice").drop("__slice")


def _laid_out(ordered: pl.DataFrame, slices: pl.DataFrame) -> pl.LazyFrame:
    places = slices.select("__slice", pl.int_ranges("from", pl.col("from") + pl.col("rows")).alias("place")).explode(
        "place"
    )
    return ordered[places["place"]].with_columns(places["__slice"]).lazy()
