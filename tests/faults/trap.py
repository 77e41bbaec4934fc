"""A process that kills itself at a named point, with no more warning than `kill -9` gives."""

import os
import signal
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Arm:
    """Where to die: the n-th time that a process reaches a point."""

    point: str
    occurrence: int = 1

    def __str__(self) -> str:
        return f"{self.point} {self.occurrence}"


def read_arms(path: Path) -> list[Arm]:
    """What a process is armed with, the next first."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return []
    return [Arm(point, int(occurrence)) for point, occurrence in (line.split() for line in lines)]


def write_arms(path: Path, arms: list[Arm]) -> None:
    """Arm a process, which may be running."""
    scratch = path.with_suffix(".new")
    scratch.write_text("".join(f"{arm}\n" for arm in arms))
    scratch.replace(path)


@dataclass
class Trap:
    """Counts how often this process reaches each point, and dies where the first line of its file says so.

    The line is taken out first: every arm kills once.
    """

    path: Path
    _reached: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reach(self, point: str) -> None:
        with self._lock:
            arms = read_arms(self.path)
            if not arms or arms[0].point != point:
                return
            self._reached[point] += 1
            if self._reached[point] >= arms[0].occurrence:
                write_arms(self.path, arms[1:])
                with self.path.with_suffix(".fired").open("a") as file:
                    file.write(f"{arms[0]}\n")
                os.kill(os.getpid(), signal.SIGKILL)
