"""Recompute a place's windows from everything that is known of it, and point the writer at the result."""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import polars as pl

from windrow import keys, messages, results
from windrow.catalog import PublishedSpec, SpecCatalog
from windrow.errors import Unavailable
from windrow.immutable import put_once
from windrow.lake.dedupe import deduplicate
from windrow.lake.schema import conform, segment_schema
from windrow.lake.tables import Lake, Place, batch_mark
from windrow.log import Log
from windrow.messages import Refreshed
from windrow.metrics import Metrics
from windrow.ports import ObjectHeaders, ObjectStore, Outgoing, Queue
from windrow.results import Inputs
from windrow_windower.aggregate import aggregate

_PARQUET = "application/vnd.apache.parquet"


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
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=self.parallel_gets, thread_name_prefix="get")

    def refresh(self, stream: str, place: Place, *, is_final: bool = False) -> Inputs | None:
        """Make the result of all known inputs durable, then send its pointer. None when the place holds nothing.

        Raises NotFound (no such stream) and Transient errors; a result whose inputs are incomplete is never written.
        """
        published = self.catalog.current(stream)
        listed = self.listed(stream, place)
        latest = self.latest(stream, place)
        known = frozenset(latest.batches) if latest else frozenset()
        batches = listed | known
        if not batches:
            return None
        if latest is not None and batches == known and set(published.spec.windows) <= set(latest.windows):
            inputs = latest
        else:
            inputs = Inputs(
                stream=stream,
                bucket_us=place.bucket_us,
                shard=place.shard,
                batches=tuple(sorted(batches)),
                windows=tuple(published.spec.windows),
                spec_version=published.version,
            )
            self._compute(inputs, published, place, sorted(listed), sorted(known - listed))
        self._send(inputs, is_final=is_final)
        return inputs

    def listed(self, stream: str, place: Place) -> frozenset[str]:
        """The batches that have a segment in a place, as S3 lists them now."""
        prefix = keys.segments_prefix(stream, place.bucket_us, place.shard)
        return frozenset(keys.parse_segment_key(info.key).batch for info in self.store.list(prefix))

    def latest(self, stream: str, place: Place) -> Inputs | None:
        """The complete result with the most inputs, if there is any."""
        prefix = keys.results_prefix(stream, place.bucket_us, place.shard)
        complete = [info.key for info in self.store.list(prefix) if info.key.endswith("/inputs.json")]
        return results.decode(self.store.get(complete[-1]).body) if complete else None

    def _compute(
        self,
        inputs: Inputs,
        published: PublishedSpec,
        place: Place,
        listed: Sequence[str],
        gone: Sequence[str],
    ) -> None:
        stream, spec = inputs.stream, published.spec
        schema = segment_schema(spec)
        addresses = [keys.SegmentAddress(stream, place.bucket_us, place.shard, batch) for batch in listed]
        parts = list(self._pool.map(lambda address: self._segment(address, schema), addresses))
        if gone:
            parts.append(self._from_records(stream, place, gone, schema))
        records = deduplicate(pl.concat([schema.to_frame(), *parts]), spec)
        for name, window in spec.windows.items():
            buffer = io.BytesIO()
            aggregate(records, spec, window).write_parquet(buffer, compression="zstd", compression_level=3)
            self._put(keys.window_result_key(inputs.folder, name), buffer.getvalue(), inputs, _PARQUET)
        self._put(keys.inputs_key(inputs.folder), results.encode(inputs), inputs, "application/json")
        self.metrics.count("refreshes_computed", stream=stream)
        self.log.info(
            "bucket_refreshed",
            stream=stream,
            bucket=keys.bucket_text(place.bucket_us),
            shard=place.shard,
            inputs=len(inputs.batches),
            records=records.height,
        )

    def _segment(self, address: keys.SegmentAddress, schema: pl.Schema) -> pl.DataFrame:
        key = keys.segment_key(address)
        return conform(pl.read_parquet(io.BytesIO(self.store.get(key).body)), schema, key)

    def _from_records(self, stream: str, place: Place, gone: Sequence[str], schema: pl.Schema) -> pl.DataFrame:
        """Rows of segments that a lifecycle rule has removed, out of the records table, which must hold them all."""
        table = self.lake.open(stream, keys.RECORDS_TABLE)
        missing = [batch for batch in gone if table is None or table.mark(batch_mark(batch)) is None]
        if table is None or missing:
            raise Unavailable(
                f"{stream}, bucket {keys.bucket_text(place.bucket_us)}: {len(missing)} of its segments are gone and "
                f"not yet in the records table (first: batch {missing[0]}); nothing is computed from what is left"
            )
        return conform(table.read([place]), schema, f"{stream}/records")

    def _put(self, key: str, body: bytes, inputs: Inputs, content_type: str) -> None:
        # Two windowers may compute the same inputs; either's result will do, so the inputs are the write id.
        put_once(
            self.store, key, body, f"{inputs.digest}-v{inputs.spec_version}", ObjectHeaders(content_type=content_type)
        )

    def _send(self, inputs: Inputs, *, is_final: bool) -> None:
        pointer = Refreshed(
            stream=inputs.stream,
            bucket_us=inputs.bucket_us,
            shard=inputs.shard,
            input_count=len(inputs.batches),
            input_digest=inputs.digest,
            spec_version=inputs.spec_version,
            is_final=is_final,
        )
        self.writes.send([Outgoing(messages.encode(pointer))])
