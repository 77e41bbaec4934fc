"""Settings of the reprocessor."""

from windrow.settings import Bytes, Count, WorkerSettings


class ReprocessorSettings(WorkerSettings):
    """Everything the reprocessor can be told."""

    max_object_records: Count = 50_000
    """Records replayed as one landing object."""
    max_object_bytes: Bytes = 128 << 20
    """Largest unreadable object that is landed again."""
