"""The kill matrix: every point, so many times, each with a recovery that is waited for and checked."""

import os
import random
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.figures import Figures
from tests.faults.findings import Findings, NotRight
from tests.faults.points import SERVICES, service_of
from tests.faults.stack import Stack
from tests.faults.trap import Arm
from tests.faults.waves import Waves

_WAVES = 8
"""Waves of one deployment: its tables' logs grow with every commit, and each look reads them."""
_TRIES = 6
"""Waves in which a point may fail to be reached."""


def planned(points: Sequence[str], repeats: int, rng: random.Random) -> dict[str, deque[Arm]]:
    """By service, where it is to die, in any order: now at the first time that it comes there, now at the second."""
    arms: dict[str, deque[Arm]] = {}
    for service in SERVICES:
        own = [
            Arm(point, 1 + repeat % 2) for point in points if service_of(point) == service for repeat in range(repeats)
        ]
        rng.shuffle(own)
        arms[service] = deque(own)
    return arms


@dataclass
class Matrix:
    """One run of the matrix."""

    folder: Path
    points: Sequence[str]
    repeats: int
    seed: int
    tell: Callable[[str], None] = lambda _text: None
    armed: int = 4
    """Points of each service that may fire within one wave, one after the other."""
    figures: Figures = field(default_factory=lambda: Figures("kill matrix"))

    def run(self) -> Figures:
        self._left = planned(self.points, self.repeats, random.Random(self.seed))
        self._missed: Counter[str] = Counter()
        self._armed: Counter[str] = Counter()
        chapter = 0
        while any(self._left.values()) and self.figures.is_good:
            self._deployment(chapter)
            chapter += 1
        return self.figures

    def _deployment(self, chapter: int) -> None:
        """A few waves in a deployment of its own."""
        folder = self.folder / f"matrix-{chapter}"
        with Stack(folder) as stack:
            waves = Waves(stack, self.seed + chapter)
            try:
                waves.begin()
                self._waves(stack, waves)
                waves.end()
            except NotRight as error:
                armed = {service: [str(arm) for arm in stack.armed(service)] for service in SERVICES}
                self.figures.findings = error.findings
                self.figures.trouble = (
                    f"{error}\n  deaths: {stack.deaths()[-5:]}\n  still armed: {armed}\n  logs and objects: {folder}\n"
                    f"  again: make faults ONLY=matrix SEED={self.seed} REPEATS={self.repeats}"
                )
            finally:
                self.figures.acknowledged += waves.log.count
                self.figures.attempts += waves.log.attempts
                for service in SERVICES:
                    self.figures.kills.update(stack.fired(service))

    def _waves(self, stack: Stack, waves: Waves) -> None:
        self._wave(stack, waves)  # undisturbed: the tables are made, and there is something to be late for
        for _ in range(_WAVES):
            for service in SERVICES:
                arms = stack.armed(service)
                while self._left[service] and len(arms) < self.armed:
                    arms.append(self._left[service].popleft())
                stack.arm(service, arms)
                self._armed[service] = len(arms)
            if not any(stack.armed(service) for service in SERVICES):
                return
            self._wave(stack, waves)
        for service in SERVICES:  # what has not fired is for the next deployment
            self._left[service].extendleft(reversed(stack.armed(service)))
            stack.arm(service, [])

    def _wave(self, stack: Stack, waves: Waves) -> None:
        known = len(stack.deaths())
        began_s = time.monotonic()
        waves.repair(waves.send())
        quiet_s = waves.settle()
        died = [death for death in stack.deaths()[known:] if death.at_s <= quiet_s]
        if died:
            self.figures.recoveries_s += [quiet_s - death.at_s for death in died]
        else:
            self.figures.undisturbed_s.append(quiet_s - began_s)
        for service in SERVICES:
            self._begin_anew_if_missed(stack, service)
        left = sum(map(len, self._left.values())) + sum(len(stack.armed(service)) for service in SERVICES)
        self.tell(
            f"wave {waves.number}: {len(died)} kills, right after {quiet_s - began_s:.1f} s; {left} kills to come"
        )

    def _begin_anew_if_missed(self, stack: Stack, service: str) -> None:
        """Kill a service at rest that was armed all along and lived: some points, such as that of a lease, are reached
        by a process that begins."""
        armed = stack.armed(service)
        self._missed[service] = self._missed[service] + 1 if len(armed) == self._armed[service] > 0 else 0
        if self._missed[service] > _TRIES:
            raise NotRight(Findings(waiting=[f"{armed[0].point} was not reached"]), f"after {_TRIES} waves")
        if self._missed[service]:
            os.kill(stack.pid(service), signal.SIGKILL)
