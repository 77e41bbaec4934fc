"""Parquet and Arrow files to pieces. Their columns are typed already; what the spec says still decides."""

import base64
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial

import msgspec
import polars as pl
import pyarrow as pa
from pyarrow import parquet

from windrow.decoding.chunks import INDEX, Chunk, Original, Piece
from windrow.decoding.unknown import FieldKind, Unknown
from windrow.errors import BadInput, TooLarge, first_line
from windrow.quarantine import Reject
from windrow.spec import StreamSpec

_MAX_PIECE_ROWS = 1 << 16
_VALUE_CHARS = 200
DAY_S = 86_400
_FIRST_S, _LAST_S = -62_135_596_800, 253_402_300_800
"""From year 1 up to year 10000."""


def cut_parquet(body: bytes, spec: StreamSpec, *, chunk_bytes: int, max_plain_bytes: int) -> Iterator[Piece]:
    """A Parquet file in pieces of about `chunk_bytes`. Raises BadInput when it is none, TooLarge when it says it is."""
    try:
        with parquet.ParquetFile(pa.BufferReader(body)) as file:
            plain_bytes = sum(file.metadata.row_group(each).total_byte_size for each in range(file.num_row_groups))
            if plain_bytes > max_plain_bytes:
                raise TooLarge(f"the file inflates to {plain_bytes} bytes; the limit is {max_plain_bytes}")
            per_row_bytes = max(1, plain_bytes // max(1, file.metadata.num_rows))
            rows = max(1, min(_MAX_PIECE_ROWS, chunk_bytes // per_row_bytes))
            names = list(dict.fromkeys(file.schema_arrow.names))
            if len(names) < len(file.schema_arrow.names):
                raise BadInput("the file names a column more than once")
            for batch in file.iter_batches(batch_size=rows):
                yield partial(_read, batch, spec)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadInput(f"the file is not Parquet that can be read: {first_line(error)}") from error


def cut_arrow(body: bytes, spec: StreamSpec) -> Iterator[Piece]:
    """An Arrow IPC file or stream in pieces. Raises BadInput when it is neither."""
    try:
        if body.startswith(b"ARROW1"):
            file = pa.ipc.open_file(pa.BufferReader(body))
            batches = (file.get_batch(number) for number in range(file.num_record_batches))
            names = file.schema.names
        else:
            stream = pa.ipc.open_stream(pa.BufferReader(body))
            batches, names = iter(stream), stream.schema.names
        if len(set(names)) < len(names):
            raise BadInput("the file names a column more than once")
        for batch in batches:
            batch.validate(full=True)
            for start in range(0, batch.num_rows, _MAX_PIECE_ROWS):
                yield partial(_read, batch.slice(start, _MAX_PIECE_ROWS), spec)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadInput(f"the file is not Arrow that can be read: {first_line(error)}") from error


def _read(batch: pa.RecordBatch, spec: StreamSpec) -> Chunk:
    try:
        frame = pl.DataFrame(pa.Table.from_batches([batch]))
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,  # a schema that is damaged
        pa.ArrowException,
        TypeError,
        ValueError,
    ) as error:
        raise BadInput(f"the file holds columns that cannot be read: {first_line(error)}") from error
    frame, unreal = _without_unreal_times(frame)
    used: set[str] = set()
    raw: list[pl.Series] = []
    for name in spec.read:
        if name == spec.time.column and spec.time.parts:
            raw.append(_joined(frame, spec.time.parts, used).alias(name))
        else:
            found = [
                each
                for each in (_source(frame, path, spec, used) for path in spec.sources_of(name))
                if each is not None
            ]
            raw.append(_prepared(found, spec, name, frame.height))
    rows = pl.DataFrame([*raw, pl.int_range(frame.height, dtype=pl.Int64, eager=True).alias(INDEX)])
    unknown, rejects = _unknown(frame, spec, used | ({spec.explode.split(".")[0]} if spec.explode else set()))
    rejects = tuple({reject.index: reject for reject in (*rejects, *unreal)}.values())
    if rejects:
        rows = rows.filter(~pl.col(INDEX).is_in([reject.index for reject in rejects]))

    def original(index: int) -> Original:
        return Original(None, msgspec.json.encode(_plain(frame.row(index, named=True))))

    return Chunk(
        rows=rows, rejects=rejects, record_count=frame.height, original=original, format="json", unknown=unknown
    )


def _without_unreal_times(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Reject]]:
    """The frame without times beyond the years 1 to 9999, at which libraries stumble, and a reject for each row."""
    rejects: list[Reject] = []
    for name, kind in frame.schema.items():
        if not isinstance(kind, pl.Datetime | pl.Date):
            continue
        per_s = (
            {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[kind.time_unit] if isinstance(kind, pl.Datetime) else 0
        )
        first, last = (_FIRST_S * per_s, _LAST_S * per_s - 1) if per_s else (_FIRST_S // DAY_S, _LAST_S // DAY_S - 1)
        count = frame[name].to_physical().cast(pl.Int64)
        is_unreal = ~count.is_between(max(first, -(1 << 63)), min(last, (1 << 63) - 1)).fill_null(value=True)
        for index in is_unreal.arg_true():
            message = f"column {name!r} is a time beyond the years 1 to 9999: {count[index]}"
            rejects.append(Reject(reason="bad_time", message=message, index=index, field=name, value=str(count[index])))
        if rejects:
            frame = frame.with_columns(pl.when(~is_unreal).then(pl.col(name)).alias(name))
    return frame, sorted(rejects, key=lambda reject: reject.index or 0)


# ------------------------------------------------------------------------------------------------ sources


def _source(frame: pl.DataFrame, path: str, spec: StreamSpec, used: set[str]) -> pl.Series | None:
    """The values at a path: a column of that very name, else fields of structs by dots. None where there is none."""
    if path in frame.columns:
        used.add(path)
        return frame[path]
    head, *rest = path.replace("[]", "").replace('"', "").split(".")
    if head not in frame.columns or not rest:
        return None
    used.add(head)
    found = frame[head]
    for name in rest:
        is_member = isinstance(found.dtype, pl.List)
        kind = found.dtype.inner if isinstance(found.dtype, pl.List) else found.dtype
        if not isinstance(kind, pl.Struct) or name not in {field.name for field in kind.fields}:
            return None
        if is_member and spec.explode is None:
            return None
        found = found.list.eval(pl.element().struct.field(name)) if is_member else found.struct.field(name)
    return found


def _joined(frame: pl.DataFrame, parts: tuple[str, ...], used: set[str]) -> pl.Series:
    """The parts of the time as one text; null where one of them is."""
    used.update(parts)
    present = [pl.col(part).cast(pl.String) if part in frame.columns else pl.lit(None, pl.String) for part in parts]
    return frame.select(pl.concat_str(present, separator=" ").alias("joined"))["joined"]


def _prepared(found: list[pl.Series], spec: StreamSpec, name: str, row_count: int) -> pl.Series:
    """A raw column: text where text is wanted or markers are to be compared, else the values as they are."""
    column = spec.columns[name]
    if column.type == "json":
        found = [_as_json(each) for each in found]
    values = [
        _as_raw(each, as_text=bool(column.missing) or column.type in ("string", "categorical", "decimal"))
        for each in found
    ]
    if not values:
        return pl.Series(name, [None] * row_count, pl.String)
    first = values[0]
    for other in values[1:]:
        if other.dtype != first.dtype:
            first, other = first.cast(pl.String), other.cast(pl.String)  # noqa: PLW2901
        first = pl.select(pl.coalesce(first, other)).to_series()
    return first.alias(name)


def _as_json(values: pl.Series) -> pl.Series:
    texts = [None if each is None else msgspec.json.encode(_plain(each)).decode() for each in values.to_list()]
    return pl.Series(values.name, texts, pl.String)


def _as_raw(values: pl.Series, *, as_text: bool) -> pl.Series:
    kind = values.dtype
    if isinstance(kind, pl.Categorical | pl.Enum) or (as_text and not kind.is_nested() and kind != pl.Binary()):
        return values.cast(pl.String)
    if kind.is_integer():
        return values.cast(pl.Int64, strict=False) if kind != pl.UInt64() else values.cast(pl.String)
    if kind == pl.Float32():
        return values.cast(pl.Float64)
    return values


# ------------------------------------------------------------------------------------------------ what nobody named


def _unknown(frame: pl.DataFrame, spec: StreamSpec, used: set[str]) -> tuple[dict[str, Unknown], tuple[Reject, ...]]:
    extra = [name for name in frame.columns if name not in used and frame[name].count()]
    if spec.schema_policy != "freeze":
        return {name: Unknown(frame[name].count(), _kind(frame[name].dtype)) for name in extra}, ()
    refused: dict[int, Reject] = {}
    for name in extra:
        for index in frame[name].is_not_null().arg_true():
            value = str(frame[name][index])[:_VALUE_CHARS]
            message = f"column {name!r} is not in the spec, which is frozen: {value!r}"
            refused.setdefault(
                index, Reject(reason="unknown_field", message=message, index=index, field=name, value=value)
            )
    return {}, tuple(refused[index] for index in sorted(refused))


def _kind(kind: pl.DataType) -> FieldKind:
    if kind.is_nested():
        return "json"
    if kind.is_integer():
        return "int"
    if kind.is_float():
        return "float"
    return "bool" if kind == pl.Boolean() else "string"


def _plain(value: object) -> object:
    """A row as JSON can hold it."""
    match value:
        case dict():
            return {str(name): _plain(each) for name, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case bytes():
            return base64.b64encode(value).decode()
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal() | timedelta():
            return str(value)
        case float() if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124  NaN
            return str(value)
        case _:
            return value
