"""Where the event time is and how it is written."""

from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import BeforeValidator, field_validator

from windrow.spec.base import Part, several
from windrow.spec.durations import DurationUs
from windrow.units import SECOND_US

EPOCHS = ("epoch_s", "epoch_ms", "epoch_us", "epoch_ns")
_DATES = (
    ("%Y", "%m", "%d"),
    ("%Y", "%b", "%d"),
    ("%Y", "%B", "%d"),
    ("%y", "%m", "%d"),
    ("%y", "%b", "%d"),
    ("%y", "%B", "%d"),
    ("%Y", "%m", "%e"),
    ("%Y", "%b", "%e"),
    ("%Y", "%h", "%d"),
    ("%Y", "%j"),
    ("%G", "%V", "%u"),
    ("%F",),
    ("%D",),
    ("%s",),
    ("%c",),
    ("%+",),
)
"""Parts of a strptime pattern that together say a day."""


def format_fault(name: str) -> str | None:
    """Why a text is no time format; None if it is one."""
    if name != "iso8601" and name not in EPOCHS and "%" not in name:
        return f"{name!r} is not a time format; use iso8601, {', '.join(EPOCHS)} or a strptime pattern"
    if "%Z" in name:
        return f"{name!r}: names of zones are not understood; use %z with an offset, or set time.zone"
    if "%" in name and not any(all(part in name for part in date) for date in _DATES):
        return f"{name!r} holds no whole date; it needs year, month and day, such as %Y-%m-%d"
    if "%I" in name and "%p" not in name and "%P" not in name:
        return f"{name!r}: %I is an hour of twelve and needs %p; an hour of the day is %H"
    has_hours = any(part in name for part in ("%H", "%I", "%k", "%l", "%T", "%R", "%X", "%r", "%c", "%s", "%+"))
    if "%" in name and not has_hours and ("%M" in name or "%S" in name):
        return f"{name!r} has minutes or seconds without hours; add %H"
    return None


class TimeSpec(Part):
    """Where the event time is and how it is written."""

    column: str
    """The column that holds it."""
    of: Literal["record", "receipt"] = "record"
    """Whose time it is: the record's own, or, for snapshots without times, that of their receipt."""
    parts: tuple[str, ...] = ()
    """Sources that make up the time together, such as [date, time] or [year, month, day, hour]. They are joined by one
    space, and `formats` reads the whole."""
    formats: Annotated[tuple[str, ...], BeforeValidator(several)] = ("iso8601",)
    """Tried in order: iso8601, epoch_s, epoch_ms, epoch_us, epoch_ns, or a strptime pattern such as
    `%d/%m/%Y %H:%M`."""
    zone: str = "UTC"
    """IANA name of the zone of times that are written without an offset, such as America/Los_Angeles."""
    ambiguous: Literal["reject", "earliest", "latest"] = "reject"
    """What a local time means that the clock shows twice, when summer time ends."""
    nonexistent: Literal["reject", "forward"] = "reject"
    """What a local time means that the clock skips, when summer time begins; forward reads it by the offset before."""
    max_future: DurationUs = 10 * 60 * SECOND_US
    """How far ahead of its receipt a record may be dated before it goes to quarantine."""
    max_age: DurationUs | None = None
    """How far back from its receipt a record may be dated before it goes to quarantine. Without it, any."""

    @field_validator("formats")
    @classmethod
    def _known_formats(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        if not formats:
            raise ValueError("give at least one format")
        for name in formats:
            fault = format_fault(name)
            if fault is not None:
                raise ValueError(fault)
        return formats

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in zones():
            raise ValueError(f"{zone!r} is not a time zone; use an IANA name, such as Europe/Berlin or UTC")
        return zone


def zones() -> frozenset[str]:
    """Every zone name there is."""
    return frozenset(available_timezones() - {"Factory", "localtime"})  # names of files, not of zones
