"""What the sweep finds, what it leaves alone, and that nothing it meets keeps it from the rest (law 4)."""

from pathlib import Path

import pytest

from tests.support.pipeline import SENSORS, Pipeline
from windrow import keys
from windrow.errors import Unavailable
from windrow.ports import ObjectHeaders

CSV = b"sensor,ts,temperature\na,2026-01-01T00:00:01Z,1\n"
GRACE_S = 60


def forgotten(folder: Path, *names: str) -> Pipeline:
    """Objects whose events were lost."""
    pipeline = Pipeline(folder)
    pipeline.lose_events = True
    for name in names:
        pipeline.upload(name, CSV)
    return pipeline


def decoded(pipeline: Pipeline, stream: str = "sensors") -> int:
    return len(list(pipeline.store.list(keys.manifest_prefix(stream))))


def test_an_object_is_forgotten_once_the_grace_time_is_over_and_not_before(tmp_path: Path) -> None:
    pipeline = forgotten(tmp_path, "a.csv")
    pipeline.clock.advance(GRACE_S - 1)
    pipeline.consumer_sweep.run()
    assert decoded(pipeline) == 0

    pipeline.clock.advance(1)
    pipeline.consumer_sweep.run()
    assert decoded(pipeline) == 1
    assert pipeline.metrics.total("sweeps_found") == 1


def test_what_has_a_manifest_is_left_alone(tmp_path: Path) -> None:
    pipeline = forgotten(tmp_path, "a.csv")
    pipeline.clock.advance(GRACE_S)
    pipeline.consumer_sweep.run()
    sent = pipeline.queues["writes"].bodies()
    pipeline.consumer_sweep.run()

    assert pipeline.queues["writes"].bodies() == sent
    assert pipeline.metrics.total("sweeps_found") == 1


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), ValueError("odd bytes")])
def test_an_object_that_breaks_the_decoder_does_not_keep_the_sweep_from_the_others(
    tmp_path: Path, error: Exception
) -> None:
    pipeline = forgotten(tmp_path, "a.csv", "b.csv", "c.csv")
    pipeline.publish(SENSORS.replace("stream: sensors", "stream: zephyr"))
    pipeline.store.put("landing/zephyr/z.csv", CSV, ObjectHeaders(content_type="text/csv"))

    def poison(operation: str, key: str) -> None:
        if operation == "read" and key.endswith("/a.csv"):
            raise error

    pipeline.store.fault = poison
    pipeline.clock.advance(GRACE_S)
    pipeline.consumer_sweep.run()

    assert (decoded(pipeline), decoded(pipeline, "zephyr")) == (2, 1)


def test_a_stray_object_does_not_keep_the_sweep_from_the_others(tmp_path: Path) -> None:
    pipeline = forgotten(tmp_path, "b.csv")
    pipeline.store.put("landing/sensors/", b"", ObjectHeaders())  # what a console calls a folder
    pipeline.clock.advance(GRACE_S)
    pipeline.consumer_sweep.run()

    assert decoded(pipeline) == 1


def test_a_store_that_is_down_postpones_the_sweep(tmp_path: Path) -> None:
    pipeline = forgotten(tmp_path, "a.csv")
    pipeline.clock.advance(GRACE_S)

    def down(_operation: str, _key: str) -> None:
        raise Unavailable("connection refused")

    pipeline.store.fault = down
    with pytest.raises(Unavailable):
        pipeline.consumer_sweep.run()
    pipeline.store.fault = None
    pipeline.consumer_sweep.run()
    assert decoded(pipeline) == 1


def test_a_spec_that_no_longer_parses_does_not_keep_the_sweep_from_other_streams(tmp_path: Path) -> None:
    pipeline = forgotten(tmp_path, "a.csv")
    pipeline.store.put("config/streams/broken/000001-x.yaml", b"stream: [", ObjectHeaders())
    pipeline.store.put("landing/broken/b.csv", CSV, ObjectHeaders(content_type="text/csv"))
    pipeline.clock.advance(GRACE_S)
    pipeline.consumer_sweep.run()

    assert decoded(pipeline) == 1
