"""How a service's process ends, seen from outside: exit codes, the one message, and what SIGTERM does."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

STARTING = """
import threading
from windrow import process
from windrow.errors import Unavailable
from windrow.settings import Settings

def run(settings, log):
    {body}

process.main("ingest", Settings, run)
"""
GOOD = {"AWS_REGION": "eu-central-1", "WINDROW_PORT": "8080"}
DRAINS = "stop = threading.Event(); process.on_stop_signal(stop.set, 20); log.info('waiting'); stop.wait(60)"
HANGS = "process.on_stop_signal(lambda: None, 0.05); log.info('waiting'); threading.Event().wait(60)"


def environment(given: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WINDROW_"))}
    return {**kept, **given}


def start(body: str, given: Mapping[str, str] = GOOD) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", STARTING.format(body=body)]
    return subprocess.run(command, env=environment(given), capture_output=True, text=True, check=False, timeout=60)


@contextmanager
def running(body: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that has said it is waiting."""
    command = [sys.executable, "-c", STARTING.format(body=body)]
    with subprocess.Popen(command, env=environment(GOOD), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while '"waiting"' not in process.stdout.readline():
            assert process.poll() is None, "the process ended before it waited"
        try:
            yield process
        finally:
            process.kill()


def test_a_process_that_is_done_says_so_and_exits_with_0() -> None:
    done = start("pass")

    assert done.returncode == 0
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["service_started", "service_stopped"]


def test_missing_and_wrong_settings_are_one_message_and_exit_code_2() -> None:
    done = start("pass", {"WINDROW_PORT": "http", "WINDROW_PREFX": "a"})

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("windrow ingest cannot start: settings: 3 faults\n")
    assert "AWS_REGION is missing" in done.stderr
    assert "WINDROW_PORT='http' is wrong" in done.stderr
    assert "did you mean WINDROW_PREFIX?" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_known_error_is_one_line_and_exit_code_1() -> None:
    done = start("raise Unavailable('the queue does not answer')")

    assert done.returncode == 1
    failed = json.loads(done.stdout.splitlines()[-1])
    assert (failed["event"], failed["error"]) == ("service_failed", "the queue does not answer")
    assert done.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_drains_and_exits_with_0(number: signal.Signals) -> None:
    with running(DRAINS) as process:
        process.send_signal(number)
        assert process.wait(timeout=20) == 0


def test_a_drain_that_takes_too_long_is_given_up_with_exit_code_1() -> None:
    with running(HANGS) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 1
