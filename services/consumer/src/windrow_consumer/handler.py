"""From a landed object to segments, quarantine and a manifest; then pointers; then, in the loop, the delete (law 3)."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import chain

from windrow import halts, keys, manifest, messages
from windrow.catalog import PublishedSpec, SpecCatalog
from windrow.clock import Clock
from windrow.decoding.decode import read_ahead
from windrow.decoding.parts import DecodeLimits
from windrow.errors import BadInput, NotFound, Permanent, Transient
from windrow.evolution import Evolution
from windrow.lake.tables import Place
from windrow.log import Log
from windrow.manifest import Manifest
from windrow.messages import BatchDecoded, Landed, Refresh
from windrow.metrics import Metrics
from windrow.outcomes import Dead, Done, Outcome, Retry
from windrow.parallel import pool
from windrow.ports import ObjectInfo, ObjectStore, Outgoing, Queue
from windrow_consumer.brake import Brakes
from windrow_consumer.landing import Landing


@dataclass(kw_only=True)
class Handler:
    """Decodes landed objects. Doing it twice gives the same objects, the same pointers, and nothing more."""

    store: ObjectStore
    windows: Queue
    writes: Queue
    catalog: SpecCatalog
    clock: Clock
    metrics: Metrics
    log: Log
    limits: DecodeLimits
    max_object_bytes: int
    parallel_puts: int = 1
    parallel_pieces: int = 1
    _puts: Executor = field(init=False)
    _reads: Executor = field(init=False)

    def __post_init__(self) -> None:
        self._puts = pool(self.parallel_puts, "put")
        self._reads = pool(self.parallel_pieces, "read")
        self._landing = Landing(
            store=self.store,
            evolution=Evolution(self.store),
            brakes=Brakes(),
            clock=self.clock,
            metrics=self.metrics,
            log=self.log,
            limits=self.limits,
            max_object_bytes=self.max_object_bytes,
            puts=self._puts,
            read=read_ahead(self._reads),
            send=self._send_pointers,
        )

    def handle(self, bodies: Sequence[str]) -> Sequence[Outcome]:
        return [self._handle(body) for body in bodies]

    def _handle(self, body: str) -> Outcome:
        try:
            landed = messages.decode_landed(body)
        except BadInput as error:
            return Dead(str(error))
        try:
            return Done("; ".join(self.process(pointer) for pointer in landed))
        except Transient as error:
            return Retry(str(error))
        except Permanent as error:
            return Dead(str(error))

    def process(self, landed: Landed) -> str:
        """Decode one object and send its pointers. Returns a note for the log.

        Raises NotFound (unknown stream, missing object), BadInput (not a landing key), Conflict and Transient errors.
        """
        stream = keys.stream_of_landing_key(landed.key)
        info = self.store.head(landed.key)
        batch = keys.batch_id(landed.key, info.etag)
        versions = self.catalog.from_landing(stream, info.modified_us)
        current = next(versions)
        flow = current.spec.stream
        found = self._find_manifest(flow, batch)
        if found is not None:
            self._send_again(found)
            return f"{flow}/{batch}"
        published = self._in_force(chain([current], versions))
        if published is None or not self._landing.decode(flow, batch, info, published):
            # Its message may go: the object waits where it lies, and the sweep finds it once the halt is over.
            return f"{flow} is halted; {landed.key} waits"
        return f"{flow}/{batch}"

    def version_for(self, stream: str, info: ObjectInfo) -> PublishedSpec | None:
        """The spec version that decodes an object: the one of its landing, or the first after it that is not halted.

        None while there is no such version. One that begins new tables decodes nothing that landed before it.
        """
        return self._in_force(self.catalog.from_landing(stream, info.modified_us))

    def _in_force(self, versions: Iterable[PublishedSpec]) -> PublishedSpec | None:
        return next((each for each in versions if not self._is_halted(each)), None)

    def _is_halted(self, published: PublishedSpec) -> bool:
        found = published.spec
        return found.halt is not None and halts.find(self.store, found.stream, published.version) is not None

    def _find_manifest(self, stream: str, batch: str) -> Manifest | None:
        try:
            return manifest.decode(self.store.get(keys.manifest_key(stream, batch)).body)
        except NotFound:
            return None

    def _send_again(self, first: Manifest) -> None:
        """The pointers of a batch that is decoded already: an earlier attempt may have stopped before sending them."""
        for number in range(1, first.parts):
            part = self._find_manifest(first.stream, keys.part_id(first.batch, number))
            if part is not None:
                self._send_pointers(part)
        self._send_pointers(first)

    def _send_pointers(self, found: Manifest) -> None:
        places = dict.fromkeys(Place(entry.bucket_us, entry.shard) for entry in found.segments)
        self.windows.send(
            [
                Outgoing(messages.encode(Refresh(stream=found.stream, bucket_us=place.bucket_us, shard=place.shard)))
                for place in places
            ]
        )
        decoded = BatchDecoded(stream=found.stream, batch=found.batch, row_count=found.accepted)
        self.writes.send([Outgoing(messages.encode(decoded))])
