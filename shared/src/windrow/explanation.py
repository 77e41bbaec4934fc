"""What Windrow would make of a payload: records, rejects, windows and the answer to its sender. Nothing is run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl

from windrow.admission import Answer, RequestLimits, acknowledged, admit, check_media, refused
from windrow.decoding.decode import decode_whole
from windrow.decoding.formats import CONTENT_TYPES, Kind, codec_of, kind_of_name
from windrow.decoding.parts import Batch, Decoded, DecodeLimits
from windrow.decoding.segments import bucket_of, shards
from windrow.errors import BadInput, TooLarge
from windrow.keys import landing_key, windows_table
from windrow.lake.dedupe import deduplicate
from windrow.lake.schema import BATCH, BUCKET, EVENT_DATE, RECEIVED_AT, SHARD, TIMESTAMP, segment_schema
from windrow.quarantine import Reject
from windrow.spec import StreamSpec
from windrow.windows import engine

_BATCH = "0" * 32


@dataclass(frozen=True, slots=True)
class Payload:
    """Bytes with what their sender says of them."""

    name: str
    body: bytes
    kind: Kind | None = None
    """The format, if the name does not say it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would become of a payload.

    `records` are rows as they would stand in the records table: the spec's columns, `event_date` (the partition),
    `_ordinal`, `_bucket` (its start) and `_shard`. `windows` has a row for every window that they touch.
    """

    records: pl.DataFrame
    rejects: tuple[Reject, ...]
    windows: pl.DataFrame
    answer: Answer
    record_count: int
    """Records as they were sent."""
    filtered: int
    """Rows that the spec's filter leaves out."""
    unknown: Mapping[str, int]
    """Fields that no column names → records that hold a value there."""


def explain(payload: Payload, spec: StreamSpec, received_us: int, limits: RequestLimits) -> Explanation:
    """Decode a payload as if it were received at `received_us`. Never raises for what is wrong with the payload."""
    content_type = CONTENT_TYPES.get(payload.kind or kind_of_name(payload.name) or "replay", "")
    codec = codec_of(payload.name, "", "")
    answer = _answer(payload, spec, content_type, codec, received_us, limits)
    described = Batch(_BATCH, payload.name, received_us, content_type, "" if codec == "zip" else codec)
    try:
        size_bytes = max(limits.max_plain_bytes, len(payload.body))
        decoded = decode_whole(
            payload.body, described, spec, DecodeLimits(1 << 40, limits.max_record_bytes, size_bytes)
        )
    except (BadInput, TooLarge) as error:
        rejects = getattr(error, "rejects", ()) or (Reject(reason="unreadable_object", message=str(error)),)
        decoded = Decoded(segment_schema(spec).to_frame(), (), 0)
        return Explanation(_placed(decoded, spec), tuple(rejects), _windows(decoded.rows, spec), answer, 0, 0, {})
    return Explanation(
        records=_placed(decoded, spec),
        rejects=tuple(record.reject for record in decoded.rejected),
        windows=_windows(decoded.rows, spec),
        answer=answer,
        record_count=decoded.record_count,
        filtered=decoded.filtered,
        unknown={path: found.record_count for path, found in decoded.unknown.items()},
    )


def _answer(
    payload: Payload, spec: StreamSpec, content_type: str, codec: str, received_us: int, limits: RequestLimits
) -> Answer:
    """What ingest would say, were the payload posted."""
    try:
        named = check_media(content_type, codec)
        if len(payload.body) > limits.max_body_bytes:
            raise TooLarge(f"the body has {len(payload.body)} bytes; the limit is {limits.max_body_bytes}")
        admitted = admit(payload.body, content_type, named, spec, received_us, limits)
    except (BadInput, TooLarge) as error:
        return refused(error)
    return acknowledged(admitted, landing_key(spec.stream, received_us, "…", admitted.suffix or ".ndjson.zst"))


def _placed(decoded: Decoded, spec: StreamSpec) -> pl.DataFrame:
    time = pl.col(spec.time.column)
    return decoded.rows.with_columns(
        time.dt.date().alias(EVENT_DATE),
        bucket_of(time, spec.bucket).cast(TIMESTAMP).alias(BUCKET),
        shards(decoded.rows, spec).alias(SHARD),
    ).drop(BATCH, RECEIVED_AT)


def _windows(rows: pl.DataFrame, spec: StreamSpec) -> pl.DataFrame:
    """Every window that holds at least one of these rows, each record counted once."""
    schema = {
        "table": pl.String(),
        **{name: rows.schema[name] for name in spec.keys},
        "window_start": TIMESTAMP,
        "window_end": TIMESTAMP,
        "row_count": pl.Int64(),
        EVENT_DATE: pl.Date(),
    }
    once = deduplicate(rows, spec)
    tables = [_window(once, spec, name).select(list(schema)) for name in spec.windows]
    return pl.concat([pl.DataFrame(schema=schema), *tables])


def _window(rows: pl.DataFrame, spec: StreamSpec, name: str) -> pl.DataFrame:
    computed = engine.compute(rows, spec, spec.windows[name])
    return computed.with_columns(
        pl.lit(windows_table(name)).alias("table"), pl.col("window_start").dt.date().alias(EVENT_DATE)
    )


def plain(explanation: Explanation) -> dict[str, Any]:
    """The explanation for programs: values as JSON has them, times as ISO 8601."""
    answer = explanation.answer
    return {
        "records": _rows(explanation.records),
        "rejects": _as_json(explanation.rejects),
        "windows": _rows(explanation.windows),
        "filtered": explanation.filtered,
        "unknown_fields": dict(explanation.unknown),
        "response": {
            "status": answer.status,
            "headers": {"content-type": "application/json", **answer.headers},
            "body": _as_json(answer.body),
        },
    }


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _as_json(frame.to_dicts())
    return rows


def _as_json(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))
