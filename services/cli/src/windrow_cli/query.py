"""`windrow query`: SQL over the lake."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any

import pyarrow as pa
from cyclopts import Parameter
from rich.table import Table

from windrow.clock import SystemClock
from windrow.errors import BadInput
from windrow_cli import export
from windrow_cli.context import STDIN, AsJson, Context, Injected, State
from windrow_cli.export import OutputFormat
from windrow_cli.tables import Session, find_lake
from windrow_cli.time_travel import at, written

_BY_SUFFIX: dict[str, OutputFormat] = {".csv": "csv", ".json": "json", ".parquet": "parquet"}


def query(
    sql: str | None = None,
    /,
    *,
    format: Annotated[OutputFormat | None, Parameter(alias="-f")] = None,  # noqa: A002  the option's name
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    limit: Annotated[int, Parameter(alias="-n")] = 100,
    version: int | None = None,
    as_of: str | None = None,
    state: State = None,
    as_json: AsJson = False,
    context: Injected,
) -> None:
    """Ask the lake in SQL (DuckDB). Without SQL, list the tables and how many rows they have.

    Each stream is a schema: `sensors.records` holds its records, `sensors.windows_every_minute` its windows. Times are
    UTC. Nothing needs to run: the tables of a stopped `windrow dev` are read from its files.

    ```
    windrow query
    windrow query "select * from sensors.windows_every_minute order by window_start desc limit 10"
    windrow query "select sensor, count(*) from sensors.records group by all" --format csv
    windrow query "from sensors.records" --output records.parquet
    windrow query 'select count(*) from "my-stream".records' --json
    windrow query "select count(*) from sensors.records" --as-of 2h
    windrow query "from sensors.records" --version 12
    ```

    Conditions on event_date, the partition, and on times, texts and whole numbers leave files unread that can hold no
    such rows.

    Parameters
    ----------
    sql:
        One statement; - reads it from standard input.
    format:
        table, csv, json or parquet. Default: by the ending of --output, else table.
    output:
        File to write, instead of standard output.
    limit:
        Most rows that are shown as a table.
    version:
        Read a table as it was at this version; `windrow lake STREAM.TABLE` lists them. The statement reads one table.
    as_of:
        Read all tables as they were then: a time in ISO 8601 (UTC unless it says otherwise), or how long ago, as 2h.
    state:
        State folder of the `windrow dev` to ask.
    as_json:
        The same as --format json.
    """
    chosen = _format(format, output, as_json=as_json)
    wanted = at(version, as_of, SystemClock().now_us())
    session = Session(find_lake(context, state), wanted)
    if sql is None:
        if version is not None:
            raise BadInput("--version is the version of one table; give a statement that reads it")
        _list(session, context, as_json=chosen == "json")
        return
    result = session.run(sys.stdin.read() if sql == STDIN else sql)
    for each in session.travelled:
        context.err.print(f"{each.name} at version {each.version} of {written(each.committed_us)}", style="dim")
    if result is None:
        raise BadInput("the statement has no result; write a SELECT")
    _write(result, chosen, output, limit, context)


def _format(given: OutputFormat | None, output: Path | None, *, as_json: bool) -> OutputFormat:
    if given is not None:
        return given
    if as_json:
        return "json"
    if output is None:
        return "table"
    found = _BY_SUFFIX.get(output.suffix.lower())
    if found is None:
        raise BadInput(f"{output}: its name does not say a format; use .csv, .json or .parquet, or give --format")
    return found


def _list(session: Session, context: Context, *, as_json: bool) -> None:
    counts = session.counts()
    if as_json:
        context.print_json([{"table": str(name), "rows": rows} for name, rows in counts])
        return
    if not counts:
        context.out.print("There are no tables yet: send some records first.")
        return
    table = Table("table", header_style="bold")
    table.add_column("rows", justify="right")
    for name, rows in counts:
        table.add_row(str(name), f"{rows:,}")
    context.out.print(table)


def _write(
    result: pa.RecordBatchReader, chosen: OutputFormat, output: Path | None, limit: int, context: Context
) -> None:
    match chosen:
        case "table" if output is None:
            export.print_table(result, context.out, limit)
        case "table":
            raise BadInput("a table is for reading on the spot; write a file as csv, json or parquet")
        case "csv":
            with _text_file(output) as out:
                export.write_csv(result, out)
        case "json":
            with _text_file(output) as out:
                export.write_json(result, out)
        case "parquet":
            with _binary_file(output) as out:
                export.write_parquet(result, out)
    if output is not None:
        context.err.print(f"wrote {output}", style="dim")


@contextmanager
def _text_file(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    with _opened(output, "w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def _binary_file(output: Path | None) -> Iterator[IO[bytes]]:
    if output is None:
        if sys.stdout.isatty():
            raise BadInput("Parquet is not for reading on a terminal; give --output FILE")
        yield sys.stdout.buffer
        return
    with _opened(output, "wb") as file:
        yield file


@contextmanager
def _opened(output: Path, mode: str, **options: Any) -> Iterator[Any]:
    try:
        file = output.open(mode, **options)
    except OSError as error:
        raise BadInput(f"{output}: cannot be written: {error.strerror}") from error
    with file:
        yield file
