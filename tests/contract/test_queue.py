"""The laws of the Queue port, for every queue there is.

In memory time moves when told. On an emulator it passes by itself, and what is promised is awaited up to a deadline.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pytest

from tests.support.emulators import Deploy, only, with_max_receives
from tests.support.waiting import eventually
from windrow.errors import NotFound
from windrow.ports import Delivery, Outgoing, Queue, QueueDepth
from windrow.testing import ManualClock, MemoryQueue
from windrow.topology import Topology

SLACK_S = 5.0
"""What an emulator on a busy machine is granted on top of what it promised."""
HIDDEN_S = 30.0
"""A visibility that no test outlasts."""


class Harness(Protocol):
    """A queue with its dead-letter queue, and a way to await what time brings."""

    @property
    def queue(self) -> Queue: ...

    @property
    def dead_letters(self) -> Queue: ...

    def let_time_pass(self, seconds: float) -> None:
        """From here on, what takes this long is expected to have happened."""
        ...

    def receive(self, count: int = 1, visibility_s: float = HIDDEN_S) -> Sequence[Delivery]:
        """Exactly this many deliveries."""
        ...

    def stays_hidden(self, seconds: float) -> bool:
        """Whether nothing can be received for this long."""
        ...


@dataclass
class InMemory:
    queue: MemoryQueue
    dead_letters: MemoryQueue
    clock: ManualClock

    def let_time_pass(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def receive(self, count: int = 1, visibility_s: float = HIDDEN_S) -> Sequence[Delivery]:
        deliveries: list[Delivery] = []
        while len(deliveries) < count:
            received = self.queue.receive(min(10, count - len(deliveries)), 0, visibility_s)
            assert received, f"expected {count} messages, there are {len(deliveries)}"
            deliveries.extend(received)
        return deliveries

    def stays_hidden(self, seconds: float) -> bool:
        self.clock.advance(seconds)
        return not self.queue.receive(10, 0, HIDDEN_S)


@dataclass
class OnEmulator:
    queue: Queue
    dead_letters: Queue
    allowed_s: float = 0.0

    def let_time_pass(self, seconds: float) -> None:
        self.allowed_s = seconds

    def receive(self, count: int = 1, visibility_s: float = HIDDEN_S) -> Sequence[Delivery]:
        deliveries: list[Delivery] = []

        def all_there() -> bool:
            deliveries.extend(self.queue.receive(min(10, count - len(deliveries)), 0, visibility_s))
            return len(deliveries) == count

        eventually(all_there, self.allowed_s + SLACK_S, f"{count} messages")
        return deliveries

    def stays_hidden(self, seconds: float) -> bool:
        return not self.queue.receive(10, seconds, HIDDEN_S)


def make_harness(request: pytest.FixtureRequest, where: str, deploy: Deploy, topology: Topology) -> Harness:
    if where == "memory":
        clock = ManualClock()
        dead_letters = MemoryQueue("writes-dead", clock)
        max_receives = topology.queues["writes"].max_receives
        return InMemory(MemoryQueue("writes", clock, dead_letters, max_receives), dead_letters, clock)
    session = deploy(request.getfixturevalue(where), only(topology, queues=["writes"]))
    return OnEmulator(session.queue("writes"), session.dead_letters_of("writes"))


QUEUES = ["memory", "moto", pytest.param("localstack", marks=pytest.mark.localstack)]


@pytest.fixture(params=QUEUES)
def harness(request: pytest.FixtureRequest, deploy: Deploy, topology: Topology) -> Harness:
    return make_harness(request, request.param, deploy, topology)


@pytest.fixture(params=QUEUES)
def impatient(request: pytest.FixtureRequest, deploy: Deploy, topology: Topology) -> Harness:
    """A queue that gives up on a message after two receives."""
    return make_harness(request, request.param, deploy, with_max_receives(topology, 2))


def test_what_is_sent_is_received_and_gone_once_deleted(harness: Harness) -> None:
    harness.queue.send([Outgoing('{"kind":"landed","key":"ü ✓"}')])
    [delivery] = harness.receive()

    assert delivery.body == '{"kind":"landed","key":"ü ✓"}'
    assert delivery.receive_count == 1
    harness.queue.delete([delivery.receipt])
    assert harness.queue.depth() == QueueDepth(0, 0)


def test_a_queue_is_known_by_its_name_in_the_topology(harness: Harness) -> None:
    assert (harness.queue.name, harness.dead_letters.name) == ("writes", "writes-dead")


def test_an_empty_queue_gives_nothing(harness: Harness) -> None:
    assert list(harness.queue.receive(10, 0, HIDDEN_S)) == []


def test_attributes_travel_and_an_empty_one_is_as_good_as_none(harness: Harness) -> None:
    harness.queue.send([Outgoing("a", {"reason": "Zeile 3: 'é' → nothing", "receive_count": "2", "empty": ""})])
    [delivery] = harness.receive()

    assert delivery.attributes == {"reason": "Zeile 3: 'é' → nothing", "receive_count": "2"}


def test_more_messages_than_one_call_takes_are_all_sent_received_and_deleted(harness: Harness) -> None:
    harness.queue.send([Outgoing(str(number)) for number in range(25)])
    deliveries = harness.receive(25)

    assert sorted(int(delivery.body) for delivery in deliveries) == list(range(25))
    harness.queue.change_visibility([delivery.receipt for delivery in deliveries], HIDDEN_S)
    harness.queue.delete([delivery.receipt for delivery in deliveries])
    assert harness.queue.depth() == QueueDepth(0, 0)


def test_sending_and_settling_nothing_is_nothing(harness: Harness) -> None:
    harness.queue.send([])
    harness.queue.delete([])
    harness.queue.change_visibility([], 0)

    assert harness.queue.depth() == QueueDepth(0, 0)


def test_receive_gives_at_most_what_was_asked_for(harness: Harness) -> None:
    harness.queue.send([Outgoing(str(number)) for number in range(5)])

    assert len(harness.queue.receive(2, 0, HIDDEN_S)) == 2
    assert len(harness.receive(3)) == 3


# ------------------------------------------------------------------------------------------------ visibility


def test_a_received_message_is_hidden_until_its_visibility_passes(harness: Harness) -> None:
    harness.queue.send([Outgoing("a")])
    [first] = harness.receive(visibility_s=2)

    assert harness.stays_hidden(0)
    harness.let_time_pass(2)
    [second] = harness.receive()
    assert (second.body, second.receive_count) == ("a", 2)
    assert second.receipt != first.receipt


def test_extending_visibility_keeps_a_message_hidden(harness: Harness) -> None:
    harness.queue.send([Outgoing("a")])
    [delivery] = harness.receive(visibility_s=2)
    harness.queue.change_visibility([delivery.receipt], HIDDEN_S)

    assert harness.stays_hidden(3)


def test_a_message_given_back_is_there_at_once(harness: Harness) -> None:
    harness.queue.send([Outgoing("a")])
    [first] = harness.receive()
    harness.queue.change_visibility([first.receipt], 0)
    [second] = harness.receive()

    assert (second.body, second.receive_count) == ("a", 2)


def test_a_message_is_hidden_at_least_as_long_as_was_asked_even_for_part_of_a_second(harness: Harness) -> None:
    harness.queue.send([Outgoing("a")])
    [delivery] = harness.receive()
    harness.queue.change_visibility([delivery.receipt], 0.9)

    assert harness.stays_hidden(0)


def test_every_receipt_is_counted(harness: Harness) -> None:
    harness.queue.send([Outgoing("a")])
    counts = []
    for _ in range(4):
        [delivery] = harness.receive()
        counts.append(delivery.receive_count)
        harness.queue.change_visibility([delivery.receipt], 0)

    assert counts == [1, 2, 3, 4]


def test_stale_receipts_are_harmless(harness: Harness) -> None:
    harness.queue.send([Outgoing("a"), Outgoing("b")])
    settled, held = harness.receive(2)
    harness.queue.delete([settled.receipt])

    harness.queue.change_visibility([settled.receipt], HIDDEN_S)
    harness.queue.change_visibility([settled.receipt, held.receipt], 0)
    harness.queue.delete([settled.receipt])
    [again] = harness.receive()
    assert again.body == held.body


def test_depth_tells_what_waits_from_what_is_held(harness: Harness) -> None:
    harness.queue.send([Outgoing(str(number)) for number in range(3)])
    [held] = harness.receive()

    assert harness.queue.depth() == QueueDepth(waiting=2, in_flight=1)
    harness.queue.change_visibility([held.receipt], 0)
    assert harness.queue.depth() == QueueDepth(waiting=3, in_flight=0)


# ------------------------------------------------------------------------------------------------ dead letters


def test_a_message_received_too_often_moves_to_the_dead_letter_queue_whole(impatient: Harness) -> None:
    impatient.queue.send([Outgoing("poison", {"origin": "upload"})])
    for _ in range(2):
        [delivery] = impatient.receive()
        impatient.queue.change_visibility([delivery.receipt], 0)

    assert impatient.stays_hidden(0)
    [dead] = eventually(lambda: impatient.dead_letters.receive(10, 0, HIDDEN_S), SLACK_S, "a dead letter")
    assert (dead.body, dead.attributes) == ("poison", {"origin": "upload"})
    assert impatient.queue.depth() == QueueDepth(0, 0)


@pytest.mark.parametrize("where", ["moto", pytest.param("localstack", marks=pytest.mark.localstack)])
def test_a_queue_that_was_never_made_is_not_found(request: pytest.FixtureRequest, where: str, deploy: Deploy) -> None:
    session = deploy(request.getfixturevalue(where))

    with pytest.raises(NotFound, match="nobody"):
        session.queue("nobody")


def test_a_message_sent_with_a_delay_is_received_after_it(harness: Harness) -> None:
    harness.queue.send([Outgoing("later", delay_s=3.0)])
    assert harness.stays_hidden(1.0)
    harness.let_time_pass(3.0)
    [delivery] = harness.receive()

    assert (delivery.body, delivery.receive_count) == ("later", 1)
