"""A landed object's bytes to typed rows and rejects, whatever its format. Pure: bytes, spec and time in, values out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec
import polars as pl

from windrow.errors import BadInput
from windrow.framing import JSON_TYPES, LINES_TYPES, Malformed, frame
from windrow.inflate import codec_of_name, inflate
from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT, TIMESTAMP, segment_schema
from windrow.quarantine import REPLAY_TYPE, QuarantinedRecord, RecordFormat, Reject, decode_lines, keep_bytes
from windrow.spec import StreamSpec
from windrow.units import from_us
from windrow_consumer.checks import INDEX, Checked, check
from windrow_consumer.csv_records import read_csv
from windrow_consumer.json_records import read_json_lines

_CSV_TYPES = frozenset({"text/csv", "application/csv"})
_SUFFIX_TYPES = {
    ".json": "application/json",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".csv": "text/csv",
}


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
    max_record_bytes: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """Rows in the segment schema, and every other record of the object.

    Nothing is missing: `rows.height` and the counts of `rejected` add up to `record_count`.
    """

    rows: pl.DataFrame
    rejected: tuple[QuarantinedRecord, ...]
    record_count: int


class _Original(NamedTuple):
    """A record as it was sent."""

    line: int | None
    data: bytes


def decode(body: bytes, batch: Batch, spec: StreamSpec, limits: DecodeLimits) -> Decoded:
    """Every record of an object, typed or with the reason why not.

    Raises BadInput or TooLarge when the object as a whole cannot be read.
    """
    kind = content_type_of(batch)
    codec = batch.content_encoding.strip().lower() or codec_of_name(batch.key.lower())
    plain = inflate(body, codec, limits.max_plain_bytes)
    if kind == REPLAY_TYPE:
        return _decode_replay(plain, batch, spec, limits)
    if kind in _CSV_TYPES:
        return _decode_csv(plain, batch, spec)
    return _decode_json(plain, kind, batch, spec, limits)


def content_type_of(batch: Batch) -> str:
    """The media type that was declared, else what the file name's ending says.

    S3 clients stamp uploads with a type of their own, so only a type we know overrules the name.
    """
    declared = batch.content_type.partition(";")[0].strip().lower()
    if declared in JSON_TYPES | LINES_TYPES | _CSV_TYPES | {REPLAY_TYPE}:
        return declared
    name = batch.key.lower().removesuffix(".gz").removesuffix(".zst")
    found = next((kind for suffix, kind in _SUFFIX_TYPES.items() if name.endswith(suffix)), None)
    if found is None:
        endings = ", ".join(_SUFFIX_TYPES)
        raise BadInput(f"{batch.key}: content type {declared or 'none'!r} is not understood; use one of {endings}")
    return found


def _decode_json(plain: bytes, kind: str, batch: Batch, spec: StreamSpec, limits: DecodeLimits) -> Decoded:
    try:
        framed = frame(plain, kind, limits.max_record_bytes)
    except Malformed as error:
        # Nothing here is a record. If each was judged for itself, each goes to quarantine for itself.
        if error.framed is None:
            raise
        framed = error.framed
    lines = _Lines(framed.lines)
    body = framed.lines
    indexes: Sequence[int] = range(framed.record_count)
    malformed = {reject.index for reject in framed.rejects}
    if malformed:
        indexes = [index for index in indexes if index not in malformed]
        body = b"".join(lines[index] + b"\n" for index in indexes)
    raw, wrong = read_json_lines(body, indexes, spec)
    checked = check(raw, spec, batch.received_us)

    def original(index: int) -> _Original:
        return _Original(framed.line_number(index), lines[index])

    rejects = [*framed.rejects, *wrong]
    return _assemble(checked, rejects, framed.record_count, batch, spec, original=original, kind="json")


class _Lines:
    """The lines of a body, split only when one is asked for: a good batch never does."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._lines: list[bytes] | None = None

    def __getitem__(self, index: int) -> bytes:
        if self._lines is None:
            self._lines = self._body.split(b"\n")
        return self._lines[index]


def _decode_csv(plain: bytes, batch: Batch, spec: StreamSpec) -> Decoded:
    read = read_csv(plain, spec)
    checked = check(read.rows, spec, batch.received_us)

    def original(index: int) -> _Original:
        line, text = read.originals.record(index)
        return _Original(line, text.encode())

    return _assemble(
        checked, read.rejects, read.record_count, batch, spec, original=original, kind="csv", header=read.header
    )


def _assemble(
    checked: Checked,
    before: Sequence[Reject],
    record_count: int,
    batch: Batch,
    spec: StreamSpec,
    *,
    original: Callable[[int], _Original],
    kind: RecordFormat,
    header: tuple[str, ...] = (),
) -> Decoded:
    rejected = []
    for reject in sorted([*before, *checked.rejects], key=lambda reject: reject.index or 0):
        index = reject.index or 0
        line, data = original(index)
        text, is_base64 = keep_bytes(data)
        rejected.append(
            QuarantinedRecord(
                reject=reject if reject.line is not None else msgspec.structs.replace(reject, line=line),
                batch=batch.batch,
                ordinal=index,
                received_us=batch.received_us,
                format=kind,
                data=text,
                header=header,
                is_base64=is_base64,
            )
        )
    rows = checked.rows.with_columns(
        pl.lit(batch.batch).alias(BATCH),
        pl.col(INDEX).alias(ORDINAL),
        pl.lit(batch.received_us).cast(TIMESTAMP).alias(RECEIVED_AT),
    ).select(list(segment_schema(spec)))
    return Decoded(rows, tuple(rejected), record_count)


# ------------------------------------------------------------------------------------------------ replays


def _decode_replay(plain: bytes, batch: Batch, spec: StreamSpec, limits: DecodeLimits) -> Decoded:
    """Records taken out of quarantine: read as they were first sent, each under the identity it had then.

    So a record replayed twice, by whatever selection, is one record (law 7), and it keeps its place in the order of
    receipt. Only `max_future` is measured anew: time has passed.
    """
    try:
        entries = decode_lines(plain)
        for entry in entries:
            _check_entry(entry)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise BadInput(f"{batch.key}: not a replay: {error}") from error
    if not entries:
        raise BadInput(f"{batch.key}: not a replay: it holds no record")
    shapes = dict.fromkeys((entry.format, entry.header) for entry in entries)
    return _together(
        [
            _decode_group([entry for entry in entries if (entry.format, entry.header) == shape], batch, spec, limits)
            for shape in shapes
        ]
    )


def _check_entry(entry: QuarantinedRecord) -> None:
    """ValueError or OverflowError when it cannot have come out of quarantine."""
    entry.raw()
    from_us(entry.received_us)
    if not 0 <= entry.ordinal < 1 << 63:
        raise ValueError(f"{entry.ordinal} is no place in a batch")


def _decode_group(
    entries: Sequence[QuarantinedRecord], batch: Batch, spec: StreamSpec, limits: DecodeLimits
) -> Decoded:
    """Entries of one format and header."""
    if entries[0].format == "csv":
        head = _csv_line(entries[0].header)
        decoded = _decode_csv(b"\n".join([head, *(entry.raw() for entry in entries)]) + b"\n", batch, spec)
    else:
        body = b"".join(entry.raw() + b"\n" for entry in entries)
        decoded = _decode_json(body, "application/x-ndjson", batch, spec, limits)
    if decoded.record_count == len(entries):
        return _with_identity(decoded, entries)
    if len(entries) == 1:
        raise BadInput(f"{batch.key}: a quarantined record reads as {decoded.record_count}: {entries[0].data!r:.200}")
    # A quote that one of them opens and does not close runs on into the next. Apart, each is what it was.
    half = len(entries) // 2
    return _together([_decode_group(part, batch, spec, limits) for part in (entries[:half], entries[half:])])


def _together(parts: Sequence[Decoded]) -> Decoded:
    return Decoded(
        pl.concat([part.rows for part in parts]),
        tuple(record for part in parts for record in part.rejected),
        sum(part.record_count for part in parts),
    )


def _with_identity(decoded: Decoded, entries: Sequence[QuarantinedRecord]) -> Decoded:
    identity = pl.DataFrame(
        {
            ORDINAL: range(len(entries)),
            "batch": [entry.batch for entry in entries],
            "ordinal": [entry.ordinal for entry in entries],
            "received": [entry.received_us for entry in entries],
        },
        schema={ORDINAL: pl.Int64, "batch": pl.String, "ordinal": pl.Int64, "received": pl.Int64},
    )
    rows = (
        decoded.rows.join(identity, on=ORDINAL, how="left", maintain_order="left")
        .with_columns(
            pl.col("batch").alias(BATCH),
            pl.col("ordinal").alias(ORDINAL),
            pl.col("received").cast(TIMESTAMP).alias(RECEIVED_AT),
        )
        .select(decoded.rows.columns)
    )
    # Still refused: the same entry as before, under the reason of today.
    rejected = tuple(
        msgspec.structs.replace(then, reject=_as_first_placed(record.reject, then.reject))
        for record in decoded.rejected
        for then in (entries[record.ordinal],)
    )
    return replace(decoded, rows=rows, rejected=rejected)


def _as_first_placed(today: Reject, then: Reject) -> Reject:
    """Today's reason, at the place where the record stood in what the sender sent."""
    if today.reason == then.reason and today.column is not None:
        return then  # a fault of the text itself, which has not changed
    return msgspec.structs.replace(today, index=then.index, line=then.line, column=None)


def _csv_line(fields: Sequence[str]) -> bytes:
    return ",".join('"' + field.replace('"', '""') + '"' for field in fields).encode()
