"""What an export of a bucket is: its files, and the manifest that says which they are. Pure: rows in, bytes out."""

import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
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
    batches: frozenset[str]
    min_event_time: datetime
    max_event_time: datetime
    body: bytes
    sha256: str


_DECODER = msgspec.json.Decoder(Export)


def encode(export: Export) -> bytes:
    return msgspec.json.format(msgspec.json.encode(export), indent=2)


def decode(body: bytes, origin: str) -> Export:
    """The export in an object's bytes; BadInput, which names their origin, when it is none."""
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"{origin} is not the manifest of an export, remove it: {error}") from error


def days_of(place: Place, spec: StreamSpec) -> list[date]:
    """The days that a bucket spans; more than one only if it is longer than a day."""
    return [utc_date(start_us) for start_us in range(place.bucket_us, place.bucket_us + spec.bucket, DAY_US)]


def repeated(identities: pl.DataFrame, spec: StreamSpec) -> pl.DataFrame:
    """The ids of records of which a bucket holds several copies: those that came since it was sealed (law 7)."""
    ids = identities.select(spec.identity)
    return ids.filter(ids.is_duplicated()).unique()


def parts_of(
    scanned: Iterable[pl.DataFrame], repeated_ids: pl.DataFrame, spec: StreamSpec, max_rows: int
) -> Iterator[Part]:
    """The files of a bucket's rows, each of one day, made one at a time while about `max_rows` are held.

    A bucket of no more rows gets one file for each day, whose bytes follow from the rows alone.
    """
    held: dict[date, list[pl.DataFrame]] = defaultdict(list)
    counts: Counter[date] = Counter()
    for rows in _once(scanned, repeated_ids, spec):
        for (day,), of_day in rows.partition_by(EVENT_DATE, as_dict=True).items():
            assert isinstance(day, date)
            held[day].append(of_day)
            counts[day] += of_day.height
        while counts.total() > max_rows:
            [(day, _)] = counts.most_common(1)
            yield _part(day, pl.concat(held.pop(day)), spec)
            del counts[day]
    for day in sorted(held):
        yield _part(day, pl.concat(held[day]), spec)


def _once(scanned: Iterable[pl.DataFrame], repeated_ids: pl.DataFrame, spec: StreamSpec) -> Iterator[pl.DataFrame]:
    """Each record once: those with copies, which are few, are set aside until all copies are known."""
    if repeated_ids.is_empty():
        yield from scanned
        return
    aside: list[pl.DataFrame] = []
    for rows in scanned:
        aside.append(rows.join(repeated_ids, on=list(spec.identity), how="semi"))
        yield rows.join(repeated_ids, on=list(spec.identity), how="anti")
    yield deduplicate(pl.concat(aside), spec)


def _part(day: date, rows: pl.DataFrame, spec: StreamSpec) -> Part:
    """One file. What the folders say is not said again in it."""
    ordered = rows.sort(*spec.keys, spec.time.column, RECEIVED_AT, BATCH, ORDINAL).drop(EVENT_DATE, BUCKET, SHARD)
    file = io.BytesIO()
    ordered.write_parquet(file, compression="zstd", statistics=True, row_group_size=_ROW_GROUP_ROWS)
    body = file.getvalue()
    times = rows[spec.time.column]
    first, last = times.min(), times.max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    return Part(day, rows.height, frozenset(rows[BATCH]), first, last, body, hashlib.sha256(body).hexdigest())
