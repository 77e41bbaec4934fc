"""A process of the simulation: fibers with shared memory, a clock of its own, and calls that may all go wrong."""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from tests.sim.scheduler import SECOND_US, Group, Killed
from windrow.errors import AlreadyExists, OutcomeUnknown, Unavailable, WindrowError

if TYPE_CHECKING:
    from tests.sim.world import World

T = TypeVar("T")
INJECTED = "simulated"
"""Stands in the text of every error that the simulation makes."""


class Process(Group):
    """One instance of a service, from its start to its death."""

    def __init__(self, world: "World", name: str) -> None:
        super().__init__(name)
        self.world = world
        self.rng = random.Random(f"{world.seed}/process/{name}")
        self.faults = world.faults.of(name)
        self.clock = ProcessClock(self)

    def spawn(self, what: str, run: Callable[[], None], after_s: float = 0.0) -> None:
        self.world.scheduler.spawn(f"{self.name}.{what}", run, self, after_s)

    def travel(self) -> None:
        """A request, or a reply, is on its way: everybody else may run meanwhile."""
        seconds = 0.0005 + 0.02 * self.rng.random()
        if self.rng.random() < 0.04:
            seconds += 3 * self.rng.random()
        self.world.scheduler.wait(seconds)

    def call(self, operation: str, what: str, effect: Callable[[], T], partly: Callable[[], None] | None = None) -> T:
        """One call on the outside: it has its effect in between two journeys, unless something goes wrong."""
        kind, badly = self.faults.next(operation)
        is_early = badly < 0.5
        self._suffer(kind, what, badly, when=is_early)
        self.travel()
        match kind:
            case "unavailable" | "conflict_409":
                self._refuse(kind, what, Unavailable(f"{INJECTED} {kind}: {what}"))
            case "commit_conflict":
                self._refuse(kind, what, OutcomeUnknown(f"{INJECTED} {kind}: {what}"))
            case "partial_send" if partly is not None:
                partly()
                self._refuse(kind, what, Unavailable(f"{INJECTED} {kind}: {what}"))
            case "landed_late":
                self.world.scheduler.later(1 + 40 * badly, lambda: self._land(what, effect))
                self._refuse(kind, what, OutcomeUnknown(f"{INJECTED} {kind}: {what}"))
        try:
            result = effect()
        except WindrowError as error:
            self.world.log(self.name, what, type(error).__name__)
            self.travel()
            raise
        self.world.log(self.name, what, "ok" if kind is None or kind in ("crash", "pause") else kind)
        self._suffer(kind, what, badly, when=not is_early)
        self.travel()
        match kind:
            case "lost_reply" | "commit_unreported":
                raise OutcomeUnknown(f"{INJECTED} {kind}: {what}")
            case "own_412":
                raise AlreadyExists(f"{INJECTED} {kind}: {what}")
        return result

    def crash(self, why: str) -> None:
        """Die here and now; whoever runs the deployment starts another one."""
        self.world.log(self.name, why, "crash")
        self.world.died(self)
        self.world.scheduler.kill(self)
        raise Killed

    def _suffer(self, kind: str | None, what: str, badly: float, *, when: bool) -> None:
        if kind == "crash" and when:
            self.crash(what)
        if kind == "pause" and when:
            self.world.log(self.name, what, "pause")
            self.paused_until_us = self.world.scheduler.now_us + round((2 + 60 * badly) * SECOND_US)

    def _refuse(self, kind: str, what: str, error: WindrowError) -> None:
        self.world.log(self.name, what, kind)
        self.travel()
        raise error

    def _land(self, what: str, effect: Callable[[], object]) -> None:
        self.world.log("world", what, "landed_late")
        with suppress(WindrowError):
            effect()


class ProcessClock:
    """A machine's clock. Its wall clock may be wrong."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._scheduler = process.world.scheduler
        self._started_s = self._scheduler.now_s()
        self.skew_us = 0

    def now_us(self) -> int:
        return self._scheduler.now_us + self.skew_us

    def monotonic_s(self) -> float:
        return self._scheduler.now_s() - self._started_s

    def sleep(self, seconds: float) -> None:
        self._scheduler.wait(seconds)
