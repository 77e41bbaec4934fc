"""What the documents take from the code: settings tables and the spec's reference. `make reference` writes them."""

import importlib
import re
import sys
from pathlib import Path
from typing import get_args

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tests.support.conformance import conformance_page
from tests.support.spec_reference import schema_file, spec_page
from windrow.settings import Settings

ROOT = Path(__file__).parents[2]
SERVICES = ("ingest", "consumer", "windower", "writer", "reprocessor")
_SECTION = re.compile(r"(<!-- settings: [^>]*-->\n).*?(<!-- /settings -->)", re.DOTALL)


def settings_class(service: str) -> type[Settings]:
    """The settings class of a service, by its name."""
    module = importlib.import_module(f"windrow_{service}.settings")
    found: type[Settings] = getattr(module, f"{service.capitalize()}Settings")
    return found


def table(kind: type[Settings]) -> str:
    """A Markdown table of every variable, its default and meaning; the service's own first."""
    inherited = set(Settings.model_fields)
    names = sorted(kind.model_fields, key=lambda name: name in inherited)
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name in names:
        field = kind.model_fields[name]
        rows.append(f"| `{_variable(name, field)}` | {_default(name, field)} | {field.description} |")
    return "\n".join(rows) + "\n"


def page(service: str) -> tuple[Path, str]:
    """A service's README and what it should say."""
    path = ROOT / "services" / service / "README.md"
    rows = table(settings_class(service))
    return path, _SECTION.sub(lambda found: f"{found[1]}\n{rows}\n{found[2]}", path.read_text())


def _variable(name: str, field: FieldInfo) -> str:
    return field.validation_alias if isinstance(field.validation_alias, str) else f"WINDROW_{name.upper()}"


def _default(name: str, field: FieldInfo) -> str:
    if name == "topology":
        return "beside the source, else /etc/windrow/topology.json"
    if field.default is PydanticUndefined:
        return "required"
    if field.default is None or type(None) in get_args(field.annotation):
        return ""
    return f"`{field.default}`"


if __name__ == "__main__":
    for target, text in (*map(page, SERVICES), spec_page(), schema_file(), conformance_page()):
        target.write_text(text)
        sys.stdout.write(f"{target.relative_to(ROOT)}\n")
