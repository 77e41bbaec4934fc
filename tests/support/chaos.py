"""Faults on purpose: a process that dies at its n-th effect, and a lake whose replies are lost or whose table moves."""

from collections.abc import Callable
from typing import Any

from tests.support.pipeline import Pipeline
from windrow.errors import OutcomeUnknown
from windrow.lake.delta import DeltaLake
from windrow.lake.tables import Table


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

    def open_or_create(self, *arguments: Any) -> Table:
        return HookedTable(self._inner.open_or_create(*arguments), self._hook)


class HookedTable:
    """A handle that calls the hook around commits."""

    def __init__(self, inner: Table, hook: Callable[[str], None]) -> None:
        self._inner = inner
        self._hook = hook

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in ("append", "replace", "remove_before", "compact", "vacuum", "widen"):
            return method

        def committing(*arguments: Any) -> Any:
            self._hook("commit")
            answer = method(*arguments)
            self._hook("commit.after")
            return answer

        return committing


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
