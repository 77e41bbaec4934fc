"""Fine dust in Beijing, hour by hour for five years: a time in four columns, and NA where nothing was measured."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.real import recorded

pytestmark = recorded.needs("beijing_pm25")

STREAM = "beijing_pm25"
FILE = recorded.DATA / "beijing_pm25" / "pollution.csv"
SPEC = recorded.SPECS / f"{STREAM}.yaml"
BEIJING = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def hours() -> list[dict[str, str]]:
    """The file's records, by the csv module."""
    return recorded.csv_records(FILE)


def row(hour: dict[str, str]) -> tuple[Any, ...]:
    """An hour as it must stand in the table."""
    local = datetime(*(int(hour[name]) for name in ("year", "month", "day", "hour")), tzinfo=BEIJING)
    return (
        local.astimezone(UTC),
        int(hour["No"]),
        None if hour["pm2.5"] == "NA" else float(hour["pm2.5"]),
        int(hour["DEWP"]),
        float(hour["TEMP"]),
        float(hour["PRES"]),
        hour["cbwd"],
        float(hour["Iws"]),
        int(hour["Is"]),
        int(hour["Ir"]),
    )


def test_every_hour_is_a_record_at_its_time_in_utc_and_what_was_not_measured_is_null(
    tmp_path: Path, hours: list[dict[str, str]]
) -> None:
    pipeline = recorded.landed(tmp_path, recorded.spec_text(STREAM), FILE)

    assert len(hours) == 43_824
    recorded.assert_figures(pipeline, STREAM, received=len(hours), written=len(hours))
    records = pipeline.records(STREAM)
    recorded.assert_same_rows(records, map(row, hours))
    assert records["pm25"].null_count() == 2_067
    recorded.assert_same_windows(
        pipeline.windows("daily", STREAM).select(
            "window_start", "row_count", "pm25_count", "pm25_sum", "pm25_max", "temperature_mean"
        ),
        recorded.asked(
            """
            SELECT date_trunc('day', make_timestamp(year, month, day, hour, 0, 0) - INTERVAL 8 HOUR) AS utc_day,
                   count(*), count("pm2.5"), sum("pm2.5"), max("pm2.5"), avg("TEMP")
            FROM read_csv($file, header = true, nullstr = 'NA', types = {'pm2.5': 'DOUBLE', 'TEMP': 'DOUBLE'})
            GROUP BY ALL
            """,
            file=str(FILE),
        ),
    )


def test_explain_reads_every_hour(windrow, hours: list[dict[str, str]]) -> None:
    ran = windrow("explain", SPEC, FILE, "--json")

    assert (ran.code, ran.answer["rejects"], ran.answer["unknown_fields"]) == (0, [], {})
    assert [each["pm25"] for each in ran.answer["records"]] == [row(hour)[2] for hour in hours]
    assert ran.answer["records"][0]["at"] == "2009-12-31T16:00:00Z"
    assert ran.answer["response"]["body"]["accepted"] == len(hours)


def test_without_its_marker_every_na_is_refused_with_its_line(
    windrow, tmp_path: Path, hours: list[dict[str, str]]
) -> None:
    (tmp_path / "strict.yaml").write_text(recorded.spec_text(STREAM).replace("missing: NA, ", ""), encoding="utf-8")
    (tmp_path / "a-year.csv").write_bytes(b"".join(FILE.read_bytes().splitlines(keepends=True)[:8761]))

    ran = windrow("explain", "strict.yaml", "a-year.csv", "--json")

    assert ran.code == 1
    assert [(each["line"], each["field"], each["value"]) for each in ran.answer["rejects"]] == [
        (line, "pm2.5", "NA") for line, hour in enumerate(hours[:8760], start=2) if hour["pm2.5"] == "NA"
    ]
    assert len(ran.answer["records"]) == 8760 - len(ran.answer["rejects"])
