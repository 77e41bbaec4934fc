"""Settings of the writer."""

from pydantic import DirectoryPath

from windrow.settings import Bytes, Count, Seconds, WorkerSettings


class WriterSettings(WorkerSettings):
    """Everything the writer can be told."""

    max_messages: Count = 500
    """Most pointers that share commits."""
    linger_s: Seconds = 1.0
    """How long to wait for more pointers once the first has come: longer means fewer, larger commits."""
    max_commit_rows: Count = 2_000_000
    """Rows appended in one commit."""
    max_commit_bytes: Bytes = 64 << 20
    """Memory of the rows of one commit; to sort and write them takes about twice more."""
    max_seal_places: Count = 64
    """Buckets sealed in one commit."""
    max_seal_rows: Count = 2_000_000
    """Rows that are sealed in memory; a bucket that may have more is sorted on disk."""
    sort_memory_bytes: Bytes = 256 << 20
    """Memory for sorting on disk."""
    sort_folder: DirectoryPath | None = None
    """Where files are made and large buckets are sorted: about as much room as the rows of a bucket take. By default
    the folder for temporary files, which in a container may be memory."""
    parallel_gets: Count = 8
    """Segments read at the same time."""
    maintenance_s: Seconds = 300.0
    """How often tables are looked at for old days, small files and dead files."""
    lease_s: Seconds = 10.0
    """Silence after which other writers take over the tables of one that is gone."""
    commit_attempts: Count = 5
    """Tries of one commit, each on a fresh handle."""
    parallel_puts: Count = 16
    """Records put into key-value tables at the same time, for streams with a dynamodb sink."""
    max_export_file_rows: Count = 1_000_000
    """Rows of one file that a parquet sink writes."""
