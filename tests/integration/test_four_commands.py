"""A newcomer with a CSV that nobody has described: init, dev, send, query, and the rows are there."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import eventually
from windrow_cli import devfile, ports

_ROOT = Path(__file__).parents[2]
_BIN = Path(sys.executable).parent
_COMMAND_S = 90
_TABLES_S = 60.0
_ROWS = [
    {"time": f"2024-03-{day:02d} {hour:02d}:00", "counter": counter, "bikes": day * hour, "temperature": day - 4.5}
    for day in range(1, 29)
    for hour in (8, 18)
    for counter in ("Harbour", "Old Bridge, east")
]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with nothing but bikes.csv, and nothing left running in it afterwards."""
    header = ",".join(_ROWS[0])
    rows = [f'{row["time"]},"{row["counter"]}",{row["bikes"]},{row["temperature"]}' for row in _ROWS]
    (tmp_path / "bikes.csv").write_text("\n".join([header, *rows, ""]))
    yield tmp_path
    _run(tmp_path, "windrow", "dev", "--stop")
    content = devfile.read(tmp_path / ".windrow")
    if content is not None:
        devfile.end_leftovers(content, content.children, grace_s=5.0)


@pytest.mark.timeout(240)
def test_an_unknown_csv_goes_from_file_to_query_in_four_commands(folder: Path) -> None:
    init, dev, send, query = _commands_on_the_front_page()
    proposed = _run(folder, *init)
    _run(folder, *dev, "--port-base", str(ports.free_base(5)))
    sent = _run(folder, *send)

    assert sent == "Files for bikes: 1 uploaded into the landing zone\n"
    found = eventually(lambda: _records(folder), _TABLES_S, "the rows to be in the table", every_s=0.5)
    assert found == sorted(
        ({**row, "time": f"{row['time'].replace(' ', 'T')}:00Z"} for row in _ROWS),  # type: ignore[attr-defined]
        key=lambda row: (row["counter"], row["time"]),
    )

    assert "Old Bridge, east" in _run(folder, *query)

    # What init prints at its end is what works: it runs as it stands, but for the one that runs already.
    commands = [shlex.split(line) for line in proposed.splitlines() if line.startswith("  windrow ")]
    assert [command[1] for command in commands] == ["lint", "explain", "dev", "send", "query"]
    for command in commands:
        if command[1] != "dev":
            assert _run(folder, *command)
    assert _run(folder, "windrow", "send", "bikes", "bikes.csv").endswith(
        "0 uploaded into the landing zone, 1 already sent\n"
    )
    status = json.loads(_run(folder, "windrow", "status", "--json"))
    assert "'unexplained': 0" in str(status)
    verified = json.loads(_run(folder, "windrow", "lake", "--verify", "--json"))
    assert (verified["is_whole"], verified["tables"][0]["table"]) == (True, "bikes.records")
    assert json.loads(_run(folder, "windrow", "query", "from bikes.records", "--version", "0", "--json")) == []


def _commands_on_the_front_page() -> list[list[str]]:
    """The commands of the README's section for newcomers, as a shell reads them."""
    section = (_ROOT / "README.md").read_text().split("four commands\n", 1)[1].split("\n## ", 1)[0]
    commands = [shlex.split(line[2:], comments=True) for line in section.splitlines() if line.startswith("$ ")]
    assert [command[:2] for command in commands] == [["windrow", name] for name in ("init", "dev", "send", "query")]
    return commands


def _records(folder: Path) -> list[dict[str, object]]:
    """The rows of the records table; none before the table is there."""
    sql = "select time, counter, bikes, temperature from bikes.records order by counter, time"
    done = _start(folder, "windrow", "query", sql, "--json")
    rows: list[dict[str, object]] = json.loads(done.stdout) if done.returncode == 0 else []
    return rows


def _run(folder: Path, *command: str) -> str:
    done = _start(folder, *command)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _start(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PATH": f"{_BIN}:{os.environ['PATH']}"}
    environment = {name: value for name, value in environment.items() if not name.startswith(("AWS_", "WINDROW_"))}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_COMMAND_S, check=False
    )
