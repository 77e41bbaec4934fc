"""All aggregates, from the rows of whole windows."""

from collections.abc import Sequence

import polars as pl

from windrow.lake.schema import output_type
from windrow.spec import Aggregate, AggregateFunction, StreamSpec, WindowSpec
from windrow.windows.aggregates import counters, distribution, weighted
from windrow.windows.aggregates.ordered import Ordered, collected
from windrow.windows.aggregates.parts import FIRST_TIME, LAST_TIME, ROW_COUNT, finish, mergeable, parts
from windrow.windows.aggregates.pieces import order_of

_COUNTERS: frozenset[AggregateFunction] = frozenset({"rate", "increase", "resets", "changes"})


def prepared(rows: pl.LazyFrame, spec: StreamSpec, window: WindowSpec) -> pl.LazyFrame:
    """Rows with what `whole` needs of the rest of their series: the values that stand before and after each, and when.

    To be called on all rows of a key, before they are cut into windows. Adds columns that begin with `__`; none if no
    output needs them.
    """
    return weighted.with_neighbours(rows, spec, window)


def whole(rows: pl.LazyFrame | pl.DataFrame, by: Sequence[str], spec: StreamSpec, window: WindowSpec) -> pl.DataFrame:
    """The outputs of each group of rows: `by`, the outputs, `row_count`, `first_time`, `last_time`.

    Where windows have bounds, `by` holds them as `__start` and `__end` in µs since 1970; what is weighted by time
    reaches from the first row to the last without them. Raises TooLarge where a number passes what its type holds.
    """
    own = _needed(rows.lazy(), by, spec, window).collect(engine="streaming")
    found = finish(parts(own.lazy(), by, spec, window), by, spec, window)
    others = {name: each for name, each in window.aggregates.items() if name not in mergeable(window)}
    of_any_order = {name: each for name, each in others.items() if each.function in distribution.FUNCTIONS}
    if of_any_order:
        found = found.join(distribution.outputs(own, by, of_any_order, spec), on=by, how="left", nulls_equal=True)
    if len(of_any_order) < len(others):
        ordered = Ordered.of(own, by, order_of(spec), spec)
        columns = {
            name: _in_order(ordered, each, f"{spec.stream}: {name}: {each}")
            for name, each in others.items()
            if name not in of_any_order
        }
        groups = ordered.groups.select(by).with_columns(column.alias(name) for name, column in columns.items())
        found = found.join(groups, on=by, how="left", nulls_equal=True)
    outputs = (pl.col(name).cast(output_type(spec, window, name)) for name in window.aggregates)
    return found.select(*by, *outputs, ROW_COUNT, FIRST_TIME, LAST_TIME)


def _in_order(ordered: Ordered, aggregate: Aggregate, where: str) -> pl.Series:
    function = aggregate.function
    if function == "collect":
        return collected(ordered, aggregate)
    if function in _COUNTERS:
        return counters.output(ordered, aggregate, where)
    return weighted.output(ordered, aggregate, where)


def _needed(rows: pl.LazyFrame, by: Sequence[str], spec: StreamSpec, window: WindowSpec) -> pl.LazyFrame:
    values = [each.column for each in window.aggregates.values() if each.column is not None]
    there = rows.collect_schema().names()
    neighbours = [name for name in weighted.neighbours(window) if name in there]
    return rows.select(*dict.fromkeys((*by, *order_of(spec), *values, *neighbours)))
