"""Laws 3 and 7 for key-value tables: any order, grouping and repetition of batches leaves the same items."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.segments import RECEIVED_US, batch_rows, put_batch
from windrow.errors import NotFound, OutcomeUnknown, Permanent, Unavailable, WindrowError
from windrow.ports import ObjectHeaders
from windrow.spec import StreamSpec, parse
from windrow.spec.sinks import DynamodbSink
from windrow.testing import ManualClock, MemoryLatestStore, MemoryObjectStore, RecordingMetrics
from windrow_writer.sinks.dynamodb import DynamodbWriter

TEXT = """
stream: sensors
time: {column: ts}
keys: [sensor]
unique: [sensor, ts, channel]
columns: {ts: timestamp, sensor: string, channel: int, v: string}
sinks: [{kind: dynamodb, table: latest}]
"""
SPECS = {keep: parse(f"{TEXT}keep: {keep}\n", "sensors.yaml") for keep in ("last", "first")}
SPEC = SPECS["last"]
TABLE = "sensors.latest"


class Room:
    """A writer of latest records with everything around it."""

    def __init__(self, spec: StreamSpec = SPEC, tables: Sequence[str] = (TABLE,)) -> None:
        self.spec = spec
        self.store = MemoryObjectStore(ManualClock())
        self.latest = MemoryLatestStore(tables)
        self.metrics = RecordingMetrics()
        self.writer = DynamodbWriter(store=self.store, latest=self.latest, metrics=self.metrics, parallel_puts=1)

    def batch(self, name: str, *records: dict[str, object], received_us: int = RECEIVED_US) -> str:
        complete = [{"sensor": "s", "channel": 1, "v": f"{name}-{place}", **each} for place, each in enumerate(records)]
        put_batch(self.store, self.spec, batch_rows(self.spec, name, complete, received_us), name)
        return name

    def write(self, *batches: str) -> dict[str, WindrowError]:
        [sink] = self.spec.sinks
        assert isinstance(sink, DynamodbSink)
        return dict(self.writer.write(self.spec, sink, batches))

    def standing(self) -> dict[str, object]:
        return {key: record.columns["v"] for key, record in self.latest.tables[TABLE].items()}


Drawn = tuple[int, str, int]  # second, sensor, channel
BATCHES = st.lists(
    st.tuples(
        st.integers(0, 3),  # received
        st.lists(st.tuples(st.integers(0, 2), st.sampled_from("ab"), st.integers(0, 1)), max_size=4),
    ),
    min_size=1,
    max_size=5,
)


def expected(keep: str, batches: list[tuple[int, list[Drawn]]]) -> dict[str, str]:
    """In plain Python: first each record once, as the spec keeps it; then the latest of each key."""
    received = [
        ((received, f"b{number}", ordinal), drawn, f"b{number}-{ordinal}")
        for number, (received, records) in enumerate(batches)
        for ordinal, drawn in enumerate(records)
    ]
    once: dict[Drawn, tuple[tuple[int, str, int], str]] = {}
    for place, drawn, value in sorted(received, reverse=keep == "first"):
        once[drawn] = (place, value)
    latest: dict[str, tuple[int, tuple[int, str, int], str]] = {}
    for (second, sensor, _), (place, value) in once.items():
        standing = latest.get(sensor)
        if (
            standing is None
            or second > standing[0]
            or (second == standing[0] and (place > standing[1]) == (keep == "last"))
        ):
            latest[sensor] = (second, place, value)
    return {sensor: value for sensor, (_, _, value) in latest.items()}


@settings(max_examples=150)
@given(st.sampled_from(["last", "first"]), BATCHES, st.data())
def test_any_order_grouping_and_repetition_of_batches_leaves_the_same_items(
    keep: str, batches: list[tuple[int, list[Drawn]]], data: st.DataObject
) -> None:
    room = Room(SPECS[keep])
    for number, (received, records) in enumerate(batches):
        drawn = [{"ts": second, "sensor": sensor, "channel": channel} for second, sensor, channel in records]
        room.batch(f"b{number}", *drawn, received_us=RECEIVED_US + received)
    names = [f"b{number}" for number in range(len(batches))]
    order = data.draw(st.permutations([*names, *data.draw(st.lists(st.sampled_from(names), max_size=4))]))
    while order:
        size = data.draw(st.integers(1, len(order)))
        assert room.write(*order[:size]) == {}
        order = order[size:]

    assert room.standing() == expected(keep, batches)


def test_a_group_of_batches_puts_each_key_once() -> None:
    room = Room()
    names = [room.batch(f"b{number}", {"ts": number}, {"ts": number, "sensor": "t"}) for number in range(5)]
    room.write(*names)

    assert room.metrics.total("latest_records_put") == 2
    room.write(*names)
    assert room.metrics.total("latest_records_put") == 2


def test_records_that_are_still_to_be_put_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow_writer.sinks.dynamodb._MOST_PENDING", 3)
    room = Room()
    names = [room.batch(f"b{n}", {"ts": n, "sensor": f"s{n}"}, {"ts": n, "sensor": "s"}) for n in range(6)]
    most = 0
    put = room.writer._put

    def watched(*arguments: object) -> dict[str, WindrowError]:
        nonlocal most
        most = max(most, len(arguments[2]))  # type: ignore[arg-type]
        return put(*arguments)  # type: ignore[arg-type]

    room.writer._put = watched  # type: ignore[method-assign]
    assert room.write(*names) == {}

    assert most == 3
    assert room.standing() == {"s": "b5-1", **{f"s{n}": f"b{n}-0" for n in range(6)}}


def test_a_batch_without_rows_needs_nothing() -> None:
    room = Room(tables=())

    assert room.write(room.batch("empty")) == {}


# ------------------------------------------------------------------------------------------------ trouble


def failing(error: WindrowError, times: int = 1_000_000, of: str = "") -> Callable[[str, str], None]:
    left = times

    def fault(operation: str, key: str) -> None:
        nonlocal left
        if operation == "put_if_later" and left and (not of or key == of):
            left -= 1
            raise error

    return fault


def test_a_table_that_does_not_answer_is_asked_once_and_costs_every_batch_that_is_not_in() -> None:
    room = Room()
    names = [room.batch(f"b{number}", {"ts": 1, "sensor": f"s{number}"}) for number in range(4)]
    asked: list[str] = []

    def fault(operation: str, key: str) -> None:
        asked.append(key)
        if operation == "put_if_later" and len(asked) > 2:
            raise Unavailable("slow down")

    room.latest.fault = fault
    failed = room.write(*names)

    assert {batch: str(error) for batch, error in failed.items()} == dict.fromkeys(names[1:], "slow down")
    assert len(asked) == 3
    room.latest.fault = None
    assert room.write(*names) == {}
    assert len(room.standing()) == 4


def test_trouble_is_that_of_the_batch_whose_message_asks_whatever_its_records_say() -> None:
    """Records of a replay, or of a part of a large batch, bear the name of the batch that first brought them."""
    room = Room()
    rows = batch_rows(SPEC, "first", [{"ts": 1, "sensor": "s", "channel": 1, "v": "x"}])
    put_batch(room.store, SPEC, rows, "first-00001")
    room.latest.fault = failing(Unavailable("slow down"))

    assert set(room.write("first-00001")) == {"first-00001"}


def test_a_batch_that_cannot_be_read_costs_only_itself() -> None:
    room = Room()
    names = [room.batch("broken", {"ts": 9}), room.batch("whole", {"ts": 1})]
    for info in list(room.store.list("segments/")):
        if "broken" in info.key:
            room.store.put(info.key, b"no file", ObjectHeaders())
    failed = room.write(*names)

    assert set(failed) == {"broken"}
    assert "batch broken cannot be read: " in str(failed["broken"])
    assert room.standing() == {"s": "whole-0"}


def test_a_put_whose_reply_was_lost_is_repeated_without_harm() -> None:
    room = Room()
    name = room.batch("b", {"ts": 1})

    def fault(operation: str, _key: str) -> None:
        if operation == "put_if_later.after":
            raise OutcomeUnknown("the reply was lost")

    room.latest.fault = fault
    assert set(room.write(name)) == {name}
    room.latest.fault = None
    assert room.write(name) == {}
    assert room.standing() == {"s": "b-0"}


def test_a_missing_table_is_asked_once() -> None:
    room = Room(tables=())
    names = [room.batch(f"b{number}", {"ts": 1, "sensor": f"s{number}"}) for number in range(4)]
    failed = room.write(*names)

    assert set(failed) == set(names)
    assert all(isinstance(error, NotFound) for error in failed.values())


def test_a_record_that_the_table_refuses_costs_only_its_batch() -> None:
    room = Room()
    names = [room.batch(f"b{number}", {"ts": 1, "sensor": f"s{number}"}) for number in range(4)]
    room.latest.fault = failing(Permanent("no such item"), of="s1")

    assert set(room.write(*names)) == {"b1"}
    assert set(room.standing()) == {"s0", "s2", "s3"}


def test_a_table_that_refuses_everything_is_not_asked_for_ever() -> None:
    room = Room()
    name = room.batch("b", *({"ts": 1, "sensor": f"s{number}"} for number in range(200)))
    asked: list[str] = []

    def fault(_operation: str, key: str) -> None:
        asked.append(key)
        raise Permanent("access denied")

    room.latest.fault = fault

    assert set(room.write(name)) == {name}
    assert len(asked) == 20


def test_a_record_too_large_costs_only_itself_and_its_batch_says_so() -> None:
    room = Room()
    large = room.batch("large", {"ts": 9, "v": "x" * 410_000}, {"ts": 1, "sensor": "t"})
    small = room.batch("small", {"ts": 1})
    failed = room.write(large, small)

    assert set(failed) == {"large"}
    assert "a DynamoDB table cannot hold it: the record of key 's' has 410" in str(failed["large"])
    assert room.standing() == {"s": "small-0", "t": "large-1"}


def test_a_batch_that_has_expired_is_told_and_costs_only_itself() -> None:
    room = Room()
    names = [room.batch("gone", {"ts": 9}), room.batch("here", {"ts": 1})]
    for info in list(room.store.list("segments/")):
        if "gone" in info.key:
            room.store.remove(info.key)
    failed = room.write(*names)

    assert set(failed) == {"gone"}
    assert isinstance(failed["gone"], Permanent)
    assert "batch gone has expired" in str(failed["gone"])
    assert room.standing() == {"s": "here-0"}
