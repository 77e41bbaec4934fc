"""What stands in the steps of a series: what was observed, what fills a gap, and what pads silence."""

from decimal import Decimal
from typing import Literal

import polars as pl

from windrow.lake.schema import output_type
from windrow.spec import StreamSpec
from windrow.spec.windows import SequenceWindow
from windrow.windows import series, splits

MASK = "__mask_"
"""What the name of a mask begins with, before its output's."""

_CELL, _BEFORE, _AFTER = pl.col("__cell"), pl.col("__before"), pl.col("__after")


def known(cells: pl.DataFrame, window: SequenceWindow) -> pl.DataFrame:
    """The cells with rows, each with what the steps up to the next are filled with.

    `cells`: `__series`, `__cell` (numbers; neighbours differ by 1) and the outputs, in order.
    """
    following = [pl.col("__cell").alias("__after")]
    if window.fill == "linear":
        following += [pl.col(name).alias(_next(name)) for name in window.aggregates]
    return cells.select(
        "__series",
        pl.col("__cell").alias("__before"),
        *window.aggregates,
        *(series.neighbour(expression, -1) for expression in following),
    )


def dense(cells: pl.DataFrame, steps: pl.DataFrame, spec: StreamSpec, window: SequenceWindow) -> pl.DataFrame:
    """The value of every output in each of `steps`, and its mask: whether it was observed.

    `cells` are `known`. `steps` are those that are asked for: `__series` and `__cell`, in order too.
    """
    placed = steps.lazy().join_asof(
        cells.lazy(),
        left_on="__cell",
        right_on="__before",
        by="__series",
        strategy="backward",
        check_sortedness=False,
    )
    if window.parts:
        placed = placed.with_columns(pl.when(splits.horizon_of(_CELL, window) > _AFTER).then(_AFTER).alias("__after"))
    is_observed = (_CELL == _BEFORE).fill_null(value=False)
    columns = []
    for name in window.aggregates:
        kind = output_type(spec, window, name)
        columns.append(_value(name, kind, is_observed, window).cast(kind).alias(name))
        if window.mask:
            columns.append((is_observed & pl.col(name).is_not_null()).alias(MASK + name))
    return placed.select(columns).collect()


def _value(name: str, kind: pl.DataType, is_observed: pl.Expr, window: SequenceWindow) -> pl.Expr:
    """`name` holds the value of the last cell with rows up to here."""
    empty = _AFTER - _BEFORE - 1
    in_gap = empty <= window.max_gap if window.max_gap is not None else empty.is_not_null()
    distance = _CELL - _BEFORE
    filled = _fill(name, kind, distance, window)
    if window.fill_limit is not None:
        filled = pl.when(distance <= window.fill_limit).then(filled)
    padded = _constant(window.padding, kind)
    return pl.when(is_observed).then(name).when(in_gap).then(filled).otherwise(padded)


def _fill(name: str, kind: pl.DataType, distance: pl.Expr, window: SequenceWindow) -> pl.Expr:
    match window.fill:
        case "previous":
            return pl.col(name)
        case "linear":
            share = distance / (_AFTER - _BEFORE)
            return pl.col(name) + (pl.col(_next(name)) - pl.col(name)) * share
        case constant:
            return _constant(constant, kind)


def _constant(value: float | Literal["null", "zero"] | None, kind: pl.DataType) -> pl.Expr:
    if value is None or value == "null":
        return pl.lit(None, kind)
    number = 0.0 if value == "zero" else value
    # A decimal is what is written, not the float next to it.
    written = format(Decimal(str(number)), "f") if isinstance(kind, pl.Decimal) else number
    return pl.lit(written).cast(kind)


def _next(name: str) -> str:
    return f"__next_{name}"
