"""`windrow backfill`, as an analyst runs it after a window was added to a stream that has records."""

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import pytest

from tests.support.emulators import Deploy
from tests.support.pipeline import MIB, SENSORS
from tests.support.sensors import reading
from tests.unit.windrow_cli.conftest import Windrow
from windrow import catalog, keys, log, messages
from windrow.aws.session import AwsSession
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.decoding.parts import DecodeLimits
from windrow.framing import JSON_TYPES
from windrow.messages import Landed
from windrow.outcomes import Done
from windrow.parallel import pool
from windrow.ports import ObjectHeaders
from windrow.testing import RecordingMetrics
from windrow_consumer.handler import Handler as ConsumerHandler
from windrow_writer.committing import Committer
from windrow_writer.handler import Handler as WriterHandler
from windrow_writer.leases import Leases
from windrow_writer.loading import Loader
from windrow_writer.roster import Roster
from windrow_writer.sealing import Sealer
from windrow_writer.sorting import Disk

HOURLY = SENSORS + "  hourly:\n    size: 1h\n    aggregates: {warmest: max(temperature), mean: mean(temperature)}\n"
RECORDS = [reading(600 * number, sensor) for number in range(-20, 1) for sensor in "ab"]


@dataclass
class Deployed:
    """A deployment whose stream has records and no windows, driven by hand."""

    session: AwsSession
    environment: dict[str, str]

    def __post_init__(self) -> None:
        self.store, self.clock, self.metrics = self.session.store(), SystemClock(), RecordingMetrics()
        self.lake = self.session.lake()
        self.catalog = SpecCatalog(self.store, self.clock, ttl_s=0)
        leases = Leases(self.store, Roster(self.store, self.clock, "writer", 60), self.metrics, log.quiet())
        self.writer = WriterHandler(
            store=self.store,
            lake=self.lake,
            catalog=self.catalog,
            committer=Committer(self.clock, self.metrics, log.quiet(), leases, attempts=4, rng=random.Random(1)),
            clock=self.clock,
            metrics=self.metrics,
            log=log.quiet(),
            sealer=Sealer(max_places=64, max_rows=100_000, disk=Disk(None, 64 << 20)),
            loader=Loader(store=self.store, pool=pool(1, "get"), max_rows=100_000, max_bytes=64 << 20),
        )

    def land(self, records: list[dict[str, object]]) -> None:
        consumer = ConsumerHandler(
            store=self.store,
            windows=self.session.queue("windows"),
            writes=self.session.queue("writes"),
            catalog=self.catalog,
            clock=self.clock,
            metrics=self.metrics,
            log=log.quiet(),
            limits=DecodeLimits(64 * MIB, MIB),
            max_object_bytes=64 * MIB,
        )
        key = f"{keys.landing_prefix('sensors')}records.json"
        self.store.put(key, json.dumps(records).encode(), ObjectHeaders(content_type=next(iter(JSON_TYPES))))
        [outcome] = consumer.handle([messages.encode(Landed(key=key))])
        assert isinstance(outcome, Done)
        self.write()

    def write(self) -> int:
        """Everything that waits for the writer; how many messages it was."""
        return sum(1 for body in self._waiting() for outcome in self.writer.handle([body]) if isinstance(outcome, Done))

    def _waiting(self) -> Iterator[str]:
        queue = self.session.queue("writes")
        while found := queue.receive(10, 0, 30):
            yield from (delivery.body for delivery in found)
            queue.delete([delivery.receipt for delivery in found])

    def hourly(self) -> list[tuple[str, int, float]]:
        table = self.lake.delta("sensors", "windows_hourly")
        assert table is not None
        frame = pl.scan_delta(table).sort("sensor", "window_start").collect()
        return frame.select("sensor", "row_count", "warmest").rows()


@pytest.fixture
def deployed(moto: str, deploy: Deploy) -> Deployed:
    session = deploy(moto)
    catalog.publish(session.store(), SENSORS, "sensors.yaml")
    environment = {"AWS_ENDPOINT_URL": moto, "WINDROW_PREFIX": session.prefix, "AWS_REGION": session.region}
    found = Deployed(session, environment)
    found.land(RECORDS)
    catalog.publish(session.store(), HOURLY, "sensors.yaml")
    return found


def test_a_window_that_was_added_is_filled_from_the_lake_once_however_often_it_is_asked_for(
    windrow: Windrow, deployed: Deployed
) -> None:
    first = windrow("backfill", "sensors", "--window", "hourly", "--json", environment=deployed.environment)
    assert (first.code, first.err) == (0, "")
    assert json.loads(first.out) == {"stream": "sensors", "buckets": 5, "windows": 10, "engine": "local"}
    assert deployed.write() == 5
    rows = deployed.hourly()
    assert sum(count for _, count, _ in rows) == len(RECORDS)

    assert windrow("backfill", "sensors", environment=deployed.environment).code == 0
    deployed.write()
    assert deployed.hourly() == rows


def test_only_what_starts_between_from_and_to_is_computed(windrow: Windrow, deployed: Deployed) -> None:
    ran = windrow(
        *("backfill", "sensors", "--window", "hourly", "--json"),
        *("--from", "2025-12-31T22:00:00", "--to", "2026-01-01T00:00:00"),
        environment=deployed.environment,
    )
    assert (ran.code, json.loads(ran.out)["buckets"]) == (0, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["sensors", "--window", "daily"],
            "has no window 'daily' that a stream can fill; there are: every_minute",
        ),
        (["sensors", "--from", "2026-01-02", "--to", "2026-01-01"], "nothing starts in between"),
        (["sensors", "--max-rows", "0"], "use 1 or more"),
        (["nothing"], "nothing"),
    ],
)
def test_what_cannot_be_computed_is_said_in_a_sentence(
    windrow: Windrow, deployed: Deployed, arguments: list[str], message: str
) -> None:
    ran = windrow("backfill", *arguments, environment=deployed.environment)
    assert ran.code != 0
    assert message in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.xdist_group("spark")
@pytest.mark.filterwarnings("ignore")
def test_spark_computes_the_same(windrow: Windrow, deployed: Deployed) -> None:
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    local = windrow("backfill", "sensors", "--window", "hourly", environment=deployed.environment)
    assert local.code == 0
    deployed.write()
    rows = deployed.hourly()
    with_spark = HOURLY.replace("mean: mean", "mean_again: mean")
    catalog.publish(deployed.session.store(), with_spark, "sensors.yaml")
    ran = windrow("backfill", "sensors", "--engine", "spark", "--window", "hourly", environment=deployed.environment)
    assert ran.code == 0, ran.err
    assert deployed.write() == 5
    assert deployed.hourly() == rows
    table = deployed.lake.delta("sensors", "windows_hourly")
    assert table is not None
    assert pl.scan_delta(table).select(pl.col("mean_again").null_count()).collect().item() == 0
