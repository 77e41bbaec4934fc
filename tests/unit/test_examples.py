"""The examples: each is whole, good, and does what it says."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from windrow.cases import parse_cases
from windrow.decoding.formats import kind_of_name
from windrow_cli import main
from windrow_cli.lint import findings_in
from windrow_cli.specs import CASES_SUFFIX, read_spec, spec_files

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ROOMS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir())
SPECS = spec_files([EXAMPLES])


def _name(path: Path) -> str:
    return str(path.relative_to(EXAMPLES))


def _commands(room: Path) -> list[str]:
    """Every command line in a room's README: in a block of its own, or in the middle of a sentence."""
    text = (room / "README.md").read_text()
    return re.findall(r"^windrow .+$", text, re.MULTILINE) + re.findall(r"`(windrow [a-z]+ [^`]+)`", text)


COMMANDS = [(room, command) for room in ROOMS for command in _commands(room)]


@pytest.mark.parametrize("spec", SPECS, ids=_name)
def test_a_spec_is_without_fault_or_warning(spec: Path) -> None:
    assert findings_in(spec) == []
    assert read_spec(spec).description


@pytest.mark.parametrize("spec", SPECS, ids=_name)
def test_a_spec_has_cases_that_show_what_it_takes_and_what_it_refuses(spec: Path) -> None:
    cases = spec.with_name(spec.stem + CASES_SUFFIX)

    assert any(case.records for case in parse_cases(cases.read_text(), str(cases)))


@pytest.mark.parametrize("spec", SPECS, ids=_name)
def test_the_cases_of_a_spec_hold(spec: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = main.run(["test", str(spec)], {})

    told = capfd.readouterr()
    assert code == 0, told.out + told.err


@pytest.mark.parametrize("room", ROOMS, ids=_name)
def test_an_example_has_a_page_a_spec_and_a_sample_that_a_case_reads(room: Path) -> None:
    samples = {path.name for path in room.iterdir() if kind_of_name(path.name) is not None}
    read = {
        case.file
        for path in room.glob(f"*{CASES_SUFFIX}")
        for case in parse_cases(path.read_text(), str(path))
        if case.file is not None
    }

    assert (room / "README.md").read_text().startswith("# ")
    assert any(spec.parent == room for spec in SPECS)
    assert samples == read != set()


def test_every_stream_has_one_example() -> None:
    streams = [read_spec(spec).stream for spec in SPECS]

    assert sorted(set(streams)) == sorted(streams)
    assert [spec.stem for spec in SPECS] == streams


@pytest.mark.parametrize(("room", "command"), COMMANDS, ids=[command for _, command in COMMANDS])
def test_a_command_on_an_examples_page_runs_as_it_stands(
    room: Path, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    code = main.run(shlex.split(command)[1:], {})

    told = capfd.readouterr()
    # What explains refused records, or asks before it proposes, ends with 1: that is no failure.
    assert code in (0, 1), told.err
    assert "windrow:" not in told.err
    assert told.out + told.err


def test_every_page_shows_what_becomes_of_its_sample() -> None:
    explained = {room for room, command in COMMANDS if command.startswith("windrow explain ")}

    assert explained == set(ROOMS)
