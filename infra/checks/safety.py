"""What must be so of every computed resource, and what checkov does not look at."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any

from infra.checks.finding import Finding
from infra.checks.plan import Instance, Resource
from infra.checks.policy_documents import Statement, read
from infra.checks.provider_schema import ProviderSchema
from infra.checks.values import Unknown, Value

# Longer than the 25 s that services take to drain, and within what ECS grants on EC2 by default.
_MIN_STOP_TIMEOUT_S = 26


def check(root: Instance, schema: ProviderSchema) -> Iterator[Finding]:
    """Buckets that answer without TLS, hosts whose tasks reach the host's role, logs for ever, things without tags."""
    every = list(root.resources())
    for one in every:
        for what, remedy in _faults(one, every, schema):
            yield Finding(one.path, one.block.line, f"{'.'.join(one.block.labels)} {what}", remedy)


def _faults(one: Resource, every: list[Resource], schema: ProviderSchema) -> Iterator[tuple[str, str]]:
    match one.kind:
        case "aws_s3_bucket":
            if not any(_is_tls_only(statement, one) for statement in _bucket_statements(one, every)):
                yield "answers without TLS", "deny s3:* to everybody where aws:SecureTransport is false"
        case "aws_launch_template" | "aws_instance":
            yield from _metadata(one)
        case "aws_cloudwatch_log_group":
            if not _known(one, "retention_in_days"):
                yield "keeps logs for ever", "set retention_in_days"
        case "aws_ecs_task_definition":
            yield from _containers(one)
    known = schema.resources.get(one.kind)
    if known is not None and "tags" in known.arguments and "tags" not in one.block.attributes:
        yield "has no tags", "set tags"


def _known(one: Resource, name: str) -> Value:
    value = one.get_attr(name)
    return None if isinstance(value, Unknown) and name not in one.block.attributes else value


# ------------------------------------------------------------------------------------------------ buckets


def _bucket_statements(bucket: Resource, every: list[Resource]) -> Iterator[Statement]:
    names = {str(bucket.get_attr("bucket")), str(bucket.get_attr("id"))}
    for one in every:
        if one.kind == "aws_s3_bucket_policy" and str(one.get_attr("bucket")) in names:
            yield from read(str(one.get_attr("policy")))


def _is_tls_only(statement: Statement, bucket: Resource) -> bool:
    arn = str(bucket.get_attr("arn"))
    return (
        _denies_everybody(statement)
        and "s3:*" in statement.actions
        and {arn, f"{arn}/*"} <= set(statement.resources)
        and dict(statement.conditions) == {("Bool", "aws:SecureTransport"): ("false",)}
    )


def _denies_everybody(statement: Statement) -> bool:
    return not statement.is_allowed and bool({"*:*", "AWS:*"} & set(statement.principals))


def check_put_once(root: Instance, bucket_name: str, zone: str) -> Iterator[Finding]:
    """A zone whose objects are immutable refuses a PUT without If-None-Match (law 2)."""
    every = list(root.resources())
    for bucket in every:
        if bucket.kind == "aws_s3_bucket" and bucket.get_attr("bucket") == bucket_name:
            wanted = f"{bucket.get_attr('arn')}/{zone}/*"
            if not any(
                _denies_everybody(one)
                and "s3:PutObject" in one.actions
                and wanted in one.resources
                and one.conditions.get(("Null", "s3:if-none-match")) == ("true",)
                for one in _bucket_statements(bucket, every)
            ):
                what = f"{bucket_name} lets {zone}/ be written over"
                yield Finding(bucket.path, bucket.block.line, what, "deny PUTs without If-None-Match there")


# ------------------------------------------------------------------------------------------------ hosts and tasks


def _metadata(one: Resource) -> Iterator[tuple[str, str]]:
    options = (one.body().get("metadata_options") or [{}])[0]
    if options.get("http_tokens") != "required":
        yield "answers metadata requests without a token", 'set http_tokens = "required"'
    if options.get("http_put_response_hop_limit") != 1:
        yield "lets containers reach its metadata", "set http_put_response_hop_limit = 1"
    script = _script(one)
    if script and "ECS_CLUSTER=" in script and "ECS_AWSVPC_BLOCK_IMDS=true" not in script:
        yield "lets tasks use the host's role", "write ECS_AWSVPC_BLOCK_IMDS=true to /etc/ecs/ecs.config"


def _script(one: Resource) -> str:
    text = str(one.get_attr("user_data") or "")
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return text


def _containers(task: Resource) -> Iterator[tuple[str, str]]:
    text = task.get_attr("container_definitions")
    try:
        containers: list[Mapping[str, Any]] = json.loads(str(text))
    except json.JSONDecodeError:
        yield "has container definitions that cannot be computed", "write them with jsonencode"
        return
    for container in containers:
        yield from ((f"{container.get('name')}: {what}", remedy) for what, remedy in _container(container))


def _container(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not container.get("readonlyRootFilesystem"):
        yield "its file system can be written", "set readonlyRootFilesystem"
    if not str(container.get("user", "")).startswith("10001"):
        yield "does not run as user 10001", "set user"
    if container.get("privileged"):
        yield "is privileged", "leave that out"
    linux = container.get("linuxParameters") or {}
    if (linux.get("capabilities") or {}).get("drop") != ["ALL"]:
        yield "keeps Linux capabilities", "drop ALL"
    if float(container.get("stopTimeout") or 0) < _MIN_STOP_TIMEOUT_S:
        yield "is killed before it has drained", f"set stopTimeout to {_MIN_STOP_TIMEOUT_S} s or more"
    if not container.get("logConfiguration"):
        yield "does not keep its logs", "set logConfiguration"
    if str(container.get("image", "")).endswith(":latest"):
        yield "runs whatever image is the latest", "name a digest"
