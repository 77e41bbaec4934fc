"""The columnar reading of CSV text: all rows at once, or not at all.

The library's reader is fast and forgiving. What it returns is taken only where arithmetic proves that it saw every
record with every field, and where a number means what its text means to the checks that follow.
"""

import math

import polars as pl

from windrow.decoding.csv_cut import bytes_of, count_pairs
from windrow.decoding.csv_dialect import Dialect
from windrow.decoding.csv_fields import Fields, Number

_LF, _CR = 0x0A, 0x0D
_MARK = b"\xef\xbb\xbf"


def read_columns(text: bytes, fields: Fields, dialect: Dialect, *, is_quoted: bool) -> pl.DataFrame | None:
    """The fields of all rows as text, or as numbers where `fields.numbers` allows; null where empty.

    `text` is UTF-8 in whole records; with `is_quoted`, its quotes must be strict (see csv_cut). None if any row has
    another number of fields than the header, or there are blank lines, or it cannot be told.
    """
    if not dialect.is_single_bytes:
        return None
    signs = bytes_of(text)
    feeds = int((signs == _LF).sum())
    if b"\r" in text:
        lone = int((signs == _CR).sum()) - count_pairs(signs)
        if lone and is_quoted:
            return None  # it may stand within quotes
        if lone:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            return read_columns(text, fields, dialect, is_quoted=False)
    delimiters = int((signs == ord(dialect.delimiter)).sum())
    if not text.endswith(b"\n"):
        text, feeds = text + b"\n", feeds + 1  # at the very end, one empty field too many would go unseen
    if text[:1] in _PREFIXED:
        text = _MARK + text
    for numbers in _attempts(fields, dialect, is_quoted=is_quoted):
        frame = _read(text, fields, dialect, numbers, is_quoted=is_quoted)
        if frame is None or not _mean_what_they_say(frame, numbers):
            continue
        if not _is_whole(frame, feeds, delimiters, dialect, is_quoted=is_quoted):
            return None
        return _without_empty(frame) if is_quoted else frame
    return None


_PREFIXED = frozenset(
    {b"x", _MARK[:1], *(bytes([low]) for low in range(0x20)), *(bytes([high]) for high in range(128, 256))}
)
"""First bytes that the reader might take for a byte order mark or compressed data. Behind a mark it takes none."""


def _attempts(fields: Fields, dialect: Dialect, *, is_quoted: bool) -> list[dict[int, Number]]:
    """Which fields to read as numbers, first as many as possible, then none."""
    if not fields.numbers or (is_quoted and not dialect.is_plain_sign):
        return [{}]  # a number could hide a delimiter
    signs = (dialect.delimiter, dialect.quote, "\n") if dialect.quote else (dialect.delimiter, "\n")
    safe = {
        place: number
        for place, number in fields.numbers.items()
        if not any(sign in marker for sign in signs for marker in number.markers[:1])
    }
    return [safe, {}] if safe else [{}]


def _read(
    text: bytes, fields: Fields, dialect: Dialect, numbers: dict[int, Number], *, is_quoted: bool
) -> pl.DataFrame | None:
    places = range(len(fields.names))
    try:
        return pl.read_csv(
            text,
            has_header=False,
            schema={str(place): numbers[place].type if place in numbers else pl.String() for place in places},
            separator=dialect.delimiter,
            quote_char=dialect.quote if is_quoted else None,
            null_values={str(place): number.markers[0] for place, number in numbers.items() if number.markers} or None,
        )
    except (pl.exceptions.PolarsError, OSError):
        return None


def _mean_what_they_say(frame: pl.DataFrame, numbers: dict[int, Number]) -> bool:
    """Whether each number is one that the checks would make of its text, and none might be a marker written otherwise.

    Those go by as text: 1e999 and `nan` must be refused as they are written, and -200.0 is not the marker -200.
    """
    for place, number in numbers.items():
        values = frame.to_series(place)
        # A sum is quicker, and finite only if all of them are.
        if values.dtype.is_float() and not math.isfinite(values.sum()) and not values.is_finite().all():
            return False
        if any((values == marker).any() for marker in _values_of(number.markers)):
            return False
    return True


def _values_of(markers: tuple[str, ...]) -> list[float]:
    values = []
    for marker in markers:
        try:
            values.append(float(marker))
        except ValueError:
            continue
    return values


def _is_whole(frame: pl.DataFrame, row_count: int, delimiters: int, dialect: Dialect, *, is_quoted: bool) -> bool:
    """Whether every record is a row, and every row has all its fields.

    The reader refuses rows with too many fields, but fills up those with too few. They show in the sum: a row with all
    its fields has a delimiter between any two, and what other delimiters and line breaks there are stand within quotes.
    """
    if frame.width == 1:
        return frame.height == row_count and not frame.to_series().null_count()  # a null may be a blank line
    if not is_quoted:
        return frame.height == row_count and delimiters == row_count * (frame.width - 1)
    texts = pl.col(pl.String).str
    if frame.height != row_count:
        row_count -= _total(frame.select(texts.count_matches("\n", literal=True).sum()))
    last = frame.to_series(-1)
    if not last.null_count() and (last.dtype != pl.String() or not (last == "").any()):
        return frame.height == row_count  # no row is short of its last field
    delimiters -= _total(frame.select(texts.count_matches(dialect.delimiter, literal=True).sum()))
    return frame.height == row_count and delimiters == row_count * (frame.width - 1)


def _total(counts: pl.DataFrame) -> int:
    return sum(counts.row(0)) if counts.width else 0


def _without_empty(frame: pl.DataFrame) -> pl.DataFrame:
    """Null for the empty fields that were quoted, as for those that were not."""
    empty = [values.name for values in frame.iter_columns() if values.dtype == pl.String() and (values == "").any()]
    return frame.with_columns(pl.when(pl.col(name) != "").then(name).alias(name) for name in empty) if empty else frame
