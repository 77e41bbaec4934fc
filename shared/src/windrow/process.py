"""How every service's process starts and ends: settings, signals, exit codes."""

import os
import signal
import sys
from collections.abc import Callable
from typing import TypeVar

from windrow import health as probes
from windrow import log as logs
from windrow import settings as loading
from windrow.clock import Clock
from windrow.errors import BadSettings, WindrowError
from windrow.metrics import PrometheusMetrics
from windrow.ports import Queue
from windrow.retry import FailureLimit, RetryPolicy
from windrow.settings import Settings, WorkerSettings
from windrow.worker import Handler, Pace, Worker

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


def run_worker(
    settings: WorkerSettings,
    log: logs.Log,
    metrics: PrometheusMetrics,
    clock: Clock,
    *,
    queue: Queue,
    dead_letters: Queue,
    visibility_s: float,
    handler: Handler,
    max_messages: int = 10,
    linger_s: float = 0.0,
    sweep: Callable[[], None] | None = None,
    sweep_s: float | None = None,
) -> None:
    """Consume one queue until asked to stop, answering probes meanwhile."""
    health = probes.Health(clock, settings.stuck_after_s)
    worker = Worker(
        queue=queue,
        dead_letters=dead_letters,
        handler=handler,
        clock=clock,
        health=health,
        metrics=metrics,
        log=log,
        retry=RetryPolicy(settings.retry_base_s, settings.retry_cap_s, settings.max_attempts),
        limit=FailureLimit(settings.failure_window, settings.max_failure_ratio),
        pace=Pace(
            max_messages=max_messages,
            linger_s=linger_s,
            wait_s=settings.wait_s,
            visibility_s=visibility_s,
            idle_every_s=sweep_s,
            stopped_probe_s=settings.stopped_probe_s,
        ),
        when_idle=sweep,
    )
    on_stop_signal(worker.stop, settings.stop_timeout_s)
    stop_probes = probes.serve(settings.host, settings.port, health, metrics)
    try:
        worker.run()
    finally:
        stop_probes()
