"""What a Terraform folder comes to: every module and resource instance, computed as far as AWS need not be asked.

`terraform plan` does this with the provider at hand. Here, what only AWS knows is made up by rule (`identities.py`) or
stays unknown, and policy documents are rendered (`policies.py`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from infra.checks.evaluation import Scope, convert, evaluate
from infra.checks.hcl import Block, Name, Node
from infra.checks.identities import computed
from infra.checks.modules import Module
from infra.checks.references import source_folder
from infra.checks.values import CannotEvaluate, Unknown, Value

Mocks: TypeAlias = Mapping[tuple[str, str], Mapping[str, Value]]


@dataclass(eq=False)
class Resource:
    """One instance of a resource or data source."""

    owner: "Instance"
    path: Path
    block: Block
    key: Value
    """None for what is not repeated, else the key or index."""
    scope: Scope

    @property
    def kind(self) -> str:
        """The resource's type, `aws_sqs_queue`."""
        return self.block.labels[0]

    @property
    def address(self) -> str:
        """Where it stands, as `terraform state list` writes it."""
        mode = "data." if self.block.kind == "data" else ""
        return f"{self.owner.prefix}{mode}{'.'.join(self.block.labels)}{_suffix(self.key)}"

    def get_attr(self, name: str) -> Value:
        """An argument if it is set, else what AWS would compute."""
        if name in self.block.attributes:
            value = evaluate(self.block.attributes[name].value, self.scope)
            if value is not None:
                return value
        if any(name in {inner.kind, *inner.labels[:1]} for inner in self.block.blocks):
            return body(self.block, self.scope)[name]
        mocked = self.owner.mocks.get((self.block.kind, self.kind), {})
        return mocked[name] if name in mocked else computed(self, name)

    def body(self) -> "Body":
        """All that is set: arguments, and blocks as lists."""
        return body(self.block, self.scope)


@dataclass(eq=False)
class Instance:
    """One instance of a module: its inputs are given, everything else is computed when asked for."""

    module: Module
    tree: Mapping[Path, Module]
    prefix: str = ""
    inputs: Mapping[str, tuple[Node, Scope]] = field(default_factory=dict)
    mocks: Mocks = field(default_factory=dict)
    """What tests say AWS computes, by ("resource" or "data", type); `identities.py` says the rest."""
    _known: dict[tuple[str, ...], Value] = field(default_factory=dict)
    _busy: set[tuple[str, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.scope = Scope(self)
        self.variables = self.module.named("variable")
        self.locals = self.module.locals()
        self.outputs = self.module.named("output")
        self.calls = self.module.named("module")
        self.declared = {"resource": self.module.resources(), "data": self.module.resources("data")}

    # ------------------------------------------------------------------------------------------ names

    def root(self, name: str) -> Value:
        """What a root name stands for."""
        if name in {"var", "local", "module", "data"}:
            return _Group(self, name)
        if name == "path":
            return {"module": str(self.module.folder), "root": str(self.module.folder), "cwd": "."}
        if name == "terraform":
            return {"workspace": "default"}
        if any(kind == name for kind, _ in self.declared["resource"]):
            return _Labels(self, "resource", name)
        raise CannotEvaluate(f"{name!r} stands for nothing")

    def once(self, *address: str) -> Value:
        """The value at an address of this module, computed once."""
        if address not in self._known:
            if address in self._busy:
                raise CannotEvaluate(f"{'.'.join(address)} depends on itself")
            self._busy.add(address)
            try:
                self._known[address] = self._compute(*address)
            except CannotEvaluate as error:
                if " at " in str(error):
                    raise
                raise CannotEvaluate(f"{error} at {self.prefix}{'.'.join(address)}") from error
            finally:
                self._busy.discard(address)
        return self._known[address]

    def _compute(self, group: str, name: str, label: str = "") -> Value:
        match group:
            case "var":
                return self._variable(name)
            case "local":
                if name not in self.locals:
                    raise CannotEvaluate(f"there is no local {name!r}")
                return evaluate(self.locals[name][1], self.scope)
            case "output":
                return evaluate(self.outputs[name][1].attributes["value"].value, self.scope)
            case "module":
                return self._repeated(self.calls[name][1], lambda scope, key: self._call(name, scope, key))
            case _:
                path, block = self.declared[group][name, label]
                return self._repeated(block, lambda scope, key: Resource(self, path, block, key, scope))

    def _variable(self, name: str) -> Value:
        if name not in self.variables:
            raise CannotEvaluate(f"there is no variable {name!r}")
        _, block = self.variables[name]
        shape, default = block.value("type"), block.value("default")
        if name in self.inputs:
            node, scope = self.inputs[name]
            value = evaluate(node, scope)
            if value is None and default is not None and _is_false(block.value("nullable")):
                value = evaluate(default, self.scope)
        elif default is not None:
            value = evaluate(default, self.scope)
        else:
            return Unknown(f"{self.prefix}var.{name}")
        return convert(shape, value, self.scope)

    def _call(self, name: str, scope: Scope, key: Value) -> "Instance":
        _, block = self.calls[name]
        folder = source_folder(self.module, block)
        target = self.tree.get(folder.resolve()) if folder else None
        if target is None:
            raise CannotEvaluate(f"module {name!r} has no source here")
        inputs = {each: (attribute.value, scope) for each, attribute in block.attributes.items()}
        return Instance(target, self.tree, f"{self.prefix}module.{name}{_suffix(key)}.", inputs, self.mocks)

    def _repeated(self, block: Block, make: Callable[[Scope, Value], Value]) -> Value:
        """One thing, a list for `count`, a map for `for_each`."""
        count, for_each = block.value("count"), block.value("for_each")
        if count is not None:
            number = evaluate(count, self.scope)
            if isinstance(number, Unknown):
                raise CannotEvaluate(f"count hangs on {number.address}")
            return [make(self.scope.adding({"count": {"index": index}}), index) for index in range(int(number))]
        if for_each is not None:
            every = evaluate(for_each, self.scope)
            if isinstance(every, Unknown):
                raise CannotEvaluate(f"for_each hangs on {every.address}")
            pairs = every if isinstance(every, Mapping) else {item: item for item in every}
            return {
                key: make(self.scope.adding({"each": {"key": key, "value": pairs[key]}}), key) for key in sorted(pairs)
            }
        return make(self.scope, None)

    def get_attr(self, name: str) -> Value:
        """An output."""
        if name not in self.outputs:
            raise CannotEvaluate(f"module {self.prefix!r} has no output {name!r}")
        return self.once("output", name)

    # ------------------------------------------------------------------------------------------ everything

    def resources(self) -> Iterator[Resource]:
        """Every resource instance of this module and of those it calls."""
        for kind, label in self.declared["resource"]:
            yield from _leaves(self.once("resource", kind, label))
        for child in self.children():
            yield from child.resources()

    def data_sources(self) -> Iterator[Resource]:
        """Every data source instance of this module and of those it calls."""
        for kind, label in self.declared["data"]:
            yield from _leaves(self.once("data", kind, label))
        for child in self.children():
            yield from child.data_sources()

    def children(self) -> Iterator["Instance"]:
        """The module instances this one calls."""
        for name in self.calls:
            yield from _leaves(self.once("module", name))


@dataclass(frozen=True)
class _Group:
    """`var`, `local`, `module` or `data`."""

    owner: Instance
    group: str

    def get_attr(self, name: str) -> Value:
        if self.group == "data":
            return _Labels(self.owner, "data", name)
        if self.group == "module" and name not in self.owner.calls:
            raise CannotEvaluate(f"there is no module {name!r}")
        return self.owner.once(self.group, name)


@dataclass(frozen=True)
class _Labels:
    """All resources of one type in a module."""

    owner: Instance
    group: str
    kind: str

    def get_attr(self, label: str) -> Value:
        if (self.kind, label) not in self.owner.declared[self.group]:
            raise CannotEvaluate(f"there is no {self.kind}.{label}")
        return self.owner.once(self.group, self.kind, label)


class Body(dict[str, Value]):
    """What a block sets. What it does not set is null, as in Terraform."""

    def get_attr(self, name: str) -> Value:
        return self.get(name)


def body(block: Block, scope: Scope) -> Body:
    """What a block sets: arguments by name, inner blocks as lists, dynamic ones unrolled."""
    found = Body(
        (attribute.name, evaluate(attribute.value, scope))
        for attribute in block.attributes.values()
        if attribute.name not in {"count", "for_each", "depends_on", "provider"}
    )
    for inner in block.blocks:
        if inner.kind in {"lifecycle", "provisioner", "connection"}:
            continue
        if inner.kind == "dynamic":
            found.setdefault(inner.labels[0], []).extend(_dynamic(inner, scope))
        else:
            found.setdefault(inner.kind, []).append(body(inner, scope))
    return found


def _dynamic(block: Block, scope: Scope) -> Iterator[Body]:
    iterator = block.value("iterator")
    name = iterator.name if isinstance(iterator, Name) else block.labels[0]
    every = evaluate(block.attributes["for_each"].value, scope)
    if isinstance(every, Unknown):
        raise CannotEvaluate(f"dynamic {block.labels[0]!r} hangs on {every.address}")
    pairs = sorted(every.items()) if isinstance(every, Mapping) else [(item, item) for item in every]
    for key, value in pairs:
        yield body(block.inner("content")[0], scope.adding({name: {"key": key, "value": value}}))


def _leaves(value: Value) -> Iterator[Value]:
    if isinstance(value, list):
        yield from value
    elif isinstance(value, Mapping):
        yield from value.values()
    else:
        yield value


def _suffix(key: Value) -> str:
    if key is None:
        return ""
    return f"[{key}]" if isinstance(key, int) else f'["{key}"]'


def _is_false(node: Node | None) -> bool:
    return node is not None and getattr(node, "value", None) is False


def plan(folder: Path, modules: list[Module]) -> Instance:
    """The root module in a folder. Variables without a default stay unknown."""
    tree = {module.folder.resolve(): module for module in modules}
    return Instance(tree[folder.resolve()], tree)
