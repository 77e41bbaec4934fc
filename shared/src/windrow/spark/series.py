"""Series: the rows of a key, one after the other in time."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import WindowSpec as Over
from pyspark.sql import functions as F  # noqa: N812

from windrow.spec import AggregateFunction, StreamSpec, WindowSpec
from windrow.spec.windows import WITH_CARRY, CountWindow, PairwiseWindow, SessionWindow

WITH_BEFORE: frozenset[AggregateFunction] = frozenset({"rate", "increase", "changes", "resets"})
"""Functions of pairs of values that follow each other."""


def order(spec: StreamSpec) -> list[str]:
    """What rows of a key are ordered by: time, ties by record id."""
    return ["__time", *(name for name in spec.identity if name != spec.time.column and name not in spec.keys)]


def by_time(spec: StreamSpec) -> Over:
    """The rows of each key, ordered by time, ties by record id."""
    return Window.partitionBy(*spec.keys).orderBy(*order(spec))


def looks_around(window: WindowSpec) -> bool:
    """Whether an aggregate looks at the values before and after a row, so that rows must know their window's bounds."""
    return any(each.function in WITH_BEFORE | WITH_CARRY for each in window.aggregates.values())


def with_neighbours(rows: DataFrame, spec: StreamSpec, window: WindowSpec) -> DataFrame:
    """Adds `__before_x` and `__after_x` where an aggregate of column x needs them.

    They hold the nearest values of the key that are not null, in whatever window: a struct of `__time`, `__value`, and
    `__number` where rows have one.
    """
    ordered = by_time(spec)
    backwards = Window.partitionBy(*spec.keys).orderBy(*(F.col(name).desc() for name in order(spec)))
    added = {}
    for each in window.aggregates.values():
        if each.column is None or each.function not in WITH_BEFORE | WITH_CARRY:
            continue
        added[f"__before_{each.column}"] = _nearest(each.column, rows.columns, ordered)
        if each.function in WITH_CARRY:
            added[f"__after_{each.column}"] = _nearest(each.column, rows.columns, backwards)
    return rows.withColumns(added) if added else rows


def _nearest(column: str, columns: Sequence[str], ordered: Over) -> Column:
    value = F.col(column)
    told = [F.col(name) for name in ("__time", "__number") if name in columns]
    # Backwards the next value is the last so far as well: a frame that reaches to the end of its partition would be
    # computed anew for every row.
    so_far = ordered.rowsBetween(Window.unboundedPreceding, -1)
    return F.last(F.when(value.isNotNull(), F.struct(*told, value.alias("__value"))), ignorenulls=True).over(so_far)


def is_after_begin(before: Column, window: WindowSpec) -> Column:
    """Whether an earlier row of the key is in the same window as a row."""
    if isinstance(window, CountWindow):
        return before["__number"] >= F.col("__from")
    if getattr(window, "closed", "left") == "right":
        return before["__time"] > F.col("__start")
    return before["__time"] >= F.col("__start")


def is_before_end(after: Column, window: WindowSpec) -> Column:
    """Whether a later row of the key is in the same window as a row."""
    if isinstance(window, CountWindow):
        return after["__number"] < F.col("__from") + window.length
    ends_at_row = isinstance(window, PairwiseWindow) or (
        isinstance(window, SessionWindow) and window.session_end == "last"
    )
    if ends_at_row or getattr(window, "closed", "left") == "right":
        return after["__time"] <= F.col("__end")
    return after["__time"] < F.col("__end")
