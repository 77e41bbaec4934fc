"""Which fields of a CSV row make up which columns of a spec, and what becomes of the others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from windrow.decoding.chunks import INDEX
from windrow.decoding.unknown import Unknown
from windrow.lake.schema import column_type
from windrow.quarantine import Reject
from windrow.spec import ItemType, StreamSpec
from windrow.spec.columns import NUMBERS

_VALUE_CHARS = 200
_COMMA_NUMBER = r"^\s*[+-]?(?:[0-9]+,[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$"
_BOOL = "^(?i:true|false)$"
_INT = "^-?(?:0|[1-9][0-9]{0,17})$"
"""Leading zeros mean a code, not a number; 18 digits always fit."""
_FLOAT = "^-?(?:0|[1-9][0-9]{0,14})(?:%s[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?$"


class Number(NamedTuple):
    """How a field that is only ever a number may be read as one at once."""

    type: pl.DataType
    markers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """A header under a spec. Fields are known by their place in the row, from 0."""

    names: tuple[str, ...]
    spec: StreamSpec
    sources: dict[str, tuple[int, ...]]
    """Fields of each column in `spec.read` that takes one as it is, its first source first."""
    parts: tuple[int, ...]
    """Fields that make up the time together."""
    unknown: tuple[int, ...]
    """Fields that nothing asks for."""
    numbers: dict[int, Number]

    @classmethod
    def of(cls, names: tuple[str, ...], spec: StreamSpec) -> "Fields":
        """Of a header whose names are there once, and that has the sources of the time."""
        places = {name: place for place, name in enumerate(names) if name}
        parts = tuple(places[part] for part in spec.time.parts)
        columns = [name for name in spec.read if not (parts and name == spec.time.column)]
        sources = {
            name: tuple(
                places[source] for source in spec.sources_of(name) if source in places and not _is_outer(source)
            )
            for name in columns
        }
        used = {place for several in sources.values() for place in several}.union(parts)
        unknown = tuple(place for place in range(len(names)) if place not in used)
        return cls(names, spec, sources, parts, unknown, _numbers(sources, parts, spec))

    def rows(self, fields: pl.DataFrame, indexes: pl.Series) -> pl.DataFrame:
        """Raw columns of rows whose fields are the columns of `fields`, as text or numbers, null where empty."""
        return fields.select(*(self._raw(name) for name in self.spec.read), indexes.alias(INDEX))

    def held(self, fields: pl.DataFrame) -> dict[str, Unknown]:
        """What the unknown fields hold. Only `schema: evolve` asks for the kind of it."""
        found: dict[str, Unknown] = {}
        for place in self.unknown:
            values = fields.to_series(place).drop_nulls()
            if values.len():
                kind = self._kind(values) if self.spec.schema_policy == "evolve" else "string"
                before = found.get(self.names[place], Unknown(0, kind))  # fields without a name share one
                found[self.names[place]] = Unknown(before.record_count + values.len(), kind)
        return found

    def refused(self, fields: pl.DataFrame, indexes: pl.Series) -> Iterator[Reject]:
        """A reject for each row that holds a value in an unknown field: the first of them."""
        some = pl.any_horizontal(pl.nth(place).is_not_null() for place in self.unknown)
        bad = fields.select(some).to_series()
        for index, row in zip(indexes.filter(bad), fields.filter(bad).iter_rows(), strict=True):
            place = next(place for place in self.unknown if row[place] is not None)
            name, value = self.names[place], row[place][:_VALUE_CHARS]
            message = f"column {name!r} is not in the spec, and its schema is frozen: {value!r}"
            yield Reject(reason="unknown_field", message=message, index=index, field=name, value=value)

    def _raw(self, name: str) -> pl.Expr:
        if self.parts and name == self.spec.time.column:
            return pl.concat_str([pl.nth(place) for place in self.parts], separator=" ").alias(name)
        places = self.sources[name]
        if not places:
            return pl.lit(None, pl.String).alias(name)
        raw = pl.coalesce(pl.nth(place) for place in places) if len(places) > 1 else pl.nth(places[0])
        column = self.spec.columns[name]
        if self.spec.format.csv.decimal == "," and column.type in NUMBERS:
            is_number = raw.str.contains(_COMMA_NUMBER)
            if column.missing:
                is_number &= ~raw.str.strip_chars().is_in([marker.strip() for marker in column.missing])
            raw = pl.when(is_number).then(raw.str.replace(",", ".", literal=True)).otherwise(raw)
        return raw.alias(name)

    def _kind(self, values: pl.Series) -> ItemType:
        if values.str.contains(_BOOL).all():
            return "bool"
        if values.str.contains(_INT).all():
            return "int"
        mark = self.spec.format.csv.decimal.replace(".", r"\.")
        return "float" if values.str.contains(_FLOAT % mark).all() else "string"


def _is_outer(source: str) -> bool:
    """Whether a source reads from a document around the records, which CSV has not."""
    return source.startswith("$.")


def _numbers(sources: dict[str, tuple[int, ...]], parts: Sequence[int], spec: StreamSpec) -> dict[int, Number]:
    if spec.format.csv.decimal != ".":
        return {}
    users: dict[int, list[str]] = {}
    for name, places in sources.items():
        for place in places:
            users.setdefault(place, []).append(name)
    return {
        place: Number(column_type(column), column.missing)
        for place, names in users.items()
        for column in [spec.columns[names[0]]]
        # Where several share a field, or a column has several, each may need the text.
        if len(names) == 1 and len(sources[names[0]]) == 1 and place not in parts and column.type in ("int", "float")
    }
