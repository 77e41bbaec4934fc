"""Expressions over columns: the same values as a plain interpreter's, row by row, whatever the neighbours."""

import math
import operator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.decoding.expressions import evaluate, polars_type
from windrow.spec.expressions import Call, Constant, Node, Reference, Type, parse
from windrow.spec.expressions.documentation import EXAMPLE_COLUMNS
from windrow.spec.expressions.functions import FUNCTIONS
from windrow.spec.expressions.operators import OPERATORS

TYPES = {
    "i": Type("int"),
    "j": Type("int"),
    "f": Type("float"),
    "g": Type("float"),
    "d": Type("decimal", scale=2),
    "s": Type("string"),
    "t": Type("string"),
    "b": Type("bool"),
    "at": Type("timestamp"),
    "day": Type("date"),
    "tags": Type("list", items="int"),
}
MAX = 2**63 - 1
EXACT = Context(prec=400)


def frame(rows: list[dict[str, Any]], types: dict[str, Type] | None = None) -> pl.DataFrame:
    types = types or TYPES
    columns = {
        name: pl.Series([row.get(name) for row in rows], dtype=polars_type(kind)) for name, kind in types.items()
    }
    return pl.DataFrame({"_index": range(len(rows)), **columns})


def results(text: str, rows: list[dict[str, Any]]) -> list[Any]:
    """Per row the value, or the name of the failure."""
    found = evaluate(parse(text, TYPES), frame(rows))
    assert found.values.len() == len(rows)
    failures = [None] * len(rows) if found.failures is None else found.failures.to_list()
    assert all(failure is None or value is None for value, failure in zip(found.values, failures, strict=True))
    return [failure or value for value, failure in zip(found.values.to_list(), failures, strict=True)]


def value_of(text: str, **columns: Any) -> Any:
    [value] = results(text, [columns])
    return value


# ------------------------------------------------------------------------------------------------ the documented


@pytest.mark.parametrize("operation", [*OPERATORS.values(), *FUNCTIONS.values()], ids=lambda each: each.name)
@pytest.mark.parametrize("height", [0, 1, 3])
def test_every_example_yields_what_the_documentation_says(operation: Any, height: int) -> None:
    types = {name: kind for name, (kind, _) in EXAMPLE_COLUMNS.items()}
    rows = frame([{name: value for name, (_, value) in EXAMPLE_COLUMNS.items()}] * height, types)

    found, said = evaluate(parse(operation.example, types), rows), evaluate(parse(operation.gives, types), rows)

    assert found.failures is None
    assert found.values.to_list() == said.values.to_list()
    assert said.values.dtype in (found.values.dtype, pl.Null())
    assert found.values.len() == height


# ------------------------------------------------------------------------------------------------ null


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("i + 1", None),
        ("i == i", None),
        ("i in [1]", None),
        ("not (i == 1)", None),
        ("concat(s, 'x')", None),
        ("min_of(i, 1)", None),
        ("max_of(1, i)", None),
        ("false and i == 1", False),
        ("i == 1 and false", False),
        ("true and i == 1", None),
        ("true or i == 1", True),
        ("i == 1 or true", True),
        ("false or i == 1", None),
        ("is_null(i)", True),
        ("coalesce(i, j, 3)", 3),
        ("1 if i == 1 else 2", 2),
        ("0 < i < -1", None),
        ("2 < 1 < i", False),
        ("i in tags", None),
        ("length(tags)", None),
        ("seconds_between(at, at)", None),
        ("null", None),
        ("coalesce(null, null)", None),
        ("lower(null)", None),
        ("null + 1", None),
        ("if_else(true, null, 5)", None),
    ],
)
def test_null_in_null_out_except_where_one_looks_behind_it(text: str, value: Any) -> None:
    assert value_of(text) is value or value_of(text) == value


# ------------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    "text", ["i / 0", "i // 0", "i % 0", "f / 0", "f // 0.0", "f % 0", "i / (i - i)", "0 / 0", "d / 0"]
)
def test_division_by_zero_is_null(text: str) -> None:
    assert value_of(text, i=7, f=1.5, d=Decimal(1)) is None


def test_a_divisor_that_is_the_same_everywhere_divides_no_worse() -> None:
    """The library would multiply by its inverse."""
    assert results("f / 49", [{"f": 49.0}, {"f": 5.0}]) == [1.0, 5 / 49]
    assert results("f / g", [{"f": 49.0, "g": 49.0}] * 2) == [1.0, 1.0]
    assert results("f // 49", [{"f": 49.0}] * 2) == [1.0, 1.0]
    assert results("f % 49", [{"f": 49.0}] * 2) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("i + 1", {"i": MAX}),
        ("i - 1", {"i": -MAX - 1}),
        ("i * i", {"i": 2**32}),
        ("i * i * i * i - i * i * i * i", {"i": 2**62}),
        ("-i", {"i": -MAX - 1}),
        ("abs(i)", {"i": -MAX - 1}),
        ("i // -1", {"i": -MAX - 1}),
        ("floor(f)", {"f": 1e19}),
        ("ceil(f)", {"f": -1e300}),
        ("to_int(f)", {"f": 9223372036854775808.0}),
        ("to_decimal(f, 2)", {"f": 1e36}),
        ("d * 10000", {"d": Decimal("9e33")}),
        ("d + d", {"d": Decimal("9e35")}),
        ("to_decimal(d, 15)", {"d": Decimal("9e30")}),
        ("floor(d)", {"d": Decimal("9e30")}),
        ("add_seconds(at, 1)", {"at": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)}),
        ("add_seconds(at, -1.5)", {"at": datetime(1, 1, 1, tzinfo=UTC)}),
        ("add_seconds(at, 1e300)", {"at": datetime(2024, 1, 1, tzinfo=UTC)}),
        ("i * 3 > 5", {"i": MAX}),
    ],
)
def test_what_is_too_large_is_said_and_never_wraps(text: str, columns: dict[str, Any]) -> None:
    assert results(text, [columns, {}, dict.fromkeys(columns)]) == ["out_of_range", None, None]


@pytest.mark.parametrize(
    "text", ["f * 10", "f + f", "f - -f", "f / 0.1", "f // 0.01", "f % 1e-10", "f * 10 > 5", "-1 * (f * 10)"]
)
def test_a_float_is_finite_or_the_record_is_refused(text: str) -> None:
    assert value_of(text, f=1.7e308) == "not_finite"


@pytest.mark.parametrize(
    "text",
    [
        "i * i if i < 1000 else 0",
        "if_else(i >= 1000, 0, i * i)",
        "0 if is_null(j) else i * i",
        "i * i if j > 0 else 0",
        "coalesce(1, i * i)",
        "coalesce(1 if i < 1000 else 0, i * i)",
        "i < 1000 and i * i < 50",
        "i >= 1000 or i * i < 50",
        "(i * i if i < 5 else i * i * i) if i < 1000 else 0",
        "(i * i < 5 or true) if i < 1000 else true",
    ],
)
def test_a_part_that_is_not_needed_cannot_fail(text: str) -> None:
    assert value_of(text, i=MAX) in (0, 1, True, False)
    assert value_of(text, i=MAX) != "out_of_range"


def test_a_part_that_is_needed_can() -> None:
    rows = [{"i": 3}, {"i": MAX}, {"i": MAX, "j": 1}]

    assert results("i * i if is_null(j) else 7", rows) == [9, "out_of_range", 7]


def test_one_rows_failure_is_no_other_rows() -> None:
    assert results("i + 1", [{"i": 1}, {"i": MAX}, {"i": None}]) == [2, "out_of_range", None]


def test_a_failure_has_no_value_whatever_comes_of_it() -> None:
    found = evaluate(parse("coalesce(i + 1, 5)", TYPES), frame([{"i": MAX}, {"i": None}]))

    assert found.values.to_list() == [None, 5]
    assert found.failures is not None
    assert found.failures.to_list() == ["out_of_range", None]


def test_what_is_the_same_in_all_rows_is_there_for_each() -> None:
    assert results("b and 'a' >= lower('a')", [{"b": True}, {"b": False}]) == [True, False]
    assert results("upper(lower('a'))", [{}, {}]) == ["A", "A"]


def test_the_first_failure_counts() -> None:
    assert value_of("f * 10 > 1 and i + 1 > 1", f=1e308, i=MAX) == "not_finite"
    assert value_of("i + 1 > 1 and f * 10 > 1", f=1e308, i=MAX) == "out_of_range"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("d * 1.19", Decimal("1.4875")),
        ("d * 0.1 == 0.125", True),
        ("d + 0.005", Decimal("1.255")),
        ("d * 12345678901234567.123456789", Decimal("15432098626543208.90432098625")),
        ("d + 1", Decimal("2.25")),
        ("d + f", 1.75),
        ("d / 2", 0.625),
        ("round(d, 1)", Decimal("1.3")),
        ("round(-d, 1)", Decimal("-1.3")),
        ("round(d, 5)", Decimal("1.25")),
        ("floor(-d)", -2),
        ("ceil(-d)", -1),
        ("to_int(-d)", -1),
        ("to_float(d)", 1.25),
        ("to_text(d)", "1.25"),
        ("abs(-d)", Decimal("1.25")),
        ("d in [1.25, 3]", True),
        ("to_decimal(2.5, 0)", Decimal(3)),
        ("to_decimal(i, 2)", Decimal(7)),
        ("to_decimal(d, 1)", Decimal("1.3")),
    ],
)
def test_decimals_are_exact(text: str, value: Any) -> None:
    found = value_of(text, d=Decimal("1.25"), f=0.5, i=7)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 42 ", 42),
        ("+7", 7),
        ("-7", -7),
        ("007", 7),
        ("4.0", None),
        ("", None),
        ("x", None),
        ("++7", None),
        ("9223372036854775808", None),
    ],
)
def test_text_to_int_is_null_where_it_is_none(text: str, value: int | None) -> None:
    assert value_of("to_int(s)", s=text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("1.5", 1.5), (" 1e3 ", 1e3), ("inf", None), ("nan", None), ("1e999", None)]
)
def test_text_to_float_is_null_where_it_is_no_finite_number(text: str, value: float | None) -> None:
    assert value_of("to_float(s)", s=text) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=100)
def test_a_float_as_text_reads_back_as_the_same(number: float) -> None:
    assert float(value_of("to_text(f)", f=number)) == number
    assert value_of("to_float(to_text(f))", f=number) == number


@given(st.floats(-1e9, 1e9), st.integers(0, 6))
@settings(max_examples=100)
def test_rounding_goes_to_the_nearest(number: float, digits: int) -> None:
    found = value_of(f"round(f, {digits})", f=number)

    assert abs(found - number) <= 0.5 * 10.0**-digits * (1 + 1e-9) + abs(number) * 1e-15
    assert found == pytest.approx(float(f"{found:.{digits}f}"), rel=1e-15)


# ------------------------------------------------------------------------------------------------ text, time, lists


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("slice(s, 0, 2)", "sö"),
        ("slice(s, 3, 99)", "dag"),
        ("slice(s, 9, 2)", ""),
        ("slice(s, -3, 3)", "dag"),
        ("slice(s, -9, 5)", "sö"),
        ("split_part('a/b', '/', 2)", None),
        ("split_part('a/b', '/', -1)", "b"),
        ("split_part('', '/', 0)", ""),
        ("replace(s, 'n', '$0')", "sö$0dag"),
        ("contains(s, 'n.')", False),
        ("contains(s, '')", True),
        ("upper('straße')", "STRASSE"),
        ("'ö' < 'z'", False),
        ("s in ['a', 'söndag']", True),
        ("s not in ['a', 'söndag']", False),
        ("concat(s)", "söndag"),
        ("starts_with(s, t)", None),
    ],
)
def test_text(text: str, value: Any) -> None:
    assert value_of(text, s="söndag") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("year(at)", 1969),
        ("hour(at)", 23),
        ("minute(at)", 59),
        ("weekday(at)", 3),
        ("weekday(day)", 7),
        ("date(at) < day", True),
        ("timestamp(day)", datetime(2024, 3, 31, tzinfo=UTC)),
        ("seconds_between(at, timestamp('1970-01-01'))", 0.000001),
        ("seconds_between(timestamp('1970-01-01'), at)", -0.000001),
        ("add_seconds(at, 0.000001)", datetime(1970, 1, 1, tzinfo=UTC)),
        ("add_seconds(at, -86400)", datetime(1969, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("to_text(at)", "1969-12-31T23:59:59.999999Z"),
        ("to_text(day)", "2024-03-31"),
        ("at == timestamp('1970-01-01T01:59:59.999999+02:00')", True),
        ("max_of(day, date('2025-01-01'))", date(2025, 1, 1)),
    ],
)
def test_time(text: str, value: Any) -> None:
    assert value_of(text, at=datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), day=date(2024, 3, 31)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("length(tags)", 3),
        ("5 in tags", True),
        ("6 in tags", False),
        ("6 not in tags", True),
        ("item(tags, 0)", 5),
        ("item(tags, 1)", None),
        ("item(tags, -1) + 1", 8),
        ("item(tags, 3)", None),
        ("item(coalesce(tags, tags), 2)", 7),
    ],
)
def test_lists(text: str, value: Any) -> None:
    assert value_of(text, tags=[5, None, 7]) == value


# ------------------------------------------------------------------------------------------------ the interpreter


class Failed(Exception):
    """A part came to more than its type holds. The text is the failure's name."""


def interpret(node: Node, row: dict[str, Any]) -> Any:
    """A node's value for one row, the plain way."""
    match node:
        case Constant():
            return node.value
        case Reference():
            return row.get(node.name)
        case Call(operation="if" | "if_else"):
            condition, yes, no = node.arguments
            return interpret(yes if interpret(condition, row) is True else no, row)
        case Call(operation="coalesce"):
            return next((value for each in node.arguments if (value := interpret(each, row)) is not None), None)
        case Call(operation="and" | "or"):
            return _logical(node, row)
        case Call(operation="is_null"):
            return interpret(node.arguments[0], row) is None
    values = [interpret(each, row) for each in node.arguments]
    if node.signs:
        return _compared(node.signs, values)
    if any(value is None for value in values):
        return None
    return _held(node.type, PLAIN[node.operation](node, *values))


def _logical(node: Call, row: dict[str, Any]) -> bool | None:
    decides = node.operation == "or"
    found = []
    for each in node.arguments:
        found.append(interpret(each, row))
        if found[-1] is decides:
            return decides
    return None if None in found else not decides


def _compared(signs: tuple[str, ...], values: list[Any]) -> bool | None:
    found = [
        None if a is None or b is None else SIGNS[sign](a, b)
        for sign, a, b in zip(signs, values, values[1:], strict=False)
    ]
    return False if False in found else None if None in found else True


def _held(kind: Type, value: Any) -> Any:
    if value is None:
        return None
    if kind.kind == "float" and not math.isfinite(value):
        raise Failed("not_finite")
    if (kind.kind == "int" and not -MAX - 1 <= value <= MAX) or (
        kind.kind == "decimal" and abs(value) >= Decimal(10) ** (38 - kind.scale)
    ):
        raise Failed("out_of_range")
    return value


def _slice(text: str, start: int, length: int) -> str:
    places = range(start + len(text), start + len(text) + length) if start < 0 else range(start, start + length)
    return "".join(text[place] for place in places if 0 <= place < len(text))


def _split_part(text: str, separator: str, place: int) -> str | None:
    parts = text.split(separator)
    return parts[place] if -len(parts) <= place < len(parts) else None


def _number(text: str, kind: type) -> Any:
    try:
        number = kind(text)
    except ValueError:
        return None
    return number if kind is float or -MAX - 1 <= number <= MAX else None


def _round(node: Call, value: Any, digits: int) -> Any:
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-node.type.scale), ROUND_HALF_UP, EXACT)
    return float(Decimal(value).quantize(Decimal(1), ROUND_HALF_UP, EXACT)) if isinstance(value, float) else value


def _plain_division(node: Call, a: Any, b: Any) -> Any:
    if b == 0:
        return None
    if node.type.kind == "int":
        return a // b if node.operation == "//" else a % b
    try:
        quotient = a / b
    except OverflowError:
        raise Failed("not_finite") from None
    if node.operation == "/" or math.isinf(quotient):
        return quotient
    return float(math.floor(quotient)) if node.operation == "//" else a - math.floor(quotient) * b


def _convert(node: Call, value: Any) -> Any:
    return {"float": float, "decimal": Decimal}.get(node.type.kind, lambda same: same)(value)


def _exactly(compute: Any, of_decimals: Any) -> Any:
    return lambda _node, a, b: (of_decimals if isinstance(a, Decimal) else compute)(a, b)


SIGNS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
PLAIN: dict[str, Any] = {
    "convert": _convert,
    "+": _exactly(operator.add, EXACT.add),
    "-": _exactly(operator.sub, EXACT.subtract),
    "*": _exactly(operator.mul, EXACT.multiply),
    "/": _plain_division,
    "//": _plain_division,
    "%": _plain_division,
    "negative": lambda _node, a: a.copy_negate() if isinstance(a, Decimal) else -a,
    "abs": lambda _node, a: a.copy_abs() if isinstance(a, Decimal) else abs(a),
    "not": lambda _node, a: not a,
    "in": lambda _node, a, *values: a in values,
    "in_list": lambda _node, a, members: a in members,
    "lower": lambda _node, a: a.lower(),
    "upper": lambda _node, a: a.upper(),
    "trim": lambda _node, a: a.strip(),
    "length": lambda _node, a: len(a),
    "concat": lambda _node, *texts: "".join(texts),
    "starts_with": lambda _node, a, b: a.startswith(b),
    "ends_with": lambda _node, a, b: a.endswith(b),
    "contains": lambda _node, a, b: b in a,
    "replace": lambda _node, a, old, new: a.replace(old, new),
    "slice": lambda _node, *arguments: _slice(*arguments),
    "split_part": lambda _node, *arguments: _split_part(*arguments),
    "round": _round,
    "floor": lambda _node, a: math.floor(a),
    "ceil": lambda _node, a: math.ceil(a),
    "min_of": lambda _node, *values: min(values),
    "max_of": lambda _node, *values: max(values),
    "to_int": lambda _node, a: _number(a.strip(), int) if isinstance(a, str) else int(a),
    "to_float": lambda _node, a: _number(a.strip(), float) if isinstance(a, str) else float(a),
    "to_text": lambda _node, a: {True: "true", False: "false"}[a] if isinstance(a, bool) else str(a),
    "timestamp": lambda _node, a: datetime(a.year, a.month, a.day, tzinfo=UTC),
    "date": lambda _node, a: a.date(),
    "year": lambda _node, a: a.year,
    "month": lambda _node, a: a.month,
    "day": lambda _node, a: a.day,
    "hour": lambda _node, a: a.hour,
    "minute": lambda _node, a: a.minute,
    "weekday": lambda _node, a: a.isoweekday(),
    "seconds_between": lambda _node, a, b: float((b - a) // timedelta(microseconds=1)) / 1e6,
    "add_seconds": lambda _node, a, seconds: a + timedelta(seconds=seconds),
    "item": lambda _node, members, place: members[place] if place < len(members) else None,
}

FORMS: dict[str, list[tuple[str, ...]]] = {
    # Kind → how to make one: a pattern and the kinds that go into it.
    "int": [
        ("({} + {})", "int", "int"),
        ("({} - {})", "int", "int"),
        ("({} * {})", "int", "int"),
        ("({} // {})", "int", "int"),
        ("({} % {})", "int", "int"),
        ("(-{})", "int"),
        ("abs({})", "int"),
        ("floor({})", "float"),
        ("ceil({})", "decimal"),
        ("to_int({})", "string"),
        ("to_int({})", "float"),
        ("to_int({})", "bool"),
        ("length({})", "string"),
        ("weekday({})", "timestamp"),
        ("month({})", "date"),
        ("item(tags, 1)",),
    ],
    "float": [
        ("({} + {})", "float", "int"),
        ("({} - {})", "float", "float"),
        ("({} * {})", "float", "float"),
        ("({} / {})", "float", "float"),
        ("({} / {})", "int", "int"),
        ("({} // {})", "float", "float"),
        ("({} % {})", "float", "int"),
        ("(-{})", "float"),
        ("round({})", "float"),
        ("to_float({})", "string"),
        ("seconds_between({}, {})", "timestamp", "timestamp"),
    ],
    "decimal": [
        ("({} + {})", "decimal", "decimal"),
        ("({} - {})", "decimal", "int"),
        ("({} * {})", "decimal", "decimal"),
        ("({} * 0.1)", "decimal"),
        ("(-{})", "decimal"),
        ("abs({})", "decimal"),
        ("round({}, 1)", "decimal"),
    ],
    "string": [
        ("concat({}, '-', {})", "string", "string"),
        ("lower({})", "string"),
        ("upper({})", "string"),
        ("trim({})", "string"),
        ("replace({}, 'a', 'bb')", "string"),
        ("slice({}, 1, 2)", "string"),
        ("slice({}, -2, 3)", "string"),
        ("split_part({}, ' ', 1)", "string"),
        ("to_text({})", "int"),
        ("to_text({})", "bool"),
        ("to_text({})", "date"),
    ],
    "bool": [
        ("({} and {})", "bool", "bool"),
        ("({} or {} or {})", "bool", "bool", "bool"),
        ("(not {})", "bool"),
        ("({} == {})", "bool", "bool"),
        ("({} < {} <= {})", "int", "int", "float"),
        ("({} != {} == {})", "decimal", "decimal", "int"),
        ("({} >= {})", "string", "string"),
        ("({} > {})", "timestamp", "timestamp"),
        ("({} in [0, 1, 2.5])", "float"),
        ("({} not in ['a', ''])", "string"),
        ("({} in tags)", "int"),
        ("contains({}, {})", "string", "string"),
        ("starts_with({}, {})", "string", "string"),
        ("ends_with({}, 'a')", "string"),
        ("is_null({})", "int"),
        ("is_null({})", "string"),
    ],
    "timestamp": [("add_seconds({}, 3600)", "timestamp"), ("timestamp({})", "date")],
    "date": [("date({})", "timestamp")],
}
for _kind, _forms in FORMS.items():
    _forms += [
        ("({} if {} else {})", _kind, "bool", _kind),
        ("if_else({}, {}, {})", "bool", _kind, _kind),
        ("coalesce({}, {})", _kind, _kind),
    ]
    if _kind != "bool":
        _forms += [("min_of({}, {})", _kind, _kind), ("max_of({}, {}, {})", _kind, _kind, _kind)]
LEAVES = {
    "int": ["i", "j", "0", "1", "-3", "9223372036854775807"],
    "float": ["f", "g", "0.0", "2.5", "-49.0", "1e308"],
    "decimal": ["d", "abs(d)"],
    "string": ["s", "t", "'a'", "''", "' 1'"],
    "bool": ["b", "true", "false"],
    "timestamp": ["at", "timestamp('2024-02-29T12:00:00.5Z')"],
    "date": ["day", "date('1999-12-31')"],
}


@st.composite
def texts_of(draw: Any, kind: str, depth: int = 3) -> str:
    """An expression of a kind."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(LEAVES[kind]))
    pattern, *kinds = draw(st.sampled_from(FORMS[kind]))
    return pattern.format(*(draw(texts_of(each, depth - 1)) for each in kinds))


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "i": st.none() | st.integers(-5, 5) | st.integers(-MAX - 1, MAX),
            "j": st.none() | st.integers(-5, 5),
            "f": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.floats(-10, 10),
            "g": st.none() | st.sampled_from([0.0, -0.0, 1.5, 49.0]),
            "d": st.none() | st.decimals(-(10**9), 10**9, places=2),
            "s": st.none() | st.text("aB 1é", max_size=5),
            "t": st.none() | st.text("aA", max_size=2),
            "b": st.none() | st.booleans(),
            "at": st.none()
            | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),
            "day": st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)),
            "tags": st.none() | st.lists(st.integers(0, 3), max_size=3),
        }
    ),
    min_size=1,
    max_size=5,
)


def same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and a == b


@given(st.sampled_from(sorted(FORMS)).flatmap(texts_of), ROWS)
@settings(max_examples=300, deadline=None)
def test_columns_of_values_are_what_a_plain_interpreter_finds_row_by_row(text: str, rows: list[dict[str, Any]]) -> None:
    node = parse(text, TYPES).node
    expected = []
    for row in rows:
        try:
            expected.append(interpret(node, row))
        except Failed as failed:
            expected.append(str(failed))

    found = results(text, rows)

    assert all(map(same, found, expected)), (found, expected)


@given(
    st.sampled_from(["f / g", "f // g", "f % g", "f / 49", "f % 7", "i / j", "round(f, 3)", "to_decimal(g, 2)"]), ROWS
)
@settings(max_examples=100, deadline=None)
def test_a_rows_value_does_not_depend_on_its_neighbours(text: str, rows: list[dict[str, Any]]) -> None:
    assert results(text, rows) == [results(text, [row])[0] for row in rows]
    assert results(text, rows * 2) == results(text, rows) * 2


def test_a_deep_expression_costs_no_more_than_its_length() -> None:
    """Were a part computed once for each use of it, these would be 3 to the power of 45 parts."""
    deep = "i"
    for _ in range(45):
        deep = f"7 / ({deep} if i > 0 else 1)"

    assert value_of(deep, i=1) == 7.0
