"""Aggregates against plain Python, for any rows, in any order and in any split."""

import math
import random
import statistics
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.windrow_windows.aggregates_reference import (
    NUMBERS,
    OF_ANY,
    OF_NUMBERS,
    OTHERS,
    Row,
    any_rows,
    expected,
    frame,
    in_steps,
    stream,
    whole,
)
from windrow.errors import TooLarge
from windrow.units import from_us
from windrow.windows import aggregates

MERGED = [*product(OF_ANY, (*NUMBERS, *OTHERS)), *product(OF_NUMBERS, NUMBERS)]
TOGETHER = [("collect", "f"), ("collect", "text"), ("median", "i"), ("median", "f")]
TOGETHER += list(product(("n_unique",), (*NUMBERS, *OTHERS)))
SEEDS = st.randoms(use_true_random=False)


def outputs(wanted: list[tuple[str, str]]) -> str:
    return ", ".join(["rows: count", *(f"{column}_{function}: {function}({column})" for function, column in wanted)])


def by_key(rows: list[Row]) -> dict[str | None, list[Row]]:
    keys = sorted({row["k"] for row in rows}, key=lambda key: (key is not None, key or ""))
    return {key: [row for row in rows if row["k"] == key] for key in keys}


def assert_as_in_python(found: pl.DataFrame, rows: list[Row], wanted: list[tuple[str, str]]) -> None:
    groups = by_key(rows)
    assert found["k"].to_list() == list(groups)
    for result, members in zip(found.to_dicts(), groups.values(), strict=True):
        assert result["rows"] == result["row_count"] == len(members)
        assert result["first_time"] == min(row["ts"] for row in members)
        assert result["last_time"] == max(row["ts"] for row in members)
        for function, column in wanted:
            value, other = result[f"{column}_{function}"], expected(function, column, members)
            if isinstance(other, float) and (function == "median" or column == "d" or abs(other) < 2**-1022):
                # A mean of decimals and a median are rounded on the way, and so is a mean this small.
                assert value == pytest.approx(other, rel=1e-15, abs=1e-323), (function, column)
            else:
                assert value == other, (function, column)


def identical(left: pl.DataFrame, right: pl.DataFrame) -> bool:
    """Whether two frames have the same bits, -0.0 told from 0.0."""
    bits = [
        frame.with_columns(pl.selectors.float().reinterpret(dtype=pl.Int64())).select(
            pl.exclude(pl.List(pl.Float64())), pl.col(pl.List(pl.Float64())).cast(pl.List(pl.String()))
        )
        for frame in (left, right)
    ]
    return left.schema == right.schema and bits[0].equals(bits[1])


# ------------------------------------------------------------------------------------------------ any rows


@settings(max_examples=60, deadline=None)
@given(any_rows)
def test_aggregates_that_merge_are_those_of_plain_python(rows: list[Row]) -> None:
    rows = [{**row, "_batch": "b", "_ordinal": number} for number, row in enumerate(rows)]
    parsed = stream(outputs(MERGED))

    assert_as_in_python(whole(frame(rows, parsed), parsed), rows, MERGED)


@settings(max_examples=60, deadline=None)
@given(any_rows)
def test_aggregates_that_need_all_rows_are_those_of_plain_python(rows: list[Row]) -> None:
    rows = [{**row, "_batch": "b", "_ordinal": number} for number, row in enumerate(rows)]
    parsed = stream(outputs(TOGETHER))

    assert_as_in_python(whole(frame(rows, parsed), parsed), rows, TOGETHER)


@settings(max_examples=60, deadline=None)
@given(any_rows, SEEDS)
def test_any_order_and_any_split_of_the_rows_gives_the_same_bits(rows: list[Row], seed: random.Random) -> None:
    parsed = stream(outputs(MERGED))
    assert aggregates.decomposable(parsed.windows["w"])
    ordered = frame(rows, parsed)
    shuffled = ordered[seed.sample(range(len(rows)), len(rows))]

    found = in_steps(ordered, parsed, seed)

    assert identical(found, whole(shuffled, parsed))
    assert identical(found, in_steps(shuffled, parsed, seed))


@settings(max_examples=60, deadline=None)
@given(any_rows, SEEDS)
def test_any_order_of_the_rows_gives_the_same_bits_of_what_needs_them_together(
    rows: list[Row], seed: random.Random
) -> None:
    functions = ("std", "var", "time_weighted_mean", "integral", "rate", "increase", "resets", "changes")
    wanted = [*TOGETHER, *product(("time_of_min", "time_of_max"), ("f", "text")), *product(functions, NUMBERS)]
    calm = [{**row, "f": None if row["f"] is None else math.remainder(row["f"], 1e6)} for row in rows]
    parsed = stream(outputs(wanted))
    assert not aggregates.decomposable(parsed.windows["w"])
    ordered = frame(calm, parsed)

    assert identical(whole(ordered, parsed), whole(ordered[seed.sample(range(len(rows)), len(rows))], parsed))


@settings(max_examples=40, deadline=None)
@given(any_rows, SEEDS)
def test_merging_is_associative_and_a_merge_of_one_changes_nothing(rows: list[Row], seed: random.Random) -> None:
    parsed = stream(outputs(MERGED))
    window, ordered = parsed.windows["w"], frame(rows, parsed)
    places = pl.Series([seed.randrange(3) for _ in rows], dtype=pl.Int64())
    a, b, c = (aggregates.parts(ordered.filter(places == place).lazy(), ["k"], parsed, window) for place in range(3))

    def merged(*some: pl.DataFrame) -> pl.DataFrame:
        return aggregates.merge(pl.concat(some), ["k"], parsed, window).sort("k")

    assert identical(merged(merged(a, b), c), merged(a, merged(c, b)))
    assert identical(merged(a), a.sort("k"))


# ------------------------------------------------------------------------------------------------ order and ties


def rows_of(*values: Any, column: str = "f", step_us: int = 1_000_000) -> list[Row]:
    return [{"k": "a", "ts": from_us(number * step_us), column: value} for number, value in enumerate(values)]


def only_row(rows: list[Row], output: str, unique: str = "[]") -> Any:
    parsed = stream(f"x: {output}", unique=unique)
    (found,) = whole(frame(rows, parsed), parsed)["x"].to_list()
    return found


def test_records_at_the_same_time_are_ordered_by_their_id() -> None:
    rows = [
        {"k": "a", "ts": from_us(0), "f": value, "_batch": batch, "_ordinal": ordinal}
        for value, batch, ordinal in [(1.0, "b", 0), (2.0, "a", 10), (3.0, "a", 9), (None, "a", 1), (4.0, "b", 2)]
    ]

    assert only_row(rows, "first(f)") == 3.0
    assert only_row(rows, "last(f)") == 4.0
    assert only_row(rows, "collect(f)") == [3.0, 2.0, 1.0, 4.0]


def test_the_identity_of_the_spec_orders_records_at_the_same_time() -> None:
    rows = [
        {"k": "a", "ts": from_us(0), "f": value, "text": text} for value, text in [(1.0, "z"), (2.0, "x"), (3.0, "y")]
    ]

    assert only_row(rows, "first(f)", unique="[ts, text]") == 2.0
    assert only_row(rows, "last(f)", unique="[text, ts, k]") == 1.0


def test_first_and_last_pass_over_nulls_at_the_ends() -> None:
    rows = rows_of(None, 1.0, 2.0, None)

    assert (only_row(rows, "first(f)"), only_row(rows, "last(f)")) == (1.0, 2.0)


@pytest.mark.parametrize("column", ["f", "text", "day"])
def test_the_time_of_an_extreme_is_the_earliest_at_which_it_stands(column: str) -> None:
    high, low = {"f": (2.0, -1.0), "text": ("z", "a"), "day": (date(2024, 2, 29), date(1969, 1, 1))}[column]
    rows = rows_of(None, low, high, low, high, column=column)

    assert only_row(rows, f"time_of_min({column})") == from_us(1_000_000)
    assert only_row(rows[::-1], f"time_of_max({column})") == from_us(2_000_000)
    assert only_row(rows_of(None, column=column), f"time_of_max({column})") is None


# ------------------------------------------------------------------------------------------------ null


ALL_FUNCTIONS = (
    *("sum", "mean", "min", "max", "first", "last", "std", "var", "median", "time_weighted_mean", "integral", "rate"),
    *("increase", "changes", "resets", "collect", "time_of_min", "time_of_max"),
)


@pytest.mark.parametrize("function", ALL_FUNCTIONS)
def test_an_aggregate_of_nothing_is_null(function: str) -> None:
    assert only_row(rows_of(None, None), f"{function}(f)") is None


@pytest.mark.parametrize("function", ["quantile", "approx_quantile"])
def test_a_quantile_of_nothing_is_null(function: str) -> None:
    assert only_row(rows_of(None, None), f"'{function}(f, 0.5)'") is None


@pytest.mark.parametrize("function", ["count", "n_unique", "approx_n_unique"])
def test_there_are_none_of_nothing(function: str) -> None:
    assert only_row(rows_of(None, None), f"{function}(f)") == 0


@pytest.mark.parametrize("function", [*ALL_FUNCTIONS, "n_unique", "approx_n_unique"])
def test_a_null_makes_an_aggregate_null_that_does_not_skip_them(function: str) -> None:
    parsed = stream(f"x: {{function: {function}, column: f, skip_nulls: false}}, skipping: {function}(f)")
    rows = [*rows_of(1.0, None, 2.0, 4.0), *({**row, "k": "b"} for row in rows_of(1.0, 2.0, 4.0))]

    found = whole(frame(rows, parsed), parsed)

    assert found["x"].is_null().to_list() == [True, False]
    assert found["skipping"].is_null().to_list() == [False, False]
    assert found["x"].to_list()[1] == found["skipping"].to_list()[1]


def test_nulls_before_or_after_a_split_are_remembered() -> None:
    parsed = stream("x: {function: max, column: i, skip_nulls: false}")
    rows = frame(rows_of(1, None, 3, column="i"), parsed)
    window = parsed.windows["w"]
    halves = [aggregates.parts(half.lazy(), ["k"], parsed, window) for half in (rows[:2], rows[2:])]

    assert aggregates.finish(halves[1], ["k"], parsed, window)["x"].to_list() == [3]
    merged = aggregates.merge(pl.concat(halves), ["k"], parsed, window)
    assert aggregates.finish(merged, ["k"], parsed, window)["x"].to_list() == [None]


# ------------------------------------------------------------------------------------------------ size


@pytest.mark.parametrize("sign", [1, -1])
def test_a_sum_of_ints_that_passes_64_bits_is_refused(sign: int) -> None:
    most = 2**63 - 1 if sign == 1 else -(2**63)

    assert only_row(rows_of(most, sign, -sign, column="i"), "sum(i)") == most
    with pytest.raises(TooLarge, match=r"^s: x: sum\(i\) passes 64 bits in a window; make i a float$"):
        only_row(rows_of(most, sign, column="i"), "sum(i)")
    assert only_row(rows_of(most, most, column="i"), "mean(i)") == float(most)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_sum_of_decimals_that_passes_38_digits_is_refused(sign: int) -> None:
    most, least = (Decimal(f"{'-' if sign < 0 else ''}{digits}") for digits in (f"{'9' * 36}.99", "0.01"))

    assert only_row(rows_of(most, least, least.copy_negate(), column="long"), "sum(long)") == most
    for values in ([most, least], [most] * 2, [most] * 5):
        with pytest.raises(TooLarge, match=r"^s: x: sum\(long\) passes 38 digits in a window; make long a float$"):
            only_row(rows_of(*values, column="long"), "sum(long)")
    assert only_row(rows_of(most, most, column="long"), "mean(long)") == pytest.approx(sign * 1e36)


def test_a_sum_of_floats_that_passes_their_range_is_refused() -> None:
    with pytest.raises(TooLarge, match=r"^s: x: sum\(f\) passes what a float holds in a window$"):
        only_row(rows_of(1.7e308, 1.7e308), "sum(f)")
    assert only_row(rows_of(1.7e308, 1.7e308, -1.7e308), "sum(f)") == 1.7e308
    assert only_row(rows_of(1.7e308, 1.7e308), "mean(f)") == 1.7e308


def test_zeros_of_either_sign_are_one_value_and_stand_as_zero() -> None:
    for output in ("min(f)", "max(f)", "sum(f)", "mean(f)", "median(f)", "'quantile(f, 1)'"):
        for values in ((0.0, -0.0), (-0.0, 0.0), (-0.0, -0.0)):
            assert math.copysign(1, only_row(rows_of(*values), output)) == 1
    assert only_row(rows_of(0.0, -0.0), "n_unique(f)") == 1
    assert only_row(rows_of(0.0, -0.0), "approx_n_unique(f)") == 1


# ------------------------------------------------------------------------------------------------ distribution

calm = st.floats(-1e6, 1e6) | st.sampled_from([0.1, 0.0])


@settings(deadline=None)
@given(st.lists(calm, min_size=1, max_size=30), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.95, 1.0]))
def test_a_quantile_is_between_the_two_values_nearest_in_rank(values: list[float], share: float) -> None:
    found = only_row(rows_of(*values), f"'quantile(f, {share})'")

    assert found == pytest.approx(float(np.quantile(values, share)), rel=1e-12, abs=1e-9)


@settings(deadline=None)
@given(st.lists(calm, min_size=2, max_size=30))
def test_the_spread_of_floats_is_that_of_the_sample(values: list[float]) -> None:
    assert only_row(rows_of(*values), "var(f)") == pytest.approx(statistics.variance(values), rel=1e-12, abs=1e-320)
    assert only_row(rows_of(*values), "std(f)") == pytest.approx(statistics.stdev(values), rel=1e-12, abs=0)


@pytest.mark.parametrize("column", ["i", "d", "long"])
def test_the_spread_of_whole_numbers_does_not_suffer_from_their_size(column: str) -> None:
    base = {"i": 2**60, "d": 10**17, "long": 10**13}[column]
    values = [base + step if column == "i" else Decimal(base + step) / 1 for step in (1, 2, 3, 4)]

    assert only_row(rows_of(*values, column=column), f"var({column})") == pytest.approx(5 / 3, rel=1e-12)


def test_the_spread_of_values_far_from_zero_is_exact() -> None:
    values = [1e9 + step for step in (4.0, 7.0, 13.0, 16.0)]

    assert only_row(rows_of(*values), "var(f)") == 30.0


@pytest.mark.parametrize("value", [0.1, 1e300, 1e-300, -7e22, 5e-324, 0.0])
def test_equal_values_have_no_spread(value: float) -> None:
    for count in (2, 3, 7, 10):
        assert only_row(rows_of(*[value] * count), "std(f)") == 0.0


@pytest.mark.parametrize("scale", [1e-200, 1e-300, 1e200, 1e307])
def test_the_spread_of_very_small_and_very_large_values_is_known(scale: float) -> None:
    found = only_row(rows_of(1 * scale, 2 * scale, 3 * scale), "std(f)")

    assert found == pytest.approx(scale, rel=1e-12, abs=0)


def test_one_value_has_no_spread_and_a_spread_beyond_floats_is_refused() -> None:
    assert only_row(rows_of(1.0), "std(f)") is None
    assert only_row(rows_of(1.0, None), "var(f)") is None
    with pytest.raises(TooLarge, match=r"^s: x: var\(f\) passes what a float holds in a window$"):
        only_row(rows_of(1e200, -1e200), "var(f)")


# ------------------------------------------------------------------------------------------------ approximate


def test_sketches_merge_with_the_other_parts() -> None:
    parsed = stream("q: 'approx_quantile(i, 0.5)', n: approx_n_unique(text), m: max(i)")
    rows = [{"k": "a", "ts": from_us(number), "i": number, "text": f"{number % 90}"} for number in range(180)]

    found = in_steps(frame(rows, parsed), parsed, random.Random(1))

    assert found.select("q", "n", "m").row(0) == (89.0, 90, 179)


# ------------------------------------------------------------------------------------------------ the frames


def test_parts_are_named_after_their_output_and_shared_by_outputs_of_one_column() -> None:
    parsed = stream("total: sum(f), average: mean(f), n: count(f), top: max(f), open: first(f)", unique="[k, ts]")
    rows = frame(rows_of(1.0, 2.0), parsed)

    parts = aggregates.parts(rows.lazy(), ["k"], parsed, parsed.windows["w"])

    assert parts.columns == [
        *("k", "row_count", "first_time", "last_time", "total.sum_base", "total.sum", "total.count"),
        *("top.max", "open.first", "open.first_at0"),
    ]


def test_parts_of_no_rows_have_the_same_columns_and_merge_to_nothing() -> None:
    parsed = stream(outputs([*MERGED, ("approx_n_unique", "text")]))
    window = parsed.windows["w"]
    some = aggregates.parts(frame(rows_of(1.0), parsed).lazy(), ["k"], parsed, window)
    none = aggregates.parts(frame([], parsed).lazy(), ["k"], parsed, window)

    assert none.schema == some.schema
    assert aggregates.merge(none, ["k"], parsed, window).equals(none)
    assert (
        aggregates.finish(none, ["k"], parsed, window).schema == aggregates.finish(some, ["k"], parsed, window).schema
    )


def test_parts_survive_a_parquet_file(tmp_path: Any) -> None:
    parsed = stream(outputs([*MERGED, ("approx_n_unique", "text")]))
    parts = aggregates.parts(frame(rows_of(1.0, -3.5), parsed).lazy(), ["k"], parsed, parsed.windows["w"])

    parts.write_parquet(tmp_path / "parts.parquet")

    assert pl.read_parquet(tmp_path / "parts.parquet").equals(parts)


def test_groups_of_no_rows_have_the_columns_of_the_result() -> None:
    functions = ("std", "median", "rate", "resets", "time_weighted_mean", "collect", "time_of_min", "max")
    parsed = stream(outputs([(function, "f") for function in functions]))

    none, some = (whole(frame(rows, parsed), parsed) for rows in ([], rows_of(1.0, 2.0)))

    assert none.is_empty()
    assert none.schema == some.schema


def test_keys_and_the_time_can_be_aggregated_too() -> None:
    functions = ("max", "first", "n_unique", "collect")
    wanted = ", ".join(f"{column}_{each}: {each}({column})" for column, each in product(("k", "ts", "long"), functions))
    numbers = ", ".join(f"{each}: {each}(long)" for each in ("sum", "mean", "std", "median", "increase", "integral"))
    parsed = stream(f"{wanted}, {numbers}", keys="[k, long]")
    rows = [{"k": "a", "ts": from_us(at), "long": Decimal("1.5")} for at in (0, 1_000_000)]

    (found,) = whole(frame(rows, parsed), parsed, ["k", "long"]).to_dicts()

    assert (found["k_max"], found["k_first"], found["k_n_unique"], found["k_collect"]) == ("a", "a", 1, ["a", "a"])
    assert (found["ts_max"], found["ts_first"], found["ts_n_unique"]) == (from_us(1_000_000), from_us(0), 2)
    assert (found["long"], found["long_max"], found["sum"]) == (Decimal("1.5"), Decimal("1.5"), 3)
    assert [found[name] for name in ("mean", "std", "median", "increase", "integral")] == [1.5, 0.0, 1.5, 0.0, 1.5]


def test_outputs_that_a_line_is_drawn_through_are_floats() -> None:
    for fill, kind in (("linear", pl.Float64()), ("0.5", pl.Float64()), ("previous", pl.Int64()), ("1.0", pl.Int64())):
        parsed = stream("x: sum(i), y: count", window=f"size: 1h, fill: {fill}")
        found = whole(frame(rows_of(1, 2, column="i"), parsed), parsed)
        assert (found.schema["x"], found.schema["y"]) == (kind, kind)
