"""`dev.json`: what a `windrow dev` notes in its state folder.

Other commands find it by that, and its successor can tidy up after it. Whether it still runs is said by a file lock,
which the system releases however the holder ends.
"""

import fcntl
import os
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec
import psutil

_SAME_START_S = 1.0
_LOOKED_AT_S = 0.5


class ProcessId(msgspec.Struct, frozen=True):
    """A process for sure: a number that has been given to another process later has another start time."""

    pid: int
    started_s: float

    @classmethod
    def of(cls, pid: int) -> "ProcessId | None":
        """The identity of a running process, or None if it has just ended."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return None

    def find(self) -> psutil.Process | None:
        """The process, if it is still this one."""
        try:
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.started_s) < _SAME_START_S
            return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


class DevFile(msgspec.Struct, frozen=True, kw_only=True):
    """One `windrow dev`."""

    v: int = 1
    endpoint_url: str
    is_embedded: bool
    """Whether the endpoint is an emulator of our own, with its files below `s3`."""
    region: str
    prefix: str
    topology: str
    ports: Mapping[str, int]
    supervisor: ProcessId | None = None
    """None once it has stopped in good order."""
    children: Mapping[str, ProcessId] = {}
    is_ready: bool = False


def path(state: Path) -> Path:
    return state / "dev.json"


def read(state: Path) -> DevFile | None:
    """What is written there; None if nothing is, or nothing that this version understands."""
    try:
        return msgspec.json.decode(path(state).read_bytes(), type=DevFile)
    except (OSError, msgspec.MsgspecError):
        return None


def write(state: Path, content: DevFile) -> None:
    """Replace the file in one step."""
    partial = path(state).with_suffix(f".{os.getpid()}.partial")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2))
    partial.rename(path(state))


@contextmanager
def held(state: Path) -> Iterator[bool]:
    """Hold the state folder's lock; yields False when another process holds it."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "dev.lock").open("w") as lock:
        deadline_s = time.monotonic() + _LOOKED_AT_S
        while not (is_ours := _locked(lock, fcntl.LOCK_EX)) and time.monotonic() < deadline_s:
            time.sleep(0.05)  # somebody may just be asking whether it is held
        yield is_ours


def is_running(state: Path) -> bool:
    """Whether a supervisor holds this state folder now."""
    try:
        with (state / "dev.lock").open() as lock:
            return not _locked(lock, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def _locked(lock: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def end_leftovers(content: DevFile, names: Collection[str], grace_s: float) -> list[str]:
    """Stop those recorded children that are still the same processes; returns their names."""
    chosen = {name: child for name, child in content.children.items() if name in names}
    found = {name: process for name, child in chosen.items() if (process := child.find()) is not None}
    for process in found.values():
        with suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(found.values(), timeout=grace_s)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=grace_s)
    return list(found)
