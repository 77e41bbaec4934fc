"""Server metrics every five minutes, with holes cut into them: what fills a hole, what a level is, what a counter grew.

Of every file, some days. They have few holes of their own, so some stretches are left out, always the same.
"""

import csv
import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.real import arrivals, recorded
from tests.real.arrivals import Record, Row
from tests.support.pipeline import Pipeline

pytestmark = recorded.needs("aws_cloudwatch")

STREAM = "cloudwatch"
FOLDER = recorded.DATA / "aws_cloudwatch"
NETWORK_IN, REQUESTS, DISK_WRITES, NETWORK_IN_BEFORE = (
    "ec2_network_in_257a54",
    "elb_request_count_8c0756",
    "ec2_disk_write_bytes_1ef3de",
    "iio_us-east-1_i-a2eb1cd9_NetworkIn",
)
DAYS = {
    NETWORK_IN: ("2014-04-10", "2014-04-15"),
    REQUESTS: ("2014-04-11", "2014-04-16"),
    DISK_WRITES: ("2014-03-07", "2014-03-11"),  # its clock skips an hour on the 9th
    NETWORK_IN_BEFORE: ("2013-10-09", "2013-10-14"),
}
"""Series → from which day, and up to which."""
STEP = timedelta(minutes=5)
HOUR = timedelta(hours=1)
MAX_CARRY = timedelta(minutes=15)
FILL_LIMIT, MAX_GAP = 3, 8

WINDOWS = f"""
windows:
  kept:
    size: 5m
    fill: previous
    fill_limit: {FILL_LIMIT}
    max_gap: {MAX_GAP}
    aggregates: {{average: mean(value), latest: last(value)}}
  drawn:
    size: 5m
    fill: linear
    max_gap: {MAX_GAP}
    aggregates: {{average: mean(value)}}
  hourly_level:
    size: 1h
    aggregates:
      level: {{function: time_weighted_mean, column: value, max_carry: 15m}}
      slope: {{function: time_weighted_mean, column: value, carry: linear, max_carry: 15m}}
      inside: {{function: time_weighted_mean, column: value, carry: none}}
      area: {{function: integral, column: value, max_carry: 15m}}
  hourly_counter:
    size: 1h
    aggregates: {{grown: increase(value), speed: rate(value), resets: resets(value), changes: changes(value)}}
  sliding:
    kind: sliding
    size: 3h
    slide: 30m
    aggregates: {{p90: "quantile(value, 0.9)", sd: std(value), from_first: first(value)}}
"""
TEXT_CHANGES = {
    "unique: [timestamp]": "keys: [series]\nunique: [series, timestamp]",
    "columns:\n": "columns:\n  series: string\n",
}
NAMES = ("kept", "drawn", "hourly_level", "hourly_counter", "sliding")


@dataclass(frozen=True, order=True)
class Reading:
    """What a line of a file says."""

    series: str
    at: datetime
    value: float


@pytest.fixture(scope="module")
def readings() -> list[Reading]:
    """The readings of all series in order, each time once and without the stretches that are left out."""
    rng = random.Random(17)
    kept: list[Reading] = []
    for series, (first, end) in DAYS.items():
        lines = recorded.csv_records(FOLDER / f"{series}.csv")
        values = {line["timestamp"]: float(line["value"]) for line in lines if first <= line["timestamp"] < end}
        left_out = 0
        for moment, value in sorted(values.items()):
            if left_out:
                left_out -= 1
                continue
            kept.append(Reading(series, datetime.fromisoformat(moment).replace(tzinfo=UTC), value))
            if rng.random() < 0.03:
                left_out = rng.choice([1, 2, 3, 4, 7, 8, 9, 14, 30])
    return sorted(kept)


def text() -> str:
    return arrivals.with_windows("aws_cloudwatch", WINDOWS, TEXT_CHANGES)


def sent(reading: Reading) -> Record:
    return {"series": reading.series, "timestamp": f"{reading.at:%Y-%m-%d %H:%M:%S}", "value": reading.value}


# ------------------------------------------------------------------------------------------------ what must come of it


def by_start(readings: Sequence[Reading], size: timedelta) -> dict[tuple[str, datetime], list[Reading]]:
    groups: dict[tuple[str, datetime], list[Reading]] = defaultdict(list)
    for reading in readings:
        groups[reading.series, recorded.span_start(reading.at, size)].append(reading)
    return groups


def mean(held: Sequence[Reading]) -> float:
    return sum(each.value for each in held) / len(held)


def kept_and_drawn(readings: Sequence[Reading]) -> tuple[list[Row], list[Row]]:
    """The five-minute windows, filled with what stood before and with what lies on a line."""
    groups = by_start(readings, STEP)
    kept = [(series, at, at + STEP, mean(held), held[-1].value, len(held)) for (series, at), held in groups.items()]
    drawn = [(series, at, at + STEP, mean(held), len(held)) for (series, at), held in groups.items()]
    for (series, at), (next_series, next_at) in pairwise(groups):
        missing = (next_at - at) // STEP - 1
        if series != next_series or not 0 < missing <= MAX_GAP:
            continue
        before, after = groups[series, at], groups[series, next_at]
        for number in range(1, missing + 1):
            start = at + number * STEP
            on_line = mean(before) + (mean(after) - mean(before)) * number / (missing + 1)
            drawn.append((series, start, start + STEP, on_line, 0))
            if number <= FILL_LIMIT:
                kept.append((series, start, start + STEP, mean(before), before[-1].value, 0))
    return kept, drawn


def levels(readings: Sequence[Reading]) -> Iterator[Row]:
    """What stood on average in every hour that has readings, and how much that is in values × seconds."""
    of_series: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        of_series[reading.series].append(reading)
    for (series, start), held in by_start(readings, HOUR).items():
        end = start + HOUR
        every = of_series[series]
        first, past = bisect_left(every, held[0]), bisect_left(every, held[-1]) + 1
        before = every[first - 1] if first and start - every[first - 1].at <= MAX_CARRY else None
        after = every[past] if past < len(every) and every[past].at - end <= MAX_CARRY else None
        inside = [(each.at, each.value) for each in held]

        held_over = [(start, before.value)] if before else []
        area, seconds = steps([*held_over, *inside, (end, held[-1].value)])
        line = list(inside)
        if before:
            line.insert(0, (start, between(before, held[0], start)))
        if after:
            line.append((end, between(held[-1], after, end)))
        trapezia, line_seconds = lines_under(line)
        inner, inner_seconds = steps(inside)
        yield (
            *(series, start, end, area / seconds),
            trapezia / line_seconds if line_seconds else None,
            inner / inner_seconds if inner_seconds else None,
            *(area, len(held)),
        )


def between(left: Reading, right: Reading, at: datetime) -> float:
    return left.value + (right.value - left.value) * ((at - left.at) / (right.at - left.at))


def steps(points: Sequence[tuple[datetime, float]]) -> tuple[float, float]:
    """Area under steps, each value standing until the next, and their seconds."""
    parts = [(value, (later - at).total_seconds()) for (at, value), (later, _) in pairwise(points)]
    return sum(value * seconds for value, seconds in parts), sum(seconds for _, seconds in parts)


def lines_under(points: Sequence[tuple[datetime, float]]) -> tuple[float, float]:
    """Area under the lines from point to point, and their seconds."""
    parts = [((left + right) / 2, (later - at).total_seconds()) for (at, left), (later, right) in pairwise(points)]
    return sum(value * seconds for value, seconds in parts), sum(seconds for _, seconds in parts)


def counters(readings: Sequence[Reading]) -> Iterator[Row]:
    """What a counter grew by that begins at 0 again where it falls."""
    for (series, start), held in by_start(readings, HOUR).items():
        ways = [(later.value - each.value, later.value) for each, later in pairwise(held)]
        grown = sum(value if way < 0 else way for way, value in ways) if ways else None
        seconds = (held[-1].at - held[0].at).total_seconds()
        speed = None if grown is None else grown / seconds
        falls, moves = sum(way < 0 for way, _ in ways), sum(way != 0 for way, _ in ways)
        yield (series, start, start + HOUR, grown, speed, falls, moves, len(held))


def sliding(readings: Sequence[Reading], folder: Path) -> list[Row]:
    """What DuckDB makes of three hours every half hour."""
    file = folder / "readings.csv"
    with file.open("w", newline="") as opened:
        csv.writer(opened).writerows((each.series, each.at.replace(tzinfo=None), each.value) for each in readings)
    return recorded.asked(
        """
        SELECT series, window_start, window_start + INTERVAL 3 HOUR, quantile_cont(value, 0.9), stddev_samp(value),
               arg_min(value, moment), count(*)
        FROM (
            SELECT series, moment, value,
                   time_bucket(INTERVAL 30 MINUTE, moment) - unnest(range(6)) * INTERVAL 30 MINUTE AS window_start
            FROM read_csv($file, header = false,
                          columns = {'series': 'VARCHAR', 'moment': 'TIMESTAMP', 'value': 'DOUBLE'})
        )
        GROUP BY ALL
        """,
        file=str(file),
    )


def assert_tables(pipeline: Pipeline, readings: Sequence[Reading], folder: Path) -> None:
    arrivals.assert_at_rest(pipeline, STREAM)
    kept, drawn = kept_and_drawn(readings)
    arrivals.assert_windows(pipeline, STREAM, "kept", kept)
    arrivals.assert_windows(pipeline, STREAM, "drawn", drawn)
    arrivals.assert_windows(pipeline, STREAM, "hourly_level", levels(readings))
    arrivals.assert_windows(pipeline, STREAM, "hourly_counter", counters(readings))
    arrivals.assert_windows(pipeline, STREAM, "sliding", sliding(readings, folder))


# ------------------------------------------------------------------------------------------------ what comes of them


def test_holes_are_filled_levels_carried_and_counters_counted_through_the_whole_flow(
    tmp_path: Path, readings: list[Reading]
) -> None:
    pipeline = Pipeline(tmp_path / "lake")
    pipeline.publish(text())
    arrivals.shuffled(pipeline, STREAM, [sent(each) for each in readings], batches=4)
    pipeline.settle()

    assert_tables(pipeline, readings, tmp_path)
    for name in NAMES:
        arrivals.assert_untouched(pipeline, STREAM, name)
    holes = [(later.at - each.at) // STEP - 1 for each, later in pairwise(readings) if each.series == later.series]
    assert {0, 1, FILL_LIMIT, FILL_LIMIT + 1, MAX_GAP, MAX_GAP + 1} <= set(holes)
    assert any(later.value < each.value for each, later in pairwise(readings))


def test_every_record_twice_gives_the_same_tables(tmp_path: Path, readings: list[Reading]) -> None:
    some = [sent(each) for each in readings if each.series == NETWORK_IN_BEFORE]
    once, twice = Pipeline(tmp_path / "once"), Pipeline(tmp_path / "twice")
    for pipeline in (once, twice):
        pipeline.publish(text())
    arrivals.in_order(once, STREAM, some)
    arrivals.shuffled(twice, STREAM, some, batches=7, again=1)
    for pipeline in (once, twice):
        pipeline.settle()

    recorded.assert_figures(twice, STREAM, received=2 * len(some), written=len(some), duplicate=len(some))
    for name in NAMES:
        found = arrivals.values(once.windows(name, STREAM))
        assert not found.is_empty()
        assert arrivals.values(twice.windows(name, STREAM)).equals(found)


@pytest.mark.parametrize("requests", [1, 3], ids=["one request", "three requests"])
def test_readings_after_the_seal_raise_the_revision_of_what_they_change_and_stand_in_the_ledger_once(
    tmp_path: Path, readings: list[Reading], requests: int
) -> None:
    """However many requests come before all is sealed again, what was final is replaced once."""
    some = [each for each in readings if each.series == NETWORK_IN_BEFORE]
    late = sorted(random.Random(5).sample(some, 30))
    pipeline = Pipeline(tmp_path / "lake")
    pipeline.publish(text())
    arrivals.in_order(pipeline, STREAM, [sent(each) for each in some if each not in late])
    pipeline.settle()
    assert pipeline.lake.delta(STREAM, "late") is None
    before = {name: pipeline.windows(name, STREAM) for name in NAMES}

    posted = [list(map(sent, late[number::requests])) for number in range(requests)]
    arrivals.after_the_seal(pipeline, STREAM, posted)

    assert_tables(pipeline, some, tmp_path)
    for name in NAMES:
        arrivals.assert_revised(before[name], pipeline.windows(name, STREAM))
    entered = arrivals.ledger(pipeline, STREAM).select("series", "timestamp").rows()
    assert sorted(entered) == [(each.series, each.at) for each in late]
