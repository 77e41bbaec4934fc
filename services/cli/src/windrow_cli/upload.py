"""A file straight into the landing zone: the road for CSV."""

import re

from windrow import keys
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.errors import BadInput, NotFound
from windrow.immutable import put_once
from windrow.ports import ObjectHeaders, ObjectStore
from windrow_cli.source import Source

_MAX_BYTES = 128 << 20
"""The consumer's limit of an object, by default."""
_NAME_CHARS = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def upload(source: Source, stream: str, salt: str, store: ObjectStore) -> tuple[str, bool]:
    """Put a CSV file where it is decoded; returns its key, and whether it was there already.

    Raises NotFound when there is no such stream, BadInput when the file is too large.
    """
    if source.path is None or source.size_bytes > _MAX_BYTES:
        raise BadInput(
            f"{source.path}: has {source.size_bytes >> 20} MiB, and an upload may have {_MAX_BYTES >> 20}; "
            "split it, or compress it (.csv.zst)"
        )
    try:
        SpecCatalog(store, SystemClock()).current(stream)
    except NotFound as error:
        raise NotFound(f"{error}; publish one with `windrow publish FILE`") from error
    body = source.path.read_bytes()
    write_id = keys.digest(stream, source.name, body, salt)
    # The consumer sees by the name's ending whether it is compressed.
    name = _UNSAFE.sub("_", source.name)[-_NAME_CHARS:]
    key = f"{keys.landing_prefix(stream)}uploads/{write_id}-{name}"
    headers = ObjectHeaders(metadata={"source": "upload"}, content_type="text/csv")
    written, _ = put_once(store, key, body, write_id, headers)
    return key, written == "already_ours"
