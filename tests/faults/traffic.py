"""What is sent: three small streams, and the requests of each wave. Pure: the same seed gives the same bytes.

A wave has a minute of event time of its own, two buckets of it. It brings records in any order, some of them twice,
some that belong to the wave before and are late, bad ones, and ones that a later spec can read.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Stream = Literal["readings", "visits", "repairs"]
STREAMS: tuple[Stream, ...] = ("readings", "visits", "repairs")

BASE_S = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
WAVE_S = 60
_SENSORS = ("a", "b", "c")
_CLOCK = "bucket: 30s\nlateness: 2s\nidle: 1s\n"
_COLUMNS = "columns: {ts: timestamp, sensor: string, value: {type: int, required: true}}\n"

READINGS = f"""stream: readings
time: {{column: ts, formats: [iso8601]}}
keys: [sensor]
unique: [sensor, ts]
{_COLUMNS}{_CLOCK}windows:
  tumbling: {{size: 5s, aggregates: {{total: sum(value)}}}}
  sliding: {{kind: sliding, size: 40s, slide: 20s, aggregates: {{total: sum(value)}}}}
"""
VISITS = f"""stream: visits
time: {{column: ts, formats: [iso8601]}}
keys: [sensor]
{_COLUMNS}{_CLOCK}windows:
  sessions: {{kind: session, gap: 6s, aggregates: {{total: sum(value)}}}}
"""


def repairs(generation: int) -> str:
    """The spec of `repairs`: strict when the generation is even; an odd one reads what the strict one refused."""
    formats = "[iso8601]" if generation % 2 == 0 else "[iso8601, epoch_s]"
    return f"""stream: repairs
description: Generation {generation}.
time: {{column: ts, formats: {formats}}}
keys: [sensor]
unique: [sensor, ts]
{_COLUMNS}{_CLOCK}"""


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """One record of a stream. Its value follows from what it is of, so that any mix-up shows."""

    sensor: str
    at_s: int

    @property
    def value(self) -> int:
        return (self.at_s * 7 + ord(self.sensor) * 1_000_003) % 10_007


@dataclass(frozen=True, slots=True)
class Request:
    """One body for a stream: good records, then bad lines as they are."""

    stream: Stream
    records: tuple[Record, ...]
    key: str | None = None
    """The Idempotency-Key, if it has one."""
    late: tuple[Record, ...] = ()
    """Those of the records that come after the seal of their bucket."""
    fixable: tuple[Record, ...] = ()
    """Records that only the next generation of the spec can read."""
    hopeless: tuple[str, ...] = ()
    """Names of records that no spec reads."""

    @property
    def good(self) -> tuple[Record, ...]:
        """What must be in the tables in the end."""
        return (*self.records, *self.fixable)

    def body(self) -> bytes:
        """As NDJSON."""
        lines: list[dict[str, object]] = [_plain(record, _iso(record.at_s)) for record in self.records]
        lines += [_plain(record, record.at_s) for record in self.fixable]
        lines += [{"ts": _iso(BASE_S), "sensor": name} for name in self.hopeless]
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    def csv(self) -> bytes:
        """The good records as CSV."""
        rows = [f"{_iso(record.at_s)},{record.sensor},{record.value}\n" for record in self.records]
        return ("ts,sensor,value\n" + "".join(rows)).encode()


@dataclass(frozen=True, slots=True)
class Wave:
    """What a minute of event time brings."""

    number: int
    requests: tuple[Request, ...]
    upload: Request
    junk: str
    """A message that nobody can read."""


def wave(number: int, rng: random.Random, size: int = 40, *, is_after_seal: bool = False) -> Wave:
    """The next wave. `size` is the number of records of `readings`; there are at most 150.

    What it brings for the wave before is late for sure if that one has been sealed.
    """
    start_s = BASE_S + number * WAVE_S
    readings = [Record(sensor, start_s + second) for sensor in _SENSORS for second in range(50)]
    rng.shuffle(readings)
    del readings[size:]
    cut = max(1, size // 5)
    parts = [readings[at : at + cut] for at in range(0, size, cut)]
    # What was left out of the wave before: seconds 50 to 54 of its last bucket, which has been sealed since.
    late = [Record(rng.choice(_SENSORS), start_s - WAVE_S + 50 + second) for second in range(5)] if number else []
    requests = [
        Request("readings", tuple(parts[0]), key=f"readings-{number}"),
        Request("readings", (*parts[1], *parts[0][:3])),  # some of it twice, over another road
        Request("readings", (*parts[2], *late), late=tuple(late) if is_after_seal else (), hopeless=(f"bad-{number}",)),
        *(Request("readings", tuple(part)) for part in parts[4:]),
        Request("visits", tuple(_visits(start_s, rng, 0)), key=f"visits-{number}-0"),
        Request("visits", tuple(_visits(start_s, rng, 20)), key=f"visits-{number}-1"),
        Request(
            "repairs",
            tuple(Record("a", start_s + second) for second in range(4)),
            fixable=tuple(Record("b", start_s + second) for second in range(4)),
            hopeless=(f"beyond-repair-{number}",),
        ),
    ]
    upload = Request("readings", tuple(parts[3]) if len(parts) > 3 else ())
    return Wave(number, tuple(requests), upload, json.dumps({"kind": "junk", "wave": number}))


def _visits(start_s: int, rng: random.Random, offset_s: int) -> Sequence[Record]:
    seconds = rng.sample(range(offset_s, offset_s + 20), 5)
    return [Record(rng.choice(_SENSORS), start_s + second) for second in seconds]


def _plain(record: Record, ts: str | int) -> dict[str, object]:
    return {"ts": ts, "sensor": record.sensor, "value": record.value}


def _iso(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
