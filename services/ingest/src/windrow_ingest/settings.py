"""Settings of ingest."""

from windrow.admission import DEFAULT_LIMITS
from windrow.settings import Bytes, Seconds, Settings


class IngestSettings(Settings):
    """Everything ingest can be told."""

    linger_s: Seconds = 0.1
    """How long the first request of a group waits for company before the group lands."""
    max_group_bytes: Bytes = 8 << 20
    """Size at which a group lands without waiting longer."""
    max_pending_bytes: Bytes = 256 << 20
    """Bytes that requests may hold in memory until they are durable; beyond it requests are answered 503."""
    max_body_bytes: Bytes = DEFAULT_LIMITS.max_body_bytes
    """Largest request body as sent."""
    max_plain_bytes: Bytes = DEFAULT_LIMITS.max_plain_bytes
    """Largest request body after decompression."""
    max_record_bytes: Bytes = DEFAULT_LIMITS.max_record_bytes
    """Largest single record."""
    stop_timeout_s: Seconds = 25.0
    """Longest drain after SIGTERM. Keep it below the container's stop timeout."""
