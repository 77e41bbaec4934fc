"""asyncio on virtual time: coroutines run in one fiber of a process, what they hand to threads in fibers beside it."""

import asyncio
from asyncio import events
from collections.abc import Callable, Coroutine
from typing import Any

from tests.sim.process import Process
from tests.sim.scheduler import Killed

_LONG_S = 3600.0


class _Waiting:
    """Stands where a loop's selector is: no sockets, only time and other fibers."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def select(self, timeout: float | None) -> list[object]:
        if timeout is None or timeout > 0:
            # asyncio keeps the running loop per thread, and other fibers of this thread have loops of their own.
            running = events._get_running_loop()
            events._set_running_loop(None)
            try:
                self._process.world.scheduler.wait(_LONG_S if timeout is None else timeout, on=self)
            finally:
                events._set_running_loop(running)
        return []

    def wake(self) -> None:
        self._process.world.scheduler.wake(self)

    def close(self) -> None:
        pass


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop of one process."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process = process
        self._selector = _Waiting(process)
        self._clock_resolution = 1e-6
        self.set_exception_handler(lambda *_: None)  # tasks that die with their process are no news

    def time(self) -> float:
        return self._process.world.scheduler.now_s()

    def run_in_executor(self, executor: object, func: Callable[..., Any], *args: object) -> "asyncio.Future[Any]":
        """A thread: a fiber that may wait while the coroutines go on."""
        future = self.create_future()

        def run() -> None:
            try:
                result = func(*args)
            except Exception as error:  # noqa: BLE001  it belongs to whoever awaits the thread
                self.post(_settle, future, None, error)
            else:
                self.post(_settle, future, result, None)

        self._process.spawn("thread", run)
        return future

    def post(self, callback: Callable[..., object], *args: object) -> None:
        """Call this in the loop's own fiber."""
        self.call_soon(callback, *args)
        self._selector.wake()

    def start(self, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine in the loop."""
        self.post(lambda: self.create_task(make()))

    def turn_forever(self) -> None:
        """The body of the loop's fiber."""
        events._set_running_loop(self)
        try:
            while True:
                self._run_once()  # type: ignore[attr-defined]
        except Killed:
            self._abandon()
            raise
        finally:
            events._set_running_loop(None)

    def _process_events(self, event_list: list[object]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def _abandon(self) -> None:
        self._ready.clear()  # type: ignore[attr-defined]
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            task.get_coro().close()
        self.close()


def _settle(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
