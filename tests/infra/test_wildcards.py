import pytest

from infra.checks import wildcards
from tests.support.terraform import planned, said


def faults(statement: str) -> list[str]:
    text = f'data "aws_iam_policy_document" "it" {{\n  statement {{\n{statement}\n  }}\n}}'
    return said(wildcards.check(planned(text)))


def test_whole_names_pass_and_so_do_keys_behind_a_zone():
    assert not faults('actions = ["s3:GetObject"]\n resources = ["arn:aws:s3:::b/lake/*"]')
    assert not faults('actions = ["logs:PutLogEvents"]\n resources = ["arn:aws:logs:r:1:log-group:/w:*"]')


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ('actions = ["s3:*"]\n resources = ["arn:aws:s3:::b/lake/*"]', "allows the actions 's3:*'"),
        ('actions = ["s3:Get*"]\n resources = ["arn:aws:s3:::b/lake/*"]', "allows the actions 's3:Get*'"),
        ('actions = ["s3:GetObject"]\n resources = ["*"]', "allows the resources '*'"),
        ('actions = ["s3:GetObject"]\n resources = ["arn:aws:s3:::b/*"]', "allows the resources 'arn:aws:s3:::b/*'"),
        (
            'actions = ["sqs:SendMessage"]\n resources = ["arn:aws:sqs:r:1:*"]',
            "allows the resources 'arn:aws:sqs:r:1:*'",
        ),
        ('not_actions = ["iam:PassRole"]\n resources = ["arn:aws:s3:::b"]', "allows all actions but some"),
        ('actions = ["s3:GetObject"]\n not_resources = ["arn:aws:s3:::b"]', "allows all resources but some"),
        (
            'actions = ["sqs:SendMessage"]\n resources = ["*"]\n principals {\n type = "*"\n identifiers = ["*"]\n}',
            "allows everybody",
        ),
    ],
)
def test_a_wildcard_is_found_where_it_stands(statement, what):
    assert faults(statement) == [f"2: {what}"]


def test_a_reason_beside_it_lets_a_wildcard_pass_and_an_empty_one_does_not():
    wide = 'actions = ["ecr:GetAuthorizationToken"]\n resources = ["*"]'

    assert not faults(f"# wildcard: ECR has no resources for this action\n{wide}")
    assert faults(f"# wildcard:\n{wide}") == ["2: allows the resources '*'"]


def test_a_denial_may_be_wide():
    assert not faults('effect = "Deny"\n actions = ["s3:*"]\n resources = ["*"]')


def test_policies_that_jsonencode_makes_are_read_too():
    text = """resource "aws_iam_role_policy" "it" {
      role   = "r"
      policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
    }"""

    assert said(wildcards.check(planned(text))) == ["3: allows the actions 's3:*'", "3: allows the resources '*'"]
