"""Settings of the consumer."""

from windrow.settings import Bytes, Count, Seconds, WorkerSettings


class ConsumerSettings(WorkerSettings):
    """Everything the consumer can be told."""

    max_object_bytes: Bytes = 5 << 30
    """Largest landing object that is read."""
    max_plain_bytes: Bytes = 32 << 30
    """Largest landing object after decompression."""
    max_document_bytes: Bytes = 128 << 20
    """Largest object of a format that is read whole (JSON documents, Parquet, Arrow, zip), decompressed."""
    max_record_bytes: Bytes = 1 << 20
    """Largest single record."""
    parallel_puts: Count = 8
    """Segments written at the same time."""
    parallel_pieces: Count = 2
    """Pieces of an object read at the same time."""
    sweep_s: Seconds = 30.0
    """How often the landing zone is searched for objects whose event was lost."""
    sweep_after_s: Seconds = 60.0
    """Age at which an object without a manifest counts as forgotten."""
