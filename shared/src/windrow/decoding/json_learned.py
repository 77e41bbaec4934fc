"""Unknown fields in columns, as a sample shows them.

Left to itself, the columnar reader would make a column of every name it meets; among records that use values for names
that is no longer bounded. So it is only ever given columns that a small sample shows, and refuses any others.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import polars as pl
import pyarrow as pa
from pyarrow import json as pa_json

from windrow.decoding.json_paths import is_plain_name, source_of
from windrow.decoding.json_plan import Used
from windrow.decoding.json_unknown import fields_of
from windrow.decoding.unknown import FieldKind

_SAMPLES = 128
_SAMPLE_BYTES = 1 << 18
_MAX_FIELDS = 300
_MAX_CELLS = 1 << 23
"""Values of unknown fields, with those that are absent, that a piece may make."""
_KINDS: dict[pa.DataType, FieldKind] = {pa.bool_(): "bool", pa.int64(): "int", pa.float64(): "float"}
_ANY = msgspec.json.Decoder()


class Sample(NamedTuple):
    """Some well-formed records of a piece."""

    lines: tuple[bytes, ...]
    records: tuple[Any, ...]

    def of(self, decoder: msgspec.json.Decoder[Any]) -> "Sample":
        """What of it this decoder takes."""
        fitting = [place for place, line in enumerate(self.lines) if is_taken(line, decoder)]
        return Sample(tuple(self.lines[place] for place in fitting), tuple(self.records[place] for place in fitting))

    @property
    def has_nulls(self) -> bool:
        """Whether a record holds one among its own fields."""
        return any(isinstance(record, dict) and None in record.values() for record in self.records)


class Learned(NamedTuple):
    """A field that nothing reads."""

    source: str
    kind: FieldKind
    holds: pl.Expr
    """Mask of the records that hold a value there."""


class Wider(NamedTuple):
    """A schema with the unknown fields that a sample shows."""

    schema: pa.Schema
    fields: tuple[Learned, ...]


def column_of(number: int) -> str:
    """The name of a field of the record itself, while it is read in columns."""
    return f"field_{number}"


def sample_of(body: bytes) -> Sample:
    """Records from all over a piece of lines."""
    starts = {body.find(b"\n", len(body) * number // _SAMPLES) + 1 for number in range(1, _SAMPLES)} | {0}
    lines, records, left = [], [], _SAMPLE_BYTES
    for start in sorted(starts - {len(body)}):
        end = body.find(b"\n", start, start + left)
        if end < 0:
            continue
        line = body[start:end]
        try:
            record = _ANY.decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            continue
        lines.append(line)
        records.append(record)
        left -= len(line)
    return Sample(tuple(lines), tuple(records))


def is_taken(line: bytes, decoder: msgspec.json.Decoder[Any]) -> bool:
    """Whether a line is what a decoder wants."""
    try:
        decoder.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True


def learn(schema: pa.Schema, used: Used, sample: Sample, count: int) -> Wider | None:
    """The schema with all that a sample of `count` records shows besides; None where that is too much for columns."""
    if not any(isinstance(record, dict) and next(fields_of(record, used), None) for record in sample.records):
        return Wider(schema, ())
    try:
        table = pa_json.read_json(
            pa.BufferReader(b"\n".join(sample.lines)),
            read_options=pa_json.ReadOptions(block_size=4 * _SAMPLE_BYTES, use_threads=False),
            parse_options=pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer"),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError):
        return None
    wider = pa.schema([pa.field(field.name, _plain(field.type)) for field in table.schema])
    total = sum(map(_size, wider.types))
    if total > _MAX_FIELDS or total * count > _MAX_CELLS:
        return None
    fields = list(_learned(wider, used, (), None))
    if None in fields:
        return None
    return Wider(wider, tuple(field for field in fields if field is not None))


def _plain(kind: pa.DataType) -> pa.DataType:
    """An inferred type, in which texts that look like times are texts again, and members that were all null may be.

    Lists of nothing but null come out of the columnar reader damaged.
    """
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _plain(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(pa.string() if pa.types.is_null(kind.value_type) else _plain(kind.value_type))
    return pa.string() if pa.types.is_temporal(kind) else kind


def _size(kind: pa.DataType) -> int:
    if pa.types.is_struct(kind):
        return 1 + sum(_size(field.type) for field in kind)
    return 1 + _size(kind.value_type) if pa.types.is_list(kind) else 1


def _learned(
    fields: pa.Schema | pa.StructType, used: Used, names: tuple[str, ...], above: pl.Expr | None
) -> Iterator[Learned | None]:
    """Fields that nothing reads; None stands for one that no expression can name."""
    if used.is_whole:
        return
    for number, field in enumerate(fields):
        inner = used.fields.get(field.name)
        if inner is not None and inner.is_whole:
            continue
        if above is not None and not is_plain_name(field.name):
            yield None
            continue
        way = (*names, field.name)
        value = pl.col(column_of(number)) if above is None else above.struct.field(field.name)
        if inner is None:
            if not pa.types.is_null(field.type):
                yield Learned(source_of(way), _kind(field.type), value.is_not_null())
        elif inner.of_members:
            for each in _learned(field.type.value_type, inner, way, pl.element()):
                holds = None if each is None else value.list.eval(each.holds.any()).list.first().fill_null(value=False)
                yield None if each is None or holds is None else each._replace(holds=holds)
        else:
            yield from _learned(field.type, inner, way, value)


def _kind(kind: pa.DataType) -> FieldKind:
    return "json" if pa.types.is_nested(kind) else _KINDS.get(kind, "string")
