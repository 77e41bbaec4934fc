"""Records with a kind for every value (JSON, or nested Parquet rows) to columns."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from windrow.decoding.json_paths import source_of
from windrow.errors import BadInput
from windrow.proposal.evidence import Evidence, counted
from windrow.proposal.sample import MAX_FIELDS, Field, Path, ValueKind

_MAX_DEPTH = 12
_KINDS: dict[type, ValueKind] = {str: "text", bool: "bool", int: "int", float: "float"}
_POSITIONS = ("longitude", "latitude", "altitude")
"""What GeoJSON says the members of a point's coordinates are."""


def source(path: Path) -> str:
    """The path as a spec names it."""
    return source_of([clean(name) for name in path])


def clean(text: str) -> str:
    """Text that a table could hold: half a surrogate pair is none."""
    return text if text.isascii() else text.encode(errors="replace").decode()


class Columns:
    """Collects records into one list of values per path."""

    def __init__(self) -> None:
        self.row_count = 0
        self._values: dict[Path, dict[int, str | None]] = {}
        self._kinds: dict[Path, Counter[ValueKind]] = {}
        self._items: dict[Path, Counter[ValueKind]] = {}
        self._odd: dict[Path, Counter[str]] = {}
        self._longest: dict[Path, int] = {}

    def add(self, record: Mapping[str, Any]) -> None:
        self._add_object(record, ())
        self.row_count += 1
        if len(self._values) > MAX_FIELDS:
            raise BadInput(
                f"the first {counted(self.row_count, 'record')} have more than {MAX_FIELDS:,} fields; "
                "objects whose names are data cannot become columns"
            )

    def fields(self, units: Mapping[str, str]) -> list[Field]:
        """The columns in order of their first appearance, each with a text per record."""
        found = []
        for path, values in self._values.items():
            texts = pl.Series(path[-1], [values.get(row) for row in range(self.row_count)], pl.String)
            unit = units.get(path[-1], "") if len(path) == 1 else ""
            kinds, items = self._kinds[path], self._items.get(path, Counter())
            found.append(Field(path=path, source=source(path), texts=texts, kinds=kinds, items=items, unit=unit))
        return found

    def left_out(self) -> list[Evidence]:
        """Paths that no column can hold."""
        return [
            Evidence(source(path), "left out", f"{counted(count, 'record')} hold {what}, which no column can")
            for path, odd in self._odd.items()
            for what, count in odd.items()
        ]

    def explode(self) -> list[tuple[str, int]]:
        """Lists of objects: path and most members."""
        return [(source(path), longest) for path, longest in self._longest.items()]

    def _add_object(self, record: Mapping[str, Any], path: Path) -> None:
        for name, value in record.items():
            here = (*path, name)
            if isinstance(value, Mapping):
                if len(here) > _MAX_DEPTH:
                    self._note(here, f"objects more than {_MAX_DEPTH} deep")
                else:
                    self._add_object(value, here)
            elif isinstance(value, list):
                self._add_list(value, here)
            else:
                self._add_value(value, here)

    def _add_value(self, value: Any, path: Path) -> None:
        column = self._values.setdefault(path, {})
        kinds = self._kinds.setdefault(path, Counter())
        if value is None:
            return
        kind = _KINDS.get(type(value))
        if kind is None:
            self._note(path, f"values of type {type(value).__name__}")
            return
        kinds[kind] += 1
        column[self.row_count] = _written(value)

    def _add_list(self, members: Sequence[Any], path: Path) -> None:
        if any(isinstance(member, Mapping) for member in members):
            self._longest[path] = max(self._longest.get(path, 0), len(members))
        elif any(isinstance(member, list) for member in members):
            self._note(path, "lists of lists")
        else:
            self._values.setdefault(path, {})
            self._kinds.setdefault(path, Counter())["list"] += 1
            items = self._items.setdefault(path, Counter())
            items.update(_KINDS.get(type(member), "text") for member in members if member is not None)

    def _note(self, path: Path, what: str) -> None:
        self._odd.setdefault(path, Counter())[what] += 1


def _written(value: str | float | bool) -> str:
    if isinstance(value, str):
        return clean(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


# ---------------------------------------------------------------------------------------------------- GeoJSON


def feature(record: Mapping[str, Any]) -> dict[str, Any]:
    """A GeoJSON feature with its properties on top, so that their names are not all `properties_…`."""
    geometry = record.get("geometry")
    rest = {name: value for name, value in record.items() if name not in ("type", "geometry")}
    if not isinstance(geometry, Mapping):
        return rest
    return {**rest, "geometry": _positions(geometry) if geometry.get("type") == "Point" else geometry}


def _positions(geometry: Mapping[str, Any]) -> dict[str, Any]:
    coordinates = geometry.get("coordinates")
    found = coordinates if isinstance(coordinates, list) else []
    rest = {name: value for name, value in geometry.items() if name not in ("type", "coordinates")}
    return {**rest, **{f"coordinates[{place}]": value for place, value in enumerate(found[:3])}}


def feature_path(path: Path) -> Path:
    """How a feature's field is called: without `properties`, and positions by what they are."""
    if path[0] == "properties" and len(path) > 1:
        return path[1:]
    if len(path) == 2 and path[0] == "geometry" and path[1].startswith("coordinates["):
        return (_POSITIONS[int(path[1][len("coordinates[") : -1])],)
    return path
