"""What goes wrong, decided by the seed: at which call of which process, and how badly."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

Kind = Literal[
    "crash",
    "pause",
    "unavailable",  # 503 before the effect
    "conflict_409",  # a conditional PUT met another under way
    "own_412",  # the reply of our PUT was lost, the client's own retry met it
    "lost_reply",  # the effect landed, nobody was told
    "landed_late",  # nobody was told, and the effect lands later still
    "partial_send",  # some messages of a send were taken
    "commit_conflict",  # a commit is refused, nothing landed
    "commit_unreported",  # a commit landed and is reported as failed
    "duplicate",  # a message is delivered twice
    "delayed",  # a message comes late
    "lost_message",  # a message never comes
    "reorder",  # messages come out of order
    "lost_event",  # S3 said nothing of an object
    "lost_answer",  # a client never hears that it was acknowledged
    "clock_skew",  # a process whose clock is wrong
    "lifecycle",  # a segment that is sealed and committed is removed
    "expiry",  # a message came back while somebody still held it
    "lost_race",  # a commit was refused because another came first
]
KINDS: tuple[Kind, ...] = get_args(Kind)

_PER_OP: Mapping[str, tuple[Kind, ...]] = {
    "read": ("unavailable", "crash", "pause"),
    "put_if_absent": ("unavailable", "conflict_409", "own_412", "lost_reply", "landed_late", "crash", "pause"),
    "put": ("unavailable", "lost_reply", "landed_late", "crash", "pause"),
    "put_if_match": ("unavailable", "conflict_409", "own_412", "lost_reply", "landed_late", "crash", "pause"),
    "send": ("unavailable", "partial_send", "lost_reply", "crash", "pause"),
    "receive": ("unavailable", "lost_reply", "crash", "pause"),
    "settle": ("unavailable", "lost_reply", "crash", "pause"),
    "open": ("unavailable", "crash", "pause"),
    "commit": ("commit_conflict", "commit_unreported", "landed_late", "crash", "pause"),
    "deliver": ("lost_message", "duplicate", "delayed"),
    "hand_out": ("reorder",),
    "event": ("lost_event",),
    "answer": ("lost_answer",),
}
"""What may go wrong with an operation."""
_MORE: Mapping[str, float] = {"commit": 8.0, "deliver": 2.0, "hand_out": 6.0, "event": 4.0, "answer": 3.0}
"""Operations that are rare, and faults that harm little, are hit more often."""
_MORE_OF: Mapping[str, float] = {"reprocessor": 5.0}
"""Processes that do little are hit more often too."""
_RATES = (0.0, 0.003, 0.012, 0.03)


class Fired(NamedTuple):
    """A fault that took place. `where` is its name within a seed: the process and which of its calls."""

    where: str
    kind: Kind


@dataclass
class Faults:
    """Every decision of a run. The same seed decides the same, whatever else was dropped from the run."""

    seed: int
    dropped: frozenset[str] = frozenset()
    """Faults that do not take place although the seed says so: how a failing run is made smaller."""
    is_on: bool = True
    fired: list[Fired] = field(default_factory=list)
    counts: Counter[Kind] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        # Not every seed has every fault: what is masked by crashes shows where there are none.
        rng = random.Random(f"{self.seed}/rates")
        most = rng.choice((0.0, 0.3, 1.0, 1.0, 1.0))
        self.rates = {kind: most * rng.choice(_RATES) for kind in KINDS}
        self.has_skew = rng.random() < 0.5

    def of(self, name: str) -> "Stream":
        """The faults of one process."""
        kind = name.partition("-")[0]
        return Stream(self, name, random.Random(f"{self.seed}/faults/{name}"), _MORE_OF.get(kind, 1.0))

    def note(self, kind: Kind, where: str = "") -> None:
        """A fault that took place by itself."""
        self.counts[kind] += 1
        if where:
            self.fired.append(Fired(where, kind))

    def allows(self, where: str) -> bool:
        return self.is_on and where not in self.dropped


@dataclass
class Stream:
    """The faults of one process, call after call."""

    faults: Faults
    name: str
    rng: random.Random
    more: float = 1.0
    calls: int = 0

    def next(self, operation: str) -> tuple[Kind | None, float]:
        """What goes wrong with the next call, and a number in [0, 1) that says how badly."""
        self.calls += 1
        chance, badly = self.rng.random(), self.rng.random()
        more = _MORE.get(operation, self.more)
        for kind in _PER_OP[operation]:
            chance -= self.faults.rates[kind] * more
            if chance < 0:
                where = f"{self.name}:{self.calls}"
                if self.faults.allows(where):
                    self.faults.note(kind, where)
                    return kind, badly
                return None, badly
        return None, badly
