"""Group commit: who shares an object, when it lands, and what it says of itself."""

import asyncio
import itertools
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from windrow import keys
from windrow.errors import OutcomeUnknown, Unavailable
from windrow.inflate import inflate
from windrow.testing import ManualClock, MemoryObjectStore, RecordingMetrics
from windrow_ingest.grouping import Grouper, GroupLimits, LandedAt

LONG_S = 60.0  # longer than any test waits: only a full group lands


class Landing:
    """A grouper on a store in memory."""

    def __init__(self, linger_s: float = 0.005, max_group_bytes: int = 1_000) -> None:
        self.clock = ManualClock()
        self.store = MemoryObjectStore(self.clock)
        self.metrics = RecordingMetrics()
        ids = itertools.count()
        limits = GroupLimits(linger_s, max_group_bytes)
        self.grouper = Grouper(self.store, self.clock, self.metrics, limits, lambda: f"write-{next(ids)}")

    def land(self, lines: bytes, stream: str = "s", key: str | None = None) -> Coroutine[Any, Any, LandedAt]:
        return self.grouper.land(stream, lines, lines.count(b"\n"), key)

    def objects(self) -> dict[str, bytes]:
        found = self.store.list("landing/")
        return {info.key: inflate(self.store.get(info.key).body, "zstd", 1 << 20) for info in found}


def test_requests_within_the_linger_share_one_object_in_order_of_arrival() -> None:
    landing = Landing()

    async def run() -> list[LandedAt]:
        return await asyncio.gather(*(landing.land(b'{"n":%d}\n' % number) for number in range(5)))

    answers = asyncio.run(run())
    [(key, body)] = landing.objects().items()
    assert {answer.key for answer in answers} == {key}
    assert body == b"".join(b'{"n":%d}\n' % number for number in range(5))
    assert landing.metrics.total("batches_landed") == 1


def test_a_full_group_lands_without_waiting_and_the_next_request_opens_another() -> None:
    landing = Landing(linger_s=LONG_S, max_group_bytes=10)

    async def run() -> list[LandedAt]:
        return await asyncio.gather(*(landing.land(b"12345\n") for _ in range(4)))

    answers = asyncio.run(asyncio.wait_for(run(), 10))
    assert len({answer.key for answer in answers}) == 2
    assert set(landing.objects().values()) == {b"12345\n" * 2}


def test_a_request_larger_than_a_group_is_a_group() -> None:
    landing = Landing(linger_s=LONG_S, max_group_bytes=10)

    asyncio.run(asyncio.wait_for(landing.land(b"x" * 100 + b"\n"), 10))
    assert list(landing.objects().values()) == [b"x" * 100 + b"\n"]


def test_streams_never_share_an_object() -> None:
    landing = Landing()

    async def run() -> list[LandedAt]:
        return await asyncio.gather(landing.land(b"1\n", "one"), landing.land(b"2\n", "two"))

    one, two = asyncio.run(run())
    assert landing.objects() == {one.key: b"1\n", two.key: b"2\n"}
    assert (keys.stream_of_landing_key(one.key), keys.stream_of_landing_key(two.key)) == ("one", "two")


def test_a_group_that_has_landed_takes_no_more() -> None:
    landing = Landing()

    async def run() -> None:
        await landing.land(b"1\n")
        await landing.land(b"2\n")

    asyncio.run(run())
    assert sorted(landing.objects().values()) == [b"1\n", b"2\n"]


def test_an_object_says_where_it_came_from_when_and_what_it_holds() -> None:
    landing = Landing()
    key = asyncio.run(landing.land(b"{}\n{}\n")).key

    info = landing.store.head(key)
    assert dict(info.metadata) == {
        "source": "http",
        "received-us": str(landing.clock.now_us()),
        "sha256": keys.digest(b"{}\n{}\n"),
        "records": "2",
        "write-id": "write-0",
    }
    assert (info.content_type, info.content_encoding) == ("application/x-ndjson", "zstd")
    assert key == keys.landing_key("s", landing.clock.now_us(), "write-0", ".ndjson.zst")


def test_the_write_id_is_chosen_once_and_kept_through_retries() -> None:
    landing = Landing()
    faults = iter([OutcomeUnknown("no reply"), Unavailable("slow down")])

    def fail_twice(operation: str, _key: str) -> None:
        if operation == "put_if_absent" and (error := next(faults, None)):
            raise error

    landing.store.fault = fail_twice
    asyncio.run(landing.land(b"{}\n"))
    assert len(landing.objects()) == 1
    assert next(iter(landing.objects())).endswith("/write-0.ndjson.zst")


def test_a_client_that_hangs_up_takes_nobody_with_it() -> None:
    landing = Landing(linger_s=LONG_S, max_group_bytes=4)

    async def run() -> LandedAt:
        gone = asyncio.create_task(landing.land(b"1\n"))
        await asyncio.sleep(0)
        gone.cancel()
        answer = await landing.land(b"2\n")
        with pytest.raises(asyncio.CancelledError):
            await gone
        return answer

    answer = asyncio.run(asyncio.wait_for(run(), 10))
    assert landing.objects() == {answer.key: b"1\n2\n"}


def test_while_one_group_is_being_written_the_next_one_fills() -> None:
    landing = Landing()
    is_writing, may_go_on = threading.Event(), threading.Event()

    def wait(operation: str, _key: str) -> None:
        if operation == "put_if_absent" and not is_writing.is_set():
            is_writing.set()
            assert may_go_on.wait(10)

    landing.store.fault = wait

    async def run() -> tuple[LandedAt, LandedAt]:
        first = asyncio.create_task(landing.land(b"1\n"))
        assert await asyncio.to_thread(is_writing.wait, 10)
        second = await landing.land(b"2\n")
        assert not first.done()
        may_go_on.set()
        return await first, second

    first, second = asyncio.run(run())
    assert landing.objects() == {first.key: b"1\n", second.key: b"2\n"}


def test_with_an_idempotency_key_a_request_lands_alone_where_a_late_retry_will_look() -> None:
    landing = Landing(linger_s=LONG_S)

    async def run() -> list[LandedAt]:
        first = await landing.land(b"1\n", key="k")
        landing.clock.advance(3 * 86_400)
        return [first, await landing.land(b"1\n", key="k"), await landing.land(b"1\n", key="other")]

    first, again, other = asyncio.run(asyncio.wait_for(run(), 10))
    assert (first.was_repeated, again, other.was_repeated) == (False, LandedAt(first.key, was_repeated=True), False)
    assert first.key != other.key
    assert landing.metrics.total("batches_landed") == 2
