"""Counters: numbers that grow until they begin anew, and what they grew by."""

import polars as pl

from windrow.spec import Aggregate
from windrow.windows.aggregates.exact_sums import group_sums, places
from windrow.windows.aggregates.ordered import AT, GROUP, Ordered
from windrow.windows.aggregates.parts import finite, only

_VALUE, _BEFORE = "value", "before"
_SECOND_US = 1_000_000


def output(ordered: Ordered, aggregate: Aggregate, where: str) -> pl.Series:
    """`increase`, `rate`, `resets` or `changes` of a column for each group; see `spec.windows.Aggregate`.

    Of the values v₁ … vₙ of a window in order of time, increase is Σ (vᵢ − vᵢ₋₁ where vᵢ ≥ vᵢ₋₁, else vᵢ), as
    Prometheus has it without its extrapolation; rate is that by the seconds between the first and the last value.
    resets counts the decreases, changes the pairs that differ. The sum is exact, and rounded once.
    """
    column = str(aggregate.column)
    is_same = pl.col(GROUP) == pl.col(GROUP).shift(1)
    steps = ordered.values(column).select(
        GROUP, AT, pl.col(column).alias(_VALUE), pl.when(is_same).then(pl.col(column).shift(1)).alias(_BEFORE)
    )
    match aggregate.function:
        case "resets":
            found = _counted(ordered, steps, pl.col(_VALUE) < pl.col(_BEFORE))
        case "changes":
            found = _counted(ordered, steps, pl.col(_VALUE) != pl.col(_BEFORE))
        case _:
            found = _grown(ordered, steps, column, where, per_second=aggregate.function == "rate")
    return ordered.null_with_nulls(found, aggregate)


def _counted(ordered: Ordered, steps: pl.DataFrame, is_one: pl.Expr) -> pl.Series:
    return ordered.per_group(steps.group_by(GROUP).agg(is_one.sum().cast(pl.Int64()).alias("count")), "count")


def _grown(ordered: Ordered, steps: pl.DataFrame, column: str, where: str, *, per_second: bool) -> pl.Series:
    kind = ordered.kinds[column]
    spans = steps.group_by(GROUP).agg((pl.col(AT).max() - pl.col(AT).min()).alias("span"))
    # Whatever is not taken from the value before it, is what a counter that began anew has grown to.
    pairs = steps.filter(pl.col(_BEFORE).is_not_null()).with_columns(
        pl.when(pl.col(_VALUE) >= pl.col(_BEFORE)).then(pl.col(_BEFORE))
    )
    groups, sums = group_sums(pairs, [GROUP], {_VALUE: kind, _BEFORE: kind}, where)
    grown = sums[_VALUE].minus(sums[_BEFORE]).floats() / 10.0 ** places(kind)
    if per_second:
        span = groups.join(spans, on=GROUP, how="left", maintain_order="left")["span"]
        grown = only(grown, span > 0) / (span / _SECOND_US)
    finite(grown.drop_nulls(), where)
    return ordered.per_group(groups.with_columns(grown.alias("grown")), "grown")
