"""Makes the committed provider schema from the PyPI package that carries it.

Usage: python -m infra.checks.extraction WHEEL

WHEEL comes from `pip download --no-deps cdktf-cdktf-provider-aws==21.22.1`; at 59 MB it is no dependency. Its jsii
assembly is JSON in a tar in the wheel: no Node is needed to read it.
"""

import io
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.checks.provider_schema import FILE, PROVIDER_VERSION, Argument, Kind, ProviderSchema, TypeSchema, encode

PACKAGE_VERSION = "21.22.1"
_OURS = "@cdktf/provider-aws."
_BASES = {"cdktf.TerraformResource": "resources", "cdktf.TerraformDataSource": "data_sources"}
_PRIMITIVES: dict[str, Kind] = {"string": "string", "number": "number", "boolean": "bool", "any": "any"}
_ANCHOR = re.compile(r"#(\w+) \w+#\w+\}")
_TYPE_NAME = re.compile(r" (\w+)\}\.?$")
# A base class of every resource, none of the provider's own.
_INHERITED = {"cdktfVersion", "constructNodeMetadata", "node", "rawOverrides"}

Types = Mapping[str, Mapping[str, Any]]


def read_wheel(wheel: Path) -> ProviderSchema:
    """The schema in a wheel of cdktf-cdktf-provider-aws."""
    with zipfile.ZipFile(wheel) as archive:
        return _read_package(archive.read(next(name for name in archive.namelist() if name.endswith(".jsii.tgz"))))


def read_installed(folder: Path) -> ProviderSchema:
    """The schema in the installed package, by its folder."""
    return _read_package(next(folder.glob("_jsii/*.jsii.tgz")).read_bytes())


def _read_package(content: bytes) -> ProviderSchema:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as package:
        assembly = json.load(_member(package, "package/.jsii"))
        manifest = json.load(_member(package, "package/package.json"))
    return read_assembly(assembly["types"], manifest["cdktf"]["provider"]["version"])


def _member(package: tarfile.TarFile, name: str) -> io.BufferedIOBase:
    found = package.extractfile(name)
    if found is None:
        raise FileNotFoundError(name)
    return io.BytesIO(found.read())


def read_assembly(types: Types, version: str) -> ProviderSchema:
    """The schema in the types of a jsii assembly."""
    found: dict[str, dict[str, TypeSchema]] = {"resources": {}, "data_sources": {}}
    for entry in types.values():
        group = _BASES.get(entry.get("base", ""))
        if group:
            name = _TYPE_NAME.search(entry["docs"]["summary"])
            assert name, entry["docs"]
            config = entry["initializer"]["parameters"][2]["type"]["fqn"]
            found[group][name[1]] = TypeSchema(_arguments(types, config, ()), _attributes(entry))
    provider = _arguments(types, f"{_OURS}provider.AwsProviderConfig", ())
    return ProviderSchema(version, provider, found["resources"], found["data_sources"])


def _attributes(entry: Mapping[str, Any]) -> tuple[str, ...]:
    names = [
        part["name"]
        for part in entry["properties"]
        if not part.get("static") and not part["name"].endswith("Input") and part["name"] not in _INHERITED
    ]
    return tuple(sorted(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() for name in names))


def _arguments(types: Types, name: str, outer: tuple[str, ...]) -> dict[str, Argument]:
    """Arguments by the name Terraform gives them, which stands in the link to the documentation."""
    found: dict[str, Argument] = {}
    for part in types[name].get("properties", ()):
        docs = part.get("docs", {})
        anchor = _ANCHOR.search(" ".join(map(str, docs.values())))
        if anchor:
            found[anchor[1]] = _argument(
                types,
                part["type"],
                (*outer, name),
                required=not part.get("optional", False),
                is_block=docs.get("summary", "").endswith(" block."),
            )
    return found


def _argument(
    types: Types, shape: Mapping[str, Any], outer: tuple[str, ...], *, required: bool = False, is_block: bool = False
) -> Argument:
    if "union" in shape:  # an IResolvable beside the real type
        shape = next(one for one in shape["union"]["types"] if one.get("fqn") != "cdktf.IResolvable")
    if "primitive" in shape:
        return Argument(_PRIMITIVES[shape["primitive"]], required, is_block)
    if "collection" in shape:
        inner = _argument(types, shape["collection"]["elementtype"], outer)
        return Argument("map" if shape["collection"]["kind"] == "map" else "list", required, is_block, inner)
    name = shape["fqn"]
    if not name.startswith(_OURS):
        return Argument("bool", required, is_block)
    return Argument("object", required, is_block, None, None if name in outer else _arguments(types, name, outer))


def main(arguments: list[str]) -> int:
    """Write the committed file; the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m infra.checks.extraction WHEEL\n")
        return 2
    schema = read_wheel(Path(arguments[0]))
    if schema.version != PROVIDER_VERSION:
        sys.stderr.write(f"the wheel carries provider {schema.version}, this code expects {PROVIDER_VERSION}\n")
        return 2
    FILE.write_bytes(encode(schema))
    counts = f"{len(schema.resources)} resource types, {len(schema.data_sources)} data sources"
    sys.stdout.write(f"{FILE.name}: {counts}, {FILE.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
