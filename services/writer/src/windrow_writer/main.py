"""Wires the writer together; the only file here that reads the environment."""

import threading
import uuid

from windrow import process, topology
from windrow.aws.session import AwsSession
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.log import Log
from windrow.metrics import PrometheusMetrics
from windrow.parallel import pool
from windrow_writer.committing import Committer
from windrow_writer.handler import Handler
from windrow_writer.leases import Leases
from windrow_writer.loading import Loader
from windrow_writer.maintenance import Maintainer
from windrow_writer.roster import Roster
from windrow_writer.sealing import Sealer
from windrow_writer.settings import WriterSettings
from windrow_writer.sinks.after_commit import Sinks
from windrow_writer.sinks.dynamodb import DynamodbWriter
from windrow_writer.sinks.parquet import ParquetWriter
from windrow_writer.sorting import Disk


def run(settings: WriterSettings, log: Log) -> None:
    """Commit until asked to stop."""
    shape = topology.load(settings.topology)
    aws = AwsSession(shape, settings.prefix, settings.region, settings.endpoint_url)
    clock, metrics, store = SystemClock(), PrometheusMetrics(), aws.store()
    leases = Leases(store, Roster(store, clock, uuid.uuid4().hex, settings.lease_s), metrics, log)
    lake, catalog = aws.lake(settings.sort_folder), SpecCatalog(store, clock)
    committer = Committer(clock, metrics, log, leases, settings.commit_attempts)
    handler = Handler(
        store=store,
        lake=lake,
        catalog=catalog,
        committer=committer,
        clock=clock,
        metrics=metrics,
        log=log,
        sealer=Sealer(
            settings.max_seal_places, settings.max_seal_rows, Disk(settings.sort_folder, settings.sort_memory_bytes)
        ),
        loader=Loader(
            store=store,
            pool=pool(settings.parallel_gets, "get"),
            max_rows=settings.max_commit_rows,
            max_bytes=settings.max_commit_bytes,
        ),
        sinks=Sinks(
            catalog=catalog,
            dynamodb=DynamodbWriter(
                store=store, latest=aws.latest(), metrics=metrics, parallel_puts=settings.parallel_puts
            ),
            parquet=ParquetWriter(store=store, lake=lake, metrics=metrics, max_file_rows=settings.max_export_file_rows),
            clock=clock,
            metrics=metrics,
            log=log,
        ),
    )
    stopped = threading.Event()
    threading.Thread(target=leases.keep, args=(stopped,), name="leases", daemon=True).start()
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
        sweep=Maintainer(lake, catalog, committer, clock, metrics, log).run,
        sweep_s=settings.maintenance_s,
    )
    stopped.set()
    leases.leave()


def main() -> None:
    process.main("writer", WriterSettings, run)


if __name__ == "__main__":
    main()
