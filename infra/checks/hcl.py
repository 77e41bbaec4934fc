"""The parts of an HCL file as values, each with the line it begins on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TypeAlias


@dataclass(frozen=True)
class Node:
    """An expression. `line` counts from 1."""

    line: int

    def children(self) -> Iterator["Node"]:
        """The expressions directly inside this one."""
        for part in fields(self):
            yield from _nodes(getattr(self, part.name))

    def walk(self) -> Iterator["Node"]:
        """This expression and all inside it."""
        yield self
        for child in self.children():
            yield from child.walk()


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for entry in value:
            yield from _nodes(entry)


Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True)
class Literal(Node):
    """A number, a truth value, null, or a string without interpolation."""

    value: Scalar


@dataclass(frozen=True)
class Template(Node):
    """A string with interpolations: its parts in order."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Name(Node):
    """The root of a reference (`var`, `local`, `aws_sqs_queue`, a loop variable), or a bare word such as a type."""

    name: str


@dataclass(frozen=True)
class GetAttr(Node):
    """`of.name`."""

    of: Node
    name: str


@dataclass(frozen=True)
class Index(Node):
    """`of[key]`."""

    of: Node
    key: Node


@dataclass(frozen=True)
class Splat(Node):
    """`of[*].a.b`: the names (or whole-number positions) read from every element."""

    of: Node
    names: tuple[str | int, ...]


@dataclass(frozen=True)
class Call(Node):
    """A function call; `expands` when the last argument ends in `...`."""

    function: str
    arguments: tuple[Node, ...]
    expands: bool


@dataclass(frozen=True)
class TupleExpression(Node):
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class ObjectExpression(Node):
    """`{ key = value }`; a key written as a bare word is a literal string."""

    items: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True)
class Conditional(Node):
    """`condition ? yes : no`."""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True)
class Unary(Node):
    """`!x` or `-x`."""

    operator: str
    operand: Node


@dataclass(frozen=True)
class Binary(Node):
    """`left operator right`."""

    left: Node
    operator: str
    right: Node


@dataclass(frozen=True)
class For(Node):
    """`[for key, value in source : result if condition]`; an object with a `result_key`; `groups` by `...`."""

    names: tuple[str, ...]
    source: Node
    result_key: Node | None
    result: Node
    condition: Node | None
    groups: bool


@dataclass(frozen=True)
class Attribute:
    """`name = value`."""

    name: str
    value: Node
    line: int


@dataclass(frozen=True)
class Block:
    """`kind "label" { … }`; the whole file is a block of kind "" ."""

    kind: str
    labels: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    blocks: tuple["Block", ...]
    line: int
    comments: Mapping[int, str] = field(default_factory=dict)

    def value(self, name: str) -> Node | None:
        """The expression of an attribute, None where it is not set."""
        found = self.attributes.get(name)
        return found.value if found else None

    def inner(self, kind: str) -> list["Block"]:
        """The blocks of a kind directly inside."""
        return [block for block in self.blocks if block.kind == kind]

    def expressions(self) -> Iterator[Node]:
        """Every expression of this block and of those inside it, outermost ones only."""
        for attribute in self.attributes.values():
            yield attribute.value
        for block in self.blocks:
            yield from block.expressions()
