"""Days, weeks and months as the clocks of a zone show them. Pure and columnar.

`wall` is what a clock on the wall shows: Datetime µs without a zone. Instants are µs since 1970 in UTC (Int64). The
rules of a zone are known up to the year 2099; after that its standard time holds all year.
"""

from typing import Literal

import polars as pl

from windrow.spec.spans import Span
from windrow.units import DAY_US

WALL = pl.Datetime("us")
_INSTANT = pl.Datetime("us", "UTC")
_DAYS = {"d": (1, 0), "w": (7, -3)}
"""Length in days; and the day since 1970 that the first is counted from, for weeks the Monday before."""
_BEFORE_GAP_US = DAY_US
"""How far back of a skipped time the offset that held before the gap is to be found. Clocks skip an hour or so, and a
whole day where a country changes sides of the date line; and never twice within days."""


def walls(instants: pl.Series, zone: str) -> pl.Series:
    """What the clocks show at these instants."""
    return instants.cast(_INSTANT).dt.convert_time_zone(zone).dt.replace_time_zone(None)


def instants(wall: pl.Series, zone: str) -> pl.Series:
    """When the clocks show these times: for the first time, where they show one twice.

    A time that they skip stands at the instant that the offset before gives it (as Python's fold=0, and Java, have it).
    In order of the wall's times, wherever these are a day or more apart.
    """
    if zone == "UTC":
        return wall.cast(pl.Int64)
    shown = _shown(wall, zone)
    skipped = (shown.is_null() & wall.is_not_null()).arg_true()
    if skipped.is_empty():
        return shown
    before = wall.gather(skipped).cast(pl.Int64) - _BEFORE_GAP_US
    return shown.scatter(skipped, _shown(before.cast(WALL), zone) + _BEFORE_GAP_US)


def _shown(wall: pl.Series, zone: str, ambiguous: Literal["earliest"] = "earliest") -> pl.Series:
    return wall.dt.replace_time_zone(zone, ambiguous=ambiguous, non_existent="null").cast(_INSTANT).cast(pl.Int64)


def unit_of(wall: pl.Series, span: Span) -> pl.Series:
    """Number of the calendar unit that each time is in; 0 is that of 1970-01-01 (Int64)."""
    if span.months is not None:
        month = (wall.dt.year().cast(pl.Int64) - 1970) * 12 + wall.dt.month().cast(pl.Int64) - 1
        return month // span.months
    days, first = _DAYS[span.unit]
    return (wall.cast(pl.Int64) - first * DAY_US) // (span.count * days * DAY_US)


def unit_start(number: pl.Series, span: Span) -> pl.Series:
    """When on the wall the calendar units of these numbers begin."""
    if span.months is not None:
        return month_start(number * span.months)
    days, first = _DAYS[span.unit]
    return ((number * (span.count * days) + first) * DAY_US).cast(WALL)


def month_start(month: pl.Series) -> pl.Series:
    """When on the wall months begin, of their number since January 1970."""
    one = pl.date(pl.col("month") // 12 + 1970, pl.col("month") % 12 + 1, 1)
    return month.to_frame("month").select(one.cast(WALL)).to_series()


def later(wall: pl.Series, span: Span) -> pl.Series:
    """Times on the wall a calendar length later. The 31st plus a month is the last of a shorter one."""
    if span.months is not None:
        return wall.dt.offset_by(f"{span.months}mo")
    return (wall.cast(pl.Int64) + span.longest_us).cast(WALL)
