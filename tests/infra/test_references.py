import pytest

from infra.checks import provider_schema, references
from tests.support.terraform import module, said

QUEUES = 'resource "aws_sqs_queue" "each" {\n  for_each = toset(["a"])\n  name = each.key\n}\n'


def faults(*texts: str) -> list[str]:
    modules = [module(text, f"infra/modules/m{number}") for number, text in enumerate(texts)]
    return said(references.check(modules, provider_schema.aws()))


def test_names_that_stand_for_something_pass():
    assert not faults(
        """
        variable "prefix" {
          type = string
          validation {
            condition     = length(var.prefix) > 1
            error_message = "too short"
          }
        }
        locals { names = { for k, q in aws_sqs_queue.each : k => q.arn } }
        data "aws_region" "current" {}
        resource "aws_sqs_queue" "each" {
          for_each = toset(["a"])
          name     = "${var.prefix}-${each.key}"
          lifecycle { ignore_changes = [tags] }
        }
        resource "aws_sqs_queue" "one" {
          count      = 1
          name       = count.index
          depends_on = [aws_sqs_queue.each]
        }
        module "other" {
          source   = "../m1"
          for_each = local.names
          name     = each.value
        }
        output "arns" {
          value = [module.other["a"].arn, values(aws_sqs_queue.each)[*].arn, one(aws_sqs_queue.one[*].url), path.module,
            data.aws_region.current.region, [for m in module.other : m.arn], terraform.workspace]
        }
        data "aws_iam_policy_document" "x" {
          dynamic "statement" {
            for_each = local.names
            iterator = named
            content { sid = named.key }
          }
        }
        output "x" { value = data.aws_iam_policy_document.x.json }
        """,
        'output "arn" { value = 1 }',
    )


@pytest.mark.parametrize(
    ("expression", "said_of_it"),
    [
        ("var.prefx", "there is no variable 'prefx' in this module"),
        ("local.nothing", "there is no local 'nothing' in this module"),
        ("module.missing.arn", "there is no module 'missing' here"),
        ("aws_sqs_queue.missing.arn", "there is no aws_sqs_queue.missing in this module"),
        ("data.aws_region.missing.name", "there is no data.aws_region.missing in this module"),
        ('aws_sqs_queue.each["a"].arnn', "aws_sqs_queue has no attribute 'arnn'"),
        ("aws_sqs_queue.each.arn", "aws_sqs_queue.each is repeated, and this names none of them"),
        ("[for q in aws_sqs_queue.each : q.arnn]", "aws_sqs_queue has no attribute 'arnn'"),
        ("each.key", "each.key is used where there is no for_each"),
        ("count.index", "count.index is used where there is no count"),
        ("bareword", "'bareword' stands for nothing here"),
        ("jsonencod({})", "there is no function 'jsonencod'"),
        ('"${lower(var.missing)}"', "there is no variable 'missing' in this module"),
        ("path.here", "there is no path.here"),
    ],
)
def test_a_name_that_stands_for_nothing_is_found(expression, said_of_it):
    assert faults(f'{QUEUES}output "x" {{\n  value = {expression}\n}}') == [f"6: {said_of_it}"]


def test_an_index_on_what_is_one_is_found():
    text = 'resource "aws_sqs_queue" "one" {}\noutput "x" {\n  value = aws_sqs_queue.one[0].arn\n}'

    assert faults(text) == ["3: aws_sqs_queue.one is one and has no elements"]


def test_each_has_a_key_and_a_value_and_nothing_else():
    assert faults('resource "aws_sqs_queue" "x" {\n  for_each = {}\n  name = each.name\n}') == ["3: each has no 'name'"]


def test_an_output_that_a_module_does_not_have_is_found():
    text = 'module "other" {\n  source = "../m1"\n}\noutput "x" {\n  value = module.other.arn\n}'

    assert faults(text, "") == ["5: module 'other' has no output 'arn'"]


def test_what_nobody_uses_is_found():
    text = 'variable "a" {}\nlocals {\n  b = 1\n}\ndata "aws_region" "c" {}'

    assert faults(text) == [
        "1: variable 'a' is used nowhere",
        "3: local 'b' is used nowhere",
        "5: data.aws_region.c is used nowhere",
    ]
