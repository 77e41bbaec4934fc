"""Windows that end at each row and reach back from there."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from windrow.spark import aggregates
from windrow.spark.series import with_neighbours
from windrow.spark.whole import floor_div
from windrow.spec import StreamSpec
from windrow.spec.windows import PairwiseWindow


def compute(rows: DataFrame, spec: StreamSpec, window: PairwiseWindow) -> DataFrame:
    """The rows of the definition: keys, `__start`, `__end`, `__first`, `__last`, outputs, `row_count`."""
    # A row at time u is in the windows that end from u to u + size: these ends are in its own piece of time, as long
    # as a window, or in the next. So rows meet ends in a join of equals, and not each with each.
    piece = floor_div(F.col("__time"), max(window.span, 1))
    ends = rows.select(
        *(F.col(name).alias(f"__key_{number}") for number, name in enumerate(spec.keys)),
        F.col("__time").alias("__end"),
        piece.alias("__piece_of_end"),
    ).distinct()
    placed = with_neighbours(rows, spec, window).withColumn("__piece", F.explode(F.array(piece, piece + 1)))
    met = (F.col("__piece") == F.col("__piece_of_end")) & F.col("__time").between(
        F.col("__end") - window.span, F.col("__end")
    )
    for number, name in enumerate(spec.keys):
        met &= F.col(name).eqNullSafe(F.col(f"__key_{number}"))
    laid = placed.join(ends, met).withColumn("__start", F.col("__end") - window.span)
    return aggregates.whole(laid, [*spec.keys, "__start", "__end"], spec, window)
