"""What AWS would compute, where a rule gives it: ARNs from names, the account, the partition and the region.

The account is the one AWS uses in its own documentation. Everything else stays unknown.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from infra.checks.function_values import text
from infra.checks.policy_documents import render
from infra.checks.values import Unknown, Value

if TYPE_CHECKING:
    from infra.checks.plan import Resource

ACCOUNT = "111122223333"
REGION = "eu-central-1"
ZONES = [f"{REGION}a", f"{REGION}b", f"{REGION}c"]

_ARNS: Mapping[str, tuple[str, str]] = {
    "aws_s3_bucket": ("bucket", "arn:aws:s3:::{}"),
    "aws_sqs_queue": ("name", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{}}"),
    "aws_sns_topic": ("name", f"arn:aws:sns:{REGION}:{ACCOUNT}:{{}}"),
    "aws_iam_role": ("name", f"arn:aws:iam::{ACCOUNT}:role/{{}}"),
    "aws_iam_policy": ("name", f"arn:aws:iam::{ACCOUNT}:policy/{{}}"),
    "aws_cloudwatch_log_group": ("name", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{}}"),
    "aws_kinesis_stream": ("name", f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{{}}"),
    "aws_dynamodb_table": ("name", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{}}"),
    "aws_ecr_repository": ("name", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{{}}"),
    "aws_lambda_function": ("function_name", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{}}"),
    "aws_ecs_cluster": ("name", f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{{}}"),
    "aws_kinesis_firehose_delivery_stream": ("name", f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{{}}"),
    "aws_athena_workgroup": ("name", f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{{}}"),
}
DATA: Mapping[tuple[str, str], Value] = {
    ("aws_caller_identity", "account_id"): ACCOUNT,
    ("aws_caller_identity", "id"): ACCOUNT,
    ("aws_partition", "partition"): "aws",
    ("aws_partition", "dns_suffix"): "amazonaws.com",
    ("aws_region", "region"): REGION,
    ("aws_region", "name"): REGION,
    ("aws_region", "id"): REGION,
    ("aws_availability_zones", "names"): ZONES,
}
# Types whose `id` or `name` is what the configuration calls them.
_IDS: Mapping[str, str] = {
    "aws_s3_bucket": "bucket",
    "aws_iam_role": "name",
    "aws_ecs_service": "name",
    "aws_cloudwatch_log_group": "name",
    "aws_kinesis_stream": "name",
    "aws_dynamodb_table": "name",
}


def arn_of(kind: str, given: Mapping[str, Value]) -> str:
    """The ARN of a resource of this type with these arguments; where no rule gives it, one that looks like it."""
    argument, pattern = _ARNS.get(kind, ("name", f"arn:aws:{_service_of(kind)}:{REGION}:{ACCOUNT}:{kind}/{{}}"))
    return pattern.format(given.get(argument) or kind)


def _service_of(kind: str) -> str:
    """The service that a type's name begins with, about as ARNs have it."""
    return kind.removeprefix("aws_").partition("_")[0]


def computed(resource: "Resource", name: str) -> Value:
    """An attribute nobody set."""
    rule = _RULES.get((resource.kind, name))
    if rule is not None:
        return rule(resource)
    known = DATA.get((resource.kind, name))
    if known is not None:
        return known
    if name == "arn" and resource.kind in _ARNS:
        argument, pattern = _ARNS[resource.kind]
        if argument in resource.block.attributes:
            return pattern.format(text(resource.get_attr(argument)))
    if name == "id" and _IDS.get(resource.kind, "") in resource.block.attributes:
        return resource.get_attr(_IDS[resource.kind])
    if name == "arn":
        return f"arn:aws:{_service_of(resource.kind)}:{REGION}:{ACCOUNT}:{resource.address}"
    return Unknown(f"{resource.address}.{name}")


_RULES: Mapping[tuple[str, str], Callable[["Resource"], Value]] = {
    ("aws_iam_policy_document", "json"): lambda resource: render(resource.body()),
    ("aws_iam_policy_document", "minified_json"): lambda resource: render(resource.body()),
}
