"""The lake as DuckDB sees it: a schema per stream, a view per table, opened only when a statement speaks of them."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from pyarrow import fs

from windrow import keys
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.errors import BadInput, NotFound
from windrow.lake.delta import DeltaLake
from windrow_cli.connection import Deployment

_BATCH_ROWS = 10_000
_MISSING = re.compile(r'Table with name "?([^ ]+?)"? does not exist')
_CATALOG = re.compile(r"\b(information_schema|duckdb_\w+|show)\b", re.IGNORECASE)
"""Statements that ask which tables there are."""


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """A table of a stream."""

    stream: str
    table: str

    def __str__(self) -> str:
        """As it is written in SQL: sensors.records, "my-stream".records."""
        stream = self.stream if self.stream.replace("_", "a").isalnum() else f'"{self.stream}"'
        return f"{stream}.{self.table}"


class Lake(Protocol):
    """Where tables come from."""

    def streams(self) -> Sequence[str]:
        """Streams that may have tables."""
        ...

    def names(self, stream: str) -> list[TableName]:
        """The tables of a stream."""
        ...

    def open(self, name: TableName) -> DeltaTable | None:
        """A table at its newest version, or None if there is none."""
        ...

    def files(self, name: TableName) -> fs.FileSystem:
        """The files of a table, for pyarrow.

        Its own file systems, because deltalake's calls back into Python from threads, which ends in a crash when a
        result is left unread.
        """
        ...


class RunningLake:
    """The tables of a deployment, through its store."""

    def __init__(self, deployment: Deployment) -> None:
        session = deployment.session()
        self._lake = deployment.lake()
        self._catalog = SpecCatalog(session.store(), SystemClock())
        self._bucket = session.topology.zone_buckets(session.prefix)["lake"]
        options = session.lake_options()
        self._s3 = fs.S3FileSystem(
            region=options.get("AWS_REGION"),
            endpoint_override=options.get("AWS_ENDPOINT_URL"),
            access_key=options.get("AWS_ACCESS_KEY_ID"),
            secret_key=options.get("AWS_SECRET_ACCESS_KEY"),
        )

    def streams(self) -> Sequence[str]:
        return self._catalog.streams()

    def names(self, stream: str) -> list[TableName]:
        spec = self._catalog.current(stream).spec
        wanted = [keys.RECORDS_TABLE, *sorted(keys.windows_table(window) for window in spec.windows)]
        return [TableName(stream, table) for table in wanted if self._lake.delta(stream, table) is not None]

    def open(self, name: TableName) -> DeltaTable | None:
        return self._lake.delta(name.stream, name.table)

    def files(self, name: TableName) -> fs.FileSystem:
        return fs.SubTreeFileSystem(f"{self._bucket}/{_folder(name)}", self._s3)


class FolderLake:
    """The tables in the files of an emulator that is not running."""

    def __init__(self, bucket: Path) -> None:
        self._bucket = bucket
        self._lake = DeltaLake(str(bucket), {})

    def streams(self) -> Sequence[str]:
        return sorted({log.parts[-3] for log in self._bucket.glob("lake/*/*/_delta_log")})

    def names(self, stream: str) -> list[TableName]:
        return sorted(TableName(stream, log.parts[-2]) for log in self._bucket.glob(f"lake/{stream}/*/_delta_log"))

    def open(self, name: TableName) -> DeltaTable | None:
        return self._lake.delta(name.stream, name.table)

    def files(self, name: TableName) -> fs.FileSystem:
        return fs.SubTreeFileSystem(str(self._bucket / _folder(name)), fs.LocalFileSystem())


def _folder(name: TableName) -> str:
    return keys.lake_prefix(name.stream, name.table).rstrip("/")


class Session:
    """One DuckDB session over a lake, in UTC."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        self._connection.execute("SET TimeZone = 'UTC'")
        self._opened: set[TableName] = set()

    def run(self, sql: str) -> pa.RecordBatchReader | None:
        """The result of a statement, None if it has none.

        BadInput says what is wrong with the statement, NotFound names the tables there are.
        """
        for name in self._mentioned(sql):
            self._open(name)
        try:
            relation: duckdb.DuckDBPyRelation | None = self._connection.sql(sql)
            if relation is None:
                return None
            reader = relation.to_arrow_reader(_BATCH_ROWS)
            return pa.RecordBatchReader.from_batches(reader.schema, _read(reader))
        except duckdb.CatalogException as error:
            message = _without_kind(str(error))
            missing = _MISSING.match(message)
            if missing is None:
                raise BadInput(message) from error
            raise NotFound(self._missing(missing[1])) from error
        except duckdb.Error as error:
            raise BadInput(_without_kind(str(error))) from error

    def counts(self) -> list[tuple[TableName, int]]:
        """Every table with its number of rows."""
        found = []
        for name in self._all_names():
            table = self._lake.open(name)
            if table is not None:
                found.append((name, table.count()))
        return found

    def _all_names(self) -> list[TableName]:
        return [name for stream in self._lake.streams() for name in self._lake.names(stream)]

    def _mentioned(self, sql: str) -> Iterator[TableName]:
        """The tables a statement may read. A stream named without a table stands for all of its tables."""
        if _CATALOG.search(sql):
            yield from self._all_names()
            return
        for stream in self._lake.streams():
            for found in re.finditer(
                rf'(?<![\w-])"?{re.escape(stream)}"?(?![\w-])(?:\s*\.\s*"?(\w+)"?)?', sql, re.IGNORECASE
            ):
                if found[1]:
                    yield TableName(stream, found[1].lower())
                else:
                    yield from self._lake.names(stream)

    def _open(self, name: TableName) -> None:
        if name in self._opened:
            return
        table = self._lake.open(name)
        if table is None:
            return  # perhaps it is no table at all; DuckDB will say
        # DuckDB reads Delta through an extension that must be downloaded; a pyarrow dataset needs none.
        handle = f"_windrow_{len(self._opened)}"
        files = self._lake.files(name)
        schema = _with_views(table.to_pyarrow_dataset(filesystem=files).schema)
        self._connection.register(handle, table.to_pyarrow_dataset(schema=schema, filesystem=files))
        self._connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{name.stream}"')
        self._connection.execute(f'CREATE VIEW "{name.stream}"."{name.table}" AS SELECT * FROM {handle}')  # noqa: S608
        self._opened.add(name)

    def _missing(self, table: str) -> str:
        names = [str(name) for name in self._all_names()]
        if not names:
            return f"there is no table {table}, and no other yet: send some records first"
        close = difflib.get_close_matches(table, names, n=1)
        hint = f"; did you mean {close[0]}?" if close else "."
        return f"there is no table {table}{hint} Tables: {', '.join(names)}"


def _read(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Batch by batch; what goes wrong in the middle of a result reaches us as an OSError with DuckDB's text."""
    try:
        yield from reader
    except (OSError, pa.ArrowException) as error:
        raise BadInput(_without_kind(str(error))) from error


def _with_views(schema: pa.Schema) -> pa.Schema:
    """Texts as string views, which a file may hold, whoever wrote it, and which pyarrow cannot filter.

    Told that they are, DuckDB filters by itself; the writer's own files hold plain strings and would not need it.
    """
    is_text = (pa.types.is_string, pa.types.is_large_string)
    return pa.schema(
        [field.with_type(pa.string_view()) if any(test(field.type) for test in is_text) else field for field in schema]
    )


def _without_kind(message: str) -> str:
    """DuckDB's own sentence, without the class of the error before it and the suggestions after it."""
    _, _, sentence = message.partition(": ")
    first = (sentence or message).split("\nDid you mean")[0]
    return first.strip().rstrip(".!")
