import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.texts import batches, buckets_us, shards, stream_names
from windrow import keys, results
from windrow.errors import BadInput
from windrow.results import Inputs

inputs = st.builds(
    Inputs,
    stream=stream_names,
    table=st.sampled_from(["records", "windows_hourly"]),
    bucket_us=buckets_us,
    shard=shards,
    from_us=buckets_us,
    to_us=buckets_us,
    batches=st.dictionaries(
        st.integers(-(10**15), 10**16),
        st.lists(batches, min_size=1, max_size=4, unique=True).map(lambda found: tuple(sorted(found))),
        max_size=3,
    ),
    spec_version=st.integers(1, 999_999),
)


@given(inputs)
def test_inputs_written_are_the_inputs_read(written: Inputs) -> None:
    assert results.decode(results.encode(written)) == written


@given(inputs)
def test_a_result_stands_in_a_folder_named_by_what_it_was_computed_from(written: Inputs) -> None:
    count = sum(len(some) for some in written.batches.values())
    own = keys.results_prefix(written.stream, written.table, written.bucket_us, written.shard)

    assert written.count == count
    assert written.folder == f"{own}{count:09d}-{written.digest}-{written.spec_version:06d}/"


@given(inputs)
def test_equal_inputs_are_equal_bytes_in_whatever_order_they_were_gathered(written: Inputs) -> None:
    turned = msgspec.structs.replace(written, batches=dict(sorted(written.batches.items(), reverse=True)))

    assert results.encode(turned) == results.encode(written)
    assert turned.folder == written.folder


def test_a_batch_in_another_bucket_is_another_input() -> None:
    both = results.digest_of({0: ["a", "b"], 5: ["a"]})

    assert both == results.digest_of({5: {"a"}, 0: ["b", "a"]})
    assert len({both, results.digest_of({0: ["a", "b"]}), results.digest_of({0: ["a"], 5: ["a", "b"]})}) == 3


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"stream":"\xff"}'])
def test_what_is_not_a_results_inputs_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput, match="not a result's inputs"):
        results.decode(body)
