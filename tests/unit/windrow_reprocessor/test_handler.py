"""Letters are kept under a name made of what they say, so that the same one dying twice is one (law 2)."""

from pathlib import Path

import msgspec
import pytest

from tests.support.pipeline import Pipeline
from windrow import keys
from windrow.errors import AlreadyExists, Unavailable
from windrow.outcomes import Done, Retry
from windrow.ports import ObjectHeaders, Outgoing
from windrow.testing import ManualClock, MemoryObjectStore
from windrow_reprocessor.handler import Handler
from windrow_reprocessor.letters import DeadLetter, Letter, decode_dead, encode_dead
from windrow_reprocessor.triage import Filter

KEY = keys.dead_letter_key("writes", "gibberish")


def letter(reason: str = "not a message", body: str = "gibberish", queue: str = "writes") -> str:
    return msgspec.json.encode(Letter(queue, body, reason)).decode()


class Keeping:
    """The handler on a store in memory."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryObjectStore(self.clock)
        self.handler = Handler(self.store, self.clock)

    def keep(self, *bodies: str) -> list[object]:
        return list(self.handler.handle(bodies))

    def kept(self, key: str = KEY) -> DeadLetter:
        return decode_dead(self.store.get(key).body)

    def overwrite(self, letter: DeadLetter) -> None:
        """What a replay does, or another reprocessor."""
        self.store.put(KEY, encode_dead(letter), ObjectHeaders())


def test_a_letter_is_kept_with_its_reason_and_its_time() -> None:
    keeping = Keeping()
    assert keeping.keep(letter()) == [Done(KEY)]

    now_us = keeping.clock.now_us()
    assert keeping.kept() == DeadLetter(
        queue="writes", body="gibberish", reason="not a message", deaths=1, first_us=now_us, last_us=now_us
    )


def test_the_same_letter_dying_twice_is_one_letter_with_two_deaths() -> None:
    keeping = Keeping()
    first_us = keeping.clock.now_us()
    keeping.keep(letter("first reason"))
    keeping.clock.advance(60)
    keeping.keep(letter("second reason"))

    found = keeping.kept()
    assert [info.key for info in keeping.store.list("dead-letters/")] == [KEY]
    assert (found.deaths, found.reason, found.first_us, found.last_us) == (
        2,
        "second reason",
        first_us,
        keeping.clock.now_us(),
    )


def test_a_letter_that_dies_again_after_its_replay_waits_again_and_remembers() -> None:
    keeping = Keeping()
    keeping.keep(letter())
    replayed = msgspec.structs.replace(keeping.kept(), state="replayed", replays=1)
    keeping.overwrite(replayed)
    keeping.keep(letter())

    assert (keeping.kept().state, keeping.kept().replays, keeping.kept().deaths) == ("waiting", 1, 2)


def test_the_same_words_on_another_queue_are_another_letter() -> None:
    keeping = Keeping()
    keeping.keep(letter(), letter(queue="windows"), letter(body="other"))

    assert len(list(keeping.store.list("dead-letters/"))) == 3


def test_another_who_keeps_the_letter_at_the_same_time_is_met_again_in_a_moment() -> None:
    keeping = Keeping()

    def taken(operation: str, _key: str) -> None:
        if operation in ("put_if_absent", "put"):
            raise AlreadyExists("PreconditionFailed")

    keeping.store.fault = taken
    assert keeping.keep(letter()) == [Retry(f"{KEY} was kept by another at the same time", after_s=1)]
    keeping.store.fault = None
    keeping.keep(letter())
    keeping.store.fault = taken
    assert keeping.keep(letter()) == [Retry(f"{KEY} was changed by another at the same time", after_s=1)]
    assert keeping.kept().deaths == 1


def test_a_letter_changed_meanwhile_is_not_overwritten() -> None:
    keeping = Keeping()
    keeping.keep(letter())
    fired = False

    def meanwhile(operation: str, _key: str) -> None:
        nonlocal fired
        if operation == "put" and not fired:
            fired = True
            keeping.overwrite(msgspec.structs.replace(keeping.kept(), deaths=7))

    keeping.store.fault = meanwhile
    [outcome] = keeping.keep(letter())
    assert isinstance(outcome, Retry)
    assert keeping.kept().deaths == 7


@pytest.mark.parametrize("body", ["gibberish", "{}", '{"queue":"writes"}'])
def test_nothing_is_ever_dead_here_for_there_is_nowhere_further_to_go(body: str) -> None:
    [outcome] = Keeping().keep(body)

    assert isinstance(outcome, Retry)
    assert (outcome.after_s, outcome.reason.startswith("not a letter")) == (30, True)


def test_a_store_that_is_down_is_tried_again_and_each_letter_for_itself() -> None:
    keeping = Keeping()

    def down(_operation: str, key: str) -> None:
        if key == KEY:
            raise Unavailable("connection refused")

    keeping.store.fault = down
    other = keys.dead_letter_key("writes", "other")
    assert keeping.keep(letter(), letter(body="other")) == [Retry("connection refused", after_s=30), Done(other)]


def test_a_message_that_dies_on_its_queue_is_one_entry_however_often(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    for _ in range(3):
        pipeline.queues["writes"].send([Outgoing("gibberish")])
        pipeline.run_until_quiet()
        pipeline.keep_dead_letters()

    [failed] = pipeline.triage.messages(Filter())
    assert (failed.letter.deaths, failed.letter.queue, failed.letter.body) == (3, "writes", "gibberish")
    assert pipeline.dead["writes"].bodies() == []
