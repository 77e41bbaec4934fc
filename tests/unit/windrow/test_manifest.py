import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.texts import batches, buckets_us, shards, stream_names, text
from windrow import manifest
from windrow.errors import BadInput
from windrow.manifest import Manifest, SegmentEntry

counts = st.integers(0, 2**40)
manifests = st.builds(
    Manifest,
    stream=stream_names,
    batch=batches,
    landing_key=text,
    spec_version=st.integers(1, 10**6),
    source=st.sampled_from(["http", "upload", "replay"]),
    received_us=buckets_us,
    decoded=counts,
    accepted=counts,
    quarantined=counts,
    returned=counts,
    max_time_us=st.none() | buckets_us,
    segments=st.lists(st.builds(SegmentEntry, buckets_us, shards, counts, counts), max_size=3).map(tuple),
)


@given(manifests)
def test_a_manifest_written_is_the_manifest_read(written: Manifest) -> None:
    assert manifest.decode(manifest.encode(written)) == written


@given(manifests)
def test_equal_manifests_are_equal_bytes_so_that_a_retried_put_is_recognised(written: Manifest) -> None:
    assert manifest.encode(manifest.decode(manifest.encode(written))) == manifest.encode(written)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"stream":"s"}'])
def test_what_is_not_a_manifest_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput, match="not a batch manifest"):
        manifest.decode(body)
