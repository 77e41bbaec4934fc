"""Spans of time that suit the pace of a sample: the bucket, and a window to begin with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from windrow.proposal.evidence import Evidence
from windrow.proposal.identity import NamedColumn
from windrow.proposal.steps import about, steps
from windrow.units import DAY_US, SECOND_US, format_duration

_MINUTE_US, _HOUR_US = 60 * SECOND_US, 3_600 * SECOND_US
_BUCKETS_US = (_HOUR_US, DAY_US, 30 * DAY_US, 360 * DAY_US)
_WINDOWS_US = (
    10 * SECOND_US,
    _MINUTE_US,
    5 * _MINUTE_US,
    15 * _MINUTE_US,
    _HOUR_US,
    DAY_US,
    30 * DAY_US,
    360 * DAY_US,
)
_FEW_ROWS = 20
"""In a bucket, below which it is hardly worth its files."""
_STEPS_PER_WINDOW = 4
_MOST_MEASURES = 5
_FUNCTIONS = ("mean", "min", "max")


@dataclass(frozen=True, slots=True)
class Layout:
    """Durations in µs, and the aggregates of one window by output name."""

    bucket_us: int
    window: str
    window_us: int
    aggregates: Mapping[str, str]
    evidence: tuple[Evidence, ...]


def lay_out(moments: pl.Series, keys: Sequence[str], columns: Sequence[NamedColumn]) -> Layout:
    """A bucket and a window for records at these times (µs); without any, days and hours."""
    if not moments.len() - moments.null_count():
        why = "the sample does not say how often records come"
        evidence = (Evidence("bucket", "1d", why), Evidence("windows", "1h", "a first window, to be changed at will"))
        return Layout(DAY_US, "every_1h", _HOUR_US, _aggregates(columns, keys), evidence)
    step_us = _step_us(moments, keys, columns)
    bucket_us = _bucket_us(moments.drop_nulls(), step_us)
    window_us = next(
        size
        for size in _WINDOWS_US
        if bucket_us % size == 0 and (size >= _STEPS_PER_WINDOW * step_us or size == bucket_us)
    )
    rows = _rows_per_bucket(moments.drop_nulls(), bucket_us)
    what = "a series has" if keys else "the records have"
    why = f"{what} a median step of {about(step_us)}; " if step_us else ""
    evidence = (
        Evidence("bucket", format_duration(bucket_us), f"{why}{rows:,.0f} records in a bucket"),
        Evidence("windows", format_duration(window_us), "a first window, to be changed at will"),
    )
    return Layout(bucket_us, f"every_{format_duration(window_us)}", window_us, _aggregates(columns, keys), evidence)


def _step_us(moments: pl.Series, keys: Sequence[str], columns: Sequence[NamedColumn]) -> int:
    """The median distance from one record of a series to the next, at another time."""
    if keys:
        frame = pl.DataFrame({"": moments, **{each.name: each.texts for each in columns if each.name in keys}})
        between = (
            frame.drop_nulls("").sort("").select(pl.col("").diff().over(keys).alias("step")).to_series().drop_nulls()
        )
        forward = between.filter(between > 0).sort()
        return int(forward[(forward.len() - 1) // 2]) if forward.len() else 0
    found = steps(moments)
    return found.step_us if found else 0


def _bucket_us(moments: pl.Series, step_us: int) -> int:
    """The span that fits the step, or a longer one if so few records fall into it."""
    fitting = next((size for size in _BUCKETS_US if step_us < size), _BUCKETS_US[-1])
    longer = [size for size in _BUCKETS_US if size >= fitting]
    return next((size for size in longer if _rows_per_bucket(moments, size) >= _FEW_ROWS), fitting)


def _rows_per_bucket(moments: pl.Series, size_us: int) -> float:
    """Records in a bucket that has any."""
    return moments.len() / max(1, (moments // size_us).n_unique())


def _aggregates(columns: Sequence[NamedColumn], keys: Sequence[str]) -> dict[str, str]:
    measures = [each for each in columns if each.texts.drop_nulls().n_unique() > 1 and not each.guess.is_id]
    floats = [each.name for each in measures if each.guess.type in ("float", "decimal")]
    ints = [each.name for each in measures if each.guess.type == "int"]
    taken = {*keys}
    found: dict[str, str] = {}
    for name in (floats or ints)[:_MOST_MEASURES]:
        for function in _FUNCTIONS:
            output = f"{name[:58]}_{function}"
            if output not in taken:
                taken.add(output)
                found[output] = f"{function}({name})"
    return found or {"record_count" if "record_count" not in taken else "records_in_it": "count"}
