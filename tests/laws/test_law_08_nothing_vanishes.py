"""Law 8. received = written + duplicate + quarantined + in flight, at any time."""

import random
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.chaos import Killed, KillSwitch
from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import reading
from windrow_reprocessor.replay import ReplayRequest

BROKEN: list[dict[str, object]] = [
    {"ts": "never", "sensor": "a", "temperature": 1},
    {"sensor": "a", "temperature": 1},
    {"ts": 1767225605000, "sensor": "a", "temperature": 3.0},
]


@pytest.mark.parametrize("seed", range(6))
def test_the_figures_add_up_after_every_single_step(tmp_path: Path, seed: int) -> None:
    pipeline = Pipeline(tmp_path)
    rng = random.Random(seed)
    sent = 0

    def post() -> None:
        nonlocal sent
        records = [reading(rng.randrange(200)) for _ in range(rng.randrange(1, 6))]
        records += rng.sample(BROKEN, rng.randrange(len(BROKEN)))
        pipeline.post(records)
        sent += len(records)

    def upload() -> None:
        nonlocal sent
        pipeline.upload(f"{rng.random()}.csv", b"sensor,ts,temperature\na,2026-01-01T00:00:07Z,1\na,?,1\n")
        pipeline.workers["consumer"].turn()  # until then nobody can know how many records a file holds
        sent += 2

    steps = [post, upload, *(worker.turn for worker in pipeline.workers.values()), pipeline.windower_sweep.run]
    for _ in range(40):
        rng.choice(steps)()
        pipeline.clock.advance(rng.random() * 30)
        figures = pipeline.balance()
        assert figures.unexplained == 0, figures
        if not figures.uncounted_objects:
            assert figures.received == sent

    pipeline.publish(SENSORS.replace("[iso8601]", "[iso8601, epoch_ms]"))
    pipeline.replayer.replay(ReplayRequest(stream="sensors"))
    assert pipeline.balance().unexplained == 0
    pipeline.settle()
    figures = pipeline.balance()
    assert (figures.received, figures.in_flight, figures.unexplained) == (sent, 0, 0)
    assert figures.written == len(pipeline.record_rows())


def test_the_figures_add_up_right_after_a_crash_anywhere(tmp_path: Path) -> None:
    probe = Pipeline(tmp_path / "probe")
    switch = KillSwitch(probe, at=None)
    probe.post([reading(1), reading(1), *BROKEN])
    probe.settle()
    for at in range(3, switch.count, 5):
        pipeline = Pipeline(tmp_path / str(at))
        armed = KillSwitch(pipeline, at)
        with suppress(Killed):
            pipeline.post([reading(1), reading(1), *BROKEN])
            pipeline.settle()
            raise AssertionError("nobody was killed")
        armed.disarm()
        figures = pipeline.balance()
        assert figures.unexplained == 0, (at, figures)
        assert figures.received in (0, 5), (at, figures)


def test_a_row_that_disappears_from_the_table_is_noticed(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), reading(2)])
    pipeline.settle()
    table = pipeline.lake.delta("sensors", "records")
    assert table is not None
    table.delete("temperature = 21.0")  # somebody else's hands

    assert pipeline.balance().unexplained == 1


def test_an_unreadable_object_is_accounted_for_before_and_after_its_replay(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    key = pipeline.upload("broken.csv.gz", b"this is not gzip")
    pipeline.settle()
    assert (pipeline.balance().received, pipeline.balance().quarantined) == (1, 1)

    done = pipeline.replayer.replay(ReplayRequest(stream="sensors", kind="object"))
    assert done.objects == 1
    assert done.landing_keys[0].endswith(key.rsplit("/", 1)[1])
    assert pipeline.balance().unexplained == 0
    pipeline.settle()
    assert (pipeline.balance().received, pipeline.balance().quarantined) == (1, 1)  # still not gzip
    assert pipeline.balance().unexplained == 0
