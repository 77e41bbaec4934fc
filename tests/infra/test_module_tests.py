from pathlib import Path

import pytest

from infra.checks import module_tests, provider_schema
from infra.checks.parsing import parse
from tests.support.terraform import module, said

QUEUE = module(
    """
    variable "name" {
      type = string
      validation {
        condition     = length(var.name) > 2
        error_message = "too short"
      }
    }
    resource "aws_sqs_queue" "it" { name = var.name }
    output "name" { value = aws_sqs_queue.it.name }
    """
)
MOCKED = 'mock_provider "aws" {}\nvariables {\n  name = "abc"\n}\n'


def faults(text: str) -> list[str]:
    tally = module_tests.Tally()
    tree = {QUEUE.folder.resolve(): QUEUE}
    path = QUEUE.folder / "tests" / "it.tftest.hcl"
    return said(module_tests.check_file(path, parse(text), QUEUE, tree, provider_schema.aws(), tally))


def asserting(condition: str, more: str = "") -> str:
    return f'{MOCKED}run "it" {{\n {more}\n assert {{\n condition = {condition}\n error_message = "no"\n}}\n}}'


def test_what_is_asserted_and_so_passes():
    assert not faults(asserting('aws_sqs_queue.it.name == "abc" && output.name == var.name'))


@pytest.mark.parametrize(
    ("condition", "what"),
    [
        ('aws_sqs_queue.it.name == "xyz"', "8: what is asserted is not so"),
        ('output.nmae == "abc"', "8: there is no output 'nmae' in this module"),
        ('aws_sqs_queue.other.name == "abc"', "8: there is no aws_sqs_queue.other in this module"),
        ('aws_sqs_queue.it.nmae == "abc"', "8: aws_sqs_queue has no attribute 'nmae'"),
    ],
)
def test_an_assertion_that_is_not_so_or_names_nothing_is_found(condition, what):
    assert faults(asserting(condition)) == [what]


def test_a_run_gives_what_the_module_declares():
    assert faults(asserting("true", "variables {\n nmae = 1\n}")) == ["7: there is no variable 'nmae' in module sample"]
    assert faults('mock_provider "aws" {}\nrun "it" {\n assert {\n condition = true\n}\n}') == [
        "2: run 'it' needs the variable 'name'"
    ]


def test_a_run_sees_its_own_variables_and_the_outputs_of_those_before():
    second = """
    run "second" {
      variables { name = "${run.first.name}-more" }
      assert {
        condition     = aws_sqs_queue.it.name == "abc-more"
        error_message = "no"
      }
    }"""

    assert not faults(asserting("true").replace('"it"', '"first"') + second)


def test_a_refusal_that_is_expected_must_come():
    expecting = f'{MOCKED}run "it" {{\n variables {{\n name = "%s"\n }}\n expect_failures = [var.name]\n}}'

    assert not faults(expecting % "ab")
    assert faults(expecting % "abc") == ["9: var.name is not refused"]


def test_values_of_the_mocked_provider_are_used():
    mocked = 'mock_provider "aws" {\n mock_resource "aws_sqs_queue" {\n defaults = { url = "here" }\n}\n}\n'
    text = asserting('aws_sqs_queue.it.url == "here"')

    assert not faults(text.replace('mock_provider "aws" {}\n', mocked))


def test_a_file_that_asserts_nothing_or_mocks_nothing_is_found():
    assert faults('variables {\n name = "abc"\n}\nrun "it" {}') == [
        "0: nothing is asserted",
        "0: the provider is not mocked",
    ]


def test_a_module_without_tests_is_found(tmp_path):
    folder = tmp_path / "modules" / "empty"
    folder.mkdir(parents=True)
    found = module_tests.check([module("", str(folder))], provider_schema.aws(), module_tests.Tally())

    assert [finding.what for finding in found] == ["there are no tests"]
    assert Path(folder).is_dir()
