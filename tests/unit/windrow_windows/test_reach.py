"""What windows depend on and which windows a record changes, held against computing them with and without it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support.window_drawing import window_of
from windrow import spec
from windrow.lake.schema import segment_schema
from windrow.spec.carried_out import not_carried_out
from windrow.spec.windows import AlignedWindow, SequenceWindow
from windrow.units import DAY_US, SECOND_US, from_us, to_us
from windrow.windows import engine
from windrow.windows.reach import Stretch, bucket_at, bucket_of, buckets_of, covering, owners, reach

HOUR_US = 3_600 * SECOND_US
SPEC = spec.parse(
    "stream: s\ntime: {column: ts}\nkeys: [k]\nunique: [k, ts]\ncolumns: {ts: timestamp, k: string, v: float}", "x"
)
Record = tuple[int, str, float | None]
"""When (µs), of which key, and its value."""


def frame(records: list[Record]) -> pl.DataFrame:
    data = [(from_us(time), key, value, "b", number, from_us(0)) for number, (time, key, value) in enumerate(records)]
    return pl.DataFrame(data, schema=segment_schema(SPEC), orient="row")


def computed(
    records: list[Record], window: AlignedWindow | SequenceWindow, owned: Stretch | None = None
) -> list[tuple[Any, ...]]:
    rows = engine.compute(frame(records), SPEC, window, owned).rows()
    return [tuple(tuple(value) if isinstance(value, list) else value for value in row) for row in rows]


def start_of(row: tuple[Any, ...]) -> int:
    return to_us(row[1])


def defined(**settings_: Any) -> AlignedWindow | SequenceWindow:
    window = window_of(**settings_)
    assert isinstance(window, AlignedWindow | SequenceWindow)
    return window


def is_for_streams(window: AlignedWindow | SequenceWindow) -> bool:
    """Whether it may be published: what has no bound may not."""
    return not not_carried_out(SPEC.model_copy(update={"windows": {"w": window}}))


# ------------------------------------------------------------------------------------------------ drawing


@dataclass(frozen=True)
class Case:
    """A definition, a length of buckets, and records."""

    window: AlignedWindow | SequenceWindow
    bucket_us: int
    records: list[Record]


def text(length_us: int) -> str:
    return f"{length_us}us"


@st.composite
def aggregates(draw: st.DrawFn, unit_us: int) -> dict[str, Any]:
    """Some that merge, and some whose values come from outside of their window, by a bounded way."""
    some: dict[str, Any] = {"n": "count"}
    if draw(st.booleans()):
        some["first_v"] = "first(v)"
    if draw(st.booleans()):
        carry = draw(st.sampled_from(["previous", "linear", "none"]))
        function = draw(st.sampled_from(["time_weighted_mean", "integral"]))
        some["carried"] = {"function": function, "column": "v", "carry": carry}
        if carry != "none":
            some["carried"]["max_carry"] = text(draw(st.integers(1, 8)) * unit_us)
    return some


@st.composite
def fills(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {}
    some: dict[str, Any] = {"fill": draw(st.sampled_from(["null", "zero", "previous", "linear", 7.5]))}
    if draw(st.integers(0, 4)):
        some["max_gap"] = draw(st.integers(1, 4))
    if draw(st.booleans()):
        some["fill_limit"] = draw(st.integers(1, 3))
    return some


def records_around(times: st.SearchStrategy[int]) -> st.SearchStrategy[list[Record]]:
    values = st.none() | st.integers(0, 9).map(float)
    record = st.tuples(times, st.sampled_from("ab"), values)
    return st.lists(record, min_size=1, max_size=10, unique_by=lambda each: each[:2])


@st.composite
def fixed_cases(draw: st.DrawFn) -> Case:
    """Windows on a grid of seconds, with buckets shorter and longer than they are, around 1970."""
    unit = SECOND_US
    kind = draw(st.sampled_from(["tumbling", "sliding", "cumulative", "sequence"]))
    common: dict[str, Any] = {"kind": kind, "aggregates": draw(aggregates(unit))}
    if draw(st.booleans()):
        common["offset"] = draw(st.sampled_from(["1s", "-1s", "3s", "500ms", "-7s"]))
    match kind:
        case "sequence":
            own = {
                "step": text(draw(st.integers(1, 4)) * unit),
                "length": draw(st.integers(1, 4)),
                "stride": draw(st.integers(1, 6)),
                "horizon": draw(st.integers(0, 3)),
                "mask": draw(st.booleans()),
                "padding": draw(st.sampled_from(["null", "zero", 7.5])),
            }
        case "cumulative":
            step = draw(st.integers(1, 4))
            own = {"step": text(step * unit), "size": text(step * draw(st.integers(1, 4)) * unit)}
        case "sliding":
            own = {"size": text(draw(st.integers(1, 12)) * unit), "slide": text(draw(st.integers(1, 12)) * unit)}
        case _:
            own = {"size": text(draw(st.integers(1, 12)) * unit)}
    if kind != "sequence":
        own["closed"] = draw(st.sampled_from(["left", "right"]))
    times = st.integers(-60, 60).map(lambda half: half * unit // 2) | st.integers(-30, 30).map(lambda s: s * unit + 1)
    window = defined(**common, **own, **draw(fills()))
    assume(is_for_streams(window))
    return Case(window, draw(st.integers(1, 15)) * unit, draw(records_around(times)))


CLOCK_CHANGES = [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)]


@st.composite
def calendar_cases(draw: st.DrawFn) -> Case:
    """Days, weeks and months as the clocks of Berlin show them, where these are put forward and back."""
    kind = draw(st.sampled_from(["tumbling", "sliding", "cumulative"]))
    size = draw(st.sampled_from(["1d", "2d", "1w", "1mo"]))
    common = {"kind": kind, "size": size, "timezone": "Europe/Berlin", "aggregates": draw(aggregates(HOUR_US))}
    match kind:
        case "sliding":
            common["slide"] = draw(st.sampled_from(["6h", "1d", "1h"] if size != "1mo" else ["1d", "1w"]))
        case "cumulative":
            common["step"] = draw(st.sampled_from(["1h", "12h", "1d"] if size != "1mo" else ["1d"]))
    if draw(st.booleans()):
        common["offset"] = draw(st.sampled_from(["6h", "-6h", "2h", "2h30m"]))
    common["closed"] = draw(st.sampled_from(["left", "right"]))
    change_us = to_us(draw(st.sampled_from(CLOCK_CHANGES)))
    times = st.integers(-100, 100).map(lambda hours: change_us + hours * HOUR_US) | st.integers(
        -90 * DAY_US, 90 * DAY_US
    ).map(lambda off: change_us + off)
    bucket_us = draw(st.sampled_from([HOUR_US, 5 * HOUR_US, DAY_US, 10 * DAY_US]))
    window = defined(**common, **draw(fills()))
    assume(is_for_streams(window))
    return Case(window, bucket_us, draw(records_around(times)))


# ------------------------------------------------------------------------------------------------ properties


def check_what_one_record_changes(case: Case) -> None:
    *others, added = case.records
    before, after = set(computed(others, case.window)), set(computed(case.records, case.window))
    changed = {bucket_of(start_of(row), case.bucket_us) for row in before ^ after}
    known = owners(case.window, case.bucket_us, Stretch(added[0], added[0] + 1))
    of_bucket = owners(case.window, case.bucket_us, bucket_at(bucket_of(added[0], case.bucket_us), case.bucket_us))

    assert changed <= set(known)
    assert set(known) <= set(of_bucket)
    assert of_bucket == sorted(set(of_bucket))


def check_what_each_bucket_depends_on(case: Case) -> None:
    rows = computed(case.records, case.window)
    for owner in {bucket_of(start_of(row), case.bucket_us) for row in rows}:
        stretch = reach(case.window, case.bucket_us, owner)
        assert stretch is not None
        within = [record for record in case.records if stretch.from_us <= record[0] < stretch.to_us]
        found = computed(within, case.window, bucket_at(owner, case.bucket_us))
        assert found == [row for row in rows if bucket_of(start_of(row), case.bucket_us) == owner]


def check_that_both_directions_agree(case: Case) -> None:
    """Who is refreshed for a bucket reads it; who reads it is refreshed, unless it lies in a hole between windows."""
    touched = bucket_at(bucket_of(case.records[0][0], case.bucket_us), case.bucket_us)
    known = owners(case.window, case.bucket_us, touched)
    for owner in known:
        stretch = reach(case.window, case.bucket_us, owner)
        assert stretch is not None
        assert stretch.from_us < touched.to_us
        assert stretch.to_us > touched.from_us
    if known:  # the next on either side look elsewhere
        for owner in (known[0] - case.bucket_us, known[-1] + case.bucket_us):
            stretch = reach(case.window, case.bucket_us, owner)
            assert stretch is None or touched.from_us not in buckets_of(stretch, case.bucket_us)


@settings(max_examples=120)
@given(fixed_cases())
def test_a_record_changes_windows_only_of_the_buckets_that_are_refreshed_for_it(case: Case) -> None:
    check_what_one_record_changes(case)


@settings(max_examples=100)
@given(fixed_cases())
def test_the_windows_of_a_bucket_are_the_same_from_what_they_reach_over_alone(case: Case) -> None:
    check_what_each_bucket_depends_on(case)


@settings(max_examples=120)
@given(fixed_cases())
def test_who_is_refreshed_for_a_bucket_is_who_reads_it(case: Case) -> None:
    check_that_both_directions_agree(case)


@settings(max_examples=100)
@given(calendar_cases())
def test_a_record_changes_calendar_windows_only_of_the_buckets_that_are_refreshed_for_it(case: Case) -> None:
    check_what_one_record_changes(case)


@settings(max_examples=60)
@given(calendar_cases())
def test_the_calendar_windows_of_a_bucket_are_the_same_from_what_they_reach_over_alone(case: Case) -> None:
    check_what_each_bucket_depends_on(case)


# ------------------------------------------------------------------------------------------------ examples

MINUTE_US = 60 * SECOND_US
COUNT = {"n": "count"}


@pytest.mark.parametrize(
    ("settings_", "bucket_us", "owner_us", "expected"),
    [
        ({"kind": "tumbling", "size": "1m"}, HOUR_US, 0, (0, HOUR_US)),
        ({"kind": "tumbling", "size": "1m", "closed": "right"}, HOUR_US, 0, (1, HOUR_US + 1)),
        ({"kind": "tumbling", "size": "3h"}, HOUR_US, 0, (0, 3 * HOUR_US)),
        ({"kind": "tumbling", "size": "3h"}, HOUR_US, HOUR_US, None),
        ({"kind": "sliding", "size": "2h", "slide": "30m"}, HOUR_US, 0, (0, 30 * MINUTE_US + 2 * HOUR_US)),
        ({"kind": "sliding", "size": "1m", "slide": "2h"}, HOUR_US, -HOUR_US, None),
        ({"kind": "cumulative", "size": "1d", "step": "1h"}, HOUR_US, 0, (0, DAY_US)),
        ({"kind": "sequence", "step": "1m", "length": 10, "stride": 1, "horizon": 5}, HOUR_US, 0, (0, 74 * MINUTE_US)),
    ],
)
def test_windows_reach_from_the_first_start_to_the_last_end(
    settings_: dict[str, Any], bucket_us: int, owner_us: int, expected: tuple[int, int] | None
) -> None:
    assert reach(defined(aggregates=COUNT, **settings_), bucket_us, owner_us) == expected


def test_a_carry_reaches_back_and_a_line_forward_too() -> None:
    held = {"mean_v": {"function": "time_weighted_mean", "column": "v", "max_carry": "10m"}}
    line = {"mean_v": {**held["mean_v"], "carry": "linear"}}

    assert reach(defined(kind="tumbling", size="1h", aggregates=held), HOUR_US, 0) == (-10 * MINUTE_US, HOUR_US)
    assert reach(defined(kind="tumbling", size="1h", aggregates=line), HOUR_US, 0) == (
        -10 * MINUTE_US,
        HOUR_US + 10 * MINUTE_US,
    )


def test_a_carry_may_begin_exactly_as_far_back_as_it_may_go_though_windows_are_closed_on_the_right() -> None:
    held = {"mean_v": {"function": "time_weighted_mean", "column": "v", "max_carry": "1h"}}
    window = defined(kind="tumbling", size="1h", closed="right", aggregates=held)
    first, second = (-HOUR_US, "a", 1.0), (30 * MINUTE_US, "a", 2.0)

    assert computed([first, second], window, Stretch(0, HOUR_US)) != computed([second], window, Stretch(0, HOUR_US))
    assert reach(window, HOUR_US, 0) == (-HOUR_US, HOUR_US + 1)
    assert 0 in owners(window, HOUR_US, Stretch(-HOUR_US, -HOUR_US + 1))


def test_a_day_of_25_hours_is_read_to_its_end() -> None:
    day = defined(kind="tumbling", size="1d", timezone="Europe/Berlin", aggregates=COUNT)
    midnight = to_us(datetime(2026, 10, 24, 22, tzinfo=UTC))

    assert reach(day, HOUR_US, midnight) == (midnight, midnight + 25 * HOUR_US)
    assert reach(day, HOUR_US, midnight + HOUR_US) is None
    assert owners(day, HOUR_US, bucket_at(midnight + 24 * HOUR_US, HOUR_US)) == [midnight]
    assert owners(day, HOUR_US, bucket_at(midnight + 25 * HOUR_US, HOUR_US)) == [midnight + 25 * HOUR_US]


def test_buckets_that_a_stretch_touches_do_not_include_the_one_at_its_end() -> None:
    assert list(buckets_of(Stretch(-1, 10), 10)) == [-10, 0]
    assert list(buckets_of(Stretch(0, 11), 10)) == [0, 10]
    assert list(buckets_of(bucket_at(-10, 10), 10)) == [-10]


def test_runs_are_known_whole_from_a_gap_before_the_first_to_a_gap_after_the_last_record() -> None:
    runs = pl.DataFrame({"first_time": [from_us(50), from_us(7)], "last_time": [from_us(90), from_us(20)]})

    assert covering(runs, 5, Stretch(10, 60)) == (2, 96)
    assert covering(runs.clear(), 5, Stretch(10, 60)) == (5, 65)
