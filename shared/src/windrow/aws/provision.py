"""Creates what a topology describes, in an emulator. On AWS, Terraform does this from the same file."""

import json
from collections.abc import Iterable
from typing import Any

from windrow import keys
from windrow.aws.dynamodb import KEY
from windrow.aws.errors import translated
from windrow.aws.session import AwsSession
from windrow.spec import StreamSpec


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


def provision_tables(session: AwsSession, specs: Iterable[StreamSpec]) -> list[str]:
    """Make the DynamoDB tables that the sinks of some streams write to; safe to repeat. Returns what stands."""
    tables = [
        session.topology.table_name(session.prefix, keys.latest_table(spec.stream, sink.table))
        for spec in specs
        for sink in spec.sinks
        if sink.kind == "dynamodb"
    ]
    for table in tables:
        _table(session, table)
    return [f"table {table}" for table in tables]


def _table(session: AwsSession, table: str) -> None:
    with translated(f"create table {table}"):
        try:
            session.dynamodb.create_table(
                TableName=table,
                AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
                KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
            )
        except session.dynamodb.exceptions.ResourceInUseException:
            return  # it stands already


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
