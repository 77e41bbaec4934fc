"""Results in the store: written once, complete with their last object, and made of inputs that only grow."""

import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow import keys, messages, results
from windrow.computed import Results, gathered
from windrow.errors import Unavailable
from windrow.lake.tables import Place
from windrow.listing import Known
from windrow.messages import Refreshed
from windrow.results import Inputs
from windrow.testing import ManualClock, MemoryObjectStore, MemoryQueue
from windrow.windows.reach import Stretch

HOUR_US = 3_600_000_000
HERE = Place(0, 0)
ROWS = pl.DataFrame({"x": [1, 2]})


def made() -> tuple[Results, MemoryObjectStore, MemoryQueue]:
    clock = ManualClock()
    store, queue = MemoryObjectStore(clock), MemoryQueue("writes", clock)
    return Results(store, queue), store, queue


def inputs(*batches: str, spec_version: int = 1, table: str = "windows_w") -> Inputs:
    return Inputs(
        stream="s",
        table=table,
        bucket_us=0,
        shard=0,
        from_us=0,
        to_us=HOUR_US,
        batches={0: tuple(sorted(batches))} if batches else {},
        spec_version=spec_version,
    )


def test_a_result_put_is_the_result_found() -> None:
    found, store, _ = made()
    assert found.latest("s", "windows_w", HERE) is None
    found.put(inputs("a"), ROWS)

    assert found.latest("s", "windows_w", HERE) == inputs("a")
    assert pl.read_parquet(io.BytesIO(store.get(keys.rows_key(inputs("a").folder)).body)).equals(ROWS)
    assert found.latest("s", "windows_w", Place(HOUR_US, 0)) is None
    assert found.latest("s", "windows_w", Place(0, 1)) is None
    assert found.latest("s", "windows_v", HERE) is None
    assert found.latest("t", "windows_w", HERE) is None


def test_the_latest_has_the_most_inputs_and_of_those_the_newest_spec() -> None:
    found, _, _ = made()
    for each in (inputs("a", "b"), inputs("a", spec_version=7), inputs("a", "b", spec_version=2)):
        found.put(each, ROWS)

    assert found.latest("s", "windows_w", HERE) == inputs("a", "b", spec_version=2)


def test_a_result_without_its_inputs_is_none() -> None:
    found, store, _ = made()

    def dies(operation: str, key: str) -> None:
        if operation == "put_if_absent" and key.endswith("inputs.json"):
            raise Unavailable("slow down")

    store.fault = dies
    with pytest.raises(Unavailable):
        found.put(inputs("a"), ROWS)
    assert [info.key for info in store.list("results/")] == [keys.rows_key(inputs("a").folder)]
    assert found.latest("s", "windows_w", HERE) is None

    store.fault = None
    found.put(inputs("a"), ROWS)
    assert found.latest("s", "windows_w", HERE) == inputs("a")


def test_the_same_result_written_twice_stands_as_it_was_written_first() -> None:
    found, store, _ = made()
    found.put(inputs("a"), ROWS)
    before = {info.key: info for info in store.list("results/")}
    found.put(inputs("a"), ROWS.reverse())

    assert {info.key: info for info in store.list("results/")} == before


def test_what_is_sealed_has_inputs_and_no_rows() -> None:
    found, store, _ = made()
    found.put(inputs("a", table="records"), None)

    assert [info.key.rsplit("/", 1)[1] for info in store.list("results/")] == ["inputs.json"]
    assert found.latest("s", "records", HERE) == inputs("a", table="records")


@pytest.mark.parametrize("is_final", [True, False])
def test_a_pointer_leads_to_the_result_it_speaks_of(is_final: bool) -> None:
    found, _, queue = made()
    found.send(inputs("a", "b", spec_version=3), is_final=is_final)

    [body] = queue.bodies()
    assert messages.decode(body) == Refreshed(
        stream="s",
        table="windows_w",
        bucket_us=0,
        shard=0,
        input_count=2,
        input_digest=inputs("a", "b").digest,
        spec_version=3,
        is_final=is_final,
    )


# ------------------------------------------------------------------------------------------------ gathered

batches = st.frozensets(st.sampled_from("abcdef"), min_size=1)
known = st.dictionaries(st.sampled_from([0, HOUR_US, -HOUR_US]), batches.map(lambda some: Known(some, some)))
stretches = st.tuples(st.integers(-9, 0), st.integers(1, 9)).map(lambda ends: Stretch(*ends))


def once(stretch: Stretch, found: dict[int, Known], latest: Inputs | None) -> Inputs:
    return gathered("s", "windows_w", HERE, 2, stretch, found, latest)


@given(st.lists(st.tuples(stretches, known), min_size=1, max_size=5))
def test_inputs_only_grow_whatever_is_listed_and_however_far_is_looked(
    looks: list[tuple[Stretch, dict[int, Known]]],
) -> None:
    latest: Inputs | None = None
    for stretch, found in looks:
        grown = once(stretch, found, latest)
        for bucket, each in found.items():
            assert each.batches <= set(grown.batches[bucket])
        assert grown.from_us <= stretch.from_us
        assert grown.to_us >= stretch.to_us
        if latest is not None:
            assert grown.from_us <= latest.from_us
            assert grown.to_us >= latest.to_us
            assert grown.count >= latest.count
            assert all(set(some) <= set(grown.batches[bucket]) for bucket, some in latest.batches.items())
            assert (grown.digest == latest.digest) == (grown.count == latest.count)
        latest = grown


@given(stretches, known, known)
def test_the_order_in_which_batches_are_seen_does_not_show(
    stretch: Stretch, first: dict[int, Known], then: dict[int, Known]
) -> None:
    one = once(stretch, then, once(stretch, first, None))
    other = once(stretch, first, once(stretch, then, None))

    assert one == other
    assert results.encode(one) == results.encode(other)


@given(stretches, known)
def test_inputs_are_sorted_and_buckets_without_any_are_absent(stretch: Stretch, found: dict[int, Known]) -> None:
    made_ = once(stretch, found, None)

    assert list(made_.batches) == sorted(found)
    assert all(list(some) == sorted(set(some)) for some in made_.batches.values())
    assert all(made_.batches.values())
    assert made_.count == sum(len(each.batches) for each in found.values())
