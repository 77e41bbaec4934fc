from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.units import DAY_US, SECOND_US, from_us, to_us
from windrow.windows import tumbling_start


def start_of(moment: datetime, size_us: int) -> datetime:
    times = pl.DataFrame({"ts": [moment]}, schema={"ts": pl.Datetime("us", "UTC")})
    return times.select(tumbling_start(pl.col("ts"), size_us))["ts"][0]


@given(
    st.integers(-(10**15), 10**16).map(from_us),
    st.sampled_from([1, 1_000, SECOND_US, 60 * SECOND_US, 3_600 * SECOND_US, DAY_US, 7 * DAY_US]),
)
def test_a_window_holds_its_time_starts_at_a_multiple_of_its_size_and_ends_before_the_next(
    moment: datetime, size_us: int
) -> None:
    start_us = to_us(start_of(moment, size_us))

    assert start_us % size_us == 0
    assert start_us <= to_us(moment) < start_us + size_us


@pytest.mark.parametrize(
    ("moment", "start"),
    [
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, tzinfo=UTC)),
        (datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)),
        (datetime(2026, 1, 1, 0, 0, 59, 999_999, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
        (datetime(2024, 2, 29, 12, 1, tzinfo=UTC), datetime(2024, 2, 29, 12, 1, tzinfo=UTC)),
    ],
)
def test_minutes_start_at_full_minutes_before_1970_too(moment: datetime, start: datetime) -> None:
    assert start_of(moment, 60 * SECOND_US) == start
