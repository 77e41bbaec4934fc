"""What services need from the world. `windrow.aws` and `windrow.testing` provide it; one contract suite checks both."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from windrow.latest import Keep, LatestRecord

Body = bytes | BinaryIO
"""What is written: bytes, or a seekable file, which is read from its start on every attempt and never held whole."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a LIST or HEAD says of an object. `metadata` is empty in a LIST. `modified_us` is the store's clock."""

    key: str
    etag: str
    size_bytes: int
    modified_us: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    content_encoding: str = ""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object with its bytes."""

    info: ObjectInfo
    body: bytes


@dataclass(frozen=True, slots=True)
class ObjectHeaders:
    """What is stored beside the bytes. Metadata names are lower case."""

    metadata: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/octet-stream"
    content_encoding: str = ""


class ObjectStore(Protocol):
    """Objects by key. A key's first part is its zone, which decides the bucket.

    Every method may raise Unavailable (trying again may help) and, for writes, OutcomeUnknown.
    """

    def get(self, key: str, max_bytes: int | None = None) -> StoredObject:
        """The object; NotFound if there is none, TooLarge (before reading) if it exceeds `max_bytes`."""
        ...

    def read(self, info: ObjectInfo) -> Iterator[bytes]:
        """The bytes of an object in blocks of bounded size; NotFound if it is gone, Unavailable if it has changed."""
        ...

    def head(self, key: str) -> ObjectInfo:
        """The object's headers; NotFound if there is none."""
        ...

    def put_if_absent(self, key: str, body: Body, headers: ObjectHeaders) -> ObjectInfo:
        """Create an object. AlreadyExists if the key is taken, even by an earlier attempt of our own."""
        ...

    def put(self, key: str, body: bytes, headers: ObjectHeaders, if_match: str | None = None) -> ObjectInfo:
        """Create or replace a mutable object; with `if_match`, AlreadyExists unless the ETag still stands."""
        ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object below a prefix in key order, complete and consistent at the time of each page."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is removed already. Only what a service may make again is deleted."""
        ...


class LatestStore(Protocol):
    """Key-value tables that hold the latest record of every key."""

    def put_if_later(self, table: str, record: LatestRecord, keep: Keep) -> bool:
        """Make a record the one of its key, unless a later one or the record itself stands there (`latest.is_later`).

        Returns whether it was put; repeating is harmless. Raises NotFound when there is no such table, Unavailable,
        OutcomeUnknown (repeat it), and another Permanent error when the table will not take this record.
        """
        ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send. It stays hidden for the first `delay_s` seconds."""

    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One receipt of a message. `receive_count` is 1 the first time."""

    body: str
    receipt: str
    receive_count: int
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """Approximate message counts: waiting to be received, received and not yet settled."""

    waiting: int
    in_flight: int


class Queue(Protocol):
    """A message queue, at least once, in no promised order. Every method may raise Unavailable."""

    @property
    def name(self) -> str: ...

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Send all. Returns once every one is accepted; raises Unavailable if any was not (resending is harmless)."""
        ...

    def receive(self, max_messages: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        """Up to `max_messages` (at most 10), waiting up to `wait_s` for the first."""
        ...

    def delete(self, receipts: Sequence[str]) -> None:
        """Forget messages. A stale receipt is ignored: redelivery is harmless."""
        ...

    def change_visibility(self, receipts: Sequence[str], visibility_s: float) -> None:
        """Hide messages for this long from now; 0 gives them back. A stale receipt is ignored."""
        ...

    def depth(self) -> QueueDepth: ...
