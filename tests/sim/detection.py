"""How many seeds it takes to catch each mutant: the table in docs/simulation.md.

    python -m tests.sim.detection

A mutant is tried from several first seeds on; what counts is the number of the seed in which a law breaks, from 1.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
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
    for number in range(most):
        with mutant.patch():
            report = run(first + number)
        if report.violation is not None:
            return number + 1
    return None


def attempt(number: int, first: int) -> tuple[int, int | None]:
    """One try of a mutant, by its number."""
    return number, seeds_until_caught(MUTANTS[number], first, _MOST_SEEDS)


def table(tries: Mapping[int, Sequence[int | None]]) -> list[str]:
    """The lines of the table, as far as there is anything to tell."""
    lines = ["| law | what is wrong | seeds until caught, each try | median |", "| --- | --- | --- | --- |"]
    for number, mutant in enumerate(MUTANTS):
        found = tries[number]
        shown = ", ".join(f"none in {_MOST_SEEDS}" if each is None else str(each) for each in found)
        middle = f"{median(each or _MOST_SEEDS for each in found):.0f}" if found else ""
        lines.append(f"| {mutant.law} | {mutant.what} | {shown} | {middle} |")
    return lines


def write(lines: Sequence[str]) -> None:
    """Put the table into the document."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    DOCUMENT.write_text(before + _BEGIN + "\n".join(lines) + "\n" + _END + after, encoding="utf-8")


def main() -> int:
    """Exit 0: every mutant is caught every time. 1: one is not."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    tries: dict[int, list[int | None]] = defaultdict(list)
    with ProcessPoolExecutor(os.cpu_count() or 1, get_context("spawn")) as pool:
        asked = [pool.submit(attempt, number, first) for first in _FIRSTS for number in range(len(MUTANTS))]
        for done in as_completed(asked):
            number, found = done.result()
            tries[number].append(found)
            print(f"{MUTANTS[number].name}: {found}", flush=True)
            write(table(tries))
    return int(any(found is None for each in tries.values() for found in each))


if __name__ == "__main__":
    sys.exit(main())
