"""The five services as they are in production, wired to the ports of one process of the simulation."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.sim.events_log import EventLog
from tests.sim.ports import Messages, Store, Tables
from tests.sim.process import Process
from tests.sim.scheduler import Event
from tests.sim.virtual_loop import VirtualLoop
from windrow.admission import Answer, RequestLimits, refused
from windrow.catalog import SpecCatalog
from windrow.decoding.parts import DecodeLimits
from windrow.errors import Transient, WindrowError
from windrow.health import Health
from windrow.parallel import pool
from windrow.ports import Queue
from windrow.retry import RetryPolicy
from windrow.worker import Handler, Pace, Worker
from windrow_consumer.handler import Handler as ConsumerHandler
from windrow_consumer.sweep import Sweep as ConsumerSweep
from windrow_ingest.budget import Budget
from windrow_ingest.grouping import Grouper, GroupLimits
from windrow_ingest.handler import Handler as IngestHandler
from windrow_reprocessor.handler import Handler as ReprocessorHandler
from windrow_reprocessor.letters import LetterQueue
from windrow_reprocessor.replay import ReplayDone, Replayer, ReplayRequest
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
from windrow_writer.sorting import Disk

MIB = 1 << 20
_NEVER = 1_000_000


class Service:
    """What every service is made of."""

    def __init__(self, process: Process) -> None:
        world = process.world
        self.process = process
        self.clock = process.clock
        self.log: Any = EventLog(process)
        self.metrics = world.metrics
        self.store = Store(process, world.store)
        self.lake = Tables(process, world.lake)
        self.queues = {name: Messages(process, queue) for name, queue in world.queues.items()}
        self.dead = {name: Messages(process, queue) for name, queue in world.dead.items()}
        self.catalog = SpecCatalog(self.store, self.clock)
        self.workers: list[Worker] = []
        self.start()

    def start(self) -> None:
        raise NotImplementedError

    def work(
        self,
        queue: Queue,
        dead: Queue,
        handler: Handler,
        *,
        linger_s: float = 0.0,
        retry: RetryPolicy | None = None,
        sweep: Callable[[], None] | None = None,
    ) -> None:
        """The loop of a queue, and the heartbeat of what it holds."""
        pace = self.process.world.pace
        worker = Worker(
            queue=queue,
            dead_letters=dead,
            handler=handler,
            clock=self.clock,
            health=Health(self.clock, 300),
            metrics=self.metrics,
            log=self.log,
            retry=retry or RetryPolicy(),
            pace=Pace(
                max_messages=20,
                linger_s=linger_s,
                wait_s=pace.wait_s,
                visibility_s=pace.visibility_s,
                idle_every_s=pace.sweep_s if sweep else None,
                stopped_probe_s=0,
            ),
            when_idle=sweep,
            rng=random.Random(f"{self.process.world.seed}/worker/{self.process.name}"),
        )
        self.workers.append(worker)

        def turn() -> None:
            while True:
                try:
                    worker.turn()
                except Transient:
                    self.clock.sleep(2 * worker.rng.random())
                if worker.is_stopped_by_failures:
                    self.clock.sleep(5)

        def heartbeat() -> None:
            while True:
                self.clock.sleep(pace.visibility_s / 3)
                worker.extend_held()

        self.process.spawn("loop", turn, after_s=self.process.rng.random())
        self.process.spawn("heartbeat", heartbeat)


class Consumer(Service):
    def start(self) -> None:
        handler = ConsumerHandler(
            store=self.store,
            windows=self.queues["windows"],
            writes=self.queues["writes"],
            catalog=self.catalog,
            clock=self.clock,
            metrics=self.metrics,
            log=self.log,
            limits=DecodeLimits(4 * MIB, MIB),
            max_object_bytes=4 * MIB,
            parallel_puts=0,
            parallel_pieces=0,
        )
        after_s = self.process.world.pace.sweep_after_s
        sweep = ConsumerSweep(self.store, self.catalog, handler, self.clock, self.metrics, self.log, after_s)
        self.work(self.queues["landed"], self.dead["landed"], handler, sweep=sweep.run)


class Windower(Service):
    def start(self) -> None:
        writes = self.queues["writes"]
        refresher = Refresher(
            store=self.store,
            writes=writes,
            lake=self.lake,
            catalog=self.catalog,
            metrics=self.metrics,
            log=self.log,
            parallel_gets=0,
        )
        sweep = WindowerSweep(
            self.store,
            self.lake,
            self.catalog,
            refresher,
            writes,
            self.clock,
            self.metrics,
            self.log,
            self.process.world.pace.sweep_after_s,
        )
        handler = WindowerHandler(refresher, self.catalog)
        self.work(self.queues["windows"], self.dead["windows"], handler, linger_s=0.2, sweep=sweep.run)


class Writer(Service):
    def start(self) -> None:
        rng = random.Random(f"{self.process.world.seed}/committer/{self.process.name}")
        roster = Roster(self.store, self.clock, self.process.name.replace("#", "-"), self.process.world.pace.lease_s)
        leases = Leases(self.store, roster, self.metrics, self.log)
        committer = Committer(self.clock, self.metrics, self.log, leases, attempts=5, rng=rng)
        handler = WriterHandler(
            store=self.store,
            lake=self.lake,
            catalog=self.catalog,
            committer=committer,
            clock=self.clock,
            metrics=self.metrics,
            log=self.log,
            sealer=Sealer(max_places=2, max_rows=100_000, disk=Disk(None, 64 * MIB)),
            loader=Loader(store=self.store, pool=pool(0, "get"), max_rows=8, max_bytes=64 * MIB),
        )
        maintainer = Maintainer(self.lake, self.catalog, committer, self.clock, self.metrics, self.log)
        self.work(self.queues["writes"], self.dead["writes"], handler, linger_s=1.0, sweep=maintainer.run)

        def keep() -> None:
            while True:
                self.clock.sleep(roster.beat_s)
                try:
                    leases.beat()
                except WindrowError as error:
                    self.log.warning("beat_failed", error=str(error))

        self.process.spawn("leases", keep)


class Reprocessor(Service):
    def start(self) -> None:
        handler = ReprocessorHandler(self.store, self.clock)
        for name, queue in self.dead.items():
            letters = LetterQueue(queue, name)
            self.work(letters, letters, handler, retry=RetryPolicy(1.0, 60.0, _NEVER))
        self._replayer = Replayer(
            store=self.store,
            queues=self.queues,
            triage=Triage(self.store, self.catalog),
            clock=self.clock,
            metrics=self.metrics,
            log=self.log,
            max_object_records=2,
            max_object_bytes=4 * MIB,
        )

    def ask(self, request: ReplayRequest) -> Event:
        """Replay in a thread of its own; the event is set to what was replayed, or to the error."""
        answer = Event(self.process.world.scheduler)

        def run() -> None:
            try:
                done: ReplayDone | WindrowError = self._replayer.replay(request)
            except WindrowError as error:
                done = error
            answer.set(done)

        self.process.spawn("replay", run)
        return answer


@dataclass(frozen=True)
class Post:
    """A request on the wire."""

    stream: str
    body: bytes
    content_type: str
    idempotency_key: str | None = None


class Ingest(Service):
    def start(self) -> None:
        self.budget = Budget(MIB, self.metrics)
        limits = GroupLimits(linger_s=0.1, max_group_bytes=2_000)
        grouper = Grouper(self.store, self.clock, self.metrics, limits, self._new_id)
        self._handler = IngestHandler(
            self.catalog, grouper, self.budget, self.clock, self.metrics, RequestLimits(MIB, 4 * MIB, MIB)
        )
        self._loop = VirtualLoop(self.process)
        self._ids = 0
        self.process.spawn("loop", self._loop.turn_forever)

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self.process.name.replace('#', '-')}-{self._ids:04d}"

    def post(self, request: Post) -> Event:
        """Take a request; the event is set to the answer. Of a process that dies nothing is heard any more."""
        answer = Event(self.process.world.scheduler)

        async def serve() -> None:
            answer.set(await self._serve(request))

        self._loop.start(serve)
        return answer

    async def _serve(self, request: Post) -> Answer:
        # As the HTTP face does it (windrow_ingest.api).
        try:
            spec = await self._handler.spec_of(request.stream)
            with self.budget.lease() as lease:
                lease.take(len(request.body))
                return await self._handler.accept(
                    spec,
                    request.body,
                    request.content_type,
                    "identity",
                    idempotency_key=request.idempotency_key,
                    lease=lease,
                )
        except WindrowError as error:
            return refused(error)


SERVICES: Mapping[str, type[Service]] = {
    "ingest": Ingest,
    "consumer": Consumer,
    "windower": Windower,
    "writer": Writer,
    "reprocessor": Reprocessor,
}
