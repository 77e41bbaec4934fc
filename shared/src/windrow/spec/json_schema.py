"""The spec as JSON Schema (draft 2020-12), by which editors complete, explain and check while somebody writes."""

import copy
from collections.abc import Mapping
from typing import Any, get_args

from windrow.keys import STREAM_NAME, TABLE_NAME
from windrow.spec.columns import ColumnType, ItemType
from windrow.spec.sinks import Sink
from windrow.spec.stream import StreamSpec
from windrow.spec.windows import FUNCTIONS, OHLC, WITH_SHARE, AnyWindow
from windrow.units import format_duration

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_ONE_OR_MORE = ("source", "formats", "missing", "null_if", "allowed", "filter")
"""Settings that take one value where a list is meant."""
_SIMPLE_TYPES = [name for name in get_args(ColumnType) if name != "list"]
_COLUMN_SHORT = {
    "description": "The type alone: decimal(precision,scale) and list(items) say more than their name.",
    "anyOf": [
        {"enum": [*_SIMPLE_TYPES, *(f"list({item})" for item in get_args(ItemType))]},
        {"type": "string", "pattern": r"^decimal\(\s*\d+\s*,\s*\d+\s*\)$"},
    ],
}
_COLUMN_TYPE = {
    "anyOf": [
        {"enum": [*get_args(ColumnType), *(f"list({item})" for item in get_args(ItemType))]},
        {"type": "string", "pattern": r"^decimal\(\s*\d+\s*,\s*\d+\s*\)$"},
    ]
}
_WINDOWS = {member.__metadata__[0].tag: member.__origin__.__name__ for member in get_args(get_args(AnyWindow)[0])}
_SINKS = {member.__metadata__[0].tag: member.__origin__.__name__ for member in get_args(get_args(Sink)[0])}


def json_schema() -> dict[str, Any]:
    """The schema of a spec file, with every short form."""
    schema = StreamSpec.model_json_schema(by_alias=True, mode="validation")
    definitions = schema["$defs"]
    schema["properties"]["windows"]["additionalProperties"] = _by_kind(_WINDOWS, "tumbling")
    schema["properties"]["sinks"]["items"] = _by_kind(_SINKS, None)
    for part in (schema, *definitions.values()):
        _tidy(part)
    column, aggregate = definitions["Column"], definitions["Aggregate"]
    column["properties"]["type"] |= _COLUMN_TYPE
    column["properties"]["type"].pop("enum", None)
    column["properties"]["type"].pop("type", None)
    definitions["Column"] = _short_or_long(_COLUMN_SHORT, column)
    aggregate["properties"]["function"]["enum"] += list(OHLC)
    definitions["Aggregate"] = _short_or_long(_calls(), aggregate)
    schema["properties"]["stream"]["pattern"] = _whole(STREAM_NAME.pattern)
    for name in ("columns", "windows"):
        schema["properties"][name]["propertyNames"] = {"pattern": _whole(TABLE_NAME.pattern)}
    return {
        "$schema": DIALECT,
        "title": "A Windrow stream spec",
        **{name: value for name, value in schema.items() if name not in ("title", "$defs")},
        "$defs": definitions,
    }


def _by_kind(kinds: Mapping[str, str], default: str | None) -> dict[str, Any]:
    """A choice by `kind`, made so that an editor complains about the kind that is meant, and not about all."""
    choices = []
    for kind, definition in kinds.items():
        said = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
        condition = {"anyOf": [said, {"not": {"required": ["kind"]}}]} if kind == default else said
        choices.append({"if": condition, "then": {"$ref": f"#/$defs/{definition}"}})
    required = {} if default else {"required": ["kind"]}
    return {"type": "object", "properties": {"kind": {"enum": list(kinds)}}, **required, "allOf": choices}


def _default(setting: dict[str, Any]) -> None:
    """Defaults as people would write them; none where the setting is simply absent."""
    default = setting.get("default")
    if default is None or default in ([], {}, "") or isinstance(default, dict):
        setting.pop("default", None)
    elif isinstance(default, int) and "us|ms|s" in str(setting.get("pattern")):
        setting["default"] = format_duration(default)
    elif isinstance(default, list) and len(default) == 1:
        setting["default"] = default[0]


def _short_or_long(short: dict[str, Any], long: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"type": "object"}, "then": long, "else": short}


def _calls() -> dict[str, Any]:
    one = "|".join(name for name in (*FUNCTIONS, *OHLC) if name not in WITH_SHARE)
    two = "|".join(sorted(WITH_SHARE))
    pattern = rf"^\s*(count|({one})\(\s*[^,()]+\s*\)|({two})\(\s*[^,()]+\s*,\s*[0-9.]+\s*\))\s*$"
    return {
        "type": "string",
        "pattern": pattern,
        "description": "The aggregate as a call.",
        "examples": ["count", "mean(temperature)", "quantile(latency, 0.95)"],
    }


def _tidy(part: dict[str, Any]) -> None:
    """Sentences on one line, no titles made of names, and one value for a list of one."""
    part.pop("title", None)
    if "description" in part:
        part["description"] = " ".join(str(part["description"]).split())
    for name, setting in part.get("properties", {}).items():
        setting.pop("title", None)
        if "description" in setting:
            setting["description"] = " ".join(setting["description"].split())
        _default(setting)
        if name in _ONE_OR_MORE and setting.get("type") == "array":
            several = {key: setting.pop(key) for key in ("type", "items", "minItems") if key in setting}
            one = copy.deepcopy(several["items"])
            if name == "missing":
                one = several["items"] = {"type": ["string", "number", "boolean", "null"]}
            setting["anyOf"] = [one, several]


def _whole(pattern: str) -> str:
    return f"^{pattern}$"
