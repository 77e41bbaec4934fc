"""Tasks in a pool, or in the calling thread."""

import threading
from concurrent.futures import wait

import pytest

from windrow.parallel import pool


def test_with_no_workers_tasks_run_at_once_and_in_the_calling_thread() -> None:
    ran: list[tuple[int, int]] = []
    with pool(0, "none") as here:
        futures = [here.submit(lambda number=number: ran.append((number, threading.get_ident()))) for number in (1, 2)]

        assert ran == [(1, threading.get_ident()), (2, threading.get_ident())]
        assert all(future.done() for future in futures)


def test_with_workers_tasks_run_in_threads_of_that_name() -> None:
    with pool(2, "get") as threads:
        future = threads.submit(lambda: threading.current_thread().name)
        wait([future])

    assert future.result().startswith("get")


@pytest.mark.parametrize("workers", [0, 2])
def test_results_come_in_order_and_an_error_belongs_to_whoever_asks_for_the_result(workers: int) -> None:
    with pool(workers, "get") as some:
        assert list(some.map(lambda number: number * 2, [3, 1, 2])) == [6, 2, 4]
        failed = some.submit(lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            failed.result()
