import json

import pytest

from infra.checks import provider_schema, safety
from tests.support.terraform import planned, said

BUCKET = """
resource "aws_s3_bucket" "it" {
  bucket = "w-raw"
  tags   = {}
}
resource "aws_s3_bucket_policy" "it" {
  bucket = aws_s3_bucket.it.id
  policy = data.aws_iam_policy_document.it.json
}
data "aws_iam_policy_document" "it" {
  statement {
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.it.arn, "${aws_s3_bucket.it.arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
  statement {
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.it.arn}/landing/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Null"
      variable = "s3:if-none-match"
      values   = ["true"]
    }
  }
}
"""
HOST = """
resource "aws_launch_template" "it" {
  tags      = {}
  user_data = base64encode("ECS_CLUSTER=w\\nECS_AWSVPC_BLOCK_IMDS=true\\n")
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}
"""
CONTAINER = {
    "name": "ingest",
    "image": "ecr/ingest@sha256:0",
    "readonlyRootFilesystem": True,
    "user": "10001:10001",
    "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
    "stopTimeout": 30,
    "logConfiguration": {"logDriver": "awslogs"},
}


def faults(text: str) -> list[str]:
    return said(safety.check(planned(text), provider_schema.aws()))


def of_container(**changes: object) -> list[str]:
    definitions = json.dumps(json.dumps([{**CONTAINER, **changes}]))
    return faults(
        f'resource "aws_ecs_task_definition" "it" {{\n container_definitions = {definitions}\n tags = {{}}\n}}'
    )


def test_a_bucket_that_denies_requests_without_tls_passes():
    assert not faults(BUCKET)


@pytest.mark.parametrize(
    ("of", "instead"),
    [
        ('["s3:*"]', '["s3:GetObject"]'),
        (', "${aws_s3_bucket.it.arn}/*"]', "]"),
        ('values   = ["false"]', 'values   = ["true"]'),
        ('identifiers = ["*"]', 'identifiers = ["arn:aws:iam::111122223333:root"]'),
        ("bucket = aws_s3_bucket.it.id", 'bucket = "another"'),
    ],
)
def test_one_that_does_not_is_found(of, instead):
    assert faults(BUCKET.replace(of, instead, 1)) == ["2: aws_s3_bucket.it answers without TLS"]


def test_a_zone_that_can_be_written_over_is_found():
    assert not said(safety.check_put_once(planned(BUCKET), "w-raw", "landing"))
    for of, instead in (("Null", "Bool"), ("/landing/*", "/other/*"), ("s3:PutObject", "s3:PutObjectAcl")):
        found = said(safety.check_put_once(planned(BUCKET.replace(of, instead)), "w-raw", "landing"))
        assert found == ["2: w-raw lets landing/ be written over"]


@pytest.mark.parametrize(
    ("of", "instead", "what"),
    [
        ('"required"', '"optional"', "answers metadata requests without a token"),
        ("= 1", "= 2", "lets containers reach its metadata"),
        ("BLOCK_IMDS=true", "BLOCK_IMDS=false", "lets tasks use the host's role"),
        ("\\nECS_AWSVPC_BLOCK_IMDS=true", "", "lets tasks use the host's role"),
    ],
)
def test_a_host_whose_metadata_tasks_could_reach_is_found(of, instead, what):
    assert not faults(HOST)
    assert of in HOST
    assert faults(HOST.replace(of, instead)) == [f"2: aws_launch_template.it {what}"]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"readonlyRootFilesystem": False}, "its file system can be written"),
        ({"user": "root"}, "does not run as user 10001"),
        ({"privileged": True}, "is privileged"),
        ({"linuxParameters": {}}, "keeps Linux capabilities"),
        ({"stopTimeout": 25}, "is killed before it has drained"),
        ({"logConfiguration": None}, "does not keep its logs"),
        ({"image": "ecr/ingest:latest"}, "runs whatever image is the latest"),
    ],
)
def test_a_container_that_is_not_confined_is_found(changes, what):
    assert not of_container()
    assert of_container(**changes) == [f"1: aws_ecs_task_definition.it ingest: {what}"]


def test_logs_are_not_kept_for_ever_and_everything_has_tags():
    assert faults('resource "aws_cloudwatch_log_group" "it" {\n name = "a"\n}') == [
        "1: aws_cloudwatch_log_group.it has no tags",
        "1: aws_cloudwatch_log_group.it keeps logs for ever",
    ]
