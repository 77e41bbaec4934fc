"""From a landed object to what follows from it: by whose spec, under which names, and what a bad one costs."""

from pathlib import Path

import polars as pl
import pytest

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import reading
from windrow import keys, manifest, messages
from windrow.errors import Unavailable
from windrow.lake.tables import Place
from windrow.manifest import Manifest
from windrow.messages import BatchDecoded, Landed, Refresh, Refreshed
from windrow.outcomes import Dead, Done, Retry
from windrow.ports import ObjectHeaders
from windrow_reprocessor.triage import Filter

HOUR_US = 3_600_000_000
START_US = 1_767_225_600_000_000
CSV = b"sensor,ts,temperature\na,2026-01-01T00:00:01Z,1\nb,2025-12-31T23:59:59Z,2\na,?,3\n"


def manifests(pipeline: Pipeline) -> list[Manifest]:
    found = pipeline.store.list(keys.manifest_prefix("sensors"))
    return [manifest.decode(pipeline.store.get(info.key).body) for info in found]


def landed(key: str) -> str:
    return messages.encode(Landed(key=key))


def upload(pipeline: Pipeline, name: str, body: bytes, **metadata: str) -> str:
    key = f"landing/sensors/{name}"
    headers = ObjectHeaders({key.replace("_", "-"): value for key, value in metadata.items()}, "text/csv")
    pipeline.store.put(key, body, headers)
    return key


def test_a_manifest_tells_what_became_of_every_record(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    key = upload(pipeline, "a.csv", CSV)
    landed_us = pipeline.clock.now_us()
    [outcome] = pipeline.consumer_handler.handle([landed(key)])

    batch = keys.batch_id(key, pipeline.store.head(key).etag)
    [found] = manifests(pipeline)
    assert outcome == Done(f"sensors/{batch}")
    assert (found.stream, found.batch, found.landing_key, found.spec_version) == ("sensors", batch, key, 1)
    assert (found.decoded, found.accepted, found.quarantined, found.returned) == (3, 2, 1, 0)
    assert (found.source, found.received_us, found.max_time_us) == ("upload", landed_us, START_US + 1_000_000)
    places = [(entry.bucket_us, entry.shard, entry.row_count) for entry in found.segments]
    assert places == [(START_US - HOUR_US, 0, 1), (START_US, 0, 1)]
    for entry in found.segments:
        address = keys.SegmentAddress("sensors", entry.bucket_us, entry.shard, batch)
        assert len(pipeline.store.get(keys.segment_key(address)).body) == entry.size_bytes


def test_each_place_and_the_batch_are_pointed_at_once(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.consumer_handler.handle([landed(upload(pipeline, "a.csv", CSV))])

    [found] = manifests(pipeline)
    assert [messages.decode(body) for body in pipeline.queues["windows"].bodies()] == [
        Refresh(stream="sensors", bucket_us=START_US - HOUR_US, shard=0),
        Refresh(stream="sensors", bucket_us=START_US, shard=0),
    ]
    assert [messages.decode(body) for body in pipeline.queues["writes"].bodies()] == [
        BatchDecoded(stream="sensors", batch=found.batch, row_count=2)
    ]


def test_an_object_decoded_before_is_only_pointed_at_again(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    key = upload(pipeline, "a.csv", CSV)
    pipeline.consumer_handler.handle([landed(key)])
    pipeline.publish(SENSORS.replace("humidity: int", "humidity: float"))
    puts: list[str] = []
    pipeline.store.fault = lambda operation, key: puts.append(key) if operation.startswith("put") else None
    pipeline.consumer_handler.handle([landed(key)])

    assert puts == []
    assert len(pipeline.queues["writes"].bodies()) == 2
    assert pipeline.metrics.total("batches_decoded") == 1


def test_an_object_is_decoded_by_the_spec_that_was_current_when_it_landed(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    body = b"sensor,ts,temperature\na,1767225605,1\n"
    before = upload(pipeline, "before.csv", body)
    pipeline.clock.advance(1)
    pipeline.publish(SENSORS.replace("[iso8601]", "[epoch_s]"))
    after = upload(pipeline, "after.csv", body)
    pipeline.consumer_handler.handle([landed(after), landed(before)])

    told = {found.landing_key: (found.spec_version, found.accepted) for found in manifests(pipeline)}
    assert told == {before: (1, 0), after: (2, 1)}


def test_an_overwritten_upload_is_another_batch(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    key = upload(pipeline, "a.csv", CSV)
    pipeline.consumer_handler.handle([landed(key)])
    upload(pipeline, "a.csv", CSV + b"c,2026-01-01T00:00:05Z,9\n")
    pipeline.consumer_handler.handle([landed(key)])

    assert sorted(found.accepted for found in manifests(pipeline)) == [2, 3]


def test_an_object_without_a_good_record_has_a_manifest_and_no_segment(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    for name, body in (("a.csv", b"sensor,ts,temperature\n,,\n"), ("b.csv", b"sensor,ts,temperature\n")):
        pipeline.consumer_handler.handle([landed(upload(pipeline, name, body))])

    assert sorted((found.decoded, found.accepted) for found in manifests(pipeline)) == [(0, 0), (1, 0)]
    assert all((found.segments, found.max_time_us) == ((), None) for found in manifests(pipeline))
    assert pipeline.queues["windows"].bodies() == []
    assert len(pipeline.queues["writes"].bodies()) == 2


def test_lines_of_which_none_is_an_object_are_kept_one_by_one(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.store.put("landing/sensors/a.ndjson", b"?\n[1]\n", ObjectHeaders())
    pipeline.run_until_quiet()

    found = [(each.kind, each.record.reject.reason, each.record.raw()) for each in pipeline.triage.records(Filter())]
    assert found == [("record", "malformed_json", b"?"), ("record", "not_an_object", b"[1]")]


# ------------------------------------------------------------------------------------------------ uploads

ODD_METADATA = ["", "x", "-1", "1e3", "9" * 40, " 5", "1.0"]


@pytest.mark.parametrize("value", ODD_METADATA)
def test_metadata_that_is_no_number_is_left_aside(tmp_path: Path, value: str) -> None:
    pipeline = Pipeline(tmp_path)
    good = upload(pipeline, "a.csv", CSV, received_us=value, records=value, returned=value)
    bad = upload(pipeline, "b.csv.gz", CSV, received_us=value, records=value, returned=value)
    outcomes = pipeline.consumer_handler.handle([landed(good), landed(bad)])

    assert [type(outcome) for outcome in outcomes] == [Done, Done]
    told = {found.landing_key: (found.decoded, found.returned, found.received_us) for found in manifests(pipeline)}
    assert told == {good: (3, 0, pipeline.clock.now_us()), bad: (1, 0, pipeline.clock.now_us())}


def test_an_unreadable_object_stands_for_as_many_records_as_its_sender_said(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.consumer_handler.handle([landed(upload(pipeline, "b.csv.gz", CSV, records="7"))])

    [found] = manifests(pipeline)
    assert (found.decoded, found.accepted, found.quarantined) == (7, 0, 7)
    [failed] = pipeline.triage.records(Filter())
    assert (failed.kind, failed.record.record_count, failed.record.data) == ("object", 7, "landing/sensors/b.csv.gz")


def test_an_object_over_the_limit_is_never_read(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.limit_objects(len(CSV) - 1)
    pipeline.consumer_handler.handle([landed(upload(pipeline, "a.csv", CSV))])

    [failed] = pipeline.triage.records(Filter())
    assert failed.record.reject.reason == "unreadable_object"
    assert f"the limit is {len(CSV) - 1}" in failed.record.reject.message


def test_a_decoder_that_panics_costs_the_object_and_not_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline(tmp_path)

    def panic(*_: object) -> None:
        raise pl.exceptions.PanicException("index out of bounds")

    monkeypatch.setattr("windrow_consumer.landing.decode", panic)
    [outcome] = pipeline.consumer_handler.handle([landed(upload(pipeline, "a.csv", CSV))])

    assert isinstance(outcome, Done)
    [failed] = pipeline.triage.records(Filter())
    assert failed.record.reject.message == "the decoder failed on this object: index out of bounds"


# ------------------------------------------------------------------------------------------------ outcomes


def test_each_message_has_an_outcome_of_its_own(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    good = upload(pipeline, "a.csv", CSV)
    refreshed = Refreshed(
        stream="sensors",
        table="windows_w",
        bucket_us=0,
        shard=0,
        input_count=1,
        input_digest="d",
        spec_version=1,
        is_final=False,
    )
    outcomes = pipeline.consumer_handler.handle(
        [
            landed(good),
            "gibberish",
            '{"Event":"s3:TestEvent"}',
            messages.encode(refreshed),
            landed("landing/sensors/gone.csv"),
            landed("landing/nothing/a.csv"),
            landed("elsewhere/sensors/a.csv"),
            landed("landing/../a.csv"),
        ]
    )

    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Done, Dead, Done, Dead, Dead, Dead, Dead, Dead]
    reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, Dead)]
    for reason, part in zip(
        reasons,
        [
            "not an S3 event",
            "does not belong on the landed queue",
            "NoSuchKey",
            "NoSuchKey",
            "not a landing key",
            "not a stream name",
        ],
        strict=True,
    ):
        assert part in reason


def test_a_store_that_does_not_answer_is_asked_again_later(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    key = upload(pipeline, "a.csv", CSV)

    def down(operation: str, _key: str) -> None:
        if operation == "put_if_absent":
            raise Unavailable("slow down")

    pipeline.store.fault = down
    [outcome] = pipeline.consumer_handler.handle([landed(key)])

    assert outcome == Retry("slow down")
    assert pipeline.queues["writes"].bodies() == []


def test_a_shard_is_a_place_of_its_own(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS.replace("bucket: 1h", "bucket: 1h\nshards: 4"))
    pipeline.post([reading(second, f"s{second}") for second in range(20)])
    pipeline.workers["consumer"].turn()

    [found] = manifests(pipeline)
    assert {entry.shard for entry in found.segments} == {0, 1, 2, 3}
    pointed = [messages.decode(body) for body in pipeline.queues["windows"].bodies()]
    places = {Place(each.bucket_us, each.shard) for each in pointed if isinstance(each, Refresh)}
    assert places == {Place(START_US, shard) for shard in range(4)}
