"""Law 5: open the handle, read what is committed, commit through that handle; an error means unknown: begin again."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from windrow.clock import Clock
from windrow.errors import OutcomeUnknown
from windrow.lake.tables import Table
from windrow.log import Log
from windrow.metrics import Metrics

_BACKOFF_S = 0.2


@dataclass
class Committer:
    """Repeats a step until nothing is left to do."""

    clock: Clock
    metrics: Metrics
    log: Log
    attempts: int
    rng: random.Random = field(default_factory=random.Random)

    def commit(self, stream: str, table: str, open_handle: Callable[[], Table], step: Callable[[Table], bool]) -> None:
        """Run `step` with a fresh handle until it says that everything is committed (False: nothing to do).

        `step` reads marks from the handle, commits through it at most once, and returns whether it committed. After a
        commit, or a failure that may have been one, it is asked again with a new handle. Raises OutcomeUnknown when the
        attempts are used up.
        """
        failures = 0
        while True:
            handle = open_handle()
            try:
                if not step(handle):
                    return
            except OutcomeUnknown as error:
                failures += 1
                self.metrics.count("commits_repeated", stream=stream, table=table)
                self.log.warning("commit_unknown", stream=stream, table=table, failures=failures, error=str(error))
                if failures >= self.attempts:
                    raise
                self.clock.sleep(_BACKOFF_S * 2**failures * self.rng.random())
                continue
            self.metrics.count("commits_made", stream=stream, table=table)
