"""Event times as people and machines write them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.lake.schema import TIMESTAMP
from windrow_consumer.times import parse_times, takes_numbers, takes_text

DMY = "%d/%m/%Y %H:%M"
moments = st.datetimes(datetime(1600, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
offsets = st.integers(-14 * 60, 14 * 60)


def read(text: str | None, *formats: str) -> datetime | None:
    return parse_times(pl.Series("ts", [text], pl.String), formats or ("iso8601",))[0]


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


NOON = at(2026, 1, 1, 12)

ISO = {
    "2026-01-01T12:00:00Z": NOON,
    "2026-01-01t12:00:00z": NOON,
    "2026-01-01T12:00:00+00:00": NOON,
    "2026-01-01T14:00:00+02:00": NOON,
    "2026-01-01T06:30:00-05:30": NOON,
    "2026-01-01T14:00:00+0200": NOON,
    "2026-01-01T14:00:00+02": NOON,
    "2026-01-01 12:00:00+00": NOON,
    "2026-01-01 12:00:00Z": NOON,
    "2026-01-01 12:00:00": NOON,
    "2026-01-01T12:00:00": NOON,
    "2026-01-01T12:00": NOON,
    "2026-01-01 12:00": NOON,
    "2026-01-01T12:00Z": NOON,
    "2026-01-01T14:00+02:00": NOON,
    "2026-01-01T00:00:00.000001Z": at(2026, 1, 1, 0, 0, 0, 1),
    "2026-01-01T00:00:00.5": at(2026, 1, 1, 0, 0, 0, 500_000),
    "2026-01-01 00:00:00.123456+01:00": at(2025, 12, 31, 23, 0, 0, 123_456),
    "2026-01-01T00:00:00.123456789Z": at(2026, 1, 1, 0, 0, 0, 123_456),
    "  2026-01-01T12:00:00Z ": NOON,
    "2026-01-01": at(2026, 1, 1),
    "2024-02-29": at(2024, 2, 29),
    "2000-02-29T23:59:59Z": at(2000, 2, 29, 23, 59, 59),
    "1969-12-31T23:59:59.999999Z": at(1969, 12, 31, 23, 59, 59, 999_999),
    "1600-01-01": at(1600, 1, 1),
    "0001-01-01T00:00:00Z": at(1, 1, 1),
    "9999-12-31T23:59:59.999999Z": at(9999, 12, 31, 23, 59, 59, 999_999),
}
NOT_ISO = [
    "",
    " ",
    "now",
    "2026",
    "2026-01",
    "2026-13-01",
    "2026-00-10",
    "2026-02-29",
    "2100-02-29",
    "2026-01-32",
    "2026-01-01T24:00:00Z",
    "2026-01-01T12:60:00Z",
    "2026-01-01T12:00:00+25:00",
    "2026-01-01T",
    "2026-01-01Z",
    "2026-01-01T12:00:00 CET",
    "01/02/2026 10:30",
    "1767225605",
    "0000-01-01T00:00:00Z",
    "-0001-01-01T00:00:00Z",
    "+12026-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-01:00",
    "0001-01-01T00:00:00+01:00",
    "２０２６-01-01",
]


@pytest.mark.parametrize(("text", "moment"), ISO.items())
def test_an_iso_time_is_read_and_without_a_zone_it_is_utc(text: str, moment: datetime) -> None:
    assert read(text) == moment


@pytest.mark.parametrize("text", NOT_ISO)
def test_what_is_no_iso_time_is_no_time(text: str) -> None:
    assert read(text) is None


@given(moments, offsets, st.sampled_from(["T", " "]), st.sampled_from(["seconds", "milliseconds", "microseconds"]))
def test_every_moment_is_read_back_in_every_zone(moment: datetime, offset: int, separator: str, precision: str) -> None:
    moment = moment.replace(microsecond={"seconds": 0, "milliseconds": 5_000}.get(precision, moment.microsecond))
    minutes = abs(offset)
    zone = f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
    local = (moment + timedelta(minutes=offset)).replace(tzinfo=None).isoformat(separator, precision)

    assert read(local + zone) == moment


# ------------------------------------------------------------------------------------------------ numbers

EPOCHS = [
    ("epoch_s", "1767268800", NOON),
    ("epoch_s", "1767268800.25", at(2026, 1, 1, 12, 0, 0, 250_000)),
    ("epoch_s", "1767268800.123456", at(2026, 1, 1, 12, 0, 0, 123_456)),
    ("epoch_s", "1.7672688e9", NOON),
    ("epoch_s", " 0 ", at(1970, 1, 1)),
    ("epoch_s", "-1", at(1969, 12, 31, 23, 59, 59)),
    ("epoch_s", "-0.5", at(1969, 12, 31, 23, 59, 59, 500_000)),
    ("epoch_s", "-62135596800", at(1, 1, 1)),
    ("epoch_s", "253402300799.999999", at(9999, 12, 31, 23, 59, 59, 999_999)),
    ("epoch_ms", "1767268800123", at(2026, 1, 1, 12, 0, 0, 123_000)),
    ("epoch_ms", "1767268800123.456", at(2026, 1, 1, 12, 0, 0, 123_456)),
    ("epoch_ms", "-1", at(1969, 12, 31, 23, 59, 59, 999_000)),
    ("epoch_us", "1767268800123456", at(2026, 1, 1, 12, 0, 0, 123_456)),
    ("epoch_us", "-1", at(1969, 12, 31, 23, 59, 59, 999_999)),
]


@pytest.mark.parametrize(("unit", "text", "moment"), EPOCHS)
def test_a_count_since_1970_is_read_to_the_last_microsecond(unit: str, text: str, moment: datetime) -> None:
    assert read(text, unit) == moment


@pytest.mark.parametrize("unit", ["epoch_s", "epoch_ms", "epoch_us"])
@pytest.mark.parametrize(
    "text",
    ["", "x", "nan", "inf", "-inf", "1_000", "0x10", "1 2", "2026-01-01", "1" * 30, "9" * 38, "1" * 200, "1e300"],
)
def test_what_is_no_number_or_no_year_of_ours_is_no_time(unit: str, text: str) -> None:
    assert read(text, unit) is None


@pytest.mark.parametrize(
    ("unit", "first", "last"),
    [
        ("epoch_s", "-62135596801", "253402300800"),
        ("epoch_ms", "-62135596800001", "253402300800000"),
        ("epoch_us", "-62135596800000001", "253402300800000000"),
    ],
)
def test_a_count_just_outside_the_years_1_to_9999_is_no_time(unit: str, first: str, last: str) -> None:
    assert read(first, unit) is None
    assert read(last, unit) is None


@given(moments, st.sampled_from(["epoch_s", "epoch_ms", "epoch_us"]))
def test_every_moment_is_read_back_from_its_count(moment: datetime, unit: str) -> None:
    in_us = (moment - at(1970, 1, 1)) // timedelta(microseconds=1)
    text = str(Decimal(in_us) / {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}[unit])

    assert read(text, unit) == moment


# ------------------------------------------------------------------------------------------------ patterns

PATTERNS = [
    (DMY, "02/01/2026 10:30", at(2026, 1, 2, 10, 30)),
    (DMY, " 2/1/2026 9:05 ", at(2026, 1, 2, 9, 5)),
    (DMY, "31/02/2026 00:00", None),
    (DMY, "29/02/2024 00:00", at(2024, 2, 29)),
    (DMY, "02/01/2026 24:00", None),
    (DMY, "02/01/2026 10:30:15", None),
    (DMY, "2026-01-02 10:30", None),
    ("%m/%d/%y", "01/02/26", at(2026, 1, 2)),
    ("%Y%m%d", "20260102", at(2026, 1, 2)),
    ("%d %b %Y %I:%M %p", "02 Jan 2026 10:30 PM", at(2026, 1, 2, 22, 30)),
    ("%d.%m.%Y %H:%M %z", "02.01.2026 10:30 +0200", at(2026, 1, 2, 8, 30)),
    ("%d.%m.%Y %H:%M %z", "02.01.2026 10:30 -05:30", at(2026, 1, 2, 16)),
    ("%Y-%m-%d %H:%M:%S%.f", "2026-01-02 00:00:01.25", at(2026, 1, 2, 0, 0, 1, 250_000)),
    ("%Y-%m-%d %H:%M:%S.%f", "2026-01-02 00:00:01.123456", at(2026, 1, 2, 0, 0, 1, 123_456)),
    ("%Y-%m-%d %H:%M:%S.%f", "2026-01-02 00:00:01.5", at(2026, 1, 2, 0, 0, 1, 500_000)),
    ("%Y%m%d%H%M%S%f", "20260102000001123456", at(2026, 1, 2, 0, 0, 1, 123_456)),
    ("100%% %Y-%m-%d", "100% 2026-01-02", at(2026, 1, 2)),
    ("%Q", "2026-01-02", None),
    ("%", "2026-01-02", None),
]


@pytest.mark.parametrize(("pattern", "text", "moment"), PATTERNS)
def test_a_pattern_is_read_as_people_know_it(pattern: str, text: str, moment: datetime | None) -> None:
    assert read(text, pattern) == moment


@given(st.datetimes(datetime(1600, 1, 1), datetime(9999, 12, 31)), st.sampled_from([".%f", "%f"]))
def test_a_fraction_written_by_strftime_is_read_back_exactly(moment: datetime, fraction: str) -> None:
    pattern = f"%Y-%m-%d %H:%M:%S{fraction}"

    assert read(moment.strftime(pattern), pattern) == moment.replace(tzinfo=UTC)


# ------------------------------------------------------------------------------------------------ several formats


def test_formats_are_tried_in_order_and_the_first_that_fits_counts() -> None:
    assert read("01/02/2026 00:00", DMY, "%m/%d/%Y %H:%M") == at(2026, 2, 1)
    assert read("01/02/2026 00:00", "%m/%d/%Y %H:%M", DMY) == at(2026, 1, 2)
    assert read("31/12/2026 00:00", "%m/%d/%Y %H:%M", DMY) == at(2026, 12, 31)


def test_each_row_finds_its_own_format() -> None:
    raw = pl.Series("ts", ["2026-01-01T12:00:00Z", "1767268800000", None, "?", "01/01/2026 12:00"])
    parsed = parse_times(raw, ("iso8601", "epoch_ms", DMY))

    assert parsed.to_list() == [NOON, NOON, None, None, NOON]
    assert (parsed.name, parsed.dtype) == ("ts", TIMESTAMP)


@pytest.mark.parametrize("rows", [[], [None], [None, None]])
def test_nothing_is_read_from_nothing(rows: list[None]) -> None:
    parsed = parse_times(pl.Series("ts", rows, pl.String), ("iso8601", "epoch_s"))

    assert parsed.to_list() == rows
    assert parsed.dtype == TIMESTAMP


@given(
    st.lists(st.text(max_size=30) | st.text("0123456789-+.:TZ /eE", max_size=30) | st.none(), max_size=5),
    st.lists(st.sampled_from(["iso8601", "epoch_s", "epoch_ms", "epoch_us", DMY]), min_size=1, max_size=3),
)
def test_no_text_breaks_the_reader_and_every_time_it_gives_is_one(rows: list[str | None], formats: list[str]) -> None:
    parsed = parse_times(pl.Series("ts", rows, pl.String), formats)

    assert len(parsed) == len(rows)
    for text, moment in zip(rows, parsed.to_list(), strict=True):  # to_list fails on a time Python cannot hold
        assert moment is None or text is not None


def test_which_formats_a_json_number_or_text_can_be() -> None:
    assert takes_numbers(("iso8601", "epoch_s")) is True
    assert takes_numbers(("iso8601", DMY)) is False
    assert takes_text(("epoch_s", "epoch_us")) is False
    assert takes_text(("epoch_s", "%Y")) is True
