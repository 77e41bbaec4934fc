"""What the local provisioner asks an emulator for, against the topology: it is run against a recorder."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from infra.checks.finding import Finding
from windrow.aws import provision as provisioner
from windrow.aws.session import AwsSession
from windrow.topology import Topology

PREFIX = "parity"
_ARN = "arn:aws:sqs:local:0:"
_SOURCE = Path(provisioner.__file__)


class Recorder:
    """Stands in for a session and its S3 and SQS clients, and keeps what is asked of them."""

    region = "us-east-1"

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.prefix = PREFIX
        self.sqs = self
        self.s3 = self
        self.queues: dict[str, dict[str, str]] = {}
        self.buckets: set[str] = set()
        self.versioned: set[str] = set()
        self.notifications: dict[str, list[dict[str, Any]]] = {}

    def create_queue(self, *, QueueName: str, Attributes: dict[str, str]) -> dict[str, str]:  # noqa: N803
        self.queues[QueueName] = Attributes
        return {"QueueUrl": QueueName}

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"Attributes": {"QueueArn": f"{_ARN}{QueueUrl}"}}

    def list_buckets(self) -> dict[str, Any]:
        return {"Buckets": []}

    def create_bucket(self, *, Bucket: str, **_: Any) -> None:  # noqa: N803
        self.buckets.add(Bucket)

    def put_bucket_versioning(self, *, Bucket: str, **_: Any) -> None:  # noqa: N803
        self.versioned.add(Bucket)

    def put_bucket_notification_configuration(
        self,
        *,
        Bucket: str,  # noqa: N803
        NotificationConfiguration: dict[str, Any],  # noqa: N803
    ) -> None:
        self.notifications[Bucket] = NotificationConfiguration["QueueConfigurations"]


def record(topology: Topology) -> Recorder:
    """What the provisioner asks for."""
    recorder = Recorder(topology)
    provisioner.provision(cast("AwsSession", recorder))
    return recorder


def check(asked: Recorder, topology: Topology) -> Iterator[Finding]:
    """Where it differs from the topology."""
    for what in _differences(asked, topology):
        yield Finding(_SOURCE, 0, f"the local provisioner {what}", "make it from infra/topology.json")


def _differences(asked: Recorder, topology: Topology) -> Iterator[str]:
    wanted: dict[str, dict[str, str]] = {}
    for name, shape in topology.queues.items():
        dead = topology.queue_name(PREFIX, topology.dead_letter_queue(name))
        redrive = {"deadLetterTargetArn": f"{_ARN}{dead}", "maxReceiveCount": shape.max_receives}
        wanted[dead] = {"MessageRetentionPeriod": str(topology.dead_letters.retention_s)}
        wanted[topology.queue_name(PREFIX, name)] = {
            "VisibilityTimeout": str(shape.visibility_s),
            "MessageRetentionPeriod": str(shape.retention_s),
            "RedrivePolicy": json.dumps(redrive),
        }
    for name in sorted(set(wanted) | set(asked.queues)):
        if wanted.get(name) != asked.queues.get(name):
            yield f"makes queue {name} as {asked.queues.get(name)}, the topology says {wanted.get(name)}"
    buckets = {topology.bucket_name(PREFIX, name) for name in topology.buckets}
    versioned = {topology.bucket_name(PREFIX, name) for name, shape in topology.buckets.items() if shape.versioned}
    if asked.buckets != buckets:
        yield f"makes the buckets {sorted(asked.buckets)}, the topology names {sorted(buckets)}"
    if asked.versioned != versioned:
        yield f"versions {sorted(asked.versioned)}, the topology says {sorted(versioned)}"
    given = {
        (bucket, rule["Value"], one["QueueArn"], tuple(one["Events"]))
        for bucket, configurations in asked.notifications.items()
        for one in configurations
        for rule in one["Filter"]["Key"]["FilterRules"]
    }
    told = {
        (
            topology.zone_buckets(PREFIX)[one.zone],
            f"{one.zone}/",
            f"{_ARN}{topology.queue_name(PREFIX, one.queue)}",
            one.events,
        )
        for one in topology.notifications
    }
    if given != told:
        yield f"notifies {sorted(given)}, the topology says {sorted(told)}"
