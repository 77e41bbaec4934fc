"""What became of a message: a value the handler returns and the worker loop acts on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """Every effect is durable and everything that follows has been sent; the message may be deleted."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now. The message becomes visible again after `after_s` seconds (None: the worker's policy decides)."""

    reason: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Dead:
    """Never. The message goes to the dead-letter queue with this reason."""

    reason: str


Outcome = Done | Retry | Dead
