"""Window definitions and records for hypothesis to draw, and a few fixed specs to draw them under.

A draw is a `Scene`: a definition and records on the same scale of time, so that many of them stand on the bounds of
windows, one µs beside them, before 1970, or where clocks are put forward and back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import polars as pl
from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter
from pydantic import TypeAdapter

from windrow import spec as specs
from windrow.lake.schema import BATCH, ORDINAL, column_type
from windrow.spec import StreamSpec, WindowSpec
from windrow.spec.windows import FUNCTIONS, NUMERIC_ONLY, AnyWindow
from windrow.units import DAY_US, SECOND_US, from_us, to_us

Record = dict[str, Any]
HOUR_US = 3_600 * SECOND_US

_COLUMNS = """
stream: s
time: {column: ts}
columns:
  ts: timestamp
  site: string
  line: int
  id: string
  value: float
  amount: int
  price: decimal(12,2)
  label: string
  ok: bool
  seen: timestamp
  day: date
  tags: list(int)
"""
KEYED = specs.parse(f"{_COLUMNS}keys: [site, line]\nunique: [ts, id]\n", "keyed")
"""Two keys; a record's id is its time and a text."""
ONE_KEY = specs.parse(f"{_COLUMNS}keys: [site]\n", "one key")
"""One key; a record's id is where it was received."""
PLAIN = specs.parse(f"{_COLUMNS}unique: [ts, line, id]\n", "plain")
"""No keys; a record's id is its time, a number and a text."""

NUMBERS = ("value", "amount", "price")
ANY = (*NUMBERS, "label", "ok", "seen", "day", "ts")


def window_of(**settings: Any) -> WindowSpec:
    """A definition outside any spec, so that a draw need not be a whole stream."""
    return TypeAdapter(AnyWindow).validate_python(settings)


def frame(records: Sequence[Mapping[str, Any]], spec: StreamSpec) -> pl.DataFrame:
    """Records as the engine takes them: the stored columns and the identity."""
    schema = {name: column_type(spec.columns[name]) for name in spec.stored}
    if not spec.unique:
        schema |= {BATCH: pl.String(), ORDINAL: pl.Int64()}
    return pl.DataFrame([{name: record[name] for name in schema} for record in records], schema=schema, orient="row")


def duration(length_us: int) -> str:
    """A length of time as specs write it."""
    return f"-{-length_us}us" if length_us < 0 else f"{length_us}us"


# ------------------------------------------------------------------------------------------------ values

_FLOATS = st.sampled_from([0.0, -0.0, 0.1, 0.2, 0.3, 1 / 3, -7.25, 1e6 + 0.1, 5.0, 6.0]) | st.floats(0.001, 1e6)
_INTEGERS = st.sampled_from([0, 1, 2, -3, 10, 2**58, -(2**58)]) | st.integers(-5, 5)
_DECIMALS = st.sampled_from([Decimal("0.10"), Decimal("0.20"), Decimal("-1.05"), Decimal("9999999999.99")])
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "value": _FLOATS,
    "amount": _INTEGERS,
    "price": _DECIMALS,
    "label": st.sampled_from(["a", "b", "ä", "", "Z"]),
    "ok": st.booleans(),
    "seen": st.sampled_from([datetime(1969, 12, 31, tzinfo=UTC), datetime(2026, 1, 1, microsecond=1, tzinfo=UTC)]),
    "day": st.sampled_from([date(1969, 12, 31), date(2026, 2, 28)]),
    "tags": st.sampled_from([[], [1], [1, None]]),
}


_PLACES = {
    "site": st.sampled_from(["a", "b", None]),
    "line": st.sampled_from([1, 2, None]),
    "id": st.sampled_from("pqrst"),
    BATCH: st.sampled_from(["x", "y"]),
    ORDINAL: st.integers(0, 9),
}


@cache
def _drafts(columns: frozenset[str], reach: int) -> st.SearchStrategy[list[Record]]:
    """Up to a dozen records whose time is still a number of units and what is beside it. Slow to make, so kept."""
    values = {name: st.none() | VALUES[name] if name in columns else st.none() for name in VALUES}
    at = st.tuples(st.integers(-reach, reach), st.sampled_from([0, 0, 0, -1, 1]))
    return st.lists(st.fixed_dictionaries({"ts": at, **_PLACES, **values}), max_size=12)


def _records(draw: st.DrawFn, spec: StreamSpec, scale: "Scale", columns: Iterable[str]) -> list[Record]:
    """Records in any order, none twice. Only the columns that are looked at hold anything."""
    found = {}
    for draft in draw(_drafts(frozenset(columns), scale.reach)):
        record = draft | {"ts": from_us(scale.time(*draft["ts"]))}
        # What identifies a record is never null.
        record |= {name: 1 for name in spec.identity if record[name] is None}
        found[tuple(record[name] for name in spec.identity)] = record
    return list(found.values())


# ------------------------------------------------------------------------------------------------ aggregates


@st.composite
def aggregates(
    draw: st.DrawFn, stand_ins: Sequence[object] = (), without: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """A few outputs in which these ways to fill and to pad may stand."""
    numbers_only = any(each not in (None, "null", "previous") for each in stand_ins)
    unfit = set(without)
    if numbers_only:
        unfit |= {"collect", "time_of_min", "time_of_max"}
    if "linear" in stand_ins:  # the reference says of a sketch only what it may be, so it can draw no line to it
        unfit |= {"approx_quantile", "approx_n_unique"}
    functions = [name for name in FUNCTIONS if name not in unfit]
    found: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(functions), min_size=1, max_size=3)):
        if name in NUMERIC_ONLY or (numbers_only and name not in {"count", "n_unique", "approx_n_unique"}):
            column = draw(st.sampled_from(NUMBERS))
        else:
            column = draw(st.sampled_from((*ANY, "tags") if name == "count" else ANY))
        aggregate: dict[str, Any] = {"function": name, "column": column}
        if name in {"quantile", "approx_quantile"}:
            aggregate["share"] = draw(st.sampled_from([0, 0.1, 0.5, 0.95, 1]))
        if name in {"time_weighted_mean", "integral"}:
            aggregate["carry"] = draw(st.sampled_from([None, "previous", "linear", "none"]))
            if aggregate["carry"] != "none":
                aggregate["max_carry"] = draw(st.sampled_from([None, "0s", "2us", "2s", "3h"]))
        if name != "count":
            aggregate["skip_nulls"] = draw(st.sampled_from([True, True, False]))
        if name == "count" and draw(st.booleans()):
            aggregate = {"function": "count"}
        found[f"x{len(found)}"] = aggregate
    return found


_IN_PARTS = {"count", "sum", "mean", "min", "max", "first", "last", "approx_quantile", "approx_n_unique"}
NOT_IN_PARTS = frozenset(set(FUNCTIONS) - _IN_PARTS)
"""What keeps a definition from being computed in parts."""


# ------------------------------------------------------------------------------------------------ scenes


@dataclass(frozen=True, repr=False)
class Scene:
    """A spec, a definition and records that fit each other."""

    spec: StreamSpec
    window: WindowSpec
    records: list[Record]

    def __repr__(self) -> str:
        """Only what is set, so that a failing example can be read."""
        records = [{name: value for name, value in each.items() if value is not None} for each in self.records]
        settings = {name: getattr(self.window, name) for name in sorted(self.window.model_fields_set)}
        lines = [f"keys {self.spec.keys}, id {self.spec.identity}", str(settings), *map(str, records)]
        return "\n".join(["Scene(", *lines, ")"])

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:
        printer.text(repr(self))

    @property
    def rows(self) -> pl.DataFrame:
        return frame(self.records, self.spec)


@dataclass(frozen=True)
class Scale:
    """A unit of time, where records are about, and how far they reach, in units."""

    unit: int
    base: int
    reach: int

    def time(self, units: int, beside_us: int = 0) -> int:
        """A time so many units from the base; beside it only where that is less than a unit."""
        return self.base + units * self.unit + (beside_us if self.unit > 1 else 0)

    def two_times(self, draw: st.DrawFn) -> list[datetime]:
        """Two, the earlier one first."""
        first = draw(st.integers(-self.reach, self.reach))
        return [from_us(self.time(number)) for number in (first, first + draw(st.integers(1, 9)))]

    def length(self, draw: st.DrawFn, most: int) -> str:
        return duration(draw(st.integers(1, most)) * self.unit)

    def offset(self, draw: st.DrawFn) -> str:
        whole = draw(st.sampled_from([0, 0, 1, -1, 2, 5, 17, -30]))
        return duration(whole * self.unit + draw(st.sampled_from([0, 0, 3])))


SCALES = st.builds(
    Scale,
    unit=st.sampled_from([1, 250_000, SECOND_US]),
    base=st.sampled_from([0, -7 * SECOND_US, 1_774_745_995 * SECOND_US]),
    reach=st.sampled_from([3, 12]),
)
ZONES = {
    "UTC": ["2026-03-29T00:00Z", "1969-12-31T12:00Z"],
    "Europe/Berlin": ["2026-03-29T01:00Z", "2026-10-25T01:00Z", "1969-12-31T23:00Z"],
    "America/Chicago": ["2021-11-07T07:00Z", "2022-03-13T08:00Z"],
    "America/Havana": ["2026-11-01T05:00Z", "2026-03-08T05:00Z"],
    "America/Sao_Paulo": ["2018-11-04T03:00Z", "2018-02-18T02:00Z"],
    "Australia/Lord_Howe": ["2026-04-04T15:00Z", "2026-10-03T15:30Z"],
    "Asia/Kathmandu": ["1985-12-31T18:30Z"],
    "Pacific/Apia": ["2011-12-30T10:00Z"],
}
"""Zones and times at which their clocks change: at two in the morning, at midnight, by half an hour, by a day."""


def _scene(draw: st.DrawFn, settings: dict[str, Any], scale: Scale, without: frozenset[str] = frozenset()) -> Scene:
    spec = draw(st.sampled_from([KEYED, ONE_KEY, PLAIN]))
    outputs = draw(aggregates([settings.get("fill"), settings.get("padding")], without))
    window = window_of(**settings, aggregates=outputs)
    columns = [each.column for each in window.aggregates.values() if each.column is not None]
    return Scene(spec, window, _records(draw, spec, scale, columns))


@st.composite
def _fills(draw: st.DrawFn, ranges: Scale | None = None) -> dict[str, Any]:
    """How gaps are filled. Ranges only where their scale is given."""
    fill = draw(st.sampled_from([None, None, "null", "zero", "previous", "linear", 1.0, 0.5]))
    if fill is None:
        return {}
    settings: dict[str, Any] = {"fill": fill}
    settings["fill_limit"] = draw(st.sampled_from([None, None, 1, 2]))
    settings["max_gap"] = draw(st.sampled_from([None, None, 1, 3]))
    if ranges is not None and draw(st.integers(0, 3)) == 0:
        low, high = ranges.two_times(draw)
        settings |= draw(
            st.sampled_from(
                [
                    {"fill_from": low},
                    {"fill_to": high},
                    {"fill_from": low, "fill_to": high},
                ]
            )
        )
    return settings


@st.composite
def fixed_scenes(draw: st.DrawFn, *, without: frozenset[str] = frozenset()) -> Scene:
    """Tumbling, sliding and cumulative windows of fixed lengths."""
    scale = draw(SCALES)
    settings = draw(_fills(scale)) | {"offset": scale.offset(draw)}
    settings["closed"] = draw(st.sampled_from(["left", "left", "right"]))
    kind = draw(st.sampled_from(["tumbling", "sliding", "cumulative"]))
    step = draw(st.integers(1, 4))
    match kind:
        case "tumbling":
            settings |= {"size": duration(step * scale.unit)}
        case "sliding":
            settings |= {"size": scale.length(draw, 9), "slide": duration(step * scale.unit)}
        case "cumulative":
            size = step * draw(st.integers(1, 4)) * scale.unit
            settings |= {"size": duration(size), "step": duration(step * scale.unit)}
    return _scene(draw, {"kind": kind, **settings}, scale, without)


_CALENDAR_SIZES = {
    "tumbling": [{"size": size} for size in ("1d", "2d", "1w", "1mo", "1q", "1y")],
    "sliding": [
        {"size": size, "slide": slide}
        for size, slide in (
            *(("1d", "6h"), ("1d", "7h"), ("2d", "1d"), ("1w", "1d"), ("1w", "2d"), ("1mo", "1w"), ("1mo", "1d")),
            *(("1q", "1mo"), ("1y", "1q"), ("1mo", "36h"), ("3d", "2d")),
        )
    ],
    "cumulative": [
        {"size": size, "step": step}
        for size, step in (("1d", "1h"), ("1d", "6h"), ("2d", "1d"), ("1w", "1d"), ("1mo", "1d"), ("1q", "1mo"))
    ],
}
_COARSE = {"1mo", "1q", "1y", "2mo"}


@st.composite
def calendar_scenes(draw: st.DrawFn, *, without: frozenset[str] = frozenset()) -> Scene:
    """Windows by the calendar of a zone, about a time at which its clocks change."""
    zone = draw(st.sampled_from(sorted(ZONES)))
    base = to_us(datetime.fromisoformat(draw(st.sampled_from(ZONES[zone]))))
    kind = draw(st.sampled_from(sorted(_CALENDAR_SIZES)))
    sizes = draw(st.sampled_from(_CALENDAR_SIZES[kind]))
    is_coarse = sizes["size"] in _COARSE
    scale = Scale(DAY_US if is_coarse and draw(st.booleans()) else HOUR_US, base, 70)
    settings = draw(_fills(scale)) | {"timezone": zone, **sizes}
    settings["offset"] = draw(st.sampled_from(["0s", "0s", "2h", "6h", "-1h", "30m", "50h"]))
    settings["closed"] = draw(st.sampled_from(["left", "left", "right"]))
    return _scene(draw, {"kind": kind, **settings}, scale, without)


@st.composite
def session_scenes(draw: st.DrawFn, *, without: frozenset[str] = frozenset()) -> Scene:
    """Sessions, some of them cut."""
    scale = draw(SCALES)
    gap = draw(st.integers(1, 4))
    settings = {
        "kind": "session",
        "gap": duration(gap * scale.unit),
        "gap_inclusive": draw(st.booleans()),
        "session_end": draw(st.sampled_from(["gap", "last"])),
        "max_duration": draw(st.sampled_from([None, duration(draw(st.integers(gap, 12)) * scale.unit)])),
    }
    return _scene(draw, settings, scale, without)


@st.composite
def sequence_scenes(draw: st.DrawFn, *, without: frozenset[str] = frozenset()) -> Scene:
    """Sequences with every way to fill, to pad and to part."""
    scale = draw(SCALES)
    length = draw(st.integers(1, 5))
    fill = draw(_fills())
    if draw(st.booleans()):
        cuts = scale.two_times(draw)
        fill |= draw(
            st.sampled_from(
                [
                    {"validate_from": cuts[0]},
                    {"test_from": cuts[0]},
                    {"validate_from": cuts[0], "test_from": cuts[1]},
                ]
            )
        )
    settings = {
        "kind": "sequence",
        "step": scale.length(draw, 3),
        "length": length,
        "stride": draw(st.none() | st.integers(1, 6)),
        "offset": scale.offset(draw),
        "padding": draw(st.sampled_from(["null", "zero", -1.0, 0.5])),
        "mask": draw(st.booleans()),
        "min_observed": draw(st.integers(1, length)),
        "horizon": draw(st.sampled_from([0, 0, 1, 3])),
        **fill,
    }
    return _scene(draw, settings, scale, without)


@st.composite
def count_scenes(draw: st.DrawFn) -> Scene:
    """Windows of a number of rows."""
    settings = {"kind": "count", "length": draw(st.integers(1, 5)), "stride": draw(st.none() | st.integers(1, 6))}
    return _scene(draw, settings, draw(SCALES))


@st.composite
def pairwise_scenes(draw: st.DrawFn) -> Scene:
    """Windows back from each row."""
    scale = draw(SCALES)
    return _scene(draw, {"kind": "pairwise", "size": scale.length(draw, 8)}, scale)
