"""Computes Terraform expressions, as far as they do not depend on what AWS answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from infra.checks.function_values import FUNCTION_VALUES, as_set, text
from infra.checks.hcl import (
    Binary,
    Call,
    Conditional,
    For,
    GetAttr,
    Index,
    Literal,
    Name,
    Node,
    ObjectExpression,
    Splat,
    Template,
    TupleExpression,
    Unary,
)
from infra.checks.parsing import parse_template
from infra.checks.values import CannotEvaluate, Unknown, Value

_LOGIC: Mapping[str, Callable[[Value, Value], Value]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "%": lambda left, right: left % right,
}


class Names(Protocol):
    """A module's own names: `var`, `local`, `module`, `data`, `path`, `terraform` and its resource types."""

    def root(self, name: str) -> Value:
        """What a root name stands for: an object with `get_attr`, or a mapping; CannotEvaluate when nothing."""
        ...


class Attributed(Protocol):
    """A value whose attributes are computed when they are asked for."""

    def get_attr(self, name: str) -> Value: ...


@dataclass(frozen=True)
class Scope:
    """Where an expression is evaluated."""

    module: Names
    names: Mapping[str, Value] = field(default_factory=dict)

    def adding(self, names: Mapping[str, Value]) -> "Scope":
        return replace(self, names={**self.names, **names})


def evaluate(node: Node, scope: Scope) -> Value:
    """The value of an expression; Unknown where it hangs on what AWS computes."""
    match node:
        case Literal(_, value):
            return value
        case Template(_, parts):
            values = [evaluate(part, scope) for part in parts]
            return values[0] if len(values) == 1 else "".join(map(text, values))
        case Name(_, name):
            return scope.names[name] if name in scope.names else scope.module.root(name)
        case GetAttr(_, of, name):
            return get_attr(evaluate(of, scope), name)
        case Index(_, of, key):
            return get_index(evaluate(of, scope), evaluate(key, scope))
        case Splat(_, of, names):
            return _splat(evaluate(of, scope), names)
        case Call(_, _, _, _):
            return _call(node, scope)
        case TupleExpression(_, items):
            return [evaluate(item, scope) for item in items]
        case ObjectExpression(_, items):
            return {text(evaluate(key, scope)): evaluate(item, scope) for key, item in items}
        case Conditional(_, condition, yes, no):
            chosen = evaluate(condition, scope)
            if isinstance(chosen, Unknown):
                return chosen
            return evaluate(yes if chosen else no, scope)
        case Unary(_, operator, operand):
            value = evaluate(operand, scope)
            if isinstance(value, Unknown):
                return value
            return not value if operator == "!" else -value
        case Binary(_, left, operator, right):
            return _binary(left, operator, right, scope)
        case For():
            return _for(node, scope)
    raise CannotEvaluate(f"an expression of kind {type(node).__name__}")


def get_attr(value: Value, name: str) -> Value:
    """`value.name`."""
    if isinstance(value, Unknown):
        return Unknown(f"{value.address}.{name}")
    if hasattr(value, "get_attr"):
        return value.get_attr(name)
    if isinstance(value, Mapping):
        if name in value:
            return value[name]
        raise CannotEvaluate(f"an object without {name!r}")
    raise CannotEvaluate(f"{value!r} has no attribute {name!r}")


def get_index(value: Value, key: Value) -> Value:
    """`value[key]`."""
    if isinstance(value, Unknown) or isinstance(key, Unknown):
        return Unknown(f"{value.address if isinstance(value, Unknown) else '…'}[{text(key)}]")
    if isinstance(value, list):
        if 0 <= int(key) < len(value):
            return value[int(key)]
        raise CannotEvaluate(f"a list of {len(value)} has no element {key}")
    return get_attr(value, text(key))


def _splat(value: Value, names: tuple[str | int, ...]) -> Value:
    if isinstance(value, Unknown):
        return value
    items = value if isinstance(value, list) else [] if value is None else [value]
    for name in names:
        items = [get_index(item, name) if isinstance(name, int) else get_attr(item, name) for item in items]
    return items


def _call(node: Call, scope: Scope) -> Value:
    if node.function in {"try", "can"}:
        return _attempt(node, scope)
    arguments = [evaluate(argument, scope) for argument in node.arguments]
    if node.expands:
        last = arguments.pop()
        if isinstance(last, Unknown):
            return last
        arguments.extend(last)
    if node.function == "templatefile":
        return _templatefile(arguments, scope)
    unknown = next((argument for argument in arguments if isinstance(argument, Unknown)), None)
    if unknown is not None and node.function not in {"jsonencode", "coalesce", "format", "tostring"}:
        return Unknown(f"{node.function}({unknown.address})")
    function = FUNCTION_VALUES.get(node.function)
    if function is None:
        return Unknown(f"{node.function}()")
    try:
        return function(*arguments)
    except (TypeError, ValueError, KeyError, IndexError, OSError) as error:
        raise CannotEvaluate(f"{node.function}(): {error}") from error


def _attempt(node: Call, scope: Scope) -> Value:
    for argument in node.arguments:
        try:
            value = evaluate(argument, scope)
        except CannotEvaluate:
            continue
        return True if node.function == "can" else value
    if node.function == "can":
        return False
    raise CannotEvaluate("no argument of try() can be computed")


def _templatefile(arguments: list[Value], scope: Scope) -> Value:
    path, given = arguments
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123  the path is a Terraform string
            template = parse_template(file.read())
    except OSError as error:
        raise CannotEvaluate(f"templatefile(): {error}") from error
    return evaluate(template, Scope(scope.module, given))


def _binary(left: Node, operator: str, right: Node, scope: Scope) -> Value:
    first = evaluate(left, scope)
    if operator in {"&&", "||"}:
        if first is (operator == "||"):
            return first
        second = evaluate(right, scope)
        if second is (operator == "||"):
            return second
        return first if isinstance(first, Unknown) else second
    second = evaluate(right, scope)
    if operator in {"==", "!="} and (first is None or second is None):
        # What AWS computes is taken to be there.
        return (first is second) is (operator == "==")
    for side in (first, second):
        if isinstance(side, Unknown):
            return side
    try:
        return _LOGIC[operator](first, second)
    except TypeError as error:
        raise CannotEvaluate(str(error)) from error


def _for(node: For, scope: Scope) -> Value:
    source = evaluate(node.source, scope)
    if isinstance(source, Unknown):
        return source
    if isinstance(source, Mapping):
        pairs = [(key, source[key]) for key in sorted(source)]
    elif isinstance(source, list):
        # A set's keys are its elements, but nobody reads the key of a set.
        pairs = list(enumerate(source))
    else:
        raise CannotEvaluate(f"a loop over {source!r}")
    rows: list[tuple[Value, Value]] = []
    for key, value in pairs:
        names = {node.names[-1]: value} | ({node.names[0]: key} if len(node.names) == 2 else {})
        inner = scope.adding(names)
        if node.condition is None or evaluate(node.condition, inner) not in (False, None):
            rows.append((evaluate(node.result_key, inner) if node.result_key else None, evaluate(node.result, inner)))
    if node.result_key is None:
        return [value for _, value in rows]
    if node.groups:
        grouped: dict[str, list[Value]] = {}
        for key, value in rows:
            grouped.setdefault(text(key), []).append(value)
        return grouped
    return {text(key): value for key, value in rows}


def convert(shape: Node | None, value: Value, scope: Scope) -> Value:
    """A value as a variable of a type holds it: numbers from strings, sets from lists, optional fields filled in."""
    if shape is None or isinstance(value, Unknown):
        return value
    match shape:
        case Name(_, "number" | "string" | "bool" as scalar) if value is not None and not isinstance(
            value, Mapping | list
        ):
            return FUNCTION_VALUES[f"to{scalar}"](value)
        case Call(_, "list", (inner,)) if isinstance(value, list):
            return [convert(inner, item, scope) for item in value]
        case Call(_, "set", (inner,)) if isinstance(value, list):
            return as_set([convert(inner, item, scope) for item in value])
        case Call(_, "map", (inner,)) if isinstance(value, Mapping):
            return {key: convert(inner, item, scope) for key, item in value.items()}
        case Call(_, "object", (ObjectExpression(_, fields),)) if isinstance(value, Mapping):
            return {text(evaluate(key, scope)): _field(key, kind, value, scope) for key, kind in fields}
    return value


def _field(key: Node, kind: Node, given: Mapping[str, Value], scope: Scope) -> Value:
    name = text(evaluate(key, scope))
    if isinstance(kind, Call) and kind.function == "optional":
        inner, *default = kind.arguments
        value = given.get(name)
        if value is None and default:
            value = evaluate(default[0], scope)
        return convert(inner, value, scope)
    if name not in given:
        raise CannotEvaluate(f"an object without {name!r}")
    return convert(kind, given[name], scope)
