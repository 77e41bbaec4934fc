"""What the clients' log says must be in the tables."""

import random

from tests.faults.log import ClientLog, aligned, sessions
from tests.faults.traffic import Record, Request, wave


def test_windows_are_half_open_and_only_those_that_hold_records() -> None:
    records = [Record("a", 10), Record("a", 14), Record("a", 15)]

    assert aligned(records, 5, 5) == {
        ("a", 10, 15): (2, records[0].value + records[1].value),
        ("a", 15, 20): (1, records[2].value),
    }
    assert aligned(records[:1], 10, 5) == {("a", 5, 15): (1, records[0].value), ("a", 10, 20): (1, records[0].value)}


def test_a_session_goes_on_while_no_pause_is_longer_than_its_gap() -> None:
    records = [Record("b", 0), Record("a", 26), Record("a", 6), Record("a", 0), Record("a", 19)]

    assert {key: count for key, (count, _) in sessions(records, 6).items()} == {
        ("a", 0, 12): 2,
        ("a", 19, 25): 1,
        ("a", 26, 32): 1,
        ("b", 0, 6): 1,
    }


def test_what_was_sent_and_not_acknowledged_may_be_there_but_need_not() -> None:
    log = ClientLog()
    request = Request("readings", (Record("a", 1),), fixable=(Record("b", 1),), hopeless=("c",))

    log.about_to_send(request)
    assert (log.sent["readings"], log.count) == ({Record("a", 1), Record("b", 1)}, 0)

    log.was_acknowledged(request)
    assert log.count == 3


def test_a_wave_is_the_same_for_the_same_seed_and_brings_each_kind_of_trouble() -> None:
    first, second = (wave(3, random.Random(7), is_after_seal=True) for _ in range(2))

    assert first == second
    readings = [record for request in first.requests if request.stream == "readings" for record in request.records]
    assert len(readings) > len(set(readings)), "some come twice"
    assert any(request.late for request in first.requests)
    assert any(request.fixable and request.hopeless for request in first.requests)
    assert any(request.key for request in first.requests)
    assert not all(request.key for request in first.requests)
