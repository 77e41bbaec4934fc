"""A skip is a failure where CI is set: a suite that skips is a suite that did not run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.emulators import ROOT

SUITE = """
import pytest

def test_runs():
    pass

def test_skips():
    pytest.skip("no engine here")

@pytest.mark.skip(reason="never")
def test_is_always_skipped():
    pass

@pytest.mark.may_skip("CI has no such machine")
def test_may_skip():
    pytest.skip("no such machine")

@pytest.mark.xfail(strict=True, reason="known")
def test_is_known_to_fail():
    assert False
"""


def outcomes(folder: Path, *, is_ci: bool) -> dict[str, int]:
    (folder / "test_some.py").write_text(SUITE)
    (folder / "test_whole_module.py").write_text('import pytest\npytest.skip("all of it", allow_module_level=True)\n')
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "PYTEST_ADDOPTS")}
    environment |= {"PYTHONPATH": str(ROOT)} | ({"CI": "true"} if is_ci else {})
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:randomly", "-c", os.devnull]
    done = subprocess.run(
        [*command, "--rootdir", str(folder), "--continue-on-collection-errors", str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    summary = done.stdout.splitlines()[-1].split(" in ")[0]
    return {word: int(number) for number, word in (part.split() for part in summary.split(", "))}


@pytest.mark.parametrize(
    ("is_ci", "expected"),
    [
        (False, {"passed": 1, "skipped": 4, "xfailed": 1}),
        (True, {"passed": 1, "failed": 1, "errors": 2, "skipped": 1, "xfailed": 1}),
    ],
    ids=["on a desk", "in CI"],
)
def test_a_skip_is_a_failure_in_ci_unless_ci_may_skip_it(tmp_path: Path, is_ci: bool, expected: dict[str, int]) -> None:
    assert outcomes(tmp_path, is_ci=is_ci) == expected
