"""moto's queues, made safe for threads and quick enough.

As it comes, moto deletes by building a new list while another thread may be appending to the old one, which loses that
message, and it walks the whole queue several times for each message sent or received. The sweepers would make the loss
good, but only after a while.
"""

import threading
import time
from typing import Any

from moto.sqs import models

_RECHECK_S = 0.25
"""How soon a waiting receive notices a message whose visibility has run out; sending wakes it at once."""


def make_orderly(backend: Any) -> None:
    """Let one call at a time into an SQS backend, except while a receive waits."""
    changed = threading.Condition(threading.RLock())
    send, receive = backend.send_message, backend.receive_message

    def send_message(*args: Any, **more: Any) -> Any:
        with changed:
            sent = send(*args, **more)
            changed.notify_all()
            return sent

    def receive_message(
        queue_name: str, count: int, wait_seconds_timeout: int, visibility_timeout: int, *args: Any, **more: Any
    ) -> Any:
        deadline_s = time.monotonic() + (wait_seconds_timeout or 0)
        with changed:
            while True:
                found = receive(queue_name, count, 0, visibility_timeout, *args, **more)
                left_s = deadline_s - time.monotonic()
                if found or left_s <= 0:
                    return found
                changed.wait(min(left_s, _RECHECK_S))

    def locked(method: Any) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            with changed:
                return method(*args, **more)

        return call

    backend.send_message, backend.receive_message = send_message, receive_message
    for name in ("delete_message", "change_message_visibility", "get_queue_attributes", "purge_queue", "create_queue"):
        setattr(backend, name, locked(getattr(backend, name)))
    backend.is_message_valid_based_on_retention_period = _is_retained(backend)


def use_plain_clock() -> None:
    """Tell moto the time without the three datetime objects it makes for each `now`, several times per message."""
    clock: Any = models
    clock.unix_time = time.time
    clock.unix_time_millis = _now_ms


def _now_ms() -> float:
    return time.time() * 1_000


def _is_retained(backend: Any) -> Any:
    def is_retained(queue_name: str, message: Any) -> bool:
        retention_s = float(backend.get_queue(queue_name).message_retention_period)
        return bool(retention_s + message.sent_timestamp / 1_000 > time.time())

    return is_retained
