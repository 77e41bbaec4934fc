"""How fast records become windows, Parquet to Parquet, beside the best query of the same result in other engines.

`python -m tests.bench.windows` makes 20 million rows once, checks that all contestants find the same windows, and then
prints ratios of runs that take turns in one process: machines differ and are noisy, ratios less so. `--rows` for short
runs, `--without spark` (or any other contestant) to leave one out.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import polars as pl
import psutil
from polars.testing import assert_frame_equal

from windrow import spec
from windrow.windows.engine import compute

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SPEC = """
stream: readings
time: {column: ts, formats: [iso8601]}
keys: [series]
unique: [series, ts]
columns: {ts: timestamp, series: string, value: float}
windows:
  tumbling:
    size: 5m
    aggregates: &five
      n: count(value)
      sum: sum(value)
      mean: mean(value)
      min: min(value)
      max: max(value)
  sliding: {kind: sliding, size: 5m, slide: 1m, aggregates: *five}
  session: {kind: session, gap: 1900ms, aggregates: *five}
  sequence:
    kind: sequence
    step: 1h
    length: 24
    aggregates: {mean: mean(value)}
"""
_ROWS = 20_000_000
_SERIES = 1_000
_FILES = 100
_SEED = 7
_START_US = 1_767_225_600_000_000
"""2026-01-01."""
_JITTER_S = 2.0
_LATE_SHARE, _LATE_S = 0.001, 600
_ROUNDS = 5
_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
_HOUR_US = 60 * _MINUTE_US
_POLARS_BAR, _SPARK_BAR = 0.5, 5.0

Contestant = Callable[[Path, str, Path], None]
"""Reads the Parquet files of a folder, computes a definition of SPEC, and writes its rows to a Parquet file."""

# The windower's way, to be set once there is one to measure: the files one by one in order of arrival, through the
# Refresher, with its state kept between them.
INCREMENTAL: Contestant | None = None


# ------------------------------------------------------------------------------------------------ input


def gen(folder: Path, rows: int) -> None:
    """`rows` readings in 100 files, in order of arrival.

    A thousand series with a reading a second each, that arrive with an exponential delay of 2 s on average; one in a
    thousand is ten minutes late. Never holds more than a file and what is on its way.
    """
    rng = np.random.default_rng(_SEED)
    names = pl.Series("series", [f"s{number:04d}" for number in range(_SERIES)])
    waiting = np.empty((3, 0))
    bounds = np.linspace(0, rows, _FILES + 1).astype(np.int64)
    for number in range(_FILES):
        index = np.arange(bounds[number], bounds[number + 1])
        event_s = index // _SERIES + rng.random(index.size)
        delay_s = rng.exponential(_JITTER_S, index.size) + _LATE_S * (rng.random(index.size) < _LATE_SHARE)
        # A record arrives after its event, so whatever arrives before the next file's first event is known by now.
        waiting = np.hstack([waiting, np.vstack([event_s, index % _SERIES, event_s + delay_s])])
        is_here = waiting[2] < bounds[number + 1] // _SERIES if number + 1 < _FILES else np.full(waiting.shape[1], True)
        here, waiting = waiting[:, is_here], waiting[:, ~is_here]
        here = here[:, np.argsort(here[2], kind="stable")]
        pl.DataFrame(
            {
                "ts": pl.Series((here[0] * _SECOND_US).astype(np.int64) + _START_US).cast(pl.Datetime("us", "UTC")),
                "series": names.gather(here[1].astype(np.int64)),
                "value": np.round(rng.normal(20, 5, here.shape[1]), 3),
            }
        ).write_parquet(folder / f"{number:03d}.parquet", compression="zstd", compression_level=3)


# ------------------------------------------------------------------------------------------------ contestants


@cache
def _spec() -> spec.StreamSpec:
    return spec.parse(SPEC, "bench")


def ours(folder: Path, name: str, out: Path) -> None:
    """The engine."""
    compute(_scan(folder), _spec(), _spec().windows[name]).write_parquet(out)


def bare_polars(folder: Path, name: str, out: Path) -> None:
    """The best polars query that we know: panes in streaming, joined to their windows, and grouped again."""
    _BARE[name](_scan(folder)).write_parquet(out)


def _scan(folder: Path) -> pl.LazyFrame:
    return pl.scan_parquet(folder / "*.parquet")


def _bare_tumbling(rows: pl.LazyFrame) -> pl.DataFrame:
    return _ended(_panes(rows, 5 * _MINUTE_US).rename({"pane": "start"}), 5 * _MINUTE_US)


def _bare_sliding(rows: pl.LazyFrame) -> pl.DataFrame:
    panes = _panes(rows, _MINUTE_US)
    back = pl.LazyFrame({"back": [number * _MINUTE_US for number in range(5)]})
    members = panes.lazy().select(pl.col("pane").unique()).join(back, how="cross")
    windows = (
        panes.lazy()
        .join(members.with_columns(start=pl.col("pane") - pl.col("back")), on="pane")
        .group_by("series", "start")
        .agg(pl.sum("n", "sum", "row_count"), pl.min("min"), pl.max("max"))
    )
    return _ended(windows.collect(), 5 * _MINUTE_US)


def _panes(rows: pl.LazyFrame, size_us: int) -> pl.DataFrame:
    start = (pl.col("ts").to_physical() // size_us) * size_us
    return rows.group_by("series", start.alias("pane")).agg(_sums()).collect(engine="streaming")


def _sums() -> list[pl.Expr]:
    value = pl.col("value")
    return [
        value.count().cast(pl.Int64).alias("n"),
        value.sum().alias("sum"),
        value.min().alias("min"),
        value.max().alias("max"),
        pl.len().cast(pl.Int64).alias("row_count"),
    ]


def _ended(windows: pl.DataFrame, size_us: int) -> pl.DataFrame:
    return windows.select(
        "series",
        _time(pl.col("start")).alias("window_start"),
        _time(pl.col("start") + size_us).alias("window_end"),
        "n",
        "sum",
        (pl.col("sum") / pl.col("n")).alias("mean"),
        "min",
        "max",
        "row_count",
    ).sort("series", "window_start")


def _time(us: pl.Expr) -> pl.Expr:
    return us.cast(pl.Datetime("us", "UTC"))


def _bare_session(rows: pl.LazyFrame) -> pl.DataFrame:
    # Sorting by time alone, and numbering per series, takes half of what sorting by series and time takes.
    gap_us = 1_900_000
    ordered = rows.sort("ts").collect(engine="streaming")
    is_new = (pl.col("ts").diff() > pl.duration(microseconds=gap_us)).fill_null(value=True)
    numbered = ordered.lazy().with_columns(is_new.cum_sum().over("series").alias("session"))
    bounds = [pl.col("ts").min().alias("first_time"), pl.col("ts").max().alias("last_time")]
    sessions = numbered.group_by("series", "session").agg(*_sums(), *bounds).collect(engine="streaming")
    return sessions.select(
        "series",
        pl.col("first_time").alias("window_start"),
        (pl.col("last_time") + pl.duration(microseconds=gap_us)).alias("window_end"),
        "first_time",
        "last_time",
        "n",
        "sum",
        (pl.col("sum") / pl.col("n")).alias("mean"),
        "min",
        "max",
        "row_count",
    ).sort("series", "window_start")


def _bare_sequence(rows: pl.LazyFrame) -> pl.DataFrame:
    cells = _panes(rows, _HOUR_US)
    start = (pl.col("pane") // (24 * _HOUR_US)) * (24 * _HOUR_US)
    sequences = cells.lazy().select("series", start.alias("start")).unique()
    steps = pl.LazyFrame({"step": [number * _HOUR_US for number in range(24)]})
    whole = (
        sequences.join(steps, how="cross")
        .with_columns(pane=pl.col("start") + pl.col("step"))
        .join(cells.lazy(), on=["series", "pane"], how="left")
        .sort("series", "pane")
        .group_by("series", "start", maintain_order=True)
        .agg(
            (pl.col("sum") / pl.col("n")).alias("mean"),
            pl.col("row_count").count().cast(pl.Int64).alias("observed_steps"),
            pl.col("row_count").sum(),
        )
    )
    return (
        whole.select(
            "series",
            _time(pl.col("start")).alias("window_start"),
            _time(pl.col("start") + 24 * _HOUR_US).alias("window_end"),
            pl.col("mean").list.to_array(24),
            "observed_steps",
            "row_count",
        )
        .sort("series", "window_start")
        .collect()
    )


_BARE: dict[str, Callable[[pl.LazyFrame], pl.DataFrame]] = {
    "tumbling": _bare_tumbling,
    "sliding": _bare_sliding,
    "session": _bare_session,
    "sequence": _bare_sequence,
}

_DUCK = """
COPY (
  WITH panes AS (
    SELECT series, time_bucket(INTERVAL '{pane}', ts) AS pane, count(value) AS n, sum(value) AS sum, min(value) AS min,
      max(value) AS max, count(*) AS row_count
    FROM read_parquet('{files}') GROUP BY ALL
  )
  SELECT series, pane - back AS window_start, window_start + INTERVAL '5 minutes' AS window_end, sum(n)::BIGINT AS n,
    sum(sum) AS sum, sum(sum) / sum(n) AS mean, min(min) AS min, max(max) AS max, sum(row_count)::BIGINT AS row_count
  FROM panes, (SELECT unnest({backs}) * INTERVAL '1 minute' AS back)
  GROUP BY series, window_start ORDER BY series, window_start
) TO '{out}' (FORMAT parquet)
"""


def duckdb_sql(folder: Path, name: str, out: Path) -> None:
    """DuckDB on as many cores, with panes too."""
    with duckdb.connect(config={"threads": os.cpu_count() or 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        backs, pane = ("[0, 1, 2, 3, 4]", "1 minute") if name == "sliding" else ("[0]", "5 minutes")
        connection.execute(_DUCK.format(pane=pane, backs=backs, files=folder / "*.parquet", out=out))


@cache
def _spark() -> "SparkSession":
    """One session for all runs: the JVM is warm by the time that counts."""
    from pyspark.sql import SparkSession

    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.driver.memory": "6g",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master("local[2]")
    for setting, value in settings.items():
        builder = builder.config(setting, value)
    return builder.getOrCreate()


def spark_ours(folder: Path, name: str, out: Path) -> None:
    """The engine on Spark."""
    from windrow.spark import compute as spark_compute

    rows = _spark().read.parquet(str(folder))
    _spark_write(spark_compute(rows, _spec(), _spec().windows[name]), out)


def spark_sql(folder: Path, name: str, out: Path) -> None:
    """What Spark has for it."""
    from pyspark.sql import functions as f

    at = f.window("ts", "5 minutes", "1 minute") if name == "sliding" else f.window("ts", "5 minutes")
    grouped = (
        _spark()
        .read.parquet(str(folder))
        .groupBy("series", at.alias("w"))
        .agg(
            f.count("value").alias("n"),
            f.sum("value").alias("sum"),
            f.avg("value").alias("mean"),
            f.min("value").alias("min"),
            f.max("value").alias("max"),
            f.count("*").alias("row_count"),
        )
    )
    columns = [
        "series",
        "w.start as window_start",
        "w.end as window_end",
        "n",
        "sum",
        "mean",
        "min",
        "max",
        "row_count",
    ]
    _spark_write(grouped.selectExpr(*columns), out)


def _spark_write(frame: "DataFrame", out: Path) -> None:
    frame.write.mode("overwrite").parquet(str(out))


@dataclass(frozen=True)
class Entry:
    """A contestant, the definitions it enters for, and the least of its time over ours that we ask of ourselves."""

    run: Contestant
    definitions: tuple[str, ...]
    bar: float | None = None


_ALL, _ALIGNED = ("tumbling", "sliding", "session", "sequence"), ("tumbling", "sliding")


def entries() -> dict[str, Entry]:
    """Who takes part, ours first."""
    found = {
        "windrow": Entry(ours, _ALL),
        "polars": Entry(bare_polars, _ALL, _POLARS_BAR),
        "duckdb": Entry(duckdb_sql, _ALIGNED),
        "windrow on spark": Entry(spark_ours, _ALIGNED, _SPARK_BAR),
        "spark": Entry(spark_sql, _ALIGNED, _SPARK_BAR),
    }
    return found if INCREMENTAL is None else {**found, "windower": Entry(INCREMENTAL, _ALIGNED)}


# ------------------------------------------------------------------------------------------------ contest


@dataclass(frozen=True)
class Run:
    """One run of one contestant; CPU of child processes (Spark's JVM) included."""

    wall_s: float
    cpu_s: float


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=_ROWS)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--definition", choices=_ALL, action="append")
    parser.add_argument("--without", action="append", default=[], help="a contestant to leave out, such as spark")
    parser.add_argument("--folder", type=Path, help="where the input is made, and kept for the next time")
    parser.add_argument("--peak", nargs=2, metavar=("CONTESTANT", "DEFINITION"), help=argparse.SUPPRESS)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="windrow-bench-") as temporary:
        folder = made((told.folder or Path(temporary)) / f"{told.rows}", told.rows)
        if told.peak:
            entries()[told.peak[0]].run(folder, told.peak[1], Path(temporary) / "out.parquet")
            print(json.dumps(_high_water_mib()))
            return
        wanted = {
            name: entry for name, entry in entries().items() if not any(each in name.split() for each in told.without)
        }
        size_mb = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        print(
            f"{told.rows:,} rows, {size_mb:.0f} MB, {_FILES} files; {os.cpu_count()} cores; medians of {told.rounds}\n"
        )
        for definition in told.definition or _ALL:
            players = {name: entry for name, entry in wanted.items() if definition in entry.definitions}
            _check(players, definition, folder, Path(temporary))
            runs = _contest(players, definition, folder, Path(temporary), told.rounds)
            _print(definition, players, runs, folder, told.rows, size_mb)


def made(folder: Path, rows: int) -> Path:
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        unfinished.mkdir(parents=True)
        gen(unfinished, rows)
        unfinished.rename(folder)
    return folder


def _check(players: dict[str, Entry], definition: str, folder: Path, scratch: Path) -> None:
    """Every contestant finds the same windows. Their sums of floats may differ in the last digits; ours do not."""
    found = {}
    for name, entry in players.items():
        out = scratch / f"{name}-{definition}.parquet"
        entry.run(folder, definition, out)
        found[name] = pl.read_parquet(out / "*.parquet" if out.is_dir() else out)
    first = found["windrow"]
    for name, rows in found.items():
        same = rows.select(pl.col(column).cast(kind) for column, kind in first.schema.items())
        same = same.sort("series", "window_start")
        try:
            assert_frame_equal(first, same, rel_tol=1e-9, abs_tol=0)
        except AssertionError as error:
            sys.exit(f"{definition}: windrow and {name} do not find the same windows: {error}")


def _contest(
    players: dict[str, Entry], definition: str, folder: Path, scratch: Path, rounds: int
) -> dict[str, list[Run]]:
    """All in turn. What was checked was a first round, which does not count."""
    runs: dict[str, list[Run]] = {name: [] for name in players}
    for _ in range(rounds):
        for name, entry in players.items():
            gc.collect()
            wall_s, cpu_s = time.perf_counter(), _cpu_s()
            entry.run(folder, definition, scratch / f"{name}-{definition}.parquet")
            runs[name].append(Run(time.perf_counter() - wall_s, _cpu_s() - cpu_s))
    return runs


def _cpu_s() -> float:
    def spent() -> Iterator[float]:
        yield time.process_time()
        for child in psutil.Process().children(recursive=True):
            times = child.cpu_times()
            yield times.user + times.system

    return sum(spent())


def _print(
    definition: str, players: dict[str, Entry], runs: dict[str, list[Run]], folder: Path, rows: int, size_mb: float
) -> None:
    medians = {
        name: Run(_median([run.wall_s for run in done]), _median([run.cpu_s for run in done]))
        for name, done in runs.items()
    }
    best = medians["windrow"]
    titles = f"{'s':>8}{'ev/s':>13}{'MB/s':>8}{'CPU s/M':>9}{'peak MiB':>10}{'ratio':>8}{'of CPU':>8}{'bar':>7}"
    print(f"{definition:<18}{titles}")
    for name, entry in players.items():
        found = medians[name]
        peak = "" if "spark" in name else f"{_peak_mib(name, definition, folder, rows):.0f}"
        bar = "" if entry.bar is None else f"{entry.bar:.2f}"
        print(
            f"  {name:<16}{found.wall_s:>8.2f}{rows / found.wall_s:>13,.0f}{size_mb / found.wall_s:>8.0f}"
            f"{found.cpu_s / rows * 1e6:>9.3f}{peak:>10}{found.wall_s / best.wall_s:>8.2f}"
            f"{found.cpu_s / best.cpu_s:>8.2f}{bar:>7}"
        )
    print()


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _peak_mib(name: str, definition: str, folder: Path, rows: int) -> float:
    """The most memory a process of its own holds for one run."""
    arguments = ["--rows", str(rows), "--folder", str(folder.parent), "--peak", name, definition]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.windows", *arguments], check=True, capture_output=True, text=True
    )
    return float(json.loads(done.stdout))


def _high_water_mib() -> float:
    """What `getrusage` says includes the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:", 1)[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
