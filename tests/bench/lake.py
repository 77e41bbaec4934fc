"""The speed of the lake: commits, memory of a large file, and a whole deployment in steady flow.

`python -m tests.bench.lake` prints ratios of runs that take turns, because machines differ and are noisy. `--quick` for
a minute's worth; `--only` for a part. Everything is in a temporary folder that is gone afterwards.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import commits, flow, large_file


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that it runs, not for figures")
    parser.add_argument("--only", choices=("commits", "memory", "flow"))
    asked = parser.parse_args()
    quick: bool = asked.quick
    parts: dict[str, Callable[[Path], None]] = {
        "commits": lambda folder: _commits(folder, quick=quick),
        "memory": lambda folder: large_file.memory(folder, 60 if quick else 540),
        "flow": lambda folder: flow.run(folder, per_s=2.0, records=1_000, seconds=10 if quick else 60),
    }
    print(f"the lake; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start\n")
    for name, part in parts.items():
        if asked.only in {None, name}:
            folder = Path(tempfile.mkdtemp(prefix="windrow-bench-"))
            try:
                part(folder)
            finally:
                shutil.rmtree(folder)


def _commits(folder: Path, *, quick: bool) -> None:
    commits.throughput(folder, batches=20, batch_rows=10_000 if quick else 45_000, rounds=3 if quick else 5)
    commits.small(folder, commits=40 if quick else 200)


if __name__ == "__main__":
    main()
