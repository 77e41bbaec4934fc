"""When so much of a stream goes to quarantine that it is better to stop (law 9)."""

from collections import deque

from windrow.spec import Halt


class Brake:
    """Counts the latest records of one stream under one spec version."""

    def __init__(self, limit: Halt) -> None:
        self._limit = limit
        self._batches: deque[tuple[int, int]] = deque()
        self.records = 0
        self.quarantined = 0

    def feels(self, records: int, quarantined: int) -> bool:
        """Take one more batch into account; whether the share of bad records is now past the limit.

        Looks back over the fewest batches that hold `min_records` between them, so that old good times do not hide a
        burst.
        """
        self._batches.append((records, quarantined))
        self.records += records
        self.quarantined += quarantined
        while self.records - self._batches[0][0] >= self._limit.min_records:
            gone_records, gone_quarantined = self._batches.popleft()
            self.records -= gone_records
            self.quarantined -= gone_quarantined
        return self.records >= self._limit.min_records and self.quarantined >= self._limit.ratio * self.records


class Brakes:
    """A brake for every stream and spec version that asks for one."""

    def __init__(self) -> None:
        self._brakes: dict[tuple[str, int], Brake] = {}

    def of(self, stream: str, version: int, limit: Halt) -> Brake:
        return self._brakes.setdefault((stream, version), Brake(limit))
