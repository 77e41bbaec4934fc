"""Law 2: keys say what they hold, whatever the network says about the PUT."""

import pytest

from windrow.errors import Conflict, OutcomeUnknown, Unavailable, WindrowError
from windrow.immutable import WRITE_ID, put_once
from windrow.ports import ObjectHeaders
from windrow.testing import ManualClock, MemoryObjectStore

KEY = "segments/s/a"
HEADERS = ObjectHeaders({"records": "2"}, "application/x-ndjson", "zstd")


class Faults:
    """Raises the next planned error at a point of an operation, once each."""

    def __init__(self, **planned: list[Exception]) -> None:
        self.planned = {name.replace("__", "."): errors for name, errors in planned.items()}
        self.seen: list[str] = []

    def __call__(self, operation: str, _key: str) -> None:
        self.seen.append(operation)
        if self.planned.get(operation):
            raise self.planned[operation].pop(0)


@pytest.fixture
def store() -> MemoryObjectStore:
    return MemoryObjectStore(ManualClock())


def test_what_is_new_is_created_under_its_write_id(store: MemoryObjectStore) -> None:
    written, info = put_once(store, KEY, b"x", "w1", HEADERS)

    assert (written, info.etag) == ("created", store.head(KEY).etag)
    found = store.get(KEY).info
    assert found.metadata == {"records": "2", WRITE_ID: "w1"}
    assert (found.content_type, found.content_encoding) == ("application/x-ndjson", "zstd")


def test_a_put_whose_reply_was_lost_is_found_to_be_ours(store: MemoryObjectStore) -> None:
    store.fault = Faults(put_if_absent__after=[OutcomeUnknown("timed out")])

    assert put_once(store, KEY, b"x", "w1", HEADERS)[0] == "already_ours"
    assert store.get(KEY).body == b"x"


def test_a_put_that_timed_out_without_effect_is_done_again(store: MemoryObjectStore) -> None:
    faults = store.fault = Faults(put_if_absent=[OutcomeUnknown("timed out")])

    assert put_once(store, KEY, b"x", "w1", HEADERS)[0] == "created"
    assert faults.seen == ["put_if_absent", "head", "put_if_absent", "put_if_absent.after"]


def test_a_timeout_over_somebody_elses_content_is_a_conflict(store: MemoryObjectStore) -> None:
    put_once(store, KEY, b"theirs", "w1", HEADERS)
    store.fault = Faults(put_if_absent=[OutcomeUnknown("timed out")])

    with pytest.raises(Conflict, match="already holds another write"):
        put_once(store, KEY, b"ours", "w2", HEADERS)


def test_a_conflict_says_whose_and_how_much(store: MemoryObjectStore) -> None:
    put_once(store, KEY, b"theirs", "w1", HEADERS)

    with pytest.raises(Conflict, match=r"segments/s/a already holds another write \(w1, 6 bytes\); ours is w2"):
        put_once(store, KEY, b"ours", "w2", HEADERS)
    assert store.get(KEY).body == b"theirs"


def test_a_409_is_retried(store: MemoryObjectStore) -> None:
    store.fault = Faults(put_if_absent=[Unavailable("another conditional write is under way")])

    assert put_once(store, KEY, b"x", "w1", HEADERS)[0] == "created"


def test_a_409_that_ended_in_our_own_earlier_attempt_is_ours(store: MemoryObjectStore) -> None:
    store.fault = Faults(put_if_absent__after=[Unavailable("asked to slow down, after a reply was lost")])

    assert put_once(store, KEY, b"x", "w1", HEADERS)[0] == "already_ours"


@pytest.mark.parametrize("error", [OutcomeUnknown("timed out"), Unavailable("slow down")])
def test_a_store_that_never_takes_it_is_told_after_a_bounded_number_of_attempts(
    store: MemoryObjectStore, error: WindrowError
) -> None:
    faults = store.fault = Faults(put_if_absent=[error] * 100)

    with pytest.raises(type(error)):
        put_once(store, KEY, b"x", "w1", HEADERS)
    assert faults.seen.count("put_if_absent") <= 5
    store.fault = None
    assert put_once(store, KEY, b"x", "w1", HEADERS)[0] == "created"


def test_a_store_that_cannot_be_read_back_is_no_success(store: MemoryObjectStore) -> None:
    store.fault = Faults(put_if_absent__after=[OutcomeUnknown("timed out")], head=[Unavailable("no answer")])

    with pytest.raises(Unavailable):
        put_once(store, KEY, b"x", "w1", HEADERS)
    assert put_once(store, KEY, b"x", "w1", HEADERS)[0] == "already_ours"


def test_an_object_removed_between_412_and_head_is_written(store: MemoryObjectStore) -> None:
    put_once(store, KEY, b"x", "w1", HEADERS)

    def remove_before_head(operation: str, key: str) -> None:
        if operation == "head":
            store.fault = None
            store.remove(key)

    store.fault = remove_before_head

    assert put_once(store, KEY, b"x", "w1", HEADERS)[0] == "created"
