"""A file straight into the landing zone: the road for everything that is not lines or an array of JSON records."""

import hashlib
import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from windrow import keys
from windrow.catalog import SpecCatalog
from windrow.clock import SystemClock
from windrow.errors import BadInput, NotFound
from windrow.immutable import put_once
from windrow.ports import ObjectHeaders, ObjectStore
from windrow.spec import StreamSpec
from windrow_cli.source import Source

_MAX_BYTES = 5 << 30
"""What S3 takes in one request, and what the consumer reads by default."""
_BLOCK_BYTES = 1 << 20
_NAME_CHARS = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")

OnRead = Callable[[int], None]
"""Told how far the file has been read. It is read more than once: for its digest, for checksums, and to be sent."""


def spec_of(stream: str, store: ObjectStore) -> StreamSpec:
    """A stream's spec; NotFound, with what to do, when there is no such stream."""
    try:
        return SpecCatalog(store, SystemClock()).current(stream).spec
    except NotFound as error:
        raise NotFound(f"{error}; publish one with `windrow publish FILE`") from error


def upload(
    source: Source, stream: str, salt: str, store: ObjectStore, on_read: OnRead = lambda _bytes: None
) -> tuple[str, bool]:
    """Put a file where it is decoded; returns its key, and whether it was there already.

    The file is read in blocks, never held whole. Raises NotFound when there is no such stream, BadInput when the file
    is too large or changes meanwhile.
    """
    if source.path is None or source.size_bytes > _MAX_BYTES:
        raise BadInput(
            f"{source.path}: has {source.size_bytes / (1 << 30):.1f} GiB, and an upload may have {_MAX_BYTES >> 30}; "
            "split it, or compress it (.zst)"
        )
    spec_of(stream, store)
    with source.opened() as raw:
        before = os.fstat(raw.fileno())
        file = io.BufferedReader(_Watched(raw, on_read), _BLOCK_BYTES)
        content = hashlib.file_digest(file, "sha256").hexdigest()
        after = os.fstat(raw.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise BadInput(f"{source.path}: is still being written; send it once it is complete")
        write_id = keys.digest(stream, source.name, content, salt)
        key = f"{keys.landing_prefix(stream)}uploads/{write_id}-{_safe(source.path)}"
        headers = ObjectHeaders(metadata={"source": "upload"}, content_type=source.content_type)
        written, _ = put_once(store, key, file, write_id, headers)
    return key, written == "already_ours"


def _safe(path: Path) -> str:
    """The name with its ending, by which the consumer sees how the file is written and compressed."""
    return _UNSAFE.sub("_", path.name)[-_NAME_CHARS:]


class _Watched(io.RawIOBase):
    """A file that says how far it has been read."""

    def __init__(self, raw: BinaryIO, on_read: OnRead) -> None:
        self._raw = raw
        self._on_read = on_read

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readinto(self, buffer: "bytearray | memoryview", /) -> int:  # type: ignore[override]
        found = self._raw.read(len(buffer))
        buffer[: len(found)] = found
        self._on_read(self._raw.tell())
        return len(found)
