"""What a stream costs in steady flow: files in order of arrival, through the windower, state and results on disk.

`python -m tests.bench.incremental` lays 100 files of records (a thousand series, a second apart, jittered, one in a
thousand ten minutes late) one after the other as segments, and after each lets the windower refresh what it touches,
as its pointers would. It shows records per second, how the cost of a refresh goes as a bucket fills (it follows the
panes, not the records), and the memory that was needed. Reading and decoding uploads is not part of it.
"""

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tests.bench import windows as batch
from windrow import keys, log, messages, spec
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.decoding.segments import split
from windrow.errors import AlreadyExists, NotFound
from windrow.keys import SegmentAddress
from windrow.lake.delta import DeltaLake
from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT, TIMESTAMP, segment_schema
from windrow.messages import Refresh
from windrow.outcomes import Done
from windrow.ports import Body, ObjectHeaders, ObjectInfo, StoredObject
from windrow.testing import ManualClock, MemoryQueue, RecordingMetrics
from windrow.windows import engine
from windrow_windower.handler import Handler
from windrow_windower.refresh import Refresher

SPEC = """
stream: readings
time: {column: ts, formats: [iso8601]}
keys: [series]
columns: {ts: timestamp, series: string, value: float}
bucket: 1h
windows:
"""
WINDOWS = {
    "tumbling": "  tumbling: {size: 5m, aggregates: &five {n: count, sum: sum(value), mean: mean(value),"
    " min: min(value), max: max(value)}}\n",
    "sliding": "  sliding: {kind: sliding, size: 5m, slide: 1m, aggregates: {n: count, sum: sum(value),"
    " mean: mean(value), min: min(value), max: max(value)}}\n",
}


class FolderStore:
    """Objects as files: what S3 is to the windower, on this disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str, max_bytes: int | None = None) -> StoredObject:
        del max_bytes
        path = self._folder / key
        if not path.is_file():
            raise NotFound(key)
        return StoredObject(self._info(path), path.read_bytes())

    def read(self, info: ObjectInfo) -> Iterator[bytes]:
        yield self.get(info.key).body

    def head(self, key: str) -> ObjectInfo:
        if not (self._folder / key).is_file():
            raise NotFound(key)
        return self._info(self._folder / key)

    def put_if_absent(self, key: str, body: Body, headers: ObjectHeaders) -> ObjectInfo:
        if (self._folder / key).exists():
            raise AlreadyExists(key)
        return self.put(key, body if isinstance(body, bytes) else body.read(), headers)

    def put(self, key: str, body: bytes, headers: ObjectHeaders, if_match: str | None = None) -> ObjectInfo:
        del headers, if_match
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return self._info(path)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        top = self._folder / prefix.rpartition("/")[0]
        found = sorted(str(path.relative_to(self._folder)) for path in top.rglob("*") if path.is_file())
        return (self._info(self._folder / key) for key in found if key.startswith(prefix))

    def delete(self, key: str) -> None:
        (self._folder / key).unlink(missing_ok=True)

    def _info(self, path: Path) -> ObjectInfo:
        found = path.stat()
        key = str(path.relative_to(self._folder))
        return ObjectInfo(key, str(found.st_mtime_ns), found.st_size, found.st_mtime_ns // 1_000)


def run(files: list[Path], names: list[str], folder: Path) -> tuple[int, float, float, list[float], Path]:
    """Everything through the windower: records, seconds, CPU seconds, and seconds of each file's refresh."""
    text = SPEC + "".join(WINDOWS[name] for name in names)
    parsed = spec.parse(text, "bench.yaml")
    store, clock = FolderStore(folder), SystemClock()
    store.put(keys.spec_key("readings", 1, text), text.encode(), ObjectHeaders())
    catalog = SpecCatalog(store, clock)
    refresher = Refresher(
        store=store,
        writes=MemoryQueue("writes", ManualClock(0)),
        lake=DeltaLake(str(folder / "lake"), {}),
        catalog=catalog,
        metrics=RecordingMetrics(),
        log=log.quiet(),
        parallel_gets=2,
    )
    handler = Handler(refresher, catalog)
    schema = segment_schema(parsed)
    records, spent_s, spent_cpu_s, refreshes_s = 0, 0.0, 0.0, []
    for number, path in enumerate(files):
        rows = pl.read_parquet(path).with_columns(
            pl.lit(keys.digest(str(number))).alias(BATCH),
            pl.int_range(pl.len(), dtype=pl.Int64).alias(ORDINAL),
            pl.lit(number).cast(TIMESTAMP).alias(RECEIVED_AT),
        )
        rows = rows.select(pl.col(name).cast(kind) for name, kind in schema.items())
        segments = list(split(rows, parsed))
        pointers = []
        for segment in segments:
            address = SegmentAddress("readings", *segment.place, keys.digest(str(number)))
            store.put(keys.segment_key(address), segment.body, ObjectHeaders())
            pointers.append(
                messages.encode(
                    Refresh(stream="readings", bucket_us=segment.place.bucket_us, shard=segment.place.shard)
                )
            )
        records += rows.height
        started_s, started_cpu_s = time.perf_counter(), time.process_time()
        outcomes = handler.handle(pointers)
        assert all(isinstance(outcome, Done) for outcome in outcomes), outcomes
        refreshes_s.append(time.perf_counter() - started_s)
        spent_s += refreshes_s[-1]
        spent_cpu_s += time.process_time() - started_cpu_s
    return records, spent_s, spent_cpu_s, refreshes_s, folder


def check(files: list[Path], name: str, folder: Path) -> None:
    """The results that stand at the end are what the engine makes of all records at once."""
    parsed = spec.parse(SPEC + WINDOWS[name], "bench.yaml")
    latest: dict[str, Path] = {}
    for path in sorted((folder / f"results/readings/windows_{name}").rglob("rows.parquet")):
        latest[str(path.parents[1])] = path
    order = ["series", "window_start"]
    found = pl.concat([pl.read_parquet(path) for path in latest.values()]).sort(order)
    expected = engine.compute(pl.scan_parquet(files), parsed, parsed.windows[name]).sort(order)
    assert found.equals(expected), name


def main() -> None:
    """Make the records, run, check, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--folder", type=Path, help="keep the records here, and use them again")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="windrow-bench-"))
    made = batch.made(folder / f"records-{asked.rows}", asked.rows)
    files = sorted(made.glob("*.parquet"))
    print(f"{asked.rows:,} records in {len(files)} files, segments and results on disk")
    for names in (["tumbling"], ["sliding"], ["tumbling", "sliding"]):
        state = folder / "state"
        shutil.rmtree(state, ignore_errors=True)
        records, spent_s, cpu_s, refreshes_s, _ = run(files, names, state)
        for name in names:
            check(files, name, state)
        quarters = [sum(refreshes_s[part::1][:25]) for part in range(0, 100, 25)]
        print(
            f"  {' + '.join(names):20} {records / spent_s / 1e6:5.2f} M records/s (bar: 1), "
            f"{cpu_s / records * 1e6:.2f} CPU s per million; seconds per quarter of the files: "
            + " ".join(f"{each:.1f}" for each in quarters)
        )
        shutil.rmtree(state, ignore_errors=True)
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB, checks included")
    if asked.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
