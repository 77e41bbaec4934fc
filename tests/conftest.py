"""What holds for every test: marks by folder, a scrubbed environment, and skips that CI does not let pass.

Marks. Everything below tests/e2e is `e2e`; everything that asks for the LocalStack fixture is `localstack`. The rest
needs no Docker.

Environment. No test sees the credentials, endpoints, profiles or Windrow settings of the person who runs it.

Skips. On a developer's machine a skip prints its reason. With CI set in the environment it is a failure, because a
suite that skips is a suite that did not run. A test that CI may be unable to run says so:
`@pytest.mark.may_skip("needs the recorded series, which are not part of the repository")`.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

pytest_plugins = ["tests.support.emulators", "tests.support.spark"]

_TESTS = Path(__file__).parent
_KEPT = frozenset({"AWS_CA_BUNDLE"})
_GIVEN = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
}


# A busy machine is no reason to fail, and what a run has found is not kept where nobody looks.
hypothesis.settings.register_profile("windrow", deadline=None, database=None)
hypothesis.settings.load_profile("windrow")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "may_skip(reason): CI may be unable to run this, so skipping it is no failure")


def pytest_itemcollected(item: pytest.Item) -> None:
    if (_TESTS / "e2e") in item.path.parents:
        item.add_marker("e2e")
    if "localstack" in getattr(item, "fixturenames", ()):
        item.add_marker("localstack")


@pytest.fixture(scope="session", autouse=True)
def scrubbed_environment() -> Iterator[None]:
    """Dummy credentials in place of whatever the machine has; nothing of Windrow's own is set."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("AWS_", "WINDROW_")) and name not in _KEPT:
                patch.delenv(name)
        for name, value in _GIVEN.items():
            patch.setenv(name, value)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """A skipped test is a failed one where CI is set, unless it is marked `may_skip`."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("may_skip") is None:
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    """A whole module that skips itself is no better than a test that does."""
    report = yield
    if report.skipped:
        _refuse_skip(report)
    return report


def _refuse_skip(report: Any) -> None:
    if os.environ.get("CI"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, and CI is set, where every test must run.\n{reason}"
