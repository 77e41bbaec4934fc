"""The laws of the ObjectStore port, and of `put_once` on top of it, for every store there is."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.emulators import Deploy, only
from windrow.errors import AlreadyExists, Conflict, NotFound, Permanent, TooLarge, Unavailable
from windrow.immutable import put_once
from windrow.ports import ObjectHeaders, ObjectStore
from windrow.testing import ManualClock, MemoryObjectStore
from windrow.topology import Topology

PLAIN = ObjectHeaders()
RACERS = 8
T = TypeVar("T")


@pytest.fixture(params=["memory", "moto", pytest.param("localstack", marks=pytest.mark.localstack)])
def store(request: pytest.FixtureRequest, deploy: Deploy, topology: Topology) -> ObjectStore:
    if request.param == "memory":
        return MemoryObjectStore(ManualClock())
    return deploy(request.getfixturevalue(request.param), only(topology, buckets=["staged"])).store()


def test_what_was_put_is_got_back_byte_for_byte(store: ObjectStore) -> None:
    body = bytes(range(256)) * 40
    info = store.put_if_absent("segments/s/a.parquet", body, PLAIN)
    found = store.get("segments/s/a.parquet")

    assert found.body == body
    assert found.info.size_bytes == info.size_bytes == len(body)
    assert found.info.etag == info.etag


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put_if_absent("segments/s/empty", b"", PLAIN)

    assert store.get("segments/s/empty", max_bytes=0).body == b""
    assert store.head("segments/s/empty").size_bytes == 0


def test_metadata_content_type_and_encoding_travel_with_the_bytes(store: ObjectStore) -> None:
    headers = ObjectHeaders({"write-id": "w1", "records": "3"}, "application/x-ndjson", "gzip")
    store.put_if_absent("segments/s/a", b"x", headers)

    for info in (store.head("segments/s/a"), store.get("segments/s/a").info):
        assert info.metadata == {"write-id": "w1", "records": "3"}
        assert info.content_type == "application/x-ndjson"
        assert info.content_encoding == "gzip"


def test_an_object_without_encoding_has_none(store: ObjectStore) -> None:
    store.put_if_absent("segments/s/a", b"x", PLAIN)

    assert store.head("segments/s/a").content_encoding == ""


def test_metadata_that_cannot_travel_is_refused_for_good(store: ObjectStore) -> None:
    with pytest.raises(Permanent):
        store.put_if_absent("segments/s/a", b"x", ObjectHeaders({"source": "Zürich"}))


def test_head_and_get_tell_the_stores_time(store: ObjectStore) -> None:
    store.put_if_absent("segments/s/a", b"x", PLAIN)
    [listed] = store.list("segments/s/")

    assert listed.modified_us > 1_600_000_000_000_000
    assert store.head("segments/s/a").modified_us == store.get("segments/s/a").info.modified_us == listed.modified_us


def test_nothing_is_not_found(store: ObjectStore) -> None:
    with pytest.raises(NotFound):
        store.get("segments/s/nothing")
    with pytest.raises(NotFound):
        store.head("segments/s/nothing")


def test_get_refuses_an_object_over_the_limit_and_takes_one_at_the_limit(store: ObjectStore) -> None:
    store.put_if_absent("segments/s/a", b"12345", PLAIN)

    with pytest.raises(TooLarge, match=r"segments/s/a has 5 bytes; the limit is 4"):
        store.get("segments/s/a", max_bytes=4)
    assert store.get("segments/s/a", max_bytes=5).body == b"12345"


# ------------------------------------------------------------------------------------------------ conditional writes


def test_put_if_absent_creates_once_and_never_touches_what_is_there(store: ObjectStore) -> None:
    store.put_if_absent("batches/s/a.json", b"first", ObjectHeaders({"write-id": "1"}))

    with pytest.raises(AlreadyExists):
        store.put_if_absent("batches/s/a.json", b"second", ObjectHeaders({"write-id": "2"}))
    with pytest.raises(AlreadyExists):
        store.put_if_absent("batches/s/a.json", b"first", ObjectHeaders({"write-id": "1"}))
    found = store.get("batches/s/a.json")
    assert (found.body, found.info.metadata) == (b"first", {"write-id": "1"})


def test_of_racing_conditional_puts_exactly_one_wins(store: ObjectStore) -> None:
    def put(number: int) -> bool:
        try:
            store.put_if_absent("batches/s/a.json", f"racer {number}".encode(), PLAIN)
        except AlreadyExists:
            return False
        return True

    won = _race(put)

    assert won.count(True) == 1
    assert store.get("batches/s/a.json").body == f"racer {won.index(True)}".encode()


def test_put_replaces(store: ObjectStore) -> None:
    first = store.put("batches/q/a.json", b"1", PLAIN)
    second = store.put("batches/q/a.json", b"2", PLAIN)

    assert store.get("batches/q/a.json").body == b"2"
    assert store.head("batches/q/a.json").etag == second.etag != first.etag


def test_put_with_if_match_replaces_only_what_was_read(store: ObjectStore) -> None:
    read = store.put("batches/q/a.json", b"1", PLAIN)
    store.put("batches/q/a.json", b"2", PLAIN, if_match=read.etag)

    with pytest.raises(AlreadyExists):
        store.put("batches/q/a.json", b"3", PLAIN, if_match=read.etag)
    assert store.get("batches/q/a.json").body == b"2"


def test_put_with_if_match_makes_nothing_new(store: ObjectStore) -> None:
    with pytest.raises(NotFound):
        store.put("batches/q/none.json", b"1", PLAIN, if_match="0" * 32)
    assert list(store.list("batches/")) == []


# ------------------------------------------------------------------------------------------------ lists


def test_list_gives_exactly_what_is_below_the_prefix_in_key_order(store: ObjectStore) -> None:
    inside = ["segments/s/Z", "segments/s/a b+c%20d.json", "segments/s/a/x", "segments/s/b", "segments/s/é"]
    for key in [*reversed(inside), "segments/s2/a", "segments/r/a"]:
        store.put_if_absent(key, key.encode(), ObjectHeaders({"write-id": "w"}, "text/plain", "gzip"))
    listed = list(store.list("segments/s/"))

    assert [info.key for info in listed] == inside
    assert [info.size_bytes for info in listed] == [len(key.encode()) for key in inside]
    assert [info.etag for info in listed] == [store.head(key).etag for key in inside]
    assert all((info.metadata, info.content_type, info.content_encoding) == ({}, "", "") for info in listed)


def test_list_of_nothing_is_empty(store: ObjectStore) -> None:
    assert list(store.list("segments/nobody/")) == []


@pytest.mark.parametrize("store", ["memory", "moto"], indirect=True)
def test_a_list_longer_than_a_page_is_complete_and_in_order(store: ObjectStore) -> None:
    keys = [f"segments/s/{number:04d}" for number in range(1_005)]
    for key in keys:
        store.put_if_absent(key, b"", PLAIN)

    assert [info.key for info in store.list("segments/s/")] == keys


# ------------------------------------------------------------------------------------------------ put_once


def test_a_retried_put_is_recognised_as_ours(store: ObjectStore) -> None:
    first, made = put_once(store, "segments/s/a", b"x", "w1", ObjectHeaders({"records": "1"}))
    again, found = put_once(store, "segments/s/a", b"x", "w1", ObjectHeaders({"records": "1"}))

    assert (first, again) == ("created", "already_ours")
    assert made.etag == found.etag
    assert store.head("segments/s/a").metadata == {"records": "1", "write-id": "w1"}


def test_someone_elses_content_is_a_conflict_and_stays(store: ObjectStore) -> None:
    put_once(store, "segments/s/a", b"theirs", "w1", PLAIN)

    with pytest.raises(Conflict, match="w1"):
        put_once(store, "segments/s/a", b"ours", "w2", PLAIN)
    assert store.get("segments/s/a").body == b"theirs"


def test_content_without_a_write_id_is_a_conflict(store: ObjectStore) -> None:
    store.put_if_absent("segments/s/a", b"uploaded", PLAIN)

    with pytest.raises(Conflict, match="without a write id"):
        put_once(store, "segments/s/a", b"uploaded", "w1", PLAIN)


def test_of_racing_attempts_of_one_write_one_creates_and_the_others_know_it_as_theirs(store: ObjectStore) -> None:
    results = _race(lambda _: put_once(store, "segments/s/a", b"x", "w1", PLAIN)[0])

    assert sorted(results) == ["already_ours"] * (RACERS - 1) + ["created"]


def _race(run: Callable[[int], T]) -> list[T]:
    start = threading.Barrier(RACERS)

    def racer(number: int) -> T:
        start.wait(timeout=10)
        return run(number)

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(racer, range(RACERS)))


def test_an_object_is_read_in_blocks_that_make_up_its_bytes(store: ObjectStore) -> None:
    body = bytes(range(256)) * 5_000
    store.put_if_absent("segments/s/large", body, PLAIN)
    blocks = list(store.read(store.head("segments/s/large")))

    assert b"".join(blocks) == body
    assert len(blocks) > 1
    assert max(map(len, blocks)) < len(body)


def test_an_object_that_was_replaced_is_not_read_for_the_one_it_was(store: ObjectStore) -> None:
    store.put("segments/s/a", b"then", PLAIN)
    then = store.head("segments/s/a")
    store.put("segments/s/a", b"now", PLAIN)

    with pytest.raises(Unavailable):
        list(store.read(then))


def test_reading_what_is_not_there_says_so(store: ObjectStore) -> None:
    store.put("segments/s/a", b"x", PLAIN)
    gone = replace(store.head("segments/s/a"), key="segments/s/b")

    with pytest.raises(NotFound):
        list(store.read(gone))


# ------------------------------------------------------------------------------------------------ files


def test_a_file_is_put_from_its_start_wherever_it_was_read_to(store: ObjectStore, tmp_path: Path) -> None:
    body = bytes(range(256)) * 5_000
    (tmp_path / "large").write_bytes(body)
    with (tmp_path / "large").open("rb") as file:
        file.read(1_000)
        info = store.put_if_absent("segments/s/a", file, PLAIN)
        assert not file.closed

    found = store.get("segments/s/a")
    assert found.body == body
    assert (info.size_bytes, info.etag) == (len(body), found.info.etag)


def test_a_file_is_created_once_like_bytes_and_read_again_by_the_next_attempt(
    store: ObjectStore, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"in a file")
    with (tmp_path / "a").open("rb") as file:
        first, _ = put_once(store, "segments/s/a", file, "w1", PLAIN)
        again, _ = put_once(store, "segments/s/a", file, "w1", PLAIN)
        with pytest.raises(Conflict):
            put_once(store, "segments/s/a", file, "w2", PLAIN)
        put_once(store, "segments/s/b", file, "w1", PLAIN)

    assert (first, again) == ("created", "already_ours")
    assert store.get("segments/s/a").body == store.get("segments/s/b").body == b"in a file"


def test_an_empty_file_is_an_empty_object(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open("rb") as file:
        assert store.put_if_absent("segments/s/empty", file, PLAIN).size_bytes == 0

    assert store.get("segments/s/empty").body == b""


# ------------------------------------------------------------------------------------------------ deleting


def test_what_is_deleted_is_gone_and_nothing_else_is(store: ObjectStore) -> None:
    for key in ("segments/s/a", "segments/s/ab", "segments/s/a/b"):
        store.put_if_absent(key, b"x", PLAIN)
    store.delete("segments/s/a")

    assert [info.key for info in store.list("segments/")] == ["segments/s/a/b", "segments/s/ab"]
    with pytest.raises(NotFound):
        store.head("segments/s/a")


def test_deleting_what_is_not_there_is_done_already(store: ObjectStore) -> None:
    store.delete("segments/s/none")
    store.put_if_absent("segments/s/a", b"x", PLAIN)
    store.delete("segments/s/a")
    store.delete("segments/s/a")

    assert list(store.list("segments/")) == []


def test_a_key_that_was_deleted_may_be_created_again(store: ObjectStore) -> None:
    store.put_if_absent("segments/s/a", b"1", PLAIN)
    store.delete("segments/s/a")
    store.put_if_absent("segments/s/a", b"2", PLAIN)

    assert store.get("segments/s/a").body == b"2"
