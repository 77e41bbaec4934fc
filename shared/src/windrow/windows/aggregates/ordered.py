"""Rows of groups in order of time, for what depends on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from windrow.lake.schema import column_type
from windrow.spec import Aggregate, StreamSpec

GROUP, AT = "__group", "__at"


@dataclass(frozen=True, slots=True)
class Ordered:
    """Rows by group, then by time and record id."""

    rows: pl.DataFrame
    """With `__group`, the group's number from 0, and `__at`, the time in µs."""
    groups: pl.DataFrame
    """One row per group, in order of its number: what the rows are grouped by, `rows`, and `from` and `to`: the bounds
    of its window, or the times of its first and last row."""
    kinds: Mapping[str, pl.DataType]
    """Types of the value columns."""

    @classmethod
    def of(cls, rows: pl.DataFrame, by: Sequence[str], order: Sequence[str], spec: StreamSpec) -> "Ordered":
        ordered = rows.sort(*by, *order)
        is_new = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in by)
        ordered = ordered.with_columns(
            (is_new | (pl.int_range(pl.len()) == 0)).cum_sum().cast(pl.Int64()).sub(1).alias(GROUP),
            pl.col(order[0]).dt.timestamp("us").alias(AT),
        )
        bounds = ("__start", "__end") if "__start" in by else (AT, AT)
        groups = (
            ordered.group_by(GROUP)
            .agg(
                *(pl.col(name).first() for name in by),
                pl.len().alias("rows"),
                pl.col(bounds[0]).first().alias("from"),
                pl.col(bounds[1]).last().alias("to"),
            )
            .sort(GROUP)
        )
        return cls(ordered, groups, {name: column_type(column) for name, column in spec.columns.items()})

    def values(self, column: str) -> pl.DataFrame:
        """The rows in which a column has a value."""
        return self.rows.filter(pl.col(column).is_not_null())

    def per_group(self, found: pl.DataFrame, column: str) -> pl.Series:
        """A column of one row per `__group`, of all groups; null of those that are not there."""
        return self.groups.select(GROUP).join(found.select(GROUP, column), on=GROUP, how="left", maintain_order="left")[
            column
        ]

    def null_with_nulls(self, output: pl.Series, aggregate: Aggregate) -> pl.Series:
        """Null in groups with a null, if the aggregate does not skip them."""
        if aggregate.skip_nulls:
            return output
        nulls = self.rows.group_by(GROUP).agg(pl.col(str(aggregate.column)).has_nulls().alias("nulls"))
        has_nulls = self.per_group(nulls, "nulls")
        return output.zip_with(~has_nulls, pl.Series([None], dtype=output.dtype))


def collected(ordered: Ordered, aggregate: Aggregate) -> pl.Series:
    """The values of each group in order of time; null of groups without."""
    column = str(aggregate.column)
    lists = ordered.values(column).group_by(GROUP, maintain_order=True).agg(pl.col(column).implode())
    return ordered.null_with_nulls(ordered.per_group(lists, column), aggregate)
