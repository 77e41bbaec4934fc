"""The laws of the LatestStore port, for every one there is.

LocalStack is not among them: its DynamoDB is a server of its own, which it fetches when it is first asked, so it does
not start without a network.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import pytest
from boto3.dynamodb.types import TypeDeserializer

from tests.support.emulators import Deploy, only
from windrow.aws.provision import provision_tables
from windrow.errors import NotFound, Permanent
from windrow.latest import Keep, LatestRecord
from windrow.ports import LatestStore
from windrow.spec import parse
from windrow.testing import MemoryLatestStore
from windrow.topology import Topology

TABLE = "sensors.latest"
SPEC = """
stream: sensors
time: {column: ts}
keys: [sensor]
columns: {ts: timestamp, sensor: string}
sinks: [{kind: dynamodb, table: latest}]
"""
RACERS = 8


class Tables(NamedTuple):
    """A store, and a way to see what stands in its table under a key."""

    store: LatestStore
    values: Callable[[str], Mapping[str, object] | None]


@pytest.fixture(params=["memory", "moto"])
def tables(request: pytest.FixtureRequest, deploy: Deploy, topology: Topology) -> Iterator[Tables]:
    if request.param == "memory":
        memory = MemoryLatestStore([TABLE])
        yield Tables(memory, lambda key: memory.tables[TABLE][key].columns if key in memory.tables[TABLE] else None)
        return
    session = deploy(request.getfixturevalue("moto"), only(topology))
    [made] = provision_tables(session, [parse(SPEC, "sensors.yaml")])
    name = made.removeprefix("table ")
    assert name == f"{session.prefix}.sensors.latest"
    deserialize = TypeDeserializer().deserialize

    def values(key: str) -> Mapping[str, object] | None:
        found = session.dynamodb.get_item(TableName=name, Key={"_key": {"S": key}}).get("Item")
        if found is None:
            return None
        return {column: deserialize(value) for column, value in found.items() if not column.startswith("_")}

    yield Tables(session.latest(), values)
    session.dynamodb.close()


def record(value: str, event_time_us: int = 10, **more: object) -> LatestRecord:
    first = LatestRecord("k", event_time_us, 100, "batch-b", 5, {"value": value})
    return replace(first, **more)  # type: ignore[arg-type]


def test_what_is_put_stands_under_its_key_with_all_its_values(tables: Tables) -> None:
    values = {
        "text": "Grüße|\\",
        "number": Decimal("0.1"),
        "whole": Decimal(-(2**63)),
        "exact": Decimal(12345678901234567890123456789012345678),
        "small": Decimal("1E-130"),
        "truth": False,
        "list": ["a", None, Decimal(1), [True]],
        "empty": [],
        "nothing_in_it": "",
    }

    assert tables.store.put_if_later(TABLE, record("", columns=values), "last")
    assert tables.values("k") == values
    assert tables.values("other") is None


def test_a_later_record_replaces_all_of_an_earlier_one(tables: Tables) -> None:
    tables.store.put_if_later(TABLE, record("old", columns={"value": "old", "only_then": "x"}), "last")

    assert tables.store.put_if_later(TABLE, record("new", 11), "last")
    assert tables.values("k") == {"value": "new"}


def test_an_earlier_record_changes_nothing_and_is_no_failure(tables: Tables) -> None:
    tables.store.put_if_later(TABLE, record("now", 10), "last")

    assert not tables.store.put_if_later(TABLE, record("then", 9, received_us=999), "last")
    assert not tables.store.put_if_later(TABLE, record("before 1970", -5, received_us=999), "last")
    assert tables.values("k") == {"value": "now"}


def test_the_same_record_again_changes_nothing(tables: Tables) -> None:
    assert tables.store.put_if_later(TABLE, record("a"), "last")
    assert not tables.store.put_if_later(TABLE, record("a"), "last")
    assert not tables.store.put_if_later(TABLE, record("a"), "first")


@pytest.mark.parametrize(
    "other",
    [{"received_us": 101, "batch": "batch-a"}, {"batch": "batch-c", "ordinal": 1}, {"ordinal": 11}],
    ids=["received later", "in a later batch", "later in the batch"],
)
@pytest.mark.parametrize(("keep", "winner"), [("last", "other"), ("first", "one")])
def test_at_one_time_order_does_not_matter(tables: Tables, other: dict[str, object], keep: Keep, winner: str) -> None:
    pair = [record("one"), record("other", **other)]
    for key, order in (("forwards", pair), ("backwards", pair[::-1])):
        for each in order:
            tables.store.put_if_later(TABLE, replace(each, key=key), keep)

    assert tables.values("forwards") == tables.values("backwards") == {"value": winner}


def test_keys_are_apart(tables: Tables) -> None:
    tables.store.put_if_later(TABLE, record("1", key="a"), "last")
    tables.store.put_if_later(TABLE, record("2", key="A"), "last")

    assert (tables.values("a"), tables.values("A")) == ({"value": "1"}, {"value": "2"})


@pytest.mark.parametrize("tables", ["memory"], indirect=True)  # moto checks and writes without a lock
def test_of_racing_records_the_latest_stands(tables: Tables) -> None:
    start = threading.Barrier(RACERS)

    def put(number: int) -> None:
        start.wait(timeout=10)
        tables.store.put_if_later(TABLE, record(str(number), number), "last")

    with ThreadPoolExecutor(RACERS) as pool:
        list(pool.map(put, range(RACERS)))

    assert tables.values("k") == {"value": str(RACERS - 1)}


def test_a_table_that_is_not_there_is_not_found_by_name(tables: Tables) -> None:
    with pytest.raises(NotFound, match=r"sensors\.other"):
        tables.store.put_if_later("sensors.other", record("a"), "last")


@pytest.mark.parametrize("tables", ["moto"], indirect=True)
def test_a_missing_table_is_told_with_what_to_do(tables: Tables) -> None:
    with pytest.raises(NotFound, match=r"create it with the partition key _key \(a string\)"):
        tables.store.put_if_later("sensors.other", record("a"), "last")


@pytest.mark.parametrize("tables", ["moto"], indirect=True)
def test_what_dynamodb_refuses_is_refused_for_good(tables: Tables) -> None:
    with pytest.raises(Permanent):
        tables.store.put_if_later(TABLE, record("x" * (401 * 1024)), "last")
