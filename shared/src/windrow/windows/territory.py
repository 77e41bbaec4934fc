"""Which windows the records of a place can change, and over which records the windows of a bucket reach."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from windrow.spec.windows import AlignedWindow, SequenceWindow, SessionWindow
from windrow.windows import reach
from windrow.windows.reach import Stretch, bucket_at, bucket_of, buckets_of

Runs = Callable[[range], pl.DataFrame]
"""Buckets (starts in µs) → the sessions of all their records, as runs with `first_time` and `last_time`."""


@dataclass(frozen=True)
class Territory:
    """Where the windows of one definition are kept and what they are made of.

    The windows that start in a bucket belong to it. A record changes windows of its own bucket and, where windows cross
    buckets, of others. How far sessions reach follows from the records, so `runs` are asked for.
    """

    window: AlignedWindow | SequenceWindow | SessionWindow
    bucket_us: int
    """Length of a bucket."""
    runs: Runs

    def owners(self, bucket: int) -> list[int]:
        """The buckets that own windows which the records of one bucket can change."""
        own = bucket_at(bucket, self.bucket_us)
        if not isinstance(self.window, SessionWindow):
            return reach.owners(self.window, self.bucket_us, own)
        gap_us = self.window.gap
        runs, around = self._explored(own, lambda runs: reach.touching(runs, gap_us, own))
        if self.window.max_duration is not None:  # one record moves all the cuts of its session
            return list(buckets_of(Stretch(around.from_us + gap_us, around.to_us), self.bucket_us))
        begun = {bucket_of(start, self.bucket_us) for start in reach.starts_of(runs) if start < own.to_us}
        # Sessions that began up to a gap later may have become part of one that begins here.
        return sorted({bucket, *begun, *buckets_of(Stretch(own.to_us, own.to_us + gap_us + 1), self.bucket_us)})

    def reach(self, owner: int) -> Stretch | None:
        """Where the records are that the windows of an owner depend on; None when no window can start there."""
        if not isinstance(self.window, SessionWindow):
            return reach.reach(self.window, self.bucket_us, owner)
        own, gap_us = bucket_at(owner, self.bucket_us), self.window.gap
        if self.window.max_duration is not None:  # where a session is cut depends on where it really began
            return self._explored(own, lambda runs: reach.touching(runs, gap_us, own))[1]
        return self._explored(own, lambda runs: reach.beginning(runs, own))[1]

    def _explored(self, own: Stretch, wanted: Callable[[pl.DataFrame], pl.DataFrame]) -> tuple[pl.DataFrame, Stretch]:
        """Looks further until no run that is wanted goes beyond what was looked at."""
        assert isinstance(self.window, SessionWindow)
        seen = reach.covering(pl.DataFrame(schema=_NO_RUNS), self.window.gap, own)
        while True:
            buckets = buckets_of(seen, self.bucket_us)
            runs = wanted(self.runs(buckets))
            needed = reach.covering(runs, self.window.gap, own)
            if needed.from_us >= buckets[0] and needed.to_us <= buckets[-1] + self.bucket_us:
                return runs, needed
            seen = Stretch(min(needed.from_us, seen.from_us), max(needed.to_us, seen.to_us))


_NO_RUNS = {"first_time": pl.Datetime("us", "UTC"), "last_time": pl.Datetime("us", "UTC")}


def runs_only(window: SessionWindow) -> SessionWindow:
    """The definition without its aggregates and cuts: where its sessions lie."""
    return window.model_copy(update={"aggregates": {}, "max_duration": None})
