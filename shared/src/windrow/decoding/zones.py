"""Local times to UTC, by the clocks of a zone. Pure and columnar."""

from datetime import timedelta
from typing import Literal, NamedTuple

import polars as pl

from windrow.spec import TimeSpec

_BEFORE_GAP = timedelta(hours=27)
"""How far back of a skipped time the offset that held before the gap is to be found. Clocks skip an hour or so, and a
whole day where a country changes sides of the date line; and never twice within days."""


class Moments(NamedTuple):
    """Times in UTC, null where there is none; and, if there are such rows, masks of why there is none."""

    times: pl.Series
    ambiguous: pl.Series | None = None
    """The clock shows them twice, and the spec does not say which is meant."""
    nonexistent: pl.Series | None = None
    """The clock skips them, and the spec does not say how to read them."""


def to_utc(local: pl.Series, time: TimeSpec) -> Moments:
    """Local times (µs, without a zone) as the clocks of `time.zone` show them, in UTC.

    The rules of a zone are known up to the year 2099; after that its standard time holds all year.
    """
    if time.zone == "UTC":
        return Moments(local.dt.replace_time_zone("UTC"))
    times = _shown(local, time.zone, "null" if time.ambiguous == "reject" else time.ambiguous)
    lost = (times.is_null() & local.is_not_null()).arg_true()
    if lost.is_empty():
        return Moments(times)
    some = local.gather(lost)
    is_twice = _shown(some, time.zone, "earliest").is_not_null()
    if time.nonexistent == "forward":
        times = times.scatter(lost, _forward(some, time.zone).zip_with(~is_twice, times.gather(lost)))
    nothing = times.is_null()
    twice, skipped = _mask(local.len(), lost.filter(is_twice)), _mask(local.len(), lost.filter(~is_twice))
    return Moments(times, twice & nothing, skipped & nothing)


def _shown(local: pl.Series, zone: str, ambiguous: Literal["earliest", "latest", "null"]) -> pl.Series:
    return local.dt.replace_time_zone(zone, ambiguous=ambiguous, non_existent="null").dt.convert_time_zone("UTC")


def _forward(local: pl.Series, zone: str) -> pl.Series:
    """Skipped times by the offset that held before the clock skipped them."""
    return _shown(local - _BEFORE_GAP, zone, "earliest") + _BEFORE_GAP


def _mask(length: int, places: pl.Series) -> pl.Series:
    return pl.repeat(False, length, dtype=pl.Boolean, eager=True).scatter(places, True)
