"""Aggregates of how values are spread, whatever their order."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from windrow.lake.schema import column_type
from windrow.spec import Aggregate, AggregateFunction, StreamSpec
from windrow.windows.aggregates.exact_sums import group_sums, places, units_of
from windrow.windows.aggregates.parts import finite

FUNCTIONS: frozenset[AggregateFunction] = frozenset(
    {"std", "var", "median", "quantile", "n_unique", "time_of_min", "time_of_max"}
)
_SPREADS = {"std", "var"}
_GROUP, _VALUE = "__group", "__value"
_WHOLE_DIGITS = 27
"""Most digits of decimals of which so many as a group may have add up in Int128."""


def outputs(rows: pl.DataFrame, by: Sequence[str], wanted: Mapping[str, Aggregate], spec: StreamSpec) -> pl.DataFrame:
    """These outputs of each group: `by`, then a column each. Raises TooLarge where a float passes its range."""
    time = pl.col(spec.time.column)
    simple = {name: each for name, each in wanted.items() if each.function not in _SPREADS}
    found = rows.group_by(by).agg(
        _null_with_nulls(_simple(each, time), each).alias(name) for name, each in simple.items()
    )
    for column in dict.fromkeys(str(each.column) for each in wanted.values() if each.function in _SPREADS):
        own = {name: each for name, each in wanted.items() if each.function in _SPREADS and each.column == column}
        where = f"{spec.stream}: {', '.join(f'{name}: {each}' for name, each in own.items())}"
        spread = _spread(rows, by, column, column_type(spec.columns[column]), own, where)
        found = found.join(spread, on=by, how="left", nulls_equal=True)
    return found


def _null_with_nulls(output: pl.Expr, aggregate: Aggregate) -> pl.Expr:
    return output if aggregate.skip_nulls else pl.when(~pl.col(str(aggregate.column)).has_nulls()).then(output)


def _simple(aggregate: Aggregate, time: pl.Expr) -> pl.Expr:
    column = str(aggregate.column)
    values = pl.col(column).drop_nulls()
    match aggregate.function:
        case "n_unique":
            return values.n_unique()
        case "time_of_min":
            return time.filter(pl.col(column) == pl.col(column).min()).min()
        case "time_of_max":
            return time.filter(pl.col(column) == pl.col(column).max()).min()
        case _:
            share = 0.5 if aggregate.share is None else aggregate.share
            found = values.cast(pl.Float64()).quantile(share, "linear")
            return pl.when(found == 0).then(0.0).otherwise(found)  # -0.0 equals 0.0, so either might come


# ------------------------------------------------------------------------------------------------ var and std


def _spread(
    rows: pl.DataFrame, by: Sequence[str], column: str, kind: pl.DataType, wanted: Mapping[str, Aggregate], where: str
) -> pl.DataFrame:
    """The variance is (Σ d² − (Σ d)² / n) / (n − 1), d the distance of a value from a centre; null if n < 2.

    The centre is the mean, rounded, and the second term mends the rounding (Chan, Golub, LeVeque, 1983); the sums are
    exact. d is first divided by a power of two near the largest, so that its square stays in the range of floats.
    """
    value, unit = pl.col(column), 10.0 ** places(kind)
    is_whole = isinstance(kind, pl.Int64) or (isinstance(kind, pl.Decimal) and kind.precision <= _WHOLE_DIGITS)
    if isinstance(kind, pl.Decimal) and not is_whole:
        value, kind, unit = value.cast(pl.Float64()), pl.Float64(), 1.0
    groups = rows.group_by(by).agg(value.count().alias("n"), value.has_nulls().alias("nulls")).with_row_index(_GROUP)
    values = rows.with_columns(value.alias(_VALUE)).join(groups.select(*by, _GROUP), on=by, nulls_equal=True)
    numbered = values.select(_GROUP, pl.col(_VALUE).alias("value")).filter(pl.col("value").is_not_null())

    found, sums = group_sums(numbered, [_GROUP], {"value": kind}, where)
    found = found.join(groups, on=_GROUP, maintain_order="left", how="left")
    if is_whole:
        total = sums["value"].whole()
        assert total is not None  # 2^36 of these fit
        centre, exact = total // found["n"].cast(pl.Int128()), units_of(pl.col("value"), kind)
    else:
        centre, exact = sums["value"].floats(found["n"]), pl.col("value")
    distance = (exact - pl.col("centre")).cast(pl.Float64())
    centred = numbered.join(found.select(_GROUP, centre.alias("centre")), on=_GROUP).select(_GROUP, distance.alias("d"))

    found = found.join(centred.group_by(_GROUP).agg(pl.col("d").abs().max().alias("most")), on=_GROUP)
    finite(found["most"], where)
    scale = _powers_of_two(found["most"]).alias("scale")
    d = pl.col("d") / pl.col("scale")
    scaled = centred.join(found.select(_GROUP, scale), on=_GROUP).select(_GROUP, d, (d * d).alias("d2"))
    order, sums = group_sums(scaled, [_GROUP], {"d": pl.Float64(), "d2": pl.Float64()}, where)
    found = found.with_columns(scale).join(
        order.with_columns(sums["d"].floats().alias("d"), sums["d2"].floats().alias("d2")), on=_GROUP
    )
    n, step = pl.col("n"), pl.col("scale") / unit
    var = pl.when(n > 1).then((pl.col("d2") - pl.col("d") ** 2 / n).clip(lower_bound=0) / (n - 1))
    outputs = found.select(
        *by,
        *(
            pl.when(~pl.col("nulls") | each.skip_nulls)
            .then(var * step * step if each.function == "var" else var.sqrt() * step)
            .alias(name)
            for name, each in wanted.items()
        ),
    )
    for name in wanted:
        finite(outputs[name].drop_nulls(), where)
    return outputs


def _powers_of_two(sizes: pl.Series) -> pl.Series:
    """The largest power of two that is not more than each."""
    return pl.Series(np.ldexp(1.0, np.frexp(sizes.to_numpy())[1] - 1))
