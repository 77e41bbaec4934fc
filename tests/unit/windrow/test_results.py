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
    bucket_us=buckets_us,
    shard=shards,
    batches=st.lists(batches, max_size=4, unique=True).map(lambda found: tuple(sorted(found))),
    windows=st.just(("hourly",)),
    spec_version=st.integers(1, 999_999),
)


@given(inputs)
def test_inputs_written_are_the_inputs_read(written: Inputs) -> None:
    assert results.decode(results.encode(written)) == written


@given(inputs)
def test_a_result_stands_in_a_folder_named_by_what_it_was_computed_from(written: Inputs) -> None:
    assert written.digest == keys.set_digest(written.batches)
    assert written.folder.startswith(keys.results_prefix(written.stream, written.bucket_us, written.shard))
    assert f"/{len(written.batches):09d}-{written.digest}-" in written.folder


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"stream":"\xff"}'])
def test_what_is_not_a_results_inputs_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput, match="not a result's inputs"):
        results.decode(body)
