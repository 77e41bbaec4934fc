"""Fields of records that nothing reads: which there are, and what they hold."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from windrow.decoding.json_paths import source_of
from windrow.decoding.json_plan import Used
from windrow.decoding.unknown import FieldKind, Unknown, wider

_KINDS: Mapping[type, FieldKind] = {bool: "bool", int: "int", float: "float", dict: "json", list: "json"}


Names = tuple[str, ...]
"""Of a field, one within the other."""


def fields_of(record: Mapping[str, Any], used: Used) -> Iterator[tuple[Names, FieldKind]]:
    """Names and kind of every value in a record that nothing reads. What is null counts as absent.

    Objects are looked into as far as the sources of the spec look into them, lists only where they are exploded.
    """
    return iter(()) if used.is_whole else _fields(record, used, ())


def _fields(record: Mapping[str, Any], used: Used, above: Names) -> Iterator[tuple[Names, FieldKind]]:
    for name in record.keys() - used.fields.keys():
        if record[name] is not None:
            yield (*above, name), kind_of(record[name])
    for name, inner in used.objects.items():
        value = record.get(name)
        names = (*above, name)
        if inner.of_members and isinstance(value, list):
            found: dict[Names, FieldKind] = {}
            for member in value:
                if isinstance(member, dict):
                    for path, kind in _fields(member, inner, names):
                        found[path] = wider(found.get(path, kind), kind)
            yield from found.items()
        elif isinstance(value, dict) and not inner.of_members:
            yield from _fields(value, inner, names)
        elif value is not None:
            yield names, kind_of(value)


def count_fields(records: Iterable[Mapping[str, Any]], used: Used) -> dict[str, Unknown]:
    """Unknown fields of several records."""
    counts = Counter(chain.from_iterable(fields_of(record, used) for record in records))
    return unknown_of(counts)


def unknown_of(counts: Mapping[tuple[Names, FieldKind], int]) -> dict[str, Unknown]:
    """Unknown fields by source, from how many records hold which kind of value there."""
    total: dict[str, Unknown] = {}
    for (names, kind), count in counts.items():
        source = source_of(names)
        known = total.get(source, Unknown(0, kind))
        total[source] = Unknown(known.record_count + count, wider(known.kind, kind))
    return total


def kind_of(value: Any) -> FieldKind:
    """The narrowest type of column that holds a value, which is not null."""
    kind = _KINDS.get(type(value)) or ("float" if isinstance(value, float) else "string")
    return "float" if kind == "int" and not -(1 << 63) <= value < 1 << 63 else kind
