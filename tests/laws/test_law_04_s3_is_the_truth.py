"""Law 4. Lost, duplicated, reordered and delayed messages change nothing but freshness."""

import random
from pathlib import Path

import pytest

from tests.support.pipeline import Pipeline
from tests.support.sensors import expected_records, expected_windows, reading
from windrow.ports import Outgoing

RECORDS = [reading(second, sensor) for second in range(0, 300, 30) for sensor in ("a", "b")]


def check(pipeline: Pipeline) -> None:
    assert pipeline.record_rows() == expected_records(RECORDS)
    assert pipeline.window_rows() == expected_windows(RECORDS)
    assert pipeline.windows()["is_final"].all()
    assert (pipeline.balance().unexplained, pipeline.balance().in_flight) == (0, 0)


def test_an_object_whose_event_was_lost_is_found_by_the_sweep(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.lose_events = True
    pipeline.post(RECORDS)
    pipeline.settle()

    check(pipeline)
    assert pipeline.metrics.total("sweeps_found") > 0


@pytest.mark.parametrize("queue", ["windows", "writes"])
def test_a_lost_pointer_is_made_good_by_the_sweep(tmp_path: Path, queue: str) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post(RECORDS)
    pipeline.workers["consumer"].turn()
    purge(pipeline, queue)
    pipeline.run_until_quiet()
    pipeline.settle()

    check(pipeline)


def test_losing_every_message_of_every_queue_once_changes_only_freshness(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post(RECORDS)
    for worker in ("consumer", "windower", "writer"):
        for queue in pipeline.queues:
            if worker != "consumer" or queue != "landed":
                purge(pipeline, queue)
        pipeline.workers[worker].turn()
    for queue in pipeline.queues:
        purge(pipeline, queue)
    pipeline.settle()

    check(pipeline)


@pytest.mark.parametrize("seed", range(4))
def test_duplicated_and_reordered_messages_change_nothing(tmp_path: Path, seed: int) -> None:
    pipeline = Pipeline(tmp_path)
    rng = random.Random(seed)
    for start in range(0, len(RECORDS), 5):
        pipeline.post(RECORDS[start : start + 5])
        pipeline.clock.advance(1)
    for _ in range(40):
        for queue in pipeline.queues.values():
            bodies = queue.bodies()
            if bodies and rng.random() < 0.5:
                queue.send([Outgoing(rng.choice(bodies))])
            rng.shuffle(queue._messages)
        pipeline.workers[rng.choice(list(pipeline.workers))].turn()
    pipeline.settle()

    check(pipeline)


def purge(pipeline: Pipeline, queue: str) -> None:
    pipeline.queues[queue]._messages.clear()
