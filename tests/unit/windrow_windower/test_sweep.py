"""What the sweep asks for, how often, and that nothing it meets keeps it from the rest (laws 4 and 9)."""

from pathlib import Path

import pytest

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import expected_records, expected_windows, reading
from windrow import keys
from windrow.ports import ObjectHeaders

HOURLY = SENSORS + "  hourly:\n    size: 1h\n    aggregates: {warmest: max(temperature)}\n"
ZEPHYR = SENSORS.replace("stream: sensors", "stream: zephyr")
FAR_S = 3_600 * 5


def test_a_window_that_a_new_spec_adds_appears_for_open_buckets_without_new_data(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), reading(61)])
    pipeline.run_until_quiet()
    before = pipeline.windows()
    pipeline.publish(HOURLY)
    pipeline.clock.advance(61)
    pipeline.windower_sweep.run()
    pipeline.run_until_quiet()

    assert pipeline.windows("hourly").select("row_count", "warmest", "is_final").rows() == [(2, 31.0, False)]
    assert pipeline.windows().equals(before)


def test_a_stream_without_windows_is_sealed_too(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS[: SENSORS.index("windows:")])
    pipeline.post([reading(1), reading(1), reading(2)])
    pipeline.settle()

    assert pipeline.record_rows() == expected_records([reading(1), reading(2)])
    assert pipeline.balance().duplicate == 1


def test_what_the_writer_was_just_told_it_is_not_told_again_at_every_turn(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.workers["consumer"].turn()
    for queue in pipeline.queues.values():
        queue._messages.clear()
    pipeline.clock.advance(60)
    pipeline.windower_sweep.run()
    told = pipeline.queues["writes"].bodies()
    assert len(told) == 2  # the batch and its bucket
    pipeline.clock.advance(59)
    pipeline.windower_sweep.run()
    assert pipeline.queues["writes"].bodies() == told

    pipeline.clock.advance(1)
    pipeline.windower_sweep.run()
    assert sorted(pipeline.queues["writes"].bodies()) == sorted(told * 2)


def test_a_young_segment_is_left_to_its_pointer(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.workers["consumer"].turn()
    pipeline.queues["writes"]._messages.clear()
    pipeline.clock.advance(59)
    pipeline.windower_sweep.run()

    assert pipeline.queues["writes"].bodies() == []


def test_a_sealed_bucket_is_asked_for_no_more(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.settle()
    commits = pipeline.metrics.total("commits_made")
    for _ in range(3):
        pipeline.clock.advance(3_600)
        pipeline.windower_sweep.run()

    assert pipeline.queues["writes"].bodies() == []
    assert pipeline.metrics.total("commits_made") == commits
    assert pipeline.metrics.total("buckets_sealed") == 1


def test_a_bucket_that_cannot_be_computed_does_not_keep_the_sweep_from_the_others(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(-7_200)])
    pipeline.workers["consumer"].turn()
    pipeline.publish(SENSORS.replace("humidity: int", "humidity: float"))  # what has come before no longer fits
    pipeline.post([reading(1)])
    pipeline.publish(ZEPHYR)
    pipeline.post([reading(1)], stream="zephyr")
    pipeline.workers["consumer"].turn()
    for queue in pipeline.queues.values():
        queue._messages.clear()
    pipeline.clock.advance(FAR_S)
    pipeline.windower_sweep.run()

    computed = {tuple(info.key.split("/")[1:3]) for info in pipeline.store.list("results/")}
    assert computed == {("sensors", "2026-01-01T000000Z"), ("zephyr", "2026-01-01T000000Z")}


def test_a_stream_whose_spec_cannot_be_read_does_not_keep_the_sweep_from_the_others(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(ZEPHYR)
    pipeline.post([reading(1)], stream="zephyr")
    pipeline.workers["consumer"].turn()
    for queue in pipeline.queues.values():
        queue._messages.clear()
    pipeline.store.put(keys.spec_key("broken", 1, "oops"), b"oops", ObjectHeaders())
    pipeline.clock.advance(FAR_S)
    pipeline.windower_sweep.run()
    pipeline.run_until_quiet()

    assert pipeline.windows(stream="zephyr")["row_count"].to_list() == [1]


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("segments/sensors/", b""),  # what a console calls a folder
        (keys.segment_key(keys.SegmentAddress("sensors", 0, 0, "b" * 32)), b"no parquet"),
    ],
)
def test_a_stray_or_broken_segment_does_not_keep_the_sweep_from_other_streams(
    tmp_path: Path, key: str, body: bytes
) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(ZEPHYR)
    pipeline.store.put(key, body, ObjectHeaders())
    pipeline.post([reading(1)], stream="zephyr")
    pipeline.workers["consumer"].turn()
    for queue in pipeline.queues.values():
        queue._messages.clear()
    pipeline.clock.advance(FAR_S)
    pipeline.windower_sweep.run()
    pipeline.run_until_quiet()

    assert pipeline.windows(stream="zephyr")["row_count"].to_list() == [1]


def test_a_broken_segment_costs_its_own_bucket(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    broken = keys.SegmentAddress("sensors", 0, 0, "b" * 32)
    pipeline.store.put(keys.segment_key(broken), b"no parquet", ObjectHeaders())
    pipeline.post([reading(1)])
    pipeline.workers["consumer"].turn()
    for queue in pipeline.queues.values():
        queue._messages.clear()
    pipeline.clock.advance(FAR_S)
    pipeline.windower_sweep.run()
    pipeline.run_until_quiet()

    assert pipeline.window_rows() == expected_windows([reading(1)])


def test_a_bucket_is_not_sealed_before_all_its_batches_are_in_the_records_table(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.run_until_quiet()
    pipeline.post([reading(2)])
    pipeline.workers["consumer"].turn()
    pipeline.workers["windower"].turn()
    pipeline.queues["writes"]._messages.clear()
    pipeline.clock.advance(FAR_S)
    pipeline.windower_sweep.run()
    pipeline.run_until_quiet()
    assert pipeline.windows()["is_final"].to_list() == [False]

    pipeline.settle()
    assert pipeline.windows()["is_final"].to_list() == [True]
    assert pipeline.window_rows() == expected_windows([reading(1), reading(2)])
