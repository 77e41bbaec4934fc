"""A landed object's bytes to typed rows and rejects, whatever its format. Pure: bytes, spec and time in, values out.

An object is cut into pieces, pieces are read, typed, transformed and put together into parts of bounded size. Cutting
depends on nothing but the bytes and the constants here, so decoding an object again gives the same parts (law 2).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from itertools import chain, islice
from typing import Protocol

from windrow.decoding.chunks import Chunk, Piece
from windrow.decoding.csv_chunks import cut_csv
from windrow.decoding.formats import Kind, codec_of, kind_of, kind_of_name
from windrow.decoding.json_chunks import cut_document, cut_lines
from windrow.decoding.parts import Batch, Decoded, DecodeLimits, part_of, together
from windrow.decoding.replays import decode_replay
from windrow.decoding.tables import cut_arrow, cut_parquet
from windrow.errors import BadInput
from windrow.framing import is_json
from windrow.inflate import inflate_blocks, limited, zip_member
from windrow.spec import StreamSpec

LAYOUT = 1
"""Version of how objects are cut into parts. It stands in the write id of what is made of them: a release that cuts
differently must not take half of an object from the old cut and half from the new."""
CHUNK_BYTES = 4 << 20
_PART_PIECES = 6
_FIRST_LINE_BYTES = 1 << 16


class Source(Protocol):
    """An object's bytes in blocks, from the start each time it is called."""

    def __call__(self) -> Iterable[bytes]: ...


ReadPieces = Callable[[Sequence[Piece]], Iterable[Chunk]]
"""How pieces are read: one after another, or several at the same time and ahead of being asked for; in order."""


def one_by_one(pieces: Sequence[Piece]) -> Iterable[Chunk]:
    """Reads pieces one after another."""
    return (piece() for piece in pieces)


def read_ahead(pool: Executor) -> ReadPieces:
    """Reads pieces in a pool, beginning at once; what was handed out is not held any longer."""

    def read(pieces: Sequence[Piece]) -> Iterable[Chunk]:
        waiting = deque(pool.submit(piece) for piece in pieces)
        return (waiting.popleft().result() for _ in range(len(waiting)))

    return read


def decode(
    source: Source, batch: Batch, spec: StreamSpec, limits: DecodeLimits, read: ReadPieces = one_by_one
) -> Iterator[Decoded]:
    """Every record of an object, typed or with the reason why not, in one or more parts of bounded size.

    Raises BadInput or TooLarge when the object as a whole cannot be read; always before the first part, so nothing of
    a damaged object is taken. An object of several parts is read through once more for that.
    """
    cut = _cutter(source, batch, spec, limits)
    if isinstance(cut, Decoded):
        yield cut
        return
    pieces = cut()
    group = list(islice(pieces, _PART_PIECES))
    following = list(islice(pieces, 1))
    if following:
        for _ in cut():
            pass
        pieces = chain(following, pieces)
    chunks = read(group)
    place = 0
    while True:
        part = part_of(chunks, batch, spec, place)
        place += part.record_count
        group = list(islice(pieces, _PART_PIECES))
        # Where pieces are read ahead, the next part's are, while whoever asked for this one writes it.
        chunks = read(group)
        yield part
        if not group:
            return


def decode_whole(body: bytes, batch: Batch, spec: StreamSpec, limits: DecodeLimits) -> Decoded:
    """An object that is small enough to be held whole."""
    return together(list(decode(lambda: [body], batch, spec, limits)), spec)


# ------------------------------------------------------------------------------------------------ cutting


def _cutter(
    source: Source, batch: Batch, spec: StreamSpec, limits: DecodeLimits
) -> Callable[[], Iterator[Piece]] | Decoded:
    """How to cut the object, from its start each time; a replay is decoded at once."""
    codec = codec_of(batch.key, batch.content_encoding, batch.content_type)
    if codec == "zip":
        body = _whole(source(), limits.max_document_bytes)
        kind = kind_of_name(batch.key) or kind_of(zip_member(body), "")
        return lambda: _cut(kind, inflate_blocks([body], "zip", limits.max_plain_bytes), spec, limits)
    kind = kind_of(batch.key, batch.content_type)
    if kind == "replay":
        return decode_replay(b"".join(inflate_blocks(source(), codec, limits.max_document_bytes)), batch, spec, limits)
    return lambda: _cut(kind, inflate_blocks(source(), codec, limits.max_plain_bytes), spec, limits)


def _cut(kind: Kind, blocks: Iterator[bytes], spec: StreamSpec, limits: DecodeLimits) -> Iterator[Piece]:
    first = next(blocks, b"")
    if not first:
        raise BadInput("the object is empty")
    blocks = chain([first], blocks)
    if kind == "json":
        kind, blocks = _lines_after_all(blocks)
    match kind:
        case "lines":
            return cut_lines(blocks, spec, max_record_bytes=limits.max_record_bytes, chunk_bytes=CHUNK_BYTES)
        case "csv" | "tsv":
            return cut_csv(
                blocks, spec, is_tsv=kind == "tsv", max_record_bytes=limits.max_record_bytes, chunk_bytes=CHUNK_BYTES
            )
    body = _whole(blocks, limits.max_document_bytes)
    match kind:
        case "parquet":
            return cut_parquet(body, spec, chunk_bytes=CHUNK_BYTES, max_plain_bytes=limits.max_plain_bytes)
        case "arrow":
            return cut_arrow(body, spec)
        case _:
            return cut_document(body, spec, max_record_bytes=limits.max_record_bytes, chunk_bytes=CHUNK_BYTES)


def _whole(blocks: Iterable[bytes], max_bytes: int) -> bytes:
    """The bytes of an object that is read whole."""
    message = (
        f"the object has more than {max_bytes} bytes and is of a format that is read whole; split it, or send NDJSON "
        "or CSV, which may be of any size"
    )
    return b"".join(limited(blocks, max_bytes, message))


def _lines_after_all(blocks: Iterator[bytes]) -> tuple[Kind, Iterator[bytes]]:
    """Whether what is called JSON is a record a line: many tools write that under `.json`."""
    head = b""
    for block in blocks:
        head += block
        if len(head) >= _FIRST_LINE_BYTES:
            break
    line, line_break, rest = head.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")
    is_lines = bool(line_break) and bool(rest.strip()) and line.startswith(b"{") and is_json(line)
    return "lines" if is_lines else "json", chain([head], blocks)
