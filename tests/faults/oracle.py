"""Compares what the tables hold with what the clients were promised.

It has readers in common with what it judges, and nothing else: what windows must hold it works out by itself.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import polars as pl

from tests.faults.findings import Findings
from tests.faults.log import ClientLog, Content, Window, aligned, sessions
from tests.faults.stack import Stack
from tests.faults.traffic import STREAMS, Record, Stream
from windrow import keys, quarantine
from windrow.conservation import balance
from windrow.errors import WindrowError
from windrow.lake.delta import DeltaLake
from windrow.quarantine import QuarantinedRecord

_WINDOWS: Mapping[Stream, tuple[str, ...]] = {
    "readings": ("tumbling", "sliding"),
    "visits": ("sessions",),
    "repairs": (),
}


@dataclass
class Oracle:
    """Looks at a deployment whose clients wrote a log."""

    stack: Stack
    log: ClientLog
    always: list[str] = field(default_factory=list)
    """What must never be seen, not even for a moment, and was."""
    _next_version: Counter[Stream] = field(default_factory=Counter)
    """The first version of each records table that has not been looked at."""

    def __post_init__(self) -> None:
        # A Delta table in the emulator is a Delta table on disk: to look costs the emulator nothing.
        self.lake = DeltaLake(str(self.stack.lake_folder), {})

    def look(self, *, at_everything: bool = True) -> Findings:
        """What is wrong, now. If not at everything, it stops at the first that is, for it will look again."""
        findings = Findings()
        for look in self._looks():
            look(findings)
            if not (findings.is_clean or at_everything):
                break
        return findings

    def _looks(self) -> Iterator[Callable[[Findings], None]]:
        for stream in STREAMS:
            yield partial(self._records, stream)
            yield from (partial(self._windows, stream, window) for window in _WINDOWS[stream])
            yield partial(self._figures, stream)
        yield self._late
        yield self._quarantine

    def letters(self) -> Findings:
        """Whether every unreadable message is a dead letter: kept, or still in its queue.

        One that a reprocessor held when it was killed is hidden there for two minutes.
        """
        depth = self.stack.aws.dead_letters_of("landed").depth()
        kept = {info.key for info in self.stack.aws.store().list(keys.DEAD_LETTERS_PREFIX)}
        missing = [body for body in sorted(self.log.junk) if keys.dead_letter_key("landed", body) not in kept]
        queued = depth.waiting + depth.in_flight
        return Findings(lost=[f"letter {body}" for body in missing] if len(missing) > queued else [])

    # ------------------------------------------------------------------------------------------ tables

    def _records(self, stream: Stream, findings: Findings) -> None:
        # The same row of the same batch is written once, always; the same record in two batches, once it is sealed.
        for places in self._new_versions(stream):
            twice = {place for place, count in places.items() if count > 1}
            if twice:  # what was quarantined keeps its place, and two replays are two batches that bring it
                twice -= self._replayable(stream)
            names = (f"{stream} {batch}/{ordinal}" for batch, ordinal in sorted(twice))
            self.always.extend(name for name in names if name not in self.always)
        rows = self._read(stream, keys.RECORDS_TABLE, ["sensor", "ts", "value", "_batch", "_ordinal"])
        found = Counter(
            (Record(sensor, ts // 1_000_000), value)
            for sensor, ts, value in zip(rows["sensor"], rows["ts"].dt.timestamp("us"), rows["value"], strict=True)
        )
        held = {record for record, _ in found}
        findings.lost += [f"{stream} {each}" for each in sorted(self.log.acknowledged[stream] - held)]
        findings.duplicated += [f"{stream} {record}" for (record, _), count in found.items() if count > 1]
        findings.unexplained += [
            f"{stream} {record} with {value}"
            for record, value in found
            if record not in self.log.sent[stream] or value != record.value
        ]

    def _new_versions(self, stream: Stream) -> Iterator[Counter[tuple[str, int]]]:
        """How often each row of each batch stood in the records table, in every version since the last look.

        A seal leaves each record once: what was doubled may be so in a version that no look comes upon.
        """
        table = self.lake.delta(stream, keys.RECORDS_TABLE)
        newest = -1 if table is None else table.version()
        for version in range(self._next_version[stream], newest + 1):
            assert table is not None
            table.load_as_version(version)
            rows = pl.scan_delta(table).select("_batch", "_ordinal").collect()
            yield Counter(rows.iter_rows())
            self._next_version[stream] = version + 1

    def _replayable(self, stream: Stream) -> set[tuple[str, int]]:
        """The places of all records that ever were in quarantine."""
        return {(record.batch, record.ordinal) for record in self._quarantined(stream)}

    def _quarantined(self, stream: Stream) -> Iterator[QuarantinedRecord]:
        store = self.stack.aws.store()
        for info in store.list(keys.quarantine_prefix(stream)):
            yield from quarantine.decode_lines(store.get(info.key).body)

    def _windows(self, stream: Stream, window: str, findings: Findings) -> None:
        columns = ["sensor", "window_start", "window_end", "row_count", "total", "is_final"]
        rows = self._read(stream, keys.windows_table(window), columns)
        found: dict[Window, Content] = {}
        for sensor, start, end, count, total, is_final in rows.iter_rows():
            key = (sensor, int(start.timestamp()), int(end.timestamp()))
            name = f"{stream}.{window} {key}"
            if key in found:
                findings.duplicated.append(name)
            if not is_final:
                findings.waiting.append(f"{name} is not final")
            found[key] = (count, total)
        expected = _expected(stream, window, self.log.acknowledged[stream])
        findings.lost += [f"{stream}.{window} {key}" for key in sorted(expected.keys() - found.keys())]
        findings.unexplained += [
            f"{stream}.{window} {key} holds {content}, not {expected.get(key)}"
            for key, content in found.items()
            if expected.get(key) != content
        ]

    def _late(self, findings: Findings) -> None:
        rows = self._read("readings", keys.LATE_TABLE, ["sensor", "ts", "_batch", "_ordinal"])
        entries = Counter(zip(rows["_batch"], rows["_ordinal"], strict=True))
        findings.duplicated += [f"late {entry}" for entry, count in entries.items() if count > 1]
        found = {
            Record(sensor, ts // 1_000_000)
            for sensor, ts in zip(rows["sensor"], rows["ts"].dt.timestamp("us"), strict=True)
        }
        findings.lost += [f"late {each}" for each in sorted(self.log.late - found)]
        findings.unexplained += [f"late {each}" for each in sorted(found - self.log.sent["readings"])]

    def _read(self, stream: Stream, table: str, columns: Sequence[str]) -> pl.DataFrame:
        delta = self.lake.delta(stream, table)
        if delta is None:
            types = {"ts": pl.Datetime("us", "UTC")}
            return pl.DataFrame(schema={name: types.get(name, pl.String()) for name in columns})
        return pl.scan_delta(delta).select(columns).collect()

    # ------------------------------------------------------------------------------------------ figures, quarantine

    def _figures(self, stream: Stream, findings: Findings) -> None:
        """Law 8, and that as much was received as clients landed."""
        store = self.stack.aws.store()
        found = balance(store, self.lake, stream)
        if found.unexplained:
            findings.unexplained.append(f"{stream}: {found}")
        if found.in_flight or found.uncounted_objects:
            findings.waiting.append(f"{stream}: {found.in_flight} in flight")

    def _quarantine(self, findings: Findings) -> None:
        for stream in STREAMS:
            kept = "\n".join(record.data for record in self._quarantined(stream))
            names = sorted(name for owner, name in self.log.hopeless if owner == stream)
            findings.lost += [f"quarantined {name}" for name in names if f'"{name}"' not in kept]


def _expected(stream: Stream, window: str, records: set[Record]) -> dict[Window, Content]:
    if stream == "visits":
        return sessions(records, 6)
    return aligned(records, 5, 5) if window == "tumbling" else aligned(records, 40, 20)


def looked(oracle: Oracle, *, at_everything: bool = True) -> Findings:
    """A look that the trouble of a moment does not end: services are being killed meanwhile."""
    try:
        return oracle.look(at_everything=at_everything)
    except WindrowError as error:
        return Findings(waiting=[str(error)])
