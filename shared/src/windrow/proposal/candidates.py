"""Everything in a sample that could be the event time: single columns, and columns that make it up together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from windrow.proposal.markers import without_markers
from windrow.proposal.naming import words
from windrow.proposal.readings import Reading, clock_patterns, reading_of, readings
from windrow.proposal.sample import Field, Sample

_EXACT = {
    "ts", "time", "timestamp", "date", "datetime", "event_time", "event_timestamp", "event_ts", "event_date",
    "event_datetime", "date_time", "time_stamp", "occurred_at", "observed_at", "measured_at", "recorded_at",
    "observation_time", "measurement_time", "sampled_at",
}  # fmt: skip
"""Names that say: this is when it happened."""
_TIME_WORDS = {
    "ts", "time", "timestamp", "datetime", "date", "epoch", "at", "created", "updated", "modified", "utc",
    "unixtime",
}  # fmt: skip
_PARTS = (
    ("%Y", frozenset({"year", "yyyy", "yr"}), (1583, 2261)),
    ("%m", frozenset({"month", "mon", "mo"}), (1, 12)),
    ("%d", frozenset({"day", "dd", "dom", "day_of_month"}), (1, 31)),
    ("%H", frozenset({"hour", "hr", "hh"}), (0, 23)),
    ("%M", frozenset({"minute", "min", "minutes"}), (0, 59)),
    ("%S", frozenset({"second", "sec", "seconds"}), (0, 60)),
)
_CLOCKS = frozenset({"time", "hour", "hr", "clock", "time_of_day", "hour_of_day"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """One column, or several together, that could be the event time."""

    fields: tuple[Field, ...]
    texts: pl.Series
    """The whole text: of several columns, joined by a space."""
    readings: tuple[Reading, ...]
    name: str
    """For people, and for --time."""
    is_exact: bool
    """Whether its name says that it is the event time."""
    is_weak: bool
    """Numbers that could count seconds, under a name that does not say so."""


def read_all(sample: Sample) -> dict[str, tuple[Reading, ...]]:
    """Every reading of every column as times, by source."""
    return {
        field.source: readings(field.texts)
        for field in sample.fields
        if field.stored not in ("decimal", "float", "bool") and not field.kinds.get("list")
    }


def candidates(sample: Sample, found: Mapping[str, tuple[Reading, ...]]) -> list[Candidate]:
    """Everything that could be the event time: single columns first, then split ones."""
    singles = [
        Candidate(
            fields=(field,),
            texts=field.texts,
            readings=found[field.source],
            name=field.source,
            is_exact=plain_name(field) in _EXACT,
            is_weak=all(reading.is_number for reading in found[field.source]) and not is_named_time(field),
        )
        for field in sample.fields
        if found.get(field.source)
    ]
    return [*singles, *_split(sample, found)]


def is_named_time(field: Field) -> bool:
    """Whether a column's name speaks of time, so that its numbers may count seconds."""
    return not _TIME_WORDS.isdisjoint(words(field.label))


def _split(sample: Sample, found: Mapping[str, tuple[Reading, ...]]) -> list[Candidate]:
    parts = _calendar(sample)
    pair = _date_and_clock(sample, found)
    return [candidate for candidate in (parts, pair) if candidate is not None]


def _calendar(sample: Sample) -> Candidate | None:
    """Columns named year, month, day and perhaps hour, minute, second."""
    fields: list[Field] = []
    formats: list[str] = []
    for pattern, names, (low, high) in _PARTS:
        named = [field for field in sample.fields if plain_name(field) in names]
        fits = [field for field in named if _lies_within(field.texts, low, high)]
        if len(fits) != 1:
            break
        fields.append(fits[0])
        formats.append(pattern)
    if len(fields) < 3:
        return None
    texts = joined(fields)
    reading = reading_of(texts, (" ".join(formats),))
    if reading.read_count < 0.9 * max(1, reading.value_count):
        return None
    name = " + ".join(field.source for field in fields)
    return Candidate(tuple(fields), texts, (reading,), name, is_exact=False, is_weak=False)


def _date_and_clock(sample: Sample, found: Mapping[str, tuple[Reading, ...]]) -> Candidate | None:
    """A column of dates and one of times of day, if there is one of each."""
    dates = [
        field
        for field in sample.fields
        if found.get(field.source) and not any(each.has_clock for each in found[field.source])
    ]
    dates = [field for field in dates if not (plain_name(field) in _CLOCKS and _is_clock(field))]
    clocks = [
        field
        for field in sample.fields
        # 05.06.07 is a date too, but not one that stands beside another under such a name.
        if _is_clock(field) and (not found.get(field.source) or plain_name(field) in _CLOCKS)
    ]
    if len(clocks) > 1:
        clocks = [field for field in clocks if plain_name(field) in _CLOCKS]
    if len(dates) > 1:
        dates = [field for field in dates if plain_name(field) in ("date", "day")]
    if len(dates) != 1 or len(clocks) != 1:
        return None
    fields = (dates[0], clocks[0])
    texts = joined(fields)
    own = readings(texts)
    if not own:
        return None
    name = " + ".join(field.source for field in fields)
    return Candidate(
        fields, texts, own, name, is_exact=all(plain_name(field) in _EXACT for field in fields), is_weak=False
    )


def _is_clock(field: Field) -> bool:
    """Times of day; numbers such as 7 or 10.30 only under a name that says so."""
    patterns = clock_patterns(field.texts)
    return bool(patterns) and (plain_name(field) in _CLOCKS or all(":" in pattern for pattern in patterns))


def joined(fields: Sequence[Field]) -> pl.Series:
    """Texts joined by one space; null where one of them lacks."""
    frame = pl.DataFrame({f"{place}": without_markers(field.texts) for place, field in enumerate(fields)})
    return frame.select(pl.concat_str(pl.all().str.strip_chars(), separator=" ").alias("time")).to_series()


def _lies_within(texts: pl.Series, low: int, high: int) -> bool:
    known = without_markers(texts).drop_nulls()
    numbers = known.str.strip_chars().cast(pl.Int64, strict=False)
    return known.len() > 0 and numbers.null_count() == 0 and bool(numbers.is_between(low, high).all())


def plain_name(field: Field) -> str:
    return "_".join(words(field.label))
