"""Fields of records that no column names. It needs no data frames, since the catalogue of specs has to know it too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from windrow.spec import ItemType

FieldKind = ItemType | Literal["json"]
"""What a field holds that no column names: one kind of value, or several or nested ones, which only JSON can say."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A field that no column names: how many records hold a value there, and what kind of value."""

    record_count: int
    kind: FieldKind
    """The narrowest that holds every value seen."""


def merged(*found: Mapping[str, Unknown]) -> dict[str, Unknown]:
    """Unknown fields of several pieces together."""
    total: dict[str, Unknown] = {}
    for each in found:
        for path, one in each.items():
            known = total.get(path)
            if known is None:
                total[path] = one
                continue
            total[path] = Unknown(known.record_count + one.record_count, wider(known.kind, one.kind))
    return total


def wider(one: FieldKind, other: FieldKind) -> FieldKind:
    """The narrowest kind that holds values of both."""
    if one == other:
        return one
    return "float" if {one, other} == {"int", "float"} else "json"
