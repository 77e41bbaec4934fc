"""Law 7. The same record id, over any road and any number of times, counts once."""

from pathlib import Path

import pytest

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import expected_records, expected_windows, reading
from windrow.ports import Outgoing
from windrow_reprocessor.replay import ReplayRequest

WITHOUT_UNIQUE = SENSORS.replace("unique: [sensor, ts]\n", "")
FIXED = SENSORS.replace("[iso8601]", "[iso8601, epoch_ms]")
EPOCH = {"ts": 1767225605000, "sensor": "a", "temperature": 3.0}  # 2026-01-01T00:00:05Z


def csv(records: list[dict[str, object]]) -> bytes:
    rows = "\n".join(f"{record['sensor']},{record['ts']},{record['temperature']}" for record in records)
    return f"sensor,ts,temperature\n{rows}\n".encode()


def test_a_record_sent_over_every_road_is_one_in_every_window_at_once_and_in_records_after_the_seal(
    tmp_path: Path,
) -> None:
    pipeline = Pipeline(tmp_path)
    records = [reading(1), reading(30), reading(61)]
    pipeline.post(records)
    pipeline.post_many([records, records])
    pipeline.upload("again.csv", csv(records))
    pipeline.run_until_quiet()
    assert pipeline.window_rows() == expected_windows(records)

    pipeline.settle()
    assert pipeline.record_rows() == expected_records(records)
    assert pipeline.window_rows() == expected_windows(records)
    assert (pipeline.balance().received, pipeline.balance().duplicate) == (12, 9)


def test_a_batch_processed_twice_is_in_records_once_even_before_the_seal(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(WITHOUT_UNIQUE)
    pipeline.post([reading(1), reading(2)])
    event = pipeline.queues["landed"].bodies()
    for _ in range(3):
        pipeline.queues["landed"].send([Outgoing(body) for body in event])
        pipeline.run_until_quiet()

    assert pipeline.record_rows() == expected_records([reading(1), reading(2)])


def test_without_unique_two_equal_records_of_two_batches_are_two(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(WITHOUT_UNIQUE)
    pipeline.post([reading(1), reading(1)])
    pipeline.post([reading(1)])
    pipeline.settle()

    assert len(pipeline.record_rows()) == 3
    assert pipeline.windows()["row_count"].to_list() == [3]


@pytest.mark.parametrize(("keep", "value"), [("last", 99.0), ("first", 21.0)])
def test_the_spec_says_which_of_two_records_stays(tmp_path: Path, keep: str, value: float) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS + f"keep: {keep}\n")
    pipeline.post([reading(1, temperature=21.0)])
    pipeline.clock.advance(5)
    pipeline.post([reading(1, temperature=99.0)])
    pipeline.settle()

    assert pipeline.record_rows() == [("a", "2026-01-01T00:00:01Z", value)]
    assert pipeline.window_rows() == [("a", "2026-01-01T00:00:00Z", 1, value)]


def test_a_duplicate_that_comes_after_the_seal_is_removed_by_the_next_one(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), reading(2)])
    pipeline.settle()
    pipeline.post([reading(1, temperature=50.0)])
    pipeline.settle()

    assert pipeline.record_rows() == expected_records([reading(1, temperature=50.0), reading(2)])


@pytest.mark.parametrize("spec", [SENSORS, WITHOUT_UNIQUE])
def test_replaying_a_quarantined_record_twice_adds_it_once(tmp_path: Path, spec: str) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(spec)
    pipeline.post([reading(1), EPOCH])
    pipeline.settle()
    assert pipeline.balance().quarantined == 1
    pipeline.publish(spec.replace("[iso8601]", "[iso8601, epoch_ms]"))

    wanted = ReplayRequest(stream="sensors", reason="wrong_type")
    [failed] = pipeline.triage.records(wanted.filter())
    assert pipeline.replayer.replay(wanted).records == 1
    assert pipeline.replayer.replay(wanted).records == 0  # it has left the list
    pipeline.replayer._land_records([failed])  # a second operator had it open still
    pipeline.settle()

    assert [row[2] for row in pipeline.record_rows()] == [21.0, 3.0]
    assert pipeline.window_rows() == [("a", "2026-01-01T00:00:00Z", 2, 24.0)]
    assert (pipeline.balance().quarantined, pipeline.balance().unexplained) == (0, 0)


def test_overlapping_replays_add_a_record_once(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(WITHOUT_UNIQUE)
    pipeline.post([EPOCH, {**EPOCH, "temperature": 4.0}])
    pipeline.run_until_quiet()
    both = list(pipeline.triage.records(ReplayRequest(stream="sensors").filter()))
    pipeline.publish(WITHOUT_UNIQUE.replace("[iso8601]", "[iso8601, epoch_ms]"))

    pipeline.replayer._land_records(both[:1])
    pipeline.replayer._land_records(both)  # another selection: another object, with one record in common
    pipeline.settle()

    assert sorted(row[2] for row in pipeline.record_rows()) == [3.0, 4.0]
    assert pipeline.windows()["row_count"].to_list() == [2]
    assert pipeline.balance().unexplained == 0


def test_a_replayed_record_does_not_overrule_a_correction_that_came_after_it(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([EPOCH])
    pipeline.run_until_quiet()
    pipeline.clock.advance(60)
    pipeline.post([reading(5, temperature=8.0)])
    pipeline.publish(FIXED)
    pipeline.replayer.replay(ReplayRequest(stream="sensors"))
    pipeline.settle()

    assert pipeline.record_rows() == [("a", "2026-01-01T00:00:05Z", 8.0)]
