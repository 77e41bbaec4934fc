"""A deployment under test: sends wave after wave, and after each waits until all of it is in the tables, and right."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.faults.findings import Findings, NotRight
from tests.faults.log import ClientLog
from tests.faults.oracle import Oracle, looked
from tests.faults.sender import Sender
from tests.faults.stack import Stack
from tests.faults.traffic import READINGS, VISITS, Wave, repairs, wave
from windrow import catalog, keys, quarantine

QUIET_S = 240.0
"""Longest time from the last request of a wave until everything is right."""
_LOOK_EVERY_S = 0.1
_SENDERS = 6


@dataclass
class Waves:
    """Sends waves to one deployment. Its whole traffic follows from the seed."""

    stack: Stack
    seed: int
    size: int = 40
    """Records of `readings` in a wave."""
    log: ClientLog = field(default_factory=ClientLog)
    number: int = 0

    def __post_init__(self) -> None:
        self.sender = Sender(self.stack, self.log)
        self.oracle = Oracle(self.stack, self.log)
        self._generation = 0
        self._is_settled = False

    def begin(self) -> None:
        """Publish the specs and start the services."""
        for text in (READINGS, VISITS, repairs(0)):
            self._publish(text)
        self.stack.start_services()

    def send(self) -> Wave:
        """Send the next wave: all of it is acknowledged when this returns."""
        sent = wave(self.number, random.Random(f"{self.seed}/{self.number}"), self.size, is_after_seal=self._is_settled)
        self.number += 1
        self._is_settled = False
        with ThreadPoolExecutor(_SENDERS) as pool:
            tasks = [pool.submit(self.sender.post, request) for request in sent.requests]
            tasks.append(pool.submit(self.sender.upload, sent.upload, f"wave-{sent.number}.csv"))
            tasks.append(pool.submit(self.sender.junk, sent.junk))
            for task in tasks:
                task.result()
        return sent

    def repair(self, *sent: Wave) -> None:
        """Let a later spec read what the strict one refused, replay it, and make the strict one current again.

        An operator who replays twice adds nothing; so it is done twice.
        """
        self._await_quarantined({f'"beyond-repair-{each.number}"' for each in sent})
        self._next_generation()
        for _ in range(2):
            self.sender.replay(stream="repairs", kind="record", reason="wrong_type")
        self.sender.replay(kind="message", limit=1)
        self._next_generation()

    def settle(self, within_s: float = QUIET_S) -> float:
        """Wait until everything is right; returns the moment at which it was first seen to be (monotonic, s)."""
        deadline_s = time.monotonic() + within_s
        while True:
            began_s = time.monotonic()
            is_last = began_s >= deadline_s
            findings = looked(self.oracle, at_everything=is_last)
            if self.oracle.always:
                raise NotRight(Findings(duplicated=list(self.oracle.always)), f"wave {self.number - 1}")
            if findings.is_clean:
                self._is_settled = True
                return began_s
            if is_last:
                raise NotRight(findings, f"wave {self.number - 1}, after {within_s:g} s")
            time.sleep(_LOOK_EVERY_S)

    def end(self) -> None:
        """Once more at the end: every unreadable message is a dead letter."""
        deadline_s = time.monotonic() + QUIET_S
        while not (findings := self.oracle.letters()).is_clean:
            if time.monotonic() >= deadline_s:
                raise NotRight(findings, f"after {QUIET_S:g} s")
            time.sleep(_LOOK_EVERY_S)

    # ------------------------------------------------------------------------------------------ specs

    def _publish(self, text: str) -> None:
        catalog.publish(self.stack.aws.store(), text, "faults.yaml")

    def _next_generation(self) -> None:
        # S3's times have whole seconds: what lands in the one in which a spec is published may meet either (ADR 0002).
        time.sleep(1.0 - time.time() % 1.0)
        self._generation += 1
        self._publish(repairs(self._generation))

    def _await_quarantined(self, names: set[str]) -> None:
        store = self.stack.aws.store()
        read: set[str] = set()
        deadline_s = time.monotonic() + QUIET_S
        while names:
            if time.monotonic() >= deadline_s:
                lost = [f"quarantined {name}" for name in sorted(names)]
                raise NotRight(Findings(lost=lost), f"wave {self.number - 1}, after {QUIET_S:g} s")
            for info in store.list(keys.quarantine_prefix("repairs")):
                if info.key not in read:
                    read.add(info.key)
                    text = "\n".join(each.data for each in quarantine.decode_lines(store.get(info.key).body))
                    names = {name for name in names if name not in text}
            time.sleep(_LOOK_EVERY_S)
