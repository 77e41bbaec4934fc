"""Alive and ready: what `/healthz`, `/readyz` and `/metrics` answer."""

import threading
from collections.abc import Callable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import msgspec

from windrow.clock import Clock
from windrow.metrics import PrometheusMetrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Health:
    """A service's own view of itself: alive while it makes progress, ready unless it gave a reason not to be."""

    def __init__(self, clock: Clock, stuck_after_s: float) -> None:
        self._clock = clock
        self._stuck_after_s = stuck_after_s
        self._last_progress_s = clock.monotonic_s()
        self._not_ready_because: str | None = "starting"

    def progressed(self) -> None:
        """Say that the loop turned."""
        self._last_progress_s = self._clock.monotonic_s()

    def ready(self) -> None:
        self._not_ready_because = None

    def unready(self, reason: str) -> None:
        self._not_ready_because = reason

    def is_alive(self) -> tuple[bool, str]:
        """Whether the process is worth keeping, and why."""
        still_s = self._clock.monotonic_s() - self._last_progress_s
        if still_s > self._stuck_after_s:
            return False, f"no progress for {still_s:.0f} s (limit {self._stuck_after_s:.0f} s)"
        return True, "ok"

    def is_ready(self) -> tuple[bool, str]:
        """Whether the process should be sent work, and why not."""
        return self._not_ready_because is None, self._not_ready_because or "ok"


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
        """Probes every few seconds are not news."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def serve(host: str, port: int, health: Health, metrics: PrometheusMetrics) -> Callable[[], None]:
    """Answer probes from a thread of its own, for services that have no HTTP server; returns how to stop."""

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            start_response("200 OK", [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")])
            return [metrics.render()]
        if path not in ("/healthz", "/readyz"):
            start_response("404 Not Found", [("Content-Type", "application/json")])
            return [b'{"reason":"not_found","message":"try /healthz, /readyz or /metrics"}']
        fine, why = health.is_alive() if path == "/healthz" else health.is_ready()
        start_response("200 OK" if fine else "503 Service Unavailable", [("Content-Type", "application/json")])
        return [msgspec.json.encode({"ok": fine, "why": why})]

    server = make_server(host, port, app, server_class=_Server, handler_class=_QuietHandler)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return stop
