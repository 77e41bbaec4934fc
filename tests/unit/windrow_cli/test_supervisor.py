"""Children are kept alive, and end when they are told to."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http import free_port
from tests.support.waiting import eventually
from windrow_cli.logs import last_lines, rotate
from windrow_cli.supervisor import ChildSpec, Event, Supervisor, describe_exit

_SERVER = """
import http.server, signal, sys
if "stubborn" in sys.argv: signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"ok": false, "why": "warming up"}' if "cold" in sys.argv else b'{"ok": true}'
        self.send_response(503 if "cold" in sys.argv else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
print("hello from", sys.argv[2], flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
_WITHIN_S = 30.0


class Watched:
    """A supervisor with what it reported."""

    def __init__(self, folder: Path) -> None:
        self.events: list[Event] = []
        self.changes = 0
        self.supervisor = Supervisor(self.events.append, self._changed)
        self._folder = folder

    def _changed(self) -> None:
        self.changes += 1

    def add(self, name: str, *behaviour: str) -> None:
        port = free_port()
        command = [sys.executable, "-c", _SERVER, str(port), name, *behaviour]
        self.supervisor.add(
            ChildSpec(name, command, dict(os.environ), f"http://127.0.0.1:{port}/readyz", self._folder / f"{name}.log")
        )

    def add_failing(self, name: str, code: int) -> None:
        command = [sys.executable, "-c", f"import sys; print('no such thing'); sys.exit({code})"]
        self.supervisor.add(ChildSpec(name, command, {}, "http://127.0.0.1:9/", self._folder / f"{name}.log"))

    def until(self, what: str, probe: object) -> None:
        def turned() -> bool:
            self.supervisor.turn()
            return bool(probe())  # type: ignore[operator]

        eventually(turned, _WITHIN_S, what)

    def kinds(self, name: str) -> list[str]:
        return [event.kind for event in self.events if event.child == name]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    yield made
    made.supervisor.stop(list(made.supervisor.identities), 0.0, threading.Event())


def test_a_child_is_ready_when_it_answers(watched: Watched) -> None:
    watched.add("a")
    watched.until("a to be ready", lambda: not watched.supervisor.reasons())

    assert watched.kinds("a") == ["ready"]
    assert list(watched.supervisor.identities) == ["a"]


def test_a_child_that_is_not_ready_says_why(watched: Watched) -> None:
    watched.add("a", "cold")
    watched.until("a to answer", lambda: watched.supervisor.reasons() == {"a": "warming up"})

    assert watched.kinds("a") == []


def test_a_killed_child_is_started_again_and_the_note_of_it_renewed(watched: Watched) -> None:
    watched.add("a")
    watched.until("a to be ready", lambda: not watched.supervisor.reasons())
    killed, changes = watched.supervisor.identities["a"], watched.changes
    os.kill(killed.pid, signal.SIGKILL)
    watched.until("a to be back", lambda: watched.kinds("a") == ["ready", "died", "started", "ready"])

    assert watched.supervisor.identities["a"] != killed
    assert watched.changes >= changes + 2
    assert "SIGKILL" in watched.events[1].text


def test_a_child_with_wrong_settings_is_hopeless_at_once(watched: Watched) -> None:
    watched.add_failing("a", 2)
    watched.until("a to be given up", lambda: watched.supervisor.hopeless() == "a")

    assert watched.kinds("a").count("died") == 1
    assert last_lines(watched.supervisor.log_path("a"), 1) == ["no such thing"]


def test_a_child_that_dies_again_and_again_is_hopeless_in_the_end(watched: Watched) -> None:
    watched.add_failing("a", 1)
    watched.until("a first death", lambda: watched.kinds("a").count("died") == 1)
    assert watched.supervisor.hopeless() is None
    watched.until("a to be given up", lambda: watched.supervisor.hopeless() == "a")

    assert watched.kinds("a").count("died") == 3


def test_a_child_that_was_ready_is_never_given_up(watched: Watched) -> None:
    watched.add("a")
    for deaths in range(1, 5):
        watched.until("a to be ready", lambda: not watched.supervisor.reasons())
        os.kill(watched.supervisor.identities["a"].pid, signal.SIGKILL)
        watched.until("its death", lambda deaths=deaths: watched.kinds("a").count("died") == deaths)

    assert watched.supervisor.hopeless() is None


def test_a_stop_is_gentle_to_those_who_obey_and_kills_the_others(watched: Watched) -> None:
    watched.add("gentle")
    watched.add("stubborn", "stubborn")
    watched.until("both to be ready", lambda: not watched.supervisor.reasons())
    ended = watched.supervisor.identities

    assert watched.supervisor.stop(["gentle", "stubborn"], 0.5, threading.Event()) == ["stubborn"]
    assert all(child.find() is None for child in ended.values())
    assert watched.supervisor.identities == {}


def test_a_second_signal_ends_the_patience(watched: Watched) -> None:
    watched.add("stubborn", "stubborn")
    watched.until("it to be ready", lambda: not watched.supervisor.reasons())
    hurry = threading.Event()
    hurry.set()

    assert watched.supervisor.stop(["stubborn"], 600.0, hurry) == ["stubborn"]


def test_a_log_begins_anew_and_the_last_ones_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "a.log"
    for number in range(6):
        rotate(path)
        path.write_text(str(number))

    assert {each.name: each.read_text() for each in path.parent.iterdir()} == {
        "a.log": "5",
        "a.log.1": "4",
        "a.log.2": "3",
        "a.log.3": "2",
    }


def test_an_exit_is_told_in_words() -> None:
    assert [describe_exit(code) for code in (0, 2, -9)] == [
        "ended",
        "failed with exit code 2",
        "was killed by SIGKILL",
    ]
