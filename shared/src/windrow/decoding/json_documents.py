"""JSON documents that hold records: an array of them somewhere inside, arrays of equal length, or GeoJSON."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from windrow.decoding.json_paths import compile_path
from windrow.decoding.json_plan import describe
from windrow.decoding.json_single import malformed
from windrow.framing import on_one_line
from windrow.quarantine import Reject
from windrow.spec import StreamSpec

MARK = b'"FeatureCollection"'
"""Without this, and without settings in the spec, a text holds no document of records."""
_OBJECT: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder()
_VALUE_CHARS = 200
_MESSAGE_CHARS = 500


class Run(NamedTuple):
    """Records that stand in one document."""

    records: list[bytes]
    """Each on one line."""
    document: str
    """JSON of what stands around them: at least `{}`, unless they were in no document at all."""
    line_of: Callable[[int], int]
    """The line on which each starts, from 1, by its number here."""


class Refused(NamedTuple):
    """A document that its records cannot be had from, or a record too large to be read."""

    reject: Reject
    """With index 0."""
    data: bytes


class Starts:
    """The lines on which elements of an array start. They are only looked for when one is asked for."""

    def __init__(self, text: bytes, elements: Sequence[bytes], first: int = 1) -> None:
        self._text, self._elements, self._first = text, elements, first

    def line_of(self, number: int) -> int:
        """By the number of the element; the text begins on line `first`."""
        return self._lines[number]

    @cached_property
    def _lines(self) -> list[int]:
        lines: list[int] = []
        place, line = 0, self._first
        for element in self._elements:
            start = self._text.find(element, place)
            line += self._text.count(b"\n", place, start)
            lines.append(line)
            place = start + len(element)
            line += element.count(b"\n")
        return lines


@dataclass(frozen=True, slots=True)
class Shape:
    """How the documents of a stream hold records."""

    path: tuple[str, ...]
    """Names that lead to the records, or to the object of arrays."""
    is_arrays: bool
    is_set: bool
    """Whether the spec says so; else only GeoJSON is unpacked."""
    keeps_document: bool
    """Whether sources of the spec read what stands around the records."""

    def unpacks(self, document: bytes) -> bool:
        """Whether this document holds records, rather than being one."""
        if self.is_set:
            return True
        if MARK not in document:
            return False
        try:
            return bytes(_OBJECT.decode(document).get("type", b"")) == MARK
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return False

    def unpack(self, document: bytes, line: int) -> Run | Refused:
        """The records of a document that starts on this line."""
        try:
            return self._unpacked(document, line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            return Refused(malformed(error, document, 0, line), document)
        except _Unfit as unfit:
            reject = Reject(
                reason=unfit.reason,
                message=f"line {line}: {unfit}",
                index=0,
                line=line,
                field=unfit.path or None,
                value=document[:_VALUE_CHARS].decode(errors="replace"),
            )
            return Refused(reject, document)

    def _unpacked(self, document: bytes, line: int) -> Run:
        levels: list[dict[str, msgspec.Raw]] = []
        found = msgspec.Raw(document)
        for depth, name in enumerate(self.path):
            if not bytes(found).startswith(b"{"):
                raise _not_an_object(found, self.path[:depth])
            levels.append(_OBJECT.decode(found))
            if name not in levels[-1]:
                raise _Unfit("no_records", self.path[: depth + 1], "is missing; it should hold the records")
            found = levels[-1].pop(name)
        records = _from_arrays(found, self.path) if self.is_arrays else _from_list(found, self.path)
        line_of = always(line)
        if not self.is_arrays:
            if b"\n" in document:
                line_of = Starts(document, records, line).line_of
            records = on_one_line_each(records, document)
        if not self.keeps_document:
            return Run(records, "{}", line_of)
        around: dict[str, Any] = dict(levels[-1])
        for name, level in zip(reversed(self.path[:-1]), reversed(levels[:-1]), strict=True):
            around = {**level, name: around}
        text = msgspec.json.encode(around)
        _ANY.decode(text)  # so that whoever reads it later can rely on it
        return Run(records, text.decode(), line_of)


def always(line: int) -> Callable[[int], int]:
    """The lines of records that all start on one."""
    return lambda _: line


def on_one_line_each(records: list[bytes], text: bytes) -> list[bytes]:
    """Records of a well-formed text without line breaks."""
    return list(map(on_one_line, records)) if b"\n" in text or b"\r" in text else records


class _Unfit(Exception):
    """A document does not have the shape that the spec speaks of."""

    def __init__(self, reason: str, names: Sequence[str], rule: str) -> None:
        self.reason = reason
        self.path = ".".join(names)
        super().__init__(f"{self.path!r} in the document {rule}" if names else f"the document {rule}")


def shape_of(spec: StreamSpec, *, keeps_document: bool) -> Shape:
    """How a stream's documents hold records."""
    setting = spec.format.json_
    source = setting.records or setting.arrays
    if source is None:
        return Shape(("features",), is_arrays=False, is_set=False, keeps_document=keeps_document)
    names = tuple(step for step in compile_path(source).steps or () if isinstance(step, str))
    return Shape(names or (source,), setting.arrays is not None, is_set=True, keeps_document=keeps_document)


def _not_an_object(found: msgspec.Raw, names: Sequence[str]) -> _Unfit:
    return _Unfit("no_records" if names else "not_an_object", names, f"is {_kind(found)}, expected an object")


def _from_list(found: msgspec.Raw, names: Sequence[str]) -> list[bytes]:
    if not bytes(found).startswith(b"["):
        raise _Unfit("no_records", names, f"is {_kind(found)}, expected an array of records")
    return list(map(bytes, _LIST.decode(found)))


def _from_arrays(found: msgspec.Raw, names: Sequence[str]) -> list[bytes]:
    if not bytes(found).startswith(b"{"):
        raise _Unfit("no_records", names, f"is {_kind(found)}, expected an object of arrays")
    arrays: dict[str, list[msgspec.Raw]] = {}
    for name, values in _OBJECT.decode(found).items():
        if not bytes(values).startswith(b"["):
            raise _Unfit("unequal_arrays", (*names, name), f"is {_kind(values)}, expected an array like the others")
        arrays[name] = _LIST.decode(values)
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise _Unfit("unequal_arrays", names, f"holds arrays of unequal length: {told}"[:_MESSAGE_CHARS])
    keys = [msgspec.json.encode(name) + b":" for name in arrays]
    return [
        on_one_line(b"{" + b",".join([key + bytes(value) for key, value in zip(keys, values, strict=True)]) + b"}")
        for values in zip(*arrays.values(), strict=True)
    ]


def _kind(found: msgspec.Raw) -> str:
    return describe(_ANY.decode(found))
