from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.windrow_windows.grid_reference import ZONES, instant, wall_of
from windrow.spec.spans import Span
from windrow.units import to_us
from windrow.windows.calendar import WALL, instants, later, unit_of, unit_start, walls

SPANS = [Span(count, unit) for unit in ("d", "w", "mo", "q", "y") for count in (1, 2, 5)]


def wall(*some: datetime) -> pl.Series:
    return pl.Series(some, dtype=WALL)


@pytest.mark.parametrize("zone", ZONES)
def test_times_on_the_wall_stand_where_the_standard_library_puts_their_first_showing(zone: str) -> None:
    first = datetime(2011, 1, 1, 0, 7)
    some = [first + timedelta(minutes=30 * number) for number in range(2 * 24 * 366 * 2)]

    assert instants(wall(*some), zone).to_list() == [instant(each, zone) for each in some]


@pytest.mark.parametrize("zone", ZONES)
def test_the_clocks_show_what_the_standard_library_says(zone: str) -> None:
    some = [to_us(datetime(year, month, 28, 3, tzinfo=UTC)) for year in range(1900, 2099) for month in range(1, 13)]

    assert walls(pl.Series(some), zone).to_list() == [wall_of(each, zone) for each in some]


def test_a_skipped_day_begins_when_it_is_skipped() -> None:
    skipped = wall(datetime(2011, 12, 30), datetime(2011, 12, 30, 18), datetime(2011, 12, 31))

    found = [pl.Series([each]).cast(pl.Datetime("us")).item() for each in instants(skipped, "Pacific/Apia")]

    assert found == [datetime(2011, 12, 30, 10), datetime(2011, 12, 31, 4), datetime(2011, 12, 30, 10)]


def test_times_of_no_rows_are_none() -> None:
    assert instants(wall(), "Europe/Berlin").to_list() == []


@given(st.sampled_from(SPANS), st.datetimes(datetime(1, 2, 1), datetime(9990, 1, 1)))
def test_a_time_lies_between_the_start_of_its_unit_and_that_of_the_next(span: Span, time: datetime) -> None:
    number = unit_of(wall(time), span)

    begin, end = unit_start(number, span).item(), unit_start(number + 1, span).item()

    assert begin <= time < end
    assert unit_of(wall(begin, end), span).to_list() == [number.item(), number.item() + 1]


@pytest.mark.parametrize(
    ("span", "start"),
    [
        (Span(1, "d"), datetime(1970, 1, 1)),
        (Span(1, "w"), datetime(1969, 12, 29)),
        (Span(2, "w"), datetime(1969, 12, 29)),
        (Span(5, "mo"), datetime(1970, 1, 1)),
        (Span(1, "y"), datetime(1970, 1, 1)),
    ],
    ids=str,
)
def test_the_unit_numbered_0_is_that_of_1970(span: Span, start: datetime) -> None:
    assert unit_start(pl.Series([0]), span).item() == start


def test_a_month_after_the_31st_is_the_last_day_of_a_shorter_one_at_the_same_hour() -> None:
    some = wall(datetime(2024, 1, 31, 5, 30), datetime(2023, 1, 31), datetime(2024, 2, 29))

    assert later(some, Span(1, "mo")).to_list() == [
        datetime(2024, 2, 29, 5, 30),
        datetime(2023, 2, 28),
        datetime(2024, 3, 29),
    ]
    assert later(some, Span(1, "y")).to_list()[-1] == datetime(2025, 2, 28)


def test_weeks_and_days_later_are_at_the_same_time_on_the_wall() -> None:
    before = datetime(2024, 3, 24, 9)

    (week,) = instants(later(wall(before), Span(1, "w")), "Europe/Berlin")

    assert week == to_us(datetime(2024, 3, 31, 9, tzinfo=ZoneInfo("Europe/Berlin")))
    assert later(wall(before), Span(2, "d")).to_list() == [datetime(2024, 3, 26, 9)]
