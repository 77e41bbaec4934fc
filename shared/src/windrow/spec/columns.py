"""One column of a record: where its value comes from, what it must be, and what is done to it on the way."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from windrow.spec.base import Part

ColumnType = Literal["string", "bool", "int", "float", "decimal", "timestamp", "date", "categorical", "list", "json"]
ItemType = Literal["string", "bool", "int", "float"]
Scalar = bool | int | float | str

NUMBERS: frozenset[ColumnType] = frozenset({"int", "float", "decimal"})
TEXTS: frozenset[ColumnType] = frozenset({"string", "categorical"})
_DECIMAL = re.compile(r"decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)")
_LIST = re.compile(r"list\(\s*([a-z]+)\s*\)")


def _several(value: object) -> object:
    return (value,) if isinstance(value, str | int | float) else value


def _markers(value: object) -> object:
    """Markers are compared with what the sender wrote, so a YAML number among them is its text."""
    several = _several(value)
    if isinstance(several, list | tuple):
        return tuple(
            str(each) if isinstance(each, int | float) and not isinstance(each, bool) else each for each in several
        )
    return several


class Column(Part):
    """One column of a record. Its value is taken from `source`, or computed by `derive`.

    Then, in this order: `missing` markers go; `trim` takes blanks off texts; the type is read; `null_if` and `clamp`
    change typed values; `default` stands in where the sender gave nothing, `fill` where there is nothing still.
    `required`, `range` and `allowed` are held against the value that is kept, so defaults and fills are checked too,
    but not cleansed.
    """

    type: ColumnType
    """string; bool (true and false; in text also 1 and 0); int (64 bit); float (64 bit, finite); decimal (exact, see
    `precision` and `scale`, or short `decimal(12,2)`); timestamp (µs, UTC); date; categorical (text of few values);
    list (see `items`, or short `list(float)`); json (anything, kept as its JSON text)."""
    precision: Annotated[int, Field(ge=1, le=38)] = 18
    """Decimal digits in all, of a decimal."""
    scale: Annotated[int, Field(ge=0, le=38)] = 2
    """Decimal digits after the point, of a decimal. More digits than that are refused, not rounded."""
    items: ItemType | None = None
    """Type of a list's members."""
    source: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    """Where the sender put it, if not under the column's own name: a CSV header, a Parquet column or a JMESPath such as
    `properties.mag` or `geometry.coordinates[0]`. Several are aliases: the first that holds a value counts. `$.name`
    reads from the document around the records."""
    derive: str | None = None
    """An expression over other columns, in place of a source."""
    required: bool = False
    """Whether a record without a value goes to quarantine."""
    default: Scalar | None = None
    """Value where the sender gave none."""
    missing: Annotated[tuple[str, ...], BeforeValidator(_markers)] = ()
    """Texts (or numbers) that mean "no value", such as NA or -200. An empty CSV field always does."""
    formats: Annotated[tuple[str, ...], BeforeValidator(_several)] = ("iso8601",)
    """How a timestamp or date other than the event time is written; as in `time.formats`."""
    trim: bool = False
    """Whether blanks around a text go. Around numbers, bools and times they always do."""
    null_if: Annotated[tuple[Scalar, ...], BeforeValidator(_several)] = ()
    """Typed values that mean "no value"."""
    clamp: tuple[float | None, float | None] | None = None
    """[lowest, highest]: numbers beyond are set to the bound; ~ leaves a side open."""
    fill: Scalar | None = None
    """Value where there is none after all of the above."""
    range: tuple[float | None, float | None] | None = None
    """[lowest, highest]: records with numbers beyond go to quarantine; ~ leaves a side open."""
    allowed: Annotated[tuple[Scalar, ...], BeforeValidator(_several)] = ()
    """The only values there may be; records with others go to quarantine."""
    drop: bool = False
    """Whether the column is only there for expressions, and not written to the tables."""
    unit: str = ""
    """Unit, for people."""
    description: str = ""
    """Meaning, for people."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        if isinstance(value, str):
            value = {"type": value}
        if not isinstance(value, dict):
            return value
        kind = value.get("type")
        if isinstance(kind, str):
            spread = _spread(kind)
            if spread is not None:
                return {**value, **spread}
        return value

    @model_validator(mode="after")
    def _scale_fits(self) -> Self:
        if self.type == "decimal" and self.scale > self.precision:
            raise ValueError(f"scale {self.scale} is more than all {self.precision} digits (precision)")
        if self.type == "list" and self.items is None:
            raise ValueError("say what the list holds: list(string), list(bool), list(int) or list(float)")
        if self.derive is not None and self.source:
            raise ValueError("a column has a source or is derived, not both")
        return self


def _spread(kind: str) -> dict[str, Any] | None:
    """`decimal(12,2)` and `list(float)` as separate settings."""
    if found := _DECIMAL.fullmatch(kind):
        return {"type": "decimal", "precision": int(found[1]), "scale": int(found[2])}
    if found := _LIST.fullmatch(kind):
        return {"type": "list", "items": found[1]}
    return None
