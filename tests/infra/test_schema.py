import importlib.metadata
import importlib.util
from pathlib import Path

import pytest

from infra.checks import extraction, provider_schema, schema
from tests.support.terraform import module, said


def faults(text: str) -> list[str]:
    return said(schema.check([module(text)], provider_schema.aws()))


def test_what_the_provider_accepts_passes():
    assert not faults(
        """
        resource "aws_sqs_queue" "this" {
          for_each                   = var.queues
          name                       = "${var.prefix}-${each.key}"
          visibility_timeout_seconds = "60"
          redrive_policy             = jsonencode({ maxReceiveCount = 3 })
          tags                       = { zone = "x" }
          lifecycle { prevent_destroy = true }
          timeouts { create = "1m" }
        }
        resource "aws_security_group" "this" {
          ingress {
            from_port = 1
            to_port   = 2
            protocol  = "tcp"
          }
        }
        data "aws_iam_policy_document" "this" {
          dynamic "statement" {
            for_each = var.zones
            content {
              actions   = ["s3:GetObject"]
              resources = [statement.value]
            }
          }
        }
        resource "terraform_data" "this" { input = 1 }
        """
    )


def test_an_unknown_type_is_found():
    assert faults('resource "aws_sqs_queues" "x" {}\ndata "aws_sqs_quue" "y" {}') == [
        "1: there is no resource type 'aws_sqs_queues' in AWS provider 6.25.0",
        "2: there is no data source 'aws_sqs_quue' in AWS provider 6.25.0",
    ]


def test_an_unknown_argument_is_found_with_the_nearest_name():
    found = list(
        schema.check([module('resource "aws_sqs_queue" "x" {\n  visibility_timeout = 3\n}')], provider_schema.aws())
    )

    assert found[0].what == "aws_sqs_queue has no argument 'visibility_timeout'"
    assert found[0].remedy == "did you mean 'visibility_timeout_seconds'?"


def test_what_the_provider_computes_cannot_be_set():
    assert faults('resource "aws_s3_bucket" "x" {\n  hosted_zone_id = "a"\n}') == [
        "2: aws_s3_bucket has no argument 'hosted_zone_id'"
    ]


def test_a_missing_required_argument_is_found_at_its_block():
    text = """resource "aws_s3_bucket_versioning" "x" {
      bucket = "a"
      versioning_configuration {}
    }"""

    assert faults(text) == ["3: aws_s3_bucket_versioning.versioning_configuration needs the argument 'status'"]
    assert faults('resource "aws_s3_bucket_versioning" "x" {\n  bucket = "a"\n}') == [
        "1: aws_s3_bucket_versioning needs the block 'versioning_configuration'"
    ]


def test_a_block_written_as_an_argument_and_the_reverse_are_found():
    assert faults(
        'resource "aws_sqs_queue" "x" {\n  timeouts = {}\n}\nresource "aws_sns_topic" "y" {\n  tags {\n  }\n}'
    ) == ["2: aws_sqs_queue: 'timeouts' is a block", "5: aws_sns_topic: 'tags' is an argument, not a block"]


def test_a_block_the_provider_takes_once_is_not_repeated():
    text = """resource "aws_ecs_service" "x" {
      name = "a"
      network_configuration { subnets = [] }
      network_configuration { subnets = [] }
    }"""

    assert faults(text) == ["4: aws_ecs_service takes one block 'network_configuration'"]


@pytest.mark.parametrize(
    ("argument", "said_of_it"),
    [
        ('delay_seconds = "soon"', "aws_sqs_queue.delay_seconds takes a number, not 'soon'"),
        ("fifo_queue = 1", "aws_sqs_queue.fifo_queue takes a bool, not 1"),
        ("name = []", "aws_sqs_queue.name takes a string, not a list"),
        ("tags = []", "aws_sqs_queue.tags takes a map, not a list"),
        ("tags = { a = [] }", "aws_sqs_queue.tags{} takes a string, not a list"),
    ],
)
def test_a_literal_of_the_wrong_type_is_found(argument, said_of_it):
    assert faults(f'resource "aws_sqs_queue" "x" {{\n  {argument}\n}}') == [f"2: {said_of_it}"]


def test_dynamic_blocks_are_checked_like_others():
    text = """data "aws_iam_policy_document" "x" {
      dynamic "statement" {
        for_each = []
        content { action = [] }
      }
      dynamic "sttement" {
        for_each = []
        content {}
      }
    }"""

    assert faults(text) == [
        "4: aws_iam_policy_document.statement has no argument 'action'",
        "6: aws_iam_policy_document has no block 'sttement'",
    ]


def test_the_provider_block_is_checked_too():
    assert faults('provider "aws" {\n  regoin = "eu-central-1"\n}') == ["2: provider aws has no argument 'regoin'"]


@pytest.mark.may_skip("the package that carries the schema takes 59 MB and is needed only to make it again")
def test_the_committed_schema_is_what_the_package_carries():
    """Runs where the package is: pip install --no-deps cdktf-cdktf-provider-aws==21.22.1."""
    found = importlib.util.find_spec("cdktf_cdktf_provider_aws")
    if found is None or found.origin is None:
        pytest.skip("cdktf-cdktf-provider-aws is not installed (59 MB; needed only to make the schema again)")

    assert importlib.metadata.version("cdktf-cdktf-provider-aws") == extraction.PACKAGE_VERSION
    folder = Path(found.origin).parent
    assert extraction.read_installed(folder) == provider_schema.aws()
