"""JSON in pieces: lines of records as they stream in, and documents that hold records.

A piece is read in whole columns; only the records that do not fit are read one by one.
"""

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import msgspec
import polars as pl

from windrow.decoding.chunks import INDEX, Chunk, Original, Piece
from windrow.decoding.json_documents import MARK, Refused, Run, Shape, Starts, always, on_one_line_each, shape_of
from windrow.decoding.json_lines import MAX_RECORDS, Lines, LongLine, cut_text
from windrow.decoding.json_plan import Plan, plan_of
from windrow.decoding.json_reader import LineOf, context_of, read_records, read_text
from windrow.framing import SPACE, check_document, elements_of, on_one_line, without_mark
from windrow.quarantine import Reject
from windrow.spec import StreamSpec


def cut_lines(
    blocks: Iterable[bytes],
    spec: StreamSpec,
    *,
    max_record_bytes: int,
    chunk_bytes: int,
    document: str = "",
    is_unpacked: bool = False,
) -> Iterator[Piece]:
    """NDJSON in pieces of about `chunk_bytes`.

    A line is a record or, where the spec or the line itself says so, a document of records. `document` is what stood
    around the records when they were first sent, for records on their way back; these are not unpacked again
    (`is_unpacked`). A record of more than `max_record_bytes` is a reject, and costs only itself. Raises BadInput when
    `document` is not JSON.
    """
    plan = plan_of(spec)
    around = context_of(document, plan)
    shape = shape_of(spec, keeps_document=plan.reads_document)
    pieces = _Pieces(plan, max_record_bytes, chunk_bytes)
    for part in cut_text(blocks, max_line_bytes=max_record_bytes, chunk_bytes=chunk_bytes):
        if isinstance(part, LongLine):
            yield from pieces.add(_too_large(part.text, part.first, max_record_bytes))
        elif not is_unpacked and (shape.is_set or MARK in part.text):
            for found in _documents(part, shape):
                yield from pieces.add(found)
        else:
            yield from pieces.flush()
            yield partial(read_text, part.text, part.first, part.count, plan, around)
    yield from pieces.flush()


def cut_document(body: bytes, spec: StreamSpec, *, max_record_bytes: int, chunk_bytes: int) -> Iterator[Piece]:
    """A whole JSON document in pieces: an object, an array of objects, or whatever the spec's `format.json` says.

    Raises Malformed (a BadInput) with line and column, at once, when it does not parse or there is nothing in it.
    """
    plan = plan_of(spec)
    shape = shape_of(spec, keeps_document=plan.reads_document)
    body = without_mark(body)
    elements = elements_of(body)
    holds_documents = shape.is_set or MARK in body
    if not body.lstrip(SPACE).startswith(b"[") and not (holds_documents and shape.unpacks(elements[0])):
        check_document(body)
    pieces = _Pieces(plan, max_record_bytes, chunk_bytes)
    return pieces.all(_elements(body, elements, shape if holds_documents else None))


def _documents(lines: Lines, shape: Shape) -> Iterator[Run | Refused]:
    """The records of each line, where it is a document; a line that is none is a record."""
    for number, line in enumerate(lines.text.split(b"\n"), lines.first):
        text = line.strip(SPACE)
        if text:
            yield shape.unpack(text, number) if shape.unpacks(text) else Run([text], "", always(number))


def _elements(body: bytes, elements: list[bytes], shape: Shape | None) -> Iterator[Run | Refused]:
    """The same for the elements of an array, or for a document that is alone."""
    starts = Starts(body, elements)
    if shape is None:
        yield Run(on_one_line_each(elements, body), "", starts.line_of)
        return
    for number, element in enumerate(elements):
        line = starts.line_of(number)
        if shape.unpacks(element):
            yield shape.unpack(element, line)
        else:
            yield Run([on_one_line(element)], "", always(line))


def _too_large(start: bytes, line: int, max_record_bytes: int) -> Refused:
    message = f"line {line}: the record has more than {max_record_bytes} bytes; send it in smaller records"
    return Refused(Reject(reason="too_large", message=message, index=0, line=line), start)


class _Pieces:
    """Records put together to pieces. In one piece, all share what stands around them; refused ones stand apart."""

    def __init__(self, plan: Plan, max_record_bytes: int, chunk_bytes: int) -> None:
        self._plan = plan
        self._max_record_bytes = max_record_bytes
        self._chunk_bytes = chunk_bytes
        self._records: list[bytes] = []
        self._starts: list[int] = []
        self._lines_of: list[LineOf] = []
        self._bytes = 0
        self._document = ""
        self._refused: list[Refused] = []

    def all(self, found: Iterable[Run | Refused]) -> Iterator[Piece]:
        """Pieces of everything."""
        for each in found:
            yield from self.add(each)
        yield from self.flush()

    def add(self, found: Run | Refused) -> Iterator[Piece]:
        """Pieces that are full by now."""
        if isinstance(found, Refused):
            yield from self._flush_records()
            self._refused.append(Refused(found.reject, found.data[: self._max_record_bytes]))
            if len(self._refused) * self._max_record_bytes >= self._chunk_bytes:
                yield from self.flush()
            return
        for start, stop in _slices(found.records, self._chunk_bytes, self._max_record_bytes):
            if stop is None:
                yield from self.add(_too_large(found.records[start], found.line_of(start), self._max_record_bytes))
                continue
            yield from self._flush_refused()
            if found.document != self._document or len(self._records) + stop - start > MAX_RECORDS:
                yield from self._flush_records()
            self._document = found.document
            self._starts.append(len(self._records))
            self._lines_of.append(_shifted(found.line_of, start))
            self._records += found.records[start:stop]
            self._bytes += sum(map(len, found.records[start:stop]))
            if self._bytes >= self._chunk_bytes:
                yield from self._flush_records()

    def flush(self) -> Iterator[Piece]:
        """What is left."""
        yield from self._flush_records()
        yield from self._flush_refused()

    def _flush_records(self) -> Iterator[Piece]:
        if self._records:
            context = context_of(self._document, self._plan)
            line_of = _line_of(tuple(self._starts), tuple(self._lines_of))
            yield partial(read_records, self._records, line_of, self._plan, context)
        self._records, self._starts, self._lines_of, self._bytes = [], [], [], 0

    def _flush_refused(self) -> Iterator[Piece]:
        if self._refused:
            yield partial(_refused, tuple(self._refused), self._plan)
        self._refused = []


def _slices(records: Sequence[bytes], chunk_bytes: int, max_bytes: int) -> Iterator[tuple[int, int | None]]:
    """Runs of records of about `chunk_bytes`, as [start, stop); a record that is too large is alone, without a stop."""
    start = size = 0
    for place, length in enumerate(map(len, records)):
        if length > max_bytes or size >= chunk_bytes or place - start >= MAX_RECORDS:
            if place > start:
                yield start, place
            start, size = place, 0
            if length > max_bytes:
                yield place, None
                start = place + 1
                continue
        size += length
    if start < len(records):
        yield start, len(records)


def _shifted(line_of: LineOf, start: int) -> LineOf:
    return lambda index: line_of(start + index)


def _line_of(starts: Sequence[int], lines_of: Sequence[LineOf]) -> LineOf:
    """Lines of records from several runs, by the number of each run's first."""

    def line_of(index: int) -> int:
        run = bisect(starts, index) - 1
        return lines_of[run](index - starts[run])

    return line_of


def _refused(refused: Sequence[Refused], plan: Plan) -> Chunk:
    return Chunk(
        rows=pl.DataFrame(schema={INDEX: pl.Int64(), **plan.schema()}),
        rejects=tuple(msgspec.structs.replace(each.reject, index=index) for index, each in enumerate(refused)),
        record_count=len(refused),
        original=lambda index: Original(refused[index].reject.line, refused[index].data),
        format="json",
    )
