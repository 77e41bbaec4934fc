"""A clock that moves only when told."""


class ManualClock:
    """Starts at a given wall time; sleeping advances it."""

    def __init__(self, now_us: int = 1_700_000_000_000_000) -> None:
        self._now_us = now_us
        self._monotonic_s = 0.0

    def now_us(self) -> int:
        return self._now_us

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_us += round(seconds * 1_000_000)
        self._monotonic_s += seconds

    def step_wall_clock(self, seconds: float) -> None:
        """Set the wall clock back or forth, as NTP does; monotonic time is not touched."""
        self._now_us += round(seconds * 1_000_000)
