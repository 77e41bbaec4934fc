"""Where one record ends and the next begins. Framing is checked before anything is acknowledged; meaning comes later.

Every body becomes lines of JSON, one record each, every record's own bytes untouched (only a line break between the
tokens of a pretty-printed record becomes a space). A line that is not a JSON object stays among the others, so that
the consumer puts it into quarantine with its bytes, and is reported to the sender at once.
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


class _Record(msgspec.Struct):
    """Any JSON object; its fields are the consumer's business."""


_OBJECT = msgspec.json.Decoder(_Record)
_ELEMENTS: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])


class Malformed(BadInput):
    """A body with nothing in it that could be kept; `rejects` says why, with positions."""

    def __init__(self, rejects: list[Reject]) -> None:
        self.rejects = tuple(rejects)
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


def frame(body: bytes, content_type: str, max_record_bytes: int) -> Framed:
    """The records of a body.

    Raises Malformed when no record in it is a JSON object (or a JSON document does not parse at all), TooLarge when
    one record exceeds `max_record_bytes`, BadInput for an unknown content type.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in JSON_TYPES:
        return _frame_document(body, max_record_bytes)
    if kind in LINES_TYPES:
        return _frame_lines(body, max_record_bytes)
    raise BadInput(
        f"content type {content_type or 'none'!r} is not understood; send application/json or application/x-ndjson"
    )


def _frame_document(body: bytes, max_record_bytes: int) -> Framed:
    text = body.strip()
    if not text:
        raise Malformed([_empty()])
    if not text.startswith(b"["):
        start = body.find(text)
        reject = _check_object(text, 0, body, start)
        if reject is not None:
            raise Malformed([reject])
        return _finish([text], [], (_position(body, start)[0],), max_record_bytes)
    try:
        elements = [bytes(raw) for raw in _ELEMENTS.decode(body)]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Malformed([_malformed(error, None, body, body, 0)]) from error
    if not elements:
        raise Malformed([_empty()])
    rejects: list[Reject] = []
    line_numbers: list[int] = []
    place, line = 0, 1
    for index, element in enumerate(elements):
        start = body.find(element, place)
        line += body.count(b"\n", place, start)
        line_numbers.append(line)
        if not element.startswith(b"{"):
            rejects.append(_not_an_object(element, index, body, start))
        place = start + len(element)
        line += element.count(b"\n")
    return _finish(elements, rejects, tuple(line_numbers), max_record_bytes)


def _frame_lines(body: bytes, max_record_bytes: int) -> Framed:
    try:
        found = len(_OBJECT.decode_lines(body))  # one pass over the whole body: the road of every good request
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found = -1
    lines = body if body.endswith(b"\n") else body + b"\n"
    if 0 < found == lines.count(b"\n") and b"\r" not in body:
        _check_sizes(lines.split(b"\n"), max_record_bytes)
        return Framed(lines, found)
    return _frame_lines_one_by_one(body, max_record_bytes)


def _frame_lines_one_by_one(body: bytes, max_record_bytes: int) -> Framed:
    records: list[bytes] = []
    rejects: list[Reject] = []
    line_numbers: list[int] = []
    place = 0
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line and not line.isspace():
            reject = _check_object(line, len(records), body, place)
            if reject is not None:
                rejects.append(reject)
            records.append(line)
            line_numbers.append(number)
        place += len(line) + 1
    if not records:
        raise Malformed([_empty()])
    return _finish(records, rejects, tuple(line_numbers), max_record_bytes)


def _finish(
    records: list[bytes], rejects: list[Reject], line_numbers: tuple[int, ...], max_record_bytes: int
) -> Framed:
    if len(rejects) == len(records):
        raise Malformed(rejects)
    _check_sizes(records, max_record_bytes)
    joined = b"\n".join(record.replace(b"\r", b" ").replace(b"\n", b" ").strip() for record in records)
    return Framed(joined + b"\n", len(records), tuple(rejects), line_numbers)


def _check_sizes(records: list[bytes], max_record_bytes: int) -> None:
    longest = max(map(len, records))
    if longest > max_record_bytes:
        index = next(number for number, record in enumerate(records) if len(record) == longest)
        raise TooLarge(f"record {index} has {longest} bytes; the limit is {max_record_bytes}")


def _check_object(text: bytes, index: int, body: bytes, place: int) -> Reject | None:
    try:
        _OBJECT.decode(text)
    except msgspec.ValidationError:
        return _not_an_object(text, index, body, place)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return _malformed(error, index, text, body, place)
    return None


def _malformed(error: Exception, index: int | None, text: bytes, body: bytes, place: int) -> Reject:
    """Why `text`, which stands at `place` in the body, is not JSON; without a better clue, it ended too early."""
    if isinstance(error, RecursionError):
        reason, offset = "nested too deeply", 0
    else:
        found = _BYTE.search(str(error))
        offset = min(int(found[1]) if found else len(text), len(text))
        reason = _BYTE.sub("", str(error)).removeprefix("JSON is malformed: ").strip()
    line, column = _position(body, place + offset)
    return Reject(
        reason="malformed_json",
        message=f"line {line}, column {column}: not JSON: {reason}",
        index=index,
        line=line,
        column=column,
        value=_excerpt(text[max(0, offset - 40) : offset + 40]),
    )


def _not_an_object(text: bytes, index: int, body: bytes, place: int) -> Reject:
    line, column = _position(body, place)
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


def _position(body: bytes, offset: int) -> tuple[int, int]:
    """Line and column (in characters), both from 1, of a byte offset."""
    before = body[:offset]
    start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[start:].decode(errors="replace")) + 1


def _excerpt(raw: bytes) -> str:
    return raw[:_VALUE_CHARS].decode(errors="replace")
