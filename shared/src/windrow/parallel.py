"""Work that waits on the network, several at a time; or in the calling thread, where one must decide the order."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class _CallingThread(Executor):
    """Runs each task at once, before `submit` returns."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  it belongs to whoever asks for the result
            done.set_exception(error)
        return done


def pool(workers: int, name: str) -> Executor:
    """A pool of this many threads, whose names begin with `name`; with none, tasks run in the calling thread."""
    if workers == 0:
        return _CallingThread()
    return ThreadPoolExecutor(max_workers=workers, thread_name_prefix=name)
