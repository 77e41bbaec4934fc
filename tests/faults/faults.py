"""Which fault befalls a request on its way to S3 or SQS. Pure: a request and random numbers in, a fault out."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

Fault = Literal["lost_reply", "slow_down", "delay", "conflict", "cut_reply", "partial_send"]
"""lost_reply    the request is carried out, and its connection is dropped without a reply
slow_down     503, and it is not carried out
delay         it is carried out late
conflict      409 to a conditional PUT, which is not carried out: another is said to be under way
cut_reply     it is carried out, and its connection is dropped in the middle of the reply
partial_send  of a SendMessageBatch, a part is carried out, and the others are said to have failed
"""
FAULTS: Sequence[Fault] = get_args(Fault)
DELAYS_S = (0.05, 0.5)
_WRITES = 3
"""How many times likelier a fault is where there is an effect that could be lost, or could happen twice."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. Header names are lower case."""

    method: str
    headers: Mapping[str, str]

    @property
    def operation(self) -> str:
        """The SQS operation, or nothing if this is S3."""
        return self.headers.get("x-amz-target", "").rpartition(".")[2]

    @property
    def is_write(self) -> bool:
        """Whether it may have an effect. With SQS, receiving is one."""
        return self.method in {"PUT", "POST", "DELETE"}

    @property
    def can_be_hit_by(self) -> list[Fault]:
        found: list[Fault] = ["slow_down", "delay"]
        if self.is_write:
            found.append("lost_reply")
        if self.method != "HEAD":
            found.append("cut_reply")
        if self.method == "PUT" and self.headers.keys() & {"if-none-match", "if-match"}:
            found.append("conflict")
        if self.operation == "SendMessageBatch":
            found.append("partial_send")
        return found


def draw(asked: Asked, rate: float, rng: random.Random) -> Fault | None:
    """The fault that befalls a request, if any: a share `rate` of all reads, and more of the writes, which are few."""
    if asked.is_write:
        rate *= _WRITES
    return rng.choice(asked.can_be_hit_by) if rng.random() < rate else None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the client is sent. Without a Content-Length of its own, the body's is sent."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


def refusal(fault: Fault, asked: Asked) -> Reply:
    """The reply to a request that is not carried out, as S3 or SQS would word it."""
    if asked.operation:
        body = json.dumps({"__type": "com.amazonaws.sqs#ServiceUnavailable", "message": "slow down"}).encode()
        return Reply(503, [("Content-Type", "application/x-amz-json-1.0")], body)
    status, code = (409, "ConditionalRequestConflict") if fault == "conflict" else (503, "SlowDown")
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>a fault on purpose</Message></Error>'
    )
    return Reply(status, [("Content-Type", "application/xml")], text.encode())


def part_of(body: bytes, rng: random.Random) -> tuple[bytes | None, list[dict[str, Any]]]:
    """A SendMessageBatch with some of its entries taken out (None if none are left), and the failures of those."""
    request = json.loads(body)
    entries = request["Entries"]
    failing = rng.sample(entries, rng.randint(1, len(entries)))
    kept = [entry for entry in entries if entry not in failing]
    failed = [{"Id": entry["Id"], "Code": "InternalFailure", "SenderFault": False} for entry in failing]
    return (json.dumps({**request, "Entries": kept}).encode() if kept else None), failed
