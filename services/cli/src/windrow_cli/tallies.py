"""Rows counted another way than they were written: windows by their bounds, buckets by their records. Pure.

Frames here hold what `columns` names of records: the keys, the time, the identity and Windrow's own columns.
"""

from collections.abc import Collection, Mapping

import polars as pl

from windrow.lake.schema import BATCH, BUCKET, ORDINAL, SHARD
from windrow.lake.tables import Place, is_final_growth, place_mark
from windrow.spec import StreamSpec, WindowSpec
from windrow.spec.windows import AlignedWindow, SessionWindow, TumblingWindow

_TIME, _AT, _N = "__time", "__at", "__n"


def columns(spec: StreamSpec) -> list[str]:
    """The columns of records that counting needs."""
    return list(dict.fromkeys((*spec.keys, spec.time.column, *spec.identity, BATCH, ORDINAL, BUCKET, SHARD)))


def sealed(places: Collection[Place], marks: Mapping[str, int]) -> list[Place]:
    """Those that were sealed, by the marks of the records table."""
    return [place for place in places if is_final_growth(marks.get(place_mark(place)))]


def copies(records: pl.DataFrame, late: pl.DataFrame, spec: StreamSpec, marks: Mapping[str, int]) -> pl.DataFrame:
    """Rows too many per sealed bucket and shard. A copy that came after the seal (`late`) waits for the next one."""
    places = _frame(sealed(_places(records), marks))
    same = [*spec.identity, BUCKET, SHARD]
    again = (
        records.join(places, on=[BUCKET, SHARD])
        .join(late.select(BATCH, ORDINAL).unique().with_columns(__late=True), on=[BATCH, ORDINAL], how="left")
        .group_by(same)
        .agg(pl.len().alias("rows"), pl.col("__late").any().alias("__late"))
        .filter((pl.col("rows") > 1) & ~pl.col("__late").fill_null(value=False))
    )
    return again.group_by(BUCKET, SHARD).agg((pl.col("rows") - 1).sum().alias("copies")).sort(BUCKET, SHARD)


def is_countable(window: WindowSpec) -> bool:
    """Whether a window's row_count is exactly the number of records between its bounds, now that all are in."""
    if window.late == "divert":
        return False
    return isinstance(window, AlignedWindow) or (isinstance(window, SessionWindow) and window.max_duration is None)


def is_one_bucket(window: WindowSpec, spec: StreamSpec) -> bool:
    """Whether each record of a bucket is in exactly one window, which begins in the same bucket."""
    if not isinstance(window, TumblingWindow) or window.closed == "right" or window.late == "divert":
        return False
    size_us = window.span.fixed_us(window.timezone)
    return size_us is not None and spec.bucket % size_us == 0 and window.offset % size_us == 0


def miscounted(windows: pl.DataFrame, records: pl.DataFrame, spec: StreamSpec, window: WindowSpec) -> pl.DataFrame:
    """The windows whose row_count is not `expected`, the number of different records between their bounds."""
    keys = list(spec.keys)
    at_end = _includes_end(window)
    at_start = isinstance(window, AlignedWindow) and window.closed == "right"
    held = (
        records.unique(list(spec.identity))
        .select(*keys, pl.col(spec.time.column).dt.timestamp("us").alias(_TIME))
        .sort(_TIME)
        .with_columns(pl.int_range(1, pl.len() + 1).over(keys or pl.lit(1)).alias(_N))
    )
    # A record at a bound is before it unless the bound is the window's own.
    start, end = pl.col("window_start").dt.timestamp("us"), pl.col("window_end").dt.timestamp("us")
    before = _up_to(windows, start - int(not at_start), held, keys)
    until = _up_to(windows, end - int(not at_end), held, keys)
    return windows.with_columns((until - before).alias("expected")).filter(pl.col("row_count") != pl.col("expected"))


def _includes_end(window: WindowSpec) -> bool:
    if isinstance(window, SessionWindow):
        return window.session_end == "last"
    return isinstance(window, AlignedWindow) and window.closed == "right"


def _up_to(windows: pl.DataFrame, at: pl.Expr, held: pl.DataFrame, keys: list[str]) -> pl.Series:
    """How many records of its key there are up to a time, for each window."""
    asked = windows.select(*keys, at.alias(_AT)).with_row_index("__row").sort(_AT)
    met = asked.join_asof(
        held, left_on=_AT, right_on=_TIME, by=keys or None, strategy="backward", check_sortedness=False
    )
    return met.sort("__row")[_N].fill_null(0)


def unwindowed(
    windows: pl.DataFrame, records: pl.DataFrame, spec: StreamSpec, known: Collection[Place]
) -> pl.DataFrame:
    """Of the buckets that have windows, those whose windows together count other than their different records."""
    held = records.unique(list(spec.identity)).group_by(BUCKET, SHARD).agg(pl.len().cast(pl.Int64).alias("records"))
    counted = windows.group_by(BUCKET, SHARD).agg(pl.col("row_count").sum().alias("counted"))
    both = _frame(known).join(held, on=[BUCKET, SHARD]).join(counted, on=[BUCKET, SHARD], how="left")
    return both.with_columns(pl.col("counted").fill_null(0)).filter(pl.col("records") != pl.col("counted"))


def unrecorded(late: pl.DataFrame, records: pl.DataFrame, spec: StreamSpec) -> int | None:
    """Entries of the late ledger without a record; None where another record may stand for one under another key."""
    if not spec.unique:
        on = [BATCH, ORDINAL]
    elif set(spec.keys) <= set(spec.unique):
        on = list(dict.fromkeys((*spec.keys, spec.time.column)))
    else:
        return None
    return late.join(records, on=on, how="anti").height


def placed(marks: Mapping[str, int]) -> list[Place]:
    """The places that a table's marks speak of."""
    found = (name.split(":") for name in marks if name.startswith("place:"))
    return [Place(int(bucket), int(shard)) for _, bucket, shard in found]


def _places(records: pl.DataFrame) -> list[Place]:
    return [Place(*row) for row in records.select(BUCKET, SHARD).unique().rows()]


def _frame(places: Collection[Place]) -> pl.DataFrame:
    return pl.DataFrame([tuple(place) for place in places], schema={BUCKET: pl.Int64, SHARD: pl.Int32}, orient="row")
