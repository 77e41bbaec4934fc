"""Four years of weather, a day at a time: the clean file, to which nothing must happen."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.real import recorded

pytestmark = recorded.needs("seattle_weather")

STREAM = "seattle_weather"
FILE = recorded.DATA / "seattle_weather" / "seattle-weather.csv"
ZONE = ZoneInfo("America/Los_Angeles")


@pytest.fixture(scope="module")
def rows() -> list[tuple[Any, ...]]:
    """The file's days as they must stand in the table, by the csv module."""
    return [
        (
            datetime.fromisoformat(day["date"]).replace(tzinfo=ZONE).astimezone(UTC),
            float(day["precipitation"]),
            float(day["temp_max"]),
            float(day["temp_min"]),
            float(day["wind"]),
            day["weather"],
            round(float(day["temp_max"]) - float(day["temp_min"]), 1),
        )
        for day in recorded.csv_records(FILE)
    ]


def test_every_day_is_a_record_that_begins_at_midnight_in_seattle(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    pipeline = recorded.landed(tmp_path, recorded.spec_text(STREAM), FILE)

    assert len(rows) == 1_461
    assert {each[0].hour for each in rows} == {7, 8}  # with summer time and without
    recorded.assert_figures(pipeline, STREAM, received=len(rows), written=len(rows))
    recorded.assert_same_rows(pipeline.records(STREAM), rows)
    weeks = defaultdict(list)
    for each in rows:
        weeks[recorded.span_start(each[0], timedelta(days=7))].append(each)
    recorded.assert_same_windows(
        pipeline.windows("weekly", STREAM).select(
            "window_start", "row_count", "precipitation_sum", "coldest", "weather_last"
        ),
        [
            (start, len(of), sum(each[1] for each in of), min(each[3] for each in of), max(of)[5])
            for start, of in weeks.items()
        ],
    )


def test_explain_reads_every_day(windrow, rows: list[tuple[Any, ...]]) -> None:
    ran = windrow("explain", recorded.SPECS / f"{STREAM}.yaml", FILE, "--json")

    assert (ran.code, ran.answer["rejects"], ran.answer["unknown_fields"]) == (0, [], {})
    assert [each["swing"] for each in ran.answer["records"]] == [each[6] for each in rows]
    assert ran.answer["response"]["body"]["accepted"] == len(rows)
