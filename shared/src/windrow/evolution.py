"""Columns that records brought themselves, under `schema: evolve`.

The first batch that holds a new field fixes its name and type in an immutable object; every batch after it, and that
one on a retry, reads the field by it. So decoding stays a function of what the store holds, and two batches never give
one column two types.
"""

import re
import unicodedata
from collections.abc import Mapping

import msgspec

from windrow import keys
from windrow.decoding.unknown import Unknown
from windrow.errors import Conflict, TooLarge
from windrow.immutable import put_once
from windrow.ports import ObjectHeaders, ObjectStore
from windrow.spec import RESERVED_COLUMNS, Column, ColumnType, StreamSpec

_JSON = ObjectHeaders(content_type="application/json")
MAX_COLUMNS = 500
"""Columns a stream may have grown. More than that are not columns but data in the names of fields."""
_NAME_CHARS = 60
_UNSAFE = re.compile(r"[^a-z0-9]+")


class EvolvedColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column as its first batch fixed it."""

    column: str
    source: str
    type: ColumnType
    batch: str


_DECODER = msgspec.json.Decoder(EvolvedColumn)


class Evolution:
    """The evolved columns of streams. What was read once never changes; new ones are looked for by LIST."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._known: dict[str, EvolvedColumn] = {}

    def columns(self, stream: str) -> list[EvolvedColumn]:
        """The columns that a stream has grown so far, in order of name."""
        return [self._get(info.key) for info in self._store.list(keys.evolved_columns_prefix(stream))]

    def extended(self, stream: str, spec: StreamSpec) -> StreamSpec:
        """The spec with every column that has evolved so far."""
        return _with(spec, self.columns(stream))

    def grow(self, stream: str, spec: StreamSpec, unknown: Mapping[str, Unknown], batch: str) -> StreamSpec:
        """Fix columns for fields that nobody knew. `spec` has the ones known so far.

        Raises TooLarge when the stream would have more than MAX_COLUMNS.
        """
        grown = sum(1 for _ in self._store.list(keys.evolved_columns_prefix(stream)))
        if grown + len(unknown) > MAX_COLUMNS:
            raise TooLarge(
                f"the object would bring the stream's new columns to {grown + len(unknown)}; the limit is "
                f"{MAX_COLUMNS} (are there values among the names of fields?)"
            )
        for source in sorted(unknown):
            key = self._fix(stream, _names(source, spec), source, unknown[source].kind, batch)
            spec = _with(spec, [self._get(key)])
        return spec

    def _fix(self, stream: str, names: tuple[str, ...], source: str, kind: ColumnType, batch: str) -> str:
        """Fix a field's column under the first of these names that no other field has; returns its key."""
        for column in names:
            key = keys.evolved_column_key(stream, column)
            wanted = EvolvedColumn(column=column, source=source, type=kind, batch=batch)
            body = msgspec.json.encode(wanted, order="deterministic")
            try:
                # Every batch may write this key: whoever comes first decides the type, and all others read it back.
                put_once(self._store, key, body, f"column-{keys.digest(source)}", _JSON)
            except Conflict:
                continue
            return key
        raise Conflict(f"{stream}: no column name is free for the field {source!r}")

    def _get(self, key: str) -> EvolvedColumn:
        if key not in self._known:
            self._known[key] = _DECODER.decode(self._store.get(key).body)
        return self._known[key]


def _with(spec: StreamSpec, found: list[EvolvedColumn]) -> StreamSpec:
    new = {
        each.column: Column(type=each.type, source=(each.source,), missing=())
        for each in found
        if each.column not in spec.columns
    }
    return spec.model_copy(update={"columns": {**spec.columns, **new}}) if new else spec


def _names(source: str, spec: StreamSpec) -> tuple[str, ...]:
    """Column names for a field, best first: its path in the letters that column names have; then one nobody shares."""
    plain = unicodedata.normalize("NFKD", source).encode("ascii", "ignore").decode().lower()
    name = _UNSAFE.sub("_", plain).strip("_")[:_NAME_CHARS]
    if not name or not name[0].isalpha():
        name = f"field_{name}".rstrip("_")[:_NAME_CHARS]
    own = f"{name[: _NAME_CHARS - 9]}_{keys.digest(source)[:8]}"
    return (own,) if name in RESERVED_COLUMNS or name in spec.columns else (name, own)
