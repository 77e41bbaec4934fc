"""Group commit: many requests become one landing object, and are answered together once it stands."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import zstandard

from windrow import keys
from windrow.clock import Clock
from windrow.immutable import put_once
from windrow.manifest import RECORDS_METADATA
from windrow.metrics import Metrics
from windrow.ports import ObjectHeaders, ObjectStore

_SUFFIX = ".ndjson.zst"
_ZSTD_LEVEL = 3


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """How groups are cut."""

    linger_s: float
    """How long the first request of a group waits for company."""
    max_group_bytes: int
    """Size at which a group lands without waiting longer."""


@dataclass(frozen=True, slots=True)
class LandedAt:
    """Where a request's records stand, and whether an earlier attempt had put them there."""

    key: str
    was_repeated: bool


@dataclass
class _Group:
    parts: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    record_count: int = 0
    is_full: asyncio.Event = field(default_factory=asyncio.Event)
    landing: "asyncio.Task[LandedAt] | None" = None


class Grouper:
    """Lands records; every caller of a group gets its result or its error (law 1)."""

    def __init__(
        self, store: ObjectStore, clock: Clock, metrics: Metrics, limits: GroupLimits, new_id: Callable[[], str]
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._limits = limits
        self._new_id = new_id
        self._open: dict[str, _Group] = {}

    async def land(self, stream: str, lines: bytes, record_count: int, idempotency_key: str | None) -> LandedAt:
        """Make these lines durable and say where.

        With an idempotency key they land alone, at a key of their own, so that a repeated request meets itself.
        Raises Conflict when the idempotency key stands for other bytes, and whatever the store raises; nothing is
        acknowledged then.
        """
        if idempotency_key is not None:
            key = keys.idempotent_landing_key(stream, idempotency_key, _SUFFIX)
            return await self._put_lines(stream, key, keys.digest(lines), lines, record_count)
        group = self._join(stream, lines, record_count)
        if group.landing is None:
            group.landing = asyncio.create_task(self._land_group(stream, group))
        # Shielded: a client that hangs up must not cancel the landing of everyone else in the group.
        return await asyncio.shield(group.landing)

    async def land_file(
        self,
        stream: str,
        body: bytes,
        content_type: str,
        codec: str,
        suffix: str,
        record_count: int,
        idempotency_key: str | None,
    ) -> LandedAt:
        """Make a body durable as it is, in an object of its own."""
        encoding = "" if codec == "identity" else codec
        if idempotency_key is not None:
            key = keys.idempotent_landing_key(stream, idempotency_key, suffix)
            write_id = keys.digest(body)
        else:
            write_id = self._new_id()
            key = keys.landing_key(stream, self._clock.now_us(), write_id, suffix)
        headers = ObjectHeaders(self._metadata(body, record_count), content_type, encoding)
        return await self._put(stream, key, write_id, body, headers)

    def _join(self, stream: str, lines: bytes, record_count: int) -> _Group:
        group = self._open.setdefault(stream, _Group())
        group.parts.append(lines)
        group.size_bytes += len(lines)
        group.record_count += record_count
        if group.size_bytes >= self._limits.max_group_bytes:
            group.is_full.set()
            del self._open[stream]  # the next request opens a new group
        return group

    async def _land_group(self, stream: str, group: _Group) -> LandedAt:
        try:
            await asyncio.wait_for(group.is_full.wait(), self._limits.linger_s)
        except TimeoutError:
            if self._open.get(stream) is group:
                del self._open[stream]
        # The write id is chosen once, before the first attempt, and stays through every retry (law 2).
        write_id = self._new_id()
        key = keys.landing_key(stream, self._clock.now_us(), write_id, _SUFFIX)
        return await self._put_lines(stream, key, write_id, b"".join(group.parts), group.record_count)

    async def _put_lines(self, stream: str, key: str, write_id: str, lines: bytes, record_count: int) -> LandedAt:
        headers = ObjectHeaders(self._metadata(lines, record_count), "application/x-ndjson", "zstd")
        body = await asyncio.to_thread(zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress, lines)
        return await self._put(stream, key, write_id, body, headers)

    async def _put(self, stream: str, key: str, write_id: str, body: bytes, headers: ObjectHeaders) -> LandedAt:
        started_s = self._clock.monotonic_s()
        written, _ = await asyncio.to_thread(put_once, self._store, key, body, write_id, headers)
        self._metrics.observe("land_seconds", self._clock.monotonic_s() - started_s, stream=stream)
        if written == "created":
            self._metrics.count("batches_landed", stream=stream)
        return LandedAt(key, was_repeated=written == "already_ours")

    def _metadata(self, plain: bytes, record_count: int) -> dict[str, str]:
        return {
            "source": "http",
            "received-us": str(self._clock.now_us()),
            "sha256": keys.digest(plain),
            RECORDS_METADATA: str(record_count),
        }
