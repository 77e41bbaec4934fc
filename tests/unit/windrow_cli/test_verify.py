"""`windrow lake --verify`: what the services leave verifies, and each kind of damage is found and said."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import reading
from windrow import keys
from windrow.lake.tables import Place, batch_mark
from windrow.ports import ObjectStore, Queue
from windrow_cli.tables import FolderLake
from windrow_cli.verification import Fault
from windrow_cli.verify import check

_SPEC = (
    SENSORS
    + "  sliding: {kind: sliding, size: 10m, slide: 5m, aggregates: {n: count}}\n"
    + "  hour_so_far: {kind: cumulative, size: 1h, step: 15m, aggregates: {n: count}}\n"
    + "  visits: {kind: session, gap: 2m, aggregates: {n: count}}\n"
    + "  right: {size: 1m, closed: right, aggregates: {n: count}}\n"
)


@dataclass
class Running:
    """A deployment whose stores and queues are those of a pipeline."""

    flow: Pipeline

    def session(self) -> "Running":
        return self

    def store(self) -> ObjectStore:
        return self.flow.store

    def queue(self, name: str) -> Queue:
        return self.flow.queues[name]


class Lake(FolderLake):
    def __init__(self, flow: Pipeline, *, is_running: bool = True) -> None:
        super().__init__(flow.folder)
        self.deployment = Running(flow) if is_running else None  # type: ignore[assignment]


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Two hours of two sensors, in several batches with repeats and a late record, all sealed."""
    flow = Pipeline(tmp_path_factory.mktemp("lake"), now_us=1_767_225_600_000_000 + 8 * 3_600_000_000)
    flow.publish(_SPEC)
    records = [reading(45 * number, sensor) for number in range(160) for sensor in ("a", "b")]
    for part in (records[::2], records[1::2], records[:40]):
        flow.post(part)
        flow.run_until_quiet()
    flow.settle()
    flow.post([reading(61, "a"), reading(20_000, "c")])
    flow.settle()
    return flow


@pytest.fixture
def flow(settled: Pipeline, tmp_path: Path) -> Pipeline:
    """The same, to be damaged: the tables in a folder of its own."""
    folder = tmp_path / "lake"
    shutil.copytree(settled.folder, folder)
    copy = Pipeline(folder)
    copy.store, copy.queues = settled.store, settled.queues
    return copy


def faults_of(flow: Pipeline, *, is_running: bool = True) -> tuple[list[Fault], list[str]]:
    lake = Lake(flow, is_running=is_running)
    faults: list[Fault] = []
    notes: list[str] = []
    for tables, stream in check(lake, lake.all_names(), lambda _what, _done, _more: None):
        faults += [fault for each in tables for fault in each.faults] + list(stream.faults)
        notes += stream.notes
    return faults, notes


def only(flow: Pipeline) -> str:
    [fault], _ = faults_of(flow)
    return str(fault)


def records_files(flow: Pipeline) -> list[Path]:
    table = flow.lake.delta("sensors", "records")
    assert table is not None
    folder = flow.folder / "lake" / "sensors" / "records"
    return sorted(folder / path for path in table.get_add_actions(flatten=True)["path"].to_pylist())


def _log(flow: Pipeline, table: str = "records") -> Path:
    return flow.folder / "lake" / "sensors" / table / "_delta_log"


# ------------------------------------------------------------------------------------------------ whole


def test_what_the_services_leave_verifies(settled: Pipeline) -> None:
    assert faults_of(settled) == ([], [])


def test_with_a_checkpoint_too_and_without_the_log_before_it(flow: Pipeline) -> None:
    for name in ("records", "windows_every_minute"):
        table = flow.lake.delta("sensors", name)
        assert table is not None
        table.create_checkpoint()
        for version in range(table.version()):
            (_log(flow, name) / f"{version:020d}.json").unlink(missing_ok=True)

    assert faults_of(flow) == ([], [])


def test_where_nothing_runs_it_is_said_what_was_not_compared(settled: Pipeline) -> None:
    faults, notes = faults_of(settled, is_running=False)

    assert (faults, len(notes)) == ([], 1)
    assert "nothing is running" in notes[0]


def test_windows_are_not_held_against_records_that_are_on_their_way(settled: Pipeline, tmp_path: Path) -> None:
    flow = Pipeline(tmp_path, now_us=settled.clock.now_us())
    flow.post([reading(0)])
    flow.queues["windows"].receive(0, 0, 0)
    while flow.workers["consumer"].turn() or flow.workers["writer"].turn():
        pass
    faults, notes = faults_of(flow)

    assert faults == []
    assert notes == ["windows and the late ledger were not held against records, as some are on their way"]


def test_a_copy_that_came_after_the_seal_waits_for_the_next_one(tmp_path: Path) -> None:
    flow = Pipeline(tmp_path)
    flow.post([reading(0), reading(1)])
    flow.settle()
    assert faults_of(flow) == ([], [])  # without a ledger too
    flow.post([reading(0, temperature=9.0)])
    while flow.workers["consumer"].turn() or flow.workers["writer"].turn():
        pass

    assert len(flow.record_rows()) == 3
    assert faults_of(flow)[0] == []


def test_files_that_no_version_speaks_of_are_counted_and_no_fault(flow: Pipeline) -> None:
    stray = records_files(flow)[0]
    shutil.copy(stray, stray.with_name("stray.parquet"))
    lake = Lake(flow)
    [(tables, stream)] = check(lake, lake.all_names(), lambda _what, _done, _more: None)
    [records] = [each for each in tables if each.name.table == "records"]

    assert (records.orphans, records.faults, stream.faults) == (1, (), ())
    assert records.retained > 0


# ------------------------------------------------------------------------------------------------ damaged


def _remove(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def _garble(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


@pytest.mark.parametrize(
    ("damage", "said"),
    [(_remove, "is not there"), (_cut, "bytes where the log says"), (_garble, "is no Parquet file that can be read")],
)
def test_a_file_that_is_damaged_is_named(flow: Pipeline, damage: Callable[[Path], None], said: str) -> None:
    path = records_files(flow)[0]
    damage(path)
    text = only(flow)

    assert text.startswith(f"sensors.records: {path.relative_to(_log(flow).parent)} ")
    assert said in text
    assert text.endswith("; restore it from a backup or from the bucket's earlier versions")


def _rewrite_adds(flow: Pipeline, change: Callable[[dict[str, object]], None]) -> None:
    """Change what the log says of the records table's live files."""
    live = {str(path.relative_to(_log(flow).parent)) for path in records_files(flow)}
    for commit in _log(flow).glob("*.json"):
        actions = [json.loads(line) for line in commit.read_text().splitlines()]
        for action in actions:
            if "add" in action and action["add"]["path"] in live:
                change(action["add"])
        commit.write_text("\n".join(map(json.dumps, actions)))


def test_rows_that_the_log_counts_otherwise_are_said(flow: Pipeline) -> None:
    def one_more(add: dict[str, object]) -> None:
        stats = json.loads(str(add["stats"]))
        add["stats"] = json.dumps({**stats, "numRecords": stats["numRecords"] + 1})

    _rewrite_adds(flow, one_more)
    faults, _ = faults_of(flow)

    assert {fault.table for fault in faults} == {"sensors.records"}
    assert any("rows where the log says" in str(fault) for fault in faults)
    assert any("of which nobody knows what became" in str(fault) for fault in faults)


def test_a_commit_that_is_gone_is_named(flow: Pipeline) -> None:
    (_log(flow, "windows_every_minute") / f"{1:020d}.json").unlink()
    faults, _ = faults_of(flow)

    assert "sensors.windows_every_minute: _delta_log lacks version 1; restore it" in str(faults[0])


def test_a_commit_that_cannot_be_read_is_named(flow: Pipeline) -> None:
    table = flow.lake.delta("sensors", "records")
    assert table is not None
    file = _log(flow) / f"{table.version():020d}.json"
    file.write_text("{")

    assert f"sensors.records: _delta_log/{file.name} cannot be read (" in only(flow)


def test_a_checkpoint_that_cannot_be_read_is_named(flow: Pipeline) -> None:
    table = flow.lake.delta("sensors", "late")
    assert table is not None
    table.create_checkpoint()
    [checkpoint] = _log(flow, "late").glob("*.checkpoint.parquet")
    _garble(checkpoint)

    assert f"sensors.late: _delta_log/{checkpoint.name} cannot be read (" in only(flow)


# ------------------------------------------------------------------------------------------------ figures


def test_records_that_were_written_past_the_figures_are_unexplained(flow: Pipeline) -> None:
    table = flow.lake.open("sensors", "records")
    assert table is not None
    table.append(table.read([_place(flow)]).sort("ts").head(2), {})
    text = [str(fault) for fault in faults_of(flow)[0]]

    assert any("has -2 records of which nobody knows what became" in each for each in text)
    assert any("holds 2 rows too many in sealed buckets" in each for each in text)


def _place(flow: Pipeline) -> Place:
    table = flow.lake.open("sensors", "records")
    assert table is not None
    first = min(file.first_bucket_us for file in table.files())
    return Place(first, 0)


WINDOWS = ["every_minute", "sliding", "hour_so_far", "visits", "right"]


@pytest.mark.parametrize("window", WINDOWS)
def test_a_window_that_counts_other_than_its_records_is_found(flow: Pipeline, window: str) -> None:
    name = keys.windows_table(window)
    table = flow.lake.open("sensors", name)
    assert table is not None
    place = _place(flow)
    rows = table.read([place]).sort("sensor", "window_start", "window_end")
    is_first = pl.int_range(pl.len()) == 0
    table.replace([place], rows.with_columns(row_count=pl.when(is_first).then(99).otherwise("row_count")), {})
    text = [str(fault) for fault in faults_of(flow)[0]]

    assert any(f"sensors.{name} has 1 windows whose row_count is not" in each for each in text)
    assert all(f"windrow backfill sensors --window {window}" in each for each in text)


def test_records_without_a_window_are_found(flow: Pipeline) -> None:
    table = flow.lake.open("sensors", "windows_every_minute")
    assert table is not None
    place = _place(flow)
    rows = table.read([place])
    table.replace([place], rows.filter(pl.col("sensor") == "a"), {})
    text = only(flow)

    assert "has 1 buckets whose windows together count other than their records, as 2026-01-01T00:00:00Z" in text
    assert "81 of 161 records; compute them again: windrow backfill sensors --window every_minute" in text


def test_an_entry_of_the_ledger_without_a_record_is_found(flow: Pipeline) -> None:
    late = flow.lake.open("sensors", "late")
    assert late is not None
    rows = late.read([_place(flow)])
    late.append(rows.with_columns(sensor=pl.lit("nobody")), {batch_mark("x"): 1})

    assert only(flow) == "sensors.late has 1 entries whose record is not in records; please report it"
