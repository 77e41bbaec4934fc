"""Many seeds, in processes of their own."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context

from tests.sim.faults import Kind
from tests.sim.simulation import run

_CHUNK = 20
_MOST_FAILURES = 3


@dataclass
class Chunk:
    """What became of some seeds that follow each other."""

    seeds: int = 0
    counts: Counter[Kind] = field(default_factory=Counter)
    switches: int = 0
    virtual_s: float = 0.0
    failures: list[tuple[int, str]] = field(default_factory=list)


def chunks(first_seed: int, seeds: int | None, until_s: float, processes: int) -> Iterator[Chunk]:
    """Run so many seeds, or as many as there is time for; a few failures are enough. Chunks come as they are done."""
    firsts: Iterator[int] = count(first_seed, _CHUNK)
    end: int | None = None
    if seeds is not None:
        end = first_seed + seeds
        firsts = iter(range(first_seed, end, _CHUNK))
    failures = 0
    # Each process begins afresh: what it imports must find the environment that was set for it.
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        waiting: set[Future[Chunk]] = set()
        is_over = False
        while not is_over or waiting:
            while not is_over and len(waiting) < processes:
                first = next(firsts, None)
                is_over = first is None or time.monotonic() >= until_s or failures >= _MOST_FAILURES
                if not is_over and first is not None:
                    waiting.add(pool.submit(run_chunk, first, min(first + _CHUNK, end or first + _CHUNK), until_s))
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                failures += len(future.result().failures)
                yield future.result()


def run_chunk(first: int, end: int, until_s: float) -> Chunk:
    """Run seeds in this process, until it is time to stop."""
    chunk = Chunk()
    for seed in range(first, end):
        if time.monotonic() >= until_s:
            break
        report = run(seed)
        chunk.seeds += 1
        chunk.counts += report.counts
        chunk.switches += report.switches
        chunk.virtual_s += report.virtual_s
        if report.violation is not None:
            chunk.failures.append((seed, report.violation))
    return chunk
