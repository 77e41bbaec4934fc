"""A piece of JSON lines to a Chunk: in columns, and one by one only what columns cannot hold."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Any

import msgspec
import polars as pl

from windrow.decoding.chunks import INDEX, Chunk, Original
from windrow.decoding.json_columnar import Columnar, is_flat, read_as_flat, read_columnar
from windrow.decoding.json_flat import Unfit
from windrow.decoding.json_layout import Layout, layout_of
from windrow.decoding.json_learned import sample_of
from windrow.decoding.json_lines import is_tidy, line_ends
from windrow.decoding.json_plan import Plan
from windrow.decoding.json_single import constants, decode_document, read_single
from windrow.decoding.json_unknown import Names, unknown_of
from windrow.decoding.unknown import FieldKind, Unknown, merged
from windrow.errors import BadInput
from windrow.framing import SPACE
from windrow.quarantine import Reject

_PART = 2_048
"""Records that are tried apart as columns before they are read one by one."""

_FIRST_BYTES = 1 << 16
"""In which a text that breaks its lines in two characters shows it."""
LineOf = Callable[[int], int]
"""The line on which a record starts, from 1, by its number among those of a piece."""


@dataclass(slots=True)
class Memory:
    """How the last piece was read, as long as all have been flat: then the next one most likely is like it.

    It only saves looking for a layout: what is read does not depend on it. Pieces in other threads may see it or not.
    """

    layout: Layout | None = None
    is_worth_it: bool = True


@dataclass(frozen=True, slots=True)
class Context:
    """What stands around records."""

    text: str
    """JSON; empty where nothing does."""
    document: Any
    """Decoded; None where nothing reads it."""
    constants: Mapping[tuple[str, int], Any] | None
    """Values that columns take from it; None where one is of another kind than its column."""
    memory: Memory = field(default_factory=Memory)


def context_of(text: str, plan: Plan) -> Context:
    """The context of records. Raises BadInput when `text` is not JSON."""
    if not plan.reads_document:
        return Context(text, None, {})
    try:
        document = decode_document(text) if text else None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput(f"the document around the records is not JSON: {error}") from error
    return Context(text, document, constants(plan, document))


def read_text(text: bytes, first: int, count: int, plan: Plan, context: Context) -> Chunk:
    """The records among whole lines, of which the first has this number. Blank lines are none."""
    if b"\r\n" in text[:_FIRST_BYTES]:
        text = text.replace(b"\r\n", b"\n")
    if is_tidy(text):
        return _Piece(_Split(text, count), lambda index: first + index, plan, context).read(text)
    lines = [(number, line.strip(SPACE)) for number, line in enumerate(text.split(b"\n"), first)]
    lines = [(number, line) for number, line in lines if line]
    numbers = [number for number, _ in lines]
    return read_records([line for _, line in lines], numbers.__getitem__, plan, context)


def read_records(records: Sequence[bytes], line_of: LineOf, plan: Plan, context: Context) -> Chunk:
    """Records that hold no line break each."""
    return _Piece(records, line_of, plan, context).read(None)


class _Split(Sequence[bytes]):
    """Lines of a text, split only when one is asked for: a good piece never does."""

    def __init__(self, text: bytes, count: int) -> None:
        self._text = text
        self._count = count
        self._lines: list[bytes] = []

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if not self._lines:
            self._lines = self._text.split(b"\n")
        return self._lines[index]


class _Piece:
    """The reading of one piece."""

    def __init__(self, records: Sequence[bytes], line_of: LineOf, plan: Plan, context: Context) -> None:
        self._records = records
        self._line_of = line_of
        self._plan = plan
        self._context = context
        self._frames: list[pl.DataFrame] = []
        self._unknown: list[Mapping[str, Unknown]] = []
        self._careful: list[int] = []
        """Indexes of the records that are left for the careful reader."""

    def read(self, text: bytes | None) -> Chunk:
        """All of it. `text` is given where it is known to hold every record on a tidy line of its own."""
        every = range(len(self._records))
        if text is not None:
            self._read_columns(text, every)
        else:
            tidy = [index for index, record in enumerate(self._records) if record[:1] == b"{" and record[-1:] == b"}"]
            self._careful += sorted(set(every).difference(tidy))
            self._read_columns(b"".join([self._records[index] + b"\n" for index in tidy]), tidy)
        rejects = self._read_carefully()
        rows = pl.concat(self._frames) if self._frames else self._empty()
        records, line_of = self._records, self._line_of
        return Chunk(
            rows=rows.sort(INDEX) if len(self._frames) > 1 else rows,
            rejects=tuple(rejects),
            record_count=len(records),
            original=lambda index: Original(line_of(index), records[index].strip(SPACE)),
            format="json",
            document=self._context.text,
            unknown=merged(*self._unknown),
        )

    def _empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema={INDEX: pl.Int64(), **self._plan.schema()})

    # ---------------------------------------------------------------------------------------- columns

    def _read_columns(self, text: bytes, indexes: Sequence[int]) -> None:
        """Read tidy lines, which hold the records of these indexes."""
        if self._is_like_the_last(text, indexes):
            return
        constants = self._context.constants
        layout = None
        if indexes and self._plan.is_columnar and constants is not None:
            layout = layout_of(self._plan, sample_of(text), constants, len(indexes))
        if layout is None:
            self._careful += indexes
        elif self._is_read(text, indexes, layout, is_hasty=True):
            if self._context.memory.is_worth_it and is_flat(layout):
                self._context.memory.layout = layout
        else:
            # Most often a few records are to blame. A test of single lines finds them, and the rest is read in one go.
            # What that test does not see, such as a name that stands twice, costs a part of the piece.
            ends = line_ends(text)
            misfits = layout.misfits(text, ends)
            self._careful += [indexes[line] for line in misfits]
            good = _between(misfits, len(ends))
            if not self._is_read(*_cut(text, ends, indexes, good), layout):
                for some in _parts(good):
                    part = _cut(text, ends, indexes, some)
                    if not self._is_read(*part, layout):
                        self._careful += part[1]

    def _is_read(self, text: bytes, indexes: Sequence[int], layout: Layout, *, is_hasty: bool = False) -> bool:
        if not indexes:
            return True
        found = read_columnar(text, len(indexes), layout, is_hasty=is_hasty)
        if found is None:
            return False
        self._take(found, indexes)
        return True

    def _is_like_the_last(self, text: bytes, indexes: Sequence[int]) -> bool:
        memory = self._context.memory
        layout = memory.layout
        if layout is None or not indexes:
            return False
        try:
            found = read_as_flat(text, len(indexes), layout)
        except Unfit:
            found = None
        if found is None:
            memory.layout, memory.is_worth_it = None, False
            return False
        self._take(found, indexes)
        return True

    def _take(self, found: Columnar, indexes: Sequence[int]) -> None:
        frame = found.frame
        if indexes != range(len(indexes)):
            frame = frame.with_columns(pl.Series(INDEX, indexes, pl.Int64).gather(frame[INDEX]))
        self._frames.append(frame)
        self._unknown.append(found.unknown)
        self._careful += [indexes[line] for line in found.doubtful]

    # ---------------------------------------------------------------------------------------- one by one

    def _read_carefully(self) -> list[Reject]:
        rejects: list[Reject] = []
        kept: list[int] = []
        rows: list[tuple[Any, ...]] = []
        fields: Counter[tuple[Names, FieldKind]] = Counter()
        for index in sorted(self._careful):
            found = read_single(
                self._records[index], self._plan, self._context.document, index=index, line=self._line_of(index)
            )
            if isinstance(found, Reject):
                rejects.append(found)
                continue
            kept.append(index)
            rows.append(found.values)
            fields.update(found.unknown.items())
        if rows:
            columns = zip(*rows, strict=True)
            series = [
                pl.Series(name, values, kind, strict=True)
                for (name, kind), values in zip(self._plan.schema().items(), columns, strict=True)
            ]
            self._frames.append(pl.DataFrame([pl.Series(INDEX, kept, pl.Int64), *series]))
            self._unknown.append(unknown_of(fields))
        return rejects


def _between(lines: Sequence[int], count: int) -> list[range]:
    """Runs of the other lines, of `count`."""
    return [range(before + 1, line) for before, line in pairwise((-1, *lines, count)) if line > before + 1]


def _parts(runs: Sequence[range]) -> Iterator[list[range]]:
    """The same lines in lots of about _PART."""
    lot: list[range] = []
    for run in runs:
        for start in range(run.start, run.stop, _PART):
            lot.append(range(start, min(start + _PART, run.stop)))
            if sum(map(len, lot)) >= _PART:
                yield lot
                lot = []
    if lot:
        yield lot


def _cut(
    text: bytes, ends: Sequence[int], indexes: Sequence[int], runs: Sequence[range]
) -> tuple[bytes, Sequence[int]]:
    """Runs of lines out of a text, and the indexes of the records on them."""
    parts = [text[ends[run.start - 1] + 1 if run.start else 0 : ends[run.stop - 1] + 1] for run in runs]
    lines = list(chain.from_iterable(runs))
    return b"".join(parts), lines if isinstance(indexes, range) else [indexes[line] for line in lines]
