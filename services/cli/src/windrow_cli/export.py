"""Query results to people and programs: a table, CSV, JSON or Parquet, batch by batch."""

import base64
import csv
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import IO, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from windrow_cli.cells import cell, shown

OutputFormat = Literal["table", "csv", "json", "parquet"]
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_EXACT_FLOAT_INT = 2**53


def defuse(cell: str) -> str:
    """A text that a spreadsheet would run as a formula, marked as text by a leading quote mark."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def write_csv(batches: pa.RecordBatchReader, out: IO[str]) -> None:
    """A header and all rows. Texts are defused; numbers, times and the rest stand as they are."""
    writer = csv.writer(_UnixLines(out), lineterminator="\r\n")
    writer.writerow([defuse(name) for name in batches.schema.names])
    texts = [_csv_cell(field.type) for field in batches.schema]
    for batch in batches:
        columns = [column.to_pylist() for column in batch.columns]
        for row in zip(*columns, strict=True):
            writer.writerow([text(value) for text, value in zip(texts, row, strict=True)])


class _UnixLines:
    """The csv module quotes a lone carriage return only if its lines end with one; here they end without."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out

    def write(self, line: str) -> None:
        self._out.write(line.removesuffix("\r\n") + "\n")


def _csv_cell(kind: pa.DataType) -> Callable[[Any], str]:
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return lambda value: "" if value is None else str(value)
    if pa.types.is_temporal(kind) or pa.types.is_boolean(kind):
        return lambda value: (
            "" if value is None else str(plain(value)).lower() if value in (True, False) else plain(value)
        )
    return lambda value: "" if value is None else defuse(_text(value))


def _text(value: Any) -> str:
    simple = plain(value)
    return simple if isinstance(simple, str) else json.dumps(simple, ensure_ascii=False)


def write_json(batches: pa.RecordBatchReader, out: IO[str]) -> None:
    """One array of objects. Whole numbers stay exact; NaN and infinity, which JSON lacks, become null."""
    out.write("[")
    lead = "\n"
    for row in rows_of(batches):
        out.write(lead + json.dumps({name: plain(value) for name, value in row.items()}, ensure_ascii=False))
        lead = ",\n"
    out.write("\n]\n" if lead != "\n" else "]\n")


def write_parquet(batches: pa.RecordBatchReader, out: IO[bytes]) -> None:
    """A Parquet file, zstd-compressed."""
    with pq.ParquetWriter(out, batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def print_table(batches: pa.RecordBatchReader, console: Console, limit: int) -> None:
    """The first rows, and a word about the rest. Columns that do not fit are named instead of squeezed."""
    names = batches.schema.names
    rows: list[list[str]] = []
    is_more = False
    for row in rows_of(batches):
        if len(rows) == limit:
            is_more = True
            break
        rows.append([shown(_shown(value)) for value in row.values()])
    kept = _fitting(names, rows, console.width)
    table = Table(header_style="bold")
    for index in kept:
        kind = batches.schema.field(index).type
        is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        table.add_column(cell(names[index]), justify="right" if is_number else "left", overflow="fold")
    for texts in rows:
        table.add_row(*(cell(texts[index]) for index in kept))
    console.print(table)
    hidden = [name for index, name in enumerate(names) if index not in kept]
    if hidden:
        console.print(cell(f"no room for: {', '.join(hidden)}"), style="dim")
    if is_more:
        console.print(f"the first {limit:,} rows; see more with --limit, or all with --format csv", style="dim")
    else:
        console.print(f"{len(rows):,} row{'' if len(rows) == 1 else 's'}", style="dim")


def _fitting(names: list[str], rows: list[list[str]], width: int) -> list[int]:
    """The columns that fit side by side: from the left, Windrow's own (`_batch` and so on) last."""
    widths = [max([len(name), *(len(row[index]) for row in rows)]) + 3 for index, name in enumerate(names)]
    kept: list[int] = []
    left = width - 1
    for index in sorted(range(len(names)), key=lambda index: (names[index].startswith("_"), index)):
        left -= widths[index]
        if kept and left < 0:
            break
        kept.append(index)
    return sorted(kept)


def rows_of(batches: Iterable[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    """Row by row."""
    for batch in batches:
        yield from batch.to_pylist()


def plain(value: Any) -> Any:
    """A value as JSON knows it."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if value - value == 0 else None
        case Decimal():
            whole = value.to_integral_value()
            return int(whole) if value == whole else float(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes():
            return base64.b64encode(value).decode()
        case dict():
            return {str(name): plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case _:
            return str(value)


def _shown(value: Any) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.10g}"
        case datetime():
            return value.replace(tzinfo=None).isoformat(sep=" ")
        case _:
            return _text(value)
