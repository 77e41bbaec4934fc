"""Rules by which an operation's arguments decide what it computes with and what it yields."""

from collections.abc import Callable, Sequence

from windrow.spec.expressions.kinds import BOOL, DIGITS, FLOAT, INT, NULL, Type, article, common
from windrow.spec.expressions.nodes import Constant, Node

Typing = tuple[Sequence[Type], Type]
"""The types that the arguments are brought to, and the type of the result."""
Rule = Callable[[Sequence[Node]], Typing]


class Disagreement(Exception):
    """Types that do not go together. The text says why, and what to do."""


def gives(result: Type) -> Rule:
    """Arguments as they are."""
    return lambda nodes: ([node.type for node in nodes], result)


def floats(nodes: Sequence[Node]) -> Typing:
    return [FLOAT for _ in nodes], FLOAT


def alike(nodes: Sequence[Node]) -> Typing:
    """All of the type that they have in common, which is the result's too."""
    shared = _shared(nodes)
    return [shared for _ in nodes], shared


def numeric(nodes: Sequence[Node]) -> Typing:
    """Like `alike`; nothing but nulls is an int."""
    shared = _shared(nodes)
    result = INT if shared == NULL else shared
    return [result for _ in nodes], result


def product(nodes: Sequence[Node]) -> Typing:
    """Like `numeric`; a decimal keeps the digits of all."""
    targets, result = numeric(nodes)
    if result.kind != "decimal":
        return targets, result
    exact = Type("decimal", scale=sum(node.type.scale for node in nodes))
    if exact.scale > DIGITS:
        raise Disagreement(f"the product would have {exact.scale} digits after the point; use round(…) or to_float(…)")
    return [exact for _ in nodes], exact


def compared(nodes: Sequence[Node]) -> Typing:
    shared = _shared(nodes)
    return [shared for _ in nodes], BOOL


def logical(nodes: Sequence[Node]) -> Typing:
    return [BOOL for _ in nodes], BOOL


def chosen(nodes: Sequence[Node]) -> Typing:
    """A condition, then two alike."""
    targets, result = alike(nodes[1:])
    return [BOOL, *targets], result


def rounded(nodes: Sequence[Node]) -> Typing:
    """A number and how many digits to keep: of a decimal, no more than it has."""
    _, number = numeric(nodes[:1])
    result = Type("decimal", scale=min(number.scale, _digits(nodes[1]))) if number.kind == "decimal" else number
    return [number, INT], result


def exact(nodes: Sequence[Node]) -> Typing:
    """A number and how many digits after the point it shall have."""
    targets, _ = numeric(nodes[:1])
    return [*targets, INT], Type("decimal", scale=_digits(nodes[1]))


def member(nodes: Sequence[Node]) -> Typing:
    """A list and a place in it."""
    items = nodes[0].type.items
    return [nodes[0].type, INT], NULL if items is None else Type(items)


def _digits(node: Node) -> int:
    return node.value if isinstance(node, Constant) and isinstance(node.value, int) else 0


def _shared(nodes: Sequence[Node]) -> Type:
    types = [node.type for node in nodes]
    shared = common(*types)
    if shared is not None:
        return shared
    first, other = next((a, b) for a in types for b in types if common(a, b) is None)
    raise Disagreement(f"{article(first)} and {article(other)} do not go together{_hint(first, other)}")


def _hint(first: Type, other: Type) -> str:
    kinds = {first.kind, other.kind}
    if kinds == {"string", "timestamp"}:
        return "; a time is written timestamp('2024-01-31T12:00:00Z')"
    if kinds == {"string", "date"}:
        return "; a date is written date('2024-01-31')"
    if kinds == {"date", "timestamp"}:
        return "; use date(…)"
    if "string" in kinds and (first.is_number or other.is_number):
        return "; use to_float(…), to_int(…) or to_text(…)"
    return ""
