"""The kill matrix: every point, so many times, each with a recovery that is waited for and checked."""

import itertools
import os
import random
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.figures import Figures
from tests.faults.findings import Findings, NotRight
from tests.faults.points import AT_THE_START, SERVICES, service_of
from tests.faults.stack import Stack
from tests.faults.trap import Arm
from tests.faults.waves import Waves

_WAVES = 8
"""Waves of one deployment: its tables' logs grow with every commit, and each look reads them."""
_TRIES = 6
"""Waves in which a point may fail to be reached in a deployment: there may be nothing to merge there any more."""
_DEPLOYMENTS = 3
"""Deployments in a row in which it may, while nothing else of its service is reached either."""


def planned(points: Sequence[str], repeats: int, rng: random.Random) -> dict[str, deque[Arm]]:
    """By service, where it is to die, in any order: now at the first time that it comes there, now at the second."""
    arms: dict[str, deque[Arm]] = {}
    for service in SERVICES:
        own = [
            Arm(point, 1 if point in AT_THE_START else 1 + repeat % 2)
            for point in points
            if service_of(point) == service
            for repeat in range(repeats)
        ]
        rng.shuffle(own)
        arms[service] = deque(own)
    return arms


@dataclass
class Matrix:
    """One run of the matrix, in several deployments at a time: most of a recovery is waiting."""

    folder: Path
    points: Sequence[str]
    repeats: int
    seed: int
    tell: Callable[[str], None] = lambda _text: None
    armed: int = 4
    """Points of each service that may fire within one wave, one after the other."""
    lanes: int = 2
    """Deployments at a time."""
    figures: Figures = field(default_factory=lambda: Figures("kill matrix"))

    def __post_init__(self) -> None:
        self._left = planned(self.points, self.repeats, random.Random(self.seed))
        self._numbers = itertools.count()
        self._unreached: Counter[str] = Counter()
        self._lock = threading.Lock()

    def run(self) -> Figures:
        with ThreadPoolExecutor(self.lanes) as pool:
            for lane in [pool.submit(self._lane) for _ in range(self.lanes)]:
                lane.result()
        return self.figures

    def take(self, service: str, count: int) -> list[Arm]:
        """Where a service is to die next."""
        with self._lock:
            left = self._left[service]
            return [left.popleft() for _ in range(min(count, len(left)))]

    def give_back(self, service: str, arms: Sequence[Arm]) -> None:
        """What has not fired."""
        with self._lock:
            self._left[service].extendleft(reversed(arms))

    def reached(self, service: str) -> None:
        """A point of a service has fired."""
        with self._lock:
            for point in [point for point in self._unreached if service_of(point) == service]:
                del self._unreached[point]

    def unreached(self, point: str) -> None:
        """A deployment never came to a point. Raises NotRight if others did not either."""
        with self._lock:
            self._unreached[point] += 1
            if self._unreached[point] >= _DEPLOYMENTS:
                raise NotRight(
                    Findings(waiting=[f"{point} was not reached"]), f"in {_DEPLOYMENTS} deployments in a row"
                )

    def settled(self, died_s: Sequence[float], began_s: float, quiet_s: float) -> None:
        """A wave that began, in which processes died, and after which everything was right."""
        with self._lock:
            self.figures.recoveries_s += [quiet_s - at_s for at_s in died_s]
            if not died_s:
                self.figures.undisturbed_s.append(quiet_s - began_s)
            left = sum(map(len, self._left.values()))
        self.tell(f"a wave with {len(died_s)} kills is right after {quiet_s - began_s:.1f} s; {left} kills to come")

    def _lane(self) -> None:
        while any(self._left.values()) and self.figures.is_good:
            with self._lock:
                number = next(self._numbers)
            self._deployment(number)

    def _deployment(self, number: int) -> None:
        folder = self.folder / f"matrix-{number}"
        trouble = None
        with Stack(folder) as stack:
            waves = Waves(stack, self.seed + number)
            deployment = _Deployment(self, stack, waves)
            try:
                deployment.run()
            except NotRight as error:
                trouble = error
                armed = {service: [str(arm) for arm in stack.armed(service)] for service in SERVICES}
            with self._lock:
                self.figures.acknowledged += waves.log.count
                self.figures.attempts += waves.log.attempts
                for service in SERVICES:
                    self.figures.kills.update(stack.fired(service))
                if trouble is not None:
                    self.figures.findings = trouble.findings
                    self.figures.trouble = (
                        f"{trouble}\n  deaths: {stack.deaths()[-5:]}\n  still armed: {armed}\n"
                        f"  logs and objects: {folder}\n"
                        f"  again: make faults ONLY=matrix SEED={self.seed} REPEATS={self.repeats}"
                    )


@dataclass
class _Deployment:
    """Some waves in a deployment of its own."""

    matrix: Matrix
    stack: Stack
    waves: Waves
    _armed: Counter[str] = field(default_factory=Counter)
    """How much each service was armed with before this wave."""
    _missed: Counter[str] = field(default_factory=Counter)
    """Waves in a row in which an armed service lived."""
    _is_worn: bool = False
    """Whether there is a point that it does not come to any more."""

    def run(self) -> None:
        """Raises NotRight."""
        self.waves.begin()
        self._wave()  # undisturbed: the tables are made, and there is something to be late for
        for _ in range(_WAVES):
            for service in SERVICES:
                arms = self.stack.armed(service)
                arms += self.matrix.take(service, self.matrix.armed - len(arms))
                self.stack.arm(service, arms)
                self._armed[service] = len(arms)
                if arms and arms[0].point in AT_THE_START:
                    os.kill(self.stack.pid(service), signal.SIGKILL)  # at rest
            if self._is_worn or not self._armed.total():
                break
            self._wave()
        for service in SERVICES:  # the rest is for another deployment
            arms = self.stack.armed(service)
            self.stack.arm(service, [])
            self.matrix.give_back(service, arms)
        self.waves.end()

    def _wave(self) -> None:
        known = len(self.stack.deaths())
        began_s = time.monotonic()
        self.waves.repair(self.waves.send())
        quiet_s = self.waves.settle()
        died_s = [death.at_s for death in self.stack.deaths()[known:] if death.at_s <= quiet_s]
        self.matrix.settled(died_s, began_s, quiet_s)
        for service in SERVICES:
            self._count_missed(service)

    def _count_missed(self, service: str) -> None:
        """Notice a point that is never reached; one whose second time is meant may take two waves."""
        armed = self.stack.armed(service)
        self._missed[service] = self._missed[service] + 1 if len(armed) == self._armed[service] > 0 else 0
        if len(armed) < self._armed[service]:
            self.matrix.reached(service)
        if self._missed[service] == _TRIES:
            self._is_worn = True
            self.matrix.unreached(armed[0].point)
