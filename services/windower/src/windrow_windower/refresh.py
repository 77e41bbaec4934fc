"""Recompute the windows a bucket owns from everything that is known of them, and point the writer at the result."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from windrow import keys
from windrow.catalog import PublishedSpec, SpecCatalog
from windrow.computed import Results, gathered
from windrow.errors import Permanent
from windrow.lake.schema import segment_schema
from windrow.lake.tables import Lake, Place
from windrow.listing import Known, Listing
from windrow.log import Log
from windrow.metrics import Metrics
from windrow.parallel import pool
from windrow.ports import ObjectStore, Queue
from windrow.results import Inputs
from windrow.spec.windows import AlignedWindow, SequenceWindow, SessionWindow
from windrow.windows import engine
from windrow.windows.reach import Stretch, bucket_at, buckets_of
from windrow.windows.territory import Territory, runs_only
from windrow_windower.memory import Memory, Remembered
from windrow_windower.places import Places

_Known = Mapping[int, Known]


@dataclass(kw_only=True)
class Refresher:
    """The windower's one effect. Repeating it, here or elsewhere at the same time, changes nothing."""

    store: ObjectStore
    writes: Queue
    lake: Lake
    catalog: SpecCatalog
    metrics: Metrics
    log: Log
    parallel_gets: int = 8
    memory_bytes: int = 256 << 20
    results: Results = field(init=False)
    _memory: Memory = field(init=False)
    _places: Places = field(init=False)

    def __post_init__(self) -> None:
        self.results = Results(self.store, self.writes)
        self._memory = Memory(self.memory_bytes)
        gets = pool(self.parallel_gets, "get")
        self._places = Places(store=self.store, lake=self.lake, memory=self._memory, pool=gets)

    def owners(self, stream: str, window: str, place: Place, listing: Listing) -> list[Place]:
        """The places that own windows of a definition which the records of `place` can change."""
        published = self.catalog.current(stream)
        found = self._territory(published, window, place.shard, listing).owners(place.bucket_us)
        if isinstance(published.spec.windows[window], SessionWindow) and len(found) > 1:
            # Sessions begin where records are; the other buckets were only looked at.
            known = listing.known(place.shard, range(found[0], found[-1] + 1, published.spec.bucket))
            found = [bucket for bucket in found if bucket in known]
        return [Place(bucket, place.shard) for bucket in found]

    def refresh(
        self,
        stream: str,
        window: str,
        owner: Place,
        *,
        listing: Listing | None = None,
        is_final: bool = False,
    ) -> Inputs | None:
        """Make the rows of all windows that start in a place durable, from all that is known, then send their pointer.

        None when there is nothing to compute them from. Raises NotFound (no such stream), Transient errors, and
        Permanent ones where the records cannot be computed; a result whose inputs are incomplete is never written.
        """
        published = self.catalog.current(stream)
        table = keys.windows_table(window)
        listing = listing or Listing(self.store, stream)
        latest = self.results.latest(stream, table, owner)
        stretch = self._territory(published, window, owner.shard, listing).reach(owner.bucket_us)
        if stretch is None:
            return None
        if latest is not None:
            stretch = Stretch(min(stretch.from_us, latest.from_us), max(stretch.to_us, latest.to_us))
        known = listing.known(owner.shard, buckets_of(stretch, published.spec.bucket))
        inputs = gathered(stream, table, owner, published.version, stretch, known, latest)
        if not inputs.count:
            return None
        if latest is not None and latest.digest == inputs.digest:
            inputs = latest
        else:
            rows = self._compute(published, window, inputs, known)
            self.results.put(inputs, rows)
            self.metrics.count("refreshes_computed", stream=stream)
            self.log.info(
                "bucket_refreshed",
                stream=stream,
                window=window,
                bucket=keys.bucket_text(owner.bucket_us),
                shard=owner.shard,
                inputs=inputs.count,
                rows=rows.height,
            )
        self.results.send(inputs, is_final=is_final)
        return inputs

    def seal_records(self, stream: str, place: Place, listing: Listing | None = None) -> Inputs | None:
        """Ask the writer to leave each record of a place once, all its batches being in the table."""
        published = self.catalog.current(stream)
        stretch = bucket_at(place.bucket_us, published.spec.bucket)
        latest = self.results.latest(stream, keys.RECORDS_TABLE, place)
        known = (listing or Listing(self.store, stream)).known(place.shard, buckets_of(stretch, published.spec.bucket))
        inputs = gathered(stream, keys.RECORDS_TABLE, place, published.version, stretch, known, latest)
        if not inputs.count:
            return None
        if latest is not None and latest.digest == inputs.digest:
            inputs = latest
        else:
            self.results.put(inputs, None)
        self.results.send(inputs, is_final=True)
        return inputs

    # ------------------------------------------------------------------------------------------ what windows reach over

    def _territory(self, published: PublishedSpec, name: str, shard: int, listing: Listing) -> Territory:
        window = published.spec.windows.get(name)
        stream = published.spec.stream
        if not isinstance(window, AlignedWindow | SequenceWindow | SessionWindow):
            raise Permanent(f"{stream}: there is no window {name!r} that a stream can fill")

        def runs(buckets: range) -> pl.DataFrame:
            assert isinstance(window, SessionWindow)
            return self._runs(published, keys.windows_table(name), window, shard, buckets, listing)

        return Territory(window, published.spec.bucket, runs)

    def _runs(
        self,
        published: PublishedSpec,
        table: str,
        window: SessionWindow,
        shard: int,
        buckets: range,
        listing: Listing,
    ) -> pl.DataFrame:
        """The sessions of all records in some buckets."""
        bare = window if engine.has_panes(window) else runs_only(window)
        name = table if bare is window else f"{table}.runs"
        frames = [
            self._places.panes(published, name, bare, Place(bucket, shard), found)
            for bucket, found in sorted(listing.known(shard, buckets).items())
        ]
        if not frames:
            frames = [engine.panes(pl.DataFrame(schema=segment_schema(published.spec)), published.spec, bare)]
        return engine.merge_panes(frames, published.spec, bare)

    # ------------------------------------------------------------------------------------------ computing

    def _compute(self, published: PublishedSpec, name: str, inputs: Inputs, known: _Known) -> pl.DataFrame:
        spec = published.spec
        window = spec.windows[name]
        owned = (inputs.bucket_us, inputs.bucket_us + spec.bucket)
        places = []
        for bucket, batches in sorted(inputs.batches.items()):
            listed = known[bucket].listed if bucket in known else frozenset()
            places.append((Place(bucket, inputs.shard), Known(frozenset(batches), listed)))
        if engine.has_panes(window):
            frames = [self._places.panes(published, inputs.table, window, *place) for place in places]
            merged = engine.merge_panes(frames, spec, window)
            if isinstance(window, SessionWindow) or len(frames) == 1:
                return engine.from_panes(merged, spec, window, owned)
            return self._from_panes(published, name, inputs, merged, owned)
        rows = pl.concat([self._places.records(published, *place) for place in places])
        return engine.compute(rows, spec, window, owned)

    def _from_panes(
        self, published: PublishedSpec, name: str, inputs: Inputs, merged: pl.DataFrame, owned: tuple[int, int]
    ) -> pl.DataFrame:
        """Most records of a bucket touch few windows of its neighbours: where no pane has changed, no row has."""
        spec = published.spec
        window = spec.windows[name]
        # Where windows are closed on the right, a pane begins a µs before its first record can be.
        within = pl.col("__pane").is_between(inputs.from_us - 1, inputs.to_us, closed="left")
        panes = merged.filter(within).sort(*spec.keys, "__pane")
        what = (spec.stream, published.version, inputs.table, Place(inputs.bucket_us, inputs.shard), "owned")
        before, rows = self._memory.get((*what, "panes")), self._memory.get((*what, "rows"))
        if before is not None and rows is not None and before.frame.equals(panes):
            return rows.frame
        computed = engine.from_panes(panes, spec, window, owned)
        self._memory.keep((*what, "panes"), Remembered(frozenset(), panes))
        self._memory.keep((*what, "rows"), Remembered(frozenset(), computed))
        return computed
