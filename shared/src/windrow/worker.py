"""The one loop that receives, handles and settles messages. Nothing else deletes, returns or dead-letters one."""

import random
import re
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from windrow.clock import Clock
from windrow.errors import Permanent, Transient, WindrowError
from windrow.health import Health
from windrow.log import Log
from windrow.metrics import Metrics
from windrow.outcomes import Dead, Done, Forward, Outcome, Retry
from windrow.ports import Delivery, Outgoing, Queue
from windrow.retry import FailureLimit, RetryPolicy

_RECEIVE_MAX = 10  # the most SQS gives in one call
_REASON_CHARS = 1_000
_NOT_IN_SQS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PROBES = 5  # failed messages that are kept while stopped; one of them may be bad itself


class Handler(Protocol):
    """A service's work. Outcomes come back in the order of the messages."""

    def handle(self, bodies: Sequence[str]) -> Sequence[Outcome]:
        """Make effects durable, send what follows, and say what became of each message.

        May raise: the loop then handles the messages one by one, so that a poisonous one costs only itself.
        """
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How much a worker takes at once and how it behaves around that."""

    max_messages: int = 10
    """Most messages handled together."""
    linger_s: float = 0.0
    """How long to wait for more once the first has come, where many together are cheaper than each alone."""
    wait_s: float = 5.0
    """Long-poll time of one receive."""
    visibility_s: float = 120.0
    """How long a message stays hidden; renewed at a third of it for everything held."""
    idle_every_s: float | None = None
    """How often `when_idle` runs, if there is one."""
    stopped_probe_s: float = 15.0
    """Pause between single-message trials while stopped by the failure limit."""


_RETRY, _LIMIT, _PACE = RetryPolicy(), FailureLimit(), Pace()


@dataclass
class Worker:
    """One queue, one handler, one loop."""

    queue: Queue
    dead_letters: Queue
    handler: Handler
    clock: Clock
    health: Health
    metrics: Metrics
    log: Log
    retry: RetryPolicy = _RETRY
    limit: FailureLimit = _LIMIT
    pace: Pace = _PACE
    when_idle: Callable[[], None] | None = None
    """Periodic work of the service (its sweep), run between messages."""
    rng: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._recent: deque[bool] = deque(maxlen=self.limit.window)
        self._held: dict[str, Delivery] = {}
        self._held_lock = threading.Lock()
        self._last_idle_s: float | None = None
        self._probes: deque[Delivery] = deque()
        self._probe_count = 0
        self.is_stopped_by_failures = False

    # ------------------------------------------------------------------------------------------ running

    def stop(self) -> None:
        """Ask the loop to finish what it handles, give back the rest and return. Safe from a signal handler."""
        self.health.unready("stopping")
        self._stop.set()

    def run(self) -> None:
        """Turn until stopped."""
        heartbeat = threading.Thread(target=self._heartbeat, name=f"heartbeat-{self.queue.name}", daemon=True)
        heartbeat.start()
        self.health.ready()
        while not self._stop.is_set():
            try:
                self.turn()
            except Transient as error:
                self.log.warning("queue_unreachable", queue=self.queue.name, error=str(error))
                self._stop.wait(self.retry.delay_s(3, self.rng.random()))
        self._give_back()

    def turn(self) -> int:
        """Receive, handle and settle one group; run the periodic work if due. Returns how many were handled."""
        self.health.progressed()
        self._run_idle_if_due()
        if self.is_stopped_by_failures:
            return self._probe()
        deliveries = self._gather()
        if not deliveries:
            return 0
        started_s = self.clock.monotonic_s()
        outcomes = self._handle(deliveries)
        took_s = self.clock.monotonic_s() - started_s
        self.metrics.observe("handle_seconds", took_s, queue=self.queue.name)
        try:
            self._settle(deliveries, outcomes, took_s)
        finally:
            # What could not be settled must come back: held any longer, the heartbeat would hide it for good.
            self._release([delivery for delivery in deliveries if delivery not in self._probes])
        return len(deliveries)

    def _probe(self) -> int:
        """While stopped, try one of the messages that failed, again and again, without receiving any.

        Each receive counts towards the queue's own redrive, which would drain it after all.
        """
        self._stop.wait(self.pace.stopped_probe_s)
        if self._stop.is_set():
            return 0
        self.extend_held()
        self._probe_count += 1
        if self._probe_count % (_PROBES + 1) == 0:
            self._take_newcomer()
        delivery = self._probes[0]
        self._probes.rotate(-1)
        started_s = self.clock.monotonic_s()
        [outcome] = self._handle([delivery])
        if not _is_failure(outcome):
            self._resume(delivery, outcome, self.clock.monotonic_s() - started_s)
        return 0

    def _take_newcomer(self) -> None:
        """Put a message that has not failed first in line: those that stopped us may be bad for good."""
        received = self.queue.receive(1, 0, self.pace.visibility_s)
        with self._held_lock:
            self._held.update((delivery.receipt, delivery) for delivery in received)
        self._probes.extendleft(received)
        if len(self._probes) > _PROBES:
            oldest = self._probes.pop()
            self._release([oldest])
            self.queue.change_visibility([oldest.receipt], self.pace.visibility_s)

    def _resume(self, worked: Delivery, outcome: Outcome, took_s: float) -> None:
        self.is_stopped_by_failures = False
        self.health.ready()  # also where the queue cannot be reached to settle this one
        self.log.info("consumer_resumed", queue=self.queue.name)
        others = [probe for probe in self._probes if probe is not worked]
        self._probes.clear()
        self._recent.clear()
        try:
            self._settle([worked], [outcome], took_s)
        finally:
            self._release([worked, *others])
        self._recent.clear()  # one that was tried alone says nothing of those that follow
        self.queue.change_visibility([probe.receipt for probe in others], 0)

    def _gather(self) -> list[Delivery]:
        most = self.pace.max_messages
        deliveries: list[Delivery] = []
        deadline_s: float | None = None
        while len(deliveries) < most and not self._stop.is_set():
            # Once something is held, poll shortly: a long poll would delay it for messages that may not come.
            wait_s = self.pace.wait_s if deadline_s is None else min(1.0, self.pace.linger_s)
            try:
                received = self.queue.receive(min(_RECEIVE_MAX, most - len(deliveries)), wait_s, self.pace.visibility_s)
            except Transient:
                if not deliveries:
                    raise
                break  # what has been received is handled all the same
            with self._held_lock:
                self._held.update((delivery.receipt, delivery) for delivery in received)
            deliveries.extend(received)
            if deadline_s is None:
                deadline_s = self.clock.monotonic_s() + self.pace.linger_s
            if not received or self.clock.monotonic_s() >= deadline_s:
                break
        self.metrics.gauge("held_messages", len(deliveries), queue=self.queue.name)
        return deliveries

    # ------------------------------------------------------------------------------------------ handling

    def _handle(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        try:
            outcomes = list(self.handler.handle([delivery.body for delivery in deliveries]))
        except Exception as error:  # noqa: BLE001  whatever a handler raises becomes an outcome, never a lost message
            if len(deliveries) == 1:
                return [self._outcome_of(error)]
            return [outcome for delivery in deliveries for outcome in self._handle([delivery])]
        if len(outcomes) != len(deliveries):
            return [Retry(f"the handler answered {len(outcomes)} of {len(deliveries)} messages")] * len(deliveries)
        return outcomes

    def _outcome_of(self, error: Exception) -> Outcome:
        match error:
            case Transient():
                return Retry(str(error))
            case Permanent():
                return Dead(str(error))
            case WindrowError():
                return Retry(str(error))
            case _:
                self.log.error("handler_failed", queue=self.queue.name, exc_info=error)
                return Retry(f"{type(error).__name__}: {error}")

    # ------------------------------------------------------------------------------------------ settling

    def _settle(self, deliveries: Sequence[Delivery], outcomes: Sequence[Outcome], took_s: float) -> None:
        done: list[Delivery] = []
        forwarded: list[tuple[Delivery, Forward]] = []
        returned: list[tuple[Delivery, float]] = []
        dead: list[tuple[Delivery, str]] = []
        for delivery, outcome in zip(deliveries, outcomes, strict=True):
            self._recent.append(_is_failure(outcome))
            settled = (
                self.retry.settle(outcome, delivery.receive_count, self.rng.random())
                if isinstance(outcome, Retry)
                else outcome
            )
            match settled:
                case Done():
                    done.append(delivery)
                case Forward():
                    forwarded.append((delivery, settled))
                case Retry(reason=reason, after_s=after_s):
                    returned.append((delivery, after_s or 0.0))
                    self.log.warning("message_returned", queue=self.queue.name, reason=reason, after_s=after_s)
                case Dead(reason=reason):
                    dead.append((delivery, reason))
        if (dead or returned) and self.limit.is_exceeded(tuple(self._recent)):
            # Law 9: a good stream is not drained into the dead-letter queue. What failed is kept, to be tried again.
            self._stop_consuming([delivery for delivery, _ in (*dead, *returned)])
            dead, returned = [], []
        if forwarded:
            self.queue.send([Outgoing(each.body, each.attributes, to.after_s) for each, to in forwarded])
        if dead:
            refused = self._bury(dead)
            returned.extend((delivery, self.pace.visibility_s) for delivery, _ in refused)
            dead = [entry for entry in dead if entry not in refused]
        for delivery, after_s in returned:
            self._release([delivery])
            self.queue.change_visibility([delivery.receipt], after_s)
        finished = [*done, *(delivery for delivery, _ in (*forwarded, *dead))]
        self._release(finished)
        if finished:
            self.queue.delete([delivery.receipt for delivery in finished])
        numbers = {"done": len(done), "forward": len(forwarded), "retry": len(returned), "dead": len(dead)}
        for result, number in numbers.items():
            if number:
                self.metrics.count("messages_settled", number, queue=self.queue.name, outcome=result)
        self.log.info(
            "messages_settled",
            queue=self.queue.name,
            took_s=round(took_s, 4),
            **numbers,
        )

    def _bury(self, dead: Sequence[tuple[Delivery, str]]) -> list[tuple[Delivery, str]]:
        """Send dead letters; returns those the queue refuses for good (the source queue will move them itself)."""
        try:
            self.dead_letters.send([self._dead_letter(delivery, reason) for delivery, reason in dead])
        except Permanent as error:
            if len(dead) > 1:
                return [refused for entry in dead for refused in self._bury([entry])]
            self.log.error("dead_letter_refused", queue=self.queue.name, reason=dead[0][1], error=str(error))
            return list(dead)
        for _, reason in dead:
            self.log.error("message_dead_lettered", queue=self.queue.name, reason=reason)
        return []

    def _dead_letter(self, delivery: Delivery, reason: str) -> Outgoing:
        text = _NOT_IN_SQS.sub("\N{REPLACEMENT CHARACTER}", reason)[:_REASON_CHARS]
        return Outgoing(delivery.body, {"reason": text, "receive_count": str(delivery.receive_count)})

    def _stop_consuming(self, failed: Sequence[Delivery]) -> None:
        self.is_stopped_by_failures = True
        self._probes.extend(failed[:_PROBES])
        rest = failed[_PROBES:]
        self._release(rest)
        self.queue.change_visibility([delivery.receipt for delivery in rest], self.pace.stopped_probe_s)
        self.health.unready(
            f"stopped: {sum(self._recent)} of the latest {len(self._recent)} messages failed "
            f"(limit {self.limit.max_ratio:.0%}); trying one every {self.pace.stopped_probe_s:.0f} s"
        )
        self.log.error("consumer_stopped", queue=self.queue.name, failed=sum(self._recent))

    # ------------------------------------------------------------------------------------------ holding

    def _release(self, deliveries: Sequence[Delivery]) -> None:
        with self._held_lock:
            for delivery in deliveries:
                self._held.pop(delivery.receipt, None)

    def _give_back(self) -> None:
        with self._held_lock:
            receipts = list(self._held)
            self._held.clear()
        if receipts:
            self.queue.change_visibility(receipts, 0)

    def _heartbeat(self) -> None:
        while not self._stop.wait(self.pace.visibility_s / 3):
            self.extend_held()

    def extend_held(self) -> None:
        """Keep everything held invisible for another full period."""
        with self._held_lock:
            receipts = list(self._held)
        if not receipts:
            return
        try:
            self.queue.change_visibility(receipts, self.pace.visibility_s)
        except WindrowError as error:
            # Losing a heartbeat costs a redelivery, which is harmless; losing the thread would cost many.
            self.log.warning("heartbeat_failed", queue=self.queue.name, error=str(error))

    def _run_idle_if_due(self) -> None:
        if self.when_idle is None or self.pace.idle_every_s is None:
            return
        now_s = self.clock.monotonic_s()
        if self._last_idle_s is not None and now_s - self._last_idle_s < self.pace.idle_every_s:
            return
        try:
            self.when_idle()
        except Transient as error:
            self.log.warning("sweep_postponed", error=str(error))
        except Exception as error:
            self.log.error("sweep_failed", exc_info=error)
        self._last_idle_s = self.clock.monotonic_s()


def _is_failure(outcome: Outcome) -> bool:
    """A Retry that names its own delay waits for something in order, and what is forwarded is for another worker."""
    return isinstance(outcome, Dead) or (isinstance(outcome, Retry) and outcome.after_s is None)
