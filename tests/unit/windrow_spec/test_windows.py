"""Window definitions: what can be said, and what cannot be."""

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
        ("size: 7h", "size: 7h does not divide the bucket (1d); set bucket to a multiple of it"),
        ("size: 2w3d", "size: '2w3d' is not a length of time; write it as 15m, 1h, 1d, 1w, 1mo, 1q or 1y"),
        ("size: 200y", "size: 200y is too long; a century is the most"),
        ("size: 1h, fill_limit: 3", "fill_limit: says how far fill goes; set fill as well, or leave it out"),
        ("size: 1h, fill: mean", "fill: 'mean' is not a way to fill; there are (null, zero, previous, linear"),
        ("size: 1h, timezone: Mars/Base", "timezone: 'Mars/Base' is not a time zone"),
        ("kind: sliding, size: 1h", "slide: is missing"),
        ("kind: sliding, size: 1h, slide: 0s", "slide: is no time at all; use 1us or more"),
        ("kind: sliding, size: 1h, slide: 2h",
         "slide: 2h is more than size (1h), so rows between two windows would be in none; make size at least as long"),
        ("kind: sliding, size: 800h, slide: 1mo",
         "slide: 1mo follows the calendar and size (33d8h) does not; use the same kind of length"),
        ("kind: session, gap: 0s", "gap: is no time at all; use 1us or more"),
        ("kind: session, gap: 1h, max_duration: 5m", "max_duration: 5m is less than gap (1h); make it longer"),
        ("kind: session, gap: 1h, fill: zero", "fill: there is no setting 'fill' here"),
        ("kind: cumulative, size: 1d, step: 7h", "size: 1d is not a whole number of steps (7h); make it a"),
        ("kind: sequence, length: 5", "step: is missing"),
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
        ("{function: mean, column: v, carry: linear}", "carry and max_carry belong to time_weighted_mean"),
        ("mean(k)", "mean needs a number, 'k' is a string"),
        ("max(l)", "'l' is a list, which can only be counted"),
        ("mean(gone)", "'gone' is dropped"),
        ("mean(w)", "no column named 'w'"),
    ],
)
def test_an_aggregate_that_cannot_be_is_a_fault_with_a_remedy(aggregate: str, fault: str) -> None:
    [found] = faults(f"size: 1h, aggregates: {{a: {aggregate}}}")

    assert found.startswith(f"aggregates.a: {fault}")


@pytest.mark.parametrize("function", sorted(NUMERIC_ONLY - WITH_SHARE))
def test_functions_of_numbers_take_every_number_and_nothing_else(function: str) -> None:
    for column in ("v", "n", "d"):
        assert faults(f"size: 1h, aggregates: {{a: {function}({column})}}") == []
    assert len(faults(f"size: 1h, aggregates: {{a: {function}(ts)}}")) == 1


def test_a_text_is_not_filled_with_a_number() -> None:
    [found] = faults("size: 1h, fill: linear, aggregates: {a: last(k), n: count(k), b: last(v)}")

    assert found == "aggregates.a: fill: linear needs numbers, and last(k) is a string; use null or previous"


def test_a_companion_of_a_sequence_needs_its_name() -> None:
    [found] = faults("kind: sequence, step: 1m, length: 3, mask: true, aggregates: {v: mean(v), v_mask: count}")

    assert found == "aggregates.v_mask: the companion of 'v' is called so; choose another name"
