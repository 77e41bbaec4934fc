"""Dead letters as they travel and as they are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.errors import BadInput
from windrow.ports import Outgoing
from windrow.testing import ManualClock, MemoryQueue
from windrow_reprocessor.letters import DeadLetter, LetterQueue, decode_dead, decode_letter, encode_dead

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
moments = st.integers(0, 10**16)


def queue() -> tuple[LetterQueue, MemoryQueue]:
    inner = MemoryQueue("writes-dead", ManualClock())
    return LetterQueue(inner, "writes"), inner


@given(text, text.filter(bool))
def test_a_message_comes_with_the_reason_that_travels_beside_it(body: str, reason: str) -> None:
    letters, inner = queue()
    inner.send([Outgoing(body, {"reason": reason, "receive_count": "6"})])
    [delivery] = letters.receive(10, 0, 30)

    letter = decode_letter(delivery.body)
    assert (letter.queue, letter.body, letter.reason) == ("writes", body, reason)


def test_a_message_that_the_queue_itself_gave_up_on_says_so() -> None:
    letters, inner = queue()
    inner.send([Outgoing("x")])
    [delivery] = letters.receive(10, 0, 30)

    assert decode_letter(delivery.body).reason.startswith("received too often without an outcome")


@given(text)
def test_what_is_sent_back_is_the_message_as_it_was(body: str) -> None:
    letters, inner = queue()
    inner.send([Outgoing(body, {"reason": "r"})])
    [delivery] = letters.receive(10, 0, 30)
    letters.delete([delivery.receipt])
    letters.send([Outgoing(delivery.body, {"reason": "again"})])

    assert inner.bodies() == [body]
    [again] = letters.receive(10, 0, 30)
    assert decode_letter(again.body).reason == "again"


def test_it_is_the_queue_underneath_that_holds_hides_and_counts() -> None:
    letters, inner = queue()
    inner.send([Outgoing("a"), Outgoing("b")])
    [first] = letters.receive(1, 0, 30)

    assert (letters.name, letters.depth(), first.receive_count) == ("writes-dead", inner.depth(), 1)
    assert (letters.depth().waiting, letters.depth().in_flight) == (1, 1)
    letters.change_visibility([first.receipt], 0)
    assert letters.depth().waiting == 2
    letters.delete([delivery.receipt for delivery in letters.receive(10, 0, 30)])
    assert (letters.depth().waiting, letters.depth().in_flight) == (0, 0)


letters_kept = st.builds(
    DeadLetter,
    queue=st.sampled_from(["landed", "windows", "writes"]),
    body=text,
    reason=text,
    deaths=st.integers(1, 100),
    first_us=moments,
    last_us=moments,
    replays=st.integers(0, 100),
    state=st.sampled_from(["waiting", "replayed"]),
)


@given(letters_kept)
def test_a_letter_that_was_kept_is_the_letter_that_is_found(letter: DeadLetter) -> None:
    assert decode_dead(encode_dead(letter)) == letter


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"queue":"\xff"}', b'{"v":1,"queue":"landed"}'])
def test_what_is_no_dead_letter_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput, match="not a dead letter"):
        decode_dead(body)


@pytest.mark.parametrize("body", ["", "{}", "[]", "gibberish"])
def test_what_is_no_letter_is_bad_input(body: str) -> None:
    with pytest.raises(BadInput, match="not a letter"):
        decode_letter(body)
