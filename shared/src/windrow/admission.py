"""What a request must be before it is landed, and what its sender is told. Pure, so that it can be explained."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from windrow.decoding.decode import decode_whole
from windrow.decoding.formats import CONTENT_TYPES, Kind, kind_of_type
from windrow.decoding.parts import Batch, Decoded, DecodeLimits
from windrow.errors import BadInput, Conflict, NotFound, TooLarge, WindrowError
from windrow.framing import JSON_TYPES, Malformed, frame
from windrow.inflate import CODECS, inflate
from windrow.quarantine import Reject
from windrow.spec import StreamSpec

RETRY_AFTER_S = 1
_LISTED_REJECTS = 100
_MAX_REJECTS = 10_000  # a body of millions of broken lines would cost more than it is worth to list them
_SUFFIXES: dict[Kind, str] = {"json": ".json", "csv": ".csv", "tsv": ".tsv", "parquet": ".parquet", "arrow": ".arrow"}
_CODEC_SUFFIXES = {"gzip": ".gz", "zstd": ".zst", "bzip2": ".bz2"}


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What one request may hold."""

    max_body_bytes: int
    """As sent."""
    max_plain_bytes: int
    """After decompression."""
    max_record_bytes: int
    """One record, as text."""


DEFAULT_LIMITS = RequestLimits(max_body_bytes=16 << 20, max_plain_bytes=64 << 20, max_record_bytes=1 << 20)
"""What ingest allows unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may land."""

    lines: bytes | None
    """Its records as NDJSON, to be landed together with those of other requests; None: the body lands as it is."""
    record_count: int
    rejects: tuple[Reject, ...]
    """Records that are durable too, and bound for quarantine, as far as that is known by now."""
    suffix: str = ""
    """Ending of the name under which the body lands."""


class UnsupportedType(BadInput):
    """A content type or encoding that is not offered."""


class Refused(BadInput):
    """A request with bad records, to a stream that takes none (`on_error: reject`)."""

    def __init__(self, rejects: tuple[Reject, ...], record_count: int) -> None:
        self.rejects = rejects
        bad = f"{len(rejects)} of {record_count} records {'is' if len(rejects) == 1 else 'are'} bad"
        super().__init__(f"{bad}, and this stream refuses such requests whole; nothing was kept. {rejects[0].message}")


def check_media(content_type: str, codec: str) -> str:
    """The codec's name, if both content type and encoding are offered; UnsupportedType with what is, otherwise."""
    kind = kind_of_type(content_type)
    if kind is None or kind == "replay":
        raise UnsupportedType(
            f"content type {content_type or 'none'!r} is not understood; send {', '.join(CONTENT_TYPES.values())}"
        )
    named = codec.strip().lower()
    if named not in CODECS:
        raise UnsupportedType(
            f"content encoding {named!r} is not understood; send {', '.join(CODECS[:-1])} or {CODECS[-1]}"
        )
    return named


def admit(
    body: bytes, content_type: str, codec: str, spec: StreamSpec, received_us: int, limits: RequestLimits
) -> Admitted:
    """Check a request's body. Raises what refuses it: Malformed, Refused, TooLarge, BadInput.

    JSON records are only framed here: what they mean is found out after they are durable. Other formats, documents
    that hold records, and streams that take no bad records are decoded now, so that the answer can say it.
    """
    kind = kind_of_type(content_type)
    is_document = content_type.partition(";")[0].strip().lower() not in JSON_TYPES and kind == "json"
    is_document |= spec.format.json_.records is not None or spec.format.json_.arrays is not None
    if kind in ("json", "lines") and not is_document:
        plain = inflate(body, codec, limits.max_plain_bytes)
        framed = frame(plain, content_type, limits.max_record_bytes, _MAX_REJECTS)
        if spec.on_error == "reject":
            _refuse_bad(_decode(framed.lines, "application/x-ndjson", "identity", spec, received_us, limits))
        return Admitted(framed.lines, framed.record_count, framed.rejects)
    decoded = _decode(body, content_type, codec, spec, received_us, limits)
    rejects = tuple(record.reject for record in decoded.rejected)
    if spec.on_error == "reject":
        _refuse_bad(decoded)
    if decoded.record_count and len(rejects) == decoded.record_count:
        raise Malformed(list(rejects))
    suffix = _SUFFIXES.get(kind or "json", ".ndjson") + _CODEC_SUFFIXES.get(codec, "")
    return Admitted(None, decoded.record_count, rejects, suffix)


def _decode(
    body: bytes, content_type: str, codec: str, spec: StreamSpec, received_us: int, limits: RequestLimits
) -> Decoded:
    described = Batch("request", "the request", received_us, content_type, codec)
    return decode_whole(
        body, described, spec, DecodeLimits(limits.max_plain_bytes, limits.max_record_bytes, limits.max_plain_bytes)
    )


def _refuse_bad(decoded: Decoded) -> None:
    if decoded.rejected:
        raise Refused(tuple(record.reject for record in decoded.rejected), decoded.record_count)


# ------------------------------------------------------------------------------------------------ answers


class Acknowledgement(msgspec.Struct, frozen=True):
    """The body of a 202. `accepted` counts good records as far as they were judged; the others are durable too."""

    accepted: int
    quarantined_count: int
    quarantined: tuple[Reject, ...]
    landing_key: str
    repeated: bool


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every error: a stable reason, a sentence, and the place of the first fault."""

    reason: str
    message: str
    index: int | None = None
    line: int | None = None
    column: int | None = None
    rejects: tuple[Reject, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: Acknowledgement | Refusal
    headers: Mapping[str, str] = field(default_factory=dict)


def acknowledged(admitted: Admitted, landing_key: str, *, repeated: bool = False) -> Answer:
    """What the sender of a landed request is told."""
    rejects = admitted.rejects
    accepted = admitted.record_count - len(rejects)
    return Answer(202, Acknowledgement(accepted, len(rejects), rejects[:_LISTED_REJECTS], landing_key, repeated))


def refused(error: WindrowError) -> Answer:
    """What the sender of a request is told of which nothing was kept."""
    message = str(error)
    match error:
        case Malformed(rejects=rejects):
            return Answer(400, _first_of(rejects[0].reason, message, rejects))
        case Refused(rejects=rejects):
            return Answer(422, _first_of("records_refused", message, rejects))
        case UnsupportedType():
            return Answer(415, Refusal("unsupported_media_type", message))
        case BadInput():
            return Answer(400, Refusal("bad_request", message))
        case TooLarge():
            return Answer(413, Refusal("too_large", message))
        case NotFound():
            return Answer(404, Refusal("unknown_stream", message))
        case Conflict():
            text = "this Idempotency-Key was used for other records: " + message
            return Answer(409, Refusal("idempotency_conflict", text))
        case _:
            return Answer(503, Refusal("unavailable", message), {"Retry-After": str(RETRY_AFTER_S)})


def _first_of(reason: str, message: str, rejects: tuple[Reject, ...]) -> Refusal:
    first = rejects[0]
    return Refusal(reason, message, first.index, first.line, first.column, rejects[:_LISTED_REJECTS])
