"""Decoded batches, put where the writer finds them, without a consumer."""

import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import polars as pl

from windrow import keys, manifest
from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT, segment_schema
from windrow.ports import ObjectHeaders, ObjectStore
from windrow.spec import StreamSpec
from windrow.units import from_us, to_us

RECEIVED_US = 1_767_225_600_000_000


def batch_rows(
    spec: StreamSpec, batch: str, records: Iterable[Mapping[str, object]], received_us: int = RECEIVED_US
) -> pl.DataFrame:
    """Records as the rows of one batch. An int in the time column is seconds since 2026-01-01."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {
            **dict.fromkeys(spec.stored),
            **record,
            spec.time.column: from_us(to_us(start) + int(str(record[spec.time.column])) * 1_000_000),
            BATCH: batch,
            ORDINAL: ordinal,
            RECEIVED_AT: from_us(received_us),
        }
        for ordinal, record in enumerate(records)
    ]
    return pl.DataFrame(rows, schema=segment_schema(spec), orient="row")


def put_batch(store: ObjectStore, spec: StreamSpec, rows: pl.DataFrame, batch: str) -> None:
    """A batch's segments and its manifest."""
    entries: list[manifest.SegmentEntry] = []
    bucket = (pl.col(spec.time.column).dt.timestamp("us") // spec.bucket * spec.bucket).alias("__bucket")
    for (bucket_us,), part in rows.with_columns(bucket).partition_by("__bucket", as_dict=True).items():
        file = io.BytesIO()
        part.drop("__bucket").write_parquet(file)
        key = keys.segment_key(keys.SegmentAddress(spec.stream, int(str(bucket_us)), 0, batch))
        store.put(key, file.getvalue(), ObjectHeaders())
        entries.append(manifest.SegmentEntry(int(str(bucket_us)), 0, part.height, len(file.getvalue())))
    found = manifest.Manifest(
        stream=spec.stream,
        batch=batch,
        landing_key=f"landing/{spec.stream}/{batch}",
        spec_version=1,
        source="upload",
        received_us=RECEIVED_US,
        decoded=rows.height,
        accepted=rows.height,
        quarantined=0,
        segments=tuple(entries),
    )
    store.put(keys.manifest_key(spec.stream, batch), manifest.encode(found), ObjectHeaders())
