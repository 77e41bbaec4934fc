"""One chunk to ingest, as often as it takes: the same bytes under the same key, so that nothing counts twice."""

import random
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import zstandard

from windrow.clock import Clock
from windrow.errors import Permanent, Unavailable
from windrow.keys import digest
from windrow.retry import RetryPolicy
from windrow_cli.chunking import Chunk

TOKEN = "WINDROW_TOKEN"  # noqa: S105  a variable's name
"""The environment variable with the token that goes with each request, where what stands before ingest asks for one."""
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_PLACE = re.compile(r"^line \d+(, column \d+)?: ")
_RETRY = RetryPolicy(base_s=0.25, cap_s=10.0)
_SLICE_S = 0.5


class Refused(Permanent):
    """Ingest said no for good; `reason` is its name for why."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Fault:
    """A record that was not taken, and where it stands in the file."""

    file: str
    index: int | None
    line: int | None
    column: int | None
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a chunk. `quarantined_count` may be larger than the list of faults."""

    record_count: int
    accepted: int = 0
    was_repeated: bool = False
    quarantined_count: int = 0
    refused_count: int = 0
    """Records of a chunk in which nothing was a record: they were kept nowhere."""
    faults: tuple[Fault, ...] = ()


def idempotency_key(stream: str, name: str, chunk: Chunk, salt: str) -> str:
    """The same for the same bytes at the same place of a file of the same name."""
    return digest(stream, name, str(chunk.offset), chunk.body, salt)


@dataclass
class Deliverer:
    """Posts chunks to one stream. Safe to use from several threads."""

    http: httpx2.Client
    url: str
    stream: str
    clock: Clock
    give_up_after_s: float
    on_wait: Callable[[str], None] = lambda _why: None
    rng: random.Random = field(default_factory=random.Random)
    _is_over: threading.Event = field(default_factory=threading.Event)

    def abandon(self) -> None:
        """Let every delivery that is under way end after its present attempt."""
        self._is_over.set()

    def deliver(self, file: str, chunk: Chunk, key: str) -> Receipt:
        """Post until there is an answer. Unavailable after `give_up_after_s` without one, Refused when it is no."""
        headers = {
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "zstd",
            "Idempotency-Key": key,
        }
        body = zstandard.ZstdCompressor(level=3).compress(chunk.body)
        target = f"{self.url}/v1/streams/{self.stream}/records"
        deadline_s = self.clock.monotonic_s() + self.give_up_after_s
        attempt = 0
        why, told_s = "", None
        while not self._is_over.is_set():
            attempt += 1
            try:
                answer = self.http.post(target, content=body, headers=headers)
            except httpx2.TransportError as error:
                why, told_s = f"{self.url} does not answer ({_plainly(error)})", None
            else:
                if answer.status_code not in _TRANSIENT:
                    return self._receipt(file, chunk, answer, is_first=attempt == 1)
                why = f"{self.url} answers {answer.status_code}: {_message(answer)}"
                told_s = _retry_after_s(answer)
            wait_s = max(told_s or 0.0, _RETRY.delay_s(attempt, self.rng.random()))
            if self.clock.monotonic_s() + wait_s > deadline_s:
                raise Unavailable(
                    f"{why}; gave up after {self.give_up_after_s:.0f} s. Send it again later: what has arrived is "
                    "recognised and counts once"
                )
            self.on_wait(why)
            self._wait(wait_s)
        raise Unavailable(why or "given up")

    def _wait(self, seconds: float) -> None:
        until_s = self.clock.monotonic_s() + seconds
        while (left_s := until_s - self.clock.monotonic_s()) > 0 and not self._is_over.is_set():
            self.clock.sleep(min(left_s, _SLICE_S))

    def _receipt(self, file: str, chunk: Chunk, answer: httpx2.Response, *, is_first: bool) -> Receipt:
        content = _json(answer)
        if answer.status_code == httpx2.codes.ACCEPTED:
            return Receipt(
                record_count=chunk.record_count,
                accepted=int(content.get("accepted", 0)),
                # What an attempt of our own brought in, whose answer was lost, has not been sent before.
                was_repeated=bool(content.get("repeated")) and is_first,
                quarantined_count=int(content.get("quarantined_count", 0)),
                faults=tuple(_fault(file, chunk, reject) for reject in content.get("quarantined", ())),
            )
        rejects = content.get("rejects", ())
        if answer.status_code == httpx2.codes.BAD_REQUEST and rejects:
            faults = tuple(_fault(file, chunk, reject) for reject in rejects)
            return Receipt(record_count=chunk.record_count, refused_count=chunk.record_count, faults=faults)
        reason, message = str(content.get("reason", answer.status_code)), _message(answer)
        if reason == "unknown_stream":
            message += "; publish one with `windrow publish FILE`"
        if answer.status_code in {401, 403}:
            message = (
                f"{self.url} lets nobody in like this ({answer.status_code}: {message}); "
                f"if it asks for a token, put one that is valid in {TOKEN}"
            )
        raise Refused(reason, message)


def _fault(file: str, chunk: Chunk, reject: dict[str, Any]) -> Fault:
    """A reject of the chunk, placed in the file."""
    index, line = reject.get("index"), reject.get("line")
    return Fault(
        file=file,
        index=None if index is None else chunk.first_index + int(index),
        line=None if line is None or chunk.first_line is None else chunk.first_line + int(line) - 1,
        column=reject.get("column") if chunk.first_line is not None else None,
        reason=str(reject.get("reason", "")),
        # The sentence speaks of lines of the chunk.
        message=_PLACE.sub("", str(reject.get("message", ""))),
    )


def _json(answer: httpx2.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _message(answer: httpx2.Response) -> str:
    return str(_json(answer).get("message") or answer.reason_phrase or "no reason given")


def _plainly(error: httpx2.TransportError) -> str:
    match error:
        case httpx2.ConnectError():
            return "connection refused"
        case httpx2.TimeoutException():
            return "timed out"
        case _:
            return str(error) or type(error).__name__


def _retry_after_s(answer: httpx2.Response) -> float | None:
    """Seconds in Retry-After; its other form, a date, is not used by ingest."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None
