"""What an expression is, what it yields, and what is said about a text that is none."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.spec import Column, StreamSpec, expressions
from windrow.spec.expressions import BadExpression, Type, documentation, parse, plan
from windrow.spec.expressions.functions import FUNCTIONS
from windrow.spec.expressions.operators import OPERATORS
from windrow.spec.expressions.reading import MAX_CHARS, MAX_DEPTH

TYPES = {
    "i": Type("int"),
    "f": Type("float"),
    "d": Type("decimal", scale=2),
    "s": Type("string"),
    "b": Type("bool"),
    "at": Type("timestamp"),
    "day": Type("date"),
    "tags": Type("list", items="int"),
    "from": Type("string"),
    "country": Type("string"),
}


def fault_of(text: str) -> str:
    with pytest.raises(BadExpression) as raised:
        parse(text, TYPES)
    return str(raised.value)


# ------------------------------------------------------------------------------------------------ what is good


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("i + 1", "int"),
        ("i + f", "float"),
        ("i / 2", "float"),
        ("i // 2", "int"),
        ("d + i", "decimal with 2 digits after the point"),
        ("d * d", "decimal with 4 digits after the point"),
        ("d * 1.195", "decimal with 5 digits after the point"),
        ("d * f", "float"),
        ("d + 0.5 + f", "float"),
        ("d / d", "float"),
        ("round(d, 1)", "decimal with 1 digits after the point"),
        ("round(d, 9)", "decimal with 2 digits after the point"),
        ("to_decimal(f, 3)", "decimal with 3 digits after the point"),
        ("round(f)", "float"),
        ("floor(f)", "int"),
        ("-d", "decimal with 2 digits after the point"),
        ("0 <= i < f", "bool"),
        ("s == 'a' and not b or is_null(i)", "bool"),
        ("i in [1, 2.5]", "bool"),
        ("i in (1, 2)", "bool"),
        ("i not in {1, -2}", "bool"),
        ("3 in tags", "bool"),
        ("s if b else null", "string"),
        ("coalesce(null, i, f)", "float"),
        ("min_of(at, at)", "timestamp"),
        ("date(at) == day", "bool"),
        ("at > timestamp('2024-01-01')", "bool"),
        ("seconds_between(at, at)", "float"),
        ("item(tags, 0)", "int"),
        ("coalesce(tags, tags)", "list(int)"),
        ("true", "bool"),
        ("True == b", "bool"),
        ("None", "null"),
        ("-9223372036854775808", "int"),
        ("+ - i", "int"),
        ("'a\\n\\'b'", "string"),
        ("length('#')", "int"),
        ("length('1or \\'2x')", "int"),
        ("1e5 + 1_000.5e-3 + .5", "float"),
        ("concat(\n  s,\n  'x'\n)", "string"),
        ("i\n+ 1", "int"),
        ("column('from')", "string"),
        ("column('i') + i", "int"),
    ],
)
def test_an_expression_yields_a_type(text: str, kind: str) -> None:
    assert str(parse(text, TYPES).type) == kind


def test_an_expression_knows_the_columns_it_needs() -> None:
    assert parse("i + 1 if s in ['d', 'f'] else column('i')", TYPES).columns == {"i", "s"}


# ------------------------------------------------------------------------------------------------ what is not


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("country + 'x'", "character 1: + needs numbers, 'country' is a string; use concat(…)"),
        ("i + s", "character 1: + needs numbers, 's' is a string; use concat(…)"),
        ("concat(s, i)", "character 1: concat needs text, 'i' is an int; use to_text(…)"),
        ("at - at", "use seconds_between(…)"),
        ("d % 2", "use to_float(…)"),
        ("1 + lower(s)", "lower(…) is a string"),
        ("at > '2024-01-01'", "a timestamp and a string do not go together; a time is written timestamp('2024-01-"),
        ("day == '2024-01-01'", "a date is written date('2024-01-31')"),
        ("day < at", "use date(…)"),
        ("s == 1", "a string and an int do not go together; use to_float(…)"),
        ("b < b", "a comparison needs numbers, texts, times or dates, 'b' is a bool"),
        ("tags == tags", "'tags' is a list(int)"),
        ("i and b", "and needs a condition (bool), 'i' is an int"),
        ("1 if i else 2", "if needs a condition (bool), 'i' is an int"),
        ("i if b else s", "an int and a string do not go together"),
        ("min_of(b, b)", "'b' is a bool"),
        ("contry == 'x'", "character 1: no column named 'contry'; did you mean 'country'?"),
        ("1 + lenght(s)", "character 5: no function named 'lenght'; did you mean length?"),
        ("lower", "'lower' is a function; write lower(text)"),
        ("lower(s, s)", "lower is written lower(text), not with 2 arguments"),
        ("round()", "round is written round(a, digits=0), not with 0 arguments"),
        ("round(f, i)", "digits in round(a, digits=0) is a whole number from 0 to 15, written out"),
        ("round(f, true)", "a whole number from 0 to 15"),
        ("slice(s, 0, -1)", "length in slice(text, start, length) is a whole number from 0"),
        ("replace(s, '', 'x')", "old in replace(text, old, new) is a text that is not empty"),
        ("replace(s, s, 'x')", "written out"),
        ("s == null", "nothing compares with null; use is_null(…)"),
        ("s is null", "use is_null(…)"),
        ("s is not None", "use is_null(…)"),
        ("i in []", "character 6: the list after `in` is empty"),
        ("i in [f]", "character 7: after `in`, values are written out"),
        ("i in [1, null]", "use is_null(…)"),
        ("i in [1, 'a']", "do not go together"),
        ("i in s", "for texts use contains(…)"),
        ("s in tags", "'s' is a string and the list holds an int each"),
        ("1 in [1] in [2]", "`in` does not chain"),
        ("i = 1", "character 3: write == to compare"),
        ("i <> 1", "write != for unequal"),
        ("b && b", "write `and` instead of &&"),
        ("b || b", "write `or`"),
        ("b AND b", "in small letters"),
        ("!b", "write `not` instead of !"),
        ("b & b", "write `and` instead of &"),
        ("b | b", "write `or` instead of |"),
        ("~b", "write `not` instead of ~"),
        ("i ** 2", "there is no power"),
        ("s[0]", "use slice(…)"),
        ("a.b", "a column of its own"),
        ("s.lower()", "functions stand before what they work on: lower(…)"),
        ("lower(text=s)", "write the arguments one after the other: lower(text)"),
        ("lower(*s)", "one after the other"),
        ("f'{s}'", "use concat(…)"),
        ("[1, 2]", "only after `in`"),
        ("lambda: 1", "not part of the language"),
        ("(x for x in s)", "not part of the language"),
        ("__import__('os')", "no function named '__import__'"),
        ("().__class__", "a column of its own"),
        ("b''", "write a number"),
        ("1j", "character 1: numbers are decimal, and end with a blank or a sign"),
        ("i + 0x1F", "character 5: numbers are decimal"),
        ("b if 1or b else b", "character 6: numbers are decimal"),
        ("...", "write a number"),
        ("9223372036854775808", "at most 64 bits"),
        ("1e999", "too large for a float"),
        ("'\\ud800'", "surrogate"),
        ("'\ud800'", "surrogate"),
        ("'\\d'", "character 2: a backslash is written \\\\"),
        ("i # note", "character 3: expressions hold no comments"),
        ("(i) # note", "character 5: expressions hold no comments"),
        ("timestamp('soon')", "'soon' is not a timestamp as ISO 8601 writes it"),
        ("timestamp('0001-01-01T00:00:00+10:00')", "is not a timestamp"),
        ("date('2024-02-30')", "is not a date"),
        ("timestamp(s)", "'s' is a text; give it type timestamp where it is read"),
        ("column('nope')", "no column named 'nope'"),
        ("column(s)", "written out"),
        ("", "it is empty"),
        ("  ", "it is empty"),
        ("i +", "character 3: this is no expression"),
        ("(i", "this is no expression: '(' was never closed"),
        ("'i", "unterminated"),
        ("i; i", "this is no expression"),
        ("import os", "this is no expression"),
        ("i\0", "null bytes"),
        ("d * 1e-30 * 1e-30", "the product would have 62 digits after the point; use round(…) or to_float(…)"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_what_to_do(text: str, message: str) -> None:
    assert message in fault_of(text)


def test_places_count_characters_and_not_bytes() -> None:
    assert fault_of("concat('äöü€', x)").startswith("character 16: ")


def test_texts_are_bounded_in_length_and_depth() -> None:
    assert f"at most {MAX_CHARS}" in fault_of("1" * (MAX_CHARS + 1))
    assert f"nested more than {MAX_DEPTH} deep" in fault_of("+".join("i" * (MAX_DEPTH + 2)))
    assert parse("+".join("i" * MAX_DEPTH), TYPES).type == Type("int")
    for text in ("(" * 999 + "i" + ")" * 999, "-" * 1_999 + "i", "not " * 499 + "b", "abs(" * 400 + "i" + ")" * 400):
        assert fault_of(text)


WORDS = [
    *TYPES,
    *FUNCTIONS,
    "true",
    "null",
    "and",
    "or",
    "not",
    "in",
    "if",
    "else",
    "is",
    "lambda",
    "for",
    "yield",
    "await",
]
SIGNS = [
    *"()[]{}+-*/%<>=!,.:;'\"\\#@&|^~?$` \n\t",
    "==",
    "//",
    "**",
    ":=",
    "<=",
    "f'",
    "b'",
    "'a'",
    "1",
    "0.5",
    "1e9",
    "é",
]
EXAMPLES = [operation.example for operation in (*OPERATORS.values(), *FUNCTIONS.values())]


@st.composite
def mutated(draw: Any) -> str:
    """A good expression with pieces put in and taken out."""
    text = draw(st.sampled_from(EXAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        piece = draw(st.sampled_from(["", *WORDS, *SIGNS]) | st.text(max_size=2))
        text = text[:start] + piece + text[start + draw(st.integers(0, 3)) :]
    return text


@given(st.text() | st.lists(st.sampled_from([*WORDS, *SIGNS])).map("".join) | mutated())
@settings(max_examples=400)
def test_any_text_is_an_expression_or_has_a_fault(text: str) -> None:
    try:
        assert parse(text, TYPES).columns <= TYPES.keys()
    except BadExpression as error:
        fault = error
    else:
        return
    assert re.fullmatch(r"(?s)(character [1-9]\d*: )?\S.*", str(fault))
    assert fault.place is None or fault.place <= len(text)


# ------------------------------------------------------------------------------------------------ documentation


def test_the_documentation_tells_of_everything_there_is() -> None:
    text = documentation()

    for operation in (*OPERATORS.values(), *FUNCTIONS.values()):
        assert f"| `{operation.signature}` |" in text
        assert f"`{operation.example}` → `{operation.gives}` |" in text


@pytest.mark.parametrize("operation", FUNCTIONS.values(), ids=lambda each: each.name)
def test_every_function_has_an_example_that_uses_it(operation: Any) -> None:
    assert f"{operation.name}(" in operation.example


# ------------------------------------------------------------------------------------------------ in a spec

BASE = spec.parse(
    "{stream: s, time: {column: ts}, columns: {ts: timestamp, n: int, x: float, price: 'decimal(9,2)', name: string}}",
    "x",
)


def with_columns(**columns: Any) -> StreamSpec:
    added = {name: Column.model_validate(column) for name, column in columns.items()}
    return BASE.model_copy(update={"columns": {**BASE.columns, **added}})


def faults_of(changed: StreamSpec) -> list[str]:
    return list(map(str, expressions.faults(changed)))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", "n"),
        ("float", "n"),
        ("decimal(9,2)", "n"),
        ("decimal(9,4)", "price * price"),
        ("decimal(9,3)", "price"),
        ("categorical", "name"),
        ("string", "null"),
        ("list(int)", "null"),
        ("timestamp", "coalesce(ts, timestamp('2024-01-01'))"),
        ("date", "date(ts)"),
    ],
)
def test_a_derived_column_holds_what_its_expression_yields_or_a_wider_number(kind: str, text: str) -> None:
    assert faults_of(with_columns(out={"type": kind, "derive": text})) == []


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("int", "x", "it yields a float and the column is an int; use round(…) and to_int(…), floor(…) or ceil(…)"),
        ("string", "n", "it yields an int and the column is a string; use to_text(…)"),
        ("bool", "n", "it yields an int and the column is a bool"),
        ("float", "price", "use to_float(…)"),
        ("decimal(9,2)", "x", "use to_decimal(…, 2)"),
        ("decimal(9,2)", "price * 1.19", "it yields 4 digits after the point and the column keeps 2; use round(…, 2)"),
        ("timestamp", "date(ts)", "use timestamp(…)"),
        ("json", "name", "what it yields may be no JSON; give the column type string"),
        ("list(int)", "n", "it yields an int and the column is a list(int)"),
        ("int", "m + 1", "character 1: no column named 'm'"),
    ],
)
def test_a_derived_column_holds_nothing_else(kind: str, text: str, message: str) -> None:
    [fault] = faults_of(with_columns(out={"type": kind, "derive": text}))

    assert fault.startswith("columns.out.derive: ")
    assert message in fault


def test_json_is_text_to_expressions() -> None:
    assert faults_of(with_columns(raw="json", out={"type": "bool", "derive": "contains(raw, '[')"})) == []


def test_derived_columns_are_computed_after_those_they_need() -> None:
    changed = with_columns(
        a={"type": "int", "derive": "b + c"},
        b={"type": "int", "derive": "c * 2"},
        c={"type": "int", "derive": "n"},
        d={"type": "float", "derive": "a"},
    )
    order = list(plan(changed).derived)

    assert faults_of(changed) == []
    assert sorted(order) == ["a", "b", "c", "d"]
    assert order.index("c") < order.index("b") < order.index("a") < order.index("d")


def test_a_cycle_is_named() -> None:
    [fault] = faults_of(
        with_columns(
            a={"type": "int", "derive": "b"}, b={"type": "int", "derive": "c + n"}, c={"type": "int", "derive": "a"}
        )
    )
    found = re.fullmatch(r"columns\.(.)\.derive: it is computed from itself: (.*)", fault)

    assert found
    assert found[2] in {"a → b → c → a", "b → c → a → b", "c → a → b → c"}
    assert found[2].startswith(found[1])


def test_a_column_is_not_computed_from_itself() -> None:
    assert faults_of(with_columns(a={"type": "int", "derive": "a + 1"})) == [
        "columns.a.derive: it is computed from itself: a → a"
    ]


def test_settings_of_reading_are_not_for_derived_columns() -> None:
    column = {"type": "date", "derive": "date(ts)", "missing": ["-"], "trim": True, "formats": ["%Y-%m-%d"]}

    assert [fault.split(":")[0] for fault in faults_of(with_columns(out=column))] == [
        "columns.out.missing",
        "columns.out.trim",
        "columns.out.formats",
    ]


def test_a_derived_time_has_no_parts() -> None:
    changed = with_columns(ts={"type": "timestamp", "derive": "add_seconds(at, 60)"}, at="timestamp")
    time = changed.time.model_copy(update={"parts": ("a", "b")})

    assert faults_of(changed) == []
    assert faults_of(changed.model_copy(update={"time": time})) == [
        "columns.ts.derive: the time is put together from time.parts; leave one of them out"
    ]


def test_what_explodes_is_sent_and_not_derived() -> None:
    changed = with_columns(items={"type": "list(int)", "derive": "null"})

    assert faults_of(changed.model_copy(update={"explode": "items"})) == [
        "explode: 'items' is derived; name a list in what senders send"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n", "filter.1: a filter is true or false, and this yields an int; compare it"),
        ("null", "filter.1: a filter is true or false, and this yields null; compare it"),
        ("n >", "filter.1: character 3: this is no expression"),
        ("m > 1", "filter.1: character 1: no column named 'm'"),
    ],
)
def test_a_filter_is_a_condition(text: str, message: str) -> None:
    [fault] = faults_of(BASE.model_copy(update={"filter": ("n > 1", text)}))

    assert fault.startswith(message)


def test_a_filter_may_use_derived_and_dropped_columns() -> None:
    changed = with_columns(out={"type": "int", "derive": "n + 1", "drop": True})

    assert faults_of(changed.model_copy(update={"filter": ("out > 1",)})) == []
