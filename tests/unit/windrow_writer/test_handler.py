"""Many pointers, few commits; and each pointer an outcome of its own, whatever its neighbours are."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
import structlog

from tests.support.chaos import HookedLake, Killed, lose_replies
from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import START, expected_records, expected_windows, reading
from windrow import keys, messages
from windrow.backfill import Backfill
from windrow.errors import Unavailable
from windrow.lake.tables import Place, batch_mark, place_mark
from windrow.messages import BatchDecoded, Refresh, Refreshed
from windrow.outcomes import Dead, Done, Outcome, Retry
from windrow.ports import Outgoing

ZEPHYR = SENSORS.replace("stream: sensors", "stream: zephyr")
WITH_PRESSURE = SENSORS.replace("  humidity: int\n", "  humidity: int\n  pressure: float\n")
RETYPED = SENSORS.replace("humidity: int", "humidity: bool")
BUCKET = Place(1_767_225_600_000_000, 0)
VISITS = SENSORS.replace("size: 1m", "kind: session\n    gap: 10m")
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


def seal_of(pipeline: Pipeline) -> str:
    """What the sweep says to leave each record of the bucket once."""
    pipeline.refresher.seal_records("sensors", BUCKET)
    [seal] = take(pipeline, Refreshed)
    return seal


def labels_of(pipeline: Pipeline, name: str, **wanted: str) -> list[dict[str, str]]:
    """The labels under which something was counted, where they include these."""
    counted = [dict(labels) for counter, labels in pipeline.metrics.counts if counter == name]
    return [labels for labels in counted if wanted.items() <= labels.items()]


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
    pipeline.writer_handler.loader = replace(pipeline.writer_handler.loader, max_rows=4)
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


def test_a_commit_reads_no_further_batch_once_its_memory_is_used_up(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.writer_handler.loader = replace(pipeline.writer_handler.loader, max_bytes=1)
    pointers = [decode(pipeline, reading(60 * number), reading(60 * number + 1)) for number in range(3)]
    write(pipeline, *pointers)

    table = pipeline.lake.delta("sensors", "records")
    assert table is not None
    metrics = [entry["operationMetrics"] for entry in table.history() if "operationMetrics" in entry]
    assert [int(each["num_added_rows"]) for each in metrics] == [2, 2, 2]


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
    after = decode(pipeline, reading(3, humidity=True))
    if together:
        done, dead = write(pipeline, before, after)
    else:
        [dead], [done] = write(pipeline, after), write(pipeline, before)

    assert done == Done(batch_of(before))
    assert isinstance(dead, Dead)
    assert "column 'humidity' is Int64 in the table and Boolean" in dead.reason
    assert "give the new one another name" in dead.reason
    assert pipeline.records()["humidity"].to_list() == [40, 41]


def test_once_the_old_type_is_back_the_stream_goes_on(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    write(pipeline, decode(pipeline, reading(1, humidity=40)))
    pipeline.publish(RETYPED)
    write(pipeline, decode(pipeline, reading(2, humidity=True)))
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

    assert [type(outcome) for outcome in write(pipeline, *pointers)] == [Done, Done]
    assert pipeline.lake.delta("sensors", "windows_hourly") is None
    assert pipeline.window_rows() == expected_windows([reading(1)])


def test_a_result_that_is_gone_costs_its_own_bucket(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    decode(pipeline, reading(1), reading(-1))
    pointers = refresh(pipeline)
    assert len(pointers) == 2
    message = messages.decode(pointers[0])
    assert isinstance(message, Refreshed)
    folder = keys.results_prefix("sensors", message.table, message.bucket_us, message.shard)
    for info in list(pipeline.store.list(folder)):
        pipeline.store.remove(info.key)
    dead, done = write(pipeline, *pointers)

    assert isinstance(dead, Dead)
    assert folder in dead.reason
    assert isinstance(done, Done)
    assert pipeline.windows().height == 1


def test_a_seal_waits_for_the_batches_of_its_bucket_without_counting_as_a_failure(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pointer = decode(pipeline, reading(1), reading(1))

    seal = seal_of(pipeline)
    assert write(pipeline, seal) == [Retry("1 batches of the bucket are not in the records table yet", 2.0)]

    write(pipeline, pointer)
    assert [type(outcome) for outcome in write(pipeline, seal)] == [Done]
    assert (len(pipeline.record_rows()), pipeline.balance().duplicate) == (1, 1)


def test_a_batch_and_the_seal_of_its_bucket_may_come_in_one_group_in_any_order(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pointer = decode(pipeline, reading(1), reading(1))
    outcomes = write(pipeline, seal_of(pipeline), pointer)

    assert [type(outcome) for outcome in outcomes] == [Done, Done]
    assert (len(pipeline.record_rows()), pipeline.balance().duplicate) == (1, 1)


def test_a_seal_of_records_makes_no_window_final_and_a_final_result_seals_no_records(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pointer = decode(pipeline, reading(1), reading(1))
    write(pipeline, pointer, *refresh(pipeline), seal_of(pipeline))
    assert pipeline.windows()["is_final"].to_list() == [False]

    pipeline.refresher.refresh("sensors", "every_minute", BUCKET, is_final=True)
    before = commits(pipeline)
    write(pipeline, *take(pipeline, Refreshed))
    assert pipeline.windows()["is_final"].to_list() == [True]
    assert commits(pipeline) == before


def state(pipeline: Pipeline) -> tuple[int, list[str]]:
    """Version and files of the windows table."""
    table = pipeline.lake.delta("sensors", "windows_every_minute")
    assert table is not None
    return table.version(), sorted(table.file_uris())


def test_a_result_without_windows_is_a_mark_and_no_rows(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(VISITS)
    decode(pipeline, reading(-60))
    write(pipeline, *refresh(pipeline))
    version, files = state(pipeline)
    decode(pipeline, reading(60))  # goes on with the session of the bucket before
    pipeline.refresher.refresh("sensors", "every_minute", BUCKET)
    assert [type(outcome) for outcome in write(pipeline, *take(pipeline, Refreshed))] == [Done]

    handle = pipeline.lake.open("sensors", "windows_every_minute")
    assert handle is not None
    assert handle.mark(place_mark(BUCKET)) is not None
    assert handle.read([BUCKET]).is_empty()
    assert state(pipeline) == (version + 1, files)


def test_windows_that_have_moved_to_another_bucket_are_taken_out_of_the_one_they_were_in(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(VISITS)
    decode(pipeline, reading(60))
    write(pipeline, *refresh(pipeline))
    assert pipeline.windows()["_bucket"].to_list() == [BUCKET.bucket_us]
    decode(pipeline, reading(-60))
    write(pipeline, *refresh(pipeline))

    assert pipeline.windows().select("_bucket", "row_count").rows() == [(BUCKET.bucket_us - 3_600_000_000, 2)]


# ------------------------------------------------------------------------------------------------ newer specs

WARMER = SENSORS.replace("temperature_sum: sum(temperature)", "temperature_sum: max(temperature)")


def recomputed(pipeline: Pipeline, text: str, is_final: bool = False) -> list[str]:
    """Publish a spec and have what is there computed by it, from the same inputs."""
    pipeline.publish(text)
    spec = pipeline.catalog.current("sensors")
    backfill = Backfill(
        store=pipeline.store,
        lake=pipeline.lake,
        results=pipeline.refresher.results,
        clock=pipeline.clock,
        published=spec,
    )
    for piece in backfill.pieces(["every_minute"], None, None):
        backfill.run(piece)
    pointers = take(pipeline, Refreshed)
    [message] = map(messages.decode, pointers)
    assert isinstance(message, Refreshed)
    assert message.is_final is is_final
    return pointers


def test_a_newer_spec_with_as_many_inputs_replaces_what_an_older_one_computed(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pointer = decode(pipeline, reading(1), reading(2))
    old = refresh(pipeline)
    write(pipeline, pointer, *old)
    assert pipeline.windows()["temperature_sum"].to_list() == [43.0]
    new = recomputed(pipeline, WARMER)
    write(pipeline, *new)
    assert pipeline.windows()["temperature_sum"].to_list() == [22.0]

    before = state(pipeline)
    write(pipeline, *old)  # an old pointer comes again
    write(pipeline, *new)
    assert pipeline.windows()["temperature_sum"].to_list() == [22.0]
    assert state(pipeline) == before


def test_a_newer_spec_changes_a_final_window_by_a_revision_and_leaves_it_final(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), reading(2)])
    pipeline.settle()
    write(pipeline, *recomputed(pipeline, WARMER, is_final=True))

    assert pipeline.windows().select("temperature_sum", "revision", "is_final").rows() == [(22.0, 1, True)]


# ------------------------------------------------------------------------------------------------ late records


def ledger(pipeline: Pipeline) -> pl.DataFrame:
    table = pipeline.lake.delta("sensors", "late")
    return pl.DataFrame() if table is None else pl.scan_delta(table).collect().sort("ts", "_batch")


def sealed(folder: Path, text: str = SENSORS) -> Pipeline:
    """A stream of two buckets, both sealed."""
    pipeline = Pipeline(folder)
    pipeline.publish(text)
    pipeline.post([reading(-1), reading(1), reading(61)])
    pipeline.settle()
    assert ledger(pipeline).is_empty()
    return pipeline


def test_what_comes_after_the_seal_is_entered_in_the_ledger_and_still_counts(tmp_path: Path) -> None:
    pipeline = sealed(tmp_path)
    pipeline.post([reading(2), reading(30)])
    pipeline.settle()

    found = ledger(pipeline)
    assert found.select("sensor", "late_by_s", "windows", "_bucket").rows() == [
        ("a", 0.0, ["every_minute"], BUCKET.bucket_us),
        ("a", 0.0, ["every_minute"], BUCKET.bucket_us),
    ]
    assert found["watermark"].to_list() == [START + timedelta(seconds=61 - 300)] * 2
    assert found["_received_at"].null_count() == 0
    assert pipeline.window_rows() == expected_windows([reading(s) for s in (-1, 1, 2, 30, 61)])


def test_how_late_a_record_is_is_told_from_the_watermark_before_it(tmp_path: Path) -> None:
    pipeline = sealed(tmp_path)
    pipeline.post([reading(7_200)])
    pipeline.run_until_quiet()
    pipeline.post([reading(5)])
    pipeline.run_until_quiet()

    assert ledger(pipeline)["late_by_s"].to_list() == [7_200 - 300 - 5]


def test_what_comes_before_the_seal_is_not_late_however_old_it_is(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(0)])
    pipeline.run_until_quiet()
    pipeline.post([reading(-86_400 * 30)])  # history, loaded behind what is there
    pipeline.settle()

    assert pipeline.lake.delta("sensors", "late") is None
    assert pipeline.metrics.total("records_late") == 0


def test_only_those_of_a_batch_whose_bucket_is_sealed_are_late(tmp_path: Path) -> None:
    pipeline = sealed(tmp_path)
    pipeline.clock.advance(86_400)
    pipeline.post([reading(2), reading(3_600 * 20)])
    pipeline.run_until_quiet()

    assert ledger(pipeline)["ts"].to_list() == [START + timedelta(seconds=2)]
    assert pipeline.metrics.total("records_late") == 1


def test_an_entry_names_the_windows_that_were_final_wherever_they_begin_and_no_others(tmp_path: Path) -> None:
    others = """
  hours:
    {kind: sliding, size: 3h, slide: 1h, aggregates: {n: count}}
  visits:
    {kind: session, gap: 10m, aggregates: {n: count}}
  months:
    {size: 1mo, aggregates: {n: count}}
"""
    pipeline = sealed(tmp_path, SENSORS + others.lstrip("\n"))
    pipeline.post([reading(2)])
    pipeline.run_until_quiet()

    assert ledger(pipeline)["windows"].to_list() == [["every_minute", "hours", "visits"]]


def test_a_batch_that_is_sent_again_is_entered_once(tmp_path: Path) -> None:
    pipeline = sealed(tmp_path)
    pointer = decode(pipeline, reading(2))
    write(pipeline, pointer, pointer)
    write(pipeline, pointer)

    assert ledger(pipeline).height == 1


def test_a_crash_between_the_ledger_and_the_append_leads_to_one_entry(tmp_path: Path) -> None:
    pipeline = sealed(tmp_path)
    pointer = decode(pipeline, reading(2))
    seen: list[str] = []

    def hook(operation: str) -> None:
        seen.append(operation)
        if seen == ["commit", "commit.after", "commit"]:
            raise Killed

    pipeline.writer_handler.lake = HookedLake(pipeline.lake, hook)
    with pytest.raises(Killed):
        write(pipeline, pointer)
    assert ledger(pipeline).height == 1  # it stands there first
    assert len(pipeline.record_rows()) == 3

    write(pipeline, pointer)
    assert ledger(pipeline).height == 1
    assert len(pipeline.record_rows()) == 4


def test_a_crash_before_the_ledger_leads_to_neither_entry_nor_record(tmp_path: Path) -> None:
    pipeline = sealed(tmp_path)
    pointer = decode(pipeline, reading(2))

    def hook(_operation: str) -> None:
        raise Killed

    pipeline.writer_handler.lake = HookedLake(pipeline.lake, hook)
    with pytest.raises(Killed):
        write(pipeline, pointer)
    assert (ledger(pipeline).height, len(pipeline.record_rows())) == (0, 3)

    pipeline.writer_handler.lake = pipeline.lake
    write(pipeline, pointer)
    assert (ledger(pipeline).height, len(pipeline.record_rows())) == (1, 4)


def test_lost_replies_to_commits_enter_nothing_twice(tmp_path: Path) -> None:
    pipeline = sealed(tmp_path)
    pointers = [decode(pipeline, reading(second)) for second in (2, 3, 4)]
    pipeline.writer_handler.lake = HookedLake(pipeline.lake, lose_replies(2, "commit.after"))
    for pointer in pointers:
        write(pipeline, pointer)
        write(pipeline, pointer)

    assert ledger(pipeline).height == 3
    assert len(pipeline.record_rows()) == 6


def test_where_late_records_are_diverted_they_stand_in_records_and_in_the_ledger_only(tmp_path: Path) -> None:
    pipeline = sealed(tmp_path, SENSORS.replace("size: 1m", "size: 1m\n    late: divert"))
    before = pipeline.windows()
    pipeline.post([reading(2), reading(1, temperature=99.0)])
    pipeline.settle()

    assert pipeline.windows().equals(before)
    assert pipeline.record_rows() == expected_records(
        [reading(-1), reading(1, temperature=99.0), reading(2), reading(61)]
    )
    assert ledger(pipeline)["ts"].to_list() == [START + timedelta(seconds=second) for second in (1, 2)]


def test_windows_that_are_still_open_take_what_others_of_the_stream_divert(tmp_path: Path) -> None:
    text = SENSORS.replace("size: 1m", "size: 1m\n    late: divert")
    pipeline = sealed(tmp_path, text + "  daily:\n    size: 24h\n    aggregates: {warmest: max(temperature)}\n")
    pipeline.post([reading(2, temperature=99.0)])
    pipeline.settle()

    assert pipeline.windows("daily")["warmest"].to_list()[-1] == 99.0
    assert len(pipeline.window_rows()) == 3
    assert 99.0 not in [row[3] for row in pipeline.window_rows()]


def test_what_is_diverted_stands_in_the_ledger_even_where_its_bucket_was_empty(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS.replace("size: 1m", "late: divert\n    kind: sliding\n    size: 3h\n    slide: 1h"))
    pipeline.post([reading(5)])
    pipeline.settle()
    pipeline.post([reading(-5_400)])  # two hours before, where nothing was: the window of that hour is final
    pipeline.settle()

    in_window = pipeline.windows().filter(pl.col("_bucket") == BUCKET.bucket_us - 7_200_000_000)["row_count"].to_list()
    assert in_window == [2] or ledger(pipeline).height == 1


def test_what_is_late_for_windows_that_stayed_final_stands_in_the_ledger_while_their_neighbours_are_open_again(
    tmp_path: Path,
) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS.replace("size: 1m", "kind: sliding\n    size: 3h\n    slide: 1h"))
    pipeline.post([reading(5, "a")])
    pipeline.settle()
    pipeline.post([reading(10, "b")])  # opens the windows of b, and leaves those of a as they are
    pipeline.run_until_quiet()
    pipeline.post([reading(-5_400, "a")])  # changes one of a, in a bucket that had no records
    pipeline.run_until_quiet()

    assert ledger(pipeline).select("sensor", "windows").rows() == [("a", ["every_minute"]), ("b", ["every_minute"])]
    pipeline.settle()
    assert sorted(pipeline.windows()["revision"].to_list()) == [0, 0, 0, 0, 0, 0, 0, 1]


def test_what_changes_final_windows_is_late_though_they_are_written_before_its_records(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS.replace("size: 1m", "kind: sliding\n    size: 3h\n    slide: 1h"))
    pipeline.post([reading(5)])
    pipeline.settle()
    pipeline.post([reading(-5_400)])  # changes one of its windows, in a bucket that had no records and was not sealed
    pipeline.workers["consumer"].turn()
    waits = pipeline.queues["writes"].bodies()
    pipeline.queues["writes"]._messages.clear()
    pipeline.run_until_quiet()
    assert (2, 1, False) in pipeline.windows().select("row_count", "revision", "is_final").rows()

    pipeline.queues["writes"].send([Outgoing(body) for body in waits])
    pipeline.settle()
    assert ledger(pipeline).select("sensor", "windows").rows() == [("a", ["every_minute"])]


def until_windows_wait_to_be_final(pipeline: Pipeline) -> None:
    """Let time pass until the windower has asked for final windows, and the writer has not heard of it."""
    pipeline.run_until_quiet()
    for _ in range(8):
        pipeline.clock.advance(3600)
        pipeline.windower_sweep.run()
        asked = [messages.decode(body) for body in pipeline.queues["writes"].bodies()]
        if any(isinstance(each, Refreshed) and each.is_final and each.table != keys.RECORDS_TABLE for each in asked):
            return
        pipeline.run_until_quiet()
    raise AssertionError("no window became final")


@pytest.mark.parametrize("kind", ["sliding\n    size: 3h\n    slide: 1h", "session\n    gap: 2h"])
def test_a_window_is_not_final_while_there_are_records_that_it_does_not_hold(tmp_path: Path, kind: str) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS.replace("size: 1m", f"kind: {kind}"))
    pipeline.post([reading(5)])
    until_windows_wait_to_be_final(pipeline)
    pipeline.post([reading(-5_400)])  # in a bucket that had no records, and so was not sealed
    for service in ("consumer", "writer", "windower"):
        pipeline.workers[service].turn()
    pipeline.settle()

    assert pipeline.windows()["is_final"].all()
    assert pipeline.windows()["revision"].to_list() == [0] * pipeline.windows().height
    assert pipeline.lake.delta("sensors", "late") is None


def test_a_session_that_moves_to_an_earlier_bucket_has_a_revision(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(VISITS)
    pipeline.post([reading(5)])
    pipeline.settle()
    pipeline.post([reading(-5)])
    pipeline.settle()

    assert pipeline.windows().select("row_count", "revision").rows() == [(2, 1)]


# ------------------------------------------------------------------------------------------------ many, and figures


@pytest.mark.parametrize("max_rows", [100_000, 1])
def test_a_sealed_bucket_of_many_small_files_stands_in_one_in_order_each_record_once(
    tmp_path: Path, max_rows: int
) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.writer_handler.sealer = replace(pipeline.writer_handler.sealer, max_rows=max_rows)
    sent = [reading(second, sensor) for second in (40, 10, 30, 20, 50, 10) for sensor in "ba"]
    for record in sent:
        pipeline.post([record])
        pipeline.run_until_quiet()
    table = pipeline.lake.open("sensors", "records")
    assert table is not None
    assert len(table.files()) > 4
    pipeline.settle()
    table = pipeline.lake.open("sensors", "records")
    assert table is not None
    found = table.read([BUCKET]).select("sensor", "ts").rows()

    assert (len(table.files()), len(found), table.mark("windrow.duplicates")) == (1, 10, 2)
    assert found == sorted(found)
    assert pipeline.record_rows() == expected_records(sent)
    assert pipeline.balance().unexplained == 0
    assert {labels["reason"] for labels in labels_of(pipeline, "files_written", table="records")} == {"commit", "seal"}


def test_a_bucket_that_needs_nothing_is_sealed_as_it_lies(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), reading(2)])
    pipeline.run_until_quiet()
    table = pipeline.lake.open("sensors", "records")
    assert table is not None
    before = table.files()
    pipeline.settle()
    after = pipeline.lake.open("sensors", "records")
    assert after is not None

    assert after.mark(place_mark(BUCKET)) is not None
    assert after.files() == before


def test_more_seals_than_fit_into_one_commit_are_all_made(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.writer_handler.sealer = replace(pipeline.writer_handler.sealer, max_places=2)
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
        "records_expired": 0,
    }


def test_a_commit_says_how_long_ago_its_oldest_batch_came_in(tmp_path: Path) -> None:
    pipeline, capture = Pipeline(tmp_path), structlog.testing.LogCapture()
    pipeline.writer_handler.log = structlog.wrap_logger(
        structlog.testing.ReturnLogger(), processors=[capture], wrapper_class=structlog.BoundLogger
    )
    first = decode(pipeline, reading(0))
    pipeline.clock.advance(30)
    second = decode(pipeline, reading(1), reading(2))
    pipeline.writer_handler.handle([second, first])

    [line] = [entry for entry in capture.entries if entry["event"] == "records_committed"]
    assert (line["stream"], line["batches"], line["rows"]) == ("sensors", 2, 3)
    assert line["behind_s"] == 32  # each batch takes a second to be decoded

    pipeline.writer_handler.handle([second, first])
    assert sum(entry["event"] == "records_committed" for entry in capture.entries) == 1
