"""Windows without rows: which are there all the same, and what stands in them. Pure."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Protocol

import polars as pl

from windrow.errors import BadInput
from windrow.spec import StreamSpec
from windrow.spec.windows import AlignedWindow
from windrow.units import to_us
from windrow.windows.grid import grid_of
from windrow.windows.grid_fixed import FixedGrid
from windrow.windows.runs import checked

_INT64 = 1 << 63
_MANY_YEARS_US = 1 << 59
"""18 000 years: as good as no limit, and no time plus this passes 64 bits."""


class _Places(Protocol):
    """Windows in the row of all those of a definition."""

    def positions(self, windows: pl.DataFrame) -> pl.Series: ...
    def first_from(self, time: int) -> int: ...
    def at(self, positions: pl.Series) -> pl.DataFrame: ...


def fill(rows: pl.DataFrame, spec: StreamSpec, window: AlignedWindow) -> pl.DataFrame:
    """Rows with those of the windows that `fill` adds, in any order. These have a `row_count` of 0.

    `rows` have the keys, `__start`, `__end` (Int64 µs), outputs as `result_schema` types them, `row_count` and perhaps
    more, which is null in windows that are added. A run of missing windows lies between two windows of a key, or
    between one and `fill_from` or `fill_to`; what lies outside of these is not missing. A run longer than `max_gap`
    stays; of others the first `fill_limit` windows are added. `previous` repeats the window before a run; `linear` is
    on the line between the windows on either side, by their starts (by their ends, if they share one), and null where
    one of them is absent or null. Outputs that are no numbers are null with every fill but `previous`. Raises TooLarge
    where memory would not hold the windows to add, BadInput where an output cannot be the number to fill with.
    """
    if window.fill is None or rows.is_empty():
        return rows
    rows = rows.sort(*spec.keys, "__start", "__end")
    runs = _runs(rows, spec.keys, window)
    places = _places(rows, runs, window)
    missing = _missing(runs, places.positions(rows), places, window)
    if missing.is_empty():
        return rows
    bounds = places.at(missing["position"])
    nearest = missing.select(pl.coalesce("before", "after")).to_series()
    share = _share(bounds, rows, missing) if window.fill == "linear" else None
    added: list[pl.Series] = []
    for name, kind in rows.schema.items():
        values = rows[name]
        if name in bounds.columns:
            added.append(bounds[name])
        elif name in spec.keys:
            added.append(values.gather(nearest))
        elif name == "row_count":
            added.append(_repeated(0, name, kind, missing.height))
        elif name in window.aggregates and window.fill == "previous":
            added.append(values.gather(missing["before"]))
        elif name in window.aggregates and share is not None and kind.is_numeric():
            added.append(_on_line(values.gather(missing["before"]), values.gather(missing["after"]), share))
        elif name in window.aggregates and kind.is_numeric() and window.fill != "null":
            number = 0.0 if window.fill == "zero" else float(window.fill)
            added.append(_repeated(_as_kind(number, kind, name), name, kind, missing.height))
        else:
            added.append(_repeated(None, name, kind, missing.height))
    return pl.concat([rows, pl.DataFrame(added)])


# ------------------------------------------------------------------------------------------------ which


def _runs(rows: pl.DataFrame, keys: tuple[str, ...], window: AlignedWindow) -> pl.DataFrame:
    """Where windows can be missing: between the rows `before` and `after`, which start at `low` and `high`.

    At the ends of a key's time one of the rows is null.
    """
    row, start = pl.int_range(pl.len()), pl.col("__start")
    is_last = pl.any_horizontal(row == pl.len() - 1, *(pl.col(key).ne_missing(pl.col(key).shift(-1)) for key in keys))
    ends = rows.select(row.alias("row"), start, is_last.alias("is_last"))
    first, last = _range(window)

    def parts() -> Iterator[pl.DataFrame]:
        following = pl.col("row").shift(-1).alias("after"), start.shift(-1).alias("high")
        yield ends.with_columns(following).filter(~pl.col("is_last")).select("row", "after", "__start", "high")
        nothing = pl.lit(None, pl.Int64)
        if last is not None:
            yield ends.filter("is_last").select(
                "row", nothing.alias("after"), start, pl.lit(last, pl.Int64).alias("high")
            )
        if first is not None:
            firsts = ends.filter(pl.col("is_last").shift(1, fill_value=True))
            yield firsts.select(
                nothing.alias("row"),
                pl.col("row").alias("after"),
                pl.lit(first, pl.Int64).alias("__start"),
                start.alias("high"),
            )

    runs = pl.concat(parts()).rename({"row": "before", "__start": "low"})
    return runs.with_columns(
        pl.max_horizontal("low", pl.lit(first, pl.Int64)), pl.min_horizontal("high", pl.lit(last, pl.Int64))
    )


def _range(window: AlignedWindow) -> tuple[int | None, int | None]:
    first, last = window.fill_from, window.fill_to
    return None if first is None else to_us(first), None if last is None else to_us(last)


def _places(rows: pl.DataFrame, runs: pl.DataFrame, window: AlignedWindow) -> _Places:
    """Windows of the rows, and of the runs as far as it may matter: a stray row is years from the others."""
    grid = grid_of(window)
    if isinstance(grid, FixedGrid):
        return grid
    limit = window.max_gap or window.fill_limit
    # More windows than the limit begin in it: one in each slide, but for a day that a country skips.
    reach = _MANY_YEARS_US if limit is None else min((limit + 4) * grid.slide.longest_us, _MANY_YEARS_US)
    ends = runs.select(pl.min_horizontal("high", pl.col("low") + reach)).to_series()
    return grid.places(
        pl.concat([rows["__start"], runs["low"].rename("__start")]),
        pl.concat([rows["__start"], ends.rename("__start")]),
    )


def _missing(runs: pl.DataFrame, positions: pl.Series, places: _Places, window: AlignedWindow) -> pl.DataFrame:
    """Each window to add: its `position`, and the rows `before` and `after` its run."""
    first, last = _range(window)
    low = pl.lit(None if first is None else places.first_from(first) - 1, pl.Int64)
    high = pl.lit(None if last is None else places.first_from(last), pl.Int64)
    begin, count = pl.col("begin"), pl.col("count")
    found = (
        runs.lazy()
        .select(
            "before",
            "after",
            (pl.max_horizontal(pl.lit(positions).gather("before"), low) + 1).alias("begin"),
            pl.min_horizontal(pl.lit(positions).gather("after"), high).alias("end"),
        )
        .with_columns((pl.col("end") - begin).alias("count"))
        .filter(count > 0)
    )
    if window.max_gap is not None:
        found = found.filter(count <= window.max_gap)
    if window.fill_limit is not None:
        found = found.with_columns(pl.min_horizontal(count, pl.lit(window.fill_limit, pl.Int64)).alias("count"))
    each = found.collect()
    checked(each.select(count.sum()).item())
    position = pl.int_ranges(begin, begin + count).alias("position")
    return each.select("before", "after", position).explode("position")


# ------------------------------------------------------------------------------------------------ what


def _share(bounds: pl.DataFrame, rows: pl.DataFrame, missing: pl.DataFrame) -> pl.Series:
    """How far each added window is on the way from the row before to the row after, from 0 to 1.

    By their starts; between windows that share one, by their ends.
    """

    def way(bound: str) -> tuple[pl.Series, pl.Series]:
        before = rows[bound].gather(missing["before"])
        return bounds[bound] - before, rows[bound].gather(missing["after"]) - before

    (gone, whole), (grown, growth) = way("__start"), way("__end")
    return (gone / whole).zip_with(whole != 0, grown / growth)


def _on_line(before: pl.Series, after: pl.Series, share: pl.Series) -> pl.Series:
    way = after - before
    # Where the way passes what a float holds, its parts do not.
    return (before + way * share).zip_with(way.is_finite(), before * (1 - share) + after * share)


def _repeated(value: object, name: str, kind: pl.DataType, count: int) -> pl.Series:
    return pl.Series(name, [value], kind).new_from_index(0, count)


def _as_kind(number: float, kind: pl.DataType, name: str) -> float | int | Decimal:
    """The number as values of this type are; BadInput where it is none."""
    if isinstance(kind, pl.Decimal):
        value = Decimal(repr(number)).normalize()
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and exponent >= -kind.scale and abs(value) < 10 ** (kind.precision - kind.scale):
            return value
    elif not kind.is_integer():
        return number
    elif number.is_integer() and -_INT64 <= number < _INT64:
        return int(number)
    raise BadInput(f"fill: {number:g} cannot stand in {name}, which is a {kind}; choose another number, or null")
