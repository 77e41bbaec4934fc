"""Finds batches and buckets whose pointers were lost, and seals what is due (laws 4 and 7)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from windrow import keys, manifest, messages
from windrow.catalog import SpecCatalog
from windrow.clock import Clock
from windrow.errors import Transient
from windrow.lake import tables
from windrow.lake.tables import Lake, Place, Table, batch_mark, growth, place_mark
from windrow.log import Log
from windrow.messages import BatchDecoded
from windrow.metrics import Metrics
from windrow.ports import ObjectStore, Outgoing, Queue
from windrow.spec import StreamSpec
from windrow.units import SECOND_US
from windrow_windower.refresh import Refresher
from windrow_windower.seal import Progress, is_due


@dataclass(frozen=True, slots=True)
class _Listed:
    """The segments of a place: their batches, and when the newest one came (store's clock, µs)."""

    batches: frozenset[str]
    newest_us: int


@dataclass
class Sweep:
    """Compares what is listed with what the tables say is committed. It holds nothing that it could not find again."""

    store: ObjectStore
    lake: Lake
    catalog: SpecCatalog
    refresher: Refresher
    writes: Queue
    clock: Clock
    metrics: Metrics
    log: Log
    after_s: float
    """Age from which a segment that is not in any committed window counts as forgotten."""
    _asked: dict[tuple[str, Place | str], tuple[int, float]] = field(default_factory=dict)
    """What was last asked of the writer for a place or batch, and when."""

    def run(self) -> None:
        """Look at every stream once. One that cannot be looked at costs only itself (law 9)."""
        for stream in self.catalog.streams():
            try:
                records = self.lake.open(stream, keys.RECORDS_TABLE)
                self._point_at_forgotten_batches(stream, records)
                self._refresh_and_seal(stream, records)
            except Transient:
                raise
            except Exception as error:  # noqa: BLE001  whatever is wrong with it, other streams wait behind it
                self.log.error("stream_not_swept", stream=stream, error=str(error))

    def _point_at_forgotten_batches(self, stream: str, records: Table | None) -> None:
        """Tell the writer again of decoded batches that are not in the records table."""
        for info in self.store.list(keys.manifest_prefix(stream)):
            batch = keys.batch_of_manifest_key(info.key)
            is_young = self.clock.now_us() - info.modified_us < self.after_s * SECOND_US
            if is_young or (records is not None and records.mark(batch_mark(batch)) is not None):
                continue
            if not self._may_ask((stream, batch), 1):
                continue
            found = manifest.decode(self.store.get(info.key).body)
            pointer = BatchDecoded(stream=stream, batch=batch, row_count=found.accepted)
            self.writes.send([Outgoing(messages.encode(pointer))])
            self.metrics.count("sweeps_found", stream=stream)

    def _refresh_and_seal(self, stream: str, records: Table | None) -> None:
        spec = self.catalog.current(stream).spec
        windows = [self.lake.open(stream, keys.windows_table(name)) for name in spec.windows]
        for place, found in sorted(self._list(stream).items()):
            if records is not None and self._is_sealed(stream, place, found, records):
                continue
            full = growth(len(found.batches), is_final=True)
            if records is not None and self._may_seal(place, found, spec, records):
                self._ask(stream, place, full)
            elif self._is_forgotten(place, found, windows):
                self.metrics.count("sweeps_found", stream=stream)
                self._ask(stream, place, full - 1)

    def _is_sealed(self, stream: str, place: Place, found: _Listed, records: Table) -> bool:
        sealed = records.mark(place_mark(place)) or 0
        full = growth(len(found.batches), is_final=True)
        if sealed <= full:
            return sealed == full
        # Sealed with more than is listed: old segments have expired. Are the listed ones among those it knew?
        latest = self.refresher.latest(stream, place)
        return latest is not None and found.batches <= set(latest.batches)

    def _may_seal(self, place: Place, found: _Listed, spec: StreamSpec, records: Table) -> bool:
        progress = _progress(records)
        if progress is None or not is_due(place.bucket_us, spec, progress, self.clock.now_us()):
            return False
        # Sealing removes duplicates among rows; it must come after all of them.
        return all(records.mark(batch_mark(batch)) is not None for batch in found.batches)

    def _is_forgotten(self, place: Place, found: _Listed, windows: list[Table | None]) -> bool:
        if self.clock.now_us() - found.newest_us < self.after_s * SECOND_US:
            return False
        enough = growth(len(found.batches), is_final=False)
        return any(table is None or (table.mark(place_mark(place)) or 0) < enough for table in windows)

    def _ask(self, stream: str, place: Place, wanted: int) -> None:
        if not self._may_ask((stream, place), wanted):
            return
        is_final = tables.is_final_growth(wanted)
        try:
            inputs = self.refresher.refresh(stream, place, is_final=is_final)
        except Transient:
            raise
        except Exception as error:  # noqa: BLE001  whatever is wrong with it, other buckets wait behind it
            # Its pointer, if there was one, is a dead letter; here it is only said again.
            bucket = keys.bucket_text(place.bucket_us)
            self.log.error("bucket_refused", stream=stream, bucket=bucket, shard=place.shard, error=str(error))
            return
        if inputs is not None and is_final:
            self.metrics.count("buckets_sealed", stream=stream)
            bucket = keys.bucket_text(place.bucket_us)
            self.log.info("bucket_sealed", stream=stream, bucket=bucket, shard=place.shard, inputs=len(inputs.batches))

    def _may_ask(self, what: tuple[str, Place | str], wanted: int) -> bool:
        """Whether this was not asked for already a moment ago; a writer at work is not told at every turn."""
        now_s = self.clock.monotonic_s()
        asked = self._asked.get(what)
        if asked is not None and asked[0] >= wanted and now_s - asked[1] < self.after_s:
            return False
        self._asked[what] = (wanted, now_s)
        return True

    def _list(self, stream: str) -> Mapping[Place, _Listed]:
        batches: dict[Place, set[str]] = defaultdict(set)
        newest: dict[Place, int] = defaultdict(int)
        for info in self.store.list(keys.segments_prefix(stream)):
            address = keys.parse_segment_key(info.key)
            place = Place(address.bucket_us, address.shard)
            batches[place].add(address.batch)
            newest[place] = max(newest[place], info.modified_us)
        return {place: _Listed(frozenset(members), newest[place]) for place, members in batches.items()}


def _progress(records: Table) -> Progress | None:
    max_time_us, last_batch_us = records.mark(tables.MAX_TIME_US), records.mark(tables.LAST_BATCH_US)
    if max_time_us is None or last_batch_us is None:
        return None
    return Progress(max_time_us, last_batch_us)
