"""Where processes come from: a server that has every service's packages imported and forks itself.

A process from here is ready in a fraction of a second. To import what a service needs takes one to three seconds,
which a run that starts a thousand of them would spend on nothing else.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from tests.faults.points import SERVICES

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [*(f"windrow_{name}.main" for name in SERVICES), "windrow_cli.emulator", "tests.faults.launcher"]
)


def start(run: Callable[..., Any], *arguments: Any, environment: Mapping[str, str], log: Path) -> ForkServerProcess:
    """Run a function of a module in a process of its own, under exactly this environment; its output goes to `log`."""
    process = _CONTEXT.Process(target=_run, args=(run, arguments, dict(environment), str(log)), daemon=True)
    process.start()
    return process


def _run(run: Callable[..., Any], arguments: tuple[Any, ...], environment: dict[str, str], log: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    sys.stdout.flush()
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    run(*arguments)
