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
class Forward:
    """Not here. The message is sent once more, as a new one that nobody has received yet, and this one is deleted.

    For what another worker of the same service must do: it is no failure, however many receive it before.
    """

    reason: str
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Dead:
    """Never. The message goes to the dead-letter queue with this reason."""

    reason: str


Outcome = Done | Retry | Forward | Dead
