"""A landed object's bytes to typed rows and rejects, whatever its format. Pure: bytes, spec and time in, values out.

An object is cut into pieces, pieces are read, typed, transformed and put together into parts of bounded size. Cutting
depends on nothing but the bytes and the constants here, so decoding an object again gives the same parts (law 2).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import NamedTuple, Protocol

import msgspec
import polars as pl

from windrow.decoding.checks import check
from windrow.decoding.chunks import INDEX, Chunk, Original, Piece
from windrow.decoding.csv_chunks import cut_csv
from windrow.decoding.formats import Kind, codec_of, kind_of, kind_of_name
from windrow.decoding.json_chunks import cut_document, cut_lines
from windrow.decoding.tables import cut_arrow, cut_parquet
from windrow.decoding.transforms import MEMBER, explode, transform
from windrow.decoding.unknown import Unknown, merged
from windrow.errors import BadInput, TooLarge
from windrow.inflate import inflate_blocks, zip_member
from windrow.keys import digest
from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT, TIMESTAMP, segment_schema
from windrow.quarantine import QuarantinedRecord, RecordFormat, Reject, decode_lines, keep_bytes
from windrow.spec import StreamSpec
from windrow.units import from_us

LAYOUT = 1
"""Version of how objects are cut into parts. It stands in the write id of what is made of them: a release that cuts
differently must not take half of an object from the old cut and half from the new."""
CHUNK_BYTES = 4 << 20
_PART_PIECES = 6
_MEMBER_BITS = 20
"""An exploded row's ordinal is its record's, times 2^20, plus its place among the members."""
_FIRST_LINE_BYTES = 1 << 16
_CUT_SHORT = "too_large"
"""Reason of a record of which only the beginning is kept."""


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


class Source(Protocol):
    """An object's bytes in blocks, from the start each time it is called."""

    def __call__(self) -> Iterable[bytes]: ...


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


ReadPieces = Callable[[Sequence[Piece]], Iterable[Chunk]]
"""How pieces are read: one after another, or several at the same time and ahead of being asked for; in order."""


def one_by_one(pieces: Sequence[Piece]) -> Iterable[Chunk]:
    """Reads pieces one after another."""
    return (piece() for piece in pieces)


def decode(
    source: Source, batch: Batch, spec: StreamSpec, limits: DecodeLimits, read: ReadPieces = one_by_one
) -> Iterator[Decoded]:
    """Every record of an object, typed or with the reason why not, in one or more parts of bounded size.

    Raises BadInput or TooLarge when the object as a whole cannot be read; always before the first part, so nothing of
    a damaged object is taken. An object of several parts is read through once more for that.
    """
    cut = _cutter(source, batch, spec, limits)
    if isinstance(cut, Decoded):
        yield cut
        return
    pieces = cut()
    group = list(islice(pieces, _PART_PIECES))
    following = list(islice(pieces, 1))
    if following:
        for _ in cut():
            pass
        pieces = chain(following, pieces)
    chunks = read(group)
    place = 0
    while True:
        part = _part(chunks, batch, spec, place)
        place += part.record_count
        group = list(islice(pieces, _PART_PIECES))
        # Where pieces are read ahead, the next part's are, while whoever asked for this one writes it.
        chunks = read(group)
        yield part
        if not group:
            return


def decode_whole(body: bytes, batch: Batch, spec: StreamSpec, limits: DecodeLimits) -> Decoded:
    """An object that is small enough to be held whole."""
    return together(list(decode(lambda: [body], batch, spec, limits)), spec)


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


# ------------------------------------------------------------------------------------------------ cutting


def _cutter(
    source: Source, batch: Batch, spec: StreamSpec, limits: DecodeLimits
) -> Callable[[], Iterator[Piece]] | Decoded:
    """How to cut the object, from its start each time; a replay is decoded at once."""
    codec = codec_of(batch.key, batch.content_encoding, batch.content_type)
    if codec == "zip":
        body = b"".join(_bounded(source(), limits.max_document_bytes))
        kind = kind_of_name(batch.key) or kind_of(zip_member(body), "")
        return lambda: _cut(kind, inflate_blocks([body], "zip", limits.max_plain_bytes), spec, limits)
    kind = kind_of(batch.key, batch.content_type)
    if kind == "replay":
        return _decode_replay(b"".join(inflate_blocks(source(), codec, limits.max_document_bytes)), batch, spec, limits)
    return lambda: _cut(kind, inflate_blocks(source(), codec, limits.max_plain_bytes), spec, limits)


def _cut(kind: Kind, blocks: Iterator[bytes], spec: StreamSpec, limits: DecodeLimits) -> Iterator[Piece]:
    first = next(blocks, b"")
    if not first:
        raise BadInput("the object is empty")
    blocks = chain([first], blocks)
    if kind == "json":
        kind, blocks = _lines_after_all(blocks)
    match kind:
        case "lines":
            return cut_lines(blocks, spec, max_record_bytes=limits.max_record_bytes, chunk_bytes=CHUNK_BYTES)
        case "csv" | "tsv":
            return cut_csv(
                blocks, spec, is_tsv=kind == "tsv", max_record_bytes=limits.max_record_bytes, chunk_bytes=CHUNK_BYTES
            )
    body = b"".join(_bounded(blocks, limits.max_document_bytes))
    match kind:
        case "parquet":
            return cut_parquet(body, spec, chunk_bytes=CHUNK_BYTES, max_plain_bytes=limits.max_plain_bytes)
        case "arrow":
            return cut_arrow(body, spec)
        case _:
            return cut_document(body, spec, max_record_bytes=limits.max_record_bytes, chunk_bytes=CHUNK_BYTES)


def _bounded(blocks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    total_bytes = 0
    for block in blocks:
        total_bytes += len(block)
        if total_bytes > max_bytes:
            raise TooLarge(
                f"the object has more than {max_bytes} bytes and is of a format that is read whole; split it, or send "
                "NDJSON or CSV, which may be of any size"
            )
        yield block


def _lines_after_all(blocks: Iterator[bytes]) -> tuple[Kind, Iterator[bytes]]:
    """Whether what is called JSON is a record a line: many tools write that under `.json`."""
    head = b""
    for block in blocks:
        head += block
        if len(head) >= _FIRST_LINE_BYTES:
            break
    line, line_break, rest = head.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")
    is_lines = bool(line_break) and bool(rest.strip()) and line.startswith(b"{") and _is_json(line)
    return "lines" if is_lines else "json", chain([head], blocks)


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


# ------------------------------------------------------------------------------------------------ parts


class _Typed(NamedTuple):
    """Rows with INDEX (and MEMBER) as their place in the object, and what was refused."""

    rows: pl.DataFrame
    rejected: list[tuple[Reject, Original, Chunk]]
    record_count: int
    added: int
    filtered: int
    unknown: dict[str, Unknown]


def _typed(chunks: Iterable[Chunk], batch: Batch, spec: StreamSpec, place: int) -> _Typed:
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
    return _Typed(rows, rejected, place - start, added, filtered, unknown)


def _told(chunk: Chunk) -> Chunk:
    """A chunk without its rows, which a reject must not keep alive."""
    return replace(chunk, rows=chunk.rows.clear(), rejects=(), original=_forgotten)


def _forgotten(_index: int) -> Original:
    raise AssertionError("originals are asked for while a chunk is read")


def _nothing(spec: StreamSpec) -> pl.DataFrame:
    schema = segment_schema(spec)
    member = {MEMBER: pl.Int32()} if spec.explode is not None else {}
    return pl.DataFrame(schema={INDEX: pl.Int64(), **member, **{name: schema[name] for name in spec.stored}})


def _part(chunks: Iterable[Chunk], batch: Batch, spec: StreamSpec, place: int) -> Decoded:
    return _placed(_typed(chunks, batch, spec, place), batch, spec)


def _placed(typed: _Typed, batch: Batch, spec: StreamSpec) -> Decoded:
    """Records under the identity that their place in a batch gives them."""
    rejected = tuple(_quarantined(*each, batch) for each in typed.rejected)
    rows = typed.rows.with_columns(
        pl.lit(batch.batch).alias(BATCH),
        _ordinal(pl.col(INDEX), spec).alias(ORDINAL),
        pl.lit(batch.received_us).cast(TIMESTAMP).alias(RECEIVED_AT),
    ).select(list(segment_schema(spec)))
    return Decoded(rows, rejected, typed.record_count, typed.added, typed.filtered, typed.unknown)


def _ordinal(record: pl.Expr, spec: StreamSpec) -> pl.Expr:
    """The place of a row in the batch that first brought its record."""
    return record if spec.explode is None else record * (1 << _MEMBER_BITS) + pl.col(MEMBER).cast(pl.Int64)


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


# ------------------------------------------------------------------------------------------------ replays


class _Shape(NamedTuple):
    """What records must have in common to be read together once more."""

    format: RecordFormat
    header: tuple[str, ...]
    document: str
    alone: int
    received_us: int


def _decode_replay(plain: bytes, batch: Batch, spec: StreamSpec, limits: DecodeLimits) -> Decoded:
    """Records taken out of quarantine: read as they were first sent, each under the identity it had then.

    So a record replayed twice, by whatever selection, is one record (law 7), and it keeps its place in the order of
    receipt. Only `max_future` and `max_age` are measured anew: time has passed.
    """
    try:
        entries = decode_lines(plain)
        for entry in entries:
            _check_entry(entry)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise BadInput(f"{batch.key}: not a replay: {error}") from error
    if not entries:
        raise BadInput(f"{batch.key}: not a replay: it holds no record")
    shapes: dict[_Shape, list[QuarantinedRecord]] = {}
    cut_short: list[QuarantinedRecord] = []
    for number, entry in enumerate(entries):
        if entry.reject.reason == _CUT_SHORT:
            cut_short.append(entry)
            continue
        # What opens a quote and does not close it would run on into its neighbours.
        alone = number + 1 if entry.reject.reason == "unclosed_quote" else 0
        # Where the receipt is the event time, a record keeps the one it had.
        received_us = entry.received_us if spec.time.of == "receipt" else batch.received_us
        shape = _Shape(entry.format, entry.header, entry.document, alone, received_us)
        shapes.setdefault(shape, []).append(entry)
    parts = [
        part
        for shape, group in shapes.items()
        for part in _decode_group(group, replace(batch, received_us=shape.received_us), spec, limits)
    ]
    # Only the beginning of these was kept: they stay what they were, and are never taken for the whole.
    parts.append(Decoded(segment_schema(spec).to_frame(), tuple(cut_short), len(cut_short)))
    return together(parts, spec)


def _check_entry(entry: QuarantinedRecord) -> None:
    """ValueError or OverflowError when it cannot have come out of quarantine."""
    entry.raw()
    from_us(entry.received_us)
    if not 0 <= entry.ordinal < 1 << 63 - _MEMBER_BITS:
        raise ValueError(f"{entry.ordinal} is no place in a batch")


def _decode_group(
    entries: Sequence[QuarantinedRecord], batch: Batch, spec: StreamSpec, limits: DecodeLimits
) -> Iterator[Decoded]:
    """Entries of one format, header and document."""
    body = b"".join(entry.raw() + b"\n" for entry in entries)
    if entries[0].format in ("csv", "tsv"):
        # What was kept is UTF-8 without a header, whatever the file was.
        pieces = cut_csv(
            iter([body]),
            spec,
            is_tsv=entries[0].format == "tsv",
            max_record_bytes=limits.max_record_bytes,
            chunk_bytes=CHUNK_BYTES,
            header=entries[0].header,
        )
    else:
        pieces = cut_lines(
            iter([body]),
            spec,
            max_record_bytes=limits.max_record_bytes,
            chunk_bytes=CHUNK_BYTES,
            document=entries[0].document,
            is_unpacked=bool(entries[0].document),
        )
    typed = _typed(one_by_one(list(pieces)), batch, spec, 0)
    if typed.record_count == len(entries):
        yield _with_identity(typed, entries, spec)
        return
    if len(entries) == 1:
        if entries[0].format != "json" or not _is_json(entries[0].raw()):
            raise BadInput(f"{batch.key}: a quarantined record reads as {typed.record_count}: {entries[0].data!r:.200}")
        yield _unpacked(typed, entries[0], spec)
        return
    # A quote that one of them opens and does not close runs on into the next. Apart, each is what it was.
    half = len(entries) // 2
    for part in (entries[:half], entries[half:]):
        yield from _decode_group(part, batch, spec, limits)


def _unpacked(typed: _Typed, entry: QuarantinedRecord, spec: StreamSpec) -> Decoded:
    """A document that was refused whole and by now is known to hold records.

    The document has one identity; its records get theirs from it, so that a second replay adds nothing.
    """
    batch = Batch(digest(entry.batch, str(entry.ordinal)), "", entry.received_us, "", "")
    return _placed(typed, batch, spec)


def _with_identity(typed: _Typed, entries: Sequence[QuarantinedRecord], spec: StreamSpec) -> Decoded:
    identity = pl.DataFrame(
        {
            INDEX: range(len(entries)),
            BATCH: [entry.batch for entry in entries],
            ORDINAL: [entry.ordinal for entry in entries],
            RECEIVED_AT: [entry.received_us for entry in entries],
        },
        schema={INDEX: pl.Int64, BATCH: pl.String, ORDINAL: pl.Int64, RECEIVED_AT: pl.Int64},
    )
    rows = (
        typed.rows.join(identity, on=INDEX, how="left", maintain_order="left")
        .with_columns(_ordinal(pl.col(ORDINAL), spec).alias(ORDINAL), pl.col(RECEIVED_AT).cast(TIMESTAMP))
        .select(list(segment_schema(spec)))
    )
    # Still refused: the same entry as before, under the reason of today.
    rejected = tuple(
        msgspec.structs.replace(then, reject=_as_first_placed(reject, then.reject))
        for reject, _, _ in typed.rejected
        for then in (entries[reject.index or 0],)
    )
    return Decoded(rows, rejected, typed.record_count, typed.added, typed.filtered, typed.unknown)


def _as_first_placed(today: Reject, then: Reject) -> Reject:
    """Today's reason, at the place where the record stood in what the sender sent."""
    if today.reason == then.reason and today.column is not None:
        return then  # a fault of the text itself, which has not changed
    return msgspec.structs.replace(today, index=then.index, line=then.line, column=None)
