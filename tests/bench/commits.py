"""How fast the writer commits, beside a bare `write_table` of pyarrow's of the same rows, and small commits."""

import gc
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench.staging import START_US, Staged, batch_name, readings, settled
from windrow.lake.tables import Place
from windrow_writer.plan import with_place

FLOOR = 0.4
_LEVEL = 3
_SMALL_ROWS = 1_000


class Run(NamedTuple):
    """One run of one contestant."""

    wall_s: float
    cpu_s: float


def throughput(folder: Path, batches: int, batch_rows: int, rounds: int) -> None:
    """Segments on disk to a committed table, against rows in memory to a file: in turn, the first round not counted."""
    staged = Staged.at(folder / "staged")
    pointers = [staged.put(readings(number, batch_rows, staged.spec), batch_name(number)) for number in range(batches)]
    rows = batches * batch_rows
    segments_mb = sum(path.stat().st_size for path in (folder / "staged" / "segments").rglob("*.parquet")) / 1e6
    bare = _as_stored(staged, folder)
    runs: dict[str, list[Run]] = {"windrow": [], "pyarrow": []}
    for round_ in range(rounds + 1):
        lake = folder / f"lake-{round_}"
        handler = staged.writer(lake)
        found = {
            "windrow": _timed(lambda: settled(handler, pointers)),  # noqa: B023  run at once
            "pyarrow": _timed(lambda: _write(bare, folder / "bare.parquet")),
        }
        shutil.rmtree(lake)
        if round_:
            for name, run in found.items():
                runs[name].append(run)
    bare_mb = (folder / "bare.parquet").stat().st_size / 1e6
    print(
        f"commits: {rows:,} rows in {batches} batches ({segments_mb:.0f} MB of segments); medians of {rounds} in turn"
    )
    print(f"  {'':<34}{'s':>7}{'rows/s':>12}{'MB/s':>7}{'CPU s/M':>9}")
    for name, what in (("windrow", "segments to a commit"), ("pyarrow", "write_table, rows in memory")):
        wall_s, cpu_s = (median(run[which] for run in runs[name]) for which in (0, 1))
        print(
            f"  {name + ': ' + what:<34}{wall_s:>7.2f}{rows / wall_s:>12,.0f}{bare_mb / wall_s:>7.0f}"
            f"{cpu_s / rows * 1e6:>9.2f}"
        )
    ratios = {
        which: median(theirs[at] / ours[at] for ours, theirs in zip(runs["windrow"], runs["pyarrow"], strict=True))
        for at, which in enumerate(("time", "CPU"))
    }
    print(f"  ratio {ratios['time']:.2f} (bar: {FLOOR}), of CPU {ratios['CPU']:.2f}\n", flush=True)


def small(folder: Path, commits: int) -> None:
    """One batch of a thousand rows a commit, again and again: each adds a mark, a file and a version."""
    staged = Staged.at(folder / "small")
    pointers = [staged.put(readings(number, _SMALL_ROWS, staged.spec), batch_name(number)) for number in range(commits)]
    handler = staged.writer(folder / "small-lake")
    spent_s = []
    for pointer in pointers:
        started_s = time.perf_counter()
        settled(handler, [pointer])
        spent_s.append(time.perf_counter() - started_s)
    quarter = commits // 4
    quarters = [median(spent_s[start : start + quarter]) * 1e3 for start in range(0, quarter * 4, quarter)]
    print(f"small commits: {commits}, of one batch of {_SMALL_ROWS:,} rows each")
    print(
        f"  {commits / sum(spent_s):.0f} commits/s, {_SMALL_ROWS * commits / sum(spent_s):,.0f} rows/s; "
        f"ms per commit, median by quarter: {' '.join(f'{each:.0f}' for each in quarters)}\n",
        flush=True,
    )
    shutil.rmtree(folder / "small")
    shutil.rmtree(folder / "small-lake")


def _as_stored(staged: Staged, folder: Path) -> pa.Table:
    """The rows of the table that the writer makes, in Arrow's memory, in order of arrival."""
    place = Place(START_US, 0)
    parts = (pl.read_parquet(path) for path in sorted((folder / "staged" / "segments").rglob("*.parquet")))
    rows = pl.concat(with_place(part, place, staged.spec.time.column) for part in parts)
    return rows.to_arrow(compat_level=pl.CompatLevel.oldest())


def _write(rows: pa.Table, path: Path) -> None:
    pq.write_table(rows, path, compression="zstd", compression_level=_LEVEL)


def _timed(run: Callable[[], object]) -> Run:
    gc.collect()
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    run()
    return Run(time.perf_counter() - wall_s, time.process_time() - cpu_s)
