"""A queue in memory with SQS's visibility, redrive and stale receipts."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from windrow.clock import Clock
from windrow.ports import Delivery, Outgoing, QueueDepth

Fault = Callable[[str], None]
"""Called with the operation before it and with `operation.after` once it has taken effect; may raise."""


@dataclass
class _Stored:
    message: Outgoing
    visible_at_us: int = 0
    receive_count: int = 0
    receipt: str = field(default="")


class MemoryQueue:
    """Messages in a list. A message received `max_receives` times moves to `dead_letters` on its next receive."""

    def __init__(
        self, name: str, clock: Clock, dead_letters: "MemoryQueue | None" = None, max_receives: int = 10
    ) -> None:
        self._name = name
        self._clock = clock
        self._dead_letters = dead_letters
        self._max_receives = max_receives
        self._messages: list[_Stored] = []
        self._lock = threading.Lock()
        self._receipts = 0
        self.fault: Fault | None = None

    @property
    def name(self) -> str:
        return self._name

    def send(self, messages: Sequence[Outgoing]) -> None:
        self._ask("send")
        self._accept(messages)
        self._ask("send.after")

    def receive(self, max_messages: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:  # noqa: ARG002
        """Like SQS, without waiting: time stands still until a test moves it."""
        self._ask("receive")
        now_us = self._clock.now_us()
        deliveries: list[Delivery] = []
        with self._lock:
            for stored in list(self._messages):
                if stored.visible_at_us > now_us or len(deliveries) >= min(10, max_messages):
                    continue
                if self._dead_letters is not None and stored.receive_count >= self._max_receives:
                    self._messages.remove(stored)
                    self._dead_letters._accept([stored.message])  # noqa: SLF001  SQS moves it, no client is involved
                    continue
                self._receipts += 1
                stored.receipt = f"{self._name}-{self._receipts}"
                stored.receive_count += 1
                stored.visible_at_us = now_us + round(visibility_s * 1_000_000)
                deliveries.append(
                    Delivery(stored.message.body, stored.receipt, stored.receive_count, stored.message.attributes)
                )
        return deliveries

    def delete(self, receipts: Sequence[str]) -> None:
        self._ask("delete")
        with self._lock:
            self._messages = [stored for stored in self._messages if stored.receipt not in receipts]
        self._ask("delete.after")

    def change_visibility(self, receipts: Sequence[str], visibility_s: float) -> None:
        self._ask("change_visibility")
        until_us = self._clock.now_us() + round(visibility_s * 1_000_000)
        with self._lock:
            for stored in self._messages:
                if stored.receipt and stored.receipt in receipts:
                    stored.visible_at_us = until_us

    def depth(self) -> QueueDepth:
        now_us = self._clock.now_us()
        with self._lock:
            hidden = sum(stored.visible_at_us > now_us for stored in self._messages)
            return QueueDepth(waiting=len(self._messages) - hidden, in_flight=hidden)

    def bodies(self) -> list[str]:
        """Every message body, visible or not, for assertions."""
        with self._lock:
            return [stored.message.body for stored in self._messages]

    def _accept(self, messages: Sequence[Outgoing]) -> None:
        # SQS has no empty attributes.
        now_us = self._clock.now_us()
        kept = [
            _Stored(
                Outgoing(message.body, {name: value for name, value in message.attributes.items() if value}),
                now_us + round(message.delay_s * 1_000_000),
            )
            for message in messages
        ]
        with self._lock:
            self._messages.extend(kept)

    def _ask(self, operation: str) -> None:
        if self.fault is not None:
            self.fault(operation)
