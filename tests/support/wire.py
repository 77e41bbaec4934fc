"""An HTTP server on loopback that answers as a test says, or hangs up. What the wire does to a client, on purpose."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """A request, read to its end. `number` counts from 1."""

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer. With `cut_short`, the body is announced whole and only half of it is sent."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_short: bool = False


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection without a word, the request having been read."""


@dataclass(frozen=True, slots=True)
class SayNothing:
    """Keep the connection open until the client has had enough."""


Reaction = Answer | HangUp | SayNothing


def error_xml(status: int, code: str) -> Answer:
    """S3's way to say no."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>said the test</Message></Error>".encode()
    return Answer(status, body, {"Content-Type": "application/xml"})


class Wire:
    """The running server: where it is and what it was asked."""

    def __init__(self, react: Callable[[Request], Reaction]) -> None:
        self.requests: list[Request] = []
        self._react = react
        self._lock = threading.Lock()
        self._enough = threading.Event()
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except ConnectionError:
                    self.close_connection = True

            def log_message(self, *args: Any) -> None:
                pass

            def do_PUT(self) -> None:
                self._respond()

            def _respond(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                match wire._reaction_to(self.command, self.path, dict(self.headers), body):
                    case HangUp():
                        self.close_connection = True
                        self.connection.shutdown(socket.SHUT_RDWR)
                    case SayNothing():
                        self.close_connection = True
                        wire._enough.wait(timeout=30)
                    case Answer() as answer:
                        self._send(answer)

            def _send(self, answer: Answer) -> None:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in answer.headers:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if answer.cut_short:
                    self.wfile.write(answer.body[: len(answer.body) // 2])
                    self.wfile.flush()
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                elif self.command != "HEAD":
                    self.wfile.write(answer.body)

        for method in ("GET", "HEAD", "POST", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.do_PUT)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def _reaction_to(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reaction:
        with self._lock:
            request = Request(len(self.requests) + 1, method, path, headers, body)
            self.requests.append(request)
        return self._react(request)

    def close(self) -> None:
        self._enough.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def wire(react: Callable[[Request], Reaction]) -> Iterator[Wire]:
    """A server that reacts to each request as told."""
    server = Wire(react)
    try:
        yield server
    finally:
        server.close()


def forward(request: Request, url: str) -> Answer:
    """Hand a request on to another server and bring its answer back."""
    target = urlsplit(url)
    connection = HTTPConnection(str(target.hostname), target.port, timeout=10)
    try:
        connection.request(request.method, request.path, request.body, dict(request.headers))
        answer = connection.getresponse()
        dropped = {"transfer-encoding", "connection"}
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in dropped}
        return Answer(answer.status, answer.read(), headers)
    finally:
        connection.close()


def refusing_url() -> str:
    """A loopback address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
