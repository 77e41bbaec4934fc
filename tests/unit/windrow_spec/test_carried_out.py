"""What a stream does not do: said plainly, with the reason and the remedy."""

import pytest

from windrow import spec
from windrow.spec.carried_out import not_carried_out
from windrow.spec.document import placed
from windrow.spec.windows import FUNCTIONS, WITH_CARRY, WITH_SHARE

TEXT = """\
stream: s
time: {column: ts}
keys: [k]
columns: {ts: timestamp, k: string, v: float}
"""
_DISTANCE = "in a stream, a record could change windows at any distance"


def window(settings: str) -> str:
    return TEXT + f"windows: {{w: {{{settings}}}}}"


def left_out(text: str) -> list[str]:
    return [str(fault) for fault in not_carried_out(spec.parse(text, "x"))]


def _written(function: str) -> str:
    share = ", share: 0.5" if function in WITH_SHARE else ""
    carry = ", max_carry: 1h" if function in WITH_CARRY else ""
    return f"{function}: {{function: {function}, column: v{share}{carry}}}"


@pytest.mark.parametrize(
    "settings",
    [
        "size: 1h",
        "size: 7h, offset: -20m, closed: right, late: divert",
        "size: 1mo, timezone: Asia/Tokyo",
        "kind: sliding, size: 1h, slide: 7m",
        "kind: sliding, size: 1h, slide: 3h",
        "kind: session, gap: 5m, max_duration: 2h",
        "kind: cumulative, size: 1d, step: 1h, timezone: Europe/Berlin",
        "kind: sequence, step: 1m, length: 5, horizon: 2, mask: true, test_from: 2026-01-01",
    ],
)
def test_a_stream_does_every_kind_with_every_function(settings: str) -> None:
    aggregates = ", ".join(_written(function) for function in FUNCTIONS)

    assert left_out(window(f"{settings}, aggregates: {{{aggregates}}}")) == []


@pytest.mark.parametrize(
    "settings",
    [
        "size: 1h, fill: previous, max_gap: 24, fill_limit: 3",
        "kind: sliding, size: 1h, slide: 5m, fill: ~, max_gap: 24",
        "kind: cumulative, size: 1h, step: 5m, fill: zero, max_gap: 1",
        "kind: sequence, step: 1m, length: 5, fill: linear, fill_limit: 3, max_gap: 24",
        "kind: sequence, step: 1m, length: 5",
        "kind: sequence, step: 1m, length: 5, fill_limit: 3",
        "kind: sequence, step: 1m, length: 5, fill: zero, padding: zero",
        "kind: sequence, step: 1m, length: 5, fill: 0, padding: zero",
        "kind: sequence, step: 1m, length: 5, fill: 1.5, padding: 1.5",
    ],
)
def test_a_stream_fills_what_has_an_end(settings: str) -> None:
    assert left_out(window(f"{settings}, aggregates: {{m: mean(v)}}")) == []


def test_a_stream_carries_values_that_are_not_carried_far() -> None:
    nowhere = "{function: integral, column: v, carry: none}"

    assert left_out(window(f"size: 1h, aggregates: {{a: {nowhere}, b: mean(v)}}")) == []


def test_a_stream_does_what_its_sinks_and_its_retention_say() -> None:
    sinks = "sinks: [{kind: dynamodb, table: latest}, {kind: parquet, prefix: exports/s/}]"

    assert left_out(f"{TEXT}retention: 400d\n{sinks}") == []


@pytest.mark.parametrize(
    ("settings", "path", "reason", "remedy"),
    [
        ("kind: count, length: 5", "kind", "a late record would move the bounds of all", "use `windrow window`"),
        ("kind: pairwise, size: 5m", "kind", "every record would be a window",
         "use `windrow window`, or kind: sliding"),
        ("size: 1h, fill: zero", "fill", _DISTANCE, "set max_gap"),
        ("size: 1h, fill: ~, fill_limit: 3", "fill", _DISTANCE, "set max_gap"),
        ("kind: sliding, size: 1h, slide: 5m, fill: linear", "fill", _DISTANCE, "set max_gap"),
        ("size: 1h, fill: zero, max_gap: 3, fill_from: 2026-01-01", "fill_from", "every new key", "leave it out"),
        ("size: 1h, fill: zero, max_gap: 3, fill_to: 2026-01-01", "fill_to", "every new key", "leave it out"),
        ("kind: sequence, step: 1m, length: 5, fill: previous", "fill",
         "a gap is filled with previous and silence with null", "set max_gap, or make both the same"),
        ("kind: sequence, step: 1m, length: 5, padding: zero", "fill", _DISTANCE, "set max_gap"),
        ("kind: sequence, step: 1m, length: 5, fill: 1, padding: 2.5", "fill", "filled with 1 and silence with 2.5",
         "set max_gap"),
        ("kind: sequence, step: 1m, length: 5, fill: 1, padding: 1, fill_limit: 2", "fill", _DISTANCE, "set max_gap"),
    ],
)  # fmt: skip
def test_what_a_stream_cannot_do_is_said_with_a_reason_and_a_remedy(
    settings: str, path: str, reason: str, remedy: str
) -> None:
    [fault] = left_out(window(f"{settings}, aggregates: {{}}"))

    assert fault.startswith(f"windows.w.{path}: ")
    assert reason in fault
    assert remedy in fault


@pytest.mark.parametrize("kind", ["size: 1h", "kind: session, gap: 5m", "kind: sequence, step: 1m, length: 5"])
@pytest.mark.parametrize("function", sorted(WITH_CARRY))
def test_a_value_that_is_carried_for_any_time_is_not_for_a_stream(kind: str, function: str) -> None:
    [fault] = left_out(window(f"{kind}, aggregates: {{n: count, a: {function}(v)}}"))

    assert fault == (
        f"windows.w.aggregates.a: a value is carried for any time: {_DISTANCE}; "
        f"set max_carry, such as {{function: {function}, column: v, max_carry: 1h}}, or carry: none"
    )


def test_the_remedy_that_is_shown_is_one() -> None:
    [fault] = left_out(window("size: 1h, aggregates: {a: integral(v)}"))
    shown = fault[fault.index("{") : fault.index("}") + 1]

    assert left_out(window(f"size: 1h, aggregates: {{a: {shown}}}")) == []


def test_each_stands_where_it_is_written() -> None:
    text = window("size: 1h, fill: zero, aggregates: {n: count, t: time_weighted_mean(v)}")
    found = placed(text, not_carried_out(spec.parse(text, "x")))

    assert [(fault.line, fault.path) for fault in found] == [(5, "windows.w.fill"), (5, "windows.w.aggregates.t")]
    assert [text.splitlines()[4][fault.column - 1 :][:4] for fault in found] == ["zero", "time"]
