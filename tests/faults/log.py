"""The clients' own log: what was sent, what of it was acknowledged, and so what must be in the tables."""

import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.faults.traffic import Record, Request, Stream

Window = tuple[str, int, int]
"""Sensor, start and end, s since 1970."""
Content = tuple[int, int]
"""How many records a window holds, and the sum of their values."""


@dataclass
class ClientLog:
    """Safe for threads. A request stands in it from before its first attempt."""

    sent: dict[Stream, set[Record]] = field(default_factory=lambda: defaultdict(set))
    acknowledged: dict[Stream, set[Record]] = field(default_factory=lambda: defaultdict(set))
    late: set[Record] = field(default_factory=set)
    """Acknowledged records of `readings` that came after the seal of their bucket."""
    hopeless: set[tuple[Stream, str]] = field(default_factory=set)
    """Acknowledged records that must be in quarantine."""
    junk: set[str] = field(default_factory=set)
    """Messages that must be dead letters."""
    attempts: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def about_to_send(self, request: Request) -> None:
        with self._lock:
            self.attempts += 1
            self.sent[request.stream].update(request.good)

    def was_acknowledged(self, request: Request) -> None:
        with self._lock:
            self.acknowledged[request.stream].update(request.good)
            self.late.update(request.late)
            self.hopeless.update((request.stream, name) for name in request.hopeless)

    @property
    def count(self) -> int:
        """Records acknowledged, each once however often it was sent."""
        return sum(map(len, self.acknowledged.values())) + len(self.hopeless)


def aligned(records: Iterable[Record], size_s: int, slide_s: int) -> dict[Window, Content]:
    """The tumbling and sliding windows of some records: half open, and only those that hold any."""
    found: dict[Window, Content] = defaultdict(lambda: (0, 0))
    for record in records:
        start_s = record.at_s // slide_s * slide_s
        while start_s > record.at_s - size_s:
            count, total = found[record.sensor, start_s, start_s + size_s]
            found[record.sensor, start_s, start_s + size_s] = (count + 1, total + record.value)
            start_s -= slide_s
    return dict(found)


def sessions(records: Iterable[Record], gap_s: int) -> dict[Window, Content]:
    """The sessions of some records: a session ends where nothing comes for longer than `gap_s`."""
    found: dict[Window, Content] = {}
    last: Window | None = None
    for record in sorted(records):
        if last is not None and last[0] == record.sensor and record.at_s <= last[2]:
            count, total = found.pop(last)
            last = (record.sensor, last[1], record.at_s + gap_s)
            found[last] = (count + 1, total + record.value)
        else:
            last = (record.sensor, record.at_s, record.at_s + gap_s)
            found[last] = (1, record.value)
    return found
