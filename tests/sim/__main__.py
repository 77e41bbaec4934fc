"""`make sim`: run seeds in all processes the machine has, and say what went wrong in them and what came of it.

python -m tests.sim --seconds 60        as many seeds as fit into a minute
python -m tests.sim --seeds 5000        so many
python -m tests.sim --only 1081         one seed, with its trace
"""

import argparse
import os
import sys
import time

from tests.sim.faults import KINDS
from tests.sim.seeds import Chunk, chunks
from tests.sim.shrinking import shrink
from tests.sim.simulation import run

_TRACE_LINES = 400
_ROUTINE = ("receive from", "hide", "leases/writers", "list config", "get config", "messages_settled")
"""What everybody does all the time."""


def main() -> int:
    """Exit 0: no law was broken. 1: one was."""
    asked = _arguments()
    # Threads inside polars cost more than they bring where frames have ten rows.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    if asked.only is not None:
        return _show(asked.only)
    began_s = time.monotonic()
    total = Chunk()
    for chunk in chunks(asked.first, asked.seeds, began_s + asked.seconds, asked.processes):
        total.seeds += chunk.seeds
        total.counts += chunk.counts
        total.switches += chunk.switches
        total.virtual_s += chunk.virtual_s
        total.failures += chunk.failures
    took_s = time.monotonic() - began_s
    print(f"seeds      {total.seeds} from {asked.first}, in {took_s:.0f} s: {total.seeds / took_s:.1f} a second")
    print(f"simulated  {total.virtual_s / 3600:.0f} hours, {total.switches:,} switches between workers")
    print(f"faults     {total.counts.total():,} fired")
    for kind in sorted(KINDS, key=lambda kind: -total.counts[kind]):
        print(f"           {total.counts[kind]:9,} {kind}")
    print(f"failures   {len(total.failures)}")
    for seed, violation in total.failures:
        print(f"           {seed}: {violation[:300]}")
    if total.failures:
        _show(min(seed for seed, _ in total.failures))
    return int(bool(total.failures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seconds", type=float, help="stop after this long; a minute, if nothing else is said")
    parser.add_argument("--seeds", type=int, help="how many seeds, however long they take")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", type=int, help="one seed, made small if it fails, with its trace")
    asked = parser.parse_args()
    if asked.seconds is None:
        asked.seconds = 60.0 if asked.seeds is None else float("inf")
    return asked


def _show(seed: int) -> int:
    """One seed with its trace; of one that fails, as little as it takes to fail."""
    report = run(seed)
    if report.violation is None:
        print("\n".join(report.trace()))
        print(f"seed {seed}: no law was broken")
        return 0
    small, dropped = shrink(report)
    lines = [line for line in small.trace() if not any(word in line for word in _ROUTINE)]
    print(f"\nseed {seed} fails without {len(dropped)} of its faults and deeds as well; what is left of them:")
    for item in small.items:
        print(f"  {item}")
    for fired in small.fired:
        print(f"  {fired.kind} at {fired.where}")
    print(f"\nThe end of its trace ({len(lines)} lines; the start is in simulated seconds):")
    print("\n".join(lines[-_TRACE_LINES:]))
    print(f"\n{small.violation}\nTo see it again: make sim ONLY={seed}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
