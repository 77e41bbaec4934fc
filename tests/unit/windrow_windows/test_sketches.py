"""Approximate functions: how far they may be off, and that merging costs nothing more."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.windows.aggregates import sketches

KLL_ERROR = 0.0133
HLL_ERROR = 1.04 / 64


def lists(*values: list[Any], kind: pl.DataType | None = None) -> pl.Series:
    return pl.Series(list(values), dtype=pl.List(kind or pl.Float64()))


def merged(several: list[bytes]) -> pl.Series:
    return pl.Series([several], dtype=pl.List(pl.Binary()))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.sampled_from([0.0, 0.25, 0.5, 0.95, 1.0]))
def test_a_quantile_of_few_values_is_the_smallest_that_the_share_does_not_pass(
    values: list[float], share: float
) -> None:
    (sketch,) = sketches.quantiles(lists(sorted(values)))

    expected = float(np.quantile(values, share, method="inverted_cdf"))
    assert sketches.quantile(sketch, share) == expected


@pytest.mark.parametrize("share", [0.01, 0.5, 0.95, 0.999])
def test_a_quantile_of_many_values_is_off_by_little_more_than_a_hundredth_in_rank(share: float) -> None:
    values = np.sort(np.random.default_rng(1).lognormal(size=100_000))
    whole, *tenths = sketches.quantiles(lists(values.tolist(), *(values[start::10].tolist() for start in range(10))))

    for sketch in (whole, *sketches.merged_quantiles(merged(tenths))):
        found = sketches.quantile(sketch, share)
        rank = np.searchsorted(values, found, side="right") / len(values)
        assert abs(rank - share) < 2 * KLL_ERROR  # chosen at random, so leave room


@settings(max_examples=30)
@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 50), max_size=300))
def test_few_distinct_values_are_counted(values: list[int]) -> None:
    (sketch,) = sketches.distinct(lists(sorted(set(values)), kind=pl.Int64()))

    assert sketches.count_distinct(sketch) == len(set(values))


@pytest.mark.parametrize("count", [150, 190, 250, 380, 400, 600, 1_000, 20_000, 300_000])
def test_many_distinct_values_are_counted_within_a_few_hundredths_however_they_are_split(count: int) -> None:
    values = list(range(count))
    whole, *parts = sketches.distinct(lists(values, values[::2], values[1::2], values[: count // 3], kind=pl.Int64()))
    backwards = sketches.distinct(lists(values[::-1], kind=pl.Int64()))[0]

    found = sketches.count_distinct(whole)
    assert abs(found - count) < 3 * HLL_ERROR * count
    assert sketches.count_distinct(sketches.merged_distinct(merged(parts))[0]) == found
    assert sketches.count_distinct(sketches.merged_distinct(merged(parts[::-1]))[0]) == found
    assert sketches.count_distinct(backwards) == found


def test_nothing_has_no_quantile_and_no_distinct_values() -> None:
    (empty,) = sketches.quantiles(lists([]))
    (nothing,) = sketches.distinct(lists([]))

    assert sketches.quantile(empty, 0.5) is None
    assert sketches.count_distinct(nothing) == 0
    assert sketches.quantile(sketches.merged_quantiles(merged([empty, empty]))[0], 0.5) is None


@pytest.mark.parametrize(
    ("values", "distinct"),
    [
        (pl.Series([0.0, -0.0, 1.5], dtype=pl.Float64()), 2),
        (pl.Series(["", "a", "ä"]), 3),
        (pl.Series([True, False, True]), 2),
        (pl.Series(["1.20", "1.21"]).cast(pl.Decimal(20, 2)), 2),
        (pl.Series([1, 2], dtype=pl.Datetime("us", "UTC")), 2),
        (pl.Series([1, 2, 2], dtype=pl.Date()), 2),
    ],
    ids=["float", "string", "bool", "decimal", "timestamp", "date"],
)
def test_values_of_any_type_are_told_apart_as_they_are_equal_or_not(values: pl.Series, distinct: int) -> None:
    taken = pl.DataFrame({"v": values}).select(sketches.hashable(pl.col("v"), values.dtype).implode().alias("v"))["v"]

    assert sketches.count_distinct(sketches.distinct(taken)[0]) == distinct
