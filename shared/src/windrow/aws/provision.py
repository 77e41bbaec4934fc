"""Creates what a topology describes, in an emulator. On AWS, Terraform does this from the same file."""

import json
from typing import Any

from windrow.aws.errors import translated
from windrow.aws.session import AwsSession


def provision(session: AwsSession) -> list[str]:
    """Make queues with their dead-letter queues, buckets and notifications; safe to repeat. Returns what stands."""
    arns = _queues(session)
    made = [f"queue {session.topology.queue_name(session.prefix, name)}" for name in arns]
    for name, shape in session.topology.buckets.items():
        bucket = session.topology.bucket_name(session.prefix, name)
        _bucket(session, bucket, is_versioned=shape.versioned)
        made.append(f"bucket {bucket}")
    made.extend(_notifications(session, arns))
    return made


def _queues(session: AwsSession) -> dict[str, str]:
    arns: dict[str, str] = {}
    for name, shape in session.topology.queues.items():
        dead = session.topology.dead_letter_queue(name)
        arns[dead] = _queue(session, dead, {"MessageRetentionPeriod": str(session.topology.dead_letters.retention_s)})
        redrive = {"deadLetterTargetArn": arns[dead], "maxReceiveCount": shape.max_receives}
        arns[name] = _queue(
            session,
            name,
            {
                "VisibilityTimeout": str(shape.visibility_s),
                "MessageRetentionPeriod": str(shape.retention_s),
                "RedrivePolicy": json.dumps(redrive),
            },
        )
    return arns


def _queue(session: AwsSession, name: str, attributes: dict[str, str]) -> str:
    physical = session.topology.queue_name(session.prefix, name)
    with translated(f"create queue {physical}"):
        url = session.sqs.create_queue(QueueName=physical, Attributes=attributes)["QueueUrl"]
        found = session.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


def _bucket(session: AwsSession, bucket: str, *, is_versioned: bool) -> None:
    where: dict[str, Any] = (
        {} if session.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": session.region}}
    )
    with translated(f"create bucket {bucket}"):
        present = {entry["Name"] for entry in session.s3.list_buckets()["Buckets"]}
        if bucket not in present:
            session.s3.create_bucket(Bucket=bucket, **where)
        if is_versioned:
            session.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def _notifications(session: AwsSession, arns: dict[str, str]) -> list[str]:
    zone_buckets = session.topology.zone_buckets(session.prefix)
    by_bucket: dict[str, list[dict[str, Any]]] = {}
    for notification in session.topology.notifications:
        rule = {"Name": "prefix", "Value": f"{notification.zone}/"}
        by_bucket.setdefault(zone_buckets[notification.zone], []).append(
            {
                "QueueArn": arns[notification.queue],
                "Events": list(notification.events),
                "Filter": {"Key": {"FilterRules": [rule]}},
            }
        )
    for bucket, configurations in by_bucket.items():
        with translated(f"notify from {bucket}"):
            session.s3.put_bucket_notification_configuration(
                Bucket=bucket, NotificationConfiguration={"QueueConfigurations": configurations}
            )
    return [f"notifications of {bucket}" for bucket in by_bucket]
