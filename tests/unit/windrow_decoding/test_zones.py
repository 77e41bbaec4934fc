"""Local times to UTC: as the standard library reads the same clocks."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.decoding.zones import Moments, to_utc
from windrow.lake.schema import TIMESTAMP
from windrow.spec import TimeSpec

ZONES = ["Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe", "UTC", "Pacific/Apia"]
Verdict = Literal["fine", "twice", "skipped"]


@cache
def changes(zone: str) -> list[datetime]:
    """Local noons within a day of a change of the clocks, 1970 to 2099."""
    noons = [datetime(1970, 1, 1, 12) + timedelta(days=day) for day in range(130 * 365)]
    offsets = [noon.replace(tzinfo=ZoneInfo(zone)).utcoffset() for noon in noons]
    return [noon for noon, before, after in zip(noons, offsets, offsets[1:], strict=False) if before != after] or noons


@st.composite
def clocks(draw: st.DrawFn) -> tuple[str, datetime]:
    zone = draw(st.sampled_from(ZONES))
    near = st.builds(
        lambda noon, second: noon + timedelta(seconds=second),
        st.sampled_from(changes(zone)),
        st.integers(-43_200, 86_400),
    )
    return zone, draw(near | st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 30)))


def by_the_library(local: datetime, zone: str) -> tuple[Verdict, datetime, datetime]:
    """What the standard library makes of a local time: the earlier and the later moment it can mean."""
    first, second = (local.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        verdict: Verdict = "fine"
    else:
        there_and_back = first.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        verdict = "twice" if there_and_back == local else "skipped"
    return verdict, first.astimezone(UTC), second.astimezone(UTC)


def place(local: list[datetime | None], zone: str, **settings: str) -> Moments:
    return to_utc(pl.Series("ts", local, pl.Datetime("us")), TimeSpec(column="ts", zone=zone, **settings))  # type: ignore[arg-type]


def is_set(mask: pl.Series | None) -> bool:
    return mask is not None and bool(mask[0])


@settings(max_examples=200)
@given(clocks())
def test_a_local_time_means_what_the_clocks_of_its_zone_say(case: tuple[str, datetime]) -> None:
    zone, local = case
    verdict, first, second = by_the_library(local, zone)
    strict = place([local], zone)

    assert strict.times[0] == (first if verdict == "fine" else None)
    assert is_set(strict.ambiguous) is (verdict == "twice")
    assert is_set(strict.nonexistent) is (verdict == "skipped")
    if verdict != "skipped":
        assert place([local], zone, ambiguous="earliest").times[0] == first
        assert place([local], zone, ambiguous="latest").times[0] == second
    assert place([local], zone, nonexistent="forward").times[0] == (None if verdict == "twice" else first)


TWICE, SKIPPED = datetime(2025, 10, 26, 2, 30), datetime(2025, 3, 30, 2, 30)


def test_each_row_gets_its_own_verdict_and_missing_times_get_none() -> None:
    moments = place([None, TWICE, datetime(2025, 7, 1), SKIPPED], "Europe/Berlin")

    assert moments.times.to_list() == [None, None, datetime(2025, 6, 30, 22, tzinfo=UTC), None]
    assert moments.times.dtype == TIMESTAMP
    assert moments.ambiguous is not None
    assert moments.nonexistent is not None
    assert moments.ambiguous.to_list() == [False, True, False, False]
    assert moments.nonexistent.to_list() == [False, False, False, True]


def test_both_choices_can_be_made_at_once() -> None:
    moments = place([TWICE, SKIPPED], "Europe/Berlin", ambiguous="latest", nonexistent="forward")

    assert moments.times.to_list() == [
        datetime(2025, 10, 26, 1, 30, tzinfo=UTC),
        datetime(2025, 3, 30, 1, 30, tzinfo=UTC),
    ]
    assert not is_set(moments.ambiguous)
    assert not is_set(moments.nonexistent)


def test_a_day_that_a_country_skipped_is_read_by_the_offset_of_the_day_before() -> None:
    lost = datetime(2011, 12, 30, 12)

    assert is_set(place([lost], "Pacific/Apia").nonexistent)
    assert place([lost], "Pacific/Apia", nonexistent="forward").times[0] == datetime(2011, 12, 30, 22, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize("rows", [[], [None]])
def test_nothing_is_made_of_nothing(zone: str, rows: list[None]) -> None:
    assert place(list(rows), zone).times.to_list() == rows
