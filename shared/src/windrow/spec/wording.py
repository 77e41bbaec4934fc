"""What pydantic finds, as sentences for people who write specs."""

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import Discriminator, Tag, WithJsonSchema
from pydantic.fields import FieldInfo

from windrow.spec.base import Part
from windrow.spec.faults import Fault, Path
from windrow.spec.names import did_you_mean, nearest, one_of, shown

_EXAMPLES: Mapping[str, str] = {
    "columns": "a mapping of names to types, such as {ts: timestamp}",
    "windows": "a mapping of names to windows",
    "windows.*": "a mapping with size and aggregates",
    "time": "a mapping with column",
    "aggregates": "a mapping of names to aggregates, such as {temperature_mean: mean(temperature)}",
    "aggregates.*": "an aggregate such as count or mean(temperature)",
    "columns.*": "a type, or a mapping with type",
    "range": "[lowest, highest]",
    "clamp": "[lowest, highest]",
    "halt": "a mapping with ratio",
}
"""What is expected where the type alone does not say it."""
_SIMPLE: Mapping[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
_MAX_ECHO = 40


def faults_in(errors: Sequence[Any], root: type[Part]) -> list[Fault]:
    """One fault per setting that pydantic complains about. `errors` are those of a ValidationError.

    A fault's `between` holds the setting that was meant by a misspelt name.
    """
    by_path: dict[Path, Fault] = {}
    for error in errors:
        path, holder, annotation = _resolve(error["loc"], root)
        kind, given, context = error["type"], error["input"], error.get("ctx", {})
        if kind == "incoherent":
            continue
        if kind in ("union_tag_invalid", "union_tag_not_found") and isinstance(given, dict):
            tags = _tags(annotation)
            if "kind" in given:
                fault = Fault((*path, "kind"), _not_one_of(given["kind"], "kind", list(tags)))
            else:
                fault = Fault((*path, "kind"), f"is missing; use {one_of(tags)}")
        elif kind == "missing" and isinstance(path[-1], int):
            path = path[:-1]
            fault = Fault(path, f"expected {_example(path) or 'more values'}")
        elif kind == "missing":
            fault = Fault(path, "is missing")
        elif kind == "extra_forbidden":
            names = settings_of(holder)
            meant = nearest(path[-1], names)
            hint = did_you_mean(path[-1], names) or f" ({', '.join(names)})"
            between = ((*path[:-1], meant),) if meant else ()
            fault = Fault(path, f"there is no setting {shown(path[-1])} here{hint}", between, is_name=True)
        elif kind == "value_error":
            fault = Fault(path, str(error["msg"]).removeprefix("Value error, "))
        else:
            fault = Fault(path, _limit(kind, given, context) or _wrong(path, annotation, given))
        by_path.setdefault(path, fault)
    # A setting that is missing because its name is misspelt is one fault, not two.
    explained = {path for fault in by_path.values() for path in fault.between}
    return [fault for path, fault in by_path.items() if not (path in explained and fault.message == "is missing")]


def settings_of(part: Any) -> list[str]:
    """The names of a part's settings, as they stand in the text."""
    return [field.alias or name for name, field in part.model_fields.items()] if _is_part(part) else []


# ------------------------------------------------------------------------------------------------ what


def _limit(kind: str, given: object, context: Mapping[str, Any]) -> str | None:
    """The sentence for a value of the right kind that is out of bounds; None if that is not what is wrong."""
    match kind:
        case "greater_than_equal":
            return f"{shown(given)} is too small; use {_plain(context['ge'])} or more"
        case "greater_than":
            return f"{shown(given)} is too small; use more than {_plain(context['gt'])}"
        case "less_than_equal":
            return f"{shown(given)} is too large; use at most {_plain(context['le'])}"
        case "less_than":
            return f"{shown(given)} is too large; use less than {_plain(context['lt'])}"
        case "string_too_long" | "string_too_short":
            most = context.get("max_length", context.get("min_length"))
            remedy = '; a tab is written "\\t", in double quotes' if given == "\\t" else "; put it in quotes"
            return f"{shown(given)} is not {'one character' if most == 1 else f'{most} characters'}{remedy}"
        case "too_long" | "too_short":
            most = context.get("max_length", context.get("min_length"))
            return f"expected {most} values, and here are {context.get('actual_length', 'others')}"
        case _:
            return None


def _plain(bound: float) -> str:
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:g}"


def _wrong(path: Path, annotation: Any, given: object) -> str:
    """The sentence for a value of the wrong kind."""
    kind = _bare(annotation)
    if get_origin(kind) is Literal and given is not None and not isinstance(given, dict | list | tuple):
        return _not_one_of(given, str(path[-1]), [str(each) for each in get_args(kind)])
    expected = _example(path) or _expected(annotation)
    if given is None:
        return f"is empty; expected {expected}"
    remedy = ""
    if kind is str and isinstance(given, int | float):
        remedy = f"; put it in quotes: '{shown(given)}'"
    elif get_origin(kind) is tuple and isinstance(given, str):
        remedy = f"; write [{given}]" if len(given) <= _MAX_ECHO else ""
    return f"{shown(given)} is not {expected}{remedy}"


def _not_one_of(given: object, setting: str, known: Sequence[str]) -> str:
    what = f"a {setting}" if setting in ("type", "kind", "function") else f"a value of {setting}"
    return f"{shown(given)} is not {what}{did_you_mean(given, known) or '; there are'} ({', '.join(known)})"


def _example(path: Path) -> str | None:
    """What is expected at a path, by its last name, or by the one before for what a person has named."""
    if not path or isinstance(path[-1], int):
        return None
    parent = path[-2] if len(path) > 1 else ""
    return _EXAMPLES.get(f"{parent}.*") or _EXAMPLES.get(path[-1])


def _expected(annotation: Any) -> str:
    """What values of a type look like."""
    kind = _bare(annotation)
    if any(isinstance(each, WithJsonSchema) for each in _notes(annotation)) and kind is int:
        return "a length of time such as 30s, 5m or 1h"
    if _is_part(kind) or _is_mapping(kind) or _tags(kind):
        return "a mapping"
    if get_origin(kind) is tuple:
        return "a list"
    if get_origin(kind) in (Union, types.UnionType):
        members = [name for each in get_args(kind) for name in _names(each)]
        return "a single value" if "a text" in members else one_of(members)
    return one_of(_names(kind))


def _names(annotation: Any) -> list[str]:
    kind = _bare(annotation)
    if get_origin(kind) is Literal:
        return [str(each) for each in get_args(kind)]
    return [_SIMPLE.get(kind, "such a value")]


def _notes(annotation: Any) -> Iterator[Any]:
    """Everything that annotations say of a type, `or None` put aside."""
    if get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
        yield from _notes(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from _notes(each)


# ------------------------------------------------------------------------------------------------ where


def _resolve(location: Sequence[Any], root: type[Part]) -> tuple[Path, Any, Any]:
    """The path in the text for a place in pydantic's tree, the part it is in, and what is expected there.

    Pydantic also names the branch of a union that it tried; no such thing stands in the text.
    """
    path: list[str | int] = []
    holder: Any = None
    kind: Any = root
    for step in location:
        kind = _bare(kind)
        if step in _tags(kind):
            kind = _tags(kind)[step]
        elif _is_part(kind):
            holder = kind
            path.append(step)
            field = _field(kind, step)
            kind = None if field is None else Annotated[(field.annotation, *field.metadata, None)]
        elif _is_mapping(kind):
            holder = None
            path.append(step)
            kind = get_args(kind)[1]
        elif get_origin(kind) is tuple and isinstance(step, int):
            holder = None
            path.append(step)
            members = get_args(kind)
            kind = members[0] if members[-1] is Ellipsis else members[min(step, len(members) - 1)]
        else:
            break
    return tuple(path), holder, kind


def _field(part: type[Part], name: object) -> FieldInfo | None:
    return next((field for own, field in part.model_fields.items() if (field.alias or own) == name), None)


def _is_part(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Part)


def _is_mapping(kind: Any) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _bare(kind: Any) -> Any:
    """A type without annotations and without `or None`; a union of several parts stays one."""
    while True:
        if get_origin(kind) is Annotated:
            if any(isinstance(each, Discriminator) for each in kind.__metadata__):
                return kind
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, types.UnionType):
            members = [each for each in get_args(kind) if each is not type(None)]
            if len(members) != 1:
                return kind
            kind = members[0]
        else:
            return kind


def _tags(kind: Any) -> dict[str, Any]:
    """The branches of a union of parts, by the tag that chooses among them."""
    if get_origin(kind) is not Annotated or not any(isinstance(each, Discriminator) for each in kind.__metadata__):
        return {}
    return {
        each.tag: get_args(member)[0]
        for member in get_args(get_args(kind)[0])
        for each in member.__metadata__
        if isinstance(each, Tag)
    }
