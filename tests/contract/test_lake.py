"""The laws of the Lake and Table ports: in memory, in a local folder, on both emulators (laws 5 and 7 rest on them)."""

import copy
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from tests.support.emulators import Deploy, only
from windrow.errors import OutcomeUnknown, SchemaConflict
from windrow.lake.delta import DeltaLake
from windrow.lake.schema import TIMESTAMP
from windrow.lake.tables import Lake, Place, Table
from windrow.testing import MemoryLake
from windrow.topology import Topology

HOUR_US = 3_600_000_000
NOON, ONE = Place(493_032 * HOUR_US, 0), Place(493_033 * HOUR_US, 0)
NOON_OTHER_SHARD = Place(NOON.bucket_us, 1)
NEXT_DAY = Place(493_056 * HOUR_US, 0)
SCHEMA = pl.Schema(
    {
        "sensor": pl.String(),
        "value": pl.Float64(),
        "humidity": pl.Int64(),
        "ts": pl.Datetime("us", "UTC"),
        "_bucket": pl.Int64(),
        "_shard": pl.Int32(),
        "event_date": pl.Date(),
    }
)
HOSTILE = ["x' OR '1'='1", 'a"b', "a=b/c%20d", "", " ", "\\", "line\nbreak", "ключ ✓", "; DROP TABLE records; --"]


DELTA = ["local", "moto", pytest.param("localstack", marks=pytest.mark.localstack)]


@pytest.fixture(params=["memory", *DELTA])
def lake(request: pytest.FixtureRequest, deploy: Deploy, topology: Topology, tmp_path: Path) -> Lake:
    return MemoryLake() if request.param == "memory" else _delta(request, deploy, topology, tmp_path)


@pytest.fixture(params=DELTA)
def delta_lake(request: pytest.FixtureRequest, deploy: Deploy, topology: Topology, tmp_path: Path) -> DeltaLake:
    """Tables that have a log and files to look at; those in memory have neither."""
    return _delta(request, deploy, topology, tmp_path)


def _delta(request: pytest.FixtureRequest, deploy: Deploy, topology: Topology, tmp_path: Path) -> DeltaLake:
    if request.param == "local":
        return DeltaLake(str(tmp_path), {})
    session = deploy(request.getfixturevalue(request.param), only(topology, buckets=["lake"]))
    return session.lake()


def rows(place: Place, sensors: Sequence[str], value: float = 1.0) -> pl.DataFrame:
    """One row per sensor, a microsecond apart, so that times are exact or not at all."""
    start = place.bucket_us + 1
    return pl.DataFrame(
        {
            "sensor": sensors,
            "value": [value] * len(sensors),
            "humidity": [None] * len(sensors),
            "ts": [start + number for number in range(len(sensors))],
            "_bucket": [place.bucket_us] * len(sensors),
            "_shard": [place.shard] * len(sensors),
            "event_date": [day_of(place)] * len(sensors),
        },
        schema_overrides=SCHEMA,
    )


def sensors(table: Table, *places: Place) -> list[str]:
    return sorted(table.read(places)["sensor"])


def day_of(place: Place) -> date:
    return datetime.fromtimestamp(place.bucket_us // 1_000_000, UTC).date()


def fresh(lake: Lake) -> Table:
    return lake.open_or_create("sensors", "records", SCHEMA)


def another(lake: Lake) -> Lake:
    """The same tables as another process has them, which knows nothing of what was opened here."""
    return DeltaLake(lake._uri, lake._options, lake._store) if isinstance(lake, DeltaLake) else lake


def test_a_table_that_was_never_made_is_none(lake: Lake) -> None:
    assert lake.open("sensors", "records") is None


def test_a_new_table_is_empty_and_has_its_columns(lake: Lake) -> None:
    table = fresh(lake)

    assert table.row_count() == 0
    assert table.mark("batch:a") is None
    found = table.read([NOON])
    assert (found.height, found.schema) == (0, SCHEMA)


def test_creating_a_table_that_is_there_opens_it_as_it_is(lake: Lake) -> None:
    fresh(lake).append(rows(NOON, ["a"]), {"batch:a": 1})
    again = fresh(lake)

    assert (again.row_count(), again.mark("batch:a")) == (1, 1)


def test_rows_and_marks_are_one_commit(lake: Lake) -> None:
    before = fresh(lake)
    before.append(rows(NOON, ["a", "b"]), {"batch:a": 1, "windrow.decoded": 7})
    after = lake.open("sensors", "records")

    assert after is not None
    assert after.version == 1
    assert (after.row_count(), after.mark("batch:a"), after.mark("windrow.decoded")) == (2, 1, 7)
    assert after.read([NOON]).sort("sensor").equals(rows(NOON, ["a", "b"]))


def test_marks_alone_are_a_commit(lake: Lake) -> None:
    fresh(lake).append(rows(NOON, ["a"]), {"windrow.decoded": 1})
    fresh(lake).append(rows(NOON, []), {"windrow.decoded": 2, "batch:empty": 1})
    after = fresh(lake)

    assert (after.version, after.row_count()) == (2, 1)
    assert (after.mark("windrow.decoded"), after.mark("batch:empty")) == (2, 1)


def test_marks_hold_microseconds_and_survive_a_checkpoint(delta_lake: DeltaLake) -> None:
    lake = delta_lake
    fresh(lake).append(rows(NOON, ["a"]), {"windrow.max_time_us": 1_774_915_200_123_456, "batch:a": 1})
    delta = lake.delta("sensors", "records")
    assert delta is not None
    delta.create_checkpoint()
    fresh(lake).append(rows(ONE, ["b"]), {"batch:b": 1})
    after = fresh(lake)

    assert after.mark("windrow.max_time_us") == 1_774_915_200_123_456
    assert (after.mark("batch:a"), after.mark("batch:b"), after.row_count()) == (1, 1, 2)


def test_marks_are_those_the_library_reads_whatever_was_read_before(delta_lake: DeltaLake) -> None:
    lake = delta_lake
    early = fresh(lake)
    for number in range(6):
        fresh(lake).append(rows(NOON, ["a"]), {f"batch:{number}": 1, "windrow.decoded": number})
        if number in (1, 3):
            delta = lake.delta("sensors", "records")
            assert delta is not None
            delta.create_checkpoint()
    forgetful = copy.copy(lake)
    forgetful._marks = {}
    names = [*(f"batch:{number}" for number in range(7)), "windrow.decoded"]

    assert [fresh(lake).mark(name) for name in names] == [1, 1, 1, 1, 1, 1, None, 5]
    for table in (fresh(lake), fresh(forgetful), early):
        delta = lake.delta("sensors", "records")
        assert delta is not None
        delta.load_as_version(table.version)
        assert [table.mark(name) for name in names] == [delta.transaction_version(name) for name in names]


def test_what_a_handle_carries_is_set_by_whatever_it_commits(lake: Lake) -> None:
    for number, commit in enumerate(COMMITS.values()):
        table = fresh(lake)
        table.carry({"windrow.fence": number})
        commit(table, {"m": number})
        assert (fresh(lake).mark("windrow.fence"), fresh(lake).mark("m")) == (number, number)


def test_a_commit_names_the_files_that_it_added(lake: Lake) -> None:
    table = fresh(lake)
    assert table.committed_files() == ()
    table.append(pl.concat([rows(NOON, ["a", "b"]), rows(NEXT_DAY, ["c"])]), {})
    found = {file.event_date: file for file in table.committed_files()}
    held = {file.event_date: file for file in fresh(lake).files()}

    assert {day: file.row_count for day, file in found.items()} == {day_of(NOON): 2, day_of(NEXT_DAY): 1}
    assert {day: (file.path, file.size_bytes) for day, file in found.items()} == {
        day: (file.path, file.size_bytes) for day, file in held.items()
    }
    assert (held[day_of(NOON)].first_bucket_us, held[day_of(NOON)].last_bucket_us) == (NOON.bucket_us, NOON.bucket_us)


def test_rows_are_read_in_batches_or_in_part_as_well(lake: Lake) -> None:
    fresh(lake).append(pl.concat([rows(NOON, ["a", "b"]), rows(ONE, ["c"])]), {})
    table = fresh(lake)

    assert pl.concat(table.scan(NOON)).sort("sensor").equals(rows(NOON, ["a", "b"]))
    assert table.read([NOON, ONE], ["sensor"]).sort("sensor").rows() == [("a",), ("b",), ("c",)]


def test_read_gives_the_rows_of_the_places_asked_for_and_no_others(lake: Lake) -> None:
    everything = [rows(NOON, ["noon"]), rows(NOON_OTHER_SHARD, ["shard 1"]), rows(ONE, ["one"]), rows(NEXT_DAY, ["d"])]
    fresh(lake).append(pl.concat(everything), {})
    table = fresh(lake)

    assert sensors(table, NOON) == ["noon"]
    assert sensors(table, NOON_OTHER_SHARD, NEXT_DAY) == ["d", "shard 1"]
    assert sensors(table) == []


# ------------------------------------------------------------------------------------------------ replace


def test_replace_leaves_every_other_place_as_it_was(lake: Lake) -> None:
    others = [NOON_OTHER_SHARD, ONE, NEXT_DAY]
    fresh(lake).append(pl.concat([rows(NOON, ["old 1", "old 2"]), *(rows(place, ["kept"]) for place in others)]), {})
    before = fresh(lake).read(others).sort("_bucket", "_shard")
    fresh(lake).replace([NOON], rows(NOON, ["new"]), {"place:noon": 3})
    after = fresh(lake)

    assert sensors(after, NOON) == ["new"]
    assert after.read(others).sort("_bucket", "_shard").equals(before)
    assert (after.row_count(), after.mark("place:noon")) == (4, 3)


def test_many_places_are_replaced_in_one_commit(lake: Lake) -> None:
    fresh(lake).append(pl.concat([rows(NOON, ["old"]), rows(NEXT_DAY, ["old"]), rows(ONE, ["kept"])]), {})
    fresh(lake).replace([NOON, NEXT_DAY], pl.concat([rows(NOON, ["new"]), rows(NEXT_DAY, ["new"])]), {"m": 1})
    after = fresh(lake)

    assert after.version == 2
    assert [sensors(after, place) for place in (NOON, NEXT_DAY, ONE)] == [["new"], ["new"], ["kept"]]


def test_a_place_is_replaced_by_rows_that_come_in_batches(lake: Lake) -> None:
    fresh(lake).append(pl.concat([rows(NOON, ["old"]), rows(ONE, ["kept"])]), {})
    fresh(lake).replace([NOON], iter([rows(NOON, ["new 1"]), rows(NOON, ["new 2", "ü'"])]), {"m": 1})
    after = fresh(lake)

    assert (sensors(after, NOON), sensors(after, ONE), after.mark("m")) == (["new 1", "new 2", "ü'"], ["kept"], 1)


def test_batches_take_the_place_of_rows_that_share_their_files_with_others(lake: Lake) -> None:
    fresh(lake).append(pl.concat([rows(NOON, ["a", "b"]), rows(NOON_OTHER_SHARD, ["c"]), rows(NEXT_DAY, ["d"])]), {})
    fresh(lake).append(rows(NOON, ["b", "e"]), {})
    fresh(lake).append(rows(ONE, ["f"]), {})
    table = fresh(lake)
    others = [NOON_OTHER_SHARD, NEXT_DAY, ONE]
    before = table.read(others).sort("sensor")
    table.replace([NOON], (part.unique("sensor") for part in [pl.concat(table.scan(NOON))]), {"m": 1})
    after = fresh(lake)

    assert sensors(after, NOON) == ["a", "b", "e"]
    assert after.read(others).sort("sensor").equals(before)
    assert (after.row_count(), after.version, after.mark("m")) == (6, 4, 1)
    assert {file.path for file in after.files()} & {file.path for file in table.committed_files()}


def test_batches_lie_in_files_of_the_target_size_in_their_order(
    delta_lake: DeltaLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("windrow.lake.handle.ROW_GROUP_ROWS", 40)
    names = [f"{number:05}" for number in range(1000)]
    parts = [rows(NOON, names[start : start + 90]) for start in range(0, 1000, 90)]
    late = rows(NOON, ["later"]).with_columns(event_date=pl.lit(day_of(NEXT_DAY)))
    table = delta_lake.open_or_create("sensors", "records", SCHEMA, target_file_bytes=5_000)
    table.append(rows(NOON, ["old"]), {})
    table = delta_lake.open_or_create("sensors", "records", SCHEMA, target_file_bytes=5_000)
    table.replace([NOON], iter([parts[0], late, *parts[1:]]), {})
    files = sorted(table.committed_files(), key=lambda file: file.path)
    found = delta_lake.delta("sensors", "records")
    assert found is not None
    bounds = pl.DataFrame(found.get_add_actions(flatten=True)).filter(pl.col("partition.event_date") == day_of(NOON))
    in_order = bounds.sort("min.sensor")

    assert len(files) == len(in_order) + 1 > 3
    assert (in_order["size_bytes"].head(len(in_order) - 1) >= 5_000).all()
    assert in_order["num_records"].sum() == 1000
    assert (in_order["num_records"].head(len(in_order) - 1) % 40 == 0).all()
    assert (in_order["max.sensor"].head(len(in_order) - 1) < in_order["min.sensor"].tail(len(in_order) - 1)).all()
    assert sensors(table_now := fresh(delta_lake), NOON) == [*names, "later"]
    assert table_now.read([NOON]).filter(pl.col("event_date") == day_of(NEXT_DAY))["sensor"].to_list() == ["later"]


def test_a_second_attempt_at_a_replacement_writes_the_same_files(tmp_path: Path) -> None:
    lake = DeltaLake(str(tmp_path), {})
    fresh(lake).append(rows(NOON, ["old"]), {})
    first, second = fresh(lake), fresh(another(lake))
    first.replace([NOON], iter([rows(NOON, ["new"])]), {})
    before = sorted(tmp_path.rglob("*.parquet"))
    with pytest.raises(OutcomeUnknown):
        second.replace([NOON], iter([rows(NOON, ["new"])]), {})

    assert sorted(tmp_path.rglob("*.parquet")) == before


def test_batches_that_break_off_replace_nothing(lake: Lake) -> None:
    def broken() -> Iterator[pl.DataFrame]:
        yield rows(NOON, ["new"])
        raise OutcomeUnknown("the source went away")

    fresh(lake).append(rows(NOON, ["old"]), {})
    with pytest.raises(OutcomeUnknown):
        fresh(lake).replace([NOON], broken(), {"m": 1})

    assert (sensors(fresh(lake), NOON), fresh(lake).mark("m")) == (["old"], None)


def test_replacing_a_place_by_nothing_empties_it(lake: Lake) -> None:
    fresh(lake).append(pl.concat([rows(NOON, ["old"]), rows(ONE, ["kept"])]), {})
    fresh(lake).replace([NOON], rows(NOON, []), {"m": 1})
    after = fresh(lake)

    assert (sensors(after, NOON), sensors(after, ONE), after.mark("m")) == ([], ["kept"], 1)


def test_replacing_no_place_removes_nothing(lake: Lake) -> None:
    fresh(lake).append(rows(NOON, ["kept"]), {})
    with suppress(OutcomeUnknown):  # there is no such commit; what counts is that it is not taken for "everything"
        fresh(lake).replace([], rows(NOON, []), {"m": 1})

    assert sensors(fresh(lake), NOON) == ["kept"]


def test_text_that_looks_like_a_condition_is_text(lake: Lake) -> None:
    fresh(lake).append(pl.concat([rows(NOON, HOSTILE), rows(ONE, ["kept"])]), {})
    assert sensors(fresh(lake), NOON) == sorted(HOSTILE)
    fresh(lake).replace([NOON], rows(NOON, HOSTILE, value=2.0), {})
    after = fresh(lake)

    assert sensors(after, NOON) == sorted(HOSTILE)
    assert after.read([NOON])["value"].to_list() == [2.0] * len(HOSTILE)
    assert sensors(after, ONE) == ["kept"]


def test_what_a_mark_is_called_is_text_too(lake: Lake) -> None:
    fresh(lake).append(rows(NOON, ["a"]), {name: number for number, name in enumerate(HOSTILE) if name})
    after = fresh(lake)

    assert [after.mark(name) for name in HOSTILE if name] == [n for n, name in enumerate(HOSTILE) if name]


# ------------------------------------------------------------------------------------------------ maintenance


def test_removing_days_leaves_later_ones_and_sets_marks_with_it(lake: Lake) -> None:
    fresh(lake).append(pl.concat([rows(NOON, ["a"]), rows(ONE, ["b"]), rows(NEXT_DAY, ["c"])]), {})
    fresh(lake).remove_before(day_of(NEXT_DAY), {"windrow.expired": 2})
    after = fresh(lake)

    assert (sensors(after, NOON, ONE, NEXT_DAY), after.mark("windrow.expired"), after.row_count()) == (["c"], 2, 1)


def test_compaction_merges_the_files_of_one_day_and_changes_no_row(lake: Lake) -> None:
    for number in range(4):
        fresh(lake).append(pl.concat([rows(NOON, [f"n{number}"]), rows(NEXT_DAY, [f"d{number}"])]), {f"b{number}": 1})
    before = fresh(lake)
    fewer = fresh(lake).compact(day_of(NOON), 1_000_000)
    after = fresh(lake)
    count = Counter(file.event_date for file in after.files())

    assert (fewer, count) == (3, {day_of(NOON): 1, day_of(NEXT_DAY): 4})
    assert sensors(after, NOON, NEXT_DAY) == sensors(before, NOON, NEXT_DAY)
    assert [after.mark(f"b{number}") for number in range(4)] == [1, 1, 1, 1]


def test_columns_whose_values_hardly_repeat_have_no_dictionary_however_their_file_came_about(tmp_path: Path) -> None:
    lake = DeltaLake(str(tmp_path), {})

    def encodings() -> dict[str, bool]:
        [file] = fresh(lake).files()
        group = pq.read_metadata(tmp_path / "lake" / "sensors" / "records" / file.path).row_group(0)
        columns = (group.column(number) for number in range(group.num_columns))
        return {column.path_in_schema: column.has_dictionary_page for column in columns}

    names = ["a", "b"] * 500
    fresh(lake).append(rows(NOON, names), {})
    appended = encodings()
    fresh(lake).replace([NOON], rows(NOON, names), {})
    replaced = encodings()
    fresh(lake).replace([NOON], iter([rows(NOON, names)]), {})
    exchanged = encodings()
    fresh(lake).append(rows(NOON, names), {})
    fresh(lake).compact(day_of(NOON), 1_000_000)

    assert (appended["sensor"], appended["ts"]) == (True, False)
    assert appended == replaced == exchanged == encodings()


def test_compaction_gives_way_to_a_commit_that_replaced_its_files(lake: Lake) -> None:
    for number in range(2):
        fresh(lake).append(rows(NOON, [f"n{number}"]), {})
    stale = fresh(lake)
    fresh(lake).replace([NOON], rows(NOON, ["theirs"]), {})
    with pytest.raises(OutcomeUnknown):
        stale.compact(day_of(NOON), 1_000_000)

    assert sensors(fresh(lake), NOON) == ["theirs"]


def test_compaction_and_an_append_lose_nothing_of_each_other(lake: Lake) -> None:
    for number in range(2):
        fresh(lake).append(rows(NOON, [f"n{number}"]), {})
    stale = fresh(lake)
    fresh(lake).append(rows(NOON, ["theirs"]), {"theirs": 1})
    with suppress(OutcomeUnknown):  # either is right: no row changes
        stale.compact(day_of(NOON), 1_000_000)

    assert (sensors(fresh(lake), NOON), fresh(lake).mark("theirs")) == (["n0", "n1", "theirs"], 1)


def test_vacuum_keeps_every_file_of_the_last_week_and_notes_when_it_ran(lake: Lake) -> None:
    fresh(lake).append(rows(NOON, ["a"]), {})
    fresh(lake).replace([NOON], rows(NOON, ["b"]), {})
    removed = fresh(lake).vacuum({"windrow.vacuumed_us": 7})

    assert (removed, fresh(lake).mark("windrow.vacuumed_us"), sensors(fresh(lake), NOON)) == (0, 7, ["b"])


# ------------------------------------------------------------------------------------------------ one committer


def _append(place: Place) -> Callable[[Table, Mapping[str, int]], None]:
    return lambda table, marks: table.append(rows(place, ["new"]), marks)


COMMITS: dict[str, Callable[[Table, Mapping[str, int]], None]] = {
    "append": _append(NOON),
    "append to another day": _append(NEXT_DAY),
    "marks alone": lambda table, marks: table.append(rows(NOON, []), marks),
    "replace": lambda table, marks: table.replace([NOON], rows(NOON, ["new"]), marks),
    "replace on another day": lambda table, marks: table.replace([NEXT_DAY], rows(NEXT_DAY, ["new"]), marks),
    "replace by batches": lambda table, marks: table.replace([NOON], iter([rows(NOON, ["new"])]), marks),
    "widen": lambda table, marks: table.widen({"humidity": pl.Float64()}, marks),
}


@pytest.mark.parametrize("opened", ["here", "elsewhere"])
@pytest.mark.parametrize("theirs", COMMITS)
def test_a_handle_made_stale_by_any_commit_refuses_and_changes_nothing(lake: Lake, theirs: str, opened: str) -> None:
    fresh(lake).append(pl.concat([rows(NOON, ["old"]), rows(NEXT_DAY, ["old"])]), {})
    stale = {name: fresh(lake if opened == "here" else another(lake)) for name in COMMITS}
    COMMITS[theirs](fresh(lake), {"theirs": 1})
    winner = fresh(lake)
    held = winner.read([NOON, NEXT_DAY]).sort("_bucket", "sensor")

    for name, ours in COMMITS.items():
        with pytest.raises(OutcomeUnknown):
            ours(stale[name], {"ours": 1})
        now = fresh(lake)
        assert (now.version, now.mark("ours"), now.mark("theirs")) == (winner.version, None, 1), name
        assert now.read([NOON, NEXT_DAY]).sort("_bucket", "sensor").equals(held), name
        assert now.schema == winner.schema, name


def test_a_table_that_was_open_before_is_seen_as_others_left_it(lake: Lake) -> None:
    first = fresh(lake).version
    for number in range(3):
        fresh(another(lake)).append(rows(NOON, [f"n{number}"]), {f"b{number}": 1})

    now = fresh(lake)
    assert (now.version - first, now.row_count(), sensors(now, NOON)) == (3, 3, ["n0", "n1", "n2"])
    assert [now.mark(f"b{number}") for number in range(4)] == [1, 1, 1, None]


@pytest.mark.parametrize("commits", range(5))
def test_a_table_that_was_removed_and_begun_anew_is_the_new_one(tmp_path: Path, commits: int) -> None:
    lake = DeltaLake(str(tmp_path), {})
    for number in range(3):
        fresh(lake).append(rows(NOON, [f"old{number}"]), {})
    shutil.rmtree(tmp_path / "lake")
    assert lake.open("sensors", "records") is None

    fresh(lake)
    shutil.rmtree(tmp_path / "lake")
    fresh(another(lake))
    for number in range(commits):
        fresh(another(lake)).append(rows(NOON, [f"new{number}"]), {})
    assert sensors(fresh(lake), NOON) == [f"new{number}" for number in range(commits)]


def test_a_fresh_handle_after_a_refusal_commits(lake: Lake) -> None:
    stale = fresh(lake)
    fresh(lake).append(rows(NOON, ["theirs"]), {"theirs": 1})
    with pytest.raises(OutcomeUnknown):
        stale.append(rows(NOON, ["ours"]), {"ours": 1})
    fresh(lake).append(rows(NOON, ["ours"]), {"ours": 1})

    assert sensors(fresh(lake), NOON) == ["ours", "theirs"]


# ------------------------------------------------------------------------------------------------ schema


def test_a_column_of_another_type_is_refused_and_nothing_is_written(lake: Lake) -> None:
    fresh(lake).append(rows(NOON, ["a"]), {"m": 1})
    for wrong in (
        rows(NOON, ["b"]).with_columns(humidity=pl.lit(1.5)),
        rows(NOON, ["b"]).with_columns(event_date=pl.lit(2, pl.Int64())),
        rows(NOON, ["b"]).with_columns(sensor=pl.lit(7, pl.Int64())),
        rows(NOON, ["b"]).with_columns(pl.col("ts").dt.cast_time_unit("ms")),
        rows(NOON, ["b"]).with_columns(pl.col("ts").dt.replace_time_zone(None)),
    ):
        with pytest.raises(SchemaConflict, match="cannot change its type"):
            fresh(lake).append(wrong, {"m": 2})
        with pytest.raises(SchemaConflict, match="cannot change its type"):
            fresh(lake).replace([NOON], wrong, {"m": 2})
    after = fresh(lake)

    assert (after.version, after.mark("m"), sensors(after, NOON)) == (1, 1, ["a"])


def test_a_new_column_is_added_and_older_rows_have_none(lake: Lake) -> None:
    fresh(lake).append(rows(NOON, ["old"]), {})
    fresh(lake).append(rows(NOON, ["new"]).with_columns(unit=pl.lit("°C")), {})
    found = fresh(lake).read([NOON]).sort("sensor")

    assert found.select("sensor", "unit").rows() == [("new", "°C"), ("old", None)]


def test_rows_without_a_column_the_table_has_are_taken_with_none(lake: Lake) -> None:
    fresh(lake).append(rows(NOON, ["a"]).drop("humidity"), {})

    assert fresh(lake).read([NOON])["humidity"].to_list() == [None]


# ------------------------------------------------------------------------------------------------ wider columns

WIDER = {"humidity": pl.Float64(), "day": TIMESTAMP, "price": pl.Decimal(22, 3), "counts": pl.List(pl.Float64())}


def narrow(place: Place, names: Sequence[str]) -> pl.DataFrame:
    return rows(place, names).with_columns(
        humidity=pl.int_range(pl.len()).cast(pl.Int64) * 3 - 1,
        day=pl.lit(date(2026, 1, 5)),
        price=pl.lit("12.34").str.to_decimal(scale=2).cast(pl.Decimal(9, 2)),
        counts=pl.concat_list(pl.lit(1), pl.lit(2)).cast(pl.List(pl.Int64)),
        nothing=pl.lit(None, pl.Int64()),
    )


def test_rows_read_after_a_widening_are_the_rows_before_it_cast(lake: Lake) -> None:
    places = [NOON, NOON_OTHER_SHARD, NEXT_DAY]
    for number, place in enumerate(places):
        fresh(lake).append(narrow(place, HOSTILE), {f"batch:{number}": 1})
    fresh(lake).append(rows(ONE, ["without these columns"]), {"total": 7})
    before = fresh(lake).read([*places, ONE]).sort("_bucket", "_shard", "sensor")
    fresh(lake).widen(WIDER, {"widened": 3})
    after = fresh(lake)
    found = after.read([*places, ONE]).sort("_bucket", "_shard", "sensor")

    assert after.schema == pl.Schema({**before.schema, **WIDER})
    assert found.equals(before.cast(pl.Schema(WIDER)), null_equal=True)
    assert after.row_count() == before.height
    assert [after.mark(name) for name in ("batch:0", "batch:1", "batch:2", "total", "widened")] == [1, 1, 1, 7, 3]


def test_a_widening_is_one_commit_and_older_versions_can_be_read_as_they_were(delta_lake: DeltaLake) -> None:
    lake = delta_lake
    fresh(lake).append(narrow(NOON, ["a"]), {})
    version = fresh(lake).version
    fresh(lake).widen(WIDER, {})
    delta = lake.delta("sensors", "records")

    assert delta is not None
    assert delta.version() == version + 1
    delta.load_as_version(version)
    assert pl.scan_delta(delta).collect().select("humidity", "day").rows() == [(-1, date(2026, 1, 5))]


def test_a_column_is_never_made_narrower(lake: Lake) -> None:
    fresh(lake).append(narrow(NOON, ["a"]).with_columns(value=pl.lit(1.5)), {})
    fresh(lake).widen({"value": pl.Int64(), "humidity": pl.Float64()}, {})
    after = fresh(lake)

    assert (after.schema["value"], after.schema["humidity"]) == (pl.Float64(), pl.Float64())
    assert after.read([NOON])["value"].to_list() == [1.5]


def test_a_table_without_rows_is_widened_too(lake: Lake) -> None:
    fresh(lake).widen({"humidity": pl.Float64()}, {"m": 1})
    after = fresh(lake)

    assert (after.schema["humidity"], after.row_count(), after.mark("m")) == (pl.Float64(), 0, 1)


def test_narrower_rows_are_cast_into_a_widened_table(lake: Lake) -> None:
    fresh(lake).append(narrow(NOON, ["a"]), {})
    fresh(lake).widen(WIDER, {})
    fresh(lake).append(narrow(ONE, ["b"]), {"m": 1})
    fresh(lake).replace([NOON], narrow(NOON, ["c"]), {"m": 2})
    after = fresh(lake)

    assert after.schema == pl.Schema({**narrow(NOON, []).schema, **WIDER})
    assert sorted(after.read([NOON, ONE]).select("sensor", "humidity").rows()) == [("b", -1.0), ("c", -1.0)]


def test_a_number_that_does_not_fit_stops_the_widening_and_the_table_stays(lake: Lake) -> None:
    sums = rows(NOON, ["a"]).with_columns(total=pl.lit("9" * 36).str.to_decimal(scale=0).cast(pl.Decimal(38, 0)))
    fresh(lake).append(sums, {"m": 1})
    with pytest.raises(SchemaConflict, match="widen"):
        fresh(lake).widen({"total": pl.Decimal(38, 4)}, {"m": 2})
    after = fresh(lake)

    assert (after.version, after.mark("m"), after.schema["total"]) == (1, 1, pl.Decimal(38, 0))


def test_every_reader_finds_its_rows_in_a_widened_table_by_what_the_log_tells_of_files(tmp_path: Path) -> None:
    lake = DeltaLake(str(tmp_path), {})
    for place in (NOON, NEXT_DAY):
        fresh(lake).append(narrow(place, ["a", "b"]), {})
    fresh(lake).widen(WIDER, {})
    found = lake.delta("sensors", "records")
    assert found is not None
    folder = str(tmp_path / "lake" / "sensors" / "records")
    dataset = found.to_pyarrow_dataset(filesystem=fs.SubTreeFileSystem(folder, fs.LocalFileSystem()))
    at = datetime(2026, 1, 5, tzinfo=UTC)

    assert dataset.to_table(filter=(pc.field("sensor") == "b") & (pc.field("day") == at)).num_rows == 2
    assert dataset.to_table(filter=pc.field("humidity") >= 1.5)["humidity"].to_pylist() == [2.0, 2.0]
    session = duckdb.connect()
    session.register("records", dataset)
    asked = "select count(*), max(price), sum(counts[1]) from records where humidity = 2.0 and sensor in ('b')"
    assert session.sql(asked).fetchall() == [(2, Decimal("12.340"), 2.0)]
    assert pl.scan_delta(found).filter(pl.col("humidity") == 2.0, pl.col("day") == at).collect().height == 2
    features = found.protocol().reader_features or []
    assert (found.protocol().min_reader_version, list(features)) == (1, [])


def test_no_reader_skips_a_file_by_bounds_that_a_widened_number_is_too_long_for(tmp_path: Path) -> None:
    lake = DeltaLake(str(tmp_path), {})
    long = [(1 << 53) + 1, (1 << 53) + 2, -(1 << 62) - 1]
    start = rows(NOON, []).with_columns(long=pl.lit(1, pl.Int64()))
    lake.open_or_create("sensors", "records", start.schema)
    for place, value in zip((NOON, ONE, NEXT_DAY), long, strict=True):
        fresh(lake).append(rows(place, ["a"]).with_columns(long=pl.lit(value, pl.Int64())), {})
    fresh(lake).widen({"long": pl.Decimal(21, 2)}, {"m": 1})
    later = pl.lit("9007199254740993.01").str.to_decimal(scale=2).cast(pl.Decimal(21, 2))
    fresh(lake).append(rows(NOON, ["b"]).with_columns(long=later), {})
    found = lake.delta("sensors", "records")
    assert found is not None
    folder = str(tmp_path / "lake" / "sensors" / "records")
    dataset = found.to_pyarrow_dataset(filesystem=fs.SubTreeFileSystem(folder, fs.LocalFileSystem()))

    for value in [*map(Decimal, long), Decimal("9007199254740993.01")]:
        assert dataset.to_table(filter=pc.field("long") == value).num_rows == 1
        assert pl.scan_delta(found).filter(pl.col("long") == value).collect().height == 1
    assert dataset.to_table(filter=pc.field("long").is_null()).num_rows == 0
    assert fresh(lake).mark("m") == 1


def test_rows_lie_below_the_day_of_their_event(delta_lake: DeltaLake) -> None:
    lake = delta_lake
    fresh(lake).append(pl.concat([rows(NOON, ["a"]), rows(NEXT_DAY, ["b"])]), {})
    delta = lake.delta("sensors", "records")

    assert delta is not None
    assert {date.fromisoformat(str(part["event_date"])) for part in delta.partitions()} == {
        day_of(NOON),
        day_of(NEXT_DAY),
    }


def test_pyarrow_and_duckdb_can_filter_a_table_by_text(tmp_path: Path) -> None:
    lake = DeltaLake(str(tmp_path), {})
    fresh(lake).append(rows(NOON, ["a", "b"]), {})
    fresh(lake).replace([NOON], rows(NOON, ["a", "b", "c"]), {})
    found = dataset(lake, tmp_path)

    assert found.to_table(filter=pc.field("sensor") == "b").num_rows == 1
    session = duckdb.connect()
    session.register("records", found)
    assert session.sql("select count(*) from records where sensor in ('a', 'c')").fetchall() == [(2,)]


def test_a_file_says_of_texts_and_lists_no_more_than_any_reader_knows(tmp_path: Path) -> None:
    lake = DeltaLake(str(tmp_path), {})
    found = rows(NOON, ["a"]).with_columns(texts=pl.lit(["x", None]), deep=pl.lit([["x"]]), counts=pl.lit([1, 2]))
    lake.open_or_create("sensors", "records", found.schema).append(found, {})
    [file] = tmp_path.rglob("*.parquet")
    kinds = pq.read_schema(file)

    assert kinds.field("sensor").type == pa.string()
    assert kinds.field("counts").type == pa.list_(pa.field("element", pa.int64()))
    assert kinds.field("texts").type == pa.list_(pa.field("element", pa.string()))
    assert kinds.field("deep").type == pa.list_(pa.field("element", kinds.field("texts").type))


def dataset(lake: DeltaLake, folder: Path) -> ds.Dataset:
    """A table as pyarrow and DuckDB see it, which skip files by the bounds in the log."""
    found = lake.delta("sensors", "records")
    assert found is not None
    path = str(folder / "lake" / "sensors" / "records")
    return found.to_pyarrow_dataset(filesystem=fs.SubTreeFileSystem(path, fs.LocalFileSystem()))


@pytest.mark.parametrize(
    ("precision", "scale", "text"),
    [
        (38, 9, "12345678901234567890123456789.123456789"),
        (38, 9, "0.000000001"),
        (18, 2, "9007199254740993.12"),
        (15, 6, "0.000001"),
        (15, 5, "9999999999.99999"),
        (15, 5, "-0.00001"),
        (9, 2, "0.01"),
    ],
)
def test_a_decimal_is_found_by_its_value(tmp_path: Path, precision: int, scale: int, text: str) -> None:
    """The log writes bounds as floats: by those of a long decimal, readers would skip the file that holds it."""
    lake, value = DeltaLake(str(tmp_path), {}), Decimal(text)
    kind = pl.Decimal(precision, scale)
    for each in (value, Decimal(1)):
        found = rows(NOON, ["a"]).with_columns(price=pl.lit(each, kind))
        lake.open_or_create("sensors", "records", found.schema).append(found, {})
    session = duckdb.connect()
    session.register("records", dataset(lake, tmp_path))
    delta = lake.delta("sensors", "records")
    assert delta is not None

    assert dataset(lake, tmp_path).to_table(filter=pc.field("price") == pa.scalar(value)).num_rows == 1
    sql = f"select count(*) from records where price = '{text}'::decimal({precision}, {scale})"
    assert session.sql(sql).fetchall() == [(1,)]
    assert pl.scan_delta(delta).filter(pl.col("price") == pl.lit(value, kind)).collect().height == 1


def test_readers_find_what_was_written_in_batches_by_what_the_log_tells_of_files(tmp_path: Path) -> None:
    lake = DeltaLake(str(tmp_path), {})
    kinds = {"price": pl.Decimal(15, 5), "ok": pl.Boolean(), "day": pl.Date()}
    both = [
        rows(NOON, ["a", "x" * 300], float("nan")).with_columns(price=pl.lit("0.00001"), ok=True, day=date(2026, 1, 1)),
        rows(NOON, ["b", "c"], float("inf")).with_columns(price=pl.lit(None), ok=None, day=None),
    ]
    both = [part.with_columns(pl.col(name).cast(kind) for name, kind in kinds.items()) for part in both]
    lake.open_or_create("sensors", "records", both[0].schema).append(rows(NOON, ["old"]), {})
    fresh(lake).replace([NOON], iter(both), {})
    session = duckdb.connect()
    session.register("records", dataset(lake, tmp_path))

    def found(condition: str) -> list[str]:
        return [
            name[0] for (name,) in session.sql(f"select sensor from records where {condition} order by 1").fetchall()
        ]

    assert found("price = 0.00001") == found("ok") == found("day = date '2026-01-01'") == ["a", "x"]
    assert found("price is null") == found("day is null") == found("value = 'inf'") == ["b", "c"]
    assert found("sensor > 'xx'") == ["x"]
    assert found("humidity is null") == ["a", "b", "c", "x"]


def test_the_log_says_of_batches_what_it_says_of_rows_written_at_once(tmp_path: Path) -> None:
    def told(by_batches: bool) -> dict[str, object]:
        lake = DeltaLake(str(tmp_path / str(by_batches)), {})
        some = [
            rows(NOON, ["b", "ü"], 2.5).with_columns(ok=pl.lit(True), day=pl.lit(None, pl.Date())),
            rows(NOON, ["a"], -1.0).with_columns(ok=pl.lit(None, pl.Boolean()), day=pl.lit(date(2026, 1, 1))),
        ]
        lake.open_or_create("sensors", "records", some[0].schema).append(rows(ONE, ["kept"]), {})
        fresh(lake).replace([NOON], iter(some) if by_batches else pl.concat(some), {})
        log = tmp_path / str(by_batches) / "lake" / "sensors" / "records" / "_delta_log" / f"{2:020}.json"
        [added] = [line["add"] for line in map(json.loads, log.read_text().splitlines()) if "add" in line]
        stats: dict[str, dict[str, object]] = json.loads(added["stats"])
        for bounds in (stats["minValues"], stats["maxValues"]):
            bounds["ts"] = str(bounds["ts"])[:23]  # the library says milliseconds
        return dict(stats)

    assert told(by_batches=True) == told(by_batches=False)


def test_rows_from_before_and_after_a_column_was_there_are_found_by_its_absence(tmp_path: Path) -> None:
    """Where the log says nothing of a column, deltalake's dataset takes no row of the file to be null there."""
    lake = DeltaLake(str(tmp_path), {})
    fresh(lake).append(rows(NOON, ["before"]), {})
    fresh(lake).append(rows(NOON, ["with"]).with_columns(unit=pl.lit("°C"), humidity=pl.lit(1, pl.Int64())), {})
    fresh(lake).append(rows(NOON, ["after"]).drop("humidity"), {})
    session = duckdb.connect()
    session.register("records", dataset(lake, tmp_path))

    def found(condition: str) -> list[str]:
        return [name for (name,) in session.sql(f"select sensor from records where {condition} order by 1").fetchall()]

    assert found("unit is null") == found("humidity is null") == ["after", "before"]
    assert found("unit = '°C'") == found("humidity = 1") == ["with"]
