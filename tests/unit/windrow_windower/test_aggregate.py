"""Windows against a slow, obvious computation in plain Python: the same rows, in any order of arrival."""

import math
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.errors import TooLarge
from windrow.lake.schema import result_schema, segment_schema
from windrow.spec import StreamSpec
from windrow.units import SECOND_US, from_us, to_us
from windrow_windower.aggregate import aggregate

FUNCTIONS = ("count", "sum", "mean", "min", "max", "first", "last")
NUMBERS = ", ".join(f"{column}_{function}: {function}({column})" for column in "iv" for function in FUNCTIONS)
OTHERS = ", ".join(
    f"{column}_{function}: {function}({column})"
    for column in ("text", "ok", "seen", "k", "ts")
    for function in ("count", "min", "max", "first", "last")
)
SIZE_US = 60 * SECOND_US


ALL = f"rows: count, {NUMBERS}, {OTHERS}"


def stream(keys: str = "[k]", unique: str = "[k, ts]", size: str = "1m", aggregates: str = ALL) -> StreamSpec:
    return spec.parse(
        f"stream: s\ntime: {{column: ts}}\nkeys: {keys}\nunique: {unique}\n"
        "columns: {ts: timestamp, k: string, i: int, v: float, text: string, ok: bool, seen: timestamp}\n"
        f"windows: {{w: {{size: {size}, aggregates: {{{aggregates}}}}}}}",
        "x",
    )


def compute(rows: list[dict[str, Any]], parsed: StreamSpec) -> pl.DataFrame:
    return aggregate(pl.DataFrame(rows, schema=segment_schema(parsed)), parsed, parsed.windows["w"])


# ------------------------------------------------------------------------------------------------ the reference


def reference(rows: list[dict[str, Any]], parsed: StreamSpec) -> list[dict[str, Any]]:
    """Every window, one after the other, as one would with pencil and paper."""
    window = parsed.windows["w"]
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    order = (*parsed.keys, "ts", *parsed.identity)
    for row in sorted(rows, key=lambda row: [row[name] for name in order]):
        start_us = to_us(row["ts"]) - to_us(row["ts"]) % window.size
        groups[*(row[name] for name in parsed.keys), start_us].append(row)
    found = []
    for (*key, start_us), members in groups.items():
        result = dict(zip(parsed.keys, key, strict=True))
        result |= {"window_start": from_us(start_us), "window_end": from_us(start_us + window.size)}
        for name, each in window.aggregates.items():
            values = [row[each.column] for row in members if each.column and row[each.column] is not None]
            result[name] = len(members) if each.column is None else apply(each.function, values)
        found.append(result | {"row_count": len(members)})
    return found


def apply(function: str, values: list[Any]) -> Any:
    if function == "count":
        return len(values)
    if not values:
        return None
    match function:
        case "sum":
            return sum(values) if isinstance(values[0], int) else math.fsum(values)
        case "mean":
            return math.fsum(values) / len(values)
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "first":
            return values[0]
        case _:
            return values[-1]


def assert_same(found: pl.DataFrame, expected: list[dict[str, Any]]) -> None:
    assert found.height == len(expected)
    for row, other in zip(found.to_dicts(), expected, strict=True):
        assert row.keys() == other.keys()
        for name, value in other.items():
            if isinstance(value, float):
                assert row[name] == pytest.approx(value, rel=1e-12, abs=1e-6), name
            else:
                assert row[name] == value, name


# ------------------------------------------------------------------------------------------------ against it

edges = st.sampled_from([0, 1, SIZE_US - 1, SIZE_US, SIZE_US + 1, -1, -SIZE_US, -SIZE_US - 1, -SIZE_US + 1])
times = (edges | st.integers(-(10**9), 10**9)).map(from_us)
floats = st.floats(-1e9, 1e9, width=32)
records = st.fixed_dictionaries(
    {
        "ts": times,
        "k": st.sampled_from(["a", "b", "", "ä"]),
        "i": st.none() | st.integers(-(2**40), 2**40),
        "v": st.none() | floats | st.sampled_from([0.0, -0.0, 1e9]),
        "text": st.none() | st.sampled_from(["", "x", "Z", "é"]),
        "ok": st.none() | st.booleans(),
        "seen": st.none() | times,
    }
)


def placed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**row, "_batch": f"b{number % 3}", "_ordinal": number, "_received_at": from_us(0)}
        for number, row in enumerate(rows)
    ]


batches = st.lists(records, max_size=25).map(placed)
by_key = batches.map(lambda rows: list({(row["k"], row["ts"]): row for row in rows}.values()))


@settings(max_examples=150)
@given(by_key, st.sampled_from(["1m", "1h", "1s", "250ms"]))
def test_windows_per_key_are_those_of_the_reference(rows: list[dict[str, Any]], size: str) -> None:
    parsed = stream(size=size)

    assert_same(compute(rows, parsed), reference(rows, parsed))


@given(batches, st.sampled_from(["[]", "[k]", "[ok, k]"]))
def test_records_at_the_same_time_are_each_counted_and_ordered_by_identity(
    rows: list[dict[str, Any]], keys: str
) -> None:
    parsed = stream(keys, unique="[]")
    rows = [{**row, "ok": row["ok"] or False} for row in rows]

    assert_same(compute(rows, parsed), reference(rows, parsed))


@given(batches, st.randoms(use_true_random=False))
def test_the_order_of_arrival_shows_in_no_digit(rows: list[dict[str, Any]], random: object) -> None:
    parsed = stream(unique="[]")
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert compute(shuffled, parsed).equals(compute(rows, parsed), null_equal=True)


@given(batches)
def test_a_result_has_the_schema_that_the_tables_are_made_from(rows: list[dict[str, Any]]) -> None:
    parsed = stream(unique="[]")

    assert compute(rows, parsed).schema == result_schema(parsed, parsed.windows["w"])


@given(batches)
def test_windows_come_in_order_of_key_and_time_each_once(rows: list[dict[str, Any]]) -> None:
    found = compute(rows, stream(unique="[]")).select("k", "window_start").rows()

    assert found == sorted(set(found))


def test_many_records_are_the_same_in_any_order_too() -> None:
    """Large enough for the library to share the work among threads."""
    parsed = stream(unique="[]")
    rows = pl.DataFrame(
        {
            "ts": [from_us(number * 1_000) for number in range(60_000)],
            "k": [f"k{number % 7}" for number in range(60_000)],
            "v": [math.sin(number) * 10 ** (number % 17) for number in range(60_000)],
            "_ordinal": range(60_000),
        }
    )
    whole = pl.concat([segment_schema(parsed).to_frame(), rows.cast({"ts": pl.Datetime("us", "UTC")})], how="diagonal")
    first = aggregate(whole, parsed, parsed.windows["w"])

    for seed in range(3):
        shuffled = whole.sample(fraction=1, shuffle=True, seed=seed)
        assert aggregate(shuffled, parsed, parsed.windows["w"]).equals(first)


# ------------------------------------------------------------------------------------------------ by hand


def test_no_records_are_no_windows() -> None:
    parsed = stream()
    found = compute([], parsed)

    assert found.height == 0
    assert found.schema == result_schema(parsed, parsed.windows["w"])


def test_an_aggregate_over_nothing_is_null_and_the_window_is_there_all_the_same() -> None:
    [row] = placed([{"ts": from_us(0), "k": "a", "i": None, "v": None, "text": None, "ok": None, "seen": None}])
    [window] = compute([row], stream()).to_dicts()

    assert (window["row_count"], window["rows"], window["i_count"], window["v_count"]) == (1, 1, 0, 0)
    assert {window[f"{column}_{function}"] for column in "iv" for function in FUNCTIONS[1:]} == {None}


def test_first_and_last_pass_over_nulls() -> None:
    rows = [
        {"ts": from_us(second * SECOND_US), "k": "a", "v": value, "_ordinal": second, "_batch": "b"}
        for second, value in enumerate([None, 3.0, 1.0, None])
    ]
    [window] = compute(rows, stream()).to_dicts()

    assert (window["v_first"], window["v_last"], window["v_count"], window["row_count"]) == (3.0, 1.0, 2, 4)


def test_a_window_holds_its_start_and_not_its_end() -> None:
    base = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [base, base + timedelta(seconds=60) - timedelta(microseconds=1), base + timedelta(seconds=60)]
    rows = [{"ts": moment, "k": "a", "_ordinal": number} for number, moment in enumerate(moments)]
    found = compute(rows, stream()).select("window_start", "window_end", "row_count").rows()

    minute = timedelta(minutes=1)
    assert found == [(base, base + minute, 2), (base + minute, base + 2 * minute, 1)]


# ------------------------------------------------------------------------------------------------ large numbers


def whole_numbers(*values: int | None) -> list[dict[str, Any]]:
    return [{"ts": from_us(number), "k": "a", "i": value} for number, value in enumerate(values)]


@pytest.mark.parametrize(
    "values", [(2**63 - 1,), (2**63 - 2, 1), (-(2**63),), (2**63 - 1, 2**63 - 1, -(2**63)), (2**62, 2**62 - 1, None)]
)
def test_a_sum_of_whole_numbers_reaches_to_the_ends_of_64_bits(values: tuple[int | None, ...]) -> None:
    [window] = compute(whole_numbers(*values), stream()).to_dicts()

    assert window["i_sum"] == sum(value for value in values if value is not None)


@pytest.mark.parametrize("values", [(2**63 - 1, 1), (-(2**63), -1), (2**63 - 1, 2**63 - 1, 2**63 - 1)])
def test_a_sum_that_passes_64_bits_is_refused_and_never_wrong(values: tuple[int, ...]) -> None:
    with pytest.raises(TooLarge, match=r"s: i_sum: sum\(i\) passes 64 bits in a window; make i a float"):
        compute(whole_numbers(*values), stream())


def test_a_mean_of_large_whole_numbers_does_not_overflow() -> None:
    [window] = compute(whole_numbers(*[2**62] * 4), stream(aggregates="i_mean: mean(i)")).to_dicts()

    assert window["i_mean"] == float(2**62)


def test_a_sum_of_floats_that_a_float_cannot_hold_is_refused_by_name() -> None:
    from datetime import UTC, datetime

    from windrow.lake.schema import segment_schema

    stream = spec.parse(
        "stream: s\ntime: {column: ts}\ncolumns: {ts: timestamp, v: float}\n"
        "windows: {w: {size: 1m, aggregates: {total: sum(v)}}}\n",
        "s.yaml",
    )
    at = datetime(2026, 1, 1, tzinfo=UTC)
    rows = pl.DataFrame(
        {"ts": [at, at], "v": [1.7e308, 1.7e308], "_batch": ["b", "b"], "_ordinal": [0, 1], "_received_at": [at, at]},
        schema=segment_schema(stream),
    )

    with pytest.raises(TooLarge, match="total"):
        aggregate(rows, stream, stream.windows["w"])
