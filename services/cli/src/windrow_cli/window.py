"""`windrow window`: windows over files on this machine, without any service."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Any, Literal, get_args

import msgspec
import polars as pl
import pyarrow as pa
from cyclopts import Parameter
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from windrow.admission import DEFAULT_LIMITS
from windrow.clock import SystemClock
from windrow.decoding.decode import decode, read_ahead
from windrow.decoding.formats import CONTENT_TYPES, SUFFIXES, kind_of_name
from windrow.decoding.parts import Batch, Decoded, DecodeLimits
from windrow.errors import BadInput, SchemaConflict, TooLarge, first_line
from windrow.inflate import codec_of_name
from windrow.lake.dedupe import deduplicate
from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT, conform, segment_schema
from windrow.quarantine import QuarantinedRecord, encode_lines
from windrow.spec import StreamSpec, WindowSpec
from windrow.spec.names import did_you_mean
from windrow.units import to_us
from windrow.windows.engine import compute
from windrow_cli import export
from windrow_cli.cells import cell, shown
from windrow_cli.context import STDIN, AsJson, Context, Injected
from windrow_cli.specs import read_spec

Format = Literal["json", "ndjson", "jsonl", "csv", "tsv", "geojson", "parquet", "arrow"]
OutputKind = Literal["parquet", "csv", "json", "ndjson"]
_PLACEHOLDER = "{window}"
_WINDOW = "_window"
"""What a row of JSON says of its window; no column of a stream begins with `_`."""
_ROWS = 20
_SHOWN_REJECTS = 5
_SHOWN_MEMBERS = 4
_BLOCK_BYTES = 1 << 20
_ANY_SIZE_BYTES = 1 << 62
_READERS = 4
_OUTPUT_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class _Input:
    """A file of records. `path` is where its bytes are, `name` what the command line calls it."""

    name: str
    path: Path
    content_type: str
    size_bytes: int
    is_of_table: bool
    """Whether it holds records as a stream's table and its segments do: typed, checked, and with an identity."""


def window_command(
    spec: Path,
    /,
    *files: str,
    window: Annotated[list[str] | None, Parameter(alias="-w", negative="")] = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    rejects: Path | None = None,
    format: Format | None = None,  # noqa: A002  the option's name
    received: datetime | None = None,
    rows: Annotated[int, Parameter(alias="-n")] = _ROWS,
    as_json: AsJson = False,
    context: Injected,
) -> int:
    """Compute windows over files on this machine, without anything running.

    Reads whatever the services read, and computes what they compute. Records that are in several files, or several
    times in one, count once if the spec has `unique`; files count as received in the order they are given in. A record
    that is refused costs only itself. Ends with 1 if any record is refused.

    ```
    windrow window sensors.yaml readings.ndjson
    windrow window sensors.yaml april.csv.gz may.csv.gz --window every_minute --output minutes.parquet
    windrow window sensors.yaml trips-2026-*.parquet --output "{window}.csv" --rejects refused.ndjson
    zcat readings.ndjson.gz | windrow window sensors.yaml - --format ndjson --json
    ```

    Parameters
    ----------
    spec:
        The stream spec.
    files:
        .ndjson, .jsonl, .json, .geojson, .csv, .tsv, .parquet, .arrow or .feather; .gz, .zst or .bz2 may follow; or a
        .zip with one such file. Parquet with the records of a stream's own table is taken as it is. - is standard
        input, with --format.
    window:
        Which of the spec's windows; may be given several times. Default: all.
    output:
        File to write: .parquet, .csv, .json or .ndjson. For several windows, with {window} in its name.
    rejects:
        File for the records that are refused, as NDJSON, each with the reason and what was sent.
    format:
        What the files hold, where their names do not say it.
    received:
        When the records count as received, such as 2026-01-01T00:00:00Z. Default: now.
    rows:
        Most rows to show of each window, without --output or --json.
    as_json:
        Print rows as NDJSON, each with the name of its window as `_window`.
    """
    parsed = read_spec(spec)
    chosen = _chosen(parsed, window or [])
    if output is not None:
        _check_output(output, chosen, as_json=as_json)
    now_us = SystemClock().now_us() if received is None else _to_us(received)
    with ExitStack() as stack:
        inputs = [_input(file, format, stack) for file in files]
        if not inputs:
            raise BadInput("give at least one file, or - for standard input")
        _check_not_read((rejects, *(output and _output_path(output, name) for name in chosen)), inputs)
        reading = _Reading(parsed, tuple(chosen.values()), now_us, stack.enter_context(_rejects_file(rejects)))
        with _bar(context) as bar:
            found = reading.read(inputs, bar)
            results = {name: _computed(found, parsed, name, each, bar) for name, each in chosen.items()}
    reading.tell(context, rejects)
    if output is not None:
        for name, frame in results.items():
            _write(frame, _output_path(output, name), context)
    elif as_json:
        for name, frame in results.items():
            named = frame.select(pl.lit(name).alias(_WINDOW), pl.all())
            _write_lines(_batches(named), context.out.file)
    else:
        for name, frame in results.items():
            _print_table(frame, name, rows, context)
    return 1 if reading.refused else 0


def _chosen(spec: StreamSpec, names: Sequence[str]) -> dict[str, WindowSpec]:
    """The windows to compute, in the order they were asked for; BadInput for one that the spec does not define."""
    if not spec.windows:
        raise BadInput(f"{spec.stream} defines no windows; add some to its spec, under `windows`")
    for name in names:
        if name not in spec.windows:
            hint = did_you_mean(name, spec.windows) or f"; there are {', '.join(spec.windows)}"
            raise BadInput(f"{spec.stream} has no window {name!r}{hint}")
    return {name: spec.windows[name] for name in (names or spec.windows)}


def _to_us(moment: datetime) -> int:
    return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


# ------------------------------------------------------------------------------------------------ how far it has come


class _Bar:
    """How far reading has come, then what is being computed; nothing is drawn where nobody looks."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task("", total=None)
        self._before_bytes = 0
        self._read_bytes = 0

    def start(self, size_bytes: int) -> None:
        self._progress.update(self._task, total=size_bytes)

    def read(self, size_bytes: int) -> None:
        self._read_bytes += size_bytes
        # Once to see that the file is whole, and once for its records.
        self._progress.update(self._task, completed=self._before_bytes + self._read_bytes / 2)

    def finish(self, size_bytes: int) -> None:
        """A file is read."""
        self._before_bytes += size_bytes
        self._read_bytes = 0
        self._progress.update(self._task, completed=self._before_bytes)

    def show(self, what: str) -> None:
        self._progress.update(self._task, description=shown(what))


@contextmanager
def _bar(context: Context) -> Iterator[_Bar]:
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeRemainingColumn(),
        console=context.err,
        transient=True,
        disable=not context.err.is_terminal,
    ) as progress:
        yield _Bar(progress)


# ------------------------------------------------------------------------------------------------ files to read


def _input(file: str, told: Format | None, stack: ExitStack) -> _Input:
    path = Path(file)
    if path.is_dir():
        raise BadInput(f"{file}: is a folder; name the files in it, such as {path}/*.parquet")
    kind = kind_of_name(file) if told is None else kind_of_name(f"x.{told}")
    is_stdin = file == STDIN
    if kind is None and not file.lower().endswith(".zip"):
        name = "standard input" if is_stdin else file
        raise BadInput(f"{name}: its name does not say what it holds; use one of {', '.join(SUFFIXES)}, or --format")
    content_type = "" if told is None or kind is None else CONTENT_TYPES[kind]
    try:
        if is_stdin:
            # Large objects are read twice; a pipe can be read once.
            held = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="windrow-"))) / "stdin"
            with Path(file).open("rb") as pipe, held.open("wb") as copy:
                shutil.copyfileobj(pipe, copy)
            return _Input("stdin", held, content_type, held.stat().st_size, is_of_table=False)
        with path.open("rb"):
            return _Input(file, path, content_type, path.stat().st_size, _is_of_table(file, path, told))
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror}") from error


def _is_of_table(file: str, path: Path, told: Format | None) -> bool:
    if told is not None or not file.lower().endswith(".parquet"):
        return False
    try:
        return {BATCH, ORDINAL, RECEIVED_AT} <= set(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return False  # the decoder says what is wrong


def _check_not_read(written: Iterable[Path | None], inputs: Sequence[_Input]) -> None:
    read = {each.path.resolve() for each in inputs}
    for path in written:
        if path is not None and path.resolve() in read:
            raise BadInput(f"{path}: is one of the files to read; choose another name")


@dataclass
class _Reading:
    """Files to records, and what became of the others."""

    spec: StreamSpec
    windows: tuple[WindowSpec, ...]
    received_us: int
    rejects_file: IO[bytes] | None
    files: int = 0
    records: int = 0
    duplicates: int = 0
    refused: int = 0
    filtered: int = 0
    shown: list[QuarantinedRecord] = field(default_factory=list)

    def read(self, inputs: Sequence[_Input], bar: _Bar) -> pl.DataFrame:
        """Every record once, with the columns that the windows need; BadInput if a file cannot be read."""
        columns = self._columns()
        bar.start(sum(each.size_bytes for each in inputs))
        parts = [segment_schema(self.spec).to_frame().select(columns)]
        with ThreadPoolExecutor(min(_READERS, os.cpu_count() or 1), thread_name_prefix="read") as pool:
            for each in inputs:
                for part in self._parts(each, pool, bar):
                    # At once: whatever else a record holds would only take up memory.
                    parts.append(part.select(columns))
                    bar.show(f"{each.name}: {self.records:,} records")
                bar.finish(each.size_bytes)
                self.files += 1
        rows = pl.concat(parts)
        if not self.spec.unique and not any(each.is_of_table for each in inputs):
            # A record is then told by its file and its place in it, so that no two can be the same.
            return rows
        bar.show("removing what is there twice")
        once = deduplicate(rows, self.spec)
        self.duplicates = rows.height - once.height
        return once

    def _columns(self) -> list[str]:
        """What windows are made of, and what tells records apart and puts them in order."""
        inputs = {aggregate.column for window in self.windows for aggregate in window.aggregates.values()}
        place = {BATCH, ORDINAL, RECEIVED_AT}
        used = {self.spec.time.column, *self.spec.keys, *self.spec.identity, *place, *inputs}
        return [name for name in segment_schema(self.spec) if name in used]

    def _parts(self, each: _Input, pool: ThreadPoolExecutor, bar: _Bar) -> Iterator[pl.DataFrame]:
        try:
            if each.is_of_table:
                yield self._of_table(each)
                return
            # Names sort as the files were given; and polars keeps texts this short in place.
            batch = f"{self.files:08d}"
            described = Batch(batch, each.name, self.received_us + self.files, each.content_type, _codec(each))
            limits = DecodeLimits(_ANY_SIZE_BYTES, DEFAULT_LIMITS.max_record_bytes, _ANY_SIZE_BYTES)
            for part in decode(lambda: _blocks(each, bar), described, self.spec, limits, read_ahead(pool)):
                self._count(part, each)
                yield part.rows
        except (BadInput, TooLarge, SchemaConflict) as error:
            text = str(error)
            raise BadInput(text if text.startswith(f"{each.name}:") else f"{each.name}: {text}") from error
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise BadInput(f"{each.name}: cannot be read: {first_line(error)}") from error
        except OSError as error:
            raise BadInput(f"{each.name}: cannot be read to its end: {error.strerror}") from error

    def _of_table(self, each: _Input) -> pl.DataFrame:
        schema = segment_schema(self.spec)
        wanted = {name: schema[name] for name in self._columns()}
        there = [name for name in pl.read_parquet_schema(each.path) if name in wanted]
        rows = conform(pl.read_parquet(each.path, columns=there), pl.Schema(wanted), each.name)
        if rows[self.spec.time.column].null_count():
            raise BadInput(f"holds records without {self.spec.time.column!r}; is it a table of another stream?")
        self.records += rows.height
        return rows

    def _count(self, part: Decoded, each: _Input) -> None:
        self.records += part.record_count
        self.refused += part.quarantined
        self.filtered += part.filtered
        named = [msgspec.structs.replace(record, batch=each.name) for record in part.rejected]
        if self.rejects_file is not None:
            self.rejects_file.write(encode_lines(named))
        self.shown.extend(named[: _SHOWN_REJECTS - len(self.shown)])

    def tell(self, context: Context, rejects: Path | None) -> None:
        """What was read, for people, beside the result."""
        parts = [
            f"{count:,} {what}"
            for count, what in (
                (self.duplicates, "there twice"),
                (self.filtered, "filtered"),
                (self.refused, "refused"),
            )
            if count
        ]
        title = f"{_many(self.records, 'record')} in {_many(self.files, 'file')}"
        _say(context, f"{title}: {', '.join(parts)}" if parts else title)
        for record in self.shown:
            _say(context, f"  {_place(record)}: {record.reject.reason}: {record.reject.message}")
        if rejects is not None:
            _say(context, f"wrote {rejects}: {_many(self.refused, 'record')}")
        elif self.refused > len(self.shown):
            _say(context, f"  … and {self.refused - len(self.shown):,} more (--rejects FILE has all of them)")


def _codec(each: _Input) -> str:
    codec = codec_of_name(each.name.lower())
    return "" if codec in ("identity", "zip") else codec


def _blocks(each: _Input, bar: _Bar) -> Iterator[bytes]:
    with each.path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            bar.read(len(block))
            yield block


def _place(record: QuarantinedRecord) -> str:
    """Where an editor finds a record: file, line and column, or file and place among the records."""
    reject = record.reject
    if reject.line is None:
        return f"{record.batch}: record {record.ordinal}"
    return f"{record.batch}:{reject.line}" + ("" if reject.column is None else f":{reject.column}")


@contextmanager
def _rejects_file(path: Path | None) -> Iterator[IO[bytes] | None]:
    if path is None:
        yield None
        return
    with _opened(path, "wb") as file:
        yield file


# ------------------------------------------------------------------------------------------------ windows


def _computed(rows: pl.DataFrame, spec: StreamSpec, name: str, window: WindowSpec, bar: _Bar) -> pl.DataFrame:
    bar.show(f"computing {name}")
    try:
        return compute(rows, spec, window)
    except TooLarge as error:
        raise TooLarge(f"{name}: {error}") from error


# ------------------------------------------------------------------------------------------------ results


def _check_output(output: Path, chosen: dict[str, WindowSpec], *, as_json: bool) -> None:
    if as_json:
        raise BadInput("--json prints to standard output; leave it out, or --output")
    if _kind(output) is None:
        endings = ", ".join(f".{each}" for each in get_args(OutputKind))
        raise BadInput(f"{output}: its name does not say a format; use {endings}")
    if len(chosen) > 1 and _PLACEHOLDER not in str(output):
        example = output.with_name(f"{output.stem}-{_PLACEHOLDER}{output.suffix}")
        raise BadInput(
            f"{output}: there are {len(chosen)} windows ({', '.join(chosen)}), each for a file of its own; choose one "
            f"with --window, or write --output '{example}'"
        )


def _kind(output: Path) -> OutputKind | None:
    suffix = output.suffix.lower().removeprefix(".")
    found: dict[str, OutputKind] = {each: each for each in get_args(OutputKind)}
    return found.get(suffix)


def _output_path(output: Path, name: str) -> Path:
    return Path(str(output).replace(_PLACEHOLDER, name))


def _write(frame: pl.DataFrame, path: Path, context: Context) -> None:
    batches = _batches(frame)
    kind = _kind(path)
    if kind == "parquet":
        with _opened(path, "wb") as file:
            export.write_parquet(batches, file)
    else:
        write = _WRITERS[kind or "ndjson"]
        with _opened(path, "w", encoding="utf-8", newline="") as file:
            write(batches, file)
    _say(context, f"wrote {path}: {_many(frame.height, 'row')}")


def _batches(frame: pl.DataFrame) -> pa.RecordBatchReader:
    """Rows in types that every reader of Arrow knows."""
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).to_reader(_OUTPUT_ROWS)


def _write_lines(batches: Iterable[pa.RecordBatch], out: IO[str]) -> None:
    for row in export.rows_of(batches):
        out.write(json.dumps({name: export.plain(value) for name, value in row.items()}, ensure_ascii=False) + "\n")


_WRITERS: dict[str, Callable[[pa.RecordBatchReader, IO[str]], None]] = {
    "csv": export.write_csv,
    "json": export.write_json,
    "ndjson": _write_lines,
}


def _print_table(frame: pl.DataFrame, name: str, rows: int, context: Context) -> None:
    table = Table(header_style="bold", title=shown(name), title_justify="left")
    for column, kind in frame.schema.items():
        table.add_column(column, justify="right" if kind.is_numeric() else "left")
    for row in frame.head(rows).iter_rows():
        table.add_row(*(cell(_short(value)) for value in row))
    context.out.print(table)
    more = frame.height - rows
    note = f"… and {more:,} more (--rows {frame.height}, or --output FILE)" if more > 0 else _many(frame.height, "row")
    context.out.print(note, style="dim", highlight=False)
    context.out.print()


def _short(value: object) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.10g}"
        case datetime():
            return value.replace(tzinfo=None).isoformat(sep=" ")
        case list() | tuple() if len(value) > _SHOWN_MEMBERS:
            return f"[{', '.join(map(_member, value[: _SHOWN_MEMBERS - 1]))}, … {len(value)} values]"
        case list() | tuple():
            return f"[{', '.join(map(_member, value))}]"
        case _:
            return str(value)


def _member(value: object) -> str:
    return "null" if value is None else _short(value)


@contextmanager
def _opened(path: Path, mode: str, **options: Any) -> Iterator[Any]:
    try:
        file = path.open(mode, **options)
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}") from error
    with file:
        yield file


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _say(context: Context, text: str) -> None:
    # To standard error, so that standard output holds the result alone.
    context.err.print(shown(text), style="dim", markup=False, highlight=False, soft_wrap=True)
