"""What a spec asks of JSON records: where each raw column comes from and of what kind it is.

Made once per object, and shared by the columnar reader and the careful one, so that they cannot disagree on it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import polars as pl

from windrow.decoding.json_paths import Path, compile_path, is_columnar, is_plain_name, member_path
from windrow.spec import Column, StreamSpec
from windrow.spec.times import EPOCHS

Kind = Literal["text", "bool", "int", "float", "decimal", "time", "part", "list", "json"]
"""What a value may be in JSON. `text` is text; `time` text or, under an epoch format, a number; `part` text or a number
as it is written, to be joined with others to a time; `json` anything, which becomes its own text."""

_KINDS: Mapping[str, Kind] = {
    "string": "text",
    "categorical": "text",
    "bool": "bool",
    "int": "int",
    "float": "float",
    "decimal": "decimal",
    "list": "list",
    "json": "json",
}
DIGITS = 38
"""Of the widest decimal."""
_MORE_DIGITS = 6
_CORE: Mapping[str, pl.DataType] = {
    "bool": pl.Boolean(),
    "int": pl.Int64(),
    "float": pl.Float64(),
    "string": pl.String(),
}


@dataclass(frozen=True, slots=True)
class Source:
    """One place where a column's value is looked for."""

    path: Path
    """Within a member of the exploded list, under `of_member`."""
    of_member: bool


@dataclass(frozen=True, slots=True)
class RawColumn:
    """A column of the spec, as it comes out of JSON."""

    name: str
    field: str
    """The sender's name for it, for messages."""
    kind: Kind
    column: Column
    sources: tuple[Source, ...]
    """In order; the first that holds a value counts. With `is_joined`, the parts of a time, all of which count."""
    expected: str
    """What its value should have been, to stand after `expected `."""
    is_joined: bool = False
    takes_numbers: bool = False
    """Of a time: whether a number can be one."""
    takes_text: bool = True
    """Of a time: whether one of its formats is not a number."""

    @property
    def is_list(self) -> bool:
        """Whether there is a value for each member of the exploded list."""
        return any(source.of_member for source in self.sources)

    @property
    def core(self) -> pl.DataType:
        """Type of a single value."""
        match self.kind:
            case "list":
                return pl.List(_CORE[self.column.items or "string"])
            case "decimal":
                return pl.Decimal(DIGITS, self.digits_after)
            case _:
                return _CORE.get(self.kind, pl.String())

    @property
    def digits_after(self) -> int:
        """Of a decimal: how many digits after the point are read, so that too many are seen as such."""
        return self.column.scale + min(_MORE_DIGITS, DIGITS - self.column.precision)

    @property
    def dtype(self) -> pl.DataType:
        """Type of the column before `explode`."""
        return pl.List(self.core) if self.is_list else self.core


@dataclass
class Used:
    """Fields of an object that something reads. A field without any of its own is read as a whole."""

    fields: "dict[str, Used]" = field(default_factory=dict)
    is_whole: bool = False
    of_members: bool = False
    """Whether `fields` are those of the members of a list."""

    @cached_property
    def objects(self) -> "dict[str, Used]":
        """The fields that are looked into. Only asked for when everything is noted."""
        return {name: inner for name, inner in self.fields.items() if not inner.is_whole}

    def within(self, names: Iterable[str]) -> "Used":
        """The object that these names lead to."""
        node = self
        for name in names:
            node = node.fields.setdefault(name, Used())
        return node


@dataclass(frozen=True, slots=True)
class Plan:
    """A spec, as far as JSON is concerned."""

    spec: StreamSpec
    columns: tuple[RawColumn, ...]
    exploded: Path | None
    """The list whose members become rows, where a column is read from them."""
    takes_scalars: bool
    """Whether members of the exploded list may be anything but objects."""
    used: Used
    is_columnar: bool
    """Whether whole pieces can be read at once."""
    reads_document: bool
    """Whether a source begins with `$.`."""

    @property
    def is_frozen(self) -> bool:
        """Whether a record with an unknown field is refused."""
        return self.spec.schema_policy == "freeze"

    def schema(self) -> dict[str, pl.DataType]:
        """Types of the columns that the careful reader makes."""
        return {each.name: each.dtype for each in self.columns}


def plan_of(spec: StreamSpec) -> Plan:
    """How a spec is read from JSON."""
    exploded = compile_path(spec.explode) if spec.explode is not None else None
    columns = tuple(_raw_column(spec, name, exploded) for name in spec.read)
    used = Used()
    of_members = False
    for each in columns:
        for source in each.sources:
            if source.of_member:
                of_members = True
            elif not source.path.of_document:
                _use(used, source.path)
    if exploded is not None and of_members:
        _use_members(used, exploded, columns)
    paths = [source.path for each in columns for source in each.sources if not source.of_member]
    takes_scalars = any(source.of_member and not source.path.steps for each in columns for source in each.sources)
    return Plan(
        spec,
        columns,
        exploded if of_members else None,
        takes_scalars,
        used,
        is_columnar=all(each.kind != "json" for each in columns)
        and all(map(is_columnar, paths))
        and _members_are_columnar(columns, exploded if of_members else None),
        reads_document=any(path.of_document for path in paths),
    )


def _raw_column(spec: StreamSpec, name: str, exploded: Path | None) -> RawColumn:
    column = spec.columns[name]
    formats = spec.formats_of(name)
    numbers = any(each in EPOCHS for each in formats)
    texts = any(each not in EPOCHS for each in formats)
    is_time = column.type in ("timestamp", "date")
    is_joined = name == spec.time.column and bool(spec.time.parts)
    kind: Kind = "part" if is_joined else "time" if is_time else _KINDS[column.type]
    given = spec.time.parts if is_joined else spec.sources_of(name)
    return RawColumn(
        name,
        " ".join(given) if is_joined else given[0],
        kind,
        column,
        tuple(_source(each, exploded) for each in given),
        _expected(column, kind, formats),
        is_joined=is_joined,
        takes_numbers=numbers,
        takes_text=texts,
    )


def _source(text: str, exploded: Path | None) -> Source:
    member = member_path(text, exploded) if exploded is not None else None
    return Source(member or compile_path(text), member is not None)


def _expected(column: Column, kind: Kind, formats: tuple[str, ...]) -> str:
    match kind:
        case "text":
            return "text"
        case "bool":
            return "a bool"
        case "int":
            return "a whole number of 64 bits"
        case "float" | "decimal":
            return "a number"
        case "list":
            return f"an array of {column.items}s"
        case "part":
            return "text or a number"
        case "json":
            return "anything"
        case "time":
            return f"a {'date' if column.type == 'date' else 'time'} written as {', '.join(formats)}"


# ------------------------------------------------------------------------------------------------ fields in use


def _use(used: Used, path: Path) -> None:
    """Note what a path reads of an object."""
    if path.steps is None:
        if path.roots is None:
            used.is_whole = True
        else:
            for name in path.roots:
                used.within((name,)).is_whole = True
        return
    names = []
    for step in path.steps:
        if isinstance(step, int):
            break  # lists are taken as a whole: their other places are no fields
        names.append(step)
    used.within(names).is_whole = True


def _use_members(used: Used, exploded: Path, columns: tuple[RawColumn, ...]) -> None:
    if exploded.steps is None or not all(isinstance(step, str) for step in exploded.steps):
        _use(used, exploded)
        return
    node = used.within(step for step in exploded.steps if isinstance(step, str))
    node.of_members = True
    for each in columns:
        for source in each.sources:
            if source.of_member and not source.path.steps:
                node.is_whole = True
            elif source.of_member:
                _use(node, source.path)


def _members_are_columnar(columns: tuple[RawColumn, ...], exploded: Path | None) -> bool:
    if exploded is None:
        return True
    if not is_columnar(exploded) or any(isinstance(step, int) for step in exploded.steps or ()):
        return False
    for each in columns:
        of_member = [source for source in each.sources if source.of_member]
        if of_member and (len(of_member) < len(each.sources) or each.is_joined):
            return False  # a member's value or else the record's: rare, and simple to do record by record
        # A member itself has the empty path, which `is_columnar` calls none of a record's.
        if not all(source.path.steps == () or _is_columnar_in_member(source.path) for source in of_member):
            return False
    return True


def _is_columnar_in_member(path: Path) -> bool:
    return is_columnar(path) and is_plain_name(str((path.steps or ("",))[0]))


def describe(value: Any) -> str:
    """A JSON value's kind in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a bool"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case list():
            return "an array"
        case _:
            return "an object"
