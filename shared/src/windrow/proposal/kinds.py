"""What type each column is, and what its values say for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from windrow.proposal.candidates import is_named_time
from windrow.proposal.evidence import counted, quoted
from windrow.proposal.markers import markers_in, most_frequent, without_markers
from windrow.proposal.naming import words
from windrow.proposal.numbers import INT, as_numbers, is_number
from windrow.proposal.readings import Reading
from windrow.proposal.sample import Field
from windrow.proposal.times import ORDERS
from windrow.spec import ColumnType, ItemType

_ID_WORDS = {
    "id", "ids", "no", "nr", "number", "code", "key", "uuid", "guid", "num", "zip", "zipcode", "postcode",
    "sku", "ref",
}  # fmt: skip
_MOST_CATEGORIES = 100
_ROWS_PER_CATEGORY = 10
_MANY = 3
"""Times that a value must stand before it can be a sentinel."""
_SENTINEL = r"^-(?:9{2,}|[1-9]00|32768)(?:\.0+)?$"
_MOSTLY = 0.9


@dataclass(frozen=True, slots=True)
class Guess:
    """What a column is taken for."""

    type: ColumnType
    why: str
    items: ItemType | None = None
    missing: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    digits: tuple[int, int] | None = None
    hints: tuple[str, ...] = ()
    """What a person may want to add, and is not chosen."""
    is_id: bool = False
    """Whether its name says that it names things."""


def guess(field: Field, times: Sequence[Reading], *, is_typed: bool) -> Guess:
    """The type of a column that is not the event time."""
    found = _guess(field, times, is_typed=is_typed)
    lacking = field.texts.null_count() if not field.kinds.get("list") else 0
    why = found.why + (f", {counted(lacking, 'record')} without" if 0 < lacking < field.texts.len() else "")
    is_id = not _ID_WORDS.isdisjoint(words(field.label)[-1:])
    return Guess(
        found.type, why, found.items, found.missing, found.formats, found.digits, found.hints, is_id or found.is_id
    )


def _guess(field: Field, times: Sequence[Reading], *, is_typed: bool) -> Guess:
    if field.kinds.get("list"):
        return _list(field)
    if field.texts.null_count() == field.texts.len():
        return Guess(field.stored or "string", "no value in any record", digits=field.digits)
    if field.stored is not None and field.stored not in ("string", "int"):
        return Guess(field.stored, f"stored as {field.stored}", digits=field.digits, hints=_numeric_hints(field))
    if is_typed and set(field.kinds) == {"bool"}:
        return Guess("bool", f"{counted(field.kinds['bool'], 'bool')}")
    if is_typed and len({"int" if kind == "float" else kind for kind in field.kinds}) > 1:
        found = _mixed(field, times)
        if found is not None:
            return found
    markers = markers_in(field.texts)
    values = without_markers(field.texts).drop_nulls()
    if values.is_empty():
        return Guess("string", f"nothing but {quoted(markers)}", hints=(f"missing: [{quoted(markers)}]",))
    if found := _time(field, times, tuple(markers)):
        return found
    is_text = is_typed and bool(field.kinds.get("text")) and not (field.kinds.get("int") or field.kinds.get("float"))
    if not is_text:
        if is_number(values, field.decimal).all():
            return _number(field, values, tuple(markers))
        lowered = values.str.strip_chars().str.to_lowercase()
        if lowered.is_in(["true", "false"]).all():
            return Guess("bool", f"{counted(values.len(), 'bool')}", missing=tuple(markers))
    return _text(field, values, markers, is_text=is_text)


def _mixed(field: Field, times: Sequence[Reading]) -> Guess | None:
    """The type that takes most values of several kinds; None if the texts among them are markers of missing ones."""
    if found := _time(field, times, tuple(markers_in(field.texts))):
        return found
    values = without_markers(field.texts).drop_nulls()
    texts = field.kinds.get("text", 0) - (field.texts.len() - field.texts.null_count() - values.len())
    counts = {
        "number": field.kinds.get("int", 0) + field.kinds.get("float", 0),
        "text": texts,
        "bool": field.kinds.get("bool", 0),
    }
    if sum(count > 0 for count in counts.values()) < 2:
        return None
    most = max(counts, key=lambda kind: counts[kind])
    refused = " and ".join(counted(count, kind) for kind, count in counts.items() if count and kind != most)
    hints = (f"besides {counted(counts[most], most)} there are {refused}, and their records are refused",)
    types: dict[str, ColumnType] = {"number": "float" if field.kinds.get("float") else "int", "text": "string"}
    return Guess(types.get(most, "bool"), "values of several kinds", hints=hints)


# ---------------------------------------------------------------------------------------------------- lists and times


def _list(field: Field) -> Guess:
    kinds = set(field.items)
    named: dict[frozenset[str], ItemType] = {
        frozenset({"int"}): "int",
        frozenset({"float"}): "float",
        frozenset({"int", "float"}): "float",
        frozenset({"bool"}): "bool",
    }
    items = named.get(frozenset(kinds), "string")
    seen = ", ".join(sorted(kinds)) or "nothing"
    return Guess("list", f"lists of {seen}", items=items)


def _time(field: Field, times: Sequence[Reading], markers: tuple[str, ...]) -> Guess | None:
    times = [reading for reading in times if reading.is_complete]
    if not times or (all(reading.is_number for reading in times) and not is_named_time(field)):
        return None
    if len(times) > 1:
        ways = " or ".join(f"{', '.join(reading.formats)} ({ORDERS.get(reading.order, 'epoch')})" for reading in times)
        return Guess(
            "string", f"times that can be read as {ways}", hints=("choose one: type: date or timestamp, formats: …",)
        )
    reading = times[0]
    kind: ColumnType = "timestamp" if reading.has_clock else "date"
    what = f"{counted(reading.read_count, kind)} as {', '.join(reading.formats)}"
    formats = () if reading.formats == ("iso8601",) else reading.formats
    return Guess(kind, what, missing=markers, formats=formats)


# ---------------------------------------------------------------------------------------------------- numbers


def _number(field: Field, values: pl.Series, markers: tuple[str, ...]) -> Guess:
    numbers = as_numbers(values, field.decimal)
    low, high = _short(numbers.min()), _short(numbers.max())
    span = f"{low} to {high}" if low != high else f"always {low}"
    marked = f", {quoted(list(markers))} for none" if markers else ""
    hints = _sentinels(values, numbers)
    is_id = not _ID_WORDS.isdisjoint(words(field.label)[-1:])
    if values.str.contains(INT).all():
        texts = values.str.strip_chars()
        if (zeros := texts.filter(texts.str.contains(r"^-?0[0-9]"))).len():
            why = f"{counted(zeros.len(), 'number')} with leading zeros, such as {zeros[0]!r}"
            return Guess("string", why, hints=_marker_hints(list(markers)), is_id=True)
        if texts.cast(pl.Int64, strict=False).null_count():
            longest = texts.filter(texts.str.len_chars() == texts.str.len_chars().max())[0]
            why = f"whole numbers beyond 64 bits, such as {longest[:60]}"
            if field.kinds.get("int"):
                return Guess("decimal", why, missing=markers, digits=(38, 0), hints=hints)
            return Guess("string", why, hints=_marker_hints(list(markers)))
        return Guess("int", f"whole numbers, {span}{marked}", missing=markers, hints=hints)
    is_whole = bool((numbers == numbers.floor()).all()) and bool((numbers.abs() < 2.0**53).all())
    if is_whole and is_id and field.stored is None and not values.str.contains("[eE]").any():
        why = f"whole numbers written as {values[0].strip()!r}, {span}{marked}"
        return Guess("int", why, missing=markers, hints=hints)
    return Guess("float", f"{span}{marked}", missing=markers, hints=hints)


def _numeric_hints(field: Field) -> tuple[str, ...]:
    if field.stored != "float":
        return ()
    values = field.texts.drop_nulls()
    return _sentinels(values, as_numbers(values, "."))


def _sentinels(values: pl.Series, numbers: pl.Series) -> tuple[str, ...]:
    """A lowest or highest value that stands often and far away from the rest may mean "no value"."""
    hints = []
    for extreme, is_low in ((numbers.min(), True), (numbers.max(), False)):
        rest = numbers.filter(numbers != extreme)
        count = numbers.len() - rest.len()
        if count < _MANY or rest.len() < _MANY:
            continue
        lowest, highest = float(rest.min()), float(rest.max())  # type: ignore[arg-type]
        text = values.filter(numbers == extreme)[0].strip()
        gap = lowest - float(extreme) if is_low else float(extreme) - highest  # type: ignore[arg-type]
        is_far = gap > highest - lowest > 0 and abs(float(extreme)) >= 9  # type: ignore[arg-type]
        looks_so = pl.Series([text]).str.contains(_SENTINEL)[0] and is_low and lowest >= 0
        if is_far or looks_so:
            side = "lowest" if is_low else "highest"
            next_one = _short(lowest if is_low else highest)
            hints.append(
                f"{text} stands {count:,} times, the next {side} is {next_one}; if it means none: missing: ['{text}']"
            )
    return tuple(hints)


def _short(number: object) -> str:
    value = float(number)  # type: ignore[arg-type]
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"


# ---------------------------------------------------------------------------------------------------- texts


def _text(field: Field, values: pl.Series, markers: list[str], *, is_text: bool) -> Guess:
    distinct = values.n_unique()
    hints = [*_marker_hints(markers)]
    blanks = int(values.str.contains(r"^\s|\s$").sum() or 0)
    if blanks:
        hints.append(f"{counted(blanks, 'value')} with blanks around; trim: true takes them off")
    fits = is_number(values, field.decimal)
    numbers = int(fits.sum() or 0)
    if is_text and numbers == values.len():
        hints.append("numbers, written as text; type: decimal(18,6), or what suits them, reads them as numbers")
    elif numbers >= _MOSTLY * values.len():
        others = values.filter(~fits).unique(maintain_order=True).to_list()
        hints.append(f"{numbers:,} of {values.len():,} are numbers; not {quoted(others)}")
    if distinct <= _MOST_CATEGORIES and values.len() >= _ROWS_PER_CATEGORY * distinct:
        shown = most_frequent(values)
        return Guess("categorical", f"{counted(distinct, 'value')}: {quoted(shown)}", hints=tuple(hints))
    return Guess("string", f"{counted(distinct, 'different text')}, such as {quoted([values[0]])}", hints=tuple(hints))


def _marker_hints(markers: list[str]) -> tuple[str, ...]:
    return (f"{quoted(markers)} may mean none; missing: [{quoted(markers)}]",) if markers else ()
