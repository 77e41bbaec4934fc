"""What processes say while they work: part of the trace, and evidence where it speaks of something that cannot be."""

from typing import Any

from tests.sim.process import INJECTED, Process
from windrow.errors import Transient

_EXPECTED = ("stream_halted",)


class EventLog:
    """A process's log. An error in it that no fault of ours explains is a violation."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def info(self, event: str, **fields: Any) -> None:
        self._process.world.log(self._process.name, event, "")

    def warning(self, event: str, **fields: Any) -> None:
        self._process.world.log(self._process.name, event, str(fields.get("reason", fields.get("error", ""))))

    def error(self, event: str, **fields: Any) -> None:
        trouble = fields.get("exc_info", fields.get("error", fields.get("reason", "")))
        text = f"{type(trouble).__name__}: {trouble}" if isinstance(trouble, Exception) else str(trouble)
        self._process.world.log(self._process.name, event, text)
        is_explained = INJECTED in text or event in _EXPECTED or isinstance(trouble, Transient)
        if not is_explained and event not in ("message_dead_lettered", "consumer_stopped"):
            self._process.world.violated(9, f"{self._process.name} says {event}: {text}")
