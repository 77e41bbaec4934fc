"""Aggregates that merge: of rows to parts, of parts to larger ones, and of those the result."""

from collections.abc import Mapping, Sequence
from itertools import chain

import polars as pl

from windrow.errors import TooLarge
from windrow.lake.schema import TIMESTAMP, output_type
from windrow.spec import Aggregate, StreamSpec, WindowSpec
from windrow.spec.windows import FROM_PARTS
from windrow.windows.aggregates import sketches
from windrow.windows.aggregates.exact_sums import DECIMAL_END, Digits, places, slots
from windrow.windows.aggregates.pieces import Pieces, Reduction, pieces_of

ROW_COUNT, FIRST_TIME, LAST_TIME = "row_count", "first_time", "last_time"
_INT64_MIN, _INT64_MAX = -(1 << 63), (1 << 63) - 1


def decomposable(window: WindowSpec) -> bool:
    """Whether every output of a window can be computed from `parts` of its rows."""
    return all(aggregate.function in FROM_PARTS for aggregate in window.aggregates.values())


def parts(rows: pl.LazyFrame, by: Sequence[str], spec: StreamSpec, window: WindowSpec) -> pl.DataFrame:
    """What is kept of each group of rows: `by`, `row_count`, `first_time`, `last_time` and columns `<output>.<part>`.

    Of the outputs of a window that merge; the others are left out. Raises TooLarge where a float is infinite.
    """
    pieces = pieces_of(mergeable(window), spec)
    found = slots(rows, pieces.sums, {column: f"{spec.stream}: {column} is infinite" for column in pieces.sums})
    for column, own in found.items():
        rows = own.with_terms(rows, column)
    reductions = [piece.of_rows(found) for piece in pieces]
    time = pl.col(spec.time.column)
    known = (pl.len().alias(ROW_COUNT), time.min().alias(FIRST_TIME), time.max().alias(LAST_TIME))
    return _reduced(rows, by, known, reductions)


def merge(parts: pl.DataFrame, by: Sequence[str], spec: StreamSpec, window: WindowSpec) -> pl.DataFrame:
    """Parts of which several may be of one group, as those of whole groups; in any order and number of steps."""
    reductions = [piece.of_pieces(parts) for piece in pieces_of(mergeable(window), spec)]
    known = (pl.col(ROW_COUNT).sum(), pl.col(FIRST_TIME).min(), pl.col(LAST_TIME).max())
    return _reduced(parts.lazy(), by, known, reductions)


def finish(parts: pl.DataFrame, by: Sequence[str], spec: StreamSpec, window: WindowSpec) -> pl.DataFrame:
    """The outputs of each group: `by`, the outputs, `row_count`, `first_time`, `last_time`.

    Raises TooLarge where a sum passes what its type holds.
    """
    pieces = pieces_of(mergeable(window), spec)
    return _finished(parts, {each.name: each.digits(parts) for each in pieces.of_sums}, by, spec, window)


def merge_into(
    parts: pl.DataFrame, members: pl.DataFrame, by: Sequence[str], spec: StreamSpec, window: WindowSpec
) -> pl.DataFrame:
    """The outputs of groups that share parts: what `finish` gives of `merge`, without keeping what lies in between.

    `members` say which parts belong to a group: the columns of `parts` and of `by` that they have in common with each.
    """
    on = [name for name in members.columns if name in parts.columns]
    pieces = pieces_of(mergeable(window), spec)
    # Digits are laid out before the parts are multiplied, not after.
    spreads = {piece.name: piece.spread(parts) for piece in pieces.of_sums}
    reductions = {piece.name: piece.of_pieces(parts) for piece in pieces if piece.name not in spreads}
    digits = [digit.alias(name) for spread in spreads.values() for name, digit in spread.digits.items()]
    sums = [pl.col(name).sum() for spread in spreads.values() for name in spread.digits]
    listed = [column for piece in pieces.of_sums for column in piece.schema]
    groups = (
        parts.lazy()
        .with_columns(digits)
        .drop(listed)
        .join(members.lazy(), on=on)
        .group_by(by)
        .agg(
            pl.col(ROW_COUNT).sum(),
            pl.col(FIRST_TIME).min(),
            pl.col(LAST_TIME).max(),
            *sums,
            *chain.from_iterable(reduction.aggregations for reduction in reductions.values()),
        )
        .collect(engine="streaming")
    )
    columns = chain.from_iterable(reduction.settle(groups) for reduction in reductions.values())
    merged = groups.select(*by, ROW_COUNT, FIRST_TIME, LAST_TIME, *columns)
    return _finished(merged, {name: spread.total(groups) for name, spread in spreads.items()}, by, spec, window)


def _finished(
    parts: pl.DataFrame, sums: Mapping[str, Digits], by: Sequence[str], spec: StreamSpec, window: WindowSpec
) -> pl.DataFrame:
    outputs = mergeable(window)
    pieces = pieces_of(outputs, spec)
    results = [
        _output(parts, pieces, sums, spec, name, aggregate).cast(output_type(spec, window, name)).alias(name)
        for name, aggregate in outputs.items()
    ]
    return parts.select(*by, *results, ROW_COUNT, FIRST_TIME, LAST_TIME)


def mergeable(window: WindowSpec) -> dict[str, Aggregate]:
    """The outputs of a window that merge."""
    return {name: aggregate for name, aggregate in window.aggregates.items() if aggregate.function in FROM_PARTS}


def _reduced(
    rows: pl.LazyFrame, by: Sequence[str], known: Sequence[pl.Expr], reductions: Sequence[Reduction]
) -> pl.DataFrame:
    aggregations = chain.from_iterable(reduction.aggregations for reduction in reductions)
    groups = rows.group_by(by).agg(*known, *aggregations).collect(engine="streaming")
    columns = chain.from_iterable(reduction.settle(groups) for reduction in reductions)
    return groups.select(
        *by, pl.col(ROW_COUNT).cast(pl.Int64()), pl.col(FIRST_TIME, LAST_TIME).cast(TIMESTAMP), *columns
    )


# ------------------------------------------------------------------------------------------------ one output


def _output(
    parts: pl.DataFrame, pieces: Pieces, sums: Mapping[str, Digits], spec: StreamSpec, name: str, aggregate: Aggregate
) -> pl.Series:
    column = aggregate.column
    if column is None:
        return parts[ROW_COUNT]
    own = pieces.of(aggregate).name
    where = f"{spec.stream}: {name}: {aggregate}"
    match aggregate.function:
        case "sum":
            found = _sum(parts, pieces, sums, column, where)
        case "mean":
            found = _mean(parts, pieces, sums, column)
        case "approx_quantile":
            share = float(aggregate.share or 0)
            found = parts[own].map_elements(lambda sketch: sketches.quantile(sketch, share), pl.Float64())
        case "approx_n_unique":
            found = parts[own].map_elements(sketches.count_distinct, pl.Int64())
        case _:  # the value itself
            found = parts[own]
    if aggregate.skip_nulls:
        return found
    return only(found, parts[pieces.count(column).name] == parts[ROW_COUNT])


def _sum(parts: pl.DataFrame, pieces: Pieces, sums: Mapping[str, Digits], column: str, where: str) -> pl.Series:
    piece = pieces.sum(column)
    digits, has_values = sums[piece.name], parts[pieces.count(column).name] > 0
    if isinstance(piece.kind, pl.Float64):
        return only(finite(digits.floats(), where), has_values)
    whole = digits.whole()
    if isinstance(piece.kind, pl.Decimal):
        if whole is None or not whole.is_between(1 - DECIMAL_END, DECIMAL_END - 1).all():
            raise TooLarge(f"{where} passes 38 digits in a window; make {column} a float")
        return only(whole.reinterpret(dtype=pl.Decimal(38, piece.kind.scale)), has_values)
    if whole is None or not whole.is_between(_INT64_MIN, _INT64_MAX).all():
        raise TooLarge(f"{where} passes 64 bits in a window; make {column} a float")
    return only(whole.cast(pl.Int64()), has_values)


def _mean(parts: pl.DataFrame, pieces: Pieces, sums: Mapping[str, Digits], column: str) -> pl.Series:
    piece, counts = pieces.sum(column), parts[pieces.count(column).name]
    has_values = counts > 0
    means = sums[piece.name].floats(counts.clip(lower_bound=1))
    return only(means / 10.0 ** places(piece.kind), has_values)


def only(values: pl.Series, where: pl.Series) -> pl.Series:
    """Null elsewhere."""
    return values.zip_with(where, pl.Series([None], dtype=values.dtype))


def finite(values: pl.Series, where: str) -> pl.Series:
    # An infinite value in a file makes some readers drop its other rows.
    if not values.is_finite().all():
        raise TooLarge(f"{where} passes what a float holds in a window")
    return values
