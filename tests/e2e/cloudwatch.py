"""The ten CloudWatch series: read from their files, cut into batches to send, and what must come of them.

The expectation is computed by DuckDB straight from the files. It shares no code with Windrow.
"""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain

import duckdb
import polars as pl

from tests.e2e.stack import ROOT

DATA = ROOT.parent / "shared" / "data" / "aws_cloudwatch"
ROWS = 38_818

_SECOND_BATCH = 0.10
_THIRD_BATCH = 0.03
_MISREAD = 300
_SINGLES = 20


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a file. Texts stay as they stand there."""

    series: str
    timestamp: str
    value: str


class Road(Enum):
    """How a batch travels."""

    UPLOAD_CSV = "csv upload"
    POST_LINES = "ndjson"
    POST_LINES_GZIP = "ndjson, gzip"
    POST_ARRAY = "json array"
    POST_ARRAY_ZSTD = "json array, zstd"
    POST_OBJECTS = "single json objects"


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that travel together, in order."""

    name: str
    road: Road
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is sent: `batches` in any order, then, once all of it is acknowledged, `corrections`."""

    batches: tuple[Batch, ...]
    corrections: Batch

    @property
    def sent(self) -> int:
        """Records sent, copies included."""
        return sum(len(batch.rows) for batch in (*self.batches, self.corrections))


def read_rows() -> list[Row]:
    """Every line of every file, in file order."""
    rows: list[Row] = []
    for path in sorted(DATA.glob("*.csv")):
        with path.open(newline="") as file:
            rows.extend(Row(path.stem, line["timestamp"], line["value"]) for line in csv.DictReader(file))
    return rows


def plan(rows: Sequence[Row], batch_count: int, rng: random.Random) -> Plan:
    """Shuffle the rows into overlapping batches, a few of them misread at first.

    Lines of one file with one time are one record, of which the last stays. They travel together and in file order,
    so the last of the file is the last of every batch that has them, and it does not matter which batch came last.
    One batch holds wrong values for some records; the corrections repeat those records as the files have them.
    """
    units: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        units.setdefault((row.series, row.timestamp), []).append(row)
    order = list(units.values())
    rng.shuffle(order)

    shares: list[list[list[Row]]] = [[] for _ in range(batch_count)]
    for number, unit in enumerate(order):
        home = number % batch_count
        draw = rng.random()
        copies = 2 if draw < _THIRD_BATCH else 1 if draw < _THIRD_BATCH + _SECOND_BATCH else 0
        others = rng.sample([place for place in range(batch_count) if place != home], copies)
        for place in (home, *others):
            shares[place].append(unit)
    for share in shares:
        rng.shuffle(share)

    bulk = [Road.UPLOAD_CSV, Road.POST_LINES, Road.POST_LINES_GZIP, Road.POST_ARRAY, Road.POST_ARRAY_ZSTD]
    roads = [bulk[number % len(bulk)] for number in range(batch_count)]
    rng.shuffle(roads)
    batches = [
        Batch(f"batch-{number:02d}", road, tuple(chain.from_iterable(share)))
        for number, (road, share) in enumerate(zip(roads, shares, strict=True))
    ]

    lone = [unit[0] for unit in order if len(unit) == 1]
    misread = tuple(rng.sample(lone, _MISREAD))
    wrong = tuple(Row(row.series, row.timestamp, str(float(row.value) + 1_000.0)) for row in misread)
    batches.append(Batch("misread", Road.POST_LINES, wrong))
    batches.append(Batch("singles", Road.POST_OBJECTS, tuple(rng.sample(lone, _SINGLES))))
    rng.shuffle(batches)
    return Plan(tuple(batches), Batch("corrections", Road.POST_ARRAY, misread))


# ------------------------------------------------------------------------------------------------ what must come of it

_RECORDS = """
    CREATE TABLE records AS
    SELECT series, "timestamp", arg_max(value, line) AS value
    FROM (
        SELECT parse_filename(filename, true) AS series, "timestamp", value, row_number() OVER () AS line
        FROM read_csv($files, header = true, filename = true,
                      columns = {'timestamp': 'TIMESTAMP', 'value': 'DOUBLE'})
    )
    GROUP BY series, "timestamp"
"""
_WINDOWS = """
    SELECT
        series,
        date_trunc('hour', "timestamp") AS window_start,
        date_trunc('hour', "timestamp") + INTERVAL 1 HOUR AS window_end,
        count(value) AS value_count,
        fsum(value) AS value_sum,
        fsum(value) / count(value) AS value_mean,
        min(value) AS value_min,
        max(value) AS value_max,
        arg_min(value, "timestamp") AS value_first,
        arg_max(value, "timestamp") AS value_last,
        count(*) AS row_count
    FROM records
    GROUP BY ALL
    ORDER BY series, window_start
"""


_SLIDING = """
    SELECT
        series,
        window_start,
        window_start + INTERVAL 3 HOUR AS window_end,
        fsum(value) / count(value) AS value_mean,
        max(value) AS value_max,
        count(*) AS row_count
    FROM (
        SELECT series, value, date_trunc('hour', "timestamp") - to_hours(unnest([0, 1, 2])) AS window_start
        FROM records
    )
    GROUP BY ALL
    ORDER BY series, window_start
"""
_SESSIONS = """
    SELECT
        series,
        min("timestamp") AS window_start,
        max("timestamp") AS window_end,
        min("timestamp") AS first_time,
        max("timestamp") AS last_time,
        stddev_samp(value) AS value_std,
        arg_max(value, "timestamp") AS value_last,
        count(*) AS row_count
    FROM (
        SELECT *, sum(begins) OVER (PARTITION BY series ORDER BY "timestamp") AS number
        FROM (
            SELECT *, coalesce("timestamp" - lag("timestamp") OVER (PARTITION BY series ORDER BY "timestamp")
                               > INTERVAL 5 MINUTE, true)::INT AS begins
            FROM records
        )
    )
    GROUP BY series, number
    ORDER BY series, window_start
"""
# Summer time began on 2014-03-09 at 10:00 UTC; no other change falls into these months.
_LOCAL_DAYS = """
    SELECT
        series,
        day - offset_at(day) AS window_start,
        day + INTERVAL 1 DAY - offset_at(day + INTERVAL 1 DAY) AS window_end,
        fsum(value) / count(value) AS value_mean,
        max(value) AS value_max,
        count(*) AS row_count
    FROM (
        SELECT series, value, date_trunc('day', "timestamp" + CASE WHEN "timestamp" >= TIMESTAMP '2014-03-09 10:00:00'
            OR "timestamp" < TIMESTAMP '2013-11-03 09:00:00' THEN INTERVAL '-7' HOUR ELSE INTERVAL '-8' HOUR END) AS day
        FROM records
    )
    GROUP BY series, day
    ORDER BY series, window_start
"""
_OFFSET_AT = """
    CREATE MACRO offset_at(local) AS CASE WHEN local > TIMESTAMP '2014-03-09 02:00:00'
        OR local <= TIMESTAMP '2013-11-03 01:00:00' THEN INTERVAL '-7' HOUR ELSE INTERVAL '-8' HOUR END
"""
_FIVE_MINUTES = """
    WITH present AS (
        SELECT series, time_bucket(INTERVAL 5 MINUTE, "timestamp") AS start, fsum(value) / count(value) AS value,
               count(*) AS row_count
        FROM records
        GROUP BY series, start
    ),
    gaps AS (
        SELECT *, lead(start) OVER following AS next_start, lead(value) OVER following AS next_value
        FROM present
        WINDOW following AS (PARTITION BY series ORDER BY start)
    ),
    filled AS (
        SELECT series, unnest(range(start + INTERVAL 5 MINUTE, next_start, INTERVAL 5 MINUTE)) AS window_start,
               start, next_start, value, next_value
        FROM gaps
        WHERE next_start - start BETWEEN INTERVAL 10 MINUTE AND INTERVAL 65 MINUTE
    )
    SELECT series, start AS window_start, start + INTERVAL 5 MINUTE AS window_end, value, row_count FROM present
    UNION ALL
    SELECT series, window_start, window_start + INTERVAL 5 MINUTE,
           value + (next_value - value) * epoch(window_start - start) / epoch(next_start - start), 0
    FROM filled
    ORDER BY series, window_start
"""
_SEQUENCES = """
    WITH cells AS (
        SELECT series, date_trunc('hour', "timestamp") AS cell, fsum(value) / count(value) AS value, count(*) AS rows
        FROM records
        GROUP BY series, cell
    ),
    starts AS (
        SELECT DISTINCT series, time_bucket(INTERVAL 6 HOUR, cell) - to_hours(6 * unnest(range(4))) AS window_start
        FROM cells
    ),
    steps AS (
        SELECT starts.series, window_start, step, cells.value, cells.rows
        FROM starts, range(30) AS numbers(step)
        LEFT JOIN cells ON cells.series = starts.series AND cells.cell = window_start + to_hours(step)
    )
    SELECT
        series,
        window_start,
        window_start + INTERVAL 24 HOUR AS window_end,
        list(value ORDER BY step) FILTER (step < 24) AS value,
        list(value IS NOT NULL ORDER BY step) FILTER (step < 24) AS value_mask,
        list(value ORDER BY step) FILTER (step >= 24) AS value_target,
        list(value IS NOT NULL ORDER BY step) FILTER (step >= 24) AS value_target_mask,
        count(value) FILTER (step < 24) AS observed_steps,
        coalesce(sum(rows) FILTER (step < 24), 0)::BIGINT AS row_count
    FROM steps
    GROUP BY series, window_start
    HAVING count(value) FILTER (step < 24) >= 20
    ORDER BY series, window_start
"""
TABLES = {
    "windows_hourly": _WINDOWS,
    "windows_three_hours": _SLIDING,
    "windows_unbroken": _SESSIONS,
    "windows_local_day": _LOCAL_DAYS,
    "windows_five_minutes": _FIVE_MINUTES,
    "windows_day_sequences": _SEQUENCES,
}


def expected() -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """The records, and the windows of every table, that must be there, in key order."""
    with duckdb.connect() as database:
        database.execute("SET threads = 1")  # row_number() is the order of the files then
        database.execute(_RECORDS, {"files": [str(path) for path in sorted(DATA.glob("*.csv"))]})
        database.execute(_OFFSET_AT)
        records = database.sql('SELECT * FROM records ORDER BY series, "timestamp"').pl()
        windows = {table: _in_utc(database.sql(query).pl()) for table, query in TABLES.items()}
    return _in_utc(records), windows


def _in_utc(frame: pl.DataFrame) -> pl.DataFrame:
    times = pl.selectors.datetime()
    return frame.with_columns(times.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
