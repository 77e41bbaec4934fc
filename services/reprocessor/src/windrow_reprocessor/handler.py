"""Takes dead letters off their queues into the object store, where they can be listed without being consumed."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from windrow import keys
from windrow.clock import Clock
from windrow.errors import AlreadyExists, NotFound, Permanent, Transient
from windrow.outcomes import Done, Outcome, Retry
from windrow.ports import ObjectHeaders, ObjectStore
from windrow_reprocessor.letters import DeadLetter, decode_dead, decode_letter, encode_dead

_JSON = ObjectHeaders(content_type="application/json")


@dataclass(frozen=True)
class Handler:
    """Keeps each letter under a key made of its content. Nothing is ever dead here: it is tried until it is kept."""

    store: ObjectStore
    clock: Clock

    def handle(self, bodies: Sequence[str]) -> Sequence[Outcome]:
        return [self._handle(body) for body in bodies]

    def _handle(self, body: str) -> Outcome:
        try:
            return self._keep(body)
        except (Transient, Permanent) as error:
            return Retry(str(error), after_s=30)

    def _keep(self, body: str) -> Outcome:
        letter = decode_letter(body)
        key = keys.dead_letter_key(letter.queue, letter.body)
        now_us = self.clock.now_us()
        try:
            stored = self.store.get(key)
        except NotFound:
            first = DeadLetter(
                queue=letter.queue, body=letter.body, reason=letter.reason, deaths=1, first_us=now_us, last_us=now_us
            )
            try:
                self.store.put_if_absent(key, encode_dead(first), _JSON)
            except AlreadyExists:
                return Retry(f"{key} was kept by another at the same time", after_s=1)
            return Done(key)
        known = decode_dead(stored.body)
        again = msgspec.structs.replace(
            known, reason=letter.reason, deaths=known.deaths + 1, last_us=now_us, state="waiting"
        )
        try:
            self.store.put(key, encode_dead(again), _JSON, if_match=stored.info.etag)
        except AlreadyExists:
            return Retry(f"{key} was changed by another at the same time", after_s=1)
        return Done(key)
