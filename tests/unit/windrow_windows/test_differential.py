"""The engine against slower ways to the same rows: plain Python for everything, and DuckDB for what SQL can say."""

import math
import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support import window_drawing as drawing
from tests.support.window_drawing import Scene, frame, window_of
from tests.support.window_reference import differences
from windrow.lake.schema import result_schema
from windrow.spec import WindowSpec
from windrow.units import SECOND_US, from_us
from windrow.windows import engine

# A definition and its records are many small choices, which is slow to draw and no sign of a bad strategy. What lines
# a failure runs through takes long to find out and says little here.
patient = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], phases=[Phase.generate, Phase.shrink]
)


def assert_right(scene: Scene) -> None:
    found = engine.compute(scene.rows, scene.spec, scene.window)
    assert found.schema == result_schema(scene.spec, scene.window)
    assert differences(found.to_dicts(), scene.records, scene.spec, scene.window) == []


@settings(patient, max_examples=250)
@given(drawing.fixed_scenes())
def test_windows_of_fixed_lengths_are_those_of_the_reference(scene: Scene) -> None:
    assert_right(scene)


@settings(patient, max_examples=200)
@given(drawing.calendar_scenes())
def test_windows_by_the_calendar_are_those_of_the_reference(scene: Scene) -> None:
    assert_right(scene)


@settings(patient, max_examples=150)
@given(drawing.session_scenes())
def test_sessions_are_those_of_the_reference(scene: Scene) -> None:
    assert_right(scene)


@settings(patient, max_examples=200)
@given(drawing.sequence_scenes())
def test_sequences_are_those_of_the_reference(scene: Scene) -> None:
    assert_right(scene)


@settings(patient, max_examples=100)
@given(drawing.count_scenes())
def test_count_windows_are_those_of_the_reference(scene: Scene) -> None:
    assert_right(scene)


@settings(patient, max_examples=100)
@given(drawing.pairwise_scenes())
def test_pairwise_windows_are_those_of_the_reference(scene: Scene) -> None:
    assert_right(scene)


# ------------------------------------------------------------------------------------------------ order and grouping


def bits(rows: pl.DataFrame) -> list[str]:
    """Rows so that even the sign of a zero shows."""
    return [repr(row) for row in rows.rows()]


every_scene = st.one_of(
    drawing.fixed_scenes(),
    drawing.calendar_scenes(),
    drawing.session_scenes(),
    drawing.sequence_scenes(),
    drawing.count_scenes(),
    drawing.pairwise_scenes(),
)


@settings(patient, max_examples=150)
@given(every_scene, st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_show(scene: Scene, chance: random.Random) -> None:
    shuffled = chance.sample(scene.records, len(scene.records))

    assert bits(engine.compute(frame(shuffled, scene.spec), scene.spec, scene.window)) == bits(
        engine.compute(scene.rows, scene.spec, scene.window)
    )


scenes_in_parts = st.one_of(
    drawing.fixed_scenes(without=drawing.NOT_IN_PARTS),
    drawing.calendar_scenes(without=drawing.NOT_IN_PARTS),
    drawing.session_scenes(without=drawing.NOT_IN_PARTS),
    drawing.sequence_scenes(without=drawing.NOT_IN_PARTS),
)


def is_approximate(window: WindowSpec) -> bool:
    return any(each.function.startswith("approx_") for each in window.aggregates.values())


@settings(patient, max_examples=200)
@given(scenes_in_parts, st.lists(st.integers(0, 3), min_size=12, max_size=12), st.booleans())
def test_panes_of_any_split_give_the_same_rows(scene: Scene, batches: list[int], backwards: bool) -> None:
    if not engine.has_panes(scene.window):
        return
    split = [
        frame([record for record, number in zip(scene.records, batches, strict=False) if number == batch], scene.spec)
        for batch in range(4)
    ]
    kept = [engine.panes(rows, scene.spec, scene.window) for rows in split]
    # Twice in two steps, so that merged panes are merged again; and in either order.
    merged = [engine.merge_panes(two, scene.spec, scene.window) for two in (kept[:2], kept[2:])]
    merged = merged[::-1] if backwards else merged
    found = engine.from_panes(engine.merge_panes(merged, scene.spec, scene.window), scene.spec, scene.window)

    assert differences(found.to_dicts(), scene.records, scene.spec, scene.window) == []
    if not is_approximate(scene.window):
        assert bits(found) == bits(engine.compute(scene.rows, scene.spec, scene.window))


def test_most_definitions_of_aggregates_that_merge_can_be_computed_from_panes() -> None:
    aggregates = {"total": {"function": "sum", "column": "value"}}
    definitions = [
        window_of(kind="tumbling", size="1m", aggregates=aggregates),
        window_of(kind="tumbling", size="1mo", timezone="Europe/Berlin", aggregates=aggregates),
        window_of(kind="sliding", size="1h", slide="1m", aggregates=aggregates),
        window_of(kind="cumulative", size="1d", step="1h", aggregates=aggregates),
    ]

    assert all(engine.has_panes(window) for window in definitions)


# ------------------------------------------------------------------------------------------------ cuts


@pytest.mark.parametrize("fill", ["null", "zero", "previous", "linear", 7.0])
@pytest.mark.parametrize("max_gap", [None, 3])
def test_a_training_sequence_does_not_tell_of_the_rows_beyond_its_cut(fill: str | float, max_gap: int | None) -> None:
    settings = {"kind": "sequence", "step": "1s", "length": 5, "fill": fill, "max_gap": max_gap, "padding": -1.0}
    window = window_of(**settings, test_from=from_us(5 * SECOND_US), aggregates={"x": "mean(value)"})
    known = counted([1.0, 2.0, 3.0], lambda number: number * SECOND_US)
    [later] = counted([9.0], lambda _: 6 * SECOND_US)
    rows = frame([*known, later | {"id": "later"}], drawing.KEYED)
    found = engine.compute(rows, drawing.KEYED, window).filter(pl.col("part") == "train")

    assert found["x"].to_list() == [[1.0, 2.0, 3.0, -1.0, -1.0]]
    assert found.equals(engine.compute(frame(known, drawing.KEYED), drawing.KEYED, window))


# ------------------------------------------------------------------------------------------------ floats


def counted(values: Sequence[float], at_us: Callable[[int], int] = lambda number: number) -> list[dict[str, Any]]:
    """One record per value, all of one key."""
    empty = dict.fromkeys(drawing.VALUES)
    return [
        {**empty, "ts": from_us(at_us(number)), "site": "a", "line": 1, "id": f"{number:06}", "value": value}
        for number, value in enumerate(values)
    ]


def one_window(**aggregates: str) -> WindowSpec:
    return window_of(size="1h", aggregates=aggregates)


@settings(patient, max_examples=80)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300), min_size=1))
def test_sums_of_any_floats_are_right_to_a_part_in_2_to_70_of_the_largest(values: list[float]) -> None:
    [found] = engine.compute(
        frame(counted(values), drawing.KEYED), drawing.KEYED, one_window(total="sum(value)", mean="mean(value)")
    ).to_dicts()
    exact = sum(map(Fraction, values))
    slack = Fraction(max(map(abs, values))) / 2**70 * len(values)

    assert abs(Fraction(found["total"]) - exact) <= slack + Fraction(math.ulp(float(exact))) / 2
    assert abs(Fraction(found["mean"]) - exact / len(values)) <= slack + Fraction(math.ulp(float(exact / len(values))))


def test_what_floats_lose_when_they_are_added_in_order_is_not_lost() -> None:
    values = [1e12, 0.1, -1e12]
    [found] = engine.compute(
        frame(counted(values), drawing.KEYED), drawing.KEYED, one_window(total="sum(value)")
    ).to_dicts()

    assert found["total"] == float(sum(map(Fraction, values)))
    assert found["total"] != sum(values)


@pytest.mark.parametrize("size", [300, 20_000])
def test_sketches_keep_their_stated_error_over_many_rows_in_one_piece_and_in_parts(size: int) -> None:
    chance = random.Random(size)
    values = [float(chance.randrange(size // 2)) for _ in range(size)]
    records = counted(values)
    window = one_window(
        p50="approx_quantile(value, 0.5)", p99="approx_quantile(value, 0.99)", n="approx_n_unique(value)"
    )
    rows = frame(records, drawing.KEYED)
    panes = [engine.panes(rows[start::7], drawing.KEYED, window) for start in range(7)]
    merged = engine.merge_panes(panes, drawing.KEYED, window)

    for found in (engine.compute(rows, drawing.KEYED, window), engine.from_panes(merged, drawing.KEYED, window)):
        assert differences(found.to_dicts(), records, drawing.KEYED, window) == []


# ------------------------------------------------------------------------------------------------ DuckDB

AGGREGATES = {
    "n": "count(value)",
    "total": "sum(value)",
    "average": "mean(value)",
    "lowest": "min(value)",
    "highest": "max(value)",
    "opening": "first(value)",
    "closing": "last(value)",
    "deviation": "std(value)",
    "middle": "median(value)",
    "p90": "quantile(value, 0.9)",
    "labels": "n_unique(label)",
}
AS_SQL = """
    count(value), sum(value), avg(value), min(value), max(value),
    arg_min(value, (ts, id)) filter (value is not null), arg_max(value, (ts, id)) filter (value is not null),
    stddev_samp(value), quantile_cont(value, 0.5), quantile_cont(value, 0.9), count(distinct label), count(*)
"""


BY_ID = drawing.ONE_KEY.model_copy(update={"unique": ("ts", "id")})


@pytest.fixture(scope="module")
def many() -> pl.DataFrame:
    """Ten thousand records over ten hours about 1970, at times that often coincide. Sums of eighths are exact."""
    chance = random.Random(7)
    records = []
    for number in range(10_000):
        [record] = counted([chance.randrange(-800, 800) / 8])
        record |= {"ts": from_us(chance.randrange(-18_000, 18_000) * SECOND_US), "id": f"{number:05}"}
        record |= {"site": chance.choice(["a", "b", None]), "label": chance.choice(["x", "y", "z", None])}
        records.append(record | ({"value": None} if chance.random() < 0.1 else {}))
    return frame(records, BY_ID)


def assert_same_as_sql(rows: pl.DataFrame, window: WindowSpec, windowed: str) -> None:
    """`windowed` is SQL for the rows with the windows they are in: `w0` and `w1`, in µs. There `t` is a row's time."""
    found = engine.compute(rows, BY_ID, window)
    times = (pl.col("window_start", "window_end").to_physical(), pl.col(*window.aggregates, "row_count"))
    with duckdb.connect() as database:
        database.register("rows", rows.drop("tags").to_arrow())
        wanted = database.execute(
            f"with rows as (select *, epoch_us(ts) as t from rows), windowed as ({windowed}) "
            f"select site, w0, w1, {AS_SQL} from windowed group by site, w0, w1 order by site nulls first, w0, w1"
        ).fetchall()

    assert len(wanted) > 100
    for have, want in zip(found.select("site", *times).rows(), wanted, strict=True):
        assert all(map(_is_close, have, want)), (have, want)


def _is_close(have: Any, want: Any) -> bool:
    return math.isclose(have, want, rel_tol=1e-12, abs_tol=1e-12) if isinstance(want, float) else bool(have == want)


def floored(what: str, by: int) -> str:
    """SQL for a number rounded down to a multiple, below zero too."""
    return f"(({what}) - ((({what}) % {by}) + {by}) % {by})"


def test_tumbling_windows_are_those_of_duckdb(many: pl.DataFrame) -> None:
    size, offset = 300 * SECOND_US, 7 * SECOND_US
    start = f"{floored(f't - {offset}', size)} + {offset}"

    assert_same_as_sql(
        many,
        window_of(size="5m", offset="7s", aggregates=AGGREGATES),
        f"select *, {start} as w0, w0 + {size} as w1 from rows",
    )


def test_sliding_windows_are_those_of_duckdb(many: pl.DataFrame) -> None:
    size, slide = 420 * SECOND_US, 120 * SECOND_US

    assert_same_as_sql(
        many,
        window_of(kind="sliding", size="7m", slide="2m", aggregates=AGGREGATES),
        f"""select rows.*, starts.w0, starts.w0 + {size} as w1
            from rows join (select range as w0 from range(-{200 * slide}, {200 * slide}, {slide})) starts
            on rows.t >= starts.w0 and rows.t < starts.w0 + {size}""",
    )


def test_cumulative_windows_are_those_of_duckdb(many: pl.DataFrame) -> None:
    size, step = 1800 * SECOND_US, 300 * SECOND_US

    assert_same_as_sql(
        many,
        window_of(kind="cumulative", size="30m", step="5m", aggregates=AGGREGATES),
        f"""select rows.*, {floored("t", size)} as w0, w0 + steps.range * {step} as w1
            from rows, range(1, {size // step + 1}) steps where t < w1""",
    )


@pytest.mark.parametrize(("inclusive", "sign"), [(True, ">"), (False, ">=")])
def test_sessions_are_those_of_duckdb(many: pl.DataFrame, inclusive: bool, sign: str) -> None:
    assert_same_as_sql(
        many,
        window_of(kind="session", gap="10s", gap_inclusive=inclusive, aggregates=AGGREGATES),
        f"""select *, min(t) over (partition by site, session) as w0,
                   max(t) over (partition by site, session) + {10 * SECOND_US} as w1
            from (select *, count(*) filter (is_new) over (partition by site order by t, id) as session
                  from (select *, t - lag(t) over (partition by site order by t, id) {sign} {10 * SECOND_US} as is_new
                        from rows))""",
    )


def test_pairwise_windows_are_those_of_duckdb(many: pl.DataFrame) -> None:
    size = 60 * SECOND_US

    assert_same_as_sql(
        many,
        window_of(kind="pairwise", size="1m", aggregates=AGGREGATES),
        f"""select rows.*, ends.t - {size} as w0, ends.t as w1
            from rows join (select distinct site, t from rows) ends
            on rows.site is not distinct from ends.site and rows.t between ends.t - {size} and ends.t""",
    )
