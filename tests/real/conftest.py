"""The command line, run inside this process in an empty folder."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from windrow_cli import main


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        """What it wrote as JSON."""
        assert self.out, self.err
        return json.loads(self.out)


Windrow = Callable[..., Ran]


@pytest.fixture
def windrow(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Windrow:
    """Runs one command line."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Ran:
        capfd.readouterr()
        code = main.run([str(each) for each in arguments], {})
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    return run
