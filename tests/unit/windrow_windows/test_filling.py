from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.windrow_windows.grid_reference import HOUR_US, Bounds, defined, us, windows_around
from windrow.errors import BadInput, TooLarge
from windrow.spec import StreamSpec
from windrow.spec.windows import AlignedWindow
from windrow.units import DAY_US, from_us, to_us
from windrow.windows.filling import fill
from windrow.windows.grid import bounds_around

SPEC = StreamSpec.model_validate(
    {
        "stream": "sensors",
        "time": {"column": "ts"},
        "keys": ["site", "unit"],
        "columns": {"ts": "timestamp", "site": "string", "unit": "int", "x": "float"},
    }
)
OUTPUTS = ("mean", "many", "name", "at")
SCHEMA = {
    "site": pl.String,
    "unit": pl.Int64,
    "__start": pl.Int64,
    "__end": pl.Int64,
    "mean": pl.Float64,
    "many": pl.Int64,
    "name": pl.String,
    "at": pl.Datetime("us", "UTC"),
    "row_count": pl.Int64,
    "first_time": pl.Datetime("us", "UTC"),
}
Row = dict[str, Any]


def filled_by(**settings_: Any) -> AlignedWindow:
    return defined(**{"size": "1h", "aggregates": dict.fromkeys(OUTPUTS, "mean(x)"), **settings_})


def schema_of(window: AlignedWindow) -> dict[str, Any]:
    """Counts are floats where they may become fractions, as a result's schema says."""
    return {**SCHEMA, "many": pl.Float64} if window.fill in {"linear", 0.5} else SCHEMA


def row(bounds: Bounds, mean: float | None = 1.0, site: str | None = "a", unit: int | None = 1) -> Row:
    start, end = bounds
    at = from_us(start).astimezone(UTC)
    name = None if mean is None else f"was {mean}"
    many = 3 if mean is None else round(mean)
    values = (site, unit, start, end, mean, many, name, at, 7, at)
    return dict(zip(SCHEMA, values, strict=True))


def added(rows: list[Row], window: AlignedWindow) -> list[Row]:
    """What is added to rows, in order."""
    frame = pl.DataFrame(rows, schema=SCHEMA).cast(schema_of(window)).sample(fraction=1, shuffle=True, seed=1)
    result = fill(frame, SPEC, window)
    assert result.schema == frame.schema
    kept = result.filter(pl.col("row_count") != 0)
    assert kept.sort(pl.all()).equals(frame.sort(pl.all()))
    new = result.filter(pl.col("row_count") == 0)
    assert new["first_time"].null_count() == new.height
    return new.sort("site", "unit", "__start", "__end").to_dicts()


def hour(number: int) -> Bounds:
    return (number * HOUR_US, (number + 1) * HOUR_US)


# ------------------------------------------------------------------------------------------------ against plain Python


def plainly_added(rows: list[Row], window: AlignedWindow) -> list[Row]:
    """The same, one window at a time."""
    added: list[Row] = []
    for key in {(row["site"], row["unit"]) for row in rows}:
        mine = {(row["__start"], row["__end"]): row for row in rows if (row["site"], row["unit"]) == key}
        first, last = (bound(mine) for bound in (min, max))
        low = first[0] if window.fill_from is None else to_us(window.fill_from)
        high = last[0] + 1 if window.fill_to is None else to_us(window.fill_to)
        every = sorted({*windows_around(window, min(low, first[0]), max(high, last[0]))})
        run: list[Bounds] = []
        before: Bounds | None = None
        for bounds in [*every, None]:
            if bounds is not None and bounds not in mine:
                is_after_first = window.fill_from is not None or bounds > first
                is_before_last = window.fill_to is not None or bounds < last
                if is_after_first and is_before_last and low <= bounds[0] < high:
                    run.append(bounds)
                continue
            if window.max_gap is None or len(run) <= window.max_gap:
                sides = mine.get(before), mine.get(bounds)
                added += [_plain_row(key, each, *sides, window) for each in run[: window.fill_limit]]
            run, before = [], bounds
    return sorted(added, key=lambda row: (row["site"] or "", row["unit"] or -1, row["__start"], row["__end"]))


def _plain_row(
    key: tuple[Any, Any], bounds: Bounds, before: Row | None, after: Row | None, window: AlignedWindow
) -> Row:
    row: Row = {"site": key[0], "unit": key[1], "__start": bounds[0], "__end": bounds[1], "row_count": 0}
    row |= {"first_time": None, **dict.fromkeys(OUTPUTS)}
    if window.fill == "previous":
        row |= {name: before[name] if before else None for name in OUTPUTS}
    elif window.fill == "linear" and before and after:
        side = "__start" if before["__start"] < after["__start"] else "__end"
        share = (row[side] - before[side]) / (after[side] - before[side])
        for name in ("mean", "many"):
            if before[name] is not None and after[name] is not None:
                row[name] = pytest.approx(before[name] + (after[name] - before[name]) * share)
    elif window.fill == "zero" or isinstance(window.fill, float):
        row["mean"] = row["many"] = 0.0 if window.fill == "zero" else window.fill
    return row


DEFINITIONS: tuple[dict[str, Any], ...] = (
    {"size": "1h"},
    {"size": "1h", "offset": "-20m", "closed": "right"},
    {"kind": "sliding", "size": "3h", "slide": "1h"},
    {"kind": "sliding", "size": "1h", "slide": "2h"},
    {"kind": "sliding", "size": "90m", "slide": "1h"},
    {"kind": "cumulative", "size": "6h", "step": "2h"},
    {"size": "1d", "timezone": "Europe/Berlin"},
    {"size": "1d", "timezone": "Pacific/Apia"},
    {"size": "1w", "timezone": "America/Havana", "offset": "6h"},
    {"size": "1mo"},
    {"kind": "sliding", "size": "1mo", "slide": "1d", "timezone": "Asia/Beirut"},
    {"kind": "sliding", "size": "1d", "slide": "8h", "timezone": "Europe/Berlin"},
    {"kind": "cumulative", "size": "1d", "step": "6h", "timezone": "Australia/Lord_Howe"},
    {"kind": "cumulative", "size": "1w", "step": "1d", "timezone": "Europe/Berlin"},
)
ANCHORS = ("1969-12-31T20:00", "2024-03-29", "2024-10-25", "2011-12-28", "2024-11-01")


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Row], AlignedWindow]:
    definition = draw(st.sampled_from(DEFINITIONS))
    anchor = us(draw(st.sampled_from(ANCHORS)))
    plain = defined(**definition)
    every = windows_around(plain, anchor, anchor + 4 * plain.span.longest_us)
    limit = st.one_of(st.none(), st.integers(1, 12))
    span = st.one_of(st.none(), st.sampled_from([start + shift for start, _ in every for shift in (-1, 0, 1)]))
    window = filled_by(
        **definition,
        fill=draw(st.sampled_from(["null", "zero", "previous", "linear", 5.0, 0.5])),
        fill_limit=draw(limit),
        max_gap=draw(limit),
        **{name: None if at is None else from_us(at) for name in ("fill_from", "fill_to") for at in [draw(span)]},
    )
    keys = draw(st.sets(st.sampled_from([("a", 1), ("a", None), (None, 1), (None, None), ("b", 1)]), min_size=1))
    some = st.sets(st.sampled_from(every), min_size=1, max_size=6)
    mean = st.one_of(st.none(), st.integers(-9, 9).map(float))
    rows = [row(bounds, draw(mean), *key) for key in keys for bounds in draw(some)]
    return rows, window


@settings(max_examples=150)
@given(cases())
def test_windows_are_added_as_going_through_them_one_by_one_adds_them(case: tuple[list[Row], AlignedWindow]) -> None:
    rows, window = case

    assert added(rows, window) == plainly_added(rows, window)


@settings(max_examples=50)
@given(cases(), st.sampled_from(["0001-02-03", "9999-11-01"]))
def test_a_stray_window_years_away_changes_nothing_near_the_others(
    case: tuple[list[Row], AlignedWindow], year: str
) -> None:
    rows, window = case
    window = window.model_copy(update={"max_gap": 3, "fill_from": None, "fill_to": None})
    stray = bounds_around(window, us(year), us(year) + 40 * DAY_US).row(0)

    assert added([*rows, row(stray, 2.0, rows[0]["site"], rows[0]["unit"])], window) == added(rows, window)


# ------------------------------------------------------------------------------------------------ by hand


def test_without_fill_nothing_is_added() -> None:
    assert added([row(hour(0)), row(hour(5))], filled_by()) == []


def test_previous_repeats_every_output_of_the_window_before_and_counts_no_rows() -> None:
    rows = added([row(hour(-3), 4.0), row(hour(0), 8.0)], filled_by(fill="previous"))

    assert [(each["__start"], each["__end"]) for each in rows] == [hour(-2), hour(-1)]
    assert {(each["mean"], each["many"], each["name"], each["row_count"]) for each in rows} == {(4.0, 4, "was 4.0", 0)}


def test_previous_repeats_a_null() -> None:
    rows = added([row(hour(0), 4.0), row(hour(1), None), row(hour(3), 8.0)], filled_by(fill="previous"))

    assert [(each["mean"], each["name"]) for each in rows] == [(None, None)]


def test_linear_goes_along_the_line_by_the_starts_of_windows() -> None:
    rows = added([row(hour(0), 0.0), row(hour(4), 8.0)], filled_by(fill="linear"))

    assert [each["mean"] for each in rows] == [2.0, 4.0, 6.0]
    assert [each["many"] for each in rows] == [2.0, 4.0, 6.0]
    assert [each["name"] for each in rows] == [None] * 3


def test_linear_between_days_goes_by_the_hours_that_pass() -> None:
    window = filled_by(size="1d", timezone="Europe/Berlin", fill="linear")
    days = [(us("2024-03-29T23:00"), us("2024-03-30T23:00")), (us("2024-03-31T22:00"), us("2024-04-01T22:00"))]

    (sunday,) = added([row(days[0], 0.0), row(days[1], 47.0)], window)

    assert (sunday["__start"], sunday["__end"], sunday["mean"]) == (days[0][1], days[1][0], pytest.approx(24.0))


def test_linear_between_windows_that_share_a_start_goes_by_their_ends() -> None:
    window = filled_by(kind="cumulative", size="4h", step="1h", fill="linear")

    rows = added([row((0, HOUR_US), 0.0), row((0, 4 * HOUR_US), 3.0)], window)

    assert [each["mean"] for each in rows] == [pytest.approx(1.0), pytest.approx(2.0)]


def test_linear_between_the_largest_numbers_stays_finite() -> None:
    rows = [row(hour(0), 1.0), row(hour(2), 1.0)]
    frame = pl.DataFrame(rows, schema=SCHEMA).with_columns(
        pl.Series("mean", [-1.5e308, 1.5e308]), pl.col("many").cast(pl.Float64)
    )

    filled = fill(frame, SPEC, filled_by(fill="linear")).filter(pl.col("row_count") == 0)

    assert filled["mean"].to_list() == [0.0]


@pytest.mark.parametrize(("fill_with", "mean"), [("null", None), ("zero", 0.0), (7.0, 7.0)])
def test_a_constant_stands_in_numbers_only(fill_with: Any, mean: float | None) -> None:
    (between,) = added([row(hour(0)), row(hour(2))], filled_by(fill=fill_with))

    assert (between["mean"], between["many"], between["name"], between["at"]) == (mean, mean, None, None)


def test_only_the_first_windows_of_a_run_are_added_under_a_limit() -> None:
    rows = added([row(hour(0)), row(hour(9)), row(hour(11))], filled_by(fill="zero", fill_limit=2))

    assert [each["__start"] // HOUR_US for each in rows] == [1, 2, 10]


def test_silence_longer_than_max_gap_is_not_filled_at_all() -> None:
    rows = added([row(hour(0)), row(hour(4)), row(hour(7))], filled_by(fill="zero", max_gap=2))

    assert [each["__start"] // HOUR_US for each in rows] == [5, 6]


def test_a_range_is_filled_before_the_first_and_after_the_last_row_and_nothing_outside_of_it() -> None:
    window = filled_by(
        fill="previous",
        fill_from=datetime(1969, 12, 31, 22, 30, tzinfo=UTC),
        fill_to=datetime(1970, 1, 1, 4, tzinfo=UTC),
    )

    rows = added([row(hour(-5), 1.0), row(hour(1), 2.0), row(hour(6), 3.0), row(hour(2), 9.0, "b")], window)

    found = [(each["site"], each["__start"] // HOUR_US, each["mean"]) for each in rows]
    assert found == [
        *(("a", number, 1.0) for number in (-1, 0)),
        *(("a", number, 2.0) for number in (2, 3)),
        *(("b", number, None) for number in (-1, 0, 1)),
        ("b", 3, 9.0),
    ]


def test_days_are_filled_across_a_change_of_clocks() -> None:
    window = filled_by(size="1d", timezone="Europe/Berlin", fill="zero")
    friday, monday = (us("2024-10-24T22:00"), us("2024-10-25T22:00")), (us("2024-10-27T23:00"), us("2024-10-28T23:00"))

    rows = added([row(friday), row(monday)], window)

    assert [(each["__end"] - each["__start"]) // HOUR_US for each in rows] == [24, 25]


def test_a_day_that_a_country_skips_is_not_missing() -> None:
    window = filled_by(size="1d", timezone="Pacific/Apia", fill="zero", max_gap=1)
    thursday, sunday = (
        (us("2011-12-29T10:00"), us("2011-12-30T10:00")),
        (us("2011-12-31T10:00"), us("2012-01-01T10:00")),
    )

    (saturday,) = added([row(thursday), row(sunday)], window)

    assert (saturday["__start"], saturday["__end"]) == (thursday[1], sunday[0])


def test_windows_so_far_are_added_in_the_order_in_which_they_grow() -> None:
    window = filled_by(kind="cumulative", size="6h", step="2h", fill="zero")

    rows = added([row((0, 6 * HOUR_US)), row((6 * HOUR_US, 12 * HOUR_US))], window)

    hours = [(each["__start"] // HOUR_US, each["__end"] // HOUR_US) for each in rows]
    assert hours == [(6, 8), (6, 10)]


def test_no_rows_stay_no_rows_even_with_a_range() -> None:
    assert added([], filled_by(fill="zero", fill_from=from_us(0), fill_to=from_us(DAY_US))) == []


def test_a_stream_without_keys_is_one_series() -> None:
    spec = SPEC.model_copy(update={"keys": ()})
    frame = pl.DataFrame([row(hour(0)), row(hour(3))], schema=SCHEMA).drop("site", "unit")

    filled = fill(frame, spec, filled_by(fill="previous"))

    assert sorted(filled["__start"] // HOUR_US) == [0, 1, 2, 3]


def test_decimals_are_filled_with_the_exact_number() -> None:
    kind = pl.Decimal(38, 2)
    frame = pl.DataFrame([row(hour(0)), row(hour(2))], schema=SCHEMA).with_columns(pl.col("mean").cast(kind))

    filled = fill(frame.drop("many"), SPEC, filled_by(fill=0.1)).filter(pl.col("row_count") == 0)

    assert filled["mean"].cast(pl.String).to_list() == ["0.10"]


@pytest.mark.parametrize(("number", "kind"), [(0.125, pl.Decimal(10, 2)), (1e9, pl.Decimal(10, 2)), (1e19, pl.Int64)])
def test_a_number_that_an_output_cannot_be_is_refused(number: float, kind: Any) -> None:
    frame = pl.DataFrame([row(hour(0)), row(hour(2))], schema=SCHEMA).drop("many")

    with pytest.raises(BadInput, match="cannot stand in mean"):
        fill(frame.with_columns(pl.col("mean").cast(kind)), SPEC, filled_by(fill=number))


@pytest.mark.parametrize(
    "definition", [{"size": "1m"}, {"kind": "cumulative", "size": "1d", "step": "1m", "timezone": "Europe/Berlin"}]
)
def test_a_stray_year_is_refused_where_all_windows_up_to_it_would_be_added_and_left_alone_with_max_gap(
    definition: dict[str, Any],
) -> None:
    zone = defined(**definition)
    near = [bounds for at in ("2024-05-05", "2024-05-06") for bounds in windows_around(zone, us(at), us(at))[:1]]
    start = us("9000-01-01") - (HOUR_US if "timezone" in definition else 0)
    rows = [*map(row, near), row((start, start + 60_000_000))]

    with pytest.raises(TooLarge, match="windows at once"):
        added(rows, filled_by(**definition, fill="zero"))
    assert len(added(rows, filled_by(**definition, fill="zero", max_gap=2))) == 0
    assert len(added(rows[1:], filled_by(**definition, fill="zero", fill_limit=3))) == 3
