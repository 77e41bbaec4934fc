"""What a window definition must give, worked out slowly: lists of records, exact fractions, the zones' own calendars.

Written from `docs/window-semantics.md` alone. It shares nothing with the engine but the definitions themselves and the
names of the output columns, so that a rule that is misread there shows here.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from functools import cached_property
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from windrow.lake.schema import result_schema
from windrow.spec import Aggregate, StreamSpec, WindowSpec
from windrow.spec.spans import Span
from windrow.spec.windows import (
    AlignedWindow,
    CountWindow,
    CumulativeWindow,
    PairwiseWindow,
    SequenceWindow,
    SessionWindow,
    SlidingWindow,
    TumblingWindow,
)
from windrow.units import DAY_US, SECOND_US, from_us, to_us

Record = Mapping[str, Any]
Row = dict[str, Any]
Bounds = tuple[int, int]
Value = Any

_RANK_ERROR = 0.0133
"""Of a KLL sketch with k = 200, of one side of the rank."""
_DISTINCT_ERROR = 3 * 1.04 / math.sqrt(1 << 12)
"""Of a HyperLogLog sketch of 2^12 registers: three standard errors."""


def expected(records: Sequence[Record], spec: StreamSpec, window: WindowSpec) -> list[Row]:
    """The rows of a definition: sorted by keys (null first) and bounds, their columns those of `result_schema`."""
    columns = list(result_schema(spec, window))
    keys = {tuple(record[name] for name in spec.keys) for record in records}
    rows = []
    for key in sorted(keys, key=lambda key: [(part is not None, part if part is not None else 0) for part in key]):
        of_key = [record for record in records if tuple(record[name] for name in spec.keys) == key]
        for row in _rows_of_key(Series(of_key, spec), window):
            whole = {**dict(zip(spec.keys, key, strict=True)), **row}
            rows.append({name: whole[name] for name in columns})
    return rows


def _rows_of_key(series: "Series", window: WindowSpec) -> list[Row]:
    if isinstance(window, SequenceWindow):
        return _sequences(series, window)
    if isinstance(window, AlignedWindow):
        return _aligned(series, window)
    found = [
        _row(series, window, cut) | {"first_time": from_us(cut.events[0].at), "last_time": from_us(cut.events[-1].at)}
        for cut in _CUTTERS[type(window)](series.events, window)
    ]
    return sorted(found, key=lambda row: (row["window_start"], row["window_end"]))


# ------------------------------------------------------------------------------------------------ records in order


@dataclass(frozen=True)
class Event:
    """A record with its time in µs."""

    at: int
    record: Record


@dataclass(frozen=True)
class Series:
    """The records of one key."""

    records: Sequence[Record]
    spec: StreamSpec

    @cached_property
    def events(self) -> list[Event]:
        """In order of time, ties in order of the record id."""
        time, keys = self.spec.time.column, self.spec.keys
        ties = [name for name in self.spec.identity if name != time and name not in keys]
        events = [Event(to_us(record[time]), record) for record in self.records]
        return sorted(events, key=lambda event: (event.at, *(event.record[name] for name in ties)))


@dataclass(frozen=True)
class Cut:
    """A window and what it holds: a run of a key's events. `begin` and `until` are where time is weighed."""

    start: int
    end: int
    events: Sequence[Event]
    begin: int
    until: int
    carries: bool = True
    """Whether values from outside are carried in: not into windows of rows, which have no bounds in time."""


def _cut(start: int, end: int, events: Sequence[Event]) -> Cut:
    return Cut(start, end, events, start, end)


def _row(series: Series, window: WindowSpec, cut: Cut) -> Row:
    values = {name: aggregated(each, cut, series) for name, each in window.aggregates.items()}
    return {
        "window_start": from_us(cut.start),
        "window_end": from_us(cut.end),
        **values,
        "row_count": len(cut.events),
    }


# ------------------------------------------------------------------------------------------------ kinds by the rows


def _sessions(events: Sequence[Event], window: WindowSpec) -> Iterator[Cut]:
    assert isinstance(window, SessionWindow)
    sessions: list[list[Event]] = []
    for event in events:
        is_new = True
        if sessions:
            distance = event.at - sessions[-1][-1].at
            is_new = distance > window.gap if window.gap_inclusive else distance >= window.gap
            if window.max_duration is not None and event.at - sessions[-1][0].at >= window.max_duration:
                is_new = True
        if is_new:
            sessions.append([])
        sessions[-1].append(event)
    for session, following in zip(sessions, [*sessions[1:], None], strict=True):
        end = session[-1].at
        if window.session_end == "gap":
            end += window.gap
            if following is not None:
                end = min(end, following[0].at)
        yield _cut(session[0].at, end, session)


def _counts(events: Sequence[Event], window: WindowSpec) -> Iterator[Cut]:
    assert isinstance(window, CountWindow)
    for first in range(0, len(events) - window.length + 1, window.stride or window.length):
        inside = events[first : first + window.length]
        yield Cut(inside[0].at, inside[-1].at, inside, inside[0].at, inside[-1].at, carries=False)


def _pairs(events: Sequence[Event], window: WindowSpec) -> Iterator[Cut]:
    assert isinstance(window, PairwiseWindow)
    for time in sorted({event.at for event in events}):
        inside = [event for event in events if time - window.span <= event.at <= time]
        yield Cut(time - window.span, time, inside, inside[0].at, inside[-1].at, carries=False)


_CUTTERS: dict[type[WindowSpec], Callable[[Sequence[Event], WindowSpec], Iterator[Cut]]] = {
    SessionWindow: _sessions,
    CountWindow: _counts,
    PairwiseWindow: _pairs,
}


# ------------------------------------------------------------------------------------------------ kinds by the clock


def _aligned(series: Series, window: AlignedWindow) -> list[Row]:
    events = series.events
    wanted = [to_us(each) for each in (window.fill_from, window.fill_to) if each is not None]
    times = [events[0].at, events[-1].at, *wanted]
    existing = aligned_windows(window, min(times), max(times))
    cuts = {}
    for start, end in existing:
        inside = [event for event in events if _holds(window, start, end, event.at)]
        if inside:
            cuts[start, end] = _cut(start, end, inside)
    rows = {bounds: _row(series, window, cut) for bounds, cut in cuts.items()}
    if window.fill is not None:
        rows = _filled(rows, existing, window)
    return [rows[bounds] for bounds in sorted(rows)]


def _holds(window: AlignedWindow, start: int, end: int, time: int) -> bool:
    return start < time <= end if window.closed == "right" else start <= time < end


def aligned_windows(window: AlignedWindow, low: int, high: int) -> list[Bounds]:
    """Every window that can hold a time from `low` to `high` or begins there, in order. None is without length."""
    match window:
        case TumblingWindow():
            found = [(start, end) for start, end, _ in _side_by_side(window, window.span, low, high)]
        case SlidingWindow():
            found = _sliding(window, low, high)
        case CumulativeWindow():
            bases = _side_by_side(window, window.span, low, high)
            found = [bounds for base in bases for bounds in _growing(window, *base)]
        case _:
            raise TypeError(window.kind)
    return sorted({(start, end) for start, end in found if start < end})


def _side_by_side(window: AlignedWindow, span: Span, low: int, high: int) -> list[tuple[int, int, datetime | None]]:
    """Start, end, and what clocks show at the start without the offset, of a calendar unit."""
    zone = ZoneInfo(window.timezone)
    fixed = span.fixed_us(window.timezone)
    if fixed is not None:
        return [(start, start + fixed, None) for start in _fixed_starts(fixed, window.offset, low - fixed, high)]
    walls = pairwise(_walls(span, window, low - 2 * span.longest_us, high + 2 * span.longest_us))
    shift = _shift(window)
    return [(_instant(wall + shift, zone), _instant(after + shift, zone), wall) for wall, after in walls]


def _sliding(window: SlidingWindow, low: int, high: int) -> list[Bounds]:
    zone = ZoneInfo(window.timezone)
    size, slide = window.span.fixed_us(window.timezone), window.slide.fixed_us(window.timezone)
    low -= window.span.longest_us if size is not None else window.span.longest_us + DAY_US
    if slide is None:
        walls = list(_walls(window.slide, window, low, high))
    else:
        starts = _fixed_starts(slide, window.offset, low, high)
        if size is not None:
            return [(start, start + size) for start in starts]
        return [(start, _instant(_later(_wall(start, zone), window.span), zone)) for start in starts]
    assert size is None, "the spec refuses a slide by the calendar under a fixed size"
    shift = _shift(window)
    if window.slide.months is not None and window.span.months is not None:
        # Months side by side must meet, though the offset may make a start the 31st.
        return [(_instant(wall + shift, zone), _instant(_later(wall, window.span) + shift, zone)) for wall in walls]
    return [(_instant(wall + shift, zone), _instant(_later(wall + shift, window.span), zone)) for wall in walls]


def _growing(window: CumulativeWindow, base: int, until: int, wall: datetime | None) -> Iterator[Bounds]:
    """Windows from `base` that grow step by step; the last ends at `until` whatever the step."""
    fixed = window.step.fixed_us(window.timezone)
    for number in range(1, 100_000):
        if fixed is not None:
            end = base + number * fixed
        else:
            assert wall is not None, "the spec refuses a step by the calendar under a fixed size"
            end = _instant(_later(wall, window.step, number) + _shift(window), ZoneInfo(window.timezone))
        if end >= until:
            break
        yield base, end
    yield base, until


def _fixed_starts(slide: int, offset: int, low: int, high: int) -> Iterator[int]:
    """The starts from `low` (or the one before) to `high`, by floor division."""
    for number in range((low - offset) // slide, (high - offset) // slide + 1):
        yield offset + number * slide


def _walls(span: Span, window: AlignedWindow, low: int, high: int) -> Iterator[datetime]:
    """What clocks on the wall show where a calendar unit begins, around two times. Without the offset."""
    first, last = (_wall(time - window.offset, ZoneInfo(window.timezone)) for time in (low, high))
    if span.months is not None:
        epoch, unit = datetime(1970, 1, 1), span.months
        lowest, highest = ((wall.year - 1970) * 12 + wall.month - 1 for wall in (first, last))
    else:
        epoch = datetime(1969, 12, 29) if span.unit == "w" else datetime(1970, 1, 1)
        unit = span.count * (7 if span.unit == "w" else 1)
        lowest, highest = ((wall - epoch).days for wall in (first, last))
    for number in range(lowest // unit - 1, highest // unit + 2):
        yield _months_later(epoch, number * unit) if span.months is not None else epoch + timedelta(number * unit)


def _shift(window: AlignedWindow) -> timedelta:
    """The offset, on the wall: months are counted from round times, and the offset comes after."""
    return timedelta(microseconds=window.offset)


def _later(wall: datetime, span: Span, times: int = 1) -> datetime:
    if span.months is not None:
        return _months_later(wall, times * span.months)
    return wall + times * timedelta(days=span.count * (7 if span.unit == "w" else 1))


def _months_later(wall: datetime, months: int) -> datetime:
    """The same day of a later month, or its last day where it has fewer."""
    number = wall.year * 12 + wall.month - 1 + months
    first = wall.replace(year=number // 12, month=number % 12 + 1, day=1)
    after = first.replace(year=(number + 1) // 12, month=(number + 1) % 12 + 1)
    return first.replace(day=min(wall.day, (after - first).days))


def _wall(time: int, zone: ZoneInfo) -> datetime:
    return from_us(time).astimezone(zone).replace(tzinfo=None, fold=0)


def _instant(wall: datetime, zone: ZoneInfo) -> int:
    """When a clock shows this for the first time; what it skips, as if it had not been put forward."""
    return to_us(wall.replace(tzinfo=zone, fold=0).astimezone(UTC))


# ------------------------------------------------------------------------------------------------ what is missing


def _filled(present: Mapping[Bounds, Row], existing: Sequence[Bounds], window: AlignedWindow) -> dict[Bounds, Row]:
    """The rows, and a row for every missing window that is filled."""
    if not present:  # every row was between two windows
        return {}
    after = (to_us(window.fill_from),) if window.fill_from is not None else min(present)
    before = (to_us(window.fill_to),) if window.fill_to is not None else max(present)
    missing = [after <= bounds < before and bounds not in present for bounds in existing]
    rows = dict(present)
    for is_missing, run in groupby(zip(missing, existing, strict=True), key=itemgetter(0)):
        gap = [bounds for _, bounds in run]
        if is_missing and (window.max_gap is None or len(gap) <= window.max_gap):
            for bounds in gap[: window.fill_limit]:
                left = max((each for each in present if each < bounds), default=None)
                right = min((each for each in present if each > bounds), default=None)
                stands_in = {
                    name: _stand_in(
                        window.fill,
                        None if left is None else (left[0], present[left][name]),
                        None if right is None else (right[0], present[right][name]),
                        bounds[0],
                    )
                    for name in window.aggregates
                }
                start, end = map(from_us, bounds)
                rows[bounds] = {"window_start": start, "window_end": end, **stands_in, "row_count": 0}
    return rows


def _stand_in(fill: object, left: tuple[int, Value] | None, right: tuple[int, Value] | None, at: int) -> Value:
    """What stands where nothing is, between neighbours given as (place, value)."""
    if fill == "previous":
        return None if left is None else left[1]
    if fill in (None, "null"):
        return None
    if fill != "linear":
        return 0 if fill == "zero" else fill
    if left is None or right is None or left[1] is None or right[1] is None:
        return None
    (x0, y0), (x1, y1) = left, right
    return float(Fraction(y0) + (Fraction(y1) - Fraction(y0)) * Fraction(at - x0, x1 - x0))


# ------------------------------------------------------------------------------------------------ sequences


@dataclass(frozen=True)
class Steps:
    """The cells of a key: what each with rows holds, and what stands in those without."""

    cells: Mapping[int, Row]
    window: SequenceWindow

    def value(self, name: str, cell: int) -> Value:
        """What a sequence shows of an output in a cell."""
        if cell in self.cells:
            return self.cells[cell][name]
        left = max((each for each in self.cells if each < cell), default=None)
        right = min((each for each in self.cells if cell < each < self._unknown_from(cell)), default=None)
        if left is None or right is None or not self._is_gap(right - left - 1):
            return _stand_in(self.window.padding, None, None, cell)
        if self.window.fill_limit is not None and cell - left > self.window.fill_limit:
            return None
        return _stand_in(self.window.fill, (left, self.cells[left][name]), (right, self.cells[right][name]), cell)

    def _unknown_from(self, cell: int) -> float:
        """The first cell with something of the next part, of which a model must not learn before the cut."""
        start = self.window.offset + cell * self.window.step
        cuts = [to_us(at) for at in (self.window.validate_from, self.window.test_from) if at and to_us(at) > start]
        return (min(cuts) - self.window.offset) // self.window.step if cuts else math.inf

    def _is_gap(self, length: int) -> bool:
        return self.window.max_gap is None or length <= self.window.max_gap

    def is_observed(self, name: str, cell: int) -> bool:
        return cell in self.cells and self.cells[cell][name] is not None


def _sequences(series: Series, window: SequenceWindow) -> list[Row]:
    in_cells: dict[int, list[Event]] = {}
    for event in series.events:
        in_cells.setdefault((event.at - window.offset) // window.step, []).append(event)

    def time(cell: int) -> int:
        return window.offset + cell * window.step

    cells = {cell: _row(series, window, _cut(time(cell), time(cell + 1), events)) for cell, events in in_cells.items()}
    steps = Steps(cells, window)
    stride = window.stride or window.length
    rows = []
    for number in range((min(cells) - window.length) // stride, max(cells) // stride + 1):
        first = number * stride
        own = range(first, first + window.length)
        target = range(first + window.length, first + window.length + window.horizon)
        observed = [cell for cell in own if cell in cells]
        part = _part(window, time(first), time(first + window.length + window.horizon))
        if len(observed) < window.min_observed or part is None:
            continue
        row: Row = {"window_start": from_us(time(first)), "window_end": from_us(time(first + window.length))}
        for name in window.aggregates:
            row[name] = [steps.value(name, cell) for cell in own]
            row[f"{name}_mask"] = [steps.is_observed(name, cell) for cell in own]
            row[f"{name}_target"] = [steps.value(name, cell) for cell in target]
            row[f"{name}_target_mask"] = [steps.is_observed(name, cell) for cell in target]
        row |= {"part": part, "observed_steps": len(observed)}
        rows.append(row | {"row_count": sum(len(in_cells[cell]) for cell in observed)})
    return rows


def _part(window: SequenceWindow, start: int, end: int) -> str | None:
    """The part a sequence lies in, target included; None if a cut goes through it."""
    cuts = [(name, to_us(at)) for name, at in (("validation", window.validate_from), ("test", window.test_from)) if at]
    name = "train"
    for later, at in cuts:
        if start < at < end:
            return None
        if start >= at:
            name = later
    return name


# ------------------------------------------------------------------------------------------------ aggregates


def aggregated(aggregate: Aggregate, cut: Cut, series: Series) -> Value:
    """One aggregate of one window."""
    name, function = aggregate.column, aggregate.function
    if name is None:
        return len(cut.events)
    points = [(event.at, event.record[name]) for event in cut.events]
    values = [value for _, value in points if value is not None]
    if not aggregate.skip_nulls and len(values) < len(points):
        return None
    match function:
        case "count":
            return len(values)
        case "n_unique":
            return len(set(values))
        case "approx_n_unique":
            return NearCount(len(set(values)))
    if not values:
        return None
    points = [(at, value) for at, value in points if value is not None]
    match function:
        case "sum":
            return _total(values)
        case "mean":
            return float(_exact(values) / len(values))
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "first":
            return values[0]
        case "last":
            return values[-1]
        case "collect":
            return values
        case "time_of_min":
            return from_us(next(at for at, value in points if value == min(values)))
        case "time_of_max":
            return from_us(next(at for at, value in points if value == max(values)))
        case "var":
            return _variance(values)
        case "std":
            variance = _variance(values)
            return None if variance is None else math.sqrt(variance)
        case "median":
            return _quantile(values, 0.5)
        case "quantile":
            assert aggregate.share is not None
            return _quantile(values, aggregate.share)
        case "approx_quantile":
            assert aggregate.share is not None
            return NearRank(tuple(sorted(values)), aggregate.share)
        case "resets":
            return sum(1 for before, after in pairwise(values) if after < before)
        case "changes":
            return sum(1 for before, after in pairwise(values) if after != before)
        case "increase":
            return None if len(values) < 2 else float(_increase(values))
        case "rate":
            duration = points[-1][0] - points[0][0]
            return float(_increase(values) / Fraction(duration, SECOND_US)) if duration else None
        case "integral" | "time_weighted_mean":
            area, duration = _weighed(aggregate, cut, series)
            if duration == 0:
                return None
            return float(area / duration if function == "time_weighted_mean" else area / SECOND_US)
    raise AssertionError(function)


def _exact(values: Iterable[Value]) -> Fraction:
    return sum(map(Fraction, values), Fraction(0))


def _total(values: Sequence[Value]) -> Value:
    """The sum in the type of its parts, a float's rounded once."""
    if isinstance(values[0], Decimal):
        context = Context(prec=60)
        total = Decimal(0)
        for value in values:
            total = context.add(total, value)
        return total
    return sum(values) if isinstance(values[0], int) else float(_exact(values))


def _variance(values: Sequence[Value]) -> float | None:
    if len(values) < 2:
        return None
    mean = _exact(values) / len(values)
    return float(sum((Fraction(value) - mean) ** 2 for value in values) / (len(values) - 1))


def _quantile(values: Sequence[Value], share: float) -> float:
    ordered = sorted(map(Fraction, values))
    rank = (len(ordered) - 1) * Fraction(share)
    below = ordered[math.floor(rank)]
    return float(below + (ordered[math.ceil(rank)] - below) * (rank - math.floor(rank)))


def _increase(values: Sequence[Value]) -> Fraction:
    """What a counter rose by; after a decrease it began at zero."""
    return _exact(after - before if after >= before else after for before, after in pairwise(map(Fraction, values)))


def _weighed(aggregate: Aggregate, cut: Cut, series: Series) -> tuple[Fraction, int]:
    """The area under the values in values × µs, and the µs that it reaches over."""
    name = aggregate.column
    assert name is not None
    known = [(event, Fraction(event.record[name])) for event in series.events if event.record[name] is not None]
    places = [number for number, (event, _) in enumerate(known) if any(event is each for each in cut.events)]
    before, after = known[: places[0]][-1:], known[places[-1] + 1 :][:1]
    points = [(event.at, value) for event, value in known[places[0] : places[-1] + 1]]
    if aggregate.carry == "none":
        return _steps_area(points)
    limit = math.inf if aggregate.max_carry is None else aggregate.max_carry
    carried = [(event.at, value) for event, value in before if cut.carries and cut.begin - event.at <= limit]
    following = [(event.at, value) for event, value in after if cut.carries and event.at - cut.until <= limit]
    if aggregate.carry == "linear":
        return _lines_area([*carried, *points, *following], cut.begin, cut.until)
    points = [(max(at, cut.begin), value) for at, value in [*carried, *points]]
    return _steps_area([*points, (cut.until, points[-1][1])])


def _steps_area(points: Sequence[tuple[int, Fraction]]) -> tuple[Fraction, int]:
    """Each value holds until the next."""
    area = sum(((x1 - x0) * y0 for (x0, y0), (x1, _) in pairwise(points)), Fraction(0))
    return area, points[-1][0] - points[0][0]


def _lines_area(points: Sequence[tuple[int, Fraction]], begin: int, until: int) -> tuple[Fraction, int]:
    """Lines from value to value, as far as they are between two times."""
    area, duration = Fraction(0), 0
    for (x0, y0), (x1, y1) in pairwise(points):
        left, right = max(x0, begin), min(x1, until)
        if left < right:
            middle = y0 + (y1 - y0) * (Fraction(left + right, 2) - x0) / (x1 - x0)
            area += middle * (right - left)
            duration += right - left
    return area, duration


# ------------------------------------------------------------------------------------------------ comparison


@dataclass(frozen=True)
class NearCount:
    """A number of distinct values, as near as a HyperLogLog sketch comes."""

    count: int

    def accepts(self, found: Value) -> bool:
        return found is not None and abs(found - self.count) <= _DISTINCT_ERROR * self.count


@dataclass(frozen=True)
class NearRank:
    """A value whose rank is as near to a share as a KLL sketch comes. Few values are all in the sketch."""

    ordered: tuple[Value, ...]
    share: float

    def accepts(self, found: Value) -> bool:
        if not isinstance(found, float) or found not in map(float, self.ordered):
            return False
        below = sum(1 for value in self.ordered if float(value) < found) / len(self.ordered)
        upto = sum(1 for value in self.ordered if float(value) <= found) / len(self.ordered)
        return below - _RANK_ERROR <= self.share <= upto + _RANK_ERROR


_EXACT = {
    *("count", "sum", "min", "max", "first", "last", "n_unique", "changes", "resets", "collect"),
    *("time_of_min", "time_of_max"),
}


def agrees(found: Value, wanted: Value, aggregate: Aggregate | None, records: Sequence[Record], filled: object) -> bool:
    """Whether a value is the one that is wanted: to the last digit where the engine says so, nearly elsewhere.

    Sums are exact; a mean is the rounded quotient of an exact sum, so one rounding away. What else is computed in
    floats is right to 1e-9 of itself, or to 1e-12 of what went into it where that cancels out. `aggregate` is None for
    a column that is no output, and `filled` how gaps are filled, because a point of a line is not exact either.
    """
    if isinstance(wanted, NearCount | NearRank):
        return wanted.accepts(found)
    if isinstance(wanted, list) and (aggregate is None or aggregate.function != "collect"):
        return len(found) == len(wanted) and all(
            agrees(have, want, aggregate, records, filled) for have, want in zip(found, wanted, strict=True)
        )
    if wanted is None or found is None or isinstance(wanted, bool | str | datetime | list):
        return type(found) is type(wanted) and bool(found == wanted)
    if isinstance(found, float):  # a whole number or a decimal is a float where what stands in for it is none
        wanted = float(wanted)
    is_sketch = aggregate is not None and aggregate.function.startswith("approx_")  # and `wanted` stands in for it
    if aggregate is None or is_sketch or (aggregate.function in _EXACT and filled != "linear"):
        return bool(found == wanted)
    if aggregate.function == "mean" and filled != "linear":
        return bool(abs(found - wanted) <= math.ulp(wanted))
    return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-12 * _scale(aggregate, records))


def _scale(aggregate: Aggregate, records: Sequence[Record]) -> float:
    values = (record[aggregate.column] for record in records if aggregate.column is not None)
    largest = max((abs(float(value)) for value in values if isinstance(value, int | float | Decimal)), default=0.0)
    if aggregate.function == "var":
        return largest**2
    return largest * 1e6 if aggregate.function in {"integral", "rate"} else largest


def differences(found: Sequence[Row], records: Sequence[Record], spec: StreamSpec, window: WindowSpec) -> list[str]:
    """What is other in computed rows than it should be, in words; nothing if all is well."""
    wanted = expected(records, spec, window)
    if len(found) != len(wanted):
        return [f"{len(found)} rows instead of {len(wanted)}", *map(str, found), "instead of", *map(str, wanted)]
    return [
        f"row {number}, {name}: {have[name]!r} instead of {want[name]!r}; {_place(have, spec)}"
        for number, (have, want) in enumerate(zip(found, wanted, strict=True))
        for name in want
        if name not in have
        or not agrees(have[name], want[name], _aggregate(window, name), records, getattr(window, "fill", None))
    ]


def _aggregate(window: WindowSpec, column: str) -> Aggregate | None:
    return window.aggregates.get(column.removesuffix("_target"))


def _place(row: Row, spec: StreamSpec) -> str:
    return ", ".join(f"{name} {row.get(name)}" for name in (*spec.keys, "window_start", "window_end"))
