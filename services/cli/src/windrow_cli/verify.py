"""`windrow lake --verify`: every table held against what is known of it elsewhere."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import Progress
from rich.table import Table as Grid

from windrow import keys
from windrow.errors import Unavailable
from windrow.lake.tables import Table
from windrow_cli.cells import cell
from windrow_cli.checking import Advance, Checked, checked
from windrow_cli.comparing import Compared, compared
from windrow_cli.context import Context
from windrow_cli.tables import Lake, TableName

_PARALLEL = 8


def verify_tables(found: Lake, names: Sequence[TableName], context: Context, *, as_json: bool) -> int:
    """Hold tables against their logs, files and figures, and print what was found: 1 if anything is not whole."""
    found_tables: list[Checked] = []
    found_streams: list[Compared] = []
    with _bar(context) as advance:
        for tables, stream in check(found, names, advance):
            found_tables += tables
            found_streams.append(stream)
    faults = [fault for each in found_tables for fault in each.faults]
    faults += [fault for each in found_streams for fault in each.faults]
    if as_json:
        context.print_json(
            {
                "is_whole": not faults,
                "tables": [
                    {
                        "table": str(each.name),
                        "version": each.version,
                        "files": each.files,
                        "rows": each.rows,
                        "retained_files": each.retained,
                        "orphaned_files": each.orphans,
                    }
                    for each in found_tables
                ],
                "faults": [{**fault._asdict(), "message": str(fault)} for fault in faults],
                "not_compared": [f"{each.stream}: {note}" for each in found_streams for note in each.notes],
            }
        )
        return 1 if faults else 0
    table = Grid("table", header_style="bold")
    for heading in ("version", "files", "rows", "kept for time travel", "orphaned", "faults"):
        table.add_column(heading, justify="right")
    for each in found_tables:
        own = sum(fault.table == str(each.name) for fault in faults)
        counts = (each.version, each.files, each.rows, each.retained, each.orphans)
        table.add_row(cell(each.name), *(f"{n:,}" for n in counts), f"[bold red]{own:,}[/]" if own else "[green]0[/]")
    context.out.print(table)
    for each_stream in found_streams:
        for note in each_stream.notes:
            context.out.print(f"{escape(each_stream.stream)}: {escape(note)}", style="dim", soft_wrap=True)
    for fault in faults:
        context.out.print(cell(fault), soft_wrap=True)
    context.out.print("[bold red]Not whole." if faults else "[green]All of it verifies.")
    return 1 if faults else 0


@contextmanager
def _bar(context: Context) -> Iterator[Advance]:
    with Progress(console=context.err, transient=True, disable=not context.err.is_terminal) as progress:
        task = progress.add_task("", total=0)

        def advance(what: str, done: int, more: int) -> None:
            total = progress.tasks[0].total or 0
            progress.update(task, description=escape(what), advance=done, total=total + more)

        yield advance


def check(lake: Lake, names: Iterable[TableName], advance: Advance) -> Iterator[tuple[list[Checked], Compared]]:
    """Verify these tables, stream by stream."""
    by_stream: dict[str, list[TableName]] = {}
    for name in names:
        by_stream.setdefault(name.stream, []).append(name)
    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="verify") as pool:
        for stream, members in by_stream.items():
            records = TableName(stream, keys.RECORDS_TABLE)
            # The handle first: what it holds was counted before whatever is counted next.
            handle = _opened(lake, records) if records in members else None
            order = sorted(members, key=lambda name: name != records)
            tables = [
                checked(lake, name, handle.version if handle and name == records else None, pool, advance)
                for name in order
            ]
            by_name = {each.name.table: each for each in tables}
            yield tables, compared(lake.deployment, stream, lake.flow(stream), handle, by_name, advance)


def _opened(lake: Lake, records: TableName) -> Table | None:
    try:
        return lake.handle(records)
    except Unavailable:
        return None  # what is wrong with it is found where its log is checked
