"""Refresh every window that the records messages speak of can change, each once however many speak of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from windrow import messages
from windrow.catalog import SpecCatalog
from windrow.errors import Permanent, Transient
from windrow.lake.tables import Place
from windrow.listing import Listing
from windrow.messages import Refresh
from windrow.outcomes import Dead, Done, Outcome, Retry
from windrow_windower.refresh import Refresher

_Owner = tuple[str, str, Place]
"""A stream, one of its windows, and a place."""


@dataclass(frozen=True)
class Handler:
    """A burst of pointers is one refresh of every bucket of windows that it touches."""

    refresher: Refresher
    catalog: SpecCatalog

    def handle(self, bodies: Sequence[str]) -> Sequence[Outcome]:
        group = _Group(self.refresher, self.catalog)
        outcomes: dict[str, Outcome] = {}
        for body in bodies:
            if body not in outcomes:  # equal pointers have equal text
                outcomes[body] = group.handle(body)
        return [outcomes[body] for body in bodies]


@dataclass(frozen=True)
class _Group:
    """Messages taken together: what one of them lists or computes, the others share."""

    refresher: Refresher
    catalog: SpecCatalog
    listings: dict[str, Listing] = field(default_factory=dict)
    refreshed: dict[_Owner, Outcome] = field(default_factory=dict)

    def handle(self, body: str) -> Outcome:
        try:
            message = messages.decode(body)
            if not isinstance(message, Refresh):
                return Dead(f"a {type(message).__name__} message does not belong on the windows queue")
            outcomes = self._refresh(message)
        except Transient as error:
            return Retry(str(error))
        except Permanent as error:
            return Dead(str(error))
        for kind in (Retry, Dead):  # what can be tried again is, and the other is dead then too
            bad = [outcome for outcome in outcomes if isinstance(outcome, kind)]
            if bad:
                return bad[0]
        return Done(f"{len(outcomes)} refreshed")

    def _refresh(self, message: Refresh) -> list[Outcome]:
        """Every window of the stream, apart: what is wrong with one costs only itself."""
        stream, place = message.stream, Place(message.bucket_us, message.shard)
        listing = self.listings.setdefault(stream, Listing(self.refresher.store, stream))
        outcomes: list[Outcome] = []
        for window in self.catalog.current(stream).spec.windows:
            try:
                owners = self.refresher.owners(stream, window, place, listing)
            except Transient as error:
                outcomes.append(Retry(str(error)))
            except Permanent as error:
                outcomes.append(Dead(str(error)))
            else:
                outcomes.extend(self._once((stream, window, owner), listing) for owner in owners)
        return outcomes

    def _once(self, owner: _Owner, listing: Listing) -> Outcome:
        if owner not in self.refreshed:
            stream, window, place = owner
            try:
                inputs = self.refresher.refresh(stream, window, place, listing=listing)
                self.refreshed[owner] = Done("nothing there" if inputs is None else inputs.folder)
            except Transient as error:
                self.refreshed[owner] = Retry(str(error))
            except Permanent as error:
                self.refreshed[owner] = Dead(str(error))
        return self.refreshed[owner]
