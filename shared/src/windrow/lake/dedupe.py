"""Law 7: rows with the same record id are one record."""

import polars as pl

from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT
from windrow.spec import StreamSpec


def deduplicate(rows: pl.DataFrame, spec: StreamSpec) -> pl.DataFrame:
    """One row per record id: by default the one received last, ties by batch and position.

    Which rows stay depends on the set of rows alone, not on their order.
    """
    # Only rows whose ids share a hash can be the same record; most often there are none, and nothing is put in order.
    may_be_same = rows.select(spec.identity).hash_rows().is_duplicated()
    if not may_be_same.any():
        return rows
    ordered = rows.filter(may_be_same).sort(RECEIVED_AT, BATCH, ORDINAL)
    return pl.concat([rows.filter(~may_be_same), ordered.unique(subset=list(spec.identity), keep=spec.keep)])
