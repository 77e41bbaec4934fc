"""A breaking change published as the beginning of new tables, while records are on their way (laws 3, 7 and 8)."""

import random
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from tests.support.chaos import Killed, KillSwitch
from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import expected_records, expected_windows, reading
from windrow import catalog, halts
from windrow_reprocessor.replay import ReplayRequest

OLD, NEW = "sensors", "sensors__v2"
BY_TEXT = SENSORS.replace("humidity: int", "humidity: string").replace("size: 1m", "size: 2m")


def publish(pipeline: Pipeline, text: str = BY_TEXT) -> None:
    """Begin new tables, and let the second pass in which that was said."""
    stream, _, is_new = catalog.publish(pipeline.store, text, "x", new_tables=True)
    assert (stream, is_new) == ("sensors", True)
    pipeline.clock.advance(1)


def temperatures(pipeline: Pipeline, flow: str) -> list[float]:
    frame = pipeline.records(flow)
    return [] if frame.is_empty() else sorted(frame["temperature"])


def figures(pipeline: Pipeline, flow: str) -> tuple[int, int, int, int, int, int]:
    found = pipeline.balance(flow)
    return found.received, found.written, found.duplicate, found.quarantined, found.moved, found.unexplained


def test_what_landed_before_goes_to_the_old_tables_and_what_lands_after_to_the_new(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1, humidity=40)])
    pipeline.run_until_quiet()
    pipeline.post([reading(2, humidity=41)])  # not decoded yet
    pipeline.clock.advance(1)
    publish(pipeline)
    pipeline.post([reading(3, humidity="dry")])
    pipeline.settle()

    assert pipeline.records(OLD).sort("ts")["humidity"].to_list() == [40, 41]
    assert pipeline.records(NEW)["humidity"].to_list() == ["dry"]
    assert (figures(pipeline, OLD), figures(pipeline, NEW)) == ((2, 2, 0, 0, 0, 0), (1, 1, 0, 0, 0, 0))
    assert pipeline.window_rows() == expected_windows([reading(1), reading(2)])
    for flow, minutes in ((OLD, 1), (NEW, 2)):
        windows = pipeline.windows(stream=flow)
        assert windows["is_final"].all()
        assert (windows["window_end"] - windows["window_start"]).dt.total_minutes().unique().to_list() == [minutes]
    assert not any(queue.bodies() for queue in pipeline.dead.values())


def test_the_old_tables_are_still_changed_by_what_came_for_them(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.lose_events = True
    pipeline.post([reading(1, humidity=40)])
    pipeline.clock.advance(1)
    publish(pipeline)
    pipeline.lose_events = False
    pipeline.post([reading(2, humidity="dry")])
    pipeline.run_until_quiet()
    assert temperatures(pipeline, OLD) == []
    assert figures(pipeline, OLD)[-1] == 0
    pipeline.settle()  # the sweep finds the object whose event was lost

    assert (temperatures(pipeline, OLD), temperatures(pipeline, NEW)) == ([21.0], [22.0])
    assert pipeline.windows(stream=OLD)["is_final"].all()


def test_the_same_record_sent_again_to_the_new_tables_is_a_record_of_theirs(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)])
    pipeline.settle()
    publish(pipeline)
    pipeline.post([reading(1)])
    pipeline.post([reading(1)])
    pipeline.settle()

    assert pipeline.record_rows() == expected_records([reading(1)])
    assert (figures(pipeline, OLD), figures(pipeline, NEW)) == ((1, 1, 0, 0, 0, 0), (2, 1, 1, 0, 0, 0))
    assert pipeline.windows(stream=NEW)["row_count"].to_list() == [1]


def test_a_request_repeated_under_its_idempotency_key_stays_where_it_first_went(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1)], key="same")
    pipeline.clock.advance(1)
    publish(pipeline)
    pipeline.post([reading(1)], key="same")
    pipeline.settle()

    assert (temperatures(pipeline, OLD), pipeline.lake.open(NEW, "records")) == ([21.0], None)


def test_records_replayed_from_the_old_quarantine_move_to_the_new_tables_and_both_balances_add_up(
    tmp_path: Path,
) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), reading(2, humidity="dry"), reading(3, humidity="damp"), {"ts": "never"}])
    pipeline.settle()
    assert figures(pipeline, OLD) == (4, 1, 0, 3, 0, 0)
    publish(pipeline)
    for _ in range(2):  # twice is once
        pipeline.replayer.replay(ReplayRequest(stream="sensors", reason="wrong_type"))
        assert [figures(pipeline, flow)[-1] for flow in (OLD, NEW)] == [0, 0]
        pipeline.settle()

        assert figures(pipeline, OLD) == (4, 1, 0, 1, 2, 0)
        assert figures(pipeline, NEW) == (2, 2, 0, 0, 0, 0)
    assert sorted(pipeline.records(NEW)["humidity"]) == ["damp", "dry"]
    assert sum(pipeline.windows(stream=NEW)["row_count"]) == 2


def test_a_record_that_does_not_fit_the_new_tables_either_waits_in_their_quarantine(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.post([reading(1), {"ts": "never"}])
    pipeline.settle()
    publish(pipeline)
    pipeline.replayer.replay(ReplayRequest(stream="sensors__v1"))
    pipeline.settle()

    assert (figures(pipeline, OLD), figures(pipeline, NEW)) == ((2, 1, 0, 0, 1, 0), (1, 0, 0, 1, 0, 0))
    [failed] = pipeline.triage.records(ReplayRequest(stream="sensors").filter())
    assert failed.flow == NEW
    pipeline.replayer.replay(ReplayRequest(stream="sensors__v2"))
    pipeline.settle()
    assert figures(pipeline, NEW) == (1, 0, 0, 1, 0, 0)


def test_an_unreadable_object_replayed_across_the_boundary_is_accounted_for_on_both_sides(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.upload("broken.csv.gz", b"this is not gzip")
    pipeline.settle()
    publish(pipeline)
    pipeline.replayer.replay(ReplayRequest(stream="sensors", kind="object"))
    assert [figures(pipeline, flow)[-1] for flow in (OLD, NEW)] == [0, 0]
    pipeline.settle()

    assert (figures(pipeline, OLD), figures(pipeline, NEW)) == ((1, 0, 0, 0, 1, 0), (1, 0, 0, 1, 0, 0))


@pytest.mark.parametrize("seed", range(3))
def test_the_figures_of_both_versions_add_up_after_every_single_step(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    pipeline = Pipeline(tmp_path)
    sent = 0

    def post() -> None:
        nonlocal sent
        records = [reading(rng.randrange(200), humidity=rng.choice([1, "dry"])) for _ in range(rng.randrange(1, 6))]
        pipeline.post([*records, {"ts": "never"}])
        sent += len(records) + 1

    def replay() -> None:
        pipeline.replayer.replay(ReplayRequest(stream="sensors", limit=rng.randrange(1, 4)))

    steps = [post, replay, *(worker.turn for worker in pipeline.workers.values()), pipeline.windower_sweep.run]
    for step in range(50):
        if step == 20:
            publish(pipeline)
        rng.choice(steps)()
        pipeline.clock.advance(rng.random() * 30)
        balances = [pipeline.balance(flow) for flow in pipeline.catalog.flows()]
        assert [found.unexplained for found in balances] == [0] * len(balances), balances
        assert sum(found.received - found.moved for found in balances) == sent, balances
    pipeline.settle()
    assert all(pipeline.balance(flow).in_flight == 0 for flow in pipeline.catalog.flows())


def test_a_crash_anywhere_around_the_boundary_leads_to_the_same_end_state(tmp_path: Path) -> None:
    def before(pipeline: Pipeline) -> None:
        pipeline.post([reading(1, humidity=40), reading(2, humidity="dry")], key="first")
        pipeline.clock.advance(1)

    def after(pipeline: Pipeline) -> None:
        pipeline.run_until_quiet()
        pipeline.replayer.replay(ReplayRequest(stream="sensors"))
        pipeline.post([reading(3, humidity="damp")], key="second")
        pipeline.settle()

    def end(pipeline: Pipeline) -> list[object]:
        shown = [pipeline.windows(stream=flow).drop("computed_at").rows() for flow in (OLD, NEW)]
        return [figures(pipeline, OLD), figures(pipeline, NEW), temperatures(pipeline, OLD), *shown]

    def begun(folder: Path) -> Pipeline:
        pipeline = Pipeline(folder)
        before(pipeline)
        publish(pipeline)
        return pipeline

    probe = begun(tmp_path / "probe")
    switch = KillSwitch(probe, at=None)
    after(probe)
    expected = end(probe)
    assert expected[:2] == [(2, 1, 0, 0, 1, 0), (2, 2, 0, 0, 0, 0)]
    for at in range(2, switch.count, max(switch.count // 7, 1)):
        pipeline = begun(tmp_path / str(at))
        armed = KillSwitch(pipeline, at)
        with suppress(Killed):
            after(pipeline)
            raise AssertionError("nobody was killed")
        armed.disarm()
        pipeline.forget()
        pipeline.settle()
        after(pipeline)

        assert end(pipeline) == expected, at


def test_an_object_that_waits_for_the_end_of_a_halt_is_not_decoded_for_newer_tables(tmp_path: Path) -> None:
    halting = SENSORS + "halt: {ratio: 0.5, min_records: 1}\n"
    pipeline = Pipeline(tmp_path)
    pipeline.publish(halting)
    pipeline.post([reading(1, humidity="dry")])
    pipeline.run_until_quiet()
    assert halts.find(pipeline.store, OLD, 2) is not None
    publish(pipeline, halting.replace("humidity: int", "humidity: string"))
    pipeline.post([reading(2, humidity="damp")])
    pipeline.settle()
    assert (temperatures(pipeline, NEW), pipeline.balance(OLD).in_flight) == ([22.0], 1)

    assert halts.resume(pipeline.store, OLD, 2)
    pipeline.settle()
    pipeline.replayer.replay(ReplayRequest(stream="sensors"))
    pipeline.settle()

    assert (figures(pipeline, OLD), figures(pipeline, NEW)) == ((1, 0, 0, 0, 1, 0), (2, 2, 0, 0, 0, 0))


def test_columns_that_records_brought_to_the_old_tables_are_free_again_in_the_new(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS + "schema: evolve\n")
    pipeline.post([reading(1, pressure=1013)])
    pipeline.settle()
    publish(pipeline, BY_TEXT + "schema: evolve\n")
    pipeline.post([reading(2, pressure="high")])
    pipeline.settle()

    assert pipeline.records(OLD).schema["pressure"] == pl.Int64()
    assert pipeline.records(NEW)["pressure"].to_list() == ["high"]
