"""How fast objects become segments, beside what polars needs to read the same bytes; and how much memory it takes.

`make bench` prints ratios of runs that take turns in one process: machines differ and are noisy, ratios less so.
"""

import gc
import io
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl

from windrow import spec
from windrow.decoding.decode import decode, read_ahead
from windrow.decoding.parts import Batch, DecodeLimits
from windrow.decoding.segments import split

SPEC = """
stream: readings
time: {column: ts, formats: [iso8601]}
keys: [sensor]
unique: [sensor, ts, id]
columns:
  ts: timestamp
  sensor: string
  temperature: float
  humidity: int
  ok: bool
  id: int
bucket: 1d
"""
_PEER = {
    "ts": pl.String(),
    "sensor": pl.String(),
    "temperature": pl.Float64(),
    "humidity": pl.Int64(),
    "ok": pl.Boolean(),
    "id": pl.Int64(),
}
_RECORDS = 600_000
_ROUNDS = 7
_FLOOR = 0.5
_LIMITS = DecodeLimits(max_plain_bytes=8 << 30, max_record_bytes=1 << 20)
_START = datetime(2026, 1, 1, tzinfo=UTC)
_BLOCK_BYTES = 1 << 20
_RECEIVED_US = 1_893_456_000_000_000
MIB = 1 << 20


@dataclass(frozen=True)
class Run:
    """One run of one contestant."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Contest:
    """An object to decode, and what to compare that with."""

    what: str
    body: bytes
    name: str
    against: str
    peer: Callable[[], object]


def main() -> None:
    """Measure everything and print it."""
    if len(sys.argv) > 1:
        _print_peak(sys.argv[1], int(sys.argv[2]))
        return
    parsed = spec.parse(SPEC, "bench")
    lines, rows = ndjson(_RECORDS), csv(_RECORDS)
    bad_lines = _spoil(lines, b'"temperature":', b'"temperature":"warm')
    bad_rows = _spoil(rows, b",true,", b",perhaps,")
    contests = [
        Contest(
            "NDJSON to segments",
            lines,
            "x.ndjson",
            "polars.read_ndjson, the same types",
            lambda: _ndjson(lines, times=True),
        ),
        Contest(
            "NDJSON to segments",
            lines,
            "x.ndjson",
            "polars.read_ndjson, times as text",
            lambda: _ndjson(lines, times=False),
        ),
        Contest("NDJSON, 1 % bad", bad_lines, "x.ndjson", "no bad records", lambda: run(lines, "x.ndjson", parsed)),
        Contest("CSV to segments", rows, "x.csv", "polars.read_csv, the same types", lambda: _csv(rows, times=True)),
        Contest("CSV to segments", rows, "x.csv", "polars.read_csv, times as text", lambda: _csv(rows, times=False)),
        Contest("CSV, 1 % bad", bad_rows, "x.csv", "no bad records", lambda: run(rows, "x.csv", parsed)),
    ]
    print(f"{_RECORDS:,} records; {os.cpu_count()} cores; medians of {_ROUNDS} rounds in turn\n")
    print(f"{'what':<26}{'ev/s':>12}{'MB/s':>8}{'CPU s/M':>9}{'ratio':>8}{'floor':>7}  against")
    for each in contests:
        ours, theirs = contest(partial(run, each.body, each.name, parsed), each.peer)
        wall_s, cpu_s = median(ours)
        ratio = median(theirs)[0] / wall_s
        print(
            f"{each.what:<26}{_RECORDS / wall_s:>12,.0f}{len(each.body) / 1e6 / wall_s:>8.0f}"
            f"{cpu_s / _RECORDS * 1e6:>9.2f}{ratio:>8.2f}{_FLOOR:>7.2f}  {each.against}"
        )
    print("\npeak memory of a process that decodes, all of it (VmHWM)")
    for kind in ("ndjson", "csv"):
        peaks = {size: _peak_mib(kind, size) for size in (10, 1024)}
        print(f"{kind:<26}" + "".join(f"{size:>8} MiB: {peak:>5.0f} MiB" for size, peak in peaks.items()))


# ------------------------------------------------------------------------------------------------ contestants


def run(body: bytes, name: str, parsed: spec.StreamSpec) -> int:
    """Decode an object as the consumer does, down to Parquet segments; returns the rows in them."""
    return consume(lambda: _blocks(body), name, parsed)


def consume(source: Callable[[], Iterable[bytes]], name: str, parsed: spec.StreamSpec) -> int:
    """As `run`, from a stream of blocks."""
    batch = Batch("b" * 32, name, _RECEIVED_US, "", "")
    with ThreadPoolExecutor(2) as pool:
        return sum(
            segment.row_count
            for part in decode(source, batch, parsed, _LIMITS, read_ahead(pool))
            for segment in split(part.rows, parsed)
        )


def _blocks(body: bytes) -> Iterator[bytes]:
    view = memoryview(body)
    return (bytes(view[start : start + _BLOCK_BYTES]) for start in range(0, len(body), _BLOCK_BYTES))


def _ndjson(body: bytes, *, times: bool) -> pl.DataFrame:
    return pl.read_ndjson(io.BytesIO(body), schema=_schema(times=times))


def _csv(body: bytes, *, times: bool) -> pl.DataFrame:
    return pl.read_csv(io.BytesIO(body), schema=_schema(times=times))


def _schema(*, times: bool) -> dict[str, pl.DataType]:
    return {**_PEER, "ts": pl.Datetime("us", "UTC")} if times else _PEER


def contest(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[list[Run], list[Run]]:
    """Both in turn, after one round that does not count."""
    runs: tuple[list[Run], list[Run]] = ([], [])
    for round_ in range(_ROUNDS + 1):
        for made, contestant in zip(runs, (ours, theirs), strict=True):
            gc.collect()
            wall_s, cpu_s = time.perf_counter(), time.process_time()
            contestant()
            done = Run(time.perf_counter() - wall_s, time.process_time() - cpu_s)
            if round_:
                made.append(done)
    return runs


def median(runs: list[Run]) -> tuple[float, float]:
    """The median wall time and CPU time."""
    middle = len(runs) // 2
    return sorted(run.wall_s for run in runs)[middle], sorted(run.cpu_s for run in runs)[middle]


# ------------------------------------------------------------------------------------------------ input


def ndjson(count: int) -> bytes:
    """Readings of a thousand sensors as NDJSON."""
    return b"".join(_lines(count, _LINE))


def csv(count: int) -> bytes:
    """The same as CSV."""
    return b"ts,sensor,temperature,humidity,ok,id\n" + b"".join(_lines(count, _ROW))


_LINE = '{{"ts":"{}Z","sensor":"s{:04d}","temperature":{:.2f},"humidity":{},"ok":true,"id":{}}}\n'
_ROW = "{}Z,s{:04d},{:.2f},{},true,{}\n"


def _lines(count: int, pattern: str) -> Iterator[bytes]:
    rng = random.Random(7)
    for index in range(count):
        moment = (_START + timedelta(seconds=index // 10)).strftime("%Y-%m-%dT%H:%M:%S")
        yield pattern.format(moment, index % 1000, rng.uniform(18, 30), rng.randrange(100), index).encode()


def _spoil(body: bytes, good: bytes, bad: bytes) -> bytes:
    """Every hundredth record broken."""
    lines = body.split(b"\n")
    for index in range(50, len(lines) - 1, 100):
        lines[index] = lines[index].replace(good, bad)
    return b"\n".join(lines)


# ------------------------------------------------------------------------------------------------ memory


def _peak_mib(kind: str, size_mib: int) -> float:
    arguments = [sys.executable, "-m", "tests.bench.decoding", kind, str(size_mib)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout)["peak_mib"])


def _print_peak(kind: str, size_mib: int) -> None:
    """Decode a stream that is made while it is read, and print how far memory rose."""
    parsed = spec.parse(SPEC, "bench")
    block = (ndjson if kind == "ndjson" else csv)(20_000)
    header = b"" if kind == "ndjson" else block[: block.index(b"\n") + 1]
    body = block[len(header) :]

    def source() -> Iterator[bytes]:
        yield header
        for _ in range(size_mib * MIB // len(body)):
            yield body

    rows = consume(source, f"x.{kind}", parsed)
    print(json.dumps({"rows": rows, "peak_mib": _high_water_mib()}))


def _high_water_mib() -> float:
    """The most memory this process has held. What `getrusage` says includes the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:", 1)[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
