"""Resources, data sources, arguments and nested blocks against the provider's schema."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from infra.checks.finding import Finding
from infra.checks.hcl import Attribute, Block, Literal, Node, ObjectExpression, Template, TupleExpression
from infra.checks.modules import Module
from infra.checks.provider_schema import Argument, ProviderSchema, TypeSchema

# The one other provider in use, small enough to be written down: it zips what Lambda runs.
ARCHIVE: Mapping[str, TypeSchema] = {
    "archive_file": TypeSchema(
        {
            "type": Argument("string", required=True),
            "output_path": Argument("string", required=True),
            "source_file": Argument("string"),
            "source_dir": Argument("string"),
            "output_file_mode": Argument("string"),
            "excludes": Argument("list", of=Argument("string")),
        },
        ("id", "output_base64sha256", "output_md5", "output_path", "output_sha256", "output_size"),
    )
}
META_ARGUMENTS = {"count", "for_each", "provider", "depends_on"}
META_BLOCKS = {"lifecycle", "provisioner", "connection"}
# Part of Terraform itself: they need no provider.
BUILT_IN = {"terraform_data", "terraform_remote_state"}
# Lists of objects that the provider also takes as blocks ("attributes as blocks"); its schema does not show it.
ALSO_BLOCKS = {
    ("aws_security_group", "ingress"),
    ("aws_security_group", "egress"),
    ("aws_default_security_group", "ingress"),
    ("aws_default_security_group", "egress"),
    ("aws_network_acl", "ingress"),
    ("aws_network_acl", "egress"),
    ("aws_route_table", "route"),
    ("aws_default_route_table", "route"),
    ("aws_emr_cluster", "step"),
}


def check(modules: Iterable[Module], schema: ProviderSchema) -> Iterator[Finding]:
    """Everything in the modules that the provider would refuse to read."""
    for module in modules:
        for path, block in module.blocks("provider"):
            if block.labels == ("aws",):
                yield from _body(path, block, "provider aws", schema.provider, {"alias", "version"}, set())
        for kind, known in (("resource", schema.resources), ("data", {**schema.data_sources, **ARCHIVE})):
            for path, block in module.blocks(kind):
                yield from _typed(path, block, known, schema.version)


def _typed(path: Path, block: Block, known: Mapping[str, TypeSchema], version: str) -> Iterator[Finding]:
    name = block.labels[0]
    if name in BUILT_IN:
        return
    found = known.get(name)
    if found is None:
        word = "resource type" if block.kind == "resource" else "data source"
        yield Finding(path, block.line, f"there is no {word} {name!r} in AWS provider {version}", _nearest(name, known))
        return
    computed = set(found.attributes) - set(found.arguments)
    yield from _body(path, block, name, found.arguments, META_ARGUMENTS, META_BLOCKS, computed)


def _body(
    path: Path,
    block: Block,
    where: str,
    arguments: Mapping[str, Argument],
    meta_arguments: set[str],
    meta_blocks: set[str],
    computed: Iterable[str] = (),
) -> Iterator[Finding]:
    for attribute in block.attributes.values():
        if attribute.name in meta_arguments:
            continue
        known = arguments.get(attribute.name)
        if known is None:
            remedy = (
                "only read it, the provider computes it"
                if attribute.name in set(computed)
                else _nearest(attribute.name, arguments)
            )
            yield Finding(path, attribute.line, f"{where} has no argument {attribute.name!r}", remedy)
        elif known.is_block:
            yield Finding(
                path, attribute.line, f"{where}: {attribute.name!r} is a block", f"write `{attribute.name} {{ … }}`"
            )
        else:
            yield from _value(path, attribute, f"{where}.{attribute.name}", known, attribute.value)
    given: dict[str, int] = {}
    for inner in block.blocks:
        yield from _inner(path, inner, where, arguments, meta_blocks, given)
    for name, known in arguments.items():
        if known.required and name not in block.attributes and name not in given:
            noun = "block" if known.is_block else "argument"
            yield Finding(path, block.line, f"{where} needs the {noun} {name!r}", "set it")


def _inner(
    path: Path,
    inner: Block,
    where: str,
    arguments: Mapping[str, Argument],
    meta_blocks: set[str],
    given: dict[str, int],
) -> Iterator[Finding]:
    is_dynamic = inner.kind == "dynamic"
    name = inner.labels[0] if is_dynamic else inner.kind
    if name in meta_blocks:
        return
    known = arguments.get(name)
    if known is None:
        yield Finding(path, inner.line, f"{where} has no block {name!r}", _nearest(name, arguments))
        return
    if not known.is_block and (where, name) not in ALSO_BLOCKS:
        yield Finding(path, inner.line, f"{where}: {name!r} is an argument, not a block", f"write `{name} = …`")
        return
    given[name] = given.get(name, 0) + 1
    if known.kind == "object" and given[name] == 2:
        yield Finding(path, inner.line, f"{where} takes one block {name!r}", "keep one")
    body = inner
    if is_dynamic:
        yield from _dynamic(path, inner, name)
        contents = inner.inner("content")
        if len(contents) != 1:
            return
        body = contents[0]
    shape = known.of if known.of is not None else known
    if shape.arguments is not None:
        yield from _body(path, body, f"{where}.{name}", shape.arguments, set(), set())


def _dynamic(path: Path, block: Block, name: str) -> Iterator[Finding]:
    if "for_each" not in block.attributes:
        yield Finding(path, block.line, f"dynamic {name!r} has no for_each", "say what it is repeated over")
    if len(block.inner("content")) != 1:
        yield Finding(path, block.line, f"dynamic {name!r} needs one content block", "write `content { … }`")
    for other in set(block.attributes) - {"for_each", "iterator", "labels"}:
        yield Finding(path, block.line, f"dynamic {name!r} has no argument {other!r}", "put it in its content block")


def _value(path: Path, attribute: Attribute, where: str, known: Argument, value: Node) -> Iterator[Finding]:
    """What can be told of a value without computing it: literals, tuples and objects of the wrong kind."""
    wrong = _mismatch(known, value)
    if wrong:
        yield Finding(path, value.line, f"{where} takes a {known.kind}, not {wrong}", "give it the right type")
        return
    if isinstance(value, TupleExpression) and known.of is not None:
        for item in value.items:
            yield from _value(path, attribute, f"{where}[]", known.of, item)
    if isinstance(value, ObjectExpression) and known.kind == "map" and known.of is not None:
        for _, item in value.items:
            yield from _value(path, attribute, f"{where}{{}}", known.of, item)
    if isinstance(value, ObjectExpression) and known.kind == "object" and known.arguments is not None:
        yield from _object(path, where, known.arguments, value)


def _object(path: Path, where: str, arguments: Mapping[str, Argument], value: ObjectExpression) -> Iterator[Finding]:
    for key, item in value.items:
        name = str(key.value) if isinstance(key, Literal) else None
        if name is None:
            continue
        if name not in arguments:
            yield Finding(path, key.line, f"{where} has no argument {name!r}", _nearest(name, arguments))
        else:
            yield from _value(path, Attribute(name, item, key.line), f"{where}.{name}", arguments[name], item)


def _mismatch(known: Argument, value: Node) -> str | None:
    """What a value plainly is instead of what is asked for; None when it fits or cannot be told."""
    if isinstance(value, Literal) and value.value is None:
        return None
    if known.kind in {"list", "map", "object"}:
        if isinstance(value, Literal | Template):
            return "a single value"
        if known.kind == "list" and isinstance(value, ObjectExpression):
            return "an object"
        if known.kind in {"map", "object"} and isinstance(value, TupleExpression):
            return "a list"
        return None
    if known.kind == "any":
        return None
    if isinstance(value, TupleExpression):
        return "a list"
    if isinstance(value, ObjectExpression):
        return "an object"
    return _scalar_mismatch(known, value)


def _scalar_mismatch(known: Argument, value: Node) -> str | None:
    if not isinstance(value, Literal):
        return None
    plain = value.value
    if known.kind == "number" and (isinstance(plain, bool) or (isinstance(plain, str) and not _is_number(plain))):
        return f"{plain!r}"
    if known.kind == "bool" and not isinstance(plain, bool) and plain not in {"true", "false"}:
        return f"{plain!r}"
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else "see the provider's documentation"
