"""Series: the rows of a key, one after the other in time."""

from collections.abc import Sequence

import polars as pl

Owned = tuple[int, int] | None
"""Only windows that start in here (µs since 1970, end excluded) are wanted; None: all."""


def ordered(rows: pl.LazyFrame, keys: Sequence[str], time: str) -> pl.LazyFrame:
    """Rows in order of key and time, with the number of the key in `__series`.

    Sorting by one whole number, made of the key's number and the time, costs a fifth of sorting by texts and times.
    """
    at = pl.col(time).dt.timestamp("us")
    if not keys:
        return rows.sort(time).with_columns(pl.lit(0, pl.Int64).alias("__series"))
    named = rows.select(keys).unique().collect(engine="streaming").sort(keys).with_row_index("__series")
    first, last = rows.select(at.min().alias("first"), at.max().alias("last")).collect(engine="streaming").row(0)
    span = 1 if first is None else last - first + 1
    wide = pl.Int64() if named.height * span < 1 << 63 else pl.Int128()
    number = pl.col("__series").cast(wide) * pl.lit(span, wide) + (at - (first or 0)).cast(wide)
    return (
        rows.join(named.lazy().with_columns(pl.col("__series").cast(pl.Int64)), on=list(keys), nulls_equal=True)
        .with_columns(number.alias("__order"))
        .sort("__order")
        .drop("__order")
    )


def begins(keys: Sequence[str]) -> pl.Expr:
    """Whether a row is the first of its key, in rows that are sorted by key. Null is a key like any other."""
    first = pl.int_range(pl.len()) == 0
    return pl.any_horizontal(first, *(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in keys))


def numbers(keys: Sequence[str]) -> pl.Expr:
    """The number of the key, in rows that are sorted by key: what a join by key needs, without strings and nulls."""
    return begins(keys).cum_sum().cast(pl.Int64)


def neighbour(value: pl.Expr, distance: int) -> pl.Expr:
    """The value so many rows earlier (later, if negative) in the same series, by `__series`; null where there is none.

    A shift within groups; but it needs no grouping, for rows in order.
    """
    return pl.when(pl.col("__series").shift(distance) == pl.col("__series")).then(value.shift(distance))
