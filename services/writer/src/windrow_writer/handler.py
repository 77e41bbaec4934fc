"""Many pointers, few commits: appends batches to `records`, replaces windows, seals buckets."""

import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import polars as pl

from windrow import keys, manifest, messages, results
from windrow.catalog import SpecCatalog
from windrow.clock import Clock
from windrow.errors import Permanent, SchemaConflict, Transient
from windrow.lake import tables
from windrow.lake.schema import BUCKET, SHARD, records_schema, windows_schema
from windrow.lake.tables import Lake, Place, Table, batch_mark, place_mark
from windrow.messages import BatchDecoded, Refreshed
from windrow.metrics import Metrics
from windrow.outcomes import Dead, Done, Outcome, Retry
from windrow.ports import ObjectStore
from windrow.results import Inputs
from windrow.spec import StreamSpec
from windrow.units import from_us
from windrow_writer import plan
from windrow_writer.committing import Committer
from windrow_writer.plan import LoadedBatch

_WAIT_FOR_BATCHES_S = 2.0


@dataclass(frozen=True, slots=True)
class WriterLimits:
    """How much goes into one commit."""

    max_commit_rows: int
    max_seal_places: int


@dataclass(kw_only=True)
class Handler:
    """The only committer of tables. What it commits, it decides anew under each handle."""

    store: ObjectStore
    lake: Lake
    catalog: SpecCatalog
    committer: Committer
    clock: Clock
    metrics: Metrics
    limits: WriterLimits
    parallel_gets: int = 8
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=self.parallel_gets, thread_name_prefix="get")

    # ------------------------------------------------------------------------------------------ messages

    def handle(self, bodies: Sequence[str]) -> Sequence[Outcome]:
        read = {body: _read(body) for body in bodies}
        batches: dict[str, set[str]] = defaultdict(set)
        refreshed: dict[str, set[Refreshed]] = defaultdict(set)
        for message in read.values():
            match message:
                case BatchDecoded(stream=stream, batch=batch):
                    batches[stream].add(batch)
                case Refreshed(stream=stream):
                    refreshed[stream].add(message)
        # Records first: a bucket can only be sealed once its batches are in.
        appended = {stream: self._append(stream, sorted(members)) for stream, members in batches.items()}
        replaced = {
            stream: self._replace_and_seal(stream, sorted(members, key=messages.encode))
            for stream, members in refreshed.items()
        }
        for stream in batches.keys() | refreshed.keys():
            self._report(stream)

        def outcome(body: str) -> Outcome:
            match read[body]:
                case BatchDecoded(stream=stream, batch=batch):
                    return appended[stream][batch]
                case Refreshed(stream=stream) as pointer:
                    return replaced[stream][pointer]
                case dead:
                    return dead

        return [outcome(body) for body in bodies]

    # ------------------------------------------------------------------------------------------ records

    def _append(self, stream: str, batches: Sequence[str]) -> Mapping[str, Outcome]:
        """Append the batches that are not in the table yet; each gets an outcome of its own."""
        failed: dict[str, Outcome] = {}
        try:
            spec = self.catalog.current(stream).spec

            def step(handle: Table) -> bool:
                loaded = self._load(stream, batches, handle, failed, spec)
                if not loaded:
                    return False
                before = {name: handle.mark(name) for name in tables.TOTALS}
                rows = self._together([batch.rows for batch in loaded], spec)
                handle.append(rows, plan.append_marks(loaded, before, self.clock.now_us()))
                return True

            self.committer.commit(stream, keys.RECORDS_TABLE, lambda: self._records(stream, spec), step)
        except Transient as error:
            return {batch: failed.get(batch, Retry(str(error))) for batch in batches}
        except Permanent as error:
            if len(batches) == 1:
                return {batches[0]: Dead(str(error))}
            # One of them does not fit the table; apart, only that one fails.
            return {batch: self._append(stream, [batch])[batch] for batch in batches}
        return {batch: failed.get(batch, Done(batch)) for batch in batches}

    def _load(
        self, stream: str, batches: Sequence[str], handle: Table, failed: dict[str, Outcome], spec: StreamSpec
    ) -> list[LoadedBatch]:
        """The next batches to commit, as many as fit into one commit."""
        loaded: list[LoadedBatch] = []
        row_count = 0
        for batch in batches:
            if batch in failed or handle.mark(batch_mark(batch)) is not None:
                continue
            try:
                found = manifest.decode(self.store.get(keys.manifest_key(stream, batch)).body)
                if loaded and row_count + found.accepted > self.limits.max_commit_rows:
                    break
                loaded.append(LoadedBatch(found, self._rows(found, spec)))
                row_count += found.accepted
            except Transient as error:
                failed[batch] = Retry(str(error))
            except Permanent as error:
                failed[batch] = Dead(f"{stream}, batch {batch}: {error}")
        return loaded

    def _rows(self, found: manifest.Manifest, spec: StreamSpec) -> pl.DataFrame:
        def read(entry: manifest.SegmentEntry) -> pl.DataFrame:
            address = keys.SegmentAddress(found.stream, entry.bucket_us, entry.shard, found.batch)
            rows = pl.read_parquet(io.BytesIO(self.store.get(keys.segment_key(address)).body))
            return plan.with_place(rows, Place(entry.bucket_us, entry.shard), spec.time.column)

        return _concat([pl.DataFrame(), *self._pool.map(read, found.segments)], found.stream)

    def _together(self, parts: Iterable[pl.DataFrame], spec: StreamSpec) -> pl.DataFrame:
        """Rows of several batches, as they lie in a file. Their types are judged by the table, not by today's spec."""
        some = [part for part in parts if part.height]
        rows = _concat(some, spec.stream) if some else records_schema(spec).to_frame()
        return rows.sort([name for name in _file_order(spec) if name in rows.columns])

    def _records(self, stream: str, spec: StreamSpec) -> Table:
        return self.lake.open_or_create(stream, keys.RECORDS_TABLE, records_schema(spec))

    # ------------------------------------------------------------------------------------------ windows and seals

    def _replace_and_seal(self, stream: str, pointers: Sequence[Refreshed]) -> Mapping[Refreshed, Outcome]:
        outcomes: dict[Refreshed, Outcome] = {}
        best = plan.newest(pointers)
        inputs: dict[Place, Inputs] = {}
        for place, pointer in best.items():
            try:
                inputs[place] = self._inputs(pointer)
            except Transient as error:
                outcomes[pointer] = Retry(str(error))
            except Permanent as error:
                outcomes[pointer] = Dead(str(error))
        ready = {place: best[place] for place in inputs}
        try:
            spec = self.catalog.current(stream).spec
            for name in sorted({window for found in inputs.values() for window in found.windows}):
                having = {place: each for place, each in ready.items() if name in inputs[place].windows}
                if name in spec.windows:  # a window that is no longer defined is no longer written
                    self._replace(stream, name, spec, having, inputs)
            final = {place: each for place, each in ready.items() if each.is_final}
            waiting = self._seal(stream, spec, final, inputs)
        except Transient as error:
            outcomes |= {pointer: Retry(str(error)) for pointer in ready.values()}
        except Permanent as error:
            if len(ready) > 1:
                for pointer in ready.values():
                    outcomes |= self._replace_and_seal(stream, [pointer])
            else:
                outcomes |= {pointer: Dead(str(error)) for pointer in ready.values()}
        else:
            outcomes |= {pointer: Done(inputs[place].folder) for place, pointer in ready.items()}
            outcomes |= {ready[place]: Retry(why, _WAIT_FOR_BATCHES_S) for place, why in waiting.items()}
        # A result that another one outgrew in the same group needs no more than that one's fate.
        return {pointer: outcomes[best[Place(pointer.bucket_us, pointer.shard)]] for pointer in pointers}

    def _inputs(self, pointer: Refreshed) -> Inputs:
        folder = keys.result_folder(
            pointer.stream,
            pointer.bucket_us,
            pointer.shard,
            input_count=pointer.input_count,
            input_digest=pointer.input_digest,
            spec_version=pointer.spec_version,
        )
        return results.decode(self.store.get(keys.inputs_key(folder)).body)

    def _replace(
        self,
        stream: str,
        window: str,
        spec: StreamSpec,
        pointers: Mapping[Place, Refreshed],
        inputs: Mapping[Place, Inputs],
    ) -> None:
        """Put results in place of what the table holds for their buckets, where they have grown."""
        table = keys.windows_table(window)
        schema = windows_schema(spec, spec.windows[window])

        def step(handle: Table) -> bool:
            grown = {
                place: pointer
                for place, pointer in pointers.items()
                if (handle.mark(place_mark(place)) or 0) < plan.growth_of(pointer)
            }
            if not grown:
                return False
            previous = handle.read([place for place in grown if handle.mark(place_mark(place)) is not None])
            rows = [self._window_rows(window, inputs[place], each, previous) for place, each in grown.items()]
            merged = _concat([schema.to_frame(), *rows], f"{stream}/{table}")
            handle.replace(list(grown), merged, plan.window_marks(grown.values()))
            return True

        self.committer.commit(stream, table, lambda: self.lake.open_or_create(stream, table, schema), step)

    def _window_rows(self, window: str, inputs: Inputs, pointer: Refreshed, previous: pl.DataFrame) -> pl.DataFrame:
        stored = self.store.get(keys.window_result_key(inputs.folder, window))
        here = previous.filter((pl.col(BUCKET) == pointer.bucket_us) & (pl.col(SHARD) == pointer.shard))
        computed_at = from_us(stored.info.modified_us)
        return plan.window_rows(pl.read_parquet(io.BytesIO(stored.body)), pointer, here, computed_at)

    def _seal(
        self,
        stream: str,
        spec: StreamSpec,
        pointers: Mapping[Place, Refreshed],
        inputs: Mapping[Place, Inputs],
    ) -> Mapping[Place, str]:
        """Leave each record once in the sealed buckets of `records`. Returns the places that must wait, and why."""
        waiting: dict[Place, str] = {}

        def step(handle: Table) -> bool:
            due: list[Place] = []
            for place, pointer in pointers.items():
                if place in waiting or (handle.mark(place_mark(place)) or 0) >= plan.growth_of(pointer):
                    continue
                late = [batch for batch in inputs[place].batches if handle.mark(batch_mark(batch)) is None]
                if late:
                    waiting[place] = f"{len(late)} batches of the bucket are not in the records table yet"
                elif len(due) < self.limits.max_seal_places:
                    due.append(place)
            if not due:
                return False
            compaction = plan.compact(handle.read(due), spec)
            marks = plan.window_marks(pointers[place] for place in due)
            if not compaction.removed:
                handle.append(compaction.rows, marks)
                return True
            removed = (handle.mark(tables.DUPLICATES) or 0) + compaction.removed
            handle.replace(compaction.places, compaction.rows, {**marks, tables.DUPLICATES: removed})
            return True

        if pointers:
            self.committer.commit(stream, keys.RECORDS_TABLE, lambda: self._records(stream, spec), step)
        return waiting

    # ------------------------------------------------------------------------------------------ figures

    def _report(self, stream: str) -> None:
        """Law 8's figures as of now, for alarms; what is in flight is counted by whoever asks."""
        try:
            table = self.lake.open(stream, keys.RECORDS_TABLE)
        except Transient:
            return  # figures are shown after the next commit
        if table is None:
            return
        returned = table.mark(tables.RETURNED) or 0
        received = (table.mark(tables.DECODED) or 0) + (table.mark(tables.ADDED) or 0) - returned
        self.metrics.gauge("records_received", received, stream=stream)
        self.metrics.gauge("records_written", table.row_count(), stream=stream)
        self.metrics.gauge("records_duplicate", table.mark(tables.DUPLICATES) or 0, stream=stream)
        self.metrics.gauge("records_filtered_out", table.mark(tables.FILTERED) or 0, stream=stream)
        self.metrics.gauge("records_in_quarantine", (table.mark(tables.QUARANTINED) or 0) - returned, stream=stream)


def _read(body: str) -> BatchDecoded | Refreshed | Dead:
    try:
        message = messages.decode(body)
    except Permanent as error:
        return Dead(str(error))
    if isinstance(message, BatchDecoded | Refreshed):
        return message
    return Dead(f"a {type(message).__name__} message does not belong on the writes queue")


def _file_order(spec: StreamSpec) -> list[str]:
    """How rows lie in a file: by bucket, so that replacing one touches few files, then by key and time."""
    return [BUCKET, SHARD, *spec.keys, spec.time.column]


def _concat(parts: Iterable[pl.DataFrame], origin: str) -> pl.DataFrame:
    """Rows of several spec versions together: columns that one of them lacks are null."""
    try:
        return pl.concat(parts, how="diagonal")
    except pl.exceptions.PolarsError as error:
        reason = str(error).split("\n", 1)[0]
        raise SchemaConflict(f"{origin}: a column has changed its type: {reason}") from error
