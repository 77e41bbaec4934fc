"""The stream spec: one YAML file that says what a stream's records are and which windows they fill."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from windrow.errors import BadInput
from windrow.keys import check_stream_name
from windrow.spec.base import Part, several
from windrow.spec.coherence import faults_of
from windrow.spec.columns import Column
from windrow.spec.durations import DurationUs
from windrow.spec.formats import Format
from windrow.spec.policies import Halt
from windrow.spec.sinks import Sink
from windrow.spec.times import TimeSpec
from windrow.spec.windows import AnyWindow
from windrow.units import SECOND_US


class StreamSpec(Part):
    """A stream, whole and checked."""

    version: Literal[1] = 1
    """Version of this file's format."""
    stream: str
    """Name: a-z, 0-9, '-' and '_'."""
    description: str = ""
    """What the stream is, for people."""
    format: Format = Format()
    """How files and documents are written, where their names and content types do not say it."""
    time: TimeSpec
    """Where the event time is and how it is written."""
    keys: tuple[str, ...] = ()
    """Columns that name a series; windows are computed per key."""
    unique: tuple[str, ...] = ()
    """Columns that identify a record, so that the same record sent twice counts once. Includes the time column.
    Empty: a record is identified by the batch that brought it and its place there."""
    keep: Literal["last", "first"] = "last"
    """Which of several records with the same identity stays, by time of receipt."""
    explode: str | None = None
    """Path of a list in each record, such as `products`. Every member becomes a row; columns whose source begins with
    this path are read from the member, the others from the record. A record without members stays one row."""
    columns: Mapping[str, Column]
    """Name in the tables → what it holds. The short form of a column is its type."""
    filter: Annotated[tuple[str, ...], BeforeValidator(several)] = ()
    """Expressions that must hold for a row to be written. What is left out is counted as filtered."""
    schema_policy: Literal["evolve", "freeze", "discard"] = Field(default="discard", alias="schema")
    """Fields that no column names: evolve (they become new columns, null where absent), freeze (the record goes to
    quarantine), discard (the value is dropped and counted)."""
    on_error: Literal["quarantine", "reject"] = "quarantine"
    """What a bad record costs: itself, which goes to quarantine; or the whole request, which is refused with 422 (a
    file then goes to quarantine whole)."""
    halt: Halt | None = None
    """When so much of a stream goes to quarantine that its consumer stops. Without it, never."""
    bucket: DurationUs = 3_600 * SECOND_US
    """Span of event time that is written, recomputed and sealed as one. Windows may be longer and may cross it."""
    shards: Annotated[int, Field(ge=1, le=256)] = 1
    """Parts by key that are computed apart."""
    lateness: DurationUs = 5 * 60 * SECOND_US
    """How far the watermark stays behind the largest event time."""
    idle: DurationUs = 60 * SECOND_US
    """Quiet time after which the wall clock may seal what the watermark has not."""
    target_file_bytes: Annotated[int, Field(ge=128_000_000, le=1_000_000_000)] = 256_000_000
    """How large the files of the tables become where there is so much to write, as they are stored."""
    retention: DurationUs | None = None
    """How long records and windows are kept, by event time, such as `400d`. Without it, for good."""
    sinks: tuple[Sink, ...] = ()
    """Where else the data goes, besides the stream's tables."""
    windows: Mapping[str, AnyWindow] = Field(default_factory=dict)
    """Name → window definition; each has a table of its own, `windows_<name>`."""

    @field_validator("stream")
    @classmethod
    def _stream_name(cls, name: str) -> str:
        try:
            return check_stream_name(name)
        except BadInput as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        faults = faults_of(self)
        if faults:
            raise PydanticCustomError("incoherent", "{text}", {"text": "\n".join(map(str, faults)), "faults": faults})
        return self

    # ------------------------------------------------------------------------------------------ derived

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that are a record's identity in a segment or in the records table."""
        return self.unique or ("_batch", "_ordinal")

    @property
    def stored(self) -> tuple[str, ...]:
        """The columns that are written to the tables, in order."""
        return tuple(name for name, column in self.columns.items() if not column.drop)

    @property
    def read(self) -> tuple[str, ...]:
        """The columns that are read from what the sender sent, in order; the others are derived, or told."""
        receipt = self.time.column if self.time.of == "receipt" else None
        return tuple(name for name, column in self.columns.items() if column.derive is None and name != receipt)

    def sources_of(self, column: str) -> tuple[str, ...]:
        """Where a column's value is looked for, in order."""
        return self.columns[column].source or (column,)

    def source_of(self, column: str) -> str:
        """The sender's name for a column: the first of its sources."""
        return self.sources_of(column)[0]

    def formats_of(self, column: str) -> tuple[str, ...]:
        """How a timestamp or date column is written."""
        return self.time.formats if column == self.time.column else self.columns[column].formats

    def required(self, column: str) -> bool:
        """Whether a record must have it: the time, the keys and the identity always."""
        return (
            column == self.time.column or column in self.keys or column in self.unique or self.columns[column].required
        )
