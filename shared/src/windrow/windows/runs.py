"""Runs of consecutive whole numbers. Pure."""

from typing import NamedTuple

import polars as pl

from windrow.errors import TooLarge

MOST = 200_000_000
"""More windows than this at once are an accident, such as a stray time; memory would not hold them."""


class Runs(NamedTuple):
    """Whole numbers, ascending, each once; and which run of consecutive ones each is in, counted from 0."""

    numbers: pl.Series
    run: pl.Series


def within(low: pl.Series, high: pl.Series) -> Runs:
    """The whole numbers that lie in any of the ranges low … high (Int64, both included).

    Raises TooLarge where they are more than memory holds.
    """
    lows, highs = pl.col("low"), pl.col("high")
    runs = (
        pl.DataFrame({"low": low, "high": high})
        .filter(lows <= highs)
        .unique()
        .sort("low")
        .with_columns(
            (lows > highs.cum_max().shift(1) + 1).fill_null(value=False).cum_sum().cast(pl.Int64).alias("run")
        )
        .group_by("run", maintain_order=True)
        .agg(lows.min(), highs.max())
    )
    checked(runs.select((highs - lows + 1).sum()).item())
    each = runs.select("run", pl.int_ranges("low", highs + 1).alias("number")).explode("number")
    return Runs(each["number"], each["run"])


def checked(count: int) -> None:
    """Refuses numbers of windows that no memory holds, before they are made."""
    if count > MOST:
        raise TooLarge(
            f"{count:,} windows at once, {MOST:,} are the most; make windows longer or fewer per row, "
            "or look for stray times among the rows"
        )
