"""When to try again: pure decisions, no clock and no randomness of their own."""

from dataclasses import dataclass

from windrow.outcomes import Dead, Retry


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential back-off with full jitter, as in the AWS Builders' Library (Timeouts, retries and backoff)."""

    base_s: float = 1.0
    """Ceiling of the first delay."""
    cap_s: float = 60.0
    """Ceiling of every delay."""
    max_attempts: int = 6
    """Receives after which a message that still fails is dead. Stay below the queue's max_receives: a message that
    SQS redrives itself carries no reason."""

    def delay_s(self, attempt: int, unit_random: float) -> float:
        """The delay before the attempt after `attempt` (1 is the first); `unit_random` in [0, 1)."""
        ceiling = min(self.cap_s, self.base_s * 2.0 ** (min(attempt, 32) - 1))
        return ceiling * unit_random

    def settle(self, retry: Retry, attempt: int, unit_random: float) -> Retry | Dead:
        """Turn a wish to retry into a delay, or into death once attempts are used up."""
        if attempt >= self.max_attempts:
            return Dead(f"gave up after {attempt} attempts: {retry.reason}")
        return Retry(retry.reason, self.delay_s(attempt, unit_random) if retry.after_s is None else retry.after_s)


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """Stops a consumer whose messages mostly fail, so a bad deploy cannot drain a good stream into the DLQ (law 9)."""

    window: int = 20
    """How many of the latest messages are looked at."""
    max_ratio: float = 0.5
    """Share of failures among them from which the consumer stops."""

    def is_exceeded(self, recent_failures: tuple[bool, ...]) -> bool:
        """Whether the latest results (True is a failure) call for a stop; too few results never do."""
        recent = recent_failures[-self.window :]
        return len(recent) >= self.window and sum(recent) / len(recent) >= self.max_ratio
