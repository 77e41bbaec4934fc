"""Law 8, nothing vanishes: received = written + duplicate + quarantined + in flight, per stream, at any time.

The two sides are counted apart. `received` is what landing objects and manifests say came in; `written` is the number
of rows that physically stand in the records table; `duplicate` and the rest are running totals that the writer commits
together with the rows. Whatever does not add up is `unexplained`, and an alarm.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from windrow import keys, manifest
from windrow.errors import NotFound
from windrow.lake import tables
from windrow.lake.tables import Lake, Table
from windrow.manifest import RECORDS_METADATA, RETURNED_METADATA
from windrow.ports import ObjectInfo, ObjectStore

_COUNT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Balance:
    """The figures of one stream, at one version of its records table."""

    stream: str
    received: int = 0
    written: int = 0
    duplicate: int = 0
    quarantined: int = 0
    in_flight: int = 0
    uncounted_objects: int = 0
    """Uploaded objects that nobody has read yet, so that their records cannot be counted."""
    last_commit_us: int | None = None
    max_time_us: int | None = None

    @property
    def unexplained(self) -> int:
        """Records for which there is no account. Anything but zero is a bug."""
        return self.received - self.written - self.duplicate - self.quarantined - self.in_flight


def balance(store: ObjectStore, lake: Lake, stream: str) -> Balance:
    """The figures of a stream, now.

    The table is opened before anything is listed: what it holds was decoded before, and what was decoded had landed
    before, so every record is found in at least one place and, by the marks, counted in exactly one.
    """
    table = lake.open(stream, keys.RECORDS_TABLE)
    decoded = {keys.batch_of_manifest_key(info.key): info.key for info in store.list(keys.manifest_prefix(stream))}
    counted = _committed(stream, table)
    for info in store.list(keys.landing_prefix(stream)):
        batch = keys.batch_id(info.key, info.etag)
        if table is not None and table.mark(tables.batch_mark(batch)) is not None:
            continue
        in_flight = _of_manifest(store, decoded[batch]) if batch in decoded else _of_landing(store, stream, info)
        counted = _add(counted, in_flight)
    return counted


def _committed(stream: str, table: Table | None) -> Balance:
    if table is None:
        return Balance(stream)
    decoded, returned, quarantined, duplicates = (
        table.mark(name) or 0 for name in (tables.DECODED, tables.RETURNED, tables.QUARANTINED, tables.DUPLICATES)
    )
    return Balance(
        stream,
        received=decoded - returned,
        written=table.row_count(),
        duplicate=duplicates,
        quarantined=quarantined - returned,
        last_commit_us=table.mark(tables.LAST_BATCH_US),
        max_time_us=table.mark(tables.MAX_TIME_US),
    )


def _of_manifest(store: ObjectStore, key: str) -> Balance:
    found = manifest.decode(store.get(key).body)
    return Balance(
        found.stream,
        received=found.decoded - found.returned,
        quarantined=found.quarantined - found.returned,
        in_flight=found.accepted,
    )


def _of_landing(store: ObjectStore, stream: str, info: ObjectInfo) -> Balance:
    try:
        metadata = store.head(info.key).metadata
    except NotFound:
        return Balance(stream)
    # Whoever uploads an object writes its metadata; what is not a count is not counted.
    returned = _count(metadata, RETURNED_METADATA) or 0
    records = _count(metadata, RECORDS_METADATA)
    if records is None:
        return Balance(stream, received=-returned, quarantined=-returned, uncounted_objects=1)
    return Balance(stream, received=records - returned, quarantined=-returned, in_flight=records)


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
        in_flight=left.in_flight + right.in_flight,
        uncounted_objects=left.uncounted_objects + right.uncounted_objects,
        last_commit_us=left.last_commit_us,
        max_time_us=left.max_time_us,
    )
