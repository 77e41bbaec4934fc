"""Finds landed objects that nobody decoded, whatever became of their events (law 4)."""

from dataclasses import dataclass

from windrow import keys
from windrow.catalog import SpecCatalog
from windrow.clock import Clock
from windrow.errors import Transient
from windrow.log import Log
from windrow.messages import Landed
from windrow.metrics import Metrics
from windrow.ports import ObjectStore
from windrow.units import SECOND_US
from windrow_consumer.handler import Handler


@dataclass(frozen=True)
class Sweep:
    """Compares the landing zone with the manifests, stream by stream."""

    store: ObjectStore
    catalog: SpecCatalog
    handler: Handler
    clock: Clock
    metrics: Metrics
    log: Log
    after_s: float
    """Age at which an object without a manifest counts as forgotten."""

    def run(self) -> None:
        """Decode every object that has stood longer than the grace time without a manifest."""
        for stream in self.catalog.streams():
            done = {
                keys.batch_of_manifest_key(info.key)
                for flow in self.catalog.flows()
                if keys.stream_of_flow(flow) == stream
                for info in self.store.list(keys.manifest_prefix(flow))
            }
            for info in self.store.list(keys.landing_prefix(stream)):
                is_young = self.clock.now_us() - info.modified_us < round(self.after_s * SECOND_US)
                if is_young or keys.batch_id(info.key, info.etag) in done:
                    continue
                try:
                    if self.handler.version_for(stream, info) is None:
                        continue  # the stream is halted, and the object waits for that to end
                    self.metrics.count("sweeps_found", stream=stream)
                    self.log.warning("forgotten_object_found", key=info.key)
                    self.handler.process(Landed(key=info.key))
                except Transient:
                    raise
                except Exception as error:  # noqa: BLE001  whatever is wrong with it, other objects wait behind it
                    # Its event, if there ever was one, is a dead letter; here it is only said again.
                    self.log.error("forgotten_object_refused", key=info.key, error=str(error))
