"""Means and integrals over time: what is carried into a window, and how far."""

import itertools
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.windrow_windows.aggregates_reference import Row, frame, stream, whole
from windrow.units import SECOND_US, from_us, to_us
from windrow.windows import aggregates

MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
Point = tuple[float, float | None]

# 1 January 2020, minutes → values; TimescaleDB Toolkit, test_time_weight_aggregate.
IRREGULAR: list[Point] = [
    (0, 10.0),
    (1, 20.0),
    (2, 10.0),
    (3, 20.0),
    (4, 10.0),
    (8, 30.0),
    (10, 10.0),
    (10.5, 20.0),
    (20, 30.0),
]


def points(values: list[Point], unit_us: int = MINUTE_US, key: str | None = "a") -> list[Row]:
    start_us = 1_577_836_800 * SECOND_US
    return [{"k": key, "ts": from_us(start_us + int(at * unit_us)), "f": value} for at, value in values]


def both(carry: str, more: str = "") -> str:
    return ", ".join(
        f"{name}: {{function: {function}, column: f, carry: {carry}{more}}}"
        for name, function in (("mean", "time_weighted_mean"), ("area", "integral"))
    )


def in_windows(rows: list[Row], carry: str, size_us: int, more: str = "") -> list[tuple[int, Any, Any]]:
    """Start of each window in units of its size, mean and integral."""
    parsed = stream(both(carry, more))
    window = parsed.windows["w"]
    start = pl.col("ts").dt.timestamp("us") // size_us * size_us
    laid = aggregates.prepared(frame(rows, parsed).lazy(), parsed, window).with_columns(
        start.alias("__start"), (start + size_us).alias("__end")
    )
    found = aggregates.whole(laid, ["k", "__start", "__end"], parsed, window).sort("k", "__start")
    first_us = 1_577_836_800 * SECOND_US
    return [
        ((at - first_us) // size_us, mean, area) for at, mean, area in found.select("__start", "mean", "area").rows()
    ]


def at_once(rows: list[Row], carry: str) -> tuple[Any, Any]:
    """Mean and integral of all rows, which have no window's bounds."""
    parsed = stream(both(carry))
    found = aggregates.whole(frame(rows, parsed), ["k"], parsed, parsed.windows["w"])
    return found.select("mean", "area").row(0)


# ------------------------------------------------------------------------------------------------ known results


@pytest.mark.parametrize(("carry", "mean", "area"), [("linear", 21.25, 25_500.0), ("previous", 17.75, 21_300.0)])
def test_an_irregular_series_has_the_mean_that_timescale_gives(carry: str, mean: float, area: float) -> None:
    assert at_once(points(IRREGULAR), carry) == (mean, area)
    assert at_once(points(IRREGULAR)[::-1], carry) == (mean, area)


def test_the_last_value_of_a_day_is_carried_into_the_next() -> None:
    # TimescaleDB Toolkit, test_time_weight_interpolation: hours → values, in days.
    values = [(8, 10.0), (12, 40.0), (16, 20.0), (26, 15.0), (36, 50.0), (44, 25.0), (58, 30.0), (60, 0.0), (64, 35.0)]
    hours = [
        (day, mean, area / 3_600) for day, mean, area in in_windows(points(values, HOUR_US), "previous", 24 * HOUR_US)
    ]

    assert hours == [(0, 22.5, 360.0), (1, 28.75, 690.0), (2, 24.583333333333332, 590.0)]


def test_without_bounds_a_single_value_has_no_duration() -> None:
    # TimescaleDB Toolkit, docs/time_weighted_average.md: minutes → values, every five minutes.
    values = [(0, 10.0), (1, 20.0), (2, 10.0), (3, 20.0), (4, 10.0), (8, 10.0), (10, 30.0), (10.5, 10.0), (15.83, 35.0)]
    found = in_windows(points([*values, (30, 60.0)]), "none", 5 * MINUTE_US)

    assert [(window, mean) for window, mean, _ in found] == [(0, 15.0), (1, None), (2, 30.0), (3, None), (6, None)]
    assert at_once(points([*values[:-1], (16.5, 35.0), (30, 60.0)]), "none")[0] == pytest.approx(22.25)


# ------------------------------------------------------------------------------------------------ carries


def test_a_value_is_carried_no_further_than_it_may() -> None:
    rows = points([(9, 1.0), (11, 3.0)])

    def second(max_carry: str) -> tuple[Any, Any]:
        return in_windows(rows, "previous", 10 * MINUTE_US, f", max_carry: {max_carry}")[1][1:]

    assert second("60s") == ((1 + 9 * 3) / 10, (1 + 9 * 3) * 60.0)
    assert second("59s") == (3.0, 9 * 3 * 60.0)


def test_a_line_is_carried_over_both_bounds_and_no_further_than_it_may() -> None:
    rows = points([(9, 0.0), (11, 2.0), (19, 2.0), (23, 6.0)])

    def second(max_carry: str) -> tuple[Any, Any]:
        return in_windows(rows, "linear", 10 * MINUTE_US, f", max_carry: {max_carry}")[1][1:]

    assert second("3m") == ((1.5 + 16 + 2.5) / 10, 20 * 60.0)
    assert second("2m") == ((1.5 + 16) / 9, 17.5 * 60.0)
    assert second("30s") == (2.0, 16 * 60.0)


def test_a_single_value_is_held_to_the_end_of_its_window_but_makes_no_line() -> None:
    rows = points([(4, 5.0)])

    assert in_windows(rows, "previous", 10 * MINUTE_US) == [(0, 5.0, 5.0 * 360)]
    assert in_windows(rows, "linear", 10 * MINUTE_US) == [(0, None, None)]


def test_nulls_are_no_values_and_a_window_of_them_alone_is_null() -> None:
    rows = points([(1, 2.0), (5, None), (12, None), (21, None), (25, 4.0)])

    assert in_windows(rows, "previous", 10 * MINUTE_US) == [(0, 2.0, 1080.0), (1, None, None), (2, 3.0, 1800.0)]


def test_nothing_is_carried_from_one_key_to_another() -> None:
    rows = [*points([(5, 1.0)], key="a"), *points([(15, 7.0)], key="b"), *points([(25, 9.0)], key=None)]

    assert in_windows(rows, "previous", 10 * MINUTE_US) == [(2, 9.0, 2700.0), (0, 1.0, 300.0), (1, 7.0, 2100.0)]
    assert [mean for _, mean, _ in in_windows(rows, "linear", 10 * MINUTE_US)] == [None, None, None]


def test_rows_that_stand_in_several_windows_are_carried_into_each() -> None:
    parsed = stream(both("previous"))
    window = parsed.windows["w"]
    prepared = aggregates.prepared(frame(points([(1, 1.0), (6, 3.0), (9, 5.0)]), parsed).lazy(), parsed, window)
    first = to_us(points([(0, None)])[0]["ts"])
    bounds = pl.LazyFrame({"__start": [first, first + 5 * MINUTE_US]}).with_columns(__end=first + 10 * MINUTE_US)
    laid = prepared.join(bounds, how="cross").filter(pl.col("ts").dt.timestamp("us") >= pl.col("__start"))

    found = aggregates.whole(laid, ["k", "__start", "__end"], parsed, window).sort("__start")

    assert found["mean"].to_list() == [(5 * 1 + 3 * 3 + 5) / 9, (1 + 3 * 3 + 5) / 5]


def test_without_bounds_a_value_is_held_to_the_last_row() -> None:
    rows = points([(0, 4.0), (1, 2.0), (4, None)])

    assert at_once(rows, "previous") == ((4 + 3 * 2) / 4, 600.0)
    assert at_once(rows, "none") == (4.0, 240.0)


def test_a_constant_has_itself_for_a_mean() -> None:
    rows = points([(at, 0.1) for at in (0, 1, 3, 4.5, 7)])

    for carry in ("previous", "linear", "none"):
        assert {mean for _, mean, _ in in_windows(rows, carry, 2 * MINUTE_US)} <= {0.1, None}


def test_rows_need_not_be_prepared_where_nothing_is_carried() -> None:
    parsed = stream(f"m: max(f), {both('none')}")
    rows = frame(points([(0, 4.0)]), parsed).lazy()

    assert aggregates.prepared(rows, parsed, parsed.windows["w"]) is rows


def test_ints_and_decimals_are_weighted_too() -> None:
    parsed = stream("i: time_weighted_mean(i), d: integral(d)")
    rows = [{"k": "a", "ts": from_us(at * SECOND_US), "i": at, "d": at} for at in (0, 1, 3)]

    assert whole(frame(rows, parsed), parsed).select("i", "d").row(0) == (2 / 3, 2.0)


# ------------------------------------------------------------------------------------------------ any series


def reference(values: list[tuple[int, float | None]], size: int, carry: str, max_carry: int) -> list[tuple[int, Any]]:
    """Windows and the means in them of one series, by the letter of the definition."""
    known = sorted((at, Fraction(value)) for at, value in values if value is not None)
    found = []
    for window in sorted({at // size for at, _ in values}):
        start, end = window * size, (window + 1) * size
        inside = [(at, value) for at, value in known if start <= at < end]
        before = [(at, value) for at, value in known if at < start and start - at <= max_carry][-1:]
        after = [(at, value) for at, value in known if at >= end and at - end <= max_carry][:1]
        if not inside:
            found.append((window, None))
            continue
        line = [*(before if carry != "none" else []), *inside]
        if carry == "linear":
            line += after
        area, covered = Fraction(0), 0
        if carry == "previous":
            line.append((end, Fraction(0)))
        for (left_at, left), (right_at, right) in itertools.pairwise(line):
            from_at, to_at = max(left_at, start), min(right_at, end)
            if from_at >= to_at:
                continue
            slope = (right - left) / (right_at - left_at) if carry == "linear" else Fraction(0)
            middle = left + slope * (Fraction(from_at + to_at, 2) - left_at)
            area, covered = area + middle * (to_at - from_at), covered + to_at - from_at
        found.append((window, area / covered if covered else None))
    return found


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.integers(-30, 30), st.none() | st.floats(-1e3, 1e3), min_size=1, max_size=15),
    st.integers(1, 12),
    st.sampled_from(["previous", "linear", "none"]),
    st.integers(1, 20),
)
def test_means_are_those_of_the_definition(
    series: dict[int, float | None], size: int, carry: str, max_carry: int
) -> None:
    values = list(series.items())
    expected = reference(values, size, carry, max_carry)
    first_us = 1_577_836_800 * SECOND_US
    shift_us = first_us // (size * SECOND_US) * size * SECOND_US - first_us
    rows = [{**row, "ts": from_us(to_us(row["ts"]) + shift_us)} for row in points(values, SECOND_US)]

    more = "" if carry == "none" else f", max_carry: {max_carry}s"
    found = in_windows(rows, carry, size * SECOND_US, more)

    offset = found[0][0] - expected[0][0]
    assert [window - offset for window, _, _ in found] == [window for window, _ in expected]
    for (_, mean, _), (_, exact) in zip(found, expected, strict=True):
        assert mean == (None if exact is None else pytest.approx(float(exact), rel=1e-12, abs=1e-9))
