"""Widened types, published while records are on their way (laws 3, 5, 6, 7 and 8)."""

from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tests.support.chaos import HookedLake, Killed, KillSwitch, lose_replies
from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import expected_records, expected_windows, reading
from windrow import catalog, keys
from windrow.errors import BadSettings
from windrow.lake.schema import TIMESTAMP

NARROW = SENSORS.replace(
    "      humidity_last: last(humidity)\n",
    "      humidity_last: last(humidity)\n      humidity_sum: sum(humidity)\n      humidity_all: collect(humidity)\n"
    "  sessions:\n    kind: session\n    gap: 2m\n    aggregates: {humidity_max: max(humidity)}\n",
)
WIDE = NARROW.replace("humidity: int", "humidity: float")
EXACT = NARROW.replace("humidity: int", "humidity: 'decimal(21,2)'")


def humidity(pipeline: Pipeline) -> list[object]:
    return pipeline.records().sort("ts")["humidity"].to_list()


def begun(folder: Path) -> Pipeline:
    """A sealed bucket, and then one that is open."""
    pipeline = Pipeline(folder)
    pipeline.publish(NARROW)
    pipeline.post([reading(second, humidity=second) for second in range(0, 120, 30)])
    pipeline.settle()
    pipeline.post([reading(7200, humidity=7)])
    pipeline.run_until_quiet()
    return pipeline


OLD = {0: 0, 30: 30, 60: 60, 90: 90, 7200: 7}


@pytest.mark.parametrize(("text", "kind"), [(WIDE, pl.Float64()), (EXACT, pl.Decimal(21, 2))])
@pytest.mark.parametrize("newer_first", [True, False])
def test_batches_of_both_versions_in_flight_end_in_one_wider_table(
    tmp_path: Path, text: str, kind: pl.DataType, newer_first: bool
) -> None:
    pipeline = begun(tmp_path)
    pipeline.post([reading(7201, humidity=8)])
    pipeline.workers["consumer"].turn()  # decoded as int
    held = list(pipeline.queues["writes"].bodies())
    if newer_first:
        pipeline.queues["writes"]._messages.clear()
    pipeline.clock.advance(1)
    pipeline.publish(text)
    pipeline.post([reading(7202, humidity=9.5), reading(45, humidity=4.25)])  # one of them late, for a sealed bucket
    pipeline.run_until_quiet()
    pipeline.writer_handler.handle(held)
    pipeline.settle()
    after = {**OLD, 7201: 8, 7202: 9.5, 45: 4.25}
    windows = pipeline.windows()

    assert humidity(pipeline) == [pytest.approx(after[second]) for second in sorted(after)]
    assert pipeline.records().schema["humidity"] == kind
    assert windows.schema["humidity_last"] == kind
    assert windows.schema["humidity_all"] == pl.List(kind)
    assert sum(windows["humidity_sum"]) == sum(map(Decimal, after.values()))
    assert pipeline.window_rows() == expected_windows([reading(second) for second in after])
    assert sorted(pipeline.windows("sessions")["humidity_max"]) == [Decimal("9.5"), Decimal(90)]
    figures = pipeline.balance()
    assert (figures.received, figures.written, figures.unexplained) == (8, 8, 0)
    assert not pipeline.dead["writes"].bodies()
    assert not pipeline.dead["windows"].bodies()


def test_a_late_record_revises_the_window_it_touches_and_no_other_window_changes(tmp_path: Path) -> None:
    pipeline = begun(tmp_path)
    pipeline.publish(WIDE)
    pipeline.post([reading(45, humidity=4.25)])
    pipeline.settle()
    found = pipeline.windows().sort("window_start")

    assert found["revision"].to_list() == [1, 0, 0]
    assert found["is_final"].all()
    late = pipeline.lake.delta("sensors", "late")
    assert late is not None
    assert late.count() == 1


def test_marks_and_figures_are_the_same_before_and_after(tmp_path: Path) -> None:
    pipeline = begun(tmp_path)
    before = pipeline.balance()
    again = pipeline.queues["writes"].bodies()
    pipeline.publish(WIDE)
    pipeline.post([reading(7202, humidity=9.5)])
    pipeline.run_until_quiet()
    pipeline.writer_handler.handle(again)
    after = pipeline.balance()

    assert (after.received, after.written, after.duplicate) == (before.received + 1, before.written + 1, 0)
    assert after.unexplained == before.unexplained == 0


def test_a_crash_anywhere_around_the_widening_leads_to_the_same_end_state(tmp_path: Path) -> None:
    def drive(pipeline: Pipeline) -> None:
        pipeline.publish(WIDE)
        pipeline.post([reading(7202, humidity=9.5), reading(45, humidity=4.25)], key="same")
        pipeline.settle()

    probe = begun(tmp_path / "probe")
    switch = KillSwitch(probe, at=None)
    drive(probe)
    expected = probe.records(), probe.windows().drop("computed_at", "input_count")
    first = switch.count // 6
    for at in range(3, switch.count, first):
        pipeline = begun(tmp_path / str(at))
        armed = KillSwitch(pipeline, at)
        with suppress(Killed):
            drive(pipeline)
            raise AssertionError("nobody was killed")
        armed.disarm()
        pipeline.clock.advance(1)  # a version counts from the second after it was published
        pipeline.forget()
        if len(list(pipeline.store.list(keys.spec_prefix("sensors")))) == 2:
            pipeline.publish(WIDE)
        pipeline.post([reading(7202, humidity=9.5), reading(45, humidity=4.25)], key="same")
        pipeline.settle()

        assert pipeline.records().equals(expected[0]), at
        assert pipeline.windows().drop("computed_at", "input_count").equals(expected[1]), at
        assert pipeline.balance().unexplained == 0


def test_a_widening_whose_reply_was_lost_is_not_done_twice(tmp_path: Path) -> None:
    pipeline = begun(tmp_path)
    table = pipeline.lake.open("sensors", "records")
    assert table is not None
    version = table.version
    pipeline.publish(WIDE)
    pipeline.writer_handler.lake = HookedLake(pipeline.lake, lose_replies(1, "commit.after"))
    pipeline.post([reading(7202, humidity=9.5)])
    pipeline.run_until_quiet()
    after = pipeline.lake.open("sensors", "records")

    assert after is not None
    assert after.version == version + 2  # widened, appended
    assert humidity(pipeline) == [0, 30, 60, 90, 7, 9.5]


def test_an_append_that_comes_between_makes_the_widening_begin_again(tmp_path: Path) -> None:
    pipeline = begun(tmp_path)
    pipeline.publish(WIDE)
    meddled = 0

    def meddle(operation: str) -> None:
        nonlocal meddled
        if operation == "commit" and meddled == 0:
            meddled = 1
            other = pipeline.lake.open("sensors", "records")
            assert other is not None
            other.append(pl.DataFrame(schema=other.schema), {"somebody": 1})

    pipeline.writer_handler.lake = HookedLake(pipeline.lake, meddle)
    pipeline.post([reading(7202, humidity=9.5)])
    pipeline.run_until_quiet()
    after = pipeline.lake.open("sensors", "records")

    assert after is not None
    assert (meddled, after.mark("somebody")) == (1, 1)
    assert humidity(pipeline) == [0, 30, 60, 90, 7, 9.5]
    assert pipeline.balance().unexplained == 0


def test_a_writer_that_still_knows_the_older_spec_writes_into_a_wider_table(tmp_path: Path) -> None:
    pipeline = begun(tmp_path)
    older = pipeline.catalog.current("sensors")
    pipeline.publish(WIDE)
    pipeline.post([reading(7202, humidity=9.5)])
    pipeline.run_until_quiet()
    pipeline.writer_handler.catalog = _Stale(older)
    pipeline.post([reading(7203, humidity=10.5), reading(46, humidity=1.5)])
    pipeline.run_until_quiet()

    assert humidity(pipeline) == [0, 30, 1.5, 60, 90, 7, 9.5, 10.5]


class _Stale:
    def __init__(self, published: catalog.PublishedSpec) -> None:
        self._published = published

    def current(self, _stream: str) -> catalog.PublishedSpec:
        return self._published


def test_a_day_becomes_its_midnight_and_rows_keep_their_ids(tmp_path: Path) -> None:
    text = SENSORS.replace("humidity: int", "humidity: int\n  day: date").replace(
        "unique: [sensor, ts]", "unique: [sensor, ts, day]"
    )
    pipeline = Pipeline(tmp_path)
    pipeline.publish(text)
    pipeline.post([reading(1, day="2026-01-01"), reading(2, day="2026-01-02")])
    pipeline.run_until_quiet()
    pipeline.publish(text.replace("day: date", "day: timestamp"))
    pipeline.post([reading(2, day="2026-01-02T00:00:00Z"), reading(2, day="2026-01-02T00:00:01Z")])
    pipeline.settle()
    found = pipeline.records()

    assert found.schema["day"] == TIMESTAMP
    assert sorted(f"{each:%m-%dT%H:%M:%S}" for each in found["day"]) == [
        "01-01T00:00:00",
        "01-02T00:00:00",
        "01-02T00:00:01",
    ]
    assert sum(row[2] for row in pipeline.window_rows()) == 3
    figures = pipeline.balance()
    assert (figures.written, figures.duplicate, figures.unexplained) == (3, 1, 0)


def test_a_column_that_records_brought_may_be_named_with_a_wider_type(tmp_path: Path) -> None:
    evolving = SENSORS + "schema: evolve\n"
    pipeline = Pipeline(tmp_path)
    pipeline.publish(evolving)
    pipeline.post([reading(1, pressure=1013)])
    pipeline.run_until_quiet()
    catalog.publish(pipeline.store, evolving.replace("humidity: int", "humidity: int\n  pressure: float"), "x")
    pipeline.clock.advance(1)
    pipeline.post([reading(2, pressure=1013.25)])
    pipeline.settle()

    assert pipeline.records().sort("ts")["pressure"].to_list() == [1013.0, 1013.25]
    assert pipeline.record_rows() == expected_records([reading(1), reading(2)])
    with pytest.raises(BadSettings, match="records have brought it as int already"):
        catalog.publish(pipeline.store, evolving.replace("humidity: int", "humidity: int\n  pressure: bool"), "x")


def test_publishing_takes_a_wider_type_and_refuses_a_narrower_one(tmp_path: Path) -> None:
    pipeline = begun(tmp_path)

    assert catalog.publish(pipeline.store, WIDE, "x") == ("sensors", 3, True)
    with pytest.raises(BadSettings, match="was float and cannot become int"):
        catalog.publish(pipeline.store, NARROW, "x")
