"""The conformance table: every kind of window × every aggregate × every edge, and the page that shows it.

A cell is a small set of records about one edge, in the frames in which they arrive. `test_conformance.py` computes
each with the engine and compares it with `window_reference`; `docs/window-conformance.md` is made from this list.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.window_drawing import KEYED, VALUES, window_of
from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT
from windrow.spec import WindowSpec
from windrow.spec.windows import FUNCTIONS, KINDS, WITH_CARRY, WITH_SHARE, AggregateFunction, WindowKind
from windrow.units import SECOND_US, from_us, to_us

PAGE = Path(__file__).parents[2] / "docs" / "window-conformance.md"
SPEC = KEYED
Record = dict[str, Any]
Frames = list[list[Record]]

EDGES: Mapping[str, str] = {
    "boundary": "rows exactly on a bound of a window, of a gap, of a count or of `max_carry`, and 1 µs beside it",
    "negative": "rows before 1970",
    "dst": "days of 23 and 25 hours in Europe/Berlin",
    "empty": "stretches without rows, filled with the previous value; and no rows at all",
    "null": "null values, a window of nothing but nulls, a null key, and `skip_nulls: false`",
    "tie": "several rows at the same time, which only the record id puts in order",
    "late": "rows that come in a later batch than rows after them, into windows that are long computed",
    "disorder": "rows that come in no order at all, one batch per row",
    "buckets": "windows that reach over the bounds of buckets which are kept apart",
    "duplicate": "records that were sent several times, with other values",
}
"""Edge → what its records are about."""

_NO_CALENDAR = "its lengths are durations, which clocks that are put forward or back do not touch"
_FILES_ONLY = "for files only, where all rows are there: a later row would move every window after it"
WITHOUT: Mapping[tuple[WindowKind, str], str] = {
    **{(kind, "dst"): _NO_CALENDAR for kind in ("session", "sequence", "count", "pairwise")},
    **{(kind, edge): _FILES_ONLY for kind in ("count", "pairwise") for edge in ("late", "buckets")},
}
"""Kind and edge that make no sense together → why."""


@dataclass(frozen=True)
class Cell:
    """One cell of the table."""

    kind: WindowKind
    function: AggregateFunction
    edge: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.function}-{self.edge}"

    @property
    def windows(self) -> list[WindowSpec]:
        """The definitions under which the edge shows."""
        aggregate: dict[str, Any] = {"function": self.function, "column": "value"}
        if self.function in WITH_SHARE:
            aggregate["share"] = 0.9
        aggregates = {"x": aggregate}
        if self.edge == "null" and self.function != "count":
            aggregates["strict"] = {**aggregate, "skip_nulls": False}
        if self.edge == "boundary" and self.function in WITH_CARRY:
            aggregates |= {
                carry: {**aggregate, "carry": carry, "max_carry": "5s"} for carry in ("previous", "linear")
            } | {"none": {**aggregate, "carry": "none"}}
        return [
            window_of(kind=self.kind, aggregates=aggregates, **settings) for settings in _settings(self.kind, self.edge)
        ]

    @property
    def arrivals(self) -> list[Frames]:
        """Sets of records, each in the frames in which they arrive."""
        return _ARRIVALS[self.edge](self.kind)


def cells() -> list[Cell]:
    """All that make sense, in the order of the table."""
    every = (Cell(kind, function, edge) for kind in KINDS for function in FUNCTIONS for edge in EDGES)
    return [cell for cell in every if (cell.kind, cell.edge) not in WITHOUT]


# ------------------------------------------------------------------------------------------------ definitions

_BY_CLOCK: Mapping[WindowKind, dict[str, Any]] = {
    "tumbling": {"size": "10s"},
    "sliding": {"size": "25s", "slide": "10s"},
    "session": {"gap": "10s"},
    "cumulative": {"size": "30s", "step": "10s"},
    "sequence": {"step": "10s", "length": 3, "stride": 2, "horizon": 1, "mask": True},
    "count": {"length": 3, "stride": 2},
    "pairwise": {"size": "10s"},
}
_BY_CALENDAR: Mapping[WindowKind, dict[str, Any]] = {
    "tumbling": {"size": "1d"},
    "sliding": {"size": "1d", "slide": "6h"},
    "cumulative": {"size": "1d", "step": "6h"},
}
_ALIGNED = frozenset(_BY_CALENDAR)


def _settings(kind: WindowKind, edge: str) -> list[dict[str, Any]]:
    plain = _BY_CLOCK[kind]
    if edge == "dst":
        return [_BY_CALENDAR[kind] | {"timezone": "Europe/Berlin"}]
    if edge == "boundary" and kind in _ALIGNED:
        return [plain | {"closed": side} for side in ("left", "right")]
    if edge == "boundary" and kind == "session":
        cut = {"max_duration": "20s", "session_end": "last"}
        return [plain, plain | {"gap_inclusive": False}, plain | cut]
    if edge == "empty" and (kind in _ALIGNED or kind == "sequence"):
        return [plain | {"fill": "previous", "fill_limit": 2}]
    if edge == "buckets" and kind in _ALIGNED:
        return [plain | {"offset": "3s"}]
    return [plain]


# ------------------------------------------------------------------------------------------------ records


def _record(at_us: int, value: float | None, number: int = 0, site: str | None = "a") -> Record:
    blank = dict.fromkeys(VALUES)
    return {**blank, "ts": from_us(at_us), "site": site, "line": 1, "id": f"{number:03}", "value": value}


def _series(times_us: Sequence[int], site: str | None = "a") -> list[Record]:
    """Records at these times, with values that rise, fall and repeat."""
    values = (3.5, 1.25, 1.25, 7.0, -2.0, 0.1, 0.2, 0.3)
    return [_record(at, values[number % len(values)], number, site) for number, at in enumerate(times_us)]


def _seconds(*seconds: float) -> list[int]:
    return [round(each * SECOND_US) for each in seconds]


def _boundary(_kind: WindowKind) -> list[Frames]:
    about = [each + beside for each in _seconds(0, 10, 20, 30, 60) for beside in (-1, 0, 1)]
    apart = _seconds(200, 210, 220, 230, 240.000001, 250, 260.000001)
    carried = _seconds(95, 103, 114.999999, 123, 133, 145, 155.000001)
    return [[_series(times)] for times in (about, apart, carried, about[:3])]


def _negative(_kind: WindowKind) -> list[Frames]:
    return [[_series(_seconds(-61, -60, -59.999999, -30.5, -30, -12, -10.000001, -10, -0.000001, 0, 7))]]


def _dst(_kind: WindowKind) -> list[Frames]:
    changes = (datetime.fromisoformat(each) for each in ("2026-03-29T01:00Z", "2026-10-25T01:00Z"))
    return [
        [_series([to_us(change + timedelta(hours=hour, minutes=30)) for hour in range(-30, 30)])] for change in changes
    ]


def _empty(_kind: WindowKind) -> list[Frames]:
    return [[_series(_seconds(1, 2, 65, 66, 135, 139, 140))], [_series(_seconds(5))], [[]]]


def _null(_kind: WindowKind) -> list[Frames]:
    times = _seconds(1, 2, 3, 21, 22, 23, 41, 42, 61, 62)
    values = (1.5, None, 0.5, None, None, None, None, 4.0, 2.0, None)
    own = [_record(at, value, number) for number, (at, value) in enumerate(zip(times, values, strict=True))]
    return [[own + _series(_seconds(1.5, 9, 22), site=None)]]


def _tie(_kind: WindowKind) -> list[Frames]:
    """Ids fall as values rise, so an order of arrival would show."""
    rows = [_record(second * SECOND_US, float(rank), 9 - rank) for second in (1, 10, 19, 33) for rank in range(4)]
    return [[rows]]


def _late(_kind: WindowKind) -> list[Frames]:
    on_time = _series(_seconds(1, 5, 12, 31, 33, 55))
    late = [_record(at, value, 50) for at, value in zip(_seconds(3, 11, 25, 54), (9.0, -1.0, 0.7, 2.5), strict=True)]
    on_and_on = _series(_seconds(0, 10, 20, 5, 28))
    return [[on_time[:4], on_time[4:], late[:2], late[2:]], [on_and_on[:3], on_and_on[3:4], on_and_on[4:]]]


def _disorder(_kind: WindowKind) -> list[Frames]:
    rows = _series(_seconds(1, 5, 9, 10, 12, 25, 31, 33, 55, 70))
    return [[[rows[number]] for number in (7, 2, 9, 0, 4, 8, 1, 6, 3, 5)]]


def _buckets(_kind: WindowKind) -> list[Frames]:
    hour = 3_600 * SECOND_US
    times = [hour + beside for beside in _seconds(-21, -9, -3, -0.000001, 0, 2, 8, 17, 40)]
    rows = _series([*times, *(hour + each for each in times)])
    buckets = sorted({to_us(row["ts"]) // hour for row in rows})
    return [[[row for row in rows if to_us(row["ts"]) // hour == bucket] for bucket in buckets]]


def _duplicate(_kind: WindowKind) -> list[Frames]:
    """Every record three times; the last one received stands."""
    rows = _series(_seconds(1, 5, 9, 12, 31, 33, 55))
    frames = []
    for sending, batch in enumerate(("c", "a", "b")):
        received = {RECEIVED_AT: from_us(sending * SECOND_US), BATCH: batch}
        sent = [row | received | {ORDINAL: number} for number, row in enumerate(rows)]
        frames.append([row | {"value": row["value"] + 100 * (2 - sending)} for row in sent])
    return [[frames[2], frames[0], frames[1]]]


_ARRIVALS: Mapping[str, Callable[[WindowKind], list[Frames]]] = {
    "boundary": _boundary,
    "negative": _negative,
    "dst": _dst,
    "empty": _empty,
    "null": _null,
    "tie": _tie,
    "late": _late,
    "disorder": _disorder,
    "buckets": _buckets,
    "duplicate": _duplicate,
}


# ------------------------------------------------------------------------------------------------ the page

TESTS = "tests/unit/windrow_windows/test_conformance.py"


def conformance_page() -> tuple[Path, str]:
    """The page about conformance and what it should say."""
    proven = len(cells())
    head = f"""# Window conformance

What every kind of window does with every aggregate at every edge: {proven:,} cells, each a test of its own. A cell
computes a few records about its edge with the engine and compares them with a reference in plain Python, which shares
no code with it ([window_reference.py](../tests/support/window_reference.py)). Definitions and records of any shape are
drawn against the same reference and against DuckDB in
[test_differential.py](../tests/unit/windrow_windows/test_differential.py), and the cases of other engines' own test
suites run in [test_conformance_cases.py](../tests/unit/windrow_windows/test_conformance_cases.py).

A cell names its test without the kind: under `tumbling`, `mean-dst` is the test `tumbling-mean-dst`. Run it, or a row,
a column or a table:

```sh
.venv/bin/pytest {TESTS} -k tumbling-mean-dst
.venv/bin/pytest {TESTS} -k tumbling-mean-
.venv/bin/pytest {TESTS} -k dst
.venv/bin/pytest {TESTS} -k tumbling
```

| edge | what its records are about |
| --- | --- |
"""
    edges = "".join(f"| {edge} | {meaning} |\n" for edge, meaning in EDGES.items())
    close = (
        "\nA dash is a combination that makes no sense; why stands below its table. Sums, counts, extremes and order\n"
        "are compared to the last digit, means to one rounding, what else is computed in floats to 1e-9, and sketches\n"
        "within the error they state. This page is made by `make reference`.\n"
    )
    return PAGE, head + edges + close + "".join(_table(kind) for kind in KINDS)


def _table(kind: WindowKind) -> str:
    lines = [f"\n## {kind}\n", f"| | {' | '.join(EDGES)} |", f"| {' | '.join(['---'] * (len(EDGES) + 1))} |"]
    for function in FUNCTIONS:
        shown = ["–" if (kind, edge) in WITHOUT else f"`{function}-{edge}`" for edge in EDGES]
        lines.append(f"| **{function}** | {' | '.join(shown)} |")
    reasons = {edge: reason for (each, edge), reason in WITHOUT.items() if each == kind}
    lines += [f"\nNo {edge}: {reason}." for edge, reason in reasons.items()]
    return "\n".join(lines) + "\n"
