"""How many seeds it takes to catch each mutant: the table in docs/simulation.md.

    python -m tests.sim.detection

A mutant is tried from several first seeds on; what counts is the number of the seed in which a law breaks, from 1.
"""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from tests.sim.mutants import MUTANTS, Mutant
from tests.sim.simulation import run

DOCUMENT = Path(__file__).parents[2] / "docs" / "simulation.md"
_BEGIN, _END = "<!-- mutants -->\n", "<!-- end of mutants -->\n"
_FIRSTS = (1_000, 2_000, 3_000)
_MOST_SEEDS = 200


def seeds_until_caught(mutant: Mutant, first: int, most: int) -> int | None:
    """How many seeds from `first` on were run until a law broke; None if none did."""
    with mutant.patch():
        for number in range(most):
            if run(first + number).violation is not None:
                return number + 1
    return None


def row(number: int) -> str:
    """The line of a mutant in the table."""
    mutant = MUTANTS[number]
    tries = [seeds_until_caught(mutant, first, _MOST_SEEDS) for first in _FIRSTS]
    caught = [found for found in tries if found is not None]
    shown = ", ".join("none" if found is None else str(found) for found in tries)
    middle = f"{median(caught):.0f}" if len(caught) == len(tries) else "-"
    return f"| {mutant.law} | {mutant.what} | {shown} | {middle} |"


def write(rows: Sequence[str]) -> None:
    """Put the table into the document."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    head = ["| law | what is wrong | seeds until caught, three tries | median |", "| --- | --- | --- | --- |"]
    DOCUMENT.write_text(before + _BEGIN + "\n".join([*head, *rows]) + "\n" + _END + after, encoding="utf-8")


def main() -> int:
    """Exit 0: every mutant is caught every time. 1: one is not."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    with ProcessPoolExecutor(os.cpu_count() or 1, get_context("spawn")) as pool:
        rows = []
        for found in pool.map(row, range(len(MUTANTS))):
            print(found, flush=True)
            rows.append(found)
    write(rows)
    return int(any("none" in each for each in rows))


if __name__ == "__main__":
    sys.exit(main())
