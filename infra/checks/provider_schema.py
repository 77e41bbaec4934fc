"""What the AWS provider accepts: resource types, their arguments, nested blocks and attributes.

The file beside this one carries all of it for one version of the provider. `extraction.py` made it from the PyPI
package `cdktf-cdktf-provider-aws`, which holds the provider's own schema as HashiCorp's generator printed it.
"""

import lzma
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

PROVIDER_VERSION = "6.25.0"
FILE = Path(__file__).with_name(f"aws-{PROVIDER_VERSION}.json.xz")

Kind: TypeAlias = Literal["string", "number", "bool", "any", "list", "map", "object"]


class Argument(msgspec.Struct, frozen=True, omit_defaults=True, array_like=False, forbid_unknown_fields=True):
    """An argument or a nested block. Lists are also sets: the source does not tell them apart."""

    kind: Kind
    required: bool = False
    is_block: bool = False
    of: "Argument | None" = None
    """What a list or map holds."""
    arguments: "Mapping[str, Argument] | None" = None
    """What an object or a block holds; None when the source does not say (a few recursive ones)."""


class TypeSchema(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A resource type or data source."""

    arguments: Mapping[str, Argument]
    attributes: tuple[str, ...]
    """What may be read from it; names the provider computes may have lost underscores before digits."""

    def has_attribute(self, name: str) -> bool:
        """Whether `type.label.name` can be read."""
        return name in self.arguments or _plain(name) in {_plain(known) for known in self.attributes}


class ProviderSchema(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of the provider."""

    version: str
    provider: Mapping[str, Argument]
    resources: Mapping[str, TypeSchema]
    data_sources: Mapping[str, TypeSchema]


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def encode(schema: ProviderSchema) -> bytes:
    """The committed form; the same schema gives the same bytes."""
    return lzma.compress(msgspec.json.encode(schema, order="sorted"), preset=9, check=lzma.CHECK_SHA256)


@cache
def aws() -> ProviderSchema:
    """The committed schema."""
    return msgspec.json.decode(lzma.decompress(FILE.read_bytes()), type=ProviderSchema)
