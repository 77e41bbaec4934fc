"""Which columns name a series and which tell records apart, as far as the sample shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import polars as pl

from windrow.proposal.evidence import Evidence, counted
from windrow.proposal.kinds import Guess
from windrow.proposal.naming import words

_MOST_CANDIDATES = 8
_MOST_TOGETHER = 3
_RECORD_IDS = frozenset({"id", "uuid", "guid", "event_id", "record_id", "message_id", "event_uuid"})
"""Names of what is different for every record."""


@dataclass(frozen=True, slots=True)
class NamedColumn:
    """A column under the name that it will have."""

    name: str
    texts: pl.Series
    guess: Guess


@dataclass(frozen=True, slots=True)
class Identity:
    """Keys and identity, each empty when the sample does not speak for any."""

    keys: tuple[str, ...]
    unique: tuple[str, ...]
    evidence: tuple[Evidence, ...]


def identify(time: str, moments: pl.Series, columns: Sequence[NamedColumn]) -> Identity:
    """Keys and identity. Records without a time are left out of the count: they would be refused."""
    has_time = moments.is_not_null()
    known = {column.name: column.texts.filter(has_time) for column in columns}
    frame = pl.DataFrame({"": moments.filter(has_time), **known})
    rows = frame.height
    if not rows:
        return Identity((), (), (Evidence("unique", "left out", "no record has a time"),))
    if rows < 2:
        return Identity((), (), (Evidence("unique", "left out", f"{counted(rows, 'record')} tells nothing"),))
    record_id = next((each.name for each in columns if _is_record_id(each, frame[each.name])), None)
    copies = rows - frame[""].n_unique()
    evidence: list[Evidence] = []
    keys: tuple[str, ...] = ()
    if copies:
        keys = _keys(frame, columns)
        if keys:
            series = frame.select(keys).unique().height
            why = f"{counted(series, 'series', 'series')}, and no two records of one share a time"
            evidence.append(Evidence("keys", ", ".join(keys), why))
    if record_id is not None:
        evidence.append(Evidence("unique", f"{record_id}, {time}", f"{record_id} is different in all {rows:,} records"))
        return Identity(keys, (record_id, time), tuple(evidence))
    if keys or not copies:
        unique = (*keys, time)
        evidence.append(Evidence("unique", ", ".join(unique), f"different in all {rows:,} records"))
        return Identity(keys, unique, tuple(evidence))
    equal = rows - frame.unique().height
    why = (
        f"{counted(copies, 'record')} of {rows:,} share their time with one before, and no few columns tell them "
        f"apart; {counted(equal, 'record')} {'is' if equal == 1 else 'are'} an exact copy of one before"
    )
    return Identity((), (), (Evidence("unique", "left out", why),))


def _is_record_id(column: NamedColumn, texts: pl.Series) -> bool:
    is_named = "_".join(words(column.name)) in _RECORD_IDS and column.guess.type in ("string", "int")
    return is_named and texts.null_count() == 0 and texts.n_unique() == texts.len()


def _keys(frame: pl.DataFrame, columns: Sequence[NamedColumn]) -> tuple[str, ...]:
    """The fewest columns that name series in which every time stands once."""
    found = [column for column in columns if _can_be_key(column, frame[column.name])]
    found.sort(key=lambda column: (not column.guess.is_id, frame[column.name].n_unique()))
    names = [column.name for column in found[:_MOST_CANDIDATES]]
    together = chain.from_iterable(combinations(names, size) for size in range(1, _MOST_TOGETHER + 1))
    return next((each for each in together if frame.select("", *each).is_unique().all()), ())


def _can_be_key(column: NamedColumn, texts: pl.Series) -> bool:
    guess = column.guess
    if texts.null_count() or not (guess.type in ("string", "categorical") or (guess.type == "int" and guess.is_id)):
        return False
    distinct = texts.n_unique()
    return 1 < distinct <= texts.len() // 2
