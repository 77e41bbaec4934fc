"""`make faults`: kills Windrow's processes at every point and at any moment, and spoils their network, and compares
what the tables hold with what clients were promised. Exit 1 if anything is lost, duplicated or unexplained."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from tests.faults.figures import Figures
from tests.faults.matrix import Matrix
from tests.faults.points import POINTS
from tests.faults.stack import kill_all
from tests.faults.storm import Storm
from windrow_cli.connection import embedded_variables

_FAULTS_SHARE = 0.2
"""Seconds of network faults per second of kills."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make faults")
    parser.add_argument("--repeats", type=int, default=20, help="kills at each point")
    parser.add_argument("--seconds", type=float, default=600.0, help="length of the random kills; a fifth for faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["matrix", "kills", "faults"])
    parser.add_argument("--point", choices=POINTS, action="append", help="only this point of the matrix")
    chosen = parser.parse_args(arguments)
    for name, value in embedded_variables(os.environ).items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _give_up)
    folder = Path(tempfile.mkdtemp(prefix="windrow-faults-"))
    began_s = time.monotonic()
    points = tuple(chosen.point or POINTS)
    parts: dict[str, Callable[[], Figures]] = {
        "matrix": lambda: Matrix(folder, points, chosen.repeats, chosen.seed, _tell).run(),
        "kills": lambda: Storm("kills", folder, chosen.seconds, chosen.seed, _tell).run(),
        "faults": lambda: Storm("faults", folder, chosen.seconds * _FAULTS_SHARE, chosen.seed, _tell).run(),
    }
    figures = []
    for name, run in parts.items():
        if chosen.only in (None, name):
            figures.append(run())
            print(f"\n{figures[-1]}\n", flush=True)
    is_good = all(each.is_good for each in figures)
    minutes = (time.monotonic() - began_s) / 60
    print(f"seed {chosen.seed}, {minutes:.0f} min: {'nothing lost, nothing twice' if is_good else 'FAILED, see above'}")
    if is_good:
        shutil.rmtree(folder)
    return 0 if is_good else 1


def _give_up(number: int, _frame: FrameType | None) -> None:
    """Threads are waiting for what is ended here, so this process does not wait for them."""
    kill_all()
    os._exit(128 + number)


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
