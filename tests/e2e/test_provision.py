"""The local provisioner: repeating it changes nothing, and what is wrong is said all at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.stack import ROOT, TOPOLOGY, Stack

# The first test may have to wait for the images to be built.
pytestmark = pytest.mark.timeout(900)


def _provision(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "AWS_REGION"}
    return subprocess.run(
        [sys.executable, ROOT / "infra" / "local" / "provision.py", folder],
        env={**environment, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _on(stack: Stack) -> dict[str, str]:
    return {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": stack.url("localstack")}


def test_provisioning_what_stands_changes_nothing_and_says_what_stands(stack: Stack) -> None:
    done = _provision(ROOT / "examples", **_on(stack))

    assert done.returncode == 0, done.stderr
    for name in TOPOLOGY.queues:
        assert f"queue windrow-{name}\n" in done.stdout
        assert f"queue windrow-{name}-dead\n" in done.stdout
    for name in TOPOLOGY.buckets:
        assert f"bucket windrow-{name}\n" in done.stdout
    assert "stream cloudwatch, version 1\n" in done.stdout
    assert "(new)" not in done.stdout


def test_the_faults_of_all_specs_are_listed_together(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("stream: [")
    (tmp_path / "b.yaml").write_text("stream: good\ntime: {column: ts}\ncolumns: {ts: string}\ncolour: red\n")
    (tmp_path / "c.yaml").write_bytes(b"stream: \xff")

    done = _provision(tmp_path, **_on(stack))

    assert done.returncode == 2
    assert "a.yaml: line 1" in done.stderr
    assert "b.yaml: line 4, column 1: colour: there is no setting" in done.stderr
    assert "c.yaml: " in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_settings_are_listed_together_and_nothing_is_made(tmp_path: Path) -> None:
    done = _provision(tmp_path)

    assert done.returncode == 2
    assert "AWS_REGION is missing" in done.stderr
    assert "AWS_ENDPOINT_URL is missing" in done.stderr
    assert not done.stdout


def test_an_emulator_that_does_not_answer_is_waited_for_and_then_named(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    done = _provision(tmp_path, AWS_REGION="us-east-1", AWS_ENDPOINT_URL=nowhere, WINDROW_PROVISION_WAIT_S="0.1")

    assert done.returncode == 2
    assert f"{nowhere} was not ready within 0.1 s" in done.stderr
    assert "Traceback" not in done.stderr
