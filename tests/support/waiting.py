"""Waiting for something to become true, up to a deadline. Nothing in the tests sleeps for a guessed time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(probe: Callable[[], T | None], within_s: float, what: str, every_s: float = 0.02) -> T:
    """The first truthy answer of `probe`; fails with `what` was awaited when there is none in time."""
    deadline_s = time.monotonic() + within_s
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() >= deadline_s:
            raise AssertionError(f"waited {within_s:g} s in vain for {what}; last seen: {found!r}")
        time.sleep(every_s)
