"""Where a value stands in a JSON record: a source of the spec, compiled.

A source is JMESPath. Names in a row and places in lists (`properties.mag`, `"wind speed"`, `coordinates[0]`) can be
read from whole columns; anything else is evaluated record by record. A text that is no JMESPath (`pm2.5`,
`wind speed`, `@timestamp`), or that calls a function which JMESPath does not have (`Temperature(C)`), is the name of a
field of the record itself, as it stands. Quotes say the same: `"pm2.5"`. A source that begins with `$.` is read from
the document around the records.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

Step = str | int
"""The name of a field, or a place in a list (from 0; negative ones count from its end)."""

_DOCUMENT = "$."
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FAULTS = (JMESPathError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
"""What evaluating an expression over values of other kinds than it expects may raise."""


class NoValue(Exception):
    """An expression cannot be evaluated over this record; the text says why."""


@dataclass(frozen=True, slots=True)
class Path:
    """One source."""

    text: str
    """As in the spec."""
    steps: tuple[Step, ...] | None
    """The way to the value; None where only JMESPath itself can tell. Empty: the record as a whole."""
    roots: frozenset[str] | None
    """Names of the record's own fields that are looked at; None where that may be any."""
    of_document: bool = False
    """Whether it is read from the document around the records."""
    expression: Any = None
    """The compiled JMESPath, where `steps` is None."""

    def find(self, value: Any) -> Any:
        """What stands there in a decoded record (or in the document, under `of_document`), None where nothing does.

        Raises NoValue when an expression fails.
        """
        if self.steps is None:
            try:
                return self.expression.search(value)
            except _FAULTS as error:
                raise NoValue(str(error)) from error
        for step in self.steps:
            if isinstance(step, str):
                value = value.get(step) if isinstance(value, dict) else None
            elif isinstance(value, list) and -len(value) <= step < len(value):
                value = value[step]
            else:
                return None
        return value


@lru_cache(maxsize=4_096)
def compile_path(source: str) -> Path:
    """A source of the spec. Every text is one: see the module's rule."""
    if source.startswith(_DOCUMENT):
        inner = compile_path(source.removeprefix(_DOCUMENT))
        return Path(source, inner.steps, inner.roots, of_document=True, expression=inner.expression)
    try:
        expression = jmespath.compile(source)
    except JMESPathError:
        return _literal(source)
    tree = expression.parsed
    steps = _steps(tree)
    if steps is not None:
        first = steps[0] if steps else None
        return Path(source, steps, frozenset({first}) if isinstance(first, str) else None)
    if any(name not in Functions.FUNCTION_TABLE for name in _functions(tree)):
        return _literal(source)
    roots = list(_roots(tree))
    return Path(
        source, None, None if None in roots else frozenset(root for root in roots if root), expression=expression
    )


def is_columnar(path: Path) -> bool:
    """Whether whole columns can be read at once. What is read from the document is read once for all its records."""
    if path.of_document:
        return True
    steps = path.steps or (0,)
    return isinstance(steps[0], str) and all(isinstance(step, int) or is_plain_name(step) for step in steps[1:])


def is_plain_name(name: str) -> bool:
    """Whether polars takes it for the name of a field within another: it would expand `*` and `^…$`."""
    return bool(name) and not (name == "*" or (name.startswith("^") and name.endswith("$")))


def member_path(source: str, exploded: Path) -> Path | None:
    """A source that begins with the path of the exploded list, as a path within one member; None for any other.

    `products.price` and `products[].price` are the same, and so are `products` and `products[]`.
    """
    base = exploded.text
    for prefix in (f"{base}[]", base):
        if source == prefix:
            return Path(source, (), None)
        if source.startswith(f"{prefix}."):
            inner = compile_path(source.removeprefix(f"{prefix}."))
            return Path(source, inner.steps, inner.roots, expression=inner.expression)
    return None


def source_of(names: Sequence[str]) -> str:
    """The source that reads the field of these names, one within the other; as bare as it can be."""
    if len(names) == 1 and compile_path(names[0]).steps == tuple(names) and not compile_path(names[0]).of_document:
        return names[0]
    return ".".join(name if _BARE.fullmatch(name) else msgspec.json.encode(name).decode() for name in names)


# ------------------------------------------------------------------------------------------------ the tree


def _literal(name: str) -> Path:
    return Path(name, (name,), frozenset({name}))


def _steps(node: Mapping[str, Any]) -> tuple[Step, ...] | None:
    match node["type"]:
        case "field" | "index":
            return (node["value"],)
        case "identity":
            return ()
        case "subexpression" | "index_expression":
            steps: list[Step] = []
            for child in node["children"]:
                inner = _steps(child)
                if inner is None:
                    return None
                steps.extend(inner)
            return tuple(steps)
        case _:
            return None


def _functions(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("type") == "function_expression":
            yield node["value"]
        for child in node.get("children", ()):
            yield from _functions(child)


_NARROWING = frozenset(
    {"subexpression", "index_expression", "pipe", "projection", "value_projection", "flatten", "filter_projection"}
)
"""Nodes of which only the first child looks at the record; the others look at what that one found."""


def _roots(node: Any) -> Iterator[str | None]:
    """Names of the record's own fields that an expression looks at; None stands for the whole record."""
    if not isinstance(node, dict):
        return
    kind = node.get("type")
    children = node.get("children", ())
    if kind == "field":
        yield node["value"]
    elif kind in ("current", "identity"):
        yield None
    elif kind in _NARROWING:
        yield from _roots(children[0])
    elif kind != "expref":
        for child in children:
            yield from _roots(child)
