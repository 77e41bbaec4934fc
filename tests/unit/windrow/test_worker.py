"""The one loop: laws 3 (effect, then pointers, then delete) and 9 (a bad message costs only itself)."""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from windrow import log
from windrow.errors import BadInput, Conflict, NotFound, OutcomeUnknown, TooLarge, Unavailable
from windrow.health import Health
from windrow.outcomes import Dead, Done, Forward, Outcome, Retry
from windrow.ports import Outgoing, QueueDepth
from windrow.retry import FailureLimit, RetryPolicy
from windrow.testing import ManualClock, MemoryQueue, RecordingMetrics
from windrow.worker import Pace, Worker

VISIBILITY_S = 120.0
Handle = Callable[[Sequence[str]], Sequence[Outcome]]


@dataclass
class Scripted:
    """A handler that does as the test says and remembers what it was given."""

    script: Handle
    calls: list[list[str]] = field(default_factory=list)

    def handle(self, bodies: Sequence[str]) -> Sequence[Outcome]:
        self.calls.append(list(bodies))
        return self.script(bodies)


class Bench:
    """A worker on a queue in memory, with everything it touches within reach."""

    def __init__(
        self,
        script: Handle,
        *,
        pace: Pace | None = None,
        limit: FailureLimit | None = None,
        when_idle: Callable[[], None] | None = None,
    ) -> None:
        self.clock = ManualClock()
        self.dead_letters = MemoryQueue("landed-dead", self.clock)
        self.queue = MemoryQueue("landed", self.clock, self.dead_letters, max_receives=10)
        self.journal: list[str] = []
        self.queue.fault = lambda operation: self.journal.append(f"queue {operation}")
        self.dead_letters.fault = lambda operation: self.journal.append(f"dead letters {operation}")
        self.handler = Scripted(script)
        self.health = Health(self.clock, stuck_after_s=300)
        self.metrics = RecordingMetrics()
        self.worker = Worker(
            queue=self.queue,
            dead_letters=self.dead_letters,
            handler=self.handler,
            clock=self.clock,
            health=self.health,
            metrics=self.metrics,
            log=log.quiet(),
            retry=RetryPolicy(base_s=1.0, cap_s=60.0, max_attempts=3),
            limit=limit or FailureLimit(window=1_000),
            pace=pace or Pace(visibility_s=VISIBILITY_S, stopped_probe_s=0.0),
            when_idle=when_idle,
            rng=random.Random(7),
        )

    def send(self, *bodies: str) -> None:
        self.queue.send([Outgoing(body) for body in bodies])
        self.journal.clear()

    def visible(self) -> list[str]:
        """What another worker would be given now. Looking counts as a receive."""
        return sorted(delivery.body for delivery in self.queue.receive(10, 0, 0))

    def letters(self) -> list[tuple[str, str]]:
        """Dead letters with their reasons."""
        received = self.dead_letters.receive(10, 0, 0)
        return [(letter.body, letter.attributes.get("reason", "")) for letter in received]

    def fail_once(self, queue: MemoryQueue, operation: str, error: Exception) -> None:
        """Let the next such operation fail before it has an effect."""
        errors = [error]

        def fault(asked: str) -> None:
            if asked == operation and errors:
                raise errors.pop()

        queue.fault = fault


def every(outcome: Outcome) -> Handle:
    return lambda bodies: [outcome for _ in bodies]


def failing(error: Exception) -> Handle:
    def script(_bodies: Sequence[str]) -> Sequence[Outcome]:
        raise error

    return script


# ------------------------------------------------------------------------------------------------ outcomes


def test_what_is_done_is_deleted() -> None:
    bench = Bench(every(Done()))
    bench.send("a", "b")

    assert bench.worker.turn() == 2
    assert bench.handler.calls == [["a", "b"]]
    assert bench.queue.depth() == QueueDepth(0, 0)
    assert bench.letters() == []


def test_an_empty_queue_is_no_work() -> None:
    bench = Bench(every(Done()))

    assert bench.worker.turn() == 0
    assert bench.handler.calls == []


def test_nothing_is_deleted_before_the_handler_has_returned() -> None:
    bench = Bench(every(Done()))

    def script(bodies: Sequence[str]) -> Sequence[Outcome]:
        assert bench.queue.bodies() == ["a"]
        assert "queue delete" not in bench.journal
        return [Done() for _ in bodies]

    bench.handler.script = script
    bench.send("a")
    bench.worker.turn()

    assert bench.queue.bodies() == []


def test_a_retry_comes_back_after_the_delay_it_named() -> None:
    bench = Bench(every(Retry("not yet", after_s=30)))
    bench.send("a")
    bench.worker.turn()

    bench.clock.advance(29)
    assert bench.visible() == []
    bench.clock.advance(1)
    assert bench.visible() == ["a"]


def test_a_retry_without_a_delay_backs_off_with_jitter() -> None:
    bench = Bench(every(Retry("busy")))
    bench.send("a")
    delay_s = random.Random(7).random() * 1.0
    bench.worker.turn()

    bench.clock.advance(delay_s - 0.001)
    assert bench.visible() == []
    bench.clock.advance(0.002)
    assert bench.visible() == ["a"]


def test_what_is_for_another_worker_goes_round_again_as_a_new_message_and_is_no_failure() -> None:
    bench = Bench(every(Forward("held elsewhere", after_s=2)), limit=FailureLimit(window=2, max_ratio=0.5))
    bench.send("a")
    for _ in range(20):  # more than any number of receives that would be its death
        assert bench.worker.turn() == 1
        assert bench.visible() == []
        bench.clock.advance(2)

    assert not bench.worker.is_stopped_by_failures
    assert [delivery.receive_count for delivery in bench.queue.receive(10, 0, 0)] == [1]
    assert bench.letters() == []


def test_what_is_for_another_worker_is_sent_before_it_is_deleted() -> None:
    bench = Bench(every(Forward("held elsewhere")))
    bench.send("a")
    bench.fail_once(bench.queue, "send", Unavailable("slow down"))
    with pytest.raises(Unavailable):
        bench.worker.turn()
    bench.clock.advance(VISIBILITY_S)

    assert bench.visible() == ["a"]


def test_what_is_dead_goes_to_the_dead_letters_with_its_reason_and_only_then_is_deleted() -> None:
    bench = Bench(every(Dead("no such stream")))
    bench.send("a", "b")
    bench.worker.turn()

    settled = [entry for entry in bench.journal if entry != "queue receive"]
    assert settled == ["dead letters send", "dead letters send.after", "queue delete", "queue delete.after"]
    assert bench.letters() == [("a", "no such stream"), ("b", "no such stream")]
    assert bench.queue.depth() == QueueDepth(0, 0)


def test_a_dead_letter_says_how_often_it_was_tried() -> None:
    bench = Bench(every(Dead("no")))
    bench.send("a")
    bench.visible()
    bench.worker.turn()
    [letter] = bench.dead_letters.receive(1, 0, 0)

    assert letter.attributes == {"reason": "no", "receive_count": "2"}


def test_a_dead_letter_that_could_not_be_sent_is_not_deleted() -> None:
    bench = Bench(every(Dead("no")))
    bench.send("a")
    bench.fail_once(bench.dead_letters, "send", Unavailable("no answer"))
    with pytest.raises(Unavailable):
        bench.worker.turn()

    assert bench.queue.bodies() == ["a"]
    bench.clock.advance(VISIBILITY_S)
    bench.worker.turn()
    assert bench.letters() == [("a", "no")]
    assert bench.queue.bodies() == []


def test_a_dead_letters_reason_is_text_that_sqs_takes() -> None:
    bench = Bench(every(Dead("Invalid value '\x00\x1b' - at $.kind: \t\n" + "x" * 10_000)))
    bench.send("a")
    bench.worker.turn()
    [(_, reason)] = bench.letters()

    assert reason.startswith("Invalid value '")
    assert " - at $.kind" in reason
    assert len(reason) <= 1_000
    # XML 1.0 characters are all that SQS carries; anything else makes it refuse the message each time.
    assert [char for char in reason if char < " " and char not in "\t\n\r"] == []


def test_each_message_of_a_group_gets_its_own_outcome() -> None:
    outcomes: dict[str, Outcome] = {"done": Done(), "later": Retry("later", after_s=10), "dead": Dead("dead")}
    bench = Bench(lambda bodies: [outcomes[body] for body in bodies])
    bench.send("later", "dead", "done")
    bench.worker.turn()

    assert bench.queue.bodies() == ["later"]
    assert bench.letters() == [("dead", "dead")]


@pytest.mark.parametrize("answers", [0, 1, 3])
def test_fewer_or_more_outcomes_than_messages_delete_nothing(answers: int) -> None:
    bench = Bench(lambda _: [Done()] * answers)
    bench.send("a", "b")
    bench.worker.turn()

    assert bench.queue.bodies() == ["a", "b"]
    assert bench.letters() == []


# ------------------------------------------------------------------------------------------------ exceptions


@pytest.mark.parametrize("error", [Unavailable("S3 is away"), OutcomeUnknown("timed out")])
def test_a_transient_error_is_a_retry(error: Exception) -> None:
    bench = Bench(failing(error))
    bench.send("a")
    bench.worker.turn()

    assert bench.queue.bodies() == ["a"]
    assert bench.letters() == []


@pytest.mark.parametrize("error", [BadInput("not a message"), NotFound("no stream"), Conflict("theirs"), TooLarge("9")])
def test_a_permanent_error_is_death_with_its_sentence(error: Exception) -> None:
    bench = Bench(failing(error))
    bench.send("a")
    bench.worker.turn()

    assert bench.letters() == [("a", str(error))]
    assert bench.queue.bodies() == []


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyError("x"), RecursionError("deep"), MemoryError()])
def test_an_error_nobody_foresaw_is_a_retry_and_never_a_lost_message(error: Exception) -> None:
    bench = Bench(failing(error))
    bench.send("a")
    bench.worker.turn()

    assert bench.queue.bodies() == ["a"]
    assert bench.letters() == []


def test_used_up_attempts_are_a_dead_letter_with_the_reason() -> None:
    bench = Bench(failing(RuntimeError("a bug")))
    bench.send("a")
    for _ in range(3):
        bench.worker.turn()
        bench.clock.advance(60)

    assert bench.letters() == [("a", "gave up after 3 attempts: RuntimeError: a bug")]
    assert bench.queue.bodies() == []
    assert len(bench.handler.calls) == 3


def test_a_poisonous_message_costs_only_itself() -> None:
    def script(bodies: Sequence[str]) -> Sequence[Outcome]:
        if "poison" in bodies:
            raise BadInput("poison")
        return [Done() for _ in bodies]

    bench = Bench(script)
    bench.send("a", "poison", "b")
    bench.worker.turn()

    assert bench.handler.calls == [["a", "poison", "b"], ["a"], ["poison"], ["b"]]
    assert bench.letters() == [("poison", "poison")]
    assert bench.queue.bodies() == []


def test_a_message_the_dead_letter_queue_will_not_have_costs_only_itself() -> None:
    bench = Bench(lambda bodies: [Dead("too big to carry a reason") if body == "big" else Done() for body in bodies])
    bench.send("a", "big", "b")

    def refuse(operation: str) -> None:
        if operation == "send":
            raise TooLarge("a message and its attributes have at most 1 MiB")

    bench.dead_letters.fault = refuse
    bench.worker.turn()

    assert bench.queue.bodies() == ["big"]


# ------------------------------------------------------------------------------------------------ failure limit


def stopped_bench(outcome: Callable[[str], Outcome]) -> Bench:
    """A bench whose worker has met four failures and stopped."""
    bench = Bench(lambda bodies: [outcome(body) for body in bodies], limit=FailureLimit(window=4, max_ratio=0.5))
    bench.health.ready()
    bench.send("a", "b", "c", "d")
    bench.worker.turn()
    return bench


def test_too_many_failures_stop_the_consumer_and_nothing_is_dead_lettered() -> None:
    bench = stopped_bench(lambda body: Dead(f"{body} is bad"))

    assert bench.worker.is_stopped_by_failures
    assert bench.letters() == []
    assert bench.queue.bodies() == ["a", "b", "c", "d"]
    is_ready, why = bench.health.is_ready()
    assert not is_ready
    assert why.startswith("stopped: 4 of the latest 4 messages failed (limit 50%)")


def test_a_stopped_consumer_tries_one_message_at_a_time_and_feeds_nothing_to_the_queues_own_redrive() -> None:
    bench = stopped_bench(lambda _: Dead("bad"))
    bench.handler.calls.clear()
    for _ in range(50):
        bench.clock.advance(60)
        bench.worker.turn()

    assert [len(bodies) for bodies in bench.handler.calls] == [1] * 50
    assert bench.letters() == []
    assert bench.queue.bodies() == ["a", "b", "c", "d"]


def test_a_stop_that_falls_on_a_good_message_is_survived() -> None:
    bench = Bench(
        lambda bodies: [Dead("bad") if body == "bad" else Done() for body in bodies],
        limit=FailureLimit(window=4, max_ratio=0.5),
    )
    bench.send("bad", "bad", "bad")
    bench.worker.turn()
    bench.send("good")
    for _ in range(3):
        bench.worker.turn()
        bench.clock.advance(60)

    assert bench.queue.bodies() == []


def test_bad_messages_that_stopped_a_consumer_do_not_keep_good_ones_waiting_for_ever() -> None:
    bench = stopped_bench(lambda body: Done() if body.startswith("good") else Dead("bad for good"))
    bench.send("good 1", "good 2")
    for _ in range(200):
        bench.worker.turn()
        bench.clock.advance(15)

    assert not [body for body in bench.queue.bodies() if body.startswith("good")]


def test_one_success_resumes_a_stopped_consumer() -> None:
    fate: list[Outcome] = [Dead("bad deploy")]
    bench = stopped_bench(lambda _: fate[0])
    fate[0] = Done()
    bench.clock.advance(60)
    bench.worker.turn()

    assert not bench.worker.is_stopped_by_failures
    assert bench.health.is_ready() == (True, "ok")
    bench.worker.turn()
    assert bench.queue.bodies() == []
    assert bench.letters() == []


@pytest.mark.parametrize("outcome", [Forward("another writer's table", 1), Retry("its batches are to come", 2)])
def test_a_stopped_consumer_whose_messages_no_longer_fail_goes_on(outcome: Outcome) -> None:
    fate: list[Outcome] = [Retry("the store is away")]
    bench = stopped_bench(lambda _: fate[0])
    assert bench.worker.is_stopped_by_failures
    fate[0] = outcome
    bench.clock.advance(60)
    bench.worker.turn()

    assert not bench.worker.is_stopped_by_failures
    assert bench.health.is_ready() == (True, "ok")
    assert sorted(bench.queue.bodies()) == ["a", "b", "c", "d"]
    fate[0] = Done()
    for _ in range(2):
        bench.clock.advance(60)
        bench.worker.turn()
    assert bench.queue.bodies() == []


def test_a_consumer_that_goes_on_is_ready_though_its_first_message_could_not_be_settled() -> None:
    fate: list[Outcome] = [Dead("bad deploy")]
    bench = stopped_bench(lambda _: fate[0])
    fate[0] = Done()
    bench.fail_once(bench.queue, "delete", Unavailable("throttled"))
    bench.clock.advance(60)
    with pytest.raises(Unavailable):
        bench.worker.turn()

    assert not bench.worker.is_stopped_by_failures
    assert bench.health.is_ready() == (True, "ok")
    for _ in range(2):
        bench.clock.advance(2 * VISIBILITY_S)
        bench.worker.turn()
    assert bench.queue.bodies() == []


def test_after_resuming_failures_are_counted_afresh() -> None:
    fate: list[Outcome] = [Dead("bad deploy")]
    bench = stopped_bench(lambda _: fate[0])
    fate[0] = Done()
    bench.clock.advance(60)
    bench.worker.turn()
    fate[0] = Dead("one bad message")
    bench.worker.turn()

    assert not bench.worker.is_stopped_by_failures
    assert len(bench.letters()) == 3


def test_waiting_for_something_in_order_is_no_failure() -> None:
    bench = stopped_bench(lambda _: Retry("the bucket is not quiet yet", after_s=5))

    assert not bench.worker.is_stopped_by_failures
    assert bench.health.is_ready() == (True, "ok")


def test_a_few_bad_messages_among_good_ones_are_dead_lettered_without_a_stop() -> None:
    bench = Bench(
        lambda bodies: [Dead("bad") if body == "bad" else Done() for body in bodies],
        limit=FailureLimit(window=4, max_ratio=0.5),
    )
    bench.send("a", "bad", "b", "c", "d", "bad", "e")
    bench.worker.turn()

    assert not bench.worker.is_stopped_by_failures
    assert [body for body, _ in bench.letters()] == ["bad", "bad"]


# ------------------------------------------------------------------------------------------------ holding


def test_everything_held_is_kept_hidden_for_as_long_as_it_takes() -> None:
    bench = Bench(every(Done()))
    seen: list[list[str]] = []

    def slow(bodies: Sequence[str]) -> Sequence[Outcome]:
        for _ in range(5):
            bench.clock.advance(VISIBILITY_S * 2 / 3)
            bench.worker.extend_held()
            seen.append(bench.visible())
        return [Done() for _ in bodies]

    bench.handler.script = slow
    bench.send("a", "b")
    bench.worker.turn()

    assert seen == [[], [], [], [], []]
    assert bench.queue.depth() == QueueDepth(0, 0)


def test_without_a_heartbeat_what_is_held_would_come_back() -> None:
    bench = Bench(every(Done()))
    seen: list[list[str]] = []

    def slow(bodies: Sequence[str]) -> Sequence[Outcome]:
        bench.clock.advance(VISIBILITY_S)
        seen.append(bench.visible())
        return [Done() for _ in bodies]

    bench.handler.script = slow
    bench.send("a")
    bench.worker.turn()

    assert seen == [["a"]]


def test_what_was_given_back_is_not_held_any_more() -> None:
    bench = Bench(every(Retry("later", after_s=30)))
    bench.send("a")
    bench.worker.turn()
    bench.worker.extend_held()

    bench.clock.advance(30)
    assert bench.visible() == ["a"]


@pytest.mark.parametrize(
    ("outcome", "queue", "operation"),
    [
        (Dead("no"), "dead_letters", "send"),
        (Done(), "queue", "delete"),
        (Retry("later", after_s=1), "queue", "change_visibility"),
    ],
)
def test_what_could_not_be_settled_comes_back_although_the_heart_beats_on(
    outcome: Outcome, queue: str, operation: str
) -> None:
    bench = Bench(every(outcome))
    bench.send("a")
    bench.fail_once(getattr(bench, queue), operation, Unavailable("no answer"))
    with pytest.raises(Unavailable):
        bench.worker.turn()
    for _ in range(6):
        bench.clock.advance(VISIBILITY_S / 3)
        bench.worker.extend_held()

    assert bench.visible() == ["a"]


def test_what_was_received_before_a_receive_failed_is_handled_or_comes_back() -> None:
    bench = Bench(every(Done()), pace=Pace(max_messages=20, linger_s=5.0, visibility_s=VISIBILITY_S))
    bench.send(*(str(number) for number in range(15)))
    receives: list[int] = []

    def second_fails(operation: str) -> None:
        if operation == "receive":
            receives.append(1)
            if len(receives) == 2:
                raise Unavailable("no answer")

    bench.queue.fault = second_fails
    for _ in range(2):
        try:
            bench.worker.turn()
        except Unavailable:
            continue
    for _ in range(6):
        bench.clock.advance(VISIBILITY_S / 3)
        bench.worker.extend_held()
    bench.worker.turn()

    assert bench.queue.bodies() == []


@pytest.mark.parametrize("error", [Unavailable("no answer"), NotFound("the queue is gone")])
def test_a_heartbeat_that_fails_is_survived(error: Exception) -> None:
    bench = Bench(every(Done()))

    def handle(bodies: Sequence[str]) -> Sequence[Outcome]:
        bench.fail_once(bench.queue, "change_visibility", error)
        bench.worker.extend_held()
        return [Done() for _ in bodies]

    bench.handler.script = handle
    bench.send("a")
    bench.worker.turn()

    assert bench.queue.bodies() == []
    assert bench.letters() == []


def test_a_group_is_no_larger_than_the_pace_allows() -> None:
    bench = Bench(every(Done()), pace=Pace(max_messages=15, linger_s=1.0))
    bench.send(*(str(number) for number in range(40)))

    assert [bench.worker.turn() for _ in range(3)] == [15, 15, 10]


def test_without_lingering_one_receive_is_a_group() -> None:
    bench = Bench(every(Done()), pace=Pace(max_messages=15, linger_s=0.0))
    bench.send(*(str(number) for number in range(12)))

    assert bench.worker.turn() == 10


# ------------------------------------------------------------------------------------------------ sweeps


def test_the_sweep_runs_at_its_pace_and_also_when_there_are_no_messages() -> None:
    swept: list[int] = []
    bench = Bench(every(Done()), pace=Pace(idle_every_s=30), when_idle=lambda: swept.append(1))
    for _ in range(7):
        bench.worker.turn()
        bench.clock.advance(10)

    assert len(swept) == 3  # at 0, 30 and 60 s


@pytest.mark.parametrize("error", [Unavailable("S3 is away"), RuntimeError("a bug"), Conflict("theirs")])
def test_a_sweep_that_fails_does_not_stop_the_messages(error: Exception) -> None:
    swept: list[int] = []

    def sweep() -> None:
        swept.append(1)
        raise error

    bench = Bench(every(Done()), pace=Pace(idle_every_s=30), when_idle=sweep)
    bench.send("a")

    assert bench.worker.turn() == 1
    bench.clock.advance(30)
    bench.worker.turn()
    assert len(swept) == 2


# ------------------------------------------------------------------------------------------------ running and stopping


def run_to_its_end(worker: Worker) -> None:
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    thread.join(timeout=20)
    assert not thread.is_alive(), "the worker did not stop"


def test_a_worker_is_ready_while_it_runs_and_unready_once_it_stops() -> None:
    bench = Bench(every(Done()))
    seen: list[tuple[bool, str]] = [bench.health.is_ready()]

    def handle(bodies: Sequence[str]) -> Sequence[Outcome]:
        seen.append(bench.health.is_ready())
        bench.worker.stop()
        return [Done() for _ in bodies]

    bench.handler.script = handle
    bench.send("a")
    run_to_its_end(bench.worker)

    assert [*seen, bench.health.is_ready()] == [(False, "starting"), (True, "ok"), (False, "stopping")]


def test_a_stop_finishes_what_is_being_handled_and_takes_nothing_more() -> None:
    bench = Bench(every(Done()), pace=Pace(max_messages=1))

    def handle(bodies: Sequence[str]) -> Sequence[Outcome]:
        bench.worker.stop()
        return [Done() for _ in bodies]

    bench.handler.script = handle
    bench.send("a", "b")
    run_to_its_end(bench.worker)

    assert bench.queue.bodies() == ["b"]
    assert bench.visible() == ["b"]


def test_a_stop_gives_back_what_was_received_and_not_handled() -> None:
    bench = Bench(every(Done()), pace=Pace(max_messages=20, linger_s=5.0, visibility_s=VISIBILITY_S))
    bench.send(*(str(number) for number in range(12)))
    receives: list[int] = []

    def stop_at_the_second(operation: str) -> None:
        if operation == "receive":
            receives.append(1)
            if len(receives) == 2:
                bench.worker.stop()
                raise Unavailable("no answer")

    bench.queue.fault = stop_at_the_second
    run_to_its_end(bench.worker)
    bench.queue.fault = None

    assert bench.queue.depth().in_flight == 0


def test_a_stopped_consumer_that_is_stopped_gives_back_what_it_kept() -> None:
    bench = stopped_bench(lambda _: Dead("bad"))
    bench.worker.stop()
    run_to_its_end(bench.worker)

    assert bench.visible() == ["a", "b", "c", "d"]


def test_a_queue_that_is_away_for_a_while_is_waited_for() -> None:
    bench = Bench(every(Done()))
    bench.worker.retry = RetryPolicy(base_s=0.001, cap_s=0.001)
    refused: list[int] = []

    def away(operation: str) -> None:
        if operation == "receive" and len(refused) < 5:
            refused.append(1)
            raise Unavailable("no answer")

    def handle(bodies: Sequence[str]) -> Sequence[Outcome]:
        bench.worker.stop()
        return [Done() for _ in bodies]

    bench.handler.script = handle
    bench.send("a")
    bench.queue.fault = away
    run_to_its_end(bench.worker)

    assert bench.queue.bodies() == []
    assert len(refused) == 5


def test_the_heart_beats_by_itself_while_a_handler_takes_its_time() -> None:
    bench = Bench(every(Done()), pace=Pace(visibility_s=0.03))
    beaten = threading.Event()
    bench.queue.fault = lambda operation: beaten.set() if operation == "change_visibility" else None

    def handle(bodies: Sequence[str]) -> Sequence[Outcome]:
        assert beaten.wait(timeout=10)
        bench.worker.stop()
        return [Done() for _ in bodies]

    bench.handler.script = handle
    bench.send("a")
    run_to_its_end(bench.worker)

    assert bench.queue.bodies() == []


def test_every_turn_is_a_sign_of_life() -> None:
    bench = Bench(every(Done()))
    bench.clock.advance(301)
    assert not bench.health.is_alive()[0]
    bench.worker.turn()

    assert bench.health.is_alive() == (True, "ok")


def test_settled_messages_are_counted_by_outcome() -> None:
    outcomes: dict[str, Outcome] = {"a": Done(), "b": Retry("later", after_s=1), "c": Dead("no"), "d": Done()}
    bench = Bench(lambda bodies: [outcomes[body] for body in bodies])
    bench.send(*outcomes)
    bench.worker.turn()

    counted = {dict(labels)["outcome"]: amount for (_, labels), amount in bench.metrics.counts.items()}
    assert counted == {"done": 2, "retry": 1, "dead": 1}
