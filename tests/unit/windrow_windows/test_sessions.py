"""Sessions: by hand, and against a slow, obvious computation in plain Python."""

import random
from collections import defaultdict
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.lake.schema import result_schema, segment_schema
from windrow.spec import StreamSpec
from windrow.spec.windows import SessionWindow
from windrow.units import from_us, to_us
from windrow.windows import aggregates, sessions

MERGEABLE = "n: count, total: sum(v), low: min(v), start_value: first(v), last_value: last(v), average: mean(v)"


def stream(settings: str, aggregates: str = MERGEABLE, keys: str = "[k]") -> StreamSpec:
    return spec.parse(
        f"stream: s\ntime: {{column: ts}}\nkeys: {keys}\n"
        "columns: {ts: timestamp, k: string, i: int, v: float}\n"
        f"windows: {{w: {{kind: session, {settings}, aggregates: {{{aggregates}}}}}}}",
        "x",
    )


def window_of(parsed: StreamSpec) -> SessionWindow:
    window = parsed.windows["w"]
    assert isinstance(window, SessionWindow)
    return window


def frame(rows: list[tuple[str | None, int, float | None]], parsed: StreamSpec) -> pl.DataFrame:
    """Rows of key, time in µs and value; their order of receipt is their order here."""
    return pl.DataFrame(
        [
            {"k": key, "ts": from_us(at), "v": value, "_batch": "b", "_ordinal": number}
            for number, (key, at, value) in enumerate(rows)
        ],
        schema={name: kind for name, kind in segment_schema(parsed).items() if name not in ("i", "_received_at")},
    )


def whole(rows: pl.DataFrame, parsed: StreamSpec, owned: tuple[int, int] | None = None) -> pl.DataFrame:
    return sessions.whole(rows.lazy(), parsed, window_of(parsed), owned)


def in_steps(parts: list[pl.DataFrame], parsed: StreamSpec, owned: tuple[int, int] | None = None) -> pl.DataFrame:
    window = window_of(parsed)
    found = pl.concat([sessions.panes(part.lazy(), parsed, window) for part in parts])
    return sessions.from_panes(sessions.merge_panes(found, parsed, window), parsed, window, owned)


def bounds(found: pl.DataFrame) -> list[tuple[Any, int, int, int]]:
    """Key, start and end in µs, and count of each session."""
    times = [pl.col(name).dt.timestamp("us") for name in ("window_start", "window_end")]
    return found.select("k", *times, "row_count").rows()


def sessions_of(rows: list[tuple[str | None, int, float | None]], settings: str) -> list[tuple[Any, int, int, int]]:
    """What both ways of computing say."""
    parsed = stream(settings)
    every = frame(rows, parsed)
    found = bounds(whole(every, parsed))
    if "max_duration" not in settings:
        assert bounds(in_steps([every], parsed)) == found
    return found


# ------------------------------------------------------------------------------------------------ the anchors' cases


def test_sessions_of_two_keys_overlap_as_in_spark() -> None:
    rows = [("a", 1459107574000, 1.0), ("b", 1459107579000, 1.0), ("a", 1459107580000, 2.0)]
    rows += [("b", 1459107585000, 2.0), ("b", 1459107567000, 4.0)]
    parsed = stream("gap: 10s")
    found = whole(frame([(key, ms * 1_000, value) for key, ms, value in rows], parsed), parsed)

    assert [(key, start // 1_000, end // 1_000, count) for key, start, end, count in bounds(found)] == [
        ("a", 1459107574000, 1459107590000, 2),
        ("b", 1459107567000, 1459107577000, 1),
        ("b", 1459107579000, 1459107595000, 2),
    ]
    assert found["total"].to_list() == [3.0, 4.0, 3.0]


def test_sessions_end_at_their_last_row_as_in_bytewax() -> None:
    times = (1000, 5000, 11000, 12000, 13000, 14000, 20000)
    rows = [("k", ms * 1_000, None) for ms in times]

    assert [(start // 1_000, end // 1_000) for _, start, end, _ in sessions_of(rows, "gap: 5s, session_end: last")] == [
        (1000, 5000),
        (11000, 14000),
        (20000, 20000),
    ]


def test_rows_exactly_the_gap_apart_are_parted_if_it_is_exclusive_as_in_pathway() -> None:
    rows = [("k", at * 10, None) for at in (10, 11, 12, 30, 34, 35)]

    assert sessions_of(rows, "gap: 15us, gap_inclusive: false, session_end: last") == [
        ("k", 100, 120, 3),
        ("k", 300, 300, 1),
        ("k", 340, 350, 2),
    ]


def test_late_rows_join_two_sessions_as_in_flink() -> None:
    """The last state of Flink's case: 1000 … 8500 are one session, and 10000 joins 8500 to 11600."""
    times = (1000, 2000, 4500, 8500, 7000, 11600, 10000, 14500)
    parsed = stream("gap: 3s")
    parts = [frame([("key2", ms * 1_000, 1.0)], parsed) for ms in times]

    assert bounds(in_steps(parts, parsed)) == [("key2", 1_000_000, 17_500_000, 8)]
    assert bounds(in_steps(parts[:-2], parsed)) == [
        ("key2", 1_000_000, 11_500_000, 5),
        ("key2", 11_600_000, 14_600_000, 1),
    ]


# ------------------------------------------------------------------------------------------------ by hand


def test_rows_exactly_the_gap_apart_share_a_session_and_a_microsecond_more_parts_them() -> None:
    assert sessions_of([("a", 0, 1.0), ("a", 10, 1.0), ("a", 21, 1.0)], "gap: 10us") == [
        ("a", 0, 20, 2),
        ("a", 21, 31, 1),
    ]


def test_rows_exactly_an_exclusive_gap_apart_make_sessions_that_touch() -> None:
    assert sessions_of([("a", 0, 1.0), ("a", 10, 1.0), ("a", 19, 1.0)], "gap: 10us, gap_inclusive: false") == [
        ("a", 0, 10, 1),
        ("a", 10, 29, 2),
    ]


def test_sessions_before_1970_are_like_others() -> None:
    assert sessions_of([("a", -5, 1.0), ("a", 5, 1.0), ("a", -30, 1.0)], "gap: 10us") == [
        ("a", -30, -20, 1),
        ("a", -5, 15, 2),
    ]


def test_no_key_is_a_key() -> None:
    rows = [(None, 0, 1.0), ("a", 5, 1.0), (None, 10, 1.0), (None, 21, 1.0)]

    assert sessions_of(rows, "gap: 10us") == [(None, 0, 20, 2), (None, 21, 31, 1), ("a", 5, 15, 1)]


def test_a_stream_without_keys_has_one_series() -> None:
    parsed = stream("gap: 10us", keys="[]")
    found = whole(frame([("a", 0, 1.0), ("b", 10, 2.0), ("a", 30, 4.0)], parsed), parsed)

    assert found.columns[0] == "window_start"
    assert found["total"].to_list() == [3.0, 4.0]
    assert in_steps([frame([("a", 0, 1.0), ("b", 10, 2.0), ("a", 30, 4.0)], parsed)], parsed).equals(found)


def test_ties_are_ordered_by_record_id() -> None:
    parsed = stream("gap: 10us")
    rows = frame([("a", 0, 3.0), ("a", 0, 1.0), ("a", 0, 2.0)], parsed)

    for found in (whole(rows.reverse(), parsed), in_steps([rows[2:], rows[:1], rows[1:2]], parsed)):
        assert found.select("start_value", "last_value").row(0) == (3.0, 2.0)


def test_a_session_inside_the_other_part_of_the_rows_joins_it_however_long_that_one_is() -> None:
    parsed = stream("gap: 10us")
    every = frame([("a", at, 1.0) for at in range(0, 100, 10)], parsed)
    odd, even = every.gather_every(2, 1), every.gather_every(2)

    assert bounds(in_steps([odd, even], parsed)) == [("a", 0, 100, 10)]


def test_a_long_session_holds_all_that_lie_in_it_after_a_short_one() -> None:
    parsed = stream("gap: 10us")
    parts = [frame([("a", at, 1.0) for at in times], parsed) for times in (range(0, 101, 10), [25], [55], [105])]

    assert bounds(in_steps(parts, parsed)) == [("a", 0, 115, 14)]


def test_merged_sessions_can_be_merged_again() -> None:
    parsed = stream("gap: 10us")
    window = window_of(parsed)
    first, second, third = (
        sessions.panes(frame([("a", at, 1.0)], parsed).lazy(), parsed, window) for at in (0, 20, 10)
    )
    apart = sessions.merge_panes(pl.concat([first, second]), parsed, window)

    assert apart.height == 2
    assert sessions.merge_panes(pl.concat([apart, third]), parsed, window)["row_count"].to_list() == [3]


def test_no_rows_are_no_sessions() -> None:
    parsed = stream("gap: 10us")
    nothing = frame([], parsed)

    for found in (whole(nothing, parsed), in_steps([nothing, nothing], parsed)):
        assert found.height == 0
        assert found.schema == result_schema(parsed, window_of(parsed))


def test_only_sessions_that_start_in_the_wanted_stretch_are_returned_and_they_are_whole() -> None:
    parsed = stream("gap: 10us")
    rows = frame([("a", at, 1.0) for at in (-5, 0, 5, 20, 30, 50)], parsed)

    for owned, starts in (((-5, 20), [-5]), ((-4, 20), []), ((20, 51), [20, 50]), ((20, 50), [20])):
        expected = [each for each in bounds(whole(rows, parsed)) if each[1] in starts]
        assert bounds(whole(rows, parsed, owned)) == expected
        assert bounds(in_steps([rows], parsed, owned)) == expected


# ------------------------------------------------------------------------------------------------ max_duration


def test_a_session_that_never_pauses_is_cut_at_the_first_row_as_late_as_its_longest_duration() -> None:
    rows = [("a", at, 1.0) for at in (0, 4, 8, 12, 19, 20, 22, 30)]

    assert sessions_of(rows, "gap: 10us, max_duration: 20us") == [("a", 0, 20, 5), ("a", 20, 40, 3)]


def test_a_cut_session_does_not_reach_into_the_next() -> None:
    rows = [("a", at, 1.0) for at in (0, 8, 16, 24, 100)]

    assert sessions_of(rows, "gap: 10us, max_duration: 12us") == [
        ("a", 0, 16, 2),
        ("a", 16, 34, 2),
        ("a", 100, 110, 1),
    ]


def test_a_cut_session_may_end_at_its_last_row() -> None:
    rows = [("a", at, 1.0) for at in (0, 8, 16)]

    assert sessions_of(rows, "gap: 10us, max_duration: 12us, session_end: last") == [("a", 0, 8, 2), ("a", 16, 16, 1)]


def test_a_pause_begins_the_count_of_the_duration_anew() -> None:
    rows = [("a", at, 1.0) for at in (0, 8, 30, 38, 41, 42)]

    assert sessions_of(rows, "gap: 10us, max_duration: 12us") == [("a", 0, 18, 2), ("a", 30, 42, 3), ("a", 42, 52, 1)]


def test_rows_of_the_same_time_are_cut_together() -> None:
    rows = [("a", at, 1.0) for at in (0, 0, 10, 10, 20, 20)]

    assert sessions_of(rows, "gap: 10us, max_duration: 10us") == [("a", 0, 10, 2), ("a", 10, 20, 2), ("a", 20, 30, 2)]


def test_very_many_cuts_need_few_rounds() -> None:
    parsed = stream("gap: 1ms, max_duration: 1ms", "n: count")
    rows = pl.DataFrame({"at": range(0, 100_000_000, 500)}).select(
        pl.lit("a").alias("k"),
        pl.col("at").cast(pl.Datetime("us", "UTC")).alias("ts"),
        pl.lit(1.0).alias("v"),
        pl.lit("b").alias("_batch"),
        pl.col("at").alias("_ordinal"),
    )
    found = whole(rows, parsed)

    assert found.height == 100_000
    assert found["n"].unique().to_list() == [2]


# ------------------------------------------------------------------------------------------------ against a reference


def reference(
    rows: list[tuple[str | None, int, float | None]], window: SessionWindow
) -> list[tuple[Any, int, int, int]]:
    """Every session, one row after the other, as one would with pencil and paper."""
    series: dict[str | None, list[int]] = defaultdict(list)
    for key, at, _ in sorted(rows, key=lambda row: row[1]):
        series[key].append(at)
    found = []
    for key, times in series.items():
        groups: list[list[int]] = []
        for at in times:
            pause = at - groups[-1][-1] if groups else window.gap + 1
            is_over = pause > window.gap or (pause == window.gap and not window.gap_inclusive)
            if is_over or (window.max_duration is not None and at - groups[-1][0] >= window.max_duration):
                groups.append([])
            groups[-1].append(at)
        starts = [group[0] for group in groups[1:]]
        for group, following in zip(groups, [*starts, None], strict=True):
            end = group[-1] + (window.gap if window.session_end == "gap" else 0)
            found.append((key, group[0], end if following is None else min(end, following), len(group)))
    return sorted(found, key=lambda row: (row[0] is not None, row[0] or "", row[1]))


rows_of = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "", None]),
        st.integers(-60, 60) | st.sampled_from([-(10**15), 10**15]),
        st.none() | st.floats(-1e6, 1e6) | st.sampled_from([0.1, 0.2, 1e15]),
    ),
    max_size=30,
)
settings_of = st.tuples(
    st.sampled_from([1, 5, 10]), st.booleans(), st.sampled_from(["gap", "last"]), st.none() | st.sampled_from([0, 1, 7])
).map(
    lambda drawn: (
        f"gap: {drawn[0]}us, gap_inclusive: {str(drawn[1]).lower()}, session_end: {drawn[2]}"
        + ("" if drawn[3] is None else f", max_duration: {drawn[0] + drawn[3]}us")
    )
)


@settings(max_examples=150, deadline=None)
@given(rows_of, settings_of)
def test_sessions_are_those_of_the_reference(rows: list[tuple[str | None, int, float | None]], given: str) -> None:
    assert sessions_of(rows, given) == reference(rows, window_of(stream(given)))


@settings(max_examples=150, deadline=None)
@given(
    rows_of, st.sampled_from(["gap: 1us", "gap: 5us, session_end: last", "gap: 5us, gap_inclusive: false"]), st.data()
)
def test_any_order_and_any_split_of_the_rows_give_identical_sessions(
    rows: list[tuple[str | None, int, float | None]], given: str, data: st.DataObject
) -> None:
    parsed = stream(given)
    assert aggregates.decomposable(window_of(parsed))
    every = frame(rows, parsed)
    places = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    seed = data.draw(st.integers(0, 99))
    shuffled = every.with_columns(pl.Series("part", places, dtype=pl.Int64)).sample(fraction=1, shuffle=True, seed=seed)
    parts = [shuffled.filter(pl.col("part") == number).drop("part") for number in range(4)]

    found = whole(every, parsed)
    assert found.schema == result_schema(parsed, window_of(parsed))
    assert whole(shuffled.drop("part"), parsed).equals(found)
    assert in_steps(parts, parsed).equals(found)


def test_many_rows_are_the_same_in_any_order_too() -> None:
    """Large enough for the library to share the work among threads."""
    given = random.Random(7)
    rows = [(given.choice("abcdefg"), given.randrange(10**9), given.uniform(-1e6, 1e6)) for _ in range(60_000)]
    for text in ("gap: 30ms", "gap: 30ms, max_duration: 100ms"):
        parsed = stream(text)
        every = frame(rows, parsed)
        found = whole(every, parsed)

        assert bounds(found) == reference(rows, window_of(parsed))
        assert whole(every.sample(fraction=1, shuffle=True, seed=1), parsed).equals(found)


@pytest.mark.parametrize("function", ["median", "std", "collect"])
def test_aggregates_that_need_all_rows_of_a_session_see_them(function: str) -> None:
    parsed = stream("gap: 10us", f"x: {function}(v)")
    found = whole(frame([("a", 0, 1.0), ("a", 5, 2.0), ("a", 10, 6.0), ("a", 30, 9.0)], parsed), parsed)

    expected = {"median": [2.0, 9.0], "std": [7**0.5, None], "collect": [[1.0, 2.0, 6.0], [9.0]]}[function]
    assert found["x"].to_list() == [pytest.approx(each) for each in expected]


def test_a_time_weighted_mean_holds_the_last_value_to_the_end_of_the_session() -> None:
    parsed = stream("gap: 10us", "x: time_weighted_mean(v)")
    found = whole(frame([("a", 0, 1.0), ("a", 5, 4.0)], parsed), parsed)

    assert to_us(found["window_end"][0]) == 15
    assert found["x"].to_list() == [pytest.approx((5 * 1.0 + 10 * 4.0) / 15)]
