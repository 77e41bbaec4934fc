"""Aggregates weighted by time: what stands between the values of a series counts for as long as it stands."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from windrow.spec import Aggregate, StreamSpec, WindowSpec
from windrow.spec.windows import WITH_CARRY
from windrow.windows.aggregates.exact_sums import group_sums
from windrow.windows.aggregates.ordered import AT, GROUP, Ordered
from windrow.windows.aggregates.parts import finite
from windrow.windows.aggregates.pieces import order_of

_SECOND_US = 1_000_000
_SERIES = "__series"


@dataclass(frozen=True, slots=True)
class _Neighbour:
    """The value of a column that stands before or after a row in its series, and when, in µs."""

    column: str
    is_next: bool

    @property
    def value(self) -> str:
        return f"__{'next' if self.is_next else 'previous'}.{self.column}"

    @property
    def at(self) -> str:
        return f"{self.value}.at"

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return {self.value: pl.Float64(), self.at: pl.Int64()}


def neighbours(window: WindowSpec) -> list[str]:
    """The columns that `with_neighbours` adds."""
    return [name for each in _neighbours(window) for name in each.schema]


def with_neighbours(rows: pl.LazyFrame, spec: StreamSpec, window: WindowSpec) -> pl.LazyFrame:
    """Adds the last value before each row of a series, and if need be the next after it, and when they were."""
    needed = list(_neighbours(window))
    if not needed:
        return rows
    time = pl.col(spec.time.column).dt.timestamp("us")
    is_new = [pl.col(key).ne_missing(pl.col(key).shift(1)) for key in spec.keys]
    ordered = rows.sort(*spec.keys, *order_of(spec)).with_columns(
        pl.any_horizontal(*is_new, pl.repeat(value=False, n=pl.len())).cum_sum().alias(_SERIES)
    )
    columns = []
    for each in needed:
        value = pl.col(each.column).cast(pl.Float64())
        is_of_series = _beside(each, pl.col(_SERIES)) == pl.col(_SERIES)
        columns += [
            pl.when(is_of_series).then(_beside(each, value)).alias(each.value),
            pl.when(is_of_series).then(_beside(each, time)).alias(each.at),
        ]
    return ordered.with_columns(columns).drop(_SERIES)


def _beside(neighbour: _Neighbour, what: pl.Expr) -> pl.Expr:
    """What is in the nearest row on that side in which the column has a value, of this series or another."""
    known = pl.when(pl.col(neighbour.column).is_not_null()).then(what)
    return known.shift(-1).backward_fill() if neighbour.is_next else known.shift(1).forward_fill()


def _neighbours(window: WindowSpec) -> Iterator[_Neighbour]:
    carried = [each for each in window.aggregates.values() if each.function in WITH_CARRY and each.carry != "none"]
    for column in dict.fromkeys(str(each.column) for each in carried):
        yield _Neighbour(column, is_next=False)
    for column in dict.fromkeys(str(each.column) for each in carried if each.carry == "linear"):
        yield _Neighbour(column, is_next=True)


# ------------------------------------------------------------------------------------------------ outputs


def output(ordered: Ordered, aggregate: Aggregate, where: str) -> pl.Series:
    """`time_weighted_mean` or `integral` of a column for each group; see `spec.windows.Aggregate`.

    The values of a series are taken for a function of time f: a step (`carry: previous`), or a line from each to the
    next (`linear`). In a window from s to e the integral is ∫ f over the time that f is known, in values × seconds, and
    the mean is that by the length of this time. f is known from s on if there is a value at most `max_carry` before s,
    else from the first value in the window; up to e if it is a step, or if the next value is at most `max_carry` after
    e, else up to the last value. With `carry: none` it is a step between the first and the last value. Groups without
    a value, and those in which f is known for no time, are null. Each area is rounded once, and so is their exact sum.
    """
    column = str(aggregate.column)
    stretches = _stretches(ordered, column, aggregate)
    length = pl.col("to") - pl.col("from")
    is_line = aggregate.carry == "linear"
    height = pl.col("left") * 0.5 + pl.col("right") * 0.5 if is_line else pl.col("left")
    areas = stretches.filter(length > 0).select(GROUP, length.alias("length"), (height * length).alias("area"))
    groups, sums = group_sums(areas, [GROUP], {"area": pl.Float64(), "length": pl.Int64()}, where)
    covered = sums["length"].whole()
    assert covered is not None  # times are 64 bits long
    is_mean = aggregate.function == "time_weighted_mean"
    divisor = covered if is_mean else pl.repeat(_SECOND_US, covered.len(), dtype=pl.Int64(), eager=True)
    found = finite(sums["area"].floats(divisor), where)
    return ordered.null_with_nulls(ordered.per_group(groups.with_columns(found.alias("found")), "found"), aggregate)


def _stretches(ordered: Ordered, column: str, aggregate: Aggregate) -> pl.DataFrame:
    """The stretches of time between values and bounds: µs `from` and `to`, and f at their ends, `left` and `right`."""
    values = _values(ordered, column)
    between = _stretch(values.filter(~pl.col("is_last")), "at", "next_at", pl.col("value"), pl.col("next"))
    before, after = _Neighbour(column, is_next=False), _Neighbour(column, is_next=True)
    match aggregate.carry:
        case "none":
            return between
        case "linear":
            lead = _line(before, pl.col("start"))
            tail = _stretch(_near(values, after, aggregate), "at", "end", pl.col("value"), _line(after, pl.col("end")))
        case _:
            lead = pl.col(before.value)
            tail = _stretch(values.filter("is_last"), "at", "end", pl.col("value"), pl.col("value"))
    return pl.concat([_stretch(_near(values, before, aggregate), "start", "at", lead, pl.col("value")), between, tail])


def _values(ordered: Ordered, column: str) -> pl.DataFrame:
    """Each value, what is next to it in its group and in its series, and the bounds of its window."""
    rows, group = ordered.values(column), pl.col(GROUP)
    beside = [
        # Without bounds to carry a value over, there are no neighbours.
        pl.col(name) if name in rows.columns else pl.lit(None, kind).alias(name)
        for is_next in (False, True)
        for name, kind in _Neighbour(column, is_next).schema.items()
    ]
    return rows.select(
        GROUP,
        pl.col(AT).alias("at"),
        pl.col(column).cast(pl.Float64()).alias("value"),
        pl.col(AT).shift(-1).alias("next_at"),
        pl.col(column).cast(pl.Float64()).shift(-1).alias("next"),
        group.ne_missing(group.shift(1)).alias("is_first"),
        group.ne_missing(group.shift(-1)).alias("is_last"),
        ordered.groups["from"].gather(rows[GROUP]).alias("start"),
        ordered.groups["to"].gather(rows[GROUP]).alias("end"),
        *beside,
    )


def _near(values: pl.DataFrame, neighbour: _Neighbour, aggregate: Aggregate) -> pl.DataFrame:
    """The first or last value of each window that has a neighbour beyond the bound, near enough to carry."""
    edge, distance = (
        ("is_last", pl.col(neighbour.at) - pl.col("end"))
        if neighbour.is_next
        else ("is_first", pl.col("start") - pl.col(neighbour.at))
    )
    at_edge = values.filter(pl.col(edge) & pl.col(neighbour.at).is_not_null())
    return at_edge if aggregate.max_carry is None else at_edge.filter(distance <= aggregate.max_carry)


def _line(neighbour: _Neighbour, at: pl.Expr) -> pl.Expr:
    """Where the line from a value to its neighbour stands at a time between them."""
    share = (at - pl.col("at")) / (pl.col(neighbour.at) - pl.col("at"))
    return pl.col("value") + (pl.col(neighbour.value) - pl.col("value")) * share


def _stretch(values: pl.DataFrame, start: str, end: str, left: pl.Expr, right: pl.Expr) -> pl.DataFrame:
    return values.select(
        GROUP, pl.col(start).alias("from"), pl.col(end).alias("to"), left.alias("left"), right.alias("right")
    )
