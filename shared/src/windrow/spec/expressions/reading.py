"""Text to expressions. Python's grammar is borrowed for its syntax tree; nothing of it is ever run."""

import ast
import math
import re
from collections.abc import Mapping, Sequence

from windrow.spec.expressions.calls import call, converted, shown, type_of_value
from windrow.spec.expressions.functions import FUNCTIONS
from windrow.spec.expressions.kinds import BOOL, FLOAT, INT, STRING, Type, article, common
from windrow.spec.expressions.nodes import BadExpression, Call, Constant, Expression, Node, Reference, Value
from windrow.spec.expressions.operations import Operation
from windrow.spec.expressions.operators import OPERATORS
from windrow.spec.expressions.rules import Disagreement
from windrow.spec.names import did_you_mean

MAX_CHARS = 2_000
MAX_DEPTH = 100
_INT64 = range(-(1 << 63), 1 << 63)
_WORDS: Mapping[str, Value] = {"true": True, "false": False, "null": None}
_ARITHMETIC: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}
_COMPARISONS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_EQUALITY = frozenset({"==", "!="})
_INSTEAD: Mapping[type[ast.AST], str] = {
    ast.BitAnd: "write `and` instead of &",
    ast.BitOr: "write `or` instead of |",
    ast.Invert: "write `not` instead of ~",
    ast.Pow: "there is no power; multiply",
    ast.MatMult: "there is no @",
    ast.JoinedStr: "there are no f-texts; use concat(…)",
    ast.Subscript: "there are no [places]; use slice(…) on a text and item(…) on a list",
    ast.NamedExpr: "write == to compare; values get their names as columns",
}
_SLIPS = (
    (re.compile(r"(?<![=!<>])=(?!=)"), "write == to compare"),
    (re.compile("<>"), "write != for unequal"),
    (re.compile("&&"), "write `and` instead of &&"),
    (re.compile(r"\|\|"), "write `or`, or concat(…), instead of ||"),
    (re.compile(r"\b(AND|OR|NOT|IN|IF|ELSE)\b"), "write and, or, not, in, if and else in small letters"),
    (re.compile(r"!(?!=)"), "write `not` instead of !"),
)
"""What people bring along from other languages, looked for where the grammar fails."""
_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")
_RUN_ON = re.compile(r"(?<![\w.])(?>\.?\d[\d_]*\.?[\d_]*(?:[eE][+-]?\d[\d_]*)?)[A-Za-z_]")
"""A number that a letter follows. Python reads some of these, and warns."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)


def parse(text: str, columns: Mapping[str, Type]) -> Expression:
    """The expression in a text, over columns of these types. Raises BadExpression for everything else."""
    if len(text) > MAX_CHARS:
        raise BadExpression(f"it has {len(text)} characters; an expression has at most {MAX_CHARS}")
    flat = text.replace("\n", " ").strip()
    if not flat:
        raise BadExpression("it is empty")
    return _Reader(flat, columns).expression(text)


class _Reader:
    def __init__(self, text: str, columns: Mapping[str, Type]) -> None:
        self._text = text
        self._columns = columns
        self._used: set[str] = set()

    def expression(self, text: str) -> Expression:
        body = self._tree()
        try:
            node = self._node(body, 0)
        except RecursionError as error:
            raise BadExpression("it is nested too deeply") from error
        return Expression(text, node, frozenset(self._used))

    def _tree(self) -> ast.expr:
        surrogate = _SURROGATE.search(self._text)
        if surrogate:
            raise BadExpression("here is half of a surrogate pair, which is no text", surrogate.start() + 1)
        for escape in _ESCAPE.finditer(self._text):
            if escape[1] not in {*"\\'\"ntrxuU"}:
                raise BadExpression("a backslash is written \\\\", escape.start() + 1)
        unquoted = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), self._text)
        run_on = _RUN_ON.search(unquoted)
        if run_on:
            raise BadExpression("numbers are decimal, and end with a blank or a sign", run_on.start() + 1)
        try:
            body = ast.parse(self._text, mode="eval").body
        except SyntaxError as error:
            offset = error.offset or 0
            place = offset if error.lineno == 1 and 0 < offset <= len(self._text) else len(self._text)
            slip = next((advice for pattern, advice in _SLIPS if pattern.search(unquoted)), None)
            raise BadExpression(slip or f"this is no expression: {error.msg}", place) from error
        except (ValueError, MemoryError, RecursionError) as error:
            raise BadExpression("it holds characters or a nesting that nobody can read") from error
        after = self._text.encode()[body.end_col_offset or 0 :].decode()
        if "#" in after:
            raise BadExpression("expressions hold no comments", len(self._text) - len(after) + after.index("#") + 1)
        return body

    # -------------------------------------------------------------------------------------------- nodes

    def _node(self, tree: ast.expr, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._fault(tree, f"it is nested more than {MAX_DEPTH} deep; give a part of it a column of its own")
        depth += 1
        match tree:
            case ast.Constant():
                return self._constant(tree, tree.value)
            case ast.Name(id=name) if name in _WORDS:
                return self._constant(tree, _WORDS[name])
            case ast.Name(id=name):
                return self._column(tree, name)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() as operand) if isinstance(
                operand.value, int | float
            ) and not isinstance(operand.value, bool):
                return self._constant(tree, -operand.value)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._call(tree, OPERATORS["negative"], [self._node(operand, depth)])
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._node(operand, depth)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._call(tree, OPERATORS["not"], [self._node(operand, depth)])
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _ARITHMETIC:
                sides = [self._node(left, depth), self._node(right, depth)]
                return self._call(tree, OPERATORS[_ARITHMETIC[type(op)]], sides)
            case ast.BoolOp(op=op, values=values):
                name = "and" if isinstance(op, ast.And) else "or"
                return self._call(tree, OPERATORS[name], [self._node(value, depth) for value in values])
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                parts = [self._node(part, depth) for part in (test, body, otherwise)]
                return self._call(tree, OPERATORS["if"], parts)
            case ast.Compare():
                return self._comparison(tree, depth)
            case ast.Call():
                return self._function(tree, depth)
            case ast.Attribute():
                raise self._fault(tree, "give what is inside of an object a column of its own (source: …, drop: true)")
            case ast.BinOp(op=op) | ast.UnaryOp(op=op):
                raise self._fault(tree, _INSTEAD.get(type(op), "there is no such operator"))
            case ast.List() | ast.Tuple() | ast.Set():
                raise self._fault(tree, "a list of values stands only after `in`")
            case _:
                raise self._fault(tree, _INSTEAD.get(type(tree), "this is not part of the language"))

    def _constant(self, tree: ast.expr, value: object) -> Constant:
        match value:
            case bool() | None:
                return Constant(value, type_of_value(value))
            case int():
                if value not in _INT64:
                    raise self._fault(tree, "whole numbers have at most 64 bits; write it with a point for a float")
                return Constant(value, INT)
            case float():
                if not math.isfinite(value):
                    raise self._fault(tree, "the number is too large for a float")
                return Constant(value, FLOAT, ast.get_source_segment(self._text, tree) or "")
            case str():
                if _SURROGATE.search(value):
                    raise self._fault(tree, "the text holds half of a surrogate pair, which is no text")
                return Constant(value, STRING)
        raise self._fault(tree, "write a number, a 'text', true, false or null")

    def _column(self, tree: ast.expr, name: str) -> Reference:
        if name not in self._columns:
            if name in FUNCTIONS:
                raise self._fault(tree, f"{name!r} is a function; write {FUNCTIONS[name].signature}")
            raise self._fault(tree, f"no column named {name!r}{did_you_mean(name, self._columns, quoted=True)}")
        self._used.add(name)
        return Reference(name, self._columns[name])

    def _comparison(self, tree: ast.Compare, depth: int) -> Node:
        if any(isinstance(op, ast.In | ast.NotIn) for op in tree.ops):
            return self._membership(tree, depth)
        for op in tree.ops:
            if type(op) not in _COMPARISONS:
                raise self._fault(tree, "there is no `is`; use is_null(…), or == to compare")
        sides = [self._node(side, depth) for side in (tree.left, *tree.comparators)]
        if any(isinstance(side, Constant) and side.value is None for side in sides):
            raise self._fault(tree, "nothing compares with null; use is_null(…)")
        signs = tuple(_COMPARISONS[type(op)] for op in tree.ops)
        operation = OPERATORS["equality" if _EQUALITY.issuperset(signs) else "comparison"]
        return self._call(tree, operation, sides, signs)

    def _membership(self, tree: ast.Compare, depth: int) -> Node:
        if len(tree.ops) > 1:
            raise self._fault(tree, "`in` does not chain; join conditions with `and`")
        left, right = self._node(tree.left, depth), tree.comparators[0]
        if isinstance(right, ast.List | ast.Tuple | ast.Set):
            found = self._call(tree, OPERATORS["in"], [left, *self._values(right, depth)])
        else:
            found = self._list_membership(tree, left, self._node(right, depth))
        return found if isinstance(tree.ops[0], ast.In) else Call("not", (found,), BOOL)

    def _values(self, tree: ast.List | ast.Tuple | ast.Set, depth: int) -> list[Node]:
        if not tree.elts:
            raise self._fault(tree, "the list after `in` is empty")
        values: list[Node] = []
        for part in tree.elts:
            value = self._node(part, depth) if isinstance(part, ast.Constant | ast.Name | ast.UnaryOp) else None
            if not isinstance(value, Constant):
                raise self._fault(part, "after `in`, values are written out; join conditions on columns with `or`")
            if value.value is None:
                raise self._fault(part, "null is never in a list; use is_null(…)")
            values.append(value)
        return values

    def _list_membership(self, tree: ast.Compare, left: Node, right: Node) -> Node:
        if right.type.items is None:
            raise self._fault(tree, "after `in` stands [a list, of values] or a list column; for texts use contains(…)")
        item = Type(right.type.items)
        if common(left.type, item) != item:
            raise self._fault(tree, f"{shown(left)} is {article(left.type)} and the list holds {article(item)} each")
        return Call("in_list", (converted(left, item), right), BOOL)

    def _function(self, tree: ast.Call, depth: int) -> Node:
        if isinstance(tree.func, ast.Attribute):
            raise self._fault(tree, f"functions stand before what they work on: {tree.func.attr}(…)")
        if not isinstance(tree.func, ast.Name):
            raise self._fault(tree, "this is not a function")
        name = tree.func.id
        if name not in FUNCTIONS:
            raise self._fault(tree, f"no function named {name!r}{did_you_mean(name, FUNCTIONS)}")
        if tree.keywords or any(isinstance(argument, ast.Starred) for argument in tree.args):
            raise self._fault(tree, f"write the arguments one after the other: {FUNCTIONS[name].signature}")
        found = self._call(tree, FUNCTIONS[name], [self._node(argument, depth) for argument in tree.args])
        if name == "column" and isinstance(found, Call) and isinstance(found.arguments[0], Constant):
            return self._column(tree, str(found.arguments[0].value))
        return found

    def _call(
        self, tree: ast.expr, operation: Operation, arguments: Sequence[Node], signs: tuple[str, ...] = ()
    ) -> Node:
        try:
            return call(operation, arguments, signs)
        except Disagreement as error:
            raise self._fault(tree, str(error)) from error

    # -------------------------------------------------------------------------------------------- faults

    def _fault(self, tree: ast.expr, message: str) -> BadExpression:
        before = self._text.encode()[: tree.col_offset].decode()
        return BadExpression(message, len(before) + 1)
