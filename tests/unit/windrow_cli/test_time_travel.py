"""`windrow query` over tables as they were, and over no more of them than it must read."""

import json
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import fs

from tests.unit.windrow_cli.conftest import Windrow
from tests.unit.windrow_cli.standing import NOW, Standing, day_rows
from windrow_cli.tables import FolderLake, Session, TableName


@pytest.fixture
def standing(tmp_path: Path) -> Standing:
    """sensors.records: created 5 h ago, one append 4 h ago, one 3 h ago, a replacement 1 h ago. Windows since 2 h."""
    made = Standing(tmp_path / ".windrow")
    made.append("records", day_rows(0, 1.0))
    made.append("records", day_rows(1, 2.0))
    made.replace("records", 0, day_rows(0, 3.0, count=1))
    made.append("windows_daily", day_rows(0, 9.0))
    made.date_versions("records", {0: 5, 1: 4, 2: 3, 3: 1})
    made.date_versions("windows_daily", {0: 2, 1: 2})
    return made


def _values(windrow: Windrow, *options: str, table: str = "sensors.records") -> list[float]:
    ran = windrow("query", f"select value from {table} order by all", "--json", *options)
    assert ran.code == 0, ran.err
    return [row["value"] for row in json.loads(ran.out)]


# ------------------------------------------------------------------------------------------------ as it was


@pytest.mark.parametrize(
    ("version", "values"), [(0, []), (1, [1.0, 1.0]), (2, [1.0, 1.0, 2.0, 2.0]), (3, [2.0, 2.0, 3.0])]
)
def test_a_table_is_read_at_a_version(windrow: Windrow, standing: Standing, version: int, values: list[float]) -> None:
    assert _values(windrow, "--version", str(version)) == values


@pytest.mark.parametrize(
    ("hours", "values"),
    [(4.5, []), (3.5, [1.0, 1.0]), (3, [1.0, 1.0, 2.0, 2.0]), (1.5, [1.0, 1.0, 2.0, 2.0]), (0, [2.0, 2.0, 3.0])],
)
def test_a_table_is_read_as_of_a_moment(
    windrow: Windrow, standing: Standing, hours: float, values: list[float]
) -> None:
    moment = NOW - timedelta(hours=hours)

    assert _values(windrow, "--as-of", moment.isoformat()) == values
    assert _values(windrow, "--as-of", moment.replace(tzinfo=None).isoformat()) == values
    assert _values(windrow, "--as-of", moment.isoformat().replace("+00:00", "Z")) == values


@pytest.mark.parametrize(("ago", "values"), [("3h30m", [1.0, 1.0]), ("90m", [1.0, 1.0, 2.0, 2.0])])
def test_a_moment_may_be_so_long_ago(windrow: Windrow, standing: Standing, ago: str, values: list[float]) -> None:
    assert _values(windrow, "--as-of", ago) == values


def test_it_is_said_which_version_was_read(windrow: Windrow, standing: Standing) -> None:
    ran = windrow("query", "from sensors.records", "--as-of", "90m")
    at = (NOW - timedelta(hours=3)).isoformat().replace("+00:00", "Z")

    assert f"sensors.records at version 2 of {at}" in ran.err
    assert "at version" not in windrow("query", "from sensors.records").err


def test_one_moment_holds_for_all_tables_of_a_statement(windrow: Windrow, standing: Standing) -> None:
    sql = "select count(*) n from sensors.records join sensors.windows_daily using (sensor)"
    ran = windrow("query", sql, "--as-of", "90m", "--json")

    assert json.loads(ran.out) == [{"n": 4}]


def test_the_list_as_of_a_moment_has_the_tables_there_were(windrow: Windrow, standing: Standing) -> None:
    assert json.loads(windrow("query", "--as-of", "3h30m", "--json").out) == [{"table": "sensors.records", "rows": 2}]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--version", "4"], 1, "sensors.records has no version 4 yet; there are versions 0 to 3"),
        (["--version", "-1"], 2, "the first version of a table is 0"),
        (["--as-of", "6h"], 1, "sensors.records did not exist yet at "),
        (["--as-of", "yesterday"], 2, "--as-of 'yesterday' is not a time; write 2026-01-31T12:00:00Z"),
        (["--as-of", "1h", "--version", "1"], 2, "give one of them"),
    ],
)
def test_a_state_that_there_is_not_is_said_with_those_there_are(
    windrow: Windrow, standing: Standing, options: list[str], code: int, message: str
) -> None:
    ran = windrow("query", "from sensors.records", *options)

    assert (ran.code, message in ran.err) == (code, True), ran.err


@pytest.mark.parametrize(
    ("sql", "spoken"),
    [
        (
            "from sensors.records join sensors.windows_daily using (sensor)",
            "2 (sensors.records, sensors.windows_daily)",
        ),
        ("select 1", "0 (none)"),
    ],
)
def test_a_version_is_of_one_table(windrow: Windrow, standing: Standing, sql: str, spoken: str) -> None:
    ran = windrow("query", sql, "--version", "1")

    assert ran.code == 2
    assert f"this statement reads {spoken}" in ran.err
    assert "use --as-of" in ran.err


def test_a_column_called_as_the_stream_is_no_second_table(windrow: Windrow, standing: Standing) -> None:
    sql = "select sensors.value from sensors.records sensors where sensors.sensor = 's0'"
    ran = windrow("query", sql, "--version", "1", "--json")

    assert (ran.code, json.loads(ran.out or "[]")) == (0, [{"value": 1.0}]), ran.err


def test_a_table_that_is_not_there_is_said_whatever_the_version(windrow: Windrow, standing: Standing) -> None:
    ran = windrow("query", "from sensors.recrods", "--version", "1")

    assert (ran.code, "did you mean sensors.records?" in ran.err) == (1, True)


def test_a_version_without_a_statement_is_of_nothing(windrow: Windrow, standing: Standing) -> None:
    assert windrow("query", "--version", "1").code == 2


def test_a_version_whose_log_was_cleaned_up_is_said_to_be_gone(windrow: Windrow, standing: Standing) -> None:
    standing.delta("records").create_checkpoint()
    for version in (0, 1, 2):
        (standing.folder("records") / "_delta_log" / f"{version:020d}.json").unlink()
    told = windrow("query", "from sensors.records", "--version", "1")
    long_ago = windrow("query", "from sensors.records", "--as-of", "4h")

    assert "at version 1 cannot be read any more, its log has been cleaned up; there are versions 3" in told.err
    assert "cannot be read any more, its log has been cleaned up; it reaches back to version 3 of" in long_ago.err
    assert (told.code, long_ago.code) == (1, 1)
    assert _values(windrow, "--version", "3") == [2.0, 2.0, 3.0]


def test_a_version_whose_files_were_vacuumed_is_said_to_be_gone(windrow: Windrow, standing: Standing) -> None:
    standing.delta("records").vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    last = standing.delta("records").version()
    ran = windrow("query", "from sensors.records", "--version", "2")

    assert ran.code == 1
    assert f"1 of its 2 files have been removed (vacuum); there are versions 3 to {last}" in ran.err
    assert _values(windrow, "--version", "3") == [2.0, 2.0, 3.0]


# ------------------------------------------------------------------------------------------------ what is read


class Watched(fs.FileSystemHandler):
    """A folder whose files are noted when they are opened."""

    def __init__(self, folder: Path) -> None:
        self.opened: list[str] = []
        self._files = fs.SubTreeFileSystem(str(folder), fs.LocalFileSystem())

    def open_input_file(self, path: str) -> pa.NativeFile:
        self.opened.append(path)
        return self._files.open_input_file(path)

    def get_type_name(self) -> str:
        return "watched"

    def get_file_info(self, paths: list[str]) -> list[fs.FileInfo]:
        return self._files.get_file_info(paths)

    def _refuse(self, *_: object) -> None:
        raise NotImplementedError

    copy_file = create_dir = delete_dir = delete_dir_contents = delete_file = delete_root_dir_contents = _refuse
    get_file_info_selector = move = normalize_path = open_append_stream = open_input_stream = _refuse
    open_output_stream = _refuse


class WatchedLake(FolderLake):
    """A lake whose tables are read through a watched folder."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(standing.bucket)
        self.watched = Watched(standing.folder("records"))

    def files(self, name: TableName) -> fs.FileSystem:
        return fs.PyFileSystem(self.watched) if name.table == "records" else super().files(name)


@pytest.mark.parametrize(
    ("condition", "files", "rows"),
    [
        ("true", 6, 12),
        ("event_date = '2026-01-03'", 1, 2),
        ("event_date between '2026-01-02' and '2026-01-04'", 3, 6),
        ("event_date > '2026-02-01'", 0, 0),
        ("ts >= '2026-01-05 00:00:00Z'", 2, 4),
        ("ts = '2026-01-03 01:00:00Z'", 1, 1),
        ("ts < '2026-01-02 00:30:00Z' and value < 1", 1, 2),
        ("value <= 0.5", 1, 2),
        ("sensor > 's0'", 6, 6),
        ("sensor = 's7'", 0, 0),
    ],
)
def test_files_that_cannot_hold_such_rows_are_not_opened(tmp_path: Path, condition: str, files: int, rows: int) -> None:
    standing = Standing(tmp_path / ".windrow")
    for day in range(6):
        standing.append("records", day_rows(day, float(day)))
    lake = WatchedLake(standing)
    result = Session(lake).run(f"select count(*) n, count(sensor) from sensors.records where {condition}")

    assert result is not None
    assert result.read_all().to_pylist()[0]["n"] == rows
    assert len(set(lake.watched.opened)) == files
