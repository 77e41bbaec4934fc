"""Durations as they stand in a spec: a number with a unit, kept as whole microseconds."""

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from windrow.errors import BadInput
from windrow.units import DAY_US, format_duration, parse_duration_us

MAX_DURATION_US = 36_525 * DAY_US
"""A century. What is longer is a typo, and sums of such times would leave the years that tables hold."""


def _duration(value: object) -> object:
    if isinstance(value, str):
        try:
            duration_us = parse_duration_us(value)
        except BadInput as error:
            raise ValueError(str(error)) from error
        if duration_us > MAX_DURATION_US:
            raise ValueError(f"{value} is too long; a century ({format_duration(MAX_DURATION_US)}) is the most")
        return duration_us
    if isinstance(value, int | float):
        raise ValueError(f"{value} has no unit; write it as 30s, 5m, 1h or 1d")  # noqa: TRY004 pydantic wants ValueError
    return value


DurationUs = Annotated[
    int,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+(us|ms|s|m|h|d))+$", "examples": ["30s", "5m", "1h30m", "1d"]}),
]
