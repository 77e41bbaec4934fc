"""What people send in one seed: requests, files, corrections, bad records, replays, a new version of the spec. Pure."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import msgspec

from tests.sim.scheduler import SECOND_US

EPOCH_US = 1_767_225_600_000_000 + 60 * 60 * SECOND_US  # 2026-01-01T01:00Z: everything happens before the run begins
NDJSON, CSV = "application/x-ndjson", "text/csv"

_COLUMNS = """
columns:
  ts: timestamp
  key: string
  value: {type: int, required: true}
  n: int
bucket: 10m
lateness: 30s
idle: 20s
"""
SPECS: Mapping[str, str] = {
    "sensors": f"""
stream: sensors
time: {{column: ts, formats: [iso8601]}}
keys: [key]
unique: [key, ts]
{_COLUMNS}
windows:
  fives:
    size: 5m
    aggregates: {{highest: max(value), newest: last(n)}}
  sliding:
    kind: sliding
    size: 8m
    slide: 4m
    aggregates: {{lowest: min(value), highest: max(n)}}
""",
    "clicks": f"""
stream: clicks
time: {{column: ts, formats: [iso8601]}}
keys: [key]
{_COLUMNS}
windows:
  visits:
    kind: session
    gap: 3m
    aggregates: {{highest: max(value), lowest: min(n)}}
""",
    "meters": f"""
stream: meters
time: {{column: ts, formats: [iso8601]}}
keys: [key]
unique: [key, ts]
keep: first
shards: 2
{_COLUMNS}
windows:
  tens:
    size: 10m
    aggregates: {{highest: max(value), lowest: min(n)}}
""",
    "gates": f"""
stream: gates
time: {{column: ts, formats: [iso8601]}}
keys: [key]
{_COLUMNS}
windows:
  threes:
    size: 3m
    late: divert
    aggregates: {{highest: max(value), lowest: min(n)}}
  fives:
    size: 5m
    aggregates: {{highest: max(value), lowest: min(n)}}
""",
}
FIXED = {name: text.replace("[iso8601]", "[iso8601, epoch_ms]") for name, text in SPECS.items()}
"""The same specs once somebody has understood what some senders write."""

ItemKind = Literal["request", "upload", "publish", "replay", "lifecycle", "figures"]


@dataclass(frozen=True)
class Item:
    """One thing that somebody does."""

    number: int
    at_s: float
    kind: ItemKind
    stream: str
    lines: tuple[bytes, ...] = ()
    content_type: str = NDJSON
    idempotency_key: str | None = None
    name: str = ""

    @property
    def where(self) -> str:
        """Its name among the things that can be left out of a run."""
        return f"item {self.number}"

    @property
    def body(self) -> bytes:
        return b"".join(line + b"\n" for line in self.lines)

    def __str__(self) -> str:
        told = f"{self.kind} {self.stream}"
        if self.idempotency_key:
            told += f" (Idempotency-Key {self.idempotency_key})"
        return f"{self.at_s:6.1f} s  {told} {self.name} {b' '.join(self.lines).decode()}".rstrip()


def plan(seed: int) -> list[Item]:
    """Everything that happens in a seed, in order of time."""
    return _Planner(random.Random(f"{seed}/workload")).items()


class _Planner:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._numbers = 0
        self._spots: dict[str, list[tuple[str, int]]] = {}
        self._keys = 0
        self._bad = rng.choice((0.02, 0.1, 0.3))
        self._until_s = rng.choice((20.0, 60.0, 120.0))
        names = list(SPECS)
        self.streams = rng.sample(names, 2 if rng.random() < 0.3 else 1)

    def items(self) -> list[Item]:
        rng = self._rng
        items = [self._request(rng.choice(self.streams)) for _ in range(rng.randrange(2, 7))]
        if rng.random() < 0.4:
            items.append(self._upload(rng.choice(self.streams)))
        if rng.random() < 0.25:
            items.append(self._repeated(rng.choice(items)))
        for stream in self.streams:
            if rng.random() < 0.3 + self._bad:
                items.append(self._item("publish", stream))
            if rng.random() < 0.3 + self._bad:
                items.extend(self._item("replay", stream, after_s=30.0) for _ in range(rng.randrange(1, 4)))
            if rng.random() < 0.5:
                items.extend(self._item("lifecycle", stream, after_s=20.0) for _ in range(3))
            items.extend(self._item("figures", stream) for _ in range(5))
            if rng.random() < 0.6:  # long after everything was sealed
                late = [self._request(stream) for _ in range(rng.randrange(1, 4))]
                items.extend(replace(each, at_s=self._until_s + 70 + 90 * rng.random()) for each in late)
        return sorted(items, key=lambda item: (item.at_s, item.number))

    def _item(self, kind: ItemKind, stream: str, *, after_s: float = 0.0, **more: object) -> Item:
        self._numbers += 1
        return Item(self._numbers, after_s + self._rng.random() * self._until_s, kind, stream, **more)  # type: ignore[arg-type]

    def _request(self, stream: str) -> Item:
        lines = tuple(self._line(stream) for _ in range(self._rng.randrange(1, 5)))
        key = None
        if self._rng.random() < 0.3:
            if self._keys == 0 or self._rng.random() < 0.8:
                self._keys += 1
            key = f"key-{self._keys}"
        return self._item("request", stream, lines=lines, idempotency_key=key)

    def _repeated(self, item: Item) -> Item:
        """Somebody sends the same once more, by the same road or as a file."""
        if item.kind == "request" and self._rng.random() < 0.5:
            return self._item("request", item.stream, lines=item.lines, idempotency_key=item.idempotency_key)
        name = "again.csv" if item.content_type == CSV else "again.ndjson"
        return self._item("upload", item.stream, lines=item.lines, content_type=item.content_type, name=name)

    def _upload(self, stream: str) -> Item:
        if self._rng.random() < 0.5:
            lines = tuple(self._line(stream) for _ in range(self._rng.randrange(1, 5)))
            return self._item("upload", stream, lines=lines, name="file.ndjson")
        rows = [self._record(stream) for _ in range(self._rng.randrange(1, 5))]
        lines = tuple(",".join(str(row[name]) for name in ("ts", "key", "value", "n")).encode() for row in rows)
        return self._item("upload", stream, lines=(b"ts,key,value,n", *lines), content_type=CSV, name="file.csv")

    def _line(self, stream: str) -> bytes:
        record = self._record(stream)
        chance = self._rng.random()
        if chance < self._bad:
            record["ts"] = round(datetime.fromisoformat(str(record["ts"])).timestamp() * 1000)
        elif chance < 1.5 * self._bad:
            record["value"] = "much"
        elif chance < 1.6 * self._bad:
            return msgspec.json.encode(record)[:-7]
        return msgspec.json.encode(record)

    def _record(self, stream: str) -> dict[str, object]:
        spots = self._spots.setdefault(stream, [])
        if spots and self._rng.random() < 0.3:
            key, at_s = self._rng.choice(spots)
        else:
            # 25 minutes in three buckets; on their edges more often than elsewhere.
            key, at_s = self._rng.choice("ab"), 30 * self._rng.randrange(50)
            if self._rng.random() < 0.15:
                at_s = 600 * self._rng.randrange(1, 3) - self._rng.randrange(2)
            spots.append((key, at_s))
        self._numbers += 1
        at = datetime.fromtimestamp(EPOCH_US // SECOND_US + at_s, UTC)
        return {
            "ts": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "key": key,
            "value": self._rng.randrange(100),
            "n": self._numbers,
        }
