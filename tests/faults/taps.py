"""Ports that tell of every effect before and after it. They wrap what a service's own `main` opens."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import polars as pl

from tests.faults.points import QUEUE_EFFECTS, STORE_EFFECTS
from windrow.aws.session import AwsSession
from windrow.keys import LATE_TABLE, RECORDS_TABLE
from windrow.lake.delta import DeltaLake
from windrow.lake.tables import Place, Rows, Table
from windrow.ports import (
    Body,
    Delivery,
    ObjectHeaders,
    ObjectInfo,
    ObjectStore,
    Outgoing,
    Queue,
    QueueDepth,
    StoredObject,
)

T = TypeVar("T")
Reach = Callable[[str], None]
"""Called with the name of a point."""


def install(service: str, reach: Reach) -> None:
    """Have everything that a service opens from now on in this process tell of its effects."""
    store, queue = AwsSession.store, AwsSession.queue
    open_, open_or_create = DeltaLake.open, DeltaLake.open_or_create

    def tapped_table(table: str, found: Table | None) -> Table | None:
        return None if found is None else TappedTable(found, service, table, reach)

    patched = {
        (AwsSession, "store"): lambda self: TappedStore(store(self), service, reach),
        (AwsSession, "queue"): lambda self, name: TappedQueue(queue(self, name), service, name, reach),
        (DeltaLake, "open"): lambda self, stream, table: tapped_table(table, open_(self, stream, table)),
        (DeltaLake, "open_or_create"): lambda self, stream, table, *rest, **more: tapped_table(
            table, open_or_create(self, stream, table, *rest, **more)
        ),
    }
    for (owner, name), method in patched.items():
        setattr(owner, name, method)


@dataclass(frozen=True)
class TappedStore:
    """A store whose writes are points, named by the zone they go to."""

    inner: ObjectStore
    service: str
    reach: Reach

    def get(self, key: str, max_bytes: int | None = None) -> StoredObject:
        return self.inner.get(key, max_bytes)

    def read(self, info: ObjectInfo) -> Iterator[bytes]:
        return self.inner.read(info)

    def head(self, key: str) -> ObjectInfo:
        return self.inner.head(key)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return self.inner.list(prefix)

    def put_if_absent(self, key: str, body: Body, headers: ObjectHeaders) -> ObjectInfo:
        return self._around(key, lambda: self.inner.put_if_absent(key, body, headers), is_new=True)

    def put(self, key: str, body: bytes, headers: ObjectHeaders, if_match: str | None = None) -> ObjectInfo:
        return self._around(key, lambda: self.inner.put(key, body, headers, if_match), is_new=False)

    def delete(self, key: str) -> None:
        self.inner.delete(key)

    def _around(self, key: str, write: Callable[[], ObjectInfo], *, is_new: bool) -> ObjectInfo:
        effect = self._effect(key, is_new=is_new)
        self.reach(f"{self.service}.before_{effect}")
        written = write()
        self.reach(f"{self.service}.after_{effect}")
        return written

    def _effect(self, key: str, *, is_new: bool) -> str:
        zone = key.partition("/")[0]
        if zone == "results":  # rows, inputs, and panes that have no name but a digest
            name = key.rsplit("/", 1)[1].partition(".")[0]
            return name if name in {"rows", "inputs"} else "panes"
        if zone == "leases":
            return "lease" if key.startswith("leases/tables/") else "beat"
        if zone == "dead-letters":
            return "kept_letter" if is_new else "note"
        return STORE_EFFECTS.get((self.service, zone), zone)


@dataclass(frozen=True)
class TappedQueue:
    """A queue where sending and deleting are points."""

    inner: Queue
    service: str
    source: str
    reach: Reach

    @property
    def name(self) -> str:
        return self.inner.name

    def send(self, messages: Sequence[Outgoing]) -> None:
        effect = QUEUE_EFFECTS.get((self.service, self.source), f"send.{self.source}")
        self.reach(f"{self.service}.before_{effect}")
        self.inner.send(messages)
        self.reach(f"{self.service}.after_{effect}")

    def receive(self, max_messages: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        return self.inner.receive(max_messages, wait_s, visibility_s)

    def delete(self, receipts: Sequence[str]) -> None:
        self.reach(f"{self.service}.before_delete")
        self.inner.delete(receipts)
        self.reach(f"{self.service}.after_delete")

    def change_visibility(self, receipts: Sequence[str], visibility_s: float) -> None:
        self.inner.change_visibility(receipts, visibility_s)

    def depth(self) -> QueueDepth:
        return self.inner.depth()


class TappedTable:
    """A handle whose commits are points, named by what is committed. All else is the handle's own."""

    def __init__(self, inner: Table, service: str, table: str, reach: Reach) -> None:
        self._inner = inner
        self._service = service
        self._table = table
        self._reach = reach

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def append(self, rows: pl.DataFrame, marks: Mapping[str, int]) -> None:
        self._around(self._kind(marks), lambda: self._inner.append(rows, marks))

    def replace(self, places: Sequence[Place], rows: Rows, marks: Mapping[str, int]) -> None:
        self._around(self._kind(marks), lambda: self._inner.replace(places, rows, marks))

    def compact(self, day: date, target_file_bytes: int) -> int:
        return self._around("compaction", lambda: self._inner.compact(day, target_file_bytes))

    def _around(self, kind: str, commit: Callable[[], T]) -> T:
        self._reach(f"{self._service}.before_commit.{kind}")
        done = commit()
        self._reach(f"{self._service}.after_commit.{kind}")
        return done

    def _kind(self, marks: Mapping[str, int]) -> str:
        if self._table == LATE_TABLE:
            return "late"
        if self._table != RECORDS_TABLE:
            return "windows"
        return "records" if any(name.startswith("batch:") for name in marks) else "seal"
