"""Answers of weather services, in which every column is an array, and what stands around them is said once."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.real import recorded

pytestmark = recorded.needs("open_meteo")

FOLDER = recorded.DATA / "open_meteo"
BERLIN = FOLDER / "forecast_daily_berlin_2023-05-28.json"
SEATTLE = FOLDER / "openmeteo_shaped_seattle_2012_2015.json"
CHICAGO = ZoneInfo("America/Chicago")


def in_utc(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def days(file: Path) -> list[dict[str, Any]]:
    """The places of the arrays, one after the other, by the json module."""
    daily = recorded.json_document(file)["daily"]
    assert len({len(values) for values in daily.values()}) == 1
    return [dict(zip(daily, values, strict=True)) for values in zip(*daily.values(), strict=True)]


def berlin_row(day: dict[str, Any]) -> tuple[Any, ...]:
    """A day of the forecast as it must stand in the table: local times of Chicago, as the answer says of itself."""
    sunrise, sunset = (in_utc(day[name], CHICAGO) for name in ("sunrise", "sunset"))
    others = [day[name] for name in day if name not in ("time", "sunrise", "sunset")]
    return (
        Decimal("52.52"),
        Decimal("13.419998"),
        in_utc(day["time"], CHICAGO),
        "America/Chicago",
        *others[:2],
        sunrise,
        sunset,
        *others[2:],
        (sunset - sunrise).total_seconds(),
    )


def test_a_forecast_has_its_eighteen_columns_and_its_own_zone_in_every_time(tmp_path: Path) -> None:
    found = days(BERLIN)
    pipeline = recorded.landed(tmp_path, recorded.spec_text("open_meteo_berlin"), BERLIN)

    assert (len(found), len(found[0])) == (7, 18)
    recorded.assert_figures(pipeline, "open_meteo_berlin", received=len(found), written=len(found))
    records = pipeline.records("open_meteo_berlin")
    recorded.assert_same_rows(records, map(berlin_row, found))
    # It is a place in Berlin, where the sun rose at ten to five: on the date before by the clocks of Chicago.
    rose = records["sunrise"][0].astimezone(ZoneInfo("Europe/Berlin"))
    assert rose.isoformat() == "2023-05-28T04:50:00+02:00"
    weeks = defaultdict(list)
    for each in found:
        weeks[recorded.span_start(in_utc(each["time"], CHICAGO), timedelta(days=7))].append(each["temperature_2m_max"])
    recorded.assert_same_windows(
        pipeline.windows("weekly", "open_meteo_berlin").select("window_start", "days", "hottest"),
        [(start, len(of), max(of)) for start, of in weeks.items()],
    )


def test_a_long_answer_has_as_many_records_as_its_arrays_have_places(tmp_path: Path) -> None:
    found = days(SEATTLE)
    pipeline = recorded.landed(tmp_path, recorded.spec_text("open_meteo_seattle"), SEATTLE)

    assert len(found) == 1_461
    recorded.assert_figures(pipeline, "open_meteo_seattle", received=len(found), written=len(found))
    rows = [
        (
            in_utc(day["time"], ZoneInfo("UTC")),
            112,
            day["temperature_2m_max"],
            day["temperature_2m_min"],
            day["precipitation_sum"],
            day["wind_speed_10m_mean"],
        )
        for day in found
    ]
    recorded.assert_same_rows(pipeline.records("open_meteo_seattle"), rows)
    weeks = defaultdict(list)
    for row in rows:
        weeks[recorded.span_start(row[0], timedelta(days=7))].append(row)
    recorded.assert_same_windows(
        pipeline.windows("weekly", "open_meteo_seattle").select(
            "window_start", "row_count", "precipitation_total", "hottest"
        ),
        [(start, len(of), sum(row[4] for row in of), max(row[2] for row in of)) for start, of in weeks.items()],
    )


@pytest.mark.parametrize(("name", "file"), [("open_meteo_berlin", BERLIN), ("open_meteo_seattle", SEATTLE)])
def test_explain_makes_a_record_of_every_place(windrow, name: str, file: Path) -> None:
    ran = windrow("explain", recorded.SPECS / f"{name}.yaml", file, "--json")

    assert (ran.code, ran.answer["rejects"], ran.answer["unknown_fields"]) == (0, [], {})
    assert [each["temperature_2m_max"] for each in ran.answer["records"]] == [
        day["temperature_2m_max"] for day in days(file)
    ]
    assert ran.answer["response"]["body"]["accepted"] == len(days(file))
