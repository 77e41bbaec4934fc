"""Ten series of server metrics, a file each. No file names its series, so each goes to a stream of its own."""

from pathlib import Path
from typing import Any

import pytest

from tests.real import recorded
from tests.support.pipeline import Pipeline

pytestmark = recorded.needs("aws_cloudwatch")

FOLDER = recorded.DATA / "aws_cloudwatch"
FILES = sorted(FOLDER.glob("*.csv"))
SPEC = recorded.SPECS / "aws_cloudwatch.yaml"
REPEATING = FOLDER / "ec2_disk_write_bytes_1ef3de.csv"
"""The clock of this machine skipped an hour while it went on to measure: twelve rows of one time."""


def stream(file: Path) -> str:
    return file.stem.lower()


def text(file: Path) -> str:
    return recorded.spec_text("aws_cloudwatch").replace("stream: cloudwatch", f"stream: {stream(file)}")


def by_duckdb(query: str, file: Path) -> list[tuple[Any, ...]]:
    """An answer over `records`: the rows of a file, of those with one time the last."""
    records = """
        WITH numbered AS (
            SELECT "timestamp" AS moment, value, row_number() OVER () AS line
            FROM read_csv($file, header = true, columns = {'timestamp': 'TIMESTAMP', 'value': 'DOUBLE'})
        ), records AS (SELECT moment, arg_max(value, line) AS value FROM numbered GROUP BY moment)
    """
    return recorded.asked(f"{records} {query}", file=str(file))


def assert_series(pipeline: Pipeline, file: Path) -> tuple[int, int]:
    """Whether a series is in its tables, whole. Returns the rows of its file, and the rows that repeat a time."""
    lines = recorded.csv_lines(file)[1:]
    rows = by_duckdb("SELECT moment, value FROM records", file)
    duplicate = len(lines) - len({line[0] for line in lines})
    recorded.assert_figures(
        pipeline, stream(file), received=len(lines), written=len(lines) - duplicate, duplicate=duplicate
    )
    recorded.assert_same_rows(pipeline.records(stream(file)), rows)
    recorded.assert_same_windows(
        pipeline.windows("hourly", stream(file)).select(
            "window_start", "row_count", "value_sum", "value_max", "value_last"
        ),
        by_duckdb(
            "SELECT date_trunc('hour', moment) AS hour, count(*), fsum(value), max(value), arg_max(value, moment) "
            "FROM records GROUP BY hour",
            file,
        ),
    )
    return len(lines), duplicate


def test_every_series_is_in_its_tables_and_rows_of_one_time_are_one_record(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    for file in FILES:
        recorded.upload(pipeline, text(file), file)
    pipeline.settle()

    found = {file: assert_series(pipeline, file) for file in FILES}
    assert len(found) == 10
    assert sum(lines for lines, _ in found.values()) == 38_818
    assert {file: duplicate for file, (_, duplicate) in found.items() if duplicate} == {REPEATING: 11}


@pytest.mark.parametrize("keep", ["first", "last"])
def test_the_spec_says_which_of_the_rows_of_one_time_stays(tmp_path: Path, keep: str) -> None:
    """The rows of that time all hold 0.0, so here each holds its line."""
    header, *lines = recorded.csv_lines(REPEATING)
    numbered = [header, *([at, str(number)] for number, (at, _) in enumerate(lines))]
    file = tmp_path / REPEATING.name
    file.write_text("".join(f"{at},{value}\n" for at, value in numbered))
    pipeline = recorded.landed(tmp_path / "lake", f"{text(file)}keep: {keep}\n", file)

    repeated = [number for number, (at, _) in enumerate(lines) if at == "2014-03-09 03:00:00"]
    assert len(repeated) == 12
    stays = {"first": repeated[0], "last": repeated[-1]}[keep]
    values = set(pipeline.records(stream(file))["value"].to_list())
    assert values & set(map(float, repeated)) == {float(stays)}
    assert len(values) == len(lines) - 11


@pytest.mark.parametrize("file", FILES, ids=stream)
def test_explain_reads_every_row_and_counts_each_time_once_in_its_windows(windrow, file: Path) -> None:
    ran = windrow("explain", SPEC, file, "--json")

    lines = recorded.csv_lines(file)[1:]
    assert (ran.code, ran.answer["rejects"], ran.answer["unknown_fields"]) == (0, [], {})
    assert [each["value"] for each in ran.answer["records"]] == [float(value) for _, value in lines]
    assert sum(each["row_count"] for each in ran.answer["windows"]) == len({at for at, _ in lines})
    assert ran.answer["response"]["body"]["accepted"] == len(lines)
