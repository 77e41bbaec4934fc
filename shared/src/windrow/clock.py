"""Time, as a port."""

import time
from typing import Protocol


class Clock(Protocol):
    """Wall and monotonic time, and waiting."""

    def now_us(self) -> int:
        """Wall clock in microseconds since 1970 UTC. Never used to order or name things that must be exact."""
        ...

    def monotonic_s(self) -> float:
        """Seconds from an arbitrary start; never goes backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; in tests, advance."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1_000

    def monotonic_s(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
