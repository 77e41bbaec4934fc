"""`dev.json`: found by others, never mistaken, and tidied up after."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec

from windrow_cli import devfile
from windrow_cli.devfile import DevFile, ProcessId


def _content(**more: object) -> DevFile:
    known = {"endpoint_url": "http://127.0.0.1:1", "is_embedded": True, "region": "r", "prefix": "p", "topology": "t"}
    return DevFile(**{**known, "ports": {"ingest": 1}, **more})  # type: ignore[arg-type]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    content = _content(supervisor=ProcessId.of(os.getpid()), is_ready=True)
    devfile.write(tmp_path, content)

    assert devfile.read(tmp_path) == content
    assert [path.name for path in tmp_path.iterdir()] == ["dev.json"]


def test_a_file_that_is_missing_or_broken_says_nothing(tmp_path: Path) -> None:
    assert devfile.read(tmp_path) is None
    (tmp_path / "dev.json").write_text('{"v": 1, "endp')
    assert devfile.read(tmp_path) is None


def test_one_supervisor_at_a_time_holds_a_state_folder(tmp_path: Path) -> None:
    assert not devfile.is_running(tmp_path)
    with devfile.held(tmp_path) as first:
        assert first
        assert devfile.is_running(tmp_path)
        with devfile.held(tmp_path) as second:
            assert not second
    assert not devfile.is_running(tmp_path)


def test_the_death_of_a_supervisor_frees_its_folder_whatever_the_file_says(tmp_path: Path) -> None:
    script = "import sys, pathlib; from windrow_cli import devfile\n"
    script += "with devfile.held(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        devfile.write(tmp_path, _content(supervisor=ProcessId.of(process.pid), is_ready=True))
        assert devfile.is_running(tmp_path)
        process.kill()
        process.wait()

    assert not devfile.is_running(tmp_path)


def test_a_number_that_was_given_to_another_process_is_not_the_same_process() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        itself = ProcessId.of(process.pid)
        assert itself is not None
        assert itself.find() is not None
        earlier = msgspec.structs.replace(itself, started_s=itself.started_s - 60)
        assert earlier.find() is None
        left = _content(children={"earlier": earlier})
        assert devfile.end_leftovers(left, left.children, 1.0) == []
        assert process.poll() is None
        process.kill()
    assert itself.find() is None
    assert ProcessId.of(process.pid) is None


def test_what_a_killed_supervisor_left_running_is_ended(tmp_path: Path) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        child = ProcessId.of(process.pid)
        assert child is not None
        left = _content(children={"writer": child, "gone": ProcessId(child.pid, 1.0)})

        assert devfile.end_leftovers(left, ["emulator", "gone"], 0.2) == []
        assert devfile.end_leftovers(left, left.children, 0.2) == ["writer"]
        assert child.find() is None
