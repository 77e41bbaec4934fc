"""Law 8, nothing vanishes: received = written + duplicate + quarantined + filtered + expired + in flight, per stream.

The two sides are counted apart. `received` is what landing objects and manifests say came in; `written` is the number
of rows that physically stand in the records table; `duplicate` and the rest are running totals that the writer commits
together with the rows. Whatever does not add up is `unexplained`, and an alarm. A record that the spec explodes counts
once for each of its rows.

Each version of a stream's tables is a flow with figures of its own. A record that is replayed out of the quarantine of
older tables goes to the newest: there it is received, and of the older ones it has `moved` on.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from windrow import keys, manifest
from windrow.errors import NotFound
from windrow.lake import tables
from windrow.lake.tables import Lake, Table
from windrow.manifest import RECORDS_METADATA, RETURNED_METADATA
from windrow.ports import ObjectInfo, ObjectStore
from windrow.receipts import decode_receipt
from windrow.timeline import Timeline

_COUNT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Balance:
    """The figures of one stream, at one version of its records table."""

    stream: str
    received: int = 0
    written: int = 0
    duplicate: int = 0
    quarantined: int = 0
    filtered: int = 0
    """Rows that the spec's filter left out, on purpose."""
    moved: int = 0
    """Records that were replayed out of quarantine into newer tables, and are received there."""
    expired: int = 0
    """Rows that were removed, or never written, because the spec keeps nothing so old."""
    in_flight: int = 0
    uncounted_objects: int = 0
    """Uploaded objects that nobody has read yet, so that their records cannot be counted."""
    last_commit_us: int | None = None
    max_time_us: int | None = None

    @property
    def unexplained(self) -> int:
        """Records for which there is no account. Anything but zero is a bug."""
        kept = self.written + self.duplicate + self.quarantined + self.filtered + self.expired + self.in_flight
        return self.received - self.moved - kept


def balance(store: ObjectStore, lake: Lake, stream: str) -> Balance:
    """The figures of a stream whose tables have one version, or of one flow, now.

    The table is opened before anything is listed: what it holds was decoded before, and what was decoded had landed
    before, so every record is found in at least one place and, by the marks, counted in exactly one.
    """
    table = lake.open(stream, keys.RECORDS_TABLE)
    decoded: dict[str, list[str]] = defaultdict(list)
    for info in store.list(keys.manifest_prefix(stream)):
        part = keys.batch_of_manifest_key(info.key)
        decoded[keys.batch_of_part(part)].append(part)
    counted = _committed(stream, table)
    timeline = Timeline.of(store, keys.stream_of_flow(stream))
    if stream in timeline.flows[:-1]:
        counted = _add(counted, _moved(store, stream))
    for info in store.list(keys.landing_prefix(timeline.stream)):
        if timeline.flow(info.modified_us) == stream:
            counted = _add(counted, _of_batch(store, table, stream, info, decoded))
    return counted


def _moved(store: ObjectStore, flow: str) -> Balance:
    """What receipts say has gone to newer tables."""
    moved = 0
    for info in store.list(keys.replay_receipt_prefix(flow)):
        receipt = decode_receipt(store.get(info.key).body)
        if receipt.flow not in ("", flow):
            moved += receipt.record_count
    return Balance(flow, quarantined=-moved, moved=moved)


def _of_batch(
    store: ObjectStore, table: Table | None, stream: str, info: ObjectInfo, decoded: Mapping[str, Sequence[str]]
) -> Balance:
    """What of a batch is not in the table yet, part by part."""
    batch = keys.batch_id(info.key, info.etag)
    if table is not None and table.mark(tables.batch_mark(batch)) is not None and len(decoded.get(batch, ())) <= 1:
        return Balance(stream)
    parts = decoded.get(batch, ())
    counted = Balance(stream)
    known = 0
    for part in parts:
        is_written = table is not None and table.mark(tables.batch_mark(part)) is not None
        if is_written and batch in parts:
            continue
        found = manifest.decode(store.get(keys.manifest_key(stream, part)).body)
        known += found.decoded
        counted = counted if is_written else _add(counted, _of_manifest(found))
    return counted if batch in parts else _add(counted, _of_landing(store, stream, info, known))


def _committed(stream: str, table: Table | None) -> Balance:
    if table is None:
        return Balance(stream)
    totals = {name: table.mark(name) or 0 for name in tables.TOTALS}
    returned = totals[tables.RETURNED]
    return Balance(
        stream,
        received=totals[tables.DECODED] + totals[tables.ADDED] - returned,
        written=table.row_count(),
        duplicate=totals[tables.DUPLICATES],
        quarantined=totals[tables.QUARANTINED] - returned,
        filtered=totals[tables.FILTERED],
        expired=totals[tables.EXPIRED],
        last_commit_us=table.mark(tables.LAST_BATCH_US),
        max_time_us=table.mark(tables.MAX_TIME_US),
    )


def _of_manifest(found: manifest.Manifest) -> Balance:
    return Balance(
        found.stream,
        received=found.decoded + found.added - found.returned,
        quarantined=found.quarantined - found.returned,
        filtered=found.filtered,
        in_flight=found.accepted,
    )


def _of_landing(store: ObjectStore, stream: str, info: ObjectInfo, known: int) -> Balance:
    """An object that is not decoded to its end; `known` of its records stand in parts that are."""
    try:
        metadata = store.head(info.key).metadata
    except NotFound:
        return Balance(stream)
    # Whoever uploads an object writes its metadata; what is not a count is not counted.
    returned = (_count(metadata, RETURNED_METADATA) or 0) if manifest.takes_back(metadata, stream) else 0
    records = _count(metadata, RECORDS_METADATA)
    if records is None:
        return Balance(stream, received=-returned, quarantined=-returned, uncounted_objects=1)
    left = max(0, records - known)
    return Balance(stream, received=left - returned, quarantined=-returned, in_flight=left)


def _count(metadata: Mapping[str, str], name: str) -> int | None:
    text = metadata.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _COUNT_DIGITS else None


def _add(left: Balance, right: Balance) -> Balance:
    return Balance(
        left.stream,
        received=left.received + right.received,
        written=left.written,
        duplicate=left.duplicate,
        quarantined=left.quarantined + right.quarantined,
        filtered=left.filtered + right.filtered,
        moved=left.moved + right.moved,
        expired=left.expired,
        in_flight=left.in_flight + right.in_flight,
        uncounted_objects=left.uncounted_objects + right.uncounted_objects,
        last_commit_us=left.last_commit_us,
        max_time_us=left.max_time_us,
    )
