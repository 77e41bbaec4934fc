"""What travels on the queues: small versioned pointers, one type per meaning.

landed   Landed                (or an S3 event, which says the same)
windows  Refresh
writes   BatchDecoded, Refreshed
"""

from typing import Literal
from urllib.parse import unquote_plus

import msgspec

from windrow.errors import BadInput

QueueName = Literal["landed", "windows", "writes"]


class Message(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """The base of all pointers. `v` is the schema version."""


class Landed(Message, frozen=True, tag="landed", kw_only=True):
    """An object stands in the landing zone."""

    v: Literal[1] = 1
    key: str


class Refresh(Message, frozen=True, tag="refresh", kw_only=True):
    """A bucket has new segments; recompute every window they touch. `bucket_us` is its start in µs since 1970."""

    v: Literal[1] = 1
    stream: str
    bucket_us: int
    shard: int


class BatchDecoded(Message, frozen=True, tag="batch_decoded", kw_only=True):
    """A batch has a manifest; append its segments to `records`."""

    v: Literal[1] = 1
    stream: str
    batch: str
    row_count: int


class Refreshed(Message, frozen=True, tag="refreshed", kw_only=True):
    """A result stands in its folder: the windows of a table that start in a bucket, or what `records` is sealed with.

    `is_final` asks the writer to seal them: windows are final from then on; of records, each is left once.
    """

    v: Literal[2] = 2
    stream: str
    table: str
    bucket_us: int
    shard: int
    input_count: int
    input_digest: str
    spec_version: int
    is_final: bool


AnyMessage = Landed | Refresh | BatchDecoded | Refreshed

_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER: msgspec.json.Decoder[AnyMessage] = msgspec.json.Decoder(AnyMessage)


def encode(message: AnyMessage) -> str:
    """The message as JSON text; equal messages give equal text."""
    return _ENCODER.encode(message).decode()


def decode(body: str) -> AnyMessage:
    """The pointer in a message body; BadInput when it is not one this version understands."""
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadInput(f"not a Windrow message: {error}") from error


# ------------------------------------------------------------------------------------------------ S3 events


class _S3Object(msgspec.Struct):
    key: str


class _S3(msgspec.Struct):
    object: _S3Object


class _S3Record(msgspec.Struct, rename={"event_name": "eventName"}):
    event_name: str
    s3: _S3


class _S3Event(msgspec.Struct):
    Records: list[_S3Record] = []
    Event: str = ""


_S3_DECODER = msgspec.json.Decoder(_S3Event)


def decode_landed(body: str) -> list[Landed]:
    """The objects a message on `landed` speaks of: an S3 event, its test event (none), or a Landed pointer.

    Keys in S3 events are URL-encoded (`a%20b.json`, `a+b.json`); they are decoded here, once.
    """
    try:
        event = _S3_DECODER.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadInput(f"not an S3 event: {error}") from error
    if event.Records:
        return [
            Landed(key=unquote_plus(record.s3.object.key))
            for record in event.Records
            if record.event_name.removeprefix("s3:").startswith("ObjectCreated")
        ]
    if event.Event == "s3:TestEvent":
        return []
    message = decode(body)
    if not isinstance(message, Landed):
        raise BadInput(f"a {type(message).__name__} message does not belong on the landed queue")
    return [message]
