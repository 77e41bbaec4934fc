"""The real Terraform plans every environment in an empty account, and leaves nothing behind when it destroys one.

Providers are stand-ins (`infra.stand_in`): the schema is the real one, and AWS has no say.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.checks.modules import INFRA
from infra.stand_in.__main__ import main
from infra.stand_in.terraform import Failed, Terraform, terraform

HERE = Path(__file__).parent
MODULES = sorted(path.parents[1].name for path in INFRA.glob("modules/*/tests/*.tftest.hcl"))
_ENVIRONMENTS = ("environments/dev", "environments/prod", "bootstrap")

pytestmark = [
    pytest.mark.skipif(shutil.which("terraform") is None, reason="there is no terraform here"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def program() -> Iterator[Terraform]:
    with terraform() as found:
        for folder in _ENVIRONMENTS:
            example = found.infra / folder / "terraform.tfvars.example"
            shutil.copy(example, example.with_suffix(""))
        everything = found.infra / "environments" / "everything"
        everything.mkdir()
        shutil.copy(HERE / "everything.tf", everything)
        yield found


def planned(program: Terraform, folder: Path, *arguments: str) -> tuple[int, int, int]:
    """How many resources there are to add, to change and to destroy."""
    told = program.run(folder, "plan", "-input=false", *arguments)
    found = re.search(r"^Plan: (\d+) to add, (\d+) to change, (\d+) to destroy\.", told, re.MULTILINE)
    assert found, told
    return int(found[1]), int(found[2]), int(found[3])


@pytest.mark.parametrize("name", _ENVIRONMENTS)
def test_what_is_handed_out_can_be_planned_with_the_values_of_its_example(program: Terraform, name: str) -> None:
    folder = program.initialized(program.infra / name)
    assert "The configuration is valid" in program.run(folder, "validate")
    added, changed, destroyed = planned(program, folder)

    assert added > (10 if name == "bootstrap" else 150)
    assert (changed, destroyed) == (0, 0)


@pytest.mark.parametrize("front", ["api", "balancer"])
@pytest.mark.parametrize("compute", ["ecs", "fargate", "hosts"])
def test_with_every_option_switched_on_it_can_be_planned(program: Terraform, compute: str, front: str) -> None:
    folder = program.initialized(program.infra / "environments/everything")
    added, changed, destroyed = planned(program, folder, f"-var=compute={compute}", f"-var=front={front}")

    assert added > 300
    assert (changed, destroyed) == (0, 0)


def test_what_was_applied_is_what_was_planned_and_destroy_leaves_nothing_behind(program: Terraform) -> None:
    folder = program.initialized(program.infra / "environments/everything")
    given = ("-input=false", "-var=compute=ecs", "-var=front=api")
    added, _, _ = planned(program, folder, *given[1:])
    applied = program.run(folder, "apply", "-auto-approve", *given)
    state = json.loads((folder / "terraform.tfstate").read_text())
    managed = sum(len(each["instances"]) for each in state["resources"] if each["mode"] == "managed")
    again = program.run(folder, "plan", *given)
    destroyed = program.run(folder, "destroy", "-auto-approve", *given)

    assert f"Apply complete! Resources: {added} added, 0 changed, 0 destroyed." in applied
    assert managed == added
    assert "No changes." in again
    assert f"Destroy complete! Resources: {added} destroyed." in destroyed
    assert json.loads((folder / "terraform.tfstate").read_text())["resources"] == []


@pytest.mark.parametrize("name", MODULES)
def test_the_tests_of_a_module_pass(program: Terraform, name: str) -> None:
    folder = program.initialized(program.infra / "modules" / name)
    told = program.run(folder, "test")

    assert re.search(r"^Success! [1-9]\d* passed, 0 failed", told, re.MULTILINE), told


def test_a_plan_can_be_seen_without_an_account(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bootstrap"]) == 0
    assert re.search(r"^Plan: \d+ to add", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "told"), [([], "Usage:"), (["nowhere"], "try environments/dev"), (["../docs"], "no folder")]
)
def test_what_is_asked_for_in_a_wrong_way_is_told(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(arguments) == 2
    assert told in capsys.readouterr().err


def test_a_fault_that_only_terraform_sees_is_told_in_its_words(program: Terraform) -> None:
    folder = program.infra / "environments" / "faulty"
    shutil.copytree(program.infra / "environments" / "dev", folder, ignore=shutil.ignore_patterns(".terraform*"))
    with (folder / "main.tf").open("a") as file:
        file.write('\nresource "aws_sqs_queue" "one" {\n  count = length(module.windrow.queue_urls.landed)\n}\n')
    program.initialized(folder)

    with pytest.raises(Failed, match="Invalid count argument"):
        program.run(folder, "plan", "-input=false")
