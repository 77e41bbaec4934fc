"""A proxy between services and the emulator that makes trouble.

It passes requests on as they are, Host and signature included, and lets faults befall them (`faults`). It begins
without any: POST {"rate": 0.05} to /__faults__ sets the share of requests that something befalls; a GET there tells
how often what did.
"""

import json
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.faults.faults import DELAYS_S, FAULTS, Asked, Fault, Reply, draw, part_of, refusal

CONTROL = "/__faults__"
_HOP = {"connection", "keep-alive", "transfer-encoding", "server", "date"}
_TIMEOUT_S = 60.0


@dataclass
class Trouble:
    """Draws faults and counts them. Safe for threads."""

    rng: random.Random
    rate: float = 0.0
    requests: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, asked: Asked) -> tuple[Fault | None, random.Random]:
        """The fault for a request, and random numbers for what the fault leaves open."""
        with self._lock:
            self.requests += 1
            fault = draw(asked, self.rate, self.rng)
            if fault is not None:
                self.fired[fault] += 1
            return fault, random.Random(self.rng.random())

    def told(self) -> bytes:
        """The figures as JSON."""
        with self._lock:
            fired = {name: self.fired[name] for name in FAULTS}
            return json.dumps({"rate": self.rate, "requests": self.requests, "fired": fired}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # a reply leaves in one write

    trouble: Trouble
    upstream: int

    def setup(self) -> None:
        super().setup()
        self._onward = HTTPConnection("127.0.0.1", self.upstream, timeout=_TIMEOUT_S)

    def finish(self) -> None:
        self._onward.close()
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Thousands of requests are not news."""

    def handle_expect_100(self) -> bool:
        """Say at once that a body may come: clients wait a second for that."""
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def do_any(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            self._send(Reply(411, [], b"a length is required"))
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == CONTROL:
            self._control(body)
            return
        asked = Asked(self.command, {name.lower(): value for name, value in self.headers.items()})
        fault, rng = self.trouble.next(asked)
        if fault in {"slow_down", "conflict"}:
            self._send(refusal(fault, asked))
        elif fault == "partial_send":
            self._send_partly(body, rng)
        else:
            if fault == "delay":
                time.sleep(rng.uniform(*DELAYS_S))
            reply = self._forward(body)
            if fault == "lost_reply":
                self._drop()
            else:
                self._send(reply, is_cut=fault == "cut_reply")

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_any  # noqa: N815  the base class looks for these names

    def _control(self, body: bytes) -> None:
        if self.command == "POST":
            self.trouble.rate = float(json.loads(body)["rate"])
        self._send(Reply(200, [("Content-Type", "application/json")], self.trouble.told()))

    def _send_partly(self, body: bytes, rng: random.Random) -> None:
        kept, failed = part_of(body, rng)
        answer: dict[str, Any] = {"Successful": []}
        if kept is not None:
            answer = json.loads(self._forward(kept).body)
        answer["Failed"] = [*answer.get("Failed", ()), *failed]
        self._send(Reply(200, [("Content-Type", "application/x-amz-json-1.0")], json.dumps(answer).encode()))

    def _forward(self, body: bytes) -> Reply:
        """Carry a request out. A kept connection that has gone stale is opened anew, once, if nothing was sent."""
        self._onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in {*_HOP, "expect", "content-length"}:
                self._onward.putheader(name, value)
        if body or "Content-Length" in self.headers:
            self._onward.putheader("Content-Length", str(len(body)))
        self._onward.endheaders(body)
        answer: HTTPResponse = self._onward.getresponse()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP]
        reply = Reply(answer.status, headers, answer.read())
        if answer.will_close:
            self._onward.close()
        return reply

    def _send(self, reply: Reply, *, is_cut: bool = False) -> None:
        self.send_response_only(reply.status)
        names = {name.lower() for name, _ in reply.headers}
        for name, value in reply.headers:
            self.send_header(name, value)
        if "content-length" not in names:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if is_cut:
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self._drop()
        else:
            self.wfile.write(reply.body)

    def _drop(self) -> None:
        self.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client or the emulator hung up: that is what this is about."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handle_error(request, client_address)


def listen(port: int, upstream: int, trouble: Trouble) -> ThreadingHTTPServer:
    """A proxy at one loopback port (0: any free one) before another."""
    return _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"trouble": trouble, "upstream": upstream}))


def serve(port: int, upstream: int, seed: int) -> None:
    """Stand before a port until SIGTERM."""
    listen(port, upstream, Trouble(random.Random(seed))).serve_forever()
