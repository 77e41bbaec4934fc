"""What definitions make of a few records in Spark: facts, worked out by hand."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from tests.unit.windrow_spark.frames import (
    NO_KEYS,
    START,
    STREAM,
    Row,
    at,
    differences,
    in_order,
    records,
    seconds,
    table,
    to_spark,
    values,
    window,
)
from windrow import spec
from windrow.errors import BadInput, SchemaConflict
from windrow.lake.schema import result_schema, segment_schema
from windrow.spark import compute, deduplicate

MINUTE, HOUR, DAY = 60, 3_600, 86_400


@dataclass(frozen=True)
class Fact:
    """A definition, records, and the rows they make; times are seconds after Monday 2026-01-05T00:00:00Z."""

    name: str
    settings: dict[str, Any]
    rows: list[Row]
    expected: list[tuple[Any, ...]]
    keys: bool = field(default=True)


def berlin(text: str) -> int:
    """A UTC time as seconds after START."""
    return int((datetime.fromisoformat(text).replace(tzinfo=UTC) - START).total_seconds())


ALIGNED = [
    Fact(
        "a row at a window's end is in the next",
        {"size": "1m"},
        values((0, 1.0), (59.5, 2.0), (60, 4.0), (1, 8.0), key="a") + values((0, 16.0), key=None),
        [("a", 0, 60, 11.0, 3), ("a", 60, 120, 4.0, 1), (None, 0, 60, 16.0, 1)],
    ),
    Fact(
        "closed on the right, a row at a window's end is in it",
        {"size": "1m", "closed": "right"},
        values((0, 1.0), (1, 2.0), (60, 4.0)),
        [("a", -60, 0, 1.0, 1), ("a", 0, 60, 6.0, 2)],
    ),
    Fact(
        "an offset moves windows, and times before 1970 are ordinary",
        {"size": "1h", "offset": "-15m"},
        [{"ts": datetime(1969, 12, 31, 23, 44, 59, tzinfo=UTC), "v": 1.0}, {"t": 45 * MINUTE, "v": 2.0}],
        [("a", berlin("1969-12-31T22:45"), berlin("1969-12-31T23:45"), 1.0, 1), ("a", 2_700, 6_300, 2.0, 1)],
    ),
    Fact(
        "without keys there is one series",
        {"size": "1m"},
        values((0, 1.0), key="a") + values((1, 2.0), key="b"),
        [(0, 60, 3.0, 2)],
        keys=False,
    ),
    Fact(
        "sliding windows overlap, and start before the first row",
        {"kind": "sliding", "size": "150s", "slide": "60s"},
        values((130, 1.0), (180, 2.0)),
        [("a", 0, 150, 1.0, 1), ("a", 60, 210, 3.0, 2), ("a", 120, 270, 3.0, 2), ("a", 180, 330, 2.0, 1)],
    ),
    Fact(
        "aggregates that do not merge go into every window by row",
        {"kind": "sliding", "size": "2m", "slide": "1m", "aggregates": {"mid": "median(v)", "last": "last(v)"}},
        values((0, 1.0), (61, 2.0), (62, 5.0)),
        [("a", -60, 60, 1.0, 1.0, 1), ("a", 0, 120, 2.0, 5.0, 3), ("a", 60, 180, 3.5, 5.0, 2)],
    ),
    Fact(
        "cumulative windows grow up to the last",
        {"kind": "cumulative", "size": "3m", "step": "1m"},
        values((61, 1.0), (179, 2.0)),
        [("a", 0, 120, 1.0, 1), ("a", 0, 180, 3.0, 2)],
    ),
]
CALENDAR = [
    Fact(
        "a day in Berlin has 23 hours when summer begins and 25 when it ends",
        {"size": "1d", "timezone": "Europe/Berlin"},
        [
            {"t": berlin(text), "v": 1.0}
            for text in (
                "2026-03-28T23:00",
                "2026-03-29T21:59",
                "2026-03-29T22:00",
                "2026-10-24T22:00",
                "2026-10-25T22:59",
            )
        ],
        [
            ("a", berlin("2026-03-28T23:00"), berlin("2026-03-29T22:00"), 2.0, 2),
            ("a", berlin("2026-03-29T22:00"), berlin("2026-03-30T22:00"), 1.0, 1),
            ("a", berlin("2026-10-24T22:00"), berlin("2026-10-25T23:00"), 2.0, 2),
        ],
    ),
    Fact(
        "a bound that the clock skips stands where the old offset has it",  # 02:30 on 2026-03-29 is 01:30Z
        {"size": "1d", "timezone": "Europe/Berlin", "offset": "2h30m"},
        [{"t": berlin("2026-03-29T01:29"), "v": 1.0}, {"t": berlin("2026-03-29T01:30"), "v": 2.0}],
        [
            ("a", berlin("2026-03-28T01:30"), berlin("2026-03-29T01:30"), 1.0, 1),
            ("a", berlin("2026-03-29T01:30"), berlin("2026-03-30T00:30"), 2.0, 1),
        ],
    ),
    Fact(
        "a bound that the clock shows twice is the first",  # 02:30 on 2026-10-25 is 00:30Z and 01:30Z
        {"size": "1d", "timezone": "Europe/Berlin", "offset": "2h30m"},
        [{"t": berlin("2026-10-25T00:30"), "v": 1.0}, {"t": berlin("2026-10-25T01:29"), "v": 2.0}],
        [("a", berlin("2026-10-25T00:30"), berlin("2026-10-26T01:30"), 3.0, 2)],
    ),
    Fact(
        "weeks begin on Monday, months, quarters and years with their first day",
        {"size": "1w", "timezone": "America/New_York"},
        [{"t": berlin("2026-01-05T04:59"), "v": 1.0}, {"t": berlin("2026-01-05T05:00"), "v": 2.0}],
        [
            ("a", berlin("2025-12-29T05:00"), berlin("2026-01-05T05:00"), 1.0, 1),
            ("a", berlin("2026-01-05T05:00"), berlin("2026-01-12T05:00"), 2.0, 1),
        ],
    ),
    Fact(
        "a quarter is three months from January",
        {"size": "1q", "timezone": "Europe/Berlin"},
        [{"t": berlin("2026-03-31T21:59"), "v": 1.0}, {"t": berlin("2026-03-31T22:00"), "v": 2.0}],
        [
            ("a", berlin("2025-12-31T23:00"), berlin("2026-03-31T22:00"), 1.0, 1),
            ("a", berlin("2026-03-31T22:00"), berlin("2026-06-30T22:00"), 2.0, 1),
        ],
    ),
    Fact(
        "a week every day",
        {"kind": "sliding", "size": "1w", "slide": "1d", "timezone": "Europe/Berlin"},
        [{"t": berlin("2026-03-29T12:00"), "v": 1.0}],
        [
            ("a", berlin(f"2026-03-{day}T23:00"), berlin(end), 1.0, 1)
            for day, end in (
                (22, "2026-03-29T22:00"),
                (23, "2026-03-30T22:00"),
                (24, "2026-03-31T22:00"),
                (25, "2026-04-01T22:00"),
                (26, "2026-04-02T22:00"),
                (27, "2026-04-03T22:00"),
                (28, "2026-04-04T22:00"),
            )
        ],
    ),
    Fact(
        "a day from a fixed start ends at the same time of day, an hour earlier when summer begins",
        {"kind": "sliding", "size": "1d", "slide": "6h", "timezone": "Europe/Berlin"},
        [{"t": berlin("2026-03-29T12:00"), "v": 1.0}],
        [
            ("a", berlin(start), berlin(end), 1.0, 1)
            for start, end in (
                ("2026-03-28T18:00", "2026-03-29T17:00"),
                ("2026-03-29T00:00", "2026-03-29T23:00"),
                ("2026-03-29T06:00", "2026-03-30T06:00"),
                ("2026-03-29T12:00", "2026-03-30T12:00"),
            )
        ],
    ),
    Fact(
        "a month from the 30th and from the 31st ends with February",
        {"kind": "sliding", "size": "1mo", "slide": "1d", "timezone": "Europe/Berlin"},
        [{"t": berlin("2026-02-27T22:59"), "v": 1.0}],
        [("a", berlin(f"2026-01-{day}T23:00"), berlin("2026-02-27T23:00"), 1.0, 1) for day in (27, 28, 29, 30)]
        + [
            ("a", berlin("2026-01-31T23:00") + day * DAY, berlin("2026-02-28T23:00") + day * DAY, 1.0, 1)
            for day in range(27)
        ],
    ),
    Fact(
        "the month so far, every day",
        {"kind": "cumulative", "size": "1mo", "step": "1d", "timezone": "Europe/Berlin"},
        [{"t": berlin("2026-03-28T12:00"), "v": 1.0}],
        [
            ("a", berlin("2026-02-28T23:00"), berlin(end), 1.0, 1)
            for end in ("2026-03-28T23:00", "2026-03-29T22:00", "2026-03-30T22:00", "2026-03-31T22:00")
        ],
    ),
    Fact(
        "an hour that is shown twice makes 25 cumulative windows of the day",
        {"kind": "cumulative", "size": "1d", "step": "1h", "timezone": "Europe/Berlin", "aggregates": {}},
        [{"t": berlin("2026-10-25T20:00")}],
        [("a", berlin("2026-10-24T22:00"), berlin(f"2026-10-25T{hour}:00"), 1) for hour in (21, 22, 23)],
    ),
]

FILLING = [
    Fact(
        "fill: previous repeats the window before, between the first row and the last",
        {"size": "1m", "fill": "previous", "aggregates": {"last": "last(v)", "rows": "count"}},
        values((0, 1.0), (190, 4.0)) + values((70, 9.0), key="b"),
        [
            ("a", 0, 60, 1.0, 1, 1),
            ("a", 60, 120, 1.0, 1, 0),
            ("a", 120, 180, 1.0, 1, 0),
            ("a", 180, 240, 4.0, 1, 1),
            ("b", 60, 120, 9.0, 1, 1),
        ],
    ),
    Fact(
        "fill: linear goes along the line and makes fractions of whole numbers",
        {"size": "1m", "fill": "linear", "aggregates": {"total": "sum(n)", "at": "time_of_min(n)"}},
        [{"t": 0, "n": 1}, {"t": 180, "n": 2}],
        [
            ("a", 0, 60, 1.0, 0, 1),
            ("a", 60, 120, 4 / 3, None, 0),
            ("a", 120, 180, 5 / 3, None, 0),
            ("a", 180, 240, 2.0, 180, 1),
        ],
    ),
    Fact(
        "a number, at most fill_limit windows in a row, and none where the gap is longer than max_gap",
        {"size": "1m", "fill": 7.0, "fill_limit": 2, "max_gap": 3, "aggregates": {"total": "sum(n)"}},
        [{"t": 0, "n": 1}, {"t": 240, "n": 2}, {"t": 540, "n": 3}],
        [
            ("a", 0, 60, 1, 1),
            ("a", 60, 120, 7, 0),
            ("a", 120, 180, 7, 0),
            ("a", 240, 300, 2, 1),
            ("a", 540, 600, 3, 1),
        ],
    ),
    Fact(
        "fill_from and fill_to take the place of the first and the last row",
        {
            "size": "1h",
            "fill": "previous",
            "fill_from": datetime(2026, 1, 4, 22, 30, tzinfo=UTC),
            "fill_to": datetime(2026, 1, 5, 2, tzinfo=UTC),
        },
        values((0, 1.0), (4 * HOUR, 2.0)),
        [
            ("a", -HOUR, 0, None, 0),
            ("a", 0, HOUR, 1.0, 1),
            ("a", HOUR, 2 * HOUR, 1.0, 0),
            ("a", 4 * HOUR, 5 * HOUR, 2.0, 1),
        ],
    ),
    Fact(
        "sliding windows that are missing are filled",
        {"kind": "sliding", "size": "2m", "slide": "1m", "fill": "zero"},
        values((0, 1.0), (240, 2.0)),
        [
            ("a", -60, 60, 1.0, 1),
            ("a", 0, 120, 1.0, 1),
            ("a", 60, 180, 0.0, 0),
            ("a", 120, 240, 0.0, 0),
            ("a", 180, 300, 2.0, 1),
            ("a", 240, 360, 2.0, 1),
        ],
    ),
    Fact(
        "cumulative windows that are missing are filled, those before the first row of a later base too",
        {"kind": "cumulative", "size": "2m", "step": "1m", "fill": "null"},
        values((60, 1.0), (300, 2.0)),
        [
            ("a", 0, 120, 1.0, 1),
            ("a", 120, 180, None, 0),
            ("a", 120, 240, None, 0),
            ("a", 240, 300, None, 0),
            ("a", 240, 360, 2.0, 1),
        ],
    ),
    Fact(
        "days are filled through the change of clocks",
        {"size": "1d", "timezone": "Europe/Berlin", "fill": "zero"},
        [{"t": berlin("2026-03-28T12:00"), "v": 1.0}, {"t": berlin("2026-03-30T12:00"), "v": 2.0}],
        [
            ("a", berlin("2026-03-27T23:00"), berlin("2026-03-28T23:00"), 1.0, 1),
            ("a", berlin("2026-03-28T23:00"), berlin("2026-03-29T22:00"), 0.0, 0),
            ("a", berlin("2026-03-29T22:00"), berlin("2026-03-30T22:00"), 2.0, 1),
        ],
    ),
]
SESSIONS = [
    Fact(
        "rows a gap apart share a session, which ends a gap after its last row",
        {"kind": "session", "gap": "1m"},
        values((0, 1.0), (60, 2.0), (121, 4.0)) + values((30, 8.0), key=None),
        [("a", 0, 120, 0, 60, 3.0, 2), ("a", 121, 181, 121, 121, 4.0, 1), (None, 30, 90, 30, 30, 8.0, 1)],
    ),
    Fact(
        "with gap_inclusive: false rows a gap apart do not, and session_end: last ends at the row",
        {"kind": "session", "gap": "1m", "gap_inclusive": False, "session_end": "last"},
        values((0, 1.0), (60, 2.0), (119, 4.0)),
        [("a", 0, 0, 0, 0, 1.0, 1), ("a", 60, 119, 60, 119, 6.0, 2)],
    ),
    Fact(
        "max_duration cuts from where the last cut was, and a cut session ends where the next begins",
        {"kind": "session", "gap": "1m", "max_duration": "2m"},
        values(*((second, 1.0) for second in (0, 50, 100, 130, 130, 180, 240, 260, 400))),
        [
            ("a", 0, 130, 0, 100, 3.0, 3),
            ("a", 130, 260, 130, 240, 4.0, 4),
            ("a", 260, 320, 260, 260, 1.0, 1),
            ("a", 400, 460, 400, 400, 1.0, 1),
        ],
    ),
]
SEQUENCES = [
    Fact(
        "gaps are filled and silence is padded, as the mask tells",
        {
            "kind": "sequence",
            "step": "1m",
            "length": 4,
            "stride": 2,
            "fill": "previous",
            "fill_limit": 1,
            "max_gap": 2,
            "padding": -1.0,
            "mask": True,
        },
        values((60, 1.0), (240, 2.0), (540, 3.0), (541, 4.0)),
        # cells: 1 has 1.0; 2 is filled, 3 is beyond the limit; 4 has 2.0; 5 to 8 are silence; 9 has 7.0
        [
            ("a", -120, 120, [-1.0, -1.0, -1.0, 1.0], [False, False, False, True], 1, 1),
            ("a", 0, 240, [-1.0, 1.0, 1.0, None], [False, True, False, False], 1, 1),
            ("a", 120, 360, [1.0, None, 2.0, -1.0], [False, False, True, False], 1, 1),
            ("a", 240, 480, [2.0, -1.0, -1.0, -1.0], [True, False, False, False], 1, 1),
            ("a", 360, 600, [-1.0, -1.0, -1.0, 7.0], [False, False, False, True], 1, 2),
            ("a", 480, 720, [-1.0, 7.0, -1.0, -1.0], [False, True, False, False], 1, 2),
        ],
    ),
    Fact(
        "a horizon adds the steps that follow, and min_observed counts the input only",
        {
            "kind": "sequence",
            "step": "1m",
            "length": 2,
            "horizon": 2,
            "fill": "linear",
            "min_observed": 2,
            "mask": True,
        },
        values((0, 1.0), (60, 2.0), (180, 4.0), (240, 5.0)),
        [("a", 0, 120, [1.0, 2.0], [True, True], [3.0, 4.0], [False, True], 2, 2)],
    ),
    Fact(
        "no sequence goes through a cut, and nothing is filled with what lies behind one",
        {
            "kind": "sequence",
            "step": "1m",
            "length": 2,
            "stride": 1,
            "fill": "linear",
            "padding": "zero",
            "test_from": datetime(2026, 1, 5, 0, 3, tzinfo=UTC),
        },
        values((0, 1.0), (240, 5.0)),
        [
            ("a", -60, 60, [0.0, 1.0], "train", 1, 1),
            ("a", 0, 120, [1.0, 0.0], "train", 1, 1),
            ("a", 180, 300, [4.0, 5.0], "test", 1, 1),
            ("a", 240, 360, [5.0, 0.0], "test", 1, 1),
        ],
    ),
]
ROWS = [
    Fact(
        "a number of rows by time, ties by record id; what is left over is in none",
        {"kind": "count", "length": 2, "stride": 1, "aggregates": {"all": "collect(v)"}},
        [{"t": 5, "id": 9, "v": 3.0}, {"t": 5, "id": 1, "v": 2.0}, {"t": 0, "id": 5, "v": 1.0}, {"t": 1, "k": "b"}],
        [("a", 0, 5, 0, 5, [1.0, 2.0], 2), ("a", 5, 5, 5, 5, [2.0, 3.0], 2)],
    ),
    Fact(
        "back from each distinct time, both bounds included",
        {"kind": "pairwise", "size": "1m"},
        values((0, 1.0), (60, 2.0), (60, 4.0), (121, 8.0)),
        [("a", -60, 0, 0, 0, 1.0, 1), ("a", 0, 60, 0, 60, 7.0, 3), ("a", 61, 121, 121, 121, 8.0, 1)],
    ),
]
_ALL = {
    "rows": "count",
    "n": "count(v)",
    "total": "sum(v)",
    "mean": "mean(v)",
    "low": "min(v)",
    "high": "max(v)",
    "open": "first(v)",
    "close": "last(v)",
    "var": "var(v)",
    "std": "std(v)",
    "mid": "median(v)",
    "p75": "quantile(v, 0.75)",
    "distinct": "n_unique(v)",
    "all": "collect(v)",
    "low_at": "time_of_min(v)",
    "high_at": "time_of_max(v)",
    "about": "approx_quantile(v, 0.5)",
    "about_distinct": "approx_n_unique(v)",
}
AGGREGATES = [
    Fact(
        "nulls do not count; an aggregate over nothing is null, a number of values is 0",
        {"size": "1m", "aggregates": _ALL},
        values((0, 4.0), (1, None), (2, 0.0), (3, -0.0), (4, 4.0), (60, None), (120, 3.0)),
        [
            (
                "a",
                0,
                60,
                *[5, 4, 8.0, 2.0, 0.0, 4.0, 4.0, 4.0, 16 / 3, (16 / 3) ** 0.5, 2.0, 4.0, 2],
                [4.0, 0.0, -0.0, 4.0],
                2,
                0,
                0.0,
                2,
                5,
            ),
            ("a", 60, 120, 1, 0, *[None] * 10, 0, None, None, None, None, 0, 1),
            ("a", 120, 180, 1, 1, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, None, None, 3.0, 3.0, 1, [3.0], 120, 120, 3.0, 1, 1),
        ],
    ),
    Fact(
        "with skip_nulls: false a null makes it null",
        {"size": "1m", "aggregates": {"total": {"function": "sum", "column": "v", "skip_nulls": False}}},
        values((0, 4.0), (1, None), (60, 1.0)),
        [("a", 0, 60, None, 2), ("a", 60, 120, 1.0, 1)],
    ),
    Fact(
        "columns of every type have a first, a last, a least and a greatest",
        {
            "kind": "sliding",
            "size": "2m",
            "slide": "1m",
            "aggregates": {
                "s": "first(s)",
                "b": "last(b)",
                "least": "min(s)",
                "d": "sum(d)",
                "d_max": "max(d)",
                "m": "mean(d)",
            },
        },
        [
            {"t": 0, "s": "x", "b": True, "d": Decimal("0.10")},
            {"t": 59, "s": "a", "b": None, "d": Decimal("0.20")},
            {"t": 60, "s": None, "b": False, "d": None},
        ],
        [
            ("a", -60, 60, "x", True, "a", Decimal("0.30"), Decimal("0.20"), 0.15, 2),
            ("a", 0, 120, "x", False, "a", Decimal("0.30"), Decimal("0.20"), 0.15, 3),
            ("a", 60, 180, None, False, None, None, None, None, 1),
        ],
    ),
    Fact(
        "integers add up exactly, through sums that pass 64 bits",
        {"kind": "sliding", "size": "2m", "slide": "1m", "aggregates": {"total": "sum(n)", "mean": "mean(n)"}},
        [
            {"t": -1, "n": -(2**62)},
            {"t": 0, "n": 2**63 - 1},
            {"t": 1, "n": 2**62},
            {"t": 60, "n": -(2**63)},
            {"t": 61, "n": -(2**62)},
            {"t": 62, "n": 2**62 + 5},
        ],
        [
            ("a", -120, 0, -(2**62), -(2.0**62), 1),
            ("a", -60, 60, 2**63 - 1, (2.0**63) / 3, 3),
            ("a", 0, 120, 2**62 + 4, (2.0**62) / 5, 5),
            ("a", 60, 180, 5 - 2**63, -(2.0**63) / 3, 3),
        ],
    ),
    Fact(
        "a decrease is a counter that began anew",
        {
            "size": "1m",
            "aggregates": {"up": "increase(n)", "rate": "rate(n)", "resets": "resets(n)", "changes": "changes(n)"},
        },
        [
            {"t": second, "n": value}
            for second, value in ((0, 5), (10, 8), (20, None), (30, 2), (40, 2), (70, 9), (130, None))
        ],
        [
            ("a", 0, 60, 5.0, 0.125, 1, 2, 5),
            ("a", 60, 120, None, None, 0, 0, 1),
            ("a", 120, 180, None, None, None, None, 1),
        ],
    ),
    Fact(
        "a value holds until the next, and the last one before the window until the first in it",
        {
            "size": "1m",
            "aggregates": {
                "mean": "time_weighted_mean(v)",
                "area": "integral(v)",
                "near": {"function": "time_weighted_mean", "column": "v", "max_carry": "15s"},
                "alone": {"function": "time_weighted_mean", "column": "v", "carry": "none"},
            },
        },
        values((30, 1.0), (50, 4.0), (90, 2.0), (110, 6.0)),
        [
            ("a", 0, 60, 2.0, 60.0, 2.0, 1.0, 2),
            ("a", 60, 120, 220 / 60, 220.0, 220 / 60, 2.0, 2),
        ],
    ),
    Fact(
        "carry: linear draws lines, over both bounds of the window",
        {
            "size": "1m",
            "aggregates": {
                "area": {"function": "integral", "column": "v", "carry": "linear"},
                "near": {"function": "integral", "column": "v", "carry": "linear", "max_carry": "15s"},
            },
        },
        values((40, 0.0), (80, 4.0), (160, 4.0)),
        # 0 to 2 from 40 to 60; 2 to 4 from 60 to 80; then 4
        [
            ("a", 0, 60, 20.0, None, 1),
            ("a", 60, 120, 60.0 + 160.0, None, 1),
            ("a", 120, 180, 160.0, None, 1),
        ],
    ),
]


@pytest.mark.parametrize(
    "fact",
    [*ALIGNED, *CALENDAR, *FILLING, *SESSIONS, *SEQUENCES, *ROWS, *AGGREGATES],
    ids=lambda fact: fact.name.replace(" ", "_"),
)
def test_a_definition_makes_these_rows(spark: SparkSession, fact: Fact) -> None:
    stream, definition = STREAM if fact.keys else NO_KEYS, window(**fact.settings)
    found = table(compute(to_spark(spark, records(fact.rows)), stream, definition))

    assert found.columns == result_schema(stream, definition).names()
    assert differences(in_order(fact.expected), in_order(seconds(found))) == []


def test_columns_have_the_types_of_the_tables(spark: SparkSession) -> None:
    definition = window(
        size="1m",
        aggregates={
            "n": "sum(n)",
            "d": "sum(d)",
            "l": "last(d)",
            "s": "collect(s)",
            "b": "max(b)",
            "at": "time_of_max(s)",
        },
    )
    found = compute(to_spark(spark, records([{"t": 0}])), STREAM, definition)

    assert [(field.name, field.dataType.simpleString()) for field in found.schema] == [
        ("k", "string"),
        ("window_start", "timestamp"),
        ("window_end", "timestamp"),
        ("n", "bigint"),
        ("d", "decimal(38,2)"),
        ("l", "decimal(10,2)"),
        ("s", "array<string>"),
        ("b", "boolean"),
        ("at", "timestamp"),
        ("row_count", "bigint"),
    ]


def test_what_is_about_right_is_within_its_error(spark: SparkSession) -> None:
    count = 20_000
    rows = records([{"t": number / 1_000, "v": float(number)} for number in range(count)])
    definition = window(
        kind="sliding",
        size="30s",
        slide="10s",
        aggregates={"distinct": "approx_n_unique(v)", "p90": "approx_quantile(v, 0.9)", "p0": "approx_quantile(v, 0)"},
    )
    found = table(compute(to_spark(spark, rows), STREAM, definition)).filter(pl.col("row_count") == count)

    assert found.height == 2
    assert found["distinct"].is_between(0.95 * count, 1.05 * count).all()  # three standard errors
    assert found["p90"].is_between(0.9 * count - 3, 0.9 * count + 3).all()
    assert found["p0"].to_list() == [0.0, 0.0]


# ------------------------------------------------------------------------------------------------ what fails


@pytest.mark.parametrize(
    ("aggregate", "rows", "message"),
    [
        ("sum(n)", [{"t": 0, "n": 2**63 - 1}, {"t": 1, "n": 1}], "meters: x: sum(n) passes 64 bits in a window"),
        ("sum(v)", values((0, 1e308), (1, 1e308)), "meters: x: sum(v) passes what a float holds in a window"),
        ("var(v)", values((0, 1e308), (1, -1e308)), "meters: x: var(v) passes what a float holds in a window"),
    ],
)
@pytest.mark.parametrize("ansi", ["true", "false"])
def test_a_number_that_passes_its_type_fails_the_job(
    spark: SparkSession, aggregate: str, rows: list[Row], message: str, ansi: str
) -> None:
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", ansi)
    try:
        found = compute(to_spark(spark, records(rows)), STREAM, window(size="1m", aggregates={"x": aggregate}))
        with pytest.raises(PySparkException) as caught:
            found.collect()
    finally:
        spark.conf.set("spark.sql.ansi.enabled", before or "true")
    assert message in str(caught.value)


def test_a_sum_of_decimals_that_passes_38_digits_fails_the_job(spark: SparkSession) -> None:
    wide = spec.parse(
        "stream: w\nunique: [ts, id]\ntime: {column: ts}\ncolumns: {ts: timestamp, id: int, d: 'decimal(38,0)'}",
        "w.yaml",
    )
    schema = {name: kind for name, kind in segment_schema(wide).items() if name in wide.columns}
    rows = pl.DataFrame([(START, number, Decimal(9 * 10**37)) for number in range(2)], schema=schema, orient="row")
    found = compute(to_spark(spark, rows), wide, window(size="1m", aggregates={"x": "sum(d)"}))

    with pytest.raises(PySparkException) as caught:
        found.collect()
    assert "w: x: sum(d) passes 38 digits in a window; make d a float" in str(caught.value)


def test_rows_without_a_column_are_refused(spark: SparkSession) -> None:
    with pytest.raises(BadInput, match="meters: the rows have no column 'v'; read them from the records table"):
        compute(to_spark(spark, records([]).drop("v")), STREAM, window(size="1m"))


def test_a_column_of_another_type_is_refused(spark: SparkSession) -> None:
    rows = records([]).with_columns(pl.col("v").cast(pl.Float32))

    with pytest.raises(SchemaConflict, match="meters: column 'v' is float in the rows, the spec says double"):
        compute(to_spark(spark, rows), STREAM, window(size="1m"))


def test_a_number_that_an_output_cannot_be_is_no_fill(spark: SparkSession) -> None:
    definition = window(size="1m", fill=0.125, aggregates={"x": "sum(d)"})

    with pytest.raises(BadInput, match=r"0\.125 cannot stand in x"):
        compute(to_spark(spark, records([])), STREAM, definition)


def test_no_rows_make_no_windows(spark: SparkSession) -> None:
    for definition in (window(size="1m", fill="zero"), window(kind="sequence", step="1m", length=2)):
        assert compute(to_spark(spark, records([])), STREAM, definition).count() == 0


# ------------------------------------------------------------------------------------------------ other settings


def test_neither_the_sessions_time_zone_nor_ansi_changes_a_row(spark: SparkSession) -> None:
    definition = window(size="1d", timezone="Europe/Berlin", fill="linear", aggregates={"total": "sum(n)"})
    rows = records([{"t": 0, "n": 1}, {"t": 3 * DAY, "n": 7}])
    expected = table(compute(to_spark(spark, rows), STREAM, definition))
    given = to_spark(spark, rows)
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    spark.conf.set("spark.sql.ansi.enabled", "false")
    try:
        found = compute(given, STREAM, definition).select("window_start", "total").collect()
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        spark.conf.set("spark.sql.ansi.enabled", "true")

    assert expected["total"].to_list() == [1.0, 3.0, 5.0, 7.0]
    assert sorted((row[0].timestamp(), row[1]) for row in found) == [
        (start.timestamp(), total) for start, total in expected.select("window_start", "total").rows()
    ]


# ------------------------------------------------------------------------------------------------ copies


@pytest.mark.parametrize(("keep", "kept"), [("last", [3.0, 5.0]), ("first", [1.0, 5.0])])
def test_records_with_the_same_id_are_one(spark: SparkSession, keep: str, kept: list[float]) -> None:
    stream = STREAM.model_copy(update={"keep": keep})
    copy = {"t": 0, "id": 1}
    rows = records(
        [
            copy | {"v": 2.0, "_received_at": START, "_batch": "b2"},
            copy | {"v": 3.0, "_received_at": at(1), "_batch": "a"},
            copy | {"v": 1.0, "_received_at": START, "_batch": "b1", "_ordinal": 7},
            {"t": 0, "id": 2, "v": 5.0},
        ]
    )
    once = deduplicate(to_spark(spark, rows), stream)

    assert once.columns == rows.columns
    assert sorted(row.v for row in once.collect()) == kept
