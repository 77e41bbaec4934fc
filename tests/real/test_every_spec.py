"""The specs of the recorded files say nothing that is wrong, nor anything that has no effect."""

from pathlib import Path

import pytest

from tests.real import recorded
from tests.support.pipeline import parsed
from windrow.spec.carried_out import not_carried_out
from windrow.spec.document import check

_FILES = sorted(recorded.SPECS.glob("*.yaml"))


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.stem)
def test_a_spec_has_no_faults_and_all_of_it_is_carried_out(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert check(text) == []
    assert not_carried_out(parsed(text)) == []


def test_the_command_line_finds_nothing_either(windrow) -> None:
    ran = windrow("lint", recorded.SPECS, "--strict", "--json")

    assert (ran.code, ran.answer) == (0, [])


@pytest.mark.parametrize("folder", [pytest.param(recorded.DATA, marks=recorded.needs())], ids=["data"])
def test_every_folder_of_recorded_files_has_a_spec(folder: Path) -> None:
    folders = {each.name for each in folder.iterdir() if each.is_dir()}

    assert folders
    assert [name for name in sorted(folders) if not any(file.stem.startswith(name) for file in _FILES)] == []
