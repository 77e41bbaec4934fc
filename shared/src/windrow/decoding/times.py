"""Times and dates as they are written, to UTC microseconds and to days. Pure and columnar."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl
import pyarrow as pa
from pyarrow import compute

from windrow.decoding.zones import Moments, to_utc
from windrow.spec import TimeSpec
from windrow.spec.times import EPOCHS
from windrow.units import SECOND_US

_NAIVE = pl.Datetime("us")
_EPOCH_UNITS_US = {"epoch_s": SECOND_US, "epoch_ms": 1_000, "epoch_us": 1}
_EPOCH_TEXT = pl.Decimal(38, 9)  # keeps every digit; a float would lose the microseconds

_INT64 = range(-(1 << 63), 1 << 63)
# Years 1 to 9999, what every reader of the tables can represent.
_FIRST_US = -62_135_596_800 * SECOND_US
_LAST_US = 253_402_300_800 * SECOND_US
_YEAR_1000 = datetime(1000, 1, 1)  # noqa: DTZ001  compared with local times

_ISO = (
    r"^(?<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?<hour>[0-9]{2})(?::(?<minute>[0-9]{2})(?::(?<second>[0-9]{2})(?:\.(?<fraction>[0-9]+))?)?)?"
    r"(?:(?<utc>[Zz])|(?<sign>[+-])(?<zone_hour>[0-9]{2}):?(?<zone_minute>[0-9]{2})?)?)?$"
)
_ISO_IN_PYTHON = re.compile(_ISO.replace("(?<", "(?P<"))
_US_DIGITS = 6
_ISO_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_ISO_SLICE_ROWS = 4_096

_MICROSECONDS = re.compile(r"%%|\.%f|%f")
_DIRECTIVE = re.compile(r"%[-_0^#:.]*[0-9]?([A-Za-z%+])")
_HOURS, _MINUTES, _WHOLE_TIMES = frozenset("HIkl"), frozenset("M"), frozenset("TRrXcs+")


def takes_numbers(formats: Sequence[str]) -> bool:
    """Whether a JSON number can be a time under these formats."""
    return any(name in EPOCHS for name in formats)


def takes_text(formats: Sequence[str]) -> bool:
    """Whether anything but numbers can be a time under these formats."""
    return any(name not in EPOCHS for name in formats)


def read_times(raw: pl.Series, formats: Sequence[str], time: TimeSpec) -> Moments:
    """Texts, numbers, dates or times to UTC µs, each by the first format that fits; null where none does.

    What has no offset is local time of `time.zone`. What is finer than a microsecond is cut off. A date is its first
    moment.
    """
    if raw.dtype == pl.Date() or isinstance(raw.dtype, pl.Datetime):
        written = _of_library_times(raw)
    else:
        written = _in_order(raw, formats, _iso_times)
    if not written.is_local.any() or time.zone == "UTC":
        return Moments(written.times.dt.replace_time_zone("UTC"))
    if written.is_local.all():
        moments = to_utc(written.times, time)
    else:
        moments = to_utc(_where(written.is_local, written.times), time)
        instants = _where(~written.is_local, written.times).dt.replace_time_zone("UTC")
        moments = moments._replace(times=instants.zip_with(~written.is_local, moments.times))
    return moments._replace(times=_within_years(moments.times))


def read_dates(raw: pl.Series, formats: Sequence[str], time: TimeSpec) -> pl.Series:
    """Texts, numbers or dates to days, each by the first format that fits; null where none does.

    iso8601 is YYYY-MM-DD here. Of a local time the day is taken as it is written; what is an instant (a count, or a
    time with an offset) has the day that the clocks of `time.zone` show. Typed times are dates only at midnight.
    """
    if raw.dtype == pl.Date() or raw.dtype.is_temporal():
        days = raw if raw.dtype == pl.Date() else _midnights(raw)
        return _where(_of_library_times(days).times.is_not_null(), days)
    written = _in_order(raw, formats, _iso_days)
    days = written.times.dt.date()
    if written.is_local.all():
        return days
    in_zone = written.times.dt.replace_time_zone("UTC").dt.convert_time_zone(time.zone).dt.date()
    return days.zip_with(written.is_local, in_zone)


class _Written(NamedTuple):
    """Times as they are written (µs, no zone; null where none is), and which of them are local rather than UTC."""

    times: pl.Series
    is_local: pl.Series


_Read = Callable[[pl.Series], _Written]


def _written(times: pl.Series, *, is_local: bool) -> _Written:
    return _Written(times, pl.repeat(is_local, times.len(), dtype=pl.Boolean, eager=True))


def _in_order(raw: pl.Series, formats: Sequence[str], iso: _Read) -> _Written:
    """Each row by the first format that fits; a later one only sees what is left."""
    if not raw.dtype.is_integer() and raw.dtype != pl.String():
        raw = raw.cast(pl.String)
    found = _read(raw, formats[0], iso)
    for name in formats[1:]:
        if found.times.null_count() == raw.null_count():
            break
        left = (raw.is_not_null() & found.times.is_null()).arg_true()
        more = _read(raw.gather(left), name, iso)
        found = _Written(found.times.scatter(left, more.times), found.is_local.scatter(left, more.is_local))
    return found


def _read(raw: pl.Series, name: str, iso: _Read) -> _Written:
    if name in EPOCHS:
        return _written(_epoch(raw, name), is_local=False)
    if name == "iso8601" and raw.dtype != pl.String():
        return _written(_nothing(raw), is_local=True)  # no number is one
    times, is_local = iso(raw) if name == "iso8601" else _pattern(raw.cast(pl.String), name)
    return _Written(_within_years(times), is_local)


def _within_years(times: pl.Series) -> pl.Series:
    in_us = times.to_physical()
    fits = in_us.is_between(_FIRST_US, _LAST_US, closed="left")
    return times if fits.all() else _where(fits, times)


def _where(mask: pl.Series, values: pl.Series) -> pl.Series:
    """Values where the mask holds, else null."""
    return values.zip_with(mask, pl.Series(values.name, [None], values.dtype).new_from_index(0, values.len()))


def _nothing(like: pl.Series) -> pl.Series:
    return pl.Series(like.name, [None], _NAIVE).new_from_index(0, like.len())


def _of_library_times(raw: pl.Series) -> _Written:
    """Dates and times of any unit and zone. What lies outside of our years goes before units could overflow."""
    if raw.dtype == pl.Date():
        day_us = 86_400 * SECOND_US
        fits = raw.to_physical().is_between(_FIRST_US // day_us, _LAST_US // day_us, closed="left")
        return _written(_where(fits, raw).cast(_NAIVE), is_local=True)
    kind = raw.dtype
    assert isinstance(kind, pl.Datetime)
    per_us = {"ms": 1_000, "us": 1, "ns": 1}[kind.time_unit]
    first, last = (_FIRST_US // per_us, _LAST_US // per_us) if kind.time_unit != "ns" else (None, None)
    if first is not None and last is not None:
        raw = _where(raw.to_physical().is_between(first, last, closed="left"), raw)
    times = raw.dt.cast_time_unit("us")
    if kind.time_zone is None:
        return _written(times, is_local=True)
    return _written(times.dt.convert_time_zone("UTC").dt.replace_time_zone(None), is_local=False)


def _midnights(raw: pl.Series) -> pl.Series:
    if not isinstance(raw.dtype, pl.Datetime) or raw.dtype.time_zone is not None:
        return pl.Series(raw.name, [None], pl.Date).new_from_index(0, raw.len())
    return _where(raw == raw.dt.truncate("1d"), raw).dt.date()


# ------------------------------------------------------------------------------------------------ counts since 1970


def _epoch(raw: pl.Series, unit: str) -> pl.Series:
    whole = raw.cast(pl.Int64, strict=False)
    in_us = _whole_us(whole, unit)
    if raw.dtype == pl.String() and whole.null_count() > raw.null_count():
        left = (raw.is_not_null() & whole.is_null()).arg_true()
        in_us = in_us.scatter(left, _fractional_us(raw.gather(left), unit))
    return in_us.cast(_NAIVE)


def _whole_us(count: pl.Series, unit: str) -> pl.Series:
    if unit == "epoch_ns":
        return count // 1_000
    # What no year of ours can be goes first: a product must not overflow.
    unit_us = _EPOCH_UNITS_US[unit]
    fits = count.is_between(_FIRST_US // unit_us, _LAST_US // unit_us, closed="left")
    return (count if fits.all() else _where(fits, count)) * unit_us


def _fractional_us(text: pl.Series, unit: str) -> pl.Series:
    number = text.str.strip_chars().cast(_EPOCH_TEXT, strict=False)
    unit_us = _EPOCH_UNITS_US.get(unit, 1)
    count = _where(number.is_between(_INT64[0] // unit_us, _INT64[-1] // unit_us), number) * unit_us
    cut = count.cast(pl.Int64, strict=False)  # towards zero, which is up before 1970
    floor = cut - (cut.cast(_EPOCH_TEXT) > count).cast(pl.Int64)
    return floor // 1_000 if unit == "epoch_ns" else floor


# ------------------------------------------------------------------------------------------------ ISO 8601


def _iso_times(text: pl.Series) -> _Written:
    """Ten times faster if all rows are written alike; where some are not, only their neighbours pay."""
    whole = _iso_alike(text)
    if whole is not None:
        return whole
    slices = [text.slice(start, _ISO_SLICE_ROWS) for start in range(0, max(1, text.len()), _ISO_SLICE_ROWS)]
    found = [_iso_alike(some) or _iso_by_parts(some) for some in slices]
    return _Written(pl.concat([some.times for some in found]), pl.concat([some.is_local for some in found]))


def _iso_alike(text: pl.Series) -> _Written | None:
    """Rows that are all written like the first; else None. It takes nothing that `_iso_by_parts` does not."""
    first = _ISO_IN_PYTHON.fullmatch(_first_of(text))
    if first is None:
        return None
    is_local = first["utc"] is None and first["sign"] is None
    unit = "ns" if len(first["fraction"] or "") > _US_DIGITS else "us"
    try:
        found = compute.cast(text.to_arrow(), pa.timestamp(unit, None if is_local else "UTC"))
    except pa.ArrowInvalid:
        return None
    times = pl.Series(text.name, found).dt.replace_time_zone(None).dt.cast_time_unit("us")
    return _written(times, is_local=is_local)


def _iso_by_parts(text: pl.Series) -> _Written:
    parts = text.str.strip_chars().str.extract_groups(_ISO).struct.unnest()
    hour, minute, second = (pl.col(name).fill_null("00") for name in ("hour", "minute", "second"))
    clock = pl.format("{} {}:{}:{}", "day", hour, minute, second).str.to_datetime(
        "%Y-%m-%d %H:%M:%S", time_unit="us", strict=False
    )
    fraction_us = pl.col("fraction").str.pad_end(_US_DIGITS, "0").str.head(_US_DIGITS).cast(pl.Int64).fill_null(0)
    zone_hour = pl.col("zone_hour").cast(pl.Int64).fill_null(0)
    zone_minute = pl.col("zone_minute").cast(pl.Int64).fill_null(0)
    minutes = (zone_hour * 60 + zone_minute) * pl.when(pl.col("sign") == "-").then(-1).otherwise(1)
    moment = clock + pl.duration(microseconds=fraction_us - minutes * 60 * SECOND_US, time_unit="us")
    is_zone = (zone_hour < 24) & (zone_minute < 60)
    is_local = pl.col("utc").is_null() & pl.col("sign").is_null()
    return _Written(*parts.select(pl.when(is_zone).then(moment).alias("times"), is_local.alias("is_local")))


def _iso_days(text: pl.Series) -> _Written:
    days = _iso_days_alike(text)
    if days is None:
        stripped = text.str.strip_chars()
        days = _where(stripped.str.contains(_ISO_DAY), stripped.str.to_date("%Y-%m-%d", strict=False))
    return _written(days.cast(_NAIVE), is_local=True)


def _iso_days_alike(text: pl.Series) -> pl.Series | None:
    if not re.fullmatch(_ISO_DAY, _first_of(text)):
        return None
    try:
        return pl.Series(text.name, compute.cast(text.to_arrow(), pa.date32()))
    except pa.ArrowInvalid:
        return None


def _first_of(text: pl.Series) -> str:
    """The first text there is. Columns in which it is odd are not tried the quick way: failing is what is slow."""
    place = text.is_not_null().arg_max()
    return "" if place is None else text[place] or ""


# ------------------------------------------------------------------------------------------------ patterns


def _pattern(text: pl.Series, name: str) -> _Written:
    """Texts by a strptime pattern. Years before 1000 are none: `%Y` would take the 20 of 31/12/20 for one."""
    # %f is what people know from strptime; the library would take its digits for nanoseconds.
    pattern = _MICROSECONDS.sub(lambda found: {".%f": "%.f", "%f": "%6f"}.get(found[0], found[0]), name)
    directives = frozenset(_DIRECTIVE.findall(pattern))
    has_zone = bool(directives & {"z", "+"})
    stripped = text.str.strip_chars()
    if not directives & (_MINUTES | _WHOLE_TIMES):
        # The library wants minutes beside hours, and hours beside an offset.
        if directives & _HOURS:
            stripped, pattern = "00|" + stripped, "%M|" + pattern
        elif has_zone:
            stripped, pattern = "00:00|" + stripped, "%H:%M|" + pattern
    try:
        times = stripped.str.to_datetime(pattern, time_unit="us", time_zone="UTC" if has_zone else None, strict=False)
    except pl.exceptions.ComputeError:  # a pattern that says no time at all, such as seconds without hours
        return _written(_nothing(text), is_local=True)
    times = times.dt.replace_time_zone(None)
    fits = times >= _YEAR_1000
    return _written(times if fits.all() else _where(fits, times), is_local=not (has_zone or "s" in directives))
