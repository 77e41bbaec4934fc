"""YAML text to plain values, each with its place.

The text is read as YAML 1.2 does: only `true` and `false` are bools, so `no`, `on`, `12:30` and `2020-01-01` are the
texts they look like. Names are always texts. What YAML would read in a way that nobody meant is a fault instead.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from windrow.spec.faults import Path, PlacedFault, dotted
from windrow.spec.names import shown

MAX_TEXT_BYTES = 256 * 1024
"""Most of a spec's text. What is longer is data."""
MAX_NODES = 20_000
"""Most names and values in a spec, counting again what aliases repeat."""
MAX_DEPTH = 32
"""Most levels of nesting."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INT = re.compile(r"[-+]?[0-9]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_RADIX = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAX_DIGITS = 64
_CORE_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map"))


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a setting stands: line and column of its name, if it has one, and of its value. Both from 1."""

    name: tuple[int, int] | None
    value: tuple[int, int]
    is_plain: bool
    """Whether the value is a single one, neither list nor mapping."""


@dataclass(slots=True)
class Reading:
    """What a text says, and what could not be read of it."""

    value: Any = None
    spots: dict[Path, Spot] = field(default_factory=dict)
    faults: list[PlacedFault] = field(default_factory=list)
    lost: set[Path] = field(default_factory=set)
    """Settings whose value is unknown because it was faulty."""

    def place(self, path: Path, *, is_name: bool = False) -> tuple[int, int]:
        """Line and column of a setting, or of the nearest one around it that is written down."""
        for length in range(len(path), -1, -1):
            spot = self.spots.get(path[:length])
            if spot is not None:
                # What holds others is best found by its name; what is missing is missing inside the value.
                of_name = length == len(path) and (is_name or not spot.is_plain)
                return spot.name if of_name and spot.name else spot.value
        return (1, 1)


class _Refused(Exception):
    """The text cannot be read any further."""

    def __init__(self, place: tuple[int, int], message: str) -> None:
        self.place = place
        self.message = message
        super().__init__(message)


class _Composer(yaml.SafeLoader):
    """Nodes of one document, bounded while they are made."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.yaml_implicit_resolvers = {}  # plain scalars stay texts; `_Reader` resolves them
        self._depth = 0
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        self._nodes += 1
        mark: yaml.Mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self._depth > MAX_DEPTH:
            raise _Refused(_start(mark), f"is nested more than {MAX_DEPTH} levels deep")
        if self._nodes > MAX_NODES:
            raise _Refused(_start(mark), f"a spec holds at most {MAX_NODES:,} names and values")
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def read(text: str | bytes, as_written: frozenset[str] = frozenset()) -> Reading:
    """What a text says. Settings whose name is in `as_written` keep their plain values as texts.

    Never raises for what is in the text: everything wrong is in the reading's faults.
    """
    reading = Reading()
    try:
        plain = _decoded(text)
        node = _compose(plain)
        if node is not None:
            reading.value = _Reader(reading, as_written).value(node, (), None)
    except _Refused as refused:
        return Reading(faults=[PlacedFault(*refused.place, "", refused.message)])
    return reading


def _decoded(text: str | bytes) -> str:
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > MAX_TEXT_BYTES:
        raise _Refused((1, 1), f"is {len(raw):,} bytes long; a spec has at most {MAX_TEXT_BYTES:,}")
    if isinstance(text, str):
        return text
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Refused((1, 1), "is not UTF-8 but UTF-16; save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        raise _Refused(_end(before), f"is not UTF-8: byte 0x{raw[error.start]:02x}; save it as UTF-8") from error


def _compose(text: str) -> yaml.Node | None:
    try:
        loader = _Composer(text)
        node = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        message = f"holds a control character ({error.character!r}), which YAML does not take"
        raise _Refused(_end(text[: error.position]), message) from error
    except yaml.MarkedYAMLError as error:
        raise _Refused(_start(error.problem_mark or error.context_mark), _plain_syntax(error, text)) from error
    except RecursionError as error:  # a caller deep in its own stack
        raise _Refused((1, 1), "is nested too deeply") from error
    return node


def _plain_syntax(error: yaml.MarkedYAMLError, text: str) -> str:
    """What the parser says, in words for people who do not know parsers."""
    problem = error.problem or "is not YAML"
    mark = error.problem_mark
    char = text[mark.index : mark.index + 1] if mark and mark.index is not None else ""
    if "cannot start any token" in problem:
        if char == "\t":
            return "a tab stands here; YAML is indented with blanks"
        return f"{char!r} cannot begin a plain text; put the text in quotes"
    if "mapping values are not allowed" in problem:
        return "a ':' is not expected here; put a text that holds ': ' in quotes, and indent settings alike"
    if "but found another document" in problem:
        return "a second document begins here ('---'); a file holds one spec"
    if "undefined alias" in problem:
        return f"{problem.removeprefix('found ')}; put a text that begins with '*' in quotes"
    if "while scanning an alias" in (error.context or "") or "while scanning an anchor" in (error.context or ""):
        return f"{problem}; put a text that begins with '*' or '&' in quotes"
    return f"is not YAML: {problem}"


class _Reader:
    """Walks the nodes of one document. Aliases are walked once per use, so that their cost shows in the budget."""

    def __init__(self, reading: Reading, as_written: frozenset[str]) -> None:
        self._reading = reading
        self._as_written = as_written
        self._left = MAX_NODES
        self._open: set[int] = set()

    def value(self, node: yaml.Node, path: Path, name: tuple[int, int] | None) -> Any:
        self._left -= 1
        if self._left < 0:
            raise _Refused(_place(node), f"aliases repeat more than {MAX_NODES:,} names and values")
        is_plain = isinstance(node, yaml.ScalarNode)
        self._reading.spots[path] = Spot(name, _place(node), is_plain)
        if node.tag not in _CORE_TAGS:
            tag = str(node.tag).replace("tag:yaml.org,2002:", "!!")
            return self._lose(path, node, f"{tag} is not understood in a spec; write the value without it")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            return self._lose(path, node, "an alias stands inside the very thing that it repeats")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            assert isinstance(node, yaml.CollectionNode)
            return self._list(node, path)
        finally:
            self._open.discard(id(node))

    def _list(self, node: yaml.CollectionNode, path: Path) -> list[Any]:
        found: list[Any] = []
        members = iter(node.value)
        for member in members:
            place = (*path, len(found))
            found.append(self.value(member, place, None))
            if node.flow_style and _opens(member):
                self._rejoin(place, member, members)
        return found

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found = self._merged(node, path)
        lines: dict[str, int] = {}
        pairs = iter(node.value)
        for key, value in pairs:
            if not isinstance(key, yaml.ScalarNode):
                self._fault(path, key, "a list or mapping cannot be a name")
            elif _is_merge(key):
                continue
            elif key.value in lines:
                message = f"{shown(key.value)} stands here a second time; the first is in line {lines[key.value]}"
                self._lose((*path, key.value), key, message)
            else:
                lines[key.value] = key.start_mark.line + 1
                found[key.value] = self.value(value, (*path, key.value), _place(key))
                if node.flow_style and _opens(value):
                    self._rejoin((*path, key.value), value, (each for each, _ in pairs))
        return found

    def _rejoin(self, path: Path, node: yaml.Node, following: Iterator[yaml.Node]) -> None:
        """A comma within {…} or […] has cut a text in two; its pieces are one fault."""
        pieces = [node.value]
        for each in following:
            pieces.append(str(each.value) if isinstance(each, yaml.ScalarNode) else "…")
            if pieces[-1].count(")") > pieces[-1].count("("):
                break
        self._lose(path, node, f"a ',' ends a text within {{…}} and […]; put it in quotes: '{', '.join(pieces)}'")

    def _merged(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        """What `<<` brings in: a mapping or several, of which the first counts. Own settings come before them all."""
        sources = [value for key, value in node.value if _is_merge(key)]
        several = [each for value in sources for each in (value.value if _is_list(value) else [value])]
        found: dict[str, Any] = {}
        spot = self._reading.spots[path]
        for each in reversed(several):
            if isinstance(each, yaml.MappingNode):
                value = self.value(each, path, None)
                found.update(value if isinstance(value, dict) else {})
            else:
                self._fault(path, each, "<< takes in a mapping, such as an alias of one (<<: *name)")
        self._reading.spots[path] = spot
        return found

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        text = str(node.value)
        if node.style is not None or self._is_as_written(path):
            return text
        if text in _NULL:
            return None
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        if _LEADING_ZERO.fullmatch(text):
            return self._lose(
                path, node, f"{text} begins with 0; write '{text}' in quotes, or {int(text[:_MAX_DIGITS])}"
            )
        if _NOT_FINITE.fullmatch(text):
            return self._lose(path, node, f"{text} is not a number to compute with; ~ leaves a side open")
        if _RADIX.fullmatch(text) and len(text) <= _MAX_DIGITS:
            return int(text, 0)
        if not (_INT.fullmatch(text) or _FLOAT.fullmatch(text)):
            return text
        if len(text) > _MAX_DIGITS:
            return self._lose(path, node, f"a number of {len(text):,} digits is too long; put texts in quotes")
        if _INT.fullmatch(text):
            return int(text)
        number = float(text)
        if abs(number) == float("inf"):
            return self._lose(path, node, f"{text} is more than a number holds; put texts in quotes")
        return number

    def _is_as_written(self, path: Path) -> bool:
        """Whether this is such a setting, or a member of its list."""
        is_member = len(path) > 1 and isinstance(path[-1], int)
        return bool(path) and path[-2 if is_member else -1] in self._as_written

    def _lose(self, path: Path, node: yaml.Node, message: str) -> None:
        self._fault(path, node, message)
        self._reading.lost.add(path)

    def _fault(self, path: Path, node: yaml.Node, message: str) -> None:
        self._reading.faults.append(PlacedFault(*_place(node), dotted(path), message))


def _is_merge(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.value == "<<" and key.style is None


def _opens(node: yaml.Node) -> bool:
    """Whether this is a plain text with a bracket that it does not close."""
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value.count("(") > node.value.count(")")


def _is_list(node: yaml.Node) -> bool:
    return isinstance(node, yaml.SequenceNode)


def _place(node: yaml.Node) -> tuple[int, int]:
    return _start(node.start_mark)


def _start(mark: yaml.Mark | None) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _end(text: str) -> tuple[int, int]:
    """Line and column of what follows a text."""
    return text.count("\n") + 1, len(text) - text.rfind("\n")
