"""The compose stack, once per session; when a test fails, what every service wrote last is in its report."""

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.stack import CommandFailed, Stack


@pytest.fixture(scope="session")
def stack(scrubbed_environment: None) -> Iterator[Stack]:
    """The stack, brought up unless it already stands, and taken down again if it was brought up here."""
    stack = Stack()
    try:
        stack.docker("version")
        stack.docker("compose", "version")
    except (CommandFailed, OSError) as error:
        pytest.skip(f"there is no Docker engine with Compose to run the stack in: {error}")
    stands_already = stack.is_up()
    try:
        if not stands_already:
            _up(stack)
        yield stack
    finally:
        stack.close()
        if not stands_already:
            stack.down()


def _up(stack: Stack) -> None:
    try:
        stack.up()
    except (CommandFailed, subprocess.TimeoutExpired) as error:
        pytest.fail(f"the stack did not come up: {error}\n\n{_all_logs(stack)}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    report: Any = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and report.when == "call" and isinstance(stack, Stack):
        report.sections.append(("latest lines of every service", _all_logs(stack)))
    return report


def _all_logs(stack: Stack) -> str:
    try:
        services = stack.compose("config", "--services").split()
        return "\n".join(f"======== {service}\n{stack.logs(service)}" for service in services)
    except (CommandFailed, OSError, subprocess.TimeoutExpired) as error:
        return f"no logs: {error}"
