"""Sessions: rows of a key that follow each other within a gap."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from windrow.spark import aggregates
from windrow.spark.series import looks_around, with_neighbours
from windrow.spec import StreamSpec
from windrow.spec.windows import SessionWindow


def compute(rows: DataFrame, spec: StreamSpec, window: SessionWindow) -> DataFrame:
    """The rows of the definition: keys, `__start`, `__end`, `__first`, `__last`, outputs, `row_count`."""
    by = [*spec.keys, "__start"]
    placed = _with_start(with_neighbours(rows, spec, window), spec, window)
    if window.max_duration is not None:
        placed = _cut(placed, spec, window.max_duration)
    if looks_around(window):
        session = Window.partitionBy(*by)
        placed = placed.withColumn("__last", F.max("__time").over(session))
        placed = placed.withColumn("__end", _end(window))
        if window.max_duration is not None:
            ahead = Window.partitionBy(*spec.keys).orderBy(F.col("__start").desc())
            later = ahead.rangeBetween(Window.unboundedPreceding, -1)
            placed = placed.withColumn("__end", F.least("__end", F.min("__start").over(later)))
        placed = placed.drop("__last")
    found = aggregates.whole(placed, by, spec, window).withColumn("__end", _end(window))
    if window.max_duration is None:
        return found
    # A pause is longer than what a session reaches beyond its last row; only where it was cut, the next can be nearer.
    following = F.lead("__start").over(Window.partitionBy(*spec.keys).orderBy("__start"))
    return found.withColumn("__end", F.least("__end", following))


def _end(window: SessionWindow) -> Column:
    return F.col("__last") + (window.gap if window.session_end == "gap" else 0)


def _with_start(rows: DataFrame, spec: StreamSpec, window: SessionWindow) -> DataFrame:
    """Adds `__start`, the time at which the session of a row begins."""
    by_time = Window.partitionBy(*spec.keys).orderBy("__time")
    pause = F.col("__time") - F.lag("__time").over(by_time)
    goes_on = pause <= window.gap if window.gap_inclusive else pause < window.gap
    begins = F.when(F.coalesce(goes_on, F.lit(False)), None).otherwise(F.col("__time"))
    return rows.withColumn("__start", begins).withColumn("__start", F.max("__start").over(by_time))


def _cut(rows: DataFrame, spec: StreamSpec, max_duration: int) -> DataFrame:
    """Moves `__start` to where a session has lasted for `max_duration` since it began, or since it was cut last.

    Each cut depends on the one before, so the distinct times of a session that lasts so long are gone through in
    order, in one array: 8 bytes for each.
    """
    by = [*spec.keys, "__start"]
    lasts = F.max("__time") - F.col("__start") >= max_duration
    times = F.array_sort(F.collect_set("__time"))
    endless = rows.groupBy(*by).agg(lasts.alias("__lasts"), times.alias("__times")).filter("__lasts")
    found = endless.select(
        *(F.col(name).alias(f"__cut_{number}") for number, name in enumerate(spec.keys)),
        F.explode(
            F.aggregate(
                F.col("__times"),
                F.array("__start"),
                lambda done, time: F.when(
                    time - F.element_at(done, -1) >= max_duration, F.array_append(done, time)
                ).otherwise(done),
            )
        ).alias("__cut"),
    )
    same = F.col("__time") == F.col("__cut")
    for number, name in enumerate(spec.keys):
        same &= F.col(name).eqNullSafe(F.col(f"__cut_{number}"))
    marked = rows.join(found, same, "left").drop(*(f"__cut_{number}" for number in range(len(spec.keys))))
    by_time = Window.partitionBy(*by).orderBy("__time")
    start = F.coalesce(F.max("__cut").over(by_time), F.col("__start"))
    return marked.withColumn("__begin", start).drop("__cut", "__start").withColumnRenamed("__begin", "__start")
