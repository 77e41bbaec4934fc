"""Small events over HTTP, put on a Kinesis data stream. 200 says that Kinesis has all of them (law 1), never some.

Only what the Python runtime of Lambda brings is imported here: the file is the whole package.
"""

import base64
import binascii
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

MAX_EVENTS = 500
"""As many as one PutRecords takes."""
MAX_EVENT_BYTES = (1 << 20) - 64
"""A record of Kinesis is 1 MiB at most, its partition key included."""
MAX_BODY_BYTES = 5 << 20
"""As much as one PutRecords takes."""
_ATTEMPTS = 4
_BACKOFF_S = 0.1
_LINES = ("application/x-ndjson", "application/jsonl", "application/ndjson")
_BLANK = " \t\r\n"

Answer = dict[str, Any]


class Refused(Exception):
    """What is wrong with a request: an HTTP status and a sentence for its sender."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def handle(event: dict[str, Any], _context: object) -> Answer:
    """Lambda's way in."""
    try:
        events = events_of(event)
    except Refused as refused:
        return _answer(refused.status, {"error": refused.reason})
    missing = put_all(_kinesis(), os.environ["STREAM_NAME"], events, time.sleep)
    if missing:
        reason = "Kinesis did not take every event; send the request again as it was"
        return _answer(503, {"error": reason}, {"retry-after": "1"})
    return _answer(200, {"accepted": len(events)})


def events_of(event: dict[str, Any]) -> list[bytes]:
    """The events of a request: an object, an array of objects or a line each. Their text stays as it was, on one line.

    Raises Refused when there is nothing, too much, or something that is not a JSON object: a request is taken whole.
    """
    text = _text(event)
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        events = _lines(text) if kind in _LINES else _elements(text)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body is not JSON: {error}") from error
    if not events:
        raise Refused(400, "the body holds no event; send a JSON object, an array of them, or one on each line")
    if len(events) > MAX_EVENTS:
        raise Refused(413, f"the body holds {len(events)} events; the limit is {MAX_EVENTS}")
    for number, one in enumerate(events, start=1):
        if len(one) > MAX_EVENT_BYTES:
            raise Refused(413, f"event {number} has {len(one)} bytes; the limit is {MAX_EVENT_BYTES}")
    return events


def put_all(kinesis: Any, stream: str, events: Sequence[bytes], sleep: Callable[[float], None]) -> int:
    """Put events, those that were refused again and again. Returns how many Kinesis still has not taken at the end."""
    waiting = list(events)
    for attempt in range(_ATTEMPTS):
        if attempt:
            sleep(_BACKOFF_S * 2**attempt)
        try:
            answer = kinesis.put_records(
                StreamName=stream, Records=[{"Data": one, "PartitionKey": _partition_key(one)} for one in waiting]
            )
        except (ClientError, BotoCoreError) as error:
            print(json.dumps({"event": "put_failed", "level": "error", "stream": stream, "error": str(error)}))
            continue
        results = answer["Records"]
        waiting = [one for one, result in zip(waiting, results, strict=True) if "ErrorCode" in result]
        if not waiting:
            return 0
    return len(waiting)


def _partition_key(one: bytes) -> str:
    """The same for the same bytes, and otherwise spread over all shards."""
    return hashlib.sha256(one).hexdigest()[:32]


def _text(event: dict[str, Any]) -> str:
    body = event.get("body") or ""
    try:
        raw = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
        if len(raw) > MAX_BODY_BYTES:
            raise Refused(413, f"the body has {len(raw)} bytes; the limit is {MAX_BODY_BYTES}")
        return raw.decode("utf-8")
    except (UnicodeError, binascii.Error) as error:
        raise Refused(400, "the body is not UTF-8 text") from error


def _lines(text: str) -> list[bytes]:
    lines = [line.strip(_BLANK) for line in text.split("\n")]
    found = [line for line in lines if line]
    for line in found:
        _check(json.loads(line, parse_constant=_no_constant))
    return [line.encode() for line in found]


def _elements(text: str) -> list[bytes]:
    """The body's object, or the objects of its array, cut out of the text so that no number changes its form."""
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    body = text.strip(_BLANK)
    if not body.startswith("["):
        if body:
            _check(decoder.decode(body))
        return [_on_one_line(body)] if body else []
    for element in decoder.decode(body):
        _check(element)
    events = []
    at = 1
    while (at := _past(body, at, _BLANK + ",")) < len(body) - 1:
        _, end = decoder.raw_decode(body, at)
        events.append(_on_one_line(body[at:end]))
        at = end
    return events


def _past(text: str, at: int, passed: str) -> int:
    while text[at] in passed:
        at += 1
    return at


def _on_one_line(text: str) -> bytes:
    # Between values a line break is a blank; inside a string JSON does not allow it.
    return text.replace("\r", " ").replace("\n", " ").encode()


def _check(value: object) -> None:
    if not isinstance(value, dict):
        raise Refused(400, f"an event is a JSON object, not {json.dumps(value)[:40]}")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Answer:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"} | (headers or {}),
        "body": json.dumps(body),
    }


@cache
def _kinesis() -> Any:
    return boto3.client("kinesis")
