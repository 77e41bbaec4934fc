"""What Terraform's functions give. Only those that take plain values; `try` and `can` are the evaluator's."""

import base64
import hashlib
import ipaddress
import itertools
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.checks.values import CannotEvaluate, Unknown, Value


def text(value: Value) -> str:
    """A value in a string, as Terraform writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def as_set(items: list[Value]) -> list[Value]:
    """The elements once each, in Terraform's order where they are plain."""
    distinct = _distinct(items)
    return sorted(distinct) if all(isinstance(item, str) for item in distinct) else distinct


def _distinct(items: list[Value]) -> list[Value]:
    found: list[Value] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def _flatten(items: list[Value]) -> list[Value]:
    return [leaf for item in items for leaf in (_flatten(item) if isinstance(item, list) else [item])]


def _merge(*maps: Mapping[str, Value] | None) -> dict[str, Value]:
    merged: dict[str, Value] = {}
    for one in maps:
        merged.update(one or {})
    return merged


def _format(pattern: str, *arguments: Value) -> str:
    rest = list(arguments)

    def one(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        value = rest.pop(0)
        if found[2] in "sv":
            return text(value)
        if found[2] == "q":
            return json.dumps(text(value))
        return f"%{found[1]}{found[2]}" % (int(value) if found[2] == "d" else float(value))

    return re.sub(r"%([-+0-9.#]*)([a-zA-Z%])", one, pattern)


def _json(value: Value) -> Any:
    if isinstance(value, Unknown):
        return str(value)
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _json(item) for key, item in sorted(value.items())}
    return value


def _lookup(where: Mapping[str, Value], key: str, *default: Value) -> Value:
    if key in where:
        return where[key]
    if default:
        return default[0]
    raise CannotEvaluate(f"lookup finds no {key!r}")


def _one(items: list[Value]) -> Value:
    if len(items) > 1:
        raise CannotEvaluate(f"one() was given {len(items)} elements")
    return items[0] if items else None


def _coalesce(*arguments: Value) -> Value:
    for argument in arguments:
        if argument not in (None, ""):
            return argument
    raise CannotEvaluate("coalesce() was given nothing but null")


def _number(value: Value) -> Value:
    if value is None or isinstance(value, int | float):
        return value
    number = float(value)
    return int(number) if number.is_integer() else number


def _bool(value: Value) -> Value:
    if value is None or isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise CannotEvaluate(f"{value!r} is no bool")


def _regex(pattern: str, where: str) -> Value:
    found = re.search(pattern, where)
    if not found:
        raise CannotEvaluate(f"regex() finds no {pattern!r}")
    return found.groupdict() or list(found.groups()) or found[0]


def _setproduct(*sets: list[Value]) -> list[Value]:
    return [list(row) for row in itertools.product(*sets)]


def _cidrsubnet(prefix: str, new_bits: int, number: int) -> str:
    network = ipaddress.ip_network(prefix)
    return str(next(itertools.islice(network.subnets(prefixlen_diff=new_bits), number, None)))


def _transpose(maps: Mapping[str, list[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, values in maps.items():
        for value in values:
            found.setdefault(value, []).append(key)
    return dict(sorted(found.items()))


FUNCTION_VALUES: Mapping[str, Callable[..., Value]] = {
    "abs": abs,
    "abspath": lambda path: str(Path(path).resolve()),
    "alltrue": all,
    "anytrue": any,
    "base64encode": lambda value: base64.b64encode(text(value).encode()).decode(),
    "basename": lambda path: Path(path).name,
    "ceil": math.ceil,
    "chunklist": lambda items, size: [items[start : start + size] for start in range(0, len(items), size)],
    "cidrsubnet": _cidrsubnet,
    "cidrhost": lambda prefix, number: str(ipaddress.ip_network(prefix)[number]),
    "coalesce": _coalesce,
    "coalescelist": _coalesce,
    "compact": lambda items: [item for item in items if item not in (None, "")],
    "concat": lambda *lists: [item for one in lists for item in one],
    "contains": lambda items, item: item in items,
    "dirname": lambda path: str(Path(path).parent),
    "distinct": _distinct,
    "element": lambda items, number: items[int(number) % len(items)],
    "endswith": lambda whole, part: whole.endswith(part),
    "file": lambda path: Path(path).read_text(encoding="utf-8"),
    "fileexists": lambda path: Path(path).is_file(),
    "filesha256": lambda path: hashlib.sha256(Path(path).read_bytes()).hexdigest(),
    "flatten": _flatten,
    "floor": math.floor,
    "format": _format,
    "formatlist": lambda pattern, items: [_format(pattern, item) for item in items],
    "index": lambda items, item: items.index(item),
    "join": lambda separator, items: separator.join(map(text, items)),
    "jsondecode": json.loads,
    "jsonencode": lambda value: json.dumps(_json(value), separators=(",", ":")),
    "keys": sorted,
    "length": len,
    "log": math.log,
    "lookup": _lookup,
    "lower": lambda value: text(value).lower(),
    "max": max,
    "md5": lambda value: hashlib.md5(text(value).encode(), usedforsecurity=False).hexdigest(),
    "merge": _merge,
    "min": min,
    "nonsensitive": lambda value: value,
    "one": _one,
    "parseint": int,
    "pow": pow,
    "range": lambda *bounds: list(range(*bounds)),
    "regex": _regex,
    "regexall": re.findall,
    "replace": lambda where, old, new: (
        re.sub(old[1:-1], re.sub(r"\$(\d)", r"\\\1", new), where)
        if len(old) > 1 and old[0] == old[-1] == "/"
        else where.replace(old, new)
    ),
    "reverse": lambda items: items[::-1],
    "sensitive": lambda value: value,
    "setintersection": lambda first, *rest: as_set([item for item in first if all(item in one for one in rest)]),
    "setproduct": _setproduct,
    "setsubtract": lambda first, second: as_set([item for item in first if item not in second]),
    "setunion": lambda *sets: as_set([item for one in sets for item in one]),
    "sha256": lambda value: hashlib.sha256(text(value).encode()).hexdigest(),
    "signum": lambda value: (value > 0) - (value < 0),
    "slice": lambda items, start, end: items[start:end],
    "sort": sorted,
    "split": lambda separator, value: value.split(separator),
    "startswith": lambda whole, part: whole.startswith(part),
    "strcontains": lambda whole, part: part in whole,
    "substr": lambda value, start, size: value[start:] if size < 0 else value[start : start + size],
    "sum": sum,
    "title": lambda value: value.title(),
    "tobool": _bool,
    "tolist": list,
    "tomap": dict,
    "tonumber": _number,
    "toset": lambda items: as_set(list(items)),
    "tostring": lambda value: None if value is None else text(value),
    "transpose": _transpose,
    "trim": lambda value, cut: value.strip(cut),
    "trimprefix": lambda value, prefix: value.removeprefix(prefix),
    "trimspace": lambda value: value.strip(),
    "trimsuffix": lambda value, suffix: value.removesuffix(suffix),
    "upper": lambda value: text(value).upper(),
    "values": lambda where: [where[key] for key in sorted(where)],
    "yamlencode": lambda value: json.dumps(_json(value)),
    "zipmap": lambda names, values: dict(zip(names, values, strict=True)),
}
