"""`windrow lint`: what is wrong, where, and with which exit code."""

import json
from pathlib import Path

import pytest

from tests.unit.windrow_cli.conftest import Windrow

GOOD = """\
stream: sensors
time: {column: ts}
columns: {ts: timestamp, v: float}
"""
WINDOWS = """\
windows:
  holes: {kind: sliding, size: 1h, slide: 2h, aggregates: {}}
  filled: {size: 1h, fill: zero, aggregates: {}}
  counted: {kind: count, length: 5, aggregates: {}}
"""


@pytest.fixture(autouse=True)
def specs(windrow: Windrow) -> None:
    """Files in the folder that the command runs in."""
    Path("good.yaml").write_text(GOOD)
    Path("bad.yaml").write_text(GOOD.replace("v: float", "v: flaot") + "keep: newest\n")
    Path("later.yaml").write_text(GOOD + "windows: {w: {kind: count, length: 5, aggregates: {}}}\n")
    Path("windows.yaml").write_text(GOOD + WINDOWS)


def test_a_good_spec_is_said_to_be_good(windrow: Windrow) -> None:
    ran = windrow("lint", "good.yaml")

    assert (ran.code, ran.out, ran.err) == (0, "1 file: no faults\n", "")


def test_faults_stand_where_an_editor_can_jump_to(windrow: Windrow) -> None:
    ran = windrow("lint", "good.yaml", "bad.yaml")
    lines = ran.out.splitlines()

    assert ran.code == 1
    assert lines[0].startswith("bad.yaml:3:29: columns.v.type: 'flaot' is not a type; did you mean float?")
    assert lines[1] == "bad.yaml:4:7: keep: 'newest' is not a value of keep; there are (last, first)"
    assert lines[2:] == ["2 files: 2 faults"]


def test_what_has_no_effect_is_a_warning_unless_it_is_meant_strictly(windrow: Windrow) -> None:
    ran = windrow("lint", "later.yaml")
    strict = windrow("lint", "later.yaml", "--strict")

    assert (ran.code, strict.code) == (0, 1)
    assert ran.out == strict.out
    assert ran.out.startswith("later.yaml:4:21: warning: windows.w.kind")
    assert ran.out.endswith("1 file: no faults, 1 warning\n")


def test_what_a_stream_does_not_follow_and_what_is_seldom_meant_are_warnings_where_they_stand(windrow: Windrow) -> None:
    ran = windrow("lint", "windows.yaml")
    lines = ran.out.splitlines()

    assert ran.code == 0
    assert [line.split(": ")[:3] for line in lines[:-1]] == [
        ["windows.yaml:5:43", "warning", "windows.holes.slide"],
        ["windows.yaml:6:28", "warning", "windows.filled.fill"],
        ["windows.yaml:7:19", "warning", "windows.counted.kind"],
    ]
    assert lines[-1] == "1 file: no faults, 3 warnings"
    assert windrow("lint", "windows.yaml", "--strict").code == 1


def test_programs_get_every_part_by_itself(windrow: Windrow) -> None:
    ran = windrow("lint", "bad.yaml", "later.yaml", "--json")
    first, second, third = json.loads(ran.out)

    assert ran.code == 1
    assert list(first) == ["file", "line", "column", "path", "level", "message"]
    assert (first["file"], first["line"], first["column"], first["path"], first["level"]) == (
        "bad.yaml", 3, 29, "columns.v.type", "fault",
    )  # fmt: skip
    assert (second["path"], third["level"]) == ("keep", "warning")
    assert json.loads(windrow("lint", "good.yaml", "--json").out) == []


def test_a_folder_means_every_spec_below_it_and_no_cases(windrow: Windrow) -> None:
    Path("config/streams/deep").mkdir(parents=True)
    for name in ("config/a.yaml", "config/streams/deep/b.yaml", "config/streams/a.cases.yaml", "config/notes.md"):
        Path(name).write_text("stream: UPPER" if "cases" in name or "notes" in name else GOOD)

    assert windrow("lint", "config").out == "2 files: no faults\n"
    assert windrow("lint", "config", "config/a.yaml").out == "2 files: no faults\n"


@pytest.mark.parametrize("folder", ["config", "examples"])
def test_without_a_file_the_specs_that_lie_about_are_checked(windrow: Windrow, folder: str) -> None:
    Path(folder).mkdir()
    Path(folder, "a.yaml").write_text(GOOD)

    assert windrow("lint").out == "1 file: no faults\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "give at least one spec file or folder"),
        (("gone.yaml",), "gone.yaml: there is no such file or folder"),
        (("empty",), "empty: there is no spec in this folder"),
        (("--stric",), "--strict"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(
    windrow: Windrow, arguments: tuple[str, ...], sentence: str
) -> None:
    Path("empty").mkdir()
    ran = windrow("lint", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b"stream: \xff", "odd.yaml:1:9: is not UTF-8"),
        (b"a: [", "odd.yaml:1:5: is not YAML"),
        (b"", "odd.yaml:1:1: expected"),
    ],
)
def test_what_is_no_text_at_all_is_a_fault_of_its_file_alone(windrow: Windrow, raw: bytes, place: str) -> None:
    Path("odd.yaml").write_bytes(raw)
    ran = windrow("lint", "odd.yaml", "good.yaml")

    assert ran.code == 1
    assert ran.out.startswith(place)
    assert ran.out.endswith("2 files: 1 fault\n")


def test_a_file_that_cannot_be_read_is_a_fault(windrow: Windrow, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)

    assert windrow("lint", "good.yaml").out.startswith("good.yaml:1:1: cannot be read: Permission denied")


def test_what_a_terminal_would_obey_is_made_visible(windrow: Windrow) -> None:
    Path("odd.yaml").write_text(GOOD + '"\\e[31m[bold]red": 1\n')
    ran = windrow("lint", "odd.yaml")

    assert "\x1b" not in ran.out
    assert "[bold]red" in ran.out
