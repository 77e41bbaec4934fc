"""What clocks on the wall show, as Spark expressions. All times are µs (Column of long).

Wall-clock times are µs since 1970-01-01T00:00 as the clock shows it. A time that the clock skips stands at the instant
that the old offset gives; one that it shows twice is the first (java.time.LocalDateTime.atZone).
"""

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812

from windrow.spark.whole import floor_div
from windrow.spec.spans import Span
from windrow.units import DAY_US

_DAYS = {"d": 1, "w": 7}
MONDAY = -3
"""Monday 1969-12-29, from which weeks are counted; in days since 1970."""
_EPOCH_MONTH = 1970 * 12


def wall(instant: Column, timezone: str) -> Column:
    """What the clock shows at an instant."""
    return F.unix_micros(F.from_utc_timestamp(F.timestamp_micros(instant), timezone))


def instant(wall_time: Column, timezone: str) -> Column:
    """When the clock shows this time."""
    return F.unix_micros(F.to_utc_timestamp(F.timestamp_micros(wall_time), timezone))


def unit_of(wall_time: Column, unit: Span) -> Column:
    """The number of the calendar unit, counted from 1970, that a time is in."""
    days = floor_div(wall_time, DAY_US)
    if unit.months is None:
        first = MONDAY if unit.unit == "w" else 0
        return floor_div(days - first, unit.count * _DAYS[unit.unit])
    date = F.date_from_unix_date(days.cast("int"))
    months = (F.year(date) * 12 + F.month(date) - 1 - _EPOCH_MONTH).cast("long")
    return floor_div(months, unit.months)


def unit_start(number: Column, unit: Span) -> Column:
    """The wall-clock time at which a calendar unit begins."""
    if unit.months is None:
        first = MONDAY if unit.unit == "w" else 0
        return (number * (unit.count * _DAYS[unit.unit]) + first) * DAY_US
    return later(F.lit(0).cast("long"), unit, number)


def later(wall_time: Column, span: Span, times: Column | int = 1) -> Column:
    """A wall-clock time so many spans later. The 31st of a month that has none is its last day."""
    if span.months is None:
        return wall_time + F.lit(times) * (span.count * _DAYS[span.unit] * DAY_US)
    date = F.date_from_unix_date(floor_div(wall_time, DAY_US).cast("int"))
    moved = F.add_months(date, (F.lit(times) * span.months).cast("int"))
    return F.unix_date(moved).cast("long") * DAY_US + F.pmod(wall_time, F.lit(DAY_US).cast("long"))
