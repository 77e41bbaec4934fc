"""Law 2. Keys are functions of identity; a conditional PUT is judged by its write id; a timeout is read back."""

from pathlib import Path

import pytest

from tests.support.pipeline import Pipeline
from tests.support.sensors import expected_records, reading
from windrow.errors import Conflict, OutcomeUnknown, Unavailable
from windrow.immutable import put_once
from windrow.ports import ObjectHeaders
from windrow.testing import ManualClock, MemoryObjectStore

HEADERS = ObjectHeaders()


class FailOnce:
    """Raises at the first effect of a kind."""

    def __init__(self, operation: str, error: Exception, prefix: str = "") -> None:
        self._operation, self._error, self._prefix = operation, error, prefix
        self.fired = False

    def __call__(self, operation: str, key: str) -> None:
        if not self.fired and operation == self._operation and key.startswith(self._prefix):
            self.fired = True
            raise self._error


def test_a_put_that_landed_although_its_reply_was_lost_is_ours() -> None:
    store = MemoryObjectStore(ManualClock())
    store.fault = FailOnce("put_if_absent.after", OutcomeUnknown("read timeout"))

    written, info = put_once(store, "landing/s/x", b"one", "w1", HEADERS)

    assert (written, info.etag) == ("already_ours", store.head("landing/s/x").etag)


def test_a_put_that_timed_out_without_landing_is_made_again_at_the_same_key() -> None:
    store = MemoryObjectStore(ManualClock())
    store.fault = FailOnce("put_if_absent", OutcomeUnknown("read timeout"))

    written, _ = put_once(store, "landing/s/x", b"one", "w1", HEADERS)

    assert written == "created"
    assert [info.key for info in store.list("landing/")] == ["landing/s/x"]


def test_somebody_elses_object_is_a_conflict_and_is_left_alone() -> None:
    store = MemoryObjectStore(ManualClock())
    put_once(store, "landing/s/x", b"one", "w1", HEADERS)

    with pytest.raises(Conflict, match="w1"):
        put_once(store, "landing/s/x", b"two", "w2", HEADERS)
    assert store.get("landing/s/x").body == b"one"


def test_a_409_of_a_write_under_way_is_tried_again() -> None:
    store = MemoryObjectStore(ManualClock())
    store.fault = FailOnce("put_if_absent", Unavailable("ConditionalRequestConflict"))

    assert put_once(store, "landing/s/x", b"one", "w1", HEADERS)[0] == "created"


def test_a_lost_reply_at_the_landing_zone_neither_loses_nor_doubles_a_record(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.store.fault = FailOnce("put_if_absent.after", OutcomeUnknown("read timeout"), "landing/")

    pipeline.post([reading(1), reading(2)])

    pipeline.settle()
    assert pipeline.record_rows() == expected_records([reading(1), reading(2)])


@pytest.mark.parametrize("zone", ["segments/", "quarantine/", "batches/", "results/"])
def test_after_a_lost_reply_the_work_that_follows_is_still_done(tmp_path: Path, zone: str) -> None:
    pipeline = Pipeline(tmp_path)
    fault = FailOnce("put_if_absent.after", OutcomeUnknown("read timeout"), zone)
    pipeline.store.fault = fault
    pipeline.post([reading(1), {"ts": "never", "sensor": "a", "temperature": 1}])

    pipeline.run_until_quiet()

    assert fault.fired
    assert pipeline.record_rows() == expected_records([reading(1)])
    assert pipeline.windows()["row_count"].to_list() == [1]


def test_the_same_idempotency_key_with_other_records_is_refused(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    first = pipeline.post([reading(1)], key="order-7")
    again = pipeline.post([reading(1)], key="order-7")

    assert (first.repeated, again.repeated) == (False, True)
    assert first.landing_key == again.landing_key
    with pytest.raises(Conflict):
        pipeline.post([reading(2)], key="order-7")


def test_decoding_a_batch_twice_writes_the_same_bytes_to_the_same_keys(tmp_path: Path) -> None:
    contents = []
    for folder in ("one", "two"):
        pipeline = Pipeline(tmp_path / folder)
        pipeline.post([reading(1), reading(-60), {"ts": 5}])
        pipeline.run_until_quiet()
        derived = [
            info.key
            for zone in ("segments/", "batches/", "quarantine/", "results/")
            for info in pipeline.store.list(zone)
        ]
        contents.append({key: pipeline.store.get(key).body for key in derived})

    assert contents[0] == contents[1]
    assert len(contents[0]) == 8  # 2 segments, 1 manifest, 1 quarantine, 2 results of 2 objects
