import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.texts import batches, stream_names
from windrow.errors import BadInput
from windrow.receipts import Receipt, decode_receipt, encode_receipt

receipts = st.builds(
    Receipt,
    stream=stream_names,
    file_batch=batches,
    lines=st.lists(st.integers(0, 10**9), max_size=5).map(tuple),
    landing_key=st.just("landing/s/replay/x"),
    at_us=st.integers(0, 10**16),
)


@given(receipts)
def test_a_receipt_written_is_the_receipt_read(receipt: Receipt) -> None:
    assert decode_receipt(encode_receipt(receipt)) == receipt


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"stream":"\xff"}'])
def test_what_is_no_receipt_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput, match="not a replay receipt"):
        decode_receipt(body)
