"""Rows in the order in which they lie in files: by place, so that replacing one touches few files, then key and time.

Sorting by several columns costs more than all else in a commit. Most often their values fit into one whole number per
row that orders rows in the same way, and numbers are sorted several times as fast.
"""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from windrow.lake.schema import BUCKET, SHARD
from windrow.spec import StreamSpec

_MOST = 2**63 - 1


def in_order(rows: pl.DataFrame, spec: StreamSpec) -> pl.DataFrame:
    """Rows by bucket, shard, keys (those that there are) and time; nulls come first."""
    keys = [name for name in spec.keys if name in rows.columns]
    time = spec.time.column
    number = None
    if rows.height > 1:
        since_bucket = rows[time].dt.timestamp("us") - rows[BUCKET]
        number = one_number([rows[BUCKET] // spec.bucket, rows[SHARD], *(rows[name] for name in keys), since_bucket])
    if number is None:
        return rows.sort([BUCKET, SHARD, *keys, time])
    return rows.rechunk()[number.arg_sort()]


def one_number(columns: Sequence[pl.Series]) -> pl.Series | None:
    """For each row a number that orders rows as these columns do; None if there is none that is small enough."""
    number, span = pl.zeros(len(columns[0]), pl.Int64, eager=True), 1
    for column in columns:
        found = _ranks(column)
        if found is None or span * found.span > _MOST:
            return None
        span *= found.span
        if found.span > 1:
            number = number * found.span + found.ranks
    return number


class _Ranks(NamedTuple):
    """Numbers from 0 up to `span` that order rows as a column does."""

    ranks: pl.Series
    span: int


def _ranks(column: pl.Series) -> _Ranks | None:
    if column.dtype == pl.String:
        # As UTF-8, which is how polars compares text.
        names = column.drop_nulls().unique().sort()
        ranks, span = column.cast(pl.Enum(names)).to_physical().cast(pl.Int64), len(names)
    elif column.dtype.is_integer() and column.dtype.is_signed_integer() and column.null_count() < len(column):
        least, most = int(column.min()), int(column.max())  # type: ignore[arg-type]
        span = most - least + 1
        if span > _MOST:
            return None
        ranks = column.cast(pl.Int64) - least
    else:
        return None
    return _Ranks((ranks + 1).fill_null(0), span + 1) if column.null_count() else _Ranks(ranks, span)
