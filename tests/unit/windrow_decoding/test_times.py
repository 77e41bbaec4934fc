"""Times and dates as people and machines write them."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.decoding import times
from windrow.decoding.times import read_dates, read_times, takes_numbers, takes_text
from windrow.lake.schema import TIMESTAMP
from windrow.spec import TimeSpec

DMY = "%d/%m/%Y %H:%M"
moments = st.datetimes(datetime(1600, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
offsets = st.integers(-14 * 60, 14 * 60)


def column(raw: pl.Series, formats: Sequence[str] = ("iso8601",), zone: str = "UTC") -> pl.Series:
    return read_times(raw, formats, TimeSpec(column="ts", zone=zone)).times


def read(text: str | None, *formats: str, zone: str = "UTC") -> datetime | None:
    return column(pl.Series("ts", [text], pl.String), formats or ("iso8601",), zone)[0]


def read_day(raw: object, *formats: str, zone: str = "UTC", kind: pl.DataType | None = None) -> date | None:
    series = pl.Series("day", [raw], pl.String() if kind is None else kind)
    days = read_dates(series, formats or ("iso8601",), TimeSpec(column="ts", zone=zone))
    assert days.dtype == pl.Date()
    return days[0]


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
    "2026-01-01T12": NOON,
    "2026-01-01 12Z": NOON,
    "2026-01-01T14+02": NOON,
    "2026-01-01T14:00+02:00": NOON,
    "2026-01-01T00:00:00.000001Z": at(2026, 1, 1, 0, 0, 0, 1),
    "2026-01-01T00:00:00.5": at(2026, 1, 1, 0, 0, 0, 500_000),
    "2026-01-01 00:00:00.123456+01:00": at(2025, 12, 31, 23, 0, 0, 123_456),
    "2026-01-01T00:00:00.123456789Z": at(2026, 1, 1, 0, 0, 0, 123_456),
    "2026-01-01T00:00:00.1234567899999Z": at(2026, 1, 1, 0, 0, 0, 123_456),
    "1969-12-31T23:59:59.9999999Z": at(1969, 12, 31, 23, 59, 59, 999_999),
    "1600-01-01T00:00:00.123456789-00:30": at(1600, 1, 1, 0, 30, 0, 123_456),
    "2016-12-31T23:59:60Z": at(2017, 1, 1),
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
    "2026-01-01T12:00:00+24:00",
    "2026-01-01T12:00:00+01:60",
    "2026-01-01T12:00:00+1",
    "2026-01-01T12:00:61Z",
    "2026-01-01T12:00:00.Z",
    "2026-01-01T1:00:00Z",
    "2026-1-1",
    "26-01-01",
    "20260101",
    "20260101T120000Z",
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


@given(
    st.lists(
        st.builds(
            "{}-{}-{}{}{}{}{}".format,
            st.sampled_from(["2026", "1969", "0001", "0000", "9999", "26"]),
            st.sampled_from(["01", "12", "13", "2"]),
            st.sampled_from(["01", "29", "30", "31", "32"]),
            st.sampled_from(["", "T", " ", "t", "  "]),
            st.sampled_from(["", "00", "23:59", "23:59:59", "23:59:60", "24:00:00", "9:00"]),
            st.sampled_from(["", ".", ".1", ".123456", ".999999999", ".9999999999"]),
            st.sampled_from(["", "Z", "z", "+00:30", "-0030", "-23", "+24:00", "+01:60", "+1"]),
        ),
        max_size=3,
    )
)
def test_the_quick_way_reads_nothing_that_the_careful_way_does_not(texts: list[str]) -> None:
    quick = times._iso_alike(pl.Series(texts, dtype=pl.String))
    careful = times._iso_by_parts(pl.Series(texts, dtype=pl.String))

    if quick is not None:
        assert quick.times.to_physical().to_list() == careful.times.to_physical().to_list()
        assert quick.is_local.to_list() == careful.is_local.to_list()


@given(st.lists(st.sampled_from([*ISO, *NOT_ISO, None]), max_size=6))
def test_a_time_is_read_the_same_in_any_company(texts: list[str | None]) -> None:
    assert column(pl.Series("ts", texts, pl.String)).to_list() == [
        None if text is None else ISO.get(text) for text in texts
    ]


def test_company_is_cut_into_slices_that_do_not_shift_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "_ISO_SLICE_ROWS", 2)
    texts = [*ISO, None, *NOT_ISO]

    assert column(pl.Series("ts", texts, pl.String)).to_list() == [ISO.get(text or "") for text in texts]


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
    ("epoch_us", "1767268800123456.9", at(2026, 1, 1, 12, 0, 0, 123_456)),
    ("epoch_s", "-0.0000005", at(1969, 12, 31, 23, 59, 59, 999_999)),
    ("epoch_ns", "1767268800123456789", at(2026, 1, 1, 12, 0, 0, 123_456)),
    ("epoch_ns", "-1", at(1969, 12, 31, 23, 59, 59, 999_999)),
    ("epoch_ns", "-1000", at(1969, 12, 31, 23, 59, 59, 999_999)),
    ("epoch_ns", "1.5e18", at(2017, 7, 14, 2, 40)),
]


@pytest.mark.parametrize(("unit", "text", "moment"), EPOCHS)
def test_a_count_since_1970_is_read_to_the_last_microsecond(unit: str, text: str, moment: datetime) -> None:
    assert read(text, unit) == moment


@pytest.mark.parametrize("unit", ["epoch_s", "epoch_ms", "epoch_us", "epoch_ns"])
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


UNITS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1, "epoch_ns": Decimal("0.001")}
counted = st.datetimes(datetime(1700, 1, 1), datetime(2250, 1, 1), timezones=st.just(UTC))  # what ns can count


@given(counted, st.sampled_from(list(UNITS)))
def test_every_moment_is_read_back_from_its_count(moment: datetime, unit: str) -> None:
    in_us = (moment - at(1970, 1, 1)) // timedelta(microseconds=1)

    assert read(format(Decimal(in_us) / UNITS[unit], "f"), unit) == moment


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.sampled_from(list(UNITS)))
def test_a_number_and_its_text_are_the_same_count(count: int, unit: str) -> None:
    expected = column(pl.Series([str(count)]), (unit,)).to_physical()[0]

    assert column(pl.Series([count], dtype=pl.Int64), (unit,)).to_physical()[0] == expected
    exact = count // 1_000 if unit == "epoch_ns" else count * int(UNITS[unit])
    assert expected == (exact if -62_135_596_800_000_000 <= exact < 253_402_300_800_000_000 else None)


def test_a_float_is_the_count_its_digits_say() -> None:
    assert column(pl.Series([1767268800.123456]), ("epoch_s",))[0] == at(2026, 1, 1, 12, 0, 0, 123_456)
    assert column(pl.Series([float("nan"), float("inf"), 1e300]), ("epoch_s",)).to_list() == [None] * 3


def test_a_number_is_read_by_patterns_as_its_digits_and_is_never_iso() -> None:
    assert column(pl.Series([20260102, 1767268800]), ("iso8601", "%Y%m%d", "epoch_s")).to_list() == [
        at(2026, 1, 2),
        NOON,
    ]


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
    ("%Y %m %d %H", "2010 1 1 0", at(2010, 1, 1)),
    ("%Y %m %d %H", "2010 12 31 23", at(2010, 12, 31, 23)),
    ("%Y %m %d %H", "2010 1 1 24", None),
    ("%Y %m %d %H", "2010 1 1", None),
    ("%Y %m %d %H", "2010 1 1 0:00", None),
    ("%d/%m/%Y %I %p", "31/12/2020 12 AM", at(2020, 12, 31)),
    ("%Y-%m-%d %H %z", "2020-12-31 23 +0200", at(2020, 12, 31, 21)),
    ("%Y-%m-%d %z", "2020-12-31 +0200", at(2020, 12, 30, 22)),
    ("%Y-%m-%d %H:%M %#z", "2020-12-31 23:00 +02", at(2020, 12, 31, 21)),
    ("%m/%d/%Y %I:%M %p", "1/2/2020 1:05 pm", at(2020, 1, 2, 13, 5)),
    ("%F %T", "2020-12-31 01:02:03", at(2020, 12, 31, 1, 2, 3)),
    ("%s", "1767268800", NOON),
    ("%d/%m/%Y", "31/12/20", None),
    ("%d/%m/%Y", "31/12/0020", None),
    ("%d/%m/%Y", "31/12/2020 00:00", None),
    ("%Y-%m-%d %S", "2020-12-31 00", None),
    ("%Y-%m-%d %I:%M", "2020-12-31 01:00", None),
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


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)),
    st.sampled_from(
        [
            "%d/%m/%Y %H:%M",
            "%Y %m %d %H",
            "%d/%m/%Y",
            "%m/%d/%Y %I:%M %p",
            "%Y%m%d",
            "%Y%m%d%H",
            "%Y-%j",
            "%d %b %y",
            "%A %d %B %Y %H:%M:%S",
            "%Y-%m-%dT%H:%M:%S.%f",
            "%m-%d-%Y %I %p",
            "%Y%m%d%H%M%S",
            "%c",
        ]
    ),
    st.booleans(),
)
def test_a_pattern_means_what_it_means_to_python(moment: datetime, pattern: str, is_short: bool) -> None:
    text = moment.strftime(pattern)
    if is_short and "%Y%m" not in pattern and "%j" not in pattern and "%f" not in pattern and "%y" not in pattern:
        text = re.sub(r"(?<![0-9])0(?=[0-9])", "", text)  # 3/4/2020 instead of 03/04/2020

    assert read(text, pattern) == datetime.strptime(text, pattern).replace(tzinfo=UTC)


# ------------------------------------------------------------------------------------------------ zones


def test_what_has_no_offset_is_local_and_what_has_one_is_not() -> None:
    texts = ["2026-07-01T12:00:00", "2026-07-01T12:00:00Z", "2026-07-01", "2026-07-01T12:00:00+05:00", None, "?"]
    expected = [at(2026, 7, 1, 10), at(2026, 7, 1, 12), at(2026, 6, 30, 22), at(2026, 7, 1, 7), None, None]

    assert column(pl.Series(texts), zone="Europe/Berlin").to_list() == expected
    for text, moment in zip(texts, expected, strict=True):
        assert read(text, zone="Europe/Berlin") == moment


def test_a_count_is_never_local() -> None:
    assert read("1767268800", "epoch_s", zone="Asia/Tokyo") == NOON
    assert read("1767268800", "%s", zone="Asia/Tokyo") == NOON


@given(
    st.datetimes(datetime(1980, 1, 1), datetime(2090, 1, 1)), st.sampled_from(["Europe/Berlin", "America/Los_Angeles"])
)
def test_local_times_in_a_pattern_are_read_by_the_clocks_of_the_zone(moment: datetime, zone: str) -> None:
    local = moment.replace(microsecond=0, second=0)
    meant = {local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)}
    found = read(local.strftime(DMY), DMY, zone=zone)

    assert found == (meant.pop() if len(meant) == 1 else None)


def test_a_time_that_a_zone_moves_out_of_our_years_is_no_time() -> None:
    assert read("9999-12-31T23:00:00", zone="America/Los_Angeles") is None
    assert read("0001-01-01T00:00:00", zone="Asia/Tokyo") is None


# ------------------------------------------------------------------------------------------------ typed times


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_typed_times_keep_their_moment_in_any_unit_and_zone(unit: str) -> None:
    naive = pl.Series([datetime(2026, 1, 1, 12), datetime(1969, 12, 31, 23, 59, 59), None]).dt.cast_time_unit(unit)  # type: ignore[arg-type]
    before_1970 = at(1969, 12, 31, 23, 59, 59)

    assert column(naive).to_list() == [NOON, before_1970, None]
    assert column(
        naive.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"), zone="Europe/Berlin"
    ).to_list() == [
        NOON,
        before_1970,
        None,
    ]
    assert column(naive, zone="Europe/Berlin").to_list()[0] == at(2026, 1, 1, 11)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_typed_times_of_no_year_of_ours_are_none(unit: str) -> None:
    extremes = pl.Series([-(1 << 63) + 1, (1 << 63) - 1], dtype=pl.Int64).cast(pl.Datetime(unit))  # type: ignore[arg-type]

    found = column(extremes).to_list()

    assert found == (
        [None, None] if unit != "ns" else [at(1677, 9, 21, 0, 12, 43, 145_224), at(2262, 4, 11, 23, 47, 16, 854_775)]
    )


def test_nanoseconds_are_cut_off_before_1970_too() -> None:
    assert column(pl.Series([-1, -1_001, 1_999], dtype=pl.Int64).cast(pl.Datetime("ns"))).to_physical().to_list() == [
        -1,
        -2,
        1,
    ]


def test_a_typed_date_is_its_first_moment() -> None:
    days = pl.Series([date(2026, 1, 1), None, date(1, 1, 1)])

    assert column(days).to_list() == [at(2026, 1, 1), None, at(1, 1, 1)]
    assert column(days[:1], zone="Europe/Berlin").to_list() == [at(2025, 12, 31, 23)]
    far = pl.Series([(1 << 31) - 1, -(1 << 31)], dtype=pl.Int32).cast(pl.Date)
    assert column(far).to_list() == [None, None]


# ------------------------------------------------------------------------------------------------ dates

DAY = date(2026, 1, 2)


@pytest.mark.parametrize(
    ("text", "formats"),
    [
        ("2026-01-02", ("iso8601",)),
        (" 2026-01-02 ", ("iso8601",)),
        ("02/01/2026", ("%d/%m/%Y",)),
        ("2/1/2026", ("iso8601", "%d/%m/%Y")),
        ("2026-01-02", ("%d/%m/%Y", "iso8601")),
        ("20260102", ("%Y%m%d",)),
        ("2026 1 2 23", ("%Y %m %d %H",)),
        ("02/01/2026 23:59", (DMY,)),
        ("1767312000", ("epoch_s",)),
        ("2026-01-02 01:00 +0000", ("%Y-%m-%d %H:%M %z",)),
    ],
)
def test_a_date_is_read_by_the_first_format_that_fits(text: str, formats: tuple[str, ...]) -> None:
    assert read_day(text, *formats) == DAY


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T00:00:00",
        "2026-01-02 00:00",
        "2026-1-2",
        "26-01-02",
        "2026-02-30",
        "",
        "x",
        "1767312000",
        "0000-01-01",
    ],
)
def test_under_iso8601_a_date_is_a_day_and_nothing_else(text: str) -> None:
    assert read_day(text) is None


def test_the_day_of_a_local_time_is_as_written_and_the_day_of_an_instant_is_that_of_the_zone() -> None:
    assert read_day("02/01/2026 23:59", DMY, zone="Asia/Tokyo") == DAY
    assert read_day("2026-01-01 23:00 +0000", "%Y-%m-%d %H:%M %z", zone="Asia/Tokyo") == DAY
    assert read_day("1767308400", "epoch_s", zone="Asia/Tokyo") == DAY  # 23:00 in UTC
    assert read_day("1767308400", "epoch_s") == date(2026, 1, 1)


def test_typed_dates_are_taken_and_typed_times_only_at_a_midnight_without_a_zone() -> None:
    midnight = datetime(2026, 1, 2)

    assert read_day(DAY, kind=pl.Date()) == DAY
    assert read_day(midnight, kind=pl.Datetime("us")) == DAY
    assert read_day(midnight, kind=pl.Datetime("ns")) == DAY
    assert read_day(midnight + timedelta(microseconds=1), kind=pl.Datetime("us")) is None
    assert read_day(midnight.replace(tzinfo=UTC), kind=pl.Datetime("us", "UTC")) is None
    assert read_day(20260102, "%Y%m%d", kind=pl.Int64()) == DAY
    assert read_day(3_000_000, kind=pl.Int64()) is None


@given(
    st.lists(
        st.dates(date(1, 1, 1), date(9999, 12, 31)).map(str) | st.sampled_from(["?", " 2026-01-02", None]), max_size=5
    )
)
def test_a_date_is_read_the_same_in_any_company(texts: list[str | None]) -> None:
    expected = [None if text in (None, "?") else date.fromisoformat(str(text).strip()) for text in texts]

    assert read_dates(pl.Series("day", texts, pl.String), ("iso8601",), TimeSpec(column="ts")).to_list() == expected


# ------------------------------------------------------------------------------------------------ several formats


def test_formats_are_tried_in_order_and_the_first_that_fits_counts() -> None:
    assert read("01/02/2026 00:00", DMY, "%m/%d/%Y %H:%M") == at(2026, 2, 1)
    assert read("01/02/2026 00:00", "%m/%d/%Y %H:%M", DMY) == at(2026, 1, 2)
    assert read("31/12/2026 00:00", "%m/%d/%Y %H:%M", DMY) == at(2026, 12, 31)


def test_each_row_finds_its_own_format() -> None:
    raw = pl.Series("ts", ["2026-01-01T12:00:00Z", "1767268800000", None, "?", "01/01/2026 12:00"])
    parsed = column(raw, ("iso8601", "epoch_ms", DMY))

    assert parsed.to_list() == [NOON, NOON, None, None, NOON]
    assert parsed.dtype == TIMESTAMP


@pytest.mark.parametrize("rows", [[], [None], [None, None]])
def test_nothing_is_read_from_nothing(rows: list[None]) -> None:
    parsed = column(pl.Series("ts", rows, pl.String), ("iso8601", "epoch_s"))

    assert parsed.to_list() == rows
    assert parsed.dtype == TIMESTAMP


@given(
    st.lists(st.text(max_size=30) | st.text("0123456789-+.:TZ /eE", max_size=30) | st.none(), max_size=5),
    st.lists(
        st.sampled_from(["iso8601", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", DMY, "%Y %m %d %H"]),
        min_size=1,
        max_size=3,
    ),
)
def test_no_text_breaks_the_reader_and_every_time_it_gives_is_one(rows: list[str | None], formats: list[str]) -> None:
    parsed = column(pl.Series("ts", rows, pl.String), formats)

    assert len(parsed) == len(rows)
    for text, moment in zip(rows, parsed.to_list(), strict=True):  # to_list fails on a time Python cannot hold
        assert moment is None or text is not None


def test_which_formats_a_json_number_or_text_can_be() -> None:
    assert takes_numbers(("iso8601", "epoch_s")) is True
    assert takes_numbers(("iso8601", DMY)) is False
    assert takes_text(("epoch_s", "epoch_us")) is False
    assert takes_text(("epoch_s", "%Y")) is True
