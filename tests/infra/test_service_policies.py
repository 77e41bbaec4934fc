"""A small deployment whose roles are right; then one thing at a time is planted."""

from pathlib import Path

import pytest

from infra.checks import service_policies
from infra.checks.modules import INFRA
from tests.support.terraform import planned
from windrow import topology

SHAPE = topology.load(INFRA / "topology.json")
BUCKETS = """
locals { topology = jsondecode(file("infra/topology.json")) }
resource "aws_kms_key" "key" { for_each = local.topology.buckets }
resource "aws_s3_bucket_server_side_encryption_configuration" "bucket" {
  for_each = local.topology.buckets
  bucket   = "w-${each.key}"
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.key[each.key].arn
    }
  }
}
module "service" {
  source   = "../service"
  for_each = local.topology.services
  name     = each.key
  shape    = each.value
  zones    = { for zone, z in local.topology.zones : zone => z.bucket }
  keys     = { for name, key in aws_kms_key.key : name => key.arn }
}
"""
SERVICE = """
variable "name" {}
variable "shape" {}
variable "zones" {}
variable "keys" {}
locals {
  reads    = try(var.shape.reads, [])
  writes   = try(var.shape.writes, [])
  consumes = try(var.shape.consumes, [])
  produces = try(var.shape.produces, [])
  queue    = "arn:aws:sqs:eu-central-1:111122223333:w-"
  secret   = var.name == "reprocessor" ? [] : ["failures"]
  opaque   = var.name == "ingest" ? ["raw", "failures"] : local.secret
}
resource "aws_ecs_task_definition" "task" { task_role_arn = aws_iam_role.task.arn }
resource "aws_iam_role" "task" { name = "w-${var.name}" }
resource "aws_iam_role_policy" "task" {
  role   = aws_iam_role.task.id
  policy = data.aws_iam_policy_document.task.json
}
data "aws_iam_policy_document" "task" {
  statement {
    actions   = ["s3:GetObject"]
    resources = [for z in local.reads : "arn:aws:s3:::w-${var.zones[z]}/${z}/*"]
  }
  statement {
    actions   = ["s3:ListBucket"]
    resources = [for z in local.reads : "arn:aws:s3:::w-${var.zones[z]}"]
  }
  statement {
    actions   = ["s3:PutObject"]
    resources = [for z in local.writes : "arn:aws:s3:::w-${var.zones[z]}/${z}/*"]
  }
  statement {
    actions   = ["s3:DeleteObject"]
    resources = [for z in try(var.shape.deletes, []) : "arn:aws:s3:::w-${var.zones[z]}/${z}/*"]
  }
  statement {
    actions   = ["kms:GenerateDataKey"]
    resources = values(var.keys)
  }
  statement {
    actions   = ["kms:Decrypt"]
    resources = [for z in local.reads : var.keys[var.zones[z]] if !contains(local.opaque, var.zones[z])]
  }
  statement {
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
    resources = [for q in local.consumes : "${local.queue}${q}"]
  }
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [for q in local.produces : "${local.queue}${q}"]
  }
  statement {
    actions   = ["sqs:GetQueueUrl", "sqs:GetQueueAttributes"]
    resources = [for q in concat(local.consumes, local.produces) : "${local.queue}${q}"]
  }
  # more
}
"""


def faults(service: str = SERVICE) -> list[str]:
    found = service_policies.deployment(planned(BUCKETS, service=service), SHAPE, "w")
    return [finding.what for finding in service_policies.check(found)]


def also(service: str, action: str, resource: str) -> str:
    condition = f'var.name == "{service}" ? ["{resource}"] : []'
    return SERVICE.replace("# more", f'statement {{\n actions = ["{action}"]\n resources = {condition}\n}}')


def test_roles_that_follow_the_topology_pass():
    assert Path("infra/topology.json").is_file()
    assert faults() == []


@pytest.mark.parametrize(
    ("service", "action", "resource", "what"),
    [
        (
            "windower",
            "s3:PutObject",
            "arn:aws:s3:::w-lake/lake/*",
            "windower: may write lake/, which is the writer's alone",
        ),
        (
            "consumer",
            "s3:PutObject",
            "arn:aws:s3:::w-staged/*",
            "consumer: may write leases/, which is the writer's alone",
        ),
        ("ingest", "s3:GetObject", "arn:aws:s3:::w-*", "ingest: may read lake/, which is not in its `reads`"),
        ("ingest", "s3:DeleteObject", "arn:aws:s3:::w-raw/landing/*", "ingest: may s3:DeleteObject in landing/"),
        ("ingest", "sqs:ReceiveMessage", "*", "ingest: may sqs:ReceiveMessage on landed"),
        ("windower", "sqs:SendMessage", "*", "windower: may sqs:SendMessage to landed, which is not in its `produces`"),
        ("writer", "sqs:PurgeQueue", "*", "writer: may sqs:PurgeQueue on writes"),
        (
            "ingest",
            "kms:Decrypt",
            "*",
            "ingest: may read and decrypt landing/: ingest writes it and asks whether it is there, no more",
        ),
        (
            "consumer",
            "kms:Decrypt",
            "*",
            "consumer: may read and decrypt quarantine/, which is the reprocessor's alone",
        ),
        (
            "writer",
            "s3:DeleteObjectVersion",
            "arn:aws:s3:::w-lake/lake/*",
            "writer: may s3:DeleteObjectVersion in lake/",
        ),
        ("consumer", "iam:PassRole", "*", "consumer: may iam:PassRole"),
        ("consumer", "dynamodb:PutItem", "*", "consumer: may put into DynamoDB, which `puts_latest` does not say"),
    ],
)
def test_a_role_that_may_more_is_found(service, action, resource, what):
    assert what in faults(also(service, action, resource))


@pytest.mark.parametrize(
    ("cut", "what"),
    [
        ('actions   = ["s3:GetObject"]', "consumer: may not read landing/"),
        ('actions   = ["s3:PutObject"]', "writer: may not write lake/"),
        ('actions   = ["kms:Decrypt"]', "windower: may not decrypt segments/"),
        ('actions   = ["kms:GenerateDataKey"]', "ingest: may not encrypt landing/"),
        ('actions   = ["sqs:SendMessage"]', "writer: may not sqs:SendMessage on writes"),
        ('actions   = ["s3:DeleteObject"]', "writer: may not delete in lake/"),
        (
            'actions   = ["s3:ListBucket"]',
            "ingest: may not list w-raw: S3 would answer 403 for keys that are not there",
        ),
    ],
)
def test_a_role_that_may_less_is_found(cut, what):
    assert what in faults(SERVICE.replace(cut, "actions = []"))


def test_a_service_without_a_role_is_found():
    assert "no task of 'ingest' has a role" in faults(SERVICE.replace('"aws_ecs_task_definition"', '"aws_ecs_other"'))


def test_a_managed_policy_counts_as_everything():
    attached = """resource "aws_iam_role_policy_attachment" "x" {
      role       = aws_iam_role.task.name
      policy_arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    }"""

    assert faults(SERVICE + attached) != []


def test_a_denial_without_a_condition_takes_away():
    denied = 'statement {\n effect = "Deny"\n actions = ["s3:PutObject"]\n resources = ["*"]\n}'

    assert "writer: may not write lake/" in faults(SERVICE.replace("# more", denied))


def test_instances_that_run_one_service_are_held_to_the_same():
    hosts = SERVICE.replace(
        'resource "aws_ecs_task_definition" "task" { task_role_arn = aws_iam_role.task.arn }',
        'resource "aws_iam_instance_profile" "host" { role = aws_iam_role.task.name }',
    )

    assert hosts != SERVICE
    assert faults(hosts) == []
    assert "ingest: may not encrypt landing/" in faults(
        hosts.replace('actions   = ["kms:GenerateDataKey"]', "actions = []")
    )
