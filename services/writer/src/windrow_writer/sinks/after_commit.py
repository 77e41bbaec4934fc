"""Runs a stream's sinks for what its tables hold: effect, then sink, then Done (law 3).

A sink is no part of the lake. Whatever is wrong with one, tables are committed first, other streams go on, and the
consumer does not stop: its trouble is a Retry that names its own delay, which the failure limit does not count. A
message whose sink keeps failing ends in the dead-letter queue, with the reason.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from windrow import keys
from windrow.catalog import SpecCatalog
from windrow.clock import Clock
from windrow.errors import Permanent, Transient, WindrowError
from windrow.log import Log
from windrow.messages import Refreshed
from windrow.metrics import Metrics
from windrow.outcomes import Done, Outcome, Retry
from windrow.spec import StreamSpec
from windrow.spec.sinks import DynamodbSink, ParquetSink
from windrow_writer.sinks.dynamodb import DynamodbWriter
from windrow_writer.sinks.parquet import ParquetWriter

_AGAIN_S = 120.0
"""When a message is tried again whose sink has failed."""
_REST_S = 30.0
"""How long a sink that did not answer is left alone, so that waiting for it does not hold up every stream."""

T = TypeVar("T", bound=Hashable)
S = TypeVar("S", DynamodbSink, ParquetSink)
Failed = Mapping[T, WindrowError]


@dataclass(kw_only=True)
class Sinks:
    """What follows a commit. Both methods take outcomes and return them, with a Retry where a sink has failed."""

    catalog: SpecCatalog
    dynamodb: DynamodbWriter
    parquet: ParquetWriter
    clock: Clock
    metrics: Metrics
    log: Log
    _resting: dict[tuple[str, DynamodbSink | ParquetSink], tuple[float, WindrowError]] = field(default_factory=dict)

    def appended(self, stream: str, outcomes: Mapping[str, Outcome]) -> Mapping[str, Outcome]:
        """After batches were appended, or were found to be in the table."""
        done = sorted(batch for batch, outcome in outcomes.items() if isinstance(outcome, Done))
        return self._after(stream, outcomes, done, DynamodbSink, self.dynamodb.write)

    def replaced(self, stream: str, outcomes: Mapping[Refreshed, Outcome]) -> Mapping[Refreshed, Outcome]:
        """After results were taken in; those that seal `records` are followed by exports."""
        done = [
            pointer
            for pointer, outcome in outcomes.items()
            if isinstance(outcome, Done) and pointer.table == keys.RECORDS_TABLE
        ]
        # The furthest grown come first: what they replace is then written once, or not at all.
        done.sort(key=lambda pointer: (pointer.bucket_us, pointer.shard, -pointer.input_count))
        return self._after(stream, outcomes, done, ParquetSink, self.parquet.write)

    def _after(
        self,
        stream: str,
        outcomes: Mapping[T, Outcome],
        done: Sequence[T],
        kind: type[S],
        write: Callable[[StreamSpec, S, Sequence[T]], Failed[T]],
    ) -> Mapping[T, Outcome]:
        if not done:
            return outcomes
        after = dict(outcomes)
        try:
            spec = self.catalog.current(stream).spec
        except Transient as error:
            return after | dict.fromkeys(done, Retry(str(error)))
        for sink in spec.sinks:
            if not isinstance(sink, kind):
                continue
            failed = self._rested(stream, sink, done) or self._write(spec, sink, done, write)
            if failed:
                self.metrics.count("sinks_failed", len(failed), stream=stream, kind=sink.kind)
            for what, trouble in failed.items():
                after[what] = Retry(f"{stream}: its {sink.kind} sink: {trouble}", _AGAIN_S)
        return after

    def _write(
        self, spec: StreamSpec, sink: S, done: Sequence[T], write: Callable[[StreamSpec, S, Sequence[T]], Failed[T]]
    ) -> Failed[T]:
        try:
            failed = write(spec, sink, done)
        except Exception as error:
            self.log.error("sink_failed", stream=spec.stream, sink=sink.kind, exc_info=error)
            return dict.fromkeys(done, Permanent(f"{type(error).__name__}: {error}"))
        silent = next((error for error in failed.values() if isinstance(error, Transient)), None)
        if silent is not None:
            self._resting[spec.stream, sink] = (self.clock.monotonic_s() + _REST_S, silent)
            self.log.warning("sink_unavailable", stream=spec.stream, sink=sink.kind, error=str(silent))
        return failed

    def _rested(self, stream: str, sink: S, done: Sequence[T]) -> Failed[T]:
        """Everything, with the reason, while a sink is left alone; nothing when it may be tried."""
        resting = self._resting.get((stream, sink))
        if resting is None:
            return {}
        until_s, reason = resting
        if self.clock.monotonic_s() >= until_s:
            del self._resting[stream, sink]
            return {}
        return dict.fromkeys(done, reason)
