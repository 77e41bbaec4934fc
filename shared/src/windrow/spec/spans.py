"""Lengths of windows: fixed, or as the calendar says."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal, cast

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from windrow.errors import BadInput
from windrow.spec.durations import MAX_DURATION_US
from windrow.spec.names import shown
from windrow.units import DAY_US, SECOND_US, format_duration, parse_duration_us

SpanUnit = Literal["us", "d", "w", "mo", "q", "y"]

_CALENDAR = re.compile(r"(\d+)(d|w|mo|q|y)")
_DAYS = {"d": 1, "w": 7, "mo": 31, "q": 92, "y": 366}
_MONTHS = {"mo": 1, "q": 3, "y": 12}
_HOUR_US = 3_600 * SECOND_US
_OFFSETS = "30m, 6h or -6h"
_MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time. `24h` is fixed; `1d` is what a clock on the wall calls a day, 23 to 25 hours."""

    count: int
    unit: SpanUnit

    def __str__(self) -> str:
        if self.unit != "us":
            return f"{self.count}{self.unit}"
        # 1d would be read as a day of the calendar.
        return format_duration(self.count) if self.count % DAY_US or not self.count else f"{self.count // _HOUR_US}h"

    def fixed_us(self, timezone: str) -> int | None:
        """Its length in µs, where it always has the same: fixed spans anywhere, days in UTC."""
        if self.unit == "us":
            return self.count
        return self.count * DAY_US if self.unit == "d" and timezone == "UTC" else None

    @property
    def months(self) -> int | None:
        """Its length in months, of months, quarters and years."""
        return self.count * _MONTHS[self.unit] if self.unit in _MONTHS else None

    def is_multiple_of(self, step: "Span", timezone: str) -> bool:
        """Whether steps of this length fill it exactly, whatever the calendar does."""
        own, other = self.fixed_us(timezone), step.fixed_us(timezone)
        if own is not None:
            return other is not None and own % other == 0
        if step.months is not None:
            return self.months is not None and self.months % step.months == 0
        if step.unit == self.unit:
            return self.count % step.count == 0
        if step.unit == "w" or (step.unit == "d" and step.count > 1):
            return False
        return other is None or DAY_US % other == 0

    @property
    def longest_us(self) -> int:
        """The most µs it can be, give or take an hour of summer time."""
        return self.count if self.unit == "us" else self.count * _DAYS[self.unit] * DAY_US


def _span(value: object) -> Span:
    if isinstance(value, Span):
        return value
    if isinstance(value, str) and (found := _CALENDAR.fullmatch(value)):
        span = Span(int(found[1][:_MAX_DIGITS]), cast("SpanUnit", found[2]))
    else:
        span = Span(_fixed_us(value, "15m, 1h, 1d, 1w, 1mo, 1q or 1y"), "us")
    if span.longest_us > MAX_DURATION_US:
        raise ValueError(f"{value} is too long; a century is the most")
    return span


def _offset(value: object) -> int:
    if isinstance(value, str) and value[:1] in ("-", "+"):
        return _fixed_us(value[1:], _OFFSETS) * (-1 if value[0] == "-" else 1)
    return _fixed_us(value, _OFFSETS)


def _fixed_us(value: object, examples: str) -> int:
    if not isinstance(value, str):
        what = "has no unit" if isinstance(value, int | float) else "is not a length of time"
        raise ValueError(f"{shown(value)} {what}; write it as {examples}")  # noqa: TRY004 pydantic wants ValueError
    try:
        fixed_us = parse_duration_us(value)
    except (BadInput, ValueError) as error:  # ValueError: more digits than Python reads
        raise ValueError(f"{shown(value)} is not a length of time; write it as {examples}") from error
    if fixed_us > MAX_DURATION_US:
        raise ValueError(f"{shown(value)} is too long; a century is the most")
    return fixed_us


_FIXED = r"(\d+(us|ms|s|m|h|d))+"

SpanText = Annotated[
    Span,
    PlainValidator(_span),
    WithJsonSchema(
        {"type": "string", "pattern": rf"^({_FIXED}|\d+(w|mo|q|y))$", "examples": ["1m", "1h", "1d", "1w", "1mo"]}
    ),
]
OffsetUs = Annotated[
    int,
    BeforeValidator(_offset),
    WithJsonSchema({"type": "string", "pattern": rf"^[-+]?{_FIXED}$", "examples": ["30m", "-6h"]}),
]
