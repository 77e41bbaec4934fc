"""Which column is the event time, and how it is written: the candidates, and the one the sample speaks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from windrow.errors import BadInput
from windrow.proposal.candidates import Candidate, candidates, joined, plain_name
from windrow.proposal.evidence import Choices, Evidence, Option, Question, Undecided, counted, quoted
from windrow.proposal.readings import Reading, reading_of, readings
from windrow.proposal.sample import Field, Sample
from windrow.proposal.steps import iso, steps
from windrow.spec.times import zones

_SHOWN_ROWS = 3
_HAS_OFFSET = "every value says its offset, or counts from 1970 in UTC"
_ZONE_NAMES = frozenset({"timezone", "time_zone", "tz", "tzid"})
_UTC_NAMES = frozenset({"UTC", "GMT", "Etc/UTC", "Etc/GMT", "Zulu"})
ORDERS = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}


@dataclass(frozen=True, slots=True)
class EventTime:
    """The event time as it will stand in the spec."""

    fields: tuple[Field, ...]
    """One, or the parts; none, where it is the time of receipt."""
    moments: pl.Series
    """Int64 µs of every record; null where there is none."""
    formats: tuple[str, ...]
    zone: str
    evidence: tuple[Evidence, ...]


def event_time(sample: Sample, found: Mapping[str, tuple[Reading, ...]], choices: Choices) -> EventTime:
    """The event time. Raises Undecided when the sample does not say which column it is or how to read it."""
    if choices.receipt:
        return _receipt(sample, choices)
    all_candidates = candidates(sample, found)
    if choices.time:
        candidate, why = _named(sample, all_candidates, choices), "as you said"
    else:
        candidate, why = _chosen(sample, all_candidates)
    reading, evidence = _reading(candidate, choices)
    if reading.read_count == 0:
        raise BadInput(f"no value of {candidate.name} is written as {', '.join(reading.formats)}")
    zone, zone_evidence = _zone(sample, reading, choices)
    name = candidate.name
    evidence = [Evidence("time", name, why), *evidence, zone_evidence]
    return EventTime(candidate.fields, reading.moments, reading.formats, zone, tuple(evidence))


def _receipt(sample: Sample, choices: Choices) -> EventTime:
    if choices.time or choices.time_formats or choices.zone:
        raise BadInput("--receipt takes the time of receipt; leave --time, --time-format and --zone out")
    why = "as you said: the records have no time of their own"
    nothing = pl.Series("time", [None] * sample.row_count, pl.Int64)
    return EventTime((), nothing, (), "UTC", (Evidence("time", "receipt", why),))


# ---------------------------------------------------------------------------------------------------- which column


def _chosen(sample: Sample, found: Sequence[Candidate]) -> tuple[Candidate, str]:
    strong = [candidate for candidate in found if not candidate.is_weak]
    # A date that a time of day stands beside is half of the whole.
    halves = {field.source for each in strong if len(each.fields) == 2 for field in each.fields}
    strong = [each for each in strong if len(each.fields) > 1 or each.name not in halves]
    if len(strong) == 1:
        return strong[0], "the only column that reads as a time" if len(
            strong[0].fields
        ) == 1 else "only together a time"
    exact = [candidate for candidate in strong if candidate.is_exact]
    if len(exact) == 1:
        others = [candidate.name for candidate in strong if candidate is not exact[0]]
        return exact[0], f"its name says so; {quoted(others)} read as times too"
    if strong:
        text = "More than one column reads as a time, and their names do not say which one is the event time."
        raise Undecided(Question("time", text, tuple(map(_option, strong))))
    looked_at = [field.source for field in sample.fields]
    text = (
        "No column reads as a time, and a stream needs one. "
        f"Looked at: {', '.join(looked_at[:30]) or 'no columns at all'}" + (", …." if len(looked_at) > 30 else ".")
    )
    if zoned := [field.source for field in sample.fields if _ends_in_zone_name(field.texts)]:
        text += f" {quoted(zoned)} ends in the name of a zone, which is not read; write an offset such as +02:00."
    snapshots = Option("--receipt", "the records are snapshots: the time of receipt counts as theirs")
    raise Undecided(Question("time", text, (*map(_option, found), snapshots)))


def _option(candidate: Candidate) -> Option:
    reading = candidate.readings[0]
    how = " or ".join(each.formats[0] for each in candidate.readings)
    return Option(
        f"--time {_shell(','.join(field.source for field in candidate.fields))}", f"{how}: {steps(reading.moments)}"
    )


def _named(sample: Sample, found: Sequence[Candidate], choices: Choices) -> Candidate:
    fields = tuple(_field(sample, name) for name in choices.time)
    known = next((each for each in found if [f.source for f in each.fields] == [f.source for f in fields]), None)
    texts = fields[0].texts if len(fields) == 1 else joined(fields)
    name = " + ".join(field.source for field in fields)
    if known is not None:
        return known
    if not choices.time_formats:
        own = readings(texts)
        if not own:
            values = texts.drop_nulls().head(_SHOWN_ROWS).to_list()
            raise BadInput(
                f"{name} does not read as a time ({quoted(values) or 'it is empty'}); "
                "say how it is written with --time-format, such as --time-format '%d.%m.%y %H:%M'"
            )
        return Candidate(fields, texts, own, name, is_exact=False, is_weak=False)
    return Candidate(fields, texts, (), name, is_exact=False, is_weak=False)


def _field(sample: Sample, name: str) -> Field:
    for field in sample.fields:
        if name in (field.source, field.label, plain_name(field)):
            return field
    known = ", ".join(field.source for field in sample.fields[:30])
    raise BadInput(f"there is no column {name!r}; there are {known}")


# ---------------------------------------------------------------------------------------------------- how it is written


def _reading(candidate: Candidate, choices: Choices) -> tuple[Reading, list[Evidence]]:
    if choices.time_formats:
        reading = reading_of(candidate.texts, choices.time_formats)
        return reading, [_format_evidence(reading, "as you said")]
    found = candidate.readings
    if len(found) > 1:
        raise Undecided(_which_format(candidate))
    reading = found[0]
    return reading, [_format_evidence(reading, _order_evidence(reading))]


def _which_format(candidate: Candidate) -> Question:
    most = max(reading.read_count for reading in candidate.readings)
    text = f"{candidate.name} can be read in {len(candidate.readings)} ways, and each fits {most:,} values."
    if any(reading.order in ("dmy", "mdy") for reading in candidate.readings):
        text += " No day above 12 tells which part is the day."
    options = []
    for reading in candidate.readings:
        shown = candidate.texts.to_frame("t").with_columns(m=reading.moments).drop_nulls().head(_SHOWN_ROWS)
        rows = ", ".join(f"{text.strip()} is {iso(moment)}" for text, moment in shown.iter_rows())
        flags = " ".join(f"--time-format {_shell(name)}" for name in reading.formats)
        options.append(Option(flags, f"{ORDERS.get(reading.order, reading.order)}: {rows}; {steps(reading.moments)}"))
    return Question("time.formats", text, tuple(options))


def _order_evidence(reading: Reading) -> str:
    if reading.order not in ("dmy", "mdy"):
        return ""
    days = reading.moments.cast(pl.Datetime("us")).dt.day()
    above = int((days > 12).sum() or 0)
    return f"{ORDERS[reading.order]}: a day above 12 stands in {counted(above, 'value')}" if above else ""


def _format_evidence(reading: Reading, why: str) -> Evidence:
    fits = f"fits all {reading.value_count:,} values"
    if not reading.is_complete:
        unread = reading.value_count - reading.read_count
        fits = (
            f"fits {reading.read_count:,} of {reading.value_count:,} values, and the records of {unread:,} are refused"
        )
    lacking = reading.moments.len() - reading.value_count
    parts = [fits, why, str(steps(reading.moments) or "")]
    parts += [f"{counted(lacking, 'record')} without a time would be refused"] if lacking else []
    return Evidence("time.formats", ", ".join(reading.formats), "; ".join(part for part in parts if part))


def _zone(sample: Sample, reading: Reading, choices: Choices) -> tuple[str, Evidence]:
    if choices.zone is not None:
        if choices.zone not in zones():
            raise BadInput(f"{choices.zone!r} is not a time zone; use an IANA name, such as Europe/Berlin or UTC")
        if reading.has_offset:
            return "UTC", Evidence("time.zone", "UTC", f"{_HAS_OFFSET}, so {choices.zone} changes nothing")
        why = "as you said" + _summer_time(reading, choices.zone)
        return choices.zone, Evidence("time.zone", choices.zone, why)
    if reading.has_offset:
        return "UTC", Evidence("time.zone", "UTC", f"not needed: {_HAS_OFFSET}")
    for name, value in sample.around.items():
        if name.lower() in _ZONE_NAMES and isinstance(value, str) and value in zones():
            zone = "UTC" if value in _UTC_NAMES else value
            return zone, Evidence("time.zone", zone, f"the document says {name}: {value}" + _summer_time(reading, zone))
    return "UTC", Evidence(
        "time.zone", "UTC", "assumed, since the values say no offset; --zone Europe/Berlin says otherwise"
    )


def _summer_time(reading: Reading, zone: str) -> str:
    """How many local times the clock of a zone skips or shows twice."""
    local = reading.moments.drop_nulls().cast(pl.Datetime("us"))
    skipped = local.dt.replace_time_zone(zone, non_existent="null", ambiguous="earliest").null_count()
    twice = local.dt.replace_time_zone(zone, non_existent="null", ambiguous="null").null_count() - skipped
    parts = [f"{skipped:,} stand where its clock skips an hour (see time.nonexistent)"] if skipped else []
    parts += [f"{twice:,} stand where it shows an hour twice (see time.ambiguous)"] if twice else []
    return "".join(f"; {part}" for part in parts)


# ---------------------------------------------------------------------------------------------------- words


def _ends_in_zone_name(texts: pl.Series) -> bool:
    known = texts.drop_nulls().head(100)
    return known.len() > 0 and bool(known.str.contains(r"[0-9]{1,2}:[0-9]{2}.* [A-Z]{3,5}$").all())


def _shell(text: str) -> str:
    plain = all(char.isalnum() or char in "._-,/" for char in text)
    return text if plain and text else "'" + text.replace("'", "'\\''") + "'"
