"""The latest record of every key of a stream, in a DynamoDB table."""

import io
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from windrow import keys, manifest
from windrow.errors import NotFound, Permanent, Transient, WindrowError
from windrow.latest import LatestRecord, is_later
from windrow.metrics import Metrics
from windrow.ports import LatestStore, ObjectStore
from windrow.spec import StreamSpec
from windrow.spec.sinks import DynamodbSink
from windrow_writer.sinks.latest import latest_of

_MOST_PENDING = 10_000
_MOST_REFUSED = 20
"""Records that a table refuses before the others are not tried any more: then it is not the records."""


class _Pending(NamedTuple):
    """A record still to be put, and the batch whose message asks for it: the part of a large one, or a replay."""

    record: LatestRecord
    batch: str


@dataclass(kw_only=True)
class DynamodbWriter:
    """Puts the latest record of every key among some batches. Repeating it changes nothing."""

    store: ObjectStore
    latest: LatestStore
    metrics: Metrics
    parallel_puts: int = 16
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=self.parallel_puts, thread_name_prefix="latest")

    def write(self, spec: StreamSpec, sink: DynamodbSink, batches: Sequence[str]) -> Mapping[str, WindrowError]:
        """Put what these batches have. Returns the batches that are not in the table whole, and why.

        One batch is held at a time, and at most some ten thousand records that are still to be put.
        """
        failed: dict[str, WindrowError] = {}
        pending: dict[str, _Pending] = {}
        for batch in batches:
            try:
                rows = self._rows(spec.stream, batch)
            except WindrowError as error:
                failed[batch] = error
                continue
            if rows is None:
                continue
            found, refused = latest_of(rows, spec)
            if refused:
                more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
                failed[batch] = Permanent(f"a DynamoDB table cannot hold it: {refused[0]}{more}")
            for record in found:
                standing = pending.get(record.key)
                if standing is None or is_later(record, standing.record, spec.keep):
                    pending[record.key] = _Pending(record, batch)
            if len(pending) >= _MOST_PENDING:
                failed |= self._put(spec, sink, list(pending.values()))
                pending.clear()
        return {**failed, **self._put(spec, sink, list(pending.values()))}

    def _rows(self, stream: str, batch: str) -> pl.DataFrame | None:
        def read(entry: manifest.SegmentEntry) -> pl.DataFrame:
            address = keys.SegmentAddress(stream, entry.bucket_us, entry.shard, batch)
            return pl.read_parquet(io.BytesIO(self.store.get(keys.segment_key(address)).body))

        try:
            found = manifest.decode(self.store.get(keys.manifest_key(stream, batch)).body)
            parts = list(self._pool.map(read, found.segments))
            return pl.concat(parts) if parts else None
        except NotFound as error:
            raise Permanent(f"batch {batch} has expired: {error}") from error
        except pl.exceptions.PolarsError as error:
            raise Permanent(f"batch {batch} cannot be read: {error}") from error

    def _put(self, spec: StreamSpec, sink: DynamodbSink, pending: Sequence[_Pending]) -> dict[str, WindrowError]:
        table = keys.latest_table(spec.stream, sink.table)
        failed: dict[str, WindrowError] = {}
        refused: list[WindrowError] = []
        stopped: list[WindrowError] = []
        lock = threading.Lock()

        def put(each: _Pending) -> bool:
            try:
                if stopped:
                    raise stopped[0]
                return self.latest.put_if_later(table, each.record, spec.keep)
            except WindrowError as error:
                with lock:
                    failed[each.batch] = error
                    refused.append(error)
                    # What has failed for one would fail for all; what a table refuses costs only itself.
                    if isinstance(error, Transient | NotFound) or len(refused) >= _MOST_REFUSED:
                        stopped.append(error)
                return False

        number = sum(self._pool.map(put, pending))
        if number:
            self.metrics.count("latest_records_put", number, stream=spec.stream)
        return failed
