"""A CSV text cut into stretches of whole records, wherever its blocks begin and end.

Where a stretch may be cut depends on quotes: a line break within them is none. Three cases, from cheap to dear:
no field is quoted, so every line break will do; every quote opens, closes or is doubled as RFC 4180 has it, so a line
break after an even number of quotes will do; or anything else, and the careful reader says where records end.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import accumulate

import polars as pl
import pyarrow as pa

from windrow.decoding.csv_dialect import LINE_BREAKS, Dialect, records, text_of

_LF, _CR = 0x0A, 0x0D


class Quoting(Enum):
    """What is known of the quotes in a stretch."""

    NONE = "no field is quoted"
    STRICT = "every quote opens, closes or is doubled"
    ANY = "nothing"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole records, and the line (from 1) on which the first begins; or one record that cannot be read."""

    text: bytes
    line: int
    quoting: Quoting = Quoting.ANY
    fault: str = ""
    """Why `text` (without its line break, and no longer than the limit) is one record that is refused."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Stretches at the beginning of a text, and what follows them."""

    stretches: tuple[Stretch, ...]
    rest: bytes
    line: int
    """The line on which the rest begins."""
    is_within_line: bool = False
    """Whether the rest begins within a line that has been refused already."""


def cut(
    blocks: Iterable[bytes], dialect: Dialect, line: int, max_record_bytes: int, chunk_bytes: int
) -> Iterator[Stretch]:
    """Stretches of about `chunk_bytes`, in order, of UTF-8 text that begins on `line`.

    Never more than that, one block and one record (up to its limit) are held. A record over `max_record_bytes` is a
    stretch with the fault `too_large`. Where a quote is not closed within `max_record_bytes` of its record's beginning,
    or by the end of the text, that record is a stretch with the fault `unclosed_quote`; it ends with the line on which
    the quote stands.
    """
    state = _Found((), b"", line)
    for parts, is_last in _regrouped(blocks, chunk_bytes):
        text, tail = _joined(state.rest, parts, is_last=is_last)
        line = state.line
        if state.is_within_line:
            end = _end_of_line(text, is_last=is_last)
            if end is None:
                state = _Found((), text[-1:] if text.endswith(b"\r") else b"", line, is_within_line=True)
                continue
            text, line = text[end:], line + 1
        state = _cut_text(text, line, dialect, max_record_bytes, is_last=is_last)
        yield from state.stretches
        if tail:
            state = replace(state, rest=state.rest + tail)


def _regrouped(blocks: Iterable[bytes], size: int) -> Iterator[tuple[list[bytes], bool]]:
    """The same bytes in groups of `size`, each with whether it is the last, which may be smaller.

    So where a text is cut depends on its bytes alone, not on how they arrived.
    """
    group: list[bytes] = []
    room = size
    for block in blocks:
        start = 0
        while start < len(block):
            if not room:
                yield group, False
                group, room = [], size
            part = block[start : start + room]
            group.append(part)
            start += len(part)
            room -= len(part)
    yield group, True


def _joined(rest: bytes, parts: list[bytes], *, is_last: bool) -> tuple[bytes, bytes]:
    """A rest and what follows it as one text up to its last line feed, and what is left. So text is copied only once.

    The last text, and one without a line feed, is not divided.
    """
    for place in range(len(parts) - 1, -1, -1):
        end = 0 if is_last else parts[place].rfind(b"\n") + 1
        if end:
            tail = b"".join([parts[place][end:], *parts[place + 1 :]])
            return b"".join([rest, *parts[:place], parts[place][:end]]), tail
    return b"".join([rest, *parts]), b""


def bytes_of(text: bytes) -> pl.Series:
    """A view of text as numbers, to count and find single bytes in at the speed of memory."""
    return pl.Series(pa.Array.from_buffers(pa.uint8(), len(text), [None, pa.py_buffer(text)]))


def count_lines(text: bytes) -> int:
    """Line breaks in a text; CR LF is one."""
    signs = bytes_of(text)
    count = int((signs == _LF).sum())
    if b"\r" in text:
        count += int((signs == _CR).sum()) - count_pairs(signs)
    return count


def count_pairs(signs: pl.Series) -> int:
    """How often CR LF stands in a text."""
    return int(((signs.head(-1) == _CR) & (signs.tail(-1) == _LF)).sum()) if signs.len() > 1 else 0


# ------------------------------------------------------------------------------------------- by whole texts


def _cut_text(text: bytes, line: int, dialect: Dialect, max_record_bytes: int, *, is_last: bool) -> _Found:
    quoting, quotes = _quoting(text, dialect, is_last=is_last)
    if quoting is not Quoting.ANY:
        end = len(text) if is_last else _last_end(text, len(text) - text.endswith(b"\r"), quotes)
        whole, rest = text[:end], text[end:]  # no copy where that is all of it
        if len(rest) <= max_record_bytes and _are_short(whole, quotes, max_record_bytes):
            stretches = (Stretch(whole, line, quoting),) if whole else ()
            return _Found(stretches, rest, line + count_lines(whole))
    return _cut_carefully(text, line, dialect, max_record_bytes, is_last=is_last)


def _quoting(text: bytes, dialect: Dialect, *, is_last: bool) -> tuple[Quoting, pl.Series]:
    """How a text that begins with a record is quoted, and where its quotes are, if they matter."""
    nowhere = pl.Series([], dtype=pl.UInt32)
    quote = dialect.quote.encode()
    if not quote or quote not in text:
        return Quoting.NONE, nowhere
    if not dialect.is_single_bytes:
        return Quoting.ANY, nowhere
    signs = bytes_of(text)
    quotes = (signs == quote[0]).arg_true()
    edges = [ord(dialect.delimiter), _LF, _CR]
    # Where no quote stands at the beginning of a field, all of them are text.
    is_at_start = _are_among(signs.gather(quotes.filter(quotes > 0) - 1), edges)
    if quotes[0] > 0 and not is_at_start.any():
        return Quoting.NONE, nowhere
    # Counted from 0, quotes with an even number open a field (or are the second of a doubled one), those with an odd
    # number close it (or are the first of a doubled one). If that holds for every one before, it may be asked of the
    # next: so looking at their neighbours is enough.
    edges.append(quote[0])
    opening, closing = quotes.gather_every(2), quotes.gather_every(2, 1)
    closing = closing.filter(closing < len(text) - 1)
    is_strict = (
        _are_among(signs.gather(opening.filter(opening > 0) - 1), edges).all()
        and _are_among(signs.gather(closing + 1), edges).all()
        and (quotes.len() % 2 == 0 or not is_last)
    )
    return (Quoting.STRICT, quotes) if is_strict else (Quoting.ANY, nowhere)


def _are_among(signs: pl.Series, few: list[int]) -> pl.Series:
    found = signs == few[0]
    for sign in few[1:]:
        found |= signs == sign
    return found


def _last_end(text: bytes, limit: int, quotes: pl.Series, start: int = 0) -> int:
    """The end of the last record that ends in `text[start:limit]`; 0 if none does."""
    while True:
        place = max(text.rfind(b"\n", start, limit), text.rfind(b"\r", start, limit))
        if place < 0:
            return 0
        before = int(quotes.search_sorted(place)) if quotes.len() else 0
        if before % 2 == 0:
            return place + 1
        limit = int(quotes[before - 1])  # the line break stands within quotes: go back to where they open


def _are_short(text: bytes, quotes: pl.Series, max_record_bytes: int) -> bool:
    """Whether no record is over the limit. May err on the careful side."""
    start = 0
    while len(text) - start > max_record_bytes:
        start = _last_end(text, start + max_record_bytes + 1, quotes, start)
        if not start:
            return False
    return True


def _end_of_line(text: bytes, *, is_last: bool) -> int | None:
    """The end of the first line; None if it does not end here. A CR at the very end may be half of a CR LF."""
    feed, back = text.find(b"\n"), text.find(b"\r", 0, len(text) - (not is_last))
    if back >= 0 and (feed < 0 or back < feed):
        return back + 1 + (feed == back + 1)
    if feed >= 0:
        return feed + 1
    return len(text) if is_last else None


# -------------------------------------------------------------------------------------------- record by record


def _cut_carefully(text: bytes, line: int, dialect: Dialect, max_record_bytes: int, *, is_last: bool) -> _Found:
    lines = text.splitlines(keepends=True)
    ends = list(accumulate(map(len, lines), initial=0))
    # The last line may go on in the next block.
    is_whole = is_last or not lines or lines[-1].endswith(b"\n")
    whole = lines if is_whole else lines[:-1]
    found: list[Stretch] = []
    begin = place = 0  # lines: of the stretch so far, and of the record at hand

    def flush() -> None:
        if begin < place:
            found.append(Stretch(text[ends[begin] : ends[place]], line + begin))

    while True:
        for record in records(whole, dialect, place):
            size = ends[record.end] - ends[record.first]
            if size > max_record_bytes:
                size = len(text_of(lines, record.first, record.end))
            if record.is_open or size > max_record_bytes:
                break
            place = record.end
        left = len(text) - ends[place] - (not is_last and text.endswith(b"\r"))
        is_all_read = place == len(whole)
        if left <= max_record_bytes and not (is_last and not is_all_read):
            flush()
            return _Found(tuple(found), text[ends[place] :], line + place)
        if is_last and is_all_read:
            flush()
            return _Found(tuple(found), b"", line + place)
        last, fault = _refused(lines, ends, place, dialect, max_record_bytes)
        flush()
        bad = text_of(lines, place, last + 1)[:max_record_bytes]
        found.append(Stretch(bad, line + place, fault=fault))
        if last == len(whole):  # it goes on in the next block
            return _Found(tuple(found), text[-1:] if text.endswith(b"\r") else b"", line + last, is_within_line=True)
        begin = place = last + 1


def _refused(
    lines: list[bytes], ends: list[int], first: int, dialect: Dialect, max_record_bytes: int
) -> tuple[int, str]:
    """The last line of a record that begins on line `first` and is too long, or never closed; and which of the two."""
    limit = ends[first] + max_record_bytes
    head = b"".join(lines[first : bisect_left(ends, limit)])[:max_record_bytes].splitlines(keepends=True)
    record = next(records(head, dialect))
    if not record.is_open:
        return bisect_right(ends, limit) - 1, "too_large"
    spanned = len(record.fields[-1].encode("utf-8", "surrogateescape").splitlines())
    last = first + len(head) - max(1, spanned)
    size = len(lines[last].rstrip(LINE_BREAKS)) + ends[last] - ends[first]
    return last, "too_large" if size > max_record_bytes else "unclosed_quote"
