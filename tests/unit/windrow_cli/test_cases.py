"""`windrow test`: the cases beside specs, as a person runs them."""

import json
from pathlib import Path

import pytest

from tests.support.pipeline import SENSORS
from tests.unit.windrow_cli.conftest import Windrow

HOLDS = """
cases:
  - name: a reading becomes a record
    input: {ts: "2026-01-01T00:00:00Z", sensor: a, temperature: 21}
    records: [{sensor: a, temperature: 21.0}]
"""
FAILS = HOLDS.replace("temperature: 21.0", "temperature: 22.0").replace(
    "a reading becomes a record", "'[red]a reading'"
)


@pytest.fixture(autouse=True)
def _spec(windrow: Windrow) -> None:
    Path("specs").mkdir()
    Path("specs/sensors.yaml").write_text(SENSORS)


def _cases(text: str) -> None:
    Path("specs/sensors.cases.yaml").write_text(text)


def test_cases_that_hold_are_listed_and_end_with_zero(windrow: Windrow) -> None:
    _cases(HOLDS)
    for place in ("specs", "specs/sensors.yaml"):
        ran = windrow("test", place)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out == "holds  sensors: a reading becomes a record\n1 of 1 case holds\n"


def test_a_case_that_does_not_hold_says_what_came_instead_and_ends_with_one(windrow: Windrow) -> None:
    _cases(FAILS + HOLDS.removeprefix("\ncases:\n"))
    ran = windrow("test", "specs")

    assert ran.code == 1
    assert ran.out == (
        "fails  sensors: [red]a reading\n"
        "         records[0].temperature: expected 22.0, got 21.0\n"
        "holds  sensors: a reading becomes a record\n"
        "1 of 2 cases hold\n"
    )


def test_json_lists_every_case_with_its_differences(windrow: Windrow) -> None:
    _cases(FAILS)
    ran = windrow("test", "specs", "--json")

    [found] = json.loads(ran.out)
    assert (ran.code, found["ok"], found["spec"]) == (1, False, "specs/sensors.yaml")
    assert found["differences"] == ["records[0].temperature: expected 22.0, got 21.0"]


def test_without_a_place_the_cases_of_this_folder_run(windrow: Windrow) -> None:
    _cases(HOLDS)
    assert windrow("test").code == 2
    Path("specs").rename("config")
    assert windrow("test").code == 0


def test_a_payload_may_lie_in_a_file_beside_the_cases(windrow: Windrow) -> None:
    Path("specs/r.ndjson").write_text('{"ts": "2026-01-01T00:00:00Z", "sensor": "a", "temperature": 1}\n?\n')
    _cases("cases:\n- {name: a file, file: r.ndjson, record_count: 1, reject_count: 1, status: 202}\n")
    assert windrow("test", "specs").code == 0

    _cases("cases:\n- {name: a file, file: gone.ndjson, record_count: 1}\n")
    ran = windrow("test", "specs")
    assert (ran.code, "gone.ndjson: cannot be read: No such file" in ran.out) == (1, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there are no cases: put them beside a spec, as NAME.cases.yaml"),
        ("", "specs/sensors.cases.yaml"),
        ("cases: []", "there is no case in it"),
        ("cases: [", "not YAML"),
        ("cases: [{name: a, input: {}, recrods: []}]", "recrods"),
        ("cases: [{name: a, records: []}]", "give either input or file"),
        ("cases: [{name: a, input: {}}]", "say what is to come out"),
        ("cases: [{name: a, input: {}, records: [], format: xlsx}]", "'xlsx' is not a format"),
        ("\xff", "specs/sensors.cases.yaml"),
    ],
)
def test_cases_that_are_none_are_wrong_usage(windrow: Windrow, text: str | None, message: str) -> None:
    if text is not None:
        Path("specs/sensors.cases.yaml").write_bytes(text.encode("latin-1"))
    ran = windrow("test", "specs")

    assert ran.code == 2
    assert message in ran.err
    assert "unexpected" not in ran.err
