"""What happens to a request: checked, framed, landed, and only then acknowledged."""

import asyncio
from dataclasses import dataclass

from windrow.catalog import SpecCatalog
from windrow.framing import frame
from windrow.inflate import inflate
from windrow.metrics import Metrics
from windrow.quarantine import Reject
from windrow_ingest.budget import Budget, Lease
from windrow_ingest.grouping import Grouper

_LARGE_BYTES = 256 << 10
_MAX_REJECTS = 10_000  # a body of millions of broken lines would cost more than it is worth to list them


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What one request may hold."""

    max_body_bytes: int
    """As sent."""
    max_plain_bytes: int
    """After decompression."""
    max_record_bytes: int
    """One record, as text."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The acknowledgement. `accepted` counts well-formed records; the others are durable too, bound for quarantine."""

    accepted: int
    quarantined: tuple[Reject, ...]
    landing_key: str
    repeated: bool


class Handler:
    """Accepts requests for any stream that has a spec."""

    def __init__(
        self, catalog: SpecCatalog, grouper: Grouper, budget: Budget, metrics: Metrics, limits: RequestLimits
    ) -> None:
        self._catalog = catalog
        self._grouper = grouper
        self._metrics = metrics
        self.budget = budget
        self.limits = limits

    async def check_stream(self, stream: str) -> None:
        """BadInput when the name cannot be a stream's, NotFound when there is no such stream."""
        await asyncio.to_thread(self._catalog.current, stream)

    async def accept(
        self, stream: str, body: bytes, content_type: str, codec: str, *, idempotency_key: str | None, lease: Lease
    ) -> Accepted:
        """Land a request's records. Every error raised means that nothing of it was acknowledged."""
        # A large body would keep every other request and probe waiting; a small one is done sooner right here.
        in_thread = len(body) > _LARGE_BYTES
        plain = (
            await asyncio.to_thread(inflate, body, codec, self.limits.max_plain_bytes)
            if in_thread
            else inflate(body, codec, self.limits.max_plain_bytes)
        )
        lease.take(len(plain))
        arguments = (plain, content_type, self.limits.max_record_bytes, _MAX_REJECTS)
        framed = await asyncio.to_thread(frame, *arguments) if in_thread else frame(*arguments)
        landed = await self._grouper.land(stream, framed.lines, framed.record_count, idempotency_key)
        accepted = framed.record_count - len(framed.rejects)
        if not landed.was_repeated:
            self._metrics.count("records_accepted", accepted, stream=stream)
        return Accepted(accepted, framed.rejects, landed.key, landed.was_repeated)
