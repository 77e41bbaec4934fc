"""An expression after it was read: values, columns and calls, each of a known type."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from windrow.spec.expressions.kinds import Type

Value = bool | int | float | str | Decimal | datetime | date | None


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A value that is written out."""

    value: Value
    type: Type
    written: str = ""
    """How a number with a point was written: the float nearest to it may be another number."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The value of a column."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A function or operator over arguments, which have been brought to the types that it computes with.

    Besides the names of the vocabulary there is `convert`, which brings its one argument to this call's type.
    """

    operation: str
    arguments: tuple["Node", ...]
    type: Type
    signs: tuple[str, ...] = ()
    """The signs between the arguments, of a comparison: `0 <= x < 10` has two."""


Node = Constant | Reference | Call


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """An expression that was read and whose types agree."""

    text: str
    node: Node
    columns: frozenset[str]
    """The columns that it needs."""

    @property
    def type(self) -> Type:
        """What it yields."""
        return self.node.type


class BadExpression(ValueError):
    """A text is not an expression over these columns. `place` counts its characters from 1; None means the whole."""

    def __init__(self, message: str, place: int | None = None) -> None:
        super().__init__(message if place is None else f"character {place}: {message}")
        self.place = place
