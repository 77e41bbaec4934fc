"""Which window a time falls in. Pure."""

import polars as pl

from windrow.lake.schema import TIMESTAMP


def tumbling_start(time: pl.Expr, size_us: int) -> pl.Expr:
    """The start of the half-open window [start, end) that holds a time; aligned to 1970, and before 1970 too."""
    return ((time.dt.timestamp("us") // size_us) * size_us).cast(TIMESTAMP)
