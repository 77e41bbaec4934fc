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
from windrow.spec.moments import Moment
from windrow.spec.names import did_you_mean, shown
from windrow.spec.spans import OffsetUs, Span, SpanText
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
    "integral",
    "changes",
    "resets",
    "collect",
    "time_of_min",
    "time_of_max",
    "approx_quantile",
    "approx_n_unique",
]
FUNCTIONS: tuple[AggregateFunction, ...] = get_args(AggregateFunction)
OHLC: Mapping[str, AggregateFunction] = {"open": "first", "high": "max", "low": "min", "close": "last"}
"""What traders call four of them."""
NUMERIC_ONLY: frozenset[AggregateFunction] = frozenset(
    {
        "sum",
        "mean",
        "std",
        "var",
        "median",
        "quantile",
        "time_weighted_mean",
        "rate",
        "increase",
        "integral",
        "changes",
        "resets",
        "approx_quantile",
    }
)
"""Functions of numbers; the others take any column but a list, and `count` takes that too."""
WITH_SHARE: frozenset[AggregateFunction] = frozenset({"quantile", "approx_quantile"})
"""Functions that take a share of the rows besides a column."""
WITH_CARRY: frozenset[AggregateFunction] = frozenset({"time_weighted_mean", "integral"})
"""Functions of what stands between the values of a series."""
FROM_PARTS: frozenset[AggregateFunction] = frozenset(
    {"count", "sum", "mean", "min", "max", "first", "last", "approx_quantile", "approx_n_unique"}
)
"""Functions that can be put together from those of parts of the rows; the others need all rows of a window at once."""

WindowKind = Literal["tumbling", "sliding", "session", "cumulative", "sequence", "count", "pairwise"]
KINDS: tuple[WindowKind, ...] = get_args(WindowKind)

_CALL = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\((.*)\))?", re.DOTALL)
_NO_OHLC = "ohlc is four columns; write each as its own: open(…), high(…), low(…), close(…)"
_PERCENTILE = re.compile(r"p(\d\d?)")
_MAX_LENGTH = 100_000
MAX_WINDOWS = 10_000_000
"""Most windows in a row that are filled or skipped."""


class Aggregate(Part):
    """One aggregate of a window. Written short as a call: `count`, `mean(temperature)`, `quantile(latency, 0.95)`."""

    function: AggregateFunction
    """count (rows, or values of a column that are not null), sum, mean, min, max, first, last (by event time), std,
    var (of a sample), median, quantile (exact), n_unique, time_weighted_mean, integral (of it, in values × seconds),
    rate (per second), increase (both take a decrease for a counter that began anew), resets and changes (of a
    counter), collect (a list of the values by event time), time_of_min, time_of_max, approx_quantile,
    approx_n_unique. `open`, `high`, `low` and `close` are other words for first, max, min and last."""
    column: str | None = None
    """Of which column. Only `count` can do without: then it counts rows."""
    share: Annotated[float, Field(ge=0, le=1)] | None = None
    """Which quantile, from 0 to 1, of quantile and approx_quantile."""
    carry: Literal["previous", "linear", "none"] | None = None
    """What a time_weighted_mean or an integral takes to be between two values: the earlier one (`previous`, the
    default), or a line (`linear`). `none` is the earlier one too, but nothing is carried over the window's bounds: it
    reaches from the first value to the last. Windows that hold a number of rows, and pairwise ones, carry nothing."""
    max_carry: DurationUs | None = None
    """How long before a window the value may be that is carried into it, and how long after it the one that a line
    leads to. Without it, any time. A stream needs it, so that a record cannot change windows at any distance."""
    skip_nulls: bool = True
    """Whether nulls are left out; if not, a null makes the aggregate null."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        if isinstance(value, str):
            return _call(value)
        if isinstance(value, dict) and isinstance(name := value.get("function"), str):
            if name == "ohlc":
                raise ValueError(_NO_OHLC)
            return {**value, "function": OHLC.get(name, name)}
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
        if self.function not in WITH_CARRY and (self.carry or self.max_carry is not None):
            raise ValueError(f"carry and max_carry belong to {' and '.join(sorted(WITH_CARRY))}; leave them out")
        if self.function == "count" and not self.skip_nulls:
            raise ValueError("count is never null; leave skip_nulls out")
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
        raise ValueError(_NO_OHLC)
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
    """tumbling, sliding, session, cumulative, sequence, count or pairwise."""
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
    fill_limit: Annotated[int, Field(ge=1, le=MAX_WINDOWS)] | None = None
    """Most windows in a row that are filled. Without it, all."""
    max_gap: Annotated[int, Field(ge=1, le=MAX_WINDOWS)] | None = None
    """Most windows without rows in a row that count as a gap. More are silence, of which no window is filled. A stream
    needs it, so that a record cannot change windows at any distance."""
    fill_from: Moment | None = None
    """Fill from here on, even before the first row of a key. For files only."""
    fill_to: Moment | None = None
    """Fill up to here, even after the last row of a key. For files only."""
    closed: Literal["left", "right"] = "left"
    """Which bound belongs to the window: its start (`left`, [start, end)), or its end (`right`, (start, end])."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in zones():
            hint = did_you_mean(zone, zones()) or "; use an IANA name, such as Europe/Berlin or UTC"
            raise ValueError(f"{shown(zone)} is not a time zone{hint}")
        return zone

    @property
    def every(self) -> Span:
        """Time from one window to the next."""
        raise NotImplementedError


class TumblingWindow(AlignedWindow):
    """Windows side by side: every record is in exactly one."""

    kind: Literal["tumbling"] = "tumbling"
    """The kind that a window is without `kind`."""
    span: SpanText = Field(alias="size")
    """Length: a duration such as 15m, or a calendar unit: 1d, 1w, 1mo, 1q, 1y. Durations are counted from
    1970-01-01T00:00:00Z."""

    @property
    def every(self) -> Span:
        return self.span

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
    """Time from one window's start to the next. More than `size` leaves holes."""

    @property
    def every(self) -> Span:
        return self.slide


class SessionWindow(WindowSpec):
    """Windows of activity: rows of a key that follow each other within `gap` share one.

    The columns `first_time` and `last_time` tell when its first and last row are.
    """

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

    @property
    def every(self) -> Span:
        return self.step


class SequenceWindow(WindowSpec):
    """Sequences of a fixed number of steps, for training models.

    Rows are resampled by `aggregates` on a grid of `step`. An output column holds a list of exactly `length` values,
    and the column `observed_steps` tells how many steps have rows.
    """

    kind: Literal["sequence"]
    step: DurationUs
    """Distance between the values of a sequence."""
    length: Annotated[int, Field(ge=1, le=_MAX_LENGTH)]
    """Steps in a sequence."""
    stride: Annotated[int, Field(ge=1, le=MAX_WINDOWS)] | None = None
    """Steps from one sequence's start to the next. Default: `length`, so that sequences lie side by side."""
    offset: OffsetUs = 0
    """By how much sequences begin later than at round times."""
    fill: Fill = "null"
    """What stands in a step without rows, between the first and the last row of its key: null, zero, previous,
    linear or a number."""
    fill_limit: Annotated[int, Field(ge=1, le=MAX_WINDOWS)] | None = None
    """Most steps in a row that are filled; those beyond are null."""
    max_gap: Annotated[int, Field(ge=1, le=MAX_WINDOWS)] | None = None
    """Most steps without rows in a row that count as a gap. More are silence, which is padded. A stream needs it where
    `fill` and `padding` differ."""
    padding: Padding = "null"
    """What stands in steps before the first and after the last row of their key, and in silence: null, zero or a
    number."""
    mask: bool = False
    """Whether an output column `x` has a companion `x_mask`, which is true where the value was observed."""
    min_observed: Annotated[int, Field(ge=1)] = 1
    """Fewest steps with rows; a sequence with less is left out."""
    horizon: Annotated[int, Field(ge=0, le=_MAX_LENGTH)] = 0
    """Steps after a sequence that are its target, as further columns `x_target`."""
    validate_from: Moment | None = None
    """Sequences from here on are for validation, as the column `part` says."""
    test_from: Moment | None = None
    """Sequences from here on are for tests, as the column `part` says; those before are for training. A sequence
    that a cut goes through, its target included, is left out."""

    @property
    def parts(self) -> tuple[tuple[str, Moment | None, Moment | None], ...]:
        """Name, begin and end of each part that the cuts make; none without cuts."""
        cuts = [(name, at) for name, at in (("validation", self.validate_from), ("test", self.test_from)) if at]
        if not cuts:
            return ()
        names = ["train", *(name for name, _ in cuts)]
        bounds = [None, *(at for _, at in cuts), None]
        return tuple((name, bounds[number], bounds[number + 1]) for number, name in enumerate(names))


class CountWindow(WindowSpec):
    """Windows of a number of rows of a key, by event time. For files only: late rows would move every bound.

    A window starts with its first row and ends with its last, which belongs to it.
    """

    kind: Literal["count"]
    length: Annotated[int, Field(ge=1, le=_MAX_LENGTH)]
    """Rows in a window; what is left over at the end is in none."""
    stride: Annotated[int, Field(ge=1, le=MAX_WINDOWS)] | None = None
    """Rows from one window's first to the next's. Default: `length`."""


class PairwiseWindow(WindowSpec):
    """Windows that end at each row of a key and reach back by `size`, both bounds included. For files only.

    Rows of the same time share one. The columns `first_time` and `last_time` tell when its first and last row are.
    """

    kind: Literal["pairwise"]
    span: DurationUs = Field(alias="size")
    """How far back from its last row a window reaches."""


def kind_of(value: object) -> object:
    """The kind that a window definition says it is of."""
    return value.get("kind", "tumbling") if isinstance(value, dict) else getattr(value, "kind", None)


AnyWindow = Annotated[
    Annotated[TumblingWindow, Tag("tumbling")]
    | Annotated[SlidingWindow, Tag("sliding")]
    | Annotated[SessionWindow, Tag("session")]
    | Annotated[CumulativeWindow, Tag("cumulative")]
    | Annotated[SequenceWindow, Tag("sequence")]
    | Annotated[CountWindow, Tag("count")]
    | Annotated[PairwiseWindow, Tag("pairwise")],
    Discriminator(kind_of),
]
