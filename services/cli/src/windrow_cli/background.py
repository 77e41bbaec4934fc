"""`windrow dev` in the background: start it, stop it, and end what a killed one left behind."""

import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from windrow.errors import Unavailable
from windrow_cli import connection, devfile
from windrow_cli.context import Context
from windrow_cli.devfile import DevFile
from windrow_cli.logs import last_lines, rotate

EMULATOR = "emulator"
START_TIMEOUT_S = 60.0
DRAIN_S = 10.0
EMULATOR_STOP_S = 3.0
LOG_LINES = 8
_DETACHED_START_S = START_TIMEOUT_S + 15.0
_DETACHED_STOP_S = DRAIN_S + EMULATOR_STOP_S + 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a `windrow dev` is going to run."""

    state: Path
    config: Path | None
    port_base: int | None
    fresh: bool
    verbose: bool


def state_option(state: Path) -> str:
    """What a command needs to speak to this state folder; nothing for the usual one."""
    return "" if state == connection.DEFAULT_STATE else f" --state {state}"


def start_detached(plan: Plan, context: Context) -> DevFile:
    """Run `windrow dev` in the background; returns once everything is ready."""
    if devfile.is_running(plan.state):
        raise Unavailable(
            f"a `windrow dev` already runs with {plan.state}: stop it with `windrow dev --stop"
            f"{state_option(plan.state)}`"
        )
    log_path = plan.state / "logs" / "dev.log"
    rotate(log_path)
    command = [sys.executable, "-m", "windrow_cli.main", "dev", "--state", str(plan.state)]
    command += ["--config", str(plan.config)] if plan.config is not None else []
    command += ["--port-base", str(plan.port_base)] if plan.port_base is not None else []
    command += ["--fresh"] if plan.fresh else []
    with log_path.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  a command of our own
            command,
            env=dict(context.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with context.out.status("starting"):
            return _await_detached(plan.state, process, log_path)
    except BaseException:
        process.terminate()
        raise


def _await_detached(state: Path, process: subprocess.Popen[bytes], log_path: Path) -> DevFile:
    deadline_s = time.monotonic() + _DETACHED_START_S
    while time.monotonic() < deadline_s:
        content = devfile.read(state)
        if content is not None and content.is_ready and content.supervisor and content.supervisor.pid == process.pid:
            return content
        if process.poll() is not None:
            lines = "\n".join(last_lines(log_path, 2 * LOG_LINES))
            raise Unavailable(lines.removeprefix("windrow: ") or f"`windrow dev` ended at once; see {log_path}")
        time.sleep(0.1)
    raise Unavailable(f"`windrow dev` was not ready after {_DETACHED_START_S:.0f} s; see {log_path}")


def end_leftovers(content: DevFile) -> list[str]:
    """Stop what a killed supervisor left running: services first, which need their store while they drain."""
    services = [name for name in content.children if name != EMULATOR]
    return devfile.end_leftovers(content, services, EMULATOR_STOP_S) + devfile.end_leftovers(
        content, [EMULATOR], EMULATOR_STOP_S
    )


def stop_running(state: Path, context: Context, *, is_quiet: bool = False) -> None:
    """Stop the `windrow dev` of a state folder, or what a killed one left behind."""
    content = devfile.read(state)
    supervisor = content.supervisor.find() if content is not None and content.supervisor is not None else None
    if content is None or (supervisor is None and not devfile.is_running(state)):
        ended = end_leftovers(content) if content is not None else []
        if ended:
            context.out.print(f"Its supervisor had been killed; ended what it left running: {', '.join(ended)}.")
        else:
            context.out.print(f"No `windrow dev` runs with {state}.")
        return
    if supervisor is not None:
        with context.out.status("stopping"):
            with suppress(psutil.Error):
                supervisor.terminate()
            deadline_s = time.monotonic() + _DETACHED_STOP_S
            while devfile.is_running(state) and time.monotonic() < deadline_s:
                time.sleep(0.1)
    if devfile.is_running(state):
        raise Unavailable(f"`windrow dev` in {state} did not stop within {_DETACHED_STOP_S:.0f} s")
    if not is_quiet:
        context.out.print("Stopped.")
