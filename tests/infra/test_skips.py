from infra.checks import skips
from tests.support.terraform import module, said


def test_a_skip_has_its_reason_beside_it():
    text = """resource "aws_sqs_queue" "x" {
      #checkov:skip=CKV_AWS_27:it holds pointers and nothing else
      #checkov:skip=CKV_AWS_28
      #checkov:skip=CKV_AWS_29: later
    }"""

    assert said(skips.check([module(text)])) == [
        "3: skips CKV_AWS_28 and does not say why",
        "4: skips CKV_AWS_29 and does not say why",
    ]
