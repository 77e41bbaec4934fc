"""Exact sums against fractions: of any numbers, added up in any order and in any number of steps."""

import math
from fractions import Fraction
from itertools import pairwise
from statistics import mean
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.errors import TooLarge
from windrow.windows.aggregates.exact_sums import LIMBS, Digits, digit_columns, group_sums, slots

FLOAT, INT = pl.Float64(), pl.Int64()
SMALLEST, LARGEST = 5e-324, 1.7976931348623157e308
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)

any_float = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)
floats = any_float | st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 0.1, -0.1, SMALLEST, -SMALLEST, 1e300, -1e300])
groups_of_floats = st.lists(st.lists(floats, min_size=1, max_size=12), min_size=1, max_size=6)


def sums(groups: list[list[Any]], kind: pl.DataType = FLOAT) -> Digits:
    """The sum of each group, in order."""
    rows = pl.DataFrame(
        {
            "g": pl.Series([number for number, group in enumerate(groups) for _ in group], dtype=pl.Int64()),
            "v": pl.Series([value for group in groups for value in group], dtype=kind),
        }
    )
    order, found = group_sums(rows, ["g"], {"v": kind}, "s: it")
    kept = pl.DataFrame([order["g"], *renamed(found["v"])]).sort("g")
    return Digits.from_lists(kept["base"], kept["limbs"])


def renamed(digits: Digits) -> tuple[pl.Series, pl.Series]:
    base, limbs = digits.lists()
    return base.alias("base"), limbs.alias("limbs")


def rounded(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


# ------------------------------------------------------------------------------------------------ floats


@given(groups_of_floats)
def test_a_sum_of_floats_is_the_float_nearest_to_the_exact_sum(groups: list[list[float]]) -> None:
    expected = [rounded(sum(map(Fraction, group))) for group in groups]

    assert sums(groups).floats().to_list() == expected


@given(groups_of_floats)
def test_a_mean_of_floats_is_the_float_nearest_to_the_exact_mean(groups: list[list[float]]) -> None:
    found = sums(groups).floats(pl.Series([len(group) for group in groups]))

    for value, group in zip(found, groups, strict=True):
        exact = sum(map(Fraction, group)) / len(group)
        if exact == 0 or abs(exact) > Fraction(2) ** -1022:
            assert value == rounded(exact)
        else:  # floats this small lie apart by SMALLEST, and the mean is rounded twice
            assert abs(Fraction(value) - exact) <= Fraction(SMALLEST)


def test_values_that_cancel_leave_what_was_added_to_them() -> None:
    assert sums([[1e300, 1.0, -1e300], [1e16, 1.0, -1e16], [LARGEST, LARGEST, -LARGEST]]).floats().to_list() == [
        1.0,
        1.0,
        LARGEST,
    ]


def test_a_mean_of_values_whose_sum_no_float_holds_is_a_float() -> None:
    assert sums([[LARGEST] * 3, [-1e308] * 4]).floats(pl.Series([3, 4])).to_list() == [LARGEST, -1e308]


def test_a_mean_of_equal_values_is_that_value() -> None:
    values = [0.1, 1 / 3, 1e-300, 7e22]
    groups = [[value] * count for value in values for count in range(1, 40)]

    assert sums(groups).floats(pl.Series([len(group) for group in groups])).to_list() == [group[0] for group in groups]


def test_small_values_in_one_group_are_kept_beside_huge_ones_in_another() -> None:
    assert sums([[1e-300, 2e-300], [1e300, 2e300]]).floats().to_list() == [math.fsum([1e-300, 2e-300]), 3e300]


def test_a_sum_half_way_between_two_floats_is_rounded_to_the_even_one_unless_there_is_more_below() -> None:
    half = 2.0**-53
    groups = [[1.0, half], [1.0, half, 1e-300], [1.0 + 2 * half, half], [-1.0, -half], [-1.0, -half, -SMALLEST]]

    assert sums(groups).floats().to_list() == [math.fsum(group) for group in groups]
    assert sums(groups).floats().to_list()[:2] == [1.0, 1.0 + 2 * half]


def test_negative_zeros_add_up_to_zero() -> None:
    (total,) = sums([[-0.0, -0.0]]).floats()

    assert math.copysign(1, total) == 1


def test_an_infinite_value_is_refused_with_what_the_caller_says() -> None:
    with pytest.raises(TooLarge, match=r"^s: it passes what a float holds in a window$"):
        sums([[1.0, math.inf]])


# ------------------------------------------------------------------------------------------------ ints and decimals


@given(st.lists(st.lists(INT64, min_size=1, max_size=12), min_size=1, max_size=6))
def test_a_sum_of_ints_is_whole_beyond_64_bits(groups: list[list[int]]) -> None:
    found = sums(groups, INT)

    whole = found.whole()
    assert whole is not None
    assert whole.to_list() == [sum(group) for group in groups]
    means = found.floats(pl.Series([len(group) for group in groups]))
    assert means.to_list() == [float(mean(map(Fraction, group))) for group in groups]


@given(st.lists(st.integers(1 - 10**38, 10**38 - 1), min_size=1, max_size=12))
def test_a_sum_of_long_decimals_is_exact_as_long_as_it_fits_and_known_not_to_otherwise(units: list[int]) -> None:
    values = pl.Series(units, dtype=pl.Int128()).reinterpret(dtype=pl.Decimal(38, 2))
    rows = pl.DataFrame({"g": pl.Series([0] * len(units)), "v": values})

    _, found = group_sums(rows, ["g"], {"v": pl.Decimal(38, 2)}, "s: it")

    whole, total = found["v"].whole(), sum(units)
    if abs(total) < 1 << 126:
        assert whole is not None
        assert whole.to_list() == [total]
    else:
        assert whole is None or whole.to_list() == [total]
    assert found["v"].floats().to_list() == [float(total)]


@given(st.lists(st.tuples(floats, floats), min_size=1, max_size=8))
def test_a_difference_of_sums_is_exact(pairs: list[tuple[float, float]]) -> None:
    left, right = sums([[one] for one, _ in pairs]), sums([[other] for _, other in pairs])

    expected = [rounded(Fraction(one) - Fraction(other)) for one, other in pairs]
    assert left.minus(right).floats().to_list() == expected


# ------------------------------------------------------------------------------------------------ in steps


@given(st.lists(floats, min_size=2, max_size=20), st.data())
def test_sums_of_parts_are_kept_and_added_up_as_if_all_were_summed_at_once(values: list[float], data: Any) -> None:
    ends = sorted(data.draw(st.sets(st.integers(1, len(values) - 1), max_size=5)))
    cuts = [0, *ends, len(values)]
    pieces = [values[start:end] for start, end in pairwise(cuts)]

    # Each on its own: what is largest in one says nothing of the others.
    kept = pl.concat([pl.DataFrame(renamed(sums([piece]))) for piece in data.draw(st.permutations(pieces))])
    base, digits = digit_columns(kept, "base", "limbs")
    together = Digits.of(base, kept.select(digit.sum() for digit in digits).get_columns())

    assert [each.to_list() for each in together.lists()] == [each.to_list() for each in sums([values]).lists()]


def test_what_is_kept_of_a_sum_is_short_and_can_be_written_to_parquet(tmp_path: Any) -> None:
    base, limbs = renamed(sums([[0.0], [1.0], [2.0**60, -(2.0**60)], [3.5, 4.0], [-(2.0**120)]]))

    assert base.to_list() == [0, 0, 0, -1, 2]
    assert limbs.to_list() == [[], [1], [], [1 << 59, 7], [-1]]
    assert limbs.dtype == LIMBS
    frame = pl.DataFrame([base, limbs])
    frame.write_parquet(tmp_path / "x.parquet")
    assert pl.read_parquet(tmp_path / "x.parquet").equals(frame)


def test_one_slot_is_enough_for_ordinary_measurements() -> None:
    rows = pl.LazyFrame({"v": [-40.0, 0.001, 0.0, 999.9]})

    assert len(slots(rows, {"v": FLOAT}, {})["v"].units) == 1


def test_a_column_without_a_value_has_a_slot() -> None:
    rows = pl.LazyFrame({"v": pl.Series([None], dtype=FLOAT)})

    assert len(slots(rows, {"v": FLOAT}, {})["v"].units) == 1
