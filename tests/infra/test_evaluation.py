import json

import pytest

from infra.checks.values import CannotEvaluate, Unknown
from tests.support.terraform import planned


def value(expression: str, around: str = ""):
    return planned(f'{around}\noutput "it" {{\n value = {expression}\n}}').get_attr("it")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", 7),
        ('"a-${1 + 1}-${true}"', "a-2-true"),
        ("merge({ a = 1 }, { a = 2, b = 3 })", {"a": 2, "b": 3}),
        ('[for k, v in { b = 2, a = 1 } : "${k}${v}" if v > 0]', ["a1", "b2"]),
        ("{ for v in [1, 2, 3] : v % 2 => v... }", {"1": [1, 3], "0": [2]}),
        ('try(var.missing.deep, "else")', "else"),
        ('can(regex("^a", "b"))', False),
        ("one([])", None),
        ("flatten([[1, [2]], 3])", [1, 2, 3]),
        ('toset(["b", "a", "b"])', ["a", "b"]),
        ('setproduct(["a"], [1, 2])', [["a", 1], ["a", 2]]),
        ('format("%s-%03d", "x", 7)', "x-007"),
        ("jsonencode({ b = [true, null], a = 1.5 })", '{"a":1.5,"b":[true,null]}'),
        ('replace("a.b", "/[.]/", "-")', "a-b"),
        ("[{ a = { b = 1 } }][*].a.b", [1]),
        ("false && var.missing", False),
        ("max([1, 5, 3]...)", 5),
        ('cidrsubnet("10.0.0.0/16", 4, 2)', "10.0.32.0/20"),
        ('lookup({ a = 1 }, "b", 9)', 9),
    ],
)
def test_expressions_come_to_what_terraform_makes_of_them(expression, expected):
    assert value(expression) == expected


def test_variables_take_their_type_with_optional_fields_filled_in():
    declared = """variable "v" {
      type    = map(object({ a = number, b = optional(string, "x"), c = optional(bool) }))
      default = { k = { a = "1", other = 2 } }
    }"""

    assert value("var.v", declared) == {"k": {"a": 1, "b": "x", "c": None}}


def test_what_aws_computes_stays_unknown_and_is_not_null():
    queue = 'resource "aws_sqs_queue" "q" {\n name = "q"\n}'

    assert value("aws_sqs_queue.q.url", queue) == Unknown("aws_sqs_queue.q.url")
    assert value('"<${aws_sqs_queue.q.url}>"', queue) == "<${aws_sqs_queue.q.url}>"
    assert value("aws_sqs_queue.q.url == null ? 1 : 2", queue) == 2
    assert value("aws_sqs_queue.q.arn", queue) == "arn:aws:sqs:eu-central-1:111122223333:q"


def test_repeated_resources_and_modules_are_known_by_key():
    root = planned(
        'module "m" {\n source = "../other"\n for_each = toset(["b", "a"])\n name = each.key\n}',
        other="""
        variable "name" { type = string }
        resource "aws_sqs_queue" "q" {
          count = 2
          name  = "${var.name}${count.index}"
        }
        """,
    )

    assert {one.address: one.get_attr("name") for one in root.resources()} == {
        'module.m["a"].aws_sqs_queue.q[0]': "a0",
        'module.m["a"].aws_sqs_queue.q[1]': "a1",
        'module.m["b"].aws_sqs_queue.q[0]': "b0",
        'module.m["b"].aws_sqs_queue.q[1]': "b1",
    }


def test_policy_documents_are_rendered_with_dynamic_statements_and_merged_sources():
    text = """
    data "aws_iam_policy_document" "base" {
      statement {
        sid       = "Base"
        actions   = ["s3:GetObject"]
        resources = ["arn:aws:s3:::b/base/*"]
      }
    }
    data "aws_iam_policy_document" "all" {
      source_policy_documents = [data.aws_iam_policy_document.base.json]
      dynamic "statement" {
        for_each = toset(["x", "y"])
        content {
          effect    = "Deny"
          actions   = ["s3:PutObject"]
          resources = ["arn:aws:s3:::b/${statement.value}/*"]
          condition {
            test     = "Bool"
            variable = "aws:SecureTransport"
            values   = ["false"]
          }
        }
      }
    }"""
    document = json.loads(value("data.aws_iam_policy_document.all.json", text))

    assert [(one["Effect"], one["Resource"]) for one in document["Statement"]] == [
        ("Allow", ["arn:aws:s3:::b/base/*"]),
        ("Deny", ["arn:aws:s3:::b/x/*"]),
        ("Deny", ["arn:aws:s3:::b/y/*"]),
    ]
    assert document["Statement"][1]["Condition"] == {"Bool": {"aws:SecureTransport": ["false"]}}


def test_what_depends_on_itself_is_refused():
    with pytest.raises(CannotEvaluate, match="depends on itself"):
        value("local.a", "locals {\n a = local.b\n b = local.a\n}")
