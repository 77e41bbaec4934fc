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
from windrow.units import SECOND_US


@dataclass(frozen=True, slots=True)
class PublishedSpec:
    """A spec with its version number and when it was published (store's clock, µs)."""

    version: int
    published_us: int
    spec: spec.StreamSpec


class SpecCatalog:
    """Reads specs; what is current may be a few seconds old, a published version itself never changes."""

    def __init__(self, store: ObjectStore, clock: Clock, ttl_s: float = 5.0) -> None:
        self._store = store
        self._clock = clock
        self._ttl_s = ttl_s
        self._versions: dict[str, tuple[float, tuple[tuple[str, int], ...]]] = {}
        self._parsed: dict[str, spec.StreamSpec] = {}
        self._streams: tuple[float, tuple[str, ...]] | None = None

    def current(self, stream: str) -> PublishedSpec:
        """The newest version; NotFound when the stream has no spec, BadInput when the name cannot be one."""
        return self._published(stream, self._list(stream)[-1])

    def at(self, stream: str, landed_us: int) -> PublishedSpec:
        """The version that was current when an object landed, else the first: a pure function of the store.

        Both times are the store's, in whole seconds as S3 keeps them, so a retry on another machine decides the same.
        """
        return next(self.from_landing(stream, landed_us))

    def from_landing(self, stream: str, landed_us: int) -> Iterator[PublishedSpec]:
        """The version that was current when an object landed, and every later one in order.

        The versions are listed anew: a list from before the landing might lack the one that counts.
        """
        self._versions.pop(stream, None)
        versions = self._list(stream)
        landed_s = landed_us // SECOND_US
        earlier = sum(1 for _, published_us in versions if published_us // SECOND_US <= landed_s)
        return (self._published(stream, entry) for entry in versions[max(earlier - 1, 0) :])

    def streams(self) -> tuple[str, ...]:
        """Every stream that has a spec, in name order."""
        now_s = self._clock.monotonic_s()
        if self._streams is None or now_s - self._streams[0] > self._ttl_s:
            names = {info.key.split("/")[2] for info in self._store.list(keys.SPECS_PREFIX)}
            self._streams = (now_s, tuple(sorted(names)))
        return self._streams[1]

    def _list(self, stream: str) -> tuple[tuple[str, int], ...]:
        now_s = self._clock.monotonic_s()
        cached = self._versions.get(stream)
        if cached is None or now_s - cached[0] > self._ttl_s:
            found = tuple((info.key, info.modified_us) for info in self._store.list(keys.spec_prefix(stream)))
            if not found:
                known = ", ".join(self.streams()) or "none yet"
                raise NotFound(f"there is no stream {stream!r} (streams: {known})")
            cached = (now_s, found)
            self._versions[stream] = cached
        return cached[1]

    def _published(self, stream: str, entry: tuple[str, int]) -> PublishedSpec:
        key, published_us = entry
        if key not in self._parsed:
            text = self._store.get(key).body.decode()
            parsed = spec.parse(text, key)
            if parsed.stream != stream:
                raise BadInput(f"{key} describes the stream {parsed.stream!r}")
            self._parsed[key] = parsed
        return PublishedSpec(keys.spec_version(key), published_us, self._parsed[key])


def publish(store: ObjectStore, text: str, origin: str) -> tuple[str, int, bool]:
    """Make a spec text the current version of its stream. Returns (stream, version, whether it is new).

    Publishing the current text again changes nothing. BadSettings lists the faults of a bad spec, or the changes that
    existing tables could not follow.
    """
    parsed = spec.parse(text, origin)
    undone = [str(fault) for fault in placed(text, not_carried_out(parsed))]
    if undone:
        raise BadSettings(origin, undone)
    published = [info.key for info in store.list(keys.spec_prefix(parsed.stream))]
    version = keys.spec_version(published[-1]) if published else 0
    if published and published[-1] == keys.spec_key(parsed.stream, version, text):
        return parsed.stream, version, False
    if published:
        before = spec.parse(store.get(published[-1]).body.decode(), published[-1])
        faults = [*spec.breaking_changes(before, parsed), *_against_evolved(store, parsed)]
        if faults:
            raise BadSettings(origin, faults)
    key = keys.spec_key(parsed.stream, version + 1, text)
    put_once(store, key, text.encode(), keys.digest(text), ObjectHeaders(content_type="application/yaml"))
    return parsed.stream, version + 1, True


def _against_evolved(store: ObjectStore, parsed: spec.StreamSpec) -> list[str]:
    """Columns that the stream has grown by itself, and that this spec gives another type."""
    return [
        f"columns.{each.column}: records have brought it as {each.type} already; give it that type, or another name "
        f"and set source: {each.source!r}"
        for each in Evolution(store).columns(parsed.stream)
        if each.column in parsed.columns
        and parsed.columns[each.column].type != each.type
        and not spec.widens(spec.Column(type=each.type), parsed.columns[each.column])
    ]
