"""The only way back into the flow: what goes where, under which name, and what is noted (laws 2, 3 and 7)."""

from pathlib import Path

import msgspec
import pytest

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import expected_records, reading
from windrow import keys, quarantine
from windrow.conservation import RECORDS_METADATA, RETURNED_METADATA
from windrow.errors import BadInput, Unavailable
from windrow.inflate import inflate
from windrow.ports import ObjectHeaders, Outgoing
from windrow.receipts import decode_receipt
from windrow_reprocessor.replay import Replayer, ReplayRequest
from windrow_reprocessor.triage import Filter

EPOCH_S = SENSORS.replace("[iso8601]", "[iso8601, epoch_s]")
ZEPHYR = SENSORS.replace("stream: sensors", "stream: zephyr")
ALL_RECORDS = ReplayRequest(kind="record")


def broken(second: int) -> dict[str, object]:
    """A record whose time today's spec cannot read."""
    return {"ts": 1_767_225_600 + second, "sensor": "a", "temperature": 1.0 * second}


def quarantined(folder: Path, *seconds: int) -> Pipeline:
    pipeline = Pipeline(folder)
    pipeline.post([broken(second) for second in seconds])
    pipeline.run_until_quiet()
    return pipeline


def limited(pipeline: Pipeline, max_object_records: int) -> Replayer:
    given = {name: getattr(pipeline.replayer, name) for name in Replayer.__dataclass_fields__}
    return Replayer(**{**given, "max_object_records": max_object_records})


def test_a_replay_lands_the_entries_as_they_were_kept_under_a_name_made_of_them(tmp_path: Path) -> None:
    pipeline = quarantined(tmp_path, 5, 6)
    kept = list(pipeline.triage.records(Filter()))
    [key] = pipeline.replayer.replay(ALL_RECORDS).landing_keys

    stored = pipeline.store.get(key)
    write_id = keys.set_digest(failed.id for failed in kept)
    assert key == keys.replay_landing_key("sensors", write_id, ".replay.ndjson.zst")
    assert quarantine.decode_lines(inflate(stored.body, "zstd", 1 << 20)) == [failed.record for failed in kept]
    assert (stored.info.content_type, stored.info.content_encoding) == (quarantine.REPLAY_TYPE, "zstd")
    assert stored.info.metadata["source"] == "replay"
    assert (stored.info.metadata[RECORDS_METADATA], stored.info.metadata[RETURNED_METADATA]) == ("2", "2")


def test_a_receipt_says_which_lines_of_which_file_landed_where(tmp_path: Path) -> None:
    pipeline = quarantined(tmp_path, 5, 6, 7)
    kept = list(pipeline.triage.records(Filter()))
    [key] = pipeline.replayer.replay(ReplayRequest(ids=(kept[0].id, kept[2].id))).landing_keys

    [info] = pipeline.store.list(keys.replay_receipt_prefix("sensors"))
    receipt = decode_receipt(pipeline.store.get(info.key).body)
    assert (receipt.file_batch, receipt.lines, receipt.landing_key) == (kept[0].file_batch, (0, 2), key)
    assert [failed.line for failed in pipeline.triage.records(Filter())] == [1]


def test_streams_never_share_a_landing_object(tmp_path: Path) -> None:
    pipeline = quarantined(tmp_path, 5)
    pipeline.publish(ZEPHYR)
    pipeline.post([broken(6)], stream="zephyr")
    pipeline.run_until_quiet()
    done = pipeline.replayer.replay(ALL_RECORDS)

    assert done.records == 2
    assert [keys.stream_of_landing_key(key) for key in done.landing_keys] == ["sensors", "zephyr"]


@pytest.mark.parametrize(("most", "objects"), [(1, 5), (2, 3), (5, 1), (100, 1)])
def test_a_landing_object_holds_no_more_records_than_its_limit(tmp_path: Path, most: int, objects: int) -> None:
    pipeline = quarantined(tmp_path, 1, 2, 3, 4, 5)
    done = limited(pipeline, most).replay(ALL_RECORDS)

    assert (done.records, len(done.landing_keys)) == (5, objects)
    held = [int(pipeline.store.head(key).metadata[RECORDS_METADATA]) for key in done.landing_keys]
    assert (sum(held), max(held)) == (5, min(most, 5))


def test_what_the_spec_reads_by_now_reaches_the_tables_and_the_rest_comes_back(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), broken(5), {"ts": "never", "sensor": "a", "temperature": 1}])
    pipeline.upload("more.csv", b"sensor,ts,temperature\na,1767225606,6\na,?,7\n")
    pipeline.run_until_quiet()
    pipeline.publish(EPOCH_S)
    assert pipeline.replayer.replay(ALL_RECORDS).records == 4
    pipeline.settle()

    assert pipeline.record_rows() == expected_records(
        [reading(1), reading(5, temperature=5.0), reading(6, temperature=6.0)]
    )
    left = [(failed.record.reject.reason, failed.record.reject.line) for failed in pipeline.triage.records(Filter())]
    assert sorted(left) == [("bad_time", 3), ("bad_time", 3)]
    assert pipeline.balance().unexplained == 0


def test_a_message_goes_back_to_the_queue_it_was_for(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    for queue in pipeline.queues:
        pipeline.queues[queue].send([Outgoing(f"gibberish on {queue}")])
    pipeline.run_until_quiet()
    pipeline.keep_dead_letters()
    done = pipeline.replayer.replay(ReplayRequest(kind="message"))

    assert (done.messages, done.landing_keys) == (3, ())
    for name, queue in pipeline.queues.items():
        assert queue.bodies() == [f"gibberish on {name}"]
    assert list(pipeline.triage.messages(Filter())) == []


def test_a_message_that_dies_again_waits_again_and_remembers_its_replay(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.queues["writes"].send([Outgoing("gibberish")])
    for replays in range(3):
        pipeline.run_until_quiet()
        pipeline.keep_dead_letters()
        [failed] = pipeline.triage.messages(Filter())
        assert (failed.letter.replays, failed.letter.deaths) == (replays, replays + 1)
        pipeline.replayer.replay(ReplayRequest(kind="message"))


def test_a_message_is_sent_before_it_is_noted_so_that_a_crash_between_loses_nothing(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.queues["writes"].send([Outgoing("gibberish")])
    pipeline.run_until_quiet()
    pipeline.keep_dead_letters()

    def down(operation: str, _key: str) -> None:
        if operation == "put":
            raise Unavailable("connection refused")

    pipeline.store.fault = down
    with pytest.raises(Unavailable):
        pipeline.replayer.replay(ReplayRequest(kind="message"))

    assert pipeline.queues["writes"].bodies() == ["gibberish"]
    pipeline.store.fault = None
    assert len(list(pipeline.triage.messages(Filter()))) == 1


def test_records_have_landed_before_they_are_noted_so_that_a_crash_between_repeats_them_under_the_same_name(
    tmp_path: Path,
) -> None:
    pipeline = quarantined(tmp_path, 5, 6)
    pipeline.publish(EPOCH_S)

    def down(operation: str, key: str) -> None:
        if operation == "put_if_absent" and key.startswith("replays/"):
            raise Unavailable("connection refused")

    pipeline.store.fault = down
    with pytest.raises(Unavailable):
        pipeline.replayer.replay(ALL_RECORDS)
    pipeline.store.fault = None
    first = {info.key for info in pipeline.store.list("landing/sensors/replay/")}
    assert set(pipeline.replayer.replay(ALL_RECORDS).landing_keys) == first
    pipeline.settle()
    assert [row[2] for row in pipeline.record_rows()] == [5.0, 6.0]


def test_an_object_comes_again_as_it_was_with_its_name_at_the_end(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    headers = ObjectHeaders({"records": "3", "owner": "someone"}, "text/csv", "gzip")
    pipeline.store.put("landing/sensors/2026/late.csv.gz", b"not gzip", headers)
    pipeline.run_until_quiet()
    [key] = pipeline.replayer.replay(ReplayRequest(kind="object")).landing_keys

    again = pipeline.store.get(key)
    assert key.endswith("-late.csv.gz")
    assert (again.body, again.info.content_type, again.info.content_encoding) == (b"not gzip", "text/csv", "gzip")
    told = dict(again.info.metadata)
    assert (told["owner"], told["source"], told[RECORDS_METADATA], told[RETURNED_METADATA]) == (
        "someone",
        "replay",
        "3",
        "3",
    )


def test_an_object_that_can_be_read_by_now_reaches_the_tables(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.upload("big.csv", b"sensor,ts,temperature\na,2026-01-01T00:00:05Z,8\n")
    pipeline.limit_objects(10)
    pipeline.run_until_quiet()
    assert pipeline.record_rows() == []
    pipeline.limit_objects(1_000)
    pipeline.replayer.replay(ReplayRequest(kind="object"))
    pipeline.settle()

    assert pipeline.record_rows() == [("a", "2026-01-01T00:00:05Z", 8.0)]
    assert list(pipeline.triage.records(Filter())) == []
    assert pipeline.balance().unexplained == 0


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (ReplayRequest(), "choose what to replay"),
        (ReplayRequest(limit=5, dry_run=True), "choose what to replay"),
        (ReplayRequest(stream="sensors", limit=0), "limit is 0; it must be at least 1"),
        (ReplayRequest(stream="sensors", limit=-3), "limit is -3"),
        (ReplayRequest(stream="../sensors"), "is not a stream name"),
    ],
)
def test_a_request_that_chooses_nothing_or_nonsense_is_bad_input(
    tmp_path: Path, request_: ReplayRequest, message: str
) -> None:
    pipeline = quarantined(tmp_path, 5)
    with pytest.raises(BadInput, match=message):
        pipeline.replayer.replay(request_)

    assert len(list(pipeline.triage.records(Filter()))) == 1


def test_a_dry_run_counts_as_the_real_one_would(tmp_path: Path) -> None:
    pipeline = quarantined(tmp_path, 5, 6, 7)
    for limit in (None, 2):
        request = ReplayRequest(stream="sensors", limit=limit, dry_run=True)
        before = list(pipeline.store.list("landing/"))
        dry = pipeline.replayer.replay(request)
        assert (dry.dry_run, dry.landing_keys, list(pipeline.store.list("landing/"))) == (True, (), before)
    real = pipeline.replayer.replay(msgspec.structs.replace(request, dry_run=False))
    assert (real.records, dry.records) == (2, 2)
