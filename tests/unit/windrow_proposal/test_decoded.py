"""What is proposed for a sample reads that sample: the decoder takes every record that was not counted out."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.decoding.decode import decode_whole
from windrow.decoding.parts import Batch, Decoded, DecodeLimits
from windrow.proposal import propose
from windrow.units import to_us

_NOW_US = to_us(datetime(2099, 1, 1, tzinfo=UTC))
_LIMITS = DecodeLimits(max_plain_bytes=1 << 30, max_record_bytes=1 << 20)
_START = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
_TIMES = [_START + timedelta(days=13 * place, hours=place) for place in range(12)]
_DATA = Path(__file__).parents[4] / "shared" / "data"
_WITHOUT_DATA = "needs the recorded files at ../shared/data, which are not part of the repository"


def decoded(body: bytes, name: str) -> Decoded:
    proposal = propose(io.BytesIO(body), name)
    assert proposal.spec is not None, proposal.questions
    batch = Batch("b", f"landing/{proposal.stream}/2099-01-01/{name}", _NOW_US, "", "")
    return decode_whole(body, batch, proposal.spec, _LIMITS)


@pytest.mark.parametrize(
    "pattern",
    [
        "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m-%d-%Y %H:%M:%S", "%d.%m.%Y %H.%M.%S",
        "%d %b %Y %H:%M:%S", "%B %d, %Y %I:%M:%S %p", "%Y%m%dT%H%M%S", "%a, %d %b %Y %H:%M:%S +0000", "%s",
        "%Y-%m-%d %H:%M:%S UTC",
    ],
)  # fmt: skip
def test_the_decoder_reads_the_same_times(pattern: str) -> None:
    texts = [str(int(each.timestamp())) if pattern == "%s" else each.strftime(pattern) for each in _TIMES]
    body = "ts;v\n" + "".join(f"{text};{place}\n" for place, text in enumerate(texts))
    found = decoded(body.encode(), "x.csv")

    assert found.rejected == ()
    assert found.rows["ts"].to_list() == _TIMES


@pytest.mark.parametrize(("names", "count"), [("year,month,day", 3), ("year,month,day,hour", 4), ("Date,Time", 2)])
def test_the_decoder_reads_the_same_times_from_parts(names: str, count: int) -> None:
    rows = [
        (each.strftime("%d/%m/%Y"), each.strftime("%H.%M.%S"))
        if count == 2
        else (each.year, each.month, each.day, each.hour)[:count]
        for each in _TIMES
    ]
    found = decoded("\n".join([names, *(",".join(map(str, row)) for row in rows)]).encode(), "x.csv")

    whole = {2: {}, 3: {"hour": 0, "minute": 0, "second": 0}, 4: {"minute": 0, "second": 0}}[count]
    assert found.rejected == ()
    assert found.rows["ts"].to_list() == [each.replace(**whole) for each in _TIMES]


_COLUMNS = {
    "an int": st.integers(-(1 << 63), (1 << 63) - 1).map(str),
    "a float": st.floats(allow_nan=False, allow_infinity=False).map(str),
    "an id": st.integers(1, 99_999).map(lambda number: f"{number}.0"),
    "a bool": st.booleans().map(str),
    "a date": st.dates().map(str),
    "a zip": st.integers(0, 99_999).map(lambda number: f"{number:05}"),
    "a big": st.integers(0, 10**25).map(str),
    "NA or not": st.sampled_from(["NA", "1", "2.5", ""]),
    "a text": st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=6),
    "few": st.sampled_from(["red", "green"]),
}


@settings(max_examples=40)
@given(st.data(), st.sampled_from(",;\t|"), st.integers(1, 12))
def test_no_record_of_a_csv_sample_is_refused(data: st.DataObject, mark: str, count: int) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=mark, quoting=csv.QUOTE_ALL)
    writer.writerow(["ts", *_COLUMNS])
    for place in range(count):
        writer.writerow([_TIMES[place].isoformat(), *(data.draw(values) for values in _COLUMNS.values())])
    found = decoded(out.getvalue().encode(), "x.csv")

    assert [each.reject.message for each in found.rejected] == []
    assert found.rows.height == count


_VALUES = {
    "int": st.integers(-(1 << 63), (1 << 63) - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "int or float": st.one_of(st.integers(-9, 9), st.sampled_from([0.5, 2.25])),
    "bool": st.booleans(),
    "text": st.text(st.characters(codec="utf-8"), max_size=6),
    "number as text": st.integers(0, 9).map(str),
    "big": st.integers(10**20, 10**30),
    "born": st.dates().map(str),
    "list": st.lists(st.integers(0, 9), max_size=3),
    "in": st.fixed_dictionaries({"a b": st.integers(0, 9), "pm2.5": st.none() | st.floats(0, 9)}),
}


@settings(max_examples=40)
@given(
    st.lists(st.fixed_dictionaries({}, optional=_VALUES), min_size=1, max_size=12),
    st.sampled_from(["array", "lines", "inside"]),
)
def test_no_record_of_a_json_sample_is_refused(records: list[dict[str, object]], shape: str) -> None:
    dated = [{"ts": each.isoformat(), **record} for each, record in zip(_TIMES, records, strict=False)]
    text = {
        "array": json.dumps(dated),
        "lines": "\n".join(map(json.dumps, dated)),
        "inside": json.dumps({"about": "x", "items": dated}),
    }[shape]
    found = decoded(text.encode(), "x.ndjson" if shape == "lines" else "x.json")

    assert [each.reject.message for each in found.rejected] == []
    assert found.rows.height == len(dated)


def test_no_record_of_a_parquet_sample_is_refused() -> None:
    buffer = io.BytesIO()
    pl.DataFrame(
        {
            "ts": _TIMES,
            "price": pl.Series([f"{place}.25" for place in range(12)]).cast(pl.Decimal(10, 2)),
            "n": pl.Series(range(12), dtype=pl.UInt64),
            "kind": pl.Series(["a", "b"] * 6, dtype=pl.Categorical),
            "tags": [["x"]] * 12,
            "place": [{"lat": 0.5, "name": "x"}] * 12,
        }
    ).write_parquet(buffer)
    found = decoded(buffer.getvalue(), "x.parquet")

    assert [each.reject.message for each in found.rejected] == []
    assert found.rows["place_lat"].to_list() == [0.5] * 12


@pytest.mark.skipif(not _DATA.is_dir(), reason=_WITHOUT_DATA)
@pytest.mark.may_skip(_WITHOUT_DATA)
@pytest.mark.parametrize(
    "name",
    [
        "montreal_bikes/bikes.csv", "online_retail/2010-12-01.csv", "beijing_pm25/pollution.csv",
        "usgs_earthquakes/earthquakes.json", "seattle_weather/seattle-weather.csv", "fake_store/carts.json",
        "open_meteo/forecast_daily_berlin_2023-05-28.json", "aws_cloudwatch/ec2_cpu_utilization_24ae8d.csv",
    ],
)  # fmt: skip
def test_no_record_of_a_recorded_file_is_refused(name: str) -> None:
    path = _DATA / name
    found = decoded(path.read_bytes(), path.name)

    assert [each.reject.message for each in found.rejected] == []
    assert found.rows.height == found.record_count > 0
