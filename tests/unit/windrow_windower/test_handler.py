"""A burst of pointers is one refresh of each bucket of windows they touch; every message has an outcome of its own."""

from pathlib import Path

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import reading
from windrow import messages
from windrow.errors import Unavailable
from windrow.messages import Landed, Refresh, Refreshed
from windrow.outcomes import Dead, Done, Retry
from windrow_windower.handler import Handler

HOURLY = SENSORS + "  hourly:\n    size: 1h\n    aggregates: {warmest: max(temperature)}\n"
BUCKET_US = 1_767_225_600_000_000


def refresh(bucket_us: int = BUCKET_US, stream: str = "sensors") -> str:
    return messages.encode(Refresh(stream=stream, bucket_us=bucket_us, shard=0))


def sent(pipeline: Pipeline) -> list[Refreshed]:
    found = [messages.decode(body) for body in pipeline.queues["writes"].bodies()]
    return [message for message in found if isinstance(message, Refreshed)]


def filled(folder: Path) -> tuple[Pipeline, Handler]:
    pipeline = Pipeline(folder)
    pipeline.post([reading(1), reading(-1)])
    pipeline.workers["consumer"].turn()
    return pipeline, Handler(pipeline.refresher, pipeline.catalog)


def test_equal_pointers_are_one_refresh(tmp_path: Path) -> None:
    pipeline, handler = filled(tmp_path)
    outcomes = handler.handle([refresh(), refresh(), refresh(BUCKET_US - 3_600_000_000), refresh()])

    assert outcomes == [Done("1 refreshed")] * 4
    assert pipeline.metrics.total("refreshes_computed") == 2
    assert len(sent(pipeline)) == 2


def test_pointers_of_different_buckets_that_touch_the_same_windows_are_one_refresh_of_these(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS.replace("size: 1m", "size: 24h"))
    pipeline.post([reading(-3_600 * hour) for hour in (1, 2, 3)])
    pipeline.workers["consumer"].turn()
    bodies = [refresh(BUCKET_US - hour * 3_600_000_000) for hour in (1, 2, 3)]

    assert Handler(pipeline.refresher, pipeline.catalog).handle(bodies) == [Done("1 refreshed")] * 3
    assert pipeline.metrics.total("refreshes_computed") == 1
    assert [pointer.input_count for pointer in sent(pipeline)] == [3]


def test_a_pointer_refreshes_the_windows_of_every_bucket_that_its_records_can_change(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS.replace("size: 1m", "kind: sliding\n    size: 3h\n    slide: 1h"))
    pipeline.post([reading(1)])
    pipeline.workers["consumer"].turn()

    assert Handler(pipeline.refresher, pipeline.catalog).handle([refresh()]) == [Done("3 refreshed")]
    hours = [(pointer.bucket_us - BUCKET_US) // 3_600_000_000 for pointer in sent(pipeline)]
    assert hours == [-2, -1, 0]


def test_every_window_of_the_stream_has_a_result_of_its_own(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(HOURLY)
    pipeline.post([reading(1)])
    pipeline.workers["consumer"].turn()

    assert Handler(pipeline.refresher, pipeline.catalog).handle([refresh()]) == [Done("2 refreshed")]
    assert [pointer.table for pointer in sent(pipeline)] == ["windows_every_minute", "windows_hourly"]


def test_a_window_that_cannot_be_computed_does_not_keep_the_others_from_it(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(HOURLY.replace("humidity_last: last(humidity)", "humidity_sum: sum(humidity)"))
    pipeline.post([reading(1, humidity=2**63 - 1), reading(2, humidity=1)])
    pipeline.workers["consumer"].turn()
    [dead] = Handler(pipeline.refresher, pipeline.catalog).handle([refresh()])

    assert isinstance(dead, Dead)
    assert [pointer.table for pointer in sent(pipeline)] == ["windows_hourly"]


def test_what_could_not_be_read_now_comes_again_although_something_else_can_never_be_computed(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(HOURLY.replace("humidity_last: last(humidity)", "humidity_sum: sum(humidity)"))
    pipeline.post([reading(1, humidity=2**63 - 1), reading(2, humidity=1)])
    pipeline.workers["consumer"].turn()

    def slow(operation: str, key: str) -> None:
        if operation == "put_if_absent" and "windows_hourly" in key:
            raise Unavailable("slow down")

    pipeline.store.fault = slow
    assert Handler(pipeline.refresher, pipeline.catalog).handle([refresh()]) == [Retry("slow down")]


def test_the_messages_of_a_group_share_one_listing(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(HOURLY)
    pipeline.post([reading(60 * minute) for minute in range(60)])
    pipeline.workers["consumer"].turn()
    listed: list[str] = []
    pipeline.store.fault = lambda operation, key: listed.append(key) if operation == "list" else None
    Handler(pipeline.refresher, pipeline.catalog).handle([refresh(), refresh()])

    assert len([key for key in listed if key.startswith("segments/")]) == 1


def test_each_message_has_an_outcome_of_its_own(tmp_path: Path) -> None:
    pipeline, handler = filled(tmp_path)
    good, empty, gibberish, foreign, unknown = handler.handle(
        [refresh(), refresh(0), "gibberish", messages.encode(Landed(key="landing/s/x")), refresh(stream="other")]
    )

    assert good == empty == Done("1 refreshed")
    assert [pointer.bucket_us for pointer in sent(pipeline)] == [BUCKET_US]  # of what is not there, nothing is said
    assert isinstance(gibberish, Dead)
    assert foreign == Dead("a Landed message does not belong on the windows queue")
    assert isinstance(unknown, Dead)
    assert "there is no stream 'other'" in unknown.reason


def test_a_bucket_that_cannot_be_computed_is_dead_and_one_that_could_not_be_read_comes_again(tmp_path: Path) -> None:
    pipeline, handler = filled(tmp_path)
    pipeline.publish(SENSORS.replace("humidity: int", "humidity: bool"))
    [dead] = handler.handle([refresh()])
    assert isinstance(dead, Dead)
    assert "column 'humidity' is Int64, the spec says Boolean" in dead.reason

    def down(_operation: str, _key: str) -> None:
        raise Unavailable("connection refused")

    pipeline.store.fault = down
    assert handler.handle([refresh()]) == [Retry("connection refused")]


def test_a_sum_that_passes_64_bits_is_a_dead_letter_that_says_what_to_do(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS.replace("humidity_last: last(humidity)", "humidity_sum: sum(humidity)"))
    pipeline.post([reading(1, humidity=2**63 - 1), reading(2, humidity=1)])
    pipeline.workers["consumer"].turn()
    [dead] = Handler(pipeline.refresher, pipeline.catalog).handle([refresh()])

    assert dead == Dead("sensors: humidity_sum: sum(humidity) passes 64 bits in a window; make humidity a float")
