"""Dead letters: messages that could not be processed, kept in the object store so that they neither expire nor hide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from windrow.errors import BadInput
from windrow.ports import Delivery, Outgoing, Queue, QueueDepth

_UNTOLD = "received too often without an outcome: the worker died or ran out of time while handling it"


class Letter(msgspec.Struct, frozen=True):
    """A message out of a dead-letter queue: what it said, which queue it was for, and why it died."""

    queue: str
    body: str
    reason: str


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter as it is kept. The same message dying again is the same letter."""

    v: int = 1
    queue: str
    body: str
    reason: str
    """Why it died the last time."""
    deaths: int
    first_us: int
    last_us: int
    replays: int = 0
    state: Literal["waiting", "replayed"] = "waiting"


_LETTER = msgspec.json.Decoder(Letter)
_DEAD = msgspec.json.Decoder(DeadLetter)


def decode_letter(text: str) -> Letter:
    try:
        return _LETTER.decode(text)
    except msgspec.MsgspecError as error:
        raise BadInput(f"not a letter: {error}") from error


def decode_dead(body: bytes) -> DeadLetter:
    """The dead letter in an object's bytes; BadInput when it is not one."""
    try:
        return _DEAD.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"not a dead letter: {error}") from error


def encode_dead(letter: DeadLetter) -> bytes:
    return msgspec.json.encode(letter)


@dataclass(frozen=True)
class LetterQueue:
    """A dead-letter queue whose deliveries are letters: the reason, which travels beside the body, comes with it."""

    inner: Queue
    source: str
    """The queue the messages were first sent to."""

    @property
    def name(self) -> str:
        return self.inner.name

    def receive(self, max_messages: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        return [
            Delivery(
                body=msgspec.json.encode(
                    Letter(self.source, delivery.body, delivery.attributes.get("reason", _UNTOLD))
                ).decode(),
                receipt=delivery.receipt,
                receive_count=delivery.receive_count,
            )
            for delivery in self.inner.receive(max_messages, wait_s, visibility_s)
        ]

    def send(self, messages: Sequence[Outgoing]) -> None:
        self.inner.send([Outgoing(decode_letter(message.body).body, message.attributes) for message in messages])

    def delete(self, receipts: Sequence[str]) -> None:
        self.inner.delete(receipts)

    def change_visibility(self, receipts: Sequence[str], visibility_s: float) -> None:
        self.inner.change_visibility(receipts, visibility_s)

    def depth(self) -> QueueDepth:
        return self.inner.depth()
