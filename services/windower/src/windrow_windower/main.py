"""Wires the windower together; the only file here that reads the environment."""

from windrow import process, topology
from windrow.aws.session import AwsSession
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.log import Log
from windrow.metrics import PrometheusMetrics
from windrow_windower.handler import Handler
from windrow_windower.refresh import Refresher
from windrow_windower.settings import WindowerSettings
from windrow_windower.sweep import Sweep


def run(settings: WindowerSettings, log: Log) -> None:
    """Refresh and seal until asked to stop."""
    shape = topology.load(settings.topology)
    aws = AwsSession(shape, settings.prefix, settings.region, settings.endpoint_url)
    clock, metrics, store = SystemClock(), PrometheusMetrics(), aws.store()
    catalog = SpecCatalog(store, clock)
    lake = aws.lake()
    writes = aws.queue("writes")
    refresher = Refresher(
        store=store,
        writes=writes,
        lake=lake,
        catalog=catalog,
        metrics=metrics,
        log=log,
        parallel_gets=settings.parallel_gets,
        memory_bytes=settings.memory_bytes,
    )
    sweep = Sweep(store, lake, catalog, refresher, writes, clock, metrics, log, settings.sweep_after_s)
    process.run_worker(
        settings,
        log,
        metrics,
        clock,
        queue=aws.queue("windows"),
        dead_letters=aws.dead_letters_of("windows"),
        visibility_s=shape.queues["windows"].visibility_s,
        handler=Handler(refresher, catalog),
        max_messages=settings.max_messages,
        linger_s=settings.linger_s,
        sweep=sweep.run,
        sweep_s=settings.sweep_s,
    )


def main() -> None:
    process.main("windower", WindowerSettings, run)


if __name__ == "__main__":
    main()
