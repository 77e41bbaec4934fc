"""A Delta table's log, read action by action: what each version added and removed, and what that leaves. Pure.

Read apart from the library, so that one can be held against the other.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import msgspec
import polars as pl

from windrow.errors import BadInput, first_line


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A data file as the log tells it."""

    path: str
    size_bytes: int
    rows: int | None
    """None where the log does not say."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What one version did."""

    version: int
    operation: str
    added: tuple[LiveFile, ...]
    removed: tuple[str, ...]
    marks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class State:
    """A table at a version."""

    version: int = -1
    live: Mapping[str, LiveFile] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    """Files of earlier versions that have not been forgotten yet."""
    marks: Mapping[str, int] = field(default_factory=dict)

    def after(self, commit: Commit) -> "State":
        """The table once a commit is in it."""
        gone = set(commit.removed)
        live = {path: file for path, file in self.live.items() if path not in gone}
        live |= {file.path: file for file in commit.added}
        return State(commit.version, live, (self.removed | gone) - live.keys(), {**self.marks, **commit.marks})

    @property
    def rows(self) -> int | None:
        """Rows of all files; None where the log does not say it of one."""
        counts = [file.rows for file in self.live.values()]
        return None if None in counts else sum(count for count in counts if count is not None)


# ------------------------------------------------------------------------------------------------ actions


class _File(msgspec.Struct):
    path: str
    size: int = 0
    stats: str | None = None


class _Transaction(msgspec.Struct, rename="camel"):
    app_id: str
    version: int


class _Info(msgspec.Struct):
    operation: str = ""


class _Action(msgspec.Struct, rename="camel"):
    add: _File | None = None
    remove: _File | None = None
    txn: _Transaction | None = None
    commit_info: _Info | None = None


class _Stats(msgspec.Struct, rename="camel"):
    num_records: int | None = None


_ACTION = msgspec.json.Decoder(_Action)
_STATS = msgspec.json.Decoder(_Stats)


def read_commit(version: int, text: bytes) -> Commit:
    """A commit's file. Raises BadInput where it is none."""
    try:
        actions = [_ACTION.decode(line) for line in text.splitlines() if line.strip()]
        if not actions:
            raise BadInput("it is empty")
        return Commit(
            version,
            next((action.commit_info.operation for action in actions if action.commit_info is not None), ""),
            tuple(_file(action.add.path, action.add.size, action.add.stats) for action in actions if action.add),
            tuple(unquote(action.remove.path) for action in actions if action.remove),
            {action.txn.app_id: action.txn.version for action in actions if action.txn},
        )
    except msgspec.MsgspecError as error:
        raise BadInput(str(error)) from error


def read_checkpoint(version: int, body: bytes) -> State:
    """A checkpoint's file. Raises BadInput where it is none."""
    try:
        found = pl.read_parquet(io.BytesIO(body))
        added = list(_rows(found, "add", ("path", "size", "stats")))
        removed = [unquote(path) for (path,) in _rows(found, "remove", ("path",))]
        marks = {str(name): int(value) for name, value in _rows(found, "txn", ("appId", "version"))}
        live = [_file(*each) for each in added]
    except (pl.exceptions.PolarsError, msgspec.MsgspecError, OSError) as error:
        raise BadInput(first_line(error)) from error
    return State(version, {file.path: file for file in live}, frozenset(removed), marks)


def states(start: State, commits: Iterable[Commit]) -> Iterator[State]:
    """The table after each of some commits that follow each other."""
    for commit in commits:
        start = start.after(commit)
        yield start


def _rows(found: pl.DataFrame, action: str, fields: tuple[str, ...]) -> list[tuple[Any, ...]]:
    if action not in found.columns:
        return []
    return found.select(pl.col(action).drop_nulls()).unnest(action).select(fields).rows()


def _file(path: str, size: int, stats: str | None) -> LiveFile:
    return LiveFile(unquote(path), size, None if stats is None else _STATS.decode(stats).num_records)
