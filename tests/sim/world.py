"""The world of one seed: a store, queues and tables, processes that come and go, and a record of all that happened."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote_plus

import msgspec

from tests.sim.faults import Faults
from tests.sim.process import Process
from tests.sim.queues import WorldQueue
from tests.sim.scheduler import SECOND_US, Scheduler
from tests.sim.services import SERVICES, Service
from windrow.lake.tables import Lake
from windrow.metrics import CounterName
from windrow.ports import Outgoing
from windrow.testing import MemoryLake, MemoryObjectStore, RecordingMetrics

START_US = 1_767_407_400_000_000  # 2026-01-03T02:30Z: days that end before yesterday are compacted
FLEET: Mapping[str, int] = {"ingest": 2, "consumer": 2, "windower": 2, "writer": 2, "reprocessor": 1}
QUEUES = ("landed", "windows", "writes")


@dataclass(frozen=True)
class Pacing:
    """How patient everybody is."""

    wait_s: float = 20.0
    visibility_s: float = 30.0
    sweep_s: float = 15.0
    sweep_after_s: float = 40.0
    lease_s: float = 60.0


class Violation(AssertionError):
    """A law was broken."""

    def __init__(self, law: int, what: str) -> None:
        super().__init__(f"law {law}: {what}")
        self.law = law


class _StoreClock:
    """S3 tells times in whole seconds."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def now_us(self) -> int:
        return self._scheduler.now_us // SECOND_US * SECOND_US

    def monotonic_s(self) -> float:
        return self._scheduler.now_s()

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError("a store does not wait")


class _Figures(RecordingMetrics):
    """What processes count; that a sweep found something is part of the trace."""

    def __init__(self, world: "World") -> None:
        super().__init__()
        self._world = world

    def count(self, name: CounterName, amount: float = 1, **labels: str) -> None:
        super().count(name, amount, **labels)
        if name == "sweeps_found":
            self._world.log("a sweep", "found something", "")


class World:
    """Everything there is in one seed."""

    def __init__(self, seed: int, faults: Faults, pace: Pacing, lake: Lake | None = None) -> None:
        self.seed = seed
        self.faults = faults
        self.pace = pace
        self.rng = random.Random(f"{seed}/world")
        self.scheduler = Scheduler(START_US)
        self.metrics = _Figures(self)
        self.store = MemoryObjectStore(_StoreClock(self.scheduler))
        self.store.on_created = self._created
        self.store_faults = faults.of("store")
        self.dead = {name: WorldQueue(self, f"{name}-dead") for name in QUEUES}
        self.queues = {name: WorldQueue(self, name, self.dead[name]) for name in QUEUES}
        self.lake: Lake = MemoryLake() if lake is None else lake
        self.running: dict[str, list[Service]] = {kind: [] for kind in FLEET}
        self.down = 0
        self.effects = 0
        """Objects written and commits made so far."""
        self.last_effect_s = 0.0
        self.violation: Violation | None = None
        self.on_commit: list[Callable[[str, str, Mapping[str, int]], None]] = []
        self.trace: list[tuple[int, str, str, str]] = []
        for kind, count in FLEET.items():
            for number in range(count):
                self._start(f"{kind}-{number}", 1)

    # ------------------------------------------------------------------------------------------ time and record

    def now_us(self) -> int:
        return self.scheduler.now_us

    def monotonic_s(self) -> float:
        return self.scheduler.now_s()

    def sleep(self, seconds: float) -> None:
        self.scheduler.wait(seconds)

    def log(self, who: str, what: str, outcome: str) -> None:
        self.trace.append((self.scheduler.now_us - START_US, who, what, outcome))

    def trace_lines(self) -> list[str]:
        return [f"{at / SECOND_US:10.4f} {who:14} {what} {outcome}".rstrip() for at, who, what, outcome in self.trace]

    def violated(self, law: int, what: str) -> None:
        """The first broken law ends the run."""
        if self.violation is None:
            self.violation = Violation(law, what)
            self.log("oracle", str(self.violation), "")

    def committed(self, stream: str, table: str, marks: Mapping[str, int]) -> None:
        self._effect()
        for listener in self.on_commit:
            listener(stream, table, marks)

    def _effect(self) -> None:
        self.effects += 1
        self.last_effect_s = self.scheduler.now_s()

    # ------------------------------------------------------------------------------------------ processes

    def died(self, process: Process) -> None:
        kind = process.name.split("-", 1)[0]
        self.running[kind] = [service for service in self.running[kind] if service.process is not process]
        self.down += 1
        name, _, life = process.name.partition("#")

        def restart() -> None:
            self.down -= 1
            self._start(name, int(life) + 1)

        self.scheduler.later(0.5 + 20 * self.rng.random(), restart)

    def _start(self, name: str, life: int) -> None:
        process = Process(self, f"{name}#{life}")
        if self.faults.has_skew and self.faults.allows(f"skew {process.name}") and process.rng.random() < 0.4:
            process.clock.skew_us = round(process.rng.gauss(0, 20) * SECOND_US)
            self.faults.note("clock_skew", f"skew {process.name}")
        kind = name.split("-", 1)[0]
        self.running[kind].append(SERVICES[kind](process))

    # ------------------------------------------------------------------------------------------ S3 events

    def _created(self, key: str) -> None:
        if not key.startswith("leases/writers/"):
            self._effect()
        if not key.startswith("landing/"):
            return
        kind, _ = self.store_faults.next("event")
        if kind == "lost_event":
            self.log("store", f"event of {key}", "lost")
            return
        event = {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": quote_plus(key, safe="/")}}}]}
        self.queues["landed"].send([Outgoing(msgspec.json.encode(event).decode())])
