r"""How fields and records are told apart in a CSV text, and the careful reader that defines it.

A record ends at `\n`, `\r\n` or `\r` outside quotes. A field is quoted only if it begins with the quote; a quote
elsewhere is text. What follows a closing quote belongs to the field. Blank lines are not records.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import NamedTuple

from windrow.spec.formats import CsvFormat

LINE_BREAKS = b"\r\n"
_MAX_FIELD_CHARS = (
    1 << 30
)  # records are bounded by the reader; the module's own 128 KiB would be an error, not a reject


@dataclass(frozen=True, slots=True)
class Dialect:
    """The delimiter and the quote; an empty quote means that there are none."""

    delimiter: str
    quote: str

    @classmethod
    def of(cls, settings: CsvFormat, *, is_tsv: bool) -> "Dialect":
        return cls(settings.delimiter or ("\t" if is_tsv else ","), settings.quote)

    @property
    def is_single_bytes(self) -> bool:
        """Whether the columnar reader, which looks at single bytes, can read it."""
        return self.delimiter.isascii() and self.quote.isascii()

    @property
    def is_plain_sign(self) -> bool:
        """Whether the delimiter can be no part of a number, nor a blank beside one."""
        return not self.delimiter.isalnum() and self.delimiter not in " \t+-."


class Record(NamedTuple):
    """A record's fields, and its lines: from `first` up to, but not including, `end`."""

    first: int
    end: int
    fields: list[str]
    """Empty for a blank line. Bytes that are not UTF-8 are lone surrogates, as `surrogateescape` has it."""
    is_open: bool
    """Whether the lines ran out before its last field's quote was closed."""


def records(lines: Sequence[bytes], dialect: Dialect, start: int = 0) -> Iterator[Record]:
    """The records of lines (with their line breaks) from line `start` on, one by one."""
    has_run_out = False

    def mark_the_end() -> Iterator[str]:
        nonlocal has_run_out
        has_run_out = True  # a closed record never asks for one more line
        yield from ()

    texts = map(str, islice(lines, start, None), repeat("utf-8"), repeat("surrogateescape"))
    csv.field_size_limit(_MAX_FIELD_CHARS)
    reader = csv.reader(
        chain(texts, mark_the_end()),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
    )
    first = start
    for fields in reader:
        end = start + reader.line_num
        yield Record(first, end, fields, has_run_out)
        first = end


def text_of(lines: Sequence[bytes], first: int, end: int) -> bytes:
    """The text of a record's lines without its line break."""
    return b"".join(lines[first:end]).rstrip(LINE_BREAKS)
