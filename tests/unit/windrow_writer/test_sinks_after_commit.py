"""What a sink's trouble costs: its own stream's messages, for a while, and nothing else."""

from collections.abc import Mapping, Sequence

import pytest

from windrow import log
from windrow.catalog import SpecCatalog, publish
from windrow.errors import Permanent, Unavailable, WindrowError
from windrow.messages import Refreshed
from windrow.outcomes import Dead, Done, Retry
from windrow.spec import StreamSpec
from windrow.testing import ManualClock, MemoryObjectStore, RecordingMetrics
from windrow_writer.sinks.after_commit import Sinks

TEXT = """
stream: {}
time: {{column: ts}}
keys: [sensor]
columns: {{ts: timestamp, sensor: string}}
{}
"""
BOTH = "sinks: [{kind: dynamodb, table: latest}, {kind: dynamodb, table: again}, {kind: parquet, prefix: exports/s/}]"


class Written:
    """A sink that remembers what it was given and fails as it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[object]]] = []
        self.trouble: dict[object, WindrowError] | Exception = {}

    def write(self, spec: StreamSpec, sink: object, done: Sequence[object]) -> Mapping[object, WindrowError]:
        self.calls.append((f"{spec.stream} {getattr(sink, 'table', getattr(sink, 'prefix', ''))}", list(done)))
        if isinstance(self.trouble, Exception):
            raise self.trouble
        return {what: error for what, error in self.trouble.items() if what in done}


class Room:
    """Sinks of three streams: one with sinks, one with a sink too, one without."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryObjectStore(self.clock)
        for stream, sinks in (("s", BOTH), ("t", "sinks: [{kind: dynamodb, table: latest}]"), ("none", "")):
            publish(self.store, TEXT.format(stream, sinks), f"{stream}.yaml")
        self.dynamodb, self.parquet, self.metrics = Written(), Written(), RecordingMetrics()
        self.sinks = Sinks(
            catalog=SpecCatalog(self.store, self.clock),
            dynamodb=self.dynamodb,  # type: ignore[arg-type]
            parquet=self.parquet,  # type: ignore[arg-type]
            clock=self.clock,
            metrics=self.metrics,
            log=log.quiet(),
        )


def seal(bucket_us: int = 0, input_count: int = 1, table: str = "records") -> Refreshed:
    return Refreshed(
        stream="s", table=table, bucket_us=bucket_us, shard=0, input_count=input_count, input_digest="d",
        spec_version=1, is_final=True,
    )  # fmt: skip


@pytest.fixture
def room() -> Room:
    return Room()


def test_every_sink_of_the_kind_is_run_for_what_is_done_and_for_nothing_else(room: Room) -> None:
    outcomes = {"b": Done("b"), "a": Done("a"), "late": Retry("not yet"), "bad": Dead("no")}

    assert room.sinks.appended("s", outcomes) == outcomes
    assert room.dynamodb.calls == [("s latest", ["a", "b"]), ("s again", ["a", "b"])]
    assert room.parquet.calls == []


def test_only_seals_of_records_are_exported_and_the_furthest_grown_of_a_bucket_first(room: Room) -> None:
    windows, first, second, other = seal(table="windows_w"), seal(), seal(input_count=2), seal(5)
    outcomes = dict.fromkeys([windows, first, other, second], Done())

    assert room.sinks.replaced("s", outcomes) == outcomes
    assert room.parquet.calls == [("s exports/s/", [second, first, other])]


def test_a_stream_without_sinks_costs_nothing(room: Room) -> None:
    assert room.sinks.appended("none", {"a": Done()}) == {"a": Done()}
    assert room.dynamodb.calls == []


def test_what_failed_is_tried_again_later_with_the_reason_and_the_rest_is_done(room: Room) -> None:
    room.dynamodb.trouble = {"a": Permanent("too large")}
    after = room.sinks.appended("s", {"a": Done(), "b": Done()})

    assert after == {"a": Retry("s: its dynamodb sink: too large", 120.0), "b": Done()}
    assert room.metrics.counts["sinks_failed", (("kind", "dynamodb"), ("stream", "s"))] == 2


def test_the_trouble_of_a_sink_is_never_a_failure_that_stops_the_writer(room: Room) -> None:
    """The failure limit counts a Retry without a delay of its own, and a Dead."""
    for trouble in ({"a": Permanent("x")}, {"a": Unavailable("y")}, ZeroDivisionError("a bug")):
        room.dynamodb.trouble = trouble  # type: ignore[assignment]
        [outcome] = room.sinks.appended("s", {"a": Done()}).values()

        assert isinstance(outcome, Retry)
        assert outcome.after_s is not None
        room.clock.advance(60)


def test_a_fault_in_a_sink_costs_its_stream_a_retry(room: Room) -> None:
    room.dynamodb.trouble = ZeroDivisionError("a bug")

    [outcome] = room.sinks.appended("t", {"a": Done()}).values()
    assert outcome == Retry("t: its dynamodb sink: ZeroDivisionError: a bug", 120.0)


def test_a_sink_that_did_not_answer_is_left_alone_for_a_while_and_no_other_is(room: Room) -> None:
    room.dynamodb.trouble = {"a": Unavailable("slow down")}
    room.sinks.appended("t", {"a": Done(), "b": Done()})
    room.dynamodb.calls.clear()

    resting = room.sinks.appended("t", {"c": Done()})
    assert resting == {"c": Retry("t: its dynamodb sink: slow down", 120.0)}
    assert room.dynamodb.calls == []
    room.dynamodb.trouble = {}
    assert room.sinks.appended("s", {"c": Done()}) == {"c": Done()}

    room.clock.advance(31)
    assert room.sinks.appended("t", {"c": Done()}) == {"c": Done()}


def test_a_sink_that_refuses_a_record_is_not_left_alone(room: Room) -> None:
    room.dynamodb.trouble = {"a": Permanent("too large")}
    room.sinks.appended("t", {"a": Done()})

    assert room.sinks.appended("t", {"b": Done()}) == {"b": Done()}


def test_a_catalogue_that_does_not_answer_is_asked_again(room: Room) -> None:
    def fault(_operation: str, _key: str) -> None:
        raise Unavailable("no answer")

    room.store.fault = fault

    assert room.sinks.appended("s", {"a": Done(), "b": Dead("x")}) == {"a": Retry("no answer"), "b": Dead("x")}
