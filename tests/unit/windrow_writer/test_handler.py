"""Many pointers, few commits; and each pointer an outcome of its own, whatever its neighbours are."""

from pathlib import Path

import pytest

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import expected_records, expected_windows, reading
from windrow import keys, messages
from windrow.errors import Unavailable
from windrow.lake.tables import Place, batch_mark
from windrow.messages import BatchDecoded, Refresh, Refreshed
from windrow.outcomes import Dead, Done, Outcome, Retry
from windrow_writer.handler import WriterLimits

ZEPHYR = SENSORS.replace("stream: sensors", "stream: zephyr")
WITH_PRESSURE = SENSORS.replace("  humidity: int\n", "  humidity: int\n  pressure: float\n")
RETYPED = SENSORS.replace("humidity: int", "humidity: float")
BUCKET = Place(1_767_225_600_000_000, 0)
HOURLY = SENSORS + "  hourly:\n    size: 1h\n    aggregates: {warmest: max(temperature)}\n"


def decode(pipeline: Pipeline, *records: dict[str, object], stream: str = "sensors") -> str:
    """One batch, decoded; returns its pointer. Nothing is left on the queues."""
    pipeline.post(list(records), stream=stream)
    pipeline.workers["consumer"].turn()
    pipeline.clock.advance(1)
    [pointer] = take(pipeline, BatchDecoded)
    return pointer


def refresh(pipeline: Pipeline) -> list[str]:
    """What the windower says once it has refreshed everything."""
    pipeline.workers["windower"].turn()
    return take(pipeline, Refreshed)


def take(pipeline: Pipeline, kind: type) -> list[str]:
    bodies = pipeline.queues["writes"].bodies()
    pipeline.queues["writes"]._messages.clear()
    return [body for body in bodies if isinstance(messages.decode(body), kind)]


def batch_of(pointer: str) -> str:
    message = messages.decode(pointer)
    assert isinstance(message, BatchDecoded)
    return message.batch


def write(pipeline: Pipeline, *pointers: str) -> list[Outcome]:
    return list(pipeline.writer_handler.handle(pointers))


def commits(pipeline: Pipeline, table: str = "records", stream: str = "sensors") -> int:
    return pipeline.metrics.counts["commits_made", (("stream", stream), ("table", table))]


# ------------------------------------------------------------------------------------------------ records


def test_the_batches_of_a_group_share_one_commit(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pointers = [decode(pipeline, reading(second)) for second in range(5)]
    outcomes = write(pipeline, *pointers, *pointers)

    assert outcomes == [Done(batch_of(pointer)) for pointer in pointers] * 2
    assert pipeline.record_rows() == expected_records([reading(second) for second in range(5)])
    assert commits(pipeline) == 1


def test_a_commit_holds_no_more_rows_than_its_limit_except_those_of_one_batch(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.writer_handler.limits = WriterLimits(max_commit_rows=4, max_seal_places=64)
    sizes = [2, 2, 1, 6, 3]
    pointers = [
        decode(pipeline, *(reading(60 * number + second) for second in range(size)))
        for number, size in enumerate(sizes)
    ]
    write(pipeline, *pointers)

    assert len(pipeline.record_rows()) == sum(sizes)
    table = pipeline.lake.delta("sensors", "records")
    assert table is not None
    added = [
        int(entry["operationMetrics"]["num_added_rows"]) for entry in table.history() if "operationMetrics" in entry
    ]
    assert sum(added) == sum(sizes)
    assert all(rows <= 4 or rows == 6 for rows in added)


def test_a_batch_without_rows_is_marked_and_counted(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pointer = decode(pipeline, {"ts": "never"}, {"ts": "neither"})
    assert write(pipeline, pointer) == [Done(batch_of(pointer))]

    handle = pipeline.lake.open("sensors", "records")
    assert handle is not None
    assert handle.mark(batch_mark(batch_of(pointer))) == 1
    assert (handle.row_count(), pipeline.balance().quarantined) == (0, 2)


def test_two_streams_in_one_group_are_two_tables(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(ZEPHYR)
    one, other = decode(pipeline, reading(1)), decode(pipeline, reading(2), stream="zephyr")
    outcomes = write(pipeline, one, *refresh(pipeline), other)

    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert pipeline.record_rows() == expected_records([reading(1)])
    assert pipeline.records("zephyr").height == pipeline.windows(stream="zephyr").height == 1
    assert (commits(pipeline), commits(pipeline, stream="zephyr")) == (1, 1)


def test_a_stream_that_is_gone_takes_no_other_stream_with_it(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    good = decode(pipeline, reading(1))
    lost = messages.encode(BatchDecoded(stream="lost", batch="b" * 32, row_count=1))
    done, dead = write(pipeline, good, lost)

    assert done == Done(batch_of(good))
    assert isinstance(dead, Dead)
    assert "there is no stream 'lost'" in dead.reason


@pytest.mark.parametrize("zone", ["batches/", "segments/"])
def test_a_manifest_or_segment_that_is_gone_costs_its_own_batch(tmp_path: Path, zone: str) -> None:
    pipeline = Pipeline(tmp_path)
    first, second, third = (decode(pipeline, reading(number)) for number in range(3))
    gone = next(info.key for info in pipeline.store.list(zone) if batch_of(second) in info.key)
    pipeline.store.remove(gone)
    outcomes = write(pipeline, first, second, third)

    assert outcomes == [
        Done(batch_of(first)),
        Dead(f"sensors, batch {batch_of(second)}: GET {gone}: NoSuchKey"),
        Done(batch_of(third)),
    ]
    assert pipeline.record_rows() == expected_records([reading(0), reading(2)])


def test_a_batch_that_cannot_be_read_now_comes_again_and_the_others_are_committed(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    first, second = decode(pipeline, reading(1)), decode(pipeline, reading(2))

    def slow(operation: str, key: str) -> None:
        if operation == "get" and key.startswith("batches/") and batch_of(second) in key:
            raise Unavailable("slow down")

    pipeline.store.fault = slow
    assert write(pipeline, first, second) == [Done(batch_of(first)), Retry("slow down")]
    assert pipeline.record_rows() == expected_records([reading(1)])


def test_messages_of_another_kind_are_dead_and_their_neighbours_are_not(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    good = decode(pipeline, reading(1))
    foreign = messages.encode(Refresh(stream="sensors", bucket_us=0, shard=0))
    done, gibberish, strange = write(pipeline, good, "gibberish", foreign)

    assert done == Done(batch_of(good))
    assert isinstance(gibberish, Dead)
    assert strange == Dead("a Refresh message does not belong on the writes queue")


# ------------------------------------------------------------------------------------------------ specs that change


def test_batches_from_before_and_after_a_column_was_added_share_a_commit(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    before = decode(pipeline, reading(1))
    pipeline.publish(WITH_PRESSURE)
    after = decode(pipeline, reading(2, pressure=1013.25))
    outcomes = write(pipeline, before, after)

    assert outcomes == [Done(batch_of(before)), Done(batch_of(after))]
    assert pipeline.records().select("temperature", "pressure").rows() == [(21.0, None), (22.0, 1013.25)]
    assert commits(pipeline) == 1


def test_a_table_that_stands_already_takes_a_new_column(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    write(pipeline, decode(pipeline, reading(1)))
    pipeline.publish(WITH_PRESSURE)
    write(pipeline, decode(pipeline, reading(2, pressure=1013.25)))

    assert pipeline.records()["pressure"].to_list() == [None, 1013.25]


def test_a_batch_from_before_a_column_was_dropped_is_still_committed_whole(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(WITH_PRESSURE)
    before = decode(pipeline, reading(1, pressure=1013.25))
    pipeline.publish(SENSORS)
    write(pipeline, before, decode(pipeline, reading(2)))

    assert pipeline.records()["pressure"].to_list() == [1013.25, None]


@pytest.mark.parametrize("together", [True, False])
def test_when_a_column_changes_its_type_only_batches_of_the_new_type_are_dead(tmp_path: Path, together: bool) -> None:
    pipeline = Pipeline(tmp_path)
    write(pipeline, decode(pipeline, reading(1, humidity=40)))
    before = decode(pipeline, reading(2, humidity=41))
    pipeline.publish(RETYPED)
    after = decode(pipeline, reading(3, humidity=41.5))
    if together:
        done, dead = write(pipeline, before, after)
    else:
        [dead], [done] = write(pipeline, after), write(pipeline, before)

    assert done == Done(batch_of(before))
    assert isinstance(dead, Dead)
    assert "column 'humidity' is Int64 in the table and Float64" in dead.reason
    assert "give the new one another name" in dead.reason
    assert pipeline.records()["humidity"].to_list() == [40, 41]


def test_once_the_old_type_is_back_the_stream_goes_on(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    write(pipeline, decode(pipeline, reading(1, humidity=40)))
    pipeline.publish(RETYPED)
    write(pipeline, decode(pipeline, reading(2, humidity=41.5)))
    pipeline.publish(SENSORS)
    pointer = decode(pipeline, reading(3, humidity=42))

    assert write(pipeline, pointer) == [Done(batch_of(pointer))]
    assert pipeline.records()["humidity"].to_list() == [40, 42]


# ------------------------------------------------------------------------------------------------ windows and seals


def test_of_results_that_outgrow_each_other_in_one_group_only_the_last_is_written(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pointers = []
    for second in range(4):
        decode(pipeline, reading(second))
        pointers += refresh(pipeline)
    outcomes = write(pipeline, *reversed(pointers))

    assert len(set(outcomes)) == 1
    assert commits(pipeline, "windows_every_minute") == 1
    assert pipeline.window_rows() == expected_windows([reading(second) for second in range(4)])


def test_a_window_that_is_no_longer_defined_is_no_longer_written(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(HOURLY)
    decode(pipeline, reading(1))
    pointers = refresh(pipeline)
    pipeline.publish(SENSORS)

    assert [type(outcome) for outcome in write(pipeline, *pointers)] == [Done]
    assert pipeline.lake.delta("sensors", "windows_hourly") is None
    assert pipeline.window_rows() == expected_windows([reading(1)])


def test_a_result_that_is_gone_costs_its_own_bucket(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    decode(pipeline, reading(1), reading(-1))
    pointers = refresh(pipeline)
    assert len(pointers) == 2
    message = messages.decode(pointers[0])
    assert isinstance(message, Refreshed)
    folder = keys.results_prefix("sensors", message.bucket_us, message.shard)
    for info in list(pipeline.store.list(folder)):
        pipeline.store.remove(info.key)
    dead, done = write(pipeline, *pointers)

    assert isinstance(dead, Dead)
    assert folder in dead.reason
    assert isinstance(done, Done)
    assert pipeline.windows().height == 1


def test_a_seal_waits_for_the_batches_of_its_bucket_without_counting_as_a_failure(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pointer = decode(pipeline, reading(1))
    refresh(pipeline)

    pipeline.refresher.refresh("sensors", BUCKET, is_final=True)
    [seal] = take(pipeline, Refreshed)
    assert write(pipeline, seal) == [Retry("1 batches of the bucket are not in the records table yet", 2.0)]

    write(pipeline, pointer)
    assert [type(outcome) for outcome in write(pipeline, seal)] == [Done]
    assert pipeline.windows()["is_final"].to_list() == [True]


def test_a_batch_and_the_seal_of_its_bucket_may_come_in_one_group_in_any_order(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pointer = decode(pipeline, reading(1), reading(1))
    refresh(pipeline)
    pipeline.refresher.refresh("sensors", BUCKET, is_final=True)
    outcomes = write(pipeline, *take(pipeline, Refreshed), pointer)

    assert [type(outcome) for outcome in outcomes] == [Done, Done]
    assert (len(pipeline.record_rows()), pipeline.balance().duplicate) == (1, 1)


def test_more_seals_than_fit_into_one_commit_are_all_made(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.writer_handler.limits = WriterLimits(max_commit_rows=100, max_seal_places=2)
    hours = [reading(-3_600 * hour) for hour in range(5)]
    pipeline.post([*hours, *hours])
    pipeline.settle()

    assert pipeline.record_rows() == expected_records(hours)
    assert pipeline.balance().duplicate == 5
    assert pipeline.windows()["is_final"].all()


def test_figures_are_shown_as_of_the_latest_commit(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    write(pipeline, decode(pipeline, reading(1), reading(2), {"ts": "never"}))

    shown = {
        name: value for (name, labels), value in pipeline.metrics.gauges.items() if ("stream", "sensors") in labels
    }
    assert shown == {
        "records_received": 3,
        "records_written": 2,
        "records_duplicate": 0,
        "records_filtered_out": 0,
        "records_in_quarantine": 1,
    }
