"""Law 5: open the handle, read what is committed, commit through that handle; an error means unknown: begin again."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from windrow import keys
from windrow.clock import Clock
from windrow.errors import OutcomeUnknown
from windrow.lake.tables import FENCE, Table
from windrow.log import Log
from windrow.metrics import Metrics
from windrow_writer.leases import Elsewhere, Leases

_BACKOFF_S = 0.2

_FULL = 0.9
Step = Literal["nothing", "some", "all"]
"""What a step committed: nothing, for there was nothing to do; some of it, perhaps all; all there was to do."""

Closed = Literal["commit", "seal", "compaction"]
"""Why a file ends where it does, if it has not reached its size: with the commit's rows, a seal's, or a partition's."""


@dataclass
class Committer:
    """Repeats a step until nothing is left to do."""

    clock: Clock
    metrics: Metrics
    log: Log
    leases: Leases
    attempts: int
    rng: random.Random = field(default_factory=random.Random)

    def commit(
        self,
        stream: str,
        table: str,
        open_handle: Callable[[], Table],
        step: Callable[[Table], Step],
        closed: Closed = "commit",
    ) -> None:
        """Run `step` with a fresh handle until it says that everything is committed.

        `step` reads marks from the handle and commits through it at most once. After a commit that may not have been
        all, or a failure that may have been a commit, it is asked again with a new handle. Raises Elsewhere when the
        table is another writer's, and OutcomeUnknown when the attempts are used up.
        """
        failures = 0
        leased = keys.leased_table(table)
        while True:
            token = self.leases.hold(stream, leased)
            handle = open_handle()
            fence = handle.mark(FENCE) or 0
            if fence > token:
                self.leases.overtaken(stream, leased, fence)
                raise Elsewhere(f"{stream}/{table} is held by another writer since (token {fence}, ours is {token})")
            if fence < token:
                handle.carry({FENCE: token})
            try:
                done = step(handle)
            except OutcomeUnknown as error:
                failures += 1
                self.metrics.count("commits_repeated", stream=stream, table=table)
                self.log.warning("commit_unknown", stream=stream, table=table, failures=failures, error=str(error))
                if failures >= self.attempts:
                    raise
                self.clock.sleep(_BACKOFF_S * 2**failures * self.rng.random())
                continue
            if done != "nothing":
                self.metrics.count("commits_made", stream=stream, table=table)
                self._measure(stream, table, handle, closed)
            if done != "some":
                return

    def _measure(self, stream: str, table: str, handle: Table, closed: Closed) -> None:
        for file in handle.committed_files():
            reason = "size" if file.size_bytes >= _FULL * handle.target_file_bytes else closed
            self.metrics.count("files_written", stream=stream, table=table, reason=reason)
            self.metrics.observe("file_bytes", file.size_bytes, stream=stream, table=table)
