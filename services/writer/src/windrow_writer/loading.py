"""Reads decoded batches for a commit: as many as fit into one, the objects of many at a time."""

import io
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import polars as pl

from windrow import keys, manifest
from windrow.errors import Permanent, Transient
from windrow.lake.tables import Place, Table, batch_mark
from windrow.lake.widening import together
from windrow.manifest import Manifest, SegmentEntry
from windrow.outcomes import Dead, Outcome, Retry
from windrow.ports import ObjectStore
from windrow.spec import StreamSpec
from windrow_writer import plan
from windrow_writer.plan import LoadedBatch

_T = TypeVar("_T")
_AT_ONCE = 32
"""Batches that are asked for together."""


@dataclass(frozen=True, kw_only=True)
class Loader:
    """Reads what a table does not hold yet."""

    store: ObjectStore
    pool: Executor
    max_rows: int
    """Rows of one commit. A batch that has more is a commit of its own."""
    max_bytes: int
    """Memory that they take: no further batch is read once it is used up. Sorting and writing take about twice more."""

    def load(
        self,
        stream: str,
        batches: Sequence[str],
        handle: Table,
        failed: MutableMapping[str, Outcome],
        spec: StreamSpec,
    ) -> tuple[list[LoadedBatch], bool]:
        """The next batches to commit, and whether there are no others. What cannot be read is entered in `failed`."""
        left = [batch for batch in batches if batch not in failed and handle.mark(batch_mark(batch)) is None]
        loaded: list[LoadedBatch] = []
        found: list[Manifest] = []
        while found or left:
            if not found:
                asked, left = left[:_AT_ONCE], left[_AT_ONCE:]
                reads = {batch: self.pool.submit(self._manifest, stream, batch).result for batch in asked}
                found = _those_read(stream, reads, failed)
                continue
            fitting = self._fitting(found, loaded)
            if not fitting:
                return loaded, False
            found = found[len(fitting) :]
            segments = [
                [self.pool.submit(self._segment, each, entry, spec) for entry in each.segments] for each in fitting
            ]
            rows = {each.batch: partial(_loaded, each, parts) for each, parts in zip(fitting, segments, strict=True)}
            loaded += _those_read(stream, rows, failed)
        return loaded, True

    def _fitting(self, found: Sequence[Manifest], loaded: Sequence[LoadedBatch]) -> Sequence[Manifest]:
        """The first of these that still fit into a commit with what has been loaded.

        That is the first alone while there are no rows: what a row takes is known once some have been read.
        """
        rows = sum(batch.manifest.accepted for batch in loaded)
        if not rows:
            return found[:1]
        size_bytes = float(sum(batch.rows.estimated_size() for batch in loaded))
        row_bytes = size_bytes / rows
        fitting: list[Manifest] = []
        for each in found:
            if rows + each.accepted > self.max_rows or size_bytes >= self.max_bytes:
                break
            fitting.append(each)
            rows += each.accepted
            size_bytes += each.accepted * row_bytes
        return fitting

    def _manifest(self, stream: str, batch: str) -> Manifest:
        return manifest.decode(self.store.get(keys.manifest_key(stream, batch)).body)

    def _segment(self, of: Manifest, entry: SegmentEntry, spec: StreamSpec) -> pl.DataFrame:
        address = keys.SegmentAddress(of.stream, entry.bucket_us, entry.shard, of.batch)
        rows = pl.read_parquet(io.BytesIO(self.store.get(keys.segment_key(address)).body))
        return plan.with_place(rows, Place(entry.bucket_us, entry.shard), spec.time.column)


def _loaded(found: Manifest, parts: Iterable[Future[pl.DataFrame]]) -> LoadedBatch:
    return LoadedBatch(found, together([pl.DataFrame(), *(part.result() for part in parts)], found.stream))


def _those_read(stream: str, reads: Mapping[str, Callable[[], _T]], failed: MutableMapping[str, Outcome]) -> list[_T]:
    """The results of those reads that have one, by batch; what went wrong with the others costs only them."""
    found: list[_T] = []
    for batch, result in reads.items():
        try:
            found.append(result())
        except Transient as error:
            failed[batch] = Retry(str(error))
        except Permanent as error:
            failed[batch] = Dead(f"{stream}, batch {batch}: {error}")
    return found
