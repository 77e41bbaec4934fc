"""Settings of the writer."""

from windrow.settings import Count, Seconds, WorkerSettings


class WriterSettings(WorkerSettings):
    """Everything the writer can be told."""

    max_messages: Count = 500
    """Most pointers that share commits."""
    linger_s: Seconds = 1.0
    """How long to wait for more pointers once the first has come: longer means fewer, larger commits."""
    max_commit_rows: Count = 2_000_000
    """Rows appended in one commit."""
    max_seal_places: Count = 64
    """Buckets deduplicated in one commit."""
    parallel_gets: Count = 8
    """Segments read at the same time."""
    lease_s: Seconds = 10.0
    """Silence after which other writers take over the tables of one that is gone."""
    commit_attempts: Count = 5
    """Tries of one commit, each on a fresh handle."""
