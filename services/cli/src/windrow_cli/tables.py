"""The lake as DuckDB sees it: a schema per stream, a view per table, opened only when a statement speaks of them."""

import difflib
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from pyarrow import fs

from windrow import flows, keys
from windrow import topology as topologies
from windrow.errors import BadInput, NotFound, Unavailable
from windrow.lake.delta import DeltaLake
from windrow.lake.tables import Table
from windrow_cli import connection, devfile
from windrow_cli.connection import Deployment
from windrow_cli.context import Context
from windrow_cli.delta_log import LogFolder
from windrow_cli.time_travel import At, vacuumed, version_of

_BATCH_ROWS = 10_000
_NOW = At()
_MISSING = re.compile(r'Table with name "?([^ ]+?)"? does not exist')
_CATALOG = re.compile(r"\b(information_schema|duckdb_\w+|show)\b", re.IGNORECASE)
"""Statements that ask which tables there are."""


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """A table of a stream: of its newest tables, or of a version of them, as in sensors__v1.records."""

    stream: str
    table: str

    def __str__(self) -> str:
        """As it is written in SQL: sensors.records, "my-stream".records."""
        stream = self.stream if self.stream.replace("_", "a").isalnum() else f'"{self.stream}"'
        return f"{stream}.{self.table}"


class Lake:
    """The tables of a deployment, and their files."""

    deployment: Deployment | None = None
    """None where nothing runs: then there are files, and no figures to hold against them."""

    def __init__(self, lake: DeltaLake, root: fs.FileSystem) -> None:
        """`root` holds what the lake holds, for pyarrow.

        Its own file systems, because deltalake's calls back into Python from threads, which ends in a crash when a
        result is left unread.
        """
        self._lake = lake
        self._root = root

    def streams(self) -> list[str]:
        """Streams that may have tables, and older versions of their tables."""
        return list(flows.named(self._flows()))

    def spoken(self) -> list[str]:
        """All names under which tables can be asked for: the newest have two, of which one says their version."""
        found = flows.named(self._flows())
        return list(dict.fromkeys([*found, *(flow for flow in found.values() if keys.tables_of_flow(flow) > 1)]))

    def flow(self, stream: str) -> str:
        """What the tables are stored under that are named by a stream; BadInput when it can have none."""
        return flows.meant(stream, self._flows())

    def _flows(self) -> list[str]:
        return [each for each in self._folders("lake") if keys.STREAM_NAME.fullmatch(each.partition("__v")[0])]

    def names(self, stream: str) -> list[TableName]:
        """The tables of a stream."""
        found = [TableName(stream, table) for table in self._folders(f"lake/{self.flow(stream)}")]
        with _reaching("list the tables"):
            logs = self._root.get_file_info([f"{self._folder(name)}/_delta_log" for name in found])
        return [name for name, log in zip(found, logs, strict=True) if log.type == fs.FileType.Directory]

    def all_names(self) -> list[TableName]:
        """The tables of all streams."""
        return [name for stream in self.streams() for name in self.names(stream)]

    def open(self, name: TableName) -> DeltaTable | None:
        """A table at its newest version, or None if there is none."""
        return self._lake.delta(self.flow(name.stream), name.table)

    def handle(self, name: TableName) -> Table | None:
        """The same as services open it."""
        return self._lake.open(self.flow(name.stream), name.table)

    def files(self, name: TableName) -> fs.FileSystem:
        """The files of a table."""
        return fs.SubTreeFileSystem(self._folder(name), self._root)

    def sizes(self, name: TableName) -> dict[str, int]:
        """Every file of a table with its size in bytes, whether a version speaks of it or not."""
        with _reaching(f"list the files of {name}"):
            found = self.files(name).get_file_info(fs.FileSelector("", recursive=True))
        return {info.path: info.size for info in found if info.is_file and not info.path.startswith("_delta_log/")}

    def log(self, name: TableName) -> LogFolder:
        """What lies in the log of a table."""
        with _reaching(f"list the log of {name}"):
            found = self.files(name).get_file_info(fs.FileSelector("_delta_log"))
        return LogFolder.of((info.base_name, info.mtime_ns // 1_000) for info in found if info.is_file)

    def _folder(self, name: TableName) -> str:
        return keys.lake_prefix(self.flow(name.stream), name.table).rstrip("/")

    def log_file(self, name: TableName, file: str) -> bytes:
        """A file of a table's log."""
        with (
            _reaching(f"read {name}/_delta_log/{file}"),
            self.files(name).open_input_file(f"_delta_log/{file}") as found,
        ):
            return bytes(found.read())

    def _folders(self, path: str) -> list[str]:
        with _reaching("list the tables"):
            found = self._root.get_file_info(fs.FileSelector(path, allow_not_found=True))
        return sorted(info.base_name for info in found if info.type == fs.FileType.Directory)


class RunningLake(Lake):
    """The tables of a deployment, through its store."""

    def __init__(self, deployment: Deployment) -> None:
        session = deployment.session()
        options = session.lake_options()
        s3 = fs.S3FileSystem(
            region=options.get("AWS_REGION"),
            endpoint_override=options.get("AWS_ENDPOINT_URL"),
            access_key=options.get("AWS_ACCESS_KEY_ID"),
            secret_key=options.get("AWS_SECRET_ACCESS_KEY"),
        )
        bucket = session.topology.zone_buckets(session.prefix)["lake"]
        self.deployment = deployment
        super().__init__(deployment.lake(), fs.SubTreeFileSystem(bucket, s3))


class FolderLake(Lake):
    """The tables in the files of an emulator that is not running."""

    def __init__(self, bucket: Path) -> None:
        super().__init__(DeltaLake(str(bucket), {}), fs.SubTreeFileSystem(str(bucket), fs.LocalFileSystem()))


def find_lake(context: Context, state: Path | None) -> Lake:
    """The tables of what runs, else those in the files of what ran."""
    try:
        return RunningLake(context.connect(state))
    except Unavailable:
        folder = state or connection.DEFAULT_STATE
        content = devfile.read(folder)
        if content is None or not content.is_embedded:
            raise
        topology = topologies.load(Path(content.topology))
        return FolderLake(folder / "s3" / topology.zone_buckets(content.prefix)["lake"])


@contextmanager
def _reaching(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(f"{what}: {error}") from error


@dataclass(frozen=True, slots=True)
class Travelled:
    """A table that is read as it was."""

    name: TableName
    version: int
    committed_us: int


class Session:
    """One DuckDB session over a lake, now or as it was, in UTC."""

    def __init__(self, lake: Lake, at: At = _NOW) -> None:
        self._lake = lake
        self._at = at
        self.travelled: list[Travelled] = []
        """The tables that were opened at a version of their own."""
        self._connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        self._connection.execute("SET TimeZone = 'UTC'")
        self._opened: set[TableName] = set()

    def run(self, sql: str) -> pa.RecordBatchReader | None:
        """The result of a statement, None if it has none.

        BadInput says what is wrong with the statement, NotFound names the tables there are.
        """
        named, implied = self._mentioned(sql)
        if self._at.version is not None and (found := named or implied):
            named, implied = [_one(found)], []
        for name in named:
            self._open(name)
        for name in implied:
            with suppress(NotFound):  # what did not exist then is not missed until a statement reads it
                self._open(name)
        try:
            relation: duckdb.DuckDBPyRelation | None = self._connection.sql(sql)
            if self._at.version is not None and not self._opened:
                raise _not_one([])
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
        """Every table with its number of rows; as of a moment, those that there were."""
        found = []
        for name in self._lake.all_names():
            with suppress(NotFound):
                table = self._as_it_was(name)
                if table is not None:
                    found.append((name, table.count()))
        return found

    def _mentioned(self, sql: str) -> tuple[list[TableName], list[TableName]]:
        """The tables a statement names, and those it may read without: all of a stream that is named alone."""
        if _CATALOG.search(sql):
            return [], self._lake.all_names()
        named: dict[TableName, None] = {}
        implied: dict[TableName, None] = {}
        for stream in self._lake.spoken():
            tables = self._lake.names(stream) if stream.lower() in sql.lower() else []
            for found in re.finditer(
                rf'(?<![\w-])"?{re.escape(stream)}"?(?![\w-])(?:\s*\.\s*"?(\w+)"?)?', sql, re.IGNORECASE
            ):
                if not found[1]:
                    implied |= dict.fromkeys(tables)
                elif (name := TableName(stream, found[1].lower())) in tables:
                    named[name] = None  # what is no table is a column, or DuckDB will say what it is not
        return list(named), [name for name in implied if name not in named]

    def _open(self, name: TableName) -> None:
        if name in self._opened:
            return
        table = self._as_it_was(name)
        if table is None:
            return
        if not self._at.is_now:
            self._check_whole(name, table)
        # DuckDB reads Delta through an extension that must be downloaded; a pyarrow dataset needs none.
        handle = f"_windrow_{len(self._opened)}"
        self._connection.register(handle, table.to_pyarrow_dataset(filesystem=self._lake.files(name)))
        self._connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{name.stream}"')
        self._connection.execute(f'CREATE VIEW "{name.stream}"."{name.table}" AS SELECT * FROM {handle}')  # noqa: S608
        self._opened.add(name)

    def _as_it_was(self, name: TableName) -> DeltaTable | None:
        """A table at the version that is wanted; NotFound says why there is none."""
        if self._at.is_now:
            return self._lake.open(name)
        log = self._lake.log(name)
        version = version_of(str(name), self._at, log)
        table = self._lake.open(name)
        if table is not None and version is not None:
            table.load_as_version(version)
            self.travelled.append(Travelled(name, version, log.times()[version]))
        return table

    def _check_whole(self, name: TableName, table: DeltaTable) -> None:
        """NotFound where files of an earlier version have been removed since."""
        present = self._lake.sizes(name)
        live = live_paths(table)
        lost = sum(path not in present for path in live)
        if not lost:
            return
        version = table.version()

        def is_whole(candidate: int) -> bool:
            table.load_as_version(candidate)
            return all(path in present for path in live_paths(table))

        # Vacuum begins with the oldest: from some version on, all are whole.
        later = range(version + 1, self._lake.log(name).newest + 1)
        raise vacuumed(str(name), version, lost, len(live), later[bisect_left(later, True, key=is_whole) :])

    def _missing(self, table: str) -> str:
        names = [str(name) for name in self._lake.all_names()]
        if not names:
            return f"there is no table {table}, and no other yet: send some records first"
        close = difflib.get_close_matches(table, names, n=1)
        hint = f"; did you mean {close[0]}?" if close else "."
        return f"there is no table {table}{hint} Tables: {', '.join(names)}"


def _one(names: Sequence[TableName]) -> TableName:
    if len(names) == 1:
        return names[0]
    raise _not_one(names)


def _not_one(names: Sequence[TableName]) -> BadInput:
    spoken = ", ".join(map(str, names)) or "none"
    return BadInput(
        f"--version is the version of one table, and this statement reads {len(names)} ({spoken}); "
        "ask for one table, or use --as-of, which means the same moment for all"
    )


def live_paths(table: DeltaTable) -> list[str]:
    """The files a table consists of at the version it is opened at, below its folder."""
    return [str(path) for path in table.get_add_actions(flatten=True).column("path").to_pylist()]


def _read(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Batch by batch; what goes wrong in the middle of a result reaches us as an OSError with DuckDB's text."""
    try:
        yield from reader
    except (OSError, pa.ArrowException) as error:
        raise BadInput(_without_kind(str(error))) from error


def _without_kind(message: str) -> str:
    """DuckDB's own sentence, without the class of the error before it and the suggestions after it."""
    _, _, sentence = message.partition(": ")
    first = (sentence or message).split("\nDid you mean")[0]
    return first.strip().rstrip(".!")
