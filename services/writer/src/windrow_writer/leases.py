"""One writer per table at a time: a lease is an object that is replaced only where it is still as it was read.

A lease says who holds a table, under a token that grows with every change of hands. It needs no renewing: it holds for
as long as its holder is at work (`roster`). The token goes into every commit as a mark. Whoever finds a larger one in
the table has lost it, however it came to believe otherwise: it was paused, or cut off. So leases spread the work, and
the mark makes them safe.
"""

import threading
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from windrow import keys
from windrow.errors import AlreadyExists, NotFound, Permanent, Transient, WindrowError
from windrow.log import Log
from windrow.metrics import Metrics
from windrow.ports import ObjectHeaders, ObjectStore, StoredObject
from windrow_writer.roster import Roster

_JSON = ObjectHeaders(content_type="application/json")
_NOBODY = ""


class Elsewhere(Transient):
    """Another writer holds the table, or should."""


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a table; nobody, where the owner is empty."""

    v: int = 1
    owner: str
    token: int


_DECODER = msgspec.json.Decoder(Lease)


@dataclass
class Leases:
    """The tables that this writer holds. Losing any of it costs a read."""

    store: ObjectStore
    roster: Roster
    metrics: Metrics
    log: Log
    _held: dict[str, int] = field(default_factory=dict)
    """The token of each lease held, by key."""
    _not_ours: set[str] = field(default_factory=set)
    """Leases that were not in our name at the last beat. One that we took without hearing of it is in our name, and
    nobody else could take it; it may come to be at any time after we asked for it, so this is found out anew."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, stream: str, table: str) -> int:
        """The token under which this writer commits to a table. Raises Elsewhere, and other Transient errors."""
        if self.roster.is_due():
            self.beat()
        key = keys.lease_key(stream, table)
        wanted = self.roster.writer_for(f"{stream}/{table}")
        if wanted != self.roster.writer:
            self._give(key)
            raise Elsewhere(f"{stream}/{table} is for writer {wanted}")
        with self._lock:
            token = self._held.get(key)
        return self._take(key, None) if token is None else token

    def overtaken(self, stream: str, table: str, fence: int) -> None:
        """Say that a table was committed to under a larger token (`fence`) than ours.

        If the lease says nonetheless that it is ours, its object was made anew: its tokens then go on from there.
        """
        key = keys.lease_key(stream, table)
        with self._lock:
            token = self._held.pop(key, None)
        self.metrics.count("leases_lost", stream=stream, table=table)
        self.log.warning("lease_lost", stream=stream, table=table, token=token, fence=fence)
        found = self._read(key)
        if found is not None and _DECODER.decode(found.body).token == token:
            self._take(key, fence)

    def beat(self) -> None:
        """Be heard of, and give up what is now for others. Raises Transient errors."""
        if self.roster.has_lapsed():
            with self._lock:
                self._held.clear()  # others may have taken them: each is asked for again
        self.roster.beat()
        with self._lock:
            self._not_ours.clear()
            held = list(self._held)
        for key in held:
            if self.roster.writer_for(keys.table_of_lease(key)) != self.roster.writer:
                self._give(key)

    def keep(self, stop: threading.Event) -> None:
        """Be heard of until told to stop, whatever else this process is doing meanwhile."""
        while not stop.wait(self.roster.beat_s):
            try:
                self.beat()
            except WindrowError as error:
                self.log.warning("beat_failed", writer=self.roster.writer, error=str(error))

    def leave(self) -> None:
        """Give up everything, for others to take at once."""
        with self._lock:
            held = list(self._held)
        try:
            for key in held:
                self._give(key)
            self.roster.leave()
        except WindrowError as error:
            self.log.warning("leases_not_given_up", writer=self.roster.writer, error=str(error))

    # ------------------------------------------------------------------------------------------ objects

    def _read(self, key: str) -> StoredObject | None:
        try:
            return self.store.get(key)
        except NotFound:
            return None

    def _take(self, key: str, fence: int | None) -> int:
        """Take a lease that nobody at work holds; with `fence`, one of our own, for its token to go on from there."""
        found = self._read(key)
        if found is None:
            token = (fence or 0) + 1
        else:
            lease = _DECODER.decode(found.body)
            token = max(lease.token, fence or 0) + 1
            if lease.owner not in (_NOBODY, self.roster.writer) and self.roster.is_alive(lease.owner):
                raise Elsewhere(f"{keys.table_of_lease(key)} is still held by writer {lease.owner}")
        self._put(key, Lease(owner=self.roster.writer, token=token), found)
        with self._lock:
            self._held[key] = token
        return token

    def _give(self, key: str) -> None:
        with self._lock:
            self._held.pop(key, None)
            if key in self._not_ours:
                return
        found = self._read(key)
        if found is not None and (lease := _DECODER.decode(found.body)).owner == self.roster.writer:
            with suppress(Elsewhere):
                self._put(key, Lease(owner=_NOBODY, token=lease.token), found)
        with self._lock:
            self._not_ours.add(key)

    def _put(self, key: str, lease: Lease, before: StoredObject | None) -> None:
        body = msgspec.json.encode(lease)
        with self._lock:
            self._not_ours.discard(key)
        try:
            if before is None:
                self.store.put_if_absent(key, body, _JSON)
            else:
                self.store.put(key, body, _JSON, if_match=before.info.etag)
        except (AlreadyExists, NotFound) as error:
            raise Elsewhere(f"{keys.table_of_lease(key)} was taken by another writer in this moment") from error
        except Permanent as error:
            raise Elsewhere(f"the lease of {keys.table_of_lease(key)} cannot be written: {error}") from error
