"""`windrow query`, over the files of an emulator that is not running."""

import csv
import io
import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from tests.unit.windrow_cli.conftest import Windrow
from windrow import topology
from windrow.lake.delta import DeltaLake
from windrow_cli import devfile
from windrow_cli.devfile import DevFile

_AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
_ROWS = pl.DataFrame(
    {
        "sensor": ["a", "b", "=cmd"],
        "ts": [_AT, _AT, _AT],
        "value": [1.5, -2.5, 3.0],
        "event_date": [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 2)],
    },
    schema_overrides={"ts": pl.Datetime("us", "UTC")},
)


@pytest.fixture(autouse=True)
def _lake(tmp_path: Path) -> None:
    state = tmp_path / ".windrow"
    (state / "s3" / "windrow-lake").mkdir(parents=True)
    lake = DeltaLake(str(state / "s3" / "windrow-lake"), {})
    for stream, table in (("sensors", "records"), ("sensors", "windows_every_minute"), ("my-stream", "records")):
        lake.open_or_create(stream, table, _ROWS.schema).append(_ROWS, {})
    content = DevFile(
        endpoint_url="http://127.0.0.1:1",
        is_embedded=True,
        region="eu-central-1",
        prefix="windrow",
        topology=str(topology.find()),
        ports={},
    )
    devfile.write(state, content)


def _rows(windrow: Windrow, sql: str) -> list[dict[str, object]]:
    ran = windrow("query", sql, "--json")
    assert ran.code == 0, ran.err
    found: list[dict[str, object]] = json.loads(ran.out)
    return found


def test_a_table_is_asked_by_stream_and_name(windrow: Windrow) -> None:
    assert _rows(windrow, "select count(*) n, sum(value) s from sensors.records") == [{"n": 3, "s": 2.0}]


def test_a_stream_with_a_hyphen_is_asked_in_quotes(windrow: Windrow) -> None:
    assert _rows(windrow, 'select count(*) n from "my-stream".records') == [{"n": 3}]


def test_tables_of_several_streams_can_be_joined(windrow: Windrow) -> None:
    sql = """with w as (from Sensors.Windows_Every_Minute)
             select count(*) n from sensors.records join "my-stream"."records" using (sensor) join w using (sensor)"""
    assert _rows(windrow, sql) == [{"n": 3}]


def test_a_partition_column_is_a_column(windrow: Windrow) -> None:
    sql = "select event_date d, count(*) n from sensors.records where event_date > '2026-01-01' group by all"
    assert _rows(windrow, sql) == [{"d": "2026-01-02", "n": 2}]


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("sensor = 'b'", [-2.5]),
        ("sensor in ('a', 'b')", [-2.5, 1.5]),
        ("sensor like '=%'", [3.0]),
        ("sensor > 'a' and value < 0", [-2.5]),
        ("ts = '2026-01-01 12:00:00Z' and value > 1", [1.5, 3.0]),
        ("event_date = '2026-01-01'", [1.5]),
    ],
)
def test_conditions_on_every_type_find_their_rows(windrow: Windrow, condition: str, values: list[float]) -> None:
    found = _rows(windrow, f"select value from sensors.records where {condition} order by value")
    assert [row["value"] for row in found] == values


def test_times_are_utc(windrow: Windrow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    sql = "select ts, ts::varchar as text, extract(hour from ts) as h from sensors.records limit 1"
    assert _rows(windrow, sql) == [{"ts": "2026-01-01T12:00:00Z", "text": "2026-01-01 12:00:00+00", "h": 12}]


def test_a_table_that_is_not_there_lists_those_that_are(windrow: Windrow) -> None:
    ran = windrow("query", "select * from sensors.recrods")

    assert ran.code == 1
    assert "there is no table sensors.recrods; did you mean sensors.records?" in ran.err
    assert 'Tables: "my-stream".records, sensors.records, sensors.windows_every_minute' in ran.err


def test_a_stream_that_is_not_there_lists_the_tables_that_are(windrow: Windrow) -> None:
    ran = windrow("query", "select * from nope.records")
    assert (ran.code, "Tables: " in ran.err) == (1, True)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("selct 1", "syntax error"),
        ("select nope from sensors.records", '"nope"'),
        ("select no_such_function(1)", "no_such_function"),
        ("select cast(sensor as int) from sensors.records", "Could not convert"),
        ("", "no result"),
    ],
)
def test_what_is_wrong_with_a_statement_is_said_without_a_trace(windrow: Windrow, sql: str, message: str) -> None:
    ran = windrow("query", sql)

    assert ran.code == 2
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert "Did you mean" not in ran.err


def test_an_error_in_the_middle_of_a_result_is_said_without_a_trace(windrow: Windrow) -> None:
    sql = "select cast(if(i = 150000, 'x', '1') as int) from range(200000) t(i)"
    ran = windrow("query", sql, "--format", "csv", "--output", "out.csv")

    assert (ran.code, "Could not convert string 'x' to INT32" in ran.err) == (2, True)
    assert "unexpected" not in ran.err


def test_without_a_statement_the_tables_are_listed_with_their_rows(windrow: Windrow) -> None:
    assert json.loads(windrow("query", "--json").out) == [
        {"table": '"my-stream".records', "rows": 3},
        {"table": "sensors.records", "rows": 3},
        {"table": "sensors.windows_every_minute", "rows": 3},
    ]
    assert "sensors.windows_every_minute" in windrow("query").out


def test_csv_is_safe_to_open_in_a_spreadsheet(windrow: Windrow) -> None:
    ran = windrow("query", "select sensor, value from sensors.records order by value", "--format", "csv")
    assert list(csv.reader(io.StringIO(ran.out))) == [
        ["sensor", "value"],
        ["b", "-2.5"],
        ["a", "1.5"],
        ["'=cmd", "3.0"],
    ]


@pytest.mark.parametrize("name", ["out.csv", "out.json", "out.parquet"])
def test_the_ending_of_a_file_chooses_its_format(windrow: Windrow, name: str) -> None:
    ran = windrow("query", "select sensor from sensors.records order by 1 limit 1", "--output", name)

    assert (ran.code, ran.out) == (0, "")
    body = Path(name).read_bytes()
    found = {
        "out.csv": lambda: body == b"sensor\n'=cmd\n",
        "out.json": lambda: json.loads(body) == [{"sensor": "=cmd"}],
        "out.parquet": lambda: pl.read_parquet(body).to_dicts() == [{"sensor": "=cmd"}],
    }
    assert found[name]()


def test_a_file_with_another_ending_needs_a_format(windrow: Windrow) -> None:
    assert windrow("query", "select 1", "--output", "out.txt").code == 2
    assert windrow("query", "select 1", "--output", "missing/out.csv").code == 2


def test_no_lake_anywhere_says_how_to_get_one(windrow: Windrow) -> None:
    ran = windrow("query", "select 1", "--state", "elsewhere")
    assert (ran.code, "nothing is running here: start `windrow dev --state elsewhere`" in ran.err) == (1, True)


# ---------------------------------------------------------------------------------------------- versions of tables


@pytest.fixture
def versions(tmp_path: Path) -> None:
    """New tables of the sensors, and newer ones."""
    lake = DeltaLake(str(tmp_path / ".windrow" / "s3" / "windrow-lake"), {})
    for flow, count in (("sensors__v2", 1), ("sensors__v10", 2)):
        lake.open_or_create(flow, "records", _ROWS.schema).append(_ROWS.head(count), {})


@pytest.mark.usefixtures("versions")
@pytest.mark.parametrize(
    ("table", "count"),
    [
        ("sensors.records", 2),
        ("sensors__v10.records", 2),
        ("sensors__v2.records", 1),
        ("sensors__v1.records", 3),
        ("sensors__v1.windows_every_minute", 3),
    ],
)
def test_a_streams_name_means_its_newest_tables_and_older_ones_are_named(
    windrow: Windrow, table: str, count: int
) -> None:
    assert _rows(windrow, f"select count(*) n from {table}") == [{"n": count}]


@pytest.mark.usefixtures("versions")
def test_tables_of_all_versions_are_listed_once_and_can_be_joined(windrow: Windrow) -> None:
    listed = [each["table"] for each in json.loads(windrow("query", "--json").out)]
    assert listed == [
        '"my-stream".records',
        "sensors.records",
        "sensors__v1.records",
        "sensors__v1.windows_every_minute",
        "sensors__v2.records",
    ]
    both = "select count(*) n from sensors__v1.records join sensors.records using (sensor)"
    assert _rows(windrow, both) == [{"n": 2}]


@pytest.mark.usefixtures("versions")
def test_a_table_that_only_an_older_version_has_is_told_by_its_name(windrow: Windrow) -> None:
    ran = windrow("query", "from sensors.windows_every_minute")

    assert ran.code == 1
    assert "sensors__v1.windows_every_minute" in ran.err
