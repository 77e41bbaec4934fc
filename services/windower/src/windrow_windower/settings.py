"""Settings of the windower."""

from windrow.settings import Count, Seconds, WorkerSettings


class WindowerSettings(WorkerSettings):
    """Everything the windower can be told."""

    max_messages: Count = 500
    """Most pointers taken together; those of one bucket become one refresh."""
    linger_s: Seconds = 0.2
    """How long to wait for more pointers once the first has come."""
    parallel_gets: Count = 8
    """Segments read at the same time."""
    memory_bytes: Count = 256 << 20
    """Panes and records of places kept in memory, so that a window over many buckets reads only what changed."""
    sweep_s: Seconds = 30.0
    """How often buckets are searched for lost pointers and due seals."""
    sweep_after_s: Seconds = 60.0
    """Age from which a segment that is in no committed window counts as forgotten, and a seal is asked for again."""
