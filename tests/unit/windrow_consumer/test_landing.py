"""What becomes of large objects, of new fields, of streams that take nothing bad, and of streams that stop."""

import io
import itertools
from pathlib import Path

import polars as pl
import pytest

from tests.support.pipeline import SENSORS, Pipeline, lines
from tests.support.sensors import expected_records, reading
from windrow import halts, keys, manifest
from windrow.conservation import balance
from windrow.decoding import decode
from windrow.manifest import Manifest

EVOLVE = SENSORS + "schema: evolve\n"
REJECT = SENSORS + "on_error: reject\n"
HALT = SENSORS + "halt: {ratio: 0.5, min_records: 20}\n"
BAD = {"ts": "never", "sensor": "a", "temperature": 1}


def manifests(pipeline: Pipeline) -> list[Manifest]:
    """Every manifest, a batch's own before those of its further parts."""
    found = [info.key for info in pipeline.store.list(keys.manifest_prefix("sensors"))]
    ordered = sorted(found, key=keys.batch_of_manifest_key)
    return [manifest.decode(pipeline.store.get(key).body) for key in ordered]


def table(pipeline: Pipeline) -> pl.DataFrame:
    delta = pipeline.lake.delta("sensors", "records")
    assert delta is not None
    return pl.scan_delta(delta).collect()


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a few records, so that a small object is a large one."""
    monkeypatch.setattr(decode, "CHUNK_BYTES", 300)
    monkeypatch.setattr(decode, "_PART_PIECES", 2)


# ------------------------------------------------------------------------------------------------ large objects


@pytest.mark.usefixtures("small_parts")
def test_a_large_object_is_decoded_in_parts_that_add_up(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    records = [reading(second) for second in range(200)]
    records.insert(77, BAD)
    pipeline.upload("large.ndjson", lines(records), "application/x-ndjson")
    pipeline.settle()

    parts = manifests(pipeline)
    assert len(parts) > 3
    assert parts[0].parts == len(parts)
    assert {keys.batch_of_part(part.batch) for part in parts} == {parts[0].batch}
    assert sum(part.decoded for part in parts) == 201
    assert pipeline.record_rows() == expected_records(records[:77] + records[78:])
    assert sorted(table(pipeline)["_ordinal"]) == [*range(77), *range(78, 201)]
    assert (pipeline.balance().received, pipeline.balance().quarantined, pipeline.balance().unexplained) == (201, 1, 0)


@pytest.mark.usefixtures("small_parts")
def test_a_consumer_that_dies_between_parts_leaves_nothing_twice_and_nothing_out(tmp_path: Path) -> None:
    class Death(BaseException):
        pass

    records = [reading(second) for second in range(100)]
    for deadly in itertools.count():
        pipeline = Pipeline(tmp_path / str(deadly))
        pipeline.lose_events = True
        key = pipeline.upload("large.ndjson", lines(records), "application/x-ndjson")
        puts = itertools.count()

        def fault(operation: str, _key: str, puts=puts, deadly=deadly) -> None:
            if operation.startswith("put_if_absent") and next(puts) == deadly:
                raise Death

        pipeline.store.fault = fault
        died = False
        try:
            pipeline.consumer_handler.process(decode_pointer(key))
        except Death:
            died = True
        pipeline.store.fault = None
        assert pipeline.balance().unexplained == 0
        pipeline.run_until_quiet()
        assert pipeline.balance().unexplained == 0
        pipeline.settle()
        assert pipeline.record_rows() == expected_records(records)
        assert pipeline.balance().unexplained == 0
        assert pipeline.balance().received == 100
        if not died:
            assert deadly > 10
            return


def decode_pointer(key: str):
    from windrow.messages import Landed

    return Landed(key=key)


@pytest.mark.usefixtures("small_parts")
def test_nothing_of_a_large_object_counts_when_its_end_is_damaged(tmp_path: Path) -> None:
    import gzip

    pipeline = Pipeline(tmp_path)
    whole = gzip.compress(lines([reading(second) for second in range(2_000)]))
    pipeline.upload("damaged.ndjson.gz", whole[:-9], "application/x-ndjson")
    pipeline.settle()

    [found] = manifests(pipeline)
    assert (found.accepted, found.quarantined) == (0, 1)
    assert list(pipeline.store.list(keys.segments_prefix("sensors"))) == []


# ------------------------------------------------------------------------------------------------ new fields


def test_a_new_field_becomes_a_column_that_older_records_have_empty(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(EVOLVE)
    pipeline.post([reading(1)])
    pipeline.run_until_quiet()
    pipeline.post([reading(2, colour="red", Level=3), reading(3)])
    pipeline.settle()

    rows = table(pipeline).sort("ts").select("colour", "level").rows()
    assert rows == [(None, None), ("red", 3), (None, None)]
    assert pipeline.balance().unexplained == 0


def test_the_type_of_a_new_column_is_fixed_by_the_first_batch_that_brings_it(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(EVOLVE)
    pipeline.post([reading(1, level=1)])
    pipeline.post([reading(2, level="high"), reading(3, level=3)])
    pipeline.settle()

    assert table(pipeline).sort("ts")["level"].to_list() == [1, 3]
    assert pipeline.balance().quarantined == 1


def test_a_field_of_several_kinds_is_kept_as_json(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(EVOLVE)
    pipeline.post([reading(1, extra={"a": 1}), reading(2, extra=[1]), reading(3, extra="x")])
    pipeline.settle()

    assert table(pipeline).sort("ts")["extra"].to_list() == ['{"a":1}', "[1]", '"x"']


def test_two_fields_whose_names_differ_only_in_case_are_two_columns(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(EVOLVE)
    pipeline.post([reading(1, Level=1)])
    pipeline.post([reading(2, level="two")])
    pipeline.settle()

    found = table(pipeline).sort("ts")
    [other] = [name for name in found.columns if name.startswith("level_")]
    assert {found["level"][0], found[other][0]} == {1, None}
    assert {found["level"][1], found[other][1]} == {"two", None} or {found["level"][1], found[other][1]} == {
        None,
        "two",
    }


def test_what_nobody_named_is_counted_when_it_is_dropped(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1, colour="red"), reading(2, colour="blue"), reading(3)])
    pipeline.settle()

    [found] = manifests(pipeline)
    assert found.discarded_fields == {"colour": 2}
    assert pipeline.metrics.total("values_discarded") == 2
    assert "colour" not in table(pipeline).columns


# ------------------------------------------------------------------------------------------------ all or nothing


def test_a_file_with_a_bad_record_is_refused_whole_where_the_stream_says_so(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(REJECT)
    pipeline.upload("a.ndjson", lines([reading(1), BAD, reading(2)]), "application/x-ndjson")
    pipeline.upload("b.ndjson", lines([reading(3)]), "application/x-ndjson")
    pipeline.settle()

    assert pipeline.record_rows() == expected_records([reading(3)])
    figures = pipeline.balance()
    assert (figures.received, figures.quarantined, figures.unexplained) == (4, 3, 0)


@pytest.mark.usefixtures("small_parts")
def test_a_large_file_is_refused_whole_for_a_bad_record_at_its_end(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(REJECT)
    records = [*(reading(second) for second in range(100)), BAD]
    pipeline.upload("a.ndjson", lines(records), "application/x-ndjson")
    pipeline.settle()

    assert list(pipeline.store.list(keys.segments_prefix("sensors"))) == []
    assert pipeline.balance().quarantined == 101


# ------------------------------------------------------------------------------------------------ streams that stop


def halted(pipeline: Pipeline) -> None:
    """A pipeline whose stream has just stopped itself."""
    pipeline.publish(HALT)
    pipeline.post([BAD] * 30)
    pipeline.run_until_quiet()


def test_a_stream_of_which_too_much_is_bad_stops_instead_of_filling_quarantine(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    halted(pipeline)
    pipeline.post([reading(1)])
    pipeline.run_until_quiet()
    pipeline.clock.advance(600)
    pipeline.consumer_sweep.run()

    halt = halts.find(pipeline.store, "sensors", 2)
    assert halt is not None
    assert (halt.records, halt.quarantined) == (30, 30)
    assert "ts" in halt.reason
    assert manifests(pipeline) == []
    assert list(pipeline.store.list(keys.quarantine_prefix("sensors"))) == []
    figures = balance(pipeline.store, pipeline.lake, "sensors")
    assert (figures.received, figures.in_flight, figures.unexplained) == (31, 31, 0)


def test_an_operator_resumes_a_stream_and_what_waited_is_decoded_as_it_is(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    halted(pipeline)
    pipeline.post([reading(1)])
    assert halts.resume(pipeline.store, "sensors", 2)
    pipeline.settle()

    assert pipeline.record_rows() == expected_records([reading(1)])
    assert (pipeline.balance().quarantined, pipeline.balance().unexplained) == (30, 0)
    assert halts.find(pipeline.store, "sensors", 2) is None


def test_a_better_spec_ends_the_halt_and_reads_what_waited(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(HALT)
    odd = [{"ts": f"2026/01/01 00:00:{second:02d}", "sensor": "a", "temperature": 20.0} for second in range(30)]
    pipeline.post(odd)
    pipeline.run_until_quiet()
    pipeline.publish(HALT.replace("[iso8601]", '[iso8601, "%Y/%m/%d %H:%M:%S"]'))
    pipeline.settle()

    assert len(pipeline.record_rows()) == 30
    assert (pipeline.balance().quarantined, pipeline.balance().unexplained) == (0, 0)


def test_a_stream_without_a_limit_never_stops(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([BAD] * 3_000)
    pipeline.settle()

    assert pipeline.balance().quarantined == 3_000


# ------------------------------------------------------------------------------------------------ rows and records


def test_exploded_and_filtered_rows_are_accounted_for(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(
        """
stream: carts
time: {column: at}
keys: [product]
explode: products
filter: quantity > 1
columns:
  cart: {type: int, source: id}
  at: timestamp
  product: {type: int, source: products.productId}
  quantity: {type: int, source: products.quantity}
"""
    )
    body = lines(
        [
            {"id": 1, "at": "2026-01-01T00:00:00Z", "products": [{"productId": p, "quantity": p} for p in (1, 2, 3)]},
            {"id": 2, "at": "2026-01-01T00:00:00Z", "products": [{"productId": 7, "quantity": "many"}]},
            {"id": 3, "at": "2026-01-01T00:00:00Z", "products": [{"productId": 9, "quantity": 9}]},
        ]
    )
    pipeline.post(body, "carts")
    pipeline.settle()

    delta = pipeline.lake.delta("carts", "records")
    assert delta is not None
    rows = pl.scan_delta(delta).collect().sort("cart", "product")
    assert rows.select("cart", "product").rows() == [(1, 2), (1, 3), (3, 9)]
    assert rows["_ordinal"].to_list() == [1, 2, 2 << 20]
    figures = pipeline.balance("carts")
    assert (figures.received, figures.written, figures.quarantined, figures.filtered) == (5, 3, 1, 1)
    assert figures.unexplained == 0


def test_parquet_lands_like_anything_else(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    frame = pl.DataFrame([reading(second) for second in range(10)]).with_columns(
        pl.col("ts").str.to_datetime(time_zone="UTC")
    )
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    pipeline.upload("a.parquet", buffer.getvalue(), "application/octet-stream")
    pipeline.settle()

    assert pipeline.record_rows() == expected_records([reading(second) for second in range(10)])


def test_a_field_that_first_comes_with_a_replay_becomes_a_column_too(tmp_path: Path) -> None:
    from windrow_reprocessor.replay import ReplayRequest

    pipeline = Pipeline(tmp_path)
    pipeline.publish(EVOLVE)
    pipeline.post([{"ts": "2026-01-01T00:00:05Z", "sensor": "a", "temperature": "x", "colour": "red"}])
    pipeline.settle()
    assert pipeline.balance().quarantined == 1
    pipeline.publish(
        EVOLVE.replace("temperature: {type: float, required: true}", "temperature: {type: float, missing: x}")
    )
    pipeline.replayer.replay(ReplayRequest(stream="sensors"))
    pipeline.settle()

    assert table(pipeline)["colour"].to_list() == ["red"]
    assert (pipeline.balance().quarantined, pipeline.balance().unexplained) == (0, 0)
