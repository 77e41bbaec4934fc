"""What the log says of a file's rows, by which readers leave the file out: how many there are, and columns' bounds."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

import msgspec
import polars as pl

from windrow.lake.schema import EVENT_DATE

_EXACT_DIGITS, _EXACT_PLACES = 15, 5


def bounded_name(column: tuple[str, pl.DataType]) -> str | None:
    """The name of a column whose bounds stand in the log, by which readers skip files; None of one that has none there.

    The log writes decimals as floats, small ones as 1e-9: by the bounds of a longer one, readers would skip files that
    hold what they look for. A column that is added later has none either: of the files from before, there is nothing
    to say, which deltalake's dataset would take to mean that they hold no row.
    """
    name, kind = column
    is_rounded = isinstance(kind, pl.Decimal) and (kind.precision > _EXACT_DIGITS or kind.scale > _EXACT_PLACES)
    return None if is_rounded or name == EVENT_DATE or isinstance(kind, pl.List) else name


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest value of columns in some rows, and how many of theirs are null.

    A column of nulls and NaN alone has no least or greatest value.
    """

    row_count: int = 0
    least: Mapping[str, object] = field(default_factory=dict)
    greatest: Mapping[str, object] = field(default_factory=dict)
    null_counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: pl.DataFrame, columns: Collection[str]) -> Self:
        """Bounds of those of the columns that there are."""
        present = rows.select(name for name in rows.columns if name in columns)
        if present.is_empty():
            return cls(rows.height)
        [least] = present.select(pl.all().min()).to_dicts()
        [greatest] = present.select(pl.all().max()).to_dicts()
        [nulls] = present.null_count().to_dicts()
        return cls(rows.height, _valued(least), _valued(greatest), nulls)

    def and_of(self, other: "Bounds") -> "Bounds":
        """Bounds of these rows and of others that have the same columns."""
        nulls = {
            name: self.null_counts.get(name, 0) + other.null_counts.get(name, 0)
            for name in self.null_counts.keys() | other.null_counts.keys()
        }
        return Bounds(
            self.row_count + other.row_count,
            _merged(min, self.least, other.least),
            _merged(max, self.greatest, other.greatest),
            nulls,
        )

    def statistics(self) -> str:
        """As the log writes it."""
        return statistics(self.row_count, self.least, self.greatest, self.null_counts)


def statistics(
    row_count: int, least: Mapping[str, object], greatest: Mapping[str, object], null_counts: Mapping[str, int]
) -> str:
    """A file's statistics, as the log writes them. Infinity is left out: JSON has no word for it.

    Texts are told whole, as the library does: where there is no bound, its dataset finds no row.
    """
    return msgspec.json.encode(
        {
            "numRecords": row_count,
            "minValues": {name: _told(value) for name, value in least.items() if _can_be_told(value)},
            "maxValues": {name: _told(value) for name, value in greatest.items() if _can_be_told(value)},
            "nullCount": null_counts,
        }
    ).decode()


def _told(value: object) -> object:
    """A bound as the log writes it: every digit of it."""
    match value:
        case datetime():
            return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
        case date():
            return value.isoformat()
        case Decimal():
            return msgspec.Raw(f"{value:f}".encode())
    return value


def _can_be_told(value: object) -> bool:
    match value:
        case None | dict() | list() | bytes():
            return False
        case float():
            return math.isfinite(value)
    return True


def _valued(values: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value
        for name, value in values.items()
        if value is not None and not (isinstance(value, float) and math.isnan(value))
    }


def _merged(choose: Callable[[Any, Any], Any], one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, object]:
    return {
        name: choose(one[name], other[name]) if name in one and name in other else one.get(name, other.get(name))
        for name in one.keys() | other.keys()
    }
