"""What an expression yields, known before any record is read."""

from dataclasses import dataclass
from typing import Literal

from windrow.spec.columns import Column, ItemType

Kind = Literal["string", "bool", "int", "float", "decimal", "timestamp", "date", "list", "null"]

DIGITS = 38
"""Decimal digits in all, of every decimal while it is computed with."""


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a column or of any part of an expression."""

    kind: Kind
    scale: int = 0
    """Digits after the point, of a decimal."""
    items: ItemType | None = None
    """Type of a list's members."""

    def __str__(self) -> str:
        match self.kind:
            case "decimal":
                return f"decimal with {self.scale} digits after the point"
            case "list":
                return f"list({self.items})"
            case _:
                return self.kind

    @property
    def is_number(self) -> bool:
        """Whether it can be computed with."""
        return self.kind in {"int", "float", "decimal"}


STRING, BOOL, INT, FLOAT = Type("string"), Type("bool"), Type("int"), Type("float")
TIMESTAMP, DATE, NULL = Type("timestamp"), Type("date"), Type("null")


def type_of(column: Column) -> Type:
    """A column's type in expressions; categoricals and JSON are strings there."""
    match column.type:
        case "decimal":
            return Type("decimal", scale=column.scale)
        case "list":
            return Type("list", items=column.items)
        case "categorical" | "json":
            return STRING
        case _:
            return Type(column.type)


def common(*types: Type) -> Type | None:
    """The type that holds the values of all: one type, or numbers; null goes with any. None if there is none."""
    known = [each for each in types if each.kind != "null"]
    if not known:
        return NULL
    if all(each == known[0] for each in known):
        return known[0]
    if not all(each.is_number for each in known):
        return None
    if any(each.kind == "float" for each in known):
        return FLOAT
    return Type("decimal", scale=max(each.scale for each in known))


def misfit(found: Type, column: Column) -> str | None:
    """Why a column cannot hold what an expression yields; None if it can."""
    if column.type == "json":
        return "what it yields may be no JSON; give the column type string"
    wanted = type_of(column)
    if found in (wanted, NULL) or (found.kind == "int" and wanted.is_number):
        return None
    if found.kind == wanted.kind == "decimal":
        if found.scale <= wanted.scale:
            return None
        return (
            f"it yields {found.scale} digits after the point and the column keeps {wanted.scale}; "
            f"use round(…, {wanted.scale})"
        )
    if (found.kind, wanted.kind) == ("float", "decimal"):
        return f"it yields a float and the column is a decimal; use to_decimal(…, {wanted.scale})"
    hint = _CONVERSIONS.get((found.kind, wanted.kind), "")
    return f"it yields {article(found)} and the column is {article(wanted)}{hint}"


_CONVERSIONS = {
    ("float", "int"): "; use round(…) and to_int(…), floor(…) or ceil(…)",
    ("decimal", "int"): "; use to_int(…), floor(…) or ceil(…)",
    ("string", "int"): "; use to_int(…)",
    ("bool", "int"): "; use to_int(…)",
    ("string", "float"): "; use to_float(…)",
    ("decimal", "float"): "; use to_float(…)",
    ("timestamp", "date"): "; use date(…)",
    ("date", "timestamp"): "; use timestamp(…)",
    **{(kind, "string"): "; use to_text(…)" for kind in ("bool", "int", "float", "decimal", "timestamp", "date")},
}


def article(of: Type) -> str:
    """`an int`, `a string`, `null`."""
    if of.kind == "null":
        return "null"
    return f"an {of}" if of.kind == "int" else f"a {of}"
