"""What failed, in one list, whatever its kind."""

from pathlib import Path

import pytest

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import reading
from windrow import messages
from windrow.errors import BadInput, NotFound
from windrow.messages import BatchDecoded, Landed, Refresh, Refreshed
from windrow.ports import ObjectHeaders, Outgoing
from windrow_reprocessor.triage import Filter

NEVER = {"ts": "never", "sensor": "a", "temperature": 1}


def dead(pipeline: Pipeline, queue: str, body: str) -> None:
    """A message that died on its queue, kept."""
    pipeline.dead[queue].send([Outgoing(body, {"reason": "r"})])
    pipeline.keep_dead_letters()


REFRESHED = Refreshed(
    stream="wind",
    table="windows_w",
    bucket_us=0,
    shard=0,
    input_count=1,
    input_digest="d",
    spec_version=1,
    is_final=False,
)


@pytest.mark.parametrize(
    ("queue", "body", "stream"),
    [
        ("landed", messages.encode(Landed(key="landing/wind/a.csv")), "wind"),
        (
            "landed",
            '{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"landing/wind/a+b.csv"}}}]}',
            "wind",
        ),
        ("landed", '{"Event":"s3:TestEvent"}', None),
        ("landed", messages.encode(Landed(key="landing/../a.csv")), None),
        ("landed", messages.encode(Landed(key="elsewhere")), None),
        ("windows", messages.encode(Refresh(stream="wind", bucket_us=0, shard=0)), "wind"),
        ("windows", messages.encode(Landed(key="landing/wind/a.csv")), None),
        ("writes", messages.encode(BatchDecoded(stream="wind", batch="b", row_count=1)), "wind"),
        ("writes", messages.encode(REFRESHED), "wind"),
        ("writes", "gibberish", None),
        ("writes", "", None),
    ],
)
def test_a_dead_letter_is_shown_under_its_stream_where_it_can_be_told(
    tmp_path: Path, queue: str, body: str, stream: str | None
) -> None:
    pipeline = Pipeline(tmp_path)
    dead(pipeline, queue, body)

    [entry] = pipeline.triage.list(Filter(), 10).entries
    assert (entry.kind, entry.queue, entry.stream, entry.data) == ("message", queue, stream, body)
    assert entry.message == "died 1 times; r"
    assert len(list(pipeline.triage.messages(Filter(stream="wind")))) == (stream == "wind")


def test_groups_come_with_the_largest_first_and_an_object_counts_what_it_held(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), NEVER, NEVER, {"ts": 5, "sensor": "a", "temperature": 1}])
    headers = ObjectHeaders({"records": "40"}, "text/csv")
    pipeline.store.put("landing/sensors/x.csv.gz", b"not gzip", headers)
    dead(pipeline, "writes", "gibberish")
    pipeline.run_until_quiet()
    listing = pipeline.triage.list(Filter(), 10)

    groups = [(group.kind, group.reason, group.count) for group in listing.groups]
    assert groups == [
        ("object", "unreadable_object", 40),
        ("record", "bad_time", 2),
        ("message", "r", 1),
        ("record", "wrong_type", 1),
    ]
    assert (listing.total, len(listing.entries)) == (44, 5)


def test_a_filter_by_stream_reads_no_other_stream(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS.replace("stream: sensors", "stream: zephyr"))
    pipeline.post([NEVER, reading(1)], stream="zephyr")
    pipeline.post([NEVER, reading(1)])
    pipeline.run_until_quiet()
    looked_at: list[str] = []
    pipeline.store.fault = lambda _operation, key: looked_at.append(key)

    [failed] = pipeline.triage.records(Filter(stream="zephyr"))
    assert failed.flow == "zephyr"
    assert looked_at
    assert not any(key.startswith("quarantine/sensors") for key in looked_at)


def test_a_stream_name_that_cannot_be_one_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not a stream name"):
        list(Pipeline(tmp_path).triage.records(Filter(stream="../sensors")))


def test_an_id_names_one_failure_for_good(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), NEVER, {**NEVER, "sensor": "b"}])
    pipeline.run_until_quiet()
    first = [failed.id for failed in pipeline.triage.records(Filter())]
    pipeline.clock.advance(1)
    pipeline.post([reading(2), {**NEVER, "sensor": "c"}])
    pipeline.run_until_quiet()

    assert len(set(first)) == 2
    for name in first:
        [failed] = pipeline.triage.records(Filter(ids=(name,)))
        assert failed.id == name
    assert len(list(pipeline.triage.records(Filter(ids=tuple(first))))) == 2


def test_records_that_a_receipt_names_wait_no_more_and_others_of_the_file_do(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), NEVER, {**NEVER, "sensor": "b"}])
    pipeline.run_until_quiet()
    first, second = pipeline.triage.records(Filter())
    pipeline.replayer._land_records([first])

    assert list(pipeline.triage.records(Filter())) == [second]


def test_a_quarantine_file_that_vanishes_while_it_is_read_is_said_by_name(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), NEVER])
    pipeline.run_until_quiet()

    def vanish(operation: str, key: str) -> None:
        if operation == "get" and key.startswith("quarantine/"):
            raise NotFound(f"GET {key}: NoSuchKey")

    pipeline.store.fault = vanish
    with pytest.raises(NotFound, match="quarantine/sensors/"):
        list(pipeline.triage.records(Filter()))
