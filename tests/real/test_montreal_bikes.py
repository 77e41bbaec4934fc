"""Counters of bicycles: Latin-1, semicolons, CRLF, days first, and 295 rows that end a field too early."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.real import recorded
from tests.support.pipeline import Pipeline
from windrow.quarantine import Reject
from windrow_reprocessor.replay import ReplayRequest
from windrow_reprocessor.triage import FailedRecord, Filter

pytestmark = recorded.needs("montreal_bikes")

STREAM = "montreal_bikes"
FILE = recorded.DATA / "montreal_bikes" / "bikes.csv"
STRICT = recorded.spec_text(STREAM)
PADDED = STRICT.replace("ragged: reject", "ragged: pad")
RAGGED = 295
"""Rows of nine fields under a header of ten, by the file's README; there are 310 in all."""
ZONE = ZoneInfo("America/Toronto")


@pytest.fixture(scope="module")
def lines() -> list[list[str]]:
    """The file's records without the header, by the csv module."""
    return recorded.csv_lines(FILE, delimiter=";", encoding="latin-1")[1:]


def row(fields: list[str]) -> tuple[Any, ...]:
    """A record as it must stand in the table."""
    day, month, year = map(int, fields[0].split("/"))
    counts = [int(each) if each else None for each in fields[1:]]
    counts += [None] * (9 - len(counts))
    return (datetime(year, month, day, tzinfo=ZONE).astimezone(UTC), *counts, (counts[3] or 0) + (counts[4] or 0))


def waiting(pipeline: Pipeline) -> list[FailedRecord]:
    return list(pipeline.triage.records(Filter(stream=STREAM)))


def assert_weeks(pipeline: Pipeline, rows: list[tuple[Any, ...]]) -> None:
    weeks = defaultdict(list)
    for each in rows:
        weeks[recorded.span_start(each[0], timedelta(days=7))].append(each)
    recorded.assert_same_windows(
        pipeline.windows("weekly", STREAM).select(
            "window_start", "row_count", "berri_sum", "maisonneuve_max", "st_urbain_count"
        ),
        [(start, len(of), sum(each[1] for each in of), max(each[10] for each in of), 0) for start, of in weeks.items()],
    )


def test_rows_that_end_too_early_are_kept_with_their_line_and_a_replay_under_a_new_spec_takes_each_once(
    tmp_path: Path, lines: list[list[str]]
) -> None:
    whole = [fields for fields in lines if len(fields) == 10]
    ragged = {number: fields for number, fields in enumerate(lines, start=2) if len(fields) == 9}
    assert (len(lines), len(ragged)) == (310, RAGGED)

    pipeline = recorded.landed(tmp_path, STRICT, FILE)
    recorded.assert_figures(pipeline, STREAM, received=len(lines), written=len(whole), quarantined=len(ragged))
    recorded.assert_same_rows(pipeline.records(STREAM), map(row, whole))
    assert_weeks(pipeline, [row(fields) for fields in whole])
    failed = waiting(pipeline)
    assert {each.record.reject.reason for each in failed} == {"ragged_row"}
    assert {each.record.reject.line: each.record.data.strip().split(";") for each in failed} == ragged

    assert pipeline.replayer.replay(ReplayRequest(stream=STREAM)).records == RAGGED
    pipeline.run_until_quiet()  # under the same spec they come back
    recorded.assert_figures(pipeline, STREAM, received=len(lines), written=len(whole), quarantined=len(ragged))
    assert len(waiting(pipeline)) == RAGGED

    pipeline.publish(PADDED)
    failed = waiting(pipeline)
    assert pipeline.replayer.replay(ReplayRequest(stream=STREAM, reason="ragged_row")).records == RAGGED
    pipeline.settle()
    recorded.assert_figures(pipeline, STREAM, received=len(lines), written=len(lines))
    recorded.assert_same_rows(pipeline.records(STREAM), map(row, lines))
    assert_weeks(pipeline, [row(fields) for fields in lines])

    assert pipeline.replayer.replay(ReplayRequest(stream=STREAM)).records == 0
    pipeline.replayer._land_records(failed)  # a second operator had the list open still
    pipeline.settle()
    recorded.assert_figures(pipeline, STREAM, received=len(lines), written=len(lines))


def test_selections_that_overlap_bring_a_row_once_though_nothing_in_it_says_that_it_is_the_same(
    tmp_path: Path, lines: list[list[str]]
) -> None:
    without_identity = "unique: [day]\n"
    assert without_identity in STRICT
    pipeline = recorded.landed(tmp_path, STRICT.replace(without_identity, ""), FILE)
    failed = waiting(pipeline)

    pipeline.publish(PADDED.replace(without_identity, ""))
    for selection in (failed[:200], failed[100:], failed):
        pipeline.replayer._land_records(selection)
        pipeline.run_until_quiet()
    pipeline.settle()

    recorded.assert_same_rows(pipeline.records(STREAM), map(row, lines))
    assert_weeks(pipeline, [row(fields) for fields in lines])
    found = pipeline.balance(STREAM)
    assert (found.received, found.written, found.unexplained) == (len(lines), len(lines), 0)


def test_padded_every_row_is_a_record_at_once(tmp_path: Path, lines: list[list[str]]) -> None:
    pipeline = recorded.landed(tmp_path, PADDED, FILE)

    recorded.assert_figures(pipeline, STREAM, received=len(lines), written=len(lines))
    recorded.assert_same_rows(pipeline.records(STREAM), map(row, lines))


def test_read_as_utf_8_the_file_is_kept_whole_until_the_spec_says_how_it_is_written(
    tmp_path: Path, lines: list[list[str]]
) -> None:
    pipeline = recorded.landed(tmp_path, PADDED.replace("encoding: latin-1", "encoding: utf-8"), FILE)

    (failed,) = waiting(pipeline)
    assert failed.kind == "object"
    assert "set format.csv.encoding" in failed.record.reject.message
    assert pipeline.records(STREAM).is_empty()

    pipeline.publish(PADDED)
    assert pipeline.replayer.replay(ReplayRequest(stream=STREAM)).objects == 1
    pipeline.settle()
    recorded.assert_figures(pipeline, STREAM, received=len(lines), written=len(lines))
    recorded.assert_same_rows(pipeline.records(STREAM), map(row, lines))


def test_explain_names_every_line_that_ends_too_early(windrow, tmp_path: Path, lines: list[list[str]]) -> None:
    ran = windrow("explain", recorded.SPECS / f"{STREAM}.yaml", FILE, "--json")

    assert ran.code == 1
    assert len(ran.answer["records"]) == len(lines) - RAGGED
    assert [each["line"] for each in ran.answer["rejects"]] == [
        number for number, fields in enumerate(lines, start=2) if len(fields) == 9
    ]
    assert set(ran.answer["rejects"][0]) <= set(Reject.__struct_fields__)
    assert ran.answer["response"]["status"] == 202
    assert ran.answer["response"]["body"]["accepted"] == len(lines) - RAGGED
    assert ran.answer["response"]["body"]["quarantined_count"] == RAGGED

    (tmp_path / "padded.yaml").write_text(PADDED, encoding="utf-8")
    padded = windrow("explain", "padded.yaml", FILE, "--json")
    assert padded.code == 0
    assert len(padded.answer["records"]) == len(lines)
    assert padded.answer["records"][0]["berri"] == int(lines[0][1])
