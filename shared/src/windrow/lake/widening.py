"""Which types a column may grow into, so that every value it ever held is still there, and how rows and tables follow.

The one rule for segments, results and tables alike. `windrow.spec.changes` says the same of columns in a spec.
"""

from collections.abc import Iterable, Mapping

import polars as pl

from windrow.errors import SchemaConflict, first_line

_INT64_DIGITS = 19
_MOST_DIGITS = 38


def widens(narrow: pl.DataType, wide: pl.DataType) -> bool:
    """Whether a column of one type may become one of another, different type.

    A whole number becomes a float (beyond 2^53 it loses digits, which the author of a spec has asked for by then) or a
    decimal with room for it; a decimal gains digits; a day becomes its midnight in UTC; lists follow their members.
    """
    match narrow, wide:
        case pl.Int64(), pl.Float64():
            return True
        case pl.Int64(), pl.Decimal():
            return wide.precision - wide.scale >= _INT64_DIGITS
        case pl.Decimal(), pl.Decimal():
            has_room = wide.precision - wide.scale >= narrow.precision - narrow.scale
            # A sum has all the digits there are already; one that really needs them fails to be cast.
            return narrow != wide and wide.scale >= narrow.scale and (has_room or wide.precision == _MOST_DIGITS)
        case pl.Date(), pl.Datetime():
            return wide.time_unit == "us" and wide.time_zone == "UTC"
        case pl.List(), pl.List():
            return widens(_inner(narrow), _inner(wide))
    return False


def _inner(kind: pl.List) -> pl.DataType:
    inner = kind.inner
    return inner if isinstance(inner, pl.DataType) else inner()


def to_widen(present: Mapping[str, pl.DataType], wanted: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
    """The columns that are narrower than wanted, with the type they are to have."""
    return {name: kind for name, kind in wanted.items() if name in present and widens(present[name], kind)}


def widened(rows: pl.DataFrame, columns: Mapping[str, pl.DataType], origin: str) -> pl.DataFrame:
    """Rows whose columns are as wide as these, where they are narrower; all others stay as they are.

    Raises SchemaConflict for a number that has more digits than the type it is to have. `origin` names the rows.
    """
    wanted = to_widen(rows.schema, columns)
    try:
        return rows.cast(pl.Schema(wanted)) if wanted else rows
    except pl.exceptions.PolarsError as error:
        raise SchemaConflict(f"{origin}: {first_line(error)}") from error


def together(parts: Iterable[pl.DataFrame], origin: str) -> pl.DataFrame:
    """Rows of several spec versions: each column as wide as the widest, null where a version lacks it.

    Raises SchemaConflict where a column has types of which none can become the other.
    """
    frames = list(parts)
    widest: dict[str, pl.DataType] = {}
    for frame in frames:
        for name, kind in frame.schema.items():
            if name not in widest or widens(widest[name], kind):
                widest[name] = kind
    try:
        return pl.concat([widened(frame, widest, origin) for frame in frames], how="diagonal")
    except pl.exceptions.PolarsError as error:
        raise SchemaConflict(f"{origin}: a column has changed its type: {first_line(error)}") from error
