"""One landed object, decoded: its parts to segments and quarantine, and the manifests that say so."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import chain, islice

import msgspec
import polars as pl

from windrow import halts, keys, manifest
from windrow.catalog import PublishedSpec
from windrow.clock import Clock
from windrow.decoding.decode import LAYOUT, ReadPieces, decode
from windrow.decoding.formats import kind_of
from windrow.decoding.parts import Batch, Decoded, DecodeLimits
from windrow.decoding.segments import Segment, split
from windrow.decoding.unknown import Unknown, merged
from windrow.errors import BadInput, Permanent, TooLarge
from windrow.evolution import Evolution
from windrow.immutable import put_once
from windrow.lake.schema import segment_schema
from windrow.log import Log
from windrow.manifest import RECORDS_METADATA, RETURNED_METADATA, Manifest, SegmentEntry
from windrow.metrics import Metrics
from windrow.ports import ObjectHeaders, ObjectInfo, ObjectStore
from windrow.quarantine import QuarantinedRecord, Reject, encode_lines
from windrow.spec import StreamSpec
from windrow_consumer.brake import Brakes

_PARQUET = "application/vnd.apache.parquet"
_AHEAD = 32
"""Segments that may wait to be written."""
_COUNT_DIGITS = 12
_TIME_DIGITS = 17  # microseconds until the year 5138


@dataclass(frozen=True, slots=True)
class _Object:
    """A landed object and the spec that reads it."""

    stream: str
    batch: str
    info: ObjectInfo
    spec: StreamSpec
    version: int

    @property
    def described(self) -> Batch:
        received_us = _whole(self.info, "received-us", _TIME_DIGITS, self.info.modified_us)
        return Batch(self.batch, self.info.key, received_us, self.info.content_type, self.info.content_encoding)

    @property
    def is_replay(self) -> bool:
        try:
            return kind_of(self.info.key, self.info.content_type) == "replay"
        except BadInput:
            return False


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What an object holds as a whole, found out before anything of it is written."""

    record_count: int
    quarantined: int
    reasons: Counter[str]
    example: str
    unknown: dict[str, Unknown]


@dataclass(frozen=True, kw_only=True)
class Landing:
    """Decodes objects. The manifest of the first part is written last: where it stands, everything else does."""

    store: ObjectStore
    evolution: Evolution
    brakes: Brakes
    clock: Clock
    metrics: Metrics
    log: Log
    limits: DecodeLimits
    max_object_bytes: int
    puts: Executor
    read: ReadPieces
    send: Callable[[Manifest], None]

    def decode(self, stream: str, batch: str, info: ObjectInfo, published: PublishedSpec) -> bool:
        """Decode an object, write what it holds and send its pointers. False if the stream halts instead.

        Raises Conflict, Transient errors, and Permanent where a library fails in the middle of an object.
        """
        spec = published.spec
        if spec.schema_policy == "evolve":
            spec = self.evolution.extended(stream, spec)
        found = _Object(stream, batch, info, spec, published.version)
        try:
            parts = self._parts(found)
        except (BadInput, TooLarge) as error:
            parts = iter([_unreadable(found, "unreadable_object", str(error))])
        except pl.exceptions.PanicException as error:
            # A fault inside a library, brought about by these bytes: it must cost this object and not the process.
            parts = iter([_unreadable(found, "unreadable_object", f"the decoder failed on this object: {error}")])
        if parts is None:
            return False
        try:
            self._write_all(found, parts)
        except pl.exceptions.PanicException as error:
            raise Permanent(f"{info.key}: the decoder failed in the middle of this object: {error}") from error
        return True

    # ------------------------------------------------------------------------------------------ what it holds

    def _parts(self, found: _Object) -> Iterator[Decoded] | None:
        """The object's parts, judged as a whole where the spec asks for that; None if the stream halts here."""
        if found.info.size_bytes > self.max_object_bytes:
            raise TooLarge(f"{found.info.key} has {found.info.size_bytes} bytes; the limit is {self.max_object_bytes}")
        spec = found.spec
        made = self._decode(found)
        first = list(islice(made, 1))
        # What an operator sends again has been judged by the operator.
        may_be_refused = not found.is_replay and (spec.on_error == "reject" or spec.halt is not None)
        if not may_be_refused and spec.schema_policy != "evolve":
            return chain(first, made)
        verdict, parts = self._judge(found, first, made)
        if may_be_refused and spec.halt is not None and self._halts(found, verdict):
            return None
        if may_be_refused and spec.on_error == "reject" and verdict.quarantined:
            why = (
                f"{verdict.quarantined} of {verdict.record_count} records are bad, and the stream refuses such files "
                f"whole (on_error: reject); the first: {verdict.example}"
            )
            return iter([_unreadable(found, "refused_whole", why, verdict.record_count)])
        if spec.schema_policy == "evolve" and verdict.unknown:
            grown = self.evolution.grow(found.stream, spec, verdict.unknown, found.batch)
            return self._decode(_Object(found.stream, found.batch, found.info, grown, found.version))
        return parts

    def _decode(self, found: _Object) -> Iterator[Decoded]:
        return decode(lambda: self.store.read(found.info), found.described, found.spec, self.limits, self.read)

    def _judge(
        self, found: _Object, first: list[Decoded], rest: Iterator[Decoded]
    ) -> tuple[_Verdict, Iterator[Decoded]]:
        """Look at the whole object before anything of it counts. A large one is decoded a second time for that."""
        second = next(rest, None)
        if second is None:
            return _verdict(first), iter(first)
        return _verdict(chain(first, [second], rest)), self._decode(found)

    def _halts(self, found: _Object, verdict: _Verdict) -> bool:
        limit = found.spec.halt
        if limit is None:
            return False
        brake = self.brakes.of(found.stream, found.version, limit)
        if not brake.feels(verdict.record_count, verdict.quarantined):
            return False
        if halts.was_resumed(self.store, found.stream, found.version):
            return False
        halt = halts.Halt(
            stream=found.stream,
            spec_version=found.version,
            at_us=self.clock.now_us(),
            records=brake.records,
            quarantined=brake.quarantined,
            landing_key=found.info.key,
            reason=verdict.example,
        )
        halts.stop(self.store, halt)
        self.metrics.count("streams_halted", stream=found.stream)
        self.log.error(
            "stream_halted",
            stream=found.stream,
            spec_version=found.version,
            records=brake.records,
            quarantined=brake.quarantined,
            key=found.info.key,
            reason=verdict.example,
        )
        return True

    # ------------------------------------------------------------------------------------------ what is written

    def _write_all(self, found: _Object, parts: Iterator[Decoded]) -> None:
        first: Manifest | None = None
        number = 0
        for number, decoded in enumerate(parts, start=1):
            made = self._write(found, decoded, number - 1)
            if first is None:
                first = made
            else:
                self._put_manifest(found, made)
                self.send(made)
        assert first is not None, "an object has at least one part"
        whole = msgspec.structs.replace(first, parts=number)
        self._put_manifest(found, whole)
        self.send(whole)

    def _write(self, found: _Object, decoded: Decoded, number: int) -> Manifest:
        part = keys.part_id(found.batch, number)

        def put(segment: Segment) -> SegmentEntry:
            address = keys.SegmentAddress(found.stream, segment.place.bucket_us, segment.place.shard, part)
            self._put(found, keys.segment_key(address), segment.body, _PARQUET)
            return SegmentEntry(segment.place.bucket_us, segment.place.shard, segment.row_count, len(segment.body))

        entries = tuple(_in_turn(self.puts, put, split(decoded.rows, found.spec)))
        if decoded.rejected:
            key = keys.quarantine_key(found.stream, part)
            self._put(found, key, encode_lines(list(decoded.rejected)), "application/x-ndjson")
        return Manifest(
            stream=found.stream,
            batch=part,
            landing_key=found.info.key,
            spec_version=found.version,
            source=found.info.metadata.get("source", "upload"),
            received_us=found.described.received_us,
            decoded=decoded.record_count,
            accepted=decoded.rows.height,
            quarantined=decoded.quarantined,
            added=decoded.added,
            filtered=decoded.filtered,
            discarded_fields={path: each.record_count for path, each in sorted(decoded.unknown.items())},
            returned=_returned(found) if number == 0 else 0,
            max_time_us=_max_time_us(decoded, found.spec),
            segments=entries,
        )

    def _put_manifest(self, found: _Object, made: Manifest) -> None:
        self._put(found, keys.manifest_key(found.stream, made.batch), manifest.encode(made), "application/json")
        self.metrics.count("batches_decoded", stream=found.stream)
        self.metrics.count("records_decoded", made.decoded, stream=found.stream)
        if made.quarantined:
            self.metrics.count("records_quarantined", made.quarantined, stream=found.stream)
        if made.filtered:
            self.metrics.count("records_filtered", made.filtered, stream=found.stream)
        if made.discarded_fields:
            self.metrics.count("values_discarded", sum(made.discarded_fields.values()), stream=found.stream)
        self.log.info(
            "batch_decoded",
            stream=found.stream,
            batch=made.batch,
            key=found.info.key,
            spec_version=found.version,
            decoded=made.decoded,
            accepted=made.accepted,
            quarantined=made.quarantined,
            filtered=made.filtered,
            segments=len(made.segments),
            discarded_fields=list(made.discarded_fields)[:20],
        )

    def _put(self, found: _Object, key: str, body: bytes, content_type: str) -> None:
        # The write id is the batch under a spec version and a way of cutting: a retry is ours, anything else is not.
        write_id = f"{found.batch}-v{found.version}-l{LAYOUT}"
        put_once(self.store, key, body, write_id, ObjectHeaders(content_type=content_type))


def _in_turn(
    pool: Executor, put: Callable[[Segment], SegmentEntry], segments: Iterator[Segment]
) -> Iterator[SegmentEntry]:
    """Put segments several at a time, and make no more of them ahead than are on their way."""
    under_way: deque[Future[SegmentEntry]] = deque()
    for segment in segments:
        under_way.append(pool.submit(put, segment))
        if len(under_way) >= _AHEAD:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def _verdict(parts: Iterable[Decoded]) -> _Verdict:
    reasons: Counter[str] = Counter()
    examples: dict[str, str] = {}
    record_count = quarantined = 0
    unknown: dict[str, Unknown] = {}
    for part in parts:
        record_count += part.record_count
        quarantined += part.quarantined
        for record in part.rejected:
            reasons[record.reject.reason] += record.record_count
            examples.setdefault(record.reject.reason, record.reject.message)
        unknown = merged(unknown, part.unknown)
    example = examples[reasons.most_common(1)[0][0]] if reasons else ""
    return _Verdict(record_count, quarantined, reasons, example, unknown)


def _unreadable(found: _Object, reason: str, why: str, record_count: int | None = None) -> Decoded:
    """An object of which nothing is taken: one quarantine entry that stands for everything in it."""
    count = _whole(found.info, RECORDS_METADATA, _COUNT_DIGITS, 1) if record_count is None else record_count
    record = QuarantinedRecord(
        reject=Reject(reason=reason, message=why),
        batch=found.batch,
        ordinal=0,
        received_us=found.described.received_us,
        format="object",
        data=found.info.key,
        record_count=count,
    )
    return Decoded(segment_schema(found.spec).to_frame(), (record,), count)


def _returned(found: _Object) -> int:
    """Records that an object takes back out of quarantine. Those of older tables are new to these."""
    if not manifest.takes_back(found.info.metadata, found.stream):
        return 0
    return _whole(found.info, RETURNED_METADATA, _COUNT_DIGITS, 0)


def _whole(info: ObjectInfo, name: str, max_digits: int, default: int) -> int:
    """A number out of an object's metadata, which on an upload may be anything."""
    text = info.metadata.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= max_digits else default


def _max_time_us(decoded: Decoded, spec: StreamSpec) -> int | None:
    if decoded.rows.is_empty():
        return None
    return int(decoded.rows[spec.time.column].dt.timestamp("us").to_frame().max().item())
