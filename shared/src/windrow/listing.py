"""The batches that have records in the places of a stream: those that S3 lists, and those that were sealed before."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from windrow import keys, results
from windrow.lake.tables import Place
from windrow.ports import ObjectStore


class Known(NamedTuple):
    """The batches of a place."""

    batches: frozenset[str]
    listed: frozenset[str]
    """Those whose segments are still there. Lifecycle rules remove old ones; their rows are in the records table."""


@dataclass
class Listing:
    """What is there now, each part of the stream listed at most once.

    Made anew for every group of pointers, so that it sees what they speak of.
    """

    store: ObjectStore
    stream: str
    _seen: set[str] = field(default_factory=set)
    _listed: dict[Place, set[str]] = field(default_factory=lambda: defaultdict(set))
    _sealed: dict[Place, frozenset[str]] = field(default_factory=dict)

    def known(self, shard: int, buckets: range) -> Mapping[int, Known]:
        """Bucket (its start in µs) → its batches, for those of the buckets that have any."""
        for below in keys.bucket_prefixes(buckets):
            if below not in self._seen:
                self._list(below)
                self._seen.add(below)
        places = (Place(bucket, shard) for bucket in self._those(shard, buckets))
        return {place.bucket_us: self._of(place) for place in places if place in self._listed or place in self._sealed}

    def _of(self, place: Place) -> Known:
        listed = frozenset(self._listed.get(place, ()))
        return Known(listed | self._sealed.get(place, frozenset()), listed)

    def _list(self, below: str) -> None:
        for info in self.store.list(f"{keys.segments_prefix(self.stream)}{below}"):
            address = keys.parse_segment_key(info.key)
            self._listed[Place(address.bucket_us, address.shard)].add(address.batch)
        latest: dict[Place, str] = {}
        for info in self.store.list(f"{keys.results_prefix(self.stream, keys.RECORDS_TABLE)}{below}"):
            if info.key.endswith("/inputs.json"):
                found = keys.parse_result_key(info.key)
                latest[Place(found.bucket_us, found.shard)] = info.key
        for place, key in latest.items():
            # The key names the set that was sealed: where it is what is listed, nothing has been removed.
            if keys.parse_result_key(key).digest != results.digest_of({place.bucket_us: self._listed.get(place, ())}):
                sealed = results.decode(self.store.get(key).body)
                self._sealed[place] = frozenset(sealed.batches.get(place.bucket_us, ()))

    def _those(self, shard: int, buckets: range) -> list[int]:
        """The buckets worth looking at: few of a wide range have records."""
        if len(buckets) <= len(self._listed) + len(self._sealed):
            return list(buckets)
        found = {place.bucket_us for place in (*self._listed, *self._sealed) if place.shard == shard}
        return sorted(bucket for bucket in found if bucket in buckets)
