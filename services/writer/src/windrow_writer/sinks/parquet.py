"""Sealed buckets as plain Parquet files in a layout that every reader knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from windrow import keys
from windrow.errors import AlreadyExists, Conflict, NotFound, OutcomeUnknown, Transient, Unavailable, WindrowError
from windrow.immutable import put_once
from windrow.lake import tables
from windrow.lake.tables import Lake, Table, place_mark
from windrow.messages import Refreshed
from windrow.metrics import Metrics
from windrow.ports import ObjectHeaders, ObjectStore
from windrow.spec import StreamSpec
from windrow.spec.sinks import ParquetSink
from windrow.units import from_us
from windrow_writer import plan
from windrow_writer.sinks import exported
from windrow_writer.sinks.exported import Export, ExportedFile

_ATTEMPTS = 4
_PARQUET = ObjectHeaders(content_type="application/vnd.apache.parquet")
_JSON = ObjectHeaders(content_type="application/json")


@dataclass(frozen=True, slots=True)
class _Standing:
    """The export that `_SUCCESS` tells of, and the ETag under which it told it."""

    export: Export
    etag: str


@dataclass(kw_only=True)
class ParquetWriter:
    """Exports buckets of `records` once they are sealed, and again when they are sealed anew.

    Order of effects: the new files, `_SUCCESS`, and only then are the files of earlier exports deleted. Files say in
    their names how far the bucket had grown. Once `_SUCCESS` tells of an export, none of a bucket grown no further can
    replace it, so whatever file of such an export it does not name is nobody's, and may go.
    """

    store: ObjectStore
    lake: Lake
    metrics: Metrics
    max_file_rows: int = 1_000_000

    def write(
        self, spec: StreamSpec, sink: ParquetSink, pointers: Sequence[Refreshed]
    ) -> Mapping[Refreshed, WindrowError]:
        """Export the buckets that these pointers have sealed. Returns those that are not exported, and why."""
        failed: dict[Refreshed, WindrowError] = {}
        for number, pointer in enumerate(pointers):
            try:
                self._export(spec, sink, pointer)
            except Transient as error:  # a store that does not answer is not asked for each of them
                return failed | dict.fromkeys(pointers[number:], error)
            except WindrowError as error:
                failed[pointer] = error
        return failed

    def _export(self, spec: StreamSpec, sink: ParquetSink, pointer: Refreshed) -> None:
        place = plan.place_of(pointer)
        days = exported.days_of(place, spec)
        folders = [keys.export_folder(sink.prefix, day, *place) for day in days]
        success_key = keys.export_success_key(folders[0])
        standing = self._standing(success_key, pointer)
        if standing is None or standing.export.input_count < pointer.input_count:
            export = self._replace(spec, sink, pointer, success_key, standing, days[0])
        else:
            export = standing.export
        if export is not None:
            self._clear_away(sink, folders, export)

    def _standing(self, success_key: str, pointer: Refreshed) -> _Standing | None:
        try:
            found = self.store.get(success_key)
        except NotFound:
            return None
        export = exported.decode(found.body, success_key)
        if export.stream != pointer.stream:
            raise Conflict(
                f"{success_key} is of the stream {export.stream!r}: give each stream's parquet sink a prefix of its own"
            )
        return _Standing(export, found.info.etag)

    def _replace(
        self,
        spec: StreamSpec,
        sink: ParquetSink,
        pointer: Refreshed,
        success_key: str,
        standing: _Standing | None,
        first_day: date,
    ) -> Export | None:
        """Write the export anew; returns the one that stands afterwards, which may be another writer's.

        None, and nothing is touched, when the bucket has been sealed again meanwhile (the pointer to that seal brings
        its export), or when retention has removed rows of it from the table: what was exported of them stays.
        """
        place = plan.place_of(pointer)
        table = self.lake.open(spec.stream, keys.RECORDS_TABLE)
        sealed = 0 if table is None else table.mark(place_mark(place)) or 0
        if table is None or sealed < plan.growth_of(pointer):
            raise Unavailable(f"{spec.stream}: bucket {keys.bucket_text(place.bucket_us)} is not seen to be sealed")
        cut = tables.expired_before(table)
        if sealed > plan.growth_of(pointer) or (cut is not None and first_day < cut):
            return None
        written = self._put_files(spec, sink, pointer, table)
        for _ in range(_ATTEMPTS):
            if standing is not None and standing.export.input_count >= pointer.input_count:
                return standing.export
            export = msgspec.structs.replace(written, revision=_next(standing))
            try:
                if standing is None:
                    self.store.put_if_absent(success_key, exported.encode(export), _JSON)
                else:
                    self.store.put(success_key, exported.encode(export), _JSON, if_match=standing.etag)
            except (AlreadyExists, NotFound, OutcomeUnknown):
                standing = self._standing(success_key, pointer)
                continue
            self.metrics.count("buckets_exported", stream=spec.stream)
            return export
        raise Unavailable(f"{success_key} is being replaced by others again and again")

    def _put_files(self, spec: StreamSpec, sink: ParquetSink, pointer: Refreshed, table: Table) -> Export:
        """Put the files of an export and say what it is, as if it were the first."""
        place = plan.place_of(pointer)
        # Rows that have come after the seal are here already; the next seal says the same of them again.
        repeated = exported.repeated(table.read([place], list(spec.identity)), spec)
        files: list[ExportedFile] = []
        batches: set[str] = set()
        times: list[datetime] = []
        parts = exported.parts_of(table.scan(place), repeated, spec, self.max_file_rows)
        for number, part in enumerate(parts):
            folder = keys.export_folder(sink.prefix, part.day, *place)
            key = keys.export_part_key(folder, pointer.input_count, number, part.sha256)
            put_once(self.store, key, part.body, part.sha256, _PARQUET)
            path = key.removeprefix(sink.prefix)
            files.append(ExportedFile(path, part.row_count, len(part.body), part.sha256))
            batches |= part.batches
            times += [part.min_event_time, part.max_event_time]
        return Export(
            stream=spec.stream,
            bucket=from_us(place.bucket_us),
            shard=place.shard,
            spec_version=pointer.spec_version,
            revision=0,
            table_version=table.version,
            row_count=sum(file.row_count for file in files),
            min_event_time=min(times, default=None),
            max_event_time=max(times, default=None),
            input_count=pointer.input_count,
            input_digest=pointer.input_digest,
            batches=tuple(sorted(batches)),
            files=tuple(files),
        )

    def _clear_away(self, sink: ParquetSink, folders: Sequence[str], export: Export) -> None:
        """Delete the files of earlier exports, and those that an attempt left behind that came to nothing."""
        named = {f"{sink.prefix}{file.path}" for file in export.files}
        for folder in folders:
            for info in self.store.list(folder):
                grown = keys.input_count_of_export_part(info.key)
                if grown is not None and grown <= export.input_count and info.key not in named:
                    self.store.delete(info.key)


def _next(standing: _Standing | None) -> int:
    return 0 if standing is None else standing.export.revision + 1
