"""Decoded batches of a stream, laid out on this disk as the consumer leaves them, and the writer over them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tests.bench.incremental import FolderStore
from windrow import keys, log, manifest, messages, results, spec
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.decoding.segments import split
from windrow.keys import SegmentAddress
from windrow.lake.delta import DeltaLake
from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT, TIMESTAMP, segment_schema
from windrow.manifest import Manifest, SegmentEntry
from windrow.messages import BatchDecoded, Refreshed
from windrow.outcomes import Done
from windrow.parallel import pool
from windrow.ports import ObjectHeaders
from windrow.testing import RecordingMetrics
from windrow_writer.committing import Committer
from windrow_writer.handler import Handler
from windrow_writer.leases import Leases
from windrow_writer.loading import Loader
from windrow_writer.roster import Roster
from windrow_writer.sealing import Sealer
from windrow_writer.settings import WriterSettings
from windrow_writer.sorting import Disk

STREAM = "readings"
SPEC = f"""
stream: {STREAM}
time: {{column: ts, formats: [iso8601]}}
keys: [sensor]
unique: [sensor, ts, id]
columns: {{ts: timestamp, sensor: string, temperature: float, humidity: int, ok: bool, id: int}}
bucket: 1d
target_file_bytes: 512000000
"""
WIDE = SPEC.replace("id: int", "id: int, note: string")
"""The same with a text that does not compress well: a large file of few rows."""
START_US = 1_767_225_600_000_000
"""2026-01-01: all rows fall on this day, in one bucket."""
_SENSORS = 1_000
_NOTE_CHARS = 160
_DAY_US = 86_400 * 1_000_000
_HEADERS = ObjectHeaders()


@dataclass(frozen=True)
class Staged:
    """Where batches lie, and how to point a writer at them."""

    folder: Path
    store: FolderStore
    spec: spec.StreamSpec

    @classmethod
    def at(cls, folder: Path, text: str = SPEC) -> "Staged":
        """A stream, its spec published."""
        store = FolderStore(folder)
        store.put(keys.spec_key(STREAM, 1, text), text.encode(), _HEADERS)
        return cls(folder, store, spec.parse(text, "bench"))

    def put(self, rows: pl.DataFrame, batch: str) -> str:
        """Lay out a batch: its segments, then its manifest. Returns the pointer to it."""
        entries = []
        for segment in split(rows, self.spec):
            address = SegmentAddress(STREAM, *segment.place, batch)
            self.store.put(keys.segment_key(address), segment.body, _HEADERS)
            entries.append(SegmentEntry(*segment.place, segment.row_count, len(segment.body)))
        found = Manifest(
            stream=STREAM,
            batch=batch,
            landing_key=f"landing/{STREAM}/{batch}.ndjson",
            spec_version=1,
            source="http",
            received_us=START_US,
            decoded=rows.height,
            accepted=rows.height,
            quarantined=0,
            max_time_us=rows.select(pl.col("ts").dt.timestamp("us").max()).item(),
            segments=tuple(entries),
        )
        self.store.put(keys.manifest_key(STREAM, batch), manifest.encode(found), _HEADERS)
        return self.pointer(batch)

    def pointer(self, batch: str) -> str:
        """What tells the writer of a batch."""
        found = manifest.decode(self.store.get(keys.manifest_key(STREAM, batch)).body)
        return messages.encode(BatchDecoded(stream=STREAM, batch=batch, row_count=found.accepted))

    def seal(self, batches: list[str]) -> str:
        """The pointer that asks for the bucket of these batches to be sealed."""
        inputs = results.Inputs(
            stream=STREAM,
            table=keys.RECORDS_TABLE,
            bucket_us=START_US,
            shard=0,
            from_us=START_US,
            to_us=START_US + _DAY_US,
            batches={START_US: tuple(sorted(batches))},
            spec_version=1,
        )
        self.store.put(keys.inputs_key(inputs.folder), results.encode(inputs), _HEADERS)
        return messages.encode(
            Refreshed(
                stream=STREAM,
                table=keys.RECORDS_TABLE,
                bucket_us=START_US,
                shard=0,
                input_count=inputs.count,
                input_digest=inputs.digest,
                spec_version=1,
                is_final=True,
            )
        )

    def writer(self, lake: Path) -> Handler:
        """The production writer with its default settings, its tables below `lake`."""
        settings = WriterSettings.model_validate({"AWS_REGION": "nowhere", "port": 0})
        clock, metrics, quiet = SystemClock(), RecordingMetrics(), log.quiet()
        leases = Leases(self.store, Roster(self.store, clock, "bench", 3600.0), metrics, quiet)
        return Handler(
            store=self.store,
            lake=DeltaLake(str(lake), {}),
            catalog=SpecCatalog(self.store, clock),
            committer=Committer(clock, metrics, quiet, leases, settings.commit_attempts),
            clock=clock,
            metrics=metrics,
            log=quiet,
            sealer=Sealer(
                settings.max_seal_places,
                settings.max_seal_rows,
                Disk(settings.sort_folder, settings.sort_memory_bytes),
            ),
            loader=Loader(
                store=self.store,
                pool=pool(settings.parallel_gets, "get"),
                max_rows=settings.max_commit_rows,
                max_bytes=settings.max_commit_bytes,
            ),
        )


def batch_name(number: int) -> str:
    """The identity of the batch with this number."""
    return keys.digest(str(number))


def readings(number: int, count: int, parsed: spec.StreamSpec) -> pl.DataFrame:
    """A batch of readings in order of arrival: a thousand sensors, a reading a second each, jittered."""
    rng = np.random.default_rng(number)
    index = np.arange(number * count, (number + 1) * count)
    jitter_us = (rng.random(count) * 2_000_000).astype(np.int64)
    time_us = (index // _SENSORS * 1_000_000 + jitter_us) % _DAY_US
    rows = pl.DataFrame(
        {
            "ts": pl.Series(time_us + START_US).cast(TIMESTAMP),
            "sensor": pl.Series(index % _SENSORS).cast(pl.String).str.zfill(4),
            "temperature": np.round(rng.normal(20, 5, count), 2),
            "humidity": rng.integers(0, 100, count),
            "ok": rng.random(count) < 0.99,
            "id": index,
        }
    )
    if "note" in parsed.columns:
        text = rng.bytes(count * _NOTE_CHARS // 2).hex()
        notes = [text[start : start + _NOTE_CHARS] for start in range(0, len(text), _NOTE_CHARS)]
        rows = rows.with_columns(pl.Series("note", notes))
    rows = rows.with_columns(
        pl.lit(batch_name(number)).alias(BATCH),
        pl.int_range(pl.len(), dtype=pl.Int64).alias(ORDINAL),
        pl.lit(START_US + number).cast(TIMESTAMP).alias(RECEIVED_AT),
    )
    return rows.select(pl.col(name).cast(kind) for name, kind in segment_schema(parsed).items())


def settled(handler: Handler, pointers: list[str]) -> None:
    """Let the writer do what pointers ask for; all of it must be done."""
    outcomes = handler.handle(pointers)
    undone = [outcome for outcome in outcomes if not isinstance(outcome, Done)]
    assert not undone, undone[:3]
