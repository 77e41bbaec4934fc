"""Records of a place to the rows of a window definition. Pure: polars in, polars out."""

import polars as pl

from windrow.errors import BadInput, TooLarge
from windrow.lake.schema import TIMESTAMP, result_schema
from windrow.spec import Aggregate, StreamSpec, WindowSpec
from windrow.windows import tumbling_start

_INT64_MIN, _INT64_MAX = -(1 << 63), (1 << 63) - 1


def aggregate(records: pl.DataFrame, spec: StreamSpec, window: WindowSpec) -> pl.DataFrame:
    """One row per key and window that holds at least one record, in order of key and time.

    `records` hold each record once. They are put in order first, so that the order in which they came cannot show in
    a float's last digit. An aggregate over nothing is null. Raises TooLarge when numbers add up to more than 64
    bits hold.
    """
    time = pl.col(spec.time.column)
    ordered = records.sort(*spec.keys, spec.time.column, *spec.identity).with_columns(
        tumbling_start(time, window.size).alias("window_start")
    )
    rows = ordered.group_by(*spec.keys, "window_start", maintain_order=True).agg(
        *(_expression(each, records.schema).alias(name) for name, each in window.aggregates.items()),
        pl.len().cast(pl.Int64).alias("row_count"),
    )
    end = (pl.col("window_start").dt.timestamp("us") + window.size).cast(TIMESTAMP)
    schema = result_schema(spec, window)
    for name, each in window.aggregates.items():
        if rows.schema[name] == pl.Int128() and not rows[name].is_between(_INT64_MIN, _INT64_MAX).all():
            raise TooLarge(
                f"{spec.stream}: {name}: sum({each.column}) passes 64 bits in a window; make {each.column} a float"
            )
        # An infinite value in a file makes some readers drop its other rows; records hold none, a sum of them may.
        if rows.schema[name] == pl.Float64() and not rows[name].is_finite().all():
            raise TooLarge(
                f"{spec.stream}: {name}: {each.function}({each.column}) passes what a float holds in a window"
            )
    return rows.with_columns(end.alias("window_end")).select(pl.col(name).cast(kind) for name, kind in schema.items())


def _expression(each: Aggregate, schema: pl.Schema) -> pl.Expr:
    if each.column is None:
        return pl.len()
    column = pl.col(each.column)
    match each.function:
        case "count":
            return column.count()
        case "sum":
            # A sum of 64-bit numbers that passes 64 bits would come out wrong without a word.
            wide = column.cast(pl.Int128()) if schema[each.column] == pl.Int64() else column
            return pl.when(column.count() > 0).then(wide.sum())
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
        case other:
            raise BadInput(f"{other} is not computed by this version")
