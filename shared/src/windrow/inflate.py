"""Undoing compression, never past a limit (law 10): a small body may hold a very large one."""

import zlib

import zstandard

from windrow.errors import BadInput, TooLarge

_STEP_BYTES = 1 << 18
_GZIP_FEED_BYTES = 1 << 16
_ZSTD_WINDOW_BYTES = 1 << 27
_ZSTD_FEED_BYTES = 256  # one call inflates all it is fed, at most 128 KiB for every 4 bytes
_MAX_PARTS = 1 << 16
"""Members of a gzip body or frames of a zstd body: empty ones cost time and count towards no other limit."""
CODECS = ("identity", "gzip", "zstd")
_SUFFIXES = {".gz": "gzip", ".zst": "zstd"}


def codec_of_name(name: str) -> str:
    """The codec a file name's ending speaks of."""
    return next((codec for suffix, codec in _SUFFIXES.items() if name.endswith(suffix)), "identity")


def inflate(body: bytes, codec: str, max_bytes: int) -> bytes:
    """The plain bytes of a body. A truncated body and anything after its end are refused, not ignored.

    Raises TooLarge as soon as more than `max_bytes` would come out, BadInput when the body is not of its codec.
    """
    match codec:
        case "identity" | "":
            if len(body) > max_bytes:
                raise TooLarge(f"the body has {len(body)} bytes; the limit is {max_bytes}")
            return body
        case "gzip":
            return _gzip(body, max_bytes)
        case "zstd":
            return _zstd(body, max_bytes)
        case _:
            raise BadInput(f"unknown content encoding {codec!r}; use {', '.join(CODECS)}")


def _gzip(body: bytes, max_bytes: int) -> bytes:
    plain = bytearray()
    place, parts = 0, 0
    while place < len(body) or not parts:  # a gzip body may be several members in a row
        parts += 1
        _check_parts(parts, len(body))
        member = zlib.decompressobj(wbits=31)
        try:
            while not member.eof:
                feed = member.unconsumed_tail
                if not feed:
                    feed = body[place : place + _GZIP_FEED_BYTES]
                    place += len(feed)
                if not feed:
                    plain += member.flush()
                    break
                plain += member.decompress(feed, _STEP_BYTES)
                _check(len(plain), max_bytes, len(body))
        except zlib.error as error:
            raise BadInput(f"the body is not gzip: {error}") from error
        _check(len(plain), max_bytes, len(body))
        if not member.eof:
            raise BadInput(f"the gzip body ends too early, after {len(body)} bytes")
        place -= len(member.unused_data)
    return bytes(plain)


def _zstd(body: bytes, max_bytes: int) -> bytes:
    plain = bytearray()
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    place, parts = 0, 0
    while place < len(body) or not parts:  # several frames in a row, as for gzip
        parts += 1
        _check_parts(parts, len(body))
        frame = decompressor.decompressobj()
        try:
            while not frame.eof and place < len(body):
                feed = body[place : place + _ZSTD_FEED_BYTES]
                place += len(feed)
                plain += frame.decompress(feed)
                _check(len(plain), max_bytes, len(body))
        except zstandard.ZstdError as error:
            raise BadInput(f"the body is not zstd: {error}") from error
        if not frame.eof:
            raise BadInput(f"the zstd body ends too early, after {len(body)} bytes")
        place -= len(frame.unused_data)
    return bytes(plain)


def _check_parts(parts: int, body_bytes: int) -> None:
    if parts > _MAX_PARTS:
        raise TooLarge(f"a body of {body_bytes} bytes is made of more than {_MAX_PARTS} compressed parts")


def _check(plain_bytes: int, max_bytes: int, body_bytes: int) -> None:
    if plain_bytes > max_bytes:
        raise TooLarge(f"a body of {body_bytes} bytes inflates to more than the limit of {max_bytes} bytes")
