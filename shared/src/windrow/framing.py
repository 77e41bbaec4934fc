"""Where one record ends and the next begins. Framing is checked before anything is acknowledged; meaning comes later.

Every body becomes lines of JSON, one record each, every record's own bytes untouched (only a line break between the
tokens of a pretty-printed record becomes a space). A line that is not a JSON object stays among the others, so that
the consumer puts it into quarantine with its bytes, and is reported to the sender at once. A byte order mark at the
start is no part of the text.
"""

import re
from dataclasses import dataclass

import msgspec

from windrow.errors import BadInput, TooLarge
from windrow.quarantine import Reject

JSON_TYPES = frozenset({"application/json"})
LINES_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"})

_BYTE = re.compile(r"\(byte (\d+)\)")
_VALUE_CHARS = 200
_MARK = b"\xef\xbb\xbf"
_START = re.compile(rb"(?:[ \t\r\n]|\xef\xbb\xbf)*")
SPACE = b" \t\r\n"
"""What JSON takes for white space; `bytes.strip` by itself takes more."""


class _Record(msgspec.Struct):
    """Any JSON object; its fields are the consumer's business."""


_OBJECT = msgspec.json.Decoder(_Record)
_ELEMENTS: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])


class Malformed(BadInput):
    """A body with nothing in it that could be kept; `rejects` says why, with positions.

    `framed` holds its lines where each of them was judged for itself, None where the body as a whole was.
    """

    def __init__(self, rejects: list[Reject], framed: "Framed | None" = None) -> None:
        self.rejects = tuple(rejects)
        self.framed = framed
        super().__init__(rejects[0].message)


@dataclass(frozen=True, slots=True)
class Framed:
    """A body's records as lines, each ended by a line break. Line n is the record with index n.

    `rejects` lists the records that are not JSON objects; they are among the lines.
    """

    lines: bytes
    record_count: int
    rejects: tuple[Reject, ...] = ()
    line_numbers: tuple[int, ...] | None = None
    """Where each record stood in the body, from 1; None when record n stood on line n + 1."""

    def line_number(self, index: int) -> int:
        """The line of the body, from 1, on which a record started."""
        return index + 1 if self.line_numbers is None else self.line_numbers[index]


class _Cursor:
    """Line and column of rising offsets. However many are asked for, each byte is counted once."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._offset = 0
        self._line = 1
        self._column = 1

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column (in characters), both from 1, of a byte offset no smaller than the last one."""
        passed = self._body[self._offset : offset]
        _, line_break, rest = passed.rpartition(b"\n")
        self._line += passed.count(b"\n")
        self._column = (1 if line_break else self._column) + len(rest.decode(errors="replace"))
        self._offset = offset
        return self._line, self._column


@dataclass(frozen=True, slots=True)
class _Limits:
    max_record_bytes: int
    max_rejects: int | None

    def check_rejects(self, rejects: list[Reject]) -> None:
        if self.max_rejects is not None and len(rejects) > self.max_rejects:
            raise Malformed(rejects)

    def check_sizes(self, records: list[bytes]) -> None:
        longest = max(map(len, records))
        if longest > self.max_record_bytes:
            index = next(number for number, record in enumerate(records) if len(record) == longest)
            raise TooLarge(f"record {index} has {longest} bytes; the limit is {self.max_record_bytes}")


def frame(body: bytes, content_type: str, max_record_bytes: int, max_rejects: int | None = None) -> Framed:
    """The records of a body.

    Raises Malformed when no record in it is a JSON object, or more than `max_rejects` are none, or a JSON document
    does not parse at all; TooLarge when one record exceeds `max_record_bytes`; BadInput for an unknown content type.
    """
    kind = content_type.partition(";")[0].strip().lower()
    limits = _Limits(max_record_bytes, max_rejects)
    body = without_mark(body)
    if kind in JSON_TYPES:
        return _frame_document(body, limits)
    if kind in LINES_TYPES:
        return _frame_lines(body, limits)
    raise BadInput(
        f"content type {content_type or 'none'!r} is not understood; send application/json or application/x-ndjson"
    )


def without_mark(body: bytes) -> bytes:
    """A body without the byte order mark before its first record; lines stay where they are."""
    start = _START.match(body)
    end = start.end() if start else 0
    if _MARK not in body[:end]:
        return body
    return body[:end].replace(_MARK, b"") + body[end:]


def elements_of(body: bytes) -> list[bytes]:
    """The elements of a JSON array as they stand in it, whatever they are; any other body is its own only element.

    Raises Malformed when the array does not parse, or there is nothing in the body. Bytes that are not UTF-8 pass.
    """
    text = body.strip(SPACE)
    if not text.startswith(b"["):
        if not text:
            raise Malformed([_empty()])
        return [text]
    try:
        elements = list(map(bytes, _ELEMENTS.decode(body)))
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed([_malformed(error, None, body, _Cursor(body), 0)]) from error
    if not elements:
        raise Malformed([_empty()])
    return elements


def check_document(body: bytes) -> None:
    """Raises Malformed, with the place, when a body is not one JSON object and nothing besides."""
    text = body.strip(SPACE)
    reject = _check_object(text, 0, _Cursor(body), body.find(text))
    if reject is not None:
        raise Malformed([reject])


def _frame_document(body: bytes, limits: _Limits) -> Framed:
    text = body.strip(SPACE)
    if not text:
        raise Malformed([_empty()])
    cursor = _Cursor(body)
    if not text.startswith(b"["):
        start = body.find(text)
        line_number = body.count(b"\n", 0, start) + 1
        reject = _check_object(text, 0, cursor, start)
        if reject is not None:
            raise Malformed([reject])
        return _finish([on_one_line(text)], [], (line_number,), limits)
    elements = elements_of(body)
    is_text = _is_text(body)
    if is_text and b"\n" not in body and b"\r" not in body and all(each.startswith(b"{") for each in elements):
        return _finish(elements, [], (1,) * len(elements), limits)  # the road of every good request
    rejects: list[Reject] = []
    line_numbers: list[int] = []
    place, line = 0, 1
    for index, element in enumerate(elements):
        start = body.find(element, place)
        line += body.count(b"\n", place, start)
        line_numbers.append(line)
        if not is_text or not element.startswith(b"{"):
            reject = _check_object(element, index, cursor, start)
            if reject is not None:
                rejects.append(reject)
                limits.check_rejects(rejects)
        place = start + len(element)
        line += element.count(b"\n")
    return _finish([on_one_line(element) for element in elements], rejects, tuple(line_numbers), limits)


def _frame_lines(body: bytes, limits: _Limits) -> Framed:
    lines = body if body.endswith(b"\n") else body + b"\n"
    if _is_one_object_a_line(lines):  # the road of every good request
        limits.check_sizes(lines.split(b"\n"))
        return Framed(lines, lines.count(b"\n"))
    return _frame_lines_one_by_one(body, limits)


def _is_one_object_a_line(lines: bytes) -> bool:
    """Whether every line is one JSON object and nothing besides."""
    line_count = lines.count(b"\n")
    # Where every line starts with { and ends with }, no object can reach from one line into the next, so as many
    # objects as lines are one a line.
    is_tidy = (
        lines.startswith(b"{")
        and lines.count(b"\n{") == line_count - 1
        and lines.count(b"}\n") == line_count
        and b"\r" not in lines
    )
    if not is_tidy or not _is_text(lines):
        return False
    try:
        return len(_OBJECT.decode_lines(lines)) == line_count
    except (msgspec.DecodeError, RecursionError):
        return False


def _frame_lines_one_by_one(body: bytes, limits: _Limits) -> Framed:
    records: list[bytes] = []
    rejects: list[Reject] = []
    line_numbers: list[int] = []
    cursor = _Cursor(body)
    place = 0
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line.strip(SPACE):
            reject = _check_object(line, len(records), cursor, place)
            if reject is None:
                records.append(on_one_line(line))
            else:
                rejects.append(reject)
                limits.check_rejects(rejects)
                records.append(line.rstrip(b"\r"))  # as it was sent: this is what somebody has to mend
            line_numbers.append(number)
        place += len(line) + 1
    if not records:
        raise Malformed([_empty()])
    return _finish(records, rejects, tuple(line_numbers), limits)


def _finish(records: list[bytes], rejects: list[Reject], line_numbers: tuple[int, ...], limits: _Limits) -> Framed:
    limits.check_sizes(records)
    framed = Framed(b"\n".join(records) + b"\n", len(records), tuple(rejects), line_numbers)
    if len(rejects) == len(records):
        raise Malformed(rejects, framed)
    return framed


def on_one_line(record: bytes) -> bytes:
    """A well-formed record without line breaks, which in JSON stand only between tokens."""
    return record.replace(b"\r", b" ").replace(b"\n", b" ").strip(SPACE)


def _is_text(body: bytes) -> bool:
    """Whether it is UTF-8. The JSON decoder passes over what it does not decode without looking."""
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _check_object(text: bytes, index: int, cursor: _Cursor, place: int) -> Reject | None:
    """Why `text`, which stands at `place` in the body, is not a record; None if it is one."""
    try:
        text.decode()
        _OBJECT.decode(text)
    except msgspec.ValidationError:
        return _not_an_object(text, index, cursor, place)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return _malformed(error, index, text, cursor, place)
    return None


def why_malformed(error: Exception, text: bytes) -> tuple[str, int]:
    """Why `text` is not JSON, from what its decoder raised, and at which byte.

    Without a better clue, it ended too early.
    """
    match error:
        case RecursionError():
            return "nested too deeply", 0
        case UnicodeDecodeError(start=start):
            return f"byte {text[start]:#04x} is not UTF-8", start
        case _:
            found = _BYTE.search(str(error))
            offset = min(int(found[1]) if found else len(text), len(text))
            reason = _BYTE.sub("", str(error)).removeprefix("JSON is malformed: ").strip()
            return reason, offset - (reason == "trailing characters")  # counted one too far


def _malformed(error: Exception, index: int | None, text: bytes, cursor: _Cursor, place: int) -> Reject:
    reason, offset = why_malformed(error, text)
    line, column = cursor.at(place + offset)
    return Reject(
        reason="malformed_json",
        message=f"line {line}, column {column}: not JSON: {reason}",
        index=index,
        line=line,
        column=column,
        value=_excerpt(text[max(0, offset - 40) : offset + 40]),
    )


def _not_an_object(text: bytes, index: int, cursor: _Cursor, place: int) -> Reject:
    line, column = cursor.at(place)
    return Reject(
        reason="not_an_object",
        message=f'line {line}, column {column}: a record is a JSON object, such as {{"ts": …}}',
        index=index,
        line=line,
        column=column,
        value=_excerpt(text),
    )


def _empty() -> Reject:
    return Reject(reason="empty_body", message="the body holds no record", line=1, column=1)


def _excerpt(raw: bytes) -> str:
    return raw[:_VALUE_CHARS].decode(errors="replace")


def is_json(text: bytes) -> bool:
    """Whether a text is one JSON value and nothing besides."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
