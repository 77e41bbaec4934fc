"""What `windrow init` proposes for one recorded file reads what came from the same source, whole and unchanged.

That no record of the sample itself is refused is shown with the proposal's own tests; here its values are compared, and
files that it has not seen are read.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.real import recorded
from tests.support.pipeline import parsed
from windrow.decoding.decode import decode_whole
from windrow.decoding.parts import Batch, Decoded, DecodeLimits
from windrow.units import to_us

pytestmark = recorded.needs()

_RETAIL = sorted((recorded.DATA / "online_retail").glob("*.csv"))
_SERIES = sorted((recorded.DATA / "aws_cloudwatch").glob("*.csv"))
_RECEIVED_US = to_us(datetime(2026, 5, 2, 6, tzinfo=UTC))
_LIMITS = DecodeLimits(max_plain_bytes=64 << 20, max_record_bytes=1 << 20)


def proposed(windrow: Callable[..., Any], sample: Path, *options: str) -> str:
    """The spec that the command line writes for a sample, which it finds nothing wrong with."""
    ran = windrow("init", "--from", sample, *options, "--output", "proposed.yaml")
    assert ran.code == 0, ran.err
    assert windrow("lint", "proposed.yaml", "--strict").code == 0
    return Path("proposed.yaml").read_text(encoding="utf-8")


def decoded(text: str, file: Path, *, is_whole: bool = True) -> Decoded:
    spec = parsed(text)
    batch = Batch("b", f"landing/{spec.stream}/{file.name}", _RECEIVED_US, "", "")
    found = decode_whole(file.read_bytes(), batch, spec, _LIMITS)
    assert not is_whole or [each.reject.message for each in found.rejected][:3] == []
    return found


def test_one_trading_day_tells_how_all_twenty_are_written(windrow) -> None:
    text = proposed(windrow, _RETAIL[0])

    quantity = customers = rows = 0
    for file in _RETAIL:
        lines, found = recorded.csv_records(file), decoded(text, file).rows
        assert found.height == len(lines)
        assert found["customer_id"].to_list() == [
            int(float(line["CustomerID"])) if line["CustomerID"] else None for line in lines
        ]
        assert found["invoice_no"].to_list() == [line["InvoiceNo"] for line in lines]
        rows += found.height
        quantity += found["quantity"].sum()
        customers += found["customer_id"].len() - found["customer_id"].null_count()
    assert (rows, customers) == (42_481, 42_481 - 15_631)
    assert quantity == sum(int(line["Quantity"]) for file in _RETAIL for line in recorded.csv_records(file))


def test_any_one_series_tells_how_all_ten_are_written(windrow) -> None:
    text = proposed(windrow, _SERIES[0])

    for file in _SERIES:
        lines = recorded.csv_lines(file)[1:]
        assert decoded(text, file).rows.select("timestamp", "value").rows() == [
            (datetime.fromisoformat(at).replace(tzinfo=UTC), float(value)) for at, value in lines
        ]


def test_three_weeks_of_dust_tell_how_five_years_of_it_are_written_but_for_what_no_hour_of_them_shows(windrow) -> None:
    whole = recorded.DATA / "beijing_pm25" / "pollution.csv"
    sample = Path("pollution.csv")
    sample.write_bytes(b"".join(whole.read_bytes().splitlines(keepends=True)[:505]))
    found = decoded(proposed(windrow, sample, "--zone", "Asia/Shanghai"), whole, is_whole=False)

    hours = dict(enumerate(recorded.csv_records(whole), start=2))
    broken = {line for line, hour in hours.items() if "." in hour["TEMP"] or "." in hour["PRES"]}
    assert min(broken) > 505  # the sample has only whole degrees and hectopascals
    assert {each.reject.line for each in found.rejected} == broken
    assert {each.reject.field for each in found.rejected} <= {"TEMP", "PRES"}
    kept = [hour for line, hour in hours.items() if line not in broken]
    assert found.rows["pm2_5"].to_list() == [None if each["pm2.5"] == "NA" else int(each["pm2.5"]) for each in kept]
    assert found.rows["iws"].to_list() == [float(each["Iws"]) for each in kept]
    assert found.rows["ts"][0] == datetime(2009, 12, 31, 16, tzinfo=UTC)


def test_bicycles_are_counted_as_the_file_has_them(windrow) -> None:
    file = recorded.DATA / "montreal_bikes" / "bikes.csv"
    found = decoded(proposed(windrow, file, "--zone", "America/Toronto"), file).rows

    lines = recorded.csv_lines(file, delimiter=";", encoding="latin-1")[1:]
    assert found["date"].to_list() == [
        datetime.strptime(each[0], "%d/%m/%Y").replace(tzinfo=ZoneInfo("America/Toronto")) for each in lines
    ]
    for place, name in ((1, "berri_1"), (3, "cote_sainte_catherine"), (8, "rachel1")):
        assert found[name].to_list() == [int(each[place]) for each in lines]


def test_earthquakes_are_where_and_when_the_feed_has_them(windrow) -> None:
    file = recorded.DATA / "usgs_earthquakes" / "earthquakes.json"
    found = decoded(proposed(windrow, file), file).rows

    features = recorded.json_document(file)["features"]
    assert found.select("id", "time", "mag", "felt").rows() == [
        (each["id"], recorded.from_ms(of["time"]), of["mag"], of["felt"])
        for each in features
        for of in [each["properties"]]
    ]
    assert found.select("longitude", "latitude", "altitude").rows() == [
        tuple(each["geometry"]["coordinates"]) for each in features
    ]


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("forecast_daily_berlin_2023-05-28.json", "America/Chicago"),
        ("openmeteo_shaped_seattle_2012_2015.json", "UTC"),
    ],
)
def test_arrays_are_read_place_by_place(windrow, name: str, zone: str) -> None:
    file = recorded.DATA / "open_meteo" / name
    found = decoded(proposed(windrow, file), file).rows

    daily = recorded.json_document(file)["daily"]
    for column, values in daily.items():
        is_time = column in ("time", "sunrise", "sunset")
        want = [datetime.fromisoformat(each).replace(tzinfo=ZoneInfo(zone)) for each in values] if is_time else values
        assert found[column].to_list() == want, column


def test_days_of_weather_are_read_as_they_stand(windrow) -> None:
    file = recorded.DATA / "seattle_weather" / "seattle-weather.csv"
    found = decoded(proposed(windrow, file), file).rows

    assert found.select("precipitation", "temp_max", "temp_min", "wind", "weather").rows() == [
        (*map(float, each[1:5]), each[5]) for each in recorded.csv_lines(file)[1:]
    ]


def test_a_cart_is_a_record_and_its_list_is_left_to_the_reader_of_the_spec(windrow) -> None:
    file = recorded.DATA / "fake_store" / "carts.json"
    text = proposed(windrow, file)

    carts = recorded.json_document(file)
    assert decoded(text, file).rows.select("id", "user_id").rows() == [(each["id"], each["userId"]) for each in carts]
    assert "explode: products" in text


@pytest.mark.parametrize(("name", "count"), [("products.json", 20), ("users_sample.json", 2)])
def test_records_without_a_time_are_asked_about_and_dated_by_their_receipt_if_that_is_meant(
    windrow, name: str, count: int
) -> None:
    file = recorded.DATA / "fake_store" / name
    asked = windrow("init", "--from", file, "--output", "asked.yaml")

    assert asked.code == 1
    assert "No column reads as a time" in asked.err
    assert "--receipt" in asked.err
    assert not Path("asked.yaml").exists()

    text = proposed(windrow, file, "--receipt")
    found = decoded(text, file).rows
    assert found["id"].to_list() == [each["id"] for each in recorded.json_document(file)]
    assert found.height == count
    assert {to_us(at) for at in found[parsed(text).time.column]} == {_RECEIVED_US}
