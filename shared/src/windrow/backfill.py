"""Windows computed again over what is already in the lake, and handed to the writer like any other result.

It reads the records table, not segments, so it reaches back as far as records are kept: after a window was added to a
spec, or an aggregate to a window.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from windrow import keys
from windrow.catalog import PublishedSpec
from windrow.clock import Clock
from windrow.computed import Results, gathered
from windrow.errors import BadInput, NotFound, Unavailable, first_line
from windrow.lake import tables
from windrow.lake.dedupe import deduplicate
from windrow.lake.delta import DeltaLake
from windrow.lake.schema import BATCH, BUCKET, SHARD, conform, segment_schema
from windrow.lake.tables import Place, Table, batch_mark, is_final_growth, place_mark
from windrow.listing import Known, Listing
from windrow.ports import ObjectStore
from windrow.spec import StreamSpec, WindowSpec
from windrow.spec.windows import AlignedWindow, SequenceWindow, SessionWindow
from windrow.windows import engine
from windrow.windows.reach import Stretch, buckets_of
from windrow.windows.sealing import Progress, is_due
from windrow.windows.territory import Territory, runs_only

Compute = Callable[[pl.DataFrame, StreamSpec, WindowSpec, tuple[int, int]], pl.DataFrame]
"""Records, each once → the rows of the windows that start within the given µs: the engine, or Spark."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Owners of windows that are computed together, from the same records."""

    window: str
    shard: int
    owners: Mapping[int, Stretch]
    """Bucket (its start in µs) → what the windows that start there reach over."""
    row_count: int
    """About how many records are read for it."""


@dataclass(frozen=True, kw_only=True)
class Backfill:
    """Computes and hands over; run twice, it does the same."""

    store: ObjectStore
    lake: DeltaLake
    results: Results
    clock: Clock
    published: PublishedSpec
    compute: Compute = engine.compute
    max_rows: int = 2_000_000
    """Most records read at once, except where one bucket's windows reach over more."""
    _places: dict[Place, "_Stored"] = field(default_factory=dict)

    @property
    def stream(self) -> str:
        return self.published.spec.stream

    def pieces(self, windows: Sequence[str], from_us: int | None, to_us: int | None) -> list[Piece]:
        """What there is to do for the windows that start in [from, to); None: as far as there are records.

        Raises NotFound where the stream has no records yet, BadInput for a window it does not have.
        """
        self._places.update(self._stored())
        return [piece for window in windows for piece in self._pieces(window, from_us, to_us)]

    def run(self, piece: Piece) -> int:
        """Compute a piece and point the writer at it. Returns how many rows of windows it handed over."""
        spec, records = self.published.spec, self._records()
        table, window = keys.windows_table(piece.window), spec.windows[piece.window]
        listing = Listing(self.store, self.stream)
        reached = {bucket for stretch in piece.owners.values() for bucket in buckets_of(stretch, spec.bucket)}
        rows = self._rows(records, [Place(bucket, piece.shard) for bucket in sorted(reached)])
        owned = (min(piece.owners), max(piece.owners) + spec.bucket)
        computed = self.compute(rows, spec, window, owned)
        start = pl.col("window_start").dt.timestamp("us")
        row_count = 0
        for owner, stretch in piece.owners.items():
            latest = self.results.latest(self.stream, table, Place(owner, piece.shard))
            known = self._known(listing, records, piece.shard, buckets_of(stretch, spec.bucket))
            inputs = gathered(
                self.stream, table, Place(owner, piece.shard), self.published.version, stretch, known, latest
            )
            if not inputs.count or any(
                not set(some) <= known[bucket].batches if bucket in known else some
                for bucket, some in inputs.batches.items()
            ):
                continue  # records on their way are in a later result than this one
            own = computed.filter(start.is_between(owner, owner + spec.bucket, closed="left"))
            row_count += own.height
            self.results.put(inputs, own)
            self.results.send(inputs, is_final=self._is_final(records, piece.shard, known, stretch))
        return row_count

    # ------------------------------------------------------------------------------------------ what there is

    def _records(self) -> Table:
        table = self.lake.open(self.stream, keys.RECORDS_TABLE)
        if table is None:
            raise NotFound(f"{self.stream} has no records yet")
        return table

    def _stored(self) -> Mapping[Place, "_Stored"]:
        """The places that have records, with their batches."""
        delta = self.lake.delta(self.stream, keys.RECORDS_TABLE)
        if delta is None:
            raise NotFound(f"{self.stream} has no records yet")
        by = [BUCKET, SHARD, BATCH]
        try:
            found = pl.scan_delta(delta).group_by(by).agg(pl.len().alias("rows")).collect(engine="streaming")
        except (OSError, pl.exceptions.ComputeError) as error:
            raise Unavailable(f"read {self.stream}/records: {first_line(error)}") from error
        batches: dict[Place, set[str]] = defaultdict(set)
        counts: dict[Place, int] = defaultdict(int)
        for bucket, shard, batch, count in found.iter_rows():
            batches[Place(bucket, shard)].add(batch)
            counts[Place(bucket, shard)] += count
        return {place: _Stored(frozenset(some), counts[place]) for place, some in batches.items()}

    def _known(self, listing: Listing, records: Table, shard: int, buckets: range) -> Mapping[int, Known]:
        """The batches whose rows are in the records table, whatever S3 still lists."""
        known: dict[int, Known] = {}
        seen = listing.known(shard, buckets)
        for bucket in buckets:
            place = Place(bucket, shard)
            told = seen[bucket].batches if bucket in seen else frozenset()
            batches = {batch for batch in told if records.mark(batch_mark(batch)) is not None}
            if not batches and place in self._places:  # neither listed nor sealed: the rows themselves say it
                batches = set(self._places[place].batches)
            if batches:
                known[bucket] = Known(frozenset(batches), frozenset())
        return known

    def _rows(self, records: Table, places: Sequence[Place]) -> pl.DataFrame:
        schema = segment_schema(self.published.spec)
        stored = [place for place in places if place in self._places]
        rows = records.read(stored) if stored else schema.to_frame()
        return deduplicate(conform(rows, schema, f"{self.stream}/records"), self.published.spec)

    # ------------------------------------------------------------------------------------------ what there is to do

    def _pieces(self, name: str, from_us: int | None, to_us: int | None) -> Iterator[Piece]:
        spec = self.published.spec
        window = spec.windows.get(name)
        if not isinstance(window, AlignedWindow | SequenceWindow | SessionWindow):
            known = ", ".join(spec.windows) or "none"
            raise BadInput(f"{self.stream} has no window {name!r} that a stream can fill; there are: {known}")
        for shard in sorted({place.shard for place in self._places}):
            territory = Territory(window, spec.bucket, self._runs(window, shard))
            of_shard = sorted(place.bucket_us for place in self._places if place.shard == shard)
            owners = of_shard  # sessions begin where records are
            if not isinstance(window, SessionWindow):
                owners = sorted({owner for bucket in of_shard for owner in territory.owners(bucket)})
            wanted = [
                owner
                for owner in owners
                if (from_us is None or owner + spec.bucket > from_us) and (to_us is None or owner < to_us)
            ]
            together: dict[int, Stretch] = {}
            rows, reached = 0, set[int]()
            for owner in wanted:
                stretch = territory.reach(owner)
                if stretch is None:
                    continue
                more = set(buckets_of(stretch, spec.bucket)) - reached
                added = sum(self._places[Place(b, shard)].row_count for b in more if Place(b, shard) in self._places)
                if together and rows + added > self.max_rows:
                    yield Piece(name, shard, together, rows)
                    together, rows, reached = {}, 0, set()
                together[owner] = stretch
                reached |= more
                rows += added
            if together:
                yield Piece(name, shard, together, rows)

    def _runs(self, window: WindowSpec, shard: int) -> Callable[[range], pl.DataFrame]:
        """Sessions of the stored records, each bucket read once."""
        seen: dict[int, pl.DataFrame] = {}
        spec = self.published.spec

        def runs(buckets: range) -> pl.DataFrame:
            assert isinstance(window, SessionWindow)
            bare = runs_only(window)
            frames = [engine.panes(segment_schema(spec).to_frame(), spec, bare)]
            for bucket in buckets:
                if Place(bucket, shard) in self._places:
                    if bucket not in seen:
                        rows = self._rows(self._records(), [Place(bucket, shard)])
                        seen[bucket] = engine.panes(rows, spec, bare)
                    frames.append(seen[bucket])
            return engine.merge_panes(frames, spec, bare)

        return runs

    def _is_final(self, records: Table, shard: int, known: Mapping[int, Known], stretch: Stretch) -> bool:
        """Whether these windows would be sealed by now: then nobody else will come to seal them."""
        max_time_us, last_us = records.mark(tables.MAX_TIME_US), records.mark(tables.LAST_BATCH_US)
        if max_time_us is None or last_us is None:
            return False
        is_closed = is_due(stretch.to_us, self.published.spec, Progress(max_time_us, last_us), self.clock.now_us())
        return is_closed and all(is_final_growth(records.mark(place_mark(Place(bucket, shard)))) for bucket in known)


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the records table holds of a place."""

    batches: frozenset[str]
    row_count: int
