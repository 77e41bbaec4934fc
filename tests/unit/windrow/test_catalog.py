import re

import pytest

from windrow import catalog, keys
from windrow.catalog import SpecCatalog, publish
from windrow.errors import BadInput, BadSettings, NotFound
from windrow.ports import ObjectHeaders
from windrow.testing import ManualClock, MemoryObjectStore


def text(stream: str = "sensors", description: str = "first") -> str:
    return f"stream: {stream}\ndescription: {description}\ntime: {{column: ts}}\ncolumns: {{ts: timestamp}}\n"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> MemoryObjectStore:
    return MemoryObjectStore(clock)


@pytest.fixture
def specs(store: MemoryObjectStore, clock: ManualClock) -> SpecCatalog:
    return SpecCatalog(store, clock)


# ------------------------------------------------------------------------------------------------ publish


def test_the_first_text_is_version_1(store: MemoryObjectStore) -> None:
    assert catalog.publish(store, text(), "sensors.yaml") == ("sensors", 1, True)


def test_publishing_the_current_text_again_changes_nothing(store: MemoryObjectStore) -> None:
    catalog.publish(store, text(), "sensors.yaml")

    assert catalog.publish(store, text(), "sensors.yaml") == ("sensors", 1, False)
    assert len(list(store.list(keys.SPECS_PREFIX))) == 1


def test_versions_grow_and_every_one_is_kept(store: MemoryObjectStore) -> None:
    published = [catalog.publish(store, text(description=name), "x") for name in ("a", "b", "a")]

    assert published == [("sensors", 1, True), ("sensors", 2, True), ("sensors", 3, True)]
    assert [keys.spec_version(info.key) for info in store.list(keys.spec_prefix("sensors"))] == [1, 2, 3]


def test_versions_of_streams_are_counted_apart(store: MemoryObjectStore) -> None:
    catalog.publish(store, text(), "x")

    assert catalog.publish(store, text("machine"), "x") == ("machine", 1, True)


def test_more_than_nine_versions_stay_in_order(store: MemoryObjectStore, specs: SpecCatalog) -> None:
    for number in range(12):
        catalog.publish(store, text(description=f"v{number}"), "x")

    assert specs.current("sensors").version == 12
    assert specs.current("sensors").spec.description == "v11"


def test_a_faulty_text_is_not_published(store: MemoryObjectStore) -> None:
    with pytest.raises(BadSettings, match=r"mine\.yaml: 2 faults"):
        catalog.publish(store, "stream: sensors", "mine.yaml")
    assert list(store.list(keys.SPECS_PREFIX)) == []


# ------------------------------------------------------------------------------------------------ reading


def test_the_current_spec_is_the_newest(store: MemoryObjectStore, specs: SpecCatalog, clock: ManualClock) -> None:
    catalog.publish(store, text(description="a"), "x")
    clock.advance(10)
    catalog.publish(store, text(description="b"), "x")
    found = specs.current("sensors")

    assert (found.version, found.spec.description, found.published_us) == (2, "b", clock.now_us())


def test_a_new_version_is_seen_after_a_few_seconds(
    store: MemoryObjectStore, specs: SpecCatalog, clock: ManualClock
) -> None:
    catalog.publish(store, text(description="a"), "x")
    specs.current("sensors")
    catalog.publish(store, text(description="b"), "x")
    clock.advance(6)

    assert specs.current("sensors").version == 2


def test_a_busy_service_does_not_list_for_every_record(store: MemoryObjectStore, specs: SpecCatalog) -> None:
    catalog.publish(store, text(), "x")
    asked: list[str] = []
    store.fault = lambda operation, _: asked.append(operation)
    for _ in range(100):
        specs.current("sensors")

    assert asked == ["list", "get"]


def test_a_version_is_asked_whether_it_has_a_window(store: MemoryObjectStore, specs: SpecCatalog) -> None:
    publish(store, text(), "sensors.yaml")
    publish(store, text() + "windows: {hourly: {size: 1h, aggregates: {n: count()}}}\n", "sensors.yaml")

    assert [specs.has_window("sensors", version, "hourly") for version in (1, 2, 3)] == [False, True, False]
    assert not specs.has_window("sensors", 2, "daily")


def test_an_object_is_read_under_the_version_that_was_current_when_it_landed(
    store: MemoryObjectStore, specs: SpecCatalog, clock: ManualClock
) -> None:
    before_us = clock.now_us()
    clock.advance(10)
    catalog.publish(store, text(description="a"), "x")
    clock.advance(10)
    between_us = clock.now_us()
    clock.advance(10)
    catalog.publish(store, text(description="b"), "x")
    clock.advance(10)

    versions = [specs.at("sensors", landed_us).version for landed_us in (before_us, between_us, clock.now_us())]
    assert versions == [1, 1, 2]


def test_a_version_that_comes_in_the_second_of_a_landing_does_not_count_before_it_came_or_after(
    store: MemoryObjectStore, specs: SpecCatalog, clock: ManualClock
) -> None:
    catalog.publish(store, text(description="a"), "x")
    clock.advance(5)
    landed_us = clock.now_us()
    tried = specs.at("sensors", landed_us).version
    clock.advance(0.2)
    catalog.publish(store, text(description="b"), "x")

    assert (tried, specs.at("sensors", landed_us).version) == (1, 1)
    assert specs.at("sensors", clock.now_us() + 1_000_000).version == 2


def test_what_lands_once_a_spec_is_published_is_read_under_it(
    store: MemoryObjectStore, specs: SpecCatalog, clock: ManualClock
) -> None:
    versions = []
    for description in ("a", "b", "c"):
        catalog.publish(store, text(description=description), "x", clock)
        versions.append(specs.at("sensors", clock.now_us()).version)

    assert versions == [1, 2, 3]


def test_which_version_an_object_is_read_under_does_not_depend_on_what_was_looked_up_before(
    store: MemoryObjectStore, specs: SpecCatalog, clock: ManualClock
) -> None:
    catalog.publish(store, text(description="a"), "x")
    specs.at("sensors", clock.now_us())
    clock.advance(1)
    catalog.publish(store, text(description="b"), "x")
    clock.advance(1)
    landed_us = clock.now_us()
    clock.advance(1)
    elsewhere = SpecCatalog(store, clock)

    assert specs.at("sensors", landed_us).version == elsewhere.at("sensors", landed_us).version == 2


def test_an_unknown_stream_is_told_the_known_ones(store: MemoryObjectStore, specs: SpecCatalog) -> None:
    catalog.publish(store, text("sensors"), "x")
    catalog.publish(store, text("machine"), "x")

    with pytest.raises(NotFound, match=r"there is no stream 'sensor' \(streams: machine, sensors\)"):
        specs.current("sensor")
    with pytest.raises(NotFound):
        specs.at("sensor", 0)


def test_where_there_is_no_stream_at_all_that_is_said(specs: SpecCatalog) -> None:
    with pytest.raises(NotFound, match=r"streams: none yet"):
        specs.current("sensors")


def test_one_streams_name_being_the_start_of_anothers_confuses_nobody(
    store: MemoryObjectStore, specs: SpecCatalog
) -> None:
    catalog.publish(store, text("sensors-2"), "x")

    with pytest.raises(NotFound):
        specs.current("sensors")
    assert specs.streams() == ("sensors-2",)


@pytest.mark.parametrize("name", ["../machine", "", "A", "a/b"])
def test_a_hostile_name_is_bad_input_and_nothing_is_looked_up(
    store: MemoryObjectStore, specs: SpecCatalog, name: str
) -> None:
    asked: list[str] = []
    store.fault = lambda _, key: asked.append(key)

    with pytest.raises(BadInput):
        specs.current(name)
    assert asked == []


def test_a_spec_that_stands_below_another_streams_name_is_refused(store: MemoryObjectStore, specs: SpecCatalog) -> None:
    store.put_if_absent(keys.spec_key("machine", 1, "x"), text("sensors").encode(), ObjectHeaders())

    with pytest.raises(BadInput, match="describes the stream 'sensors'"):
        specs.current("machine")


_STREAM = """
stream: changing
time: {column: ts}
keys: [sensor]
unique: [sensor, ts]
columns: {ts: timestamp, sensor: string, value: float}
windows:
  every_minute: {size: 1m, aggregates: {mean: mean(value)}}
"""


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("value: float", "value: int", "columns.value: was float and cannot become int"),
        ("keys: [sensor]", "keys: []", "keys: cannot change"),
        ("windows:", "bucket: 2h\nwindows:", "bucket: cannot change"),
        ("windows:", "shards: 2\nwindows:", "shards: cannot change"),
        ("size: 1m", "size: 2m", "windows.every_minute: cannot change its size"),
        ("mean(value)", "max(value)", "windows.every_minute: cannot change what mean is"),
    ],
)
def test_a_change_that_tables_could_not_follow_is_refused_with_a_remedy(old: str, new: str, fault: str) -> None:
    store = MemoryObjectStore(ManualClock())
    publish(store, _STREAM, "changing.yaml")

    with pytest.raises(BadSettings, match=re.escape(fault)):
        publish(store, _STREAM.replace(old, new), "changing.yaml")
    assert len(list(store.list("config/streams/changing/"))) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value: float", "value: float, note: string"),
        ("time: {column: ts}", "time: {column: ts, formats: [epoch_ms]}"),
        ("{mean: mean(value)}", "{mean: mean(value), max: max(value)}"),
        ("windows:", "windows:\n  hourly: {size: 1h, aggregates: {}}"),
        ("windows:", "lateness: 1h\nwindows:"),
    ],
)
def test_a_change_that_tables_can_follow_is_the_next_version(old: str, new: str) -> None:
    store = MemoryObjectStore(ManualClock())
    publish(store, _STREAM, "changing.yaml")

    assert publish(store, _STREAM.replace(old, new), "changing.yaml") == ("changing", 2, True)
