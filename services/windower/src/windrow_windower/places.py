"""The records of a place, and the panes they make: from segments, from what is remembered, or from the lake."""

import io
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import polars as pl

from windrow import keys
from windrow.catalog import PublishedSpec
from windrow.computed import PARQUET
from windrow.errors import NotFound, Permanent, Unavailable
from windrow.immutable import put_once
from windrow.lake.dedupe import deduplicate
from windrow.lake.schema import BATCH, conform, segment_schema
from windrow.lake.tables import Lake, Place, batch_mark, expired_before
from windrow.listing import Known
from windrow.ports import ObjectHeaders, ObjectStore
from windrow.spec import WindowSpec
from windrow.units import utc_date
from windrow.windows import engine
from windrow.windows.sharing import may_share_records
from windrow_windower.memory import Memory, Remembered

_BATCHES = "windrow.batches"


@dataclass(frozen=True, kw_only=True)
class Places:
    """Reads places. What it gives follows from the batches asked for, whichever way it comes."""

    store: ObjectStore
    lake: Lake
    memory: Memory
    pool: Executor
    min_stored_rows: int = 10_000
    """Panes of fewer records are not stored: making them again costs less than keeping them."""

    def records(self, published: PublishedSpec, place: Place, known: Known) -> pl.DataFrame:
        """Each record once. Batches that are no longer listed are read from the records table, which must have them."""
        name = (published.spec.stream, published.version, "records", place)
        before = self.memory.get(name)
        if before is not None and before.batches == known.batches:
            return before.frame
        rows = self._read(published, place, known).frame
        self.memory.keep(name, Remembered(known.batches, rows))
        return rows

    def panes(
        self, published: PublishedSpec, table: str, window: WindowSpec, place: Place, known: Known
    ) -> pl.DataFrame:
        """What a windows table keeps of these batches' records in a place.

        Where panes of some of the batches are there already, only the others are read: a refresh then costs as much as
        the place has panes and the new batches have rows, however many records the place holds.
        """
        name = (published.spec.stream, published.version, table, place)
        before = self.memory.get(name) or self._stored(published, table, place)
        if before is None or before.batches != known.batches:
            found = self._extended(published, window, place, before, known)
            before = Remembered(known.batches, found)
            if len(known.batches) > 1 and int(found["row_count"].sum()) >= self.min_stored_rows:
                self._store(published, table, place, before)
        self.memory.keep(name, before)
        return before.frame

    def _extended(
        self, published: PublishedSpec, window: WindowSpec, place: Place, before: Remembered | None, known: Known
    ) -> pl.DataFrame:
        spec = published.spec
        if before is not None and before.batches < known.batches:
            added = known.batches - before.batches
            if added <= known.listed:
                rows = self._read(published, place, Known(added, added))
                new = engine.panes(rows.frame, spec, window)
                if not may_share_records(before.frame, new, spec) and (spec.unique or not rows.has_replays):
                    return engine.merge_panes([before.frame, new], spec, window)
        return engine.merge_panes([engine.panes(self.records(published, place, known), spec, window)], spec, window)

    # ------------------------------------------------------------------------------------------ records

    def _read(self, published: PublishedSpec, place: Place, known: Known) -> "_Rows":
        spec, stream = published.spec, published.spec.stream
        schema = segment_schema(spec)
        batches = sorted(known.batches & known.listed)
        addresses = [keys.SegmentAddress(stream, place.bucket_us, place.shard, batch) for batch in batches]
        parts = list(self.pool.map(lambda address: self._segment(address, schema), addresses))
        has_replays = any(
            (part[BATCH] != keys.batch_of_part(address.batch)).any()
            for part, address in zip(parts, addresses, strict=True)
        )
        is_gone = not known.batches <= known.listed
        if is_gone:
            parts.append(self._from_lake(stream, place, known, schema))
        together = pl.concat([schema.to_frame(), *parts])
        # Without `unique`, two segments hold the same record only where it was replayed twice; the table may hold what
        # a segment holds too.
        may_hold_copies = bool(spec.unique) or is_gone or has_replays
        return _Rows(deduplicate(together, spec) if may_hold_copies else together, has_replays)

    def _segment(self, address: keys.SegmentAddress, schema: pl.Schema) -> pl.DataFrame:
        key = keys.segment_key(address)
        try:
            body = self.store.get(key).body
        except NotFound as error:  # the next listing knows that it is gone
            raise Unavailable(f"{key} was removed after it was listed; its place is listed again") from error
        return conform(pl.read_parquet(io.BytesIO(body)), schema, key)

    def _from_lake(self, stream: str, place: Place, known: Known, schema: pl.Schema) -> pl.DataFrame:
        """Rows of a place out of the records table: those of segments that a lifecycle rule has removed.

        The table must hold all of these, and nothing that came after the batches that are asked for.
        """
        table = self.lake.open(stream, keys.RECORDS_TABLE)
        cut = None if table is None else expired_before(table)
        if cut is not None and utc_date(place.bucket_us) < cut:
            raise Permanent(
                f"{stream}, bucket {keys.bucket_text(place.bucket_us)}: retention has removed its records; windows "
                "that reach back to it stay as they are"
            )
        gone = sorted(known.batches - known.listed)
        missing = [batch for batch in gone if table is None or table.mark(batch_mark(batch)) is None]
        bucket = f"{stream}, bucket {keys.bucket_text(place.bucket_us)}"
        if table is None or missing:
            raise Unavailable(
                f"{bucket}: {len(missing)} of its segments are gone and "
                f"not yet in the records table (first: batch {missing[0]}); nothing is computed from what is left"
            )
        rows = conform(table.read([place]), schema, f"{stream}/records")
        now = self.store.list(keys.segments_prefix(stream, place.bucket_us, place.shard))
        newer = {keys.parse_segment_key(info.key).batch for info in now} - known.batches
        if any(table.mark(batch_mark(batch)) is not None for batch in newer):
            raise Unavailable(f"{bucket}: more records came while it was read; it is read again")
        return rows

    # ------------------------------------------------------------------------------------------ stored panes

    def _stored(self, published: PublishedSpec, table: str, place: Place) -> Remembered | None:
        """The stored panes of the most batches, under this version of the spec."""
        prefix = keys.panes_prefix(published.spec.stream, table, place.bucket_us, place.shard)
        ending = f"-{published.version:06d}.parquet"
        found = [info.key for info in self.store.list(prefix) if info.key.endswith(ending)]
        if not found:
            return None
        body = self.store.get(found[-1]).body
        batches = msgspec.json.decode(pl.read_parquet_metadata(io.BytesIO(body))[_BATCHES], type=frozenset[str])
        return Remembered(batches, pl.read_parquet(io.BytesIO(body)))

    def _store(self, published: PublishedSpec, table: str, place: Place, made: Remembered) -> None:
        digest = keys.set_digest(made.batches)
        key = keys.panes_key(
            published.spec.stream,
            table,
            place.bucket_us,
            place.shard,
            input_count=len(made.batches),
            input_digest=digest,
            spec_version=published.version,
        )
        buffer = io.BytesIO()
        told = {_BATCHES: msgspec.json.encode(sorted(made.batches)).decode()}
        made.frame.write_parquet(buffer, compression="zstd", compression_level=1, metadata=told)
        put_once(self.store, key, buffer.getvalue(), digest, ObjectHeaders(content_type=PARQUET))


class _Rows(NamedTuple):
    """Each record once, and whether some came with an earlier batch first: only replays bring what another had."""

    frame: pl.DataFrame
    has_replays: bool
