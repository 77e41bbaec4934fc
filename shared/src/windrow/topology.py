"""Queues, buckets, zones and notifications, read from `infra/topology.json`: the one truth for local and cloud."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from windrow.errors import BadSettings


class Bucket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bucket. Its physical name is `<prefix>-<name>`."""

    purpose: str
    versioned: bool = False


class Zone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first part of a key, and the bucket that holds it."""

    bucket: str
    purpose: str


class QueueShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A queue and, always, its dead-letter queue."""

    purpose: str
    visibility_s: int
    max_receives: int
    retention_s: int


class DeadLetters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every dead-letter queue has in common."""

    suffix: str
    retention_s: int


class Notification(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """S3 events of a zone that go to a queue."""

    zone: str
    events: tuple[str, ...]
    queue: str


class ServiceShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a service touches; task roles are derived from it."""

    port: int
    consumes: tuple[str, ...] = ()
    produces: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    confirms: tuple[str, ...] = ()
    """Zones of `reads` in which it only asks, with HEAD, whose object stands there; on AWS it gets no key to them."""
    writes: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    """Zones in which it deletes objects that it has replaced, or that no version of a table has."""
    puts_latest: bool = False
    """Whether it puts records into DynamoDB tables of the deployment, `<prefix>.<stream>.<table>`."""


class Topology(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The shape of a deployment."""

    version: int
    buckets: Mapping[str, Bucket]
    zones: Mapping[str, Zone]
    queues: Mapping[str, QueueShape]
    dead_letters: DeadLetters
    notifications: tuple[Notification, ...]
    services: Mapping[str, ServiceShape]

    def bucket_name(self, prefix: str, bucket: str) -> str:
        return f"{prefix}-{bucket}"

    def zone_buckets(self, prefix: str) -> dict[str, str]:
        """Physical bucket by zone."""
        return {zone: self.bucket_name(prefix, shape.bucket) for zone, shape in self.zones.items()}

    def queue_name(self, prefix: str, queue: str) -> str:
        return f"{prefix}-{queue}"

    def table_name(self, prefix: str, table: str) -> str:
        """A DynamoDB table. Neither prefixes nor streams have dots in them, so no two deployments share a table."""
        return f"{prefix}.{table}"

    def dead_letter_queue(self, queue: str) -> str:
        return f"{queue}{self.dead_letters.suffix}"


def load(path: Path) -> Topology:
    """The topology in a file; BadSettings names every fault found, with its place."""
    try:
        topology = msgspec.json.decode(path.read_bytes(), type=Topology)
    except OSError as error:
        raise BadSettings(str(path), [f"cannot be read: {error.strerror}"]) from error
    except msgspec.MsgspecError as error:
        raise BadSettings(str(path), [str(error)]) from error
    faults = [
        f"zones.{name}.bucket: no bucket named {zone.bucket!r}"
        for name, zone in topology.zones.items()
        if zone.bucket not in topology.buckets
    ]
    for number, notification in enumerate(topology.notifications):
        if notification.zone not in topology.zones:
            faults.append(f"notifications[{number}].zone: no zone named {notification.zone!r}")
        if notification.queue not in topology.queues:
            faults.append(f"notifications[{number}].queue: no queue named {notification.queue!r}")
    known_queues = set(topology.queues) | {topology.dead_letter_queue(queue) for queue in topology.queues}
    for name, service in topology.services.items():
        faults.extend(
            f"services.{name}: no queue named {queue!r}"
            for queue in (*service.consumes, *service.produces)
            if queue not in known_queues
        )
        faults.extend(
            f"services.{name}: no zone named {zone!r}"
            for zone in (*service.reads, *service.writes, *service.deletes)
            if zone not in topology.zones
        )
        faults.extend(
            f"services.{name}: it confirms {zone!r}, which is not in its reads"
            for zone in service.confirms
            if zone not in service.reads
        )
    if faults:
        raise BadSettings(str(path), faults)
    return topology


def find() -> Path:
    """The topology beside this source tree, else the copy every image carries."""
    in_source = Path(__file__).parents[3] / "infra" / "topology.json"
    return in_source if in_source.exists() else Path("/etc/windrow/topology.json")
