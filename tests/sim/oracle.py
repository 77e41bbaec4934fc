"""What must be there once all is quiet, worked out from what landed and nothing else."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any, NamedTuple

import msgspec
import polars as pl

from tests.sim.people import People, plain, records_in
from tests.sim.process import INJECTED
from tests.sim.services import Ingest
from tests.sim.workload import CSV, FIXED, Item
from tests.sim.world import Violation, World
from tests.support.window_reference import expected as expected_windows
from windrow import keys, quarantine, spec
from windrow.conservation import balance
from windrow.lake.tables import Place
from windrow.quarantine import REPLAY_TYPE
from windrow_reprocessor.letters import decode_dead

_PLACE = ("window_start", "window_end")


class Origin(NamedTuple):
    """Where a record came in, in the order of receipt."""

    received_us: int
    batch: str
    ordinal: int


@dataclass
class Landed:
    """What objects in the landing zone hold, read apart from Windrow."""

    good: dict[Origin, dict[str, Any]] = field(default_factory=dict)
    bad: dict[tuple[str, int], bytes] = field(default_factory=dict)
    fixable: set[tuple[str, int]] = field(default_factory=set)
    """Those of the bad records that the newest spec understands."""
    lines: Counter[bytes] = field(default_factory=Counter)
    count: int = 0


def check(world: World, people: People, items: list[Item]) -> None:
    """Raise the first broken law."""
    for stream in sorted({item.stream for item in items}):
        landed = _landed(world, stream)
        _check_issued(world, stream, landed, people, items)
        _check_quarantine(world, stream, landed)
        rows = _check_records(world, stream, landed)
        _check_figures(world, stream, landed)
        ledger = _check_late(world, stream, landed)
        _check_windows(world, stream, rows, ledger)
    _check_dead(world)
    _check_bounds(world)


# ------------------------------------------------------------------------------------------------ what landed


def _landed(world: World, stream: str) -> Landed:
    found = Landed()
    published = [info.modified_us // 1_000_000 for info in world.store.list(keys.spec_prefix(stream))]
    replays: list[tuple[bytes, bool]] = []
    for info in world.store.list(keys.landing_prefix(stream)):
        head = world.store._objects[info.key].info
        is_fixed = sum(at_s < info.modified_us // 1_000_000 for at_s in published) > 1
        body = plain(world, info.key) or b""
        if head.content_type == REPLAY_TYPE:
            replays.append((body, is_fixed))
            continue
        batch = keys.batch_id(info.key, info.etag)
        received_us = int(head.metadata.get("received-us", info.modified_us))
        for ordinal, line in enumerate(records_in(body, head.content_type)):
            found.count += 1
            found.lines[line] += 1
            record = _record(line, head.content_type, is_fixed=is_fixed)
            if record is None:
                found.bad[batch, ordinal] = line
                if len(published) > 1 and _record(line, head.content_type, is_fixed=True) is not None:
                    found.fixable.add((batch, ordinal))
            else:
                found.good[Origin(received_us, batch, ordinal)] = record
    for body, is_fixed in replays:
        for entry in quarantine.decode_lines(body):
            record = _record(entry.raw(), "", is_fixed=is_fixed)
            if record is not None:
                found.good[Origin(entry.received_us, entry.batch, entry.ordinal)] = record
    return found


def _record(line: bytes, content_type: str, *, is_fixed: bool) -> dict[str, Any] | None:
    if content_type == CSV:
        ts, key, value, number = line.decode().split(",")
        return {"ts": datetime.fromisoformat(ts), "key": key, "value": int(value), "n": int(number)}
    try:
        record: dict[str, Any] = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None
    if not isinstance(record["value"], int):
        return None
    if isinstance(record["ts"], int):
        return {**record, "ts": datetime.fromtimestamp(record["ts"] / 1000, UTC)} if is_fixed else None
    return {**record, "ts": datetime.fromisoformat(record["ts"])}


def _check_issued(world: World, stream: str, landed: Landed, people: People, items: list[Item]) -> None:
    issued: Counter[bytes] = Counter()
    least: Counter[bytes] = Counter()
    for item in items:
        if item.stream != stream or item.kind not in ("request", "upload"):
            continue
        lines = item.lines[1:] if item.content_type == CSV else item.lines
        once = item.idempotency_key is not None or item.kind == "upload"
        for line in lines:
            issued[line] += 1 if once else people.attempts.get(item.number, 0)
            if item.number in people.acknowledged and item.idempotency_key is None:
                least[line] += 1
    more = landed.lines - issued
    if more:
        raise Violation(7, f"{stream} holds more copies than were sent: {dict(more)}")
    fewer = least - landed.lines
    if fewer:
        raise Violation(1, f"{stream} lacks acknowledged records: {dict(fewer)}")


# ------------------------------------------------------------------------------------------------ records


def _expected_records(spec_: spec.StreamSpec, landed: Landed) -> list[tuple[Any, ...]]:
    kept: dict[tuple[Any, ...], tuple[Origin, dict[str, Any]]] = {}
    for origin, record in sorted(landed.good.items()):
        identity = tuple(record[name] for name in spec_.unique) if spec_.unique else (origin.batch, origin.ordinal)
        if spec_.keep == "last" or identity not in kept:
            kept[identity] = origin, record
    return sorted(
        (record["ts"], record["key"], record["value"], record["n"], origin.batch, origin.ordinal)
        for origin, record in kept.values()
    )


def _check_records(world: World, stream: str, landed: Landed) -> list[dict[str, Any]]:
    wanted = _expected_records(_spec(stream), landed)
    found = sorted(table_rows(world, stream, keys.RECORDS_TABLE, "ts", "key", "value", "n", "_batch", "_ordinal"))
    if found != wanted:
        extra, missing = Counter(found) - Counter(wanted), Counter(wanted) - Counter(found)
        raise Violation(7, f"{stream}/records has {_told(extra)} too many and lacks {_told(missing)}")
    return [dict(zip(("ts", "key", "value", "n", "_batch", "_ordinal"), row, strict=True)) for row in wanted]


def _check_quarantine(world: World, stream: str, landed: Landed) -> None:
    kept: Counter[tuple[str, int]] = Counter()
    for info in world.store.list(keys.quarantine_prefix(stream)):
        file_batch = info.key.rsplit("/", 1)[1].removesuffix(".ndjson")
        for entry in quarantine.decode_lines(world.store.get(info.key).body):
            if entry.batch == file_batch:
                kept[entry.batch, entry.ordinal] += 1
    lost = landed.fixable - {(origin.batch, origin.ordinal) for origin in landed.good}
    if lost:
        raise Violation(7, f"{stream}: everything was replayed, and {sorted(lost)} never came back")
    if kept != Counter(dict.fromkeys(landed.bad, 1)):
        raise Violation(
            9, f"{stream} has {sorted(kept.elements())} in quarantine, and of bad records {sorted(landed.bad)}"
        )


def _check_figures(world: World, stream: str, landed: Landed) -> None:
    figures = balance(world.store, world.lake, stream)
    told = (figures.unexplained, figures.in_flight, figures.uncounted_objects, figures.received)
    if told != (0, 0, 0, landed.count):
        raise Violation(8, f"{stream}: {figures}, unexplained {figures.unexplained}; {landed.count} records landed")


# ------------------------------------------------------------------------------------------------ windows


def _check_late(world: World, stream: str, landed: Landed) -> list[tuple[datetime, str]]:
    rows = table_rows(world, stream, keys.LATE_TABLE, "_batch", "_ordinal", "ts", "key")
    origins = {(origin.batch, origin.ordinal) for origin in landed.good}
    invented = [row for row in rows if row[:2] not in origins]
    if invented:
        raise Violation(7, f"{stream}/late holds what never came: {invented[:5]}")
    return [(row[2], row[3]) for row in rows]


def _check_windows(
    world: World, stream: str, records: list[dict[str, Any]], ledger: list[tuple[datetime, str]]
) -> None:
    spec_ = _spec(stream)
    for name, window in spec_.windows.items():
        outputs = [*window.aggregates, "row_count"]
        wanted = {
            (row["key"], row["window_start"]): (row["window_end"], *(row[output] for output in outputs))
            for row in expected_windows(records, spec_, window)
        }
        rows = table_rows(world, stream, keys.windows_table(name), "key", *_PLACE, *outputs, "is_final", "revision")
        found = {(row[0], row[1]): row[2:-2] for row in rows}
        if len(found) != len(rows):
            raise Violation(7, f"{stream}/{name} holds a window twice")
        unfinished = [row[:3] for row in rows if not row[-2]]
        if unfinished:
            raise Violation(6, f"{stream}/{name} has windows that are not final: {unfinished}")
        if window.late == "divert":
            _check_diverted(stream, name, wanted, found, ledger)
            continue
        if found != wanted:
            extra, missing = found.items() - wanted.items(), wanted.items() - found.items()
            raise Violation(6, f"{stream}/{name} has {sorted(extra)[:5]}, and not {sorted(missing)[:5]}")
        for key, start, end, *_, revision in rows:
            if revision and not any(each == key and start <= at <= end for at, each in ledger):
                raise Violation(
                    6, f"{stream}/{name} {key} {start} has revision {revision}, and no late record touches it"
                )


def _check_diverted(
    stream: str,
    name: str,
    wanted: Mapping[Any, tuple[Any, ...]],
    found: Mapping[Any, tuple[Any, ...]],
    ledger: list[tuple[datetime, str]],
) -> None:
    for (key, start), (end, *_, row_count) in wanted.items():
        late = sum(each == key and start <= at < end for at, each in ledger)
        there = found.get((key, start), (end, 0))[-1]
        if not row_count - late <= there <= row_count:
            raise Violation(
                6, f"{stream}/{name} {key} {start} has {there} of {row_count} records; {late} are in the ledger"
            )


# ------------------------------------------------------------------------------------------------ the rest


def _check_dead(world: World) -> None:
    """Whatever died did so because of a fault that the seed made."""
    for info in world.store.list(keys.DEAD_LETTERS_PREFIX):
        letter = decode_dead(world.store.get(info.key).body)
        if not is_explained(letter.reason):
            raise Violation(9, f"a message on {letter.queue} died: {letter.reason}; {letter.body}")


def is_explained(reason: str) -> bool:
    return (
        INJECTED in reason
        or "received too often" in reason
        or (reason.startswith("gave up after") and ("version" in reason or "not in the records table" in reason))
    )


def _check_bounds(world: World) -> None:
    for service in chain.from_iterable(world.running.values()):
        held = sum(len(worker._held) for worker in service.workers)
        if held:
            raise Violation(10, f"{service.process.name} still holds {held} messages")
        if isinstance(service, Ingest) and service.budget._lent_bytes:
            raise Violation(10, f"{service.process.name} has lent {service.budget._lent_bytes} bytes to nobody")


def table_rows(world: World, stream: str, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Rows of a table, in no order; none where there is no table."""
    handle = world.lake.open(stream, table)
    if handle is None:
        return []
    places = {Place(*place) for place in _all(handle).select("_bucket", "_shard").unique().rows()}
    return handle.read(sorted(places)).select(columns).rows() if places else []


def _all(handle: Any) -> pl.DataFrame:
    return handle.rows() if hasattr(handle, "rows") else pl.scan_delta(handle._delta).collect()


def _spec(stream: str) -> spec.StreamSpec:
    return spec.parse(FIXED[stream], stream)


def _told(rows: Counter[Any]) -> str:
    return f"{rows.total()} rows {list(rows)[:4]}" if rows else "none"
