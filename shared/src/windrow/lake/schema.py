"""Columns of segments and tables, derived from the stream spec. The one place that maps types."""

import polars as pl

from windrow.errors import SchemaConflict, Unavailable
from windrow.lake.widening import widened, widens
from windrow.spec import AggregateFunction, Column, ColumnType, ItemType, StreamSpec, WindowSpec
from windrow.spec.windows import CountWindow, PairwiseWindow, SequenceWindow, SessionWindow

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
    """A computed result: keys, bounds, first and last time where they tell more than the bounds, aggregates, row count.

    A sequence's outputs are arrays of exactly `length` values (`horizon` of them in a target).
    """
    columns: dict[str, pl.DataType] = {name: column_type(spec.columns[name]) for name in spec.keys}
    columns |= {"window_start": TIMESTAMP, "window_end": TIMESTAMP}
    if isinstance(window, SessionWindow | CountWindow | PairwiseWindow):
        columns |= {"first_time": TIMESTAMP, "last_time": TIMESTAMP}
    for name in window.aggregates:
        columns |= _outputs(name, output_type(spec, window, name), window)
    if isinstance(window, SequenceWindow):
        if window.parts:
            columns["part"] = pl.String()
        columns["observed_steps"] = pl.Int64()
    return pl.Schema({**columns, "row_count": pl.Int64()})


def _outputs(name: str, kind: pl.DataType, window: WindowSpec) -> dict[str, pl.DataType]:
    if not isinstance(window, SequenceWindow):
        return {name: kind}
    columns: dict[str, pl.DataType] = {name: pl.Array(kind, window.length)}
    if window.mask:
        columns[f"{name}_mask"] = pl.Array(pl.Boolean(), window.length)
    if window.horizon:
        columns[f"{name}_target"] = pl.Array(kind, window.horizon)
        if window.mask:
            columns[f"{name}_target_mask"] = pl.Array(pl.Boolean(), window.horizon)
    return columns


def output_type(spec: StreamSpec, window: WindowSpec, name: str) -> pl.DataType:
    """The type of one output of a window, or of one value of it in a sequence."""
    aggregate = window.aggregates[name]
    kind = _aggregate_type(aggregate.function, None if aggregate.column is None else spec.columns[aggregate.column])
    fills = (getattr(window, "fill", None), getattr(window, "padding", None))
    is_whole = isinstance(kind, pl.Int64) and not any(_is_fraction(fill) for fill in fills)
    if isinstance(kind, pl.Int64 | pl.Decimal) and "linear" in fills:
        return pl.Float64()
    return kind if is_whole or not isinstance(kind, pl.Int64) else pl.Float64()


def _is_fraction(fill: object) -> bool:
    return isinstance(fill, float) and not fill.is_integer()


def windows_schema(spec: StreamSpec, window: WindowSpec) -> pl.Schema:
    """A windows table: a result's columns, what is known of each window, its place and the partition day.

    Delta knows no lists of fixed length; a sequence's are lists there.
    """
    return pl.Schema(
        {
            **{name: stored_type(kind) for name, kind in result_schema(spec, window).items()},
            "is_final": pl.Boolean(),
            "revision": pl.Int32(),
            "input_count": pl.Int64(),
            "computed_at": TIMESTAMP,
            BUCKET: pl.Int64(),
            SHARD: pl.Int32(),
            EVENT_DATE: pl.Date(),
        }
    )


def stored_type(kind: pl.DataType) -> pl.DataType:
    """The type under which a result's column stands in a table."""
    return pl.List(kind.inner) if isinstance(kind, pl.Array) else kind


def late_schema(spec: StreamSpec) -> pl.Schema:
    """The ledger of late records: which, when it came, how late it was, and what it reopened."""
    return pl.Schema(
        {
            **{name: column_type(spec.columns[name]) for name in dict.fromkeys((*spec.keys, spec.time.column))},
            BATCH: pl.String(),
            ORDINAL: pl.Int64(),
            RECEIVED_AT: TIMESTAMP,
            "watermark": TIMESTAMP,
            "late_by_s": pl.Float64(),
            "windows": pl.List(pl.String()),
            BUCKET: pl.Int64(),
            SHARD: pl.Int32(),
            EVENT_DATE: pl.Date(),
        }
    )


def _aggregate_type(function: AggregateFunction, source: Column | None) -> pl.DataType:
    match function:
        case "count" | "n_unique" | "approx_n_unique" | "changes" | "resets":
            return pl.Int64()
        case "sum" | "min" | "max" | "first" | "last" | "collect" if source is not None:
            kind = column_type(source)
            if function == "collect":
                return pl.List(kind)
            # A sum has more digits than its parts.
            return pl.Decimal(38, source.scale) if function == "sum" and source.type == "decimal" else kind
        case "time_of_min" | "time_of_max":
            return TIMESTAMP
        case _:
            return pl.Float64()


def conform(rows: pl.DataFrame, schema: pl.Schema, origin: str) -> pl.DataFrame:
    """Rows under a schema that has grown since they were written: wider types, new columns null, dropped ones gone.

    `origin` names the rows in messages. Raises SchemaConflict when a column has changed its type in another way, and
    Unavailable when the rows are wider than the schema: they were written by a newer spec than the one at hand.
    """
    rows = widened(rows, schema, origin)
    for name, kind in schema.items():
        if name not in rows.schema or rows.schema[name] == kind:
            continue
        told = f"{origin}: column {name!r} is {rows.schema[name]}, the spec says {kind}"
        if widens(kind, rows.schema[name]):
            raise Unavailable(f"{told}; a newer version of the spec is waited for")
        raise SchemaConflict(told)
    return rows.select(
        pl.col(name) if name in rows.schema else pl.lit(None, kind).alias(name) for name, kind in schema.items()
    )
