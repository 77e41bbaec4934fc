"""Writing an immutable object exactly once, whatever the network says (law 2)."""

from dataclasses import replace
from typing import Literal

from windrow.errors import AlreadyExists, Conflict, NotFound, OutcomeUnknown, Transient, Unavailable
from windrow.ports import Body, ObjectHeaders, ObjectInfo, ObjectStore

WRITE_ID = "write-id"
_ATTEMPTS = 3

Written = Literal["created", "already_ours"]


def put_once(
    store: ObjectStore, key: str, body: Body, write_id: str, headers: ObjectHeaders
) -> tuple[Written, ObjectInfo]:
    """Make `key` hold `body`, written under `write_id`.

    `already_ours` means an earlier attempt had landed; the caller still does the work that follows. Raises Conflict
    when the key holds another write's content, OutcomeUnknown when the store would not say, Unavailable when it
    would not take the write. A conflict with another write under way (409) is tried again.
    """
    stamped = replace(headers, metadata={**headers.metadata, WRITE_ID: write_id})
    trouble: Transient = OutcomeUnknown(f"{key}: nothing was tried")
    for _ in range(_ATTEMPTS):
        try:
            return "created", store.put_if_absent(key, body, stamped)
        except Unavailable as error:
            trouble = error
            continue
        except OutcomeUnknown as error:
            trouble = error
        except AlreadyExists:
            trouble = OutcomeUnknown(f"{key}: is taken, then gone again")
        # 412 may be our own PUT whose reply was lost, and a timeout says nothing: read back.
        try:
            found = store.head(key)
        except NotFound:
            continue  # it had not landed: put again, to the same key
        if found.metadata.get(WRITE_ID) == write_id:
            return "already_ours", found
        raise Conflict(
            f"{key} already holds another write ({found.metadata.get(WRITE_ID, 'without a write id')}, "
            f"{found.size_bytes} bytes); ours is {write_id}"
        )
    raise trouble
