"""All marks of a table at once, out of its log; the library reads the whole log for each one that is asked for.

What is read here is what the protocol of Delta tables fixes: `<version>.json`, a commit, an action a line; a
checkpoint, the state at a version as Parquet; `_last_checkpoint`, which names the newest one. Marks are `txn` actions.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol
from urllib.parse import unquote

import msgspec
import polars as pl

from windrow.errors import Unavailable

_MOST_RECENT = 10_000
"""Marks that are copied when a version follows another; beyond them a new base is made."""


class Log(Protocol):
    """A table's `_delta_log`, by the names of the files in it."""

    def read(self, name: str) -> bytes | None:
        """A file's bytes, None if there is none. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Marks:
    """Every mark of a table as of a version. Never changed: the next version's share what they have in common."""

    version: int
    _base: Mapping[str, int] = field(default_factory=dict)
    _recent: Mapping[str, int] = field(default_factory=dict)

    def get(self, name: str) -> int | None:
        found = self._recent.get(name)
        return self._base.get(name) if found is None else found

    def after(self, version: int, new: Mapping[str, int]) -> "Marks":
        """The marks of a later version that has set these."""
        recent = {**self._recent, **new}
        if len(recent) > _MOST_RECENT:
            return Marks(version, {**self._base, **recent})
        return Marks(version, self._base, recent)


class AddedFile(NamedTuple):
    """A data file that a commit added."""

    path: str
    size_bytes: int
    row_count: int
    event_date: date | None


class Commit(NamedTuple):
    """What a commit says of marks and of files."""

    marks: Mapping[str, int]
    added: tuple[AddedFile, ...]


def read_marks(log: Log, version: int, known: Marks | None) -> Marks | None:
    """The marks as of a version, from those known of an earlier one where that is possible.

    None if the newest checkpoint is of a later version: the handle is an old one, and its log may be gone in part.
    Raises Unavailable.
    """
    if known is not None and known.version <= version:
        later = _after(log, known, version)
        if later is not None:
            return later
    checkpoint = _last_checkpoint(log)
    if checkpoint is not None and checkpoint > version:
        return None
    start = Marks(-1) if checkpoint is None else _at_checkpoint(log, checkpoint)
    found = _after(log, start, version)
    if found is None:
        raise Unavailable(f"the log has no unbroken run of commits from version {start.version + 1} to {version}")
    return found


def has_commit(log: Log, version: int) -> bool:
    """Whether a commit's file is there (still)."""
    return log.read(_name(version)) is not None


def read_commit(log: Log, version: int) -> Commit | None:
    """What a commit did, None if its file is not there (any more)."""
    text = log.read(_name(version))
    return None if text is None else _parsed(text)


def _name(version: int) -> str:
    return f"{version:020d}.json"


def _after(log: Log, start: Marks, version: int) -> Marks | None:
    found = start
    for number in range(start.version + 1, version + 1):
        commit = read_commit(log, number)
        if commit is None:
            return None
        found = found.after(number, commit.marks)
    return found


class _Hint(msgspec.Struct):
    version: int


def _last_checkpoint(log: Log) -> int | None:
    text = log.read("_last_checkpoint")
    return None if text is None else msgspec.json.decode(text, type=_Hint).version


def _at_checkpoint(log: Log, version: int) -> Marks:
    body = log.read(f"{version:020d}.checkpoint.parquet")
    if body is None:
        raise Unavailable(f"the log's checkpoint of version {version} is not there, or in parts")
    marks = pl.read_parquet(io.BytesIO(body), columns=["txn"]).drop_nulls().unnest("txn")
    return Marks(version, dict(zip(marks["appId"], marks["version"], strict=True)))


# ------------------------------------------------------------------------------------------------ actions


class _Transaction(msgspec.Struct, rename="camel"):
    app_id: str
    version: int


class _Add(msgspec.Struct, rename="camel"):
    path: str
    size: int
    partition_values: dict[str, str | None] = {}
    stats: str | None = None


class _Stats(msgspec.Struct, rename="camel"):
    num_records: int = 0


class _Action(msgspec.Struct):
    txn: _Transaction | None = None
    add: _Add | None = None


_ACTION = msgspec.json.Decoder(_Action)
_STATS = msgspec.json.Decoder(_Stats)


def _parsed(text: bytes) -> Commit:
    actions = [_ACTION.decode(line) for line in text.splitlines() if line]
    marks = {action.txn.app_id: action.txn.version for action in actions if action.txn is not None}
    return Commit(marks, tuple(_added(action.add) for action in actions if action.add is not None))


def _added(add: _Add) -> AddedFile:
    rows = 0 if add.stats is None else _STATS.decode(add.stats).num_records
    day = add.partition_values.get("event_date")
    return AddedFile(unquote(add.path), add.size, rows, None if day is None else date.fromisoformat(day))
