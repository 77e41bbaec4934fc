"""`windrow init`: a stream spec proposed from a sample."""

import io
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from windrow.errors import BadInput
from windrow.proposal import Choices, Proposal, propose
from windrow_cli.cells import cell, shown
from windrow_cli.context import STDIN, AsJson, Context, Injected

_MAX_STDIN_BYTES = 64 << 20
_FOLDER = Path("config/streams")


def init(
    *,
    sample: Annotated[str, Parameter(name="--from")],
    stream: str | None = None,
    output: str | None = None,
    force: Annotated[bool, Parameter(negative="")] = False,
    time: str | None = None,
    time_format: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    zone: str | None = None,
    receipt: Annotated[bool, Parameter(negative="")] = False,
    records: str | None = None,
    arrays: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: Literal["yes", "no"] | None = None,
    as_json: AsJson = False,
    context: Injected,
) -> int:
    """Propose a stream spec from a sample of its records.

    Reads CSV, TSV, JSON, NDJSON, GeoJSON, Parquet or Arrow, compressed or not, and writes a spec in which every guess
    says what it rests on. Where the sample fits two readings, such as day first and month first, nothing is written:
    the readings are shown with the option that chooses each, and the exit code is 1.

    ```
    windrow init --from readings.csv
    windrow init --from bikes.csv --time-format '%d/%m/%Y' --zone America/Toronto
    windrow init --from forecast.json --arrays hourly --stream weather
    windrow init --from export.csv.gz --time Date,Time --output -
    ```

    Parameters
    ----------
    sample:
        A file with some of the records; - is standard input.
    stream:
        Name of the stream. Default: the file's name.
    output:
        Where the spec goes; - is standard output. Default: config/streams/STREAM.yaml.
    force:
        Overwrite the file, if it is there.
    time:
        Column of the event time; several, such as year,month,day, make it up together.
    time_format:
        How times are written: iso8601, epoch_s, epoch_ms, epoch_us, epoch_ns or a strptime pattern. Several are tried
        in order.
    zone:
        Time zone of times without an offset, such as Europe/Berlin.
    receipt:
        The records are snapshots without a time; that of their receipt counts as theirs.
    records:
        Path of the array of records in a JSON document; . is the document itself.
    arrays:
        Path of an object of equally long arrays in a JSON document.
    delimiter:
        Between the fields of a CSV file; tab is one.
    decimal:
        Decimal mark of the numbers in a CSV file: . or ,
    encoding:
        utf-8, latin-1, windows-1252 or utf-16.
    header:
        Whether the first line of a CSV file names the columns.
    as_json:
        Print the spec, the evidence and the questions as JSON. No file is written without --output.
    """
    choices = Choices(
        stream=stream,
        time=tuple(name.strip() for name in time.split(",")) if time is not None else (),
        time_formats=time_format,
        zone=zone,
        receipt=receipt,
        delimiter=delimiter,
        decimal=decimal,
        header=None if header is None else header == "yes",
        encoding=encoding,
        records=records,
        arrays=arrays,
    )
    with _opened(sample) as (file, name):
        proposal = propose(file, name, choices)
    target = _target(output, proposal.stream, as_json=as_json)
    if proposal.text is not None and target is not None:
        _write(target, proposal.text, force=force)
    if as_json:
        context.print_json(_document(proposal, target))
    elif proposal.text is None:
        _print_questions(proposal, sample, context)
    else:
        if target is None:
            context.out.out(proposal.text, end="", highlight=False)
        _print_proposal(proposal, target, sample, context, context.out if target is not None else context.err)
    return 0 if proposal.text is not None else 1


# ---------------------------------------------------------------------------------------------------- files


@contextmanager
def _opened(sample: str) -> Iterator[tuple[BinaryIO, str]]:
    """The sample, seekable, and its name."""
    path = Path(sample)
    try:
        if sample == STDIN:
            yield io.BytesIO(sys.stdin.buffer.read(_MAX_STDIN_BYTES)), "stdin"
            return
        if path.is_dir():
            raise BadInput(f"{path}: is a folder; give one file of it")
        with path.open("rb") as file:
            yield (file if file.seekable() else io.BytesIO(file.read(_MAX_STDIN_BYTES))), path.name
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror or error}") from error


def _target(output: str | None, stream: str, *, as_json: bool) -> Path | None:
    """Where the spec goes; None for standard output."""
    if output is None:
        return None if as_json else _FOLDER / f"{stream}.yaml"
    return None if output == STDIN else Path(output)


def _write(target: Path, text: str, *, force: bool) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise BadInput(f"{target} is there already; --force overwrites it, --output names another file") from error
    except OSError as error:
        raise BadInput(f"{target}: cannot be written: {error.strerror}") from error


# ---------------------------------------------------------------------------------------------------- what is shown


def _document(proposal: Proposal, target: Path | None) -> dict[str, Any]:
    return {
        "stream": proposal.stream,
        "spec": proposal.text,
        "file": None if target is None or proposal.text is None else str(target),
        "columns": [asdict(column) for column in proposal.columns],
        "evidence": [asdict(each) for each in proposal.evidence],
        "questions": [asdict(question) for question in proposal.questions],
    }


def _print_proposal(proposal: Proposal, target: Path | None, sample: str, context: Context, console: Console) -> None:
    settings = Table("setting", "guess", "evidence", box=SIMPLE_HEAD, header_style="bold")
    for each in proposal.evidence:
        settings.add_row(*map(cell, (each.about, each.guess, each.why)))
    columns = Table("column", "type", "source", "evidence", box=SIMPLE_HEAD, header_style="bold")
    for column in proposal.columns:
        columns.add_row(*map(cell, (column.name, column.type, column.source, "; ".join((column.why, *column.hints)))))
    console.print(settings)
    console.print(columns)
    if target is None:
        return
    where = str(target)
    console.print(f"Written to {shown(where)}. Look it through, then:", highlight=False, markup=False, soft_wrap=True)
    config = target.parent.parent if target.parent.name == "streams" else target.parent
    elsewhere = "" if config == _FOLDER.parent else f" --config {shlex.quote(str(config))}"
    program, stream = context.program, proposal.stream
    for command in (
        f"{program} lint {shlex.quote(where)}",
        f"{program} explain {shlex.quote(where)} {shlex.quote(sample)}",
        f"{program} dev --detach{elsewhere}",
        f"{program} send {stream} {shlex.quote(sample)}",
        f'{program} query "from {stream}.records limit 10"',
    ):
        console.print(f"  {shown(command)}", highlight=False, markup=False, soft_wrap=True)


def _print_questions(proposal: Proposal, sample: str, context: Context) -> None:
    for question in proposal.questions:
        context.err.print(f"[bold yellow]{question.about}:[/] ", end="")
        context.err.print(shown(question.text), highlight=False, markup=False, soft_wrap=True)
        for option in question.options:
            context.err.print(f"  {shown(option.flag)}", highlight=False, markup=False, soft_wrap=True, style="bold")
            context.err.print(f"      {shown(option.meaning)}", highlight=False, markup=False, soft_wrap=True)
    if any(question.options for question in proposal.questions):
        command = f"{context.program} init --from {shlex.quote(sample)}"
        context.err.print(
            f"Nothing was written. Choose: {shown(command)} with one of the options above.",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
