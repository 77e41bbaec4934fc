"""What describes an operator or function of expressions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from windrow.spec.expressions.kinds import Kind
from windrow.spec.expressions.nodes import Value
from windrow.spec.expressions.rules import Rule


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an argument may be; null always may."""

    name: str
    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What an argument that must be written out may be."""

    rule: str
    holds: Callable[[Value], bool]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of an operation."""

    name: str
    accepts: Accepted
    written: Written | None = None
    default: Value = None
    """Value where the argument is left out; None: it cannot be."""
    many: bool = False
    """Whether more of them may follow."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator or function."""

    name: str
    parameters: tuple[Parameter, ...]
    rule: Rule
    meaning: str
    example: str
    gives: str
    """What the example yields, as an expression."""
    form: str = ""
    """How an operator is written."""
    can_fail: bool = False
    """Whether a result may be more than its type holds: null from arguments that are not null."""

    @property
    def signature(self) -> str:
        """How it is written, with names for its arguments."""
        if self.form:
            return self.form
        shown = []
        for each in self.parameters:
            shown.append(each.name if each.default is None else f"{each.name}={each.default}")
            if each.many:
                shown.append("…")
        return f"{self.name}({', '.join(shown)})"


def _accepted(name: str, *kinds: Kind) -> Accepted:
    return Accepted(name, kinds)


ANY = _accepted("values", "string", "bool", "int", "float", "decimal", "timestamp", "date", "list")
SCALAR = _accepted("single values", "string", "bool", "int", "float", "decimal", "timestamp", "date")
ORDERED = _accepted("numbers, texts, times or dates", "string", "int", "float", "decimal", "timestamp", "date")
NUMBER = _accepted("numbers", "int", "float", "decimal")
DIVISIBLE = _accepted("ints or floats", "int", "float")
NUMERAL = _accepted("a number, text or bool", "int", "float", "decimal", "string", "bool")
FRACTION = _accepted("a number or text", "int", "float", "decimal", "string")
WHOLE = _accepted("an int", "int")
TEXT = _accepted("text", "string")
SIZED = _accepted("text or a list", "string", "list")
LIST = _accepted("a list", "list")
TRUTH = _accepted("a condition (bool)", "bool")
TIME = _accepted("a timestamp", "timestamp")
DAY = _accepted("a date", "date")
MOMENT = _accepted("a timestamp or date", "timestamp", "date")
DATED = _accepted("a timestamp, or a date written as text", "timestamp", "string")
TIMED = _accepted("a date, or a time written as text", "date", "string")

DIGITS = Written("a whole number from 0 to 15", lambda value: type(value) is int and 0 <= value <= 15)
PLACE = Written("a whole number", lambda value: type(value) is int and abs(value) < 1 << 31)
LENGTH = Written("a whole number from 0", lambda value: type(value) is int and 0 <= value < 1 << 31)
SOUGHT = Written("a text that is not empty", lambda value: isinstance(value, str) and value != "")
WRITTEN_TEXT = Written("a text", lambda value: isinstance(value, str))


def table(*operations: Operation) -> Mapping[str, Operation]:
    """Operations by name."""
    return {operation.name: operation for operation in operations}
