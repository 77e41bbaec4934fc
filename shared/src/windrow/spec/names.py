"""Names: those that are taken, those that were nearly right, and how values are shown in messages."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

RESERVED_COLUMNS = frozenset(
    {"event_date", "window_start", "window_end", "is_final", "revision", "row_count", "input_count", "computed_at"}
)
"""Columns of Windrow's own in the tables."""

RESERVED_OUTPUTS = frozenset({"first_time", "last_time"})
"""What every group of rows has besides while windows are computed: no output and no key is called so."""

_MAX_CHARS = 60
_MAX_NAMES = 200
_ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    # types
    "str": ("string",),
    "text": ("string",),
    "varchar": ("string",),
    "integer": ("int",),
    "long": ("int",),
    "bigint": ("int",),
    "int64": ("int",),
    "double": ("float",),
    "real": ("float",),
    "number": ("float",),
    "float64": ("float",),
    "boolean": ("bool",),
    "datetime": ("timestamp",),
    "time": ("timestamp",),
    "numeric": ("decimal",),
    "enum": ("categorical",),
    "array": ("list", "collect"),
    # functions
    "avg": ("mean",),
    "average": ("mean",),
    "stddev": ("std",),
    "stdev": ("std",),
    "variance": ("var",),
    "nunique": ("n_unique",),
    "count_distinct": ("n_unique",),
    "distinct": ("n_unique",),
    "uniq": ("n_unique",),
    "percentile": ("quantile",),
    "percentile_cont": ("quantile",),
    "approx_count_distinct": ("approx_n_unique",),
    "hll": ("approx_n_unique",),
    "hyperloglog": ("approx_n_unique",),
    "approx_percentile": ("approx_quantile",),
    "tdigest": ("approx_quantile",),
    "kll": ("approx_quantile",),
    "twa": ("time_weighted_mean",),
    "twap": ("time_weighted_mean",),
    "time_weight": ("time_weighted_mean",),
    "auc": ("integral",),
    "delta": ("increase",),
    "irate": ("rate",),
    "array_agg": ("collect",),
    "collect_list": ("collect",),
    "list": ("collect",),
    "implode": ("collect",),
    "argmin": ("time_of_min",),
    "arg_min": ("time_of_min",),
    "idxmin": ("time_of_min",),
    "argmax": ("time_of_max",),
    "arg_max": ("time_of_max",),
    "idxmax": ("time_of_max",),
    # kinds of windows and their settings
    "hop": ("sliding", "slide"),
    "hopping": ("sliding",),
    "rolling": ("sliding",),
    "fixed": ("tumbling",),
    "accumulate": ("cumulative",),
    "rows": ("count", "length"),
    "period": ("size", "step"),
    "window": ("size",),
    "width": ("size",),
    "duration": ("size", "max_duration"),
    "interval": ("size", "step"),
    "freq": ("size", "step"),
    "every": ("slide", "step", "stride", "size"),
    "advance": ("slide", "stride"),
    "timeout": ("gap",),
    "inactivity": ("gap",),
    "lookback": ("length", "size"),
    "context_length": ("length",),
    "prediction_length": ("horizon",),
    "forecast": ("horizon",),
    "label": ("closed",),
    "inclusive": ("closed",),
    "origin": ("offset",),
    "week_start": ("offset",),
    "start_offset": ("offset",),
    "align_to": ("offset",),
    "gapfill": ("fill",),
    "limit": ("fill_limit",),
    "tolerance": ("max_gap",),
    "max_lookback": ("max_carry",),
    "ignore_nulls": ("skip_nulls",),
    "skipna": ("skip_nulls",),
    "ffill": ("previous",),
    "forward": ("previous",),
    "locf": ("previous",),
    "interpolate": ("linear",),
    "tz": ("timezone",),
    "time_zone": ("timezone",),
    "location": ("timezone",),
    # streams
    "primary_key": ("unique",),
    "ttl": ("retention",),
    "grace": ("lateness",),
    "watermark": ("lateness",),
    "allowed_lateness": ("lateness",),
    "fields": ("columns",),
    "name": ("stream",),
}
"""What other tools call the same thing, where no letters hint at it: the first that there is, is meant."""


def nearest(name: object, known: Iterable[str]) -> str | None:
    """The one among `known` that was probably meant, if any."""
    if not isinstance(name, str) or not name or len(name) > _MAX_CHARS:
        return None
    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(each.casefold(), each)
    plain = name.casefold().strip()
    if plain not in folded:
        for meant in _ELSEWHERE.get(plain, ()):
            if meant in folded:
                return folded[meant]
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
