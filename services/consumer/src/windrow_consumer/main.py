"""Wires the consumer together; the only file here that reads the environment."""

from windrow import process, topology
from windrow.aws.session import AwsSession
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.decoding.parts import DecodeLimits
from windrow.log import Log
from windrow.metrics import PrometheusMetrics
from windrow_consumer.handler import Handler
from windrow_consumer.settings import ConsumerSettings
from windrow_consumer.sweep import Sweep


def run(settings: ConsumerSettings, log: Log) -> None:
    """Decode until asked to stop."""
    shape = topology.load(settings.topology)
    aws = AwsSession(shape, settings.prefix, settings.region, settings.endpoint_url)
    clock, metrics, store = SystemClock(), PrometheusMetrics(), aws.store()
    catalog = SpecCatalog(store, clock)
    handler = Handler(
        store=store,
        windows=aws.queue("windows"),
        writes=aws.queue("writes"),
        catalog=catalog,
        clock=clock,
        metrics=metrics,
        log=log,
        limits=DecodeLimits(settings.max_plain_bytes, settings.max_record_bytes, settings.max_document_bytes),
        max_object_bytes=settings.max_object_bytes,
        parallel_puts=settings.parallel_puts,
        parallel_pieces=settings.parallel_pieces,
    )
    sweep = Sweep(store, catalog, handler, clock, metrics, log, settings.sweep_after_s)
    process.run_worker(
        settings,
        log,
        metrics,
        clock,
        queue=aws.queue("landed"),
        dead_letters=aws.dead_letters_of("landed"),
        visibility_s=shape.queues["landed"].visibility_s,
        handler=handler,
        sweep=sweep.run,
        sweep_s=settings.sweep_s,
    )


def main() -> None:
    process.main("consumer", ConsumerSettings, run)


if __name__ == "__main__":
    main()
