"""Event times as they are written, to UTC microseconds. Pure and columnar."""

import re
from collections.abc import Callable, Sequence
from functools import partial

import polars as pl

from windrow.lake.schema import TIMESTAMP
from windrow.units import SECOND_US

_EPOCH_UNIT_US = {"epoch_s": SECOND_US, "epoch_ms": 1_000, "epoch_us": 1}
_ISO_WITH_ZONE = "%+"
_ISO_WITHOUT_ZONE = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M")
_ISO_DATE = "%Y-%m-%d"
_ISO_WITH_SHORT_ZONE = (  # hours alone, as PostgreSQL writes it, and times without seconds
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M%#z",
)
_MICROSECONDS = re.compile(r"%%|\.%f|%f")
# Years 1 to 9999, what every reader of the tables can represent.
_FIRST_US = -62_135_596_800 * SECOND_US
_LAST_US = 253_402_300_800 * SECOND_US


def takes_numbers(formats: Sequence[str]) -> bool:
    """Whether a JSON number can be a time under these formats."""
    return any(name in _EPOCH_UNIT_US for name in formats)


def takes_text(formats: Sequence[str]) -> bool:
    """Whether anything but numbers can be a time under these formats."""
    return any(name not in _EPOCH_UNIT_US for name in formats)


def parse_times(raw: pl.Series, formats: Sequence[str]) -> pl.Series:
    """Text to µs UTC by the first format that fits; null where none does. Text without a zone is UTC.

    A later format is only tried while rows are left that no earlier one could read.
    """
    parsed = pl.Series(raw.name, [None], TIMESTAMP).new_from_index(0, raw.len())
    for attempt in (attempt for name in formats for attempt in _attempts(name)):
        parsed = parsed.to_frame("parsed").select(pl.coalesce("parsed", _within_years(attempt(raw)))).to_series()
        if parsed.null_count() == raw.null_count():
            break
    return parsed.rename(raw.name)


def _attempts(name: str) -> list[Callable[[pl.Series], pl.Series]]:
    if name in _EPOCH_UNIT_US:
        return [partial(_epoch, unit_us=_EPOCH_UNIT_US[name])]
    if name == "iso8601":
        patterns = (_ISO_WITH_ZONE, *_ISO_WITHOUT_ZONE, *_ISO_WITH_SHORT_ZONE)
        return [*(partial(_strptime, pattern=pattern) for pattern in patterns), _iso_date]
    # %f is what people know from strptime; the library would take its digits for nanoseconds.
    pattern = _MICROSECONDS.sub(lambda found: {".%f": "%.f", "%f": "%6f"}.get(found[0], found[0]), name)
    return [partial(_strptime, pattern=pattern)]


def _within_years(times: pl.Series) -> pl.Series:
    in_us = pl.col("time").dt.timestamp("us")
    fits = in_us.is_between(_FIRST_US, _LAST_US, closed="left")
    return times.to_frame("time").select(pl.when(fits).then("time")).to_series()


def _epoch(raw: pl.Series, unit_us: int) -> pl.Series:
    # Decimal keeps every digit; a float would lose the microseconds of epoch_us.
    number = raw.str.strip_chars().cast(pl.Decimal(38, 6), strict=False).to_frame("number")
    # What no year of ours can be goes first: a product that overflows would be an error for the whole column.
    fits = pl.col("number").is_between(_FIRST_US // unit_us, _LAST_US // unit_us)
    in_us = pl.when(fits).then("number") * unit_us
    return number.select(in_us.cast(pl.Int64, strict=False).cast(TIMESTAMP)).to_series()


def _strptime(raw: pl.Series, pattern: str) -> pl.Series:
    has_zone = pattern == _ISO_WITH_ZONE or any(mark in pattern for mark in ("%z", "%#z", "%:z"))
    zone = "UTC" if has_zone else None
    parsed = raw.str.strip_chars().str.to_datetime(pattern, time_unit="us", time_zone=zone, strict=False)
    return parsed if has_zone else parsed.dt.replace_time_zone("UTC")


def _iso_date(raw: pl.Series) -> pl.Series:
    return (
        raw.str.strip_chars().str.to_date(_ISO_DATE, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    )
