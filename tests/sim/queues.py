"""A queue as it is: at least once, late, twice, in any order."""

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.sim.scheduler import SECOND_US, Group
from windrow.ports import Delivery, Outgoing
from windrow.testing import MemoryQueue
from windrow.testing.queue import _Stored

if TYPE_CHECKING:
    from tests.sim.world import World


class WorldQueue(MemoryQueue):
    """The one queue behind every process's view of it."""

    def __init__(self, world: "World", name: str, dead_letters: "WorldQueue | None" = None) -> None:
        super().__init__(name, world, dead_letters)
        self._world = world
        self._faults = world.faults.of(f"queue {name}")
        self._holders: dict[str, Group] = {}

    def has_visible(self) -> bool:
        now_us = self._world.now_us()
        return any(stored.visible_at_us <= now_us for stored in self._messages)

    def hand_out(self, max_messages: int, visibility_s: float, to: Group) -> Sequence[Delivery]:
        kind, badly = self._faults.next("hand_out") if len(self._messages) > 1 else (None, 0.0)
        if kind == "reorder":
            random.Random(badly).shuffle(self._messages)
        now_us = self._world.now_us()
        for stored in self._messages:
            holder = self._holders.get(stored.receipt)
            if holder is not None and not holder.is_dead and stored.visible_at_us <= now_us:
                self._world.faults.note("expiry")
                del self._holders[stored.receipt]
        deliveries = self.receive(max_messages, 0, visibility_s)
        self._holders.update((delivery.receipt, to) for delivery in deliveries)
        return deliveries

    def delete(self, receipts: Sequence[str]) -> None:
        for receipt in receipts:
            self._holders.pop(receipt, None)
        super().delete(receipts)

    def change_visibility(self, receipts: Sequence[str], visibility_s: float) -> None:
        super().change_visibility(receipts, visibility_s)
        if visibility_s < self._world.pace.visibility_s:  # given back, not held on to
            for receipt in receipts:
                self._holders.pop(receipt, None)

    def _accept(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            kind, badly = self._faults.next("deliver")
            if kind == "lost_message" and not self.name.endswith("-dead"):
                self._world.log(self.name, "a message", kind)
                continue
            super()._accept([message])
            if kind == "duplicate":
                self._messages.append(_Stored(message, self._world.now_us() + round(60 * badly * badly * SECOND_US)))
            elif kind == "delayed":
                self._messages[-1].visible_at_us = self._world.now_us() + round(60 * badly * SECOND_US)
        self._world.scheduler.wake(("queue", self.name))
