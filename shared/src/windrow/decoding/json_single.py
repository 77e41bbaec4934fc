"""Records of JSON read one by one: exactly what the columnar reader would make of them, and why not where it cannot."""

import json
import math
from collections.abc import Mapping
from decimal import Context, Decimal, InvalidOperation
from typing import Any, NamedTuple, Self

import msgspec

from windrow.decoding.json_paths import NoValue, source_of
from windrow.decoding.json_plan import DIGITS, Kind, Plan, RawColumn, Source, describe
from windrow.decoding.json_unknown import Names, fields_of
from windrow.decoding.unknown import FieldKind
from windrow.framing import why_malformed
from windrow.quarantine import Reject

_VALUE_CHARS = 200
_EXCERPT_BYTES = 40
_MAX_EXPONENT = 60
"""Of times and decimals; beyond, nothing is one, and the digits would only take room."""


class Written(float):
    """A number as the sender wrote it, for columns that want its digits and not the nearest float."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number


Written.__name__ = "float"  # JMESPath's functions know types by their names

_EXACT = Context(prec=2 * _MAX_EXPONENT)
"""Room for every digit that a decimal of no absurd size keeps."""
_DECODER = msgspec.json.Decoder(float_hook=Written)


class Single(NamedTuple):
    """One record that fits: raw values in the order of the plan's columns, and the fields that nothing reads."""

    values: tuple[Any, ...]
    unknown: dict[Names, FieldKind]


class _Wrong(Exception):
    """A value is not of its column's kind."""

    def __init__(self, field: str, rule: str, value: Any) -> None:
        self.field, self.rule, self.value = field, rule, value
        super().__init__()


def read_single(record: bytes, plan: Plan, document: Any, *, index: int, line: int | None) -> Single | Reject:
    """One record, or why it is none. Of a name given twice, the last value counts.

    `document` is the decoded document around it.
    """
    try:
        text = record.decode()
        decoded = _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return malformed(error, record, index, line)
    if not isinstance(decoded, dict):
        message = f'{_place(line, 1)}a record is a JSON object, such as {{"ts": …}}'
        return Reject(
            reason="not_an_object", message=message, index=index, line=line, column=1, value=text[:_VALUE_CHARS]
        )
    unknown = dict(fields_of(decoded, plan.used))
    if plan.is_frozen and unknown:
        path = min(map(source_of, unknown))
        return Reject(
            reason="unknown_field",
            message=f"no column names the field {path!r}, and the stream takes no others (schema: freeze)",
            index=index,
            line=line,
            field=path,
        )
    try:
        members = _members(decoded, plan)
        values = tuple(_column(each, decoded, members, document) for each in plan.columns)
    except _Wrong as wrong:
        value = shown(wrong.value)
        message = f"column {wrong.field!r} {wrong.rule}: {value!r}"
        return Reject(reason="wrong_type", message=message, index=index, line=line, field=wrong.field, value=value)
    return Single(values, unknown)


def decode_document(text: str) -> Any:
    """The document around records, with numbers as they are written in it."""
    return _DECODER.decode(text)


def constants(plan: Plan, document: Any) -> dict[tuple[str, int], Any] | None:
    """Values that columns take from the document, by column and number of the source.

    None where one is of another kind than its column, so that no record in this document fits.
    """
    try:
        return {
            (raw.name, number): _one(raw, _found(source, document, raw.field))
            for raw in plan.columns
            for number, source in enumerate(raw.sources)
            if source.path.of_document
        }
    except _Wrong:
        return None


def malformed(error: Exception, record: bytes, index: int, line: int | None) -> Reject:
    """A reject for a record that is not JSON."""
    reason, offset = why_malformed(error, record)
    before = record[:offset]
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
    if line is not None:
        line += before.count(b"\n")
    return Reject(
        reason="malformed_json",
        message=f"{_place(line, column)}not JSON: {reason}",
        index=index,
        line=line,
        column=column,
        value=record[max(0, offset - _EXCERPT_BYTES) : offset + _EXCERPT_BYTES].decode(errors="replace"),
    )


def shown(value: Any) -> str:
    """A value for people: texts as they are, anything else as JSON."""
    if isinstance(value, Written):
        return value.text[:_VALUE_CHARS]
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:_VALUE_CHARS]


def _place(line: int | None, column: int) -> str:
    return f"line {line}, column {column}: " if line is not None else ""


# ------------------------------------------------------------------------------------------------ columns


def _members(record: Mapping[str, Any], plan: Plan) -> list[Any] | None:
    """Members of the exploded list; None where there is no list."""
    if plan.exploded is None:
        return None
    field = plan.exploded.text
    members = _found(Source(plan.exploded, of_member=False), record, field)
    if members is None:
        return None
    if not isinstance(members, list):
        raise _Wrong(field, f"is {describe(members)}, expected an array", members)
    if not plan.takes_scalars:
        for member in members:
            if member is not None and not isinstance(member, dict):
                raise _Wrong(field, f"holds {describe(member)}, expected objects", member)
    return members


def _column(raw: RawColumn, record: Any, members: list[Any] | None, document: Any) -> Any:
    if not raw.is_list:
        return _value(raw, record, None, document)
    return None if members is None else [_value(raw, record, member, document) for member in members]


def _value(raw: RawColumn, record: Any, member: Any, document: Any) -> Any:
    def look(source: Source) -> Any:
        around = document if source.path.of_document else record
        return _one(raw, _found(source, member if source.of_member else around, raw.field))

    found = map(look, raw.sources)
    if raw.is_joined:
        parts = list(found)
        return None if None in parts else " ".join(parts)
    return next((value for value in found if value is not None), None)


def _found(source: Source, value: Any, field: str) -> Any:
    try:
        return source.path.find(value)
    except NoValue as error:
        raise _Wrong(field, f"cannot be computed ({error})", None) from error


def _one(raw: RawColumn, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, str) and raw.kind not in ("text", "time", "part") and value in raw.column.missing:
        return None
    if raw.kind == "json":
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if raw.kind == "list":
        if isinstance(value, list):
            return [_item(raw, each, value) for each in value]
        raise _Wrong(raw.field, f"is {describe(value)}, expected {raw.expected}", value)
    taken = _taken(raw, raw.kind, value)
    if taken is None:
        raise _Wrong(raw.field, f"is {describe(value)}, expected {raw.expected}", value)
    return taken


def _item(raw: RawColumn, value: Any, whole: list[Any]) -> Any:
    items = raw.column.items or "string"
    taken = None if value is None else _taken(raw, "text" if items == "string" else items, value)
    if taken is None:
        raise _Wrong(raw.field, f"is an array that holds {describe(value)}, expected {raw.expected}", whole)
    return taken


def _taken(raw: RawColumn, kind: Kind, value: Any) -> Any:
    """A value as its kind; None if it is of another. `value` is not null."""
    match kind, value:
        case "text", str():
            return value
        case (("time" | "part"), str()):
            return value
        case "bool", bool():
            return value
        case _, bool():
            return None
        case "int", (int() | float()):
            return _whole(value)
        case "float", (int() | float()):
            return _float(value)
        case "decimal", (int() | float() | str()):
            return _decimal(raw, value)
        case "time", (int() | float()):
            return _time(value) if raw.takes_numbers else None
        case "part", (int() | float()):
            return value.text if isinstance(value, Written) else str(value)
        case _:
            return None


# ------------------------------------------------------------------------------------------------ numbers


def _whole(value: float) -> int | None:
    if isinstance(value, float) and not value.is_integer():  # neither is one that is not finite
        return None
    return int(value) if -(1 << 63) <= value < 1 << 63 else None


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an int of more than 308 digits: the checks refuse what is not finite
        return math.inf if value > 0 else -math.inf


def _digits(value: float | str) -> Decimal | None:
    """A number exactly as it is written; None if it is none, or of an absurd size."""
    try:
        number = Decimal(value.text if isinstance(value, Written) else str(value))
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    return number if abs(number.adjusted()) <= _MAX_EXPONENT or not number else None


def _decimal(raw: RawColumn, value: float | str) -> Decimal | None:
    if isinstance(value, str) and (not value.isascii() or "_" in value):
        return None  # what Python takes for a number besides
    number = _digits(value)
    if number is None and isinstance(value, str):
        return None
    kept = None if number is None else number.quantize(Decimal(1).scaleb(-raw.digits_after), context=_EXACT)
    if kept is None or kept != number or len(kept.as_tuple().digits) > DIGITS:
        raise _Wrong(raw.field, f"is not a decimal({raw.column.precision},{raw.column.scale})", value)
    return kept


def _time(value: float) -> str:
    """A number as plain digits, without zeros that say nothing."""
    if isinstance(value, int):
        return str(value)
    number = _digits(value)
    if number is None:
        return str(value)
    text = format(number, "f") if number else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text
