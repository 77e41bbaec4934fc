"""The stream spec: one YAML file that says what a stream's records are and which windows they fill."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from windrow.errors import BadInput, BadSettings
from windrow.keys import TABLE_NAME, check_stream_name
from windrow.units import DAY_US, SECOND_US, format_duration, parse_duration_us

ColumnType = Literal["string", "bool", "int", "float", "timestamp"]
AggregateFunction = Literal["count", "sum", "mean", "min", "max", "first", "last"]

RESERVED_COLUMNS = frozenset(
    {"event_date", "window_start", "window_end", "is_final", "revision", "row_count", "input_count", "computed_at"}
)
_DATES = (
    ("%Y", "%m", "%d"),
    ("%Y", "%b", "%d"),
    ("%Y", "%B", "%d"),
    ("%y", "%m", "%d"),
    ("%Y", "%m", "%e"),
    ("%Y", "%b", "%e"),
    ("%Y", "%j"),
    ("%F",),
    ("%D",),
    ("%s",),
    ("%c",),
    ("%+",),
)
"""Parts of a strptime pattern that together say a day."""
_NUMERIC_ONLY = frozenset({"sum", "mean"})
_AGGREGATE = re.compile(r"(count|sum|mean|min|max|first|last)(?:\(\s*([a-z][a-z0-9_]*)\s*\))?")


def _duration(value: object) -> object:
    if isinstance(value, str):
        try:
            return parse_duration_us(value)
        except BadInput as error:
            raise ValueError(str(error)) from error
    if isinstance(value, int | float):
        raise ValueError(f"{value} has no unit; write it as 30s, 5m, 1h or 1d")  # noqa: TRY004 pydantic wants ValueError
    return value


DurationUs = Annotated[int, BeforeValidator(_duration)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Column(_Strict):
    """One column of a record."""

    type: ColumnType
    """string, bool, int (64 bit), float (64 bit, finite) or timestamp (µs, UTC)."""
    source: str = ""
    """Name in the sender's data, if it differs from the column's."""
    required: bool = False
    """Whether a record without it goes to quarantine."""
    unit: str = ""
    """Unit, for people."""
    description: str = ""
    """Meaning, for people."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"type": value} if isinstance(value, str) else value


class TimeSpec(_Strict):
    """Where the event time is and how it is written."""

    column: str
    """The column that holds it."""
    formats: tuple[str, ...] = ("iso8601",)
    """Tried in order: iso8601, epoch_s, epoch_ms, epoch_us, or a strptime pattern such as `%d/%m/%Y %H:%M`."""
    max_future: DurationUs = 10 * 60 * SECOND_US
    """How far ahead of its receipt a record may be dated before it goes to quarantine."""

    @field_validator("formats")
    @classmethod
    def _known_formats(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        if not formats:
            raise ValueError("give at least one format")
        for name in formats:
            if name not in ("iso8601", "epoch_s", "epoch_ms", "epoch_us") and "%" not in name:
                raise ValueError(
                    f"{name!r} is not a time format; use iso8601, epoch_s, epoch_ms, epoch_us or a strptime pattern"
                )
            if "%Z" in name:
                raise ValueError(f"{name!r}: names of zones are not understood; use %z with an offset, or write UTC")
            if "%" in name and not any(all(part in name for part in date) for date in _DATES):
                raise ValueError(f"{name!r} holds no whole date; it needs year, month and day, such as %Y-%m-%d")
        return formats


class Aggregate(_Strict):
    """One aggregate of a window: a function, and its column unless it counts rows."""

    function: AggregateFunction
    column: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = _AGGREGATE.fullmatch(value.strip())
        if found is None or (found[2] is None and found[1] != "count"):
            raise ValueError(
                f"{value!r} is not an aggregate; write count, or count, sum, mean, min, max, first or last "
                "of a column, such as mean(temperature)"
            )
        return {"function": found[1], "column": found[2]}


class WindowSpec(_Strict):
    """A tumbling window: half-open [start, end), aligned to 1970-01-01T00:00:00Z."""

    kind: Literal["tumbling"] = "tumbling"
    size: DurationUs
    """Length of the window."""
    aggregates: Mapping[str, Aggregate]
    """Output column → aggregate. `row_count` is always there besides."""


class StreamSpec(_Strict):
    """A stream, whole and checked."""

    stream: str
    """Name: a-z, 0-9, '-' and '_'."""
    description: str = ""
    """What the stream is, for people."""
    time: TimeSpec
    keys: tuple[str, ...] = ()
    """Columns that name a series; windows are computed per key."""
    unique: tuple[str, ...] = ()
    """Columns that identify a record, so that the same record sent twice counts once. Includes the time column.
    Empty: a record is identified by the batch that brought it and its place there."""
    keep: Literal["last", "first"] = "last"
    """Which of several records with the same identity stays, by time of receipt."""
    columns: Mapping[str, Column]
    bucket: DurationUs = 3_600 * SECOND_US
    """Span of event time that is recomputed and sealed as one; a multiple of every window's size."""
    shards: Annotated[int, Field(ge=1, le=256)] = 1
    """Parts by key that are computed apart."""
    lateness: DurationUs = 5 * 60 * SECOND_US
    """How far the watermark stays behind the largest event time."""
    idle: DurationUs = 60 * SECOND_US
    """Quiet time after which the wall clock may seal what the watermark has not."""
    windows: Mapping[str, WindowSpec] = Field(default_factory=dict)

    @field_validator("stream")
    @classmethod
    def _stream_name(cls, name: str) -> str:
        try:
            return check_stream_name(name)
        except BadInput as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        faults = list(self._faults())
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _faults(self) -> list[str]:
        faults: list[str] = []
        for name in self.columns:
            if not TABLE_NAME.fullmatch(name):
                faults.append(f"columns.{name}: use a-z, 0-9 and '_', starting with a letter (set source: {name!r})")
            if name in RESERVED_COLUMNS:
                faults.append(f"columns.{name}: the name is Windrow's own; choose another and set source: {name!r}")
        time = self.columns.get(self.time.column)
        if time is None:
            faults.append(f"time.column: no column named {self.time.column!r}")
        elif time.type != "timestamp":
            faults.append(f"time.column: {self.time.column!r} is a {time.type}; give it type timestamp")
        for role, names in (("keys", self.keys), ("unique", self.unique)):
            faults.extend(f"{role}: no column named {name!r}" for name in names if name not in self.columns)
            faults.extend(
                f"{role}: {name!r} is named twice" for name in sorted({n for n in names if names.count(n) > 1})
            )
        faults.extend(
            f"keys: {name!r} is a float, and floats do not name things; use string or int"
            for name in self.keys
            if name in self.columns and self.columns[name].type == "float"
        )
        if self.unique and self.time.column not in self.unique:
            faults.append(f"unique: add the time column {self.time.column!r}; copies are looked for within a bucket")
        if self.unique and self.shards > 1 and not set(self.keys) <= set(self.unique):
            faults.append("unique: with shards it must include every key, so that copies meet in one shard")
        if self.shards > 1 and not self.keys:
            faults.append("shards: a stream without keys has nothing to be split by")
        if self.bucket < SECOND_US or self.bucket % SECOND_US or (self.bucket % DAY_US and DAY_US % self.bucket):
            faults.append("bucket: use whole seconds that divide a day, or whole days")
        for name, window in self.windows.items():
            faults.extend(f"windows.{name}{fault}" for fault in self._window_faults(name, window))
        return faults

    def _window_faults(self, name: str, window: WindowSpec) -> list[str]:
        faults: list[str] = []
        if not TABLE_NAME.fullmatch(name):
            faults.append(": use a-z, 0-9 and '_', starting with a letter")
        if window.size <= 0 or self.bucket % window.size:
            faults.append(
                f".size: {format_duration(max(window.size, 0))} does not divide the bucket "
                f"({format_duration(self.bucket)}); set bucket to a multiple of it"
            )
        for output, aggregate in window.aggregates.items():
            place = f".aggregates.{output}"
            if not TABLE_NAME.fullmatch(output) or output in RESERVED_COLUMNS or output in self.keys:
                faults.append(f"{place}: choose another name (a-z, 0-9, '_'; not a key, not one of Windrow's own)")
            if aggregate.column is None:
                continue
            column = self.columns.get(aggregate.column)
            if column is None:
                faults.append(f"{place}: no column named {aggregate.column!r}")
            elif aggregate.function in _NUMERIC_ONLY and column.type not in ("int", "float"):
                faults.append(f"{place}: {aggregate.function} needs a number, {aggregate.column!r} is a {column.type}")
        return faults

    # ------------------------------------------------------------------------------------------ derived

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that are a record's identity in a segment or in the records table."""
        return self.unique or ("_batch", "_ordinal")

    def source_of(self, column: str) -> str:
        """The sender's name for a column."""
        return self.columns[column].source or column

    def required(self, column: str) -> bool:
        """Whether a record must have it: the time, the keys and the identity always."""
        return (
            column == self.time.column or column in self.keys or column in self.unique or self.columns[column].required
        )


class _Loader(yaml.SafeLoader):
    """Safe YAML in which a name stands once: the library would keep the last of two columns and say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value!r} stands here a second time", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def parse(text: str, origin: str) -> StreamSpec:
    """The spec in a YAML text; BadSettings lists every fault with its place. `origin` names the file in messages."""
    try:
        raw: Any = yaml.load(text, Loader=_Loader)  # noqa: S506  a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise BadSettings(origin, [f"{place}{error.problem or 'not YAML'}"]) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2024-99-99 looks like a date and is none
        raise BadSettings(origin, [f"not YAML: {error}"]) from error
    except RecursionError as error:
        raise BadSettings(origin, ["not YAML: nested too deeply"]) from error
    if not isinstance(raw, dict):
        raise BadSettings(origin, ["expected a mapping with stream, time, columns and so on"])
    try:
        return StreamSpec.model_validate(raw)
    except ValidationError as error:
        raise BadSettings(origin, [fault for item in error.errors() for fault in _describe(item)]) from error


def breaking_changes(before: StreamSpec, after: StreamSpec) -> list[str]:
    """What a new version changes that the tables and segments of the old one cannot follow; a new stream can."""
    faults = [
        f"columns.{name}: was {before.columns[name].type} and cannot become {column.type}; give it another name "
        f"and set source: {after.source_of(name)!r}"
        for name, column in after.columns.items()
        if name in before.columns and before.columns[name].type != column.type
    ]
    for name, is_same, remedy in (
        ("bucket", before.bucket == after.bucket, "old segments lie in the old buckets"),
        ("shards", before.shards == after.shards, "old segments lie in the old shards"),
        ("keys", before.keys == after.keys, "windows are kept by the old ones"),
        ("time.column", before.time.column == after.time.column, "windows are cut by the old one"),
    ):
        if not is_same:
            faults.append(f"{name}: cannot change, {remedy}; start a new stream for it")
    for name, window in after.windows.items():
        old = before.windows.get(name)
        if old is not None and (old.size, dict(old.aggregates)) != (window.size, dict(window.aggregates)):
            gone = {output for output, each in old.aggregates.items() if window.aggregates.get(output, each) != each}
            if old.size != window.size or gone:
                what = "its size" if old.size != window.size else f"what {', '.join(sorted(gone))} is"
                faults.append(f"windows.{name}: cannot change {what}; define a window under another name")
    return faults


def _describe(item: Any) -> list[str]:
    place = ".".join(str(part) for part in item["loc"])
    message = str(item["msg"]).removeprefix("Value error, ")
    if not place:
        return message.split("\n")
    if item["type"] == "missing":
        return [f"{place}: is missing"]
    if item["type"] == "extra_forbidden":
        return [f"{place}: there is no such setting"]
    return [f"{place}: {message}"]
