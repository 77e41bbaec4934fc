"""Training, validation and test: parts of time that no sequence crosses."""

import polars as pl

from windrow.spec.windows import SequenceWindow
from windrow.units import to_us

_NEVER = (1 << 63) - 1


def part_of(start: pl.Expr, end: pl.Expr, window: SequenceWindow) -> pl.Expr:
    """The part that [start, end) in µs lies in; null where a cut goes through it."""
    lies_in = [
        pl.when(
            start >= (-_NEVER if begin is None else to_us(begin)), end <= (_NEVER if until is None else to_us(until))
        ).then(pl.lit(name))
        for name, begin, until in window.parts
    ]
    return pl.coalesce(lies_in)


def horizon_of(cell: pl.Expr, window: SequenceWindow) -> pl.Expr:
    """The first cell that nothing in this cell may depend on: the one that the next cut begins or goes through.

    A line drawn to a value beyond the cut would tell a training sequence of the test.
    """
    start = cell * window.step + window.offset
    ends = [until for _, _, until in window.parts if until is not None]
    return pl.min_horizontal(
        pl.lit(_NEVER), *(pl.when(start < to_us(end)).then((to_us(end) - window.offset) // window.step) for end in ends)
    )
