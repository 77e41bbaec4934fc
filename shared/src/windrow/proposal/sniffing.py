"""What the bytes of a sample are: compressed or not, a table file or text, and in which encoding."""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from windrow.errors import BadInput, TooLarge
from windrow.inflate import inflate_blocks
from windrow.proposal.evidence import Evidence, counted

HEAD_BYTES = 8 << 20
"""Of plain text, what is looked at."""
_MAX_ZIP_BYTES = 64 << 20
_BLOCK_BYTES = 1 << 18
_FEW_CONTROLS = 8
_CODECS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"PK\x03\x04": "zip"}
_TABLES: dict[bytes, Literal["parquet", "arrow"]] = {b"PAR1": "parquet", b"ARROW1": "arrow"}
_WIDE = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_C1 = re.compile(rb"[\x80-\x9f]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
_ENCODINGS = {"utf-8": "utf-8-sig", "latin-1": "latin-1", "windows-1252": "cp1252", "utf-16": "utf-16"}


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file that names and types its columns itself."""

    kind: Literal["parquet", "arrow"]
    file: BinaryIO


@dataclass(frozen=True, slots=True)
class Text:
    """The head of a text, or all of it."""

    text: str
    is_whole: bool
    encoding: str
    """utf-8, or what the spec has to say."""
    evidence: tuple[Evidence, ...]


def open_sample(file: BinaryIO, encoding: str | None) -> TableFile | Text:
    """What a seekable file is. Raises BadInput when it is nothing that could be read, and says what it looks like."""
    head = file.read(8)
    file.seek(0)
    if found := next((kind for magic, kind in _TABLES.items() if head.startswith(magic)), None):
        return TableFile(found, file)
    codec = next((name for magic, name in _CODECS.items() if head.startswith(magic)), "identity")
    if codec == "zip" and file.seek(0, io.SEEK_END) > _MAX_ZIP_BYTES:
        raise BadInput(f"the zip has more than {_MAX_ZIP_BYTES >> 20} MiB; unpack it and take the file inside")
    file.seek(0)
    data, is_whole = _plain(file, codec)
    if found := next((kind for magic, kind in _TABLES.items() if data.startswith(magic)), None):
        if not is_whole:
            raise BadInput(
                f"a large {found} file inside a {codec} file; unpack it, {found} files are compressed already"
            )
        return TableFile(found, io.BytesIO(data))
    if not data.strip():
        raise BadInput("the sample is empty")
    return _text(data, encoding, is_whole=is_whole)


def _plain(file: BinaryIO, codec: str) -> tuple[bytes, bool]:
    """The first HEAD_BYTES, decompressed, and whether that is all."""
    data = bytearray()
    try:
        for block in inflate_blocks(_blocks(file), codec, 1 << 62):
            data += block
            if len(data) > HEAD_BYTES:
                return bytes(data[:HEAD_BYTES]), False
    except (BadInput, TooLarge) as error:
        raise BadInput(f"it looks like {codec}, but cannot be unpacked: {error}") from error
    return bytes(data), True


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(_BLOCK_BYTES):
        yield block


def _text(data: bytes, chosen: str | None, *, is_whole: bool) -> Text:
    if data.startswith(_WIDE):
        raise BadInput("it is UTF-32 text, which is not read; write it as UTF-8")
    if chosen is not None:
        if chosen not in _ENCODINGS:
            raise BadInput(f"{chosen!r} is not an encoding; use {', '.join(_ENCODINGS)}")
        text = _decoded(data, _ENCODINGS[chosen], is_whole=is_whole)
        if text is None:
            raise BadInput(f"the sample is not {chosen}: some of its bytes mean nothing there")
        return Text(text, is_whole, chosen, (Evidence("encoding", chosen, "as you said"),))
    found = _guessed(data, is_whole=is_whole)
    controls = len(_CONTROL.findall(found.text[:65_536]))
    if controls > max(_FEW_CONTROLS, len(found.text[:65_536]) // 50):
        raise BadInput(f"it is no text: {counted(controls, 'control character')} among the first 65,536 characters")
    return found


def _guessed(data: bytes, *, is_whole: bool) -> Text:
    if data.startswith(codecs.BOM_UTF8):
        text = _decoded(data, "utf-8-sig", is_whole=is_whole)
        if text is not None:
            return Text(text, is_whole, "utf-8", (Evidence("encoding", "utf-8", "a byte order mark says so"),))
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = _decoded(data, "utf-16", is_whole=is_whole)
        if text is None:
            raise BadInput("a byte order mark says UTF-16, but the text is not")
        return Text(text, is_whole, "utf-16", (Evidence("encoding", "utf-16", "a byte order mark says so"),))
    if b"\0" in data:
        return _with_nuls(data, is_whole=is_whole)
    text = _decoded(data, "utf-8", is_whole=is_whole)
    if text is not None:
        return Text(text, is_whole, "utf-8", ())
    return _not_utf8(data, is_whole=is_whole)


def _with_nuls(data: bytes, *, is_whole: bool) -> Text:
    start = data[: 1 << 16]
    if start[1::2].count(0) > 0.4 * len(start[1::2]) and start[::2].count(0) == 0:
        text = _decoded(data, "utf-16-le", is_whole=is_whole)
        if text is not None:
            why = "every second byte is zero; without a byte order mark, low bytes come first"
            return Text(text, is_whole, "utf-16", (Evidence("encoding", "utf-16", why),))
    raise BadInput(f"it is no text: byte {data.index(0):,} is zero")


def _not_utf8(data: bytes, *, is_whole: bool) -> Text:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(data, final=is_whole)
        start = 0  # cannot be: it was tried before
    except UnicodeDecodeError as error:
        start = error.start
    line = data.count(b"\n", 0, start) + 1
    what = f"byte {data[start]:#04x} at line {line} is not UTF-8"
    good = _MULTIBYTE.findall(data)
    bad = sum(byte > 0x7F for byte in _MULTIBYTE.sub(b"", data))
    if len(good) > 4 * bad:
        why = (
            f"{what}, and neither {_are(bad - 1)}, but {counted(len(good), 'other character')} are; such rows are "
            "refused"
        )
        return Text(data.decode("utf-8", "replace"), is_whole, "utf-8", (Evidence("encoding", "utf-8", why),))
    if c1 := _C1.search(data):
        text = _decoded(data, "cp1252", is_whole=True)
        if text is not None:
            line = data.count(b"\n", 0, c1.start()) + 1
            why = f"{what}, and byte {c1[0][0]:#04x} at line {line} is a character in windows-1252 only"
            return Text(text, is_whole, "windows-1252", (Evidence("encoding", "windows-1252", why),))
    return Text(data.decode("latin-1"), is_whole, "latin-1", (Evidence("encoding", "latin-1", what),))


def _are(count: int) -> str:
    return "is any other" if count == 0 else f"are {count:,} others"


def _decoded(data: bytes, encoding: str, *, is_whole: bool) -> str | None:
    """The text; None if it is not in this encoding. A character that the end of the head cuts is left out."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data, final=is_whole)
    except UnicodeDecodeError:
        return None
