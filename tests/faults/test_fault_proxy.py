"""The fault proxy: what it does to a request, and that it is nothing but a wire while its rate is zero."""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.faults import faults, proxy
from tests.faults.faults import FAULTS, Asked, Fault

_PUT = Asked("PUT", {"if-none-match": "*"})
_SEND = Asked("POST", {"x-amz-target": "AmazonSQS.SendMessageBatch"})


def test_a_fault_befalls_only_what_it_can_befall() -> None:
    assert set(Asked("HEAD", {}).can_be_hit_by) == {"slow_down", "delay"}
    assert "lost_reply" not in Asked("GET", {}).can_be_hit_by
    assert "conflict" in _PUT.can_be_hit_by
    assert "conflict" not in Asked("PUT", {}).can_be_hit_by
    assert set(_PUT.can_be_hit_by) | set(_SEND.can_be_hit_by) == set(FAULTS)


def test_the_same_seed_draws_the_same_faults_about_as_often_as_asked() -> None:
    first, second = (
        [faults.draw(Asked("GET", {}), 0.1, rng) for _ in range(2_000)] for rng in map(random.Random, (5, 5))
    )

    assert first == second
    assert 120 < sum(fault is not None for fault in first) < 280
    assert not any(faults.draw(_PUT, 0.0, random.Random(seed)) for seed in range(100))


def test_a_part_of_a_batch_is_sent_and_the_rest_is_said_to_have_failed() -> None:
    body = json.dumps({"QueueUrl": "q", "Entries": [{"Id": str(number)} for number in range(10)]}).encode()

    kept, failed = faults.part_of(body, random.Random(1))

    sent = [] if kept is None else [entry["Id"] for entry in json.loads(kept)["Entries"]]
    assert sorted([*sent, *(entry["Id"] for entry in failed)]) == [str(number) for number in range(10)]
    assert failed


def test_without_faults_it_passes_everything_on_as_it_is() -> None:
    with _proxied(None) as (port, seen):
        assert _ask(port, "PUT", b"body") == (200, b"PUT /b/k body")
        assert _ask(port, "HEAD", b"") == (200, b"")
    assert seen == Counter({("PUT", "bucket.host"): 1, ("HEAD", "bucket.host"): 1})


@pytest.mark.parametrize(("fault", "is_carried_out"), [("lost_reply", True), ("cut_reply", True), ("slow_down", False)])
def test_a_fault_is_carried_out_or_not_and_never_told_as_a_success(fault: Fault, is_carried_out: bool) -> None:
    with _proxied(fault) as (port, seen):
        try:
            status, _ = _ask(port, "PUT", b"body")
        except (HTTPException, OSError):
            status = 0
    assert status in {0, 503}
    assert bool(seen) == is_carried_out


class _Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: Counter[tuple[str, str]]

    def do_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen[self.command, self.headers["Host"]] += 1
        answer = f"{self.command} {self.path} ".encode() + body
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_PUT = do_HEAD = do_any  # noqa: N815  the base class looks for these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
        """Nothing."""


@contextmanager
def _proxied(fault: Fault | None) -> Iterator[tuple[int, Counter[tuple[str, str]]]]:
    """The port of a proxy before a server, with one fault for every request; and what reached the server."""
    seen: Counter[tuple[str, str]] = Counter()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Upstream", (_Upstream,), {"seen": seen}))
    trouble = _Always(random.Random(1), fault)
    between = proxy.listen(0, server.server_port, trouble)
    with server, between:
        threads = [threading.Thread(target=each.serve_forever) for each in (server, between)]
        for thread in threads:
            thread.start()
        try:
            yield between.server_port, seen
        finally:
            for each in (between, server):
                each.shutdown()
            for thread in threads:
                thread.join()


class _Always(proxy.Trouble):
    def __init__(self, rng: random.Random, fault: Fault | None) -> None:
        super().__init__(rng)
        self._fault = fault

    def next(self, asked: Asked) -> tuple[Fault | None, random.Random]:
        return self._fault, self.rng


def _ask(port: int, method: str, body: bytes) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, "/b/k", body or None, {"Host": "bucket.host"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
