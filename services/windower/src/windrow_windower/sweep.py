"""Finds batches and buckets whose pointers were lost, and seals what is due (laws 4 and 7)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from windrow import keys, manifest, messages, results
from windrow.catalog import SpecCatalog
from windrow.clock import Clock
from windrow.errors import Transient
from windrow.lake import tables
from windrow.lake.tables import Lake, Place, Table, batch_mark, expired_before, growth, is_final_growth, place_mark
from windrow.listing import Listing
from windrow.log import Log
from windrow.messages import BatchDecoded
from windrow.metrics import Metrics
from windrow.ports import ObjectStore, Outgoing, Queue
from windrow.results import Inputs
from windrow.spec import StreamSpec
from windrow.spec.windows import AlignedWindow, SequenceWindow, SessionWindow
from windrow.units import SECOND_US, utc_date
from windrow.windows import reach
from windrow.windows.reach import Stretch, bucket_at, buckets_of
from windrow.windows.sealing import Progress, is_due
from windrow_windower.refresh import Refresher

_MOST_INPUTS = 20_000


@dataclass(frozen=True, slots=True)
class _Listed:
    """The segments of a stream, by place: their batches, and when the newest one came (store's clock, µs)."""

    batches: Mapping[Place, frozenset[str]]
    newest_us: Mapping[Place, int]
    sealed: Mapping[Place, str]
    """The result that says which batches the records of a place were sealed with, by its key."""
    listing: Listing
    known: dict[Place, frozenset[str]] = field(default_factory=dict)
    """The batches of places that were looked at, with those whose segments have expired: all windows ask the same."""

    def buckets_within(self, shard: int, buckets: range) -> list[int]:
        """Those of some buckets that have records, or had some when they were sealed: old segments expire."""
        if len(buckets) <= len(self.batches) + len(self.sealed):
            return [bucket for bucket in buckets if self._has(Place(bucket, shard))]
        places = self.batches.keys() | self.sealed.keys()
        return sorted(place.bucket_us for place in places if place.shard == shard and place.bucket_us in buckets)

    def _has(self, place: Place) -> bool:
        return place in self.batches or place in self.sealed


@dataclass
class _Grid:
    """What is asked again at every turn of windows that lie on a grid; a calendar takes its time to answer."""

    window: AlignedWindow | SequenceWindow
    bucket_us: int
    _owners: dict[int, list[int]] = field(default_factory=dict)
    _reach: dict[int, Stretch | None] = field(default_factory=dict)

    def owners(self, bucket: int) -> list[int]:
        if bucket not in self._owners:
            self._owners[bucket] = reach.owners(self.window, self.bucket_us, bucket_at(bucket, self.bucket_us))
        return self._owners[bucket]

    def reach(self, owner: int) -> Stretch | None:
        if owner not in self._reach:
            self._reach[owner] = reach.reach(self.window, self.bucket_us, owner)
        return self._reach[owner]


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
    _grids: dict[tuple[str, str], "_Grid"] = field(default_factory=dict)
    """Where the windows of a stream lie, by name."""
    _inputs: dict[str, Inputs] = field(default_factory=dict)
    """What was read of results, by key; the oldest go."""
    _asked: dict[tuple[object, ...], tuple[int, float]] = field(default_factory=dict)
    """What was last asked of the writer for a place of a table or for a batch, and when."""

    def run(self) -> None:
        """Look at every stream once. One that cannot be looked at costs only itself (law 9)."""
        for stream in self.catalog.flows():
            try:
                records = self.lake.open(stream, keys.RECORDS_TABLE)
                self._point_at_forgotten_batches(stream, records)
                spec, found = self.catalog.current(stream).spec, self._list(stream)
                sealed = self._seal_records(stream, spec, found, records)
                for window in spec.windows:
                    self._refresh_and_seal(stream, window, spec, found, records, sealed)
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

    # ------------------------------------------------------------------------------------------ records

    def _seal_records(self, stream: str, spec: StreamSpec, found: _Listed, records: Table | None) -> set[Place]:
        """Asks for each record to be left once where a bucket is done; returns the places where that is so already."""
        sealed: set[Place] = set()
        progress = None if records is None else _progress(records)
        if records is None or progress is None:
            return sealed
        for place, batches in sorted(found.batches.items()):
            within = {place.bucket_us: batches}
            mark = records.mark(place_mark(place)) or 0
            if _has_expired(place, records) or (
                is_final_growth(mark) and self._is_committed(found.sealed.get(place), within, mark)
            ):
                sealed.add(place)
            elif is_due(place.bucket_us + spec.bucket, spec, progress, self.clock.now_us()) and all(
                # Sealing removes duplicates among rows; it must come after all of them.
                records.mark(batch_mark(batch)) is not None
                for batch in batches
            ):
                self._ask(stream, keys.RECORDS_TABLE, place, within, found, is_final=True)
        return sealed

    # ------------------------------------------------------------------------------------------ windows

    def _refresh_and_seal(
        self, stream: str, window: str, spec: StreamSpec, found: _Listed, records: Table | None, sealed: set[Place]
    ) -> None:
        table = keys.windows_table(window)
        handle, latest = self.lake.open(stream, table), self._latest(stream, table)
        is_diverting = spec.windows[window].late == "divert"
        progress = None if records is None else _progress(records)
        for owner, stretch in self._owners(window, spec, found, latest):
            if handle is not None and _has_expired(owner, handle):
                continue
            mark = 0 if handle is None else handle.mark(place_mark(owner)) or 0
            buckets = found.buckets_within(owner.shard, buckets_of(stretch, spec.bucket))
            if is_final_growth(mark) and self._is_of_what_was_sealed(latest.get(owner), owner, buckets, found):
                continue
            within = {bucket: self._batches(Place(bucket, owner.shard), found) for bucket in buckets}
            if not within:  # its records were never sealed: a lifecycle rule came too early
                within = {bucket: frozenset(some) for bucket, some in self._inputs_of(latest[owner]).batches.items()}
            is_committed = self._is_committed(latest.get(owner), within, mark)
            if is_final_growth(mark) and (is_committed or is_diverting):
                continue  # where late records are diverted, what came later is in the ledger and goes no further
            is_done = progress is not None and is_due(stretch.to_us, spec, progress, self.clock.now_us())
            # Windows become final after the records they are made of: what comes later is late, and is known to be.
            if is_done and all(_is_sealed(Place(bucket, owner.shard), found, sealed, records) for bucket in within):
                self._ask(stream, table, owner, within, found, is_final=True)
            elif not is_committed and self._is_old(owner, within, found):
                self.metrics.count("sweeps_found", stream=stream)
                self._ask(stream, table, owner, within, found, is_final=False)

    def _owners(
        self, window: str, spec: StreamSpec, found: _Listed, latest: Mapping[Place, str]
    ) -> Iterator[tuple[Place, Stretch]]:
        """The places that own windows made of what is listed, and what these windows reach over.

        What was sealed under a spec that had the window counts as well, though all of it may have expired since. What
        was sealed before there was such a window is left to a backfill.
        """
        definition = spec.windows[window]
        versions = {place: keys.parse_result_key(key).spec_version for place, key in found.sealed.items()}
        knew = {version: self.catalog.has_window(spec.stream, version, window) for version in set(versions.values())}
        places = {*found.batches, *(place for place, version in versions.items() if knew[version])}
        if isinstance(definition, AlignedWindow | SequenceWindow):
            grid = self._grids.get((spec.stream, window))
            if grid is None or grid.window != definition:
                grid = self._grids[spec.stream, window] = _Grid(definition, spec.bucket)
            owners = {Place(owner, place.shard) for place in places for owner in grid.owners(place.bucket_us)}
            for owner in sorted(owners.union(latest)):
                stretch = grid.reach(owner.bucket_us)
                if stretch is not None:
                    yield owner, stretch
        elif isinstance(definition, SessionWindow):
            # How far sessions reach follows from the records; here it is read from what was computed of them. Where a
            # session began, the segments may have expired.
            for owner in sorted(places.union(latest)):
                if owner in latest:
                    known = self._inputs_of(latest[owner])
                    yield owner, Stretch(known.from_us, known.to_us)
                else:
                    yield owner, bucket_at(owner.bucket_us, spec.bucket)

    # ------------------------------------------------------------------------------------------ both

    def _latest(self, stream: str, table: str) -> Mapping[Place, str]:
        """The key of every place's result with the most inputs."""
        latest: dict[Place, str] = {}
        for info in self.store.list(keys.results_prefix(stream, table)):
            if info.key.endswith("/inputs.json"):
                address = keys.parse_result_key(info.key)
                latest[Place(address.bucket_us, address.shard)] = info.key
        return latest

    def _is_committed(self, latest: str | None, within: Mapping[int, frozenset[str]], mark: int) -> bool:
        """Whether a table, grown to `mark`, holds a result that was computed from all these batches.

        That there are as many is not enough: old segments expire, and others may have come since.
        """
        if latest is None:
            return False
        address = keys.parse_result_key(latest)
        if mark < growth(address.count, is_final=False):
            return False
        if address.digest == results.digest_of(within):
            return True
        known = self._inputs_of(latest).batches
        return all(batches <= set(known.get(bucket, ())) for bucket, batches in within.items())

    def _is_of_what_was_sealed(self, latest: str | None, owner: Place, buckets: Sequence[int], found: _Listed) -> bool:
        """Whether a result was computed from just what its own bucket was sealed with, all of it expired.

        So it is in the end with most places there ever were, and their keys say it: nothing is read to find out.
        """
        if latest is None or buckets != [owner.bucket_us] or owner in found.batches or owner not in found.sealed:
            return False
        return keys.parse_result_key(latest).digest == keys.parse_result_key(found.sealed[owner]).digest

    def _batches(self, place: Place, found: _Listed) -> frozenset[str]:
        """The batches of a place, with those that it was sealed with and whose segments have expired."""
        if place not in found.known:
            batches, sealed = found.batches.get(place, frozenset()), found.sealed.get(place)
            if sealed and keys.parse_result_key(sealed).digest != results.digest_of({place.bucket_us: batches}):
                batches = batches.union(self._inputs_of(sealed).batches.get(place.bucket_us, ()))
            found.known[place] = batches
        return found.known[place]

    def _inputs_of(self, key: str) -> Inputs:
        """What a result was computed from. A key never means anything else, so it is read once."""
        if key not in self._inputs:
            while len(self._inputs) >= _MOST_INPUTS:
                del self._inputs[next(iter(self._inputs))]
            self._inputs[key] = results.decode(self.store.get(key).body)
        return self._inputs[key]

    def _is_old(self, owner: Place, within: Mapping[int, frozenset[str]], found: _Listed) -> bool:
        """Whether so long has passed since the newest segment that its own pointer must have been lost."""
        newest_us = max(found.newest_us.get(Place(bucket, owner.shard), 0) for bucket in within)
        return self.clock.now_us() - newest_us >= self.after_s * SECOND_US

    def _ask(
        self,
        stream: str,
        table: str,
        place: Place,
        within: Mapping[int, frozenset[str]],
        found: _Listed,
        *,
        is_final: bool,
    ) -> None:
        wanted = growth(sum(map(len, within.values())), is_final=is_final)
        if not self._may_ask((stream, table, place), wanted):
            return
        try:
            if table == keys.RECORDS_TABLE:
                inputs = self.refresher.seal_records(stream, place, found.listing)
            else:
                window = keys.window_of_table(table)
                inputs = self.refresher.refresh(stream, window, place, listing=found.listing, is_final=is_final)
        except Transient:
            raise
        except Exception as error:  # noqa: BLE001  whatever is wrong with it, other buckets wait behind it
            # Its pointer, if there was one, is a dead letter; here it is only said again.
            bucket = keys.bucket_text(place.bucket_us)
            self.log.error(
                "bucket_refused", stream=stream, table=table, bucket=bucket, shard=place.shard, error=str(error)
            )
            return
        if inputs is not None and is_final:
            self.metrics.count("buckets_sealed", stream=stream)
            bucket = keys.bucket_text(place.bucket_us)
            self.log.info(
                "bucket_sealed", stream=stream, table=table, bucket=bucket, shard=place.shard, inputs=inputs.count
            )

    def _may_ask(self, what: tuple[object, ...], wanted: int) -> bool:
        """Whether this was not asked for already a moment ago; a writer at work is not told at every turn."""
        now_s = self.clock.monotonic_s()
        asked = self._asked.get(what)
        if asked is not None and asked[0] >= wanted and now_s - asked[1] < self.after_s:
            return False
        self._asked[what] = (wanted, now_s)
        return True

    def _list(self, stream: str) -> _Listed:
        batches: dict[Place, set[str]] = defaultdict(set)
        newest: dict[Place, int] = defaultdict(int)
        for info in self.store.list(keys.segments_prefix(stream)):
            address = keys.parse_segment_key(info.key)
            place = Place(address.bucket_us, address.shard)
            batches[place].add(address.batch)
            newest[place] = max(newest[place], info.modified_us)
        listing = Listing(self.store, stream)
        sealed = self._latest(stream, keys.RECORDS_TABLE)
        return _Listed({place: frozenset(found) for place, found in batches.items()}, newest, sealed, listing)


def _is_sealed(place: Place, found: _Listed, sealed: set[Place], records: Table | None) -> bool:
    if place in found.batches:
        return place in sealed
    return records is not None and is_final_growth(records.mark(place_mark(place)))


def _has_expired(place: Place, table: Table) -> bool:
    """Whether retention has removed what a table held of a place."""
    before = expired_before(table)
    return before is not None and utc_date(place.bucket_us) < before


def _progress(records: Table) -> Progress | None:
    max_time_us, last_batch_us = records.mark(tables.MAX_TIME_US), records.mark(tables.LAST_BATCH_US)
    if max_time_us is None or last_batch_us is None:
        return None
    return Progress(max_time_us, last_batch_us)
