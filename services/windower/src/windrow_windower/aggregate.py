"""Records of a place to the rows of a window definition. Pure: polars in, polars out."""

import polars as pl

from windrow.lake.schema import TIMESTAMP, result_schema
from windrow.spec import Aggregate, StreamSpec, WindowSpec
from windrow_windower.windows import tumbling_start


def aggregate(records: pl.DataFrame, spec: StreamSpec, window: WindowSpec) -> pl.DataFrame:
    """One row per key and window that holds at least one record, in order of key and time.

    `records` hold each record once. They are put in order first, so that the order in which they came cannot show in
    a float's last digit. An aggregate over nothing is null.
    """
    time = pl.col(spec.time.column)
    ordered = records.sort(*spec.keys, spec.time.column, *spec.identity).with_columns(
        tumbling_start(time, window.size).alias("window_start")
    )
    rows = ordered.group_by(*spec.keys, "window_start", maintain_order=True).agg(
        *(_expression(each).alias(name) for name, each in window.aggregates.items()),
        pl.len().cast(pl.Int64).alias("row_count"),
    )
    end = (pl.col("window_start").dt.timestamp("us") + window.size).cast(TIMESTAMP)
    schema = result_schema(spec, window)
    return rows.with_columns(end.alias("window_end")).select(pl.col(name).cast(kind) for name, kind in schema.items())


def _expression(each: Aggregate) -> pl.Expr:
    if each.column is None:
        return pl.len()
    column = pl.col(each.column)
    match each.function:
        case "count":
            return column.count()
        case "sum":
            return pl.when(column.count() > 0).then(column.sum())
        case "mean":
            return column.mean()
        case "min":
            return column.min()
        case "max":
            return column.max()
        case "first":
            return column.drop_nulls().first()
        case "last":
            return column.drop_nulls().last()
