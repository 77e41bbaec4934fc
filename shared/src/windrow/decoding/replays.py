"""Records on their way back out of quarantine, each under the identity it had when it first came."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec
import polars as pl

from windrow.decoding.chunks import INDEX
from windrow.decoding.csv_chunks import cut_csv
from windrow.decoding.json_chunks import cut_lines
from windrow.decoding.parts import (
    MEMBER_BITS,
    Batch,
    Decoded,
    DecodeLimits,
    Typed,
    ordinal_of,
    placed,
    together,
    typed_of,
)
from windrow.errors import BadInput
from windrow.framing import is_json
from windrow.keys import digest
from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT, TIMESTAMP, segment_schema
from windrow.quarantine import QuarantinedRecord, RecordFormat, Reject, decode_lines
from windrow.spec import StreamSpec
from windrow.units import from_us

_CUT_SHORT = "too_large"
"""Reason of a record of which only the beginning is kept."""
_CHUNK_BYTES = 4 << 20


class _Shape(NamedTuple):
    """What records must have in common to be read together once more."""

    format: RecordFormat
    header: tuple[str, ...]
    document: str
    alone: int
    received_us: int


def decode_replay(plain: bytes, batch: Batch, spec: StreamSpec, limits: DecodeLimits) -> Decoded:
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
    if not 0 <= entry.ordinal < 1 << 63 - MEMBER_BITS:
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
            chunk_bytes=_CHUNK_BYTES,
            header=entries[0].header,
        )
    else:
        pieces = cut_lines(
            iter([body]),
            spec,
            max_record_bytes=limits.max_record_bytes,
            chunk_bytes=_CHUNK_BYTES,
            document=entries[0].document,
            is_unpacked=bool(entries[0].document),
        )
    typed = typed_of((piece() for piece in pieces), batch, spec, 0)
    if typed.record_count == len(entries):
        yield _with_identity(typed, entries, spec)
        return
    if len(entries) == 1:
        if entries[0].format != "json" or not is_json(entries[0].raw()):
            raise BadInput(f"{batch.key}: a quarantined record reads as {typed.record_count}: {entries[0].data!r:.200}")
        yield _unpacked(typed, entries[0], spec)
        return
    # A quote that one of them opens and does not close runs on into the next. Apart, each is what it was.
    half = len(entries) // 2
    for part in (entries[:half], entries[half:]):
        yield from _decode_group(part, batch, spec, limits)


def _unpacked(typed: Typed, entry: QuarantinedRecord, spec: StreamSpec) -> Decoded:
    """A document that was refused whole and by now is known to hold records.

    The document has one identity; its records get theirs from it, so that a second replay adds nothing.
    """
    batch = Batch(digest(entry.batch, str(entry.ordinal)), "", entry.received_us, "", "")
    return placed(typed, batch, spec)


def _with_identity(typed: Typed, entries: Sequence[QuarantinedRecord], spec: StreamSpec) -> Decoded:
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
        .with_columns(ordinal_of(pl.col(ORDINAL), spec).alias(ORDINAL), pl.col(RECEIVED_AT).cast(TIMESTAMP))
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
