"""`windrow explain`, as a person runs it."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pipeline import SENSORS
from tests.unit.windrow_cli.conftest import Windrow

CSV = b"ts,sensor,temperature\n2026-01-01T00:00:01Z,a,1\n2026-01-01T00:00:02Z,b,[bold]warm\n"


@pytest.fixture(autouse=True)
def _spec(windrow: Windrow) -> None:
    Path("sensors.yaml").write_text(SENSORS)


def test_json_holds_exactly_what_a_program_was_promised(windrow: Windrow) -> None:
    Path("r.csv").write_bytes(CSV)
    ran = windrow("explain", "sensors.yaml", "r.csv", "--json")

    found = json.loads(ran.out)
    assert (ran.code, ran.err) == (1, "")  # a record is refused
    assert list(found) == ["records", "rejects", "windows", "filtered", "unknown_fields", "response"]
    assert list(found["response"]) == ["status", "headers", "body"]
    [reject] = found["rejects"]
    place = {name: reject[name] for name in ("index", "line", "reason", "field", "value")}
    assert place == {"index": 1, "line": 3, "reason": "wrong_type", "field": "temperature", "value": "[bold]warm"}
    assert [record["temperature"] for record in found["records"]] == [1.0]


def test_people_see_records_rejects_windows_and_the_answer(windrow: Windrow) -> None:
    Path("r.csv").write_bytes(CSV)
    ran = windrow("explain", "sensors.yaml", "r.csv")

    assert ran.out.startswith("2 records: 1 row for sensors.records, 1 to quarantine\n")
    assert "column 'temperature' is not a float: '[bold]warm'" in ran.out
    assert "windows_every_minute" in ran.out
    assert ran.out.rstrip().endswith("HTTP 202 to the sender")


def test_all_good_records_end_with_zero(windrow: Windrow) -> None:
    Path("r.csv.gz").write_bytes(gzip.compress(CSV[: CSV.rindex(b"2026")]))
    assert windrow("explain", "sensors.yaml", "r.csv.gz").code == 0


def test_only_so_many_rows_are_shown_and_json_has_all(windrow: Windrow) -> None:
    Path("r.csv").write_bytes(CSV[: CSV.rindex(b"2026")] + b"2026-01-01T00:00:01Z,c,2\n" * 30)
    ran = windrow("explain", "sensors.yaml", "r.csv", "-n", "2")

    assert "… and 29 more records (--rows 31, or --json)" in ran.out
    assert len(json.loads(windrow("explain", "sensors.yaml", "r.csv", "-n", "2", "--json").out)["records"]) == 31


def test_a_payload_on_standard_input_says_its_format(windrow: Windrow) -> None:
    command = [sys.executable, "-m", "windrow_cli.main", "explain", "sensors.yaml", "-", "--json"]
    ran = subprocess.run([*command, "--format", "csv"], input=CSV, capture_output=True, timeout=60, check=False)
    assert (ran.returncode, len(json.loads(ran.stdout)["rejects"])) == (1, 1)

    ran = subprocess.run(command, input=CSV, capture_output=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert b"its name does not say what it holds" in ran.stderr
    assert b"--format" in ran.stderr


def test_the_time_of_receipt_can_be_set(windrow: Windrow) -> None:
    Path("r.json").write_text('{"ts": "2026-01-01T00:00:01Z", "sensor": "a", "temperature": 1}')
    early = windrow("explain", "sensors.yaml", "r.json", "--received", "2025-12-31T00:00:00", "--json")

    assert [reject["reason"] for reject in json.loads(early.out)["rejects"]] == ["time_in_future"]
    wrong = windrow("explain", "sensors.yaml", "r.json", "--received", "soon")
    assert (wrong.code, "--received 'soon' is not a time" in wrong.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.yaml", "r.csv"], "nothing.yaml: 1 fault\n  - cannot be read"),
        (["sensors.yaml", "nothing.csv"], "nothing.csv: cannot be read"),
        (["bad.yaml", "r.csv"], "stream"),
    ],
)
def test_what_is_not_there_or_no_spec_is_said_in_one_sentence(
    windrow: Windrow, arguments: list[str], message: str
) -> None:
    Path("r.csv").write_bytes(CSV)
    Path("bad.yaml").write_text("steam: sensors\n")
    ran = windrow("explain", *arguments)

    assert ran.code == 2
    assert message in ran.err
    assert "unexpected" not in ran.err


def test_a_payload_that_cannot_be_read_at_all_is_explained_too(windrow: Windrow) -> None:
    Path("r.parquet").write_bytes(b"PAR1")
    ran = windrow("explain", "sensors.yaml", "r.parquet", "--json")

    found = json.loads(ran.out)
    assert (ran.code, found["records"], found["response"]["status"]) == (1, [], 400)
    assert [reject["reason"] for reject in found["rejects"]] == ["unreadable_object"]


def test_what_a_terminal_would_obey_is_shown_and_not_obeyed(windrow: Windrow) -> None:
    Path("r.ndjson").write_text('{"ts": "\\u001b[2J", "sensor": "a", "temperature": 1, "new\\u001b": 2}\n')
    ran = windrow("explain", "sensors.yaml", "r.ndjson")

    assert "\x1b[2J" not in ran.out
    assert "\\x1b[2J" in ran.out
    assert "\x1b" not in ran.out
