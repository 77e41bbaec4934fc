"""A file of records on its way out: what format it has, which road it takes, and its bytes in blocks."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from windrow.decoding.formats import CONTENT_TYPES, SUFFIXES, Kind, kind_of_name
from windrow.errors import BadInput, TooLarge
from windrow.inflate import COMPRESSED_SUFFIXES, codec_of_name, inflate_blocks
from windrow_cli.chunking import SNIFF_BYTES, is_collection
from windrow_cli.context import STDIN

_BLOCK_BYTES = 256 << 10
_ANY_SIZE_BYTES = 1 << 62


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or standard input as NDJSON."""

    name: str
    """The file's name without its folder: with the content, what a resend is recognised by."""
    path: Path | None
    kind: Kind | None
    """None for a zip whose name does not say what is in it."""
    suffix: str
    """The ending that says so, in lower case; `.zip` for every zip."""
    codec: str
    """identity, gzip, zstd, bzip2 or zip."""
    size_bytes: int
    """As it lies there; 0 if that is not known."""

    @property
    def is_text_of_records(self) -> bool:
        """Whether its records can be told apart here, and so go to ingest in chunks."""
        return self.suffix in (".ndjson", ".jsonl", ".json")

    @property
    def content_type(self) -> str:
        """How the file is declared when it is uploaded as it is."""
        if self.suffix == ".geojson":
            return "application/geo+json"
        return "application/zip" if self.codec == "zip" or self.kind is None else CONTENT_TYPES[self.kind]

    def blocks(self, progress: "Progress") -> Iterator[bytes]:
        """The decompressed bytes; `progress` follows how much of the file has been read. BadInput if it is damaged."""
        try:
            with self.opened() as raw:
                yield from inflate_blocks(_counted(raw, progress), self.codec, _ANY_SIZE_BYTES)
        except (OSError, BadInput, TooLarge) as error:
            raise BadInput(f"{self.path or 'standard input'}: cannot be read to its end: {error}") from error

    def is_collection(self) -> bool:
        """Whether it is one GeoJSON document rather than records; BadInput if it is damaged."""
        start = bytearray()
        for block in self.blocks(Progress()):
            start += block
            if len(start) >= SNIFF_BYTES:
                break
        return is_collection(bytes(start))

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file as it lies there; BadInput if it cannot be read."""
        if self.path is None:
            yield sys.stdin.buffer
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


def _counted(raw: BinaryIO, progress: Progress) -> Iterator[bytes]:
    # read1: what a pipe holds already is not kept waiting for more.
    while block := raw.read1(_BLOCK_BYTES):  # type: ignore[attr-defined]
        progress.read_bytes += len(block)
        yield block


def describe(argument: str) -> Source:
    """The source a command line argument names; BadInput when it cannot be one."""
    if argument == STDIN:
        return Source("stdin", None, "lines", ".ndjson", "identity", 0)
    path = Path(argument)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "there is no such file"
        raise BadInput(f"{path}: {what}")
    name = path.name.lower()
    codec = codec_of_name(name)
    plain = name.removesuffix(next((each for each in COMPRESSED_SUFFIXES if name.endswith(each)), ""))
    suffix = ".zip" if codec == "zip" else next((each for each in SUFFIXES if plain.endswith(each)), "")
    if not suffix:
        endings = ", ".join((*SUFFIXES, ".zip"))
        raise BadInput(
            f"{path}: its name does not say what it holds; use {endings}, with .gz, .zst or .bz2 behind it if "
            "compressed, or pipe NDJSON: windrow send STREAM - < FILE"
        )
    return Source(path.name, path, kind_of_name(plain), suffix, codec, path.stat().st_size)
