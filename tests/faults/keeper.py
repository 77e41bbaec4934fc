"""Keeps one service alive: whenever its process dies, the next one starts at once, and the death is noted.

Warm, the next one is forked from this process, which has the service's packages imported. Cold, it is a new
interpreter that imports them, as after the restart of a container.

It ends when it is told to, or when whoever started it is gone.
"""

import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.faults.launcher import serve

_TURN_S = 0.01
_BACKOFF_S = 0.5


class Death(msgspec.Struct, frozen=True):
    """How a process ended, and when (`time.monotonic`, which all processes of a machine share)."""

    service: str
    pid: int
    at_s: float
    status: int
    """Negative: the signal that killed it. Otherwise its exit code."""


@dataclass(frozen=True, slots=True)
class Charge:
    """A service to keep, and the files by which its keeper and everyone else speak to each other."""

    service: str
    arms: Path
    deaths: Path
    pid: Path
    mutant: str | None = None
    is_cold: bool = False


def keep(charge: Charge) -> None:
    """Start it, and start it again, until SIGTERM."""
    starter = os.getppid()
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for whoever started this
    while True:
        child = os.fork()
        if child == 0:
            _become(charge)
        _note(charge.pid, str(child))
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                break
            if stopping or os.getppid() != starter:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return
            time.sleep(_TURN_S)
        death = Death(charge.service, child, time.monotonic(), os.waitstatus_to_exitcode(status))
        with charge.deaths.open("ab") as file:
            file.write(msgspec.json.encode(death) + b"\n")
        if death.status >= 0:
            time.sleep(_BACKOFF_S)  # it gave up by itself, and may do so again


def _become(charge: Charge) -> None:
    """The child: the service, never to return."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if charge.is_cold:
            arguments = [charge.service, str(charge.arms), *([charge.mutant] if charge.mutant else [])]
            os.execv(sys.executable, [sys.executable, "-m", "tests.faults.launcher", *arguments])
        serve(charge.service, charge.arms, charge.mutant)
    except BaseException:  # noqa: BLE001  whatever it was, the log is the place to say it
        traceback.print_exc()
    finally:
        os._exit(1)


def _note(path: Path, text: str) -> None:
    scratch = path.with_suffix(".new-pid")
    scratch.write_text(text)
    scratch.replace(path)
