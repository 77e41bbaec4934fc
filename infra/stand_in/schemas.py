"""The provider's schema as Terraform asks for it, from the one that is committed for `infra.checks`."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from infra.checks.hcl import Block
from infra.checks.modules import Module
from infra.checks.provider_schema import Argument, TypeSchema
from infra.stand_in.wire import MESSAGES

_LIST = 2
"""How blocks nest: one after the other. The source does not tell lists, sets and single ones apart."""
_NOT_OF_THE_PROVIDER = {"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "timeouts"}
_LEFT_EMPTY = {"kms_key_arn", "kms_key_id", "kms_master_key_id"}
"""What stays null where nobody sets it. Other values that are not set are the provider's to fill in."""
_SENSITIVE = {("aws_ssm_parameter", "value")}
_COMPUTED_INSIDE: Mapping[str, Collection[str]] = {
    "domain_name_configuration": ("target_domain_name", "hosted_zone_id"),
}
"""What AWS computes inside blocks; the source does not tell."""

ARCHIVE = TypeSchema(
    {name: Argument("string") for name in ("type", "source_file", "output_path", "output_file_mode")},
    ("output_base64sha256", "output_sha256"),
)
"""The data source `archive_file` of hashicorp/archive, as far as it is used."""


def schema_of(arguments: Mapping[str, Argument], written: "Written") -> Any:
    """Of the provider itself."""
    return MESSAGES["Schema"](block=_block("", arguments, written, depth=1))


def entries(types: Mapping[str, TypeSchema], written: "Written") -> list[Any]:
    """Of resources or data sources, by their type."""
    return [
        MESSAGES["SchemaEntry"](key=name, value=MESSAGES["Schema"](block=_type(name, found, written)))
        for name, found in types.items()
    ]


def _type(name: str, found: TypeSchema, written: "Written") -> Any:
    block = _block(name, found.arguments, written, depth=0)
    known = {_plain(each) for each in found.arguments} | {_plain(each) for each in _NOT_OF_THE_PROVIDER}
    for attribute in found.attributes:
        if _plain(attribute) not in known:
            # The source has the name alone. A text will do for nearly all that are read.
            kind: Any = ["map", "string"] if attribute == "tags_all" else "string"
            is_sensitive = (name, attribute) in _SENSITIVE
            block.attributes.add(name=attribute, type=_json(kind), computed=True, sensitive=is_sensitive)
    if "id" not in {attribute.name for attribute in block.attributes}:
        block.attributes.add(name="id", type=_json("string"), computed=True)
    return block


def _block(of: str, arguments: Mapping[str, Argument], written: "Written", depth: int) -> Any:
    block = MESSAGES["Block"]()
    for name, argument in arguments.items():
        if name in _NOT_OF_THE_PROVIDER:
            continue
        inner = argument.of if argument.kind == "list" and argument.of is not None else argument
        if argument.is_block:
            known = written.arguments(of, name) if inner.arguments is None else inner.arguments
            nested = block.block_types.add(type_name=name, nesting=_LIST)
            nested.block.CopyFrom(_block(of, known, written, depth + 1))
            for each in _COMPUTED_INSIDE.get(name, ()):
                nested.block.attributes.add(name=each, type=_json("string"), computed=True)
            continue
        fills_in = depth == 0 and argument.kind in {"string", "number", "bool"} and name not in _LEFT_EMPTY
        block.attributes.add(
            name=name,
            type=_json(_kind(argument)),
            required=argument.required,
            optional=not argument.required,
            computed=fills_in and not argument.required,
        )
    return block


def _kind(argument: Argument) -> Any:
    """A type as Terraform writes it: "string", ["list", "string"], ["object", {"name": "bool"}]."""
    if argument.kind in {"list", "map"}:
        return [argument.kind, "string" if argument.of is None else _kind(argument.of)]
    if argument.kind == "object" and argument.arguments:
        return ["object", {name: _kind(inner) for name, inner in argument.arguments.items()}]
    return argument.kind if argument.kind in {"string", "number", "bool"} else "dynamic"


def _json(kind: Any) -> bytes:
    return json.dumps(kind).encode()


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


class Written:
    """Blocks of which the source does not say what they hold, as modules write them: a statement within a statement."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self._blocks: dict[tuple[str, str], list[Block]] = defaultdict(list)
        for module in modules:
            for kind in ("resource", "data"):
                for (type_name, _), (_, block) in module.resources(kind).items():
                    self._add(type_name, block)

    def _add(self, type_name: str, block: Block) -> None:
        for inner in block.blocks:
            is_dynamic = inner.kind == "dynamic"
            name = inner.labels[0] if is_dynamic else inner.kind
            for body in inner.inner("content") if is_dynamic else [inner]:
                self._blocks[type_name, name].append(body)
                self._add(type_name, body)

    def arguments(self, type_name: str, block_name: str) -> dict[str, Argument]:
        """What blocks of this name hold in resources of this type; of what is no block, any value will do."""
        return _together(self._blocks.get((type_name, block_name), []))


def _together(blocks: Iterable[Block]) -> dict[str, Argument]:
    found: dict[str, Argument] = {}
    inside: dict[str, list[Block]] = defaultdict(list)
    for block in blocks:
        found.update(dict.fromkeys(block.attributes, Argument("any")))
        for inner in block.blocks:
            is_dynamic = inner.kind == "dynamic"
            name = inner.labels[0] if is_dynamic else inner.kind
            inside[name] += inner.inner("content") if is_dynamic else [inner]
    found.update(
        (name, Argument("list", is_block=True, of=Argument("object", arguments=_together(bodies))))
        for name, bodies in inside.items()
    )
    return found
