"""Law 9. A bad record, object or message costs only itself and lands where an operator sees it, with the reason."""

from pathlib import Path

import pytest

from tests.support.pipeline import Pipeline
from tests.support.sensors import expected_records, reading
from windrow.errors import Unavailable
from windrow.ports import ObjectHeaders, Outgoing
from windrow_reprocessor.replay import ReplayRequest
from windrow_reprocessor.triage import Filter

GOOD = reading(1)
BAD_LINES = {
    b"{bad": "malformed_json",
    b"[1,2]": "not_an_object",
    b'{"sensor":"a","temperature":1}': "missing_column",
    b'{"ts":"2026-01-01T00:00:00Z","temperature":1}': "missing_column",
    b'{"ts":"2026-01-01T00:00:00Z","sensor":"a"}': "missing_column",
    b'{"ts":"2026-01-01T00:00:00Z","sensor":"a","temperature":NaN}': "malformed_json",
    b'{"ts":"2026-01-01T00:00:00Z","sensor":"a","temperature":1e999}': "not_finite",
    b'{"ts":"2026-01-01T00:00:00Z","sensor":"a","temperature":"warm"}': "wrong_type",
    b'{"ts":"2026-01-01T00:00:00Z","sensor":5,"temperature":1}': "wrong_type",
    b'{"ts":"2026-01-01T00:00:00Z","sensor":"a","temperature":1,"humidity":1.5}': "wrong_type",
    b'{"ts":"2026-01-01T00:00:00Z","sensor":"a","temperature":1,"humidity":99999999999999999999}': "wrong_type",
    b'{"ts":"2126-01-01T00:00:00Z","sensor":"a","temperature":1}': "time_in_future",
    b'{"ts":"the other day","sensor":"a","temperature":1}': "bad_time",
    b'{"ts":"2026-01-01T00:00:00Z","sensor":"\xff","temperature":1}': "malformed_json",
}


@pytest.mark.parametrize(("line", "reason"), BAD_LINES.items())
def test_a_bad_line_goes_to_quarantine_and_its_neighbours_into_the_tables(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post(b'{"ts":"2026-01-01T00:00:01Z","sensor":"a","temperature":21.0}\n' + line + b"\n")
    pipeline.run_until_quiet()

    assert pipeline.record_rows() == expected_records([GOOD])
    [failed] = pipeline.triage.records(Filter())
    assert (failed.record.reject.reason, failed.record.reject.index, failed.record.reject.line) == (reason, 1, 2)
    assert failed.record.raw() == line


def test_csv_rows_are_judged_one_by_one(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.upload(
        "mixed.csv",
        b"sensor,ts,temperature\n"
        b"a,2026-01-01T00:00:01Z,21.0\n"
        b"a,2026-01-01T00:00:02Z,NaN\n"
        b"a,2026-01-01T00:00:03Z,-inf\n"
        b"a,,5\n"
        b"too,few\n"
        b"a,2026-01-01T00:00:04Z,1,one too many\n",
    )
    pipeline.run_until_quiet()

    assert pipeline.record_rows() == expected_records([GOOD])
    found = [(each.record.reject.line, each.record.reject.reason) for each in pipeline.triage.records(Filter())]
    assert found == [
        (3, "not_finite"),
        (4, "not_finite"),
        (5, "missing_column"),
        (6, "ragged_row"),
        (7, "ragged_row"),
    ]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("x.csv.gz", b"not gzip at all"),
        ("x.json", b'{"ts": '),
        ("x.bin", b"\x00\x01"),
        ("x.csv", b"no,time,here\n1,2,3\n"),
        ("empty.ndjson", b""),
    ],
)
def test_an_unreadable_object_is_kept_with_its_reason_while_others_go_on(
    tmp_path: Path, name: str, body: bytes
) -> None:
    pipeline = Pipeline(tmp_path)
    key = pipeline.upload(name, body, content_type="binary/octet-stream")
    pipeline.post([GOOD])
    pipeline.run_until_quiet()

    assert pipeline.record_rows() == expected_records([GOOD])
    [failed] = pipeline.triage.records(Filter(kind="object"))
    assert (failed.record.reject.reason, failed.record.data) == ("unreadable_object", key)
    assert failed.record.reject.message


@pytest.mark.parametrize("queue", ["landed", "windows", "writes"])
def test_a_message_nobody_understands_is_a_dead_letter_with_its_reason(tmp_path: Path, queue: str) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.queues[queue].send([Outgoing("gibberish")])
    pipeline.post([GOOD])
    pipeline.run_until_quiet()
    pipeline.keep_dead_letters()

    assert pipeline.record_rows() == expected_records([GOOD])
    [letter] = pipeline.triage.messages(Filter())
    assert (letter.letter.queue, letter.letter.body) == (queue, "gibberish")
    assert "not a" in letter.letter.reason


def test_an_object_of_an_unknown_stream_is_a_dead_letter_and_is_replayed_once_the_stream_exists(
    tmp_path: Path,
) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.store.put("landing/other/a b+c.csv", b"sensor,ts,temperature\na,2026-01-01,1\n", ObjectHeaders())
    pipeline.run_until_quiet()
    pipeline.keep_dead_letters()
    [letter] = pipeline.triage.messages(Filter(kind="message"))
    assert "no stream 'other'" in letter.letter.reason

    from tests.support.pipeline import SENSORS

    pipeline.publish(SENSORS.replace("stream: sensors", "stream: other"))
    assert pipeline.replayer.replay(ReplayRequest(kind="message")).messages == 1
    pipeline.settle()
    assert pipeline.records("other").height == 1
    assert list(pipeline.triage.messages(Filter())) == []


def test_a_burst_of_failures_stops_the_consumer_instead_of_filling_the_dead_letter_queue(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    for second in range(40):
        pipeline.post([reading(second)])
    consumer = pipeline.workers["consumer"]

    def broken(operation: str, key: str) -> None:
        if operation == "read" and key.startswith("landing/"):
            raise Unavailable("the store is down")

    pipeline.store.fault = broken
    for _ in range(60):
        consumer.turn()
        pipeline.clock.advance(130)
    assert consumer.is_stopped_by_failures
    assert consumer.health.is_ready()[0] is False
    assert pipeline.dead["landed"].bodies() == []

    pipeline.store.fault = None
    pipeline.settle()
    assert pipeline.record_rows() == expected_records([reading(second) for second in range(40)])
    assert consumer.health.is_ready()[0] is True
