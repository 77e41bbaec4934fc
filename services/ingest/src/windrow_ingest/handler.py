"""What happens to a request: checked, landed, and only then acknowledged."""

import asyncio

from windrow.admission import Admitted, Answer, RequestLimits, acknowledged, admit
from windrow.catalog import SpecCatalog
from windrow.clock import Clock
from windrow.metrics import Metrics
from windrow.spec import StreamSpec
from windrow_ingest.budget import Budget, Lease
from windrow_ingest.grouping import Grouper

_LARGE_BYTES = 256 << 10


class Handler:
    """Accepts requests for any stream that has a spec."""

    def __init__(
        self,
        catalog: SpecCatalog,
        grouper: Grouper,
        budget: Budget,
        clock: Clock,
        metrics: Metrics,
        limits: RequestLimits,
    ) -> None:
        self._catalog = catalog
        self._grouper = grouper
        self._clock = clock
        self._metrics = metrics
        self.budget = budget
        self.limits = limits

    async def spec_of(self, stream: str) -> StreamSpec:
        """A stream's spec; BadInput when the name cannot be a stream's, NotFound when there is no such stream."""
        return (await asyncio.to_thread(self._catalog.newest, stream)).spec

    async def accept(
        self,
        spec: StreamSpec,
        body: bytes,
        content_type: str,
        codec: str,
        *,
        idempotency_key: str | None,
        lease: Lease,
    ) -> Answer:
        """Land a request's records. Every error raised means that nothing of it was acknowledged."""
        admitted = await self._admit(spec, body, content_type, codec)
        if admitted.lines is None:
            landed = await self._grouper.land_file(
                spec.stream, body, content_type, codec, admitted.suffix, admitted.record_count, idempotency_key
            )
        else:
            lease.take(len(admitted.lines))
            landed = await self._grouper.land(spec.stream, admitted.lines, admitted.record_count, idempotency_key)
        if not landed.was_repeated:
            accepted = admitted.record_count - len(admitted.rejects)
            self._metrics.count("records_accepted", accepted, stream=spec.stream)
        return acknowledged(admitted, landed.key, repeated=landed.was_repeated)

    async def _admit(self, spec: StreamSpec, body: bytes, content_type: str, codec: str) -> Admitted:
        arguments = (body, content_type, codec, spec, self._clock.now_us(), self.limits)
        # A large body would keep every other request and probe waiting; a small one is done sooner right here.
        return await asyncio.to_thread(admit, *arguments) if len(body) > _LARGE_BYTES else admit(*arguments)
