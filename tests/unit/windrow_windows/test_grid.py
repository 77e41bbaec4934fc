from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.windrow_windows.grid_reference import (
    HOUR_US,
    ZONES,
    Bounds,
    calendar_windows,
    defined,
    fixed_windows,
    times,
    us,
    windows_around,
)
from windrow.errors import TooLarge
from windrow.spec.windows import AlignedWindow
from windrow.units import DAY_US
from windrow.windows.grid import bounds_around, memberships, with_pane

TIMESTAMP = pl.Datetime("us", "UTC")
ANY_WINDOW = st.one_of(fixed_windows(), calendar_windows())
SOME_TIMES = st.lists(times(), min_size=1, max_size=4)


def frame(some: list[int]) -> pl.LazyFrame:
    return pl.LazyFrame({"ts": pl.Series(some, dtype=pl.Int64).cast(TIMESTAMP)})


def panes_of(some: list[int], window: AlignedWindow) -> list[int]:
    return with_pane(frame(some), "ts", window).collect()["__pane"].to_list()


def windows_of(some: list[int], window: AlignedWindow) -> list[set[Bounds]]:
    """The windows that each time is in."""
    panes = pl.Series("__pane", panes_of(some, window), pl.Int64)
    held: dict[int, list[Bounds]] = {pane: [] for pane in panes}
    for pane, start, end in memberships(panes.unique(), window).iter_rows():
        held[pane].append((start, end))
    assert all(len(windows) == len(set(windows)) for windows in held.values())
    return [set(held[pane]) for pane in panes]


def holds(bounds: Bounds, time: int, window: AlignedWindow) -> bool:
    start, end = bounds
    return start <= time < end if window.closed == "left" else start < time <= end


# ------------------------------------------------------------------------------------------------ any definition


@settings(max_examples=200)
@given(ANY_WINDOW, SOME_TIMES)
def test_a_row_is_in_exactly_the_windows_that_hold_its_time(window: AlignedWindow, some: list[int]) -> None:
    expected = [
        {bounds for bounds in windows_around(window, time, time) if holds(bounds, time, window)} for time in some
    ]

    assert windows_of(some, window) == expected


@settings(max_examples=100)
@given(ANY_WINDOW, SOME_TIMES)
def test_a_time_is_in_the_same_pane_whatever_other_rows_there_are(window: AlignedWindow, some: list[int]) -> None:
    assert panes_of(some, window) == [panes_of([time], window)[0] for time in some]


@settings(max_examples=100)
@given(ANY_WINDOW, times())
def test_a_pane_is_named_by_its_first_moment_and_lies_between_neighbouring_bounds(
    window: AlignedWindow, time: int
) -> None:
    (pane,) = panes_of([time], window)
    clock = time if window.closed == "left" else time - 1

    bounds = {bound for pair in windows_around(window, time, time) for bound in pair}
    assert pane == max(bound for bound in bounds if bound <= clock)


@settings(max_examples=100)
@given(ANY_WINDOW, times(), st.integers(0, 3 * DAY_US))
def test_the_windows_around_a_span_are_all_those_that_can_hold_a_row_of_it(
    window: AlignedWindow, low: int, length: int
) -> None:
    length = min(length, 50 * window.span.longest_us)
    shift = 1 if window.closed == "right" else 0
    high = low + length

    expected = [
        (start, end)
        for start, end in windows_around(window, low, high)
        if length and start < high - shift and end > low - shift
    ]
    assert bounds_around(window, low, high).rows() == expected


@pytest.mark.parametrize("timezone", ZONES)
@pytest.mark.parametrize("offset", ["0s", "2h30m", "-31d"])
@pytest.mark.parametrize("size", ["1d", "1w", "1mo", "1q", "1y", "17h"])
def test_windows_side_by_side_hold_every_instant_once(size: str, offset: str, timezone: str) -> None:
    window = defined(size=size, offset=offset, timezone=timezone)

    windows = bounds_around(window, us("1965-01-01"), us("2035-01-01")).rows()

    assert all(end == start for (_, end), (start, _) in pairwise(windows))
    assert windows[0][0] <= us("1965-01-01") < us("2035-01-01") <= windows[-1][1]


@pytest.mark.parametrize(
    "window",
    [
        defined(size="1h", offset="17m"),
        defined(kind="sliding", size="90m", slide="1h"),
        defined(kind="cumulative", size="1d", step="1h", timezone="Europe/Berlin"),
        defined(kind="sliding", size="1mo", slide="1d", timezone="America/Havana", closed="right"),
    ],
    ids=str,
)
def test_panes_stream_with_the_same_result(window: AlignedWindow) -> None:
    stamps = pl.int_range(0, 300_000, eager=True) * 7_919_000_003 % (3 * 366 * DAY_US) - 366 * DAY_US
    rows = pl.LazyFrame({"ts": stamps.cast(TIMESTAMP)})
    lazy = with_pane(rows, "ts", window)

    streamed = lazy.collect(engine="streaming")

    assert streamed.equals(lazy.collect(engine="in-memory"))
    assert streamed["__pane"].gather(range(0, 300_000, 999)).to_list() == panes_of(
        stamps.gather(range(0, 300_000, 999)).to_list(), window
    )


@pytest.mark.parametrize(
    "window",
    [
        defined(size="1h"),
        defined(size="1d", timezone="Europe/Berlin"),
        defined(size="1y", timezone="America/Los_Angeles"),
        defined(kind="sliding", size="1mo", slide="1h", timezone="Asia/Kathmandu"),
        defined(kind="cumulative", size="1mo", step="1h", timezone="Australia/Lord_Howe"),
    ],
    ids=str,
)
def test_a_stray_year_costs_no_more_than_its_own_windows(window: AlignedWindow) -> None:
    some = [us("0001-01-01"), us("2024-05-05T05:05"), us("9999-12-31T23:59:59.999999")]

    windows = windows_of(some, window)

    assert all(start <= time < end for time, held in zip(some, windows, strict=True) for start, end in held)
    assert all(windows)
    assert windows[1] == windows_of(some[1:2], window)[0]


def test_no_rows_have_no_panes_and_no_panes_no_windows() -> None:
    for window in (defined(size="1h"), defined(size="1d", timezone="Europe/Berlin")):
        assert panes_of([], window) == []
        assert memberships(pl.Series([], dtype=pl.Int64), window).schema == dict.fromkeys(
            ("__pane", "__start", "__end"), pl.Int64
        )
        assert bounds_around(window, 5, 5).is_empty()


def test_more_windows_than_memory_holds_are_refused_before_they_are_made() -> None:
    window = defined(kind="sliding", size="365d", slide="1us")

    with pytest.raises(TooLarge, match="windows at once"):
        memberships(pl.Series([0], dtype=pl.Int64), window)
    with pytest.raises(TooLarge, match="windows at once"):
        bounds_around(defined(kind="cumulative", size="1y", step="1ms", timezone="Europe/Berlin"), 0, 1)


# ------------------------------------------------------------------------------------------------ by hand


def lengths(size: str, timezone: str, at: str, offset: str = "0s") -> float:
    """Hours of the window that holds a time."""
    (((start, end),),) = windows_of([us(at)], defined(size=size, timezone=timezone, offset=offset))
    return (end - start) / HOUR_US


@pytest.mark.parametrize(
    ("size", "timezone", "at", "hours"),
    [
        ("1d", "America/Los_Angeles", "2024-03-10T20:00", 23),
        ("1d", "America/Los_Angeles", "2024-11-03T20:00", 25),
        ("24h", "America/Los_Angeles", "2024-11-03T20:00", 24),
        ("1d", "Europe/Berlin", "2024-03-31T12:00", 23),
        ("1d", "Europe/Berlin", "2024-10-27T12:00", 25),
        ("1d", "Asia/Beirut", "2024-03-31T12:00", 23),
        ("1d", "America/Havana", "2024-11-03T12:00", 25),
        ("1d", "Australia/Lord_Howe", "2024-04-06T20:00", 24.5),
        ("1d", "Australia/Lord_Howe", "2024-10-05T20:00", 23.5),
        ("1w", "Europe/Berlin", "2024-03-31T12:00", 167),
        ("1w", "Europe/Berlin", "2024-06-01T12:00", 168),
        ("1w", "Europe/Berlin", "2024-10-27T12:00", 169),
        ("1mo", "Europe/Berlin", "2024-03-05T12:00", 31 * 24 - 1),
        ("1mo", "UTC", "2024-02-29T12:00", 29 * 24),
        ("1q", "Europe/Berlin", "2024-12-05T12:00", 92 * 24 + 1),
        ("1y", "Europe/Berlin", "2024-12-05T12:00", 366 * 24),
    ],
)
def test_a_window_is_as_long_as_the_clocks_make_it(size: str, timezone: str, at: str, hours: float) -> None:
    assert lengths(size, timezone, at) == hours


def test_a_midnight_that_is_skipped_is_the_moment_of_the_change() -> None:
    # Beirut went from 23:59:59 on March 30th to 01:00 on the 31st, at 22:00 UTC.
    window = defined(size="1d", timezone="Asia/Beirut")

    before, after = us("2024-03-30T22:00") - 1, us("2024-03-30T22:00")

    assert windows_of([before, after], window) == [
        {(us("2024-03-29T22:00"), us("2024-03-30T22:00"))},
        {(us("2024-03-30T22:00"), us("2024-03-31T21:00"))},
    ]


def test_a_midnight_that_is_shown_twice_begins_its_day_the_first_time() -> None:
    # Havana went from 01:00 back to 00:00 on November 3rd, at 05:00 UTC; it first was midnight at 04:00.
    window = defined(size="1d", timezone="America/Havana")

    (day,) = windows_of([us("2024-11-03T05:30")], window)

    assert day == {(us("2024-11-03T04:00"), us("2024-11-04T05:00"))}


def test_a_bound_in_skipped_time_stands_where_the_offset_before_puts_it() -> None:
    # 02:30 in Berlin did not happen on March 31st: by the clocks of the night before it is 01:30 UTC.
    window = defined(size="1d", timezone="Europe/Berlin", offset="2h30m")

    (day,) = windows_of([us("2024-03-31T12:00")], window)

    assert day == {(us("2024-03-31T01:30"), us("2024-04-01T00:30"))}


def test_a_day_that_a_country_skips_has_no_window() -> None:
    window = defined(size="1d", timezone="Pacific/Apia")

    days = bounds_around(window, us("2011-12-29T12:00"), us("2011-12-31T12:00")).rows()

    assert days == [
        (us("2011-12-29T10:00"), us("2011-12-30T10:00")),
        (us("2011-12-30T10:00"), us("2011-12-31T10:00")),
        (us("2011-12-31T10:00"), us("2012-01-01T10:00")),
    ]


def test_an_offset_is_counted_on_the_wall() -> None:
    window = defined(size="1d", timezone="Europe/Berlin", offset="6h")

    days = bounds_around(window, us("2024-03-30T12:00"), us("2024-03-31T12:00")).rows()

    assert days == [
        (us("2024-03-30T05:00"), us("2024-03-31T04:00")),
        (us("2024-03-31T04:00"), us("2024-04-01T04:00")),
    ]


def test_weeks_begin_on_mondays_and_pairs_of_them_on_every_other_from_the_last_of_1969() -> None:
    (one, two, before) = (
        windows_of([us(at)], defined(size=size))[0]
        for size, at in (("1w", "2024-05-12T23:59"), ("2w", "1970-01-10"), ("1w", "1969-12-28T23:00"))
    )

    assert one == {(us("2024-05-06"), us("2024-05-13"))}
    assert two == {(us("1969-12-29"), us("1970-01-12"))}
    assert before == {(us("1969-12-22"), us("1969-12-29"))}


def test_several_months_are_counted_from_january_1970_in_both_directions() -> None:
    window = defined(size="2q")

    assert windows_of([us("1969-11-11"), us("2024-08-01")], window) == [
        {(us("1969-07-01"), us("1970-01-01"))},
        {(us("2024-07-01"), us("2025-01-01"))},
    ]


def test_a_month_from_the_31st_ends_with_the_shorter_month() -> None:
    window = defined(kind="sliding", size="1mo", slide="1d")

    windows = bounds_around(window, us("2024-02-28T12:00"), us("2024-02-28T13:00")).rows()

    assert [end for start, end in windows if start >= us("2024-01-29")][:3] == [us("2024-02-29")] * 3
    assert windows[0] == (us("2024-01-29"), us("2024-02-29"))


def test_a_day_from_every_hour_ends_at_the_same_hour_on_the_wall() -> None:
    window = defined(kind="sliding", size="1d", slide="1h", timezone="Europe/Berlin")

    windows = dict(bounds_around(window, us("2024-03-31T00:00"), us("2024-03-31T00:30")).rows())

    assert windows[us("2024-03-30T08:00")] == us("2024-03-31T07:00")  # 09:00 to 09:00, 23 hours
    assert len(windows) == 24


def test_hours_of_a_day_so_far_are_25_where_the_day_has_25() -> None:
    window = defined(kind="cumulative", size="1d", step="1h", timezone="Europe/Berlin")

    (first,) = windows_of([us("2024-10-26T22:00")], window)

    assert sorted(end - start for start, end in first) == [hours * HOUR_US for hours in range(1, 26)]


def test_the_last_window_of_a_day_so_far_ends_with_the_day() -> None:
    window = defined(kind="cumulative", size="1d", step="1h", timezone="Australia/Lord_Howe")

    (first,) = windows_of([us("2024-04-06T13:00")], window)

    assert sorted(end - start for start, end in first)[-2:] == [24 * HOUR_US, 24.5 * HOUR_US]


def test_days_of_a_month_so_far_follow_the_clocks() -> None:
    window = defined(kind="cumulative", size="1mo", step="1d", timezone="Europe/Berlin")

    (last,) = windows_of([us("2024-03-30T23:30")], window)

    assert last == {(us("2024-02-29T23:00"), us("2024-03-31T22:00"))}


def test_a_slide_beyond_the_size_leaves_holes() -> None:
    window = defined(kind="sliding", size="1m", slide="1h")

    assert windows_of([59_999_999, 60_000_000], window) == [{(0, 60_000_000)}, set()]


def test_a_size_that_is_no_multiple_of_its_slide_has_two_panes_in_each() -> None:
    window = defined(kind="sliding", size="90m", slide="1h")
    hour = [minute * 60_000_000 for minute in range(60)]

    assert panes_of(hour, window) == [0] * 30 + [30 * 60_000_000] * 30


def test_a_row_at_a_bound_is_in_the_window_that_it_begins_or_with_closed_right_in_the_one_that_it_ends() -> None:
    left, right = (defined(size="1h", closed=closed) for closed in ("left", "right"))

    assert windows_of([0], left) == [{(0, HOUR_US)}]
    assert windows_of([0, 1], right) == [{(-HOUR_US, 0)}, {(0, HOUR_US)}]


def test_an_offset_is_the_same_as_one_that_is_whole_slides_away() -> None:
    near, far = (defined(kind="sliding", size="3h", slide="1h", offset=offset) for offset in ("10m", "-23h50m"))

    assert bounds_around(near, 0, DAY_US).equals(bounds_around(far, 0, DAY_US))
