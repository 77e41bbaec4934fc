"""How every service's process starts and ends: settings, signals, exit codes."""

import os
import signal
import sys
from collections.abc import Callable
from typing import TypeVar

from windrow import log as logs
from windrow import settings as loading
from windrow.errors import BadSettings, WindrowError
from windrow.settings import Settings

S = TypeVar("S", bound=Settings)


def main(service: str, kind: type[S], run: Callable[[S, logs.Log], None]) -> None:
    """Load settings, run, and turn every known error into one clear message and an exit code.

    Exit 0: drained after SIGTERM or SIGINT. 1: could not go on. 2: settings are missing or wrong.
    """
    try:
        loaded = loading.load(kind, os.environ)
    except BadSettings as error:
        sys.stderr.write(f"windrow {service} cannot start: {error}\n")
        raise SystemExit(2) from error
    log = logs.configure(service, loaded.log_level)
    log.info("service_started", **loaded.model_dump(mode="json"))
    try:
        run(loaded, log)
    except WindrowError as error:
        log.error("service_failed", error=str(error))
        raise SystemExit(1) from error
    log.info("service_stopped")


def on_stop_signal(stop: Callable[[], None], grace_s: float) -> None:
    """Call `stop` on SIGTERM or SIGINT; a process still there after `grace_s` gives up with exit code 1.

    Giving up is safe: what it held becomes visible again and is handled elsewhere.
    """

    def stopping(_signum: int, _frame: object) -> None:
        signal.signal(signal.SIGALRM, lambda *_: os._exit(1))
        signal.setitimer(signal.ITIMER_REAL, grace_s)
        stop()

    signal.signal(signal.SIGTERM, stopping)
    signal.signal(signal.SIGINT, stopping)
