"""Everybody outside: senders that try again, uploads, operators, S3's lifecycle rule, and whoever reads the figures."""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import zstandard

from tests.sim.faults import Stream
from tests.sim.scheduler import Event
from tests.sim.services import Ingest, Post, Reprocessor, Service
from tests.sim.workload import CSV, FIXED, Item
from tests.sim.world import World
from windrow import keys, results
from windrow.admission import Acknowledgement, Answer
from windrow.conservation import balance
from windrow.errors import Conflict, Transient
from windrow.framing import is_json
from windrow.lake.tables import TARGET_FILE_BYTES, Lake, Place, Table, batch_mark, growth, place_mark
from windrow.ports import ObjectHeaders
from windrow.quarantine import REPLAY_TYPE
from windrow_reprocessor.replay import ReplayDone, ReplayRequest

_ATTEMPTS = 6
_ANSWER_S = 10.0


class People:
    """Carries out a plan, and remembers what each was told."""

    def __init__(self, world: World, items: list[Item]) -> None:
        self.world = world
        self.open = len(items)
        self.acknowledged: dict[int, str] = {}
        """Requests by number, and the object that holds their records."""
        self.attempts: dict[int, int] = {}
        self.conflicts: set[int] = set()
        doing: Mapping[str, Callable[[Item], None]] = {
            "request": self._send,
            "upload": self._upload,
            "publish": lambda item: self.publish(item.stream, FIXED[item.stream]),
            "replay": lambda item: self.replay(ReplayRequest(stream=item.stream)),
            "lifecycle": self._expire,
            "figures": lambda item: self.look(item.stream),
        }
        for item in items:
            world.scheduler.spawn(item.where, self._doing(doing[item.kind], item), after_s=item.at_s)

    def _doing(self, do: Callable[[Item], None], item: Item) -> Callable[[], None]:
        def run() -> None:
            self.world.log("people", f"{item.where}: {item.kind} {item.stream} {item.name}", "")
            do(item)
            self.open -= 1

        return run

    # ------------------------------------------------------------------------------------------ senders

    def _send(self, item: Item) -> None:
        faults = self.world.faults.of(item.where)
        for attempt in range(_ATTEMPTS):
            answer = self._ask("ingest", lambda service, post: service.post(post), _post(item), faults)
            self.attempts[item.number] = attempt + 1
            match answer:
                case Answer(status=202, body=Acknowledgement(landing_key=key)):
                    self._check_durable(item, key)
                    self.acknowledged[item.number] = key
                    return
                case Answer(status=409):
                    self.conflicts.add(item.number)
                    return
                case Answer(status=400) if not any(is_json(line) for line in item.lines):
                    return
                case Answer(status=status) if status != 503:
                    self.world.violated(10, f"{item.where} was answered {status}: {answer.body}")
                    return
            self.world.scheduler.wait(1 + 4 * faults.rng.random())

    def _check_durable(self, item: Item, key: str) -> None:
        """Law 1, at the moment of the answer."""
        self.world.log("people", f"{item.where} acknowledged", key)
        held = plain(self.world, key)
        if held is None or not set(item.lines) <= set(held.split(b"\n")):
            self.world.violated(1, f"{item.where} is acknowledged, and {key} does not hold its records")

    def _upload(self, item: Item) -> None:
        key = f"{keys.landing_prefix(item.stream)}{item.name}"
        self.world.store.put(key, item.body, ObjectHeaders(content_type=item.content_type))

    # ------------------------------------------------------------------------------------------ operators

    def publish(self, stream: str, text: str) -> None:
        version = len(list(self.world.store.list(keys.spec_prefix(stream)))) + 1
        self.world.store.put(keys.spec_key(stream, version, text), text.encode(), ObjectHeaders())

    def replay(self, request: ReplayRequest) -> None:
        """Send failures round again, until somebody says that it was done."""
        for _ in range(_ATTEMPTS):
            done = self._ask("reprocessor", lambda service, wanted: service.ask(wanted), request, None, 120.0)
            if isinstance(done, ReplayDone):
                return
            if isinstance(done, Conflict) or (done is not None and not isinstance(done, Transient)):
                self.world.violated(7, f"a replay of {request} failed: {done}")
                return
            self.world.scheduler.wait(3)

    def _ask(
        self,
        kind: str,
        ask: Callable[[Any, Any], Event],
        what: object,
        faults: Stream | None,
        answer_s: float = _ANSWER_S,
    ) -> Any:
        """The answer of one of the processes that run now, or None where none is heard."""
        there: list[Service] = self.world.running[kind]
        if not there:
            return None
        service = self.world.rng.choice(there)
        assert isinstance(service, Ingest | Reprocessor)
        answer = ask(service, what)
        if not answer.wait(answer_s):
            return None
        if faults is not None and faults.next("answer")[0] == "lost_answer":
            return None
        return answer.value

    # ------------------------------------------------------------------------------------------ lifecycle

    def _expire(self, item: Item) -> None:
        """Remove segments that are committed and that their place is sealed with, as a rule by age does long after."""
        records = self.world.lake.open(item.stream, keys.RECORDS_TABLE)
        if records is None or not self.world.faults.is_on:
            return
        sealed = self._sealed_with(item.stream, records)
        for info in list(self.world.store.list(keys.segments_prefix(item.stream))):
            address = keys.parse_segment_key(info.key)
            is_committed = records.mark(batch_mark(address.batch)) is not None
            is_sealed = address.batch in sealed.get(Place(address.bucket_us, address.shard), ())
            if is_committed and is_sealed and self.world.faults.allows(f"{item.where} {info.key}"):
                self.world.store.remove(info.key)
                self.world.log("lifecycle", f"removes {info.key}", "")
                self.world.faults.note("lifecycle", f"{item.where} {info.key}")
                self.world.scheduler.wait(0.01)

    def _sealed_with(self, stream: str, records: Table) -> dict[Place, tuple[str, ...]]:
        """The batches that each place of the records table was sealed with."""
        sealed: dict[Place, tuple[str, ...]] = {}
        for info in self.world.store.list(keys.results_prefix(stream, keys.RECORDS_TABLE)):
            inputs = results.decode(self.world.store.get(info.key).body)
            place = Place(inputs.bucket_us, inputs.shard)
            if (records.mark(place_mark(place)) or 0) >= growth(inputs.count, is_final=True):
                sealed[place] = inputs.batches[inputs.bucket_us]
        return sealed

    # ------------------------------------------------------------------------------------------ figures

    def look(self, stream: str) -> None:
        """Law 8 at this moment, while everybody works on: each of the calls it makes takes its time."""
        figures = balance(_Slow(self.world, self.world.store), _SlowLake(self.world), stream)
        self.world.log("people", f"figures of {stream}", str(figures))
        if figures.unexplained:
            self.world.violated(8, f"{figures.unexplained} records of {stream} are unexplained: {figures}")
        landed = landed_count(self.world, stream)  # by now; when the figures were asked for, it was no more
        if figures.received > landed:
            self.world.violated(8, f"{landed} records of {stream} have landed: {figures}")


def plain(world: World, key: str) -> bytes | None:
    """What an object in the landing zone holds; None if there is none."""
    found = world.store._objects.get(key)
    if found is None:
        return None
    if found.info.content_encoding == "zstd":
        return zstandard.ZstdDecompressor().decompress(found.body, max_output_size=1 << 20)
    return found.body


def records_in(body: bytes, content_type: str) -> list[bytes]:
    """The lines of an object that are records."""
    lines = [line for line in body.split(b"\n") if line]
    return lines[1:] if content_type == CSV else lines


def landed_count(world: World, stream: str) -> int:
    """How many records lie in the landing zone, replays apart, which bring none that was not there before."""
    count = 0
    for key, found in world.store._objects.items():
        if key.startswith(keys.landing_prefix(stream)) and found.info.content_type != REPLAY_TYPE:
            count += len(records_in(plain(world, key) or b"", found.info.content_type))
    return count


def _post(item: Item) -> Post:
    return Post(item.stream, item.body, item.content_type, item.idempotency_key)


class _Slow:
    """A store of which every answer takes a while."""

    def __init__(self, world: World, inner: Any) -> None:
        self._world = world
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._inner, name)

        def call(*arguments: Any) -> Any:
            self._world.scheduler.wait(0.01 + self._world.rng.random())
            found = asked(*arguments)
            found = list(found) if name == "list" else found
            self._world.scheduler.wait(0.01)
            return found

        return call


class _SlowLake:
    def __init__(self, world: World) -> None:
        self._world = world

    def open(self, stream: str, table: str) -> Table | None:
        found: Lake = _Slow(self._world, self._world.lake)
        return found.open(stream, table)

    def open_or_create(
        self, stream: str, table: str, schema: pl.Schema, target_file_bytes: int = TARGET_FILE_BYTES
    ) -> Table:
        raise NotImplementedError("figures make no tables")
