"""The expressions of a spec: whether they hold together, and the order in which they are computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from windrow.spec.expressions.calls import converted
from windrow.spec.expressions.kinds import BOOL, Type, article, misfit, type_of
from windrow.spec.expressions.nodes import BadExpression, Expression
from windrow.spec.expressions.reading import parse
from windrow.spec.faults import Fault, Path

if TYPE_CHECKING:
    from windrow.spec.stream import StreamSpec


@dataclass(frozen=True, slots=True)
class Plan:
    """What is computed of a record's columns."""

    derived: Mapping[str, Expression]
    """Column → its expression, which yields the column's type; each after those that it needs."""
    filters: tuple[Expression, ...]
    """Conditions that must all hold."""


def plan(spec: StreamSpec) -> Plan:
    """The expressions of a spec that has no faults."""
    types = _types(spec)
    found = {name: parse(column.derive, types) for name, column in spec.columns.items() if column.derive is not None}
    order = TopologicalSorter(_needs(found)).static_order()
    derived = {
        name: Expression(found[name].text, converted(found[name].node, types[name]), found[name].columns)
        for name in order
    }
    return Plan(derived, tuple(parse(text, types) for text in spec.filter))


def faults(spec: StreamSpec) -> list[Fault]:
    """Everything that is wrong with a spec's expressions."""
    return [*_derived(spec), *_filters(spec)]


def _derived(spec: StreamSpec) -> Iterator[Fault]:
    types = _types(spec)
    found: dict[str, Expression] = {}
    for name, column in spec.columns.items():
        if column.derive is None:
            continue
        yield from _settings(spec, name)
        path = ("columns", name, "derive")
        expression = _parsed(column.derive, types, path)
        if isinstance(expression, Fault):
            yield expression
            continue
        found[name] = expression
        reason = misfit(expression.type, column)
        if reason is not None:
            yield Fault(path, reason)
    try:
        TopologicalSorter(_needs(found)).prepare()
    except CycleError as error:
        cycle = error.args[1][::-1]  # from a column to what it needs
        yield Fault(("columns", cycle[0], "derive"), f"it is computed from itself: {' → '.join(cycle)}")


def _settings(spec: StreamSpec, name: str) -> Iterator[Fault]:
    """Settings that say how a value is read, on a column that is not."""
    column = spec.columns[name]
    for setting, given, instead in (
        ("missing", bool(column.missing), "use null_if"),
        ("trim", column.trim, "use trim(…) in the expression"),
        ("formats", "formats" in column.model_fields_set, "give them to the columns that the expression uses"),
    ):
        if given:
            yield Fault(("columns", name, setting), f"it is for what senders write, and {name!r} is derived; {instead}")
    if name == spec.time.column and spec.time.parts:
        yield Fault(("columns", name, "derive"), "the time is put together from time.parts; leave one of them out")
    if name == spec.explode:
        yield Fault(("explode",), f"{name!r} is derived; name a list in what senders send")


def _filters(spec: StreamSpec) -> Iterator[Fault]:
    for place, text in enumerate(spec.filter):
        path = ("filter", place)
        expression = _parsed(text, _types(spec), path)
        if isinstance(expression, Fault):
            yield expression
        elif expression.type != BOOL:
            yield Fault(path, f"a filter is true or false, and this yields {article(expression.type)}; compare it")


def _parsed(text: str, types: Mapping[str, Type], path: Path) -> Expression | Fault:
    try:
        return parse(text, types)
    except BadExpression as error:
        return Fault(path, str(error))


def _types(spec: StreamSpec) -> dict[str, Type]:
    return {name: type_of(column) for name, column in spec.columns.items()}


def _needs(found: Mapping[str, Expression]) -> dict[str, list[str]]:
    """Derived column → the derived columns that it needs."""
    return {name: sorted(expression.columns & found.keys()) for name, expression in found.items()}
