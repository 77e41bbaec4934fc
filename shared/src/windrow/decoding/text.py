"""Text in any of the encodings we read, to UTF-8, block by block.

What is not text in its encoding becomes bytes that are not UTF-8 either, at the same place, so that it costs the record
it stands in and not the object.
"""

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Literal

import pyarrow as pa

from windrow.spec.formats import Encoding

_Decoded = Encoding | Literal["utf-16-le", "utf-16-be"]
_MARKS: tuple[tuple[bytes, _Decoded], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LONGEST_MARK_BYTES = 3
_NOT_UTF8 = b"\xff"


def to_utf8(blocks: Iterable[bytes], encoding: Encoding) -> Iterator[bytes]:
    """The same text as UTF-8, without a byte order mark. A mark overrules `encoding`.

    UTF-16 without a mark is little endian, unless its first character says otherwise.
    """
    rest = iter(blocks)
    head = b""
    for block in rest:
        head += block
        if len(head) >= _LONGEST_MARK_BYTES:
            break
    kind: _Decoded = encoding
    for mark, marked in _MARKS:
        if head.startswith(mark):
            head, kind = head[len(mark) :], marked
            break
    if kind == "utf-16":
        kind = "utf-16-be" if head.startswith(b"\0") else "utf-16-le"  # text begins with an ASCII character
    whole = chain((head,), rest)
    match kind:
        case "utf-8":
            return whole
        case "latin-1" | "windows-1252":
            return _from_single_bytes(whole, kind)
        case _:
            return _from_utf16(whole, kind)


def is_utf8(text: bytes) -> bool:
    """Whether all of it is UTF-8."""
    if text.isascii():
        return True
    offsets = pa.py_buffer(b"\0" * 8 + len(text).to_bytes(8, "little"))
    whole = pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, pa.py_buffer(text)])
    try:
        whole.validate(full=True)  # more than twice as fast as decoding, and makes no copy
    except pa.ArrowInvalid:
        return False
    return True


def _from_single_bytes(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    for block in blocks:
        # The few bytes without a meaning in windows-1252 stay as they are; alone, none of them is UTF-8.
        is_same = block.isascii()
        yield block if is_same else block.decode(encoding, "surrogateescape").encode("utf-8", "surrogateescape")


def _from_utf16(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    # Halves of surrogate pairs pass through as what UTF-8 does not allow.
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "surrogatepass")
    if decoder.getstate()[0]:
        yield _NOT_UTF8  # the text ends within a character
