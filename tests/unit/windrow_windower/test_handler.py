"""A burst of pointers for one bucket is one refresh, and every message has an outcome of its own."""

from pathlib import Path

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import reading
from windrow import messages
from windrow.errors import Unavailable
from windrow.messages import Landed, Refresh
from windrow.outcomes import Dead, Done, Retry
from windrow_windower.handler import Handler

BUCKET_US = 1_767_225_600_000_000


def refresh(bucket_us: int = BUCKET_US, stream: str = "sensors") -> str:
    return messages.encode(Refresh(stream=stream, bucket_us=bucket_us, shard=0))


def filled(folder: Path) -> tuple[Pipeline, Handler]:
    pipeline = Pipeline(folder)
    pipeline.post([reading(1), reading(-1)])
    pipeline.workers["consumer"].turn()
    return pipeline, Handler(pipeline.refresher)


def test_equal_pointers_are_one_refresh(tmp_path: Path) -> None:
    pipeline, handler = filled(tmp_path)
    outcomes = handler.handle([refresh(), refresh(), refresh(BUCKET_US - 3_600_000_000), refresh()])

    assert outcomes[0] == outcomes[1] == outcomes[3]
    assert outcomes[0] != outcomes[2]
    assert pipeline.metrics.total("refreshes_computed") == 2


def test_each_message_has_an_outcome_of_its_own(tmp_path: Path) -> None:
    _, handler = filled(tmp_path)
    good, empty, gibberish, foreign, unknown = handler.handle(
        [refresh(), refresh(0), "gibberish", messages.encode(Landed(key="landing/s/x")), refresh(stream="other")]
    )

    assert isinstance(good, Done)
    assert good.note.startswith("results/sensors/2026-01-01T000000Z/0/")
    assert empty == Done("nothing there")
    assert isinstance(gibberish, Dead)
    assert foreign == Dead("a Landed message does not belong on the windows queue")
    assert isinstance(unknown, Dead)
    assert "there is no stream 'other'" in unknown.reason


def test_a_bucket_that_cannot_be_computed_is_dead_and_one_that_could_not_be_read_comes_again(tmp_path: Path) -> None:
    pipeline, handler = filled(tmp_path)
    pipeline.publish(SENSORS.replace("humidity: int", "humidity: float"))
    [dead] = handler.handle([refresh()])
    assert isinstance(dead, Dead)
    assert "column 'humidity' is Int64, the spec says Float64" in dead.reason

    def down(_operation: str, _key: str) -> None:
        raise Unavailable("connection refused")

    pipeline.store.fault = down
    assert handler.handle([refresh()]) == [Retry("connection refused")]


def test_a_sum_that_passes_64_bits_is_a_dead_letter_that_says_what_to_do(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS.replace("humidity_last: last(humidity)", "humidity_sum: sum(humidity)"))
    pipeline.post([reading(1, humidity=2**63 - 1), reading(2, humidity=1)])
    pipeline.workers["consumer"].turn()
    [dead] = Handler(pipeline.refresher).handle([refresh()])

    assert dead == Dead("sensors: humidity_sum: sum(humidity) passes 64 bits in a window; make humidity a float")
