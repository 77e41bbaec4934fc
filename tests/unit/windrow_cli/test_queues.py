"""moto's queues under many threads: no message is lost, and waiting costs nothing."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.waiting import eventually
from windrow_cli import queues


@pytest.fixture
def backend() -> Iterator[Any]:
    from moto.sqs.models import SQSBackend

    made = SQSBackend("eu-central-1", "123456789012")
    made.create_queue("q", {})
    queues.make_orderly(made)
    yield made
    made.reset()


def _receive(backend: Any, count: int = 10, wait_s: int = 0, visibility_s: int = 30) -> list[Any]:
    found: list[Any] = backend.receive_message("q", count, wait_s, visibility_s)
    return found


def test_sending_while_others_delete_loses_no_message(backend: Any) -> None:
    per_thread, threads = 150, 4
    got: list[str] = []
    lock = threading.Lock()
    is_over = threading.Event()

    def produce(name: int) -> None:
        for number in range(per_thread):
            backend.send_message("q", f"{name}-{number}")

    def consume() -> None:
        while not is_over.is_set():
            for message in _receive(backend):
                with lock:
                    got.append(message.body)
                backend.delete_message("q", message.receipt_handle)

    consumers = [threading.Thread(target=consume) for _ in range(3)]
    producers = [threading.Thread(target=produce, args=(name,)) for name in range(threads)]
    for thread in (*consumers, *producers):
        thread.start()
    for thread in producers:
        thread.join()
    try:
        eventually(lambda: len(got) >= per_thread * threads, 20, "every message to be received")
    finally:
        is_over.set()
    for thread in consumers:
        thread.join()

    assert sorted(got) == sorted(f"{name}-{number}" for name in range(threads) for number in range(per_thread))


def test_a_waiting_receive_is_woken_by_a_message(backend: Any) -> None:
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.extend(_receive(backend, wait_s=20)))
    waiting.start()
    started_s = time.monotonic()
    backend.send_message("q", "hello")
    waiting.join(10)

    assert [message.body for message in found] == ["hello"]
    assert time.monotonic() - started_s < 5


def test_a_receive_that_waits_in_vain_comes_back_empty(backend: Any) -> None:
    assert _receive(backend, wait_s=1) == []


def test_a_received_message_is_hidden_until_its_time_is_over(backend: Any) -> None:
    backend.send_message("q", "hello")

    assert len(_receive(backend, visibility_s=1)) == 1
    assert _receive(backend) == []
    assert [message.body for message in _receive(backend, wait_s=10)] == ["hello"]


def test_a_message_past_its_retention_is_not_delivered(backend: Any) -> None:
    backend.send_message("q", "old").sent_timestamp = 0

    assert _receive(backend) == []
