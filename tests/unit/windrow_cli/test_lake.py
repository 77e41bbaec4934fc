"""`windrow lake`: tables, versions, files, sizes and days."""

import json
from pathlib import Path

import polars as pl
import pytest

from tests.support.emulators import Deploy
from tests.support.pipeline import SENSORS
from tests.unit.windrow_cli.conftest import Windrow
from tests.unit.windrow_cli.standing import NOW, Standing, day_rows
from windrow import catalog
from windrow.lake import tables
from windrow_cli.lake import size


@pytest.fixture
def standing(tmp_path: Path) -> Standing:
    """sensors.records of two days, in four versions; my-stream.records of one."""
    made = Standing(tmp_path / ".windrow")
    made.append("records", day_rows(0, 1.0))
    made.append("records", day_rows(1, 2.0))
    made.replace("records", 0, day_rows(0, 3.0, count=1))
    made.append("records", day_rows(5, 9.0), stream="my-stream")
    made.date_versions("records", {0: 5, 1: 4, 2: 3, 3: 1})
    return made


def _shown(windrow: Windrow, *arguments: str) -> object:
    ran = windrow("lake", *arguments, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_every_table_is_listed_with_what_is_in_it(windrow: Windrow, standing: Standing) -> None:
    first, second = _shown(windrow)  # type: ignore[misc]
    one_hour_ago = (NOW.timestamp() - 3600) * 1e6

    assert (first["table"], first["rows"], first["files"], first["days"]) == ('"my-stream".records', 2, 1, 1)
    assert (second["table"], second["version"], second["rows"], second["days"]) == ("sensors.records", 3, 3, 2)
    assert second["size_bytes"] == sum(path.stat().st_size for path in _live(standing))
    assert second["last_commit"] == NOW.fromtimestamp(one_hour_ago / 1e6, NOW.tzinfo).isoformat().replace("+00:00", "Z")
    assert "sensors.records" in windrow("lake").out


def _live(standing: Standing) -> list[Path]:
    paths = standing.delta("records").get_add_actions(flatten=True)["path"].to_pylist()
    return [standing.folder("records") / path for path in paths]


def test_a_stream_is_its_tables(windrow: Windrow, standing: Standing) -> None:
    assert [each["table"] for each in _shown(windrow, "my-stream")] == ['"my-stream".records']  # type: ignore[attr-defined]


def test_a_table_tells_its_versions_sizes_and_days(windrow: Windrow, standing: Standing) -> None:
    found = _shown(windrow, "sensors.records")
    assert isinstance(found, dict)
    versions = [(each["version"], each["operation"], each["files"], each["rows"]) for each in found["versions"]]

    assert versions == [(3, "WRITE", 2, 3), (2, "WRITE", 2, 4), (1, "WRITE", 1, 2), (0, "CREATE TABLE", 0, 0)]
    assert (found["versions"][0]["files_added"], found["versions"][0]["files_removed"]) == (1, 1)
    assert found["file_sizes"]["under 1 MB"] == 2
    assert [(day["event_date"], day["files"], day["rows"]) for day in found["partitions"]] == [
        ("2026-01-01", 1, 1),
        ("2026-01-02", 1, 2),
    ]
    assert [each["version"] for each in _shown(windrow, "sensors.records", "--limit", "2")["versions"]] == [3, 2]  # type: ignore[index]
    shown = windrow("lake", "sensors.records").out
    assert all(part in shown for part in ("WRITE", "size of files", "event_date", "2026-01-02"))


def test_versions_are_told_from_a_checkpoint_on(windrow: Windrow, standing: Standing) -> None:
    standing.delta("records").create_checkpoint()
    for version in range(3):
        (standing.folder("records") / "_delta_log" / f"{version:020d}.json").unlink()
    standing.append("records", day_rows(2, 1.0))
    found = _shown(windrow, "sensors.records")
    assert isinstance(found, dict)

    assert [(each["version"], each["rows"]) for each in found["versions"]] == [(4, 5)]


@pytest.mark.parametrize("name", ["sensors.nope", "nope"])
def test_a_table_that_is_not_there_lists_those_that_are(windrow: Windrow, standing: Standing, name: str) -> None:
    ran = windrow("lake", name)

    assert (ran.code, f"called {name}" in ran.err or f"no table {name}" in ran.err) == (1, True)
    assert 'tables: "my-stream".records, sensors.records' in ran.err


def test_what_verifies_ends_with_0_and_what_does_not_with_1(windrow: Windrow, standing: Standing) -> None:
    whole = windrow("lake", "--verify")
    assert (whole.code, "All of it verifies" in whole.out) == (0, True), whole.out
    assert "nothing is running" in whole.out

    damaged = _live(standing)[0]
    damaged.unlink()
    ran = windrow("lake", "--verify")
    assert ran.code == 1
    assert f"sensors.records: {damaged.relative_to(standing.folder('records'))} is not there; restore it" in ran.out
    found = json.loads(windrow("lake", "sensors", "--verify", "--json").out)
    assert (found["is_whole"], len(found["faults"]), len(found["tables"])) == (False, 1, 1)


def test_no_tables_are_said_to_be_none(windrow: Windrow, tmp_path: Path) -> None:
    Standing(tmp_path / ".windrow")

    assert "There are no tables yet" in windrow("lake").out
    assert windrow("lake", "--verify").code == 0


def test_sizes_are_written_for_people() -> None:
    assert [size(of) for of in (0, 999, 1_000, 1_234_567, 2_500_000_000, 3e12)] == [
        *("0 B", "999 B", "1.0 kB", "1.2 MB", "2.5 GB", "3.0 TB")
    ]


def test_the_tables_of_a_deployment_are_listed_verified_and_read_as_they_were(
    windrow: Windrow, moto: str, deploy: Deploy
) -> None:
    session = deploy(moto)
    catalog.publish(session.store(), SENSORS, "sensors.yaml")
    landed = session.queue("landed")  # a bucket that is told to announce its objects announces that first
    landed.delete([delivery.receipt for delivery in landed.receive(10, 0, 30)])
    rows = day_rows(0, 1.0).with_columns(_batch=pl.lit("b"), _ordinal=pl.int_range(pl.len()))
    lake = session.lake()
    lake.open_or_create("sensors", "records", rows.schema).append(rows, {tables.DECODED: 2})
    environment = {"AWS_ENDPOINT_URL": moto, "WINDROW_PREFIX": session.prefix, "AWS_REGION": session.region}

    [listed] = json.loads(windrow("lake", "--json", environment=environment).out)
    assert (listed["table"], listed["version"], listed["rows"]) == ("sensors.records", 1, 2)
    ran = windrow("lake", "--verify", "--json", environment=environment)
    assert (ran.code, json.loads(ran.out)["faults"], json.loads(ran.out)["not_compared"]) == (0, [], []), ran.err
    sql = ("query", "from sensors.records", "--json", "--version")
    assert [len(json.loads(windrow(*sql, at, environment=environment).out)) for at in "01"] == [0, 2]

    lake.open_or_create("sensors", "records", rows.schema).append(rows, {})
    ran = windrow("lake", "sensors.records", "--verify", environment=environment)
    assert ran.code == 1
    assert "sensors.records has -2 records of which nobody knows what became" in ran.out
