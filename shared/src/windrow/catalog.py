"""Stream specs in the object store: published as numbered versions, read by time of landing."""

from collections.abc import Iterator
from dataclasses import dataclass

from windrow import keys, spec
from windrow.clock import Clock
from windrow.errors import BadInput, BadSettings, NotFound
from windrow.evolution import Evolution
from windrow.immutable import put_once
from windrow.ports import ObjectHeaders, ObjectStore
from windrow.spec.carried_out import not_carried_out
from windrow.spec.document import placed
from windrow.timeline import Entry, Timeline


@dataclass(frozen=True, slots=True)
class PublishedSpec:
    """A spec with its version number and when it was published (store's clock, µs).

    Every version of a stream's tables is a flow of its own to all that lies behind the landing zone: `spec.stream` is
    the flow's name, which is the stream's own while its tables are the first.
    """

    version: int
    published_us: int
    spec: spec.StreamSpec


class SpecCatalog:
    """Reads specs; what is current may be a few seconds old, a published version itself never changes."""

    def __init__(self, store: ObjectStore, clock: Clock, ttl_s: float = 5.0) -> None:
        self._store = store
        self._clock = clock
        self._ttl_s = ttl_s
        self._timelines: dict[str, tuple[float, Timeline]] = {}
        self._parsed: dict[str, spec.StreamSpec] = {}
        self._of_flow: dict[str, spec.StreamSpec] = {}
        self._flows: tuple[float, tuple[str, ...]] | None = None

    def newest(self, stream: str) -> PublishedSpec:
        """The newest version of a stream's spec, as it was written: what records that come in now are read by.

        NotFound when the stream has no spec, BadInput when the name cannot be one.
        """
        entry = self._timeline(keys.check_stream_name(stream)).entries[-1]
        return PublishedSpec(keys.spec_version(entry.key), entry.published_us, self._written(entry))

    def current(self, flow: str) -> PublishedSpec:
        """The newest version for a flow's tables; later ones may write to newer tables. Raises as `newest` does."""
        stream, tables = keys.stream_of_flow(flow), keys.tables_of_flow(flow)
        for _ in range(2):
            found = [entry for entry in self._timeline(stream).entries if entry.tables == tables]
            if found:
                return self._published(found[-1])
            self._timelines.pop(stream)  # what is remembered may be from before these tables
        raise NotFound(f"the stream {stream!r} has no version {tables} of its tables")

    def has_window(self, flow: str, version: int, window: str) -> bool:
        """Whether a version of a stream's spec defines a window; no version that is not there does."""
        entries = self._timeline(keys.stream_of_flow(flow)).entries
        found = (entry for entry in entries if keys.spec_version(entry.key) == version)
        return any(window in self._written(entry).windows for entry in found)

    def at(self, stream: str, landed_us: int) -> PublishedSpec:
        """The version that was current when an object landed, else the first: a pure function of the store.

        Both times are the store's, in whole seconds as S3 keeps them, so a retry on another machine decides the same. A
        version counts from the second after it was published: another may still come in the second of a landing.
        """
        return next(self.from_landing(stream, landed_us))

    def from_landing(self, stream: str, landed_us: int) -> Iterator[PublishedSpec]:
        """The version that was current when an object landed, and every later one for the same tables, in order.

        The versions are listed anew: a list from before the landing might lack the one that counts.
        """
        self._timelines.pop(stream, None)
        return map(self._published, self._timeline(stream).from_landing(landed_us))

    def streams(self) -> tuple[str, ...]:
        """Every stream that has a spec, in name order."""
        return tuple(dict.fromkeys(map(keys.stream_of_flow, self.flows())))

    def flows(self) -> tuple[str, ...]:
        """Every version of the tables of every stream, in order of stream and version."""
        now_s = self._clock.monotonic_s()
        if self._flows is None or now_s - self._flows[0] > self._ttl_s:
            listed = [info.key for info in self._store.list(keys.SPECS_PREFIX)]
            found = sorted({(key.split("/")[2], keys.tables_of_spec(key)) for key in listed})
            # What somebody put there under a name that no stream can have is none, and stops no other.
            named = (each for each in found if keys.STREAM_NAME.fullmatch(each[0]))
            self._flows = (now_s, tuple(keys.flow_name(*each) for each in named))
        return self._flows[1]

    def _timeline(self, stream: str) -> Timeline:
        now_s = self._clock.monotonic_s()
        cached = self._timelines.get(stream)
        if cached is None or now_s - cached[0] > self._ttl_s:
            found = Timeline.of(self._store, stream)
            if not found.entries:
                known = ", ".join(self.streams()) or "none yet"
                raise NotFound(f"there is no stream {stream!r} (streams: {known})")
            cached = (now_s, found)
            self._timelines[stream] = cached
        return cached[1]

    def _published(self, entry: Entry) -> PublishedSpec:
        if entry.key not in self._of_flow:
            self._of_flow[entry.key] = _of_tables(self._written(entry), entry.tables)
        return PublishedSpec(keys.spec_version(entry.key), entry.published_us, self._of_flow[entry.key])

    def _written(self, entry: Entry) -> spec.StreamSpec:
        if entry.key not in self._parsed:
            parsed = spec.parse(self._store.get(entry.key).body.decode(), entry.key)
            if parsed.stream != entry.key.split("/")[2]:
                raise BadInput(f"{entry.key} describes the stream {parsed.stream!r}")
            self._parsed[entry.key] = parsed
        return self._parsed[entry.key]


def _of_tables(parsed: spec.StreamSpec, tables: int) -> spec.StreamSpec:
    """A spec as that of a version of the stream's tables: under the name of the flow, its exports apart from others."""
    if tables == 1:
        return parsed
    sinks = tuple(
        sink.model_copy(update={"prefix": f"{sink.prefix.rstrip('/')}__v{tables}/"}) if sink.kind == "parquet" else sink
        for sink in parsed.sinks
    )
    return parsed.model_copy(update={"stream": keys.flow_name(parsed.stream, tables), "sinks": sinks})


def publish(
    store: ObjectStore, text: str, origin: str, clock: Clock | None = None, *, new_tables: bool = False
) -> tuple[str, int, bool]:
    """Make a spec text the current version of its stream. Returns (stream, version, whether it is new).

    Publishing the current text again changes nothing. With a clock, it returns once whatever lands is read under the
    new version, a second later. BadSettings lists the faults of a bad spec, or the changes that existing tables could
    not follow; with `new_tables` the version begins new tables where there are such changes.
    """
    parsed = spec.parse(text, origin)
    undone = [str(fault) for fault in placed(text, not_carried_out(parsed))]
    if undone:
        raise BadSettings(origin, undone)
    published = [info.key for info in store.list(keys.spec_prefix(parsed.stream))]
    version, tables = (keys.spec_version(published[-1]), keys.tables_of_spec(published[-1])) if published else (0, 1)
    if published and published[-1] == keys.spec_key(parsed.stream, version, text, tables):
        return parsed.stream, version, False
    if published:
        before = spec.parse(store.get(published[-1]).body.decode(), published[-1])
        flow = keys.flow_name(parsed.stream, tables)
        faults = [*spec.breaking_changes(before, parsed), *_against_evolved(store, flow, parsed)]
        if faults and not new_tables:
            raise BadSettings(origin, [*faults, _REMEDY])
        tables += bool(faults)
    key = keys.spec_key(parsed.stream, version + 1, text, tables)
    put_once(store, key, text.encode(), keys.digest(text), ObjectHeaders(content_type="application/yaml"))
    if published and clock is not None:
        clock.sleep(1)
    return parsed.stream, version + 1, True


_REMEDY = "or publish it with --new-tables: new tables begin with it, and those there are stay as they are"


def _against_evolved(store: ObjectStore, flow: str, parsed: spec.StreamSpec) -> list[str]:
    """Columns that the tables have grown by themselves, and that this spec gives another type."""
    return [
        f"columns.{each.column}: records have brought it as {each.type} already; give it that type, or another name "
        f"and set source: {each.source!r}"
        for each in Evolution(store).columns(flow)
        if each.column in parsed.columns
        and parsed.columns[each.column].type != each.type
        and not spec.widens(spec.Column(type=each.type), parsed.columns[each.column])
    ]
