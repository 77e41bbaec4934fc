"""What became of a batch once decoded: the commit point of the consumer."""

from collections.abc import Mapping

import msgspec

from windrow import keys
from windrow.errors import BadInput

RECORDS_METADATA = "records"
"""Landing metadata: how many records the sender's framing held."""
RETURNED_METADATA = "returned"
"""Landing metadata of a replay: how many records it takes out of quarantine."""
RETURNED_FROM_METADATA = "returned-from"
"""Landing metadata of a replay: the flow in whose quarantine they were."""


class SegmentEntry(msgspec.Struct, frozen=True):
    """One segment of a batch: rows in one bucket (start in µs) and shard, `size_bytes` as Parquet."""

    bucket_us: int
    shard: int
    row_count: int
    size_bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded batch, or one part of a large one.

    Law 8 rests on `decoded + added == accepted + filtered + quarantined`.
    """

    v: int = 1
    stream: str
    batch: str
    landing_key: str
    spec_version: int
    source: str
    """Where the batch came from: http, upload, replay."""
    received_us: int
    decoded: int
    """Records found in the object, good or bad."""
    accepted: int
    quarantined: int
    added: int = 0
    """Rows over and above the records they came from, where the spec explodes lists."""
    filtered: int = 0
    """Rows that the spec's filter left out."""
    discarded_fields: dict[str, int] = {}
    """Fields that no column names → records that held a value there, which was dropped."""
    parts: int = 1
    """Parts the batch was decoded into; told by the first of them, which is written last."""
    returned: int = 0
    """Records this batch takes back out of quarantine (a replay), so they are not received a second time."""
    max_time_us: int | None = None
    """Largest event time among the accepted rows."""
    segments: tuple[SegmentEntry, ...] = ()


_DECODER = msgspec.json.Decoder(Manifest)


def takes_back(metadata: Mapping[str, str], flow: str) -> bool:
    """Whether the records of a landed object were quarantined in the flow that it belongs to."""
    return metadata.get(RETURNED_FROM_METADATA, keys.stream_of_flow(flow)) == flow


def encode(manifest: Manifest) -> bytes:
    return msgspec.json.encode(manifest, order="deterministic")


def decode(body: bytes) -> Manifest:
    """The manifest in an object's bytes; BadInput when it is not one."""
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"not a batch manifest: {error}") from error
