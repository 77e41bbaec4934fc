"""How much memory the writer takes while it builds files of 512 MB, in processes of its own.

Batches are laid out first, more rows than the writer seals in memory; then one process appends them, and another one
seals their bucket: sorted on disk, and written in files of the size that the spec asks for.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal, NamedTuple

from tests.bench.staging import STREAM, WIDE, Staged, batch_name, readings, settled
from windrow.lake.delta import DeltaLake

BAR_MIB = 1024
_BATCH_ROWS = 125_000
_ROW_BYTES = 105
"""What a row takes in a file: the text of its note is half random."""

Phase = Literal["append", "seal"]


class Done(NamedTuple):
    """What a process needed: all of it, imports included, in memory; the work alone in seconds."""

    seconds: float
    peak_mib: float


def memory(folder: Path, size_mb: int) -> None:
    """Lay out about `size_mb` of rows, run both phases, and print what they took."""
    batches = max(2, round(size_mb * 1e6 / _ROW_BYTES / _BATCH_ROWS))
    staged = Staged.at(folder / "staged", WIDE)
    for number in range(batches):
        staged.put(readings(number, _BATCH_ROWS, staged.spec), batch_name(number))
    print(f"memory: {batches * _BATCH_ROWS:,} rows in {batches} batches into one bucket; target 512 MB a file")
    print(f"  {'':<10}{'s':>7}{'peak MiB':>10}{'bar':>7}  files, MB")
    for phase in ("append", "seal"):
        arguments = [sys.executable, "-m", "tests.bench.large_file", str(folder), phase, str(batches)]
        found = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True)
        done = Done(*json.loads(found.stdout))
        table = DeltaLake(str(folder / "lake"), {}).open(STREAM, "records")
        assert table is not None
        sizes = sorted((file.size_bytes / 1e6 for file in table.files()), reverse=True)
        shown = " ".join(f"{size:.0f}" for size in sizes[:6]) + (f" and {len(sizes) - 6} more" if sizes[6:] else "")
        print(f"  {phase:<10}{done.seconds:>7.1f}{done.peak_mib:>10.0f}{BAR_MIB:>7}  {shown}", flush=True)
    print()


def run(folder: Path, phase: Phase, batches: int) -> Done:
    """One phase, in this process."""
    staged = Staged.at(folder / "staged", WIDE)
    names = [batch_name(number) for number in range(batches)]
    handler = staged.writer(folder / "lake")
    pointers = [staged.seal(names)] if phase == "seal" else [staged.pointer(name) for name in names]
    started_s = time.perf_counter()
    settled(handler, pointers)
    return Done(time.perf_counter() - started_s, _high_water_mib())


def _high_water_mib() -> float:
    """The most memory this process has held. What `getrusage` says includes the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:", 1)[1].split()[0]) / 1024


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))  # type: ignore[arg-type]
