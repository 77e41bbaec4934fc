"""Definitions and records by number: the same ones in every run."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import polars as pl

from tests.unit.windrow_spark.frames import records

_SHORT = (datetime(2026, 1, 5, tzinfo=UTC), timedelta(minutes=5), 80)
_SPRING = (datetime(2026, 3, 26, 20, tzinfo=UTC), timedelta(minutes=30), 250)
_AUTUMN = (datetime(2026, 10, 22, 20, tzinfo=UTC), timedelta(minutes=30), 250)
_MONTHS = (datetime(2025, 12, 20, tzinfo=UTC), timedelta(hours=6), 700)
_OLD = (datetime(1969, 12, 31, 20, tzinfo=UTC), timedelta(minutes=5), 80)
_DATE_LINE = (datetime(2011, 12, 27, tzinfo=UTC), timedelta(hours=1), 150)
_ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC")

_SMALL = ("v", "n", "d")
_NUMBERS = (*_SMALL, "big")
_IN_FLOATS = ("std", "var")
"""Computed in floats, which do not tell big integers apart."""
_OF_NUMBERS = (
    *("sum", "mean", "std", "var", "median", "quantile", "rate", "increase", "changes", "resets"),
    *("time_weighted_mean", "integral"),
)
_OF_ANY = (
    "count",
    "min",
    "max",
    "first",
    "last",
    "n_unique",
    "collect",
    "time_of_min",
    "time_of_max",
    "approx_n_unique",
)
_NO_NUMBERS = ("collect", "time_of_min", "time_of_max")
_MERGING = ("count", "sum", "mean", "min", "max", "first", "last")


@dataclass(frozen=True)
class Case:
    """A definition, records to compute it of, and whether there are keys."""

    settings: dict[str, Any]
    rows: pl.DataFrame
    keys: bool

    def __str__(self) -> str:
        return str(self.settings)


def case(number: int) -> Case:
    """Kinds take turns; all else is drawn."""
    random = Random(f"windrow {number}")
    kinds = (_fixed, _calendar, _fixed, _session, _calendar, _sequence, _count, _sequence, _pairwise)
    settings, stretch = kinds[number % len(kinds)](random)
    settings["aggregates"] = _aggregates(random, settings)
    return Case(settings, records(_rows(random, *stretch)), random.random() < 0.9)


Stretch = tuple[datetime, timedelta, int]
Drawn = tuple[dict[str, Any], Stretch]


def _fixed(random: Random) -> Drawn:
    kind = random.choice(("tumbling", "sliding", "sliding", "cumulative"))
    settings: dict[str, Any] = {"kind": kind}
    match kind:
        case "tumbling":
            settings["size"] = random.choice(("10m", "45m", "1h"))
        case "sliding":
            settings["size"], settings["slide"] = random.choice(
                (("30m", "10m"), ("25m", "10m"), ("1h", "1h"), ("20m", "15m"))
            )
        case _:
            settings["size"], settings["step"] = random.choice((("1h", "15m"), ("40m", "20m"), ("30m", "30m")))
    start, step, count = random.choice((_SHORT, _SHORT, _OLD))
    _with_filling(random, settings, start, step * count, ("-5m", "7m", "3h"))
    return settings, (start, step, count)


def _calendar(random: Random) -> Drawn:
    kind = random.choice(("tumbling", "sliding", "sliding", "cumulative", "cumulative"))
    settings: dict[str, Any] = {"kind": kind, "timezone": random.choice(_ZONES)}
    months = random.random() < 0.4
    match kind:
        case "tumbling":
            settings["size"] = random.choice(("1mo", "2w", "1q") if months else ("1d", "2d", "1w"))
        case "sliding":
            long = (("1mo", "1w"), ("2mo", "1mo"), ("1mo", "1d"))
            short = (("2d", "1d"), ("1d", "6h"), ("1w", "2d"), ("3d", "1d"))
            settings["size"], settings["slide"] = random.choice(long if months else short)
        case _:
            long = (("1mo", "1d"), ("1q", "1mo"), ("1w", "1d"))
            short = (("1d", "1h"), ("1d", "6h"), ("2d", "1d"), ("1w", "1d"))
            settings["size"], settings["step"] = random.choice(long if months else short)
    start, step, count = _MONTHS if months else random.choice((_SPRING, _AUTUMN, _SPRING, _AUTUMN, _DATE_LINE))
    if start == _DATE_LINE[0]:
        settings["timezone"] = "Pacific/Apia"
    _with_filling(random, settings, start, step * count, ("6h", "-3h", "2h30m", "30h"))
    return settings, (start, step, count)


def _with_filling(
    random: Random, settings: dict[str, Any], start: datetime, length: timedelta, offsets: tuple[str, ...]
) -> None:
    if random.random() < 0.4:
        settings["offset"] = random.choice(offsets)
    if random.random() < 0.2:
        settings["closed"] = "right"
    if random.random() < 0.4:
        return
    settings["fill"] = random.choice(("null", "zero", "previous", "linear", 2.0, 0.5))
    if random.random() < 0.4:
        settings["fill_limit"] = random.randint(1, 3)
    if random.random() < 0.4:
        settings["max_gap"] = random.randint(2, 8)
    if random.random() < 0.3:
        settings["fill_from"] = start + length * random.uniform(-0.1, 0.6)
    if random.random() < 0.3:
        settings["fill_to"] = start + length * random.uniform(0.4, 1.1)


def _session(random: Random) -> Drawn:
    settings: dict[str, Any] = {
        "kind": "session",
        "gap": random.choice(("5m", "10m", "12m")),
        "gap_inclusive": random.random() < 0.5,
        "session_end": random.choice(("gap", "last")),
    }
    if random.random() < 0.5:
        settings["max_duration"] = random.choice(("15m", "20m", "32m"))
    return settings, random.choice((_SHORT, _OLD))


def _sequence(random: Random) -> Drawn:
    settings: dict[str, Any] = {
        "kind": "sequence",
        "step": random.choice(("5m", "10m", "15m")),
        "length": random.randint(1, 6),
        "fill": random.choice(("null", "zero", "previous", "linear", 2.0, 0.5)),
        "padding": random.choice(("null", "zero", -1.0)),
        "mask": random.random() < 0.5,
        "horizon": random.choice((0, 0, 1, 3)),
    }
    if random.random() < 0.6:
        settings["stride"] = random.randint(1, 8)
    if random.random() < 0.4:
        settings["offset"] = random.choice(("-5m", "7m"))
    if random.random() < 0.4:
        settings["fill_limit"] = random.randint(1, 3)
    if random.random() < 0.4:
        settings["max_gap"] = random.randint(1, 4)
    settings["min_observed"] = random.randint(1, min(3, settings["length"]))
    start, step, count = _SHORT
    if random.random() < 0.4:
        settings["validate_from"] = start + step * random.randint(20, 40)
    if random.random() < 0.4:
        settings["test_from"] = start + step * random.randint(45, 60) + timedelta(minutes=1)
    return settings, (start, step, count)


def _count(random: Random) -> Drawn:
    length = random.randint(1, 6)
    return {"kind": "count", "length": length, "stride": random.choice((None, 1, 2, length + 2))}, _SHORT


def _pairwise(random: Random) -> Drawn:
    return {"kind": "pairwise", "size": random.choice(("5m", "12m", "1h"))}, _SHORT


# ------------------------------------------------------------------------------------------------ aggregates


def _aggregates(random: Random, settings: dict[str, Any]) -> dict[str, Any]:
    is_any = {settings.get("fill"), settings.get("padding")} <= {None, "null", "previous"}
    functions = (*_OF_NUMBERS, *_OF_NUMBERS, *_OF_ANY)
    if not is_any:  # specs refuse to put numbers where there are none
        functions = tuple(function for function in functions if function not in _NO_NUMBERS)
    found: dict[str, Any] = {"rows": "count"}
    merging = random.random() < 0.4  # panes are for these
    for number in range(random.randint(2, 6)):
        function = random.choice(_MERGING if merging else functions)
        is_free = function not in ("sum", "mean") and function not in _OF_NUMBERS and is_any
        columns = _SMALL if function in _IN_FLOATS else (*_NUMBERS, "s", "b") if is_free else _NUMBERS
        each: dict[str, Any] = {"function": function, "column": random.choice(columns)}
        if function == "quantile":
            each["share"] = random.choice((0.0, 0.1, 0.75, 1.0))
        if function in ("time_weighted_mean", "integral"):
            each["carry"] = random.choice(("previous", "linear", "none", None))
            if random.random() < 0.5:
                each["max_carry"] = random.choice(("7m", "25m", "5h"))
        if function != "count" and random.random() < 0.15:
            each["skip_nulls"] = False
        found[f"x{number}"] = each
    return found


# ------------------------------------------------------------------------------------------------ records


def _rows(random: Random, start: datetime, step: timedelta, count: int) -> list[dict[str, Any]]:
    """Some 50 records with gaps, ties, nulls and times at bounds."""
    rows = []
    for key in ("a", "b", None):
        place = random.randint(0, count // 4)
        while place < count and len(rows) < 80:
            rows.append(_row(random, key, start + step * place))
            place += random.choice((0, 0, 1, 1, 1, 2, count // 12, count // 6 if random.random() < 0.3 else 1))
    random.shuffle(rows)
    return rows


def _row(random: Random, key: str | None, time: datetime) -> dict[str, Any]:
    jitter = timedelta(seconds=random.choice((0, 0, 0, 0, 1, 59)))
    return {
        "ts": time + jitter,
        "k": key,
        "v": random.choice((None, -0.0, 0.0, *(random.randint(-32, 32) / 8 for _ in range(6)))),
        "n": random.choice((None, random.randint(-9, 9), random.randint(0, 100))),
        "big": random.choice((None, 2**53 + random.randint(0, 9), -(2**56) + random.randint(0, 9))),
        "d": random.choice((None, Decimal(random.randint(-500, 500)) / 100, Decimal(random.randint(0, 99)))),
        "s": random.choice((None, "", "a", "b", "ä", "zz")),
        "b": random.choice((None, True, False)),
    }
