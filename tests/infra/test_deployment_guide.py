"""docs/deploy.md says what there is: targets, folders, files, outputs, variables, commands of windrow and of aws."""

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from windrow_cli.main import _COMMANDS, build

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
FOLDERS = ("infra/bootstrap", "infra/environments/dev", "infra/environments/prod")

_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"")
_PARTS = re.compile(r"&&|\|\||[|;\n]")
_OF_THE_CLI_ALONE = {("configure", "export-credentials"), ("ecr", "get-login-password")}
_OF_ALL = {"query", "output", "region"}


def _lines() -> Iterator[str]:
    """Every line of the shell, with those that go on put together, and what `$(…)` runs as a line of its own."""
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", GUIDE, re.DOTALL | re.MULTILINE):
        joined = re.sub(r"\\\n\s*", "", block)
        for line in joined.splitlines():
            yield from line.strip().replace('"$(', "\n").replace(')"', "\n").split("\n")


def _split(line: str) -> Iterator[list[str]]:
    """The words of each command of a line. What is quoted is taken out meanwhile: it may look like anything."""
    quoted = _QUOTED.findall(line)
    numbers = itertools.count()
    bare = re.sub(r"(^|\s)#.*", "", _QUOTED.sub(lambda _: f"\0{next(numbers)}\0", line))
    for part in _PARTS.split(bare):
        yield shlex.split(re.sub(r"\0(\d+)\0", lambda index: quoted[int(index[1])], part))


def _commands(name: str) -> list[list[str]]:
    """The words of every command of that name, in blocks."""
    return [words for line in _lines() for words in _split(line) if words[:1] == [name]]


def _in_text(name: str) -> list[list[str]]:
    """The words of every command of that name which the text quotes."""
    prose = re.sub(r"^ *```.*?^ *```", "", GUIDE, flags=re.DOTALL | re.MULTILINE)
    quoted = [part.split() for code in re.findall(r"`([^`]+)`", prose) for part in code.split(" && ")]
    return [words for words in quoted if words[0] == name and len(words) > 1]


def _declared(kind: str, folder: str) -> set[str]:
    return {
        name
        for path in (ROOT / folder).glob("*.tf")
        for name in re.findall(rf'^{kind} "(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    }


def test_every_target_of_make_is_there_and_reads_what_it_is_given() -> None:
    rules = dict(re.findall(r"^([a-z0-9]+):(.*?)(?=^\S|\Z)", MAKEFILE, re.DOTALL | re.MULTILINE))
    calls = _commands("make") + _in_text("make")
    assert {words[1] for words in calls} >= {"setup", "push", "deploy", "rollback", "images"}
    for _, target, *given in calls:
        assert target in rules, target
        for name in (one.partition("=")[0] for one in given):
            assert f"$({name})" in rules[target], f"make {target} does not read {name}"


def test_terraform_is_run_where_there_is_something_and_asked_for_what_it_puts_out() -> None:
    calls = _commands("terraform") + _in_text("terraform")
    assert {words[2] for words in calls} == {"init", "plan", "apply", "destroy", "output"}
    for _, chdir, verb, *rest in calls:
        folder = chdir.removeprefix("-chdir=")
        assert folder in FOLDERS
        if verb == "output":
            assert {one for one in rest if not one.startswith("-")} <= _declared("output", folder)
        for target in (one for one in rest if one.startswith("-target=")):
            _, root, _, inner = target.removeprefix("-target=").split(".")
            assert root in _declared("module", folder)
            assert inner in _declared("module", "infra/modules/pipeline")


def test_the_outputs_that_the_text_names_are_there() -> None:
    of_bootstrap = re.search(r"`(\w+)` and `(\w+)` of `terraform -chdir=infra/bootstrap output`", GUIDE)
    assert of_bootstrap is not None
    assert set(of_bootstrap.groups()) <= _declared("output", "infra/bootstrap")
    of_environment = re.findall(r"`(\w+)` of that output", GUIDE)
    assert of_environment
    assert set(of_environment) <= _declared("output", "infra/modules/pipeline")


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_variable_of_an_example_is_declared(folder: str) -> None:
    example = (ROOT / folder / "terraform.tfvars.example").read_text(encoding="utf-8")

    assert set(re.findall(r"^(\w+)\s*=", example, re.MULTILINE)) <= _declared("variable", folder)


def test_every_variable_that_the_guide_sets_is_declared() -> None:
    of_all = set(re.findall(r"TF_VAR_(\w+)", GUIDE))
    appended = re.findall(r"echo '(\w+) = [^']*' >>(\S+)/terraform\.tfvars", GUIDE)
    assert of_all
    assert appended
    for folder in FOLDERS:
        assert of_all <= _declared("variable", folder)
    for name, folder in appended:
        assert name in _declared("variable", folder)


def test_what_the_guide_says_of_being_disposable_is_so() -> None:
    said = {"infra/environments/dev": "true", "infra/environments/prod": "false"}
    for folder, value in said.items():
        text = (ROOT / folder / "main.tf").read_text(encoding="utf-8")
        assert re.search(rf"^  is_disposable\s+= {value}$", text, re.MULTILINE), folder


def test_every_file_that_a_command_reads_is_there() -> None:
    words = [word for line in _lines() for word in re.split(r"[\s'\"@]+", line)]
    made = {words[-1] for words in _commands("cp")}
    read = {word for word in words if re.match(r"(infra|examples|docs)/\S+\.\w+$", word)} - made
    assert "examples/sensors/sensors.yaml" in read
    assert [path for path in sorted(read) if not (ROOT / path).exists()] == []


def test_windrow_takes_every_command_as_it_is_written() -> None:
    calls = _commands("windrow")
    assert {words[1] for words in calls} >= {"publish", "status", "send", "dead-letters", "replay"}
    for words in calls:
        build(is_overview=False).parse_args(words[1:], exit_on_error=False, print_error=False)
    assert {words[1] for words in _in_text("windrow")} - {name for name, _, _ in _COMMANDS} == set()


def test_aws_knows_every_command_and_option() -> None:
    session = botocore.session.get_session()
    calls = _commands("aws") + _in_text("aws")
    assert len(calls) > 15
    for _, service, verb, *rest in calls:
        if (service, verb) in _OF_THE_CLI_ALONE:
            continue
        model = session.get_service_model({"s3api": "s3"}.get(service, service))
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        assert verb in operations, f"aws {service} {verb}"
        shape = model.operation_model(operations[verb]).input_shape
        known = {xform_name(member, "-") for member in shape.members} | _OF_ALL
        given = {word.removeprefix("--") for word in rest if word.startswith("--")}
        assert given <= known, f"aws {service} {verb}: {given - known}"
