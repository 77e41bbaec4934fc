"""Proof that quarantined records were replayed: which lines of which quarantine file, into which landing object."""

import msgspec

from windrow.errors import BadInput


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Written after the replay has landed. A lost receipt leads to a second replay, which changes nothing."""

    v: int = 1
    stream: str
    file_batch: str
    lines: tuple[int, ...]
    landing_key: str
    at_us: int
    flow: str = ""
    """Where they went: the flow itself, or newer tables of the stream, which then account for them."""
    record_count: int = 0
    """Records these lines stand for."""


_DECODER = msgspec.json.Decoder(Receipt)


def encode_receipt(receipt: Receipt) -> bytes:
    return msgspec.json.encode(receipt)


def decode_receipt(body: bytes) -> Receipt:
    """The receipt in an object's bytes; BadInput when it is not one."""
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"not a replay receipt: {error}") from error
