"""A proposal as YAML that people read: every guess with what it rests on."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from windrow.proposal.evidence import Evidence
from windrow.units import format_duration

_WIDTH = 118
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_WORDS_OF_YAML = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


@dataclass(frozen=True, slots=True)
class RenderedColumn:
    """A column as it will stand in the file."""

    name: str
    settings: Mapping[str, Any]
    why: str
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """All of a spec, before it is text."""

    head: tuple[str, ...]
    stream: str
    format: Mapping[str, Mapping[str, Any]]
    time: Mapping[str, Any]
    keys: tuple[str, ...]
    unique: tuple[str, ...]
    columns: tuple[RenderedColumn, ...]
    bucket_us: int
    window: str
    window_us: int
    aggregates: Mapping[str, str]
    evidence: tuple[Evidence, ...]
    remarks: tuple[str, ...]
    """What no setting was chosen for."""


def render(draft: Draft) -> str:
    """The text of a spec."""
    lines = [line for each in draft.head for line in _comment(each, "")]
    lines.append(f"stream: {_scalar(draft.stream)}")
    if draft.format:
        lines.append("format:")
        lines += _about(
            draft, "  ", "encoding", "delimiter", "header", "ragged", "decimal", "rows", "records", "sample"
        )
        lines += _about(draft, "  ", *(each.about for each in draft.evidence if each.about.startswith("format")))
        for kind, settings in draft.format.items():
            lines += [f"  {kind}:", *(f"    {name}: {_value(value)}" for name, value in settings.items())]
    else:
        lines += _about(
            draft, "", "encoding", "delimiter", "header", "ragged", "decimal", "rows", "records", "format", "sample"
        )
    lines.append("time:")
    lines += _about(draft, "  ", "time", "time.formats", "time.zone")
    lines += [f"  {name}: {_value(value)}" for name, value in draft.time.items()]
    for role, names in (("keys", draft.keys), ("unique", draft.unique)):
        lines += _about(draft, "", role)
        if names:
            lines.append(f"{role}: {_value(list(names))}")
    lines.append("columns:")
    for column in draft.columns:
        lines += _column(column)
    lines += [line for remark in draft.remarks for line in _comment(remark, "  ")]
    lines += _about(draft, "", "bucket")
    lines.append(f"bucket: {format_duration(draft.bucket_us)}")
    lines += _about(draft, "", "windows")
    lines += ["windows:", f"  {draft.window}:", f"    size: {format_duration(draft.window_us)}", "    aggregates:"]
    lines += [f"      {name}: {text}" for name, text in draft.aggregates.items()]
    return "\n".join(lines) + "\n"


def shown(text: str) -> str:
    """Text from outside within a comment: on one line, and with nothing that YAML or a terminal would obey."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _about(draft: Draft, indent: str, *subjects: str) -> list[str]:
    return [
        line
        for each in draft.evidence
        if each.about in subjects
        for line in _comment(f"{each.about.rpartition('.')[2]}: {each.guess}: {each.why}", indent)
    ]


def _column(column: RenderedColumn) -> list[str]:
    settings = dict(column.settings)
    value = _scalar(settings["type"]) if len(settings) == 1 else _value(settings)
    line = f"  {_scalar(column.name)}: {value}"
    hints = [part for hint in column.hints for part in _comment(hint, "  ")]
    whole = f"{line}  # {shown(column.why)}"
    if len(whole) <= _WIDTH:
        return [*hints, whole]
    return [*hints, *_comment(column.why, "  "), line]


def _comment(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        shown(text),
        _WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_value(each)}" for name, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return _scalar(str(value))


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    quoted: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=1 << 30)
    return quoted.strip()
