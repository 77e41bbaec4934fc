"""Windows of a number of rows."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from windrow.spark import aggregates
from windrow.spark.series import by_time, looks_around, with_neighbours
from windrow.spark.whole import floor_div, numbers
from windrow.spec import StreamSpec
from windrow.spec.windows import CountWindow


def compute(rows: DataFrame, spec: StreamSpec, window: CountWindow) -> DataFrame:
    """The rows of the definition: keys, `__start`, `__end`, `__first`, `__last`, outputs, `row_count`."""
    stride = window.stride or window.length
    number = F.col("__number")
    numbered = rows.withColumn("__number", (F.row_number().over(by_time(spec)) - 1).cast("long"))
    first = F.greatest(floor_div(number - window.length, stride) + 1, F.lit(0).cast("long"))
    laid = with_neighbours(numbered, spec, window).withColumn(
        "__from", F.explode(numbers(first, floor_div(number, stride)))
    )
    laid = laid.withColumn("__from", F.col("__from") * stride)
    by = [*spec.keys, "__from"]
    if looks_around(window):
        rows_of_window = Window.partitionBy(*by)
        laid = laid.withColumns(
            {"__start": F.min("__time").over(rows_of_window), "__end": F.max("__time").over(rows_of_window)}
        )
    found = aggregates.whole(laid, by, spec, window).filter(F.col("row_count") == window.length)
    return found.withColumns({"__start": F.col("__first"), "__end": F.col("__last")})
