"""Whether two groups of records may hold the same record, told from their panes alone. Pure."""

import polars as pl

from windrow.spec import StreamSpec

_FIRST, _LAST, _OTHER, _SIDE = "first_time", "last_time", "__other", "__side"


def may_share_records(left: pl.DataFrame, right: pl.DataFrame, spec: StreamSpec) -> bool:
    """Whether a record could be in both; then their panes must not be merged.

    Two copies of a record have the same time, and the same key where the key is part of its identity. So where the
    panes of a key cover stretches of time that do not meet, there is none. Of a stream without `unique` this says
    nothing: there only a record that is replayed twice is in two groups.
    """
    if not spec.unique:
        return False
    by = list(spec.keys) if set(spec.keys) <= set(spec.unique) else []
    columns = [*by, _FIRST, _LAST]
    sides = [
        left.lazy().select(*columns, pl.lit(value=True).alias(_SIDE)),
        right.lazy().select(*columns, pl.lit(value=False).alias(_SIDE)),
    ]

    def latest_of(side: bool) -> pl.Expr:  # of those that began before, how far the other side's reach
        latest = pl.when(pl.col(_SIDE) == side).then(pl.col(_LAST)).cum_max().forward_fill().shift(1)
        return latest.over(by) if by else latest

    return bool(
        pl.concat(sides)
        .sort(*by, _FIRST)
        .with_columns(pl.when(_SIDE).then(latest_of(side=False)).otherwise(latest_of(side=True)).alias(_OTHER))
        .select((pl.col(_OTHER) >= pl.col(_FIRST)).fill_null(value=False).any())
        .collect()
        .item()
    )
