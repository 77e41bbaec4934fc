"""What the sweep asks for, how often, and that nothing it meets keeps it from the rest (laws 4 and 9)."""

from pathlib import Path

import pytest

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import expected_records, expected_windows, reading
from windrow import keys, messages
from windrow.lake.tables import Place
from windrow.messages import Refreshed
from windrow.ports import ObjectHeaders
from windrow.units import SECOND_US, to_us

HOURLY = SENSORS + "  hourly:\n    size: 1h\n    aggregates: {warmest: max(temperature)}\n"
ZEPHYR = SENSORS.replace("stream: sensors", "stream: zephyr")
FAR_S = 3_600 * 5
BUCKET_US = 1_767_225_600_000_000


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
    assert pipeline.metrics.total("buckets_sealed") == 2  # the records, and the windows made of them


def test_a_bucket_that_cannot_be_computed_does_not_keep_the_sweep_from_the_others(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(-7_200)])
    pipeline.workers["consumer"].turn()
    pipeline.publish(SENSORS.replace("humidity: int", "humidity: bool"))  # what has come before no longer fits
    pipeline.post([reading(1)])
    pipeline.publish(ZEPHYR)
    pipeline.post([reading(1)], stream="zephyr")
    pipeline.workers["consumer"].turn()
    for queue in pipeline.queues.values():
        queue._messages.clear()
    pipeline.clock.advance(FAR_S)
    pipeline.windower_sweep.run()

    computed = {tuple(info.key.split("/")[1:4]) for info in pipeline.store.list("results/")}
    assert computed == {
        ("sensors", "windows_every_minute", "2026-01-01T000000Z"),
        ("zephyr", "windows_every_minute", "2026-01-01T000000Z"),
    }


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


# ------------------------------------------------------------------------------------------------ windows over buckets

SLIDING = SENSORS.replace("size: 1m", "kind: sliding\n    size: 3h\n    slide: 1h")
VISITS = SENSORS.replace("size: 1m", "kind: session\n    gap: 40m")
HOUR = 3_600


def final(pipeline: Pipeline) -> list[tuple[int, int, bool]]:
    """(hour of the start, row count, final) of each window."""
    found = pipeline.windows().sort("window_start").select("window_start", "row_count", "is_final")
    return [
        ((to_us(start) - BUCKET_US) // (HOUR * SECOND_US), count, is_final) for start, count, is_final in found.rows()
    ]


def expire(pipeline: Pipeline) -> None:
    """What a lifecycle rule does with old segments."""
    for info in list(pipeline.store.list("segments/")):
        pipeline.store.remove(info.key)


def test_windows_are_sealed_after_the_records_they_are_made_of(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.run_until_quiet()
    pipeline.clock.advance(FAR_S)
    pipeline.windower_sweep.run()
    asked = [messages.decode(body) for body in pipeline.queues["writes"].bodies()]
    assert [each.table for each in asked if isinstance(each, Refreshed) and each.is_final] == ["records"]
    pipeline.run_until_quiet()
    assert pipeline.windows()["is_final"].to_list() == [False]

    pipeline.windower_sweep.run()
    pipeline.run_until_quiet()
    assert pipeline.windows()["is_final"].to_list() == [True]


def test_a_window_is_sealed_when_the_watermark_has_passed_all_that_it_reaches_over(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SLIDING)
    pipeline.post([reading(-90 * 60), reading(5 * 60)])
    pipeline.run_until_quiet()
    for _ in range(3):  # records, then windows; the watermark stands at midnight
        pipeline.clock.advance(1)
        pipeline.windower_sweep.run()
        pipeline.run_until_quiet()

    assert final(pipeline) == [(-4, 1, True), (-3, 1, True), (-2, 2, False), (-1, 1, False), (0, 1, False)]


def test_windows_that_begin_where_there_are_no_records_are_sealed_too(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SLIDING)
    pipeline.post([reading(5)])
    pipeline.settle()

    assert final(pipeline) == [(-2, 1, True), (-1, 1, True), (0, 1, True)]


def test_a_session_is_sealed_when_nothing_can_lengthen_it_any_more(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(VISITS)
    pipeline.post([reading(-110 * 60), reading(-75 * 60), reading(-50 * 60), reading(-20 * 60)])
    pipeline.run_until_quiet()
    for _ in range(3):  # the watermark is at 23:35, so the bucket in which the session began is over
        pipeline.clock.advance(1)
        pipeline.windower_sweep.run()
        pipeline.run_until_quiet()
    assert final(pipeline) == [(-2, 4, False)]

    pipeline.settle()
    assert final(pipeline) == [(-2, 4, True)]


@pytest.mark.parametrize("text", [SLIDING, VISITS])
def test_windows_whose_pointers_were_lost_are_found_in_every_bucket_that_owns_some(tmp_path: Path, text: str) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(text)
    pipeline.post([reading(-30 * 60), reading(5)])
    pipeline.workers["consumer"].turn()
    for queue in pipeline.queues.values():
        queue._messages.clear()
    pipeline.settle()

    expected = [(-3, 1, True), (-2, 2, True), (-1, 2, True), (0, 1, True)] if text == SLIDING else [(-1, 2, True)]
    assert final(pipeline) == expected


@pytest.mark.parametrize("text", [SENSORS, SLIDING, VISITS])
def test_what_is_sealed_stays_so_when_its_segments_expire_one_after_the_other(tmp_path: Path, text: str) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(text)
    for second in (-1_800, 1, 2):
        pipeline.post([reading(second)])
        pipeline.clock.advance(1)
    pipeline.settle()
    rows = pipeline.windows()
    commits = pipeline.metrics.total("commits_made")
    for info in list(pipeline.store.list("segments/")):
        pipeline.store.remove(info.key)
        pipeline.clock.advance(3_600)
        pipeline.windower_sweep.run()

    assert pipeline.queues["writes"].bodies() == []
    assert pipeline.metrics.total("commits_made") == commits
    assert pipeline.windows().equals(rows)


def test_a_window_over_buckets_whose_segments_have_expired_is_reopened_whole(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SLIDING)
    old = [reading(-1_800), reading(1), reading(2), reading(900)]
    pipeline.post(old)
    pipeline.settle()
    expire(pipeline)
    pipeline.forget()
    pipeline.post([reading(600)])
    pipeline.settle()
    complete = Pipeline(tmp_path / "complete")
    complete.publish(SLIDING)
    complete.post([*old, reading(600)])
    complete.settle()

    computed = ["window_start", "window_end", "row_count", "temperature_sum", "is_final"]
    assert pipeline.windows().select(computed).equals(complete.windows().select(computed))


def test_where_late_records_are_diverted_final_windows_are_computed_no_more(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS.replace("size: 1m", "size: 1m\n    late: divert"))
    pipeline.post([reading(1)])
    pipeline.settle()
    pipeline.post([reading(2)])
    pipeline.settle()
    computed = pipeline.metrics.total("refreshes_computed")
    pipeline.clock.advance(FAR_S)
    pipeline.windower_sweep.run()

    assert pipeline.queues["writes"].bodies() == []
    assert pipeline.metrics.total("refreshes_computed") == computed
    assert pipeline.window_rows() == expected_windows([reading(1)])
    assert pipeline.windows()["is_final"].to_list() == [True]
    assert pipeline.record_rows() == expected_records([reading(1), reading(2)])


def test_a_reopened_session_whose_first_bucket_has_expired_becomes_final_again(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(VISITS)
    pipeline.post([reading(-1_800), reading(1), reading(2), reading(900)])
    pipeline.settle()
    expire(pipeline)
    pipeline.post([reading(600)])
    pipeline.settle()

    assert pipeline.windows().select("row_count", "is_final").rows() == [(5, True)]


def test_a_month_becomes_final_though_all_its_segments_expired_before_it_ended(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS.replace("size: 1m", "size: 1mo"))
    pipeline.post([reading(1)])
    pipeline.settle()  # its records are sealed; the month goes on
    expire(pipeline)
    pipeline.clock.advance(40 * 86_400)
    pipeline.settle()

    assert pipeline.windows().select("row_count", "is_final").rows() == [(1, True)]


def test_a_late_record_whose_pointer_was_lost_is_found_though_as_many_segments_have_expired(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.settle()
    expire(pipeline)
    pipeline.post([reading(2)])
    pipeline.workers["consumer"].turn()
    pipeline.queues["windows"]._messages.clear()  # the pointer is lost; S3 is the truth (law 4)
    pipeline.settle()

    assert pipeline.window_rows() == expected_windows([reading(1), reading(2)])


def test_windows_whose_pointer_was_lost_are_computed_though_their_records_were_sealed_and_have_expired(
    tmp_path: Path,
) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.workers["consumer"].turn()
    pipeline.queues["windows"]._messages.clear()
    pipeline.run_until_quiet()
    pipeline.refresher.seal_records("sensors", Place(BUCKET_US, 0))
    pipeline.run_until_quiet()
    expire(pipeline)
    pipeline.settle()

    assert pipeline.window_rows() == expected_windows([reading(1)])
    assert pipeline.windows()["is_final"].to_list() == [True]


def test_a_late_record_whose_pointer_was_lost_is_found_though_it_was_sealed_and_has_expired_too(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.settle()
    expire(pipeline)
    pipeline.post([reading(2)])
    pipeline.workers["consumer"].turn()
    pipeline.queues["windows"]._messages.clear()
    pipeline.run_until_quiet()
    pipeline.refresher.seal_records("sensors", Place(BUCKET_US, 0))
    pipeline.run_until_quiet()
    expire(pipeline)
    pipeline.settle()

    assert pipeline.window_rows() == expected_windows([reading(1), reading(2)])


def test_a_window_that_a_new_spec_adds_is_left_to_a_backfill_where_the_segments_have_expired(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.settle()
    expire(pipeline)
    pipeline.publish(HOURLY)
    pipeline.settle()

    assert pipeline.lake.delta("sensors", "windows_hourly") is None


def test_of_what_is_sealed_and_has_expired_a_sweep_reads_nothing(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), reading(2), reading(3_601)])
    pipeline.settle()
    expire(pipeline)
    pipeline.windower_sweep._inputs.clear()
    pipeline.clock.advance(FAR_S)
    pipeline.windower_sweep.run()

    assert not pipeline.windower_sweep._inputs
