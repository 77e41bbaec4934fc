"""The language as people read about it, made of the tables that it is read by."""

from collections.abc import Iterable, Mapping

from windrow.spec.expressions.functions import FUNCTIONS
from windrow.spec.expressions.kinds import STRING, Type
from windrow.spec.expressions.operations import Operation
from windrow.spec.expressions.operators import OPERATORS

EXAMPLE_COLUMNS: Mapping[str, tuple[Type, object]] = {
    "from": (STRING, "Oslo"),
    "tags": (Type("list", items="string"), ["new", "cold"]),
}
"""Columns of the examples: their types and values."""

_INTRODUCTION = """\
An expression computes a column (`derive`) or says which rows are written (`filter`). It is made of columns by their
names, values that are written out (numbers, 'texts', true, false, null), and the operators and functions below.

- **Null.** Nothing in, nothing out: an operator or function with a null among its arguments yields null. Only
  `is_null`, `coalesce`, `if` (whose condition counts as false when it is null), `and` and `or` look behind it:
  `false and null` is false, `true or null` is true. A filter keeps the rows for which it is true, not those for which
  it is null.
- **Numbers.** Ints have 64 bits, floats are finite, decimals are exact and have up to 38 digits. An int beside a float
  becomes a float, beside a decimal a decimal. A number that is written out beside a decimal is exact too:
  `price * 1.19`. A decimal beside a float becomes a float. Division by zero yields null.
- **Too large.** A record for which any part that is needed comes to more than its type holds goes to quarantine:
  `out_of_range` for ints, decimals and times, `not_finite` for floats. The branch of an `if` that is not taken is not
  needed, nor what follows an `and` that is decided, an `or`, or a `coalesce` that has its value.
- **Types** are checked before any record is read: a column holds what its expression yields, or a wider number.
"""


def documentation() -> str:
    """The language in Markdown: its rules, and tables of its operators and functions."""
    columns = ", ".join(f"`{name}` is {_value(value)}" for name, (_, value) in EXAMPLE_COLUMNS.items())
    return "\n".join(
        [
            _INTRODUCTION,
            "### Operators\n",
            *_table(OPERATORS.values()),
            "\n### Functions\n",
            *_table(FUNCTIONS.values()),
            f"\nIn the examples, {columns}.\n",
        ]
    )


def _table(operations: Iterable[Operation]) -> list[str]:
    rows = [
        f"| `{each.signature}` | {', '.join(dict.fromkeys(parameter.accepts.name for parameter in each.parameters))} | "
        f"{each.meaning} | `{each.example}` → `{each.gives}` |"
        for each in operations
    ]
    return ["| Written | Takes | Meaning | Example |", "|---|---|---|---|", *rows]


def _value(value: object) -> str:
    return f"`{value!r}`"
