"""Laws 2, 3 and 6 for exports: what stands in the end follows from the seals, whoever writes, dies or is late."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest

from tests.support.exports import PREFIX, SINKS, export_keys, exported, exports
from tests.support.pipeline import SENSORS, Pipeline, parsed
from tests.support.sensors import reading
from windrow import messages
from windrow.errors import BadInput, Conflict, OutcomeUnknown, Unavailable, WindrowError
from windrow.lake import tables
from windrow.lake.tables import Place
from windrow.messages import Refreshed
from windrow.ports import ObjectHeaders, Outgoing
from windrow.spec.sinks import ParquetSink
from windrow_writer.sinks import exported as whole
from windrow_writer.sinks.parquet import ParquetWriter

FOLDER = "event_date=2026-01-01/bucket=2026-01-01T000000Z/shard=0/"
SUCCESS = f"{PREFIX}{FOLDER}_SUCCESS"
SPEC = parsed(SENSORS + SINKS)
SINK = ParquetSink(kind="parquet", prefix=PREFIX)


class Room:
    """A stream that is sealed step by step, and the pointers that sealed it."""

    def __init__(self, folder: Path) -> None:
        self.pipeline = Pipeline(folder)
        self.pipeline.publish(SENSORS)  # no sinks: the tests write by hand
        self.store = self.pipeline.store
        self.seals: list[Refreshed] = []
        send = self.pipeline.queues["writes"].send

        def watched(outgoing: list[Outgoing]) -> None:
            for each in outgoing:
                pointer = messages.decode(each.body)
                if isinstance(pointer, Refreshed) and pointer.table == "records" and pointer not in self.seals:
                    self.seals.append(pointer)
            send(outgoing)

        self.pipeline.queues["writes"].send = watched  # type: ignore[method-assign,assignment]

    def sealed_with(self, *records: dict[str, object]) -> Refreshed:
        """Add records and let the bucket be sealed; the pointer that did."""
        self.pipeline.post(list(records))
        self.pipeline.settle()
        return self.seals[-1]

    def writer(self, **settings: int) -> ParquetWriter:
        return ParquetWriter(store=self.store, lake=self.pipeline.lake, metrics=self.pipeline.metrics, **settings)

    def export(self, *pointers: Refreshed, **settings: int) -> None:
        assert self.writer(**settings).write(SPEC, SINK, pointers) == {}

    def refused(self, pointer: Refreshed) -> WindrowError:
        [error] = self.writer().write(SPEC, SINK, [pointer]).values()
        return error


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def on(operation: str, key: str, act: Callable[[], None]) -> Callable[[str, str], None]:
    """A fault that acts once, at the first such operation on a key that ends so."""
    done = False

    def fault(asked: str, of: str) -> None:
        nonlocal done
        if not done and asked == operation and of.startswith("exports/") and of.endswith(key):
            done = True
            act()

    return fault


def lose() -> None:
    raise OutcomeUnknown("the reply was lost")


# ------------------------------------------------------------------------------------------------ one seal


def test_a_seal_leaves_its_rows_as_plain_files_and_a_manifest_that_names_them(room: Room) -> None:
    seal = room.sealed_with(reading(1), reading(2, "b"), reading(1, temperature=5.0))
    room.export(seal)

    [export] = exports(room.store)
    [file] = export.files
    assert exported(room.store).equals(room.pipeline.records())
    assert export_keys(room.store) == [f"{FOLDER}_SUCCESS", file.path]
    assert file.path.startswith(f"{FOLDER}part-000000001-00000-{file.sha256[:16]}")
    assert (export.stream, export.shard, export.revision, export.row_count) == ("sensors", 0, 0, 2)
    assert (export.input_count, export.input_digest) == (seal.input_count, seal.input_digest)
    assert (str(export.min_event_time), str(export.max_event_time)) == (
        "2026-01-01 00:00:01+00:00",
        "2026-01-01 00:00:02+00:00",
    )


def test_the_same_seal_again_changes_no_byte(room: Room) -> None:
    seal = room.sealed_with(reading(1))
    room.export(seal)
    before = {info.key: info for info in room.store.list("exports/")}
    room.pipeline.clock.advance(60)
    room.export(seal)
    room.export(seal, seal)

    assert {info.key: info for info in room.store.list("exports/")} == before


def test_an_export_that_is_gone_is_written_again(room: Room) -> None:
    seal = room.sealed_with(reading(1))
    room.export(seal)
    [before] = exports(room.store)
    for info in list(room.store.list("exports/")):
        room.store.remove(info.key)
    room.export(seal)

    assert exports(room.store) == [before]
    assert exported(room.store).equals(room.pipeline.records())


def test_a_bucket_of_many_rows_has_several_files(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.lake.handle.ROW_GROUP_ROWS", 10)
    seal = room.sealed_with(*(reading(second) for second in range(60)))
    room.export(seal, max_file_rows=25)

    [export] = exports(room.store)
    assert [file.row_count for file in export.files] == [30, 30]
    assert exported(room.store).equals(room.pipeline.records())


def test_a_bucket_without_rows_is_a_manifest_without_files(room: Room) -> None:
    seal = room.sealed_with(reading(1))
    table = room.pipeline.lake.open("sensors", "records")
    assert table is not None
    table.replace([Place(seal.bucket_us, 0)], table.read([]), {})
    room.export(seal)

    [export] = exports(room.store)
    assert (export.row_count, export.files, export.batches) == (0, (), ())
    assert (export.min_event_time, export.max_event_time) == (None, None)


def test_what_retention_has_removed_from_the_table_stays_exported(room: Room) -> None:
    room.export(room.sealed_with(reading(1), reading(2)))
    before = exports(room.store)
    seal = room.sealed_with(reading(3))  # late, and then the day goes
    table = room.pipeline.lake.open("sensors", "records")
    assert table is not None
    day = date(2026, 1, 2)
    table.remove_before(day, {tables.EXPIRED_BEFORE: tables.day_number(day)})
    room.export(seal)

    assert exports(room.store) == before
    assert exported(room.store).height == 2


def test_a_seal_that_the_table_does_not_show_is_not_exported(room: Room) -> None:
    seal = room.sealed_with(reading(1))
    beyond = msgspec.structs.replace(seal, input_count=seal.input_count + 1)

    assert isinstance(room.refused(beyond), Unavailable)
    assert export_keys(room.store) == []


# ------------------------------------------------------------------------------------------------ seal after seal


def test_a_late_record_makes_the_next_revision_and_leaves_only_its_files(room: Room) -> None:
    first = room.sealed_with(reading(1))
    room.export(first)
    second = room.sealed_with(reading(2))
    room.export(second)

    [export] = exports(room.store)
    assert (export.revision, export.row_count, export.input_count) == (1, 2, 2)
    assert len(export.batches) == 2
    assert exported(room.store).equals(room.pipeline.records())  # and no other file is there


def test_an_older_seal_never_replaces_a_newer_one(room: Room) -> None:
    first, second = room.sealed_with(reading(1)), room.sealed_with(reading(2))
    room.export(second)
    before = exports(room.store)
    room.export(first)
    room.export(second, first)

    assert exports(room.store) == before
    assert exported(room.store).equals(room.pipeline.records())


def test_a_bucket_that_was_sealed_again_is_left_to_the_pointer_of_that_seal(room: Room) -> None:
    first, _ = room.sealed_with(reading(1)), room.sealed_with(reading(2))
    room.export(first)

    assert export_keys(room.store) == []


def test_rows_that_came_after_the_seal_are_there_once(room: Room) -> None:
    seal = room.sealed_with(reading(1, temperature=1.0))
    room.pipeline.post([reading(1, temperature=2.0), reading(2)])
    room.pipeline.run_until_quiet()  # in the table, and not sealed
    room.export(seal)

    assert exported(room.store)["temperature"].to_list() == [2.0, 22.0]


# ------------------------------------------------------------------------------------------------ several writers


def test_of_two_writers_of_one_seal_the_first_manifest_stands_and_no_stray_file_stays(room: Room) -> None:
    seal = room.sealed_with(reading(1))

    def another() -> None:  # which sees a row that came since, and so writes another file
        room.store.fault = None
        room.pipeline.post([reading(2)])
        room.pipeline.run_until_quiet()
        room.export(seal)

    room.store.fault = on("put_if_absent", "_SUCCESS", another)
    room.export(seal)

    [export] = exports(room.store)
    assert (export.revision, export.row_count) == (0, 2)
    assert exported(room.store).equals(room.pipeline.records())


def test_a_writer_that_is_overtaken_by_a_newer_seal_gives_way(room: Room) -> None:
    first = room.sealed_with(reading(1))

    def another() -> None:
        room.store.fault = None
        room.export(room.sealed_with(reading(2)))

    room.store.fault = on("put_if_absent", "_SUCCESS", another)
    room.export(first)

    [export] = exports(room.store)
    assert (export.input_count, export.revision) == (2, 0)
    assert exported(room.store).equals(room.pipeline.records())


def test_a_writer_that_is_overtaken_while_it_replaces_gives_way_too(room: Room) -> None:
    room.export(room.sealed_with(reading(1)))
    second = room.sealed_with(reading(2))

    def another() -> None:
        room.store.fault = None
        room.export(room.sealed_with(reading(3)))

    room.store.fault = on("put", "_SUCCESS", another)
    room.export(second)

    [export] = exports(room.store)
    assert (export.input_count, export.revision, export.row_count) == (3, 1, 3)
    assert exported(room.store).equals(room.pipeline.records())


def test_a_writer_that_clears_away_leaves_the_files_of_a_newer_seal_alone(room: Room) -> None:
    first = room.sealed_with(reading(1))
    room.export(first)
    second = room.sealed_with(reading(2))

    def clear_away() -> None:  # a writer of the first seal, while the second one's file stands without a manifest
        room.store.fault = None
        room.export(first)

    room.store.fault = on("put", "_SUCCESS", clear_away)
    room.export(second)

    assert exports(room.store)[0].input_count == 2
    assert exported(room.store).equals(room.pipeline.records())


def test_a_manifest_whose_reply_was_lost_is_recognised(room: Room) -> None:
    first = room.sealed_with(reading(1))
    room.store.fault = on("put_if_absent.after", "_SUCCESS", lose)
    room.export(first)
    second = room.sealed_with(reading(2))
    room.store.fault = on("put.after", "_SUCCESS", lose)
    room.export(second)

    assert [export.revision for export in exports(room.store)] == [1]
    assert exported(room.store).equals(room.pipeline.records())


def test_a_file_whose_reply_was_lost_is_recognised(room: Room) -> None:
    seal = room.sealed_with(reading(1))
    room.store.fault = on("put_if_absent.after", ".parquet", lose)
    room.export(seal)

    assert exported(room.store).equals(room.pipeline.records())


def test_a_store_that_never_says_whether_it_took_the_manifest_is_trouble_and_ends(room: Room) -> None:
    seal = room.sealed_with(reading(1))
    attempts = 0

    def fault(operation: str, key: str) -> None:
        nonlocal attempts
        if operation == "put_if_absent" and key == SUCCESS:
            attempts += 1
            raise OutcomeUnknown("no reply")

    room.store.fault = fault

    assert isinstance(room.refused(seal), Unavailable)
    assert attempts == 4


# ------------------------------------------------------------------------------------------------ what is not ours


def test_files_of_others_are_never_deleted(room: Room) -> None:
    room.store.put(f"{PREFIX}{FOLDER}part-of-a-poem.txt", b"", ObjectHeaders())
    room.store.put(f"{PREFIX}{FOLDER}part-00000.parquet", b"", ObjectHeaders())
    room.export(room.sealed_with(reading(1)))
    room.export(room.sealed_with(reading(2)))

    others = [key for key in export_keys(room.store) if "part-0" not in key or "part-00000." in key]
    assert others == [f"{FOLDER}_SUCCESS", f"{FOLDER}part-00000.parquet", f"{FOLDER}part-of-a-poem.txt"]


def test_a_prefix_of_another_stream_is_told_and_left_as_it_is(room: Room) -> None:
    seal = room.sealed_with(reading(1))
    room.export(seal)
    theirs = whole.encode(msgspec.structs.replace(exports(room.store)[0], stream="other"))
    room.store.put(SUCCESS, theirs, ObjectHeaders())
    error = room.refused(seal)

    assert isinstance(error, Conflict)
    assert str(error).endswith("is of the stream 'other': give each stream's parquet sink a prefix of its own")
    assert room.store.get(SUCCESS).body == theirs


def test_a_success_file_of_another_program_is_told(room: Room) -> None:
    seal = room.sealed_with(reading(1))
    room.store.put(SUCCESS, b"", ObjectHeaders())
    error = room.refused(seal)

    assert isinstance(error, BadInput)
    assert SUCCESS in str(error)


def test_one_bucket_that_fails_costs_only_itself(room: Room) -> None:
    room.pipeline.clock.advance(3_600)
    room.sealed_with(reading(1), reading(3_601))
    first, second = sorted(room.seals, key=lambda seal: seal.bucket_us)
    room.store.put(SUCCESS, b"", ObjectHeaders())

    assert set(room.writer().write(SPEC, SINK, [first, second])) == {first}
    assert any("bucket=2026-01-01T010000Z" in key for key in export_keys(room.store))


def test_a_store_that_does_not_answer_is_not_asked_for_every_bucket(room: Room) -> None:
    room.pipeline.clock.advance(3_600)
    room.sealed_with(reading(1), reading(3_601))
    asked: list[str] = []

    def fault(operation: str, key: str) -> None:
        if key.startswith("exports/"):
            asked.append(operation)
            raise Unavailable("slow down")

    room.store.fault = fault

    assert set(room.writer().write(SPEC, SINK, room.seals)) == set(room.seals)
    assert asked == ["get"]
