"""`windrow explain`: what would become of a payload, without running anything."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.table import Table

from windrow.admission import DEFAULT_LIMITS
from windrow.clock import SystemClock
from windrow.decoding.formats import SUFFIXES, Kind, kind_of_name
from windrow.errors import BadInput
from windrow.explanation import Explanation, Payload, explain, plain
from windrow.quarantine import Reject
from windrow.spec import StreamSpec
from windrow.units import to_us
from windrow_cli.cells import cell, shown
from windrow_cli.context import STDIN, AsJson, Context, Injected
from windrow_cli.specs import read_spec

Format = Literal["json", "ndjson", "jsonl", "csv", "tsv", "geojson", "parquet", "arrow"]
_ROWS = 10


def explain_command(
    spec: Path,
    file: str,
    /,
    *,
    format: Format | None = None,  # noqa: A002  the option's name
    received: str | None = None,
    rows: Annotated[int, Parameter(alias="-n")] = _ROWS,
    as_json: AsJson = False,
    context: Injected,
) -> int:
    """Show what would become of a payload: records, rejects with line and column, windows, and the sender's answer.

    Nothing is run and nothing is sent; the decoder is the one the services use. Ends with 1 if any record is refused.

    ```
    windrow explain config/streams/sensors.yaml readings.ndjson
    windrow explain sensors.yaml bikes.csv.gz --rows 3
    curl -s https://api.example.com/v1/daily | windrow explain weather.yaml - --format json --json
    ```

    Parameters
    ----------
    spec:
        The stream spec.
    file:
        The payload; - is standard input, with --format.
    format:
        What the payload is, where its name does not say it.
    received:
        When it is received, such as 2026-01-01T00:00:00Z. Default: now.
    rows:
        Most records, rejects and windows to show. JSON always holds all of them.
    as_json:
        Print {"records", "rejects", "windows", "filtered", "unknown_fields", "response"}.
    """
    parsed = read_spec(spec)
    payload = _payload(file, format)
    found = explain(payload, parsed, _received_us(received), DEFAULT_LIMITS)
    if as_json:
        context.print_json(plain(found))
    else:
        _print(found, parsed, rows, context)
    return 1 if found.rejects else 0


def _payload(file: str, kind: Format | None) -> Payload:
    told: Kind | None = None if kind is None else kind_of_name(f"x.{kind}")
    path = Path(file)
    if told is None and kind_of_name(path.name) is None and not path.name.endswith(".zip"):
        raise BadInput(f"{file}: its name does not say what it holds; use one of {', '.join(SUFFIXES)}, or --format")
    try:
        body = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror}") from error
    return Payload("stdin" if file == STDIN else path.name, body, told)


def _received_us(text: str | None) -> int:
    if text is None:
        return SystemClock().now_us()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"--received {text!r} is not a time; write it as 2026-01-01T00:00:00Z") from error
    return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _print(found: Explanation, spec: StreamSpec, rows: int, context: Context) -> None:
    out = context.out
    kept, refused = found.records.height, len(found.rejects)
    title = f"[bold]{found.record_count:,}[/] record{_s(found.record_count)}: "
    title += f"[green]{kept:,} row{_s(kept)}[/] for {spec.stream}.records"
    title += f", [yellow]{refused:,} to quarantine[/]" if refused else ""
    title += f", {found.filtered:,} filtered" if found.filtered else ""
    out.print(title, highlight=False)
    out.print()
    if kept:
        out.print(_frame_table(found, spec, rows))
        _rest(context, kept, rows, "records")
    if found.rejects:
        out.print(rejects_table(found.rejects[:rows]))
        _rest(context, refused, rows, "rejects")
    if found.windows.height:
        table = Table(*found.windows.columns, header_style="bold", title="windows", title_justify="left")
        for row in found.windows.head(rows).iter_rows():
            table.add_row(*map(cell, row))
        out.print(table)
        _rest(context, found.windows.height, rows, "windows")
    for path, count in found.unknown.items():
        what = {"discard": "is dropped", "evolve": "becomes a column"}.get(spec.schema_policy, "is refused")
        sentence = f"field {path!r}, which no column names, {what} ({count:,} record{_s(count)})"
        out.print(sentence, highlight=False, markup=False, soft_wrap=True)
    body = found.answer.body
    out.print(f"[bold]HTTP {found.answer.status}[/] to the sender", end="", highlight=False)
    message = getattr(body, "message", "")
    out.print(shown(f": {message}") if message else "", highlight=False, markup=False, soft_wrap=True)


def _frame_table(found: Explanation, spec: StreamSpec, rows: int) -> Table:
    table = Table(header_style="bold", title="records", title_justify="left")
    for name in found.records.columns:
        table.add_column(name, header_style="bold cyan" if name == spec.time.column else "bold")
    for row in found.records.head(rows).iter_rows():
        table.add_row(*(cell("" if value is None else value) for value in row))
    return table


def rejects_table(rejects: tuple[Reject, ...]) -> Table:
    """Rejects for people: where, why, and what stood there."""
    table = Table("line", "record", "reason", "field", "what is wrong", header_style="bold", title="rejects")
    table.title_justify = "left"
    for reject in rejects:
        place = "" if reject.line is None else str(reject.line)
        place += "" if reject.column is None else f":{reject.column}"
        index = "" if reject.index is None else str(reject.index)
        table.add_row(place, index, reject.reason, cell(reject.field or ""), cell(reject.message))
    return table


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _rest(context: Context, total: int, rows: int, what: str) -> None:
    if total > rows:
        context.out.print(f"… and {total - rows:,} more {what} (--rows {total}, or --json)", highlight=False)
    context.out.print()
