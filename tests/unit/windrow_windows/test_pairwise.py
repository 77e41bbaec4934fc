"""Windows that end at each row: by hand, and against a slow, obvious computation in plain Python."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.lake.schema import result_schema, segment_schema
from windrow.spec import StreamSpec
from windrow.spec.windows import PairwiseWindow
from windrow.units import from_us
from windrow.windows import pairwise, slices

Row = tuple[str | None, int, float | None]


def stream(size: str, aggregates: str = "x: collect(v)", keys: str = "[k]") -> StreamSpec:
    return spec.parse(
        f"stream: s\ntime: {{column: ts}}\nkeys: {keys}\ncolumns: {{ts: timestamp, k: string, v: float}}\n"
        f"windows: {{w: {{kind: pairwise, size: {size}, aggregates: {{{aggregates}}}}}}}",
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
    assert isinstance(window, PairwiseWindow)
    found = pairwise.whole(rows.lazy(), parsed, window)
    assert found.schema == result_schema(parsed, window)
    return found


def of(rows: list[Row], size: str, aggregates: str = "x: collect(v)") -> pl.DataFrame:
    parsed = stream(size, aggregates)
    return whole(frame(rows, parsed), parsed)


def listed(found: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Key, start, end, first and last time in µs, the values and their number."""
    times = pl.col("window_start", "window_end", "first_time", "last_time").dt.timestamp("us")
    return found.select("k", times, "x", "row_count").rows()


# ------------------------------------------------------------------------------------------------ by hand


def test_each_row_ends_a_window_as_in_quix() -> None:
    """A late C is in the windows of A and B; what Quix no longer emits, its own window, is there too."""
    rows: list[Row] = [("key", ms * 1_000, float(ms)) for ms in (22, 23, 17, 26)]

    assert listed(of(rows, "10ms")) == [
        ("key", 7_000, 17_000, 17_000, 17_000, [17.0], 1),
        ("key", 12_000, 22_000, 17_000, 22_000, [17.0, 22.0], 2),
        ("key", 13_000, 23_000, 17_000, 23_000, [17.0, 22.0, 23.0], 3),
        ("key", 16_000, 26_000, 17_000, 26_000, [17.0, 22.0, 23.0, 26.0], 4),
    ]


def test_both_bounds_belong_to_the_window() -> None:
    assert of([("a", -10, 1.0), ("a", 0, 2.0), ("a", 11, 3.0)], "10us")["x"].to_list() == [[1.0], [1.0, 2.0], [3.0]]


def test_rows_of_the_same_time_share_a_window_in_order_of_record_id() -> None:
    assert listed(of([("a", 0, 2.0), ("a", 0, 1.0), ("a", 5, None)], "10us")) == [
        ("a", -10, 0, 0, 0, [2.0, 1.0], 2),
        ("a", -5, 5, 0, 5, [2.0, 1.0], 3),
    ]


def test_no_key_is_a_key_and_a_stream_without_keys_has_one_series() -> None:
    rows: list[Row] = [(None, 0, 1.0), ("a", 1, 2.0), (None, 2, 3.0)]
    parsed = stream("5us", keys="[]")

    assert of(rows, "5us").select("k", "x").rows() == [(None, [1.0]), (None, [1.0, 3.0]), ("a", [2.0])]
    assert whole(frame(rows, parsed), parsed)["x"].to_list() == [[1.0], [1.0, 2.0], [1.0, 2.0, 3.0]]


def test_no_rows_are_no_windows() -> None:
    assert of([], "1h").height == 0


def test_aggregates_are_of_the_rows_of_each_window() -> None:
    rows: list[Row] = [("a", 0, 1.0), ("a", 6, 4.0), ("a", 8, 7.0), ("a", 12, 0.5)]
    found = of(rows, "10us", "m: median(v), total: sum(v), start: first(v), w: time_weighted_mean(v)")

    assert found["m"].to_list() == [1.0, 2.5, 4.0, 4.0]
    assert found["total"].to_list() == [1.0, 5.0, 12.0, 11.5]
    assert found["start"].to_list() == [1.0, 1.0, 1.0, 4.0]
    # Nothing is carried into a window: it reaches from its first row to its last.
    assert found["w"].to_list()[1:] == [pytest.approx(x) for x in (1.0, (6 * 1 + 2 * 4) / 8, (2 * 4 + 4 * 7) / 6)]


# ------------------------------------------------------------------------------------------------ against a reference


def reference(rows: list[Row], size: int) -> list[tuple[Any, ...]]:
    series: dict[str | None, list[tuple[int, int, float | None]]] = defaultdict(list)
    for number, (key, at, value) in enumerate(rows):
        series[key].append((at, number, value))
    found = []
    for key in sorted(series, key=lambda key: (key is not None, key or "")):
        ordered = sorted(series[key])
        times = [at for at, _, _ in ordered]
        for end in sorted(set(times)):
            members = ordered[bisect_left(times, end - size) : bisect_right(times, end)]
            values = [value for _, _, value in members if value is not None]
            found.append((key, end - size, end, members[0][0], end, values or None, len(members)))
    return found


rows_of = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.integers(-20, 20) | st.sampled_from([-(10**15), 10**15]),
        st.none() | st.floats(-10, 10),
    ),
    max_size=25,
)


@settings(max_examples=100, deadline=None)
@given(rows_of, st.sampled_from([1, 5, 30]), st.integers(0, 9), st.sampled_from([1, 7, 10**6]))
def test_windows_are_those_of_the_reference_in_any_order_of_the_rows(
    rows: list[Row], size: int, seed: int, at_once: int
) -> None:
    parsed = stream(f"{size}us")
    every = frame(rows, parsed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "_AT_ONCE", at_once)
        found = whole(every, parsed)

    assert listed(found) == reference(rows, size)
    assert whole(every.sample(fraction=1, shuffle=True, seed=seed), parsed).equals(found)


def test_many_windows_come_in_order_of_key_and_time() -> None:
    """Large enough for the library to share the work among threads."""
    rows: list[Row] = [("abc"[number % 3], number * 5, float(number)) for number in range(30_000)]

    assert listed(of(rows, "30us")) == reference(rows, 30)
