"""Cases beside a spec: what goes in, and which records or rejects are to come out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
import yaml
from pydantic import ValidationError, model_validator

from windrow.admission import RequestLimits
from windrow.decoding.formats import SUFFIXES, Kind, kind_of_name
from windrow.errors import BadSettings, first_line
from windrow.explanation import Payload, explain, plain
from windrow.spec import StreamSpec
from windrow.spec.base import Part
from windrow.units import to_us

_FAR = datetime(2100, 1, 1, tzinfo=UTC)
_LIMITS = RequestLimits(max_body_bytes=64 << 20, max_plain_bytes=64 << 20, max_record_bytes=1 << 20)
_SHOWN = 300


class Case(Part):
    """One case. What is not said is not checked."""

    name: str
    """What the case shows, as a sentence."""
    input: Any = None
    """The payload: text as it would be sent, or a record or list of records, which are sent as JSON."""
    file: str | None = None
    """Or the name of a file beside the cases."""
    format: str | None = None
    """json, ndjson, csv, tsv, geojson, parquet or arrow; where neither the file's name nor the input tells it."""
    received: datetime = _FAR
    """When it is received. The default is so late that nothing lies in the future."""
    records: tuple[Mapping[str, Any], ...] | None = None
    """The rows that come out, in order, by the columns that are named."""
    rejects: tuple[Mapping[str, Any], ...] | None = None
    """The rejects, in order, by what is named of reason, index, line, column, field, value, message."""
    windows: tuple[Mapping[str, Any], ...] | None = None
    """The windows that are touched, in order of table, key and start. Where each names its table, windows of other
    tables are not looked at."""
    record_count: int | None = None
    """How many rows come out."""
    reject_count: int | None = None
    """How many records are rejected."""
    filtered: int | None = None
    """How many rows the filter leaves out."""
    status: int | None = None
    """The HTTP status that the sender would get."""

    @model_validator(mode="after")
    def _says_something(self) -> "Case":
        if (self.input is None) == (self.file is None):
            raise ValueError("give either input or file")
        said = (self.records, self.rejects, self.windows, self.record_count, self.reject_count, self.filtered)
        if all(each is None for each in (*said, self.status)):
            raise ValueError("say what is to come out: records, rejects, windows, a count or a status")
        if self.format is not None and f".{self.format}" not in SUFFIXES:
            raise ValueError(f"{self.format!r} is not a format; use one of {', '.join(each[1:] for each in SUFFIXES)}")
        return self


class _Cases(Part):
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a case; no differences mean that it holds."""

    name: str
    differences: tuple[str, ...]


def parse_cases(text: str, origin: str) -> tuple[Case, ...]:
    """The cases in a YAML text; BadSettings lists everything that is wrong with them."""
    try:
        raw = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise BadSettings(origin, [f"{place}not YAML: {error.problem}"]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadSettings(origin, [f"not YAML: {first_line(error)}"]) from error
    try:
        found = _Cases.model_validate(raw).cases
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, item['loc']))}: {str(item['msg']).removeprefix('Value error, ')}"
            for item in error.errors()
        ]
        raise BadSettings(origin, faults) from error
    if not found:
        raise BadSettings(origin, ["there is no case in it"])
    return found


def judge(case: Case, spec: StreamSpec, file_body: bytes | None) -> Verdict:
    """Run a case; `file_body` are the bytes of the file it names."""
    received = case.received if case.received.tzinfo else case.received.replace(tzinfo=UTC)
    got = plain(explain(_payload(case, file_body), spec, to_us(received), _LIMITS))
    return Verdict(case.name, tuple(_differences(case, got)))


def _payload(case: Case, file_body: bytes | None) -> Payload:
    kind: Kind | None = kind_of_name(f"x.{case.format}") if case.format is not None else None
    if case.file is not None:
        return Payload(case.file, file_body or b"", kind)
    if isinstance(case.input, str):
        return Payload("input", case.input.encode(), kind or _guess(case.input))
    return Payload("input", msgspec.json.encode(_as_json(case.input)), kind or "json")


def _guess(text: str) -> Kind:
    start = text.lstrip()
    if start.startswith("["):
        return "json"
    return "lines" if start.startswith("{") else "csv"


def _as_json(value: Any) -> Any:
    """YAML makes dates of what looks like one; JSON has texts."""
    match value:
        case dict():
            return {str(name): _as_json(each) for name, each in value.items()}
        case list():
            return [_as_json(each) for each in value]
        case datetime() | date():
            return value.isoformat()
        case _:
            return value


def _differences(case: Case, got: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for what, expected in (("records", case.records), ("rejects", case.rejects)):
        if expected is not None:
            found.extend(_compare(what, expected, got[what]))
    if case.windows is not None:
        found.extend(_compare("windows", case.windows, _of_tables(case.windows, got["windows"])))
    for what, count, actual in (
        ("records", case.record_count, len(got["records"])),
        ("rejects", case.reject_count, len(got["rejects"])),
        ("filtered rows", case.filtered, got["filtered"]),
        ("status", case.status, got["response"]["status"]),
    ):
        if count is not None and count != actual:
            found.append(f"{what}: expected {count}, got {actual}")
    return found


def _of_tables(expected: Sequence[Mapping[str, Any]], got: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The windows of the tables that are named, if all that is expected names one."""
    if not expected or not all("table" in each for each in expected):
        return got
    tables = {each["table"] for each in expected}
    return [each for each in got if each["table"] in tables]


def _compare(what: str, expected: Sequence[Mapping[str, Any]], got: Sequence[Mapping[str, Any]]) -> list[str]:
    found = []
    if len(expected) != len(got):
        shown = msgspec.json.encode(got).decode()[:_SHOWN]
        found.append(f"{what}: expected {len(expected)}, got {len(got)}: {shown}")
    for number, (wanted, actual) in enumerate(zip(expected, got, strict=False)):
        for name, value in wanted.items():
            if name not in actual and value is not None:
                found.append(f"{what}[{number}] has no {name!r}")
            elif not _same(_as_json(value), actual.get(name)):
                found.append(f"{what}[{number}].{name}: expected {_as_json(value)!r}, got {actual.get(name)!r}")
    return found


def _same(expected: Any, actual: Any) -> bool:
    if isinstance(expected, bool) or isinstance(actual, bool) or expected is None or actual is None:
        return expected is actual
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(_same, expected, actual))
    if isinstance(expected, int | float) and isinstance(actual, int | float):
        return math.isclose(expected, actual, rel_tol=1e-9)
    if isinstance(expected, int | float) and isinstance(actual, str):
        return _as_decimal(actual) == _as_decimal(str(expected))
    moments = _moment(expected), _moment(actual)
    return moments[0] == moments[1] if None not in moments else bool(expected == actual)


def _as_decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
