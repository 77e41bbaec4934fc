"""The one reject shape: the same fields in an HTTP answer, a quarantine object and on the command line."""

import base64
from typing import Literal

import msgspec

REPLAY_TYPE = "application/vnd.windrow.replay+ndjson"
"""Content type of a landing object whose lines are quarantined records on their way back."""
RecordFormat = Literal["json", "csv", "tsv", "object"]


class Reject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why one record was refused, where it stood, and its original bytes.

    `index` counts records from 0; `line` and `column` count from 1 in the text the sender sent.
    """

    reason: str
    """A stable name, such as `missing_column` or `time_in_future`."""
    message: str
    """One sentence for a person: what is wrong and what was expected."""
    index: int | None = None
    line: int | None = None
    column: int | None = None
    field: str | None = None
    value: str | None = None


class QuarantinedRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reject as it is kept: with identity, so that replaying it twice adds it once (law 7)."""

    reject: Reject
    batch: str
    """The batch that first brought the record; with `ordinal` its identity for life."""
    ordinal: int
    received_us: int
    format: RecordFormat
    """How `data` is read: a JSON record, a CSV or TSV record (under `header`), or a whole landing object (by key)."""
    data: str
    header: tuple[str, ...] = ()
    document: str = ""
    """JSON text of what stood around the record in a document of records."""
    is_base64: bool = False
    record_count: int = 1
    """Records this entry stands for: 1, or what the sender of an unreadable object said it held."""

    def raw(self) -> bytes:
        """The original bytes."""
        return base64.b64decode(self.data) if self.is_base64 else self.data.encode()


def keep_bytes(raw: bytes) -> tuple[str, bool]:
    """Bytes as text that JSON can hold, and whether that took base64."""
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), True


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(QuarantinedRecord)


def encode_lines(records: list[QuarantinedRecord]) -> bytes:
    return _ENCODER.encode_lines(records)


def decode_lines(body: bytes) -> list[QuarantinedRecord]:
    return _DECODER.decode_lines(body)
