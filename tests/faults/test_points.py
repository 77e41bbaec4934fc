"""Where processes are killed: what a trap does, and which points a port tells of."""

import os
import random
import signal
from pathlib import Path

import polars as pl
import pytest

from tests.faults.matrix import planned
from tests.faults.points import POINTS, SERVICES, service_of
from tests.faults.taps import TappedQueue, TappedStore, TappedTable
from tests.faults.trap import Arm, Trap, read_arms, write_arms
from tests.support.pipeline import SENSORS, parsed
from windrow.lake.delta import DeltaLake
from windrow.lake.schema import records_schema
from windrow.ports import ObjectHeaders, Outgoing
from windrow.testing.clock import ManualClock
from windrow.testing.queue import MemoryQueue
from windrow.testing.store import MemoryObjectStore


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The signals that a trap sent to its own process."""
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(number) if pid == os.getpid() else None)
    return sent


def test_a_trap_kills_at_the_chosen_time_that_its_point_is_reached_and_once(tmp_path: Path, killed: list[int]) -> None:
    trap = Trap(tmp_path / "writer.arms")
    write_arms(trap.path, [Arm("writer.before_delete", 2), Arm("writer.after_delete")])

    for point in ("writer.after_delete", "writer.before_delete"):
        trap.reach(point)
    assert not killed

    trap.reach("writer.before_delete")
    trap.reach("writer.before_delete")
    assert killed == [signal.SIGKILL]
    assert read_arms(trap.path) == [Arm("writer.after_delete")]


def test_a_process_that_is_not_armed_lives(tmp_path: Path, killed: list[int]) -> None:
    Trap(tmp_path / "none.arms").reach("writer.before_delete")
    assert not killed


def test_every_effect_of_a_port_is_told_before_and_after_it(tmp_path: Path) -> None:
    told: list[str] = []
    clock = ManualClock(0)
    store = TappedStore(MemoryObjectStore(clock), "consumer", told.append)
    queue = TappedQueue(MemoryQueue("windows", clock), "consumer", "windows", told.append)
    schema = records_schema(parsed(SENSORS))
    table = TappedTable(
        DeltaLake(str(tmp_path), {}).open_or_create("sensors", "records", schema), "writer", "records", told.append
    )

    store.put_if_absent("segments/sensors/x/0/b.parquet", b"", ObjectHeaders())
    queue.send([Outgoing("{}")])
    table.append(pl.DataFrame(schema=schema), {"batch:b": 1})

    assert told == [
        "consumer.before_segment",
        "consumer.after_segment",
        "consumer.before_windows_pointer",
        "consumer.after_windows_pointer",
        "writer.before_commit.records",
        "writer.after_commit.records",
    ]


def test_there_are_points_in_every_service_and_the_plan_holds_each_as_often_as_asked() -> None:
    arms = planned(POINTS, 20, random.Random(1))

    assert len(POINTS) == len(set(POINTS)) >= 20
    assert {service_of(point) for point in POINTS} == set(SERVICES) == set(arms)
    assert sum(map(len, arms.values())) == 20 * len(POINTS)
