"""What windows there are, worked out slowly and plainly: one by one, with the standard library's clocks."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from pydantic import TypeAdapter

from windrow.spec.spans import Span
from windrow.spec.windows import AlignedWindow, AnyWindow, CumulativeWindow, SlidingWindow
from windrow.units import DAY_US, from_us, to_us

HOUR_US = 3_600_000_000
_WINDOW: TypeAdapter[AnyWindow] = TypeAdapter(AnyWindow)
Bounds = tuple[int, int]


def defined(**settings: Any) -> AlignedWindow:
    """A definition of aligned windows that counts rows."""
    window = _WINDOW.validate_python({"aggregates": {"n": "count"}, **settings})
    assert isinstance(window, AlignedWindow)
    return window


def us(text: str) -> int:
    """An ISO time in UTC, as µs since 1970."""
    return to_us(datetime.fromisoformat(text).replace(tzinfo=UTC))


def instant(wall: datetime, zone: str) -> int:
    """fold=0: the first of two; and what is skipped by the offset before."""
    return to_us(wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC))


def wall_of(moment: int, zone: str) -> datetime:
    return from_us(moment).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def month_start(month: int) -> datetime:
    return datetime(1970 + month // 12, month % 12 + 1, 1)


def days_of(span: Span) -> timedelta:
    return (
        timedelta(microseconds=span.count)
        if span.unit == "us"
        else timedelta(days=span.count * (7 if span.unit == "w" else 1))
    )


def later(wall: datetime, span: Span) -> datetime:
    if span.months is None:
        return wall + days_of(span)
    first = month_start((wall.year - 1970) * 12 + wall.month - 1 + span.months)
    last_day = (month_start((first.year - 1970) * 12 + first.month) - timedelta(days=1)).day
    return first.replace(day=min(wall.day, last_day)) + (wall - wall.replace(hour=0, minute=0, second=0, microsecond=0))


def unit_start(number: int, span: Span) -> datetime:
    if span.months is not None:
        return month_start(number * span.months)
    first = datetime(1969, 12, 29) if span.unit == "w" else datetime(1970, 1, 1)
    return first + number * days_of(span)


def windows_around(window: AlignedWindow, low: int, high: int) -> list[Bounds]:
    """Every window with any length that starts from well before `low` to well behind `high`, in order."""
    slide = window.slide if isinstance(window, SlidingWindow) else window.span
    zone, offset = window.timezone, timedelta(microseconds=window.offset)
    slide_us, size_us = slide.fixed_us(zone), window.span.fixed_us(zone)
    margin = window.span.longest_us + slide.longest_us
    if slide_us is None or size_us is None:
        margin += 3 * DAY_US  # clocks are off UTC, and change
    since = low - margin - window.offset
    # The number of months is counted from the year; that of other spans is near the number of their lengths.
    months = 12 * (from_us(since).year - 1970) // (slide.months or 1)
    number = (months if slide.months else since // slide.longest_us) - 2
    found = set()
    while True:
        if slide_us is None:
            wall = unit_start(number, slide) + offset
            start = instant(wall, zone)
        else:
            start = number * slide_us + window.offset
            wall = wall_of(start, zone)
        if start > high + margin:
            return sorted(found)
        if size_us is not None:
            end = start + size_us
        elif slide.months is not None and window.span.months is not None:
            end = instant(month_start(number * slide.months + window.span.months) + offset, zone)
        else:
            end = instant(later(wall, window.span), zone)
        if start < end:
            found |= {(start, bound) for bound in _ends(window, wall, start, end)}
        number += 1


def _ends(window: AlignedWindow, wall: datetime, start: int, end: int) -> list[int]:
    if not isinstance(window, CumulativeWindow):
        return [end]
    ends: list[int] = []
    step_us = window.step.fixed_us(window.timezone)
    while not ends or ends[-1] < end:
        count = len(ends) + 1
        grown = (
            start + count * step_us
            if step_us is not None
            else instant(_steps_later(wall, window, count), window.timezone)
        )
        ends.append(min(grown, end))
    return ends


def _steps_later(wall: datetime, window: CumulativeWindow, count: int) -> datetime:
    step = Span(window.step.count * count, window.step.unit)
    if step.months is None:
        return later(wall, step)
    offset = timedelta(microseconds=window.offset)
    return later(wall - offset, step) + offset


# ------------------------------------------------------------------------------------------------ any of them

ZONES = (
    "UTC",
    "America/Los_Angeles",
    "Europe/Berlin",
    "Asia/Beirut",  # skips midnight
    "America/Havana",  # shows midnight twice
    "America/Sao_Paulo",  # both, until 2019
    "Australia/Lord_Howe",  # half an hour of summer time
    "Pacific/Apia",  # skipped 2011-12-30
    "Asia/Kathmandu",
)
_ODD_HOURS = (
    "2024-03-10T08:00", "2024-11-03T07:00", "2024-03-31T01:00", "2024-10-27T01:00", "2024-03-30T22:00",
    "2024-10-26T21:00", "2024-11-03T05:00", "2024-03-10T05:00", "2018-11-04T03:00", "2018-02-18T02:00",
    "2024-04-06T15:00", "2024-10-05T15:30", "2011-12-30T10:00", "1970-01-01T00:00", "1969-12-31T23:00",
)  # fmt: skip
"""Hours at which a clock of one of the zones changes, and 1970."""


def times() -> st.SearchStrategy[int]:
    """Times from 1950 to 2090, often near changes of clocks, and often on round ones."""
    any_time = st.integers(us("1950-01-01"), us("2090-01-01"))
    near = st.tuples(st.sampled_from(_ODD_HOURS).map(us), st.integers(-40 * HOUR_US, 40 * HOUR_US)).map(sum)
    return st.one_of(
        near,
        near.map(lambda time: time // HOUR_US * HOUR_US),
        near.map(lambda time: time // HOUR_US * HOUR_US - 1),
        any_time,
        any_time.map(lambda time: time // DAY_US * DAY_US),
    )


_CLOSED = st.sampled_from(["left", "right"])


@st.composite
def fixed_windows(draw: st.DrawFn) -> AlignedWindow:
    """Any definition of fixed lengths; sliding ones overlap at most fortyfold."""
    unit = draw(st.sampled_from([1, 1_000_000, 60_000_000, HOUR_US]))
    size = draw(st.integers(1, 40)) * unit
    offset = draw(st.integers(-3 * size, 3 * size))
    common = {"offset": f"{'-' if offset < 0 else ''}{abs(offset)}us", "closed": draw(_CLOSED)}
    kind = draw(st.sampled_from(["tumbling", "sliding", "cumulative"]))
    if kind == "tumbling":
        return defined(size=f"{size}us", **common)
    if kind == "sliding":
        slide = draw(st.integers(1, 60)) * unit
        return defined(kind=kind, size=f"{size}us", slide=f"{slide}us", **common)
    return defined(kind=kind, size=f"{size * draw(st.integers(1, 12))}us", step=f"{size}us", **common)


_SIZES = ("1d", "2d", "7d", "1w", "2w", "1mo", "2mo", "1q", "1y")
_SLIDES = (("1d", "1h"), ("1d", "7h"), ("1w", "1d"), ("1w", "2d"), ("3d", "2d"), ("1mo", "1d"), ("1w", "6h"),
           ("1mo", "1w"), ("1q", "1mo"), ("3mo", "2mo"), ("1d", "1w"), ("5d", "1mo"), ("1y", "1q"))  # fmt: skip
_STEPS = (("1d", "1h"), ("1d", "6h"), ("2d", "1d"), ("1w", "1d"), ("1mo", "1d"), ("1q", "1mo"), ("1y", "1q"),
          ("2w", "1w"), ("48h", "1d"), ("2w", "12h"))  # fmt: skip


@st.composite
def calendar_windows(draw: st.DrawFn) -> AlignedWindow:
    """Any definition of calendar lengths in one of the zones."""
    common = {
        "timezone": draw(st.sampled_from(ZONES)),
        "offset": draw(st.sampled_from(["0s", "6h", "-6h", "2h30m", "36h", "-31d", "40d", "17m3us"])),
        "closed": draw(_CLOSED),
    }
    kind = draw(st.sampled_from(["tumbling", "sliding", "cumulative"]))
    if kind == "tumbling":
        return defined(size=draw(st.sampled_from(_SIZES)), **common)
    if kind == "sliding":
        size, slide = draw(st.sampled_from(_SLIDES))
        return defined(kind=kind, size=size, slide=slide, **common)
    size, step = draw(st.sampled_from(_STEPS))
    return defined(kind=kind, size=size, step=step, **common)
