"""The three that must agree: the topology, what makes it (Terraform, the local provisioner), and the code."""

import msgspec
import pytest

from infra.checks import code_parity, local_parity, terraform_parity
from infra.checks.modules import INFRA
from tests.support.terraform import planned, said
from windrow import topology
from windrow.topology import Topology

SHAPE = topology.load(INFRA / "topology.json")
LANDED = "arn:aws:sqs:eu-central-1:111122223333:w-landed"
DEAD_RETENTION = "= local.topology.dead_letters.retention_s"
TERRAFORM = """
locals { topology = jsondecode(file("infra/topology.json")) }
resource "aws_sqs_queue" "work" {
  for_each                   = local.topology.queues
  name                       = "w-${each.key}"
  visibility_timeout_seconds = each.value.visibility_s
  message_retention_seconds  = each.value.retention_s
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn
    maxReceiveCount     = each.value.max_receives
  })
}
resource "aws_sqs_queue" "dead" {
  for_each                  = local.topology.queues
  name                      = "w-${each.key}-dead"
  message_retention_seconds = local.topology.dead_letters.retention_s
}
resource "aws_s3_bucket" "bucket" {
  for_each = local.topology.buckets
  bucket   = "w-${each.key}"
}
resource "aws_s3_bucket_versioning" "bucket" {
  for_each = { for name, b in local.topology.buckets : name => b if try(b.versioned, false) }
  bucket   = aws_s3_bucket.bucket[each.key].id
  versioning_configuration { status = "Enabled" }
}
resource "aws_s3_bucket_notification" "raw" {
  bucket = "w-raw"
  queue {
    queue_arn     = aws_sqs_queue.work["landed"].arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = "landing/"
  }
}
"""


def changed(**changes: object) -> Topology:
    return msgspec.structs.replace(SHAPE, **changes)


def with_queue(**changes: object) -> Topology:
    return changed(queues={**SHAPE.queues, "landed": msgspec.structs.replace(SHAPE.queues["landed"], **changes)})


def differing(text: str) -> list[str]:
    return [line.partition(": ")[2] for line in said(terraform_parity.check(planned(text), SHAPE, "w"))]


def test_terraform_that_follows_the_topology_passes():
    assert differing(TERRAFORM) == []


@pytest.mark.parametrize(
    ("instead", "of", "what"),
    [
        ("= 1", "= each.value.visibility_s", "w-landed: visibility_timeout_seconds is 1, not 150"),
        ("= 1", "= each.value.retention_s", "w-landed: message_retention_seconds is 1, not 345600"),
        ('= "x-${each.key}-dead"', '= "w-${each.key}-dead"', "there is no queue w-landed-dead"),
        ("= 60", DEAD_RETENTION, "w-landed-dead: message_retention_seconds is 60, not 1209600"),
        ("b if false", "b if try(b.versioned, false)", "w-raw is not versioned"),
        ("b", "b if try(b.versioned, false)", "w-lake is versioned"),
        ("raw/", "landing/", f"w-raw notifies {LANDED} of 'raw/'"),
        ("s3:ObjectCreated:Put", "s3:ObjectCreated:*", f"w-raw does not notify {LANDED} of landing/"),
        ('"y-${each.key}"\n}', '"w-${each.key}"\n}', "there is no bucket w-raw"),
    ],
)
def test_terraform_that_does_not_is_found(instead, of, what):
    assert of in TERRAFORM
    assert what in differing(TERRAFORM.replace(of, instead))


def test_a_redrive_of_its_own_is_found():
    found = differing(TERRAFORM.replace("= each.value.max_receives", "= 3"))

    assert len(found) == len(SHAPE.queues)
    assert "not after 10 receives to w-landed-dead" in found[0]


def test_a_queue_without_a_dead_letter_queue_is_found():
    text = TERRAFORM + 'resource "aws_sqs_queue" "pulls" {\n  name = "w-pulls"\n}'

    assert differing(text) == ["w-pulls has no dead-letter queue"]


def test_a_second_notification_resource_of_a_bucket_is_found():
    text = TERRAFORM + 'resource "aws_s3_bucket_notification" "more" {\n  bucket = "w-raw"\n}'

    assert differing(text) == ["w-raw has a second notification resource, which undoes the first"]


def test_the_local_provisioner_makes_what_the_topology_says():
    assert said(local_parity.check(local_parity.record(SHAPE), SHAPE)) == []


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (with_queue(max_receives=3), "makes queue parity-landed"),
        (with_queue(visibility_s=3), "makes queue parity-landed"),
        (changed(buckets={"raw": SHAPE.buckets["raw"]}), "makes the buckets"),
        (changed(notifications=()), "notifies"),
    ],
)
def test_a_provisioner_that_does_not_is_found(other, what):
    found = said(local_parity.check(local_parity.record(other), SHAPE))

    assert any(what in line for line in found)


def test_the_code_and_the_topology_fit_together():
    assert said(code_parity.check(SHAPE)) == []


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (with_queue(visibility_s=149), "landed: visibility_s is 149, less than 6 x stop_timeout_s (25 s)"),
        (with_queue(max_receives=6), "landed: SQS gives up after 6 receives, before the service has after 6"),
        (with_queue(retention_s=1_209_600), "landed: messages are kept as long as dead letters"),
    ],
)
def test_a_topology_that_the_code_does_not_fit_is_found(other, what):
    assert any(what in line for line in said(code_parity.check(other)))


def test_a_queue_that_code_uses_and_the_topology_does_not_name_is_found(tmp_path):
    source = tmp_path / "main.py"
    source.write_text('aws.queue("landed")\naws.dead_letters_of("writes")\nForward("x", 1)\n')
    writer = msgspec.structs.replace(SHAPE.services["writer"], produces=())
    other = changed(services={"writer": writer})

    assert said(code_parity.check_queues(other, "writer", [source])) == [
        "1: writer uses the queue 'landed', which its `consumes` and `produces` do not name",
        "2: writer writes dead letters to 'writes-dead', which its `consumes` and `produces` do not name",
        "3: writer forwards messages on 'writes', which its `produces` does not name",
    ]
