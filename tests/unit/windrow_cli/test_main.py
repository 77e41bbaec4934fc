"""The command line as a whole: it teaches, and it never shows a stack."""

import re
import subprocess
import sys

import pytest

from tests.unit.windrow_cli.conftest import Windrow
from windrow_cli import main, query

_COMMANDS = ("demo", "dev", "send", "query", "status", "publish", "dead-letters", "replay")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_the_list_of_commands_has_a_line_for_each(windrow: Windrow, arguments: tuple[str, ...]) -> None:
    ran = windrow(*arguments)

    assert ran.code == 0
    for name in _COMMANDS:
        assert re.search(rf"^│ {name} +[A-Z]", ran.out, re.MULTILINE), name


@pytest.mark.parametrize("name", _COMMANDS)
def test_the_help_of_every_command_shows_how_it_is_used(windrow: Windrow, name: str) -> None:
    ran = windrow(name, "--help")

    assert ran.code == 0
    assert f"Usage: windrow {name}" in ran.out
    assert len(re.findall(rf"^ *(zcat .*\| )?windrow {name}\b", ran.out, re.MULTILINE)) >= 2, "examples"


@pytest.mark.parametrize("name", ["send", "query", "status", "publish", "dead-letters", "replay"])
def test_every_command_that_prints_a_table_speaks_json_too(windrow: Windrow, name: str) -> None:
    assert "--json" in windrow(name, "--help").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("querry",), "query"),
        (("status", "--jsn"), "--json"),
        (("send",), "STREAM"),
        (("send", "sensors"), "at least one file"),
        (("send", "../etc", "f.json"), "is not a stream name"),
        (("query", "--limit", "many"), "many"),
        (("publish",), "at least one spec file"),
        (("dead-letters", "--kind", "bird"), "record"),
    ],
)
def test_wrong_usage_is_one_clear_message_and_exit_code_2(
    windrow: Windrow, arguments: tuple[str, ...], message: str
) -> None:
    ran = windrow(*arguments)

    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert ran.err.startswith("windrow: ")


def test_nothing_running_is_one_sentence_and_exit_code_1(windrow: Windrow) -> None:
    for arguments in (("status",), ("publish", "x.yaml"), ("dead-letters",), ("replay", "--stream", "s"), ("query",)):
        if arguments[0] == "publish":
            continue
        ran = windrow(*arguments)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.count("\n") == 1
        assert "start `windrow dev`" in ran.err


def test_an_unexpected_error_is_a_message_unless_the_stack_is_asked_for(
    windrow: Windrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(query, "find_lake", broken)
    ran = windrow("query")
    assert (ran.code, ran.err) == (
        1,
        "windrow: unexpected ZeroDivisionError: oh (set WINDROW_TRACEBACK=1 to see where)\n",
    )
    with pytest.raises(ZeroDivisionError):
        windrow("query", environment={"WINDROW_TRACEBACK": "1"})


def test_ctrl_c_is_quiet(windrow: Windrow, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(query, "find_lake", interrupted)
    ran = windrow("query")
    assert (ran.code, ran.out, ran.err) == (130, "", "")


def test_a_program_that_reads_no_further_is_no_error() -> None:
    command = [sys.executable, "-m", "windrow_cli.main", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() in (0, 1)


def test_output_for_programs_has_no_colours(windrow: Windrow) -> None:
    assert "\x1b" not in windrow("--help").out


def test_commands_load_nothing_heavy_until_they_run() -> None:
    script = "import sys, windrow_cli.main; print(sorted({'boto3', 'polars', 'duckdb', 'moto'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert main.FAILED == 1
