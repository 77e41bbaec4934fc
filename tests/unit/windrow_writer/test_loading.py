"""What is read for a commit: what fits, many objects at a time, and what cannot be read costs only itself."""

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.support.pipeline import Pipeline
from tests.support.sensors import reading
from windrow import keys, messages
from windrow.lake.schema import records_schema
from windrow.lake.tables import Table, batch_mark
from windrow.messages import BatchDecoded
from windrow.outcomes import Outcome
from windrow.parallel import pool
from windrow.ports import ObjectStore, StoredObject
from windrow.testing import MemoryObjectStore


@dataclass
class Batches:
    """Decoded batches that the writer has not seen."""

    pipeline: Pipeline

    def __post_init__(self) -> None:
        self.spec = self.pipeline.catalog.current("sensors").spec
        self.loader = self.pipeline.writer_handler.loader
        self.failed: dict[str, Outcome] = {}

    def decoded(self, *sizes: int) -> list[str]:
        """The names of new batches of so many records."""
        names = []
        for number, size in enumerate(sizes):
            self.pipeline.post([reading(20 * number + second) for second in range(size)])
            self.pipeline.workers["consumer"].turn()
            for body in self.pipeline.queues["writes"].bodies():
                message = messages.decode(body)
                if isinstance(message, BatchDecoded) and message.batch not in names:
                    names.append(message.batch)
        return names

    def table(self) -> Table:
        return self.pipeline.lake.open_or_create("sensors", "records", records_schema(self.spec), 1 << 20)

    def load(self, names: list[str]) -> tuple[list[int], bool]:
        """How many rows the batches of the next commit have, and whether that is all."""
        loaded, is_all = self.loader.load("sensors", names, self.table(), self.failed, self.spec)
        return [batch.rows.height for batch in loaded], is_all


@pytest.fixture
def batches(tmp_path: Path) -> Batches:
    return Batches(Pipeline(tmp_path))


@dataclass(frozen=True)
class Together:
    """A store that answers no read of a segment but the first until so many have been asked for."""

    inner: MemoryObjectStore
    asked: threading.Barrier
    first: list[str] = field(default_factory=list)

    def get(self, key: str) -> StoredObject:
        if key.startswith("segments/"):
            if self.first:
                self.asked.wait(timeout=20)
            else:
                self.first.append(key)
        return self.inner.get(key)


def test_the_segments_of_several_batches_are_read_together_once_one_has_told_how_large_rows_are(
    batches: Batches,
) -> None:
    names = batches.decoded(1, 1, 1, 1, 1)
    store: ObjectStore = Together(batches.pipeline.store, threading.Barrier(4))  # type: ignore[assignment]
    batches.loader = replace(batches.loader, store=store, pool=pool(4, "get"))

    assert batches.load(names) == ([1, 1, 1, 1, 1], True)


@pytest.mark.parametrize(
    ("max_rows", "expected"),
    [(100, ([2, 2, 1, 6, 3], True)), (5, ([2, 2, 1], False)), (4, ([2, 2], False)), (1, ([2], False))],
)
def test_a_commit_has_the_first_batches_as_many_as_fit_and_at_least_one(
    batches: Batches, max_rows: int, expected: tuple[list[int], bool]
) -> None:
    names = batches.decoded(2, 2, 1, 6, 3)
    batches.loader = replace(batches.loader, max_rows=max_rows)

    assert batches.load(names) == expected


def test_more_batches_than_are_asked_for_at_once_are_all_found(batches: Batches) -> None:
    names = batches.decoded(*[1] * 70)

    assert batches.load(names) == ([1] * 70, True)


@pytest.mark.parametrize("count", [1, 5, 33])
def test_no_further_batch_is_read_once_their_memory_is_used_up(batches: Batches, count: int) -> None:
    names = batches.decoded(*[1] * 40)
    [first], _ = batches.loader.load("sensors", names[:1], batches.table(), batches.failed, batches.spec)
    batches.loader = replace(batches.loader, max_bytes=round(count * first.rows.estimated_size()))

    assert batches.load(names) == ([1] * count, False)


def test_batches_without_rows_do_not_tell_how_large_rows_are(batches: Batches) -> None:
    batches.pipeline.post([{"ts": "never"}])
    names = batches.decoded(1, 1, 1)
    batches.loader = replace(batches.loader, max_bytes=1)

    assert batches.load(names) == ([0, 1], False)


def test_what_is_in_the_table_is_not_read_again(batches: Batches) -> None:
    names = batches.decoded(1, 2, 3)
    batches.table().append(records_schema(batches.spec).to_frame(), {batch_mark(names[1]): 1})

    assert batches.load(names) == ([1, 3], True)


def test_a_batch_that_cannot_be_read_costs_only_itself_and_is_not_asked_for_again(batches: Batches) -> None:
    names = batches.decoded(1, 2, 3, 4)
    store = batches.pipeline.store
    store.remove(keys.manifest_key("sensors", names[0]))
    [segment] = [info.key for info in store.list("segments/") if names[2] in info.key]
    store.remove(segment)

    assert batches.load(names) == ([2, 4], True)
    assert list(batches.failed) == [names[0], names[2]]
    assert batches.load(names) == ([2, 4], True)
