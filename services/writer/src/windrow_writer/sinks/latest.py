"""Which records stand for their keys in a key-value table, and how. Pure: rows in, records out.

What a type becomes: text, categories and JSON stay text; numbers become exact decimals (a float the shortest one that
reads back as the same float); times become text in ISO 8601 with microseconds and Z, days `2026-01-31`. A float that
the table has no number for (see FLOAT_BOUNDS) is text too. What is null is left out.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

import polars as pl

from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT
from windrow.latest import LatestRecord, Value
from windrow.spec import StreamSpec
from windrow.units import to_us

MAX_ITEM_BYTES = 400 * 1024
MAX_KEY_BYTES = 2_048
FLOAT_BOUNDS = (1e-130, 1e126)
"""The least size of a number, and the size that it must stay below."""
_OWN = ("_key", "_event_time_us", "_received_us", "_batch", "_ordinal")
_NUMBER_BYTES = 21
_NESTED_BYTES = 3


def latest_of(rows: pl.DataFrame, spec: StreamSpec) -> tuple[list[LatestRecord], list[str]]:
    """The latest record of every key among these rows, and why others that would be cannot stand in a table.

    A record that is refused takes no part: the one before it stands, as if it had never come.
    """
    is_first = spec.keep == "first"
    left = rows.sort(
        spec.time.column, RECEIVED_AT, BATCH, ORDINAL, descending=[False, is_first, is_first, is_first]
    ).with_row_index("__place")
    found: list[LatestRecord] = []
    refused: list[str] = []
    while left.height:
        again: list[int] = []
        last = left.unique(subset=list(spec.keys), keep="last", maintain_order=True)
        for place, record in zip(last["__place"], _records(last.drop("__place"), spec), strict=True):
            key_bytes, item_bytes = len(record.key.encode()), size_bytes(record)
            shown = record.key if len(record.key) <= 100 else f"{record.key[:100]}…"
            if key_bytes > MAX_KEY_BYTES:
                refused.append(f"the key {shown!r} has {key_bytes} bytes; a key may have {MAX_KEY_BYTES}")
            elif item_bytes > MAX_ITEM_BYTES:
                refused.append(f"the record of key {shown!r} has {item_bytes} bytes; an item may have {MAX_ITEM_BYTES}")
                again.append(place)
            else:
                found.append(record)
        # Of keys whose latest record was refused, the one before it is looked at.
        keys = last.filter(pl.col("__place").is_in(again)).select(spec.keys)
        left = left.join(keys, on=list(spec.keys), how="semi", maintain_order="left")
        left = left.filter(~pl.col("__place").is_in(again))
    return found, refused


def key_of(parts: Iterable[object]) -> str:
    """The values of the key columns as one text, which no other values have."""
    return "|".join(_text(part).replace("\\", "\\\\").replace("|", "\\|") or "\\0" for part in parts)


def size_bytes(record: LatestRecord) -> int:
    """How large the record is as an item, as DynamoDB counts it, every number taken for a long one."""
    own = sum(map(len, _OWN)) + len(record.key.encode()) + len(record.batch) + 3 * _NUMBER_BYTES
    return own + sum(len(name.encode()) + _size_bytes(value) for name, value in record.columns.items())


def _size_bytes(value: Value | None) -> int:
    match value:
        case None | bool():
            return 1
        case Decimal():
            return _NUMBER_BYTES
        case str():
            return len(value.encode())
        case _:
            return _NESTED_BYTES + sum(1 + _size_bytes(each) for each in value)


def _records(rows: pl.DataFrame, spec: StreamSpec) -> Iterable[LatestRecord]:
    columns = [name for name in rows.columns if not name.startswith("_")]
    for row in rows.iter_rows(named=True):
        yield LatestRecord(
            key=key_of(row[name] for name in spec.keys),
            event_time_us=to_us(row[spec.time.column]),
            received_us=to_us(row[RECEIVED_AT]),
            batch=row[BATCH],
            ordinal=row[ORDINAL],
            columns={name: value for name in columns if (value := _value(row[name])) is not None},
        )


def _value(found: object) -> Value | None:
    match found:
        case None | bool() | str() | Decimal():
            return found
        case int():
            return Decimal(found)
        case float():
            least, beyond = FLOAT_BOUNDS
            return Decimal(repr(found)) if found == 0 or least <= abs(found) < beyond else repr(found)
        case list():
            return [_value(each) for each in found]
        case _:
            return _text(found)


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case _:
            return str(value)
