"""What tables need from time to time, and that nobody notices when they get it (laws 6 and 8)."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import START, expected_records, expected_windows, reading
from windrow import keys, spec
from windrow.lake import tables
from windrow.lake.tables import DataFile, Table
from windrow.units import DAY_US, SECOND_US, to_us, utc_date
from windrow_writer.maintenance import Compact, Expire, Job, Vacuum, due

TODAY = date(2026, 3, 10)
NOON_US = to_us(datetime(2026, 3, 10, 12, tzinfo=UTC))
TARGET = 256_000_000
FOR_A_WEEK = SENSORS + "retention: 7d\n"
HOUR_S = 3_600


def file(days_ago: int, size_bytes: int = 1_000) -> DataFile:
    day = TODAY - timedelta(days=days_ago)
    return DataFile(f"{day}-{size_bytes}.parquet", size_bytes, 10, day, 0, 0)


def job(files: list[DataFile], *, text: str = FOR_A_WEEK, vacuumed_us: int | None = NOON_US) -> Job | None:
    return due(files, vacuumed_us, spec.parse(text, "x"), TARGET, NOON_US)


def table(pipeline: Pipeline, name: str = keys.RECORDS_TABLE) -> Table:
    found = pipeline.lake.open("sensors", name)
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------ what is due


def test_days_before_the_first_that_the_spec_keeps_in_part_are_removed() -> None:
    assert job([file(8), file(3)]) == Expire(TODAY - timedelta(days=7))
    assert job([file(7), file(3)]) is None
    assert job([file(4_000)], text=SENSORS) is None


def test_small_files_of_a_day_are_merged_once_late_records_have_become_rare() -> None:
    assert job([file(3)] * 5) == Compact(TODAY - timedelta(days=3))
    assert job([file(3)] * 4) is None
    assert job([file(1)] * 50) is None
    assert job([file(3, TARGET)] * 50) is None
    assert job([file(3)] * 5 + [file(4)] * 5) == Compact(TODAY - timedelta(days=4))


def test_dead_files_are_looked_for_once_a_day() -> None:
    assert job([file(1)], vacuumed_us=None) == Vacuum()
    assert job([file(1)], vacuumed_us=NOON_US - DAY_US + 1) is None
    assert job([file(1)], vacuumed_us=NOON_US - DAY_US) == Vacuum()


def test_what_is_too_old_goes_first() -> None:
    assert job([file(9)] + [file(3)] * 5, vacuumed_us=None) == Expire(TODAY - timedelta(days=7))


# ------------------------------------------------------------------------------------------------ retention


@pytest.fixture
def week(tmp_path: Path) -> Pipeline:
    """A stream that keeps a week, ten days after its first two records, with one of today."""
    pipeline = Pipeline(tmp_path)
    pipeline.publish(FOR_A_WEEK)
    pipeline.post([reading(1), reading(61)])
    pipeline.settle()
    pipeline.clock.advance(10 * 24 * HOUR_S)
    pipeline.post([today(pipeline)])
    pipeline.run_until_quiet()
    return pipeline


def today(pipeline: Pipeline) -> dict[str, object]:
    """A record of this moment."""
    return reading((pipeline.clock.now_us() - to_us(START)) // SECOND_US)


def test_what_the_spec_keeps_no_longer_is_removed_from_every_table_and_told(week: Pipeline) -> None:
    kept = today(week)
    week.maintainer.run()

    assert week.record_rows() == expected_records([kept])
    assert week.window_rows() == expected_windows([kept])
    found = week.balance()
    assert (found.received, found.written, found.expired, found.unexplained) == (3, 1, 2, 0)
    assert week.metrics.counts["rows_expired", (("stream", "sensors"), ("table", "records"))] == 2


def test_a_record_older_than_what_was_removed_is_counted_and_brings_nothing_back(week: Pipeline) -> None:
    kept = today(week)
    week.maintainer.run()
    week.post([reading(2), reading(121)])
    week.settle()

    assert week.record_rows() == expected_records([kept])
    assert week.window_rows() == expected_windows([kept])
    found = week.balance()
    assert (found.received, found.written, found.expired, found.unexplained) == (5, 1, 4, 0)
    assert not any(queue.bodies() for queue in week.dead.values())


def test_removing_twice_removes_once(week: Pipeline) -> None:
    week.maintainer.run()
    version = table(week).version
    week.maintainer.run()
    week.maintainer.run()

    assert table(week).mark(tables.EXPIRED) == 2
    assert table(week).version <= version + 1  # it was vacuumed then


# ------------------------------------------------------------------------------------------------ files


def test_past_days_are_merged_into_few_files_and_nothing_else_changes(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    sent = [reading(100 * number, sensor) for number in range(12) for sensor in "ab"]
    for record in sent:
        pipeline.post([record])
        pipeline.run_until_quiet()
    pipeline.settle()
    for number in range(6):  # late, each in a file of its own
        sent.append(reading(100 * number + 1))
        pipeline.post([sent[-1]])
        pipeline.run_until_quiet()
    records, windows = pipeline.record_rows(), pipeline.window_rows()
    before = len(table(pipeline).files())
    pipeline.clock.advance(3 * 24 * HOUR_S)
    for _ in range(3):
        pipeline.maintainer.run()

    assert len(table(pipeline).files()) < before
    assert (pipeline.record_rows(), pipeline.window_rows()) == (records, windows)
    assert records == expected_records(sent)
    assert pipeline.balance().unexplained == 0
    sent.append(reading(7))
    pipeline.post([sent[-1]])
    pipeline.settle()
    assert pipeline.record_rows() == expected_records(sent)
    assert pipeline.window_rows() == expected_windows(sent)


def test_a_table_is_vacuumed_once_a_day_and_not_at_every_turn(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.run_until_quiet()
    for _ in range(3):
        pipeline.maintainer.run()
    assert table(pipeline).mark(tables.VACUUMED_US) == pipeline.clock.now_us()
    first = table(pipeline).version
    pipeline.clock.advance(24 * HOUR_S)
    pipeline.maintainer.run()

    assert table(pipeline).version > first
    assert pipeline.record_rows() == expected_records([reading(1)])


def test_a_writer_leaves_the_tables_of_others_alone(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.run_until_quiet()
    versions = {name: table(pipeline, name).version for name in ("records", "windows_every_minute")}
    for _ in range(2):
        others = [pipeline.leases(f"other {number}") for number in range(40)]
        for other in others:
            other.beat()
        pipeline.writer_handler.committer.leases.beat()
    assert {others[0].roster.writer_for(f"sensors/{name}") for name in versions}.isdisjoint({"writer"})
    pipeline.maintainer.run()

    assert {name: table(pipeline, name).version for name in versions} == versions


def test_the_day_in_a_mark_is_the_day_it_was_made_of() -> None:
    for day in (date(1969, 12, 31), date(1970, 1, 1), TODAY, utc_date(0)):
        assert date(1970, 1, 1) + timedelta(days=tables.day_number(day)) == day
