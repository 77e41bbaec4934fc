"""Which records fit the spec, and for every other one the first reason why not."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.decoding.checks import INDEX, Checked, check
from windrow.lake.schema import column_type
from windrow.quarantine import Reject
from windrow.spec import StreamSpec
from windrow.units import to_us

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PARSED = spec.parse(
    """
stream: s
time: {column: ts, formats: [iso8601], max_future: 10m}
keys: [k]
columns:
  ts: {type: timestamp, source: at}
  k: string
  b: bool
  n: int
  v: {type: float, required: true}
  seen: timestamp
""",
    "x",
)
GOOD = {"ts": "2026-01-01", "k": "x", "b": "true", "n": "1", "v": "1.5", "seen": "2025-01-01"}


def stream(columns: str, time: str = "column: ts", **settings: str) -> StreamSpec:
    """A spec with the column ts and others."""
    more = "\n".join(f"{name}: {value}" for name, value in settings.items())
    return spec.parse(f"stream: s\ntime: {{{time}}}\n{more}\ncolumns:\n  ts: timestamp\n{columns}", "x")


def text(spec_: StreamSpec, *rows: dict[str, str | None], index: list[int] | None = None) -> pl.DataFrame:
    """Rows as CSV gives them: all text. What a row does not say is null, but for the time."""
    full = [{"ts": "2026-01-01", **row} for row in rows]
    data = {name: [row.get(name) for row in full] for name in spec_.read}
    places = pl.Series(INDEX, range(len(rows)) if index is None else index, pl.Int64)
    return pl.DataFrame(data, schema=dict.fromkeys(data, pl.String)).with_columns(places)


def judge(parsed: StreamSpec, *rows: dict[str, str | None], index: list[int] | None = None) -> Checked:
    return check(text(parsed, *rows, index=index), parsed, to_us(NOW))


def value_of(name: str, value: str | None) -> Any:
    checked = judge(PARSED, {**GOOD, name: value})
    assert checked.rejects == ()
    return checked.rows[name][0]


def refused(name: str, value: str | None) -> tuple[str, str]:
    checked = judge(PARSED, {**GOOD, name: value})
    assert checked.rows.height == 0
    [reject] = checked.rejects
    assert reject.field == PARSED.source_of(name)
    assert reject.index == 0
    assert reject.value == value
    return reject.reason, reject.message


def told(checked: Checked) -> list[tuple[int | None, str, str | None]]:
    return [(reject.index, reject.reason, reject.field) for reject in checked.rejects]


def test_rows_that_fit_have_the_specs_types_and_columns() -> None:
    checked = judge(PARSED, GOOD)

    assert checked.rejects == ()
    assert dict(checked.rows.schema) == {
        INDEX: pl.Int64(),
        **{name: column_type(column) for name, column in PARSED.columns.items()},
    }
    assert checked.rows.select(PARSED.read).rows() == [(NOW, "x", True, 1, 1.5, datetime(2025, 1, 1, tzinfo=UTC))]


def test_what_is_not_of_the_type_is_refused_with_the_senders_name_and_value() -> None:
    assert refused("n", "1.5") == ("wrong_type", "column 'n' is not an int: '1.5'")
    assert refused("v", "x") == ("wrong_type", "column 'v' is not a float: 'x'")
    assert refused("v", "inf") == ("not_finite", "column 'v' is not a finite number: 'inf'")
    assert refused("b", "yes") == ("wrong_type", "column 'b' is not a bool: 'yes'")
    assert refused("ts", "?") == ("bad_time", "column 'at' is not a time written as iso8601: '?'")
    assert refused("seen", "?") == ("bad_time", "column 'seen' is not a time written as iso8601: '?'")


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("decimal(4,2)", "is not a decimal(4,2)"),
        ("date", "is not a date written as iso8601"),
        ("list(int)", "is not a list(int)"),
    ],
)
def test_every_type_says_what_it_expected(kind: str, rule: str) -> None:
    [reject] = judge(stream(f"  x: '{kind}'"), {"x": "?"}).rejects

    assert reject.message == f"column 'x' {rule}: '?'"


# ------------------------------------------------------------------------------------------------ missing values


@pytest.mark.parametrize("name", ["ts", "k", "v"])
def test_time_keys_and_required_columns_must_be_there(name: str) -> None:
    source = PARSED.source_of(name)

    assert refused(name, None) == ("missing_column", f"column '{source}' is required and missing or null")


@pytest.mark.parametrize("name", ["b", "n", "seen"])
def test_other_columns_may_be_missing(name: str) -> None:
    assert value_of(name, None) is None


def test_the_columns_of_the_identity_must_be_there() -> None:
    parsed = stream("  id: int", unique="[ts, id]")

    assert told(judge(parsed, {"id": None}, index=[4])) == [(4, "missing_column", "id")]


def test_a_default_or_a_fill_is_a_value_and_what_cleansing_took_away_is_none() -> None:
    parsed = stream("  x: {type: int, required: true, default: 1}\n  y: {type: int, required: true, null_if: [0]}")

    assert told(judge(parsed, {"x": None, "y": "1"}, {"x": "1", "y": "0"})) == [(1, "missing_column", "y")]


# ------------------------------------------------------------------------------------------------ times


def test_a_time_may_lie_in_the_future_by_exactly_as_much_as_the_spec_allows() -> None:
    limit = NOW + timedelta(minutes=10)
    assert value_of("ts", limit.isoformat()) == limit

    reason, message = refused("ts", (limit + timedelta(microseconds=1)).isoformat())
    assert reason == "time_in_future"
    assert "lies more than 10m after the record was received" in message


def test_a_time_may_be_as_old_as_the_spec_allows() -> None:
    parsed = stream("", time="column: ts, max_age: 1d")
    limit = NOW - timedelta(days=1)
    checked = judge(parsed, {"ts": limit.isoformat()}, {"ts": (limit - timedelta(microseconds=1)).isoformat()})

    assert told(checked) == [(1, "time_too_old", "ts")]
    assert "lies more than 1d before the record was received" in checked.rejects[0].message
    assert checked.rows["ts"].to_list() == [limit]


def test_only_the_event_time_is_held_against_the_clock() -> None:
    assert value_of("seen", "2999-01-01") == datetime(2999, 1, 1, tzinfo=UTC)
    assert value_of("seen", "0001-01-01") == datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("early", ["0001-01-01", "1582-12-31T23:59:59.999999Z"])
def test_an_event_before_1583_is_refused_for_it_is_a_placeholder_or_a_typo(early: str) -> None:
    reason, message = refused("ts", early)

    assert reason == "time_too_early"
    assert "lies before the year 1583" in message


def test_the_first_moment_of_1583_is_a_time_like_any_other() -> None:
    assert value_of("ts", "1583-01-01") == datetime(1583, 1, 1, tzinfo=UTC)


def test_a_time_out_of_several_parts_is_told_by_all_of_them() -> None:
    parsed = stream("", time='column: ts, parts: [day, hour], formats: "%Y-%m-%d %H"')
    checked = judge(parsed, {"ts": "2025-01-01 7"}, {"ts": "2025-01-01 25"})

    assert checked.rows["ts"].to_list() == [datetime(2025, 1, 1, 7, tzinfo=UTC)]
    [reject] = checked.rejects
    assert reject.message == "column 'day hour' is not a time written as %Y-%m-%d %H: '2025-01-01 25'"


def test_local_times_that_are_not_one_moment_are_refused_unless_the_spec_chooses() -> None:
    rows = {"ts": "2025-10-26T02:30:00"}, {"ts": "2025-03-30T02:30:00"}
    strict = judge(stream("", time="column: ts, zone: Europe/Berlin"), *rows)
    zone = "column: ts, zone: Europe/Berlin, ambiguous: latest, nonexistent: forward"

    assert told(strict) == [(0, "ambiguous_time", "ts"), (1, "nonexistent_time", "ts")]
    assert "set time.ambiguous to earliest or latest: '2025-10-26T02:30:00'" in strict.rejects[0].message
    assert judge(stream("", time=zone), *rows).rows["ts"].to_list() == [
        datetime(2025, 10, 26, 1, 30, tzinfo=UTC),
        datetime(2025, 3, 30, 1, 30, tzinfo=UTC),
    ]


# ------------------------------------------------------------------------------------------------ range and allowed


@pytest.mark.parametrize(
    ("kind", "limits", "texts", "fit", "span"),
    [
        ("int", "[0, 10]", ["-1", "0", "10", "11", None], [0, 10, None], "[0, 10]"),
        ("int", "[0.5, ~]", ["0", "1"], [1], "[0.5, ~]"),
        ("float", "[-1.5, 1.5]", ["-1.6", "-1.5", "1.5", "1.50001"], [-1.5, 1.5], "[-1.5, 1.5]"),
        ("float", "[~, 0]", ["0", "1e-300"], [0.0], "[~, 0]"),
        (
            "decimal(6,2)",
            "[0.1, 0.2]",
            ["0.09", "0.10", "0.20", "0.21"],
            [Decimal("0.1"), Decimal("0.2")],
            "[0.1, 0.2]",
        ),
    ],
)
def test_numbers_beyond_the_range_are_refused_and_its_bounds_are_not(
    kind: str, limits: str, texts: list[str | None], fit: list[object], span: str
) -> None:
    checked = judge(stream(f"  x: {{type: '{kind}', range: {limits}}}"), *({"x": each} for each in texts))

    assert checked.rows["x"].to_list() == fit
    for reject in checked.rejects:
        assert reject.reason == "out_of_range"
        assert reject.message == f"column 'x' lies outside of {span}: {reject.value!r}"


@pytest.mark.parametrize(
    ("settings", "good", "bad"),
    [
        ("type: categorical, allowed: [a, b]", "a", "c"),
        ("type: string, allowed: [a]", "a", "A"),
        ("type: int, allowed: [1, 2]", "1.0", "3"),
        ("type: float, allowed: [0.5]", "5e-1", "0.6"),
        ("type: 'decimal(6,2)', allowed: [0.5]", "0.50", "0.51"),
        ("type: bool, allowed: [true]", "1", "0"),
        ("type: date, formats: '%d/%m/%Y', allowed: ['2026-01-31']", "31/01/2026", "01/01/2026"),
    ],
)
def test_only_allowed_values_may_be_there_and_no_value_is_not_one(settings: str, good: str, bad: str) -> None:
    checked = judge(stream(f"  x: {{{settings}}}"), {"x": good}, {"x": bad}, {"x": None})

    assert checked.rows[INDEX].to_list() == [0, 2]
    assert told(checked) == [(1, "not_allowed", "x")]


def test_what_is_not_allowed_says_what_is() -> None:
    few = judge(stream("  x: {type: string, allowed: [a, b]}"), {"x": "c"})
    many = judge(stream(f"  x: {{type: int, allowed: {list(range(50))}}}"), {"x": "50"})

    assert few.rejects[0].message == "column 'x' is none of 'a', 'b': 'c'"
    assert many.rejects[0].message == "column 'x' is none of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …: '50'"


def test_what_is_held_against_range_and_allowed_is_the_value_that_is_kept() -> None:
    clamped = stream("  x: {type: int, clamp: [0, 10], range: [0, 10]}")
    assert judge(clamped, {"x": "99"}).rows["x"].to_list() == [10]

    filled = stream("  x: {type: int, fill: 99, range: [0, 10]}\n  y: {type: int, default: 99, allowed: [1]}")
    assert told(judge(filled, {"x": None, "y": "1"}, {"x": "1", "y": None})) == [
        (0, "out_of_range", "x"),
        (1, "not_allowed", "y"),
    ]


def test_what_was_not_given_is_not_shown() -> None:
    [reject] = judge(stream("  x: {type: int, fill: 99, range: [0, 10]}"), {"x": None}).rejects

    assert (reject.value, reject.message) == (None, "column 'x' lies outside of [0, 10]")


# ------------------------------------------------------------------------------------------------ many rows


def test_the_first_fault_in_the_order_of_the_spec_is_the_one_that_is_told() -> None:
    checked = judge(PARSED, {**GOOD, "ts": "?", "k": None, "v": "x", "n": "y"})

    assert told(checked) == [(0, "bad_time", "at")]
    assert judge(PARSED, {**GOOD, "n": "y", "v": None}).rejects[0].field == "n"


def test_a_long_value_is_shown_in_part() -> None:
    [reject] = judge(PARSED, {**GOOD, "n": "9" * 5_000}).rejects

    assert reject.value == "9" * 200
    assert len(reject.message) < 300


def test_values_that_came_with_a_type_keep_it_and_are_shown_as_they_are() -> None:
    raw = pl.DataFrame(
        {
            "ts": [NOW] * 3,
            "k": ["x"] * 3,
            "b": [True] * 3,
            "n": [2**63 - 1, 0, None],
            "v": [0.5, float("inf"), 1.0],
        }
    ).with_columns(pl.lit(None, pl.String).alias("seen"), pl.int_range(3, dtype=pl.Int64).alias(INDEX))
    checked = check(raw, PARSED, to_us(NOW))

    assert checked.rows["n"].to_list() == [2**63 - 1, None]
    assert [(reject.index, reject.reason, reject.value) for reject in checked.rejects] == [(1, "not_finite", "inf")]


def test_columns_beside_those_that_are_checked_stay_as_they_are() -> None:
    raw = text(PARSED, GOOD, {**GOOD, "n": "?"}).with_columns(pl.Series("_member", [7, 8]))

    assert check(raw, PARSED, to_us(NOW)).rows["_member"].to_list() == [7]


def test_columns_can_be_checked_later_than_the_others() -> None:
    parsed = stream("  x: int\n  twice: {type: int, derive: x * 2, range: [0, 10]}")
    rows = judge(parsed, {"x": "4"}, {"x": "6"}).rows.with_columns((pl.col("x") * 2.0).alias("twice"))
    checked = check(rows, parsed, to_us(NOW), ["twice"])

    assert checked.rows.select("ts", "x", "twice").rows() == [(NOW, 4, 8)]
    assert told(checked) == [(1, "out_of_range", "twice")]


def test_no_rows_are_no_rows() -> None:
    checked = judge(PARSED)

    assert checked.rejects == ()
    assert checked.rows.height == 0
    assert checked.rows.schema["ts"] == column_type(PARSED.columns["ts"])


# ------------------------------------------------------------------------------------------------ rows of one record


def test_a_record_goes_whole_if_one_of_its_rows_is_bad_with_its_first_fault() -> None:
    parsed = stream("  x: int\n  y: int")
    rows = [{"x": "1"}, {"x": "2"}, {"y": "?"}, {"x": "?"}, {"x": "3"}, {"x": "?"}]
    checked = judge(parsed, *rows, index=[5, 7, 7, 7, 8, 9])

    assert checked.rows.select(INDEX, "x").rows() == [(5, 1), (8, 3)]
    assert told(checked) == [(7, "wrong_type", "y"), (9, "wrong_type", "x")]


# ------------------------------------------------------------------------------------------------ laws

EVERYTHING = spec.parse(
    """
stream: s
time: {column: ts, formats: [iso8601, epoch_s, "%d/%m/%Y %H"], zone: Europe/Berlin, max_age: 999d}
keys: [k]
columns:
  ts: timestamp
  k: {type: categorical, allowed: [a, b], trim: true, default: a}
  b: {type: bool, required: true}
  n: {type: int, missing: [NA, -1], null_if: [0], clamp: [-5, 50], range: [-4, 40]}
  v: {type: float, fill: 0.5, range: [~, 10]}
  d: "decimal(5,2)"
  day: {type: date, formats: ["%d/%m/%Y", iso8601]}
  seen: {type: timestamp, formats: "%Y%m%d"}
""",
    "x",
)
POOLS = {
    "ts": [
        "2026-01-01",
        "2025-06-01T00:00:00Z",
        "1735689600",
        "01/02/2025 7",
        " 2025-06-01 ",
        "2025-03-30T02:30:00",
        "2025-10-26 02:30",
        "1582-01-01",
        "1999-01-01",
        "2027-01-01",
        "x",
    ],
    "k": ["a", " b", "c", " "],
    "b": ["true", "0", "TRUE", "no"],
    "n": ["1", "1.0", "NA", "-1", "0", "-9", "45", "1.5"],
    "v": ["1", " 2 ", "inf", "11", "x"],
    "d": ["1.5", "1.500", "1.555", "1e2", "1e3"],
    "day": ["31/12/2025", "2025-12-31", "31/12/25", "2025-12-31T00:00"],
    "seen": ["20251231", "2025-12-31"],
}
raws = st.fixed_dictionaries({name: st.sampled_from([*pool, None, ""]) for name, pool in POOLS.items()})
often_good = st.fixed_dictionaries({name: st.sampled_from(pool[:2]) for name, pool in POOLS.items()})


@settings(max_examples=100)
@given(st.lists(raws | often_good, max_size=6))
def test_a_records_fate_does_not_depend_on_its_neighbours(rows: list[dict[str, str | None]]) -> None:
    together = judge(EVERYTHING, *rows)
    apart = [judge(EVERYTHING, row, index=[place]) for place, row in enumerate(rows)]

    assert together.rows.rows() == [row for each in apart for row in each.rows.rows()]
    assert together.rejects == tuple(reject for each in apart for reject in each.rejects)


@given(
    st.lists(st.tuples(st.integers(0, 4), raws | often_good), max_size=8).map(
        lambda rows: sorted(rows, key=lambda row: row[0])
    )
)
def test_every_record_is_kept_whole_or_refused_once(rows: list[tuple[int, dict[str, str | None]]]) -> None:
    index = [place for place, _ in rows]
    checked = judge(EVERYTHING, *(row for _, row in rows), index=index)
    kept, refused_ = checked.rows[INDEX].to_list(), [reject.index for reject in checked.rejects]

    assert set(kept) | set(refused_) == set(index)
    assert not set(kept) & set(refused_)
    assert len(refused_) == len(set(refused_))
    assert kept == [place for place in index if place in kept]
    assert refused_ == sorted(refused_, key=lambda place: place or 0)
    for place in set(index):
        alone = [judge(EVERYTHING, row).rejects for found, row in rows if found == place]
        first: Reject | None = next((reject[0] for reject in alone if reject), None)
        assert (place in refused_) is (first is not None)
        if first is not None:
            reject = checked.rejects[refused_.index(place)]
            assert (reject.reason, reject.field, reject.value) == (first.reason, first.field, first.value)


def test_a_day_stays_a_day() -> None:
    assert judge(EVERYTHING, {"k": "a", "b": "1", "day": "31/12/2025"}).rows["day"].to_list() == [date(2025, 12, 31)]
