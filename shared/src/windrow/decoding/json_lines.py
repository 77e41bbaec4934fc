"""Where lines of JSON are cut: sequential, and cheap beside reading them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from windrow.framing import SPACE, without_mark

MAX_RECORDS = 1 << 18
"""In one piece, however short they are: each takes room for every column."""
_BREAK, _OPEN, _CLOSE = b"\n{}"
_MARK_BYTES = 3


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines, each with its line break."""

    text: bytes
    first: int
    """The number of the first, from 1, in the whole text."""
    count: int


class LongLine(NamedTuple):
    """A line that is longer than a record may be."""

    text: bytes
    """Its start."""
    first: int


def cut_text(blocks: Iterable[bytes], *, max_line_bytes: int, chunk_bytes: int) -> Iterator[Lines | LongLine]:
    """A text in lines, about `chunk_bytes` at a time. The end of the text ends its last line.

    What comes out, put together, does not depend on where blocks or chunks end. No more is held of a line than
    `max_line_bytes`; a longer one that holds nothing but blanks is left out.
    """
    text = _Text(max_line_bytes)
    held: list[bytes] = []
    held_bytes = open_bytes = 0
    for block in _slices(blocks, chunk_bytes):
        rest = text.pass_over(block)
        if text.long is not None:
            continue
        yield from text.take_passed()
        if not rest:
            continue
        held.append(rest)
        held_bytes += len(rest)
        end = rest.rfind(b"\n") + 1
        open_bytes = len(rest) - end if end else open_bytes + len(rest)
        if held_bytes >= chunk_bytes and held_bytes > open_bytes:
            joined = b"".join(held)
            yield from text.lines(joined[: held_bytes - open_bytes])
            held, held_bytes = [joined[held_bytes - open_bytes :]], open_bytes
        if held_bytes == open_bytes > max_line_bytes + _MARK_BYTES + 1:
            text.begin_long(b"".join(held))
            held, held_bytes, open_bytes = [], 0, 0
    if text.long is not None:
        text.end_long()
        yield from text.take_passed()
    elif held_bytes:
        last = b"".join(held)
        yield from text.lines(last if last.endswith(b"\n") else last + b"\n")


class _Text:
    """What is known of the text so far: the line it has come to, and the long line it may be in."""

    def __init__(self, max_line_bytes: int) -> None:
        self.long: bytes | None = None
        self._max_line_bytes = max_line_bytes
        self._line = 1
        self._is_begun = False
        self._is_blank = True
        self._passed: list[LongLine] = []

    def begin_long(self, start: bytes) -> None:
        self._is_blank = not start.strip(SPACE)
        self.long = self._begun(start)[: self._max_line_bytes]

    def pass_over(self, block: bytes) -> bytes:
        """What of a block stands after the long line."""
        if self.long is None:
            return block
        end = block.find(b"\n")
        self._is_blank = self._is_blank and not block[: end if end >= 0 else None].strip(SPACE)
        if end < 0:
            return b""
        self.end_long()
        return block[end + 1 :]

    def end_long(self) -> None:
        if self.long is not None and not self._is_blank:
            self._passed.append(LongLine(self.long, self._line))
        self.long = None
        self._line += 1

    def take_passed(self) -> list[LongLine]:
        passed, self._passed = self._passed, []
        return passed

    def lines(self, text: bytes) -> Iterator[Lines | LongLine]:
        text = self._begun(text)
        start = 0
        for begin, end in _long_lines(text, self._max_line_bytes):
            if not text[begin:end].strip(SPACE):
                continue
            yield from self._whole(text[start:begin])
            yield LongLine(text[begin : begin + self._max_line_bytes], self._line)
            self._line += 1
            start = end + 1
        yield from self._whole(text[start:])

    def _whole(self, text: bytes) -> Iterator[Lines]:
        count = count_lines(text)
        if count > MAX_RECORDS:
            middle = text.find(b"\n", len(text) // 2) + 1
            if middle < len(text):
                yield from self._whole(text[:middle])
                yield from self._whole(text[middle:])
                return
        if text:
            yield Lines(text, self._line, count)
            self._line += count

    def _begun(self, text: bytes) -> bytes:
        if not self._is_begun:
            text = without_mark(text)
            self._is_begun = bool(text.strip(SPACE))
        return text


def _slices(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    for block in blocks:
        if len(block) <= size:
            yield block
        else:
            yield from (block[start : start + size] for start in range(0, len(block), size))


def lines_fit(text: bytes, max_bytes: int) -> bool:
    """Whether no line is longer; each is ended by a line break."""
    return next(_long_lines(text, max_bytes), None) is None


def _long_lines(text: bytes, max_bytes: int) -> Iterator[tuple[int, int]]:
    """Where longer lines begin and end, their line breaks aside. Looks at a few bytes in every `max_bytes` only."""
    start = 0
    while start < len(text):
        last = text.rfind(b"\n", start, start + max_bytes + 1)
        if last < 0:
            last = text.find(b"\n", start)
            if last - start - text[start:last].endswith(b"\r") > max_bytes:
                yield start, last
        start = last + 1


def count_lines(text: bytes) -> int:
    """How many line breaks there are."""
    return int((_bytes(text) == _BREAK).sum())


def line_ends(text: bytes) -> list[int]:
    """Where the line breaks are."""
    return (_bytes(text) == _BREAK).arg_true().to_list()


def is_tidy(text: bytes) -> bool:
    """Whether every line begins with `{` and ends with `}` and a line break."""
    if not (text.startswith(b"{") and text.endswith(b"}\n")):
        return False
    data = _bytes(text)
    breaks = (data == _BREAK).arg_true()
    return bool((data.gather(breaks - 1) == _CLOSE).all() and (data.gather(breaks.head(-1) + 1) == _OPEN).all())


def _bytes(text: bytes) -> pl.Series:
    return pl.Series(pa.Array.from_buffers(pa.uint8(), len(text), [None, pa.py_buffer(text)]))
