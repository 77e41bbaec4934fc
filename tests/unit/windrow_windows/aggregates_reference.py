"""Streams, rows and groups for the tests of aggregates, and what each aggregate means in plain Python."""

import math
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
from hypothesis import strategies as st

from windrow import spec
from windrow.lake.schema import segment_schema
from windrow.spec import StreamSpec
from windrow.units import from_us, to_us
from windrow.windows import aggregates

NUMBERS = ("f", "i", "d")
OTHERS = ("text", "ok", "seen", "day")
OF_NUMBERS = ("sum", "mean")
OF_ANY = ("count", "min", "max", "first", "last")
Row = dict[str, Any]


def stream(outputs: str, keys: str = "[k]", unique: str = "[]", window: str = "size: 1h", more: str = "") -> StreamSpec:
    return spec.parse(
        f"stream: s\ntime: {{column: ts}}\nkeys: {keys}\nunique: {unique}\nbucket: 1d\n"
        "columns: {ts: timestamp, k: string, f: float, i: int, d: 'decimal(20,2)', long: 'decimal(38,2)', "
        f"text: string, ok: bool, seen: timestamp, day: date{more}}}\n"
        f"windows: {{w: {{{window}, aggregates: {{{outputs}}}}}}}",
        "x",
    )


def frame(rows: Sequence[Row], parsed: StreamSpec) -> pl.DataFrame:
    """Rows as a frame; each gets a place of its own in a batch."""
    placed = [{"_batch": f"b{number % 3}", "_ordinal": number, **row} for number, row in enumerate(rows)]
    return pl.DataFrame(placed, schema=segment_schema(parsed))


def whole(rows: pl.DataFrame, parsed: StreamSpec, by: Sequence[str] = ("k",)) -> pl.DataFrame:
    window = parsed.windows["w"]
    prepared = aggregates.prepared(rows.lazy(), parsed, window)
    return aggregates.whole(prepared, by, parsed, window).sort(by)


def in_steps(rows: pl.DataFrame, parsed: StreamSpec, seed: random.Random, by: Sequence[str] = ("k",)) -> pl.DataFrame:
    """Of any split of the rows: parts of each piece, merged two or more at a time until one is left."""
    window = parsed.windows["w"]
    places = pl.Series([seed.randrange(4) for _ in range(rows.height)], dtype=pl.Int64())
    pieces = [rows.filter(places == place) for place in range(4)]
    found = [aggregates.parts(piece.lazy(), by, parsed, window) for piece in pieces]
    while len(found) > 1:
        seed.shuffle(found)
        count = seed.randint(2, len(found))
        found = [*found[count:], aggregates.merge(pl.concat(found[:count]), by, parsed, window)]
    return aggregates.finish(found[0], by, parsed, window).sort(by)


# ------------------------------------------------------------------------------------------------ in plain Python


@dataclass(frozen=True)
class Member:
    """A row's value of one column, when it was, and its place among equals."""

    value: Any
    at: int
    id: tuple[Any, ...]


def members(rows: Sequence[Row], column: str) -> list[Member]:
    """In order of time and record id; rows without a value too."""
    placed = [
        Member(row[column], to_us(row["ts"]), (row.get("_batch", f"b{number % 3}"), row.get("_ordinal", number)))
        for number, row in enumerate(rows)
    ]
    return sorted(placed, key=lambda member: (member.at, member.id))


def nearest(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def _sum(values: list[Any]) -> Any:
    total = sum(map(Fraction, values))
    if isinstance(values[0], float):
        return nearest(total)
    return int(total) if isinstance(values[0], int) else sum(values, Decimal(0))


APPLIED: dict[str, Callable[[list[Any]], Any]] = {
    "sum": _sum,
    "mean": lambda values: nearest(sum(map(Fraction, values)) / len(values)),
    "min": min,
    "max": max,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "collect": list,
    "n_unique": lambda values: len(set(values)),
    "median": lambda values: nearest(statistics.median(map(Fraction, values))),
}


def expected(function: str, column: str, rows: Sequence[Row]) -> Any:
    found = [member.value for member in members(rows, column) if member.value is not None]
    if function == "count":
        return len(found)
    if not found:
        return 0 if function == "n_unique" else None
    return APPLIED[function](found)


# ------------------------------------------------------------------------------------------------ any rows

times = st.integers(-3, 3).map(lambda number: from_us(number * 1_000_000))
"""Few, so that several rows come at once."""
floats = st.floats(allow_nan=False, allow_infinity=False, max_value=1e300, min_value=-1e300)
some_floats = floats | st.floats(-100, 100) | st.sampled_from([0.0, -0.0, 0.1, 5e-324, 1e300, -1e300])
ints = st.integers(-(2**59), 2**59 - 1) | st.integers(-5, 5)
decimals = st.integers(-(10**20) + 1, 10**20 - 1).map(lambda units: Decimal(units).scaleb(-2))
any_row = st.fixed_dictionaries(
    {
        "k": st.none() | st.sampled_from(["a", "b", ""]),
        "ts": times,
        "f": st.none() | some_floats,
        "i": st.none() | ints,
        "d": st.none() | decimals,
        "text": st.none() | st.sampled_from(["", "x", "Z", "é"]),
        "ok": st.none() | st.booleans(),
        "seen": st.none() | times,
        "day": st.none() | times.map(lambda time: time.date()),
    }
)
any_rows = st.lists(any_row, max_size=20)
