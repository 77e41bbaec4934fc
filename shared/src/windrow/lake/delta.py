"""Tables as Delta Lake on S3 or a local folder, through `deltalake`.

What is known of the library, and relied on here: a commit through a handle is refused when the table has moved on in
a way that matters; application transactions are recorded but not enforced; any commit error may follow a commit that
landed. Writing by path would open a fresh snapshot and defeat all of it, so it is not done anywhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from arro3.core import DataType, Field, Table
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from windrow import keys
from windrow.errors import OutcomeUnknown, SchemaConflict, Unavailable
from windrow.lake.rewriting import rewritten
from windrow.lake.schema import BUCKET, EVENT_DATE, SHARD, TIMESTAMP
from windrow.lake.tables import Place
from windrow.lake.tables import Table as OpenTable
from windrow.lake.widening import widened

_CONFIGURATION: Mapping[str, str | None] = {"delta.dataSkippingNumIndexedCols": "-1"}
_WRITER = WriterProperties(compression="ZSTD", compression_level=3)


class DeltaLake:
    """Every table of a deployment, below one URI."""

    def __init__(self, uri: str, options: Mapping[str, str]) -> None:
        self._uri = uri.rstrip("/")
        self._options = dict(options)

    def table_uri(self, stream: str, table: str) -> str:
        """Where a table lies, for people and readers."""
        return f"{self._uri}/{keys.lake_prefix(stream, table).rstrip('/')}"

    def delta(self, stream: str, table: str) -> DeltaTable | None:
        """The library's own handle, for readers."""
        try:
            return DeltaTable(self.table_uri(stream, table), storage_options=self._options)
        except TableNotFoundError:
            return None
        except (DeltaError, OSError) as error:
            raise Unavailable(f"open {stream}/{table}: {_first_line(error)}") from error

    def open(self, stream: str, table: str) -> OpenTable | None:
        found = self.delta(stream, table)
        return None if found is None else DeltaHandle(found, self._options)

    def open_or_create(self, stream: str, table: str, schema: pl.Schema) -> OpenTable:
        found = self.delta(stream, table)
        if found is None:
            try:
                found = DeltaTable.create(
                    self.table_uri(stream, table),
                    schema=schema,
                    mode="ignore",
                    partition_by=[EVENT_DATE],
                    configuration=_CONFIGURATION,
                    storage_options=self._options,
                )
            except (DeltaError, OSError) as error:
                raise OutcomeUnknown(f"create {stream}/{table}: {_first_line(error)}") from error
        return DeltaHandle(found, self._options)


class DeltaHandle:
    """One open Delta table."""

    def __init__(self, delta: DeltaTable, options: Mapping[str, str]) -> None:
        self._delta = delta
        self._options = options
        self._marks: dict[str, int | None] = {}

    @property
    def version(self) -> int:
        return self._delta.version()

    def mark(self, name: str) -> int | None:
        # The library reads the log for every answer; at one version it is always the same.
        if name not in self._marks:
            self._marks[name] = self._delta.transaction_version(name)
        return self._marks[name]

    @property
    def schema(self) -> pl.Schema:
        return pl.Schema(self._delta.schema().to_arrow())

    def row_count(self) -> int:
        actions = pl.DataFrame(self._delta.get_add_actions(flatten=True))
        return int(actions["num_records"].sum()) if actions.height else 0

    def read(self, places: Sequence[Place]) -> pl.DataFrame:
        wanted = pl.any_horizontal(
            *((pl.col(BUCKET) == place.bucket_us) & (pl.col(SHARD) == place.shard) for place in places),
            pl.lit(value=False),
        )
        return self._read(wanted)

    def read_windows(self, shard: int, from_us: int, to_us: int) -> pl.DataFrame:
        first, last = (pl.lit(at_us).cast(TIMESTAMP) for at_us in (from_us, to_us))
        return self._read((pl.col(SHARD) == shard) & (pl.col("window_start") <= last) & (pl.col("window_end") >= first))

    def _read(self, wanted: pl.Expr) -> pl.DataFrame:
        try:
            return pl.scan_delta(self._delta).filter(wanted).collect()
        except (DeltaError, OSError, pl.exceptions.ComputeError) as error:
            raise Unavailable(f"read {self._delta.table_uri}: {_first_line(error)}") from error

    def append(self, rows: pl.DataFrame, marks: Mapping[str, int]) -> None:
        if rows.is_empty():
            self._commit_marks(marks)
            return
        self._write(self._fitted(rows), marks, None)

    def replace(self, places: Sequence[Place], rows: pl.DataFrame, marks: Mapping[str, int]) -> None:
        rows = self._fitted(rows)
        # Whole numbers of our own only: nothing a user wrote ever stands in a predicate.
        predicate = " or ".join(
            f"({BUCKET} = {int(place.bucket_us)} and {SHARD} = {int(place.shard)})" for place in places
        )
        self._write(rows, marks, predicate)

    def widen(self, columns: Mapping[str, pl.DataType], marks: Mapping[str, int]) -> None:
        try:
            # By file names alone: what they hold is written, and then takes the place of all there was in one commit.
            self._delta.create_write_transaction(
                actions=list(rewritten(self._delta, columns, self._options)),
                mode="overwrite",
                schema=pl.Schema({**self.schema, **columns}),
                partition_by=[EVENT_DATE],
                commit_properties=_properties(marks),
            )
        except (DeltaError, OSError) as error:
            raise OutcomeUnknown(f"widen {self._delta.table_uri}: {_first_line(error)}") from error
        except pl.exceptions.PolarsError as error:
            raise SchemaConflict(f"widen {self._delta.table_uri}: {_first_line(error)}") from error

    def _write(self, rows: pl.DataFrame, marks: Mapping[str, int], predicate: str | None) -> None:
        mode: Mapping[str, Any] = (
            {"mode": "append"} if predicate is None else {"mode": "overwrite", "predicate": predicate}
        )
        try:
            write_deltalake(
                self._delta,
                _plain_text(rows),
                **mode,
                schema_mode="merge",
                commit_properties=_properties(marks),
                writer_properties=_WRITER,
            )
        except (DeltaError, OSError) as error:
            raise OutcomeUnknown(f"commit to {self._delta.table_uri}: {_first_line(error)}") from error

    def _commit_marks(self, marks: Mapping[str, int]) -> None:
        try:
            self._delta.create_write_transaction(
                actions=[],
                mode="append",
                schema=self._delta.schema(),
                partition_by=[EVENT_DATE],
                commit_properties=_properties(marks),
            )
        except (DeltaError, OSError) as error:
            raise OutcomeUnknown(f"commit to {self._delta.table_uri}: {_first_line(error)}") from error

    def _fitted(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows as wide as the table. Types are compared here: the library would store 1.5 as 1 without a word."""
        present = self.schema
        rows = widened(rows, present, self._delta.table_uri)
        for name, kind in rows.schema.items():
            if name in present and present[name] != kind:
                raise SchemaConflict(
                    f"{self._delta.table_uri}: column {name!r} is {present[name]} in the table and {kind} in the spec; "
                    "a column cannot change its type, give the new one another name"
                )
        return rows


def _plain_text(rows: pl.DataFrame) -> Table:
    """Rows as Arrow whose text is plain strings.

    polars gives string views, the files would say so, and pyarrow could then not filter them by text.
    """
    arrow = Table.from_arrow(rows)
    for number, name in enumerate(arrow.column_names):
        if DataType.is_string_view(arrow.schema.field(number).type):
            text = arrow.column(number).cast(DataType.string())
            arrow = arrow.set_column(number, Field(name, DataType.string(), nullable=True), text)
    return arrow


def _properties(marks: Mapping[str, int]) -> CommitProperties:
    transactions = [Transaction(app_id=name, version=value) for name, value in sorted(marks.items())]
    # No silent retries inside the library: a commit that lost a race must be decided anew under a fresh handle.
    return CommitProperties(app_transactions=transactions, max_commit_retries=0)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:500]
