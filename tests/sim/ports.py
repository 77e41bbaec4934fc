"""The ports of one process: what it asks of the store, the queues and the tables, every call of it a place to break."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

import polars as pl

from tests.sim.process import Process
from tests.sim.queues import WorldQueue
from windrow.errors import OutcomeUnknown
from windrow.lake.tables import TARGET_FILE_BYTES, Lake, Place, Rows, Table
from windrow.ports import Body, Delivery, ObjectHeaders, ObjectInfo, Outgoing, QueueDepth, StoredObject
from windrow.testing import MemoryObjectStore

T = TypeVar("T")
_MUTABLE = ("config/", "dead-letters/", "leases/")


class Store:
    """The object store as one process sees it."""

    def __init__(self, process: Process, inner: MemoryObjectStore) -> None:
        self._process = process
        self._inner = inner

    def get(self, key: str, max_bytes: int | None = None) -> StoredObject:
        return self._process.call("read", f"get {key}", lambda: self._inner.get(key, max_bytes))

    def read(self, info: ObjectInfo) -> Iterator[bytes]:
        yield from self._process.call("read", f"read {info.key}", lambda: list(self._inner.read(info)))

    def head(self, key: str) -> ObjectInfo:
        return self._process.call("read", f"head {key}", lambda: self._inner.head(key))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        yield from self._process.call("read", f"list {prefix}", lambda: list(self._inner.list(prefix)))

    def put_if_absent(self, key: str, body: Body, headers: ObjectHeaders) -> ObjectInfo:
        kept = body if isinstance(body, bytes) else body.read()
        return self._process.call(
            "put_if_absent", f"create {key}", lambda: self._inner.put_if_absent(key, kept, headers)
        )

    def put(self, key: str, body: bytes, headers: ObjectHeaders, if_match: str | None = None) -> ObjectInfo:
        if not key.startswith(_MUTABLE):
            self._process.world.violated(2, f"{self._process.name} put {key} without a condition")
        operation = "put" if if_match is None else "put_if_match"
        return self._process.call(
            operation, f"{operation} {key}", lambda: self._inner.put(key, body, headers, if_match)
        )

    def delete(self, key: str) -> None:
        # A write without a condition: what can go wrong with a PUT can go wrong with it.
        self._process.call("put", f"delete {key}", lambda: self._inner.delete(key))


class Messages:
    """A queue as one process sees it."""

    def __init__(self, process: Process, inner: WorldQueue) -> None:
        self._process = process
        self._inner = inner

    @property
    def name(self) -> str:
        return self._inner.name

    def send(self, messages: Sequence[Outgoing]) -> None:
        if not messages:
            return
        half = messages[: len(messages) // 2]
        self._process.call(
            "send",
            f"send {len(messages)} to {self.name}",
            lambda: self._inner.send(messages),
            partly=lambda: self._inner.send(half),
        )

    def receive(self, max_messages: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        what = f"receive from {self.name}"

        def take() -> Sequence[Delivery]:
            if not self._inner.has_visible():
                self._process.world.scheduler.wait(wait_s, on=("queue", self.name))
            return self._inner.hand_out(max_messages, visibility_s, self._process)

        return self._process.call("receive", what, take)

    def delete(self, receipts: Sequence[str]) -> None:
        if receipts:
            what = f"delete {len(receipts)} from {self.name}"
            self._process.call("settle", what, lambda: self._inner.delete(receipts))

    def change_visibility(self, receipts: Sequence[str], visibility_s: float) -> None:
        if receipts:
            what = f"hide {len(receipts)} of {self.name} for {visibility_s:.3f} s"
            self._process.call("settle", what, lambda: self._inner.change_visibility(receipts, visibility_s))

    def depth(self) -> QueueDepth:
        return self._inner.depth()


class Tables:
    """The lake as one process sees it."""

    def __init__(self, process: Process, inner: Lake) -> None:
        self._process = process
        self._inner = inner

    def open(self, stream: str, table: str) -> "Handle | None":
        found = self._process.call("open", f"open {stream}/{table}", lambda: self._inner.open(stream, table))
        return None if found is None else Handle(self._process, found, stream, table)

    def open_or_create(
        self, stream: str, table: str, schema: pl.Schema, target_file_bytes: int = TARGET_FILE_BYTES
    ) -> "Handle":
        found = self._process.call(
            "open",
            f"open or create {stream}/{table}",
            lambda: self._inner.open_or_create(stream, table, schema, target_file_bytes),
        )
        return Handle(self._process, found, stream, table)


class Handle:
    """A handle that one process holds. What it says by itself it knows since it was opened; all else is a call."""

    def __init__(self, process: Process, inner: Table, stream: str, table: str) -> None:
        self._process = process
        self._inner = inner
        self._stream = stream
        self._table = table
        self._name = f"{stream}/{table}@{inner.version}"
        self._carried: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def carry(self, marks: Mapping[str, int]) -> None:
        self._carried.update(marks)
        self._inner.carry(marks)

    def read(self, places: Sequence[Place], columns: Sequence[str] | None = None) -> pl.DataFrame:
        return self._process.call("open", f"{self._name} rows", lambda: self._inner.read(places, columns))

    def read_windows(self, shard: int, from_us: int, to_us: int) -> pl.DataFrame:
        return self._process.call(
            "open", f"{self._name} windows", lambda: self._inner.read_windows(shard, from_us, to_us)
        )

    def scan(self, place: Place) -> Iterator[pl.DataFrame]:
        yield from self._process.call("open", f"{self._name} scan", lambda: list(self._inner.scan(place)))

    def append(self, rows: pl.DataFrame, marks: Mapping[str, int]) -> None:
        self._commit(f"append {rows.height} rows", marks, lambda: self._inner.append(rows, marks))

    def replace(self, places: Sequence[Place], rows: Rows, marks: Mapping[str, int]) -> None:
        whole = rows if isinstance(rows, pl.DataFrame) else pl.concat(rows)
        what = f"replace {len(places)} places by {whole.height} rows"
        self._commit(what, marks, lambda: self._inner.replace(places, whole, marks))

    def remove_before(self, day: date, marks: Mapping[str, int]) -> None:
        self._commit(f"remove before {day}", marks, lambda: self._inner.remove_before(day, marks))

    def compact(self, day: date, target_file_bytes: int) -> int:
        return self._commit(f"compact {day}", {}, lambda: self._inner.compact(day, target_file_bytes))

    def widen(self, columns: Mapping[str, pl.DataType], marks: Mapping[str, int]) -> None:
        self._commit(f"widen {sorted(columns)}", marks, lambda: self._inner.widen(columns, marks))

    def vacuum(self, marks: Mapping[str, int]) -> int:
        return self._commit("vacuum", marks, lambda: self._inner.vacuum(marks))

    def _commit(self, what: str, marks: Mapping[str, int], effect: Callable[[], T]) -> T:
        world = self._process.world

        def land() -> T:
            try:
                done = effect()
            except OutcomeUnknown:
                world.faults.note("lost_race")
                raise
            world.committed(self._stream, self._table, {**self._carried, **marks})
            return done

        return self._process.call("commit", f"{self._name} {what}", land)
