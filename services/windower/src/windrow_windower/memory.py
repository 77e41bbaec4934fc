"""What was computed of places lately, so that a window over many buckets reads only the one that changed."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

import polars as pl


class Remembered(NamedTuple):
    """A frame and the batches it was made of."""

    batches: frozenset[str]
    frame: pl.DataFrame


@dataclass
class Memory:
    """The frames used last, up to a size. Losing any of it costs time only: all of it follows from segments."""

    max_bytes: int
    _held: OrderedDict[Hashable, Remembered] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _lock: Lock = field(default_factory=Lock)

    def get(self, what: Hashable) -> Remembered | None:
        with self._lock:
            found = self._held.get(what)
            if found is not None:
                self._held.move_to_end(what)
            return found

    def keep(self, what: Hashable, remembered: Remembered) -> None:
        """Keep it in place of what was held under this name; the longest unused go."""
        size = _size(remembered)
        with self._lock:
            old = self._held.pop(what, None)
            if old is not None:
                self._bytes -= _size(old)
            if size > self.max_bytes:
                return
            self._held[what] = remembered
            self._bytes += size
            while self._bytes > self.max_bytes:
                _, gone = self._held.popitem(last=False)
                self._bytes -= _size(gone)


def _size(remembered: Remembered) -> int:
    return int(remembered.frame.estimated_size()) + 64 * len(remembered.batches) + 1_000
