"""Load without a pause while trouble comes at any moment: `kill -9` of any service, or faults on the network.

It comes in spells: load and trouble for a few seconds; then both stop, and everything must come to be right.
"""

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from tests.faults.figures import Figures
from tests.faults.findings import NotRight
from tests.faults.points import SERVICES
from tests.faults.stack import Stack
from tests.faults.waves import Waves

Kind = Literal["kills", "faults"]
_SPELL_S = 10.0
_SPELLS = 4
"""Spells of one deployment: its tables' logs grow with every commit, and each look reads them."""
_KILL_EVERY_S = (0.3, 2.0)
_RATE = 0.04
"""Share of requests to S3 and SQS that a fault befalls."""
_SIZE = 140
"""Records of `readings` in a wave, of which one is sent every so often."""
_WAVE_EVERY_S = 1.5


@dataclass
class Storm:
    """One run of spells, for about `seconds` in all."""

    kind: Kind
    folder: Path
    seconds: float
    seed: int
    tell: Callable[[str], None] = lambda _text: None
    spell_s: float = _SPELL_S
    figures: Figures = field(init=False)

    def __post_init__(self) -> None:
        name = "kill -9 at any moment, under load" if self.kind == "kills" else "faults on the way to S3 and SQS"
        self.figures = Figures(name)
        self._rng = random.Random(self.seed)

    def run(self) -> Figures:
        left_s, deployment = self.seconds, 0
        while left_s > 0 and self.figures.is_good:
            left_s = self._deployment(deployment, left_s)
            deployment += 1
        return self.figures

    def _deployment(self, number: int, left_s: float) -> float:
        """Some spells in a deployment of its own; returns how much of the time is left."""
        folder = self.folder / f"{self.kind}-{number}"
        seed = self.seed + number
        with Stack(folder, proxy_seed=seed if self.kind == "faults" else None, is_cold=self.kind == "kills") as stack:
            waves = Waves(stack, seed, _SIZE)
            try:
                waves.begin()
                for _ in range(_SPELLS):
                    began_s = time.monotonic()
                    self._spell(stack, waves)
                    left_s -= time.monotonic() - began_s
                    if left_s <= 0:
                        break
                waves.end()
            except NotRight as error:
                self.figures.findings = error.findings
                self.figures.trouble = (
                    f"{error}\n  deaths: {stack.deaths()[-5:]}\n  logs and objects: {folder}\n"
                    f"  again: make faults ONLY={self.kind} SEED={seed} SECONDS={self.seconds:g}"
                )
            finally:
                self.figures.acknowledged += waves.log.count
                self.figures.attempts += waves.log.attempts
        return left_s

    def _spell(self, stack: Stack, waves: Waves) -> None:
        is_over = threading.Event()
        last_s = [time.monotonic()]
        trouble = threading.Thread(
            target=self._kill if self.kind == "kills" else self._fault, args=(stack, is_over, last_s)
        )
        trouble.start()
        try:
            until_s, sent = time.monotonic() + self.spell_s, [waves.send()]
            while time.monotonic() < until_s:
                time.sleep(max(0.0, min(_WAVE_EVERY_S, until_s - time.monotonic())))
                sent.append(waves.send())
            waves.repair(*sent)
        finally:
            is_over.set()
            trouble.join()
        quiet_s = waves.settle()
        self.figures.recoveries_s.append(quiet_s - last_s[0])
        self.tell(f"wave {waves.number}: right {quiet_s - last_s[0]:.1f} s after the last of the trouble")

    def _kill(self, stack: Stack, is_over: threading.Event, last_s: list[float]) -> None:
        while not is_over.wait(self._rng.uniform(*_KILL_EVERY_S)):
            service = self._rng.choice(SERVICES)
            if not stack.is_ready(service):
                continue  # one that is killed again before it is back never comes to do anything
            try:
                os.kill(stack.pid(service), signal.SIGKILL)
            except ProcessLookupError:
                continue
            last_s[0] = time.monotonic()
            self.figures.kills[service] += 1

    def _fault(self, stack: Stack, is_over: threading.Event, last_s: list[float]) -> None:
        before = Counter(_control(stack.proxy_url, _RATE))
        is_over.wait()
        fired = Counter(_control(stack.proxy_url, 0.0))
        last_s[0] = time.monotonic()
        self.figures.faults += fired - before


def _control(url: str, rate: float) -> dict[str, int]:
    """Set the share of requests that faults befall; how often which have, so far."""
    target = urlsplit(url)
    connection = HTTPConnection(str(target.hostname), target.port, timeout=30)
    try:
        connection.request("POST", target.path, json.dumps({"rate": rate}))
        answer: dict[str, dict[str, int]] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return answer["fired"]
