"""Durations and times as whole microseconds, the one unit of time inside Windrow."""

import re
from datetime import UTC, date, datetime, timedelta

from windrow.errors import BadInput

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
_UNITS_US = {"us": 1, "ms": 1_000, "s": SECOND_US, "m": 60 * SECOND_US, "h": 3_600 * SECOND_US, "d": DAY_US}
_DURATION = re.compile(r"(\d+)(us|ms|s|m|h|d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_duration_us(text: str) -> int:
    """Microseconds in `90s`, `5m`, `1h30m` or `1d` (a day is 24 hours here).

    Raises BadInput when the text is not a run of number-and-unit pairs.
    """
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise BadInput(f"{text!r} is not a duration; write a number and a unit, such as 30s, 5m, 1h or 1d")
    return sum(int(number) * _UNITS_US[unit] for number, unit in parts)


def format_duration(duration_us: int) -> str:
    """The shortest exact text of a duration: 5400000000 → `1h30m`."""
    if duration_us == 0:
        return "0s"
    text = ""
    for unit in ("d", "h", "m", "s", "ms", "us"):
        count, duration_us = divmod(duration_us, _UNITS_US[unit])
        text += f"{count}{unit}" if count else ""
    return text


def to_us(moment: datetime) -> int:
    """Microseconds since 1970-01-01T00:00:00Z, exactly (no float on the way)."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_us(moment_us: int) -> datetime:
    """The UTC time of a microsecond count."""
    return _EPOCH + timedelta(microseconds=moment_us)


def utc_date(moment_us: int) -> date:
    """The UTC calendar day a moment falls on."""
    return from_us(moment_us).date()
