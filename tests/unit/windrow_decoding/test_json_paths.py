"""Sources of a spec: which are ways that whole columns can go, and which are names as they stand."""

import json
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.decoding.json_paths import NoValue, compile_path, is_columnar, member_path, source_of

names = st.text(max_size=6) | st.sampled_from(
    ["a", "a.b", "pm2.5", "wind speed", "$.a", "$", "a[0]", "f(x)", "sum(a)", "@ts", "a|b", "*", '"q"', ""]
)
values = st.recursive(
    st.none() | st.integers(-5, 5) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c d"]), inner, max_size=3),
    max_leaves=10,
)
ways = st.lists(st.sampled_from(["a", "b", '"c d"', "[0]", "[1]", "[-1]"]), min_size=1, max_size=5).map(
    lambda steps: "".join(step if step.startswith("[") or not place else f".{step}" for place, step in enumerate(steps))
)


@given(ways, values)
def test_names_and_places_lead_where_jmespath_leads(source: str, record: Any) -> None:
    path = compile_path(source)

    assert path.steps is not None
    assert path.find(record) == jmespath.search(source, record)


@given(st.lists(names, min_size=1, max_size=3))
def test_the_source_of_a_field_finds_that_field(way: list[str]) -> None:
    record: Any = 7
    for name in reversed(way):
        record = {name: record, f"{name}x": 8}
    path = compile_path(source_of(way))

    assert path.steps == tuple(way)
    assert not path.of_document
    assert path.find(record) == 7


@pytest.mark.parametrize(
    ("source", "is_quick", "roots"),
    [
        ("a", True, {"a"}),
        ("a.b[0]", True, {"a"}),
        ('"a.b"', True, {"a.b"}),
        ("pm2.5", True, {"pm2.5"}),
        ("wind speed", True, {"wind speed"}),
        ("@timestamp", True, {"@timestamp"}),
        ("Temperature(C)", True, {"Temperature(C)"}),
        ("*", False, None),
        ("[0]", False, None),
        ("@", False, None),
        ("a[*].b", False, {"a"}),
        ("length(a)", False, {"a"}),
        ("join(',', [x, y.z])", False, {"x", "y"}),
        ("a || b", False, {"a", "b"}),
        ("a[?b > `1`].c | [0]", False, {"a"}),
        ("sort_by(a, &b)[0]", False, {"a"}),
        ("$.a.b", True, {"a"}),
        ("$.length(a)", True, {"a"}),
    ],
)
def test_sources_are_read_in_columns_where_they_can_be(source: str, is_quick: bool, roots: set[str] | None) -> None:
    path = compile_path(source)

    assert is_columnar(path) == is_quick
    assert path.roots == roots
    assert path.of_document == source.startswith("$.")


def test_an_expression_that_fails_says_why_and_raises_nothing_else() -> None:
    for record in ({"a": 5}, {"a": ["x", 1]}, {"a": None}, [], 5):
        with pytest.raises(NoValue):
            compile_path("sum(a)").find(record)


@pytest.mark.parametrize("text", ["products.price", "products[].price"])
def test_a_source_within_the_exploded_list_is_read_from_its_members(text: str) -> None:
    path = member_path(text, compile_path("products"))

    assert path is not None
    assert path.find({"price": 3}) == 3


@pytest.mark.parametrize(
    ("text", "is_member"),
    [("products", True), ("products[]", True), ("productsx", False), ("products[0].id", False), ("id", False)],
)
def test_only_what_begins_with_the_exploded_path_is_of_a_member(text: str, is_member: bool) -> None:
    path = member_path(text, compile_path("products"))

    assert (path is not None) == is_member
    assert path is None or path.find(json.loads("5")) == 5
