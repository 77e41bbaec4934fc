"""An object store in a dictionary, with S3's conditional writes and a place to inject faults."""

import hashlib
import threading
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import replace

from windrow.clock import Clock
from windrow.errors import AlreadyExists, NotFound, Permanent, TooLarge, Unavailable
from windrow.ports import Body, ObjectHeaders, ObjectInfo, StoredObject

_BLOCK_BYTES = 1 << 18
Fault = Callable[[str, str], None]
"""Called with (operation, key) before an effect and with (`operation.after`, key) once it has landed; may raise."""


class MemoryObjectStore:
    """Objects in memory. `fault`, if set, is asked before and after each effect."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._objects: dict[str, StoredObject] = {}
        self._keys: list[str] = []
        """In order."""
        self._listed: dict[str, ObjectInfo] = {}
        """What a LIST says of each: no headers."""
        self._lock = threading.Lock()
        self.fault: Fault | None = None
        self.on_created: Callable[[str], None] | None = None
        """Called with the key of each created or replaced object: S3's event notification."""

    def get(self, key: str, max_bytes: int | None = None) -> StoredObject:
        self._ask("get", key)
        found = self._find(key)
        if max_bytes is not None and len(found.body) > max_bytes:
            raise TooLarge(f"{key} has {len(found.body)} bytes; the limit is {max_bytes}")
        return found

    def read(self, info: ObjectInfo) -> Iterator[bytes]:
        self._ask("read", info.key)
        found = self._find(info.key)
        if found.info.etag != info.etag:
            raise Unavailable(f"{info.key} was replaced while it was being read")
        for start in range(0, len(found.body), _BLOCK_BYTES):
            yield found.body[start : start + _BLOCK_BYTES]

    def head(self, key: str) -> ObjectInfo:
        self._ask("head", key)
        return self._find(key).info

    def put_if_absent(self, key: str, body: Body, headers: ObjectHeaders) -> ObjectInfo:
        self._ask("put_if_absent", key)
        _check_metadata(key, headers)
        body = _read(body)
        with self._lock:
            if key in self._objects:
                raise AlreadyExists(f"PUT {key}: PreconditionFailed")
            stored = self._store(key, body, headers)
        return self._landed("put_if_absent", stored)

    def put(self, key: str, body: bytes, headers: ObjectHeaders, if_match: str | None = None) -> ObjectInfo:
        self._ask("put", key)
        _check_metadata(key, headers)
        with self._lock:
            if if_match is not None:
                if key not in self._objects:
                    raise NotFound(f"PUT {key}: NoSuchKey")
                if self._objects[key].info.etag != if_match:
                    raise AlreadyExists(f"PUT {key}: PreconditionFailed")
            stored = self._store(key, body, headers)
        return self._landed("put", stored)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        self._ask("list", prefix)
        with self._lock:
            infos = []
            for number in range(bisect_left(self._keys, prefix), len(self._keys)):
                if not self._keys[number].startswith(prefix):
                    break
                infos.append(self._listed[self._keys[number]])
        yield from infos

    def delete(self, key: str) -> None:
        self._ask("delete", key)
        with self._lock:
            if self._objects.pop(key, None) is not None:
                self._keys.remove(key)
        self._ask("delete.after", key)

    def remove(self, key: str) -> None:
        """What a lifecycle rule does: nobody is asked, and what is not there cannot expire."""
        with self._lock:
            del self._objects[key]
            self._keys.remove(key)

    def _store(self, key: str, body: bytes, headers: ObjectHeaders) -> StoredObject:
        info = ObjectInfo(
            key=key,
            etag=hashlib.md5(body, usedforsecurity=False).hexdigest(),
            size_bytes=len(body),
            modified_us=self._clock.now_us(),
            metadata=dict(headers.metadata),
            content_type=headers.content_type,
            content_encoding=headers.content_encoding,
        )
        if key not in self._objects:
            insort(self._keys, key)
        self._objects[key] = StoredObject(info, bytes(body))
        self._listed[key] = replace(info, metadata={}, content_type="", content_encoding="")
        return self._objects[key]

    def _landed(self, operation: str, stored: StoredObject) -> ObjectInfo:
        if self.on_created is not None:
            self.on_created(stored.info.key)
        self._ask(f"{operation}.after", stored.info.key)
        return stored.info

    def _find(self, key: str) -> StoredObject:
        with self._lock:
            if key not in self._objects:
                raise NotFound(f"GET {key}: NoSuchKey")
            return self._objects[key]

    def _ask(self, operation: str, key: str) -> None:
        if self.fault is not None:
            self.fault(operation, key)


def _read(body: Body) -> bytes:
    if isinstance(body, bytes):
        return body
    body.seek(0)
    return body.read()


def _check_metadata(key: str, headers: ObjectHeaders) -> None:
    """Metadata travels as HTTP headers, so S3's clients send ASCII only."""
    for name, value in headers.metadata.items():
        if not (name + value).isascii():
            raise Permanent(f"PUT {key}: metadata {name}={value!r} is not ASCII")
