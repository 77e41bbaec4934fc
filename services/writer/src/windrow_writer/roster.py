"""Which writers are at work, and which of them each table is for.

Every writer puts an object of its own again and again. Who is alive is told by the store's clock alone: whose object is
not much older than ours. A table is for the writer whose name, hashed with the table's, comes first (rendezvous
hashing): all writers agree on that without asking each other, and one that comes or goes moves only its own share.
"""

import threading
from dataclasses import dataclass, field

from windrow import keys
from windrow.clock import Clock
from windrow.ports import ObjectHeaders, ObjectStore
from windrow.units import SECOND_US

_HEADERS = ObjectHeaders(content_type="text/plain")
_AT_WORK, _GONE = b"at work", b""


@dataclass
class Roster:
    """The writers at work, as this one sees them. A writer that has not been heard of for `ttl_s` is gone."""

    store: ObjectStore
    clock: Clock
    writer: str
    ttl_s: float
    _alive: tuple[str, ...] = ()
    _beaten_s: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def beat_s(self) -> float:
        """How often a writer must be heard of."""
        return self.ttl_s / 3

    def is_due(self) -> bool:
        """Whether it is time to be heard of again."""
        return self._beaten_s is None or self.clock.monotonic_s() - self._beaten_s >= self.beat_s

    def has_lapsed(self) -> bool:
        """Whether this writer has been silent for so long that others may have taken it for gone."""
        return self._beaten_s is None or self.clock.monotonic_s() - self._beaten_s >= self.ttl_s

    def beat(self) -> None:
        """Be heard of, and see who else is. Raises Transient errors."""
        started_s = self.clock.monotonic_s()
        self.store.put(keys.writer_key(self.writer), _AT_WORK, _HEADERS)
        found = {keys.writer_of_key(info.key): info for info in self.store.list(keys.WRITERS_PREFIX)}
        own_us = found[self.writer].modified_us if self.writer in found else 0
        # A second more, for S3 tells whole ones.
        oldest_us = own_us - round((self.ttl_s + 1) * SECOND_US)
        alive = tuple(name for name, info in found.items() if info.size_bytes and info.modified_us >= oldest_us)
        with self._lock:
            self._alive, self._beaten_s = alive, started_s

    def is_alive(self, writer: str) -> bool:
        return writer in self._alive

    def writer_for(self, table: str) -> str:
        """The writer that a table (`<stream>/<table>`) is for."""
        return max(self._alive, key=lambda name: keys.digest(name, table), default=self.writer)

    def leave(self) -> None:
        """Be gone at once, so that nobody waits for it to be noticed."""
        self.store.put(keys.writer_key(self.writer), _GONE, _HEADERS)
