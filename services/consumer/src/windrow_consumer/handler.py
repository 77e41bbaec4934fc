"""From a landed object to segments, quarantine and a manifest; then pointers; then, in the loop, the delete (law 3)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from windrow import keys, manifest, messages
from windrow.catalog import SpecCatalog
from windrow.errors import BadInput, NotFound, Permanent, TooLarge, Transient
from windrow.immutable import put_once
from windrow.lake.schema import segment_schema
from windrow.lake.tables import Place
from windrow.log import Log
from windrow.manifest import RECORDS_METADATA, RETURNED_METADATA, Manifest, SegmentEntry
from windrow.messages import BatchDecoded, Landed, Refresh
from windrow.metrics import Metrics
from windrow.outcomes import Dead, Done, Outcome, Retry
from windrow.ports import ObjectHeaders, ObjectInfo, ObjectStore, Outgoing, Queue
from windrow.quarantine import QuarantinedRecord, Reject, encode_lines
from windrow.spec import StreamSpec
from windrow_consumer.decode import Batch, Decoded, DecodeLimits, decode
from windrow_consumer.segments import Segment, split

_PARQUET = "application/vnd.apache.parquet"
_COUNT_DIGITS = 12
_TIME_DIGITS = 17  # microseconds until the year 5138


@dataclass(kw_only=True)
class Handler:
    """Decodes landed objects. Doing it twice gives the same objects, the same pointers, and nothing more."""

    store: ObjectStore
    windows: Queue
    writes: Queue
    catalog: SpecCatalog
    metrics: Metrics
    log: Log
    limits: DecodeLimits
    max_object_bytes: int
    parallel_puts: int = 1

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=self.parallel_puts, thread_name_prefix="put")

    def handle(self, bodies: Sequence[str]) -> Sequence[Outcome]:
        return [self._handle(body) for body in bodies]

    def _handle(self, body: str) -> Outcome:
        try:
            landed = messages.decode_landed(body)
        except BadInput as error:
            return Dead(str(error))
        try:
            return Done("; ".join(self.process(pointer) for pointer in landed))
        except Transient as error:
            return Retry(str(error))
        except Permanent as error:
            return Dead(str(error))

    def process(self, landed: Landed) -> str:
        """Decode one object and send its pointers. Returns a note for the log.

        Raises NotFound (unknown stream, missing object), BadInput (not a landing key), Conflict and Transient errors.
        """
        stream = keys.stream_of_landing_key(landed.key)
        info = self.store.head(landed.key)
        batch = keys.batch_id(landed.key, info.etag)
        found = self._find_manifest(stream, batch)
        if found is None:
            published = self.catalog.at(stream, info.modified_us)
            found = self._decode(stream, batch, info, published.spec, published.version)
        self._send_pointers(found)
        return f"{stream}/{batch}"

    def _find_manifest(self, stream: str, batch: str) -> Manifest | None:
        try:
            return manifest.decode(self.store.get(keys.manifest_key(stream, batch)).body)
        except NotFound:
            return None

    def _decode(self, stream: str, batch: str, info: ObjectInfo, spec: StreamSpec, version: int) -> Manifest:
        received_us = _whole(info, "received-us", _TIME_DIGITS, info.modified_us)
        try:
            stored = self.store.get(info.key, self.max_object_bytes)
            described = Batch(batch, info.key, received_us, stored.info.content_type, stored.info.content_encoding)
            decoded = decode(stored.body, described, spec, self.limits)
        except (BadInput, TooLarge) as error:
            decoded = _unreadable(batch, info, received_us, spec, str(error))
        except pl.exceptions.PanicException as error:
            # A fault inside a library, brought about by these bytes: it must cost this object and not the process.
            decoded = _unreadable(batch, info, received_us, spec, f"the decoder failed on this object: {error}")
        made = self._write(stream, batch, decoded, spec, version)
        result = Manifest(
            stream=stream,
            batch=batch,
            landing_key=info.key,
            spec_version=version,
            source=info.metadata.get("source", "upload"),
            received_us=received_us,
            decoded=decoded.record_count,
            accepted=decoded.rows.height,
            quarantined=decoded.record_count - decoded.rows.height,
            returned=_whole(info, RETURNED_METADATA, _COUNT_DIGITS, 0),
            max_time_us=_max_time_us(decoded, spec),
            segments=made,
        )
        self._put(keys.manifest_key(stream, batch), manifest.encode(result), batch, version, "application/json")
        self.metrics.count("batches_decoded", stream=stream)
        self.metrics.count("records_decoded", result.decoded, stream=stream)
        if result.quarantined:
            self.metrics.count("records_quarantined", result.quarantined, stream=stream)
        self.log.info(
            "batch_decoded",
            stream=stream,
            batch=batch,
            key=info.key,
            spec_version=version,
            decoded=result.decoded,
            accepted=result.accepted,
            quarantined=result.quarantined,
            segments=len(made),
        )
        return result

    def _write(
        self, stream: str, batch: str, decoded: Decoded, spec: StreamSpec, version: int
    ) -> tuple[SegmentEntry, ...]:
        def put(segment: Segment) -> SegmentEntry:
            address = keys.SegmentAddress(stream, segment.place.bucket_us, segment.place.shard, batch)
            self._put(keys.segment_key(address), segment.body, batch, version, _PARQUET)
            return SegmentEntry(segment.place.bucket_us, segment.place.shard, segment.row_count, len(segment.body))

        entries = tuple(self._pool.map(put, split(decoded.rows, spec)))
        if decoded.rejected:
            lines = encode_lines(list(decoded.rejected))
            self._put(keys.quarantine_key(stream, batch), lines, batch, version, "application/x-ndjson")
        return entries

    def _put(self, key: str, body: bytes, batch: str, version: int, content_type: str) -> None:
        # The write id is the batch under a spec version: a retry is ours, a decode under another version is not.
        put_once(self.store, key, body, f"{batch}-v{version}", ObjectHeaders(content_type=content_type))

    def _send_pointers(self, found: Manifest) -> None:
        places = dict.fromkeys(Place(entry.bucket_us, entry.shard) for entry in found.segments)
        self.windows.send(
            [
                Outgoing(messages.encode(Refresh(stream=found.stream, bucket_us=place.bucket_us, shard=place.shard)))
                for place in places
            ]
        )
        decoded = BatchDecoded(stream=found.stream, batch=found.batch, row_count=found.accepted)
        self.writes.send([Outgoing(messages.encode(decoded))])


def _unreadable(batch: str, info: ObjectInfo, received_us: int, spec: StreamSpec, why: str) -> Decoded:
    """An object that cannot be read at all: one quarantine entry that stands for everything in it."""
    count = _whole(info, RECORDS_METADATA, _COUNT_DIGITS, 1)
    record = QuarantinedRecord(
        reject=Reject(reason="unreadable_object", message=why),
        batch=batch,
        ordinal=0,
        received_us=received_us,
        format="object",
        data=info.key,
        record_count=count,
    )
    return Decoded(segment_schema(spec).to_frame(), (record,), count)


def _whole(info: ObjectInfo, name: str, max_digits: int, default: int) -> int:
    """A number out of an object's metadata, which on an upload may be anything."""
    text = info.metadata.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= max_digits else default


def _max_time_us(decoded: Decoded, spec: StreamSpec) -> int | None:
    if decoded.rows.is_empty():
        return None
    return int(decoded.rows[spec.time.column].dt.timestamp("us").to_frame().max().item())
