"""The same records by any road, in any order and any number of times: the same windows, whatever buckets they cross."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support.pipeline import Pipeline
from windrow import spec
from windrow.lake.schema import result_schema, stored_type
from windrow.windows import engine

SPEC = """
stream: sensors
time: {column: ts, formats: [iso8601], max_future: 10m}
keys: [sensor]
unique: [sensor, ts]
columns:
  ts: timestamp
  sensor: string
  temperature: {type: float, required: true}
  humidity: int
bucket: 1h
lateness: 5m
idle: 60s
windows:
  every_minute: {size: 1m, aggregates: {n: count, mean: mean(temperature), last: last(humidity)}}
  sliding:
    kind: sliding
    size: 150m
    slide: 20m
    aggregates: {n: count, sum: sum(temperature), low: min(temperature), open: first(temperature)}
  median: {kind: sliding, size: 90m, slide: 30m, aggregates: {median: median(temperature), sd: std(temperature)}}
  session: {kind: session, gap: 40m, aggregates: {n: count, sum: sum(temperature), last: last(humidity)}}
  cut_session: {kind: session, gap: 40m, max_duration: 100m, aggregates: {n: count, sum: sum(temperature)}}
  local_day: {size: 1d, timezone: America/Los_Angeles, aggregates: {n: count, mean: mean(temperature)}}
  day_so_far: {kind: cumulative, size: 6h, step: 90m, aggregates: {n: count, high: max(temperature)}}
  ends_belong: {size: 90m, closed: right, aggregates: {n: count, sum: sum(temperature)}}
  filled:
    size: 10m
    fill: linear
    max_gap: 12
    aggregates: {mean: mean(temperature), level: {function: time_weighted_mean, column: temperature, max_carry: 3h}}
  sequence:
    kind: sequence
    step: 30m
    length: 6
    stride: 3
    fill: previous
    max_gap: 4
    mask: true
    horizon: 2
    aggregates: {mean: mean(temperature)}
"""
START = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
Records = list[dict[str, object]]


def _records(seed: int) -> Records:
    """Readings of three sensors over some hours, in bursts with pauses, some at bounds of buckets and windows."""
    rng = random.Random(seed)
    records: Records = []
    for sensor in "abc":
        minute = rng.uniform(-90, 90)
        while minute < 7 * 60:
            at = START + timedelta(minutes=round(minute) if rng.random() < 0.4 else minute)
            at = at.replace(microsecond=at.microsecond // 1000 * 1000)
            reading = {"ts": at.isoformat(), "sensor": sensor, "temperature": round(rng.gauss(20, 5), 2)}
            records.append(reading | ({"humidity": rng.randint(0, 99)} if rng.random() < 0.8 else {}))
            minute += rng.expovariate(1 / 14) if rng.random() < 0.9 else rng.choice([20, 39, 40, 41, 75])
    return list({(each["sensor"], each["ts"]): each for each in records}.values())


def _one_at_a_time(pipeline: Pipeline, records: Records) -> None:
    for number, record in enumerate(records):
        pipeline.post([record])
        pipeline.clock.advance(1)
        if number % 12 == 0:
            pipeline.run_until_quiet()


def _all_at_once(pipeline: Pipeline, records: Records) -> None:
    pipeline.post(records)


def _reversed(pipeline: Pipeline, records: Records) -> None:
    latest_first = sorted(records, key=lambda each: str(each["ts"]), reverse=True)
    for begin in range(0, len(records), 9):
        pipeline.post(latest_first[begin : begin + 9])
        pipeline.clock.advance(1)
        pipeline.run_until_quiet()


def _twice(pipeline: Pipeline, records: Records) -> None:
    rng = random.Random(3)
    both = [*records, *records]
    rng.shuffle(both)
    for begin in range(0, len(both), 40):
        pipeline.post(both[begin : begin + 40])
        pipeline.clock.advance(1)
        pipeline.run_until_quiet()


def _late(pipeline: Pipeline, records: Records) -> None:
    """Two thirds, all sealed; then the rest, which reopens what it touches, out of a windower's memory."""
    pipeline.post(records[::3] + records[1::3])
    pipeline.settle()
    pipeline.forget()
    for begin in range(2, len(records), 30):
        pipeline.post(records[begin : begin + 30 : 3])
        pipeline.clock.advance(1)
        pipeline.run_until_quiet()


def _segments_expired(pipeline: Pipeline, records: Records) -> None:
    """Half, sealed and with their segments removed; then the other half."""
    pipeline.post(records[::2])
    pipeline.settle()
    pipeline.forget()
    for info in list(pipeline.store.list("segments/")):
        pipeline.store.remove(info.key)
    pipeline.post(records[1::2])


ARRIVALS = [_one_at_a_time, _all_at_once, _reversed, _twice, _late, _segments_expired]


def _expected(records: Records, name: str) -> pl.DataFrame:
    """What the engine makes of all records at once."""
    parsed = spec.parse(SPEC, "test.yaml")
    rows = pl.DataFrame(
        {
            "ts": pl.Series([datetime.fromisoformat(str(each["ts"])) for each in records]).cast(
                pl.Datetime("us", "UTC")
            ),
            "sensor": [each["sensor"] for each in records],
            "temperature": [each["temperature"] for each in records],
            "humidity": pl.Series([each.get("humidity") for each in records], dtype=pl.Int64()),
        }
    )
    computed = engine.compute(rows, parsed, parsed.windows[name])
    return computed.with_columns(pl.col(each).cast(stored_type(kind)) for each, kind in computed.schema.items())


@pytest.mark.parametrize("arrive", ARRIVALS, ids=lambda arrive: arrive.__name__.strip("_"))
def test_every_window_is_what_the_engine_makes_of_all_records(
    tmp_path: Path, arrive: Callable[[Pipeline, Records], None]
) -> None:
    records = _records(len(arrive.__name__))
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SPEC)
    pipeline.clock.advance(12 * 3_600)  # so that no reading lies in the future
    arrive(pipeline, records)
    pipeline.run_until_quiet()
    _compare(pipeline, records)  # pointers alone bring every window up to date; no sweep has helped

    pipeline.clock.advance(30 * 3_600)  # the local day ends
    pipeline.settle()
    _compare(pipeline, records)
    assert [queue.bodies() for queue in pipeline.dead.values()] == [[], [], []]
    assert pipeline.records().height == len(records)
    assert all(pipeline.windows(name)["is_final"].all() for name in spec.parse(SPEC, "test.yaml").windows)
    assert pipeline.balance().unexplained == 0


def _compare(pipeline: Pipeline, records: Records) -> None:
    parsed = spec.parse(SPEC, "test.yaml")
    order = ["sensor", "window_start", "window_end"]
    for name, window in parsed.windows.items():
        found = pipeline.windows(name).select(list(result_schema(parsed, window)))
        assert found.sort(order).equals(_expected(records, name).sort(order)), name
