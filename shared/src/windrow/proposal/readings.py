"""How a column of texts can be read as times: every reading that fits, and no other."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from windrow.errors import BadInput
from windrow.proposal.markers import without_markers
from windrow.proposal.patterns import clocks_of, patterns_of
from windrow.spec.times import EPOCHS, format_fault
from windrow.units import to_us

_SHAPES_FROM = 400
"""Distinct values whose shapes are looked at."""
_FITS = 0.9
"""Share of values that a reading must explain to be one."""
_FIRST_YEAR, _LAST_YEAR = 1583, 2261
_EPOCH_YEARS = (1971, 2100)
"""A count of seconds is never taken for one of milliseconds in these years, nor the other way round."""
_UNIT_US = {"epoch_s": 1_000_000.0, "epoch_ms": 1_000.0, "epoch_us": 1.0, "epoch_ns": 0.001}

_ISO_PATTERNS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d")


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a column."""

    order: str
    """What comes first: ymd, dmy or mdy; or the unit of an epoch; empty where the text itself says it."""
    formats: tuple[str, ...]
    """As in `time.formats`."""
    moments: pl.Series
    """Int64 µs, by UTC where no offset is written; null where the reading does not fit."""
    value_count: int
    """Values there are, markers of missing ones left out."""
    has_clock: bool
    """Whether there is a time of day."""
    has_offset: bool
    """Whether the values say their offset, or count from 1970 in UTC."""

    @property
    def read_count(self) -> int:
        return self.moments.len() - self.moments.null_count()

    @property
    def is_complete(self) -> bool:
        """Whether it reads every value."""
        return self.read_count == self.value_count

    @property
    def is_number(self) -> bool:
        return self.formats[0] in EPOCHS


def readings(texts: pl.Series) -> tuple[Reading, ...]:
    """Every reading that explains the column, none of which is explained better by another.

    `texts` may hold nulls and markers of missing values. Two readings come back where both fit what they read.
    """
    values = without_markers(texts)
    count = values.len() - values.null_count()
    if not count:
        return ()
    distinct = values.drop_nulls().unique(maintain_order=True).head(_SHAPES_FROM).to_list()
    found: dict[str, dict[str, None]] = {}
    shapes: Counter[str] = Counter()
    for text in distinct:
        patterns = patterns_of(text.strip())
        shapes.update({order for order, _ in patterns})
        for order, pattern in patterns:
            found.setdefault(order, {})[pattern] = None
    clear, clear_count = found.pop("", {}), shapes.pop("", 0)
    # What says itself which part is which can stand beside any order of the rest.
    orders = {
        order: {**formats, **clear}
        for order, formats in (found or {"": {}}).items()
        if shapes[order] + clear_count >= _FITS * len(distinct)
    }
    all_read = [_read(values, order, tuple(formats), count) for order, formats in orders.items()]
    fitting = [reading for reading in all_read if reading.read_count >= _FITS * count]
    return tuple(reading for reading in fitting if not any(_is_better(other, reading) for other in fitting))


def reading_of(texts: pl.Series, formats: tuple[str, ...]) -> Reading:
    """The reading a person asks for. Raises BadInput when a format is none."""
    for name in formats:
        fault = format_fault(name)
        if fault is not None:
            raise BadInput(fault)
    values = without_markers(texts)
    return _read(values, "", formats, values.len() - values.null_count())


def clock_patterns(texts: pl.Series) -> tuple[str, ...]:
    """How a column of times of day without a date is written; nothing if it is none."""
    distinct = without_markers(texts).drop_nulls().unique(maintain_order=True).head(_SHAPES_FROM).to_list()
    found: dict[str, None] = {}
    for text in distinct:
        patterns = [pattern for pattern, rest in clocks_of(text.strip()) if not rest]
        if not patterns:
            return ()
        found[patterns[0]] = None
    return tuple(found)


def _is_better(other: Reading, reading: Reading) -> bool:
    """Whether `other` reads all that `reading` does, and more."""
    if other is reading or other.read_count <= reading.read_count:
        return False
    return not (reading.moments.is_not_null() & other.moments.is_null()).any()


# ---------------------------------------------------------------------------------------------------- reading


def _read(values: pl.Series, order: str, formats: tuple[str, ...], count: int) -> Reading:
    moments = pl.Series(values.name, [None] * values.len(), pl.Int64)
    for name in formats:
        moments = moments.to_frame("a").select(pl.coalesce("a", _moments(values, name).alias("b"))).to_series()
    return Reading(
        order=order,
        formats=_fractions(formats),
        moments=moments,
        value_count=count,
        has_clock=any(_says_clock(name) for name in formats)
        or ("iso8601" in formats and bool(values.str.contains("[0-9][T ]").any())),
        has_offset=all(_says_offset(name) for name in formats if name != "iso8601")
        and ("iso8601" not in formats or _iso_offsets(values)),
    )


def _fractions(formats: tuple[str, ...]) -> tuple[str, ...]:
    """Formats without those that another one with a fraction of seconds reads as well."""
    return tuple(name for name in formats if "%S" not in name or name.replace("%S", "%S%.f") not in formats)


def _moments(values: pl.Series, name: str) -> pl.Series:
    """µs by one format, null where it does not fit or speaks of a year nobody would."""
    if name in EPOCHS:
        numbers = values.str.strip_chars()
        plain = numbers.str.contains(r"^[0-9]{1,19}(\.[0-9]+)?$")
        in_us = numbers.cast(pl.Float64, strict=False) * _UNIT_US[name]
        low, high = (_year_us(year) for year in (_EPOCH_YEARS[0], _EPOCH_YEARS[1] + 1))
        fits = plain & (in_us >= low) & (in_us < high)
        return in_us.to_frame("t").select(pl.when(fits).then(pl.col("t")).cast(pl.Int64)).to_series()
    stripped = values.str.strip_chars()
    if name == "iso8601":
        return _iso_moments(stripped)
    return _strptime(stripped, name)


def _iso_moments(stripped: pl.Series) -> pl.Series:
    found = _strptime(stripped, "%Y-%m-%dT%H:%M:%S%.f%#z")
    patterns = [f"{base}{zone}" for zone in ("", "%#z") for base in _ISO_PATTERNS[:4]] + [_ISO_PATTERNS[4]]
    for pattern in patterns:
        if found.null_count() == stripped.null_count():
            break
        found = found.to_frame("a").select(pl.coalesce("a", _strptime(stripped, pattern).alias("b"))).to_series()
    return found


def _strptime(stripped: pl.Series, pattern: str) -> pl.Series:
    # The library wants minutes where there are hours.
    has_hour_alone = ("%H" in pattern or "%I" in pattern) and "%M" not in pattern
    texts, wanted = (stripped + " 00", pattern + " %M") if has_hour_alone else (stripped, pattern)
    zone = "UTC" if re.search(r"%[#:]?z|%\+", pattern) else None
    try:
        parsed = texts.str.to_datetime(wanted, time_unit="us", time_zone=zone, strict=False)
    except pl.exceptions.PolarsError:
        return pl.Series(stripped.name, [None] * stripped.len(), pl.Int64)
    in_us = parsed.dt.timestamp("us")
    low, high = _year_us(_FIRST_YEAR), _year_us(_LAST_YEAR + 1)
    return in_us.to_frame("t").select(pl.when(pl.col("t").is_between(low, high, closed="left")).then("t")).to_series()


def _year_us(year: int) -> int:
    return to_us(datetime(year, 1, 1, tzinfo=UTC))


def _says_clock(name: str) -> bool:
    return name in EPOCHS or "%H" in name or "%I" in name or "%T" in name or "%R" in name


def _says_offset(name: str) -> bool:
    return name in EPOCHS or re.search(r"%[#:]?z|%\+|Z$|UTC$|GMT$", name) is not None


def _iso_offsets(values: pl.Series) -> bool:
    """Whether every ISO text that has a time of day says its offset."""
    texts = values.filter(values.str.contains(r"^\s*[0-9]{4}-"))
    return (
        texts.len() > 0
        and bool(texts.str.contains(r"[0-9](?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)\s*$").all())
        and bool(texts.str.contains("[T ]").all())
    )
