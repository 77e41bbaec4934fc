"""Lines of JSON objects to raw columns: strict, columnar, and one by one only where a chunk fails."""

from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
from pyarrow import json as pa_json

from windrow.quarantine import Reject
from windrow.spec import ColumnType, StreamSpec
from windrow_consumer.checks import INDEX
from windrow_consumer.times import takes_numbers, takes_text

_CHUNK_RECORDS = 4_096
_BLOCK_BYTES = 4 << 20  # at least twice the largest record, so that one always fits
_VALUE_CHARS = 200
_INT64 = range(-(1 << 63), 1 << 63)
_ARROW: dict[ColumnType, pa.DataType] = {
    "string": pa.string(),
    "bool": pa.bool_(),
    "int": pa.int64(),
    "float": pa.float64(),
    "timestamp": pa.string(),
}
_JSON_KINDS = {str: "text", bool: "a bool", int: "a number", float: "a number", list: "an array", dict: "an object"}


def read_json_lines(body: bytes, indexes: Sequence[int], spec: StreamSpec) -> tuple[pl.DataFrame, list[Reject]]:
    """Raw columns of records, and rejects for those whose JSON values are of another kind than the spec says.

    `body` has one record a line, `indexes` their places in the batch. Only a chunk of lines that the strict columnar
    reader refuses is read one by one.
    """
    if not indexes:
        return pl.DataFrame(schema={**_raw_schema(spec), INDEX: pl.Int64()}), []
    whole = _read_columnar(body, len(indexes), spec)
    if whole is not None:
        return whole.with_columns(pl.Series(INDEX, indexes, pl.Int64)), []
    lines = body.split(b"\n")[: len(indexes)]
    frames: list[pl.DataFrame] = []
    rejects: list[Reject] = []
    for start in range(0, len(lines), _CHUNK_RECORDS):
        chunk, places = lines[start : start + _CHUNK_RECORDS], indexes[start : start + _CHUNK_RECORDS]
        frame = _read_columnar(b"\n".join(chunk) + b"\n", len(chunk), spec) if len(lines) > _CHUNK_RECORDS else None
        if frame is None:
            frame, places = _read_one_by_one(chunk, places, spec, rejects)
        frames.append(frame.with_columns(pl.Series(INDEX, places, pl.Int64)))
    return pl.concat(frames), rejects


def _read_columnar(body: bytes, record_count: int, spec: StreamSpec) -> pl.DataFrame | None:
    """All records at once, or None if any of them does not fit exactly."""
    formats = spec.time.formats
    if takes_numbers(formats) and takes_text(formats):
        return None  # one column cannot hold both; such streams are read record by record
    time_type = pa.int64() if takes_numbers(formats) else _ARROW["timestamp"]
    schema = pa.schema(
        [
            (spec.source_of(name), time_type if name == spec.time.column else _ARROW[column.type])
            for name, column in spec.columns.items()
        ]
    )
    try:
        table = pa_json.read_json(
            pa.BufferReader(body),
            read_options=pa_json.ReadOptions(block_size=_BLOCK_BYTES),
            parse_options=pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
        table.validate(full=True)  # the reader takes bytes that are not UTF-8 for text; what follows must not
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    if table.num_rows != record_count:  # two objects on one line
        return None
    frame = pl.DataFrame(table).select(pl.col(spec.source_of(name)).alias(name) for name in spec.columns)
    return frame.with_columns(pl.col(spec.time.column).cast(pl.String))


def _read_one_by_one(
    lines: Sequence[bytes], indexes: Sequence[int], spec: StreamSpec, rejects: list[Reject]
) -> tuple[pl.DataFrame, Sequence[int]]:
    rows: list[tuple[Any, ...]] = []
    kept: list[int] = []
    for line, index in zip(lines, indexes, strict=True):
        result = _read_record(line, index, spec)
        if isinstance(result, Reject):
            rejects.append(result)
        else:
            rows.append(result)
            kept.append(index)
    return pl.DataFrame(rows, schema=_raw_schema(spec), orient="row"), kept


def _raw_schema(spec: StreamSpec) -> dict[str, pl.DataType]:
    return {name: _polars(column.type) for name, column in spec.columns.items()}


def _read_record(line: bytes, index: int, spec: StreamSpec) -> tuple[Any, ...] | Reject:
    """A record's raw values in column order. When a name stands twice in it, the last one counts."""
    try:
        record = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return Reject(reason="malformed_json", message=f"not JSON: {error}", index=index, value=_excerpt(line))
    if not isinstance(record, dict):
        return Reject(reason="not_an_object", message="a record is a JSON object", index=index, value=_excerpt(line))
    values = []
    for name, column in spec.columns.items():
        source = spec.source_of(name)
        value = record.get(source)
        if value is not None and isinstance(value, str) and not _is_unicode(value):
            rule = "holds half of a surrogate pair, which is not text"
            return _wrong(index, source, rule, value)
        if value is None or _fits(value, column.type, spec, name):
            values.append(_raw(value, column.type))
            continue
        return _wrong(index, source, f"is {_describe(value)}, expected {_expected(column.type, spec, name)}", value)
    return tuple(values)


def _wrong(index: int, source: str, rule: str, value: object) -> Reject:
    shown = str(value).encode(errors="replace").decode()[:_VALUE_CHARS]
    message = f"column {source!r} {rule}: {shown!r}"
    return Reject(reason="wrong_type", message=message, index=index, field=source, value=shown)


def _fits(value: object, kind: ColumnType, spec: StreamSpec, name: str) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool) and value in _INT64
        case "float":
            return isinstance(value, float | int) and not isinstance(value, bool)
        case "timestamp":
            if isinstance(value, int | float) and not isinstance(value, bool):
                return name == spec.time.column and takes_numbers(spec.time.formats)
            return isinstance(value, str)


def _raw(value: Any, kind: ColumnType) -> Any:
    if kind == "timestamp" and isinstance(value, int | float):
        # repr keeps every digit of a float and never turns to exponents for times
        return format(value, "f") if isinstance(value, float) else str(value)
    if kind == "float" and isinstance(value, int):
        try:
            return float(value)
        except OverflowError:
            return float("inf")
    return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _describe(value: object) -> str:
    return _JSON_KINDS.get(type(value), "something else")


def _expected(kind: ColumnType, spec: StreamSpec, name: str) -> str:
    if kind == "timestamp":
        return "a time written as " + (", ".join(spec.time.formats) if name == spec.time.column else "iso8601")
    return {"string": "text", "bool": "a bool", "int": "a whole number of 64 bits", "float": "a number"}[kind]


def _polars(kind: ColumnType) -> pl.DataType:
    types: dict[ColumnType, pl.DataType] = {"bool": pl.Boolean(), "int": pl.Int64(), "float": pl.Float64()}
    return types.get(kind, pl.String())


def _excerpt(raw: bytes) -> str:
    return raw[:_VALUE_CHARS].decode(errors="replace")
