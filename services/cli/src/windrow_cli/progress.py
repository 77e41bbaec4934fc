"""How far `windrow send` has come, on standard error, so that standard output stays clean."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from windrow_cli.context import Context
from windrow_cli.source import Source


class Bar:
    """One bar over all files that take the same road."""

    def __init__(self, progress: Progress, task: TaskID, give_up_after_s: float) -> None:
        self._progress = progress
        self._task = task
        self._give_up_after_s = give_up_after_s
        self._before_bytes: dict[str, int] = {}
        self._said: set[str] = set()

    def show(self, source: Source, read_bytes: int, what: str) -> None:
        """How far a file has been read, and what there is to say of it."""
        self._before_bytes[str(source.path)] = read_bytes
        self._progress.update(
            self._task, completed=sum(self._before_bytes.values()), description=source.name, what=what
        )

    def say(self, why: str) -> None:
        """Why it takes longer; empty when it goes on."""
        self._progress.update(self._task, note=why)
        if self._progress.disable and why and why not in self._said:
            self._said.add(why)
            self._progress.console.print(
                f"{why}; trying again for up to {self._give_up_after_s:.0f} s",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )


@contextmanager
def bar_over(context: Context, found: Sequence[Source], give_up_after_s: float) -> Iterator[Bar]:
    """A bar over these files, which goes away when they are sent; nothing is drawn where nobody looks."""
    is_known = all(source.size_bytes for source in found)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[what]}"),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("[yellow]{task.fields[note]}"),
        console=context.err,
        transient=True,
        disable=not context.err.is_terminal,
    ) as progress:
        total = sum(source.size_bytes for source in found) if is_known else None
        yield Bar(progress, progress.add_task("", total=total, what="", note=""), give_up_after_s)
