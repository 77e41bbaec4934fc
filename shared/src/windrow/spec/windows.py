"""Window definitions: which spans of event time, and what is computed over each."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Strict,
    Tag,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from windrow.spec.base import Part
from windrow.spec.durations import DurationUs
from windrow.spec.names import did_you_mean, shown
from windrow.spec.spans import OffsetUs, SpanText
from windrow.spec.times import zones

AggregateFunction = Literal[
    "count",
    "sum",
    "mean",
    "min",
    "max",
    "first",
    "last",
    "std",
    "var",
    "median",
    "quantile",
    "n_unique",
    "time_weighted_mean",
    "rate",
    "increase",
    "approx_quantile",
    "approx_n_unique",
]
FUNCTIONS: tuple[AggregateFunction, ...] = get_args(AggregateFunction)
OHLC: Mapping[str, AggregateFunction] = {"open": "first", "high": "max", "low": "min", "close": "last"}
"""What traders call four of them."""
NUMERIC_ONLY: frozenset[AggregateFunction] = frozenset(
    {"sum", "mean", "std", "var", "median", "quantile", "time_weighted_mean", "rate", "increase", "approx_quantile"}
)
"""Functions of numbers; the others take any column but a list, and `count` takes that too."""
WITH_SHARE: frozenset[AggregateFunction] = frozenset({"quantile", "approx_quantile"})
"""Functions that take a share of the rows besides a column."""

WindowKind = Literal["tumbling", "sliding", "session", "cumulative", "sequence"]
KINDS: tuple[WindowKind, ...] = get_args(WindowKind)

_CALL = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\((.*)\))?", re.DOTALL)
_PERCENTILE = re.compile(r"p(\d\d?)")
_MAX_LENGTH = 100_000


class Aggregate(Part):
    """One aggregate of a window. Written short as a call: `count`, `mean(temperature)`, `quantile(latency, 0.95)`."""

    function: AggregateFunction
    """count (rows, or values of a column that are not null), sum, mean, min, max, first, last (by event time), std,
    var (of a sample), median, quantile (exact), n_unique, time_weighted_mean, rate (per second), increase (both take a
    decrease for a counter that began anew), approx_quantile, approx_n_unique. `open`, `high`, `low` and `close` are
    other words for first, max, min and last."""
    column: str | None = None
    """Of which column. Only `count` can do without: then it counts rows. Nulls do not count in any."""
    share: Annotated[float, Field(ge=0, le=1)] | None = None
    """Which quantile, from 0 to 1, of quantile and approx_quantile."""
    carry: Literal["previous", "linear"] | None = None
    """What a time_weighted_mean takes to be between two values: the earlier one (`previous`), or a line (`linear`).
    Without it, the earlier one."""
    max_carry: DurationUs | None = None
    """How far a time_weighted_mean carries a value on. Without it, any distance."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        if isinstance(value, str):
            return _call(value)
        if isinstance(value, dict) and value.get("function") in OHLC:
            return {**value, "function": OHLC[value["function"]]}
        return value

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.column is None and self.function != "count":
            raise ValueError(
                f"{self.function} needs a column; name it with column, or write {self.function}(temperature)"
            )
        if (self.function in WITH_SHARE) != (self.share is not None):
            if self.share is None:
                raise ValueError(
                    f"{self.function} needs a share from 0 to 1, such as {self.function}({self.column}, 0.95)"
                )
            raise ValueError(f"share belongs to {' and '.join(sorted(WITH_SHARE))}; leave it out")
        if self.function != "time_weighted_mean" and (self.carry or self.max_carry):
            raise ValueError("carry and max_carry belong to time_weighted_mean; leave them out")
        return self

    def __str__(self) -> str:
        parts = [str(part) for part in (self.column, self.share) if part is not None]
        return f"{self.function}({', '.join(parts)})" if parts else self.function


def _call(text: str) -> dict[str, object]:
    """`quantile(latency, 0.95)` as separate settings; ValueError with the remedy if it is none."""
    found = _CALL.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"{shown(text)} is not an aggregate; write count, or a function of a column: mean(temperature)"
        )
    name, inside = found[1], found[2]
    if percentile := _PERCENTILE.fullmatch(name):
        column = (inside or "").strip() or "temperature"
        raise ValueError(f"{name!r} is not a function; write quantile({column}, {int(percentile[1]) / 100})")
    if name == "ohlc":
        raise ValueError("ohlc is four columns; write each as its own: open(…), high(…), low(…), close(…)")
    if name not in FUNCTIONS and name not in OHLC:
        hint = did_you_mean(name, (*FUNCTIONS, *OHLC)) or "; there are"
        raise ValueError(f"{name!r} is not a function{hint} ({', '.join(FUNCTIONS)})")
    function = OHLC.get(name, name)
    arguments = [] if inside is None else [part.strip() for part in inside.split(",")]
    if function == "count" and (inside is None or arguments in ([""], ["*"])):
        return {"function": "count"}
    most = 2 if function in WITH_SHARE else 1
    example = f"{name}(temperature, 0.95)" if most == 2 else f"{name}(temperature)"
    if not arguments or "" in arguments:
        raise ValueError(f"{name} needs {'a column and a share' if most == 2 else 'a column'}, such as {example}")
    if len(arguments) > most:
        raise ValueError(f"{name} takes {'a column and a share' if most == 2 else 'one column'}, such as {example}")
    if most == 1:
        return {"function": function, "column": arguments[0]}
    if len(arguments) == 1:
        raise ValueError(f"{name} needs a share from 0 to 1 as well: {name}({arguments[0]}, 0.95)")
    return {"function": function, "column": arguments[0], "share": _share(arguments[1])}


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if 0 <= share <= 1:
        return share
    percent = f"; did you mean {share / 100:g}?" if 1 < share <= 100 else ", such as 0.95"
    raise ValueError(f"{shown(text)} is not a share from 0 to 1{percent}")


# ------------------------------------------------------------------------------------------------ what is missing

_FILLS = ("null", "zero", "previous", "linear")


def _fill(value: object) -> object:
    """YAML reads `fill: null` as nothing at all; here it is a way to fill."""
    if value is None:
        return "null"
    if isinstance(value, str) and value not in _FILLS:
        hint = did_you_mean(value, _FILLS) or "; there are"
        raise ValueError(f"{shown(value)} is not a way to fill{hint} ({', '.join(_FILLS)}, or a number)")
    return value


_FILL_SCHEMA = {"anyOf": [{"enum": [None, *_FILLS]}, {"type": "number"}]}
Fill = Annotated[
    Literal["null", "zero", "previous", "linear"] | Annotated[float, Strict()] | None,
    BeforeValidator(_fill),
    WithJsonSchema(_FILL_SCHEMA),
]
_PADDINGS = ("null", "zero")
Padding = Annotated[
    Literal["null", "zero"] | Annotated[float, Strict()],
    BeforeValidator(lambda value: "null" if value is None else value),
    WithJsonSchema({"anyOf": [{"enum": [None, *_PADDINGS]}, {"type": "number"}]}),
]


# ------------------------------------------------------------------------------------------------ windows


class WindowSpec(Part):
    """What every kind of window has. Windows are half-open, [start, end), and there is one row per key and window."""

    kind: WindowKind
    """tumbling, sliding, session, cumulative or sequence."""
    aggregates: Mapping[str, Aggregate]
    """Output column → aggregate. `row_count` is always there besides."""
    late: Literal["reopen", "divert"] = "reopen"
    """What a record for a bucket that is sealed does: reopen it, which gives its windows a new revision; or divert,
    which only enters it in the ledger of late records."""

    @property
    def size(self) -> int:
        """Length in µs, where it is always the same; ValueError where it is not."""
        raise ValueError(f"a {self.kind} window has no fixed size")


class AlignedWindow(WindowSpec):
    """Windows that begin at round times."""

    timezone: str = "UTC"
    """IANA name of the zone whose midnights days, weeks (from Monday), months, quarters and years begin at."""
    offset: OffsetUs = 0
    """By how much windows begin later than at round times: `6h` begins days at 06:00. May be negative."""
    fill: Fill = None
    """What stands in windows without rows, between the first and the last row of their key: null, zero, previous,
    linear or a number. Without it there are no such windows."""
    fill_limit: Annotated[int, Field(ge=1)] | None = None
    """Most windows in a row that are filled. Without it, all."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in zones():
            hint = did_you_mean(zone, zones()) or "; use an IANA name, such as Europe/Berlin or UTC"
            raise ValueError(f"{shown(zone)} is not a time zone{hint}")
        return zone


class TumblingWindow(AlignedWindow):
    """Windows side by side: every record is in exactly one."""

    kind: Literal["tumbling"] = "tumbling"
    """The kind that a window is without `kind`."""
    span: SpanText = Field(alias="size")
    """Length: a duration such as 15m, or a calendar unit: 1d, 1w, 1mo, 1q, 1y. Durations are counted from
    1970-01-01T00:00:00Z."""

    @property
    def size(self) -> int:
        fixed_us = self.span.fixed_us(self.timezone)
        return super().size if fixed_us is None else fixed_us


class SlidingWindow(AlignedWindow):
    """Windows that overlap: one of `size` begins every `slide`, and a record is in all that cover it."""

    kind: Literal["sliding"]
    span: SpanText = Field(alias="size")
    """Length, as of a tumbling window."""
    slide: SpanText
    """Time from one window's start to the next; not more than `size`."""


class SessionWindow(WindowSpec):
    """Windows of activity: rows of a key that follow each other within `gap` share one."""

    kind: Literal["session"]
    gap: DurationUs
    """Most time between two rows of a session."""
    gap_inclusive: bool = True
    """Whether rows exactly `gap` apart still share a session."""
    session_end: Literal["gap", "last"] = "gap"
    """Where a session ends: `gap` after its last row, or at its last row."""
    max_duration: DurationUs | None = None
    """Where sessions that never pause are cut. Without it, nowhere."""


class CumulativeWindow(AlignedWindow):
    """Windows that share a start and grow by `step` up to `size`, such as the day so far, every hour."""

    kind: Literal["cumulative"]
    span: SpanText = Field(alias="size")
    """Length of the last and longest, as of a tumbling window."""
    step: SpanText
    """By how much each is longer than the one before; `size` is a multiple of it."""


class SequenceWindow(WindowSpec):
    """Sequences of a fixed number of steps, for training models.

    Rows are resampled by `aggregates` on a grid of `step`. An output column holds a list of exactly `length` values.
    """

    kind: Literal["sequence"]
    step: DurationUs
    """Distance between the values of a sequence."""
    length: Annotated[int, Field(ge=1, le=_MAX_LENGTH)]
    """Steps in a sequence."""
    stride: Annotated[int, Field(ge=1)] | None = None
    """Steps from one sequence's start to the next. Default: `length`, so that sequences lie side by side."""
    offset: OffsetUs = 0
    """By how much sequences begin later than at round times."""
    fill: Fill = "null"
    """What stands in a step without rows, between the first and the last row of its key: null, zero, previous,
    linear or a number."""
    fill_limit: Annotated[int, Field(ge=1)] | None = None
    """Most steps in a row that are filled; those beyond are null."""
    padding: Padding = "null"
    """What stands in steps before the first and after the last row of their key: null, zero or a number."""
    mask: bool = False
    """Whether an output column `x` has a companion `x_mask`, which is true where the value was observed."""
    min_observed: Annotated[int, Field(ge=1)] = 1
    """Fewest steps with rows; a sequence with less is left out."""
    horizon: Annotated[int, Field(ge=0, le=_MAX_LENGTH)] = 0
    """Steps after a sequence that are its target, as further columns `x_target`."""


def kind_of(value: object) -> object:
    """The kind that a window definition says it is of."""
    return value.get("kind", "tumbling") if isinstance(value, dict) else getattr(value, "kind", None)


AnyWindow = Annotated[
    Annotated[TumblingWindow, Tag("tumbling")]
    | Annotated[SlidingWindow, Tag("sliding")]
    | Annotated[SessionWindow, Tag("session")]
    | Annotated[CumulativeWindow, Tag("cumulative")]
    | Annotated[SequenceWindow, Tag("sequence")],
    Discriminator(kind_of),
]
