"""A loopback HTTP server that answers as told, and the command line run inside this process."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from windrow_cli import main


@dataclass
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Answer = tuple[int, Mapping[str, str], bytes]


@dataclass
class Loopback:
    """Keeps what was asked; `answer` decides what is said."""

    url: str
    answer: Callable[[Asked], Answer] = lambda _asked: (200, {}, b"{}")
    asked: list[Asked] = field(default_factory=list)


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            with lock:
                server.loopback.asked.append(request)
            status, headers, content = server.loopback.answer(request)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _reply  # noqa: N815  the base class names them so

        def log_message(self, *_arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        loopback: Loopback

        def handle_error(self, *_arguments: object) -> None:
            """A client that has gone away is what some tests are about."""

    lock = threading.Lock()
    server = Server(("127.0.0.1", 0), Handler)
    server.loopback = Loopback(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server.loopback
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str


Windrow = Callable[..., Ran]


@pytest.fixture
def windrow(capfd: pytest.CaptureFixture[str], tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> Windrow:
    """Runs one command line in an empty folder, with nothing but `environment` set."""
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.delenv("AWS_REGION", raising=False)

    def run(*arguments: str, environment: Mapping[str, str] | None = None) -> Ran:
        capfd.readouterr()
        code = main.run(list(arguments), environment or {})
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    return run
