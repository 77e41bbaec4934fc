"""The whole flow in one process: production handlers on in-memory ports, real Delta tables in a folder."""

import asyncio
import itertools
import random
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote_plus

import msgspec
import polars as pl

from windrow import keys, log, spec
from windrow.admission import Acknowledgement, Answer, RequestLimits
from windrow.catalog import SpecCatalog
from windrow.conservation import Balance, balance
from windrow.decoding.parts import DecodeLimits
from windrow.health import Health
from windrow.lake.delta import DeltaLake
from windrow.parallel import pool
from windrow.ports import ObjectHeaders, Outgoing, Queue
from windrow.testing import ManualClock, MemoryLatestStore, MemoryObjectStore, MemoryQueue, RecordingMetrics
from windrow.worker import Handler, Pace, Worker
from windrow_consumer.handler import Handler as ConsumerHandler
from windrow_consumer.sweep import Sweep as ConsumerSweep
from windrow_ingest.budget import Budget
from windrow_ingest.grouping import Grouper, GroupLimits
from windrow_ingest.handler import Handler as IngestHandler
from windrow_reprocessor.handler import Handler as ReprocessorHandler
from windrow_reprocessor.letters import LetterQueue
from windrow_reprocessor.replay import Replayer
from windrow_reprocessor.triage import Triage
from windrow_windower.handler import Handler as WindowerHandler
from windrow_windower.refresh import Refresher
from windrow_windower.sweep import Sweep as WindowerSweep
from windrow_writer.committing import Committer
from windrow_writer.handler import Handler as WriterHandler
from windrow_writer.leases import Leases
from windrow_writer.loading import Loader
from windrow_writer.maintenance import Maintainer
from windrow_writer.roster import Roster
from windrow_writer.sealing import Sealer
from windrow_writer.sinks.after_commit import Sinks
from windrow_writer.sinks.dynamodb import DynamodbWriter
from windrow_writer.sinks.parquet import ParquetWriter
from windrow_writer.sorting import Disk

SENSORS = """
stream: sensors
time: {column: ts, formats: [iso8601], max_future: 10m}
keys: [sensor]
unique: [sensor, ts]
columns:
  ts: timestamp
  sensor: string
  temperature: {type: float, required: true}
  humidity: int
bucket: 1h
lateness: 5m
idle: 60s
windows:
  every_minute:
    size: 1m
    aggregates:
      temperature_sum: sum(temperature)
      temperature_mean: mean(temperature)
      humidity_last: last(humidity)
"""
MIB = 1 << 20


@dataclass
class Pipeline:
    """Five services that meet only through a store and queues, driven by hand on a manual clock."""

    folder: Path
    now_us: int = 1_767_225_600_000_000 + 30 * 60 * 1_000_000  # 2026-01-01T00:30Z
    tables: DeltaLake | None = None
    """Where the tables are, if not in `folder`."""
    clock: ManualClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = ManualClock(self.now_us)
        self.metrics = RecordingMetrics()
        self.store = MemoryObjectStore(self.clock)
        self.dead = {name: MemoryQueue(f"{name}-dead", self.clock) for name in ("landed", "windows", "writes")}
        self.queues = {name: MemoryQueue(name, self.clock, self.dead[name]) for name in self.dead}
        self.store.on_created = self._notify
        self.lose_events = False
        self.catalog = SpecCatalog(self.store, self.clock, ttl_s=0)
        self.lake = self.tables or DeltaLake(str(self.folder), {})
        self.latest = MemoryLatestStore(["sensors.latest"])
        self._ids = itertools.count()
        quiet = log.quiet()
        self.consumer_handler = ConsumerHandler(
            store=self.store,
            windows=self.queues["windows"],
            writes=self.queues["writes"],
            catalog=self.catalog,
            clock=self.clock,
            metrics=self.metrics,
            log=quiet,
            limits=DecodeLimits(64 * MIB, MIB),
            max_object_bytes=64 * MIB,
        )
        self.refresher = Refresher(
            store=self.store,
            writes=self.queues["writes"],
            lake=self.lake,
            catalog=self.catalog,
            metrics=self.metrics,
            log=quiet,
            parallel_gets=1,
        )
        self.writer_handler = WriterHandler(
            store=self.store,
            lake=self.lake,
            catalog=self.catalog,
            committer=Committer(
                self.clock, self.metrics, quiet, self.leases("writer"), attempts=4, rng=random.Random(7)
            ),
            clock=self.clock,
            metrics=self.metrics,
            log=quiet,
            sealer=Sealer(max_places=64, max_rows=100_000, disk=Disk(None, 64 << 20)),
            loader=Loader(store=self.store, pool=pool(1, "get"), max_rows=100_000, max_bytes=64 << 20),
            sinks=Sinks(
                catalog=self.catalog,
                dynamodb=DynamodbWriter(store=self.store, latest=self.latest, metrics=self.metrics, parallel_puts=1),
                parquet=ParquetWriter(store=self.store, lake=self.lake, metrics=self.metrics, max_file_rows=100),
                clock=self.clock,
                metrics=self.metrics,
                log=quiet,
            ),
        )
        self.maintainer = Maintainer(
            self.lake, self.catalog, self.writer_handler.committer, self.clock, self.metrics, quiet
        )
        self.consumer_sweep = ConsumerSweep(
            self.store, self.catalog, self.consumer_handler, self.clock, self.metrics, quiet, 60
        )
        self.windower_sweep = WindowerSweep(
            self.store,
            self.lake,
            self.catalog,
            self.refresher,
            self.queues["writes"],
            self.clock,
            self.metrics,
            quiet,
            60,
        )
        self.workers = {
            "consumer": self._worker("landed", self.consumer_handler),
            "windower": self._worker("windows", WindowerHandler(self.refresher, self.catalog)),
            "writer": self._worker("writes", self.writer_handler),
        }
        self.triage = Triage(self.store, self.catalog)
        self.replayer = Replayer(
            store=self.store,
            queues=self.queues,
            triage=self.triage,
            clock=self.clock,
            metrics=self.metrics,
            log=quiet,
            max_object_records=1_000,
            max_object_bytes=64 * MIB,
        )
        self.budget = Budget(64 * MIB, self.metrics)
        self.publish(SENSORS)

    # ------------------------------------------------------------------------------------------ driving

    def publish(self, text: str) -> None:
        """Make a spec current, a moment before whatever lands next.

        Put straight into the store, so that tests can see what services do with a change that `publish` would refuse.
        """
        stream = spec.parse(text, "test.yaml").stream
        version = len(list(self.store.list(keys.spec_prefix(stream)))) + 1
        self.store.put(keys.spec_key(stream, version, text), text.encode(), ObjectHeaders())
        self.clock.advance(1)

    def post(
        self, body: bytes | list[dict[str, object]], stream: str = "sensors", key: str | None = None
    ) -> Acknowledgement:
        """One request to ingest, answered."""
        return self.post_many([body], stream, key)[0]

    def post_many(
        self, bodies: list[bytes | list[dict[str, object]]], stream: str = "sensors", key: str | None = None
    ) -> list[Acknowledgement]:
        """Requests at the same moment: one group, unless they carry an idempotency key."""

        async def run() -> list[Acknowledgement]:
            handler = self.ingest()
            raw = [body if isinstance(body, bytes) else lines(body) for body in bodies]
            with self.budget.lease() as lease:
                spec_ = await handler.spec_of(stream)
                answers = await asyncio.gather(
                    *(
                        handler.accept(
                            spec_, each, "application/x-ndjson", "identity", idempotency_key=key, lease=lease
                        )
                        for each in raw
                    )
                )
            return list(map(_acknowledgement, answers))

        return asyncio.run(run())

    def leases(self, writer: str) -> Leases:
        """What a writer of this name knows of leases at its start."""
        return Leases(self.store, Roster(self.store, self.clock, writer, 10.0), self.metrics, log.quiet())

    def ingest(self) -> IngestHandler:
        """A fresh ingest service."""
        limits = GroupLimits(linger_s=0.001, max_group_bytes=8 * MIB)
        grouper = Grouper(self.store, self.clock, self.metrics, limits, lambda: f"w{next(self._ids):06d}")
        limits_ = RequestLimits(16 * MIB, 64 * MIB, MIB)
        return IngestHandler(self.catalog, grouper, self.budget, self.clock, self.metrics, limits_)

    def upload(self, name: str, body: bytes, content_type: str = "text/csv", stream: str = "sensors") -> str:
        """A file put into the landing zone by hand."""
        key = f"{keys.landing_prefix(stream)}{name}"
        self.store.put(key, body, ObjectHeaders(content_type=content_type))
        return key

    def limit_objects(self, max_bytes: int) -> None:
        """How large an object the consumer reads from now on."""
        handler = self.consumer_handler
        handler._landing = replace(handler._landing, max_object_bytes=max_bytes)

    def run_until_quiet(self, turns: int = 2_000) -> None:
        """Turn every worker until no message is visible to any of them."""
        for _ in range(turns):
            if not any(worker.turn() for worker in self.workers.values()):
                return
        raise AssertionError("the pipeline does not come to rest")

    def settle(self) -> None:
        """Let time pass until everything is sealed: retries come due, sweeps run, the last bucket closes."""
        self.run_until_quiet()
        for _ in range(8):
            self.clock.advance(3600)
            self.consumer_sweep.run()
            self.windower_sweep.run()
            self.run_until_quiet()

    def keep_dead_letters(self) -> None:
        """What the reprocessor does all the time."""
        for name, queue in self.dead.items():
            letters = LetterQueue(queue, name)
            self._worker_on(letters, letters, ReprocessorHandler(self.store, self.clock)).turn()

    def forget(self) -> None:
        """What a new windower does not remember."""
        self.refresher.__post_init__()

    # ------------------------------------------------------------------------------------------ looking

    def records(self, stream: str = "sensors") -> pl.DataFrame:
        """The records table, in order of key and time, without Windrow's own columns."""
        table = self.lake.delta(stream, "records")
        if table is None:
            return pl.DataFrame()
        own = pl.selectors.starts_with("_") | pl.selectors.by_name("event_date")
        frame = pl.scan_delta(table).select(~own).collect()
        return frame.sort(*frame.columns)

    def windows(self, name: str = "every_minute", stream: str = "sensors") -> pl.DataFrame:
        """A windows table, in order of key and start."""
        table = self.lake.delta(stream, f"windows_{name}")
        assert table is not None
        frame = pl.scan_delta(table).collect()
        return frame.sort([column for column in ("sensor", "window_start") if column in frame.columns])

    def record_rows(self) -> list[tuple[str, str, float]]:
        """(sensor, ts, temperature) of every row of the sensors' records, sorted."""
        frame = self.records()
        if frame.is_empty():
            return []
        shown = frame.select("sensor", pl.col("ts").dt.strftime("%Y-%m-%dT%H:%M:%SZ"), "temperature")
        return sorted(shown.rows())

    def window_rows(self) -> list[tuple[str, str, int, float]]:
        """(sensor, window start, row count, sum of temperature) of every window, sorted."""
        start = pl.col("window_start").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        return sorted(self.windows().select("sensor", start, "row_count", "temperature_sum").rows())

    def balance(self, stream: str = "sensors") -> Balance:
        return balance(self.store, self.lake, stream)

    # ------------------------------------------------------------------------------------------ wiring

    def _notify(self, key: str) -> None:
        if key.startswith("landing/") and not self.lose_events:
            event = {
                "Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": quote_plus(key, safe="/")}}}]
            }
            self.queues["landed"].send([Outgoing(msgspec.json.encode(event).decode())])

    def _worker(self, queue: str, handler: Handler) -> Worker:
        return self._worker_on(self.queues[queue], self.dead[queue], handler)

    def _worker_on(self, queue: Queue, dead: Queue, handler: Handler) -> Worker:
        return Worker(
            queue=queue,
            dead_letters=dead,
            handler=handler,
            clock=self.clock,
            health=Health(self.clock, 300),
            metrics=self.metrics,
            log=log.quiet(),
            pace=Pace(max_messages=50, stopped_probe_s=0),
            rng=random.Random(7),
        )


def _acknowledgement(answer: Answer) -> Acknowledgement:
    """What `accept` answers; what it refuses, it raises."""
    assert isinstance(answer.body, Acknowledgement)
    return answer.body


def lines(records: list[dict[str, object]]) -> bytes:
    """Records as NDJSON."""
    return msgspec.json.Encoder().encode_lines(records)


def parsed(text: str = SENSORS) -> spec.StreamSpec:
    return spec.parse(text, "test.yaml")
