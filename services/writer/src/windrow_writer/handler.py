"""Many pointers, few commits: appends batches to `records`, replaces windows, seals buckets."""

import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import polars as pl

from windrow import keys, messages, results
from windrow.catalog import SpecCatalog
from windrow.clock import Clock
from windrow.errors import Permanent, Transient
from windrow.lake import tables
from windrow.lake.schema import BUCKET, EVENT_DATE, SHARD, late_schema, records_schema, windows_schema
from windrow.lake.tables import Lake, Place, Table, batch_mark, is_final_growth, late_mark, place_mark, version_mark
from windrow.lake.widening import to_widen, together
from windrow.listing import Listing
from windrow.log import Log
from windrow.messages import BatchDecoded, Refreshed
from windrow.metrics import Metrics
from windrow.outcomes import Dead, Done, Forward, Outcome, Retry
from windrow.ports import ObjectStore
from windrow.results import Inputs
from windrow.spec import StreamSpec, WindowSpec
from windrow.spec.windows import AlignedWindow, SequenceWindow, SessionWindow
from windrow.units import SECOND_US, from_us
from windrow.windows import reach
from windrow.windows.reach import Stretch, bucket_at
from windrow_writer import plan
from windrow_writer.committing import Committer, Step
from windrow_writer.leases import Elsewhere
from windrow_writer.loading import Loader
from windrow_writer.ordering import in_order
from windrow_writer.plan import LoadedBatch
from windrow_writer.sealing import Sealer
from windrow_writer.sinks.after_commit import Sinks

_WAIT_FOR_BATCHES_S = 2.0
_FORWARD_S = 1.0
_MOST_PLACES = 100_000


@dataclass(kw_only=True)
class Handler:
    """The only committer of tables. What it commits, it decides anew under each handle."""

    store: ObjectStore
    lake: Lake
    catalog: SpecCatalog
    committer: Committer
    clock: Clock
    metrics: Metrics
    log: Log
    sealer: Sealer
    loader: Loader
    sinks: Sinks | None = None
    """What follows commits; None where streams have no sinks."""
    _unsealed: set[tuple[str, int | None, Place]] = field(default_factory=set)
    """Places that were found to touch no final window, and have not been sealed since, under one lease of `records`."""

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
        for stream in sorted(batches.keys() | refreshed.keys()):
            self._report(stream)
        if self.sinks is not None:  # after the tables of all streams
            appended = {stream: self.sinks.appended(stream, found) for stream, found in appended.items()}
            replaced = {stream: self.sinks.replaced(stream, found) for stream, found in replaced.items()}

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

            def step(handle: Table) -> Step:
                loaded, is_all = self.loader.load(stream, batches, handle, failed, spec)
                if not loaded:
                    return "nothing"
                self._enter_late(stream, spec, loaded, handle)
                before = {name: handle.mark(name) for name in tables.TOTALS}
                loaded = plan.without_expired(loaded, tables.expired_before(handle))
                marks = plan.append_marks(loaded, before, self.clock.now_us())
                rows = self._together([batch.rows for batch in loaded], spec)
                if _widen(handle, rows):
                    return "some"
                received_us = [batch.manifest.received_us for batch in loaded]
                del loaded  # their rows are in `rows`, and to write these takes memory too
                handle.append(rows, marks)
                self._tell_how_fresh(stream, received_us, rows.height)
                return "all" if is_all else "some"

            self.committer.commit(stream, keys.RECORDS_TABLE, lambda: self._records(stream, spec), step)
        except Transient as error:
            return {batch: failed.get(batch, _postponed(error)) for batch in batches}
        except Permanent as error:
            if len(batches) == 1:
                return {batches[0]: Dead(str(error))}
            # One of them does not fit the table; apart, only that one fails.
            return {batch: self._append(stream, [batch])[batch] for batch in batches}
        return {batch: failed.get(batch, Done(batch)) for batch in batches}

    def _tell_how_fresh(self, stream: str, received_us: Sequence[int], row_count: int) -> None:
        """Say how long ago the oldest of the committed batches came in. Alarms on freshness read this line."""
        self.log.info(
            "records_committed",
            stream=stream,
            batches=len(received_us),
            rows=row_count,
            behind_s=round(max(0, self.clock.now_us() - min(received_us)) / SECOND_US, 3),
        )

    def _together(self, parts: Iterable[pl.DataFrame], spec: StreamSpec) -> pl.DataFrame:
        """Rows of several batches, as they lie in a file. Their types are judged by the table, not by today's spec."""
        some = [part for part in parts if part.height]
        rows = together(some, spec.stream) if some else records_schema(spec).to_frame()
        return in_order(rows, spec)

    def _records(self, stream: str, spec: StreamSpec) -> Table:
        return self.lake.open_or_create(stream, keys.RECORDS_TABLE, records_schema(spec), spec.target_file_bytes)

    # ------------------------------------------------------------------------------------------ late records

    def _enter_late(self, stream: str, spec: StreamSpec, loaded: Sequence[LoadedBatch], records: Table) -> None:
        """Enter in the ledger what comes after its place was sealed, before it stands in `records`.

        `records` is the handle that the batches will be committed through; what it says of seals is what holds.
        """
        reopened: dict[Place, list[str]] = {}
        late: dict[tuple[str, Place], pl.DataFrame] = {}
        for batch in loaded:
            for place in (Place(entry.bucket_us, entry.shard) for entry in batch.manifest.segments):
                if place not in reopened:
                    reopened[place] = self._reopened(stream, spec, place, records)
                if reopened[place] or is_final_growth(records.mark(place_mark(place))):
                    late[batch.manifest.batch, place] = batch.rows
        if not late:
            return
        watermark_us = (records.mark(tables.MAX_TIME_US) or 0) - spec.lateness
        schema = late_schema(spec)

        def step(handle: Table) -> Step:
            new = {each: rows for each, rows in late.items() if handle.mark(late_mark(*each)) is None}
            if not new:
                return "nothing"
            entries = [
                plan.late_rows(rows, spec, {place: reopened[place]}, watermark_us) for (_, place), rows in new.items()
            ]
            entered = together(entries, f"{stream}/{keys.LATE_TABLE}")
            if _widen(handle, entered):
                return "some"
            handle.append(entered, {late_mark(*each): 1 for each in new})
            self.metrics.count("records_late", entered.height, stream=stream)
            return "all"

        self.committer.commit(
            stream,
            keys.LATE_TABLE,
            lambda: self.lake.open_or_create(stream, keys.LATE_TABLE, schema, spec.target_file_bytes),
            step,
        )

    def _reopened(self, stream: str, spec: StreamSpec, place: Place, records: Table) -> list[str]:
        """The windows that are final and that records of a place touch."""
        known = stream, records.mark(tables.FENCE), place
        if is_final_growth(records.mark(place_mark(place))):
            self._unsealed.discard(known)
        elif known in self._unsealed:
            return []  # windows are sealed after the records they reach over
        found = [name for name in spec.windows if self._is_final(stream, spec, name, place)]
        if not found and not is_final_growth(records.mark(place_mark(place))):
            if len(self._unsealed) >= _MOST_PLACES:
                self._unsealed.clear()
            self._unsealed.add(known)
        return found

    def _is_final(self, stream: str, spec: StreamSpec, name: str, place: Place) -> bool:
        window, own = spec.windows[name], bucket_at(place.bucket_us, spec.bucket)
        table = self.lake.open(stream, keys.windows_table(name))
        if table is None:
            return False
        owners = [place.bucket_us]
        if isinstance(window, AlignedWindow | SequenceWindow):
            owners = reach.owners(window, spec.bucket, own)
        grown = {owner: table.mark(place_mark(owner)) for owner in (Place(owner, place.shard) for owner in owners)}
        if any(map(is_final_growth, grown.values())):
            return True
        # Where late records have opened some windows again, those that they have not touched are final all the same.
        # And a result may stand here before the records that opened them: it has windows that were final once.
        if isinstance(window, SessionWindow):  # one that began in an earlier bucket
            near = table.read_windows(place.shard, own.from_us - window.gap, own.to_us + window.gap)
        else:
            near = table.read([owner for owner, mark in grown.items() if mark is not None], ["is_final", "revision"])
        return bool((near["is_final"] | (near["revision"] > 0)).any())

    # ------------------------------------------------------------------------------------------ windows and seals

    def _replace_and_seal(self, stream: str, pointers: Sequence[Refreshed]) -> Mapping[Refreshed, Outcome]:
        outcomes: dict[Refreshed, Outcome] = {}
        best = plan.newest(pointers)
        ready: dict[str, dict[Place, Refreshed]] = defaultdict(dict)
        for (table, place), pointer in best.items():
            ready[table][place] = pointer
        for table, of_places in sorted(ready.items()):
            outcomes |= self._change(stream, table, of_places)
        # A result that another one outgrew in the same group needs no more than that one's fate.
        return {pointer: outcomes[best[pointer.table, plan.place_of(pointer)]] for pointer in pointers}

    def _change(self, stream: str, table: str, pointers: Mapping[Place, Refreshed]) -> Mapping[Refreshed, Outcome]:
        """Bring one table to where these results are; each pointer gets an outcome of its own."""
        waiting: Mapping[Place, str] = {}
        try:
            spec = self.catalog.current(stream).spec
            if table == keys.RECORDS_TABLE:
                waiting = self._seal(stream, spec, pointers)
            elif keys.window_of_table(table) in spec.windows:  # one that is no longer defined is no longer written
                self._replace(stream, table, spec, pointers)
        except Transient as error:
            return {pointer: _postponed(error) for pointer in pointers.values()}
        except Permanent as error:
            if len(pointers) == 1:
                return {pointer: Dead(str(error)) for pointer in pointers.values()}
            outcomes: dict[Refreshed, Outcome] = {}
            for place, pointer in pointers.items():  # apart, only the one at fault fails
                outcomes |= self._change(stream, table, {place: pointer})
            return outcomes
        return {
            pointer: Retry(waiting[place], _WAIT_FOR_BATCHES_S) if place in waiting else Done(plan.folder_of(pointer))
            for place, pointer in pointers.items()
        }

    def _inputs(self, pointers: Iterable[Refreshed]) -> list[Inputs]:
        """What these results were computed from, in the same order."""
        named = [keys.inputs_key(plan.folder_of(pointer)) for pointer in pointers]
        return [results.decode(found.body) for found in self.loader.pool.map(self.store.get, named)]

    def _replace(
        self,
        stream: str,
        table: str,
        spec: StreamSpec,
        pointers: Mapping[Place, Refreshed],
    ) -> None:
        """Put results in place of what the table holds for their buckets, where they have grown."""
        window = spec.windows[keys.window_of_table(table)]
        schema = windows_schema(spec, window)

        def step(handle: Table) -> Step:
            grown = {
                place: pointer
                for place, pointer in pointers.items()
                if plan.may_replace(
                    pointer, window, handle.mark(place_mark(place)) or 0, partial(handle.mark, version_mark(place))
                )
            }
            for place in self._outrun(stream, spec, window, grown):
                del grown[place]
            if not grown:
                return "nothing"
            known = [place for place in grown if handle.mark(place_mark(place)) is not None]
            previous = handle.read(known)
            around = self._around(window, grown.values(), handle)
            rows = self.loader.pool.map(
                lambda pointer: self._window_rows(window, pointer, previous, around), grown.values()
            )
            merged = together([schema.to_frame(), *rows], f"{stream}/{table}")
            if _widen(handle, merged):
                return "some"
            cut = tables.expired_before(handle)
            if cut is not None:
                merged = merged.filter(pl.col(EVENT_DATE) >= cut)
            marks = plan.window_marks(grown.values())
            if merged.is_empty() and previous.is_empty():
                handle.append(merged, marks)  # no windows before or after: only that much is known
            else:
                handle.replace(list(grown), merged, marks)
            return "all"

        self.committer.commit(
            stream, table, lambda: self.lake.open_or_create(stream, table, schema, spec.target_file_bytes), step
        )

    def _outrun(
        self, stream: str, spec: StreamSpec, window: WindowSpec, pointers: Mapping[Place, Refreshed]
    ) -> list[Place]:
        """The places whose windows were to become final, and whose records have become more since that was asked.

        Were they final now, what has come would have touched final windows and be in no ledger: a bucket that had no
        records is not sealed. The sweep asks again, with what has come.
        """
        across = {
            place: pointer
            for place, pointer in pointers.items()
            if pointer.is_final and _reaches_over(window, bucket_at(place.bucket_us, spec.bucket))
        }
        listing = Listing(self.store, stream)
        outrun: list[Place] = []
        for place, inputs in zip(across, self._inputs(across.values()), strict=True):
            buckets = reach.buckets_of(Stretch(inputs.from_us, inputs.to_us), spec.bucket)
            known = listing.known(place.shard, buckets)
            if any(not found.batches.issubset(inputs.batches.get(at, ())) for at, found in known.items()):
                outrun.append(place)
        return outrun

    def _around(self, window: WindowSpec, pointers: Iterable[Refreshed], handle: Table) -> pl.DataFrame | None:
        """The sessions that stand where these results reach: some may be joined to one of another bucket."""
        if not isinstance(window, SessionWindow):
            return None
        found = self._inputs(pointers)
        shards = sorted({each.shard for each in found})
        first, last = min(each.from_us for each in found), max(each.to_us for each in found)
        return together([handle.read_windows(shard, first, last) for shard in shards], "sessions")

    def _window_rows(
        self,
        window: WindowSpec,
        pointer: Refreshed,
        previous: pl.DataFrame,
        around: pl.DataFrame | None,
    ) -> pl.DataFrame:
        stored = self.store.get(keys.rows_key(plan.folder_of(pointer)))
        here = previous.filter((pl.col(BUCKET) == pointer.bucket_us) & (pl.col(SHARD) == pointer.shard))
        computed_at = from_us(stored.info.modified_us)
        return plan.window_rows(pl.read_parquet(io.BytesIO(stored.body)), pointer, here, computed_at, window, around)

    def _seal(self, stream: str, spec: StreamSpec, pointers: Mapping[Place, Refreshed]) -> Mapping[Place, str]:
        """Leave each record once in the sealed buckets of `records`. Returns the places that must wait, and why."""
        inputs = dict(zip(pointers, self._inputs(pointers.values()), strict=True))
        waiting: dict[Place, str] = {}

        def step(handle: Table) -> Step:
            due: list[Place] = []
            for place, pointer in pointers.items():
                if place in waiting or (handle.mark(place_mark(place)) or 0) >= plan.growth_of(pointer):
                    continue
                batches = inputs[place].batches.get(place.bucket_us, ())
                late = [batch for batch in batches if handle.mark(batch_mark(batch)) is None]
                if late:
                    waiting[place] = f"{len(late)} batches of the bucket are not in the records table yet"
                else:
                    due.append(place)
            if not due:
                return "nothing"
            return self.sealer.seal(
                handle, spec, due, lambda places: plan.window_marks(pointers[place] for place in places)
            )

        if pointers:
            self.committer.commit(stream, keys.RECORDS_TABLE, lambda: self._records(stream, spec), step, "seal")
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
        self.metrics.gauge("records_expired", table.mark(tables.EXPIRED) or 0, stream=stream)
        self.metrics.gauge("records_in_quarantine", (table.mark(tables.QUARANTINED) or 0) - returned, stream=stream)


def _reaches_over(window: WindowSpec, own: Stretch) -> bool:
    """Whether windows that start in a bucket may hold records of others."""
    if isinstance(window, AlignedWindow | SequenceWindow):
        return reach.reach(window, own.to_us - own.from_us, own.from_us) != own
    return True


def _read(body: str) -> BatchDecoded | Refreshed | Dead:
    try:
        message = messages.decode(body)
    except Permanent as error:
        return Dead(str(error))
    if isinstance(message, BatchDecoded | Refreshed):
        return message
    return Dead(f"a {type(message).__name__} message does not belong on the writes queue")


def _postponed(error: Transient) -> Outcome:
    """What becomes of a message that could not be done now; what is another writer's goes on to it."""
    return Forward(str(error), _FORWARD_S) if isinstance(error, Elsewhere) else Retry(str(error))


def _widen(handle: Table, rows: pl.DataFrame) -> bool:
    """Make a table as wide as the rows that are to go in. True if it was not, and the handle is spent."""
    columns = to_widen(handle.schema, rows.schema)
    if columns:
        handle.widen(columns, {})
    return bool(columns)
