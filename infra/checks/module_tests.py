"""The `.tftest.hcl` files: every module has one, they name what exists, and what they assert is so in the plan.

`terraform test` needs the provider even when it is mocked. Here the same assertions are computed without it; those that
hang on what only the provider knows are left to Terraform.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.checks.evaluation import Scope, evaluate
from infra.checks.finding import Finding
from infra.checks.hcl import Block, GetAttr, Literal, Name, Node, TupleExpression
from infra.checks.modules import Module
from infra.checks.parsing import NotHcl, parse_file
from infra.checks.plan import Instance, Mocks
from infra.checks.provider_schema import ProviderSchema
from infra.checks.references import Walk, chain, source_folder
from infra.checks.values import CannotEvaluate, Unknown, Value

_BLOCKS = {"mock_provider", "provider", "variables", "run", "override_resource", "override_data", "override_module"}


@dataclass
class Tally:
    """How many assertions there are, and how many of them could be computed here."""

    asserted: int = 0
    computed: int = 0
    instances: list[Instance] = field(default_factory=list)
    """What the runs come to without what they mock, to be looked at by other checks."""


def check(modules: list[Module], schema: ProviderSchema, tally: Tally) -> Iterator[Finding]:
    """Modules without tests, and tests that do not fit their module."""
    tree = {module.folder.resolve(): module for module in modules}
    for module in modules:
        if module.folder.parent.name != "modules":
            continue
        files = sorted(module.folder.glob("tests/*.tftest.hcl"))
        if not files:
            yield Finding(module.folder, 0, "there are no tests", "write tests/*.tftest.hcl with a mock_provider")
        for path in files:
            try:
                content = parse_file(path)
            except NotHcl as error:
                yield Finding(path, error.line, str(error), "correct the syntax")
            else:
                yield from check_file(path, content, module, tree, schema, tally)


def check_file(
    path: Path, content: Block, module: Module, tree: Mapping[Path, Module], schema: ProviderSchema, tally: Tally
) -> Iterator[Finding]:
    """Where one test file does not fit its module, or is not so."""
    for block in content.blocks:
        if block.kind not in _BLOCKS:
            yield Finding(path, block.line, f"a test file has no block {block.kind!r}", "see Terraform's documentation")
    if module.resources() and not any(block.labels == ("aws",) for block in content.inner("mock_provider")):
        yield Finding(path, 0, "the provider is not mocked", 'write `mock_provider "aws" {}`')
    runs = content.inner("run")
    if not any(run.inner("assert") or "expect_failures" in run.attributes for run in runs):
        yield Finding(path, 0, "nothing is asserted", "write a run with an assert")
    mocks = _mocks(path, content)
    given = {
        name: attribute.value for block in content.inner("variables") for name, attribute in block.attributes.items()
    }
    finished: dict[str, Instance] = {}
    for run in runs:
        target = _target(run, module, tree)
        if target is None:
            yield Finding(path, run.line, f"run {run.labels[0]!r} has no module at its source", "name its folder")
            continue
        yield from _run(path, run, _Case(target, tree, given, mocks, finished), schema, tally)


@dataclass
class _Case:
    """What a run works on."""

    module: Module
    tree: Mapping[Path, Module]
    given: Mapping[str, Node]
    mocks: Mocks
    finished: dict[str, Instance]

    def instance(self, run: Block) -> Instance:
        own = {name: one.value for block in run.inner("variables") for name, one in block.attributes.items()}
        instance = Instance(self.module, self.tree, mocks=self.mocks)
        outer = Scope(instance, {"run": self.finished})
        declared = self.module.named("variable")
        instance.inputs = {name: (node, outer) for name, node in {**self.given, **own}.items() if name in declared}
        self.finished[run.labels[0]] = instance
        return instance


def _target(run: Block, module: Module, tree: Mapping[Path, Module]) -> Module | None:
    for block in run.inner("module"):
        folder = source_folder(module, block)
        return tree.get(folder.resolve()) if folder else None
    return module


def _run(path: Path, run: Block, case: _Case, schema: ProviderSchema, tally: Tally) -> Iterator[Finding]:
    declared = case.module.named("variable")
    for block in run.inner("variables"):
        for attribute in block.attributes.values():
            if attribute.name not in declared:
                what = f"there is no variable {attribute.name!r} in module {case.module.folder.name}"
                yield Finding(path, attribute.line, what, "correct the name")
    instance = case.instance(run)
    if "expect_failures" not in run.attributes:
        tally.instances.append(Instance(case.module, case.tree, inputs=instance.inputs))
    for name, (_, block) in declared.items():
        if "default" not in block.attributes and name not in instance.inputs:
            yield Finding(path, run.line, f"run {run.labels[0]!r} needs the variable {name!r}", "give it")
    outputs = {module.folder: set(module.named("output")) for module in case.tree.values()}
    walk = Walk(case.module, outputs, schema, path=path)
    for assertion in run.inner("assert"):
        tally.asserted += 1
        condition = assertion.attributes["condition"].value
        walk.expression(condition, walk.test_scope())
        if walk.findings:
            yield from walk.findings
            walk.findings.clear()
            continue
        yield from _assertion(path, condition, instance, case, tally)
    expected = run.value("expect_failures")
    if isinstance(expected, TupleExpression):
        for item in expected.items:
            tally.asserted += 1
            yield from _expected(path, item, instance, tally)


def _assertion(path: Path, condition: Node, instance: Instance, case: _Case, tally: Tally) -> Iterator[Finding]:
    scope = Scope(instance, {"run": case.finished, "output": _Outputs(instance)})
    try:
        value = evaluate(condition, scope)
    except CannotEvaluate:
        return
    if isinstance(value, Unknown):
        return
    tally.computed += 1
    if value is not True:
        yield Finding(path, condition.line, "what is asserted is not so", "correct the module or the test")


@dataclass(frozen=True)
class _Outputs:
    instance: Instance

    def get_attr(self, name: str) -> Value:
        return self.instance.get_attr(name)


def _expected(path: Path, item: Node, instance: Instance, tally: Tally) -> Iterator[Finding]:
    """A variable that is expected to be refused must have a validation that refuses it."""
    match item:
        case GetAttr(_, Name(_, "var"), name) if name in instance.variables:
            tally.computed += 1
            if not is_refused(instance, name):
                yield Finding(path, item.line, f"var.{name} is not refused", "validate it")
        case GetAttr(_, Name(_, "var"), name):
            yield Finding(path, item.line, f"there is no variable {name!r}", "correct the name")
        case _:
            root, _ = chain(item)
            if not isinstance(root, Name):
                yield Finding(path, item.line, "expect_failures names no object", "name a variable or a resource")


def is_refused(instance: Instance, name: str) -> bool:
    """Whether a validation of the variable fails."""
    _, block = instance.variables[name]
    for validation in block.inner("validation"):
        try:
            if evaluate(validation.attributes["condition"].value, instance.scope) is not True:
                return True
        except CannotEvaluate:
            return True
    return False


def _mocks(path: Path, content: Block) -> Mocks:
    """What the mocked provider answers: from the file itself, and from the folder its `source` names."""
    found: dict[tuple[str, str], Mapping[str, Value]] = {}
    for provider in content.inner("mock_provider"):
        source = provider.value("source")
        blocks = list(provider.blocks)
        if isinstance(source, Literal):
            # Terraform takes the path from the folder it runs in, which is the module's.
            folder = path.parent.parent / str(source.value)
            for file in sorted(folder.glob("*.tfmock.hcl")):
                blocks = [*parse_file(file).blocks, *blocks]
        for block in blocks:
            defaults = block.value("defaults")
            if block.kind in {"mock_resource", "mock_data"} and defaults is not None:
                empty = Instance(Module(path.parent, ()), {})
                found[block.kind.removeprefix("mock_"), block.labels[0]] = evaluate(defaults, Scope(empty))
    return found
