"""Arithmetic of whole numbers, which Spark's `/` does not have."""

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812


def floor_div(number: Column, by: int) -> Column:
    """`number // by`, rounded down below zero too, for `by` above zero. Exact for all of 64 bits."""
    if by == 1:
        return number
    divisor = F.lit(by).cast("long")
    return F.call_function("div", number - F.pmod(number, divisor), divisor)


def numbers(first: Column, last: Column) -> Column:
    """The whole numbers from first to last, both included; none where last is before first."""
    # Spark counts downwards where last is before first.
    return F.when(last >= first, F.sequence(first, last)).otherwise(F.array().cast("array<bigint>"))
