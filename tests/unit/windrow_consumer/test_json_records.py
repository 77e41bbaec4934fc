"""Lines of JSON to raw columns: the columnar reader and the careful one see the same records."""

import json
import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.quarantine import Reject
from windrow.spec import StreamSpec
from windrow_consumer.checks import INDEX
from windrow_consumer.json_records import read_json_lines

COLUMNS = """
keys: [k]
columns: {ts: timestamp, k: string, b: bool, n: {type: int, source: N}, v: float, seen: timestamp}
"""
TEXT_TIMES = spec.parse(f"stream: s\ntime: {{column: ts}}\n{COLUMNS}", "x")
NUMBER_TIMES = spec.parse(f"stream: s\ntime: {{column: ts, formats: [epoch_us]}}\n{COLUMNS}", "x")
ANY_TIMES = spec.parse(f"stream: s\ntime: {{column: ts, formats: [iso8601, epoch_s]}}\n{COLUMNS}", "x")
BAD = b'{"ts":"2026-01-01","k":["no","text"]}'

whole = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
anything = (
    st.none()
    | st.booleans()
    | numbers
    | texts
    | st.lists(texts, max_size=2)
    | st.dictionaries(texts, texts, max_size=2)
)


def fitting(times: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Records whose values are of the kinds that the spec says, or missing, or null; and fields nobody asked for."""
    kinds = {"ts": times, "k": texts, "b": st.booleans(), "N": whole, "v": numbers, "seen": texts}
    record = st.fixed_dictionaries(
        {}, optional={**{name: st.none() | kind for name, kind in kinds.items()}, "more": anything, "n": anything}
    )
    return st.lists(record, min_size=1, max_size=6)


def body_of(records: list[dict[str, Any]], is_ascii: bool = True) -> bytes:
    return b"".join(json.dumps(record, ensure_ascii=is_ascii).encode() + b"\n" for record in records)


def read(body: bytes, parsed: StreamSpec) -> tuple[pl.DataFrame, list[Reject]]:
    return read_json_lines(body, range(body.count(b"\n")), parsed)


def expected(record: dict[str, Any]) -> dict[str, Any]:
    value = record.get("v")
    time = record.get("ts")
    return {
        "ts": f"{time:f}" if isinstance(time, float) else time if time is None else str(time),
        "k": record.get("k"),
        "b": record.get("b"),
        "n": record.get("N"),
        "v": None if value is None else float(value),
        "seen": record.get("seen"),
    }


CASES = [(TEXT_TIMES, texts), (NUMBER_TIMES, whole), (ANY_TIMES, texts | whole)]
every_spec = st.sampled_from(CASES).flatmap(lambda case: st.tuples(st.just(case[0]), fitting(case[1])))


@settings(max_examples=200)
@given(every_spec, st.booleans())
def test_values_of_the_right_kind_come_out_as_they_were_sent(
    case: tuple[StreamSpec, list[dict[str, Any]]], is_ascii: bool
) -> None:
    parsed, records = case
    frame, rejects = read(body_of(records, is_ascii), parsed)

    assert rejects == []
    assert frame.drop(INDEX).to_dicts() == [expected(record) for record in records]
    assert frame[INDEX].to_list() == list(range(len(records)))


@settings(max_examples=200)
@given(every_spec, st.integers(0, 6))
def test_one_bad_record_changes_nothing_about_the_others(
    case: tuple[StreamSpec, list[dict[str, Any]]], place: int
) -> None:
    """The first body is read in columns, the second record by record: the two roads must agree."""
    parsed, records = case
    place = min(place, len(records))
    good, _ = read(body_of(records), parsed)
    mixed, rejects = read(body_of(records[:place]) + BAD + b"\n" + body_of(records[place:]), parsed)

    assert [(reject.index, reject.field) for reject in rejects] == [(place, "k")]
    assert mixed.drop(INDEX).equals(good.drop(INDEX))
    assert mixed.schema == good.schema
    assert mixed[INDEX].to_list() == [index for index in range(len(records) + 1) if index != place]


def test_only_the_chunk_that_holds_a_bad_record_is_read_one_by_one_and_order_stays() -> None:
    lines = [b'{"ts":"2026-01-01","k":"%d","N":%d}' % (number, number) for number in range(10_000)]
    lines[5_000] = BAD
    frame, rejects = read(b"\n".join(lines) + b"\n", TEXT_TIMES)

    kept = [number for number in range(10_000) if number != 5_000]
    assert [reject.index for reject in rejects] == [5_000]
    assert (frame["n"].to_list(), frame[INDEX].to_list()) == (kept, kept)


def test_indexes_are_those_of_the_batch_where_lines_before_were_refused_already() -> None:
    for body in (b'{"k":"x"}\n{"k":"y"}\n', b'{"k":"x"}\n{"k":"y","b":1}\n'):
        frame, rejects = read_json_lines(body, [3, 7], TEXT_TIMES)
        assert sorted([*frame[INDEX], *(reject.index for reject in rejects)]) == [3, 7]


def test_no_line_is_no_row() -> None:
    frame, rejects = read_json_lines(b"", [], TEXT_TIMES)

    assert (frame.height, rejects) == (0, [])
    assert frame.schema == read(b'{"k":5}\n', TEXT_TIMES)[0].schema


WRONG = {
    '"k": 1': "column 'k' is a number, expected text: '1'",
    '"k": true': "column 'k' is a bool, expected text: 'True'",
    '"k": {}': "column 'k' is an object, expected text: '{}'",
    '"b": 1': "column 'b' is a number, expected a bool: '1'",
    '"b": "true"': "column 'b' is text, expected a bool: 'true'",
    '"N": 1.0': "column 'N' is a number, expected a whole number of 64 bits: '1.0'",
    '"N": 1e3': "column 'N' is a number, expected a whole number of 64 bits: '1000.0'",
    '"N": "1"': "column 'N' is text, expected a whole number of 64 bits: '1'",
    '"N": true': "column 'N' is a bool, expected a whole number of 64 bits: 'True'",
    '"N": 9223372036854775808': "column 'N' is a number, expected a whole number of 64 bits: '9223372036854775808'",
    '"N": -9223372036854775809': "column 'N' is a number, expected a whole number of 64 bits: '-9223372036854775809'",
    '"v": "1.5"': "column 'v' is text, expected a number: '1.5'",
    '"v": false': "column 'v' is a bool, expected a number: 'False'",
    '"v": [1]': "column 'v' is an array, expected a number: '[1]'",
    '"ts": 5': "column 'ts' is a number, expected a time written as iso8601: '5'",
    '"ts": true': "column 'ts' is a bool, expected a time written as iso8601: 'True'",
    '"seen": 5': "column 'seen' is a number, expected a time written as iso8601: '5'",
}


@pytest.mark.parametrize(("field", "message"), WRONG.items())
def test_a_value_of_another_kind_is_refused_with_what_was_expected(field: str, message: str) -> None:
    frame, rejects = read(f'{{"k": "good"}}\n{{{field}}}\n'.encode(), TEXT_TIMES)

    assert frame["k"].to_list() == ["good"]
    [reject] = rejects
    assert (reject.reason, reject.index, reject.message) == ("wrong_type", 1, message)
    assert reject.field == field.split('"')[1]


@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1, 0, -1])
def test_whole_numbers_reach_to_the_ends_of_64_bits(number: int) -> None:
    for more in (b"", BAD + b"\n"):
        frame, _ = read(b'{"N":%d}\n' % number + more, TEXT_TIMES)
        assert frame["n"].to_list() == [number]


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1.0), ("-0", -0.0), ("1e5", 1e5), ("1" * 30, float("1" * 30)), ("1e-999", 0.0)]
)
def test_any_number_is_a_float(text: str, value: float) -> None:
    for more in (b"", BAD + b"\n"):
        frame, _ = read(f'{{"v":{text}}}\n'.encode() + more, TEXT_TIMES)
        assert frame["v"].to_list() == [value]


def test_a_number_beyond_every_float_is_refused() -> None:
    for text in (b"1e999", b"-1e999"):
        frame, rejects = read(b'{"v":1}\n{"v":%s}\n' % text, TEXT_TIMES)
        assert (frame.height, [reject.index for reject in rejects]) == (1, [1])
    frame, _ = read(b'{"v":%s}\n' % (b"9" * 400) + BAD + b"\n", TEXT_TIMES)
    assert all(math.isinf(value) for value in frame["v"])  # what is not finite is refused by the checks


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1767225605.5", "1767225605.500000"),
        ("1767225605", "1767225605"),
        ('"1767225605"', "1767225605"),
        ("1e9", "1000000000.000000"),
    ],
)
def test_a_times_digits_are_kept(number: str, text: str) -> None:
    frame, rejects = read(f'{{"ts":{number}}}\n'.encode(), NUMBER_TIMES)

    assert (frame["ts"].to_list(), rejects) == ([text], [])


def test_of_a_name_given_twice_the_last_value_counts() -> None:
    assert read(b'{"k":"first","k":"last"}\n', TEXT_TIMES)[0]["k"].to_list() == ["last"]


def test_a_source_may_serve_two_columns() -> None:
    both = spec.parse(
        "stream: s\ntime: {column: ts}\ncolumns: {ts: timestamp, raw: {type: string, source: ts}, n: int}", "x"
    )
    for more in (b"", b'{"n":"bad"}\n'):
        frame, _ = read(b'{"ts":"2026-01-01"}\n' + more, both)
        assert frame.select("ts", "raw").rows() == [("2026-01-01", "2026-01-01")]


@settings(max_examples=200)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["ts", "k", "b", "N", "v", "seen", "z"]), anything), min_size=1, max_size=5
    )
)
def test_any_object_is_a_row_or_a_reject(records: list[dict[str, Any]]) -> None:
    for parsed, _ in CASES:
        frame, rejects = read(body_of(records), parsed)
        assert sorted([*frame[INDEX], *(reject.index for reject in rejects)]) == list(range(len(records)))
        for row in frame.to_dicts():
            assert {name: value for name, value in row.items() if name != INDEX} == expected(records[row[INDEX]])
