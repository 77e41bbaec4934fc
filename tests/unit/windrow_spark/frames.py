"""Records and definitions of these tests, to and from Spark."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from pydantic import TypeAdapter
from pyspark.sql import DataFrame, SparkSession

from windrow import spec
from windrow.lake.schema import segment_schema
from windrow.spec import WindowSpec
from windrow.spec.windows import AnyWindow

_STREAM = """
stream: meters
time: {column: ts}
keys: [k]
unique: [ts, id]
columns:
  {ts: timestamp, k: string, id: int, v: float, n: int, big: int, d: "decimal(10,2)", s: string, b: bool}
"""
STREAM = spec.parse(_STREAM, "meters.yaml")
NO_KEYS = spec.parse(_STREAM.replace("keys: [k]", "keys: []"), "meters.yaml")
SCHEMA = segment_schema(STREAM)
START = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday."""

Row = dict[str, Any]


def window(**settings: Any) -> WindowSpec:
    """A definition; settings as in a spec."""
    settings.setdefault("aggregates", {"total": "sum(v)"})
    found: WindowSpec = TypeAdapter(AnyWindow).validate_python(settings)
    return found


def at(second: float) -> datetime:
    """So many seconds after START."""
    return START + timedelta(seconds=second)


def records(rows: Iterable[Row]) -> pl.DataFrame:
    """Records with what is given of them. `t` is seconds after START; the id counts up, unless it is given."""
    full = []
    for number, row in enumerate(rows):
        given = {name: value for name, value in row.items() if name != "t"}
        told = {"ts": at(row["t"])} if "t" in row else {}
        full.append({"k": "a", "id": number, "_batch": "b", "_ordinal": number, "_received_at": START} | told | given)
    return pl.DataFrame(full, schema=SCHEMA, orient="row")


def values(*pairs: tuple[float, float | None], key: str | None = "a") -> list[Row]:
    """Rows of (second, v)."""
    return [{"t": second, "k": key, "v": value} for second, value in pairs]


def to_spark(session: SparkSession, rows: pl.DataFrame) -> DataFrame:
    return session.createDataFrame(rows.to_arrow(compat_level=pl.CompatLevel.oldest()))


def table(found: DataFrame | pl.DataFrame) -> pl.DataFrame:
    """What Spark makes of a plan."""
    return found if isinstance(found, pl.DataFrame) else pl.DataFrame(pl.from_arrow(found.toArrow()))


def in_order(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Rows in an order of their own, which does not hang on a float's last digit."""
    return sorted((tuple(row) for row in rows), key=lambda row: repr([_rounded(value) for value in row]))


def seconds(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Rows with times as seconds after START."""
    return [tuple(_second(value) for value in row) for row in rows.rows()]


def _second(value: Any) -> Any:
    if isinstance(value, datetime):
        since = (value - START).total_seconds()
        return int(since) if since.is_integer() else since
    return value


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return f"{value + 0.0:.6g}" if isinstance(value, float) else value


def differences(expected: Sequence[tuple[Any, ...]], found: Sequence[tuple[Any, ...]]) -> list[str]:
    """What differs, in words; floats by more than 1e-9 of the larger, or of 1."""
    if len(expected) != len(found):
        return [f"{len(expected)} rows and {len(found)}: {expected} and {found}"]
    return [
        f"{one!r} and {other!r} in {row} and {others}"
        for row, others in zip(expected, found, strict=True)
        for one, other in zip(row, others, strict=True)
        if not _is_same(one, other)
    ]


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_is_same(left, right) for left, right in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return type(one) is type(other) and bool(one == other)
