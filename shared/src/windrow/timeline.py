"""The versions of a stream's spec in the order of time, and which of them an object that landed is read under.

A version may begin new tables, where those there are could not follow it. All that lands from then on goes to these and
nothing more to the older ones: which tables an object belongs to follows from when it landed, for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Self

from windrow import keys
from windrow.ports import ObjectStore
from windrow.units import SECOND_US


class Entry(NamedTuple):
    """A published version: its key, when it was published and from when on it counts (store's clock)."""

    key: str
    published_us: int
    since_s: int

    @property
    def tables(self) -> int:
        return keys.tables_of_spec(self.key)


@dataclass(frozen=True, slots=True)
class Timeline:
    """All versions of one stream's spec, oldest first."""

    stream: str
    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, store: ObjectStore, stream: str) -> Self:
        """As it is now."""
        entries: list[Entry] = []
        for info in store.list(keys.spec_prefix(stream)):
            since_s = info.modified_us // SECOND_US
            if entries:
                # The store tells whole seconds. In the second in which a version is published, an object might be
                # decoded under the one before, and once more, after a crash, under the new: it begins with the next.
                since_s += 1
            entries.append(Entry(info.key, info.modified_us, max(since_s, entries[-1].since_s if entries else 0)))
        return cls(stream, tuple(entries))

    def from_landing(self, landed_us: int) -> Sequence[Entry]:
        """The version that was current when an object landed, else the first, and every later one for the same tables.

        A pure function of the store: both times are its own, in whole seconds as S3 keeps them.
        """
        landed_s = landed_us // SECOND_US
        first = max(sum(entry.since_s <= landed_s for entry in self.entries) - 1, 0)
        return [entry for entry in self.entries[first:] if entry.tables == self.entries[first].tables]

    def flow(self, landed_us: int) -> str:
        """The flow that what landed then belongs to; the stream's own while it has no spec."""
        found = self.from_landing(landed_us) if self.entries else ()
        return keys.flow_name(self.stream, found[0].tables if found else 1)

    @property
    def flows(self) -> tuple[str, ...]:
        """Every version of the stream's tables, oldest first."""
        tables = dict.fromkeys(entry.tables for entry in self.entries)
        return tuple(keys.flow_name(self.stream, each) for each in tables)

    def begins(self, version: int) -> bool:
        """Whether a version of the spec begins new tables."""
        return any(
            before.tables != after.tables and keys.spec_version(after.key) == version
            for before, after in pairwise(self.entries)
        )
