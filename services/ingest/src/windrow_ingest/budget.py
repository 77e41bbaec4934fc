"""A bound on the bytes that requests hold in memory, from the first byte read to the answer (law 10)."""

from collections.abc import Iterator
from contextlib import contextmanager

from windrow.errors import Unavailable
from windrow.metrics import Metrics


class Budget:
    """Bytes lent to requests. Used from one event loop, so it needs no lock."""

    def __init__(self, max_bytes: int, metrics: Metrics) -> None:
        self._max_bytes = max_bytes
        self._metrics = metrics
        self._lent_bytes = 0

    @contextmanager
    def lease(self) -> Iterator["Lease"]:
        """What one request borrows; given back whole when the request ends, however it ends."""
        lease = Lease(self)
        try:
            yield lease
        finally:
            self.lend(-lease.held_bytes)

    def lend(self, size_bytes: int) -> None:
        """Raises Unavailable when this much more would pass the bound."""
        if size_bytes > 0 and self._lent_bytes + size_bytes > self._max_bytes:
            raise Unavailable(f"{self._lent_bytes} bytes are waiting to become durable; try again shortly")
        self._lent_bytes += size_bytes
        self._metrics.gauge("pending_bytes", self._lent_bytes)


class Lease:
    """One request's share."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.held_bytes = 0

    def take(self, size_bytes: int) -> None:
        """Borrow more; Unavailable when there is no more."""
        self._budget.lend(size_bytes)
        self.held_bytes += size_bytes
