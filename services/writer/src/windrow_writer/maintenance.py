"""What tables need from time to time: old days removed, small files of past days merged, dead files deleted.

One job at a time, each a commit of its own under the table's lease. It runs between groups of messages, in the only
process that commits to the table, so that it meets no live commit; if it does all the same, one of them is refused.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from windrow import keys
from windrow.catalog import SpecCatalog
from windrow.clock import Clock
from windrow.errors import NotFound, WindrowError
from windrow.lake import tables
from windrow.lake.tables import DataFile, Lake, Table
from windrow.log import Log
from windrow.metrics import Metrics
from windrow.spec import StreamSpec
from windrow.units import DAY_US, utc_date
from windrow_writer.committing import Committer, Step
from windrow_writer.leases import Elsewhere

_FEW_FILES = 4
_VACUUM_EVERY_US = DAY_US


@dataclass(frozen=True, slots=True)
class Expire:
    """Remove the days before this one: the spec keeps nothing so old."""

    before: date


@dataclass(frozen=True, slots=True)
class Compact:
    """Merge the small files of a day."""

    day: date


@dataclass(frozen=True, slots=True)
class Vacuum:
    """Delete the files that no version of the last week has."""


Job = Expire | Compact | Vacuum


def due(
    files: Sequence[DataFile], vacuumed_us: int | None, spec: StreamSpec, target_file_bytes: int, now_us: int
) -> Job | None:
    """What a table needs most, given its files and when it was last vacuumed.

    A day is compacted a day after its last bucket could seal: by then what still comes is rare, and rewriting a large
    file for it is too.
    """
    if spec.retention is not None:
        before = utc_date(now_us - spec.retention)
        if any(file.event_date < before for file in files):
            return Expire(before)
    settled = utc_date(now_us - spec.bucket - spec.lateness - DAY_US)
    small: dict[date, int] = defaultdict(int)
    for file in files:
        if file.event_date < settled and file.size_bytes < target_file_bytes // 2:
            small[file.event_date] += 1
    scattered = [day for day, count in small.items() if count > _FEW_FILES]
    if scattered:
        return Compact(min(scattered))
    if vacuumed_us is None or now_us - vacuumed_us >= _VACUUM_EVERY_US:
        return Vacuum()
    return None


@dataclass(frozen=True)
class Maintainer:
    """Looks after the tables that this writer holds."""

    lake: Lake
    catalog: SpecCatalog
    committer: Committer
    clock: Clock
    metrics: Metrics
    log: Log

    def run(self) -> None:
        """Do what is due, one job a table. A table that cannot be kept costs only itself."""
        for stream in self.catalog.flows():
            spec = self.catalog.current(stream).spec
            windows = [keys.windows_table(name) for name in spec.windows]
            for table in (keys.RECORDS_TABLE, keys.LATE_TABLE, *windows):
                try:
                    self._keep(stream, table, spec)
                except (Elsewhere, NotFound):
                    continue  # another writer looks after it, or there is no such table yet
                except WindrowError as error:
                    self.log.warning("table_not_kept", stream=stream, table=table, error=str(error))

    def _keep(self, stream: str, table: str, spec: StreamSpec) -> None:
        if self._due(self._open(stream, table), spec) is not None:
            self.committer.commit(
                stream, table, lambda: self._open(stream, table), self._step(stream, table, spec), "compaction"
            )

    def _open(self, stream: str, table: str) -> Table:
        found = self.lake.open(stream, table)
        if found is None:
            raise NotFound(f"there is no table {stream}/{table} yet")
        return found

    def _due(self, handle: Table, spec: StreamSpec) -> Job | None:
        vacuumed_us = handle.mark(tables.VACUUMED_US)
        return due(handle.files(), vacuumed_us, spec, spec.target_file_bytes, self.clock.now_us())

    def _step(self, stream: str, table: str, spec: StreamSpec) -> Callable[[Table], Step]:
        def step(handle: Table) -> Step:
            match self._due(handle, spec):
                case Expire(before=before):
                    self._expire(stream, table, handle, before)
                case Compact(day=day):
                    fewer = handle.compact(day, spec.target_file_bytes)
                    self.metrics.count("files_compacted", fewer, stream=stream, table=table)
                    self.log.info("day_compacted", stream=stream, table=table, day=day.isoformat(), fewer_files=fewer)
                case Vacuum():
                    deleted = handle.vacuum({tables.VACUUMED_US: self.clock.now_us()})
                    self.metrics.count("files_vacuumed", deleted, stream=stream, table=table)
                    self.log.info("table_vacuumed", stream=stream, table=table, files=deleted)
                case None:
                    return "nothing"
            return "all"

        return step

    def _expire(self, stream: str, table: str, handle: Table, before: date) -> None:
        old = [file for file in handle.files() if file.event_date < before]
        rows = sum(file.row_count for file in old)
        expired = (handle.mark(tables.EXPIRED) or 0) + rows
        handle.remove_before(before, {tables.EXPIRED: expired, tables.EXPIRED_BEFORE: tables.day_number(before)})
        self.metrics.count("rows_expired", rows, stream=stream, table=table)
        self.log.info(
            "days_expired",
            stream=stream,
            table=table,
            before=before.isoformat(),
            rows=rows,
            files=len(old),
            size_bytes=sum(file.size_bytes for file in old),
        )
