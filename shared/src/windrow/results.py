"""A result folder: the rows of a table that one bucket owns, computed from one set of segments (law 6)."""

from collections.abc import Iterable, Mapping

import msgspec

from windrow import keys
from windrow.errors import BadInput


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What a result was computed from. Written last, it makes the folder complete.

    A result for a windows table holds the windows that start in the bucket, and its inputs are the segments of every
    bucket that these windows reach over. A result for the records table holds no rows: it only says which batches a
    bucket is sealed with.
    """

    v: int = 2
    stream: str
    table: str
    """`records`, or `windows_<name>`."""
    bucket_us: int
    shard: int
    from_us: int
    to_us: int
    """The stretch of event time that the rows depend on, µs since 1970, its end excluded. It never shrinks."""
    batches: Mapping[int, tuple[str, ...]]
    """Bucket (its start in µs) → the batches whose segments in it went in, sorted. Buckets without any are absent."""
    spec_version: int

    @property
    def count(self) -> int:
        """How many segments went in."""
        return sum(map(len, self.batches.values()))

    @property
    def digest(self) -> str:
        """The name of the input set."""
        return digest_of(self.batches)

    @property
    def folder(self) -> str:
        """Where this result stands."""
        return keys.result_folder(
            self.stream,
            self.table,
            self.bucket_us,
            self.shard,
            input_count=self.count,
            input_digest=self.digest,
            spec_version=self.spec_version,
        )


def digest_of(batches: Mapping[int, Iterable[str]]) -> str:
    """The name of a set of segments, given as bucket → batches."""
    return keys.set_digest(f"{bucket_us}/{batch}" for bucket_us, some in batches.items() for batch in some)


_DECODER = msgspec.json.Decoder(Inputs)


def encode(inputs: Inputs) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(inputs, batches=dict(sorted(inputs.batches.items()))))


def decode(body: bytes) -> Inputs:
    """The inputs in an object's bytes; BadInput when it is not one."""
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"not a result's inputs: {error}") from error
