"""A table held against its log and its files."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from pyarrow import fs

from windrow.errors import BadInput, Unavailable, first_line
from windrow_cli import verification
from windrow_cli.delta_log import LogFolder
from windrow_cli.replay import LiveFile, State, read_checkpoint, read_commit, states
from windrow_cli.tables import Lake, TableName
from windrow_cli.verification import Fault, Footer

Advance = Callable[[str, int, int], None]
"""advance(what, done, more): so much of the work is done, and so much more was found."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A table at the version it was held against its log and its files."""

    name: TableName
    version: int
    rows: int
    """By the files' own footers."""
    files: int
    retained: int
    """Files of earlier versions, for time travel."""
    orphans: int
    """Files that no version speaks of: written by a commit that never landed, or not landed yet."""
    faults: tuple[Fault, ...]
    table: DeltaTable | None = None
    marks: Mapping[str, int] = field(default_factory=dict)


def checked(lake: Lake, name: TableName, version: int | None, pool: ThreadPoolExecutor, advance: Advance) -> Checked:
    """Hold a table against its log and its files, at a version, or else the newest."""
    label = str(name)
    try:
        table = lake.open(name)
        if table is not None and version is not None:
            table.load_as_version(version)
    except (Unavailable, DeltaError) as error:
        log = lake.log(name)
        # Reading the log ourselves tells which of its files it is.
        found = verification.gaps(label, log) or _told(lake, name, log, log.newest, pool)[1]
        found = found or [verification.unreadable(label, "", first_line(error))]
        return Checked(name, log.newest, 0, 0, 0, 0, tuple(found))
    log = lake.log(name)
    faults = verification.gaps(label, log)
    if table is None:
        return Checked(name, log.newest, 0, 0, 0, 0, tuple(faults))
    told, trouble_in_log = _told(lake, name, log, table.version(), pool)
    faults += trouble_in_log
    actions = pa.table(table.get_add_actions(flatten=True))
    read = [LiveFile(*row.values()) for row in actions.select(["path", "size_bytes", "num_records"]).to_pylist()]
    if told is not None:
        faults += verification.disagreement(label, told, [file.path for file in read])
    present = lake.sizes(name)
    faults += verification.missing_or_cut(label, read, present)
    whole = [file for file in read if present.get(file.path) == file.size_bytes]
    advance(label, 0, len(whole))
    files, schema = lake.files(name), pa.schema(table.schema().to_arrow())
    rows = 0
    for file, footer in zip(whole, pool.map(lambda file: _footer(files, file.path), whole), strict=True):
        faults += verification.misread(label, file, footer, schema)
        rows += footer.rows
        advance(label, 1, 0)
    live = {file.path for file in read}
    removed = told.removed if told is not None else frozenset()
    others = present.keys() - live
    retained = len(others & removed)
    marks = {} if told is None else told.marks
    orphans = len(others) - retained
    return Checked(name, table.version(), rows, len(read), retained, orphans, tuple(faults), table, marks)


def _told(
    lake: Lake, name: TableName, log: LogFolder, version: int, pool: ThreadPoolExecutor
) -> tuple[State | None, list[Fault]]:
    """The table by its last checkpoint and every commit since, None where one of them cannot be read."""
    faults: list[Fault] = []
    start = State()
    checkpoint = max((each for each in log.checkpoints if each <= version), default=None)
    if checkpoint is not None:
        file = f"{checkpoint:020d}.checkpoint.parquet"
        try:
            start = read_checkpoint(checkpoint, lake.log_file(name, file))
        except (BadInput, Unavailable) as error:
            return None, [verification.unreadable(str(name), file, str(error))]
    wanted = [each for each in range(start.version + 1, version + 1) if each in log.commits]
    commits = []
    bodies = pool.map(lambda each: lake.log_file(name, f"{each:020d}.json"), wanted)
    for each, body in zip(wanted, bodies, strict=True):
        try:
            commits.append(read_commit(each, body))
        except BadInput as error:
            faults.append(verification.unreadable(str(name), f"{each:020d}.json", str(error)))
    if faults or len(wanted) != version - start.version:
        return None, faults
    found = start
    for state in states(start, commits):
        found = state
    return found, faults


def _footer(files: fs.FileSystem, path: str) -> Footer:
    try:
        with files.open_input_file(path) as source, pq.ParquetFile(source) as file:
            return Footer(file.metadata.num_rows, file.schema_arrow)
    except (OSError, pa.ArrowException) as error:
        return Footer(trouble=first_line(error))
