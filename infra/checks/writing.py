"""An expression as HCL on one line, for tables: types and defaults, not code that is run."""

import json

from infra.checks.hcl import (
    Binary,
    Call,
    Conditional,
    GetAttr,
    Index,
    Literal,
    Name,
    Node,
    ObjectExpression,
    Template,
    TupleExpression,
    Unary,
)


def written(node: Node) -> str:
    """The expression's text; what has no short form reads `…`."""
    match node:
        case Literal(_, value):
            return json.dumps(value, ensure_ascii=False)
        case Template(_, parts):
            return '"' + "".join(_part(part) for part in parts) + '"'
        case Name(_, name):
            return name
        case GetAttr(_, of, name):
            return f"{written(of)}.{name}"
        case Index(_, of, key):
            return f"{written(of)}[{written(key)}]"
        case Call(_, function, arguments, expands):
            return f"{function}({', '.join(map(written, arguments))}{'...' if expands else ''})"
        case TupleExpression(_, items):
            return f"[{', '.join(map(written, items))}]"
        case ObjectExpression(_, ()):
            return "{}"
        case ObjectExpression(_, items):
            return "{ " + ", ".join(f"{_key(key)} = {written(value)}" for key, value in items) + " }"
        case Unary(_, operator, operand):
            return f"{operator}{written(operand)}"
        case Binary(_, left, operator, right):
            return f"{written(left)} {operator} {written(right)}"
        case Conditional(_, condition, yes, no):
            return f"{written(condition)} ? {written(yes)} : {written(no)}"
        case _:
            return "…"


def _part(part: Node) -> str:
    if isinstance(part, Literal) and isinstance(part.value, str):
        return json.dumps(part.value, ensure_ascii=False)[1:-1]
    return f"${{{written(part)}}}"


def _key(key: Node) -> str:
    if isinstance(key, Literal) and isinstance(key.value, str) and key.value.replace("_", "").isalnum():
        return key.value
    return written(key)
