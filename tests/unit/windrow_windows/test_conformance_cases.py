"""The cases from other engines' public test suites: every one goes through the engine, by its own rule of time.

Windrow recomputes, so nothing is ever too late for a window. Cases in which rows are too late, or windows come out
several times, are played by a small simulator of the case's watermark: it decides which rows a window has at a time,
and the engine computes the window over those.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.window_drawing import frame, window_of
from windrow import spec as specs
from windrow.spec import StreamSpec, WindowSpec
from windrow.spec.windows import PairwiseWindow, SessionWindow
from windrow.units import from_us, to_us
from windrow.windows import engine
from windrow.windows.sealing import Progress, is_due

FILE = Path(__file__).parents[4] / "shared" / "cases" / "windows.json"
REASON = "needs the cases at ../shared/cases, which are not part of the repository"
pytestmark = [pytest.mark.skipif(not FILE.is_file(), reason=REASON), pytest.mark.may_skip(REASON)]

CASES: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else [{"id": "none"}]
UNITS_US = {"ms": 1_000, "s": 1_000_000, "int": 1, "index": 1}
CLOCK = "bytewax-watermark-clock"

Case = Mapping[str, Any]
Row = dict[str, Any]
Bounds = tuple[Any, int, int]


# ------------------------------------------------------------------------------------------------ cases as definitions


def us(case: Case, amount: float) -> int:
    """An amount of the case's time in µs."""
    return round(amount * UNITS_US[case["unit"]])


def span(case: Case, amount: float) -> str:
    return f"{us(case, amount)}us"


def kind_settings(case: Case) -> dict[str, Any]:
    """The case's kind of window in Windrow's settings."""
    window = case["window"]
    match window["type"]:
        case "session":
            return {
                "kind": "session",
                "gap": span(case, window["gap"]),
                "gap_inclusive": window["gap_inclusive"],
                "session_end": {"last": "last", "last+gap": "gap"}[window["end"]],
            }
        case "global":  # one session that nothing interrupts
            return {"kind": "session", "gap": "30d", "session_end": "last"}
        case "sliding_pairwise":
            return {"kind": "pairwise", "size": span(case, window["size"])}
        case "count":
            return {"kind": "count", "length": window["count"], "stride": window["step"]}
        case "sequence":  # no pad, no partial ones: all steps are observed
            length, stride = window["length"], window["stride"]
            return {
                "kind": "sequence",
                "step": span(case, 1),
                "length": length,
                "stride": stride,
                "min_observed": length,
            }
        case "gapfill":
            low, high = (from_us(us(case, bound)) for bound in window["range"])
            size = span(case, window["size"])
            return {"size": size, "fill": window["fill"], "fill_from": low, "fill_to": high}
    settings = {"kind": window["type"], "closed": window.get("closed", "left")}
    settings |= {name: span(case, window[name]) for name in ("size", "slide") if name in window}
    settings["offset"] = span(case, _offset(case))
    if "calendar" in window:
        calendar = window["calendar"]
        settings |= {"size": calendar["every"], "timezone": window["timezone"]}
        settings["offset"] = {"monday": "0s", "wednesday": "48h"}[calendar.get("week_start", "monday")]
    return settings


def _offset(case: Case) -> int:
    window = case["window"]
    origin = window.get("origin", window.get("offset", 0))
    if origin == "first_event":
        origin = min(event["ts"] for event in case["events"])
    return int(origin) % window.get("slide", window["size"]) if origin else 0


def weighed(function: str, carry: str) -> dict[str, Any]:
    return {"function": function, "column": "value", "carry": carry}


SPECIAL: Mapping[str, Mapping[str, Any]] = {
    "timescale-time-weight-irregular": {
        "twa_linear": weighed("time_weighted_mean", "linear"),
        "twa_locf": weighed("time_weighted_mean", "previous"),
        "integral_linear_s": weighed("integral", "linear"),
        "integral_locf_s": weighed("integral", "previous"),
    },
    "timescale-time-weight-carry-in": {
        "twa_locf_bounded": weighed("time_weighted_mean", "previous"),
        "integral_seconds": weighed("integral", "previous"),
    },
    "timescale-time-weight-5m-single-point-null": {"twa_locf": weighed("time_weighted_mean", "none")},
    "timescale-counter-two-resets": {
        "counter_delta": "increase(value)",
        "num_resets": "resets(value)",
        "num_changes": "changes(value)",
        "earliest": "first(value)",
        "latest": "last(value)",
    },
    "timescale-ohlc-1m": {
        **{name: f"{name}(value)" for name in ("open", "high", "low", "close")},
        "open_ts": "first(ts)",
        "close_ts": "last(ts)",
        "high_ts": "time_of_max(value)",
        "low_ts": "time_of_min(value)",
        "volume": {"function": "sum", "column": "volume", "skip_nulls": False},
    },
    "tsfresh-sequence-len3-stride1-strict": {"values": "last(value)"},
}
"""Outputs of cases that name what they compute in words of their own."""


def outputs(case: Case) -> dict[str, Any]:
    """The case's aggregates under the names that its expected rows have."""
    if case["id"] in SPECIAL:
        return dict(SPECIAL[case["id"]])
    found = {}
    for text in case["agg"]:
        function, _, column = text.rstrip(")").partition("(")
        name = f"{function}_{column}" if column not in ("", "value") else function
        function = {"count_distinct": "n_unique"}.get(function, function)
        found[name] = "count" if text == "count" else f"{function}({column or 'value'})"
    return found


def spec_of(case: Case) -> StreamSpec:
    """A stream whose columns are the fields of the case's events; a record is identified by its place among them."""
    names = sorted({name for event in case["events"] for name in event if name != "ts" and "ts" in event})
    columns = {"ts": "timestamp", "place": "int"} | {name: _type_of(case, name) for name in names}
    text = json.dumps(
        {"stream": "s", "time": {"column": "ts"}, "keys": ["key"], "unique": ["ts", "place"], "columns": columns}
    )
    return specs.parse(text, str(case["id"]))


def _type_of(case: Case, name: str) -> str:
    kinds = {type(event[name]) for event in case["events"] if event.get(name) is not None}
    return "float" if float in kinds else {int: "int", str: "string"}[kinds.pop()]


# ------------------------------------------------------------------------------------------------ computing


@dataclass(frozen=True)
class Bench:
    """A case, ready to be computed over any of its rows."""

    case: Case
    spec: StreamSpec
    window: WindowSpec

    @classmethod
    def of(cls, case: Case) -> "Bench":
        return cls(case, spec_of(case), window_of(**kind_settings(case), aggregates=outputs(case)))

    def records(self) -> list[Row]:
        """The case's events without its clock's."""
        events = [event for event in self.case["events"] if "ts" in event]
        return [self.record(place, event) for place, event in enumerate(events)]

    def record(self, place: int, event: Row) -> Row:
        blank = dict.fromkeys(self.spec.columns)
        return blank | event | {"place": place, "ts": from_us(us(self.case, event["ts"]))}

    def frame(self, records: Sequence[Row]) -> pl.DataFrame:
        return frame(records, self.spec)

    def compute(self, records: Sequence[Row]) -> dict[Bounds, Row]:
        """The windows over some of its rows."""
        return by_bounds(engine.compute(self.frame(records), self.spec, self.window))

    def windows_of(self, record: Row, among: Sequence[Row]) -> list[Bounds]:
        """The windows that hold a row, among others: those that are others without it."""
        before = self.compute(among)
        after = self.compute([*among, record])
        return [bounds for bounds, row in after.items() if before.get(bounds, {}).get("row_count") != row["row_count"]]


def by_bounds(rows: pl.DataFrame) -> dict[Bounds, Row]:
    found = {(row["key"], to_us(row["window_start"]), to_us(row["window_end"])): row for row in rows.to_dicts()}
    assert len(found) == rows.height
    return found


# ------------------------------------------------------------------------------------------------ the case's own time


@dataclass
class Clock:
    """How far the case's time has come, in µs: a window whose end is not after it is complete."""

    case: Case
    largest: dict[Any, int] = field(default_factory=dict)
    explicit: float = -math.inf

    def scope(self, key: object) -> object:
        return key if self.case["time"].get("scope") == "key" else None

    def saw(self, event: Row) -> None:
        scope, time = self.scope(event["key"]), us(self.case, event["ts"])
        self.largest[scope] = max(time, self.largest.get(scope, time))

    def passed(self, key: object) -> float:
        """What it has passed. A watermark of W says that rows of W may come no more: it passes all before W + 1."""
        time = self.case["time"]
        if time["mode"] == "explicit":
            return self.explicit
        behind = us(self.case, time.get("grace", time.get("delay", 0)))
        return self.largest.get(self.scope(key), -math.inf) - behind

    def watermark(self, at: float) -> None:
        self.explicit = us(self.case, at + 1)

    def end(self) -> None:
        """The input is at its end: nothing is waited for any more."""
        self.largest = dict.fromkeys(self.largest, 1 << 62)


def _flushes(case: Case) -> bool:
    rule = case["time"].get("rule", "")
    return "flush" in rule and not re.search(r"\bno\b[^;]*flush", rule)


def _reaches(bounds: Bounds, row: Row) -> bool:
    return bool(row["key"] == bounds[0] and bounds[1] <= to_us(row["ts"]) <= bounds[2])


@dataclass
class Replay:
    """Rows and watermarks one after the other: which rows are too late, and what comes out when."""

    bench: Bench
    clock: Clock = field(init=False)
    admitted: list[Row] = field(default_factory=list)
    held: dict[Bounds, list[Row]] = field(default_factory=lambda: defaultdict(list))
    """Rows of each window that is not closed, those that came out already included."""
    fresh: dict[Bounds, list[Row]] = field(default_factory=lambda: defaultdict(list))
    """Those of them that have not come out."""
    came_out: dict[Bounds, Row] = field(default_factory=dict)
    emissions: list[Row] = field(default_factory=list)
    late: list[Row] = field(default_factory=list)
    visible: list[int] = field(default_factory=list)
    """How many windows had come out after each batch."""

    def __post_init__(self) -> None:
        self.clock = Clock(self.bench.case)

    @property
    def options(self) -> Mapping[str, Any]:
        return self.bench.case["window"]

    @property
    def lateness(self) -> int:
        """How long after its end a window still takes rows. With a grace the clock itself is behind."""
        if self.bench.case["time"]["mode"] == "stream_time":
            return 0
        return us(self.bench.case, self.options.get("lateness", 0))

    def end(self, bounds: Bounds) -> int:
        """The end of a window as a bound that is not its own."""
        return bounds[2] + (UNITS_US[self.bench.case["unit"]] if self.options.get("bounds") == "inclusive" else 0)

    def run(self) -> "Replay":
        events = self.bench.case["events"]
        is_in_batches = any("batch_end" in event for event in events)
        batch: list[Row] = []
        for event in events:
            if "ts" in event:
                batch.append(event)
            if "ts" not in event or not is_in_batches:
                self.take_all(batch, clock_first=not is_in_batches)
                batch = []
            if "batch_end" in event:
                self.fire_early()
            if "watermark" in event:
                self.clock.watermark(event["watermark"])
            self.fire()
            if "batch_end" in event:
                self.visible.append(len(self.came_out))
        if _flushes(self.bench.case):
            self.clock.end()
            self.fire()
        return self

    def take_all(self, batch: Sequence[Row], *, clock_first: bool) -> None:
        """Rows one by one. Those of a batch move the clock only when all of it are in."""
        for event in batch:
            if clock_first:
                self.clock.saw(event)
            self.take(event, self.bench.record(len(self.admitted) + len(self.late), event))
        for event in batch:
            self.clock.saw(event)

    def take(self, event: Row, record: Row) -> None:
        """Lay a row into the windows that still take it; if there are some and none does, it is late."""
        if self.is_late_itself(record):
            self.late.append(event)
            return
        touched = self.touched(record)
        taking = [each for each in touched if self.closes(each) + self.lateness > self.clock.passed(record["key"])]
        if touched and not taking:
            self.late.append(event)
            return
        self.admitted.append(record)
        for each in taking:
            # A window back from a row begins with the rows before it.
            is_new = isinstance(self.bench.window, PairwiseWindow) and each not in self.held
            joining = [row for row in self.admitted if _reaches(each, row)] if is_new else [record]
            self.held[each] += joining
            self.fresh[each] += joining

    def is_late_itself(self, record: Row) -> bool:
        """Where the rule is about rows, not windows."""
        is_so = "event late iff ts < watermark" in self.bench.case["time"]["rule"]
        return is_so and to_us(record["ts"]) < self.clock.passed(record["key"])

    def touched(self, record: Row) -> list[Bounds]:
        """The windows that hold a row. Sessions that it joins become one, with all their rows."""
        if not isinstance(self.bench.window, SessionWindow):
            return self.bench.windows_of(record, self.admitted)
        retained = [row for rows in self.held.values() for row in rows]
        found = self.bench.windows_of(record, retained)
        [whole] = [each for each in found if each not in self.held] or found
        joined = [each for each in self.held if each[0] == whole[0] and whole[1] <= each[1] and each[2] <= whole[2]]
        if self.closes(whole) + self.lateness > self.clock.passed(record["key"]):
            rows = [row for each in joined for row in self.held.pop(each)]
            self.fresh[whole] = [row for each in joined for row in self.fresh.pop(each, [])]
            self.held[whole] = rows
        return [whole]

    def fire(self) -> None:
        """Bring out what is complete and has something new, and forget what takes no more rows."""
        for each in sorted(self.held, key=lambda bounds: (bounds[2], bounds[1], str(bounds[0]))):
            passed = self.clock.passed(each[0])
            if self.closes(each) <= passed and (self.fresh[each] or self.is_owed_when_empty(each)):
                self.bring_out(each, "on_time")
            if self.closes(each) + self.lateness <= passed:
                del self.held[each]

    def closes(self, bounds: Bounds) -> int:
        """When a window is complete: a session that ends at its last row only after its gap."""
        window = self.bench.window
        waits = isinstance(window, SessionWindow) and window.session_end == "last"
        return self.end(bounds) + (window.gap + 1 if isinstance(window, SessionWindow) and waits else 0)

    def fire_early(self) -> None:
        most = self.options.get("early", {}).get("after_count")
        for each in sorted(self.held, key=lambda bounds: bounds[1]):
            if most is not None and len(self.fresh[each]) >= most:
                self.bring_out(each, "early")

    def is_owed_when_empty(self, bounds: Bounds) -> bool:
        """Beam brings out a last pane on time even with nothing in it."""
        return "early" in self.options and not any(
            row["pane"] == "on_time" and (row["key"], row["start"], row["end"]) == bounds for row in self.emissions
        )

    def bring_out(self, bounds: Bounds, pane: str) -> None:
        rows = self.fresh[bounds] if self.options.get("accumulation") == "discarding" else self.held[bounds]
        empty = {"key": bounds[0], **{name: [] for name in self.bench.window.aggregates}}
        row = self.bench.compute(rows)[bounds] if rows else empty
        self.came_out[bounds] = row
        self.emissions.append({**row, "key": bounds[0], "start": bounds[1], "end": bounds[2], "pane": pane})
        self.fresh[bounds] = []


# ------------------------------------------------------------------------------------------------ checking


ORDER_OF_ARRIVAL = {"quix-sliding-late-update"}
"""Cases whose lists are in order of arrival. Windrow's are by event time, so only what they hold is compared."""


def derived(bench: Bench, row: Row) -> Row:
    """A row with what the case makes of our outputs."""
    match bench.case["id"]:
        case "timescale-time-weight-carry-in":
            return {**row, "integral_hours": row["integral_seconds"] / 3_600}
        case "timescale-counter-two-resets":
            return {**row, "reset_sum": row["counter_delta"] - (row["latest"] - row["earliest"])}
        case "tsfresh-sequence-len3-stride1-strict":
            return {**row, "end_ts": to_us(row["window_end"]) - us(bench.case, 1)}
    return row


def fields(bench: Bench, wanted: Row) -> Iterator[tuple[str, Any]]:
    """The figures of an expected row, times in µs and values in order."""
    for name, value in wanted.items():
        if name in ("key", "start", "end", "final"):
            continue
        yield name, us(bench.case, value) if name.endswith("_ts") else value


def assert_figures(bench: Bench, found: Row, wanted: Row) -> set[str]:
    """The row has every figure that is wanted; gives their names."""
    row = derived(bench, found)
    for name, value in fields(bench, wanted):
        have = row[name]
        if name.endswith("_ts") and not isinstance(have, int):
            have = to_us(have)
        if name == "collect" and bench.case["id"] in ORDER_OF_ARRIVAL:
            have, value = sorted(have), sorted(value)  # noqa: PLW2901 both sides alike
        is_same = (
            math.isclose(have, value, rel_tol=1e-9) if isinstance(value, float) and have is not None else have == value
        )
        assert is_same, f"{bench.case['id']}: {name} is {have!r} instead of {value!r} in {wanted}"
    return {name for name, _ in fields(bench, wanted)}


def assert_windows(bench: Bench, found: Mapping[Bounds, Row], wanted: Sequence[Row]) -> set[str]:
    """Exactly the windows that are wanted, with every figure of theirs; gives the figures' names."""
    places = {name for row in wanted for name in row} & {"key", "start", "end"}
    rows: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for (key, start, end), row in found.items():
        place = {"key": key, "start": start, "end": end}
        rows[tuple(place[name] for name in sorted(places))].append(row)
    assert sum(map(len, rows.values())) == len(wanted), f"{bench.case['id']}: {sorted(found, key=str)}"
    names: set[str] = set()
    for each in wanted:
        place = {name: each[name] if name == "key" else us(bench.case, each[name]) for name in places}
        same = rows[tuple(place[name] for name in sorted(places))]
        if "end_ts" in each:  # sequences are told by their last step
            same = [row for row in same if derived(bench, row)["end_ts"] == us(bench.case, each["end_ts"])]
        assert len(same) == 1, f"{bench.case['id']}: {len(same)} rows for {each}"
        names |= assert_figures(bench, same[0], each)
    return names | places


CHECKED: dict[str, str] = {}


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    """Prints what was checked of each case, for `pytest -s`."""
    yield
    for name, what in CHECKED.items():
        print(f"\n{name:46} {what}", end="")
    print()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_case_of_another_engine_comes_out_as_it_does_there(case: Case) -> None:
    if case["id"] == CLOCK:
        CHECKED[CLOCK] = assert_clock(case)
        return
    bench = Bench.of(case)
    records = bench.records()
    if case["time"]["mode"] == "batch":
        names = assert_windows(bench, bench.compute(records), case["expected"])
        assert_windows(bench, bench.compute(records[::-1]), case["expected"])
        CHECKED[case["id"]] = f"{len(case['expected'])} windows, either order of rows: {', '.join(sorted(names))}"
        return
    replay = Replay(bench).run()
    done = []
    if case["mode"] == "emissions":
        wanted = case["expected_emissions"]
        assert len(replay.emissions) == len(wanted), replay.emissions
        for have, want in zip(replay.emissions, wanted, strict=True):
            assert (have["key"], have["start"], have["end"]) == (
                want["key"],
                us(case, want["start"]),
                us(case, want["end"]),
            )
            assert_figures(bench, have, want)
        done.append(f"{len(wanted)} emissions in order, {case['window'].get('accumulation', 'accumulating')}")
    else:
        assert_windows(bench, replay.came_out, case["expected"])
        done.append(f"{len(case['expected'])} final windows")
    if "late" in case or case["time"]["mode"] != "batch":
        assert replay.late == case.get("late", [])
        done.append(f"{len(replay.late)} late rows")
    if "open_at_end" in case:
        still_open = {each: bench.compute(replay.held[each])[each] for each in replay.held}
        assert_windows(bench, still_open, case["open_at_end"])
        done.append(f"{len(still_open)} windows open at the end")
    if "expected_after_batch" in case:
        assert replay.visible == case["expected_after_batch"]
        done.append(f"windows visible after each batch: {replay.visible}")
    if "restart_after_watermark" in case:
        assert_windows(bench, restarted(bench, case["restart_after_watermark"]), case["expected"])
        done.append("the same from panes that were written to a file at the restart")
    CHECKED[case["id"]] = "; ".join(done)


def restarted(bench: Bench, watermark: int) -> dict[Bounds, Row]:
    """The windows when all that is known of the rows before a watermark is their panes in a file."""
    records = bench.records()
    at = bench.case["events"].index({"watermark": watermark})
    before = sum(1 for event in bench.case["events"][:at] if "ts" in event)
    file = BytesIO()
    engine.panes(bench.frame(records[:before]), bench.spec, bench.window).write_ipc(file)
    kept = [pl.read_ipc(file.getvalue()), engine.panes(bench.frame(records[before:]), bench.spec, bench.window)]
    merged = engine.merge_panes(kept, bench.spec, bench.window)
    return by_bounds(engine.from_panes(merged, bench.spec, bench.window))


def assert_clock(case: Case) -> str:
    """Windrow's own rule: the largest time less `lateness`, and the wall clock less that where a stream is quiet.

    The case's clock moves with the wall clock at once, so `idle` is zero, and the first row comes at its own time.
    """
    wait = us(case, case["window"]["wait"])
    spec = specs.parse(
        f"{{stream: s, time: {{column: ts}}, columns: {{ts: timestamp}}, idle: 0s, lateness: {wait}us}}",
        CLOCK,
    )
    began = us(case, case["events"][0]["ts"])
    largest = -math.inf
    found = []
    for event in case["events"]:
        now = began + us(case, event["system"])
        if event["ts"] is not None:
            largest = max(largest, us(case, event["ts"]))
        progress = Progress(int(largest), now)
        ends = range(0, us(case, 20_000), us(case, 1))
        passed = max(end for end in ends if is_due(end, spec, progress, now))
        found.append({"watermark": passed / UNITS_US[case["unit"]]})
    assert found == case["expected"]
    return f"{len(found)} watermarks, by the rule that seals buckets, with lateness 5s and idle 0s"
