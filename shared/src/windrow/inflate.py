"""Undoing compression, never past a limit (law 10): a small body may hold a very large one."""

import bz2
import io
import lzma
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import zstandard

from windrow.errors import BadInput, TooLarge

_STEP_BYTES = 1 << 18
_FEED_BYTES = 1 << 16
_ZSTD_WINDOW_BYTES = 1 << 27
_ZSTD_FEED_BYTES = 256  # one call inflates all it is fed, at most 128 KiB for every 4 bytes
_MAX_PARTS = 1 << 16
"""Members of a gzip body or frames of a zstd body: empty ones cost time and count towards no other limit."""
CODECS = ("identity", "gzip", "zstd", "bzip2")
"""What a sender may name as a content encoding. A zip is a file format, and told by its name or type."""
_SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".zip": "zip"}
COMPRESSED_SUFFIXES = tuple(_SUFFIXES)


def codec_of_name(name: str) -> str:
    """The codec a file name's ending speaks of."""
    return next((codec for suffix, codec in _SUFFIXES.items() if name.endswith(suffix)), "identity")


def inflate(body: bytes, codec: str, max_bytes: int) -> bytes:
    """The plain bytes of a body; see `inflate_blocks`."""
    if codec in ("", "identity"):
        if len(body) > max_bytes:
            raise TooLarge(f"the body has {len(body)} bytes; the limit is {max_bytes}")
        return body
    return b"".join(inflate_blocks([body], codec, max_bytes))


def inflate_blocks(blocks: Iterable[bytes], codec: str, max_bytes: int) -> Iterator[bytes]:
    """The plain bytes of a body that comes in blocks. A truncated body and anything after its end are refused.

    Holds no more than a step of it at a time, except of a zip, whose table of contents stands at its end. Raises
    TooLarge as soon as more than `max_bytes` would come out, BadInput when the body is not of its codec.
    """
    match codec:
        case "identity" | "":
            plain = iter(blocks)
        case "gzip":
            plain = _members(blocks, _Gzip, _FEED_BYTES)
        case "zstd":
            plain = _members(blocks, _Zstd, _ZSTD_FEED_BYTES)
        case "bzip2":
            plain = _members(blocks, _Bzip2, _FEED_BYTES)
        case "zip":
            plain = _zip(b"".join(blocks))
        case _:
            raise BadInput(f"unknown content encoding {codec!r}; use {', '.join(CODECS)}")
    does = "has" if codec in ("", "identity") else "inflates to"
    return limited(plain, max_bytes, f"the body {does} more than the limit of {max_bytes} bytes")


def zip_member(body: bytes) -> str:
    """The name of the only file in a zip; BadInput when there are none or several."""
    with _open_zip(body) as archive:
        return _only_member(archive).filename


# ------------------------------------------------------------------------------------------------ members in a row


class _Member(ABC):
    """One gzip member, zstd frame or bzip2 stream."""

    codec: str

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    @property
    def is_done(self) -> bool:
        return bool(self._inner.eof)

    @property
    def rest(self) -> bytes:
        """What was fed and lies after the member's end."""
        return bytes(self._inner.unused_data)

    @abstractmethod
    def feed(self, data: bytes) -> Iterator[bytes]:
        """Plain bytes in bounded steps. Raises BadInput when this is not of the codec."""


class _Gzip(_Member):
    codec = "gzip"

    def __init__(self) -> None:
        super().__init__(zlib.decompressobj(wbits=31))

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            while data and not self._inner.eof:
                yield self._inner.decompress(data, _STEP_BYTES)
                data = self._inner.unconsumed_tail
        except zlib.error as error:
            raise BadInput(f"the body is not gzip: {error}") from error


class _Zstd(_Member):
    codec = "zstd"

    def __init__(self) -> None:
        super().__init__(zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj())

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            yield self._inner.decompress(data)
        except zstandard.ZstdError as error:
            raise BadInput(f"the body is not zstd: {error}") from error


class _Bzip2(_Member):
    codec = "bzip2"

    def __init__(self) -> None:
        super().__init__(bz2.BZ2Decompressor())

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            yield self._inner.decompress(data, _STEP_BYTES)
            while not self._inner.eof and not self._inner.needs_input:
                yield self._inner.decompress(b"", _STEP_BYTES)
        except OSError as error:
            raise BadInput(f"the body is not bzip2: {error}") from error


def _members(blocks: Iterable[bytes], kind: Callable[[], _Member], feed_bytes: int) -> Iterator[bytes]:
    """A body may be several members in a row."""
    member = kind()
    parts, taken_bytes = 1, 0
    is_empty = True
    for block in blocks:
        for start in range(0, len(block), feed_bytes):
            feed = block[start : start + feed_bytes]
            taken_bytes += len(feed)
            while feed:
                if member.is_done:
                    member = kind()
                    parts += 1
                    if parts > _MAX_PARTS:
                        raise TooLarge(f"a body is made of more than {_MAX_PARTS} compressed parts")
                is_empty = False
                yield from member.feed(feed)
                feed = member.rest if member.is_done else b""
    if is_empty or not member.is_done:
        raise BadInput(f"the {member.codec} body ends too early, after {taken_bytes} bytes")


def limited(blocks: Iterable[bytes], max_bytes: int, message: str) -> Iterator[bytes]:
    """The blocks that hold anything, as they are; TooLarge with the message as soon as there are more bytes."""
    total_bytes = 0
    for block in blocks:
        total_bytes += len(block)
        if total_bytes > max_bytes:
            raise TooLarge(message)
        if block:
            yield block


# ------------------------------------------------------------------------------------------------ zip


def _zip(body: bytes) -> Iterator[bytes]:
    with _open_zip(body) as archive:
        member = _only_member(archive)
        try:
            with archive.open(member) as plain:
                while block := plain.read(_STEP_BYTES):
                    yield block
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError) as error:
            raise BadInput(f"{member.filename!r} in the zip cannot be read: {error}") from error
        except RuntimeError as error:  # how the library says that it needs a password
            raise BadInput(f"{member.filename!r} in the zip is encrypted; send it as it is") from error


def _open_zip(body: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(body))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError) as error:
        raise BadInput(f"the body is not a zip: {error}") from error


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    # What macOS adds beside each file is not one of the sender's.
    files = [each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX/")]
    if len(files) != 1:
        raise BadInput(f"the zip holds {len(files)} files; send each by itself")
    return files[0]
