"""Logs of child processes: begun anew with each start, shown while they grow, quoted when something fails."""

import os
from pathlib import Path

from rich.markup import escape

from windrow_cli.cells import shown
from windrow_cli.context import Context

_KEPT = 3


def rotate(log_path: Path) -> None:
    """Begin a new log, keeping the last few: service.log.1 is the one before."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    for number in range(_KEPT - 1, 0, -1):
        older = log_path.with_name(f"{log_path.name}.{number}")
        if older.exists():
            older.rename(log_path.with_name(f"{log_path.name}.{number + 1}"))
    if log_path.exists():
        log_path.rename(log_path.with_name(f"{log_path.name}.1"))


def last_lines(log_path: Path, count: int) -> list[str]:
    """The end of a log, for a message about why something failed."""
    try:
        with log_path.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - 20_000))
            return log.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


class LogTail:
    """Shows lines that are added to log files."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._offsets: dict[str, tuple[Path, int]] = {}

    def follow(self, name: str, path: Path) -> None:
        """From its beginning: a log is begun anew with its process."""
        self._offsets[name] = (path, 0)

    def turn(self) -> None:
        """Print whole lines that came since the last turn."""
        for name, (path, offset) in self._offsets.items():
            if not path.exists():
                continue
            with path.open("rb") as log:
                log.seek(offset)
                added = log.read()
            whole = added[: added.rfind(b"\n") + 1]
            self._offsets[name] = (path, offset + len(whole))
            for line in whole.decode(errors="replace").splitlines():
                self._context.out.print(f"[dim]{name:>11}[/] {escape(shown(line))}", highlight=False, soft_wrap=True)
