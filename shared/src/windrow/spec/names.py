"""Names: those that are taken, those that were nearly right, and how values are shown in messages."""

from collections.abc import Iterable
from difflib import get_close_matches

RESERVED_COLUMNS = frozenset(
    {"event_date", "window_start", "window_end", "is_final", "revision", "row_count", "input_count", "computed_at"}
)
"""Columns of Windrow's own in the tables."""

_MAX_CHARS = 60
_MAX_NAMES = 200
_ELSEWHERE = {
    "str": "string",
    "text": "string",
    "varchar": "string",
    "integer": "int",
    "long": "int",
    "bigint": "int",
    "int64": "int",
    "double": "float",
    "real": "float",
    "number": "float",
    "float64": "float",
    "boolean": "bool",
    "datetime": "timestamp",
    "time": "timestamp",
    "numeric": "decimal",
    "enum": "categorical",
    "array": "list",
    "avg": "mean",
    "average": "mean",
    "stddev": "std",
    "variance": "var",
    "nunique": "n_unique",
    "count_distinct": "n_unique",
    "distinct": "n_unique",
    "percentile": "quantile",
    "approx_count_distinct": "approx_n_unique",
    "approx_percentile": "approx_quantile",
    "twap": "time_weighted_mean",
    "hop": "sliding",
    "hopping": "sliding",
    "fixed": "tumbling",
    "accumulate": "cumulative",
    "ffill": "previous",
    "forward": "previous",
    "interpolate": "linear",
    "tz": "timezone",
    "time_zone": "timezone",
    "primary_key": "unique",
    "ttl": "retention",
    "fields": "columns",
    "name": "stream",
    "period": "size",
    "every": "slide",
}
"""What other tools call the same thing, where no letters hint at it."""


def nearest(name: object, known: Iterable[str]) -> str | None:
    """The one among `known` that was probably meant, if any."""
    if not isinstance(name, str) or not name or len(name) > _MAX_CHARS:
        return None
    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(each.casefold(), each)
    plain = name.casefold().strip()
    elsewhere = _ELSEWHERE.get(plain)
    if plain not in folded and elsewhere in folded:
        return folded[elsewhere]
    # Comparing is slow, and a hostile spec has thousands of names that are wrong among thousands that are not.
    few = folded if len(folded) <= _MAX_NAMES else [each for each in folded if each[:1] == plain[:1]][:_MAX_NAMES]
    close = get_close_matches(plain, few, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def did_you_mean(name: object, known: Iterable[str], *, quoted: bool = False) -> str:
    """`; did you mean lateness?`, or nothing when no known name is near."""
    found = nearest(name, known)
    if found is None:
        return ""
    return f"; did you mean {found!r}?" if quoted else f"; did you mean {found}?"


def shown(value: object) -> str:
    """A value as it stands in messages: short, and as YAML would write it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            text = repr(value)
            return text if len(text) <= _MAX_CHARS else f"{text[:_MAX_CHARS]}…"


def one_of(names: Iterable[str]) -> str:
    """`a, b or c`."""
    several = list(names)
    return several[0] if len(several) == 1 else f"{', '.join(several[:-1])} or {several[-1]}"
