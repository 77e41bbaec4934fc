"""The laws for sinks: whatever is lost, doubled or killed, they end up with what the tables have."""

import random
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pytest

from tests.support.chaos import HookedLake, Killed
from tests.support.emulators import Deploy
from tests.support.exports import SINKS, as_folder, export_keys, exported, exports
from tests.support.pipeline import SENSORS, Pipeline, parsed
from tests.support.sensors import expected_records, reading
from windrow.aws.provision import provision_tables
from windrow.aws.session import AwsSession
from windrow.errors import NotFound, Unavailable
from windrow.ports import Outgoing

SPEC = SENSORS + SINKS
WITHOUT_WINDOWS = SENSORS[: SENSORS.index("windows:")] + SINKS
TABLE = "sensors.latest"
RECORDS = [reading(second, sensor) for second in range(0, 120, 20) for sensor in ("a", "b")]
LATE = [reading(5, "a"), reading(100, "a", temperature=77.0), reading(110, "b", temperature=3.0)]


def pipeline_with_sinks(folder: Path, spec: str = SPEC) -> Pipeline:
    pipeline = Pipeline(folder)
    pipeline.publish(spec)
    return pipeline


def latest(pipeline: Pipeline) -> dict[str, tuple[str, float]]:
    """What stands under each sensor: time and temperature."""
    found = pipeline.latest.tables[TABLE].items()
    return {
        key: (str(record.columns["ts"])[:19] + "Z", float(str(record.columns["temperature"]))) for key, record in found
    }


def expected_latest(records: list[dict[str, object]]) -> dict[str, tuple[str, float]]:
    return {sensor: (ts, value) for sensor, ts, value in sorted(expected_records(records))}


def assert_sinks_agree_with_tables(pipeline: Pipeline, records: list[dict[str, object]]) -> None:
    assert pipeline.record_rows() == expected_records(records)
    assert latest(pipeline) == expected_latest(records)
    assert exported(pipeline.store).equals(pipeline.records())


# ------------------------------------------------------------------------------------------------ law 3


class SinkSwitch:
    """Dies at the chosen effect of a sink, or between a commit and what follows it."""

    def __init__(self, pipeline: Pipeline, at: int | None) -> None:
        self.count = 0
        self.at = at
        pipeline.store.fault = lambda operation, key: self.tick(operation) if key.startswith("exports/") else None
        pipeline.latest.fault = lambda operation, _key: self.tick(operation)
        pipeline.writer_handler.lake = HookedLake(
            pipeline.lake, lambda operation: self.tick(operation) if operation == "commit.after" else None
        )

    def tick(self, _operation: str) -> None:
        self.count += 1
        if self.count == self.at:
            raise Killed


def drive(pipeline: Pipeline, switch: SinkSwitch) -> int:
    def seal() -> None:
        pipeline.run_until_quiet()
        pipeline.clock.advance(3_600)
        pipeline.windower_sweep.run()
        pipeline.run_until_quiet()

    kills = 0
    for step in (lambda: pipeline.post(RECORDS, key="first"), seal, lambda: pipeline.post(LATE, key="second"), seal):
        try:
            step()
        except Killed:
            kills += 1
            switch.at = None
            pipeline.clock.advance(200)  # what the dead process held becomes visible again
            step()
    return kills


def test_a_crash_at_any_effect_of_a_sink_leads_to_the_same_end_state(tmp_path: Path) -> None:
    probe = pipeline_with_sinks(tmp_path / "probe", WITHOUT_WINDOWS)
    switch = SinkSwitch(probe, at=None)
    drive(probe, switch)
    effects = switch.count
    assert_sinks_agree_with_tables(probe, RECORDS + LATE)
    [export] = exports(probe.store)
    assert export.revision == 1
    assert effects >= 20

    for at in range(1, effects + 1):
        pipeline = pipeline_with_sinks(tmp_path / str(at), WITHOUT_WINDOWS)
        assert drive(pipeline, SinkSwitch(pipeline, at)) == 1, at
        assert_sinks_agree_with_tables(pipeline, RECORDS + LATE)
        [found] = exports(pipeline.store)
        assert (found.revision, found.row_count, len(found.files)) == (1, export.row_count, 1), at


def test_a_batch_that_was_committed_before_a_crash_reaches_its_sink_by_the_message_that_comes_again(
    tmp_path: Path,
) -> None:
    pipeline = pipeline_with_sinks(tmp_path)
    sinks, pipeline.writer_handler.sinks = pipeline.writer_handler.sinks, None
    pipeline.post(RECORDS)
    pointers = []
    send = pipeline.queues["writes"].send
    pipeline.queues["writes"].send = lambda found: (pointers.extend(found), send(found))[1]  # type: ignore[method-assign]
    pipeline.settle()  # everything committed, nothing passed on
    assert (latest(pipeline), export_keys(pipeline.store)) == ({}, [])

    pipeline.writer_handler.sinks = sinks
    send(pointers)
    pipeline.run_until_quiet()

    assert_sinks_agree_with_tables(pipeline, RECORDS)
    assert pipeline.metrics.total("sinks_failed") == 0


# ------------------------------------------------------------------------------------------------ laws 4 and 7


@pytest.mark.parametrize("seed", range(6))
def test_doubled_and_reordered_messages_change_nothing_in_the_sinks(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    pipeline = pipeline_with_sinks(tmp_path)
    writes = pipeline.queues["writes"]
    seen: list[Outgoing] = []
    send = writes.send

    def shuffled(messages: list[Outgoing]) -> None:
        seen.extend(messages)
        again = rng.choices(seen, k=rng.randrange(3))
        together = [*messages, *again]
        rng.shuffle(together)
        send(together)

    writes.send = shuffled  # type: ignore[method-assign,assignment]
    sent: list[dict[str, object]] = []
    for group in range(4):
        records = [reading(rng.randrange(200), rng.choice("ab"), temperature=float(group)) for _ in range(5)]
        sent += records
        pipeline.post(records)
        pipeline.clock.advance(1)
        if group == 1:
            pipeline.settle()
    pipeline.settle()
    send(rng.sample(seen, len(seen)))
    pipeline.run_until_quiet()

    assert_sinks_agree_with_tables(pipeline, sent)


@pytest.mark.parametrize(("keep", "value"), [("last", 99.0), ("first", 21.0)])
def test_sinks_keep_the_copy_that_the_tables_keep(tmp_path: Path, keep: str, value: float) -> None:
    pipeline = pipeline_with_sinks(tmp_path, f"{SPEC}keep: {keep}\n")
    for temperature in (21.0, 99.0):
        pipeline.post([reading(1, temperature=temperature)])
        pipeline.clock.advance(5)
    pipeline.settle()

    assert latest(pipeline) == {"a": ("2026-01-01T00:00:01Z", value)}
    assert exported(pipeline.store)["temperature"].to_list() == [value]


def test_a_late_record_is_exported_with_the_next_revision_and_is_latest_only_if_it_is(tmp_path: Path) -> None:
    pipeline = pipeline_with_sinks(tmp_path)
    revisions = []
    for record in (reading(100), reading(50), reading(150, temperature=1.0)):
        pipeline.post([record])
        pipeline.settle()
        revisions += [export.revision for export in exports(pipeline.store)]

    assert revisions == [0, 1, 2]
    assert latest(pipeline) == {"a": ("2026-01-01T00:02:30Z", 1.0)}


# ------------------------------------------------------------------------------------------------ law 9


def other_stream(pipeline: Pipeline) -> None:
    pipeline.publish(SENSORS.replace("stream: sensors", "stream: other"))
    pipeline.post([reading(1)], stream="other")


def test_a_sink_that_fails_blocks_no_table_and_ends_in_the_dead_letters_with_its_reason(tmp_path: Path) -> None:
    pipeline = pipeline_with_sinks(tmp_path)
    del pipeline.latest.tables[TABLE]
    for second in range(25):
        pipeline.post([reading(second, f"s{second}")])
    other_stream(pipeline)
    pipeline.settle()
    for _ in range(3):
        pipeline.keep_dead_letters()

    assert len(pipeline.record_rows()) == 25
    assert pipeline.records("other").height == 1
    assert not pipeline.workers["writer"].is_stopped_by_failures
    letters = [pipeline.store.get(info.key).body.decode() for info in pipeline.store.list("dead-letters/")]
    assert len(letters) == 25
    assert all("gave up after 6 attempts: sensors: its dynamodb sink: " in letter for letter in letters)
    assert all("there is no table sensors.latest" in letter for letter in letters)
    assert exported(pipeline.store).equals(pipeline.records())  # the other sink goes on


def test_a_sink_that_is_back_catches_up(tmp_path: Path) -> None:
    pipeline = pipeline_with_sinks(tmp_path)

    def down(operation: str, key: str) -> None:
        if operation == "put_if_later" or key.startswith("exports/"):
            raise Unavailable("throttled")

    pipeline.store.fault = pipeline.latest.fault = down
    pipeline.post(RECORDS)
    pipeline.run_until_quiet()
    pipeline.clock.advance(3_600)
    pipeline.windower_sweep.run()
    pipeline.run_until_quiet()
    assert len(pipeline.record_rows()) == len(RECORDS)
    assert latest(pipeline) == {}

    pipeline.clock.advance(130)
    pipeline.store.fault = pipeline.latest.fault = None
    pipeline.settle()
    assert_sinks_agree_with_tables(pipeline, RECORDS)


# ------------------------------------------------------------------------------------------------ readers


@pytest.fixture
def tree(tmp_path: Path) -> tuple[Path, pl.DataFrame]:
    """An export of two buckets, one of them twice, with the rows that the table has."""
    pipeline = pipeline_with_sinks(tmp_path / "lake")
    pipeline.clock.advance(3_600)
    pipeline.post([reading(second, sensor, humidity=second) for second in (0, 5, 3_700) for sensor in ("a", "ü|b")])
    pipeline.settle()
    pipeline.post([reading(5, temperature=0.1), reading(6)])
    pipeline.settle()
    assert len(exports(pipeline.store)) == 2
    return as_folder(pipeline.store, tmp_path / "tree"), pipeline.records()


def test_duckdb_reads_an_export_with_its_folders_as_columns(tree: tuple[Path, pl.DataFrame]) -> None:
    folder, expected = tree
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        found = connection.sql(f"from read_parquet('{folder}/**/*.parquet', hive_partitioning = true)").pl()

    assert found.select(expected.columns).sort(*expected.columns).equals(expected)
    assert {str(day) for day in found["event_date"]} == {"2026-01-01"}
    assert set(found["bucket"]) == {"2026-01-01T000000Z", "2026-01-01T010000Z"}
    assert set(found["shard"].cast(int)) == {0}


def test_pyarrow_and_pandas_read_an_export_by_its_folder_alone(tree: tuple[Path, pl.DataFrame]) -> None:
    folder, expected = tree
    dataset = ds.dataset(folder, format="parquet", partitioning="hive")
    narrowed = dataset.to_table(filter=(ds.field("bucket") == "2026-01-01T010000Z") & (ds.field("sensor") == "a"))
    frame = pd.read_parquet(folder)

    assert str(dataset.schema.field("ts").type) == "timestamp[us, tz=UTC]"
    assert narrowed.num_rows == 1
    assert pl.from_pandas(frame[expected.columns]).sort(*expected.columns).rows() == expected.rows()


def test_polars_reads_an_export_by_its_folder_alone(tree: tuple[Path, pl.DataFrame]) -> None:
    folder, expected = tree
    found = pl.read_parquet(folder / "**/*.parquet", hive_partitioning=True)

    assert found.select(expected.columns).sort(*expected.columns).equals(expected)


# ------------------------------------------------------------------------------------------------ AWS


@pytest.fixture
def session(moto: str, deploy: Deploy) -> Iterator[AwsSession]:
    made = deploy(moto)
    yield made
    made.dynamodb.close()


def test_on_s3_and_dynamodb_sinks_hold_what_the_tables_hold(tmp_path: Path, session: AwsSession) -> None:
    pipeline = pipeline_with_sinks(tmp_path)
    provision_tables(session, [parsed(SPEC)])
    sinks, store = pipeline.writer_handler.sinks, session.store()
    assert sinks is not None
    sinks.parquet.store = store
    sinks.dynamodb.latest = session.latest()
    pipeline.post(RECORDS)
    pipeline.settle()
    pipeline.post(LATE)
    pipeline.settle()

    assert exported(store).equals(pipeline.records())
    assert [export.revision for export in exports(store)] == [1]
    table = session.topology.table_name(session.prefix, TABLE)
    items = session.dynamodb.scan(TableName=table)["Items"]
    assert {
        item["_key"]["S"]: (item["ts"]["S"][:19] + "Z", float(item["temperature"]["N"])) for item in items
    } == expected_latest(RECORDS + LATE)
    assert pipeline.metrics.total("sinks_failed") == 0


def test_a_table_that_nobody_made_is_told_by_its_full_name(tmp_path: Path, session: AwsSession) -> None:
    pipeline = pipeline_with_sinks(tmp_path)
    sinks = pipeline.writer_handler.sinks
    assert sinks is not None
    sinks.dynamodb.latest = session.latest()
    pipeline.post(RECORDS)
    pipeline.run_until_quiet()
    batch = next(iter(pipeline.store.list("batches/"))).key.rsplit("/", 1)[1].removesuffix(".json")
    [error] = sinks.dynamodb.write(parsed(SPEC), parsed(SPEC).sinks[0], [batch]).values()  # type: ignore[arg-type]

    assert isinstance(error, NotFound)
    assert f"there is no DynamoDB table {session.prefix}.sensors.latest; create it" in str(error)
