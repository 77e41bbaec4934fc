"""A result folder: windows of one place, computed from one set of segments (law 6)."""

import msgspec

from windrow import keys
from windrow.errors import BadInput


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What a result was computed from, and what it holds. Written last, it makes the folder complete."""

    v: int = 1
    stream: str
    bucket_us: int
    shard: int
    batches: tuple[str, ...]
    """The batches whose segments went in, sorted."""
    windows: tuple[str, ...]
    """The window definitions that were computed."""
    spec_version: int

    @property
    def digest(self) -> str:
        """The name of the input set."""
        return keys.set_digest(self.batches)

    @property
    def folder(self) -> str:
        """Where this result stands."""
        return keys.result_folder(
            self.stream,
            self.bucket_us,
            self.shard,
            input_count=len(self.batches),
            input_digest=self.digest,
            spec_version=self.spec_version,
        )


_DECODER = msgspec.json.Decoder(Inputs)


def encode(inputs: Inputs) -> bytes:
    return msgspec.json.encode(inputs, order="deterministic")


def decode(body: bytes) -> Inputs:
    """The inputs in an object's bytes; BadInput when it is not one."""
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"not a result's inputs: {error}") from error
