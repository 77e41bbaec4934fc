"""Law 1. A 2xx or a deleted message follows the S3 PUT that makes it safe. A group stands or falls as one."""

from pathlib import Path

import pytest

from tests.support.chaos import Killed, KillSwitch
from tests.support.pipeline import Pipeline
from tests.support.sensors import expected_records, reading
from windrow.errors import Unavailable
from windrow.inflate import inflate


def test_at_the_moment_of_the_acknowledgement_the_bytes_are_in_the_store(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    accepted = pipeline.post([reading(1), reading(2)])

    stored = pipeline.store.get(accepted.landing_key)
    assert inflate(stored.body, "zstd", 1000).count(b"\n") == 2


def test_a_request_whose_put_fails_is_not_acknowledged(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)

    def refuse(operation: str, key: str) -> None:
        if operation == "put_if_absent" and key.startswith("landing/"):
            raise Unavailable("503 SlowDown")

    pipeline.store.fault = refuse
    with pytest.raises(Unavailable):
        pipeline.post([reading(1)])


def test_requests_of_one_group_are_acknowledged_together_under_one_key(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    answers = pipeline.post_many([[reading(1)], [reading(2), reading(3)], [reading(4)]])

    assert [answer.accepted for answer in answers] == [1, 2, 1]
    assert len({answer.landing_key for answer in answers}) == 1


def test_requests_of_one_group_are_refused_together(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    puts = []

    def refuse(operation: str, key: str) -> None:
        if operation == "put_if_absent" and key.startswith("landing/"):
            puts.append(key)
            raise Unavailable("503 SlowDown")

    pipeline.store.fault = refuse
    with pytest.raises(Unavailable):
        pipeline.post_many([[reading(1)], [reading(2)]])
    assert len(set(puts)) == 1  # they shared one object, and none of them was told that it stands


def test_a_message_is_deleted_only_after_its_effects_are_durable(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    order: list[str] = []
    pipeline.store.fault = lambda operation, key: order.append(f"{operation} {key.split('/')[0]}")
    pipeline.queues["landed"].fault = order.append

    pipeline.workers["consumer"].turn()

    last_effect = max(order.index("put_if_absent.after segments"), order.index("put_if_absent.after batches"))
    assert last_effect < order.index("delete")


def test_a_process_killed_before_its_put_has_acknowledged_nothing_and_lost_nothing(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    switch = KillSwitch(pipeline, at=None)
    pipeline.post([reading(1)])
    effects = switch.count
    for at in range(1, effects + 1):
        attempt = Pipeline(tmp_path / str(at))
        KillSwitch(attempt, at)
        answered = False
        try:
            attempt.post([reading(1)], key="same")
            answered = True
        except Killed:
            pass
        attempt.store.fault = None
        landed = list(attempt.store.list("landing/"))
        assert not answered or landed
        attempt.post([reading(1)], key="same")  # the client tries again
        attempt.settle()
        assert attempt.record_rows() == expected_records([reading(1)])
