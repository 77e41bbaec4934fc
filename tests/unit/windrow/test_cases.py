"""A case says what is to come out: it holds exactly when that comes, and what it does not say is not checked."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pipeline import SENSORS, parsed
from windrow.cases import judge, parse_cases
from windrow.errors import BadSettings

SPEC = parsed(SENSORS + "filter: temperature < 100\n")
INPUT = [
    {"ts": "2026-01-01T00:00:10Z", "sensor": "a", "temperature": 21},
    {"ts": "2026-01-01T00:00:20Z", "sensor": "a", "temperature": 1000},
    {"ts": "2026-01-01T00:01:00Z", "sensor": "b", "temperature": "warm"},
]


def _differences(body: bytes | None = None, **said: Any) -> tuple[str, ...]:
    [case] = parse_cases(json.dumps({"cases": [{"name": "a case", **said}]}), "c.yaml")
    return judge(case, SPEC, body).differences


@pytest.mark.parametrize(
    "said",
    [
        {"records": [{"sensor": "a"}]},
        {"records": [{"temperature": 21, "humidity": None, "ts": "2026-01-01T01:00:10+01:00"}]},
        {"records": [{"temperature": 21.000000000001, "event_date": "2026-01-01"}]},
        {"records": [{}]},
        {"rejects": [{"reason": "wrong_type", "index": 2, "line": 3, "field": "temperature", "value": "warm"}]},
        {"windows": [{"sensor": "a", "window_start": "2026-01-01 00:00:00", "row_count": 1}]},
        {"record_count": 1, "reject_count": 1, "filtered": 1, "status": 202},
    ],
)
def test_a_case_holds_when_what_it_says_comes_out(said: dict[str, Any]) -> None:
    assert _differences(input="\n".join(map(json.dumps, INPUT)), format="ndjson", **said) == ()


@pytest.mark.parametrize(
    ("said", "difference"),
    [
        ({"records": []}, "records: expected 0, got 1"),
        ({"records": [{}, {}]}, "records: expected 2, got 1"),
        ({"records": [{"sensor": "b"}]}, "records[0].sensor: expected 'b', got 'a'"),
        ({"records": [{"temperature": 21.1}]}, "records[0].temperature: expected 21.1, got 21.0"),
        ({"records": [{"temperature": "21"}]}, "records[0].temperature: expected '21', got 21.0"),
        ({"records": [{"temperature": True}]}, "records[0].temperature: expected True, got 21.0"),
        ({"records": [{"temperature": None}]}, "records[0].temperature: expected None, got 21.0"),
        ({"records": [{"humidity": 0}]}, "records[0].humidity: expected 0, got None"),
        ({"records": [{"wind": 1}]}, "records[0] has no 'wind'"),
        ({"records": [{"ts": "2026-01-01T00:00:11Z"}]}, "records[0].ts: expected '2026-01-01T00:00:11Z'"),
        ({"rejects": [{"reason": "bad_time"}]}, "rejects[0].reason: expected 'bad_time', got 'wrong_type'"),
        ({"windows": [{"row_count": 2}]}, "windows[0].row_count: expected 2, got 1"),
        ({"filtered": 0}, "filtered rows: expected 0, got 1"),
        ({"record_count": 2}, "records: expected 2, got 1"),
        ({"reject_count": 0}, "rejects: expected 0, got 1"),
        ({"status": 422}, "status: expected 422, got 202"),
    ],
)
def test_a_case_does_not_hold_when_something_else_comes_out(said: dict[str, Any], difference: str) -> None:
    found = _differences(input=INPUT, **said)

    assert len(found) == 1
    assert found[0].startswith(difference)


@given(
    said=st.fixed_dictionaries(
        {},
        optional={
            "record_count": st.integers(0, 2),
            "reject_count": st.integers(0, 2),
            "filtered": st.integers(0, 2),
            "status": st.sampled_from([202, 400]),
        },
    ).filter(bool)
)
def test_every_count_is_checked_by_itself(said: dict[str, int]) -> None:
    right = {"record_count": 1, "reject_count": 1, "filtered": 1, "status": 202}
    wrong = sum(right[name] != value for name, value in said.items())

    assert len(_differences(input=INPUT, **said)) == wrong


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("ts,sensor,temperature\n2026-01-01T00:00:10Z,a,21\n", 1),
        ('{"ts": "2026-01-01T00:00:10Z", "sensor": "a", "temperature": 21}\n' * 2, 2),
        ('[{"ts": "2026-01-01T00:00:10Z", "sensor": "a", "temperature": 21}]', 1),
    ],
)
def test_a_text_is_taken_for_what_it_looks_like(text: str, count: int) -> None:
    assert _differences(input=text, record_count=count) == ()


def test_what_yaml_takes_for_a_time_is_sent_as_text() -> None:
    text = "cases: [{name: a, input: {ts: 2026-01-01T00:00:10Z, sensor: a, temperature: 21}, record_count: 1}]"
    [case] = parse_cases(text, "c.yaml")

    assert judge(case, SPEC, None).differences == ()


def test_nothing_lies_in_the_future_unless_the_case_says_when_it_was_received() -> None:
    late = {"ts": "2090-01-01T00:00:00Z", "sensor": "a", "temperature": 21}

    assert _differences(input=late, record_count=1) == ()
    assert _differences(input=late, received="2026-01-01", rejects=[{"reason": "time_in_future"}]) == ()


def test_a_file_is_read_by_its_name_and_a_format_overrules_that() -> None:
    csv = b"ts\tsensor\ttemperature\n2026-01-01T00:00:10Z\ta\t21\n"

    assert _differences(csv, file="a.tsv", record_count=1) == ()
    assert _differences(csv, file="a.csv", format="tsv", record_count=1) == ()
    assert _differences(csv, file="a.csv", status=400) == ()


def test_every_fault_of_a_file_of_cases_is_told_with_its_place() -> None:
    text = "cases:\n- {name: a}\n- {name: b, input: {}, records: [], recrods: []}\n"
    with pytest.raises(BadSettings) as caught:
        parse_cases(text, "c.yaml")

    assert [fault.split(":")[0] for fault in caught.value.faults] == ["cases.0", "cases.1.recrods"]
