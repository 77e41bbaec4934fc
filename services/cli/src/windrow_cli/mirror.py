"""Objects kept as files, so that killing the emulator at any moment loses nothing that was acknowledged.

<root>/<bucket>/<key>              the body, under its own name where the name is safe: a Delta table in the emulator
                                   is a Delta table on disk
<root>/.headers/<xx>/<digest>.json everything else about it, and the path of the body
<root>/.headers/<xx>/<digest>.next what the headers become once a body that is being replaced stands
<root>/.partial/                   bodies that are being written

An object exists if its headers do. `save` writes the body aside, then `.next`, then moves the body and last the headers
into place. A crash between the last two steps is seen by the body's inode, which a rename keeps, and is rolled forward.
Nothing is flushed to the platter: this guards against a killed process, not against a power cut.
"""

import os
import re
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from windrow.keys import digest

_HEADERS = ".headers"
_PARTIAL = ".partial"
_UNSAFE = re.compile(r"[^a-z0-9_.=-]")
_PART_CHARS = 200


class Headers(msgspec.Struct, frozen=True, kw_only=True):
    """What stands beside an object's bytes. `path` and `inode` say where those are."""

    bucket: str
    key: str
    etag: str
    size_bytes: int
    modified_us: int
    metadata: Mapping[str, str]
    """Content type, content encoding and user metadata, by header name."""
    storage_class: str = "STANDARD"
    checksums: Mapping[str, str | int] = {}
    path: str = ""
    inode: int = 0


_DECODER = msgspec.json.Decoder(Headers)


def quote(part: str) -> str:
    """One part of a key as a file name: safe, short, and different for different parts on any file system.

    Capitals are quoted too, because some file systems do not tell them from small letters.
    """
    if part in ("", ".", ".."):
        return "%" + part.replace(".", "%2E")
    quoted = _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8")), part)
    return quoted if len(quoted) <= _PART_CHARS else f"%~{digest(part)}"


class Mirror:
    """The files of one emulator. Calls for the same key must not overlap."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._paths: dict[tuple[str, str], str] = {}
        for folder in (root / _HEADERS, root / _PARTIAL):
            folder.mkdir(parents=True, exist_ok=True)

    def body_path(self, bucket: str, key: str) -> Path:
        """Where the body of a saved object is."""
        return self._root / self._paths[bucket, key]

    def count(self) -> int:
        """How many objects there are."""
        return len(self._paths)

    def save(self, headers: Headers, body: bytes) -> None:
        """Make an object durable, in place of an earlier one with its key. OSError leaves the earlier one standing."""
        target = self._target(headers.bucket, headers.key)
        partial = self._root / _PARTIAL / uuid.uuid4().hex
        try:
            partial.write_bytes(body)
            placed = msgspec.structs.replace(
                headers, path=str(target.relative_to(self._root)), inode=partial.stat().st_ino
            )
            standing = self._headers_path(headers.bucket, headers.key)
            standing.parent.mkdir(exist_ok=True)
            following = standing.with_suffix(".next")
            following.write_bytes(msgspec.json.encode(placed))
            partial.rename(target)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        following.rename(standing)
        self._paths[headers.bucket, headers.key] = placed.path

    def remove(self, bucket: str, key: str) -> None:
        """Forget an object; one that is not there is no error."""
        path = self._paths.pop((bucket, key), None)
        self._headers_path(bucket, key).unlink(missing_ok=True)
        if path is not None:
            (self._root / path).unlink(missing_ok=True)

    def find(self, bucket: str, key: str) -> Headers | None:
        """What is durable under a key."""
        try:
            return _DECODER.decode(self._headers_path(bucket, key).read_bytes())
        except FileNotFoundError:
            return None

    def load(self) -> Iterator[Headers]:
        """Every durable object, after finishing or undoing what a crash interrupted."""
        for following in (self._root / _HEADERS).glob("*/*.next"):
            self._settle(following)
        for partial in (self._root / _PARTIAL).iterdir():
            partial.unlink()
        for standing in (self._root / _HEADERS).glob("*/*.json"):
            headers = _DECODER.decode(standing.read_bytes())
            self._paths[headers.bucket, headers.key] = headers.path
            yield headers
        self._remove_orphans()

    def _settle(self, following: Path) -> None:
        try:
            headers = _DECODER.decode(following.read_bytes())
            is_in_place = (self._root / headers.path).stat().st_ino == headers.inode
        except (msgspec.MsgspecError, FileNotFoundError):
            is_in_place = False
        if is_in_place:
            following.rename(following.with_suffix(".json"))
        else:
            following.unlink()

    def _remove_orphans(self) -> None:
        """Bodies without headers: their removal was cut short."""
        known = set(self._paths.values())
        for bucket in self._root.iterdir():
            if bucket.name.startswith(".") or not bucket.is_dir():
                continue
            for folder, _, names in os.walk(bucket):
                for name in names:
                    path = Path(folder, name)
                    if str(path.relative_to(self._root)) not in known:
                        path.unlink()

    def _headers_path(self, bucket: str, key: str) -> Path:
        name = digest(bucket, key)
        return self._root / _HEADERS / name[:2] / f"{name}.json"

    def _target(self, bucket: str, key: str) -> Path:
        """The path a body gets. S3 allows both `a` and `a/b`, a file system does not: the latecomer gets a digest."""
        if (bucket, key) in self._paths:
            return self._root / self._paths[bucket, key]
        target = self._root.joinpath(quote(bucket), *(quote(part) for part in key.split("/")))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            is_free = not target.is_dir()
        except (FileExistsError, NotADirectoryError):
            is_free = False
        return target if is_free else self._root / quote(bucket) / f"%~{digest(key)}"
