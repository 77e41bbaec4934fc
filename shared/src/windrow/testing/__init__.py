"""In-memory stand-ins for every port. They pass the same contract suite as the AWS adapters and the Delta tables."""

from windrow.testing.clock import ManualClock
from windrow.testing.lake import MemoryLake
from windrow.testing.latest import MemoryLatestStore
from windrow.testing.metrics import RecordingMetrics
from windrow.testing.queue import MemoryQueue
from windrow.testing.store import MemoryObjectStore

__all__ = [
    "ManualClock",
    "MemoryLake",
    "MemoryLatestStore",
    "MemoryObjectStore",
    "MemoryQueue",
    "RecordingMetrics",
]
