"""Tables in memory that refuse, keep and give back what Delta tables do."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from windrow.errors import OutcomeUnknown, SchemaConflict
from windrow.lake.schema import BUCKET, SHARD, TIMESTAMP
from windrow.lake.tables import Place


class _Version(NamedTuple):
    """A table as it was after one commit. Nothing of it changes any more."""

    number: int
    schema: pl.Schema
    files: tuple[pl.DataFrame, ...]
    marks: Mapping[str, int]


@dataclass
class _Log:
    """The versions of one table; only the newest can be opened."""

    name: str
    newest: _Version
    lock: threading.Lock = field(default_factory=threading.Lock)

    def commit(self, after: _Version, change: Callable[[_Version], _Version]) -> None:
        """Make the version that follows `after`, unless somebody else has: any commit in between refuses this one."""
        with self.lock:
            if self.newest.number != after.number:
                raise OutcomeUnknown(f"commit to {self.name}: version {after.number + 1} is taken")
            self.newest = change(after)


class MemoryLake:
    """Every table of a deployment, in memory."""

    def __init__(self) -> None:
        self._logs: dict[tuple[str, str], _Log] = {}
        self._lock = threading.Lock()

    def open(self, stream: str, table: str) -> "MemoryTable | None":
        log = self._logs.get((stream, table))
        return None if log is None else MemoryTable(log)

    def open_or_create(self, stream: str, table: str, schema: pl.Schema) -> "MemoryTable":
        with self._lock:
            empty = _Log(f"{stream}/{table}", _Version(0, schema, (), {}))
            return MemoryTable(self._logs.setdefault((stream, table), empty))

    def tables(self) -> list[tuple[str, str]]:
        """The stream and name of every table there is."""
        return sorted(self._logs)


class MemoryTable:
    """A handle at the version that was newest when it was opened."""

    def __init__(self, log: _Log) -> None:
        self._log = log
        self._at = log.newest

    @property
    def version(self) -> int:
        return self._at.number

    @property
    def marks(self) -> Mapping[str, int]:
        """Every mark there is."""
        return self._at.marks

    def mark(self, name: str) -> int | None:
        return self._at.marks.get(name)

    def row_count(self) -> int:
        return sum(rows.height for rows in self._at.files)

    def rows(self) -> pl.DataFrame:
        """Everything in the table."""
        return pl.concat([self._at.schema.to_frame(), *self._at.files], how="diagonal")

    def read(self, places: Sequence[Place]) -> pl.DataFrame:
        return self.rows().filter(_within(places))

    def read_windows(self, shard: int, from_us: int, to_us: int) -> pl.DataFrame:
        first, last = (pl.lit(at_us).cast(TIMESTAMP) for at_us in (from_us, to_us))
        return self.rows().filter(
            (pl.col(SHARD) == shard) & (pl.col("window_start") <= last) & (pl.col("window_end") >= first)
        )

    def append(self, rows: pl.DataFrame, marks: Mapping[str, int]) -> None:
        if not rows.is_empty():
            self._check_schema(rows.schema)

        def change(before: _Version) -> _Version:
            if rows.is_empty():
                return before._replace(number=before.number + 1, marks={**before.marks, **marks})
            return self._next(before, (*before.files, rows), rows.schema, marks)

        self._log.commit(self._at, change)

    def replace(self, places: Sequence[Place], rows: pl.DataFrame, marks: Mapping[str, int]) -> None:
        self._check_schema(rows.schema)
        if not places:
            raise OutcomeUnknown(f"commit to {self._log.name}: nothing is named that rows could take the place of")

        def change(before: _Version) -> _Version:
            left = [kept for kept in (file.filter(~_within(places)) for file in before.files) if kept.height]
            return self._next(before, (*left, *([rows] if rows.height else [])), rows.schema, marks)

        self._log.commit(self._at, change)

    def _next(
        self, before: _Version, files: tuple[pl.DataFrame, ...], schema: pl.Schema, marks: Mapping[str, int]
    ) -> _Version:
        return _Version(before.number + 1, pl.Schema({**before.schema, **schema}), files, {**before.marks, **marks})

    def _check_schema(self, schema: pl.Schema) -> None:
        for name, kind in schema.items():
            if name in self._at.schema and self._at.schema[name] != kind:
                raise SchemaConflict(
                    f"{self._log.name}: column {name!r} is {self._at.schema[name]} in the table and {kind} in the "
                    "spec; a column cannot change its type, give the new one another name"
                )


def _within(places: Sequence[Place]) -> pl.Expr:
    return pl.any_horizontal(
        *((pl.col(BUCKET) == place.bucket_us) & (pl.col(SHARD) == place.shard) for place in places),
        pl.lit(value=False),
    )
