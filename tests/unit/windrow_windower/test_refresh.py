"""What a refresh makes, what it leaves as it is, and what it says to the writer."""

import io
from pathlib import Path

import polars as pl
import pytest

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import expected_windows, reading
from windrow import keys, messages, results
from windrow.errors import NotFound, SchemaConflict
from windrow.lake.tables import Place
from windrow.messages import Refreshed

BUCKET = Place(1_767_225_600_000_000, 0)
HOURLY = SENSORS + "  hourly:\n    size: 1h\n    aggregates: {warmest: max(temperature)}\n"


def decoded(folder: Path, *seconds: int) -> Pipeline:
    """Records as segments, one batch each; nothing is computed yet."""
    pipeline = Pipeline(folder)
    for second in seconds:
        pipeline.post([reading(second)])
        pipeline.clock.advance(1)
    pipeline.workers["consumer"].turn()
    pipeline.queues["windows"]._messages.clear()
    pipeline.queues["writes"]._messages.clear()
    return pipeline


def sent(pipeline: Pipeline) -> list[Refreshed]:
    found = [messages.decode(body) for body in pipeline.queues["writes"].bodies()]
    return [message for message in found if isinstance(message, Refreshed)]


def puts_of(pipeline: Pipeline) -> list[str]:
    """Every key written from now on."""
    written: list[str] = []
    pipeline.store.fault = lambda operation, key: written.append(key) if operation == "put_if_absent.after" else None
    return written


def test_a_place_without_a_segment_has_no_result_and_no_pointer(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path)

    assert pipeline.refresher.refresh("sensors", BUCKET) is None
    assert (list(pipeline.store.list("results/")), sent(pipeline)) == ([], [])


def test_a_result_says_what_it_was_computed_from_and_its_pointer_says_the_same(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1, 2)
    inputs = pipeline.refresher.refresh("sensors", BUCKET)

    assert inputs is not None
    assert set(inputs.batches) == pipeline.refresher.listed("sensors", BUCKET)
    assert (inputs.windows, inputs.spec_version) == (("every_minute",), 1)
    assert results.decode(pipeline.store.get(keys.inputs_key(inputs.folder)).body) == inputs
    assert sent(pipeline) == [
        Refreshed(
            stream="sensors",
            bucket_us=BUCKET.bucket_us,
            shard=BUCKET.shard,
            input_count=2,
            input_digest=inputs.digest,
            spec_version=1,
            is_final=False,
        )
    ]
    stored = pipeline.store.get(keys.window_result_key(inputs.folder, "every_minute"))
    assert pl.read_parquet(io.BytesIO(stored.body))["row_count"].to_list() == [2]


def test_the_inputs_are_written_last_so_that_half_a_result_is_none(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1)
    written = puts_of(pipeline)
    pipeline.refresher.refresh("sensors", BUCKET)

    assert [key.rsplit("/", 1)[1] for key in written] == ["every_minute.parquet", "inputs.json"]
    pipeline.store.remove(written[-1])
    assert pipeline.refresher.latest("sensors", BUCKET) is None


def test_a_refresh_of_known_inputs_computes_nothing_and_points_again(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1, 2)
    first = pipeline.refresher.refresh("sensors", BUCKET)
    written = puts_of(pipeline)
    again = pipeline.refresher.refresh("sensors", BUCKET, is_final=True)

    assert (written, again) == ([], first)
    assert [pointer.is_final for pointer in sent(pipeline)] == [False, True]
    assert pipeline.metrics.total("refreshes_computed") == 1


def test_two_windowers_at_the_same_bucket_make_one_result(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1, 2)
    is_first = True

    def rival(operation: str, key: str) -> None:
        nonlocal is_first
        if is_first and operation == "put_if_absent" and key.startswith("results/"):
            is_first = False
            pipeline.refresher.refresh("sensors", BUCKET)

    pipeline.store.fault = rival
    inputs = pipeline.refresher.refresh("sensors", BUCKET)

    assert inputs is not None
    folders = {info.key.rsplit("/", 1)[0] + "/" for info in pipeline.store.list("results/")}
    assert folders == {inputs.folder}
    assert len(set(sent(pipeline))) == 1


def test_the_latest_result_is_the_one_with_the_most_inputs(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1)
    for second in range(2, 13):
        pipeline.refresher.refresh("sensors", BUCKET)
        pipeline.post([reading(second)])
        pipeline.workers["consumer"].turn()
    pipeline.refresher.refresh("sensors", BUCKET)

    latest = pipeline.refresher.latest("sensors", BUCKET)
    assert latest is not None
    assert len(latest.batches) == 12


def test_a_window_that_a_new_spec_adds_is_computed_for_what_is_there_already(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1, 2)
    first = pipeline.refresher.refresh("sensors", BUCKET)
    pipeline.publish(HOURLY)
    again = pipeline.refresher.refresh("sensors", BUCKET)

    assert first is not None
    assert again is not None
    assert (again.windows, again.spec_version) == (("every_minute", "hourly"), 2)
    assert (again.batches, again.folder == first.folder) == (first.batches, False)


def test_a_window_that_a_new_spec_drops_makes_no_work(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1)
    pipeline.publish(HOURLY)
    pipeline.refresher.refresh("sensors", BUCKET)
    pipeline.publish(SENSORS)
    written = puts_of(pipeline)
    pipeline.refresher.refresh("sensors", BUCKET)

    assert written == []


def test_segments_of_an_older_spec_are_read_under_the_new_one(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1)
    pipeline.publish(SENSORS.replace("  humidity: int\n", "  humidity: int\n  pressure: float\n"))
    pipeline.post([reading(2, pressure=1013.25)])
    pipeline.run_until_quiet()
    pipeline.settle()

    assert pipeline.window_rows() == expected_windows([reading(1), reading(2)])
    assert pipeline.records()["pressure"].to_list() == [None, 1013.25]


def test_a_segment_whose_column_has_another_type_is_refused_by_name(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1)
    pipeline.publish(SENSORS.replace("humidity: int", "humidity: float"))

    with pytest.raises(SchemaConflict, match=r"segments/sensors/.*: column 'humidity' is Int64, the spec says Float64"):
        pipeline.refresher.refresh("sensors", BUCKET)
    assert (list(pipeline.store.list("results/")), sent(pipeline)) == ([], [])


def test_a_stream_without_a_spec_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no stream 'other'"):
        decoded(tmp_path).refresher.refresh("other", BUCKET)
