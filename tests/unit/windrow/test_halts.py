"""A halt is an object: whoever looks sees it, the first one is believed, and an operator ends it for good."""

import pytest

from windrow import halts
from windrow.errors import Unavailable
from windrow.testing import ManualClock, MemoryObjectStore


def _halt(version: int = 2, **changes: object) -> halts.Halt:
    fields = {
        "stream": "sensors",
        "spec_version": version,
        "at_us": 1,
        "records": 1_000,
        "quarantined": 600,
        "landing_key": "landing/sensors/a",
        "reason": "column 'x' is not a float: 'abc'",
    }
    return halts.Halt(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def store() -> MemoryObjectStore:
    return MemoryObjectStore(ManualClock())


def test_a_halt_is_found_by_stream_and_version_and_by_no_other(store: MemoryObjectStore) -> None:
    halts.stop(store, _halt())

    assert halts.find(store, "sensors", 2) == _halt()
    assert halts.find(store, "sensors", 1) is halts.find(store, "sensors", 3) is halts.find(store, "other", 2) is None


def test_of_two_consumers_that_stop_a_stream_the_first_is_believed(store: MemoryObjectStore) -> None:
    halts.stop(store, _halt())
    halts.stop(store, _halt(records=5, reason="another"))

    assert halts.find(store, "sensors", 2) == _halt()


def test_a_resumed_version_goes_on_and_is_not_stopped_again(store: MemoryObjectStore) -> None:
    halts.stop(store, _halt())
    assert not halts.was_resumed(store, "sensors", 2)
    assert halts.resume(store, "sensors", 2)
    assert halts.was_resumed(store, "sensors", 2)
    halts.stop(store, _halt())

    assert halts.find(store, "sensors", 2) is None
    assert not halts.resume(store, "sensors", 2)  # there is nothing to resume any more


def test_what_is_not_halted_cannot_be_resumed_in_advance(store: MemoryObjectStore) -> None:
    assert not halts.resume(store, "sensors", 2)
    halts.stop(store, _halt())

    assert halts.find(store, "sensors", 2) is not None


def test_a_store_that_does_not_answer_is_no_all_clear(store: MemoryObjectStore) -> None:
    halts.stop(store, _halt())

    def down(operation: str, key: str) -> None:
        raise Unavailable(f"{operation} {key}")

    store.fault = down
    with pytest.raises(Unavailable):
        halts.find(store, "sensors", 2)
    with pytest.raises(Unavailable):
        halts.was_resumed(store, "sensors", 2)
