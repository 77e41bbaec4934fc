"""Counters: what they grew by, whatever they began anew at."""

import itertools
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.windrow_windows.aggregates_reference import Row, frame, members, nearest, some_floats, stream, whole
from windrow.errors import TooLarge
from windrow.units import SECOND_US, from_us

FUNCTIONS = ("increase", "rate", "resets", "changes")


def readings(*values: Any, column: str = "f", step_us: int = 5 * SECOND_US) -> list[Row]:
    return [{"k": "a", "ts": from_us(number * step_us), column: value} for number, value in enumerate(values)]


def of(rows: list[Row], column: str = "f") -> tuple[Any, ...]:
    """increase, rate, resets and changes."""
    parsed = stream(", ".join(f"{function}: {function}({column})" for function in FUNCTIONS))
    return whole(frame(rows, parsed), parsed).select(FUNCTIONS).row(0)


def test_a_counter_that_begins_anew_twice_has_grown_by_a_hundred() -> None:
    # TimescaleDB Toolkit, counter-agg, test_multiple_resets.
    rows = readings(0.0, 10.0, 20.0, 10.0, 40.0, 20.0, 40.0)

    assert of(rows) == (100.0, 100.0 / 30, 2, 6)
    assert of(rows[3:] + rows[:3]) == of(rows)


@pytest.mark.parametrize("column", ["i", "d"])
def test_counters_of_any_type_grow_alike(column: str) -> None:
    rows = readings(*map({"i": int, "d": Decimal}[column], (0, 10, 20, 10, 40, 20, 40)), column=column)

    assert of(rows, column) == (100.0, 100.0 / 30, 2, 6)


def test_nulls_are_passed_over() -> None:
    assert of(readings(None, 1.0, None, 4.0, None)) == (3.0, 0.3, 0, 1)


def test_one_value_has_no_growth_and_no_changes() -> None:
    assert of(readings(7.0)) == (None, None, 0, 0)
    assert of(readings(None, 7.0, None)) == (None, None, 0, 0)


def test_values_at_one_time_have_a_growth_and_no_rate() -> None:
    assert of(readings(1.0, 4.0, step_us=0)) == (3.0, None, 0, 1)


def test_a_large_counter_loses_no_unit() -> None:
    assert of(readings(2**62, 2**62 + 1, 2**62 + 3, column="i"), "i")[:2] == (3.0, 0.3)
    assert of(readings(Decimal("100000000000000.01"), Decimal("100000000000000.04"), column="d"), "d")[0] == 0.03


def test_each_group_has_its_own_counter() -> None:
    parsed = stream("increase: increase(f), resets: resets(f)")
    rows = [
        *readings(100.0, 110.0),
        *({**row, "k": "b"} for row in readings(1.0, 2.0)),
        {**readings(5.0)[0], "k": None},
    ]

    found = whole(frame(rows, parsed), parsed)

    assert found.select("k", "increase", "resets").rows() == [(None, None, 0), ("a", 10.0, 0), ("b", 1.0, 0)]


def test_a_growth_beyond_floats_is_refused() -> None:
    with pytest.raises(TooLarge, match=r"^s: increase: increase\(f\) passes what a float holds in a window$"):
        of(readings(0.0, 1.7e308, 0.0, 1.7e308))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.none() | some_floats | st.floats(-5, 5)), max_size=20))
def test_growth_is_the_float_nearest_to_the_exact_one(points: list[tuple[int, float | None]]) -> None:
    rows = [{"k": "a", "ts": from_us(at * SECOND_US), "f": value} for at, value in points]
    rows.append({"k": "a", "ts": from_us(9 * SECOND_US), "f": None})
    known = [member for member in members(rows, "f") if member.value is not None]
    values = [Fraction(member.value) for member in known]
    grown = sum(new - old if new >= old else new for old, new in itertools.pairwise(values))
    pairs = list(itertools.pairwise(values))
    seconds = (known[-1].at - known[0].at) // SECOND_US if known else 0

    increase, rate, resets, changes = of(rows)

    assert increase == (nearest(Fraction(grown)) if pairs else None)
    assert rate == (pytest.approx(nearest(Fraction(grown) / seconds), rel=1e-15) if seconds else None)
    assert resets == (sum(new < old for old, new in pairs) if values else None)
    assert changes == (sum(new != old for old, new in pairs) if values else None)
