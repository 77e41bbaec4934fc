"""In-memory stand-ins for every port. They pass the same contract suite as the AWS adapters."""

from windrow.testing.clock import ManualClock
from windrow.testing.latest import MemoryLatestStore
from windrow.testing.metrics import RecordingMetrics
from windrow.testing.queue import MemoryQueue
from windrow.testing.store import MemoryObjectStore

__all__ = ["ManualClock", "MemoryLatestStore", "MemoryObjectStore", "MemoryQueue", "RecordingMetrics"]
