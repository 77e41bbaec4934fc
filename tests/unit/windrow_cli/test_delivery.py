"""One chunk to ingest: as often as it takes, always under the same key."""

import json
import random
from collections.abc import Iterator

import httpx2
import pytest
import zstandard

from tests.support.http import free_port
from tests.unit.windrow_cli.conftest import Answer, Loopback
from windrow.errors import Unavailable
from windrow.testing import ManualClock
from windrow_cli.chunking import Chunk
from windrow_cli.delivery import Deliverer, Refused, idempotency_key

_CHUNK = Chunk(offset=100, first_index=40, first_line=41, record_count=2, body=b'{"a":1}\n{"a":2}\n')


def _json(status: int, content: dict[str, object], **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"Content-Type": "application/json", **named}, json.dumps(content).encode()


_TAKEN = _json(202, {"accepted": 2, "quarantined_count": 0, "quarantined": [], "landing_key": "k", "repeated": False})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def deliverer(loopback: Loopback, clock: ManualClock) -> Iterator[Deliverer]:
    with httpx2.Client(trust_env=False) as http:
        yield Deliverer(http, loopback.url, "sensors", clock, give_up_after_s=120.0, rng=random.Random(1))


def _answers(loopback: Loopback, *answers: Answer) -> None:
    left = list(answers)
    loopback.answer = lambda _asked: left.pop(0) if len(left) > 1 else left[0]


def test_a_retry_sends_the_same_bytes_under_the_same_key(loopback: Loopback, deliverer: Deliverer) -> None:
    _answers(loopback, _json(503, {"message": "busy"}), _json(500, {}), _json(429, {}), _TAKEN)

    assert deliverer.deliver("f", _CHUNK, "key-1").accepted == 2
    assert len(loopback.asked) == 4
    assert {asked.headers["idempotency-key"] for asked in loopback.asked} == {"key-1"}
    assert len({asked.body for asked in loopback.asked}) == 1
    first = loopback.asked[0]
    assert (first.method, first.path) == ("POST", "/v1/streams/sensors/records")
    assert first.headers["content-type"] == "application/x-ndjson"
    assert first.headers["content-encoding"] == "zstd"
    assert zstandard.ZstdDecompressor().decompress(first.body) == _CHUNK.body


def test_a_server_that_says_how_long_to_wait_is_waited_for(
    loopback: Loopback, deliverer: Deliverer, clock: ManualClock
) -> None:
    _answers(loopback, _json(503, {}, Retry_After="30"), _TAKEN)
    deliverer.deliver("f", _CHUNK, "key-1")

    assert 30 <= clock.monotonic_s() < 40


def test_a_server_that_never_answers_is_given_up_in_words_that_say_what_to_do(
    loopback: Loopback, deliverer: Deliverer, clock: ManualClock
) -> None:
    deliverer.url = f"http://127.0.0.1:{free_port()}"
    waits: list[str] = []
    deliverer.on_wait = waits.append
    with pytest.raises(Unavailable, match=r"connection refused.*gave up after 120 s.*recognised and counts once"):
        deliverer.deliver("f", _CHUNK, "key-1")

    assert clock.monotonic_s() <= 120
    assert len(waits) > 10
    assert "does not answer" in waits[0]


def test_a_wait_that_would_pass_the_limit_is_not_begun(
    loopback: Loopback, deliverer: Deliverer, clock: ManualClock
) -> None:
    _answers(loopback, _json(503, {"message": "full"}, Retry_After="3600"))
    with pytest.raises(Unavailable, match="answers 503: full"):
        deliverer.deliver("f", _CHUNK, "key-1")

    assert clock.monotonic_s() == 0


@pytest.mark.parametrize("status", [401, 404, 409, 413, 415])
def test_a_refusal_is_not_tried_again(loopback: Loopback, deliverer: Deliverer, status: int) -> None:
    _answers(loopback, _json(status, {"reason": "r", "message": "no, because"}))
    with pytest.raises(Refused, match="no, because"):
        deliverer.deliver("f", _CHUNK, "key-1")

    assert len(loopback.asked) == 1


def test_an_unknown_stream_says_how_to_make_it_known(loopback: Loopback, deliverer: Deliverer) -> None:
    _answers(loopback, _json(404, {"reason": "unknown_stream", "message": "there is no stream 'x'"}))
    with pytest.raises(Refused, match="windrow publish"):
        deliverer.deliver("f", _CHUNK, "key-1")


def test_a_bad_record_is_placed_in_the_file_not_in_the_chunk(loopback: Loopback, deliverer: Deliverer) -> None:
    reject = {"reason": "malformed_json", "message": "line 2, column 5: not JSON", "index": 1, "line": 2, "column": 5}
    content = {"accepted": 1, "quarantined_count": 1, "quarantined": [reject], "repeated": False}
    _answers(loopback, _json(202, content))
    receipt = deliverer.deliver("f.ndjson", _CHUNK, "key-1")

    (fault,) = receipt.faults
    assert (fault.file, fault.index, fault.line, fault.column) == ("f.ndjson", 41, 42, 5)
    assert (fault.reason, fault.message) == ("malformed_json", "not JSON")
    assert (receipt.accepted, receipt.quarantined_count) == (1, 1)


def test_a_chunk_in_which_nothing_is_a_record_is_counted_as_refused(loopback: Loopback, deliverer: Deliverer) -> None:
    rejects = [{"reason": "malformed_json", "message": "m", "index": number, "line": number + 1} for number in (0, 1)]
    _answers(loopback, _json(400, {"reason": "malformed_json", "message": "m", "rejects": rejects}))
    receipt = deliverer.deliver("f", _CHUNK, "key-1")

    assert (receipt.refused_count, receipt.accepted) == (2, 0)
    assert [fault.line for fault in receipt.faults] == [41, 42]


def test_what_was_sent_before_is_told_from_what_our_own_lost_attempt_brought(
    loopback: Loopback, deliverer: Deliverer
) -> None:
    repeated = _json(202, {"accepted": 2, "quarantined_count": 0, "quarantined": [], "repeated": True})
    _answers(loopback, repeated)
    assert deliverer.deliver("f", _CHUNK, "key-1").was_repeated
    _answers(loopback, _json(503, {}), repeated)
    assert not deliverer.deliver("f", _CHUNK, "key-1").was_repeated


def test_a_key_depends_on_stream_file_place_bytes_and_salt() -> None:
    moved = Chunk(offset=101, first_index=40, first_line=41, record_count=2, body=_CHUNK.body)
    other = Chunk(offset=100, first_index=40, first_line=41, record_count=2, body=b"{}\n")
    made = [
        idempotency_key(*key)
        for key in (
            ("a", "f", _CHUNK, ""),
            ("b", "f", _CHUNK, ""),
            ("a", "g", _CHUNK, ""),
            ("a", "f", moved, ""),
            ("a", "f", other, ""),
            ("a", "f", _CHUNK, "salt"),
        )
    ]
    assert len(set(made)) == len(made)
    assert made[0] == idempotency_key("a", "f", _CHUNK, "")


def test_an_answer_that_is_no_json_is_no_crash(loopback: Loopback, deliverer: Deliverer) -> None:
    loopback.answer = lambda _asked: (403, {}, b"<html>forbidden</html>")
    with pytest.raises(Refused, match="Forbidden"):
        deliverer.deliver("f", _CHUNK, "key-1")
