"""Which version of a spec, and which tables, an object belongs to by when it landed."""

import pytest

from windrow import catalog, keys
from windrow.catalog import SpecCatalog
from windrow.errors import BadInput, BadSettings, NotFound
from windrow.ports import ObjectHeaders
from windrow.testing import ManualClock, MemoryObjectStore
from windrow.timeline import Timeline

NUMBER = "stream: s\ntime: {column: ts}\ncolumns: {ts: timestamp, v: float}\n"
_HEADERS = ObjectHeaders()
TEXT = NUMBER.replace("v: float", "v: string")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> MemoryObjectStore:
    return MemoryObjectStore(clock)


def published(store: MemoryObjectStore, clock: ManualClock, *texts: str) -> list[int]:
    """When each was published, ten seconds apart."""
    moments = []
    for text in texts:
        moments.append(clock.now_us())
        catalog.publish(store, text, "s.yaml", new_tables=True)
        clock.advance(10)
    return moments


def test_new_tables_begin_only_where_those_there_are_could_not_follow(
    store: MemoryObjectStore, clock: ManualClock
) -> None:
    with_note = TEXT.replace("v: string", "v: string, note: string")
    published(store, clock, NUMBER, NUMBER.replace("v: float", "v: float, w: int"), TEXT, with_note, NUMBER)
    timeline = Timeline.of(store, "s")

    assert [entry.tables for entry in timeline.entries] == [1, 1, 2, 2, 3]
    assert timeline.flows == ("s", "s__v2", "s__v3")
    assert [version for version in range(1, 6) if timeline.begins(version)] == [3, 5]


def test_without_being_asked_nothing_begins_and_the_refusal_names_both_remedies(store: MemoryObjectStore) -> None:
    catalog.publish(store, NUMBER, "s.yaml")
    with pytest.raises(BadSettings, match="--new-tables") as error:
        catalog.publish(store, TEXT, "s.yaml")

    assert "give it another name" in str(error.value)
    assert len(list(store.list(keys.SPECS_PREFIX))) == 1


def test_publishing_the_text_that_began_new_tables_again_changes_nothing(
    store: MemoryObjectStore, clock: ManualClock
) -> None:
    published(store, clock, NUMBER, TEXT)

    assert catalog.publish(store, TEXT, "s.yaml", new_tables=True) == ("s", 2, False)
    assert catalog.publish(store, TEXT, "s.yaml") == ("s", 2, False)


def test_what_landed_before_stays_with_the_older_tables_for_ever(store: MemoryObjectStore, clock: ManualClock) -> None:
    first_us, second_us = published(store, clock, NUMBER, TEXT)
    before = Timeline.of(store, "s")
    published(store, clock, TEXT.replace("v: string", "v: string, note: string"), NUMBER)
    after = Timeline.of(store, "s")

    for landed_us in range(first_us - 5_000_000, second_us + 5_000_000, 500_000):
        assert before.flow(landed_us) == after.flow(landed_us)


def test_in_the_second_in_which_new_tables_are_published_records_still_go_to_the_older(
    store: MemoryObjectStore, clock: ManualClock
) -> None:
    clock.advance(0.4)
    _, second_us = published(store, clock, NUMBER, TEXT)
    timeline = Timeline.of(store, "s")
    whole_us = second_us // 1_000_000 * 1_000_000

    assert {timeline.flow(whole_us + after_us) for after_us in (0, 399_999, 400_000, 999_999)} == {"s"}
    assert timeline.flow(whole_us + 1_000_000) == "s__v2"


def test_no_later_version_decodes_for_the_older_tables_but_their_own(
    store: MemoryObjectStore, clock: ManualClock
) -> None:
    first_us, *_ = published(store, clock, NUMBER, NUMBER.replace("v: float", "v: float, w: int"), TEXT)
    specs = SpecCatalog(store, clock)

    assert [each.version for each in specs.from_landing("s", first_us)] == [1, 2]
    assert [each.version for each in specs.from_landing("s", clock.now_us())] == [3]


def test_a_stream_without_a_spec_is_one_flow_of_its_own_name(store: MemoryObjectStore) -> None:
    timeline = Timeline.of(store, "s")

    assert (timeline.flow(0), timeline.flows) == ("s", ())


# ------------------------------------------------------------------------------------------------ the catalogue


def test_a_flow_has_the_newest_spec_of_its_own_tables_under_its_own_name(
    store: MemoryObjectStore, clock: ManualClock
) -> None:
    published(store, clock, NUMBER, TEXT)
    specs = SpecCatalog(store, clock)
    found = [specs.current("s"), specs.current("s__v2"), specs.newest("s")]

    assert [(each.version, each.spec.stream, each.spec.columns["v"].type) for each in found] == [
        (1, "s", "float"),
        (2, "s__v2", "string"),
        (2, "s", "string"),
    ]
    assert (specs.streams(), specs.flows()) == (("s",), ("s", "s__v2"))


def test_what_newer_tables_export_lies_apart_from_what_older_ones_did(
    store: MemoryObjectStore, clock: ManualClock
) -> None:
    sinks = "sinks: [{kind: parquet, prefix: exports/s/}]\n"
    published(store, clock, NUMBER + sinks, TEXT + sinks)
    specs = SpecCatalog(store, clock)
    found = [each.spec.sinks[0] for each in (specs.current("s"), specs.current("s__v2"), specs.newest("s"))]

    assert [sink.prefix for sink in found] == ["exports/s/", "exports/s__v2/", "exports/s/"]  # type: ignore[union-attr]


def test_new_tables_are_known_at_once_to_whoever_is_told_of_them(store: MemoryObjectStore, clock: ManualClock) -> None:
    catalog.publish(store, NUMBER, "s.yaml")
    specs = SpecCatalog(store, clock)
    assert specs.current("s").version == 1
    catalog.publish(store, TEXT, "s.yaml", new_tables=True)

    assert specs.current("s__v2").version == 2
    with pytest.raises(NotFound, match="no version 3 of its tables"):
        specs.current("s__v3")


def test_a_name_that_means_tables_is_no_streams_name() -> None:
    with pytest.raises(BadSettings, match="names tables of a version of the stream 'sensors'"):
        catalog.publish(MemoryObjectStore(ManualClock()), NUMBER.replace("stream: s", "stream: sensors__v2"), "x")
    for key in ("landing/sensors__v2/a.csv", "landing/sensors__v1/a.csv"):
        with pytest.raises(BadInput, match="'sensors'"):
            keys.stream_of_landing_key(key)
    with pytest.raises(BadInput, match="'sensors'"):
        SpecCatalog(MemoryObjectStore(ManualClock()), ManualClock()).newest("sensors__v2")


def test_a_folder_that_no_stream_can_have_made_stops_no_other(store: MemoryObjectStore, clock: ManualClock) -> None:
    catalog.publish(store, NUMBER, "s.yaml")
    store.put_if_absent("config/streams/s__v2/000001-0.yaml", b"", _HEADERS)
    store.put_if_absent("config/streams/Ünruh/000001-0.yaml", b"", _HEADERS)

    assert SpecCatalog(store, clock).flows() == ("s",)
