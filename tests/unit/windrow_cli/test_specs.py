"""Spec files on this machine: which they are, and every fault of all of them at once."""

from pathlib import Path

import pytest

from tests.support.pipeline import SENSORS
from windrow.errors import BadInput, BadSettings
from windrow_cli.specs import default_config, read_spec, read_spec_files, read_specs, spec_files


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _write(*names: str, text: str = SENSORS) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


def test_specs_lie_anywhere_below_a_folder_and_cases_and_hidden_files_are_none() -> None:
    _write("c/a.yaml", "c/streams/b.yaml", "c/a.cases.yaml", "c/.git/c.yaml", "c/.d.yaml", "c/e.yml", "c/readme.md")

    assert spec_files([Path("c")]) == [Path("c/a.yaml"), Path("c/streams/b.yaml")]


def test_what_is_named_twice_is_one_file_and_order_is_kept() -> None:
    _write("c/a.yaml", "c/b.yaml")

    assert spec_files([Path("c/b.yaml"), Path("c")]) == [Path("c/b.yaml"), Path("c/a.yaml")]


def test_config_goes_before_examples_and_a_folder_without_specs_is_passed_over() -> None:
    with pytest.raises(BadInput, match=r"there is no \./config and no \./examples here"):
        spec_files([])
    _write("examples/a.yaml")
    Path("config").mkdir()
    assert default_config(Path()) == Path("examples")
    assert spec_files([]) == [Path("examples/a.yaml")]
    _write("config/streams/b.yaml")
    assert default_config(Path()) == Path("config")


def test_a_folder_without_specs_is_named() -> None:
    Path("c").mkdir()

    with pytest.raises(BadInput, match="c: there is no spec in this folder"):
        spec_files([Path("c")])
    with pytest.raises(BadSettings, match="there is no stream spec"):
        read_specs(Path("c"))
    assert read_specs(None) == {}


def test_every_fault_of_every_file_is_told_at_once() -> None:
    _write("a.yaml", text="stream: A\n")
    _write("b.yaml", text="stream: b\nwat: 1\n")
    _write("good.yaml")
    Path("c.yaml").write_bytes(b"\xff")
    with Path("d.yaml").open("wb") as file:
        file.truncate(300 << 10)
    with pytest.raises(BadSettings) as caught:
        read_spec_files([Path(name) for name in ("a.yaml", "b.yaml", "c.yaml", "d.yaml", "e.yaml", "good.yaml")])

    told = "\n".join(caught.value.faults)
    assert [name for name in ("a", "b", "c", "d", "e", "good") if f"{name}.yaml: " in told] == ["a", "b", "c", "d", "e"]
    assert "c.yaml: is not UTF-8 text" in told
    assert "d.yaml: is larger than any spec (256 KiB)" in told
    assert "e.yaml: cannot be read: No such file" in told


def test_a_good_file_is_read() -> None:
    _write("a.yaml")

    assert read_spec(Path("a.yaml")).stream == "sensors"
    assert read_spec_files([Path("a.yaml")]) == {"a.yaml": SENSORS}
