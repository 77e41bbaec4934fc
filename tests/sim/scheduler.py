"""One thread, many fibers, one clock: whoever is due next runs, until it waits for something."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Hashable
from typing import Any

from greenlet import getcurrent, greenlet

SECOND_US = 1_000_000


class Killed(BaseException):
    """What `kill -9` looks like from inside: nothing catches it."""


class Group:
    """Fibers that share memory and die together: a process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fibers: list[Fiber] = []
        self.is_dead = False
        self.paused_until_us = 0


class Fiber:
    """A strand of work. It runs until it waits."""

    def __init__(self, name: str, group: Group | None, run: Callable[[], None], hub: greenlet) -> None:
        self.name = name
        self.group = group
        self._run = run
        self.error: BaseException | None = None
        self.ticket = 0
        """Grows with every wait, so that a wake that comes too late is known to be one."""
        self.greenlet = greenlet(self._main, hub)

    def _main(self) -> None:
        try:
            self._run()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001  whatever it is, it belongs to the run as a whole
            self.error = error


class Scheduler:
    """Virtual time in µs. Fibers that are due at the same moment run in the order in which they began to wait."""

    def __init__(self, now_us: int) -> None:
        self.now_us = now_us
        self.started_us = now_us
        self.switches = 0
        self._due: list[tuple[int, int, Fiber, int]] = []
        self._number = 0
        self._waiting: dict[Hashable, list[tuple[Fiber, int]]] = defaultdict(list)
        self._current: Fiber | None = None
        self._hub = getcurrent()
        self._dead: list[Group] = []

    def now_s(self) -> float:
        return (self.now_us - self.started_us) / SECOND_US

    def spawn(self, name: str, run: Callable[[], None], group: Group | None = None, after_s: float = 0.0) -> Fiber:
        """A fiber that begins after a while."""
        fiber = Fiber(name, group, run, self._hub)
        if group is not None:
            group.fibers.append(fiber)
        self._at(fiber, self.now_us + round(after_s * SECOND_US))
        return fiber

    def later(self, after_s: float, effect: Callable[[], None]) -> None:
        """Something that happens out in the world, whoever lives or dies meanwhile."""
        self.spawn("world", effect, after_s=after_s)

    def wait(self, seconds: float, on: Hashable = None) -> None:
        """Let others run until so much time has passed, or until somebody wakes those who wait on `on`."""
        fiber = self._current
        assert fiber is not None, "only fibers wait"
        group = fiber.group
        if group is not None and group.is_dead:
            raise Killed
        fiber.ticket += 1
        self._at(fiber, self.now_us + round(seconds * SECOND_US))
        if on is not None:
            self._waiting[on].append((fiber, fiber.ticket))
        self._hub.switch()

    def wake(self, on: Hashable) -> None:
        """Everyone who waits on this is due now."""
        for fiber, ticket in self._waiting.pop(on, ()):
            if fiber.ticket == ticket and not fiber.greenlet.dead:
                fiber.ticket += 1
                self._at(fiber, self.now_us)

    def kill(self, group: Group) -> None:
        """End a process, now. Its fibers learn of it where they wait."""
        if not group.is_dead:
            group.is_dead = True
            self._dead.append(group)

    def run(self, until: Callable[[], bool]) -> None:
        """Run until this holds, asked before every step, or nothing is left to run. Raises what a fiber raised."""
        while self._due and not until():
            at_us, _, fiber, ticket = heapq.heappop(self._due)
            if fiber.ticket != ticket or fiber.greenlet.dead or (fiber.group is not None and fiber.group.is_dead):
                continue
            self.now_us = max(self.now_us, at_us)
            if fiber.group is not None and fiber.group.paused_until_us > self.now_us:
                self._at(fiber, fiber.group.paused_until_us)
                continue
            self._switch(fiber)
            while self._dead:
                for each in self._dead.pop().fibers:
                    self._end(each)

    def close(self) -> None:
        """End every fiber there is."""
        for *_, fiber, _ticket in self._due:
            self._end(fiber)
        self._due.clear()

    def _switch(self, fiber: Fiber) -> None:
        self._current = fiber
        self.switches += 1
        fiber.greenlet.switch()
        self._current = None
        if fiber.error is not None:
            raise fiber.error

    def _end(self, fiber: Fiber) -> None:
        if fiber.greenlet and not fiber.greenlet.dead:  # one that never began holds nothing
            if fiber.group is not None:
                fiber.group.is_dead = True
            self._current = fiber
            fiber.greenlet.throw(Killed)
            self._current = None

    def _at(self, fiber: Fiber, at_us: int) -> None:
        self._number += 1
        heapq.heappush(self._due, (at_us, self._number, fiber, fiber.ticket))


class Event:
    """A value that somebody waits for."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.value: Any = None
        self.is_set = False

    def set(self, value: Any) -> None:
        self.value, self.is_set = value, True
        self._scheduler.wake(self)

    def wait(self, seconds: float) -> bool:
        if not self.is_set:
            self._scheduler.wait(seconds, on=self)
        return self.is_set
