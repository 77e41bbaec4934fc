"""Formats that a single text could be written in, told from its shape."""

import re
from collections.abc import Iterator
from itertools import product

from windrow.spec.times import EPOCHS, format_fault

_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?", re.ASCII
)
_EPOCH = re.compile(r"\d{8,19}(?:\.\d+)?", re.ASCII)

# What a date can look like: a pattern, and for each order of its parts how strptime names them. Where the text itself
# says which part is which, the order has no name.
_S = r"(?P<s>[-/. ])"
_DATES: tuple[tuple[re.Pattern[str], dict[str, str]], ...] = tuple(
    (re.compile(pattern, re.ASCII), orders)
    for pattern, orders in (
        (rf"\d{{4}}{_S}\d{{1,2}}(?P=s)\d{{1,2}}(?!\d)", {"": "%Y{s}%m{s}%d"}),
        (rf"\d{{1,2}}{_S}\d{{1,2}}(?P=s)\d{{4}}(?!\d)", {"dmy": "%d{s}%m{s}%Y", "mdy": "%m{s}%d{s}%Y"}),
        (rf"\d{{1,2}}{_S}\d{{1,2}}(?P=s)\d{{2}}(?!\d)", {"dmy": "%d{s}%m{s}%y", "mdy": "%m{s}%d{s}%y"}),
        (rf"\d{{2}}{_S}\d{{2}}(?P=s)\d{{2}}(?!\d)", {"ymd": "%y{s}%m{s}%d"}),
        (r"\d{8}(?=$|[T _]|\d{2}$|\d{4}$|\d{6}$)", {"ymd": "%Y%m%d", "dmy": "%d%m%Y", "mdy": "%m%d%Y"}),
        (rf"\d{{1,2}}{_S}(?P<b>[A-Za-z]{{3,9}})(?P=s)\d{{4}}(?!\d)", {"": "%d{s}{b}{s}%Y"}),
        (rf"\d{{1,2}}{_S}(?P<b>[A-Za-z]{{3,9}})(?P=s)\d{{2}}(?!\d)", {"": "%d{s}{b}{s}%y"}),
        (rf"\d{{4}}{_S}(?P<b>[A-Za-z]{{3,9}})(?P=s)\d{{1,2}}(?!\d)", {"": "%Y{s}{b}{s}%d"}),
        (r"(?P<b>[A-Za-z]{3,9}) \d{1,2}(?P<c>,?) \d{4}(?!\d)", {"": "{b} %d{c} %Y"}),
    )
)
_WEEKDAY = re.compile(r"(?P<name>[A-Za-z]{3,9})(?P<rest>,? )")
_JOINT = re.compile(r"T|, | |_|:|")
_CLOCK = re.compile(
    r"\d{1,2}(?P<s>[:.])\d{2}(?:(?P=s)(?P<second>\d{2})(?P<fraction>\.\d{1,9})?)?(?:(?P<gap> ?)(?P<half>[AaPp][Mm]))?",
    re.ASCII,
)
_COMPACT_CLOCK = re.compile(r"(?:\d{6}|\d{4})(?!\d)", re.ASCII)
_HOUR = re.compile(r"\d{1,2}$", re.ASCII)
_ZONE = re.compile(r"(?P<gap> ?)(?:(?P<name>Z|UTC|GMT)|(?P<offset>[+-]\d{2}:?\d{2}))$", re.ASCII)
_MONTHS = frozenset(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])


def patterns_of(text: str) -> list[tuple[str, str]]:
    """Order and format of every way in which one text can be a time."""
    if _ISO.fullmatch(text):
        return [("", "iso8601")]
    found = [(unit, unit) for unit in EPOCHS] if _EPOCH.fullmatch(text) else []
    weekday = _WEEKDAY.match(text)
    for start in [0, weekday.end()] if weekday else [0]:
        prefix = ""
        if start and weekday:
            prefix = ("%a" if len(weekday["name"]) == 3 else "%A") + weekday["rest"]
        for date, orders in _DATES:
            match = date.match(text, start)
            if match is None:
                continue
            parts = match.groupdict(default="")
            if "b" in parts:
                if parts["b"][:3].lower() not in _MONTHS:
                    continue
                parts["b"] = "%b" if len(parts["b"]) == 3 else "%B"
            rest = text[match.end() :]
            for (order, pattern), clock in product(orders.items(), list(_rest(rest))):
                found.append((order, prefix + pattern.format(**parts) + clock))
    return [(order, name) for order, name in found if format_fault(name) is None]


def _rest(rest: str) -> Iterator[str]:
    """What can follow a date: nothing, or a time of day and a zone."""
    if not rest:
        yield ""
        return
    zone = _ZONE.fullmatch(rest)
    if zone:
        yield _zone(zone)
    joint = _JOINT.match(rest)
    if joint is None:
        return
    for pattern, after in clocks_of(rest[joint.end() :]):
        zone = _ZONE.fullmatch(after)
        if not after:
            yield joint[0] + pattern
        elif zone:
            yield joint[0] + pattern + _zone(zone)


def clocks_of(text: str) -> Iterator[tuple[str, str]]:
    """Pattern of a time of day at the start of a text, and what follows it."""
    if match := _CLOCK.match(text):
        mark = match["s"]
        pattern = ("%I" if match["half"] else "%H") + f"{mark}%M"
        if match["second"]:
            pattern += f"{mark}%S" + ("%.f" if match["fraction"] else "")
        if match["half"]:
            pattern += match["gap"] + "%p"
        yield pattern, text[match.end() :]
    elif match := _COMPACT_CLOCK.match(text):
        yield ("%H%M%S" if len(match[0]) == 6 else "%H%M"), text[match.end() :]
    elif match := _HOUR.match(text):
        yield "%H", ""


def _zone(found: re.Match[str]) -> str:
    return found["gap"] + (found["name"] or "%z")
