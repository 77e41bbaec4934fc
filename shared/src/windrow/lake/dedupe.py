"""Law 7: rows with the same record id are one record."""

import polars as pl

from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT
from windrow.spec import StreamSpec


def deduplicate(rows: pl.DataFrame, spec: StreamSpec) -> pl.DataFrame:
    """One row per record id: by default the one received last, ties by batch and position.

    The result depends on the set of rows alone, not on their order.
    """
    ordered = rows.sort(RECEIVED_AT, BATCH, ORDINAL)
    return ordered.unique(subset=list(spec.identity), keep=spec.keep, maintain_order=True)
