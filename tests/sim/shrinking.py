"""A failing seed made small: without every fault and every deed that it fails without just as well."""

from collections.abc import Callable, Sequence

from tests.sim.simulation import Report, run

Runner = Callable[[int, frozenset[str]], Report]


def shrink(report: Report, most_runs: int = 150, again: Runner = run) -> tuple[Report, frozenset[str]]:
    """The smallest failing run found within so many tries, and what was left out of it.

    Halves are left out first, then quarters, and so on: most of what happens in a run has nothing to do with its end.
    """
    assert report.violation is not None, "only a failing run can be made smaller"
    dropped: frozenset[str] = frozenset()
    parts = 2
    runs = 0
    while runs < most_runs:
        there = _parts(report)
        size = max(1, len(there) // parts)
        for start in range(0, len(there), size):
            runs += 1
            smaller = again(report.seed, dropped | frozenset(there[start : start + size]))
            if smaller.violation is not None and _law(smaller) == _law(report):
                dropped |= frozenset(there[start : start + size])
                report = smaller
                break
            if runs >= most_runs:
                break
        else:
            if size == 1:
                break
            parts *= 2
    return report, dropped


def _parts(report: Report) -> Sequence[str]:
    return [*dict.fromkeys(fired.where for fired in report.fired), *(item.where for item in report.items)]


def _law(report: Report) -> str:
    return (report.violation or "").partition(":")[0]
