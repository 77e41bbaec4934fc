"""Streams that stopped themselves: a spec version under which too much went to quarantine (law 9).

A halt is an object in the store, so every consumer sees it and no message has to be held: objects that land meanwhile
wait in the landing zone, and the sweep decodes them once the halt is over. It ends when a newer version of the spec is
published, which then decodes what waited, or when an operator resumes the stream.
"""

import msgspec

from windrow import keys
from windrow.errors import NotFound
from windrow.immutable import put_once
from windrow.ports import ObjectHeaders, ObjectStore

_JSON = ObjectHeaders(content_type="application/json")


class Halt(msgspec.Struct, frozen=True, kw_only=True):
    """Why decoding under a spec version stopped."""

    stream: str
    spec_version: int
    at_us: int
    records: int
    """Records seen lately."""
    quarantined: int
    """How many of them went to quarantine, or would have."""
    landing_key: str
    """The object that tipped the scale."""
    reason: str
    """The commonest fault in it, as a sentence."""


_DECODER = msgspec.json.Decoder(Halt)


def stop(store: ObjectStore, halt: Halt) -> None:
    """Stop decoding under a version. Whoever says so first is believed."""
    key = keys.halt_key(halt.stream, halt.spec_version)
    put_once(store, key, msgspec.json.encode(halt), f"halt-{halt.stream}-{halt.spec_version}", _JSON)


def resume(store: ObjectStore, stream: str, version: int) -> bool:
    """Go on under a version, which is not stopped again. Returns False if it had not been stopped."""
    if find(store, stream, version) is None:
        return False
    put_once(store, keys.resume_key(stream, version), b"{}", f"resume-{stream}-{version}", _JSON)
    return True


def find(store: ObjectStore, stream: str, version: int) -> Halt | None:
    """The halt of a version, if it is in force."""
    try:
        halt = _DECODER.decode(store.get(keys.halt_key(stream, version)).body)
    except NotFound:
        return None
    return None if was_resumed(store, stream, version) else halt


def was_resumed(store: ObjectStore, stream: str, version: int) -> bool:
    """Whether an operator has said that a version is to go on."""
    try:
        store.head(keys.resume_key(stream, version))
    except NotFound:
        return False
    return True
