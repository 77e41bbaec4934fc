"""Module calls against what the called module declares: inputs and their types; and what is pinned and described."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from infra.checks.finding import Finding
from infra.checks.hcl import Block, Call, Literal, Name, Node, ObjectExpression, Template, TupleExpression
from infra.checks.modules import Module
from infra.checks.references import source_folder

_META = {"source", "version", "count", "for_each", "providers", "depends_on"}
_LABEL = re.compile(r"[a-z][a-z0-9_]*")
_BOUNDED = re.compile(r"(>=|~>|=)\s*\d+(\.\d+)*")


def check(modules: Iterable[Module]) -> Iterator[Finding]:
    """Inputs nobody declares, inputs nobody gives, values of the wrong shape, and what is not pinned or described."""
    every = {module.folder.resolve(): module for module in modules}
    called: set[Path] = set()
    for module in every.values():
        for path, call in module.blocks("module"):
            folder = source_folder(module, call)
            target = every.get(folder.resolve()) if folder else None
            if target is None:
                yield Finding(path, call.line, f"module {call.labels[0]!r} has no source in infra/", "name its folder")
            else:
                called.add(target.folder.resolve())
                yield from _call(path, call, target)
    for folder, module in every.items():
        yield from _declarations(module)
        yield from _versions(module, is_called=folder in called)


def _call(path: Path, call: Block, target: Module) -> Iterator[Finding]:
    name, variables = call.labels[0], target.named("variable")
    for attribute in call.attributes.values():
        if attribute.name in _META:
            continue
        declared = variables.get(attribute.name)
        if declared is None:
            yield Finding(
                path,
                attribute.line,
                f"module {name!r} has no variable {attribute.name!r}",
                f"see {target.folder.name}/variables.tf",
            )
        else:
            shape = declared[1].value("type")
            for line, what in _misfits(shape, attribute.value, attribute.name) if shape else ():
                yield Finding(path, line, f"module {name!r}: {what}", "give it what its type asks for")
    for block in call.blocks:
        yield Finding(path, block.line, f"module {name!r} takes no block {block.kind!r}", f"write `{block.kind} = …`")
    for variable, (_, block) in variables.items():
        if "default" not in block.attributes and variable not in call.attributes:
            yield Finding(path, call.line, f"module {name!r} needs the variable {variable!r}", "give it")


def _misfits(shape: Node, value: Node, where: str) -> Iterator[tuple[int, str]]:
    """Where a literal cannot be converted to a type; what is computed is taken on trust."""
    if isinstance(value, Literal) and value.value is None:
        return
    match shape:
        case Name(_, "string" | "number" | "bool" as scalar):
            if isinstance(value, TupleExpression | ObjectExpression):
                yield value.line, f"{where} takes a {scalar}, not a collection"
            elif scalar != "string" and isinstance(value, Template):
                yield value.line, f"{where} takes a {scalar}, not a string"
            elif isinstance(value, Literal) and not _converts(scalar, value.value):
                yield value.line, f"{where} takes a {scalar}, not {value.value!r}"
        case Call(_, "list" | "set" as kind, (inner,)):
            if isinstance(value, TupleExpression):
                for item in value.items:
                    yield from _misfits(inner, item, f"{where}[]")
            elif isinstance(value, ObjectExpression | Literal | Template):
                yield value.line, f"{where} takes a {kind}"
        case Call(_, "map", (inner,)):
            if isinstance(value, ObjectExpression):
                for key, item in value.items:
                    yield from _misfits(inner, item, f"{where}[{key.value if isinstance(key, Literal) else '…'}]")
            elif isinstance(value, TupleExpression | Literal | Template):
                yield value.line, f"{where} takes a map"
        case Call(_, "object", (ObjectExpression(_, fields),)):
            if isinstance(value, ObjectExpression):
                yield from _object_misfits(fields, value, where)
            elif isinstance(value, TupleExpression | Literal | Template):
                yield value.line, f"{where} takes an object"
        case _:
            return


def _object_misfits(
    fields: tuple[tuple[Node, Node], ...], value: ObjectExpression, where: str
) -> Iterator[tuple[int, str]]:
    """Terraform drops fields it does not know in silence: most are misspelt."""
    known = {str(key.value): shape for key, shape in fields if isinstance(key, Literal)}
    given = {str(key.value): item for key, item in value.items if isinstance(key, Literal)}
    for name, item in given.items():
        if name not in known:
            yield item.line, f"{where} has no field {name!r}"
        else:
            shape = known[name]
            is_optional = isinstance(shape, Call) and shape.function == "optional"
            yield from _misfits(
                shape.arguments[0] if is_optional and isinstance(shape, Call) else shape, item, f"{where}.{name}"
            )
    if all(isinstance(key, Literal) for key, _ in value.items):
        for name, shape in known.items():
            if name not in given and not (isinstance(shape, Call) and shape.function == "optional"):
                yield value.line, f"{where} needs the field {name!r}"


def _converts(scalar: str, value: object) -> bool:
    if scalar == "string":
        return True
    if scalar == "bool":
        return isinstance(value, bool) or value in {"true", "false"}
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or re.fullmatch(r"-?\d+(\.\d+)?", str(value)) is not None


def _declarations(module: Module) -> Iterator[Finding]:
    for path, block in module.blocks("variable"):
        for needed in ("type", "description"):
            if needed not in block.attributes:
                yield Finding(path, block.line, f"variable {block.labels[0]!r} has no {needed}", f"give its {needed}")
    for path, block in module.blocks("output"):
        if "description" not in block.attributes:
            yield Finding(path, block.line, f"output {block.labels[0]!r} has no description", "say what it is for")
    for kind in ("variable", "output", "module", "resource", "data"):
        for path, block in module.blocks(kind):
            if not _LABEL.fullmatch(block.labels[-1]):
                yield Finding(path, block.line, f"{block.labels[-1]!r} is no snake_case name", "rename it")


def _versions(module: Module, *, is_called: bool) -> Iterator[Finding]:
    """Terraform and provider versions are bounded in every module; only roots configure the provider."""
    versions = module.folder / "versions.tf"
    blocks = [block for _, block in module.blocks("terraform")]
    if not any("required_version" in block.attributes for block in blocks):
        yield Finding(versions, 0, "Terraform's version is not pinned", 'write `required_version = ">= 1.11"`')
    providers: Mapping[str, Node] = {
        attribute.name: attribute.value
        for block in blocks
        for inner in block.inner("required_providers")
        for attribute in inner.attributes.values()
    }
    used = {
        kind.split("_")[0]
        for group in ("resource", "data")
        for kind, _ in module.resources(group)
        if not kind.startswith("terraform_")
    }
    for provider in sorted(used - set(providers)):
        yield Finding(versions, 0, f"provider {provider!r} is used and not in required_providers", "name its version")
    for name, value in providers.items():
        constraint = _field(value, "version")
        if constraint is None or not _BOUNDED.search(constraint) or ("<" not in constraint and "~>" not in constraint):
            yield Finding(versions, value.line, f"provider {name!r} is not pinned from below and above", "bound it")
    if is_called:
        for path, block in module.blocks("provider"):
            yield Finding(path, block.line, "a called module configures a provider", "leave that to the environment")


def _field(value: Node, name: str) -> str | None:
    if isinstance(value, ObjectExpression):
        for key, item in value.items:
            if isinstance(key, Literal) and key.value == name and isinstance(item, Literal):
                return str(item.value)
    return None
