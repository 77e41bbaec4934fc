"""Results in the store: where the windows of a bucket stand until the writer takes them (laws 2 and 6)."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from windrow import keys, messages, results
from windrow.immutable import put_once
from windrow.lake.tables import Place
from windrow.listing import Known
from windrow.messages import Refreshed
from windrow.ports import ObjectHeaders, ObjectStore, Outgoing, Queue
from windrow.results import Inputs
from windrow.windows.reach import Stretch

PARQUET = "application/vnd.apache.parquet"


@dataclass(frozen=True)
class Results:
    """Reads and writes results. Writing the same one twice, here or elsewhere at the same time, is writing it once."""

    store: ObjectStore
    writes: Queue

    def latest(self, stream: str, table: str, owner: Place) -> Inputs | None:
        """The inputs of the complete result with the most of them, if there is any."""
        prefix = keys.results_prefix(stream, table, owner.bucket_us, owner.shard)
        complete = [info.key for info in self.store.list(prefix) if info.key.endswith("/inputs.json")]
        return results.decode(self.store.get(complete[-1]).body) if complete else None

    def put(self, inputs: Inputs, rows: pl.DataFrame | None) -> None:
        """Make a result durable; the inputs come last and complete it."""
        # Two may compute the same inputs; either's result will do, so the inputs are the write id.
        write_id = f"{inputs.digest}-v{inputs.spec_version}"
        if rows is not None:
            buffer = io.BytesIO()
            rows.write_parquet(buffer, compression="zstd", compression_level=3)
            headers = ObjectHeaders(content_type=PARQUET)
            put_once(self.store, keys.rows_key(inputs.folder), buffer.getvalue(), write_id, headers)
        headers = ObjectHeaders(content_type="application/json")
        put_once(self.store, keys.inputs_key(inputs.folder), results.encode(inputs), write_id, headers)

    def send(self, inputs: Inputs, *, is_final: bool) -> None:
        """Tell the writer of a result."""
        pointer = Refreshed(
            stream=inputs.stream,
            table=inputs.table,
            bucket_us=inputs.bucket_us,
            shard=inputs.shard,
            input_count=inputs.count,
            input_digest=inputs.digest,
            spec_version=inputs.spec_version,
            is_final=is_final,
        )
        self.writes.send([Outgoing(messages.encode(pointer))])


def gathered(
    stream: str,
    table: str,
    owner: Place,
    spec_version: int,
    stretch: Stretch,
    known: Mapping[int, Known],
    latest: Inputs | None,
) -> Inputs:
    """Everything that is known to go, or to have gone, into a result: it only grows (law 6)."""
    batches = {bucket: set(found.batches) for bucket, found in known.items()}
    if latest is not None:
        stretch = Stretch(min(stretch.from_us, latest.from_us), max(stretch.to_us, latest.to_us))
        for bucket, before in latest.batches.items():
            batches.setdefault(bucket, set()).update(before)
    return Inputs(
        stream=stream,
        table=table,
        bucket_us=owner.bucket_us,
        shard=owner.shard,
        from_us=stretch.from_us,
        to_us=stretch.to_us,
        batches={bucket: tuple(sorted(found)) for bucket, found in sorted(batches.items())},
        spec_version=spec_version,
    )
