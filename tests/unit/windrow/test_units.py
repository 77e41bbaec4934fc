from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow import units
from windrow.errors import BadInput

moments_us = st.integers(min_value=-62_135_596_800_000_000, max_value=253_402_300_799_999_999)
durations_us = st.integers(min_value=0, max_value=10_000 * units.DAY_US)


@pytest.mark.parametrize(
    ("text", "duration_us"),
    [
        ("0s", 0),
        ("1us", 1),
        ("250ms", 250_000),
        ("90s", 90_000_000),
        ("5m", 300_000_000),
        ("1h30m", 5_400_000_000),
        ("1d", 86_400_000_000),
        ("1d1us", 86_400_000_001),
    ],
)
def test_a_duration_is_numbers_and_units(text: str, duration_us: int) -> None:
    assert units.parse_duration_us(text) == duration_us


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 m", "-5m", "5.5m", "5m ", "five minutes", "5M", "1h-3m", "m5", "5mm"]
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInput, match="such as 30s, 5m, 1h or 1d") as raised:
        units.parse_duration_us(text)

    assert repr(text) in str(raised.value)


@given(durations_us)
def test_a_duration_written_is_the_duration_read(duration_us: int) -> None:
    assert units.parse_duration_us(units.format_duration(duration_us)) == duration_us


@pytest.mark.parametrize(("duration_us", "text"), [(0, "0s"), (5_400_000_000, "1h30m"), (86_400_000_000, "1d")])
def test_a_duration_is_written_short(duration_us: int, text: str) -> None:
    assert units.format_duration(duration_us) == text


@given(moments_us)
def test_a_moment_keeps_every_microsecond(moment_us: int) -> None:
    assert units.to_us(units.from_us(moment_us)) == moment_us


@given(
    st.datetimes(timezones=st.builds(timezone, st.timedeltas(-timedelta(hours=12), timedelta(hours=12)))).filter(
        lambda moment: 1 < moment.year < 9999
    )
)
def test_a_moment_is_the_same_in_every_time_zone(moment: datetime) -> None:
    assert units.from_us(units.to_us(moment)) == moment
    assert units.from_us(units.to_us(moment)).tzinfo is UTC


def test_a_moment_falls_on_its_utc_day() -> None:
    midnight_us = units.to_us(datetime(2026, 3, 31, tzinfo=UTC))

    assert units.utc_date(midnight_us).isoformat() == "2026-03-31"
    assert units.utc_date(midnight_us - 1).isoformat() == "2026-03-30"
    assert units.utc_date(-1).isoformat() == "1969-12-31"
