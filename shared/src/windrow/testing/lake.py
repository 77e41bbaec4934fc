"""Tables in memory that refuse, keep and give back what Delta tables do."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import polars as pl

from windrow.errors import OutcomeUnknown, SchemaConflict
from windrow.lake.marks import AddedFile
from windrow.lake.schema import BUCKET, EVENT_DATE, SHARD, TIMESTAMP
from windrow.lake.tables import TARGET_FILE_BYTES, DataFile, Place, Rows
from windrow.lake.widening import to_widen, widened


class _File(NamedTuple):
    """The rows of one day that one commit added. Nothing of it changes any more."""

    path: str
    day: date
    rows: pl.DataFrame


class _Version(NamedTuple):
    """A table as it was after one commit."""

    number: int
    schema: pl.Schema
    files: tuple[_File, ...]
    marks: Mapping[str, int]


@dataclass
class _Log:
    """The versions of one table; only the newest can be opened."""

    name: str
    newest: _Version
    lock: threading.Lock = field(default_factory=threading.Lock)

    def commit(self, after: _Version, new: _Version) -> None:
        """Make `new` the version that follows `after`, unless somebody else has: any commit in between refuses it."""
        with self.lock:
            if self.newest.number != after.number:
                raise OutcomeUnknown(f"commit to {self.name}: version {after.number + 1} is taken")
            self.newest = new


class MemoryLake:
    """Every table of a deployment, in memory."""

    def __init__(self) -> None:
        self._logs: dict[tuple[str, str], _Log] = {}
        self._lock = threading.Lock()

    def open(self, stream: str, table: str) -> "MemoryTable | None":
        log = self._logs.get((stream, table))
        return None if log is None else MemoryTable(log)

    def open_or_create(
        self,
        stream: str,
        table: str,
        schema: pl.Schema,
        target_file_bytes: int = TARGET_FILE_BYTES,
    ) -> "MemoryTable":
        with self._lock:
            empty = _Log(f"{stream}/{table}", _Version(0, schema, (), {}))
            return MemoryTable(self._logs.setdefault((stream, table), empty), target_file_bytes)


class MemoryTable:
    """A handle at the version that was newest when it was opened."""

    def __init__(self, log: _Log, target_file_bytes: int = TARGET_FILE_BYTES) -> None:
        self._log = log
        self._target_file_bytes = target_file_bytes
        self._at = log.newest
        self._carried: dict[str, int] = {}
        self._added: tuple[_File, ...] = ()

    @property
    def version(self) -> int:
        return self._at.number

    @property
    def target_file_bytes(self) -> int:
        return self._target_file_bytes

    @property
    def schema(self) -> pl.Schema:
        return self._at.schema

    def mark(self, name: str) -> int | None:
        return self._at.marks.get(name)

    def row_count(self) -> int:
        return sum(file.rows.height for file in self._at.files)

    def files(self) -> Sequence[DataFile]:
        return [_told(file) for file in self._at.files]

    def carry(self, marks: Mapping[str, int]) -> None:
        self._carried.update(marks)

    def committed_files(self) -> Sequence[AddedFile]:
        return tuple(AddedFile(*_told(file)[:4]) for file in self._added)

    # ------------------------------------------------------------------------------------------ reading

    def rows(self) -> pl.DataFrame:
        """Everything in the table."""
        return pl.concat([self._at.schema.to_frame(), *(file.rows for file in self._at.files)], how="diagonal")

    def read(self, places: Sequence[Place], columns: Sequence[str] | None = None) -> pl.DataFrame:
        found = self.rows().filter(_within(places))
        return found if columns is None else found.select(columns)

    def read_windows(self, shard: int, from_us: int, to_us: int) -> pl.DataFrame:
        first, last = (pl.lit(at_us).cast(TIMESTAMP) for at_us in (from_us, to_us))
        return self.rows().filter(
            (pl.col(SHARD) == shard) & (pl.col("window_start") <= last) & (pl.col("window_end") >= first)
        )

    def scan(self, place: Place) -> Iterator[pl.DataFrame]:
        yield self.read([place])

    # ------------------------------------------------------------------------------------------ committing

    def append(self, rows: pl.DataFrame, marks: Mapping[str, int]) -> None:
        if rows.is_empty():
            self._commit(self._at.files, marks)
            return
        self._commit(self._at.files, marks, self._fitted(rows))

    def replace(self, places: Sequence[Place], rows: Rows, marks: Mapping[str, int]) -> None:
        if not isinstance(rows, pl.DataFrame):
            rows = pl.concat(rows)
        rows = self._fitted(rows)
        if not places:
            raise OutcomeUnknown(f"commit to {self._log.name}: nothing is named that rows could take the place of")
        self._commit(self._without(lambda file: file.rows.filter(~_within(places))), marks, rows)

    def remove_before(self, day: date, marks: Mapping[str, int]) -> None:
        self._commit((file for file in self._at.files if file.day >= day), marks)

    def compact(self, day: date, target_file_bytes: int) -> int:  # noqa: ARG002  one file holds whatever there is
        small = [file.rows for file in self._at.files if file.day == day]
        if len(small) < 2:
            return 0
        others = (file for file in self._at.files if file.day != day)
        self._commit(others, {}, pl.concat(small, how="diagonal"))
        return len(small) - 1

    def widen(self, columns: Mapping[str, pl.DataType], marks: Mapping[str, int]) -> None:
        wider = to_widen(self.schema, columns)
        try:
            files = [
                file._replace(rows=file.rows.cast({name: wider[name] for name in wider if name in file.rows.columns}))
                for file in self._at.files
            ]
        except pl.exceptions.PolarsError as error:
            raise SchemaConflict(f"widen {self._log.name}: {error}") from error
        self._commit(files, marks, schema=pl.Schema({**self.schema, **wider}))

    def vacuum(self, marks: Mapping[str, int]) -> int:
        self._commit(self._at.files, marks)
        return 0

    def _without(self, left_of: Callable[[_File], pl.DataFrame]) -> Iterator[_File]:
        for file in self._at.files:
            left = left_of(file)
            if left.height == file.rows.height:
                yield file
            elif left.height:
                yield file._replace(path=f"{file.path}.{self._at.number + 1}", rows=left)

    def _commit(
        self,
        kept: Iterable[_File],
        marks: Mapping[str, int],
        added: pl.DataFrame | None = None,
        schema: pl.Schema | None = None,
    ) -> None:
        number = self._at.number + 1
        schema = self._at.schema if schema is None else schema
        files: tuple[_File, ...] = ()
        if added is not None:
            schema = pl.Schema({**schema, **added.schema})
            files = _files_of(added, number)
        new = _Version(number, schema, (*kept, *files), {**self._at.marks, **self._carried, **marks})
        self._log.commit(self._at, new)
        self._added = files

    def _fitted(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows as wide as the table."""
        rows = widened(rows, self.schema, self._log.name)
        for name, kind in rows.schema.items():
            if name in self.schema and self.schema[name] != kind:
                raise SchemaConflict(
                    f"{self._log.name}: column {name!r} is {self.schema[name]} in the table and {kind} in the spec; "
                    "a column cannot change its type, give the new one another name"
                )
        return rows


def _files_of(rows: pl.DataFrame, version: int) -> tuple[_File, ...]:
    return tuple(
        _File(f"{EVENT_DATE}={day}/part-{version:05d}.parquet", day, rows.filter(pl.col(EVENT_DATE) == day))
        for day in sorted(rows[EVENT_DATE].unique().to_list())
    )


def _told(file: _File) -> DataFile:
    first, last = file.rows.select(pl.col(BUCKET).min().alias("first"), pl.col(BUCKET).max().alias("last")).row(0)
    return DataFile(file.path, int(file.rows.estimated_size()), file.rows.height, file.day, first, last)


def _within(places: Sequence[Place]) -> pl.Expr:
    return pl.any_horizontal(
        *((pl.col(BUCKET) == place.bucket_us) & (pl.col(SHARD) == place.shard) for place in places),
        pl.lit(value=False),
    )
