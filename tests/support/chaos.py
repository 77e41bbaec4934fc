"""Faults on purpose: a process that dies at its n-th effect, and a lake whose replies are lost or whose table moves."""

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from tests.support.pipeline import Pipeline
from windrow.errors import OutcomeUnknown
from windrow.lake.delta import DeltaLake
from windrow.lake.tables import Place, Table


class Killed(BaseException):
    """What `kill -9` looks like from inside: nothing catches it."""


class KillSwitch:
    """Counts every effect on the store, the queues and the tables, and dies at the chosen one."""

    def __init__(self, pipeline: Pipeline, at: int | None) -> None:
        self.count = 0
        self._at = at
        pipeline.store.fault = lambda operation, _key: self.tick(operation)
        for queue in (*pipeline.queues.values(), *pipeline.dead.values()):
            queue.fault = self.tick
        lake = HookedLake(pipeline.lake, self.tick)
        pipeline.writer_handler.lake = lake
        pipeline.refresher.lake = lake

    def tick(self, _operation: str) -> None:
        self.count += 1
        if self.count == self._at:
            raise Killed

    def disarm(self) -> None:
        self._at = None


class HookedLake:
    """A lake that calls `hook` with `commit` before and `commit.after` after each commit."""

    def __init__(self, inner: DeltaLake, hook: Callable[[str], None]) -> None:
        self._inner = inner
        self._hook = hook

    def open(self, stream: str, table: str) -> Table | None:
        found = self._inner.open(stream, table)
        return None if found is None else HookedTable(found, self._hook)

    def open_or_create(self, stream: str, table: str, schema: pl.Schema) -> Table:
        return HookedTable(self._inner.open_or_create(stream, table, schema), self._hook)


class HookedTable:
    """A handle that calls the hook around commits."""

    def __init__(self, inner: Table, hook: Callable[[str], None]) -> None:
        self._inner = inner
        self._hook = hook

    @property
    def version(self) -> int:
        return self._inner.version

    def mark(self, name: str) -> int | None:
        return self._inner.mark(name)

    @property
    def schema(self) -> pl.Schema:
        return self._inner.schema

    def row_count(self) -> int:
        return self._inner.row_count()

    def read(self, places: Sequence[Place]) -> pl.DataFrame:
        return self._inner.read(places)

    def read_windows(self, shard: int, from_us: int, to_us: int) -> pl.DataFrame:
        return self._inner.read_windows(shard, from_us, to_us)

    def append(self, rows: pl.DataFrame, marks: Mapping[str, int]) -> None:
        self._hook("commit")
        self._inner.append(rows, marks)
        self._hook("commit.after")

    def replace(self, places: Sequence[Place], rows: pl.DataFrame, marks: Mapping[str, int]) -> None:
        self._hook("commit")
        self._inner.replace(places, rows, marks)
        self._hook("commit.after")

    def widen(self, columns: Mapping[str, pl.DataType], marks: Mapping[str, int]) -> None:
        self._hook("commit")
        self._inner.widen(columns, marks)
        self._hook("commit.after")


def lose_replies(every: int, of: str) -> Callable[[str], None]:
    """A hook that lets an effect land and then loses every n-th reply."""
    seen = 0

    def hook(operation: str) -> None:
        nonlocal seen
        if operation == of:
            seen += 1
            if seen % every == 0:
                raise OutcomeUnknown("the reply was lost")

    return hook
