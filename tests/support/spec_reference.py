"""The reference of the stream spec: docs/spec.md and docs/stream.schema.json, made from the model."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from windrow.spec import expressions
from windrow.spec.json_schema import json_schema
from windrow.spec.windows import KINDS, AlignedWindow, WindowSpec

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "spec.md"
SCHEMA = ROOT / "docs" / "stream.schema.json"
_FOR_STREAMS = """\
Files and streams take the same definitions, and give the same rows for the same records. A stream also takes back what
a late record changes, so a definition must say how far a record reaches:

- `fill` needs `max_gap`, and neither `fill_from` nor `fill_to`.
- A sequence needs `max_gap`, unless `fill` and `padding` are the same.
- `time_weighted_mean` and `integral` need `max_carry`, or `carry: none`.
- Windows of kind `count` and `pairwise` are for files only; `windrow window` computes them.

`windrow lint` warns of a definition that is good for files only, and `windrow publish` refuses it.
"""
_SECTION = re.compile(r"(<!-- reference: [^>]*-->\n).*?(<!-- /reference -->)", re.DOTALL)


def schema_file() -> tuple[Path, str]:
    """The published schema and what it should say."""
    return SCHEMA, json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def spec_page() -> tuple[Path, str]:
    """The page about specs and what it should say. What is written by hand stays."""
    found = reference()
    return PAGE, _SECTION.sub(lambda match: f"{match[1]}\n{found}\n{match[2]}", PAGE.read_text())


def reference() -> str:
    """Every setting with what it takes, its default and its meaning, in sections."""
    schema = json_schema()
    definitions = {name: part.get("then", part) for name, part in schema["$defs"].items()}
    parts = [
        "## The stream\n",
        _table(schema),
        "## `time`\n",
        _table(definitions["TimeSpec"]),
        "## `columns`\n",
        definitions["Column"]["description"] + "\n",
        _table(definitions["Column"]),
        "## `format`\n",
        "### `format.csv`\n",
        _table(definitions["CsvFormat"]),
        "### `format.json`\n",
        _table(definitions["JsonFormat"]),
        "## `halt`\n",
        _table(definitions["Halt"]),
        "## `windows`\n",
        *_windows(definitions),
        "## `sinks`\n",
        *(
            part
            for kind in ("dynamodb", "parquet")
            for part in (
                f"### `kind: {kind}`\n",
                definitions[f"{kind.capitalize()}Sink"]["description"] + "\n",
                _table(definitions[f"{kind.capitalize()}Sink"], without={"kind"}),
            )
        ),
        "## Expressions\n",
        expressions.documentation(),
    ]
    return "\n".join(parts)


def _windows(definitions: Mapping[str, Any]) -> Iterable[str]:
    tumbling = definitions["TumblingWindow"]
    common = set(WindowSpec.model_fields)
    aligned = set(AlignedWindow.model_fields)
    yield _FOR_STREAMS
    yield "Every window takes:\n"
    yield _table(tumbling, only=common)
    yield "Tumbling, sliding and cumulative windows also take:\n"
    yield _table(tumbling, only=aligned - common)
    for kind in KINDS:
        part = definitions[f"{kind.capitalize()}Window"]
        yield f"### `kind: {kind}`\n"
        yield part["description"] + "\n"
        yield _table(part, without=aligned if kind in ("tumbling", "sliding", "cumulative") else common)
    yield "### `aggregates`\n"
    yield definitions["Aggregate"]["description"] + "\n"
    yield _table(definitions["Aggregate"])


def _table(part: Mapping[str, Any], *, only: set[str] | None = None, without: Iterable[str] = ()) -> str:
    rows = ["| setting | takes | default | meaning |", "| --- | --- | --- | --- |"]
    for name, setting in part["properties"].items():
        if name not in without and (only is None or name in only):
            default = "required" if name in part.get("required", ()) else _default(setting)
            cells = (f"`{name}`", _takes(setting), default, setting.get("description", ""))
            rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows) + "\n"


def _default(setting: Mapping[str, Any]) -> str:
    default = setting.get("default")
    return "" if default is None else f"`{json.dumps(default) if isinstance(default, bool) else default}`"


def _takes(setting: Mapping[str, Any]) -> str:
    """What may be written, in words."""
    if "allOf" in setting or "$ref" in setting:
        return "mapping, see below"
    if "const" in setting:
        return f"`{setting['const']}`"
    if "enum" in setting:
        return ", ".join(f"`{each}`" for each in setting["enum"] if each is not None)
    if "anyOf" in setting:
        kinds = {str(each.get("type")) for each in setting["anyOf"]}
        if {"boolean", "number", "string"} <= kinds:
            return "text, number or bool"
        words = [_takes(each) for each in setting["anyOf"] if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(words))
    match setting.get("type"):
        case "array" if "prefixItems" in setting:
            return "[lowest, highest]"
        case "array":
            return f"list of {_takes(setting['items'])}"
        case "object":
            return "mapping of names"
        case "integer":
            bounds = [f"{word} {setting[name]:,}" for name, word in _BOUNDS.items() if name in setting]
            return " ".join(["whole number", *bounds])
        case "number":
            bounds = [f"{word} {setting[name]:,}" for name, word in _BOUNDS.items() if name in setting]
            return " ".join(["number", *bounds])
        case "boolean":
            return "`true`, `false`"
        case "string" if "us|ms|s" in setting.get("pattern", ""):
            return "duration or calendar unit" if "mo|q|y" in setting["pattern"] else "duration"
        case "string" if setting.get("pattern", "").startswith(r"^\d{4}-"):
            return "time"
        case "string" if "decimal" in setting.get("pattern", ""):
            return "`decimal(precision,scale)`"
        case "string":
            return "text"
        case _:
            return "text, number or bool"


_BOUNDS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
