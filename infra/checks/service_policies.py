"""What each service's role may do, against what the topology says it touches."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.checks.finding import Finding
from infra.checks.identities import ACCOUNT, REGION
from infra.checks.permissions import allows
from infra.checks.plan import Instance, Resource
from infra.checks.policy_documents import Statement, read
from infra.checks.values import Value
from windrow.topology import ServiceShape, Topology

_RECEIVING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")
_ENSURED_QUEUE = ("sqs:GetQueueUrl", "sqs:GetQueueAttributes")
_DELETING = ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:DeleteBucket", "s3:PutLifecycleConfiguration")
# Zones that one service alone writes, or alone reads.
WRITER_ZONES = ("lake", "leases", "exports")
FAILURE_ZONES = ("quarantine", "dead-letters", "replays")


@dataclass(frozen=True)
class Role:
    """The role a service's tasks run under."""

    service: str
    path: Path
    line: int
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Deployment:
    """A computed root module, read for what its services may do."""

    topology: Topology
    prefix: str
    roles: tuple[Role, ...]
    keys: dict[str, str]
    """ARN of the KMS key by the physical name of the bucket it encrypts."""

    def object_arn(self, zone: str) -> str:
        return f"arn:aws:s3:::{self.topology.zone_buckets(self.prefix)[zone]}/{zone}/any/key"

    def queue_arn(self, queue: str) -> str:
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.topology.queue_name(self.prefix, queue)}"

    def can_decrypt(self, role: Role, zone: str) -> bool:
        """Whether what the role may GET comes to it in the clear. HEAD needs no key, GET does."""
        key = self.keys.get(self.topology.zone_buckets(self.prefix)[zone])
        return key is None or allows(role.statements, "kms:Decrypt", key)

    def can_read(self, role: Role, zone: str) -> bool:
        return allows(role.statements, "s3:GetObject", self.object_arn(zone)) and self.can_decrypt(role, zone)

    def can_write(self, role: Role, zone: str) -> bool:
        return allows(role.statements, "s3:PutObject", self.object_arn(zone))


def deployment(root: Instance, topology: Topology, prefix: str) -> Deployment:
    """What a computed root module gives its services."""
    resources = list(root.resources())
    keys = {}
    for one in resources:
        if one.kind == "aws_s3_bucket_server_side_encryption_configuration":
            key = one.body()["rule"][0]["apply_server_side_encryption_by_default"][0].get("kms_master_key_id")
            if isinstance(key, str):
                keys[str(one.get_attr("bucket"))] = key
    return Deployment(topology, prefix, tuple(_roles(resources, topology)), keys)


def _roles(resources: list[Resource], topology: Topology) -> Iterator[Role]:
    """The roles of tasks, and of instances that run one service each (plain EC2)."""
    roles = [one for one in resources if one.kind == "aws_iam_role"]
    for runs in resources:
        if runs.kind not in {"aws_ecs_task_definition", "aws_iam_instance_profile"}:
            continue
        service = next((name for name in topology.services if f'["{name}"]' in runs.address), None)
        if service is not None:
            if runs.kind == "aws_ecs_task_definition":
                role = next((one for one in roles if one.get_attr("arn") == runs.get_attr("task_role_arn")), None)
            else:
                role = next((one for one in roles if one.get_attr("name") == runs.get_attr("role")), None)
            place = role or runs
            statements = tuple(_statements(resources, role)) if role else ()
            yield Role(service, place.path, place.block.line, statements)


def _statements(resources: list[Resource], role: Resource) -> Iterator[Statement]:
    names = {str(role.get_attr("name")), str(role.get_attr("id"))}
    managed = {str(one.get_attr("arn")): one for one in resources if one.kind == "aws_iam_policy"}
    for one in resources:
        if one.kind == "aws_iam_role_policy" and _named(one.get_attr("role")) in names:
            yield from read(str(one.get_attr("policy")))
        if one.kind == "aws_iam_role_policy_attachment" and _named(one.get_attr("role")) in names:
            arn = str(one.get_attr("policy_arn"))
            if arn in managed:
                yield from read(str(managed[arn].get_attr("policy")))
            else:
                # A policy of AWS's own says more than these checks can see.
                yield Statement("", "Allow", ("*",), (), ("*",), (), (), {})


def _named(value: Value) -> str:
    return str(value)


def check(found: Deployment) -> Iterator[Finding]:
    """Where a role may do more, or less, than the topology says."""
    have = {role.service for role in found.roles}
    for service in found.topology.services:
        if service not in have:
            yield Finding(Path("infra/topology.json"), 0, f"no task of {service!r} has a role", "run it with one")
    for role in found.roles:
        shape = found.topology.services[role.service]
        for what in (*_too_much(found, role, shape), *_too_little(found, role, shape)):
            yield Finding(role.path, role.line, f"{role.service}: {what}", "derive the role from the topology")


def _too_much(found: Deployment, role: Role, shape: ServiceShape) -> Iterator[str]:
    for zone in found.topology.zones:
        if found.can_write(role, zone) and zone not in shape.writes:
            yield f"may write {zone}/, which is not in its `writes`"
        if found.can_write(role, zone) and zone in WRITER_ZONES and role.service != "writer":
            yield f"may write {zone}/, which is the writer's alone"
        if allows(role.statements, "s3:GetObject", found.object_arn(zone)) and zone not in shape.reads:
            yield f"may read {zone}/, which is not in its `reads`"
        if found.can_read(role, zone) and zone in FAILURE_ZONES and role.service != "reprocessor":
            yield f"may read and decrypt {zone}/, which is the reprocessor's alone"
        for action in _DELETING:
            is_meant = action == "s3:DeleteObject" and zone in shape.deletes
            if allows(role.statements, action, found.object_arn(zone)) and not is_meant:
                yield f"may {action} in {zone}/"
    if role.service == "ingest" and found.can_read(role, "landing"):
        yield "may read and decrypt landing/: ingest writes it and asks whether it is there, no more"
    for queue in _queues(found.topology):
        arn = found.queue_arn(queue)
        for action in (*_RECEIVING, "sqs:PurgeQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes"):
            if allows(role.statements, action, arn) and not (action in _RECEIVING and queue in shape.consumes):
                yield f"may {action} on {queue}"
        if allows(role.statements, "sqs:SendMessage", arn) and queue not in shape.produces:
            yield f"may sqs:SendMessage to {queue}, which is not in its `produces`"
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{found.prefix}.stream.table"
    if not shape.puts_latest and allows(role.statements, "dynamodb:PutItem", table):
        yield "may put into DynamoDB, which `puts_latest` does not say"
    for action in ("iam:PassRole", "sts:AssumeRole", "ecs:RunTask", "kms:PutKeyPolicy", "s3:PutBucketPolicy"):
        if allows(role.statements, action, f"arn:aws:iam::{ACCOUNT}:role/any"):
            yield f"may {action}"


def _too_little(found: Deployment, role: Role, shape: ServiceShape) -> Iterator[str]:
    for zone in shape.reads:
        if not allows(role.statements, "s3:GetObject", found.object_arn(zone)):
            yield f"may not read {zone}/"
        bucket = found.topology.zone_buckets(found.prefix)[zone]
        if not allows(role.statements, "s3:ListBucket", f"arn:aws:s3:::{bucket}"):
            yield f"may not list {bucket}: S3 would answer 403 for keys that are not there"
        if zone not in (*FAILURE_ZONES, *shape.writes) and not found.can_decrypt(role, zone):
            yield f"may not decrypt {zone}/"
    for zone in shape.writes:
        if not found.can_write(role, zone):
            yield f"may not write {zone}/"
        key = found.keys.get(found.topology.zone_buckets(found.prefix)[zone])
        if key and not allows(role.statements, "kms:GenerateDataKey", key):
            yield f"may not encrypt {zone}/"
    for zone in shape.deletes:
        if not allows(role.statements, "s3:DeleteObject", found.object_arn(zone)):
            yield f"may not delete in {zone}/"
    for queue in shape.consumes:
        for action in (*_RECEIVING, *_ENSURED_QUEUE):
            if not allows(role.statements, action, found.queue_arn(queue)):
                yield f"may not {action} on {queue}"
    for queue in shape.produces:
        for action in ("sqs:SendMessage", "sqs:GetQueueUrl"):
            if not allows(role.statements, action, found.queue_arn(queue)):
                yield f"may not {action} on {queue}"


def _queues(topology: Topology) -> Iterable[str]:
    for queue in topology.queues:
        yield queue
        yield topology.dead_letter_queue(queue)
