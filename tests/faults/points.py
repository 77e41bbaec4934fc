"""The places at which a process can be made to die: `<service>.<before or after>_<effect>`, an effect being one call
of a port. Services know nothing of them; `taps` finds them where ports are called."""

from collections.abc import Mapping

STORE_EFFECTS: Mapping[tuple[str, str], str] = {
    ("ingest", "landing"): "put",
    ("consumer", "segments"): "segment",
    ("consumer", "quarantine"): "quarantine",
    ("consumer", "batches"): "manifest",
    ("writer", "lake"): "file",
    ("reprocessor", "landing"): "replay_put",
    ("reprocessor", "replays"): "receipt",
}
"""Service and zone → the effect of a write there."""

QUEUE_EFFECTS: Mapping[tuple[str, str], str] = {
    ("consumer", "windows"): "windows_pointer",
    ("consumer", "writes"): "writes_pointer",
    ("consumer", "landed-dead"): "dead_letter",
    ("windower", "writes"): "pointer",
    ("reprocessor", "landed"): "resend",
}
"""Service and queue → the effect of sending there. To delete is always `delete`."""

POINTS = (
    "ingest.before_put",
    "ingest.after_put",
    "consumer.before_segment",
    "consumer.after_segment",
    "consumer.after_quarantine",
    "consumer.before_manifest",
    "consumer.after_manifest",
    "consumer.after_windows_pointer",
    "consumer.after_writes_pointer",
    "consumer.after_dead_letter",
    "consumer.before_delete",
    "consumer.after_delete",
    "windower.before_rows",
    "windower.after_rows",
    "windower.after_inputs",
    "windower.after_pointer",
    "windower.before_delete",
    "windower.after_delete",
    "writer.before_lease",
    "writer.after_lease",
    "writer.after_file",
    "writer.before_commit.records",
    "writer.after_commit.records",
    "writer.before_commit.windows",
    "writer.after_commit.windows",
    "writer.before_commit.late",
    "writer.after_commit.late",
    "writer.before_commit.seal",
    "writer.after_commit.seal",
    "writer.before_commit.compaction",
    "writer.after_commit.compaction",
    "writer.before_delete",
    "writer.after_delete",
    "reprocessor.after_kept_letter",
    "reprocessor.before_delete",
    "reprocessor.after_replay_put",
    "reprocessor.after_receipt",
    "reprocessor.after_resend",
    "reprocessor.after_note",
)
"""Every point of the matrix, in the order of the flow."""

AT_THE_START = frozenset(point for point in POINTS if point.endswith((".before_lease", ".after_lease", "compaction")))
"""Those that a process comes to when it begins, and hardly again."""

SERVICES = ("ingest", "consumer", "windower", "writer", "reprocessor")


def service_of(point: str) -> str:
    return point.partition(".")[0]
