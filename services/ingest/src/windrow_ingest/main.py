"""Wires ingest together; the only file here that reads the environment."""

import uuid

import uvicorn

from windrow import process, topology
from windrow.admission import RequestLimits
from windrow.aws.session import AwsSession
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.health import Health
from windrow.log import Log
from windrow.metrics import PrometheusMetrics
from windrow_ingest.api import create_app
from windrow_ingest.budget import Budget
from windrow_ingest.grouping import Grouper, GroupLimits
from windrow_ingest.handler import Handler
from windrow_ingest.settings import IngestSettings


def run(settings: IngestSettings, log: Log) -> None:
    """Serve until asked to stop; requests under way are answered first."""
    aws = AwsSession(topology.load(settings.topology), settings.prefix, settings.region, settings.endpoint_url)
    clock, metrics, store = SystemClock(), PrometheusMetrics(), aws.store()
    health = Health(clock, stuck_after_s=60)
    limits = GroupLimits(settings.linger_s, settings.max_group_bytes)
    handler = Handler(
        catalog=SpecCatalog(store, clock),
        grouper=Grouper(store, clock, metrics, limits, new_id=lambda: uuid.uuid4().hex),
        budget=Budget(settings.max_pending_bytes, metrics),
        clock=clock,
        metrics=metrics,
        limits=RequestLimits(settings.max_body_bytes, settings.max_plain_bytes, settings.max_record_bytes),
    )
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(handler, health, metrics),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=int(settings.stop_timeout_s),
        )
    )
    # uvicorn drains on SIGTERM and then raises it again; by then there is nothing left to do but to end in peace.
    process.on_stop_signal(lambda: health.unready("stopping"), settings.stop_timeout_s)
    health.ready()
    log.info("listening", host=settings.host, port=settings.port)
    server.run()


def main() -> None:
    process.main("ingest", IngestSettings, run)


if __name__ == "__main__":
    main()
