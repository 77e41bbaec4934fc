"""Aggregates as Spark expressions: of rows at once, or of parts that were aggregated before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from windrow.spark.series import is_after_begin, is_before_end, order
from windrow.spec import Aggregate, StreamSpec, WindowSpec
from windrow.spec.windows import AlignedWindow, SequenceWindow, SessionWindow
from windrow.units import SECOND_US

_ACCURACY = 10_000
"""percentile_approx: one over the error in rank."""
_LOG_REGISTERS = 12
"""A HyperLogLog's standard error is 1.04 / sqrt(registers)."""
_INT64_MAX = (1 << 63) - 1
_LOW_BITS = 32
_WIDE = "decimal(20,0)"
"""Holds every 64-bit integer, and its differences and sums do not overflow."""

Merge = Callable[[Column], Column]


@dataclass(frozen=True, slots=True)
class _Part:
    """One column that is kept of a group of rows."""

    name: str
    of_rows: Column
    merge: Merge | None
    """Makes the parts of several groups that of all; None where only the rows themselves can tell."""


@dataclass(frozen=True, slots=True)
class _Recipe:
    """An output: what is kept of rows, and the result made of that."""

    parts: tuple[_Part, ...]
    result: Column


def decomposable(spec: StreamSpec, window: WindowSpec) -> bool:
    """Whether every output can be made from parts."""
    return all(part.merge is not None for part in _parts(_recipes(spec, window)))


def whole(rows: DataFrame, by: Sequence[str], spec: StreamSpec, window: WindowSpec) -> DataFrame:
    """One row per group of `by`: `by`, the outputs, `row_count`, and `__first` and `__last`, times of its rows (µs).

    Fails when it is read where numbers add up to more than their type holds.
    """
    return finish(parts(rows, by, spec, window), by, spec, window)


def parts(rows: DataFrame, by: Sequence[str], spec: StreamSpec, window: WindowSpec) -> DataFrame:
    """One row per group of `by`: `by`, and what is kept of its rows."""
    kept = (part.of_rows.alias(part.name) for part in _parts(_recipes(spec, window)))
    return rows.groupBy(*by).agg(*kept)


def merge(some: DataFrame, by: Sequence[str], spec: StreamSpec, window: WindowSpec) -> DataFrame:
    """Parts of which several are of one group as one each. Needs `decomposable`."""
    merged = (
        part.merge(F.col(part.name)).alias(part.name)
        for part in _parts(_recipes(spec, window))
        if part.merge is not None
    )
    return some.groupBy(*by).agg(*merged)


def finish(some: DataFrame, by: Sequence[str], spec: StreamSpec, window: WindowSpec) -> DataFrame:
    """Parts, one row per group, as outputs."""
    outputs = (recipe.result.alias(name) for name, recipe in _recipes(spec, window).items())
    return some.select(*by, *outputs, "row_count", "__first", "__last")


def _parts(recipes: dict[str, _Recipe]) -> list[_Part]:
    time = F.col("__time")
    every = [
        _Part("row_count", F.count(F.lit(1)), F.sum),
        _Part("__first", F.min(time), F.min),
        _Part("__last", F.max(time), F.max),
    ]
    return every + [part for recipe in recipes.values() for part in recipe.parts]


def _recipes(spec: StreamSpec, window: WindowSpec) -> dict[str, _Recipe]:
    return {
        name: _with_nulls(name, aggregate, _Output(name, aggregate, spec, window).recipe())
        for name, aggregate in window.aggregates.items()
    }


def _with_nulls(name: str, aggregate: Aggregate, recipe: _Recipe) -> _Recipe:
    """With `skip_nulls: false` a null makes the result null."""
    if aggregate.skip_nulls or aggregate.column is None:
        return recipe
    nulls = _Part(f"__{name}_nulls", F.count(F.when(F.col(aggregate.column).isNull(), 1)), F.sum)
    return _Recipe((*recipe.parts, nulls), F.when(F.col(nulls.name) == 0, recipe.result))


class _Output:
    """Makes the recipe of one output."""

    def __init__(self, name: str, aggregate: Aggregate, spec: StreamSpec, window: WindowSpec) -> None:
        self._name = name
        self._aggregate = aggregate
        self._spec = spec
        self._window = window
        self._parts: list[_Part] = []
        self._source = F.col(aggregate.column) if aggregate.column is not None else F.lit(1)
        self._kind = spec.columns[aggregate.column].type if aggregate.column is not None else "int"

    def recipe(self) -> _Recipe:
        result = self._result()
        return _Recipe(tuple(self._parts), result)

    def _result(self) -> Column:
        source, number = self._source, self._source.cast("double")
        match self._aggregate.function:
            case "count":
                return self._values()
            case "sum":
                return F.when(self._values() > 0, self._sum())
            case "mean":
                values = self._values()
                return F.when(values > 0, self._finite(self._total().cast("double") / values))
            case "min":
                return self._part("min", F.min(source), F.min)
            case "max":
                return self._part("max", F.max(source), F.max)
            case "first":
                return self._part("first", F.min(self._stamped()), F.min)["__value"]
            case "last":
                return self._part("last", F.max(self._stamped()), F.max)["__value"]
            case "var":
                return F.when(self._values() > 1, self._finite(self._part("var", F.var_samp(number))))
            case "std":
                return F.when(self._values() > 1, self._finite(self._part("std", F.stddev_samp(number))))
            case "median":
                return self._finite(self._part("median", F.percentile(number, 0.5)))
            case "quantile":
                return self._finite(self._part("quantile", F.percentile(number, self._aggregate.share or 0.0)))
            case "approx_quantile":
                share = self._aggregate.share or 0.0
                return self._part("quantile", F.percentile_approx(number, share, _ACCURACY))
            case "n_unique":
                return self._part("unique", F.count_distinct(self._plain()))
            case "approx_n_unique":
                sketch = F.hll_sketch_agg(self._plain().cast("string"), _LOG_REGISTERS)
                return F.hll_sketch_estimate(self._part("sketch", sketch, F.hll_union_agg))
            case "collect":
                stamped = self._part("stamped", F.array_sort(F.collect_list(self._stamped())))
                return F.when(F.size(stamped) > 0, F.transform(stamped, lambda each: each["__value"]))
            case "time_of_min":
                at = F.when(source.isNotNull(), F.struct(source.alias("__value"), F.col("__time").alias("__at")))
                return F.timestamp_micros(self._part("at", F.min(at), F.min)["__at"])
            case "time_of_max":
                # The greatest value, and of its times the earliest.
                at = F.when(source.isNotNull(), F.struct(source.alias("__value"), (-F.col("__time")).alias("__at")))
                return F.timestamp_micros(-self._part("at", F.max(at), F.max)["__at"])
            case "time_weighted_mean" | "integral":
                return self._weighted()
            case "rate" | "increase" | "resets" | "changes":
                return self._of_pairs()

    def _part(self, label: str, of_rows: Column, merge: Merge | None = None) -> Column:
        part = _Part(f"__{self._name}_{label}", of_rows, merge)
        self._parts.append(part)
        return F.col(part.name)

    def _values(self) -> Column:
        return self._part("values_count", F.count(self._source), F.sum)

    def _stamped(self) -> Column:
        """A value with what it is ordered by; null where it is null."""
        place = [F.col(name) for name in order(self._spec)]
        return F.when(self._source.isNotNull(), F.struct(*place, self._source.alias("__value")))

    def _plain(self) -> Column:
        """Values of which equal ones are written the same: -0.0 is 0.0."""
        return self._source + F.lit(0.0) if self._kind == "float" else self._source

    # -------------------------------------------------------------------------------------------- sums

    def _total(self) -> Column:
        """The sum of all values, exact but for floats."""
        match self._kind:
            case "int":
                # Two sums of halves are exact, and much faster than a sum of decimals.
                high = self._part("high", F.sum(F.shiftright(self._source, _LOW_BITS)), F.sum)
                low = self._part("low", F.sum(self._source.bitwiseAND((1 << _LOW_BITS) - 1)), F.sum)
                weight = F.lit(1 << _LOW_BITS).cast("decimal(11,0)")
                return high.cast(_WIDE) * weight + low.cast(_WIDE)
            case "decimal":
                column = self._spec.columns[self._aggregate.column or ""]
                digits = min(38, column.precision + 10)
                source = self._source.cast(f"decimal({digits},{column.scale})")
                return self._part("sum", self._fitting(F.try_sum(source), F.count(source)), self._merged_decimals)
            case _:
                return self._part("sum", F.sum(self._source), F.sum)

    def _merged_decimals(self, sums: Column) -> Column:
        return self._fitting(F.try_sum(sums), F.count(sums))

    def _fitting(self, total: Column, values: Column) -> Column:
        """A sum of decimals that passed 38 digits is null, and must not be taken for one of nothing."""
        return F.when(total.isNull() & (values > 0), self._refused("passes 38 digits", "a float")).otherwise(total)

    def _sum(self) -> Column:
        total = self._total()
        if self._kind == "float":
            return self._finite(total)
        if self._kind == "decimal":
            return total
        is_fitting = total.between(F.lit(-_INT64_MAX - 1), F.lit(_INT64_MAX))
        return F.when(is_fitting, total.cast("long")).otherwise(self._refused("passes 64 bits", "a float"))

    def _finite(self, number: Column) -> Column:
        is_finite = F.abs(number) < F.lit(float("inf"))
        return F.when(number.isNull() | is_finite, number).otherwise(self._refused("passes what a float holds"))

    def _refused(self, what: str, remedy: str = "") -> Column:
        each = self._aggregate
        hint = f"; make {each.column} {remedy}" if remedy else ""
        return F.raise_error(F.lit(f"{self._spec.stream}: {self._name}: {each} {what} in a window{hint}"))

    # -------------------------------------------------------------------------------------------- pairs of values

    def _of_pairs(self) -> Column:
        """Aggregates of values that follow each other in a window."""
        source, before = self._source, F.col(f"__before_{self._aggregate.column}")
        is_pair = source.isNotNull() & before.isNotNull() & is_after_begin(before, self._window)
        previous = before["__value"]
        match self._aggregate.function:
            case "resets":
                found = F.count(F.when(is_pair & (source < previous), 1))
                return F.when(self._values() > 0, self._part("resets", found))
            case "changes":
                found = F.count(F.when(is_pair & (source != previous), 1))
                return F.when(self._values() > 0, self._part("changes", found))
        # In integers and decimals a small difference of large numbers is exact.
        new, old = (each.cast(_WIDE) if self._kind == "int" else each for each in (source, previous))
        grown = F.when(source >= previous, (new - old).cast("double")).otherwise(source.cast("double"))
        increase = self._finite(self._part("increase", F.sum(F.when(is_pair, grown))))
        if self._aggregate.function == "increase":
            return increase
        times = F.when(source.isNotNull(), F.col("__time"))
        span = self._part("last", F.max(times)) - self._part("first", F.min(times))
        return F.when(span > 0, self._finite(increase / (span / SECOND_US)))

    # -------------------------------------------------------------------------------------------- weighted by time

    def _weighted(self) -> Column:
        """Integrals of what stands between values; each row brings the stretch after it, the first that before it."""
        stretches = self._stretches()
        is_value = self._source.isNotNull()
        area = F.sum(F.when(is_value, _added([stretch.area for stretch in stretches])))
        length = F.sum(F.when(is_value, _added([stretch.length for stretch in stretches])))
        integral, covered = self._part("area", area), self._part("length", length)
        whole = integral / (covered if self._aggregate.function == "time_weighted_mean" else F.lit(float(SECOND_US)))
        return F.when(covered > 0, self._finite(whole))

    def _stretches(self) -> "list[_Stretch]":
        column = self._aggregate.column
        before, after = F.col(f"__before_{column}"), F.col(f"__after_{column}")
        here = _Point(F.col("__time"), self._source.cast("double"))
        earlier, later = (_Point(each["__time"], each["__value"].cast("double")) for each in (before, after))
        goes_on = after.isNotNull() & is_before_end(after, self._window)
        begins = before.isNotNull() & ~is_after_begin(before, self._window)
        # Counted and pairwise windows go from their first row to their last: nothing is carried into them.
        is_carried = self._aggregate.carry != "none" and isinstance(
            self._window, AlignedWindow | SessionWindow | SequenceWindow
        )
        if self._aggregate.carry == "none":
            return [_step(here.value, here.time, later.time).where(goes_on)]
        start, end = F.col("__start"), F.col("__end")
        if self._aggregate.carry == "linear":
            inner = _line(here, later, here.time, later.time).where(goes_on)
            if not is_carried:
                return [inner]
            reached = ~goes_on & after.isNotNull() & self._is_near(later.time - end)
            carried = begins & self._is_near(start - earlier.time)
            return [
                inner,
                _line(here, later, here.time, end).where(reached),
                _line(earlier, here, start, here.time).where(carried),
            ]
        held = _step(here.value, here.time, F.when(goes_on, later.time).otherwise(end))
        if not is_carried:
            return [held]
        carried = begins & self._is_near(start - earlier.time)
        return [held, _step(earlier.value, start, here.time).where(carried)]

    def _is_near(self, distance: Column) -> Column:
        most = self._aggregate.max_carry
        return F.lit(True) if most is None else distance <= most


@dataclass(frozen=True, slots=True)
class _Point:
    time: Column
    value: Column


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A stretch of a curve: what is under it, in values × µs, and how long it is, in µs."""

    area: Column
    length: Column

    def where(self, condition: Column) -> "_Stretch":
        """Nothing, where the condition does not hold."""
        return _Stretch(F.when(condition, self.area).otherwise(0.0), F.when(condition, self.length).otherwise(0))


def _step(value: Column, start: Column, end: Column) -> _Stretch:
    return _Stretch(value * (end - start), end - start)


def _line(left: _Point, right: _Point, start: Column, end: Column) -> _Stretch:
    """The part from start to end of the line from left to right."""
    rise, run = right.value - left.value, right.time - left.time
    middle = ((start - left.time) + (end - left.time)) / 2
    height = F.when(run > 0, left.value + rise * (middle / run)).otherwise(left.value)
    return _Stretch(height * (end - start), end - start)


def _added(columns: Sequence[Column]) -> Column:
    return reduce(lambda left, right: left + right, columns)
