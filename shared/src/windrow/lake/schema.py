"""Columns of segments and tables, derived from the stream spec. The one place that maps types."""

import polars as pl

from windrow.errors import SchemaConflict
from windrow.spec import AggregateFunction, Column, ColumnType, ItemType, StreamSpec, WindowSpec

TIMESTAMP = pl.Datetime("us", "UTC")
_SIMPLE: dict[ColumnType | ItemType, pl.DataType] = {
    "string": pl.String(),
    "bool": pl.Boolean(),
    "int": pl.Int64(),
    "float": pl.Float64(),
    "timestamp": TIMESTAMP,
    "date": pl.Date(),
    "categorical": pl.String(),  # Delta knows no dictionaries; Parquet makes one of a column of few values by itself
    "json": pl.String(),
}

BATCH = "_batch"
ORDINAL = "_ordinal"
RECEIVED_AT = "_received_at"
BUCKET = "_bucket"
SHARD = "_shard"
EVENT_DATE = "event_date"


def column_type(column: Column) -> pl.DataType:
    """The polars type of a column."""
    if column.type == "decimal":
        return pl.Decimal(column.precision, column.scale)
    if column.type == "list":
        return pl.List(_SIMPLE[column.items or "string"])
    return _SIMPLE[column.type]


def segment_schema(spec: StreamSpec) -> pl.Schema:
    """A segment: the spec's stored columns, then where each record came from."""
    columns: dict[str, pl.DataType] = {name: column_type(spec.columns[name]) for name in spec.stored}
    return pl.Schema({**columns, BATCH: pl.String(), ORDINAL: pl.Int64(), RECEIVED_AT: TIMESTAMP})


def records_schema(spec: StreamSpec) -> pl.Schema:
    """The records table: a segment's columns, its place (bucket start in µs, shard) and the partition day."""
    return pl.Schema({**segment_schema(spec), BUCKET: pl.Int64(), SHARD: pl.Int32(), EVENT_DATE: pl.Date()})


def result_schema(spec: StreamSpec, window: WindowSpec) -> pl.Schema:
    """A computed result: keys, bounds, aggregates, row count."""
    columns: dict[str, pl.DataType] = {name: column_type(spec.columns[name]) for name in spec.keys}
    columns |= {"window_start": TIMESTAMP, "window_end": TIMESTAMP}
    for name, aggregate in window.aggregates.items():
        source = None if aggregate.column is None else spec.columns[aggregate.column]
        columns[name] = _aggregate_type(aggregate.function, source)
    return pl.Schema({**columns, "row_count": pl.Int64()})


def windows_schema(spec: StreamSpec, window: WindowSpec) -> pl.Schema:
    """A windows table: a result's columns, what is known of each window, its place and the partition day."""
    return pl.Schema(
        {
            **result_schema(spec, window),
            "is_final": pl.Boolean(),
            "revision": pl.Int32(),
            "input_count": pl.Int64(),
            "computed_at": TIMESTAMP,
            BUCKET: pl.Int64(),
            SHARD: pl.Int32(),
            EVENT_DATE: pl.Date(),
        }
    )


def _aggregate_type(function: AggregateFunction, source: Column | None) -> pl.DataType:
    if function == "count" or source is None:
        return pl.Int64()
    if function == "mean":
        return pl.Float64()
    if function == "sum" and source.type == "decimal":
        return pl.Decimal(38, source.scale)  # a sum has more digits than its parts
    return column_type(source)


def conform(rows: pl.DataFrame, schema: pl.Schema, origin: str) -> pl.DataFrame:
    """Rows under a schema that has grown since they were written: new columns are null, dropped ones go.

    Raises SchemaConflict when a column has changed its type. `origin` names the rows in the message.
    """
    for name, kind in schema.items():
        if name in rows.schema and rows.schema[name] != kind:
            raise SchemaConflict(f"{origin}: column {name!r} is {rows.schema[name]}, the spec says {kind}")
    return rows.select(
        pl.col(name) if name in rows.schema else pl.lit(None, kind).alias(name) for name, kind in schema.items()
    )
