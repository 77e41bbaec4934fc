"""Pieces of an object, read, to a part of it: rows as they will stand in segments, and entries for quarantine."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import msgspec
import polars as pl

from windrow.decoding.checks import check
from windrow.decoding.chunks import INDEX, Chunk, Original
from windrow.decoding.transforms import MEMBER, explode, transform
from windrow.decoding.unknown import Unknown, merged
from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT, TIMESTAMP, segment_schema
from windrow.quarantine import QuarantinedRecord, Reject, keep_bytes
from windrow.spec import StreamSpec

MEMBER_BITS = 20
"""An exploded row's ordinal is its record's, times 2^20, plus its place among the members."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is known of a landing object before it is read; `received_us` dates its records."""

    batch: str
    key: str
    received_us: int
    content_type: str
    content_encoding: str


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What one object may hold."""

    max_plain_bytes: int
    """After decompression."""
    max_record_bytes: int
    max_document_bytes: int = 128 << 20
    """Of formats that can only be read whole: JSON documents, Parquet, Arrow, zip."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Part of an object, or all of it: rows in the segment schema, and every other record.

    Nothing is missing: `record_count + added == rows.height + filtered + quarantined`.
    """

    rows: pl.DataFrame
    rejected: tuple[QuarantinedRecord, ...]
    record_count: int
    """Records as they were sent."""
    added: int = 0
    """Rows over and above the records they came from, by `explode`."""
    filtered: int = 0
    """Rows that the spec's filter left out."""
    unknown: Mapping[str, Unknown] = field(default_factory=dict)
    """Fields that no column names."""

    @property
    def quarantined(self) -> int:
        """Records among `rejected`."""
        return sum(record.record_count for record in self.rejected)


def together(parts: Sequence[Decoded], spec: StreamSpec) -> Decoded:
    """Several parts as one."""
    return Decoded(
        pl.concat([segment_schema(spec).to_frame(), *(part.rows for part in parts)]),
        tuple(record for part in parts for record in part.rejected),
        sum(part.record_count for part in parts),
        sum(part.added for part in parts),
        sum(part.filtered for part in parts),
        merged(*(part.unknown for part in parts)),
    )


class Typed(NamedTuple):
    """Rows with INDEX (and MEMBER) as their place in the object, and what was refused."""

    rows: pl.DataFrame
    rejected: list[tuple[Reject, Original, Chunk]]
    record_count: int
    added: int
    filtered: int
    unknown: dict[str, Unknown]


def typed_of(chunks: Iterable[Chunk], batch: Batch, spec: StreamSpec, place: int) -> Typed:
    """Typed and transformed records of several pieces; `place` is the index of the first in the object."""
    frames: list[pl.DataFrame] = []
    rejected: list[tuple[Reject, Original, Chunk]] = []
    added = filtered = 0
    unknown: dict[str, Unknown] = {}
    start = place
    for chunk in chunks:
        raw = chunk.rows if spec.explode is None else explode(chunk.rows, spec)
        if spec.time.of == "receipt":
            raw = raw.with_columns(pl.lit(batch.received_us).cast(TIMESTAMP).alias(spec.time.column))
        checked = check(raw, spec, batch.received_us)
        done = transform(checked.rows, spec, batch.received_us)
        rejects = [*chunk.rejects, *checked.rejects, *done.rejects]
        added += done.rows.height + done.filtered - (chunk.record_count - len(rejects))
        filtered += done.filtered
        frames.append(done.rows.with_columns(pl.col(INDEX) + place))
        told = _told(chunk)
        for reject in sorted(rejects, key=lambda reject: reject.index or 0):
            original = chunk.original(reject.index or 0)
            index = (reject.index or 0) + place
            line = original.line if reject.line is None else reject.line
            rejected.append((msgspec.structs.replace(reject, index=index, line=line), original, told))
        unknown = merged(unknown, chunk.unknown)
        place += chunk.record_count
    rows = pl.concat(frames) if frames else _nothing(spec)
    return Typed(rows, rejected, place - start, added, filtered, unknown)


def _told(chunk: Chunk) -> Chunk:
    """A chunk without its rows, which a reject must not keep alive."""
    return replace(chunk, rows=chunk.rows.clear(), rejects=(), original=_forgotten)


def _forgotten(_index: int) -> Original:
    raise AssertionError("originals are asked for while a chunk is read")


def _nothing(spec: StreamSpec) -> pl.DataFrame:
    schema = segment_schema(spec)
    member = {MEMBER: pl.Int32()} if spec.explode is not None else {}
    return pl.DataFrame(schema={INDEX: pl.Int64(), **member, **{name: schema[name] for name in spec.stored}})


def part_of(chunks: Iterable[Chunk], batch: Batch, spec: StreamSpec, place: int) -> Decoded:
    return placed(typed_of(chunks, batch, spec, place), batch, spec)


def placed(typed: Typed, batch: Batch, spec: StreamSpec) -> Decoded:
    """Records under the identity that their place in a batch gives them."""
    rejected = tuple(_quarantined(*each, batch) for each in typed.rejected)
    rows = typed.rows.with_columns(
        pl.lit(batch.batch).alias(BATCH),
        ordinal_of(pl.col(INDEX), spec).alias(ORDINAL),
        pl.lit(batch.received_us).cast(TIMESTAMP).alias(RECEIVED_AT),
    ).select(list(segment_schema(spec)))
    return Decoded(rows, rejected, typed.record_count, typed.added, typed.filtered, typed.unknown)


def ordinal_of(record: pl.Expr, spec: StreamSpec) -> pl.Expr:
    """The place of a row in the batch that first brought its record."""
    return record if spec.explode is None else record * (1 << MEMBER_BITS) + pl.col(MEMBER).cast(pl.Int64)


def _quarantined(reject: Reject, original: Original, chunk: Chunk, batch: Batch) -> QuarantinedRecord:
    text, is_base64 = keep_bytes(original.data)
    return QuarantinedRecord(
        reject=reject,
        batch=batch.batch,
        ordinal=reject.index or 0,
        received_us=batch.received_us,
        format=chunk.format,
        data=text,
        header=chunk.header,
        document=chunk.document,
        is_base64=is_base64,
    )
