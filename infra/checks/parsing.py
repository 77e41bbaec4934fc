"""From the text of a `.tf` file to blocks and expressions. python-hcl2 does the grammar; this names what it finds."""

import re
from pathlib import Path
from typing import TypeGuard

import hcl2
from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from infra.checks.hcl import (
    Attribute,
    Binary,
    Block,
    Call,
    Conditional,
    For,
    GetAttr,
    Index,
    Literal,
    Name,
    Node,
    ObjectExpression,
    Scalar,
    Splat,
    Template,
    TupleExpression,
    Unary,
)

_NOISE = {"new_line_or_comment"}
_PUNCTUATION = {"LPAR", "RPAR", "LBRACE", "RBRACE", "LSQB", "RSQB", "COMMA", "DOT", "EQ", "COLON", "DBLQUOTE", "QMARK"}
_PUNCTUATION |= {"INTERP_START", "COLONS", "FOR", "IN", "IF", "FOR_OBJECT_ARROW", "ATTR_SPLAT", "FULL_SPLAT_START"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None}


class NotHcl(Exception):
    """The text cannot be parsed; says where and near what."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


def parse_file(path: Path) -> Block:
    """The content of a file; NotHcl names the line that cannot be read."""
    return parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> Block:
    """The content of a text, as a block without a kind."""
    try:
        tree = hcl2.parses_to_tree(text)
    except UnexpectedInput as error:
        line = text.splitlines()[error.line - 1] if 0 < error.line <= len(text.splitlines()) else ""
        raise NotHcl(error.line, f"cannot be parsed near {line.strip()!r}") from error
    comments: dict[int, str] = {}
    for token in tree.scan_values(lambda value: isinstance(value, Token) and value.type == "NL_OR_COMMENT"):
        if token.strip():
            comments[token.line] = token.strip()
    return _body(_trees(tree)[0], "", (), 1, comments)


def _trees(tree: Tree[Token]) -> list[Tree[Token]]:
    return [child for child in tree.children if isinstance(child, Tree) and child.data not in _NOISE]


def _parts(tree: Tree[Token]) -> list[Tree[Token] | Token]:
    """The children that mean something."""
    return [
        child
        for child in tree.children
        if (isinstance(child, Tree) and child.data not in _NOISE)
        or (isinstance(child, Token) and child.type not in _PUNCTUATION)
    ]


def _body(tree: Tree[Token], kind: str, labels: tuple[str, ...], line: int, comments: dict[int, str]) -> Block:
    attributes: dict[str, Attribute] = {}
    blocks: list[Block] = []
    for child in _trees(tree):
        if child.data == "attribute":
            name, value = _parts(child)
            attribute = Attribute(_word(name), _expression(value), child.meta.line)
            if attribute.name in attributes:
                raise NotHcl(attribute.line, f"sets {attribute.name!r} a second time in one block")
            attributes[attribute.name] = attribute
        else:
            *names, body = _trees(child)
            words = [_word(name) for name in names]
            blocks.append(_body(body, words[0], tuple(words[1:]), child.meta.line, comments))
    return Block(kind, labels, attributes, tuple(blocks), line, comments)


def _word(part: Tree[Token] | Token) -> str:
    if isinstance(part, Token):
        return str(part)
    if part.data == "string":
        return "".join(_word(child) for child in _trees(part))
    return "".join(str(child) for child in part.children)


def _expression(tree: Tree[Token] | Token) -> Node:
    assert isinstance(tree, Tree), tree
    line: int = tree.meta.line
    parts = _parts(tree)
    match str(tree.data):
        case "expr_term" | "object_elem_key" | "string_part" | "interpolation" | "braces_index":
            return _expression(parts[0])
        case "int_lit":
            return Literal(line, int(_word(tree)))
        case "float_lit":
            return Literal(line, float(_word(tree)))
        case "literal_value":
            return Literal(line, _WORDS[_word(tree)])
        case "identifier" | "keyword":
            return Name(line, _word(tree))
        case "string":
            return _string(tree)
        case "heredoc_template" | "heredoc_template_trim":
            return _heredoc(str(tree.children[0]), line)
        case "tuple":
            return TupleExpression(line, tuple(map(_expression, parts)))
        case "object":
            return ObjectExpression(line, tuple(_pair(part) for part in parts if isinstance(part, Tree)))
        case "function_call":
            return _call(tree)
        case "get_attr_expr_term":
            return GetAttr(line, _expression(parts[0]), _accessor(parts[1])[0])
        case "index_expr_term":
            return Index(line, _expression(parts[0]), _index(parts[1]))
        case "attr_splat_expr_term" | "full_splat_expr_term":
            inner = parts[1]
            assert isinstance(inner, Tree)
            return Splat(line, _expression(parts[0]), tuple(_step(part) for part in _trees(inner)))
        case "conditional":
            condition, yes, no = map(_expression, parts)
            return Conditional(line, condition, yes, no)
        case "unary_op":
            return Unary(line, str(parts[0]), _expression(parts[1]))
        case "binary_op":
            operator, right = _trees(_trees(tree)[1])
            return Binary(line, _expression(parts[0]), _word(operator).strip(), _expression(right))
        case "for_tuple_expr" | "for_object_expr":
            return _for(tree)
        case other:
            raise NotHcl(line, f"has an expression of a kind these checks do not know ({other})")


def _accessor(part: Tree[Token] | Token) -> tuple[str]:
    assert isinstance(part, Tree)
    return (_word(_trees(part)[0]),)


def _step(part: Tree[Token]) -> str | int:
    if part.data == "get_attr":
        return _accessor(part)[0]
    key = _index(part)
    assert isinstance(key, Literal)
    assert isinstance(key.value, int | str)
    return key.value


def _index(part: Tree[Token] | Token) -> Node:
    assert isinstance(part, Tree)
    if part.data == "short_index":
        return Literal(part.meta.line, int(str(part.children[-1])))
    return _expression(part)


def _pair(elem: Tree[Token]) -> tuple[Node, Node]:
    key, value = _trees(elem)
    word = _bare(key)
    return (Literal(key.meta.line, word) if word is not None else _expression(key)), _expression(value)


def _bare(key: Tree[Token]) -> str | None:
    """The word of an object key written without quotes and brackets, None for a key that is computed."""
    inner = _trees(key)[0]
    if inner.data == "keyword":
        return _word(inner)
    if inner.data == "expr_term" and not isinstance(inner.children[0], Token):
        leaf = inner.children[0]
        if leaf.data in {"identifier", "literal_value"}:
            return _word(leaf)
    return None


def _call(tree: Tree[Token]) -> Call:
    trees = _trees(tree)
    names = [_word(part) for part in trees if part.data == "identifier"]
    arguments = next((part for part in trees if part.data == "arguments"), None)
    if arguments is None:
        return Call(tree.meta.line, "::".join(names), (), expands=False)
    expands = any(isinstance(child, Token) and child.type == "ELLIPSIS" for child in arguments.children)
    return Call(tree.meta.line, "::".join(names), tuple(map(_expression, _trees(arguments))), expands)


def _for(tree: Tree[Token]) -> For:
    intro, *results = _trees(tree)
    condition = results.pop() if results[-1].data == "for_cond" else None
    *names, source = _trees(intro)
    key = results[0] if tree.data == "for_object_expr" else None
    return For(
        tree.meta.line,
        tuple(map(_word, names)),
        _expression(source),
        _expression(key) if key else None,
        _expression(results[-1]),
        _expression(_trees(condition)[0]) if condition else None,
        any(isinstance(child, Token) and child.type == "ELLIPSIS" for child in tree.children),
    )


def _string(tree: Tree[Token]) -> Node:
    parts: list[Node] = []
    for part in _trees(tree):
        inner = part.children[0]
        if isinstance(inner, Token):
            text = str(inner)
            if inner.type == "STRING_CHARS":
                text = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), text)
            else:
                text = text[1:]
            parts.append(Literal(part.meta.line, text))
        elif inner.data == "interpolation":
            parts.append(_expression(inner))
        else:
            raise NotHcl(part.meta.line, "has a %{ } directive in a string, which these checks do not read")
    return _joined(tree.meta.line, parts)


def _joined(line: int, parts: list[Node]) -> Node:
    """One literal, or a template whose neighbouring literals are one."""
    joined: list[Node] = []
    for part in parts:
        last = joined[-1] if joined else None
        if _is_text(last) and _is_text(part):
            joined[-1] = Literal(last.line, f"{last.value}{part.value}")
        elif part != Literal(part.line, ""):
            joined.append(part)
    if not joined:
        return Literal(line, "")
    return joined[0] if len(joined) == 1 and _is_text(joined[0]) else Template(line, tuple(joined))


def _is_text(part: Node | None) -> TypeGuard[Literal]:
    return isinstance(part, Literal) and isinstance(part.value, str)


def _heredoc(token: str, line: int) -> Node:
    """A heredoc's text with its interpolations; the grammar leaves it as one token."""
    first, *lines, _end = token.rstrip("\n").split("\n")
    if first.startswith("<<-"):
        margin = min((len(row) - len(row.lstrip()) for row in lines if row.strip()), default=0)
        lines = [row[margin:] for row in lines]
    return _template("\n".join(lines) + "\n", line)


def parse_template(text: str) -> Node:
    """The text of a template file; its %{ } directives are left as they are."""
    return _template(text, 0)


def _template(text: str, line: int) -> Node:
    parts: list[Node] = []
    position = 0
    while (start := _next_interpolation(text, position)) >= 0:
        end = _closing_brace(text, start + 2)
        at = line + 1 + text.count("\n", 0, start)
        if end < 0:
            raise NotHcl(at, "opens an interpolation that it does not close")
        parts.append(Literal(at, text[position:start].replace("$${", "${")))
        inner = parse(f"x = {text[start + 2 : end]}\n").value("x")
        assert inner is not None
        parts.append(inner)
        position = end + 1
    parts.append(Literal(line, text[position:].replace("$${", "${")))
    return _joined(line, parts)


def _next_interpolation(text: str, position: int) -> int:
    found = re.compile(r"(?<!\$)\$\{").search(text, position)
    return found.start() if found else -1


def _closing_brace(text: str, position: int) -> int:
    depth, quoted = 1, False
    for index in range(position, len(text)):
        if text[index] == '"' and text[index - 1] != "\\":
            quoted = not quoted
        elif not quoted and text[index] in "{}":
            depth += 1 if text[index] == "{" else -1
            if depth == 0:
                return index
    return -1
