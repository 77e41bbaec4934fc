"""A file of records on its way out: what format it has, and its bytes in blocks."""

import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import zstandard

from windrow.errors import BadInput
from windrow_cli.context import STDIN

Format = Literal["ndjson", "json", "csv"]
_FORMATS: dict[str, Format] = {".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "json", ".csv": "csv"}
_CODECS = (".gz", ".zst")
_BLOCK_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or standard input as NDJSON."""

    name: str
    """The file's name without its folder: with the content, what a resend is recognised by."""
    path: Path | None
    format: Format
    codec: str
    """.gz, .zst or nothing."""
    size_bytes: int
    """As it lies there; 0 if that is not known."""

    def blocks(self, progress: "Progress") -> Iterator[bytes]:
        """The decompressed bytes; `progress` follows how much of the file has been read. BadInput if it is damaged."""
        with self._open() as raw:
            counted = io.BufferedReader(_Counted(raw, progress), _BLOCK_BYTES)
            try:
                plain = _plain(counted, self.codec)
                while block := plain.read1(_BLOCK_BYTES):
                    yield block
            except (OSError, EOFError, zstandard.ZstdError) as error:
                raise BadInput(f"{self.path or 'standard input'}: cannot be read to its end: {error}") from error

    @contextmanager
    def _open(self) -> Iterator[io.BufferedIOBase]:
        if self.path is None:
            yield sys.stdin.buffer  # type: ignore[misc]
            return
        try:
            raw = self.path.open("rb")
        except OSError as error:
            raise BadInput(f"{self.path}: cannot be read: {error.strerror}") from error
        with raw:
            yield raw


class Progress:
    """How many bytes of a file have been read so far."""

    def __init__(self) -> None:
        self.read_bytes = 0


class _Counted(io.RawIOBase):
    def __init__(self, raw: io.BufferedIOBase, progress: Progress) -> None:
        self._raw = raw
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        found = self._raw.read1(len(buffer))
        buffer[: len(found)] = found
        self._progress.read_bytes += len(found)
        return len(found)


class _Readable(Protocol):
    def read1(self, size: int, /) -> bytes:
        """What is there already, at most `size`; nothing at the end."""
        ...


def _plain(raw: "io.BufferedReader[_Counted]", codec: str) -> _Readable:
    if codec == ".gz":
        return gzip.GzipFile(fileobj=raw)
    if codec == ".zst":
        reader: _Readable = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        return reader
    return raw


def describe(argument: str) -> Source:
    """The source a command line argument names; BadInput when it cannot be one."""
    if argument == STDIN:
        return Source("stdin", None, "ndjson", "", 0)
    path = Path(argument)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "there is no such file"
        raise BadInput(f"{path}: {what}")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    codec = suffixes.pop() if suffixes and suffixes[-1] in _CODECS else ""
    kind = _FORMATS.get(suffixes[-1]) if suffixes else None
    if kind is None:
        raise BadInput(
            f"{path}: its name does not say what it holds; use .ndjson, .jsonl, .json or .csv, with .gz or .zst behind "
            "it if compressed, or pipe NDJSON: windrow send STREAM - < FILE"
        )
    return Source(path.name, path, kind, codec, path.stat().st_size)
