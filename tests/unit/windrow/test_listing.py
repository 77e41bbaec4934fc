"""Which batches there are: those that are listed, and those that a bucket was sealed with before they expired."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import keys, results
from windrow.computed import Results
from windrow.errors import BadInput
from windrow.listing import Known, Listing
from windrow.ports import ObjectHeaders
from windrow.results import Inputs
from windrow.testing import ManualClock, MemoryObjectStore, MemoryQueue

HOUR_US = 3_600_000_000
START_US = 1_767_225_600_000_000
A, B, C = (letter * 32 for letter in "abc")


def stored(*segments: tuple[int, int, str], stream: str = "s") -> MemoryObjectStore:
    """A store with segments at (hour, shard, batch)."""
    store = MemoryObjectStore(ManualClock())
    for hour, shard, batch in segments:
        add(store, hour, shard, batch, stream)
    return store


def add(store: MemoryObjectStore, hour: int, shard: int, batch: str, stream: str = "s") -> None:
    address = keys.SegmentAddress(stream, START_US + hour * HOUR_US, shard, batch)
    store.put(keys.segment_key(address), b"", ObjectHeaders())


def expire(store: MemoryObjectStore, hour: int, batch: str) -> None:
    store.remove(keys.segment_key(keys.SegmentAddress("s", START_US + hour * HOUR_US, 0, batch)))


def seal(store: MemoryObjectStore, hour: int, *batches: str) -> None:
    """What a seal of the records of a bucket leaves behind."""
    bucket = START_US + hour * HOUR_US
    inputs = Inputs(
        stream="s",
        table=keys.RECORDS_TABLE,
        bucket_us=bucket,
        shard=0,
        from_us=bucket,
        to_us=bucket + HOUR_US,
        batches={bucket: batches},
        spec_version=1,
    )
    Results(store, MemoryQueue("writes", ManualClock())).put(inputs, None)


def buckets(first: int, last: int) -> range:
    """The hours from `first` to `last`, both included."""
    return range(START_US + first * HOUR_US, START_US + (last + 1) * HOUR_US, HOUR_US)


def known(store: MemoryObjectStore, first: int, last: int, shard: int = 0) -> dict[int, Known]:
    found = Listing(store, "s").known(shard, buckets(first, last))
    return {(bucket - START_US) // HOUR_US: each for bucket, each in found.items()}


def test_a_bucket_has_the_batches_that_have_segments_in_it() -> None:
    store = stored((0, 0, A), (0, 0, B), (2, 0, A), (3, 0, C), (0, 1, C))
    add(store, 0, 0, C, stream="t")

    assert known(store, 0, 2) == {
        0: Known(frozenset({A, B}), frozenset({A, B})),
        2: Known(frozenset({A}), frozenset({A})),
    }
    assert known(store, 0, 2, shard=1) == {0: Known(frozenset({C}), frozenset({C}))}


def test_batches_whose_segments_have_expired_are_known_from_the_seal() -> None:
    store = stored((0, 0, A), (0, 0, B))
    seal(store, 0, A, B)
    expire(store, 0, A)
    assert known(store, 0, 0) == {0: Known(frozenset({A, B}), frozenset({B}))}

    expire(store, 0, B)
    assert known(store, 0, 0) == {0: Known(frozenset({A, B}), frozenset())}


def test_what_has_come_after_the_seal_is_known_besides() -> None:
    store = stored((0, 0, A))
    seal(store, 0, A)
    expire(store, 0, A)
    add(store, 0, 0, C)

    assert known(store, 0, 0) == {0: Known(frozenset({A, C}), frozenset({C}))}


def test_of_several_seals_the_last_counts() -> None:
    store = stored()
    seal(store, 0, A)
    seal(store, 0, A, B)

    assert known(store, 0, 0) == {0: Known(frozenset({A, B}), frozenset())}


def test_a_seal_is_read_only_where_something_is_missing() -> None:
    store = stored((0, 0, A), (1, 0, B))
    seal(store, 0, A)
    seal(store, 1, A, B)
    read: list[str] = []
    store.fault = lambda operation, key: read.append(key) if operation == "get" else None

    assert known(store, 0, 1)[1].batches == {A, B}
    assert [keys.parse_result_key(key).bucket_us for key in read] == [START_US + HOUR_US]


def test_half_a_seal_is_none() -> None:
    store = stored()
    seal(store, 0, A)
    [info] = store.list("results/")
    body = store.get(info.key).body
    store.remove(info.key)
    store.put(info.key.replace("inputs.json", "rows.parquet"), body, ObjectHeaders())

    assert known(store, 0, 0) == {}


def test_results_of_windows_are_no_seals() -> None:
    store = stored((0, 0, A))
    inputs = Inputs(
        stream="s",
        table="windows_w",
        bucket_us=START_US,
        shard=0,
        from_us=START_US,
        to_us=START_US + HOUR_US,
        batches={START_US: (A, B)},
        spec_version=1,
    )
    Results(store, MemoryQueue("writes", ManualClock())).put(inputs, None)

    assert known(store, 0, 0)[0].batches == {A}


def test_no_part_of_the_stream_is_listed_twice() -> None:
    store = stored((0, 0, A), (1, 0, B), (30, 0, C))
    listed: list[str] = []
    store.fault = lambda operation, key: listed.append(key) if operation == "list" else None
    listing = Listing(store, "s")
    for _ in range(3):
        listing.known(0, buckets(0, 0))
        listing.known(1, buckets(0, 1))
        listing.known(0, buckets(0, 30))

    assert len(listed) == len(set(listed))
    # two buckets, and two days
    assert len([prefix for prefix in listed if prefix.startswith("segments/")]) == 4


def test_what_was_listed_does_not_change_under_those_who_share_the_listing() -> None:
    store = stored((0, 0, A))
    listing = Listing(store, "s")
    before = listing.known(0, buckets(0, 0))
    add(store, 0, 0, B)

    assert listing.known(0, buckets(0, 0)) == before
    assert known(store, 0, 0)[0].batches == {A, B}


def test_a_stray_object_among_the_segments_is_refused_by_name() -> None:
    store = stored((0, 0, A))
    store.put("segments/s/2026-01-01T000000Z/x", b"", ObjectHeaders())

    with pytest.raises(BadInput, match="is not a segment's key"):
        known(store, 0, 0)


places = st.tuples(st.integers(-400, 400), st.integers(0, 1), st.sampled_from([A, B, C]))


@settings(max_examples=60)
@given(st.lists(places, max_size=8), st.lists(st.tuples(st.integers(-400, 400), st.integers(0, 900)), max_size=4))
def test_however_one_asks_the_same_is_known(segments: list[tuple[int, int, str]], asked: list[tuple[int, int]]) -> None:
    listing = Listing(stored(*segments), "s")
    for first, some in asked:
        wanted = buckets(first, first + some)
        found = listing.known(0, wanted)
        expected: dict[int, set[str]] = {}
        for hour, shard, batch in segments:
            if shard == 0 and START_US + hour * HOUR_US in wanted:
                expected.setdefault(START_US + hour * HOUR_US, set()).add(batch)

        assert {bucket: set(each.batches) for bucket, each in found.items()} == expected
        assert all(each.batches == each.listed for each in found.values())


def test_the_digest_of_a_seal_is_that_of_its_batches() -> None:
    """A listing compares the two, and reads nothing where they are the same."""
    store = stored()
    seal(store, 0, A, B)
    [info] = store.list("results/")

    assert keys.parse_result_key(info.key).digest == results.digest_of({START_US: {B, A}})
