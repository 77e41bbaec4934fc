"""Any one process of `windrow dev` may be killed at any moment: nothing is lost, and nothing counts twice."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support import http
from tests.support.waiting import eventually
from windrow import keys
from windrow_cli import devfile, ports
from windrow_cli.connection import Deployment, resolve
from windrow_cli.devfile import DevFile
from windrow_cli.status import gather
from windrow_cli.tables import RunningLake, Session

_ROOT = Path(__file__).parents[2]
_VICTIMS = ("ingest", "consumer", "windower", "writer", "reprocessor", "emulator")
_RECORDS = 50_000
_SENSORS = 50
_START_S = 60.0
_RECOVERY_S = 30.0
_QUIET_S = 60.0


@pytest.mark.timeout(240)
def test_killing_any_process_while_records_are_sent_loses_and_doubles_nothing(tmp_path: Path) -> None:
    state, base = tmp_path / "state", ports.free_base(5)
    lines = _lines()
    half = len(lines) // (2 * len(_VICTIMS) + 3)
    with _dev(state, base) as first, _sending(state) as sender:
        assert sender.stdin is not None
        deployment = resolve({}, state)
        for victim in _VICTIMS:
            landed = _landed(deployment)
            _feed(sender, lines, half)
            # Now, when some of it has been acknowledged and the rest is on its way.
            eventually(lambda landed=landed: _landed(deployment) >= landed + 2, _RECOVERY_S, "records to land")
            killed = _ready(state).children[victim]
            os.kill(killed.pid, signal.SIGKILL)
            _feed(sender, lines, half)
            _await_restart(state, victim, killed)

        # The supervisor is a process too. Its children go on without it, and its successor takes over.
        _feed(sender, lines, half)
        orphans = _ready(state).children
        first.kill()
        first.wait()
        _feed(sender, lines, half)
        with _dev(state, base) as second:
            assert all(child.find() is None for child in orphans.values())
            _feed(sender, lines, len(lines))
            sender.stdin.close()
            assert sender.wait(_RECOVERY_S + _QUIET_S) == 0, "windrow send failed"
            sent = json.loads(sender.stdout.read()) if sender.stdout else {}
            assert (sent["records"], sent["quarantined"], sent["refused"]) == (_RECORDS, 0, 0)

            deployment = resolve({}, state)  # the same, on another emulator port perhaps
            eventually(
                lambda: _is_quiet(deployment), _QUIET_S, "every record to be in the tables and windows", every_s=0.5
            )
            found = _query(state, "select count(*) n, count(distinct (sensor, ts)) ids from sensors.records")
            assert found == [{"n": _RECORDS, "ids": _RECORDS}]
            windows = _query(state, "select sensor, window_start, row_count from sensors.windows_every_minute")
            assert Counter({(row["sensor"], row["window_start"]): row["row_count"] for row in windows}) == _expected()
            assert len(windows) == len(_expected())
            assert _windrow("status", "--state", str(state)).returncode == 0

            last = _ready(state).children
            second.send_signal(signal.SIGTERM)
            assert second.wait(30) == 0
            assert all(child.find() is None for child in last.values())


# ---------------------------------------------------------------------------------------------------- the records

_NOW = datetime.now(UTC).replace(microsecond=0)


def _time(number: int) -> datetime:
    return _NOW - timedelta(seconds=number // _SENSORS)


def _lines() -> list[bytes]:
    return [
        json.dumps(
            {
                "ts": _time(number).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "sensor": f"s{number % _SENSORS:03d}",
                "temperature": 20 + number % 7,
                "humidity": number % 100,
            }
        ).encode()
        + b"\n"
        for number in range(_RECORDS)
    ]


def _expected() -> Counter[tuple[str, str]]:
    """Records per sensor and minute."""
    return Counter(
        (f"s{number % _SENSORS:03d}", _time(number).strftime("%Y-%m-%dT%H:%M:00Z")) for number in range(_RECORDS)
    )


# ---------------------------------------------------------------------------------------------------- the processes


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "windrow_cli.main", *arguments]


@contextmanager
def _dev(state: Path, base: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A `windrow dev` that is ready; whatever it leaves behind is ended."""
    log_path = state.with_suffix(".log")
    arguments = ["--state", str(state), "--port-base", str(base), "--config", str(_ROOT / "examples")]
    with log_path.open("ab") as log:
        process = subprocess.Popen(_command("dev", *arguments), stdout=log, stderr=log, start_new_session=True)
    try:
        eventually(lambda: _is_up(state, process), _START_S, "windrow dev to be ready", every_s=0.1)
        yield process
    finally:
        process.kill()
        process.wait()
        content = devfile.read(state)
        if content is not None:
            devfile.end_leftovers(content, content.children, grace_s=5.0)


def _is_up(state: Path, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, state.with_suffix(".log").read_text()
    content = devfile.read(state)
    return (
        content is not None
        and content.is_ready
        and content.supervisor is not None
        and (content.supervisor.pid == process.pid)
    )


@contextmanager
def _sending(state: Path) -> Iterator["subprocess.Popen[bytes]"]:
    arguments = ["--state", str(state), "--batch-bytes", "64KiB", "--json"]
    process = subprocess.Popen(
        _command("send", "sensors", "-", *arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _feed(sender: "subprocess.Popen[bytes]", lines: list[bytes], count: int) -> None:
    assert sender.poll() is None, "windrow send gave up"
    assert sender.stdin is not None
    sender.stdin.write(b"".join(lines[:count]))
    sender.stdin.flush()
    del lines[:count]


def _ready(state: Path) -> DevFile:
    content = devfile.read(state)
    assert content is not None
    return content


def _await_restart(state: Path, victim: str, killed: devfile.ProcessId) -> None:
    def is_back() -> bool:
        content = _ready(state)
        return content.children.get(victim, killed) != killed and _answers(victim, content.ports[victim])

    eventually(is_back, _RECOVERY_S, f"{victim} to be back", every_s=0.1)


def _answers(victim: str, port: int) -> bool:
    try:
        status, _, _ = http.get(f"http://127.0.0.1:{port}/{'healthz' if victim == 'emulator' else 'readyz'}")
    except OSError:
        return False
    return status == 200


# ---------------------------------------------------------------------------------------------------- what came of it


def _windrow(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(_command(*arguments), capture_output=True, timeout=60, check=False)


def _query(state: Path, sql: str) -> list[dict[str, Any]]:
    done = _windrow("query", sql, "--state", str(state), "--json")
    assert done.returncode == 0, done.stderr.decode()
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _landed(deployment: Deployment) -> int:
    return sum(1 for _ in deployment.session().store().list(keys.landing_prefix("sensors")))


def _is_quiet(deployment: Deployment) -> bool:
    """Whether all records stand in the records table and in the windows. Law 8 holds all along."""
    (figures,) = gather(deployment.session(), deployment.lake(), "sensors").balances
    assert figures.unexplained == 0, figures
    if figures.written < _RECORDS or figures.in_flight or figures.uncounted_objects:
        return False
    result = Session(RunningLake(deployment)).run("select sum(row_count) n from sensors.windows_every_minute")
    return result is not None and result.read_all().to_pylist() == [{"n": _RECORDS}]
