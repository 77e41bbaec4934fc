"""CSV with a header line to raw text columns."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
from pyarrow import csv as pa_csv

from windrow.errors import BadInput
from windrow.quarantine import Reject
from windrow.spec import StreamSpec
from windrow_consumer.checks import INDEX

_VALUE_CHARS = 200
_MAX_FIELD_CHARS = 1 << 30  # an object is bounded already; the module's own 128 KiB would be an error, not a reject


@dataclass(frozen=True, slots=True)
class CsvRecords:
    """Raw columns, rejects of ragged rows, and what is needed to give back a record's original text."""

    rows: pl.DataFrame
    rejects: tuple[Reject, ...]
    record_count: int
    header: tuple[str, ...]
    originals: "Originals"


class Originals:
    """The text of single records, found again only when one is refused."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: list[tuple[int, str]] | None = None

    def record(self, index: int) -> tuple[int, str]:
        """The line (from 1) on which a record starts, and its text without the line break."""
        if self._lines is None:
            self._lines = _records_with_lines(self._text)[1:]
        return self._lines[index]


def read_csv(body: bytes, spec: StreamSpec) -> CsvRecords:
    """Raw columns of a CSV body: UTF-8, comma, a header that names the columns.

    An empty field is a missing value. Rows with another number of fields than the header are rejected, each for
    itself. Raises BadInput when there is no header, or it lacks the time column.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"not UTF-8: byte {error.start} is {body[error.start]:#04x}") from error
    header = tuple(next(csv.reader(_lines(text)), ()))
    _check_header(header, spec)
    frame = _read_columnar(text, header)
    if frame is None:
        return _read_one_by_one(text, header, spec)
    rows = _select(frame, spec).with_columns(pl.int_range(frame.height, dtype=pl.Int64).alias(INDEX))
    return CsvRecords(rows, (), frame.height, header, Originals(text))


def _read_columnar(text: str, header: Sequence[str]) -> pl.DataFrame | None:
    """All rows at once, or None if any row does not have exactly one field per name."""
    plain = text.encode()
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(plain),
            read_options=pa_csv.ReadOptions(block_size=min(max(1 << 20, len(plain)), 1 << 26)),
            parse_options=pa_csv.ParseOptions(newlines_in_values=b'"' in plain),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""]
            ),
        )
    except pa.ArrowInvalid:
        return None
    frame = pl.DataFrame(table)
    return frame if tuple(frame.columns) == tuple(header) else None


def _check_header(header: Sequence[str], spec: StreamSpec) -> None:
    time = spec.source_of(spec.time.column)
    if time not in header:
        found = ", ".join(header[:20]) or "none"
        raise BadInput(f"the header has no column {time!r} (columns: {found})")
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        raise BadInput(f"the header names {', '.join(map(repr, sorted(twice)))} more than once")


def _read_one_by_one(text: str, header: tuple[str, ...], spec: StreamSpec) -> CsvRecords:
    good: list[list[str | None]] = []
    indexes: list[int] = []
    rejects: list[Reject] = []
    reader = csv.reader(_lines(text))
    next(reader)
    count = 0
    for fields in reader:
        if not fields:
            continue
        if len(fields) == len(header):
            good.append([field or None for field in fields])
            indexes.append(count)
        else:
            message = f"the row has {len(fields)} fields, the header {len(header)}"
            rejects.append(
                Reject(reason="ragged_row", message=message, index=count, value=",".join(fields)[:_VALUE_CHARS])
            )
        count += 1
    frame = pl.DataFrame(good, schema=dict.fromkeys(header, pl.String), orient="row")
    rows = _select(frame, spec).with_columns(pl.Series(INDEX, indexes, pl.Int64))
    return CsvRecords(rows, tuple(rejects), count, header, Originals(text))


def _select(frame: pl.DataFrame, spec: StreamSpec) -> pl.DataFrame:
    return frame.select(
        (
            pl.col(spec.source_of(name))
            if spec.source_of(name) in frame.columns
            else pl.lit(None, pl.String).alias(spec.source_of(name))
        ).alias(name)
        for name in spec.columns
    )


def _lines(text: str) -> Iterable[str]:
    """Lines with their line breaks, as the columnar reader sees them; `str.splitlines` takes more for line breaks."""
    csv.field_size_limit(_MAX_FIELD_CHARS)
    return io.StringIO(text, newline="")


def _records_with_lines(text: str) -> list[tuple[int, str]]:
    """Every non-empty record of the text, header included, with the line it starts on."""
    lines = list(_lines(text))
    reader = csv.reader(lines)
    found = []
    start = 0
    for fields in reader:
        if fields:
            found.append((start + 1, "".join(lines[start : reader.line_num]).rstrip("\r\n")))
        start = reader.line_num
    return found
