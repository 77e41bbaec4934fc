"""Every operator of expressions. Reading, types, documentation and tests go by this table."""

from windrow.spec.expressions import rules
from windrow.spec.expressions.operations import (
    ANY,
    DIVISIBLE,
    NUMBER,
    ORDERED,
    SCALAR,
    TRUTH,
    Operation,
    Parameter,
    table,
)

_TWO_NUMBERS = (Parameter("a", NUMBER), Parameter("b", NUMBER))
_TWO_DIVISIBLE = (Parameter("a", DIVISIBLE), Parameter("b", DIVISIBLE))

OPERATORS = table(
    Operation("+", _TWO_NUMBERS, rules.numeric, "Sum.", "1 + 2.5", "3.5", "a + b", can_fail=True),
    Operation("-", _TWO_NUMBERS, rules.numeric, "Difference.", "1 - 2", "-1", "a - b", can_fail=True),
    Operation("*", _TWO_NUMBERS, rules.product, "Product.", "3 * 2", "6", "a * b", can_fail=True),
    Operation(
        "/",
        _TWO_NUMBERS,
        rules.floats,
        "Quotient, always a float; null where b is 0.",
        "7 / 2",
        "3.5",
        "a / b",
        can_fail=True,
    ),
    Operation(
        "//",
        _TWO_DIVISIBLE,
        rules.numeric,
        "Quotient, rounded down; null where b is 0.",
        "-7 // 2",
        "-4",
        "a // b",
        can_fail=True,
    ),
    Operation(
        "%",
        _TWO_DIVISIBLE,
        rules.numeric,
        "What is left: a - (a // b) * b, which has b's sign; null where b is 0.",
        "-7 % 2",
        "1",
        "a % b",
        can_fail=True,
    ),
    Operation("negative", (Parameter("a", NUMBER),), rules.numeric, "Negative.", "-(2)", "-2", "-a", can_fail=True),
    Operation(
        "equality",
        (Parameter("a", SCALAR, many=True),),
        rules.compared,
        "Equal; not equal. Never true beside null: use is_null(a).",
        "'a' != 'b'",
        "true",
        "a == b, a != b",
    ),
    Operation(
        "comparison",
        (Parameter("a", ORDERED, many=True),),
        rules.compared,
        "Less, and so on. Texts are ordered by code point. They chain.",
        "0 <= 5 < 10",
        "true",
        "a < b, a <= b, a > b, a >= b",
    ),
    Operation(
        "in",
        (Parameter("a", SCALAR, many=True),),
        rules.compared,
        "One of the values that are written out; or, of a list column, one of its members. With `not in`, none.",
        "'b' in ['a', 'b']",
        "true",
        "a in [1, 2], a in column",
    ),
    Operation("and", (Parameter("a", TRUTH, many=True),), rules.logical, "Both.", "true and false", "false", "a and b"),
    Operation("or", (Parameter("a", TRUTH, many=True),), rules.logical, "Any.", "true or null", "true", "a or b"),
    Operation("not", (Parameter("a", TRUTH),), rules.logical, "The contrary.", "not false", "true", "not a"),
    Operation(
        "if",
        (Parameter("condition", TRUTH), Parameter("a", ANY), Parameter("b", ANY)),
        rules.chosen,
        "a where the condition is true; b where it is false or null.",
        "'hot' if 31 > 30 else 'cold'",
        "'hot'",
        "a if condition else b",
    ),
)
