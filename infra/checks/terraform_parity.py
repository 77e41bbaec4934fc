"""Queues, buckets and notifications as Terraform would make them, against the topology."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.checks.finding import Finding
from infra.checks.identities import ACCOUNT, REGION
from infra.checks.plan import Instance, Resource
from infra.checks.values import Value
from windrow.topology import Topology

_REMEDY = "take it from infra/topology.json"


def check(root: Instance, topology: Topology, prefix: str) -> Iterator[Finding]:
    """Everything in which a computed root module and the topology differ."""
    every = list(root.resources())
    yield from _queues(every, topology, prefix, root.module.folder)
    yield from _buckets(every, topology, prefix, root.module.folder)
    yield from _notifications(every, topology, prefix, root.module.folder)


def _of(every: list[Resource], kind: str, argument: str) -> dict[str, Resource]:
    return {str(one.get_attr(argument)): one for one in every if one.kind == kind}


def _queues(every: list[Resource], topology: Topology, prefix: str, folder: Path) -> Iterator[Finding]:
    queues = _of(every, "aws_sqs_queue", "name")
    for name, shape in topology.queues.items():
        physical, dead = (
            topology.queue_name(prefix, name),
            topology.queue_name(prefix, topology.dead_letter_queue(name)),
        )
        for missing in {physical, dead} - set(queues):
            yield Finding(folder / "main.tf", 0, f"there is no queue {missing}", _REMEDY)
        if {physical, dead} <= set(queues):
            redrive = json.loads(str(queues[physical].get_attr("redrive_policy") or "{}"))
            target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{dead}"
            yield from _differing(
                queues[physical],
                physical,
                {
                    "visibility_timeout_seconds": shape.visibility_s,
                    "message_retention_seconds": shape.retention_s,
                },
            )
            yield from _differing(queues[dead], dead, {"message_retention_seconds": topology.dead_letters.retention_s})
            if redrive != {"deadLetterTargetArn": target, "maxReceiveCount": shape.max_receives}:
                what = f"{physical} moves messages by {redrive}, not after {shape.max_receives} receives to {dead}"
                yield Finding(queues[physical].path, queues[physical].block.line, what, _REMEDY)
    targets = {
        json.loads(str(one.get_attr("redrive_policy")))["deadLetterTargetArn"]
        for one in queues.values()
        if "redrive_policy" in one.block.attributes
    }
    for name, one in queues.items():
        if "redrive_policy" not in one.block.attributes and one.get_attr("arn") not in targets:
            yield Finding(one.path, one.block.line, f"{name} has no dead-letter queue", "make it with modules/queue")


def _differing(one: Resource, name: str, wanted: Mapping[str, Value]) -> Iterator[Finding]:
    for argument, value in wanted.items():
        given = one.get_attr(argument)
        if given != value:
            yield Finding(one.path, one.block.line, f"{name}: {argument} is {given}, not {value}", _REMEDY)


def _buckets(every: list[Resource], topology: Topology, prefix: str, folder: Path) -> Iterator[Finding]:
    buckets = _of(every, "aws_s3_bucket", "bucket")
    versioned = {
        bucket
        for bucket, one in _of(every, "aws_s3_bucket_versioning", "bucket").items()
        if one.body()["versioning_configuration"][0]["status"] == "Enabled"
    }
    for name, shape in topology.buckets.items():
        physical = topology.bucket_name(prefix, name)
        if physical not in buckets:
            yield Finding(folder / "main.tf", 0, f"there is no bucket {physical}", _REMEDY)
        elif shape.versioned is not (physical in versioned):
            one, verb = buckets[physical], "is not" if shape.versioned else "is"
            yield Finding(one.path, one.block.line, f"{physical} {verb} versioned", _REMEDY)


def _notifications(every: list[Resource], topology: Topology, prefix: str, folder: Path) -> Iterator[Finding]:
    """Exactly those of the topology; a bucket has one notification resource, or each would undo the others."""
    given: set[tuple[str, str, str, tuple[str, ...]]] = set()
    seen: set[str] = set()
    for one in every:
        if one.kind == "aws_s3_bucket_notification":
            bucket = str(one.get_attr("bucket"))
            if bucket in seen:
                what = f"{bucket} has a second notification resource, which undoes the first"
                yield Finding(one.path, one.block.line, what, "make one resource per bucket")
            seen.add(bucket)
            for queue in one.body().get("queue", []):
                events = tuple(sorted(queue["events"]))
                given.add((bucket, str(queue.get("filter_prefix") or ""), str(queue["queue_arn"]), events))
    wanted = {
        (
            topology.zone_buckets(prefix)[notification.zone],
            f"{notification.zone}/",
            f"arn:aws:sqs:{REGION}:{ACCOUNT}:{topology.queue_name(prefix, notification.queue)}",
            tuple(sorted(notification.events)),
        )
        for notification in topology.notifications
    }
    for bucket, zone, queue, _ in sorted(wanted - given):
        yield Finding(folder / "main.tf", 0, f"{bucket} does not notify {queue} of {zone}", _REMEDY)
    for bucket, zone, queue, _ in sorted(given - wanted):
        yield Finding(folder / "main.tf", 0, f"{bucket} notifies {queue} of {zone!r}", _REMEDY)
