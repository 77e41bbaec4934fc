"""How one piece of JSON lines is read as columns: the schema for it, and what is made of its columns."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import msgspec
import polars as pl
import pyarrow as pa

from windrow.decoding.json_learned import Sample, Wider, column_of, is_taken, learn
from windrow.decoding.json_paths import Step
from windrow.decoding.json_plan import DIGITS, Plan, RawColumn, Source
from windrow.decoding.text import is_utf8

_TIME_DIGITS_AFTER = 9
_EXACT_FLOATS = 1 << 53
_RECORD, _BYTE = re.compile(r"`\$\[(\d+)\]"), re.compile(r"\(byte (\d+)\)")
_ITEMS: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "bool": pa.bool_(),
    "int": pa.int64(),
    "float": pa.float64(),
}
_DECIMAL_TEXT = r"\A[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\Z"


@dataclass(frozen=True, slots=True)
class Layout:
    """How one piece is read: each value that may be of several kinds as the kind it has in a sample of the piece."""

    plan: Plan
    schema: pa.Schema
    values: tuple[pl.Expr, ...]
    """Raw columns, from the columns of `schema`."""
    doubts: tuple[pl.Expr, ...]
    """Masks of rows that need the careful reader."""

    learned: Wider | None
    """The schema with the unknown fields of the sample; None where they cannot be columns."""
    has_nulls: bool
    """Whether the sample holds nulls."""

    def misfits(self, text: bytes, ends: Sequence[int]) -> list[int]:
        """Numbers, in order, of the lines for which `read_columnar` may have refused a text that ends lines at `ends`.

        A typed decoder stops at what is wrong, and goes on behind it. Some lines that are well may be among them.
        """
        decoder = msgspec.json.Decoder(_struct(self.schema))
        misfits: set[int] = set()
        line = 0
        if is_utf8(text):
            view = memoryview(text)
            while line < len(ends):
                start = ends[line - 1] + 1 if line else 0
                try:
                    decoder.decode_lines(view[start:])
                except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
                    if found := _RECORD.search(str(error)):
                        wrong = min(line + int(found[1]), len(ends) - 1)
                    elif found := _BYTE.search(str(error)):
                        wrong = min(bisect_left(ends, start + int(found[1])), len(ends) - 1)
                        misfits.add(wrong - 1)  # where an object was not closed, it shows on the line after
                    else:
                        break
                    misfits.add(wrong)
                    line = wrong + 1
                else:
                    line = len(ends)
        while line < len(ends):  # what says nothing about its place is looked for in every line
            record = text[ends[line - 1] + 1 if line else 0 : ends[line]]
            if not is_utf8(record) or not is_taken(record, decoder):
                misfits.add(line)
            line += 1
        return sorted(misfits - {-1})


def layout_of(plan: Plan, sample: Sample, constants: Mapping[tuple[str, int], Any], count: int) -> Layout | None:
    """How to read a piece of `count` records, some of them in `sample`; None when it cannot be read in columns.

    `constants` are the values from the document around the records, by column and number of the source.

    A time may be a number in one record and text in the next; a column cannot. So each piece takes the kind that the
    sample shows, and records of the other kind are read one by one. Likewise for whole numbers written as 17850.0.
    """
    root = _Node()
    values, doubts = [], []
    for raw in plan.columns:
        found: list[pl.Expr] = []
        for number, source in enumerate(raw.sources):
            if source.path.of_document:
                found.append(pl.lit(pl.Series([constants[raw.name, number]], dtype=raw.core)).first())
                continue
            kind = _kind(raw, list(_sampled(source, plan, sample)))
            node = _descend(root, source, plan)
            if node is None or not node.become(kind):
                return None
            column = pl.col(column_of(list(root.fields).index(str(next(_way(source, plan))))))
            found.append(_over(column, source, plan, partial(_value, raw, kind)))
            doubt = _doubt(raw, kind)
            if doubt is not None:
                masks = _over(column, source, plan, doubt)
                doubts.append(masks.list.any() if source.of_member else masks)
        joined = pl.concat_str(found, separator=" ") if raw.is_joined else pl.coalesce(found)
        values.append(joined.alias(raw.name))
    if not root.fields:
        return None  # nothing is read from the records, so no column would tell how many there are
    schema = pa.schema(list(root.arrow_fields()))
    fitting = sample.of(msgspec.json.Decoder(_struct(schema)))
    learned = learn(schema, plan.used, fitting, count)
    return Layout(plan, schema, tuple(values), tuple(doubts), learned, sample.has_nulls)


# ------------------------------------------------------------------------------------------------ the schema


class _Node:
    """A value's place in a record while the schema is put together."""

    __slots__ = ("fields", "items", "leaf")

    def __init__(self) -> None:
        self.fields: dict[str, _Node] = {}
        self.items: _Node | None = None
        self.leaf: pa.DataType | None = None

    def field(self, name: str) -> "_Node | None":
        if self.leaf is not None or self.items is not None:
            return None
        return self.fields.setdefault(name, _Node())

    def members(self) -> "_Node | None":
        if self.leaf is not None or self.fields:
            return None
        if self.items is None:
            self.items = _Node()
        return self.items

    def become(self, leaf: pa.DataType) -> bool:
        """Whether this can be a value of a kind, besides what it is already."""
        if self.fields or self.items is not None or self.leaf not in (None, leaf):
            return False
        self.leaf = leaf
        return True

    def arrow_fields(self) -> Iterator[pa.Field]:
        return (pa.field(name, node.arrow()) for name, node in self.fields.items())

    def arrow(self) -> pa.DataType:
        if self.items is not None:
            return pa.list_(self.items.arrow())
        return pa.struct(list(self.arrow_fields())) if self.leaf is None else self.leaf


def _descend(root: _Node, source: Source, plan: Plan) -> _Node | None:
    """The node of a source; None where another source has something else there."""
    node: _Node | None = root
    for step in _way(source, plan):
        if node is None:
            return None
        node = node.field(step) if isinstance(step, str) else node.members()
    return node


def _way(source: Source, plan: Plan) -> Iterator[Step]:
    if source.of_member and plan.exploded is not None:
        yield from plan.exploded.steps or ()
        yield 0
    yield from source.path.steps or ()


def _sampled(source: Source, plan: Plan, sample: Sample) -> Iterator[Any]:
    """What a source holds in the sample."""
    for record in sample.records:
        if source.of_member and plan.exploded is not None:
            members = plan.exploded.find(record)
            yield from (source.path.find(member) for member in (members if isinstance(members, list) else ()))
        else:
            yield source.path.find(record)


def _kind(raw: RawColumn, sampled: list[Any]) -> pa.DataType:
    """How a value is read from this piece."""
    has_text = any(isinstance(value, str) for value in sampled)
    has_fraction = any(isinstance(value, float) for value in sampled)
    has_number = has_fraction or any(isinstance(value, int) and not isinstance(value, bool) for value in sampled)
    match raw.kind:
        case "bool":
            return pa.bool_()
        case "int":
            return pa.float64() if has_fraction else pa.int64()
        case "float":
            return pa.float64()
        case "decimal":
            return pa.decimal128(DIGITS, raw.digits_after)
        case "list":
            return pa.list_(_ITEMS[raw.column.items or "string"])
        case "part":
            return pa.int64() if has_number and not has_text else pa.string()
        case "time" if raw.takes_numbers and not has_text and (has_number or not raw.takes_text):
            return pa.decimal128(DIGITS, _TIME_DIGITS_AFTER) if has_fraction else pa.int64()
        case _:
            return pa.string()


def _over(column: pl.Expr, source: Source, plan: Plan, taken: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """An expression over what a source leads to; over each member, where it leads into the exploded list."""
    steps = source.path.steps or ()
    if not source.of_member or plan.exploded is None:
        return taken(_follow(column, steps[1:]))
    return _follow(column, (plan.exploded.steps or ())[1:]).list.eval(taken(_follow(pl.element(), steps)))


def _follow(value: pl.Expr, steps: tuple[Step, ...]) -> pl.Expr:
    for step in steps:
        value = value.struct.field(step) if isinstance(step, str) else value.list.get(step, null_on_oob=True)
    return value


def _value(raw: RawColumn, kind: pa.DataType, value: pl.Expr) -> pl.Expr:
    """A raw value from the kind it was read as."""
    if raw.kind == "int" and kind == pa.float64():
        return value.cast(pl.Int64, strict=False)
    if raw.kind in ("time", "part") and kind == pa.int64():
        return value.cast(pl.String)
    if raw.kind == "time" and kind != pa.string():
        return value.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    return value


def _doubt(raw: RawColumn, kind: pa.DataType) -> Callable[[pl.Expr], pl.Expr] | None:
    """Which values may not be what they seem; None if all are."""
    if raw.kind == "int" and kind == pa.float64():
        return lambda value: value.is_not_null() & ~((value == value.floor()) & (value.abs() < _EXACT_FLOATS))
    if raw.kind == "list":  # null is no member
        return lambda value: value.list.drop_nulls().list.len() != value.list.len()
    return None


def _struct(fields: pa.Schema | pa.StructType) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        "Fields",
        [
            (f"field_{number}", _python(field.type), msgspec.field(name=field.name, default=None))
            for number, field in enumerate(fields)
        ],
    )


def _python(kind: pa.DataType) -> Any:
    if pa.types.is_struct(kind):
        return _struct(kind) | None
    if pa.types.is_list(kind):
        return list[_python(kind.value_type)] | None  # type: ignore[misc]
    if pa.types.is_decimal(kind):
        return int | float | Annotated[str, msgspec.Meta(pattern=_DECIMAL_TEXT)] | None
    if pa.types.is_int64(kind):
        return Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)] | None
    if pa.types.is_float64(kind):
        return float | None
    return (bool if pa.types.is_boolean(kind) else str) | None
