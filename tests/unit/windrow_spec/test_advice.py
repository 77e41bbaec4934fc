"""What a spec may say, and is better known about."""

import pytest

from windrow import spec
from windrow.spec.advice import advice
from windrow.spec.document import check
from windrow.spec.windows import FROM_PARTS, FUNCTIONS

TEXT = """\
stream: s
time: {column: ts}
keys: [k]
columns: {ts: timestamp, k: string, v: float}
bucket: 1h
"""
_WHOLE = "where a window crosses buckets, all its rows are read again for a record"

_CUT = "where a session is cut depends on all rows since activity began, so they are read again for every record"
_SAME = "begin at the same times in every zone"


def advised(settings: str, bucket: str = "1h") -> list[str]:
    text = TEXT.replace("bucket: 1h", f"bucket: {bucket}") + f"windows: {{w: {{{settings}}}}}"
    return [str(fault).removeprefix("windows.w.") for fault in advice(spec.parse(text, "x"))]


@pytest.mark.parametrize(
    "settings",
    [
        "size: 1h, aggregates: {a: median(v), b: std(v)}",
        "size: 15m, offset: 5m, aggregates: {a: mean(v)}",
        "size: 1d, timezone: Asia/Tokyo, aggregates: {a: mean(v)}",
        "size: 100h, aggregates: {a: mean(v)}",
        "kind: sliding, size: 1h, slide: 5m, aggregates: {a: std(v), b: approx_n_unique(k)}",
        "kind: sliding, size: 10m, slide: 10m, aggregates: {a: median(v)}",
        "kind: cumulative, size: 1h, step: 5m, aggregates: {a: median(v)}",
        "kind: session, gap: 5m, aggregates: {a: mean(v), b: collect(v)}",
        "kind: sequence, step: 1m, length: 60, stride: 60, aggregates: {a: median(v)}",
        "kind: count, length: 5, stride: 9, aggregates: {a: median(v)}",
        "kind: pairwise, size: 3000h, aggregates: {a: median(v)}",
    ],
)
def test_there_is_nothing_to_say_of_what_is_as_good_as_it_can_be(settings: str) -> None:
    assert advised(settings) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("kind: sliding, size: 1h, slide: 2h, aggregates: {}",
         "slide: 2h is more than size (1h), so rows between two windows are in none; use at most that for all rows"),
        ("kind: sequence, step: 1m, length: 5, stride: 6, aggregates: {}",
         "stride: 6 is more than length (5), so rows between two windows are in none; use at most that for all rows"),
        ("kind: session, gap: 1h, max_duration: 8h, aggregates: {a: median(v)}",
         f"max_duration: {_CUT}; leave it out if sessions pause"),
        ("size: 48h, timezone: Asia/Tokyo, aggregates: {}",
         f"timezone: has no effect, as 48h {_SAME}; set size to 2d for days as they are in Asia/Tokyo"),
        ("size: 10m, timezone: Asia/Tokyo, aggregates: {}",
         f"timezone: has no effect, as 10m {_SAME}; leave it out"),
        ("size: 101h, aggregates: {}",
         "size: reaches over 101 buckets of 1h, which are read again for a record; set bucket to 2h or more"),
        ("size: 1y, aggregates: {}",
         "size: reaches over 8,784 buckets of 1h, which are read again for a record; set bucket to 4d or more"),
        ("size: 2h, fill: zero, max_gap: 200, aggregates: {}",
         "max_gap: reaches over 400 buckets of 1h, which are read again for a record; set bucket to 4h or more"),
        ("kind: session, gap: 300h, aggregates: {}",
         "gap: reaches over 300 buckets of 1h, which are read again for a record; set bucket to 3h or more"),
        ("kind: sequence, step: 1h, length: 120, horizon: 3, aggregates: {}",
         "length: reaches over 123 buckets of 1h, which are read again for a record; set bucket to 2h or more"),
        ("size: 1h, aggregates: {a: {function: integral, column: v, max_carry: 30d}}",
         "aggregates.a: reaches over 720 buckets of 1h, which are read again for a record; set bucket to 8h or more"),
        ("kind: sliding, size: 1h, slide: 5m, aggregates: {a: median(v), b: n_unique(k), c: mean(v)}",
         f"aggregates: median, n_unique: {_WHOLE}; use approx_quantile for median and approx_n_unique for n_unique"),
        ("size: 45m, aggregates: {a: median(v)}",
         f"aggregates: median: {_WHOLE}; use approx_quantile for median, or set bucket to a multiple of size"),
        ("kind: session, gap: 5m, aggregates: {a: n_unique(k)}",
         f"aggregates: n_unique: {_WHOLE}; use approx_n_unique for n_unique"),
        ("size: 90m, aggregates: {a: std(v), b: median(v)}",
         f"aggregates: median, std: {_WHOLE}; set bucket to a multiple of size"),
        ("size: 1h, offset: 5m, aggregates: {b: median(v)}",
         f"aggregates: median: {_WHOLE}; use approx_quantile for median"),
        ("size: 1h, closed: right, aggregates: {b: median(v)}",
         f"aggregates: median: {_WHOLE}; use approx_quantile for median"),
        ("kind: sequence, step: 1m, length: 60, stride: 30, aggregates: {b: median(v)}",
         f"aggregates: median: {_WHOLE}; use approx_quantile for median"),
    ],
)  # fmt: skip
def test_what_is_seldom_meant_or_costs_much_is_said_with_what_to_do(settings: str, said: str) -> None:
    assert advised(settings) == [said]


@pytest.mark.parametrize(
    ("settings", "bucket"),
    [
        ("size: 101h, aggregates: {}", "2h"),
        ("size: 1y, aggregates: {}", "4d"),
        ("size: 90m, aggregates: {a: std(v)}", "3h"),
    ],
)
def test_the_bucket_that_is_advised_is_a_good_one_and_silences_the_advice(settings: str, bucket: str) -> None:
    assert check(TEXT.replace("bucket: 1h", f"bucket: {bucket}") + f"windows: {{w: {{{settings}}}}}") == []
    assert advised(settings, bucket) == []


def test_what_comes_from_parts_and_what_does_not_are_all_functions() -> None:
    assert set(FROM_PARTS) < set(FUNCTIONS)
