"""CSV and TSV to raw columns, piece by piece.

A piece is read in columns if all of its rows are regular. If not, only that piece is gone through: line by line where
no field is quoted, record by record with the careful reader else. The three see the same records and values.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import AnyStr

import polars as pl
from msgspec.structs import replace

from windrow.decoding.chunks import Chunk, Original, Piece
from windrow.decoding.csv_columns import read_columns
from windrow.decoding.csv_cut import Quoting, Stretch, cut
from windrow.decoding.csv_dialect import LINE_BREAKS, Dialect, records, text_of
from windrow.decoding.csv_fields import Fields
from windrow.decoding.csv_header import check_names, read_header
from windrow.decoding.text import is_utf8, to_utf8
from windrow.quarantine import RecordFormat, Reject
from windrow.spec import StreamSpec

CHUNK_BYTES = 8 << 20
_VALUE_CHARS = 200
_ESCAPED = re.compile("[\udc80-\udcff]")


def cut_csv(
    blocks: Iterator[bytes],
    spec: StreamSpec,
    *,
    is_tsv: bool,
    max_record_bytes: int,
    chunk_bytes: int = CHUNK_BYTES,
    header: tuple[str, ...] | None = None,
    is_careful: bool = False,
) -> Iterator[Piece]:
    """Pieces of about `chunk_bytes` of a CSV text, in order. Where it is cut depends on nothing but its bytes.

    `blocks` are the decompressed bytes. With `header` they hold no header line, are UTF-8, and these are the names of
    the fields. `is_careful` reads every piece record by record, which is slow and gives the same.

    Raises BadInput, before the first piece, when there is no header, or it names a field twice or not the time.
    """
    dialect = Dialect.of(spec.format.csv, is_tsv=is_tsv)
    text = blocks if header is not None else to_utf8(blocks, spec.format.csv.encoding)
    line = 1
    if header is None and spec.format.csv.header:
        header, text, line = read_header(text, dialect, spec, max_record_bytes)
    names = header if header is not None else spec.format.csv.columns
    check_names(names, spec, dialect)
    fields = Fields.of(names, spec)
    for stretch in cut(text, dialect, line, max_record_bytes, chunk_bytes):
        yield partial(_read, stretch, fields, dialect, max_record_bytes, is_careful=is_careful)


def _read(stretch: Stretch, fields: Fields, dialect: Dialect, max_record_bytes: int, *, is_careful: bool) -> Chunk:
    if stretch.fault:
        return _refused(stretch, fields, dialect, max_record_bytes)
    is_regular = not is_careful and stretch.quoting is not Quoting.ANY and is_utf8(stretch.text)
    if is_regular:
        frame = read_columns(stretch.text, fields, dialect, is_quoted=stretch.quoting is Quoting.STRICT)
        if frame is not None:
            return _chunk(stretch, fields, dialect, _Rows(frame, _range(frame.height), frame.height))
    if not is_careful and stretch.quoting is Quoting.NONE:
        rows = _read_lines(stretch, fields, dialect)
        if rows is not None:
            return _chunk(stretch, fields, dialect, rows)
    return _chunk(stretch, fields, dialect, _read_records(stretch, fields, dialect))


@dataclass(frozen=True, slots=True)
class _Rows:
    """Fields of the rows that could be read, their indexes, and rejects of the others."""

    fields: pl.DataFrame
    indexes: pl.Series
    record_count: int
    rejects: list[Reject] = field(default_factory=list)


def _chunk(stretch: Stretch, fields: Fields, dialect: Dialect, rows: _Rows) -> Chunk:
    originals = _Originals(stretch, dialect)
    kept, indexes, rejects = rows.fields, rows.indexes, rows.rejects
    unknown = fields.held(kept)
    if unknown and fields.spec.schema_policy == "freeze":
        unknown = {}
        refused = [*fields.refused(kept, indexes)]
        is_good = ~indexes.is_in([reject.index for reject in refused])
        kept, indexes = kept.filter(is_good), indexes.filter(is_good)
        rejects = [*rejects, *(replace(each, line=originals(each.index or 0).line) for each in refused)]
    return Chunk(
        rows=fields.rows(kept, indexes),
        rejects=tuple(sorted(rejects, key=lambda reject: reject.index or 0)),
        record_count=rows.record_count,
        original=originals,
        format=_format(dialect),
        header=fields.names,
        unknown=unknown,
    )


def _format(dialect: Dialect) -> RecordFormat:
    """How an original is to be read again; a delimiter that the spec names is the spec's then, too."""
    return "tsv" if dialect.delimiter == "\t" else "csv"


def _range(height: int) -> pl.Series:
    return pl.int_range(height, dtype=pl.Int64, eager=True)


# ------------------------------------------------------------------------------------------------ line by line


def _read_lines(stretch: Stretch, fields: Fields, dialect: Dialect) -> _Rows | None:
    """Rows of a stretch in which no field is quoted, so that every line is a record.

    Regular lines are put together and read in columns. None if even those cannot be.
    """
    delimiter, width = dialect.delimiter.encode(), len(fields.names)
    is_text = is_utf8(stretch.text)
    good: list[bytes] = []
    indexes: list[int] = []
    rejects: list[Reject] = []
    index = -1
    for number, line in enumerate(stretch.text.splitlines(), start=stretch.line):
        if not line:
            continue
        index += 1
        whole: bytes | None = line
        if not is_text and not _is_text(line):
            rejects.append(_reject("bad_encoding", _BAD_ENCODING, index, number, line))
            continue
        if line.count(delimiter) != width - 1:
            parts = _fitted(line.split(delimiter), b"", fields)
            whole = None if parts is None else delimiter.join(parts)
        if whole is None:
            rejects.append(_reject("ragged_row", _ragged(line.count(delimiter) + 1, fields), index, number, line))
        else:
            good.append(whole)
            indexes.append(index)
    frame: pl.DataFrame | None = _nothing(width)
    if good:
        frame = read_columns(b"\n".join(good) + b"\n", fields, dialect, is_quoted=False)
    return None if frame is None else _Rows(frame, pl.Series(indexes, dtype=pl.Int64), index + 1, rejects)


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


# ---------------------------------------------------------------------------------------------- record by record


def _read_records(stretch: Stretch, fields: Fields, dialect: Dialect) -> _Rows:
    """Rows of any stretch."""
    width = len(fields.names)
    lines = stretch.text.splitlines(keepends=True)
    is_text = is_utf8(stretch.text)
    good: list[list[str]] = []
    indexes: list[int] = []
    rejects: list[Reject] = []
    index = -1
    for record in records(lines, dialect):
        values: list[str] | None = record.fields
        if not values:
            continue
        index += 1
        if not is_text and any(map(_ESCAPED.search, values)):
            fault = "bad_encoding", _BAD_ENCODING
        elif len(values) == width or (values := _fitted(values, "", fields)) is not None:
            good.append(values)
            indexes.append(index)
            continue
        else:
            fault = "ragged_row", _ragged(len(record.fields), fields)
        text = text_of(lines, record.first, record.end)
        rejects.append(_reject(*fault, index, stretch.line + record.first, text))
    frame = _nothing(width)
    if good:
        frame = pl.DataFrame(
            [
                pl.Series(str(place), [value or None for value in column], pl.String)
                for place, column in enumerate(zip(*good, strict=True))
            ]
        )
    return _Rows(frame, pl.Series(indexes, dtype=pl.Int64), index + 1, rejects)


def _nothing(width: int) -> pl.DataFrame:
    return pl.DataFrame(schema={str(place): pl.String() for place in range(width)})


# ------------------------------------------------------------------------------------------------ rejects


_BAD_ENCODING = (
    "the row holds bytes that are no text in the file's encoding; set format.csv.encoding to the one it is written in"
)


def _fitted(values: list[AnyStr], nothing: AnyStr, fields: Fields) -> list[AnyStr] | None:
    """A ragged row's values as many as the header has names; None if it is refused."""
    width = len(fields.names)
    if fields.spec.format.csv.ragged == "reject" or any(values[width:]):
        return None
    return values[:width] + [nothing] * (width - len(values))


def _ragged(count: int, fields: Fields) -> str:
    width = len(fields.names)
    message = f"the row has {count} field{'s' * (count != 1)}, the header {width}"
    if fields.spec.format.csv.ragged == "pad":
        message += ", and those beyond are not empty"
    return message


def _reject(reason: str, message: str, index: int, line: int, text: bytes) -> Reject:
    value = text[: 4 * _VALUE_CHARS].decode(errors="replace")[:_VALUE_CHARS]
    return Reject(reason=reason, message=message, index=index, line=line, value=value)


def _refused(stretch: Stretch, fields: Fields, dialect: Dialect, max_record_bytes: int) -> Chunk:
    """The chunk of one record that cannot be read."""
    if stretch.fault == "too_large":
        message = f"the row has more than {max_record_bytes} bytes"
    else:
        message = "a quote opens a field and none closes it; the line is refused, and reading goes on with the next"
    reject = _reject(stretch.fault, message, 0, stretch.line, stretch.text)
    return Chunk(
        rows=fields.rows(_nothing(len(fields.names)), pl.Series([], dtype=pl.Int64)),
        rejects=(reject,),
        record_count=1,
        original=lambda _: Original(stretch.line, stretch.text),
        format=_format(dialect),
        header=fields.names,
    )


class _Originals:
    """The text of single records, looked for only when one is refused."""

    def __init__(self, stretch: Stretch, dialect: Dialect) -> None:
        self._stretch = stretch
        self._dialect = dialect
        self._lines: list[bytes] = []
        self._spans: list[tuple[int, int]] | None = None

    def __call__(self, index: int) -> Original:
        if not self._lines:
            self._lines = self._stretch.text.splitlines(keepends=True)
            self._spans = self._find()
        first, end = (index, index + 1) if self._spans is None else self._spans[index]
        return Original(self._stretch.line + first, text_of(self._lines, first, end))

    def _find(self) -> list[tuple[int, int]] | None:
        """The lines of each record; None where each has one, and there are no others."""
        text = self._stretch.text
        match self._stretch.quoting:
            case Quoting.NONE:
                if b"\r" not in text and b"\n\n" not in text and not text.startswith(b"\n"):
                    return None
                return [(place, place + 1) for place, line in enumerate(self._lines) if line.rstrip(LINE_BREAKS)]
            case Quoting.STRICT:
                return [*self._pairs(self._dialect.quote.encode())]
            case Quoting.ANY:
                return [(each.first, each.end) for each in records(self._lines, self._dialect) if each.fields]

    def _pairs(self, quote: bytes) -> Iterator[tuple[int, int]]:
        """Where quotes are strict, a record ends with the first line after an even number of them."""
        first, is_open = 0, False
        for place, line in enumerate(self._lines):
            is_open ^= line.count(quote) % 2 == 1
            if not is_open:
                if place > first or line.rstrip(LINE_BREAKS):
                    yield first, place + 1
                first = place + 1
