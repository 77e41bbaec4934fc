"""What an export of a bucket is: its files, and the manifest that says which they are. Pure: rows in, bytes out."""

import hashlib
import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

import msgspec
import polars as pl

from windrow.errors import BadInput
from windrow.lake.dedupe import deduplicate
from windrow.lake.schema import BATCH, BUCKET, EVENT_DATE, ORDINAL, RECEIVED_AT, SHARD
from windrow.lake.tables import Place
from windrow.spec import StreamSpec
from windrow.units import DAY_US, utc_date

_ROW_GROUP_ROWS = 131_072


class ExportedFile(msgspec.Struct, frozen=True):
    """A file of an export. `path` begins below the sink's prefix."""

    path: str
    row_count: int
    size_bytes: int
    sha256: str


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """What `_SUCCESS` holds: the export of a bucket, complete. Only the files it names belong to it."""

    v: int = 1
    stream: str
    bucket: datetime
    """Its start."""
    shard: int
    spec_version: int
    revision: int
    """How often the export has been replaced: a late record that seals the bucket again makes the next one."""
    table_version: int
    """The version of the `records` table that the rows were read from."""
    row_count: int
    min_event_time: datetime | None
    max_event_time: datetime | None
    input_count: int
    input_digest: str
    """Number and name of the set of batches that the bucket was sealed with; only a larger set replaces an export."""
    batches: tuple[str, ...]
    """The batches that brought these rows."""
    files: tuple[ExportedFile, ...]


class Part(NamedTuple):
    """Some rows of one day, as the bytes of a file."""

    day: date
    row_count: int
    body: bytes
    sha256: str


_DECODER = msgspec.json.Decoder(Export)


def encode(export: Export) -> bytes:
    return msgspec.json.format(msgspec.json.encode(export), indent=2)


def decode(body: bytes) -> Export:
    """The export in an object's bytes; BadInput when it is none."""
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"not the manifest of an export: {error}") from error


def days_of(place: Place, spec: StreamSpec) -> list[date]:
    """The days that a bucket spans; more than one only if it is longer than a day."""
    return [utc_date(start_us) for start_us in range(place.bucket_us, place.bucket_us + spec.bucket, DAY_US)]


def exported_rows(rows: pl.DataFrame, spec: StreamSpec) -> pl.DataFrame:
    """A bucket's rows as an export holds them: each record once, in an order that follows from the rows alone."""
    return deduplicate(rows, spec).sort(*spec.keys, spec.time.column, RECEIVED_AT, BATCH, ORDINAL)


def parts_of(rows: pl.DataFrame, max_rows: int) -> Iterator[Part]:
    """The files of these rows, day by day, made one at a time. What the folders say is not said again in them."""
    for (day,), of_day in rows.partition_by(EVENT_DATE, as_dict=True, maintain_order=True).items():
        assert isinstance(day, date)
        for some in of_day.drop(EVENT_DATE, BUCKET, SHARD).iter_slices(max_rows):
            file = io.BytesIO()
            some.write_parquet(file, compression="zstd", statistics=True, row_group_size=_ROW_GROUP_ROWS)
            body = file.getvalue()
            yield Part(day, some.height, body, hashlib.sha256(body).hexdigest())
