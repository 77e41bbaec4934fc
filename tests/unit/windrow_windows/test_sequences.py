"""Sequences: by hand, and against a slow, obvious computation in plain Python."""

import random
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.errors import TooLarge
from windrow.lake.schema import result_schema, segment_schema
from windrow.spec import StreamSpec
from windrow.spec.windows import SequenceWindow
from windrow.units import from_us, to_us
from windrow.windows import aggregates, sequences, steps

Row = tuple[str | None, int, float | None]
SUM = "x: sum(v)"


def stream(settings: str, aggregates: str = SUM, keys: str = "[k]") -> StreamSpec:
    return spec.parse(
        f"stream: s\ntime: {{column: ts}}\nkeys: {keys}\n"
        "columns: {ts: timestamp, k: string, i: int, v: float, text: string, cost: {type: decimal, precision: 9, "
        "scale: 2}}\n"
        f"windows: {{w: {{kind: sequence, {settings}, aggregates: {{{aggregates}}}}}}}",
        "x",
    )


def window_of(parsed: StreamSpec) -> SequenceWindow:
    window = parsed.windows["w"]
    assert isinstance(window, SequenceWindow)
    return window


def frame(rows: list[Row], parsed: StreamSpec) -> pl.DataFrame:
    """Rows of key, time in µs and value; the other columns follow from the value."""
    kept = {name: kind for name, kind in segment_schema(parsed).items() if name != "_received_at"}
    value = pl.col("v")
    return pl.DataFrame(
        [
            {"k": key, "ts": from_us(at), "v": value, "_batch": "b", "_ordinal": number}
            for number, (key, at, value) in enumerate(rows)
        ],
        schema={name: kind for name, kind in kept.items() if name not in ("i", "text", "cost")},
    ).with_columns(
        value.cast(pl.Int64).alias("i"), value.cast(pl.String).alias("text"), value.cast(kept["cost"]).alias("cost")
    )


def whole(rows: pl.DataFrame, parsed: StreamSpec, owned: tuple[int, int] | None = None) -> pl.DataFrame:
    return sequences.whole(rows.lazy(), parsed, window_of(parsed), owned)


def in_steps(parts: list[pl.DataFrame], parsed: StreamSpec, owned: tuple[int, int] | None = None) -> pl.DataFrame:
    window = window_of(parsed)
    found = pl.concat([sequences.panes(part.lazy(), parsed, window) for part in parts])
    merged = aggregates.merge(found, [*parsed.keys, "__pane"], parsed, window)
    return sequences.from_panes(merged, parsed, window, owned)


def of(rows: list[Row], settings: str, aggregates: str = SUM) -> pl.DataFrame:
    """What both ways of computing say."""
    parsed = stream(settings, aggregates)
    every = frame(rows, parsed)
    found = whole(every, parsed)
    assert in_steps([every], parsed).equals(found)
    return found


def starts(found: pl.DataFrame) -> list[int]:
    return found["window_start"].dt.timestamp("us").to_list()


def series(*values: float | None, key: str = "a") -> list[Row]:
    """A value every 10 µs from 1970 on; where there is none, no row."""
    return [(key, 10 * place, value) for place, value in enumerate(values) if value is not None]


# ------------------------------------------------------------------------------------------------ by hand


def test_sequences_of_three_steps_every_step_as_in_tsfresh() -> None:
    rows: list[Row] = [("1", at, at + 1.0) for at in range(4)] + [("2", 20, 10.0), ("2", 21, 11.0)]
    found = of(rows, "step: 1us, length: 3, stride: 1, min_observed: 3")

    assert found["x"].to_list() == [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    assert [end - 1 for end in found["window_end"].dt.timestamp("us")] == [2, 3]
    assert found["k"].to_list() == ["1", "1"]


def test_sequences_lie_side_by_side_from_1970_on_and_are_padded_at_the_ends() -> None:
    found = of([("a", 25, 1.0), ("a", 31, 2.0), ("a", 39, 4.0), ("a", 65, 8.0)], "step: 10us, length: 3")

    assert starts(found) == [0, 30, 60]
    assert found["window_end"].dt.timestamp("us").to_list() == [30, 60, 90]
    assert found["x"].to_list() == [[None, None, 1.0], [6.0, None, None], [8.0, None, None]]
    assert found["observed_steps"].to_list() == [1, 1, 1]
    assert found["row_count"].to_list() == [1, 2, 1]
    assert found.schema["x"] == pl.Array(pl.Float64, 3)


def test_the_grid_may_begin_later_and_goes_on_before_1970() -> None:
    found = of([("a", -7, 1.0), ("a", 2, 2.0)], "step: 10us, length: 2, offset: -3us")

    assert starts(found) == [-23, -3]
    assert found["x"].to_list() == [[None, 1.0], [2.0, None]]


def test_a_stride_longer_than_the_sequence_leaves_steps_out() -> None:
    found = of(series(1, 2, 3, 4, 5, 6), "step: 10us, length: 2, stride: 3")

    assert found["x"].to_list() == [[1.0, 2.0], [4.0, 5.0]]


@pytest.mark.parametrize(
    ("fill", "filled"),
    [
        ("null", [1.0, None, None, None, 5.0]),
        ("zero", [1.0, 0.0, 0.0, 0.0, 5.0]),
        ("previous", [1.0, 1.0, 1.0, 1.0, 5.0]),
        ("linear", [1.0, 2.0, 3.0, 4.0, 5.0]),
        ("7", [1.0, 7.0, 7.0, 7.0, 5.0]),
        ("-0.5", [1.0, -0.5, -0.5, -0.5, 5.0]),
    ],
)
def test_steps_between_rows_are_filled_and_those_beyond_are_padded(fill: str, filled: list[float | None]) -> None:
    rows = [(key, at + 20, value) for key, at, value in series(1, None, None, None, 5)]
    found = of(rows, f"step: 10us, length: 8, fill: {fill}, padding: -9, mask: true")

    assert found["x"].to_list() == [[-9.0, -9.0, *filled, -9.0]]
    assert found["x_mask"].to_list() == [[False, False, True, False, False, False, True, False]]
    assert found["observed_steps"].to_list() == [2]


def test_only_so_many_steps_in_a_row_are_filled_and_the_others_are_null() -> None:
    found = of(series(1, None, None, None, 5), "step: 10us, length: 5, fill: previous, fill_limit: 2, padding: zero")

    assert found["x"].to_list() == [[1.0, 1.0, 1.0, None, 5.0]]


def test_silence_is_padded_and_a_gap_is_filled() -> None:
    rows = series(1, None, None, 4, None, None, None, 8)
    found = of(rows, "step: 10us, length: 8, fill: previous, max_gap: 2, padding: zero")

    assert found["x"].to_list() == [[1.0, 1.0, 1.0, 4.0, 0.0, 0.0, 0.0, 8.0]]


def test_a_gap_is_filled_with_what_stood_before_the_sequence() -> None:
    rows = series(1, None, None, None, 5)
    found = of(rows, "step: 10us, length: 2, fill: previous")

    assert starts(found) == [0, 40]
    assert found["x"].to_list() == [[1.0, 1.0], [5.0, None]]
    assert of(rows, "step: 10us, length: 3, fill: linear")["x"].to_list() == [[1.0, 2.0, 3.0], [4.0, 5.0, None]]


def test_a_step_whose_rows_hold_only_nulls_is_neither_filled_nor_observed() -> None:
    rows: list[Row] = [("a", 0, 1.0), ("a", 10, None), ("a", 30, 4.0)]
    found = of(rows, "step: 10us, length: 4, fill: previous, mask: true")

    assert found["x"].to_list() == [[1.0, None, None, 4.0]]
    assert found["x_mask"].to_list() == [[True, False, False, True]]
    assert found["observed_steps"].to_list() == [3]


def test_the_target_are_the_steps_that_follow() -> None:
    found = of(series(1, 2, 3, None, 5, 6), "step: 10us, length: 2, stride: 2, horizon: 3, fill: previous, mask: true")

    assert found["x"].to_list() == [[1.0, 2.0], [3.0, 3.0], [5.0, 6.0]]
    assert found["x_target"].to_list() == [[3.0, 3.0, 5.0], [5.0, 6.0, None], [None, None, None]]
    assert found["x_target_mask"].to_list() == [[True, False, True], [True, True, False], [False, False, False]]
    assert found.columns == [
        "k",
        "window_start",
        "window_end",
        "x",
        "x_mask",
        "x_target",
        "x_target_mask",
        "observed_steps",
        "row_count",
    ]
    assert found["row_count"].to_list() == [2, 1, 2]


def test_sequences_with_too_few_steps_with_rows_are_left_out_whatever_their_target_holds() -> None:
    rows = series(1, None, None, 4, 5, 6)

    assert starts(of(rows, "step: 10us, length: 2, stride: 1, min_observed: 2, horizon: 2")) == [30, 40]
    assert starts(of(rows, "step: 10us, length: 2, stride: 1, min_observed: 1")) == [-10, 0, 20, 30, 40, 50]


def test_outputs_of_any_type_become_arrays() -> None:
    outputs = "n: count, a: sum(i), b: last(text), c: max(cost), d: max(ts), e: sum(cost)"
    found = of(series(1, None, 3), "step: 10us, length: 3, fill: previous, mask: true", outputs)
    [row] = found.to_dicts()

    assert row["n"] == [1, 1, 1]
    assert row["a"] == [1, 1, 3]
    assert row["b"] == ["1.0", "1.0", "3.0"]
    assert [str(value) for value in row["c"]] == ["1.00", "1.00", "3.00"]
    assert row["d"] == [from_us(0), from_us(0), from_us(20)]
    assert [str(value) for value in row["e"]] == ["1.00", "1.00", "3.00"]
    assert row["b_mask"] == [True, False, True]


def test_a_decimal_is_filled_with_what_is_written() -> None:
    found = of(series(1, None, 3), "step: 10us, length: 4, fill: 0.1, padding: -2.25", "c: max(cost)")

    assert [str(value) for value in found["c"][0]] == ["1.00", "0.10", "3.00", "-2.25"]


def test_whole_numbers_become_fractions_where_a_line_or_a_fraction_fills_them() -> None:
    rows = series(1, None, 4)

    assert of(rows, "step: 10us, length: 3, fill: linear", "a: sum(i)")["a"].to_list() == [[1.0, 2.5, 4.0]]
    assert of(rows, "step: 10us, length: 3, fill: 0.5", "a: sum(i)")["a"].to_list() == [[1.0, 0.5, 4.0]]
    assert of(rows, "step: 10us, length: 3, fill: 2", "a: sum(i)")["a"].to_list() == [[1, 2, 4]]
    assert of(rows, "step: 10us, length: 4, padding: 0.5", "a: sum(i)")["a"].to_list() == [[1.0, None, 4.0, 0.5]]


def test_lists_become_arrays_of_lists() -> None:
    parsed = stream("step: 10us, length: 3, mask: true, horizon: 1", "values: collect(v)")
    found = whole(frame([("a", 0, 1.0), ("a", 5, 2.0), ("a", 20, 3.0)], parsed), parsed)

    assert found.schema["values"] == pl.Array(pl.List(pl.Float64), 3)
    assert found["values"].to_list() == [[[1.0, 2.0], None, [3.0]]]
    assert found["values_target"].to_list() == [[None]]


def test_a_time_weighted_mean_of_a_step_carries_the_value_before_it_in() -> None:
    parsed = stream("step: 10us, length: 2", "x: time_weighted_mean(v)")
    found = whole(frame([("a", 0, 1.0), ("a", 15, 3.0)], parsed), parsed)

    assert found["x"].to_list() == [[1.0, 2.0]]


def test_an_output_may_be_called_after_a_mask() -> None:
    found = of(series(1, 2), "step: 10us, length: 2, mask: true", "a_mask_b: sum(v), a: count")

    assert found.columns[3:7] == ["a_mask_b", "a_mask_b_mask", "a", "a_mask"]
    assert found["a_mask_b"].to_list() == [[1.0, 2.0]]


def test_no_key_is_a_key_and_a_stream_without_keys_has_one_series() -> None:
    rows: list[Row] = [(None, 0, 1.0), ("a", 10, 2.0), (None, 10, 4.0)]
    parsed = stream("step: 10us, length: 2", keys="[]")

    assert of(rows, "step: 10us, length: 2").select("k", "x").rows() == [(None, [1.0, 4.0]), ("a", [None, 2.0])]
    assert whole(frame(rows, parsed), parsed)["x"].to_list() == [[1.0, 6.0]]


def test_no_rows_are_no_sequences() -> None:
    parsed = stream("step: 10us, length: 3, horizon: 2, mask: true, test_from: 2024-01-01", "n: count, v: collect(v)")
    assert whole(frame([], parsed), parsed).schema == result_schema(parsed, window_of(parsed))

    assert of([], "step: 10us, length: 3").height == 0


def test_only_sequences_that_start_in_the_wanted_stretch_are_returned_and_they_are_whole() -> None:
    given = "step: 10us, length: 3, stride: 2, fill: previous, horizon: 2, offset: 5us"
    parsed = stream(given)
    rows = frame(series(*[value if value % 4 else None for value in range(1, 30)]), parsed)
    every = whole(rows, parsed)

    for owned in ((0, 100), (-1000, 1000), (5, 6), (25, 45), (26, 46), (24, 44), (500, 600)):
        wanted = every.filter([owned[0] <= start < owned[1] for start in starts(every)])
        assert whole(rows, parsed, owned).equals(wanted)
        assert in_steps([rows], parsed, owned).equals(wanted)
    assert starts(whole(rows, parsed, (5, 26))) == [5, 25]


# ------------------------------------------------------------------------------------------------ cuts


CUTS = "validate_from: 1970-01-01T00:00:10Z, test_from: 1970-01-01T00:00:15Z"


def test_sequences_are_of_the_part_they_lie_in_and_none_crosses_a_cut_with_its_target() -> None:
    rows = [("a", at * 1_000_000, float(at)) for at in range(20)]
    found = of(rows, f"step: 1s, length: 3, stride: 1, horizon: 2, min_observed: 3, {CUTS}")

    by_part = {name: part["window_start"].dt.epoch("s").to_list() for (name,), part in found.group_by("part")}
    assert by_part == {"train": [0, 1, 2, 3, 4, 5], "validation": [10], "test": [15, 16, 17]}
    for row in found.to_dicts():
        seen = [value for value in (*row["x"], *row["x_target"]) if value is not None]
        low, high = {"train": (0, 10), "validation": (10, 15), "test": (15, 25)}[row["part"]]
        assert low <= min(seen) <= max(seen) < high


def test_a_step_that_a_cut_goes_through_is_in_no_sequence() -> None:
    rows = [("a", at * 100_000, 1.0) for at in range(60)]
    found = of(rows, "step: 1s, length: 1, test_from: 1970-01-01T00:00:02.5Z")

    assert found.select(pl.col("window_start").dt.epoch("s"), "part").rows() == [
        (0, "train"),
        (1, "train"),
        (3, "test"),
        (4, "test"),
        (5, "test"),
    ]


@pytest.mark.parametrize("fill", ["linear", "previous", "zero", "null"])
@pytest.mark.parametrize("cut", ["00:00:05Z", "00:00:04.5Z"])
def test_what_lies_beyond_a_cut_shows_in_no_sequence_before_it(fill: str, cut: str) -> None:
    given = f"step: 1s, length: 2, stride: 1, horizon: 1, fill: {fill}, padding: -1, test_from: 1970-01-01T{cut}"
    before: list[Row] = [("a", 0, 1.0), ("a", 2_000_000, 5.0)]
    beyond: list[list[Row]] = [[], [("a", 6_000_000, 9.0)], [("a", 5_000_000, 70.0)], [("a", 4_700_000, 7.0)]]

    found = [
        of(before + rows, given).filter(pl.col("part") == "train")
        for rows in (beyond if cut == "00:00:04.5Z" else beyond[:-1])
    ]
    assert found[0].height > 0
    assert all(each.equals(found[0]) for each in found)


def test_a_test_sequence_may_be_filled_with_what_stood_before_the_cut() -> None:
    rows: list[Row] = [("a", 1_000_000, 3.0), ("a", 4_000_000, 6.0)]
    cut = "step: 1s, length: 3, stride: 1, test_from: 1970-01-01T00:00:02Z"

    assert of(rows, f"{cut}, fill: previous")["x"].to_list()[1:3] == [[3.0, 3.0, 6.0], [3.0, 6.0, None]]
    assert of(rows, f"{cut}, fill: linear")["x"].to_list()[1:3] == [[4.0, 5.0, 6.0], [5.0, 6.0, None]]
    assert of(rows, f"{cut}, fill: linear").select("x", "part").row(0) == ([None, None, 3.0], "train")


# ------------------------------------------------------------------------------------------------ against a reference


def reference(rows: list[Row], window: SequenceWindow) -> list[tuple[Any, ...]]:
    """Of each sequence of `sum(v)`: key, start, values, mask, targets, their mask, part, observed steps, row count."""
    cells: dict[str | None, dict[int, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    for key, at, value in rows:
        cells[key][(at - window.offset) // window.step].append(value)
    found = []
    stride, span = window.stride or window.length, window.length + window.horizon
    for key, held in cells.items():
        present = sorted(held)
        sums = {
            cell: sum(value for value in held[cell] if value is not None) if any_value(held[cell]) else None
            for cell in present
        }
        numbers = {each for cell in present for each in range((cell - window.length) // stride, cell // stride + 1)}
        for number in sorted(numbers):
            first = number * stride
            inside = range(first, first + window.length)
            observed = [cell for cell in inside if cell in held]
            if len(observed) < window.min_observed:
                continue
            start, end = (window.offset + cell * window.step for cell in (first, first + span))
            part, horizon = part_of(start, end, window)
            if window.parts and part is None:
                continue
            visible = [
                cell for cell in present if horizon is None or window.offset + (cell + 1) * window.step <= horizon
            ]
            values = [step_value(cell, visible, sums, window) for cell in range(first, first + span)]
            mask = [sums.get(cell) is not None for cell in range(first, first + span)]
            cut, count = window.length, sum(len(held[cell]) for cell in observed)
            found.append((key, start, values[:cut], mask[:cut], values[cut:], mask[cut:], part, len(observed), count))
    return sorted(found, key=lambda row: (row[0] is not None, row[0] or "", row[1]))


def any_value(values: list[float | None]) -> bool:
    return any(value is not None for value in values)


def part_of(start: int, end: int, window: SequenceWindow) -> tuple[str | None, int | None]:
    """The part a sequence lies in, and where that ends."""
    for name, begin, until in window.parts:
        if (begin is None or to_us(begin) <= start) and (until is None or end <= to_us(until)):
            return name, None if until is None else to_us(until)
    return None, None


def step_value(cell: int, present: list[int], sums: dict[int, float | None], window: SequenceWindow) -> float | None:
    if cell in present:
        return sums[cell]
    before = max((other for other in present if other < cell), default=None)
    after = min((other for other in present if other > cell), default=None)
    padding = {"null": None, "zero": 0.0}.get(str(window.padding), window.padding)
    if before is None or after is None or (window.max_gap is not None and after - before - 1 > window.max_gap):
        return padding  # type: ignore[return-value]
    if window.fill_limit is not None and cell - before > window.fill_limit:
        return None
    low, high = sums[before], sums[after]
    match window.fill:
        case "null":
            return None
        case "zero":
            return 0.0
        case "previous":
            return low
        case "linear":
            return None if low is None or high is None else low + (high - low) * ((cell - before) / (after - before))
        case number:
            assert isinstance(number, float)
            return number


def maybe(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return st.none().map(lambda _: "") | values.map(lambda value: f", {name}: {value}")


small = st.integers(1, 6)
settings_of = st.builds(
    lambda step, length, *others: f"step: {step}us, length: {length}, mask: true" + "".join(others),
    st.sampled_from([1, 4, 10]),
    small,
    maybe("stride", st.integers(1, 9)),
    maybe("offset", st.sampled_from(["3us", "-7us", "100us"])),
    maybe("fill", st.sampled_from(["null", "zero", "previous", "linear", "7", "0.25"])),
    maybe("fill_limit", small),
    maybe("max_gap", small),
    maybe("padding", st.sampled_from(["null", "zero", "-3.5"])),
    maybe("horizon", st.integers(0, 4)),
    maybe("validate_from", st.just("1970-01-01T00:00:00.000020Z")),
    maybe("test_from", st.sampled_from(["1970-01-01T00:00:00.000045Z", "1970-01-01T00:00:00.000060Z"])),
)
rows_of = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.integers(-60, 120) | st.sampled_from([-(10**15), 10**15, 10**15 + 20]),
        st.none() | st.integers(-1000, 1000).map(float),
    ),
    max_size=25,
)


def flat(found: pl.DataFrame, window: SequenceWindow) -> list[tuple[Any, ...]]:
    """The columns that the reference gives; the ones that a definition lacks are empty."""
    return [
        (
            row["k"],
            to_us(row["window_start"]),
            row["x"],
            row["x_mask"],
            row.get("x_target", []),
            row.get("x_target_mask", []),
            row.get("part"),
            row["observed_steps"],
            row["row_count"],
        )
        for row in found.to_dicts()
    ]


@settings(max_examples=300, deadline=None)
@given(rows_of, settings_of, st.integers(1, 3))
def test_sequences_are_those_of_the_reference(rows: list[Row], given: str, least: int) -> None:
    parsed = stream(given)
    text = given + f", min_observed: {min(least, window_of(parsed).length)}"
    found = of(rows, text)
    window = window_of(stream(text))

    assert flat(found, window) == reference(rows, window)
    assert found.schema == result_schema(stream(text), window)
    keys = found.select(pl.col("k").is_not_null().alias("is_key"), pl.col("k").fill_null(""), "window_start").rows()
    assert keys == sorted(set(keys))


@settings(max_examples=100, deadline=None)
@given(rows_of, settings_of, st.data())
def test_any_order_and_any_split_of_the_rows_give_identical_sequences(
    rows: list[Row], given: str, data: st.DataObject
) -> None:
    parsed = stream(given, "x: sum(v), n: count, high: max(v), start: first(v), mid: mean(v)")
    every = frame(rows, parsed)
    places = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    seed = data.draw(st.integers(0, 99))
    shuffled = every.with_columns(pl.Series("part", places, dtype=pl.Int64)).sample(fraction=1, shuffle=True, seed=seed)
    parts = [shuffled.filter(pl.col("part") == number).drop("part") for number in range(4)]

    found = whole(every, parsed)
    assert whole(shuffled.drop("part"), parsed).equals(found)
    assert in_steps(parts, parsed).equals(found)


# ------------------------------------------------------------------------------------------------ size


def test_rows_a_century_apart_cost_no_more_than_their_sequences() -> None:
    """A dense grid between them would have three billion steps for each key."""
    century = to_us(datetime(2070, 1, 1, tzinfo=UTC))
    rows = [(key, at, 1.0) for key in "abc" for at in (0, century)]
    found = of(rows, "step: 1s, length: 100, stride: 10, fill: previous")

    assert found.height == 3 * 2 * 10
    assert found.filter(pl.col("window_start") == from_us(0))["x"].to_list() == [[1.0] * 100] * 3
    assert found["observed_steps"].unique().to_list() == [1]


def test_more_sequences_than_memory_holds_are_refused() -> None:
    rows: list[Row] = [("a", number * 10**9, 1.0) for number in range(30_000)]
    parsed = stream("step: 1us, length: 100000, stride: 10")

    with pytest.raises(TooLarge, match="300,000,000 windows at once"):
        whole(frame(rows, parsed), parsed)


def test_sequences_that_overlap_are_laid_out_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    given = random.Random(3)
    rows = [(given.choice("abc"), given.randrange(1_500), given.uniform(-1, 1)) for _ in range(300)]
    settings = "step: 10us, length: 24, stride: 1, horizon: 6, fill: linear, max_gap: 3, mask: true"
    expected = of(rows, settings)

    for at_once in (1, 300, 1_000):
        monkeypatch.setattr(sequences, "_AT_ONCE", at_once)
        assert of(rows, settings).equals(expected)


def test_the_room_that_overlapping_sequences_need_does_not_grow_with_the_number_of_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed = stream("step: 1h, length: 168, stride: 1, fill: linear, max_gap: 24")
    number = pl.int_range(20 * 2_000)
    rows = pl.select(
        (number // 2_000).cast(pl.String).alias("k"),
        (number % 2_000 * 3_600_000_000).cast(pl.Datetime("us", "UTC")).alias("ts"),
        (number % 97).cast(pl.Float64).alias("v"),
        pl.lit("b").alias("_batch"),
        number.alias("_ordinal"),
    ).filter(pl.col("_ordinal") % 2_000 % 7 > 0)
    monkeypatch.setattr(sequences, "_AT_ONCE", 100_000)
    with mock.patch.object(steps, "dense", wraps=steps.dense) as dense:
        found = whole(rows, parsed)

    assert found.height == 20 * (1_999 + 167)
    assert found["observed_steps"].max() == 144
    cells_and_steps = [(call.args[0].height, call.args[1].height) for call in dense.call_args_list]
    assert len(cells_and_steps) > 70
    assert max(max(sizes) for sizes in cells_and_steps) < 2_000
