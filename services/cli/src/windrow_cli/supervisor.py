"""Child processes that are kept alive: started, probed, restarted when they die, and stopped in order."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx2

from windrow_cli.devfile import ProcessId
from windrow_cli.logs import rotate

TURN_S = 0.1
_PROBE_STARTING_EVERY_S = 0.25
_PROBE_READY_EVERY_S = 2.0
_PROBE_TIMEOUT_S = 1.0
_BACKOFF_FIRST_S = 0.1
_BACKOFF_CAP_S = 5.0
_STEADY_S = 10.0
"""A child that ran this long before it died is restarted without delay again."""
_HOPELESS_DEATHS = 3
_BAD_SETTINGS = 2
"""The exit code of a service whose settings are missing or wrong."""

EventKind = Literal["started", "ready", "unready", "died"]


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How a child is started and how it says that it is ready."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    probe_url: str
    log_path: Path


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a child."""

    kind: EventKind
    child: str
    text: str


@dataclass
class _Child:
    spec: ChildSpec
    process: subprocess.Popen[bytes] | None = None
    identity: ProcessId | None = None
    started_s: float = 0.0
    start_due_s: float | None = 0.0
    """When to start it next; None while it runs."""
    probe_due_s: float = 0.0
    quick_deaths: int = 0
    deaths: int = 0
    deaths_before_ready: int = 0
    exit_code: int | None = None
    is_ready: bool = False
    because: str = "is starting"


class Supervisor:
    """Keeps children alive from one thread, which calls `turn` again and again."""

    def __init__(self, report: Callable[[Event], None], changed: Callable[[], None]) -> None:
        self._report = report
        self._changed = changed
        self._children: dict[str, _Child] = {}
        self._http = httpx2.Client(timeout=_PROBE_TIMEOUT_S, trust_env=False)

    # ------------------------------------------------------------------------------------------ what is known

    @property
    def identities(self) -> dict[str, ProcessId]:
        """The running children, for `dev.json`."""
        return {name: child.identity for name, child in self._children.items() if child.identity is not None}

    def reasons(self) -> dict[str, str]:
        """Why each child that is not ready is not."""
        return {name: child.because for name, child in self._children.items() if not child.is_ready}

    def hopeless(self) -> str | None:
        """A child that will not start however often it is tried: wrong settings, or death after death."""
        for name, child in self._children.items():
            if child.deaths_before_ready and child.exit_code == _BAD_SETTINGS:
                return name
            if child.deaths_before_ready >= _HOPELESS_DEATHS:
                return name
        return None

    def log_path(self, name: str) -> Path:
        """Where a child's output goes."""
        return self._children[name].spec.log_path

    # ------------------------------------------------------------------------------------------ keeping alive

    def add(self, spec: ChildSpec) -> None:
        """Start a child now and keep it from then on."""
        rotate(spec.log_path)
        self._children[spec.name] = _Child(spec)
        self.turn()

    def turn(self) -> None:
        """Notice deaths, restart what is due, ask one child whether it is ready."""
        now_s = time.monotonic()
        for child in self._children.values():
            if child.process is not None and child.process.poll() is not None:
                self._buried(child, now_s)
            if child.process is None and child.start_due_s is not None and now_s >= child.start_due_s:
                self._start(child, now_s)
        due = [child for child in self._children.values() if child.process is not None and now_s >= child.probe_due_s]
        if due:
            self._probe(min(due, key=lambda child: child.probe_due_s))

    def run(self, stop: threading.Event, until: Callable[[], bool] = lambda: False) -> None:
        """Turn until told to stop, or until `until` holds."""
        while not stop.is_set() and not until():
            self.turn()
            stop.wait(TURN_S)

    def _start(self, child: _Child, now_s: float) -> None:
        with child.spec.log_path.open("ab") as log:
            child.process = subprocess.Popen(  # noqa: S603  a command of our own
                child.spec.command,
                env=dict(child.spec.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        child.identity = ProcessId.of(child.process.pid)
        child.started_s, child.start_due_s, child.probe_due_s = now_s, None, now_s
        if child.deaths:
            self._report(Event("started", child.spec.name, f"started again as pid {child.process.pid}"))
        self._changed()

    def _buried(self, child: _Child, now_s: float) -> None:
        assert child.process is not None
        child.exit_code = child.process.returncode
        how = describe_exit(child.exit_code)
        lived_s = now_s - child.started_s
        child.quick_deaths = child.quick_deaths + 1 if lived_s < _STEADY_S else 0
        child.deaths += 1
        child.deaths_before_ready += 1
        delay_s = min(_BACKOFF_CAP_S, _BACKOFF_FIRST_S * 2.0 ** max(0, child.quick_deaths - 1))
        child.process, child.identity = None, None
        child.is_ready, child.because = False, how
        child.start_due_s = now_s + delay_s
        self._report(Event("died", child.spec.name, f"{how} after {lived_s:.1f} s"))
        self._changed()

    def _probe(self, child: _Child) -> None:
        was_ready = child.is_ready
        try:
            answer = self._http.get(child.spec.probe_url)
        except httpx2.HTTPError:
            # Silence of a child that was ready is load, or a death that the next turn notices.
            child.because = "" if was_ready else "does not answer yet"
        else:
            child.is_ready = answer.status_code == httpx2.codes.OK
            child.because = "" if child.is_ready else _why(answer)
        now_s = time.monotonic()
        child.probe_due_s = now_s + (_PROBE_READY_EVERY_S if child.is_ready else _PROBE_STARTING_EVERY_S)
        if child.is_ready and not was_ready:
            child.deaths_before_ready = 0
            self._report(Event("ready", child.spec.name, f"ready after {now_s - child.started_s:.1f} s"))
        elif was_ready and not child.is_ready:
            self._report(Event("unready", child.spec.name, f"is not ready: {child.because}"))

    # ------------------------------------------------------------------------------------------ stopping

    def stop(self, names: Sequence[str], grace_s: float, hurry: threading.Event) -> list[str]:
        """End these children: SIGTERM, then SIGKILL after `grace_s` or when told to hurry. Returns who was killed."""
        ending = {name: child.process for name in names if (child := self._children.pop(name, None)) and child.process}
        for process in ending.values():
            process.terminate()
        deadline_s = time.monotonic() + grace_s
        while any(process.poll() is None for process in ending.values()):
            if hurry.is_set() or time.monotonic() >= deadline_s:
                break
            time.sleep(0.05)
        killed = [name for name, process in ending.items() if process.poll() is None]
        for process in ending.values():
            process.kill()
            process.wait()
        self._changed()
        return killed


def _why(answer: httpx2.Response) -> str:
    """The reason in a probe's answer, `{"ok": false, "why": "..."}`."""
    try:
        return str(answer.json()["why"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"


def describe_exit(code: int) -> str:
    """How a process ended, in words."""
    if code < 0:
        try:
            return f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"was killed by signal {-code}"
    return "ended" if code == 0 else f"failed with exit code {code}"
