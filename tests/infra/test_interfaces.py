import pytest

from infra.checks import interfaces
from tests.support.terraform import module, said

VERSIONS = """terraform {
  required_version = ">= 1.11"
  required_providers { aws = { source = "hashicorp/aws", version = ">= 6.0, < 7.0" } }
}
"""


def variable(kind: str, more: str = "") -> str:
    return f'variable "it" {{\n type = {kind}\n description = "it"\n {more}\n}}\n'


def faults(caller: str, called: str) -> list[str]:
    modules = [module(VERSIONS + caller, "infra/modules/caller"), module(VERSIONS + called, "infra/modules/called")]
    return said(interfaces.check(modules))


def call(arguments: str) -> str:
    return f'module "m" {{\n  source = "../called"\n  {arguments}\n}}'


def test_a_call_that_gives_what_is_declared_passes():
    shape = "object({ a = string, b = optional(list(number)) })"

    assert not faults(call('it = { a = "x", b = [1] }\n  for_each = {}'), variable(f"map({shape})".replace("map", "")))
    assert not faults(call("it = var.x"), variable(shape))
    assert not faults(call(""), variable(shape, "default = null"))


@pytest.mark.parametrize(
    ("kind", "given", "said_of_it"),
    [
        ("string", "other = 1\n  it = 1", "7: module 'm' has no variable 'other'"),
        ("string", "", "5: module 'm' needs the variable 'it'"),
        ("number", 'it = "many"', "7: module 'm': it takes a number, not 'many'"),
        ("bool", "it = 1", "7: module 'm': it takes a bool, not 1"),
        ("string", "it = []", "7: module 'm': it takes a string, not a collection"),
        ("list(string)", 'it = "a"', "7: module 'm': it takes a list"),
        ("map(number)", 'it = { a = "b" }', "7: module 'm': it[a] takes a number, not 'b'"),
        ("object({ a = string })", 'it = { a = "b", c = 1 }', "7: module 'm': it has no field 'c'"),
        ("object({ a = string })", "it = {}", "7: module 'm': it needs the field 'a'"),
    ],
)
def test_a_call_that_does_not_fit_is_found(kind, given, said_of_it):
    assert faults(call(given), variable(kind)) == [said_of_it]


def test_a_source_that_is_no_folder_of_ours_is_found():
    assert faults('module "m" {\n source = "../elsewhere"\n}', "") == ["5: module 'm' has no source in infra/"]


def test_what_is_not_typed_or_described_is_found():
    assert faults("", 'variable "a" {}\noutput "b" {\n value = 1\n}') == [
        "5: variable 'a' has no description",
        "5: variable 'a' has no type",
        "6: output 'b' has no description",
    ]


def test_versions_are_pinned_from_below_and_above():
    open_above = module(
        'terraform {\n required_version = "1"\n required_providers {\n aws = { version = ">= 6" }\n}\n}'
    )

    assert said(interfaces.check([open_above])) == ["4: provider 'aws' is not pinned from below and above"]
    assert said(interfaces.check([module('data "aws_region" "x" {}')])) == [
        "0: Terraform's version is not pinned",
        "0: provider 'aws' is used and not in required_providers",
    ]


def test_a_called_module_leaves_the_provider_to_its_caller():
    assert faults(call(""), 'provider "aws" {}') == ["5: a called module configures a provider"]


def test_labels_are_snake_case():
    assert faults("", 'data "aws_region" "Here" {}') == ["5: 'Here' is no snake_case name"]
