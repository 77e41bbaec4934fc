"""Window definitions: what can be said, and what cannot be."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.spec import Aggregate
from windrow.spec.document import check
from windrow.spec.spans import Span
from windrow.spec.windows import FUNCTIONS, NUMERIC_ONLY, OHLC, WITH_SHARE, AnyWindow, SequenceWindow, TumblingWindow

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
TEXT = """\
stream: s
time: {column: ts}
keys: [k]
columns: {ts: timestamp, k: string, v: float, n: int, d: 'decimal(9,2)', l: list(float), gone: {type: int, drop: true}}
bucket: 1d
windows:
  w: {WINDOW}
"""


def window(settings: str) -> AnyWindow:
    return spec.parse(TEXT.replace("WINDOW", settings), "x").windows["w"]


def faults(settings: str) -> list[str]:
    return [
        f"{fault.path}: {fault.message}".removeprefix("windows.w.") for fault in check(TEXT.replace("WINDOW", settings))
    ]


# ------------------------------------------------------------------------------------------------ kinds


@pytest.mark.parametrize(
    "settings",
    [
        "size: 1m, aggregates: {}",
        "size: 1d, timezone: America/New_York, aggregates: {}",
        "size: 1mo, offset: 6h, fill: linear, fill_limit: 3, late: divert, aggregates: {a: mean(v)}",
        "size: 7h, offset: -30m, aggregates: {}",
        "kind: sliding, size: 1h, slide: 7m, fill: 0, aggregates: {}",
        "kind: sliding, size: 1mo, slide: 1d, timezone: Europe/Berlin, aggregates: {}",
        "kind: session, gap: 30m, gap_inclusive: false, session_end: last, max_duration: 8h, aggregates: {}",
        "kind: cumulative, size: 1d, step: 1h, aggregates: {}",
        "kind: cumulative, size: 1y, step: 1q, timezone: Asia/Tokyo, aggregates: {}",
        "size: 7h, timezone: Asia/Tokyo, closed: right, aggregates: {}",
        "size: 1h, fill: zero, max_gap: 12, fill_from: 2026-01-01, fill_to: 2026-02-01, aggregates: {n: count}",
        "kind: sliding, size: 1h, slide: 2h, aggregates: {}",
        "kind: sliding, size: 7d, slide: 1mo, aggregates: {}",
        "kind: sliding, size: 10000s, slide: 1s, aggregates: {}",
        "kind: cumulative, size: 100000s, step: 1s, aggregates: {}",
        "kind: count, length: 100, aggregates: {v: last(v)}",
        "kind: count, length: 10000, stride: 1, aggregates: {v: last(v)}",
        "kind: pairwise, size: 30s, aggregates: {v: mean(v)}",
        "kind: sequence, step: 1m, length: 5, validate_from: 2026-01-01, test_from: 2026-02-01, aggregates: {}",
        "kind: sequence, step: 1m, length: 5, padding: zero, fill: 2.5, aggregates: {d: sum(d), n: max(n)}",
        "kind: sequence, step: 1m, length: 60, stride: 30, fill: previous, fill_limit: 5, aggregates: {v: mean(v)}",
        "kind: sequence, step: 1m, length: 60, mask: true, min_observed: 4, horizon: 2, padding: zero, aggregates: {}",
    ],
)
def test_every_kind_can_be_said(settings: str) -> None:
    assert faults(settings) == []


def test_a_window_without_a_kind_is_tumbling() -> None:
    assert isinstance(window("size: 1m, aggregates: {}"), TumblingWindow)


def test_a_sequence_has_defaults() -> None:
    found = window("kind: sequence, step: 1m, length: 60, aggregates: {v: mean(v)}")

    assert isinstance(found, SequenceWindow)
    assert (found.fill, found.padding, found.min_observed, found.horizon, found.mask) == ("null", "null", 1, 0, False)


@pytest.mark.parametrize("written", ["null", "~", "'null'"])
def test_filling_with_null_is_not_the_same_as_not_filling(written: str) -> None:
    assert window(f"size: 1m, fill: {written}, aggregates: {{}}").fill == "null"
    assert window("size: 1m, aggregates: {}").fill is None


# ------------------------------------------------------------------------------------------------ lengths


@pytest.mark.parametrize(
    ("size", "span", "fixed_us"),
    [
        ("90s", Span(90 * SECOND_US, "us"), 90 * SECOND_US),
        ("24h", Span(DAY_US, "us"), DAY_US),
        ("1d", Span(1, "d"), DAY_US),
        ("1d12h", Span(36 * HOUR_US, "us"), 36 * HOUR_US),
    ],
)
def test_a_size_is_a_length_and_a_day_in_utc_is_24_hours(size: str, span: Span, fixed_us: int) -> None:
    found = window(f"size: {size}, offset: 1s, aggregates: {{}}")

    assert isinstance(found, TumblingWindow)
    assert (found.span, found.size) == (span, fixed_us)


@pytest.mark.parametrize(
    "settings", ["size: 1w", "size: 1mo", "size: 1d, timezone: Europe/Berlin", "kind: session, gap: 1m"]
)
def test_what_has_no_fixed_length_says_so(settings: str) -> None:
    with pytest.raises(ValueError, match="has no fixed size"):
        _ = window(f"{settings}, aggregates: {{}}").size


def test_a_day_somewhere_is_not_24_hours() -> None:
    assert Span(1, "d").fixed_us("Europe/Berlin") is None
    assert Span(DAY_US, "us").fixed_us("Europe/Berlin") == DAY_US


@given(st.integers(1, 40), st.sampled_from(["us", "d", "w", "mo", "q", "y"]), st.integers(1, 10))
@settings(max_examples=100)
def test_a_span_is_a_multiple_of_its_parts_and_reads_as_it_is_written(count: int, unit: str, times: int) -> None:
    step = Span(count, unit)  # type: ignore[arg-type]
    whole = Span(count * times, unit)  # type: ignore[arg-type]

    assert whole.is_multiple_of(step, "Europe/Berlin")
    found = window(f"kind: sliding, size: {step}, slide: {step}, aggregates: {{}}")
    assert found.slide == step


@pytest.mark.parametrize(
    ("size", "step", "is_multiple"),
    [("1y", "1mo", True), ("1q", "2mo", False), ("1mo", "1d", True), ("1mo", "1w", False), ("1d", "1h", True),
     ("1d", "7h", False), ("1w", "1d", True), ("1h", "7m", False), ("1d", "1mo", False)],
)  # fmt: skip
def test_steps_fill_a_size_or_do_not(size: str, step: str, is_multiple: bool) -> None:
    found = faults(f"kind: cumulative, size: {size}, step: {step}, timezone: Europe/Berlin, aggregates: {{}}")

    assert (found == []) is is_multiple


# ------------------------------------------------------------------------------------------------ aggregates


@pytest.mark.parametrize("function", sorted({*FUNCTIONS, *OHLC} - WITH_SHARE))
def test_every_function_is_a_call(function: str) -> None:
    found = window(f"size: 1h, aggregates: {{a: {function}(v)}}").aggregates["a"]

    assert found == Aggregate(function=OHLC.get(function, function), column="v")


@pytest.mark.parametrize(
    ("text", "aggregate"),
    [
        ("count", Aggregate(function="count")),
        ("count(*)", Aggregate(function="count")),
        ("'quantile(v, 0.95)'", Aggregate(function="quantile", column="v", share=0.95)),
        (
            "{function: approx_quantile, column: v, share: 0}",
            Aggregate(function="approx_quantile", column="v", share=0),
        ),
        ("{function: close, column: v}", Aggregate(function="last", column="v")),
        (
            "{function: time_weighted_mean, column: v, carry: linear, max_carry: 1h}",
            Aggregate(function="time_weighted_mean", column="v", carry="linear", max_carry="1h"),
        ),
    ],
)
def test_an_aggregate_may_say_more(text: str, aggregate: Aggregate) -> None:
    assert window(f"size: 1h, aggregates: {{a: {text}}}").aggregates["a"] == aggregate


@pytest.mark.parametrize(
    "aggregate", [Aggregate(function="count"), Aggregate(function="quantile", column="v", share=0.5)]
)
def test_an_aggregate_reads_as_it_is_written(aggregate: Aggregate) -> None:
    assert Aggregate.model_validate(str(aggregate)) == aggregate


# ------------------------------------------------------------------------------------------------ what cannot be


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ("size: 0s", "size: is no time at all; use 1us or more"),
        ("size: 2w3d", "size: '2w3d' is not a length of time; write it as 15m, 1h, 1d, 1w, 1mo, 1q or 1y"),
        ("size: 200y", "size: 200y is too long; a century is the most"),
        ("size: 1h, fill_limit: 3", "fill_limit: says how far fill goes; set fill as well, or leave it out"),
        ("size: 1h, fill: mean", "fill: 'mean' is not a way to fill; there are (null, zero, previous, linear"),
        ("size: 1h, timezone: Mars/Base", "timezone: 'Mars/Base' is not a time zone"),
        ("kind: sliding, size: 1h", "slide: is missing"),
        ("kind: sliding, size: 1h, slide: 0s", "slide: is no time at all; use 1us or more"),
        ("kind: sliding, size: 0m, slide: 1m", "size: is no time at all; use 1us or more"),
        ("kind: sliding, size: 0mo, slide: 1m", "size: is no time at all; use 1us or more"),
        ("kind: sliding, size: 1ns, slide: 1m", "size: '1ns' is not a length of time; write it as 15m"),
        ("kind: sliding, size: 10001s, slide: 1s",
         "slide: a row would be in 10,001 windows, and 10,000 are the most; use 1s100us or more"),
        ("kind: sliding, size: 50y, slide: 1d, timezone: Asia/Tokyo", "slide: a row would be in 18,300 windows"),
        ("kind: sliding, size: 800h, slide: 1mo",
         "slide: 1mo follows the calendar and size (33d8h) does not; use the same kind of length"),
        ("kind: sliding, size: 24h, slide: 1d, timezone: Europe/Berlin",
         "slide: 1d follows the calendar and size (24h) does not; use the same kind of length"),
        ("kind: session, gap: 0s", "gap: is no time at all; use 1us or more"),
        ("kind: session, gap: 1h, max_duration: 5m", "max_duration: 5m is less than gap (1h); make it longer"),
        ("kind: session, gap: 1h, fill: zero", "fill: there is no setting 'fill' here"),
        ("kind: cumulative, size: 1d, step: 7h", "size: 1d is not a whole number of steps (7h); make it a"),
        ("kind: cumulative, size: 48h, step: 1d, timezone: Europe/Berlin",
         "size: 48h is not a whole number of steps (1d); make it a multiple of step"),
        ("kind: cumulative, size: 1h, step: 0s", "step: is no time at all; use 1us or more"),
        ("kind: cumulative, size: 200000s, step: 1s",
         "step: a row would be in 200,000 windows, and 100,000 are the most; use 2s or more"),
        ("size: 1h, closed: both", "closed: 'both' is not a value of closed; there are (left, right)"),
        ("kind: session, gap: 1h, closed: right", "closed: there is no setting 'closed' here"),
        ("size: 1h, max_gap: 3", "max_gap: says how far fill goes; set fill as well, or leave it out"),
        ("size: 1h, fill_from: 2026-01-01", "fill_from: says how far fill goes; set fill as well, or leave it out"),
        ("size: 1h, fill_to: 2026-01-01", "fill_to: says how far fill goes; set fill as well, or leave it out"),
        ("size: 1h, fill: zero, fill_from: 2026-01-01T01:00:00+01:00, fill_to: 2026-01-01",
         "fill_to: 2026-01-01T00:00:00Z is not after fill_from (2026-01-01T00:00:00Z); make it later"),
        ("size: 1s, fill: zero, fill_from: 2026-01-01, fill_to: 2027-01-01",
         "fill_to: 31,536,000 windows of every key would be filled, and 10,000,000 are the most; make it earlier"),
        ("size: 1h, fill: zero, fill_from: yesterday",
         "fill_from: 'yesterday' is not a time; write it as 2026-01-31 or 2026-01-31T12:00:00Z"),
        ("size: 1h, fill: zero, fill_from: 20260131", "fill_from: 20260131 is not a time; write it as"),
        ("size: 1h, fill: zero, fill_from: 9999-01-01",
         "fill_from: '9999-01-01' is too far away; use a year from 1000 to 8999"),
        ("size: 1y, fill: zero, max_gap: 200", "max_gap: 200 times 366d is more than a century; use a smaller number"),
        ("size: 1y, fill: zero, max_gap: 20000000", "max_gap: 20000000 is too large; use at most 10,000,000"),
        ("kind: count", "length: is missing"),
        ("kind: count, length: 10001, stride: 1",
         "stride: a row would be in 10,001 windows, and 10,000 are the most; use 2 or more"),
        ("kind: pairwise, size: 0s", "size: is no time at all; use 1us or more"),
        ("kind: pairwise, size: 1mo", "size: '1mo' is not a duration"),
        ("kind: sequence, length: 5", "step: is missing"),
        ("kind: sequence, step: 0s, length: 5", "step: is no time at all; use 1us or more"),
        ("kind: sequence, step: 30d, length: 2000",
         "length: 2,000 times 30d is more than a century; use a smaller number"),
        ("kind: sequence, step: 30d, length: 2, stride: 2000",
         "stride: 2,000 times 30d is more than a century; use a smaller number"),
        ("kind: sequence, step: 30d, length: 2, max_gap: 2000",
         "max_gap: 2,000 times 30d is more than a century; use a smaller number"),
        ("kind: sequence, step: 1s, length: 6000, horizon: 6000, stride: 1",
         "stride: a step would be in 12,000 windows, and 10,000 are the most; use 2 or more"),
        ("kind: sequence, step: 1s, length: 5, validate_from: 2026-02-01, test_from: 2026-02-01",
         "test_from: 2026-02-01T00:00:00Z is not after validate_from (2026-02-01T00:00:00Z); make it later"),
        ("kind: sequence, step: 1m, length: 0", "length: 0 is too small; use 1 or more"),
        ("kind: sequence, step: 1mo, length: 3", "step: '1mo' is not a duration"),
        ("kind: sequence, step: 1m, length: 3, min_observed: 4",
         "min_observed: 4 of 3 steps can never be observed; use at most length"),
    ],
)  # fmt: skip
def test_a_definition_that_cannot_be_is_a_fault_with_a_remedy(settings: str, fault: str) -> None:
    [found] = faults(f"{settings}, aggregates: {{}}")

    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("aggregate", "fault"),
    [
        ("mean", "mean needs a column, such as mean(temperature)"),
        ("mean()", "mean needs a column, such as mean(temperature)"),
        ("'mean(v, 2)'", "mean takes one column, such as mean(temperature)"),
        ("quantile(v)", "quantile needs a share from 0 to 1 as well: quantile(v, 0.95)"),
        ("'quantile(v, 95)'", "'95' is not a share from 0 to 1; did you mean 0.95?"),
        ("'quantile(v, x)'", "'x' is not a share from 0 to 1, such as 0.95"),
        ("p99(v)", "'p99' is not a function; write quantile(v, 0.99)"),
        ("ohlc(v)", "ohlc is four columns; write each as its own"),
        ("meen(v)", "'meen' is not a function; did you mean mean?"),
        ("v + 1", "'v + 1' is not an aggregate; write count, or a function of a column"),
        ("{function: mean}", "mean needs a column"),
        ("{function: quantile, column: v}", "quantile needs a share from 0 to 1"),
        ("{function: mean, column: v, share: 0.5}", "share belongs to approx_quantile and quantile; leave it out"),
        ("{function: mean, column: v, carry: linear}", "carry and max_carry belong to integral and time_weighted_mean"),
        ("mean(k)", "mean needs a number, 'k' is a string"),
        ("max(l)", "'l' is a list, which can only be counted"),
        ("collect(l)", "'l' is a list, which can only be counted"),
        ("time_of_min(l)", "'l' is a list, which can only be counted"),
        ("resets(k)", "resets needs a number, 'k' is a string"),
        ("collect", "collect needs a column, such as collect(temperature)"),
        ("list(v)", "'list' is not a function; did you mean collect?"),
        ("argmax(v)", "'argmax' is not a function; did you mean time_of_max?"),
        ("twa(v)", "'twa' is not a function; did you mean time_weighted_mean?"),
        ("{function: avg, column: v}", "'avg' is not a function; did you mean mean?"),
        ("{function: ohlc, column: v}", "ohlc is four columns; write each as its own"),
        ("{function: count, skip_nulls: false}", "count is never null; leave skip_nulls out"),
        ("mean(gone)", "'gone' is dropped"),
        ("mean(w)", "no column named 'w'"),
    ],
)
def test_an_aggregate_that_cannot_be_is_a_fault_with_a_remedy(aggregate: str, fault: str) -> None:
    [found] = faults(f"size: 1h, aggregates: {{a: {aggregate}}}")

    assert found.startswith((f"aggregates.a: {fault}", f"aggregates.a.function: {fault}"))


@pytest.mark.parametrize("function", sorted(NUMERIC_ONLY - WITH_SHARE))
def test_functions_of_numbers_take_every_number_and_nothing_else(function: str) -> None:
    for column in ("v", "n", "d"):
        assert faults(f"size: 1h, aggregates: {{a: {function}({column})}}") == []
    assert len(faults(f"size: 1h, aggregates: {{a: {function}(ts)}}")) == 1


def test_a_text_is_not_filled_with_a_number() -> None:
    [found] = faults("size: 1h, fill: linear, aggregates: {a: last(k), n: count(k), b: last(v)}")

    assert found == "aggregates.a: fill: linear needs numbers, and last(k) is a string; use null or previous"


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ("size: 1h, fill: zero, aggregates: {a: collect(v)}",
         "fill: zero needs numbers, and collect(v) is a list; use null or previous"),
        ("size: 1h, fill: linear, aggregates: {a: time_of_max(v)}",
         "fill: linear needs numbers, and time_of_max(v) is a timestamp; use null or previous"),
        ("size: 1h, fill: 0.5, aggregates: {a: min(k)}",
         "fill: 0.5 needs numbers, and min(k) is a string; use null or previous"),
        ("kind: sequence, step: 1m, length: 3, padding: zero, aggregates: {a: last(k)}",
         "padding: zero needs numbers, and last(k) is a string; use null"),
        ("size: 1h, fill: 1e300, aggregates: {a: count, b: sum(v)}",
         "fill: 1e+300 is no whole number of 64 bits, which count is; use one"),
        ("size: 1h, fill: 12345678, aggregates: {a: max(d), b: sum(d)}",
         "fill: 1.23457e+07 is no decimal(9,2), which max(d) is; use one"),
        ("kind: sequence, step: 1m, length: 3, padding: 0.125, aggregates: {a: sum(d), b: mean(d)}",
         "padding: 0.125 is no decimal(38,2), which sum(d) is; use one"),
    ],
)  # fmt: skip
def test_what_stands_for_the_missing_could_stand_in_the_output(settings: str, fault: str) -> None:
    assert faults(settings) == [f"aggregates.a: {fault}"]


@pytest.mark.parametrize("function", ["count", "n_unique", "approx_n_unique"])
@pytest.mark.parametrize("fill", ["zero", "linear", "0.5", "-3"])
def test_counts_of_texts_are_filled_like_numbers(function: str, fill: str) -> None:
    assert faults(f"size: 1h, fill: {fill}, aggregates: {{a: {function}(k)}}") == []


@pytest.mark.parametrize("fill", ["~", "previous"])
@pytest.mark.parametrize("function", ["collect(v)", "time_of_min(v)", "last(k)", "min(ts)"])
def test_everything_is_filled_with_null_and_with_what_was_before(function: str, fill: str) -> None:
    assert faults(f"size: 1h, fill: {fill}, aggregates: {{a: {function}}}") == []


def test_nothing_carried_has_no_limit() -> None:
    [found] = faults("size: 1h, aggregates: {a: {function: integral, column: v, carry: none, max_carry: 1h}}")

    assert found == "aggregates.a.max_carry: nothing is carried with carry: none; leave it out"


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ("size: 1h", "row_count"),
        ("size: 1h", "first_time"),
        ("kind: session, gap: 1h", "last_time"),
        ("kind: sequence, step: 1m, length: 3", "observed_steps"),
        ("kind: sequence, step: 1m, length: 3, test_from: 2026-01-01", "part"),
    ],
)
def test_an_output_is_not_called_like_a_column_of_windrows_own(settings: str, name: str) -> None:
    assert faults(f"{settings}, aggregates: {{{name}: count}}") == [
        f"aggregates.{name}: choose another name (a-z, 0-9, '_'; not a key, not one of Windrow's own)"
    ]


def test_a_name_that_only_other_kinds_of_windows_have_is_free() -> None:
    assert faults("size: 1h, aggregates: {part: count, observed_steps: count, v_mask: count, v: count}") == []
    assert faults("kind: sequence, step: 1m, length: 3, aggregates: {part: count}") == []


@pytest.mark.parametrize(
    ("settings", "companion"),
    [
        ("mask: true", "v_mask"),
        ("horizon: 1", "v_target"),
        ("horizon: 1, mask: true", "v_target_mask"),
    ],
)
def test_a_companion_of_a_sequence_needs_its_name(settings: str, companion: str) -> None:
    sequence = f"kind: sequence, step: 1m, length: 3, {settings}"
    [found] = faults(f"{sequence}, aggregates: {{v: mean(v), {companion}: count}}")
    of_keys = check(
        TEXT.replace("[k]", f"[{companion}]")
        .replace("k: string", f"k: string, {companion}: string")
        .replace("WINDOW", f"{sequence}, aggregates: {{v: mean(v)}}")
    )

    assert found == f"aggregates.{companion}: the companion of 'v' is called so; choose another name"
    assert [(fault.line, fault.path, fault.message) for fault in of_keys] == [
        (
            7,
            "windows.w.aggregates.v",
            f"its companion would be called {companion!r}, as a key is; choose another name",
        )
    ]


def test_a_fault_stands_where_its_setting_is_written() -> None:
    text = TEXT.replace("WINDOW", "size: 1h, fill: 0, fill_from: 2026-01-02, fill_to: 2026-01-01, aggregates: {}")
    [fault] = check(text)

    assert (fault.line, fault.path) == (7, "windows.w.fill_to")
    assert text.splitlines()[6][fault.column - 1 :].startswith("2026-01-01, aggregates")


def test_a_fault_of_one_setting_is_not_told_again_of_another() -> None:
    assert [fault.split(":")[0] for fault in faults("size: soon, fill: zero, max_gap: 9000000, aggregates: {}")] == [
        "size"
    ]
    assert [fault.split(":")[0] for fault in faults("size: 1h, fill: mean, fill_limit: 3, aggregates: {}")] == ["fill"]
    assert [
        fault.split(":")[0]
        for fault in faults("kind: sequence, step: 1m, length: 0, stride: 1, horizon: 99999, aggregates: {}")
    ] == ["length"]


# ------------------------------------------------------------------------------------------------ names from elsewhere


@pytest.mark.parametrize(
    ("settings", "path", "meant"),
    [
        ("kind: hop, size: 1h, slide: 1m", "kind", "sliding"),
        ("kind: sliding, size: 1h, hop: 1m", "hop", "slide"),
        ("kind: sliding, size: 1h, every: 1m", "every", "slide"),
        ("kind: sliding, period: 1h, slide: 1m", "period", "size"),
        ("kind: cumulative, size: 1h, every: 1m", "every", "step"),
        ("every: 1h", "every", "size"),
        ("size: 1h, origin: 5m", "origin", "offset"),
        ("size: 1w, week_start: sunday", "week_start", "offset"),
        ("size: 1h, inclusive: right", "inclusive", "closed"),
        ("size: 1h, tz: Asia/Tokyo", "tz", "timezone"),
        ("kind: session, timeout: 1h", "timeout", "gap"),
        ("kind: sequence, step: 1m, lookback: 3", "lookback", "length"),
    ],
)
def test_what_other_tools_call_it_is_understood(settings: str, path: str, meant: str) -> None:
    [found] = faults(f"{settings}, aggregates: {{}}")

    assert found.startswith(f"{path}: ")
    assert f"; did you mean {meant}?" in found


# ------------------------------------------------------------------------------------------------ times


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31",
        "2026-01-31T00:00:00",
        "2026-01-31 00:00:00Z",
        "2026-01-31T09:00:00+09:00",
        "2026-01-30T19:00-05:00",
    ],
)
def test_a_time_without_an_offset_is_in_utc_and_all_are_kept_in_utc(text: str) -> None:
    found = window(f"kind: sequence, step: 1m, length: 3, test_from: '{text}', aggregates: {{}}")

    assert isinstance(found, SequenceWindow)
    assert found.test_from is not None
    assert (found.test_from, found.test_from.tzinfo) == (datetime(2026, 1, 31, tzinfo=UTC), UTC)


def test_a_time_may_be_one_already() -> None:
    found = SequenceWindow(
        kind="sequence",
        step="1s",
        length=1,
        aggregates={},
        test_from=datetime(2026, 1, 31),
    )

    assert found.parts == (
        ("train", None, datetime(2026, 1, 31, tzinfo=UTC)),
        ("test", datetime(2026, 1, 31, tzinfo=UTC), None),
    )


@pytest.mark.parametrize(("span", "text"), [(Span(DAY_US, "us"), "24h"), (Span(1, "d"), "1d"), (Span(0, "us"), "0s")])
def test_a_length_is_not_shown_as_a_day_of_the_calendar(span: Span, text: str) -> None:
    assert str(span) == text
