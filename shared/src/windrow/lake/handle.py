"""One Delta table at one version, through `deltalake`: read it, then commit through the same handle.

What is known of the library, and relied on here: a commit through a handle is refused when the table has moved on in
a way that matters; application transactions are recorded but not enforced; any commit error may follow a commit that
landed. Writing by path would open a fresh snapshot and defeat all of it, so it is not done anywhere.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
from deltalake import ColumnProperties, CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction

from windrow import keys
from windrow.clock import SystemClock
from windrow.errors import OutcomeUnknown, SchemaConflict, Unavailable, first_line
from windrow.lake.bounds import bounded_name
from windrow.lake.encoding import ROW_GROUP_ROWS, distinct_columns, plain
from windrow.lake.marks import AddedFile, Marks, read_commit, read_marks
from windrow.lake.rewriting import rewritten
from windrow.lake.schema import BUCKET, EVENT_DATE, SHARD, TIMESTAMP
from windrow.lake.storage import Storage
from windrow.lake.tables import DataFile, Place, Rows
from windrow.lake.widening import to_widen, widened

if TYPE_CHECKING:
    from windrow.lake.building import Built

BOUNDED_COLUMNS = "delta.dataSkippingStatsColumns"


class DeltaHandle:
    """One open Delta table. `known` holds the marks of tables as they were last read, by URI."""

    def __init__(
        self,
        delta: DeltaTable,
        options: Mapping[str, str],
        storage: Storage,
        known: dict[str, Marks],
        scratch: Path | None,
        target_file_bytes: int,
    ) -> None:
        self._delta = delta
        self._options = options
        self._storage = storage
        self._scratch = scratch
        self._target_file_bytes = target_file_bytes
        self._opened_at = delta.version()
        self._known = known
        self._carried: dict[str, int] = {}
        self._marks_read = False
        self._marks: Marks | None = None
        self._committed: Sequence[AddedFile] | None = None

    @property
    def version(self) -> int:
        return self._opened_at

    @property
    def target_file_bytes(self) -> int:
        return self._target_file_bytes

    def mark(self, name: str) -> int | None:
        if not self._marks_read:
            self._marks = self._read_marks()
            self._marks_read = True
        return self._delta.transaction_version(name) if self._marks is None else self._marks.get(name)

    def _read_marks(self) -> Marks | None:
        uri = self._delta.table_uri
        known = self._known.get(uri)
        try:
            found = read_marks(self._storage, self._opened_at, known)
        except (Unavailable, msgspec.MsgspecError, pl.exceptions.PolarsError) as error:
            raise Unavailable(f"{uri}: {first_line(error)}") from error
        if found is not None and (known is None or known.version < found.version):
            self._known[uri] = found
        return found

    def carry(self, marks: Mapping[str, int]) -> None:
        self._carried.update(marks)

    def committed_files(self) -> Sequence[AddedFile]:
        if self._committed is not None:
            return self._committed
        version = self._delta.version()
        if version == self._opened_at:
            return ()
        try:
            commit = read_commit(self._storage, version)
        except Unavailable:
            return ()
        if commit is not None and self._marks is not None and version == self._opened_at + 1:
            # Most often the next handle is of this version.
            self._known[self._delta.table_uri] = self._marks.after(version, commit.marks)
        return () if commit is None else commit.added

    def files(self) -> Sequence[DataFile]:
        actions = pl.DataFrame(self._delta.get_add_actions(flatten=True))
        if actions.is_empty():
            return ()
        return [
            DataFile(*row)
            for row in actions.select(
                "path", "size_bytes", "num_records", f"partition.{EVENT_DATE}", f"min.{BUCKET}", f"max.{BUCKET}"
            ).iter_rows()
        ]

    @property
    def schema(self) -> pl.Schema:
        return pl.Schema(self._delta.schema().to_arrow())

    def row_count(self) -> int:
        actions = pl.DataFrame(self._delta.get_add_actions(flatten=True))
        return int(actions["num_records"].sum()) if actions.height else 0

    def read(self, places: Sequence[Place], columns: Sequence[str] | None = None) -> pl.DataFrame:
        return self._read(_in(places), columns)

    def read_windows(self, shard: int, from_us: int, to_us: int) -> pl.DataFrame:
        first, last = (pl.lit(at_us).cast(TIMESTAMP) for at_us in (from_us, to_us))
        return self._read((pl.col(SHARD) == shard) & (pl.col("window_start") <= last) & (pl.col("window_end") >= first))

    def _read(self, wanted: pl.Expr, columns: Sequence[str] | None = None) -> pl.DataFrame:
        try:
            found = pl.scan_delta(self._delta).filter(wanted)
            return (found if columns is None else found.select(columns)).collect()
        except (DeltaError, OSError, pl.exceptions.ComputeError) as error:
            raise Unavailable(f"read {self._delta.table_uri}: {first_line(error)}") from error

    def scan(self, place: Place) -> Iterator[pl.DataFrame]:
        schema = self.schema
        for file in self.files():
            if file.reaches(place):
                yield from self._rows_of(file, _in([place]), schema)

    def _rows_of(self, file: DataFile, wanted: pl.Expr, schema: pl.Schema) -> Iterator[pl.DataFrame]:
        """Rows of one file, stretch by stretch: a stream of rows reads ahead as far as memory goes if taken slowly."""
        lazy = self._lazily(file, schema)
        with self._unavailable("read"):
            for start in range(0, file.row_count, ROW_GROUP_ROWS):
                rows = lazy.slice(start, ROW_GROUP_ROWS).filter(wanted).collect()
                if rows.height:
                    yield rows.select(
                        pl.lit(file.event_date).alias(name) if name == EVENT_DATE else pl.col(name) for name in schema
                    )

    def _lazily(self, file: DataFile, schema: pl.Schema) -> pl.LazyFrame:
        return pl.scan_parquet(
            f"{self._delta.table_uri.rstrip('/')}/{file.path}",
            schema={name: kind for name, kind in schema.items() if name != EVENT_DATE},
            missing_columns="insert",
            hive_partitioning=False,
            storage_options=dict(self._options),
        )

    def append(self, rows: pl.DataFrame, marks: Mapping[str, int]) -> None:
        if rows.is_empty():
            self._commit_marks(marks)
            return
        rows = self._fitted(rows)
        if not set(rows.columns) <= set(self.schema):
            self._write(rows, marks, None)  # the library adds columns in the same commit
        else:
            self._exchange([rows], [], marks)

    def replace(self, places: Sequence[Place], rows: Rows, marks: Mapping[str, int]) -> None:
        if isinstance(rows, pl.DataFrame):
            self._write(self._fitted(rows), marks, _predicate(places))
            return
        schema = self.schema
        alone, shared = self._concerned(places, schema)
        others = (self._rows_of(file, ~_in(places), schema) for file in shared)
        self._exchange(chain(map(self._fitted, rows), *others), [*alone, *shared], marks)

    def _exchange(self, batches: Iterable[pl.DataFrame], old: Sequence[DataFile], marks: Mapping[str, int]) -> None:
        """Commit files with these rows, which have no other columns than the table, in place of old files."""
        # Not at the top: only the writer adds rows, and not every image that reads tables has pyarrow.
        from windrow.lake.building import built  # noqa: PLC0415

        now_ms = SystemClock().now_us() // 1000  # as the library does
        columns = self._bounded_columns()
        with self._unknown("commit to"), TemporaryDirectory(prefix="windrow-files-", dir=self._scratch) as folder:
            files = built(batches, columns, Path(folder), self._target_file_bytes, ROW_GROUP_ROWS)
            added = [self._put(file, now_ms) for file in files]
            removed = [
                RemoveAction(
                    file.path,
                    data_change=True,
                    deletion_timestamp=now_ms,
                    size=file.size_bytes,
                    partition_values={EVENT_DATE: file.event_date.isoformat()},
                )
                for file in old
            ]
            figures = {
                "num_added_rows": sum(file.row_count for _, file in added),
                "num_added_files": len(added),
                "num_removed_files": len(removed),
            }
            self._delta.create_write_transaction(
                actions=[*(action for action, _ in added), *removed],
                mode="append",
                schema=self._delta.schema(),
                partition_by=[EVENT_DATE],
                commit_properties=self._properties(marks, figures),
            )
        self._committed = [file for _, file in added]
        if self._marks is not None:  # most often the next handle is of this version
            set_now = {**self._carried, **marks}
            self._known[self._delta.table_uri] = self._marks.after(self._opened_at + 1, set_now)

    def _concerned(self, places: Sequence[Place], schema: pl.Schema) -> tuple[list[DataFile], list[DataFile]]:
        """The files that hold rows of these places alone, and those that hold others as well."""
        alone: list[DataFile] = []
        shared: list[DataFile] = []
        for file in self.files():
            if any(map(file.reaches, places)):
                with self._unavailable("read"):
                    count = self._lazily(file, schema).select(_in(places).sum()).collect().item()
                if count:
                    (alone if count == file.row_count else shared).append(file)
        return alone, shared

    def _put(self, file: "Built", now_ms: int) -> tuple[AddAction, AddedFile]:
        """Put a file where the table's files are, under a name that says what it holds and after which version."""
        with file.path.open("rb") as body:
            content = hashlib.file_digest(body, "sha256").hexdigest()
        day, size_bytes = file.day.isoformat(), file.path.stat().st_size
        name = f"{EVENT_DATE}={day}/{keys.digest(content, str(self._opened_at))}.parquet"
        self._storage.add(name, file.path)
        file.path.unlink()
        action = AddAction(
            name, size_bytes, {EVENT_DATE: day}, now_ms, data_change=True, stats=file.bounds.statistics()
        )
        return action, AddedFile(name, size_bytes, file.bounds.row_count, file.day)

    def _bounded_columns(self) -> list[str]:
        return (self._delta.metadata().configuration.get(BOUNDED_COLUMNS) or "").split(",")

    def remove_before(self, day: date, marks: Mapping[str, int]) -> None:
        with self._unknown("commit to"):
            self._delta.delete(f"{EVENT_DATE} < DATE '{day.isoformat()}'", commit_properties=self._properties(marks))

    def compact(self, day: date, target_file_bytes: int) -> int:
        first = next((file for file in self.files() if file.event_date == day), None)
        sample = None if first is None else next(self._rows_of(first, pl.lit(value=True), self.schema), None)
        with self._unknown("compact"):
            done = self._delta.optimize.compact(
                partition_filters=[(EVENT_DATE, "=", day.isoformat())],
                target_size=target_file_bytes,
                max_concurrent_tasks=1,
                writer_properties=_writer([] if sample is None else distinct_columns(sample)),
                commit_properties=self._properties({}),
            )
        return int(done["numFilesRemoved"]) - int(done["numFilesAdded"])

    def vacuum(self, marks: Mapping[str, int]) -> int:
        with self._unknown("vacuum"):
            # Not only what was removed: what a commit wrote that never landed, too.
            removed = self._delta.vacuum(dry_run=False, full=True, commit_properties=self._properties(marks))
            if not removed:  # then it makes no commit
                self._commit_marks(marks)
        return len(removed)

    def widen(self, columns: Mapping[str, pl.DataType], marks: Mapping[str, int]) -> None:
        unbounded = {name for name, kind in columns.items() if bounded_name((name, kind)) is None}
        with self._unknown("widen"):
            self._forget_bounds(unbounded)
            columns = to_widen(self.schema, columns)  # never narrower, whatever was asked for
            try:
                # By file names alone: what they hold is written, and then takes the place of all there was.
                self._delta.create_write_transaction(
                    actions=list(rewritten(self._delta, columns, unbounded, self._options)),
                    mode="overwrite",
                    schema=pl.Schema({**self.schema, **columns}),
                    partition_by=[EVENT_DATE],
                    commit_properties=self._properties(marks),
                )
            except pl.exceptions.PolarsError as error:
                raise SchemaConflict(f"widen {self._delta.table_uri}: {first_line(error)}") from error

    def _forget_bounds(self, columns: Collection[str]) -> None:
        """Keep no bounds in the log of columns that will be decimals too long for it; a commit of its own, and first.

        Readers then skip fewer files, and never one that holds what they look for.
        """
        kept = self._bounded_columns()
        left = [name for name in kept if name not in columns]
        if left != kept:
            self._delta.alter.set_table_properties(
                {BOUNDED_COLUMNS: ",".join(left)}, commit_properties=self._properties({})
            )

    def _write(self, rows: pl.DataFrame, marks: Mapping[str, int], predicate: str | None) -> None:
        mode: Mapping[str, Any] = (
            {"mode": "append"} if predicate is None else {"mode": "overwrite", "predicate": predicate}
        )
        with self._unknown("commit to"):
            write_deltalake(
                self._delta,
                plain(rows),
                **mode,
                schema_mode="merge",
                commit_properties=self._properties(marks),
                target_file_size=self._target_file_bytes,
                writer_properties=_writer(distinct_columns(rows)),
            )

    def _commit_marks(self, marks: Mapping[str, int]) -> None:
        with self._unknown("commit to"):
            self._delta.create_write_transaction(
                actions=[],
                mode="append",
                schema=self._delta.schema(),
                partition_by=[EVENT_DATE],
                commit_properties=self._properties(marks),
            )

    @contextmanager
    def _unavailable(self, what: str) -> Iterator[None]:
        try:
            yield
        except (DeltaError, OSError, pl.exceptions.PolarsError) as error:
            raise Unavailable(f"{what} {self._delta.table_uri}: {first_line(error)}") from error

    @contextmanager
    def _unknown(self, what: str) -> Iterator[None]:
        """Whatever goes wrong in a commit may have come after it."""
        if self._delta.version() != self._opened_at:
            raise OutcomeUnknown(f"{what} {self._delta.table_uri}: the handle is spent, or the table was opened again")
        try:
            yield
        except (DeltaError, OSError) as error:
            raise OutcomeUnknown(f"{what} {self._delta.table_uri}: {first_line(error)}") from error

    def _properties(self, marks: Mapping[str, int], figures: Mapping[str, int] | None = None) -> CommitProperties:
        """Marks and, for people who look at a table's history, what the library says there of its own commits."""
        together = sorted({**self._carried, **marks}.items())
        transactions = [Transaction(app_id=name, version=value) for name, value in together]
        # No silent retries inside the library: a commit that lost a race must be decided anew under a fresh handle.
        return CommitProperties(
            custom_metadata=None if figures is None else {"operationMetrics": dict(figures)},
            app_transactions=transactions,
            max_commit_retries=0,
        )

    def _fitted(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows as wide as the table, with all of its columns.

        Types are compared here: the library would store 1.5 as 1 without a word. Of a column that a file lacks, the log
        says nothing, and then deltalake's dataset takes `is null` to be true of no row.
        """
        present = self.schema
        rows = widened(rows, present, self._delta.table_uri)
        for name, kind in rows.schema.items():
            if name in present and present[name] != kind:
                raise SchemaConflict(
                    f"{self._delta.table_uri}: column {name!r} is {present[name]} in the table and {kind} in the spec; "
                    "a column cannot change its type, give the new one another name"
                )
        return rows.with_columns(pl.lit(None, kind).alias(name) for name, kind in present.items() if name not in rows)


def _writer(distinct: Collection[str]) -> WriterProperties:
    return WriterProperties(
        compression="ZSTD",
        compression_level=3,
        max_row_group_size=ROW_GROUP_ROWS,
        column_properties={name: ColumnProperties(dictionary_enabled=False) for name in distinct},
    )


def _predicate(places: Sequence[Place]) -> str:
    """Rows of these places, in SQL: whole numbers of our own only. Nothing a user wrote ever stands in a predicate."""
    return " or ".join(f"({BUCKET} = {int(place.bucket_us)} and {SHARD} = {int(place.shard)})" for place in places)


def _in(places: Sequence[Place]) -> pl.Expr:
    return pl.any_horizontal(
        *((pl.col(BUCKET) == place.bucket_us) & (pl.col(SHARD) == place.shard) for place in places),
        pl.lit(value=False),
    )
