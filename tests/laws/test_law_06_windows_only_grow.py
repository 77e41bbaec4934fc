"""Law 6. A bucket's windows are replaced only by a result with more inputs, never by one that misses some."""

import random
from pathlib import Path

from tests.support.pipeline import Pipeline
from tests.support.sensors import expected_windows, reading
from windrow.lake.tables import Place
from windrow.ports import Outgoing

BUCKET = Place(1767225600000000, 0)


def test_a_stale_result_that_arrives_late_changes_nothing(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.workers["consumer"].turn()
    pipeline.workers["windower"].turn()
    old = [body for body in pipeline.queues["writes"].bodies() if "refreshed" in body]
    pipeline.clock.advance(1)
    pipeline.post([reading(2)])
    pipeline.run_until_quiet()
    expected = expected_windows([reading(1), reading(2)])
    assert pipeline.window_rows() == expected
    version = pipeline.lake.open("sensors", "windows_every_minute").version

    pipeline.queues["writes"].send([Outgoing(body) for body in old])
    pipeline.run_until_quiet()

    assert pipeline.window_rows() == expected
    assert pipeline.lake.open("sensors", "windows_every_minute").version == version


def test_results_applied_in_any_order_end_in_the_largest(tmp_path: Path) -> None:
    records = [reading(second) for second in range(0, 50, 10)]
    for seed in range(4):
        pipeline = Pipeline(tmp_path / str(seed))
        pointers = []
        for record in records:
            pipeline.post([record])
            pipeline.clock.advance(1)
            pipeline.workers["consumer"].turn()
            pipeline.workers["windower"].turn()
            pointers = pipeline.queues["writes"].bodies()
        random.Random(seed).shuffle(pointers)
        for pointer in pointers:
            pipeline.writer_handler.handle([pointer])

        assert pipeline.window_rows() == expected_windows(records)


def test_a_refresh_whose_segments_have_expired_reads_the_records_table_instead(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    old = [reading(second) for second in range(0, 120, 20)]
    pipeline.post(old)
    pipeline.settle()
    for info in list(pipeline.store.list("segments/")):
        pipeline.store.remove(info.key)

    pipeline.post([reading(3), reading(500)])
    pipeline.settle()

    assert pipeline.window_rows() == expected_windows([*old, reading(3), reading(500)])
    assert pipeline.windows()["input_count"].max() == 2


def test_nothing_is_computed_while_an_expired_segment_is_not_in_the_records_table(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.workers["consumer"].turn()
    pipeline.workers["windower"].turn()
    pipeline.queues["writes"]._messages.clear()
    for info in list(pipeline.store.list("segments/")):
        pipeline.store.remove(info.key)
    pipeline.forget()
    before = {info.key for info in pipeline.store.list("results/")}
    pipeline.clock.advance(1)
    pipeline.post([reading(2)])
    pipeline.workers["consumer"].turn()
    pipeline.workers["windower"].turn()

    assert {info.key for info in pipeline.store.list("results/")} == before
    assert pipeline.queues["windows"].depth().in_flight == 1  # it will be tried again


def test_a_late_record_reopens_a_sealed_bucket_and_raises_the_revision_of_what_it_touches(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), reading(61)])
    pipeline.settle()
    assert pipeline.windows().select("is_final", "revision").rows() == [(True, 0), (True, 0)]

    pipeline.post([reading(2)])
    pipeline.run_until_quiet()
    assert pipeline.windows().select("is_final", "revision").rows() == [(False, 1), (True, 0)]

    pipeline.post([reading(62)])
    pipeline.run_until_quiet()
    assert pipeline.windows().select("is_final", "revision").rows() == [(False, 1), (False, 1)]

    pipeline.settle()
    assert pipeline.windows().select("is_final", "revision", "row_count").rows() == [(True, 1, 2), (True, 1, 2)]


def test_sealing_changes_no_value(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(second, sensor) for second in range(0, 600, 7) for sensor in "ab"])
    pipeline.run_until_quiet()
    before = pipeline.windows()
    pipeline.settle()

    assert before["is_final"].any() is False
    assert pipeline.windows().drop("is_final").equals(before.drop("is_final"))
