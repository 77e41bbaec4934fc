"""Wires the writer together; the only file here that reads the environment."""

from windrow import process, topology
from windrow.aws.session import AwsSession
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.log import Log
from windrow.metrics import PrometheusMetrics
from windrow_writer.committing import Committer
from windrow_writer.handler import Handler, WriterLimits
from windrow_writer.settings import WriterSettings


def run(settings: WriterSettings, log: Log) -> None:
    """Commit until asked to stop."""
    shape = topology.load(settings.topology)
    aws = AwsSession(shape, settings.prefix, settings.region, settings.endpoint_url)
    clock, metrics, store = SystemClock(), PrometheusMetrics(), aws.store()
    handler = Handler(
        store=store,
        lake=aws.lake(),
        catalog=SpecCatalog(store, clock),
        committer=Committer(clock, metrics, log, settings.commit_attempts),
        clock=clock,
        metrics=metrics,
        limits=WriterLimits(settings.max_commit_rows, settings.max_seal_places),
        parallel_gets=settings.parallel_gets,
    )
    process.run_worker(
        settings,
        log,
        metrics,
        clock,
        queue=aws.queue("writes"),
        dead_letters=aws.dead_letters_of("writes"),
        visibility_s=shape.queues["writes"].visibility_s,
        handler=handler,
        max_messages=settings.max_messages,
        linger_s=settings.linger_s,
    )


def main() -> None:
    process.main("writer", WriterSettings, run)


if __name__ == "__main__":
    main()
