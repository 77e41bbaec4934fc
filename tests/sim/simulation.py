"""One seed, from start to quiet to verdict."""

import functools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from unittest import mock

from tests.sim import oracle
from tests.sim.faults import Faults, Fired, Kind
from tests.sim.people import People
from tests.sim.workload import SPECS, Item, plan
from tests.sim.world import Pacing, Violation, World
from windrow import spec
from windrow.lake.tables import Lake
from windrow_reprocessor.replay import ReplayRequest

_MOST_ROUNDS = 20
_ACTIVE_S = 900.0


@dataclass(frozen=True)
class Report:
    """What became of a seed."""

    seed: int
    violation: str | None
    fired: tuple[Fired, ...]
    counts: Counter[Kind]
    items: tuple[Item, ...]
    trace: Callable[[], list[str]]
    """All that happened, a line each."""
    switches: int
    virtual_s: float


_parse = functools.lru_cache(spec.parse)


def run(seed: int, dropped: frozenset[str] = frozenset(), lake: Callable[[], Lake] | None = None) -> Report:
    """Run a seed, without what is dropped."""
    with mock.patch.object(spec, "parse", _parse):  # pure, and a third of the time where processes start so often
        return _run(seed, dropped, lake)


def _run(seed: int, dropped: frozenset[str], lake: Callable[[], Lake] | None) -> Report:
    faults = Faults(seed, dropped)
    is_patient = random.Random(f"{seed}/pace").random() < 0.5
    if is_patient:
        faults.rates["lost_event"] = faults.rates["lost_message"] = 0.0
    pace = Pacing(sweep_s=40.0, sweep_after_s=240.0) if is_patient else Pacing()
    items = [item for item in plan(seed) if item.where not in dropped]
    world = World(seed, faults, pace, None if lake is None else lake())
    people = People(world, items)
    world.on_commit.append(_Growth(world).check)
    violation: Violation | None
    try:
        _live(world, people, items, is_patient=is_patient)
        violation = world.violation
    except Violation as error:
        violation = error
        world.log("oracle", str(error), "")
    finally:
        world.scheduler.close()
    return Report(
        seed,
        None if violation is None else str(violation),
        tuple(faults.fired),
        faults.counts,
        tuple(items),
        world.trace_lines,
        world.scheduler.switches,
        world.scheduler.now_s(),
    )


def _live(world: World, people: People, items: list[Item], *, is_patient: bool) -> None:
    for stream in SPECS:
        if any(item.stream == stream for item in items):
            people.publish(stream, SPECS[stream])
    _until(world, lambda: people.open == 0, _ACTIVE_S)
    world.faults.is_on = False
    found = _rest(world)
    if is_patient and world.violation is None:
        _check_pointers_sufficed(world, found)
    for _ in range(2):
        before = world.effects
        people.open += 1
        world.scheduler.spawn("operator", lambda: _replay_all(people))
        _until(world, lambda: people.open == 0, _ACTIVE_S)
        if world.effects == before:
            break
        _rest(world)
    if world.violation is None:
        oracle.check(world, people, items)


def _replay_all(people: People) -> None:
    people.replay(ReplayRequest(kind="record"))
    people.replay(ReplayRequest(kind="message"))
    people.open -= 1


def _until(world: World, is_done: Callable[[], bool], most_s: float) -> None:
    until_s = world.scheduler.now_s() + most_s
    world.scheduler.run(lambda: is_done() or world.violation is not None or world.scheduler.now_s() > until_s)


def _rest(world: World) -> int | None:
    """Let time pass until nothing is written any more, and no message is left.

    Returns what sweeps had found when the last message was first gone.
    """
    found: int | None = None
    still_s = world.pace.sweep_after_s + 2 * world.pace.sweep_s
    began_s = world.last_effect_s = world.scheduler.now_s()
    queued = [*world.queues.values(), *world.dead.values()]
    while world.scheduler.now_s() - world.last_effect_s < still_s or any(queue.bodies() for queue in queued):
        if world.scheduler.now_s() - began_s > _MOST_ROUNDS * still_s:
            raise Violation(10, f"{world.scheduler.now_s() - began_s:.0f} s without faults, and it still does not rest")
        _until(world, lambda: False, world.pace.sweep_s)
        if world.violation is not None:
            break
        if found is None and not world.down and not any(queue.bodies() for queue in queued):
            found = world.metrics.total("sweeps_found")
    return found


def _check_pointers_sufficed(world: World, before: int | None) -> None:
    """Where no message was lost, and none died, messages alone bring everything about."""
    died = [letter for queue in world.dead.values() for letter in queue.bodies()]
    died += [info.key for info in world.store.list("dead-letters/")]
    found = world.metrics.total("sweeps_found") - (before or 0)
    if found and not died:
        raise Violation(3, f"no message was lost, and sweeps had to make {found} pointers good")


class _Growth:
    """Law 6, commit by commit: what a place has grown to never shrinks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._grown: dict[tuple[str, str, str], int] = {}

    def check(self, stream: str, table: str, marks: object) -> None:
        assert isinstance(marks, dict)
        for name, value in marks.items():
            if name.startswith("place:"):
                before = self._grown.get((stream, table, name), 0)
                if value // 2 < before // 2:
                    self._world.violated(6, f"{stream}/{table} {name} shrank from {before} to {value}")
                self._grown[stream, table, name] = value
