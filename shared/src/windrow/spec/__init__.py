"""The stream spec: one YAML file that says what a stream's records are and which windows they fill."""

from windrow.spec.changes import breaking_changes, widens
from windrow.spec.columns import Column, ColumnType, ItemType, Scalar
from windrow.spec.document import parse
from windrow.spec.durations import DurationUs
from windrow.spec.faults import Fault
from windrow.spec.formats import CsvFormat, Format, JsonFormat
from windrow.spec.names import RESERVED_COLUMNS
from windrow.spec.policies import Halt
from windrow.spec.stream import StreamSpec
from windrow.spec.times import TimeSpec
from windrow.spec.windows import Aggregate, AggregateFunction, WindowSpec

__all__ = [
    "RESERVED_COLUMNS",
    "Aggregate",
    "AggregateFunction",
    "Column",
    "ColumnType",
    "CsvFormat",
    "DurationUs",
    "Fault",
    "Format",
    "Halt",
    "ItemType",
    "JsonFormat",
    "Scalar",
    "StreamSpec",
    "TimeSpec",
    "WindowSpec",
    "breaking_changes",
    "parse",
    "widens",
]
