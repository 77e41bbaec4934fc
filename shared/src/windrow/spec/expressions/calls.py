"""Calls of operations on arguments that fit them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from windrow.spec.expressions.functions import FUNCTIONS
from windrow.spec.expressions.kinds import BOOL, DATE, DIGITS, FLOAT, INT, NULL, STRING, TIMESTAMP, Type, article
from windrow.spec.expressions.nodes import Call, Constant, Node, Reference, Value
from windrow.spec.expressions.operations import Operation, Parameter
from windrow.spec.expressions.rules import Disagreement

_SHOWN_CHARS = 40
_TITLES = {"negative": "-", "equality": "a comparison", "comparison": "a comparison"}
_HINTS: Mapping[tuple[str, str], str] = {
    ("+", "string"): "; use concat(…)",
    ("concat", "int"): "; use to_text(…)",
    ("concat", "float"): "; use to_text(…)",
    ("-", "timestamp"): "; use seconds_between(…)",
    ("+", "timestamp"): "; use add_seconds(…)",
    ("//", "decimal"): "; use to_float(…)",
    ("%", "decimal"): "; use to_float(…)",
    ("timestamp", "timestamp"): "; it is a timestamp already",
    ("date", "date"): "; it is a date already",
}


def call(operation: Operation, arguments: Sequence[Node], signs: tuple[str, ...] = ()) -> Node:
    """A call, its arguments brought to the types that it computes with. Raises Disagreement when they do not fit."""
    parameters, nodes = _bound(operation, arguments)
    for parameter, node in zip(parameters, nodes, strict=True):
        _check(operation, parameter, node)
    if operation.name in {"timestamp", "date"} and nodes[0].type == STRING:
        return _moment(operation.name, nodes[0])
    if _is_exact(nodes):
        nodes = [_exactly(node) for node in nodes]
    try:
        targets, result = operation.rule(nodes)
    except Disagreement as error:
        raise Disagreement(f"in {_title(operation)}: {error}") from error
    brought = tuple(
        converted(node, _concrete(target, parameter))
        for node, target, parameter in zip(nodes, targets, parameters, strict=True)
    )
    return Call(operation.name, brought, result, signs)


def converted(node: Node, wanted: Type) -> Node:
    """A node brought to a type that holds its values."""
    if node.type == wanted:
        return node
    if not isinstance(node, Constant):
        return Call("convert", (node,), wanted)
    value = node.value
    if value is None:
        return Constant(None, wanted)
    if isinstance(value, int | float | Decimal) and wanted == FLOAT:
        return Constant(float(value), wanted)
    found = Constant(Decimal(value), wanted) if isinstance(value, int | Decimal) else node
    if not _fits(found):
        raise Disagreement(f"{value} has more than {DIGITS} digits beside the others; use to_float(…)")
    return found


def type_of_value(value: Value) -> Type:
    """The type of a value that is written out, other than a number with a point or a text."""
    match value:
        case bool():
            return BOOL
        case int():
            return INT
        case _:
            return NULL


def shown(node: Node) -> str:
    """A node in a message."""
    match node:
        case Constant(value=value):
            text = repr(value) if isinstance(value, str) else str(value)
            return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
        case Reference(name=name):
            return repr(name)
        case Call(operation=operation):
            return f"{operation}(…)" if operation in FUNCTIONS else "what stands there"


def _bound(operation: Operation, arguments: Sequence[Node]) -> tuple[list[Parameter], list[Node]]:
    """A parameter for each argument, and the arguments with what was left out."""
    parameters, nodes = list(operation.parameters), list(arguments)
    if parameters[-1].many:
        parameters += [parameters[-1]] * (len(nodes) - len(parameters))
    nodes += [
        Constant(parameter.default, type_of_value(parameter.default))
        for parameter in parameters[len(nodes) :]
        if parameter.default is not None
    ]
    if len(nodes) != len(parameters):
        raise Disagreement(f"{operation.name} is written {operation.signature}, not with {len(arguments)} arguments")
    return parameters, nodes


def _check(operation: Operation, parameter: Parameter, node: Node) -> None:
    if parameter.written is not None and not (isinstance(node, Constant) and parameter.written.holds(node.value)):
        raise Disagreement(f"{parameter.name} in {operation.signature} is {parameter.written.rule}, written out")
    if node.type != NULL and node.type.kind not in parameter.accepts.kinds:
        hint = _HINTS.get((operation.name, node.type.kind), "")
        needs = f"{_title(operation)} needs {parameter.accepts.name}"
        raise Disagreement(f"{needs}, {shown(node)} is {article(node.type)}{hint}")


def _title(operation: Operation) -> str:
    return _TITLES.get(operation.name, operation.name)


def _moment(name: str, node: Node) -> Constant:
    """A time or date that is written out."""
    if not (isinstance(node, Constant) and isinstance(node.value, str)):
        raise Disagreement(f"{shown(node)} is a text; give it type {name} where it is read, with the formats it has")
    try:
        if name == "date":
            return Constant(date.fromisoformat(node.value), DATE)
        moment = datetime.fromisoformat(node.value)
        return Constant(moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC), TIMESTAMP)
    except (ValueError, OverflowError) as error:
        raise Disagreement(f"{shown(node)} is not a {name} as ISO 8601 writes it") from error


def _is_exact(nodes: Sequence[Node]) -> bool:
    """Whether numbers that are written out stand beside decimals, and no float does."""
    kinds = {node.type.kind for node in nodes if not isinstance(node, Constant)}
    return "decimal" in kinds and "float" not in kinds


def _exactly(node: Node) -> Node:
    """A number as it was written: 0.1 is a tenth, and not the float nearest to it."""
    if not (isinstance(node, Constant) and isinstance(node.value, float)):
        return node
    number = Decimal("".join(node.written.split()) or repr(node.value))
    exponent = number.as_tuple().exponent
    exact = Constant(number, Type("decimal", scale=max(0, -exponent) if isinstance(exponent, int) else 0))
    return exact if _fits(exact) else node


def _fits(node: Constant) -> bool:
    """Whether a decimal has no more digits than decimals have."""
    if not isinstance(node.value, Decimal):
        return True
    _, digits, exponent = node.value.as_tuple()
    before_point = len(digits) + (exponent if isinstance(exponent, int) else 0)
    return max(0, before_point) + node.type.scale <= DIGITS


def _concrete(target: Type, parameter: Parameter) -> Type:
    """A null is of a type that is accepted."""
    if target != NULL:
        return target
    kind = parameter.accepts.kinds[0]
    return Type(kind, items="string" if kind == "list" else None)
