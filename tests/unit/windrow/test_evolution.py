"""New columns are fixed once, in the store: whoever comes first decides, and nobody ever decides otherwise."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pipeline import SENSORS, parsed
from windrow import catalog
from windrow.decoding.unknown import Unknown
from windrow.errors import BadSettings, TooLarge
from windrow.evolution import MAX_COLUMNS, Evolution
from windrow.keys import TABLE_NAME
from windrow.spec import RESERVED_COLUMNS
from windrow.testing import ManualClock, MemoryObjectStore

SPEC = parsed(SENSORS + "schema: evolve\n")
KINDS = st.sampled_from(["string", "int", "float", "bool"])


def _store() -> MemoryObjectStore:
    return MemoryObjectStore(ManualClock())


def _of(kind: str) -> Unknown:
    return Unknown(1, kind)  # type: ignore[arg-type]


def test_a_new_field_becomes_a_column_of_the_type_that_was_seen() -> None:
    store = _store()
    grown = Evolution(store).grow("sensors", SPEC, {"wind": _of("float"), "site.name": _of("string")}, "b1")

    assert list(grown.columns)[-2:] == ["site_name", "wind"]
    assert (grown.columns["wind"].type, grown.columns["site_name"].type) == ("float", "string")
    assert grown.sources_of("site_name") == ("site.name",)
    assert not grown.required("wind")
    assert grown == Evolution(store).extended("sensors", SPEC)


def test_a_stream_that_has_grown_nothing_keeps_its_spec() -> None:
    assert Evolution(_store()).extended("sensors", SPEC) == SPEC
    assert Evolution(_store()).grow("sensors", SPEC, {}, "b1") == SPEC


def test_the_first_batch_decides_the_type_for_all_that_come_after_it() -> None:
    store = _store()
    Evolution(store).grow("sensors", SPEC, {"wind": _of("int")}, "b1")
    later = Evolution(store).grow("sensors", SPEC, {"wind": _of("string")}, "b2")

    assert later.columns["wind"].type == "int"
    assert [(each.column, each.batch) for each in Evolution(store).columns("sensors")] == [("wind", "b1")]


def test_of_racing_batches_one_decides_and_all_see_the_same() -> None:
    store = _store()
    kinds = ["int", "float", "string", "bool"] * 4
    random.Random(7).shuffle(kinds)
    with ThreadPoolExecutor(8) as pool:
        grown = list(
            pool.map(
                lambda pair: Evolution(store).grow("sensors", SPEC, {"wind": _of(pair[1])}, f"b{pair[0]}"),
                enumerate(kinds),
            )
        )

    assert len({each.columns["wind"].type for each in grown}) == 1


def test_what_one_consumer_knows_another_has_grown_meanwhile_is_seen() -> None:
    store = _store()
    ours, theirs = Evolution(store), Evolution(store)
    ours.grow("sensors", SPEC, {"wind": _of("int")}, "b1")
    theirs.grow("sensors", SPEC, {"rain": _of("float")}, "b2")

    assert [each.column for each in ours.columns("sensors")] == ["rain", "wind"]


@given(sources=st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=8, unique=True), kind=KINDS)
@settings(max_examples=100, deadline=None)
def test_every_field_gets_a_column_of_its_own_whatever_its_name(sources: list[str], kind: str) -> None:
    store = _store()
    grown = Evolution(store).grow("sensors", SPEC, {source: _of(kind) for source in sources}, "b1")
    new = {name: column for name, column in grown.columns.items() if name not in SPEC.columns}

    assert sorted(source for name in new for source in grown.sources_of(name)) == sorted(sources)
    assert all(TABLE_NAME.fullmatch(name) and name not in RESERVED_COLUMNS for name in new)
    assert grown == Evolution(store).grow("sensors", SPEC, {source: _of(kind) for source in reversed(sources)}, "b2")


@pytest.mark.parametrize("source", ["Temperature", "event_date", "_batch", "ts ", "window_start"])
def test_a_field_whose_name_is_taken_gets_one_that_nobody_shares(source: str) -> None:
    grown = Evolution(_store()).grow("sensors", SPEC, {source: _of("int")}, "b1")
    [name] = set(grown.columns) - set(SPEC.columns)

    assert name not in RESERVED_COLUMNS
    assert grown.columns["temperature"] == SPEC.columns["temperature"]


def test_values_in_the_names_of_fields_do_not_become_columns_without_end() -> None:
    store = _store()
    evolution = Evolution(store)
    evolution.grow("sensors", SPEC, {f"f{number}": _of("int") for number in range(MAX_COLUMNS)}, "b1")

    with pytest.raises(TooLarge, match=rf"to {MAX_COLUMNS + 1}; the limit is {MAX_COLUMNS} .*values among the names"):
        evolution.grow("sensors", SPEC, {"one_more": _of("int")}, "b2")
    assert len(evolution.columns("sensors")) == MAX_COLUMNS


def test_a_spec_that_gives_a_grown_column_another_type_cannot_be_published() -> None:
    store = _store()
    text = SENSORS + "schema: evolve\n"
    catalog.publish(store, text, "s.yaml")
    Evolution(store).grow("sensors", SPEC, {"wind": _of("int")}, "b1")
    added = text.replace("  humidity: int", "  humidity: int\n  wind: {0}")

    with pytest.raises(BadSettings, match=r"columns\.wind: records have brought it as int already"):
        catalog.publish(store, added.replace("{0}", "string"), "s.yaml")
    assert catalog.publish(store, added.replace("{0}", "int"), "s.yaml")[1:] == (2, True)
