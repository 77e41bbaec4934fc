"""What expressions refer to: every name must stand for something, and every name declared must be used."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from infra.checks.finding import Finding
from infra.checks.functions import FUNCTIONS
from infra.checks.hcl import Block, Call, For, GetAttr, Index, Literal, Name, Node, Splat
from infra.checks.modules import Module
from infra.checks.provider_schema import ProviderSchema
from infra.checks.schema import BUILT_IN

_PATHS = {"module", "root", "cwd"}
_SILENT = {"moved", "removed", "import", "terraform", "mock_provider"}
# Arguments that take names of other things, or words of Terraform's own, instead of values.
_NAMES_ONLY = {"ignore_changes", "provider", "providers", "type"}

Subject = tuple[str, ...]
"""("module", name), ("resource", type, label) or ("data", type, label); one of them where it is repeated."""


@dataclass(frozen=True)
class Scope:
    """What may be referred to at one place besides the module's own names."""

    repeats: str | None = None
    """`count` or `for_each` of the block around, if any."""
    names: Mapping[str, Subject | None] = field(default_factory=dict)
    """Loop variables, and what they are an element of where that is known."""

    def adding(self, names: Mapping[str, Subject | None]) -> "Scope":
        return replace(self, names={**self.names, **names})


@dataclass
class Walk:
    """One module being read, and what of it has been used so far."""

    module: Module
    outputs: Mapping[Path, set[str]]
    schema: ProviderSchema
    used: set[Subject] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    path: Path = Path()

    def __post_init__(self) -> None:
        self.variables = self.module.named("variable")
        self.locals = self.module.locals()
        self.calls = self.module.named("module")
        self.resources = self.module.resources()
        self.data = self.module.resources("data")

    def fault(self, node: Node, what: str, remedy: str) -> None:
        self.findings.append(Finding(self.path, node.line, what, remedy))

    def test_scope(self) -> Scope:
        """What a test's assertions may refer to besides."""
        return Scope(names={"run": None, "output": ("output",)})

    # ------------------------------------------------------------------------------------------ blocks

    def file(self, path: Path, content: Block) -> None:
        self.path = path
        for block in content.blocks:
            if block.kind in _SILENT:
                continue
            repeats = next((name for name in ("count", "for_each") if name in block.attributes), None)
            self.block(block, Scope(repeats if block.kind in {"resource", "data", "module"} else None))

    def block(self, block: Block, scope: Scope) -> None:
        for attribute in block.attributes.values():
            if attribute.name in _NAMES_ONLY and (attribute.name != "type" or block.kind == "variable"):
                continue
            outside = Scope() if attribute.name in {"count", "for_each"} and block.kind != "dynamic" else scope
            self.expression(attribute.value, outside)
        for inner in block.blocks:
            if inner.kind == "dynamic":
                iterator = inner.value("iterator")
                name = iterator.name if isinstance(iterator, Name) else inner.labels[0]
                for attribute in inner.attributes.values():
                    if attribute.name != "iterator":
                        self.expression(attribute.value, scope)
                for content in inner.inner("content"):
                    self.block(content, scope.adding({name: None}))
            elif inner.kind in {"postcondition", "provisioner", "connection"}:
                self.block(inner, scope.adding({"self": None}))
            else:
                self.block(inner, scope)

    # ------------------------------------------------------------------------------------------ expressions

    def expression(self, node: Node, scope: Scope) -> None:
        if isinstance(node, Name | GetAttr | Index | Splat):
            self.reference(node, scope)
        elif isinstance(node, For):
            self.expression(node.source, scope)
            element = self.subject(node.source, scope)
            inner = scope.adding({**dict.fromkeys(node.names), node.names[-1]: element})
            for part in (node.result_key, node.result, node.condition):
                if part is not None:
                    self.expression(part, inner)
        else:
            if isinstance(node, Call) and node.function not in FUNCTIONS:
                self.fault(node, f"there is no function {node.function!r}", "see Terraform's list of functions")
            for child in node.children():
                self.expression(child, scope)

    def subject(self, node: Node, scope: Scope) -> Subject | None:
        """What a loop over this runs through, where the elements are whole modules or resources."""
        match node:
            case GetAttr(_, Name(_, "module"), name):
                return ("module", name)
            case GetAttr(_, GetAttr(_, Name(_, "data"), kind), label):
                return ("data", kind, label)
            case GetAttr(_, Name(_, kind), label) if kind not in scope.names and (kind, label) in self.resources:
                return ("resource", kind, label)
        return None

    def reference(self, node: Node, scope: Scope) -> None:
        root, steps = chain(node)
        for step in steps:
            if isinstance(step, Node):
                self.expression(step, scope)
        if not isinstance(root, Name):
            self.expression(root, scope)
            return
        words = [step for step in steps if isinstance(step, str)]
        match root.name:
            case name if name in scope.names:
                element = scope.names[name]
                if element is not None and steps and isinstance(steps[0], str):
                    self.attribute(node, element, steps[0])
            case "var":
                self.declared(node, "variable", words, self.variables)
            case "local":
                self.declared(node, "local", words, self.locals)
            case "path":
                if words[:1] and words[0] not in _PATHS:
                    self.fault(node, f"there is no path.{words[0]}", "use path.module")
            case "terraform":
                pass
            case "each" | "count":
                self.repetition(node, root.name, words, scope)
            case "module":
                self.of_module(node, steps)
            case "data":
                self.of_resource(node, "data", steps)
            case _ if not steps:
                self.fault(node, f"{root.name!r} stands for nothing here", "quote it if it is a word")
            case _:
                self.of_resource(node, "resource", [root.name, *steps])

    def declared(self, node: Node, noun: str, words: list[str], known: Mapping[str, object]) -> None:
        if not words or words[0] not in known:
            name = words[0] if words else ""
            self.fault(node, f"there is no {noun} {name!r} in this module", f"declare the {noun}, or correct the name")
        else:
            self.used.add((noun, words[0]))

    def repetition(self, node: Node, root: str, words: list[str], scope: Scope) -> None:
        needs, allowed = ("for_each", {"key", "value"}) if root == "each" else ("count", {"index"})
        if scope.repeats != needs:
            self.fault(node, f"{root}.{'.'.join(words[:1])} is used where there is no {needs}", f"add {needs}")
        elif not words or words[0] not in allowed:
            self.fault(node, f"{root} has no {words[0] if words else ''!r}", f"use {' or '.join(sorted(allowed))}")

    def of_module(self, node: Node, steps: list["str | Node | None"]) -> None:
        name = steps[0] if steps and isinstance(steps[0], str) else ""
        if name not in self.calls:
            self.fault(node, f"there is no module {name!r} here", "declare it, or correct the name")
            return
        _, call = self.calls[name]
        self.used.add(("module", name))
        rest = self.element(node, f"module.{name}", call, steps[1:])
        if rest and isinstance(rest[0], str):
            self.attribute(node, ("module", name), rest[0])

    def of_resource(self, node: Node, kind: str, steps: list["str | Node | None"]) -> None:
        words = [step for step in steps[:2] if isinstance(step, str)]
        known = self.data if kind == "data" else self.resources
        if len(words) < 2 or (words[0], words[1]) not in known:
            place = ".".join(["data", *words] if kind == "data" else words)
            self.fault(node, f"there is no {place} in this module", "declare it, or correct the name")
            return
        _, block = known[words[0], words[1]]
        self.used.add((kind, words[0], words[1]))
        rest = self.element(node, ".".join(words), block, steps[2:])
        if rest and isinstance(rest[0], str):
            self.attribute(node, (kind, words[0], words[1]), rest[0])

    def element(
        self, node: Node, place: str, block: Block, steps: list["str | Node | None"]
    ) -> list["str | Node | None"]:
        """The steps behind the element's index; a fault where one is missing or has no meaning."""
        repeats = "count" in block.attributes or "for_each" in block.attributes
        is_indexed = bool(steps) and not isinstance(steps[0], str)
        if is_indexed and not repeats and not (steps and steps[0] is None):
            self.fault(node, f"{place} is one and has no elements", "leave out the index")
        if steps and not is_indexed and repeats:
            self.fault(node, f"{place} is repeated, and this names none of them", "add an index, `[*]` or `one()`")
        return steps[1:] if is_indexed else steps

    def attribute(self, node: Node, subject: Subject, name: str) -> None:
        """Whether an output of a module or an attribute of a resource exists."""
        if subject[0] == "output":
            if name not in self.module.named("output"):
                self.fault(node, f"there is no output {name!r} in this module", "declare it, or correct the name")
            return
        if subject[0] == "module":
            _, call = self.calls[subject[1]]
            folder = source_folder(self.module, call)
            if folder is not None and folder in self.outputs and name not in self.outputs[folder]:
                self.fault(node, f"module {subject[1]!r} has no output {name!r}", "declare it, or correct the name")
            return
        if subject[1] in BUILT_IN:
            return
        types = self.schema.data_sources if subject[0] == "data" else self.schema.resources
        known = types.get(subject[1])
        if known is not None and not known.has_attribute(name):
            self.fault(node, f"{subject[1]} has no attribute {name!r}", "see the provider's documentation")


def chain(node: Node) -> tuple[Node, list["str | Node | None"]]:
    """The root of a reference and its steps: a name, the expression of an index, or None for `[*]`."""
    steps: list[str | Node | None] = []
    while True:
        match node:
            case GetAttr(_, of, name):
                steps.append(name)
            case Index(_, of, Literal(_, str(name))):
                # Written as an index, but it may be the only way to spell a key.
                steps.append(Literal(node.line, name))
            case Index(_, of, key):
                steps.append(key)
            case Splat(_, of, names):
                steps.extend(name for name in reversed(names) if isinstance(name, str))
                steps.append(None)
            case _:
                return node, steps[::-1]
        node = of


def source_folder(module: Module, call: Block) -> Path | None:
    """The folder a module call names, if it is one of the repository."""
    source = call.value("source")
    if isinstance(source, Literal) and isinstance(source.value, str) and source.value.startswith("."):
        return Path(*_normal((module.folder / source.value).parts))
    return None


def _normal(parts: Iterable[str]) -> list[str]:
    found: list[str] = []
    for part in parts:
        if part == ".." and found:
            found.pop()
        elif part != ".":
            found.append(part)
    return found


def check(modules: Iterable[Module], schema: ProviderSchema) -> Iterator[Finding]:
    """Names that stand for nothing, and declarations nobody refers to."""
    every = list(modules)
    outputs = {module.folder: set(module.named("output")) for module in every}
    for module in every:
        walk = Walk(module, outputs, schema)
        for path, content in module.files:
            walk.file(path, content)
        yield from walk.findings
        for noun, declared in (("variable", walk.variables), ("local", walk.locals)):
            for name, (path, where) in declared.items():
                if (noun, name) not in walk.used:
                    yield Finding(path, where.line, f"{noun} {name!r} is used nowhere", "remove it")
        for (kind, label), (path, block) in walk.data.items():
            if ("data", kind, label) not in walk.used:
                yield Finding(path, block.line, f"data.{kind}.{label} is used nowhere", "remove it")
