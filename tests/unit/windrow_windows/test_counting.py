"""Windows of a number of rows: by hand, and against a slow, obvious computation in plain Python."""

from collections import defaultdict
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.lake.schema import result_schema, segment_schema
from windrow.spec import StreamSpec
from windrow.spec.windows import CountWindow
from windrow.units import from_us
from windrow.windows import counting, slices

Row = tuple[str | None, int, float | None]


def stream(settings: str, aggregates: str = "x: collect(v)", keys: str = "[k]") -> StreamSpec:
    return spec.parse(
        f"stream: s\ntime: {{column: ts}}\nkeys: {keys}\ncolumns: {{ts: timestamp, k: string, v: float}}\n"
        f"windows: {{w: {{kind: count, {settings}, aggregates: {{{aggregates}}}}}}}",
        "x",
    )


def frame(rows: list[Row], parsed: StreamSpec) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"k": key, "ts": from_us(at), "v": value, "_batch": "b", "_ordinal": number}
            for number, (key, at, value) in enumerate(rows)
        ],
        schema={name: kind for name, kind in segment_schema(parsed).items() if name != "_received_at"},
    )


def whole(rows: pl.DataFrame, parsed: StreamSpec) -> pl.DataFrame:
    window = parsed.windows["w"]
    assert isinstance(window, CountWindow)
    found = counting.whole(rows.lazy(), parsed, window)
    assert found.schema == result_schema(parsed, window)
    return found


def of(rows: list[Row], settings: str, aggregates: str = "x: collect(v)") -> pl.DataFrame:
    parsed = stream(settings, aggregates)
    return whole(frame(rows, parsed), parsed)


def bounds(found: pl.DataFrame) -> list[tuple[int, int]]:
    return found.select(pl.col("window_start", "window_end").dt.timestamp("us")).rows()


# ------------------------------------------------------------------------------------------------ by hand


def test_windows_of_two_rows_as_in_quix() -> None:
    rows: list[Row] = [("key", ms * 1_000, value) for ms, value in ((2, 1.0), (4, 4.0), (12, 2.0), (13, 1.0))]
    found = of(rows, "length: 2", "n: count, total: sum(v), m: mean(v), high: max(v), low: min(v), all: collect(v)")

    assert bounds(found) == [(2_000, 4_000), (12_000, 13_000)]
    assert found.drop("window_start", "window_end", "first_time", "last_time").rows() == [
        ("key", 2, 5.0, 2.5, 4.0, 1.0, [1.0, 4.0], 2),
        ("key", 2, 3.0, 1.5, 2.0, 1.0, [2.0, 1.0], 2),
    ]
    assert found["first_time"].equals(found["window_start"])
    assert found["last_time"].equals(found["window_end"])


def test_rows_that_are_left_over_are_in_no_window() -> None:
    rows: list[Row] = [("a", at, float(at)) for at in range(5)] + [("b", 0, 9.0)]

    assert of(rows, "length: 2").select("k", "x").rows() == [("a", [0.0, 1.0]), ("a", [2.0, 3.0])]


def test_windows_may_overlap_and_may_leave_rows_out() -> None:
    rows: list[Row] = [("a", at, float(at)) for at in (3, 1, 0, 2, 4)]

    assert of(rows, "length: 3, stride: 1")["x"].to_list() == [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    assert of(rows, "length: 1, stride: 3")["x"].to_list() == [[0.0], [3.0]]


def test_ties_are_counted_in_order_of_record_id() -> None:
    parsed = stream("length: 2")
    rows = frame([("a", 0, 1.0), ("a", 0, 2.0), ("a", 0, 3.0), ("a", 0, 4.0)], parsed)

    assert whole(rows.reverse(), parsed)["x"].to_list() == [[1.0, 2.0], [3.0, 4.0]]


def test_rows_without_a_value_count_all_the_same() -> None:
    found = of([("a", -2, None), ("a", -1, 1.0)], "length: 2", "x: collect(v), n: count(v)")

    assert found.select("x", "n", "row_count").rows() == [([1.0], 1, 2)]
    assert bounds(found) == [(-2, -1)]


def test_no_key_is_a_key_and_a_stream_without_keys_has_one_series() -> None:
    rows: list[Row] = [(None, 0, 1.0), ("a", 1, 2.0), (None, 2, 3.0)]
    parsed = stream("length: 2", keys="[]")

    assert of(rows, "length: 2").select("k", "x").rows() == [(None, [1.0, 3.0])]
    assert whole(frame(rows, parsed), parsed)["x"].to_list() == [[1.0, 2.0]]


def test_too_few_rows_are_no_window() -> None:
    assert of([], "length: 1").height == 0
    assert of([("a", 0, 1.0)], "length: 2").height == 0


def test_a_time_weighted_mean_reaches_from_the_first_row_to_the_last() -> None:
    rows: list[Row] = [("a", 0, 1.0), ("a", 6, 4.0), ("a", 8, 100.0), ("a", 9, 7.0)]
    found = of(rows, "length: 3", "x: time_weighted_mean(v)")

    assert found["x"].to_list() == [pytest.approx((6 * 1.0 + 2 * 4.0) / 8)]


# ------------------------------------------------------------------------------------------------ against a reference


def reference(rows: list[Row], window: CountWindow) -> list[tuple[Any, ...]]:
    series: dict[str | None, list[tuple[int, int, float | None]]] = defaultdict(list)
    for number, (key, at, value) in enumerate(rows):
        series[key].append((at, number, value))
    found = []
    for key in sorted(series, key=lambda key: (key is not None, key or "")):
        ordered = sorted(series[key])
        for first in range(0, len(ordered) - window.length + 1, window.stride or window.length):
            members = ordered[first : first + window.length]
            values = [value for _, _, value in members if value is not None]
            found.append((key, members[0][0], members[-1][0], values or None, len(members)))
    return found


rows_of = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.integers(-5, 5), st.none() | st.floats(-10, 10)), max_size=25
)


@settings(max_examples=100, deadline=None)
@given(rows_of, st.integers(1, 5), st.none() | st.integers(1, 7), st.integers(0, 9), st.sampled_from([1, 7, 10**6]))
def test_windows_are_those_of_the_reference_in_any_order_of_the_rows(
    rows: list[Row], length: int, stride: int | None, seed: int, at_once: int
) -> None:
    parsed = stream(f"length: {length}" + (f", stride: {stride}" if stride else ""))
    window = parsed.windows["w"]
    assert isinstance(window, CountWindow)
    every = frame(rows, parsed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "_AT_ONCE", at_once)
        found = whole(every, parsed)

    times = pl.col("window_start", "window_end").dt.timestamp("us")
    assert found.select("k", times, "x", "row_count").rows() == reference(rows, window)
    assert whole(every.sample(fraction=1, shuffle=True, seed=seed), parsed).equals(found)
