"""The tables of a stream held against its figures, and against each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl
import pyarrow as pa

from windrow import keys
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.conservation import balance
from windrow.errors import NotFound
from windrow.lake.schema import BATCH, BUCKET, EVENT_DATE, ORDINAL, SHARD, late_schema
from windrow.lake.tables import Place, Table
from windrow.spec import StreamSpec
from windrow.units import DAY_US
from windrow_cli import tallies, verification
from windrow_cli.checking import Advance, Checked
from windrow_cli.connection import Deployment
from windrow_cli.time_travel import written
from windrow_cli.verification import Fault


@dataclass(frozen=True, slots=True)
class Compared:
    """A stream whose tables were held against its figures."""

    stream: str
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    """What was not compared, and why."""


class _Pinned:
    """A lake whose records are opened already: the figures are of the version whose files were read."""

    def __init__(self, records: Table) -> None:
        self._records = records

    def open(self, _stream: str, _table: str) -> Table | None:
        return self._records

    def open_or_create(self, *_: object, **__: object) -> Table:
        raise NotImplementedError


def compared(
    deployment: Deployment | None,
    stream: str,
    flow: str,
    handle: Table | None,
    checked: Mapping[str, Checked],
    advance: Advance,
) -> Compared:
    """Hold what was checked against the figures; `handle` is the records table, opened before anything was read."""
    records = checked.get(keys.RECORDS_TABLE)
    if deployment is None:
        return Compared(stream, (), ("rows were not held against the figures, as nothing is running",))
    if records is None or records.table is None or handle is None:
        return Compared(stream, (), ("rows were not held against the figures, without its records",))
    session = deployment.session()
    store = session.store()
    try:
        spec = SpecCatalog(store, SystemClock()).current(flow).spec
    except NotFound as error:
        return Compared(stream, (), (f"rows were not held against the figures: {error}",))
    label = str(records.name)
    depths = [session.queue(name).depth() for name in ("landed", "windows", "writes")]
    figures = balance(store, _Pinned(handle), flow)
    if any(each.faults for each in checked.values()):
        faults = verification.unbalanced(label, figures, figures.written)
        return Compared(stream, tuple(faults), ("rows were not counted, as not all files are whole",))
    faults = verification.unbalanced(label, figures, records.rows)
    is_still = not any(depth.waiting or depth.in_flight for depth in depths)
    is_quiet = is_still and not figures.in_flight and not figures.uncounted_objects
    notes = () if is_quiet else ("windows and the late ledger were not held against records, as some are on their way",)
    counted = _Counting(spec, checked, is_quiet=is_quiet, advance=advance)
    return Compared(stream, (*faults, *counted.records(), *counted.windows()), notes)


@dataclass(frozen=True, slots=True)
class _Counting:
    """Rows counted day by day: of a day, only keys, times and identities are held."""

    spec: StreamSpec
    checked: Mapping[str, Checked]
    is_quiet: bool
    advance: Advance

    def records(self) -> Iterator[Fault]:
        """Records of sealed buckets stand once, entries of the ledger have one, and windows have them all."""
        own = self.checked[keys.RECORDS_TABLE]
        copies, missing = 0, 0
        example = ""
        short: dict[str, list[str]] = {}
        for day in self._days(own):
            held = self._read(own, pl.col(EVENT_DATE) == day, tallies.columns(self.spec))
            late = self._late(day)
            again = tallies.copies(held, late, self.spec, own.marks)
            if again.height:
                copies += int(again["copies"].sum())
                example = example or written(int(again[BUCKET][0]))
            if self.is_quiet:
                missing += tallies.unrecorded(late, held, self.spec) or 0
                for table, buckets in self._short(day, held):
                    short.setdefault(table, []).extend(buckets)
            self.advance(str(own.name), 1, 0)
        if copies:
            yield verification.repeated(str(own.name), copies, example)
        if missing:
            yield verification.unrecorded(str(self.checked[keys.LATE_TABLE].name), missing)
        for table, buckets in short.items():
            name = str(self.checked[table].name)
            yield verification.unwindowed(name, len(buckets), buckets[0], own.name.stream)

    def _late(self, day: date) -> pl.DataFrame:
        wanted = list(dict.fromkeys((*self.spec.keys, self.spec.time.column, BATCH, ORDINAL, BUCKET, SHARD)))
        if keys.LATE_TABLE not in self.checked:
            return pl.DataFrame(schema=late_schema(self.spec))
        return self._read(self.checked[keys.LATE_TABLE], pl.col(EVENT_DATE) == day, wanted)

    def _short(self, day: date, held: pl.DataFrame) -> Iterator[tuple[str, list[str]]]:
        places = {Place(*row) for row in held.select(BUCKET, SHARD).unique().rows()}
        for name, window in self.spec.windows.items():
            own = self.checked.get(keys.windows_table(name))
            if own is None or not tallies.is_one_bucket(window, self.spec) or DAY_US % self.spec.bucket:
                continue
            counted = self._read(own, pl.col(EVENT_DATE) == day, [BUCKET, SHARD, "row_count"])
            known = places.intersection(tallies.placed(own.marks))
            found = tallies.unwindowed(counted, held, self.spec, known)
            if found.height:
                yield (
                    own.name.table,
                    [
                        f"{written(bucket)}: {counted_rows:,} of {records:,} records"
                        for bucket, counted_rows, records in found.select(BUCKET, "counted", "records").rows()
                    ],
                )

    def windows(self) -> Iterator[Fault]:
        """Every window counts the records between its bounds."""
        own = self.checked[keys.RECORDS_TABLE]
        for name, window in self.spec.windows.items():
            table = self.checked.get(keys.windows_table(name))
            if not self.is_quiet or table is None or not tallies.is_countable(window):
                continue
            wrong, example = 0, ""
            first = min(self._days(own), default=None) if self.spec.retention is not None else None
            for day in self._days(table):
                if first is not None and day < first:
                    continue  # its records are gone already, and it goes next
                columns = [*self.spec.keys, "window_start", "window_end", "row_count"]
                counted = self._read(table, pl.col(EVENT_DATE) == day, columns)
                time = pl.col(self.spec.time.column)
                within = (time >= counted["window_start"].min()) & (time <= counted["window_end"].max())
                held = self._read(own, within, tallies.columns(self.spec))
                found = tallies.miscounted(counted, held, self.spec, window)
                if found.height:
                    wrong += found.height
                    start, said, expected = found.select("window_start", "row_count", "expected").row(0)
                    example = example or f"at {start.isoformat()} {said:,} of {expected:,}"
                self.advance(str(table.name), 1, 0)
            if wrong:
                yield verification.miscounted(str(table.name), wrong, example, table.name.stream)

    def _days(self, own: Checked) -> list[date]:
        assert own.table is not None
        actions = pa.table(own.table.get_add_actions(flatten=True))
        if not actions.num_rows:
            return []
        found = sorted(set(actions.column(f"partition.{EVENT_DATE}").to_pylist()))
        self.advance(str(own.name), 0, len(found))
        return found

    def _read(self, own: Checked, wanted: pl.Expr, columns: list[str]) -> pl.DataFrame:
        assert own.table is not None
        return pl.scan_delta(own.table).filter(wanted).select(columns).collect()
