"""Keeps one service alive: `python -m tests.faults.keeper SERVICE --arms FILE --deaths FILE [--cold] [--mutant NAME]`.

The service is its real `main`, run in a child process that is forked anew, at once, whenever it dies. Its ports are
tapped (`taps`) and trapped (`trap`); nothing of that is in the service. Warm, the child starts with its packages
imported, so that a repeat costs a fraction of a second; cold, it imports them as any new process does.

It ends when it is told to, or when whoever started it is gone.
"""

import argparse
import importlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

import msgspec

_TURN_S = 0.01
_BACKOFF_S = 0.5


class Death(msgspec.Struct, frozen=True):
    """How a child ended, and when (`time.monotonic`, which all processes of a machine share)."""

    service: str
    pid: int
    at_s: float
    status: int
    """Negative: the signal that killed it. Otherwise its exit code."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.faults.keeper")
    parser.add_argument("service")
    parser.add_argument("--arms", type=Path, required=True)
    parser.add_argument("--deaths", type=Path, required=True)
    parser.add_argument("--pid", type=Path, required=True)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--mutant")
    chosen = parser.parse_args(arguments)
    if not chosen.cold:
        _import(chosen.service)
        assert threading.active_count() == 1, "a process with threads cannot be forked safely"
    return _keep(chosen)


def _keep(chosen: argparse.Namespace) -> int:
    starter = os.getppid()
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))
    while True:
        child = os.fork()
        if child == 0:
            _serve(chosen)
        _note(chosen.pid, str(child))
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                break
            if stopping or os.getppid() != starter:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return 0
            time.sleep(_TURN_S)
        death = Death(chosen.service, child, time.monotonic(), os.waitstatus_to_exitcode(status))
        with chosen.deaths.open("ab") as file:
            file.write(msgspec.json.encode(death) + b"\n")
        if death.status >= 0:
            time.sleep(_BACKOFF_S)  # it gave up by itself, and may do so again


def _serve(chosen: argparse.Namespace) -> None:
    """The child: the service from its `main` on, never to return."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    code = 1
    try:
        service = _import(chosen.service)
        from tests.faults import mutants, taps
        from tests.faults.trap import Trap

        if chosen.mutant:
            mutants.apply(chosen.mutant)
        taps.install(chosen.service, Trap(chosen.arms).reach)
        service.main()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _import(service: str) -> object:
    import tests.faults.mutants
    import tests.faults.taps  # noqa: F401  the service's packages, and what wraps them

    return importlib.import_module(f"windrow_{service}.main")


def _note(path: Path, text: str) -> None:
    scratch = path.with_suffix(".new")
    scratch.write_text(text)
    scratch.replace(path)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
