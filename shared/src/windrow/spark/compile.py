"""Records to the rows of a window definition, in Spark: the one door to this package's window arithmetic."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from windrow.errors import BadInput, SchemaConflict
from windrow.lake.schema import result_schema, segment_schema
from windrow.spark import aligned, counting, pairwise, sequences, sessions
from windrow.spark.types import spark_type
from windrow.spec import StreamSpec, WindowSpec
from windrow.spec.windows import AlignedWindow, CountWindow, PairwiseWindow, SequenceWindow, SessionWindow


def compute(rows: DataFrame, spec: StreamSpec, window: WindowSpec) -> DataFrame:
    """The rows of a definition, in no order, with the columns of `result_schema`; timestamps are instants.

    `rows` hold each record once (see `deduplicate`), with the spec's stored columns and its identity, as the records
    table has them. Nothing is computed before the result is read, and what fails then says so: numbers that add up to
    more than their type holds, among others. Raises BadInput when a column is missing, SchemaConflict when one is of
    another type than the spec says.
    """
    taken = _taken(rows, spec, window)
    match window:
        case AlignedWindow():
            found = aligned.compute(taken, spec, window)
        case SessionWindow():
            found = sessions.compute(taken, spec, window)
        case SequenceWindow():
            found = sequences.compute(taken, spec, window)
        case CountWindow():
            found = counting.compute(taken, spec, window)
        case PairwiseWindow():
            found = pairwise.compute(taken, spec, window)
        case _:
            raise TypeError(type(window))
    told = {"window_start": "__start", "window_end": "__end", "first_time": "__first", "last_time": "__last"}
    return found.select(
        *(
            F.timestamp_micros(told[name]).alias(name)
            if name in told
            else F.col(name).cast(spark_type(kind)).alias(name)
            for name, kind in result_schema(spec, window).items()
        )
    )


def _taken(rows: DataFrame, spec: StreamSpec, window: WindowSpec) -> DataFrame:
    """The columns that the definition needs, and the event time as `__time` (µs since 1970)."""
    sources = (aggregate.column for aggregate in window.aggregates.values() if aggregate.column is not None)
    names = list(dict.fromkeys((*spec.keys, *spec.identity, *sources)))
    expected = segment_schema(spec)
    found = {field.name: field.dataType for field in rows.schema.fields}
    for name in (*names, spec.time.column):
        if name not in found:
            raise BadInput(f"{spec.stream}: the rows have no column {name!r}; read them from the records table")
        kind = spark_type(expected[name])
        if found[name].simpleString() != kind.simpleString():
            given = found[name].simpleString()
            raise SchemaConflict(
                f"{spec.stream}: column {name!r} is {given} in the rows, the spec says {kind.simpleString()}"
            )
    return rows.select(*names, F.unix_micros(spec.time.column).alias("__time"))
