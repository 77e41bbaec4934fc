"""Days, weeks and months as calendars on other walls have them: some days have 23 hours, and some have 25."""

import csv
import json
import math
import statistics
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.real import arrivals, recorded
from tests.real.arrivals import Row
from tests.support.pipeline import Pipeline

pytestmark = recorded.needs()

SEATTLE = recorded.DATA / "seattle_weather" / "seattle-weather.csv"
OPEN_METEO = recorded.DATA / "open_meteo" / "openmeteo_shaped_seattle_2012_2015.json"
FORECAST = recorded.DATA / "open_meteo" / "forecast_daily_berlin_2023-05-28.json"
BEIJING = recorded.DATA / "beijing_pm25" / "pollution.csv"
HOUR = timedelta(hours=1)

WINDOWS = """
windows:
  los_angeles_day:
    size: 1d
    timezone: America/Los_Angeles
    aggregates: &all
      total: sum({column})
      average: mean({column})
      low: min({column})
      high: max({column})
      opening: first({column})
      closing: last({column})
      middle: median({column})
  los_angeles_week: {{size: 1w, timezone: America/Los_Angeles, aggregates: *all}}
  los_angeles_month: {{size: 1mo, timezone: America/Los_Angeles, aggregates: *all}}
  berlin_day: {{size: 1d, timezone: Europe/Berlin, aggregates: *all}}
  berlin_week: {{size: 1w, timezone: Europe/Berlin, aggregates: *all}}
  berlin_month: {{size: 1mo, timezone: Europe/Berlin, aggregates: *all}}
  berlin_day_from_nine: {{size: 1d, timezone: Europe/Berlin, offset: 9h, aggregates: *all}}
"""
Reading = tuple[datetime, float]
Days = Callable[[date], bool]


@dataclass(frozen=True)
class Calendar:
    """Windows that begin at a time of day of some days."""

    zone: str
    begins_on: Days
    at: time = time()

    def bounds(self, first: date, last: date) -> list[datetime]:
        """Where the windows begin that begin between two days."""
        zone = ZoneInfo(self.zone)
        days = (first + timedelta(number) for number in range((last - first).days + 1))
        return [datetime.combine(day, self.at, zone).astimezone(UTC) for day in days if self.begins_on(day)]


def _every_day(_: date) -> bool:
    return True


def _mondays(day: date) -> bool:
    return day.weekday() == 0


def _firsts(day: date) -> bool:
    return day.day == 1


CALENDARS: Mapping[str, Calendar] = {
    "los_angeles_day": Calendar("America/Los_Angeles", _every_day),
    "los_angeles_week": Calendar("America/Los_Angeles", _mondays),
    "los_angeles_month": Calendar("America/Los_Angeles", _firsts),
    "berlin_day": Calendar("Europe/Berlin", _every_day),
    "berlin_week": Calendar("Europe/Berlin", _mondays),
    "berlin_month": Calendar("Europe/Berlin", _firsts),
    "berlin_day_from_nine": Calendar("Europe/Berlin", _every_day, time(9)),
}


def windows_of(calendar: Calendar, readings: Sequence[Reading]) -> Iterator[Row]:
    """The rows of a table over readings that are in order of time."""
    first, last = readings[0][0].date(), readings[-1][0].date()
    bounds = calendar.bounds(first - timedelta(40), last + timedelta(40))
    groups: dict[int, list[float]] = defaultdict(list)
    for moment, value in readings:
        groups[bisect_right(bounds, moment) - 1].append(value)
    for place, held in groups.items():
        total = math.fsum(held)
        extremes = (min(held), max(held), held[0], held[-1], statistics.median(held))
        yield (bounds[place], bounds[place + 1], total, total / len(held), *extremes, len(held))


def assert_calendars(pipeline: Pipeline, stream: str, readings: Sequence[Reading]) -> None:
    """Whether every table is what the readings make of it."""
    arrivals.assert_at_rest(pipeline, stream)
    for name, calendar in CALENDARS.items():
        arrivals.assert_windows(pipeline, stream, name, windows_of(calendar, readings))
        arrivals.assert_untouched(pipeline, stream, name)


def hours_of_windows(pipeline: Pipeline, stream: str, name: str) -> Counter[int]:
    """How many windows are so many hours long."""
    bounds = pipeline.windows(name, stream).select("window_start", "window_end").rows()
    return Counter((end - start) // HOUR for start, end in bounds)


# ------------------------------------------------------------------------------------------------ years of days


def test_days_of_seattle_fill_the_days_weeks_and_months_of_two_walls(tmp_path: Path) -> None:
    header, *rows = recorded.csv_lines(SEATTLE)
    year = [row for row in rows if row[0] < "2013"]
    file = tmp_path / SEATTLE.name
    with file.open("w", newline="") as opened:
        csv.writer(opened).writerows([header, *year])
    zone = ZoneInfo("America/Los_Angeles")
    column = header.index("temp_max")
    readings = [
        (datetime.fromisoformat(row[0]).replace(tzinfo=zone).astimezone(UTC), float(row[column])) for row in year
    ]
    pipeline = recorded.landed(
        tmp_path / "lake", arrivals.with_windows("seattle_weather", WINDOWS.format(column="temp_max")), file
    )

    assert len(readings) == 366
    assert_calendars(pipeline, "seattle_weather", readings)
    hours = hours_of_windows(pipeline, "seattle_weather", "los_angeles_day")
    assert hours == {24: 366 - 2, 23: 1, 25: 1}
    assert hours_of_windows(pipeline, "seattle_weather", "los_angeles_week") == {168: 54 - 2, 167: 1, 169: 1}
    # Midnight there is 09:00 in Berlin, but 08:00 while one has put its clocks forward or back and the other has not.
    counts = Counter(pipeline.windows("berlin_day_from_nine", "seattle_weather")["row_count"])
    assert counts == {1: 366 - 2 * 2, 2: 2}


def test_days_of_an_open_meteo_answer_fill_them_too(tmp_path: Path) -> None:
    document = recorded.json_document(OPEN_METEO)
    days = document["daily"]["time"]
    inside = [place for place, day in enumerate(days) if day[:4] == "2015"]
    document["daily"] = {name: [column[place] for place in inside] for name, column in document["daily"].items()}
    file = tmp_path / OPEN_METEO.name
    file.write_text(json.dumps(document), encoding="utf-8")
    readings = [
        (datetime.fromisoformat(day).replace(tzinfo=UTC), value)
        for day, value in zip(document["daily"]["time"], document["daily"]["temperature_2m_max"], strict=True)
    ]
    text = arrivals.with_windows("open_meteo_seattle", WINDOWS.format(column="temperature_2m_max"))
    pipeline = recorded.landed(tmp_path / "lake", text, file)

    assert len(readings) == 365
    assert_calendars(pipeline, "open_meteo_seattle", readings)
    # A day that begins at midnight in UTC is the day before in Los Angeles, and the same day in Berlin.
    first = pipeline.windows("los_angeles_month", "open_meteo_seattle").row(0, named=True)
    assert (first["window_start"], first["row_count"]) == (datetime(2014, 12, 1, 8, tzinfo=UTC), 1)


def test_a_forecast_over_a_sunday_and_the_end_of_a_month_is_cut_there(tmp_path: Path) -> None:
    forecast = recorded.json_document(FORECAST)["daily"]
    zone = ZoneInfo("America/Chicago")
    readings = [
        (datetime.fromisoformat(day).replace(tzinfo=zone).astimezone(UTC), value)
        for day, value in zip(forecast["time"], forecast["temperature_2m_max"], strict=True)
    ]
    windows = WINDOWS.format(column="temperature_2m_max")
    text = arrivals.with_windows("open_meteo_berlin", windows, {"keys: [latitude, longitude]\n": ""})
    pipeline = recorded.landed(tmp_path, text, FORECAST)

    assert_calendars(pipeline, "open_meteo_berlin", readings)
    assert pipeline.windows("berlin_week", "open_meteo_berlin")["row_count"].to_list() == [1, 6]
    assert pipeline.windows("berlin_month", "open_meteo_berlin")["row_count"].to_list() == [4, 3]


# ------------------------------------------------------------------------------------------------ three months of hours

MONTHS = ("3", "10", "11")
"""In which clocks change somewhere."""


@pytest.fixture(scope="module")
def hours() -> list[dict[str, str]]:
    """Hours of 2014 in Beijing, by the csv module."""
    return [hour for hour in recorded.csv_records(BEIJING) if hour["year"] == "2014" and hour["month"] in MONTHS]


def _moment(hour: Mapping[str, str]) -> datetime:
    local = " ".join(hour[name] for name in ("year", "month", "day", "hour"))
    return datetime.strptime(local, "%Y %m %d %H").replace(tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


def test_a_day_holds_as_many_hours_as_the_clock_there_shows(tmp_path: Path, hours: list[dict[str, str]]) -> None:
    """Beijing changes no clocks and leaves out no hour, so every hour of a day elsewhere is a row."""
    readings = [(_moment(hour), float(hour["TEMP"])) for hour in hours]
    pauses = Counter(later[0] - earlier[0] for earlier, later in pairwise(readings))
    assert (len(readings), pauses[HOUR], len(pauses)) == (2208, 2206, 2)  # but for April to September
    stream = "beijing_pm25"
    pipeline = Pipeline(tmp_path)
    pipeline.publish(arrivals.with_windows(stream, WINDOWS.format(column="temperature")))
    sent = arrivals.shuffled(pipeline, stream, [arrivals.with_numbers(hour) for hour in hours], batches=4)
    pipeline.settle()

    recorded.assert_figures(pipeline, stream, received=sent, written=2208, duplicate=sent - 2208)
    assert sent == 2208 + 221
    assert_calendars(pipeline, stream, readings)
    there = {moment for moment, _ in readings}
    for name, short, long in [
        ("los_angeles_day", datetime(2014, 3, 9, 8, tzinfo=UTC), datetime(2014, 11, 2, 7, tzinfo=UTC)),
        ("berlin_day", datetime(2014, 3, 29, 23, tzinfo=UTC), datetime(2014, 10, 25, 22, tzinfo=UTC)),
        ("berlin_day_from_nine", datetime(2014, 3, 29, 8, tzinfo=UTC), datetime(2014, 10, 25, 7, tzinfo=UTC)),
    ]:
        days = pipeline.windows(name, stream).select("window_start", "window_end", "row_count").rows()
        whole = [(start, end, count) for start, end, count in days if start in there and end - HOUR in there]
        assert len(days) - len(whole) == 4  # both ends of both stretches
        assert all(count * HOUR == end - start for start, end, count in whole)
        assert {start: count for start, _, count in whole if count != 24} == {short: 23, long: 25}
