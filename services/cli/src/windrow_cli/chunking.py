"""Files of JSON records cut into NDJSON chunks. Pure: bytes in, chunks out, in bounded memory."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from windrow.errors import BadInput

MAX_RECORD_BYTES = 64 << 20
"""A record longer than this is taken for a file that is not what its name says."""
_BOM = b"\xef\xbb\xbf"
SNIFF_BYTES = 1 << 20
"""How much of a text is looked at to see what it is."""
_STRING = rb'"(?:[^"\\]*(?:\\.[^"\\]*)*")?'  # a whole string, or its opening quote if the rest is still to come
_OUTSIDE = re.compile(_STRING + rb"|[\[\]{},]", re.DOTALL)
_INSIDE = re.compile(_STRING + rb"|[\[\]{}]", re.DOTALL)
_IN_STRING = re.compile(rb'["\\]')
_STRING_OR_BREAK = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\r\n]', re.DOTALL)
_BREAKS_TO_TABS = bytes.maketrans(b"\r\n", b"\t\t")
_BLANK = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole records as NDJSON, and where they stood in the file."""

    offset: int
    """Bytes before its first record, decompressed."""
    first_index: int
    """Records before it."""
    first_line: int | None
    """The line (from 1) of its first byte; None when lines of the chunk are not lines of the file."""
    record_count: int
    body: bytes


def ndjson_chunks(blocks: Iterable[bytes], max_bytes: int) -> Iterator[Chunk]:
    """Whole lines, up to `max_bytes` together; a longer line is a chunk of its own.

    The bodies put together are the file, blank lines and all.
    """
    offset, index, line = 0, 0, 1
    for body in _whole_lines(_without_bom(blocks), max_bytes):
        count = sum(1 for text in body.split(b"\n") if text.strip(_BLANK))
        yield Chunk(offset, index, line, count, body)
        offset, index, line = offset + len(body), index + count, line + body.count(b"\n")


def json_chunks(blocks: Iterable[bytes], max_bytes: int) -> Iterator[Chunk]:
    """The elements of a JSON array, or JSON objects one after another, as NDJSON.

    Nothing is parsed: an element that is not JSON stays that way, and becomes one line all the same.
    """
    source = _Peekable(_without_bom(blocks))
    start = source.peek(SNIFF_BYTES).lstrip(_BLANK)
    if not start.startswith(b"[") and _looks_like_lines(start):
        yield from ndjson_chunks(source, max_bytes)
        return
    lines: list[bytes] = []
    size, offset, index = 0, 0, 0
    for position, value in _values(source):
        line = _one_line(value) + b"\n"
        if lines and size + len(line) > max_bytes:
            yield Chunk(offset, index, None, len(lines), b"".join(lines))
            index += len(lines)
            lines, size = [], 0
        if not lines:
            offset = position
        lines.append(line)
        size += len(line)
    if lines:
        yield Chunk(offset, index, None, len(lines), b"".join(lines))


def is_collection(start: bytes) -> bool:
    """Whether a text that begins like this is one GeoJSON FeatureCollection: its features are the records.

    A top level with a list of `features` counts as one: its type may stand behind them.
    """
    text = start.removeprefix(_BOM).lstrip(_BLANK)
    if not text.startswith(b"{"):
        return False
    depth, name, end = 0, b"", 0
    for match in _INSIDE.finditer(text):
        sign = match[0]
        is_value = depth == 1 and text[end : match.start()].strip(_BLANK) == b":"
        if is_value and (name, sign) in ((b'"type"', b'"FeatureCollection"'), (b'"features"', b"[")):
            return True
        if sign in b"[{":
            depth += 1
        elif sign in b"]}":
            depth -= 1
            if depth == 0:
                return False
        name, end = sign, match.end()
    return False


# ---------------------------------------------------------------------------------------------------- lines


def _whole_lines(blocks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    buffer = bytearray()
    for block in blocks:
        buffer += block
        while len(buffer) > max_bytes:
            cut = buffer.rfind(b"\n", 0, max_bytes) + 1 or buffer.find(b"\n", max_bytes) + 1
            if not cut:
                _check_length(len(buffer))
                break
            yield bytes(buffer[:cut])
            del buffer[:cut]
    if buffer:
        yield bytes(buffer)


def _looks_like_lines(start: bytes) -> bool:
    """Whether a text that is no array has a whole object on its first line and more below."""
    first, newline, rest = start.partition(b"\n")
    if not newline or not rest.strip(_BLANK):
        return False
    return first.rstrip(_BLANK).endswith((b"}", b"]")) and len(list(_values([first]))) == 1


# ---------------------------------------------------------------------------------------------------- values


def _values(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each element of an array, or each value of a sequence of them, with its offset.

    Follows strings and brackets only. What an array that never closes still holds is the last value; so is what
    follows the end of an array.
    """
    buffer = bytearray()
    dropped = 0  # bytes of the text that have left the buffer
    start = position = depth = 0  # where the value at hand begins; how far it was looked at; brackets open in it
    is_in_string = False
    is_array: bool | None = None

    def taken(end: int) -> tuple[int, bytes] | None:
        raw = bytes(buffer[start:end])
        lead = len(raw) - len(raw.lstrip(_BLANK))
        value = raw.strip(_BLANK)
        return (dropped + start + lead, value) if value else None

    for block in blocks:
        buffer += block
        if is_array is None:
            found = re.search(rb"[^ \t\r\n]", buffer)
            if found is None:
                continue
            is_array = found[0] == b"["
            start = position = found.end() if is_array else found.start()
        while True:
            match = (_IN_STRING if is_in_string else _INSIDE if depth else _OUTSIDE).search(buffer, position)
            if match is None:
                position = len(buffer)
                break
            sign = match[0]
            if is_in_string:
                if sign == b"\\":
                    if match.end() == len(buffer):
                        position = match.start()  # what it escapes is still to come
                        break
                    position = match.end() + 1
                    continue
                is_in_string = sign != b'"'
                position = match.end()
                continue
            position = match.end()
            value: tuple[int, bytes] | None = None
            is_end = False
            if sign.startswith(b'"'):
                is_in_string = len(sign) == 1
            elif sign in b"[{":
                depth += 1
            elif sign in b"]}":
                if depth == 0 and is_array and sign == b"]":
                    value, is_end, is_array = taken(match.start()), True, False
                elif depth:
                    depth -= 1
                    if depth == 0 and not is_array:
                        value, is_end = taken(match.end()), True
            elif depth == 0 and is_array:
                value, is_end = taken(match.start()), True
            if value is not None:
                yield value
            if is_end:
                start = position
        if start:
            del buffer[:start]
            dropped, position, start = dropped + start, position - start, 0
        _check_length(len(buffer))
    last = taken(len(buffer)) if is_array is not None else None
    if last is not None:
        yield last


def _one_line(value: bytes) -> bytes:
    """A value without line breaks.

    Between tokens they mean nothing. Inside a string they are no JSON: there they become tabs, which are none either,
    so that a broken value stays broken.
    """
    if b"\n" not in value and b"\r" not in value:
        return value
    return _STRING_OR_BREAK.sub(_unbroken, value)


def _unbroken(found: re.Match[bytes]) -> bytes:
    text = found[0]
    return text.translate(_BREAKS_TO_TABS) if text.startswith(b'"') else b" "


def _check_length(size_bytes: int) -> None:
    if size_bytes > MAX_RECORD_BYTES:
        raise BadInput(
            f"a record is longer than {MAX_RECORD_BYTES >> 20} MiB; is the file JSON or NDJSON, as its name says?"
        )


class _Peekable:
    """Blocks whose beginning can be looked at first."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._rest = iter(blocks)
        self._seen: list[bytes] = []

    def peek(self, size_bytes: int) -> bytes:
        while sum(map(len, self._seen)) < size_bytes:
            block = next(self._rest, None)
            if block is None:
                break
            self._seen.append(block)
        return b"".join(self._seen)

    def __iter__(self) -> Iterator[bytes]:
        while self._seen:
            yield self._seen.pop(0)
        yield from self._rest


def _without_bom(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = iter(blocks)
    start = b""
    while len(start) < len(_BOM) and (block := next(rest, None)) is not None:
        start += block
    yield start.removeprefix(_BOM)
    yield from rest
