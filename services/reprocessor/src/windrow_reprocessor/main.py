"""Wires the reprocessor together; the only file here that reads the environment."""

import threading

import uvicorn

from windrow import process, topology
from windrow.aws.session import AwsSession
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.health import Health
from windrow.log import Log
from windrow.metrics import PrometheusMetrics
from windrow.retry import RetryPolicy
from windrow.worker import Pace, Worker
from windrow_reprocessor.api import create_app
from windrow_reprocessor.handler import Handler
from windrow_reprocessor.letters import LetterQueue
from windrow_reprocessor.replay import Replayer
from windrow_reprocessor.settings import ReprocessorSettings
from windrow_reprocessor.triage import Triage

_NEVER = 1_000_000  # attempts: a dead letter has nowhere further to go


def run(settings: ReprocessorSettings, log: Log) -> None:
    """Keep dead letters and serve operators until asked to stop."""
    shape = topology.load(settings.topology)
    aws = AwsSession(shape, settings.prefix, settings.region, settings.endpoint_url)
    clock, metrics, store = SystemClock(), PrometheusMetrics(), aws.store()
    triage = Triage(store, SpecCatalog(store, clock))
    replayer = Replayer(
        store=store,
        queues={name: aws.queue(name) for name in shape.queues},
        triage=triage,
        clock=clock,
        metrics=metrics,
        log=log,
        max_object_records=settings.max_object_records,
        max_object_bytes=settings.max_object_bytes,
    )
    workers = []
    for name in shape.queues:
        letters = LetterQueue(aws.dead_letters_of(name), name)
        workers.append(
            Worker(
                queue=letters,
                dead_letters=letters,
                handler=Handler(store, clock),
                clock=clock,
                health=Health(clock, settings.stuck_after_s),
                metrics=metrics,
                log=log,
                retry=RetryPolicy(settings.retry_base_s, settings.retry_cap_s, _NEVER),
                pace=Pace(wait_s=settings.wait_s),
            )
        )
    threads = [threading.Thread(target=worker.run, name=worker.queue.name, daemon=True) for worker in workers]
    for thread in threads:
        thread.start()

    def is_ready() -> tuple[bool, str]:
        answers = [worker.health.is_ready() for worker in workers]
        return next((answer for answer in answers if not answer[0]), (True, "ok"))

    server = uvicorn.Server(
        uvicorn.Config(
            create_app(triage, replayer, is_ready, metrics),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=int(settings.stop_timeout_s),
        )
    )
    # uvicorn drains on SIGTERM and then raises it again; by then only the workers are left to stop.
    process.on_stop_signal(lambda: None, settings.stop_timeout_s)
    log.info("listening", host=settings.host, port=settings.port)
    server.run()
    for worker in workers:
        worker.stop()
    for thread in threads:
        thread.join(settings.stop_timeout_s / len(threads))


def main() -> None:
    process.main("reprocessor", ReprocessorSettings, run)


if __name__ == "__main__":
    main()
