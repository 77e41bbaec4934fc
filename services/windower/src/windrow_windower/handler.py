"""Refresh every bucket that messages speak of, each once however many speak of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from windrow import messages
from windrow.errors import Permanent, Transient
from windrow.lake.tables import Place
from windrow.messages import Refresh
from windrow.outcomes import Dead, Done, Outcome, Retry
from windrow_windower.refresh import Refresher


@dataclass(frozen=True)
class Handler:
    """A burst of pointers for one bucket is one refresh."""

    refresher: Refresher

    def handle(self, bodies: Sequence[str]) -> Sequence[Outcome]:
        outcomes: dict[str, Outcome] = {}
        for body in bodies:
            if body not in outcomes:  # equal pointers have equal text
                outcomes[body] = self._handle(body)
        return [outcomes[body] for body in bodies]

    def _handle(self, body: str) -> Outcome:
        try:
            message = messages.decode(body)
            if not isinstance(message, Refresh):
                return Dead(f"a {type(message).__name__} message does not belong on the windows queue")
            inputs = self.refresher.refresh(message.stream, Place(message.bucket_us, message.shard))
        except Transient as error:
            return Retry(str(error))
        except Permanent as error:
            return Dead(str(error))
        return Done("nothing there" if inputs is None else inputs.folder)
