"""`windrow lake`: which tables there are, how they lie, and whether they are whole."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any

import pyarrow as pa
from cyclopts import Parameter
from rich.table import Table

from windrow import keys
from windrow.errors import BadInput, NotFound
from windrow.lake.schema import EVENT_DATE
from windrow_cli.cells import cell
from windrow_cli.context import AsJson, Context, Injected, State
from windrow_cli.delta_log import LogFolder
from windrow_cli.replay import State as TableState
from windrow_cli.replay import read_checkpoint, read_commit, states
from windrow_cli.tables import Lake, TableName, find_lake
from windrow_cli.time_travel import written
from windrow_cli.verify import verify_tables

_PARALLEL = 8
_MB = 1_000_000
_SIZES = (("under 1 MB", _MB), ("1 to 16 MB", 16 * _MB), ("16 to 128 MB", 128 * _MB), ("128 MB to 1 GB", 1_000 * _MB))
_LARGER = "1 GB and more"


@dataclass(frozen=True, slots=True)
class Day:
    """A partition."""

    event_date: str
    files: int
    size_bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A table as it stands."""

    name: TableName
    version: int
    last_commit_us: int
    days: tuple[Day, ...]
    sizes_bytes: tuple[int, ...]

    @property
    def rows(self) -> int:
        """Rows of all files, by the log."""
        return sum(day.rows for day in self.days)


def lake(
    name: str | None = None,
    /,
    *,
    verify: Annotated[bool, Parameter(negative="")] = False,
    limit: Annotated[int, Parameter(alias="-n")] = 20,
    state: State = None,
    as_json: AsJson = False,
    context: Injected,
) -> int:
    """List the tables: version, last commit, files, sizes, rows and days. With a table's name, all about that one.

    With --verify, hold each table against its log (an unbroken run of readable commits since the last checkpoint), its
    files (there, as large as the log says, readable, with the rows the log counts and the types of the table) and the
    figures: rows in files are those counted as written and none is unexplained; sealed buckets hold each record once;
    windows count the records between their bounds, and entries of the ledger of late records have theirs. What does not
    verify ends with exit code 1, a sentence each. Nothing is changed.

    ```
    windrow lake
    windrow lake sensors
    windrow lake sensors.records
    windrow lake --verify
    windrow lake sensors --verify --json
    ```

    Parameters
    ----------
    name:
        A stream, or a table as STREAM.TABLE.
    verify:
        Check what there is. Reads the end of every file, and keys and times of all rows.
    limit:
        Most versions that are shown of a table.
    state:
        State folder of the `windrow dev` to ask.
    as_json:
        Print it all as JSON.
    """
    if limit < 1:
        raise BadInput(f"--limit {limit} shows nothing; use 1 or more")
    found = find_lake(context, state)
    names = _named(found, name)
    if verify:
        return verify_tables(found, names, context, as_json=as_json)
    standing = [each for each in (_standing(found, table) for table in names) if each is not None]
    if name is not None and "." in name and standing:
        _show_one(found, standing[0], limit, context, as_json=as_json)
    elif as_json:
        context.print_json([_plain(each) for each in standing])
    elif not standing:
        context.out.print("There are no tables yet: send some records first.")
    else:
        context.out.print(_overview(standing))
    return 0


def _named(found: Lake, name: str | None) -> list[TableName]:
    if name is None:
        return found.all_names()
    stream, _, table = name.replace('"', "").partition(".")
    keys.check_flow(stream)
    names = [each for each in found.names(stream) if table in ("", each.table)]
    if not names:
        there = ", ".join(map(str, found.all_names())) or "none yet"
        raise NotFound(f"there is no {'table' if table else 'stream with tables called'} {name} (tables: {there})")
    return names


def _standing(found: Lake, name: TableName) -> Standing | None:
    table = found.open(name)
    if table is None:
        return None
    days: dict[str, Day] = {}
    actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    for action in actions:
        key = str(action[f"partition.{EVENT_DATE}"])
        day = days.get(key, Day(key, 0, 0, 0))
        rows = day.rows + (action["num_records"] or 0)
        days[key] = Day(key, day.files + 1, day.size_bytes + action["size_bytes"], rows)
    times = found.log(name).times()
    return Standing(
        name,
        table.version(),
        times.get(table.version(), 0),
        tuple(days[key] for key in sorted(days)),
        tuple(sorted(action["size_bytes"] for action in actions)),
    )


# ------------------------------------------------------------------------------------------------ showing


def _overview(standing: Sequence[Standing]) -> Table:
    table = Table("table", header_style="bold")
    for heading in ("version", "last commit (UTC)", "files", "size", "rows", "days"):
        table.add_column(heading, justify="right")
    for each in standing:
        table.add_row(
            cell(each.name),
            f"{each.version:,}",
            _short(each.last_commit_us),
            f"{len(each.sizes_bytes):,}",
            size(sum(each.sizes_bytes)),
            f"{each.rows:,}",
            f"{len(each.days):,}",
        )
    return table


def _plain(each: Standing) -> dict[str, Any]:
    return {
        "table": str(each.name),
        "version": each.version,
        "last_commit": written(each.last_commit_us),
        "files": len(each.sizes_bytes),
        "size_bytes": sum(each.sizes_bytes),
        "rows": each.rows,
        "days": len(each.days),
    }


def _show_one(found: Lake, each: Standing, limit: int, context: Context, *, as_json: bool) -> None:
    log = found.log(each.name)
    versions = list(islice(_versions(found, each.name, log, each.version, limit), limit))
    histogram = _histogram(each.sizes_bytes)
    if as_json:
        context.print_json(
            {
                **_plain(each),
                "versions": versions,
                "file_sizes": histogram,
                "partitions": [
                    {"event_date": day.event_date, "files": day.files, "size_bytes": day.size_bytes, "rows": day.rows}
                    for day in each.days
                ],
            }
        )
        return
    context.out.print(_overview([each]))
    table = Table("version", "committed (UTC)", "operation", header_style="bold")
    for heading in ("added", "removed", "files", "rows"):
        table.add_column(heading, justify="right")
    for row in versions:
        rows = "?" if row["rows"] is None else f"{row['rows']:,}"
        counts = (f"{row[name]:,}" for name in ("files_added", "files_removed", "files"))
        table.add_row(
            str(row["version"]), row["committed"][:19].replace("T", " "), cell(row["operation"]), *counts, rows
        )
    context.out.print(table)
    sizes = Table("size of files", header_style="bold")
    sizes.add_column("files", justify="right")
    for label, count in histogram.items():
        sizes.add_row(label, f"{count:,}")
    context.out.print(sizes)
    days = Table(EVENT_DATE, header_style="bold")
    for heading in ("files", "size", "rows"):
        days.add_column(heading, justify="right")
    for day in each.days[-limit:]:
        days.add_row(day.event_date, f"{day.files:,}", size(day.size_bytes), f"{day.rows:,}")
    context.out.print(days)
    if len(each.days) > limit:
        context.out.print(f"the last {limit:,} days of {len(each.days):,}; see more with --limit", style="dim")


def _versions(found: Lake, name: TableName, log: LogFolder, newest: int, limit: int) -> Iterator[dict[str, Any]]:
    """The newest versions first, as the log tells them from a checkpoint before them, or from its beginning."""
    readable, times = log.readable(), log.times()
    wanted = max(readable[0], newest - limit + 1)
    checkpoint = max((each for each in log.checkpoints if each < wanted), default=None)
    start = TableState()
    if checkpoint is not None:
        start = read_checkpoint(checkpoint, found.log_file(name, f"{checkpoint:020d}.checkpoint.parquet"))
    elif readable[0] > 0:
        start = read_checkpoint(readable[0], found.log_file(name, f"{readable[0]:020d}.checkpoint.parquet"))
    numbers = range(start.version + 1, newest + 1)
    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="log") as pool:
        texts = list(pool.map(lambda number: found.log_file(name, f"{number:020d}.json"), numbers))
    commits = [read_commit(number, text) for number, text in zip(numbers, texts, strict=True)]
    told = zip(commits, states(start, commits), strict=True)
    for commit, state in reversed(list(told)):
        yield {
            "version": commit.version,
            "committed": written(times[commit.version]),
            "operation": commit.operation,
            "files_added": len(commit.added),
            "files_removed": len(commit.removed),
            "files": len(state.live),
            "rows": state.rows,
        }


def _histogram(sizes_bytes: Iterable[int]) -> dict[str, int]:
    counts = dict.fromkeys([label for label, _ in _SIZES] + [_LARGER], 0)
    for each in sizes_bytes:
        counts[next((label for label, below in _SIZES if each < below), _LARGER)] += 1
    return counts


def size(of_bytes: float) -> str:
    """Bytes as people write them: 1.2 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if of_bytes < 1_000:
            return f"{of_bytes:.0f} {unit}" if unit == "B" else f"{of_bytes:.1f} {unit}"
        of_bytes /= 1_000
    return f"{of_bytes:.1f} TB"


def _short(moment_us: int) -> str:
    return written(moment_us)[:19].replace("T", " ") if moment_us else ""
