"""Compression undone: whole or not at all, and never past a limit (law 10)."""

import bz2
import gzip
import io
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from windrow.errors import BadInput, TooLarge
from windrow.inflate import codec_of_name, inflate, inflate_blocks, zip_member

MIB = 1 << 20
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda plain: gzip.compress(plain, mtime=0),
    "bzip2": bz2.compress,
    "zstd": zstandard.ZstdCompressor(level=3, write_content_size=False).compress,
}
SKIPPABLE_FRAME = (0x184D2A50).to_bytes(4, "little") + (3).to_bytes(4, "little") + b"abc"

codecs = st.sampled_from(sorted(COMPRESS))
each_codec = pytest.mark.parametrize("codec", sorted(COMPRESS))
plain_bytes = st.binary(max_size=300) | st.integers(0, 200_000).map(lambda count: b"windrow " * (count // 8))


@given(plain_bytes, codecs)
def test_what_was_compressed_comes_out_again(plain: bytes, codec: str) -> None:
    assert inflate(COMPRESS[codec](plain), codec, 200_000) == plain


@given(st.lists(plain_bytes, min_size=1, max_size=4), codecs)
def test_several_members_or_frames_are_one_body(parts: list[bytes], codec: str) -> None:
    assert inflate(b"".join(map(COMPRESS[codec], parts)), codec, 1_000_000) == b"".join(parts)


def test_frames_that_hold_nothing_for_us_are_passed_over() -> None:
    body = SKIPPABLE_FRAME + COMPRESS["zstd"](b"wind") + SKIPPABLE_FRAME + COMPRESS["zstd"](b"row")

    assert inflate(body, "zstd", 7) == b"windrow"


@pytest.mark.parametrize("strategy", [zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED])
def test_large_bodies_come_out_whole_however_they_were_compressed(strategy: int) -> None:
    plain = b"".join(b"%d," % number for number in range(200_000))
    compressor = zlib.compressobj(wbits=31, strategy=strategy)

    assert inflate(compressor.compress(plain) + compressor.flush(), "gzip", len(plain)) == plain


@each_codec
def test_every_truncation_is_refused(codec: str) -> None:
    for plain in (b"", b"x", b"windrow " * 40):
        whole = COMPRESS[codec](plain)
        for length in range(len(whole)):
            with pytest.raises(BadInput, match=r"ends too early|not gzip|not zstd|not bzip2"):
                inflate(whole[:length], codec, MIB)


@given(plain_bytes, codecs, st.binary(min_size=1, max_size=20))
def test_anything_after_the_end_is_refused(plain: bytes, codec: str, rest: bytes) -> None:
    with pytest.raises(BadInput):
        inflate(COMPRESS[codec](plain) + rest, codec, MIB)


@given(st.binary(max_size=200), codecs)
def test_what_was_never_compressed_is_bad_input_and_nothing_worse(body: bytes, codec: str) -> None:
    with pytest.raises(BadInput):
        inflate(body, codec, MIB)


@each_codec
def test_a_damaged_body_leads_to_nothing_worse_than_a_refusal(codec: str) -> None:
    whole = COMPRESS[codec](b"windrow " * 1000)
    for place in range(0, len(whole), 3):
        damaged = whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]
        try:
            inflate(damaged, codec, MIB)
        except (BadInput, TooLarge):
            continue


@given(st.integers(0, 300_000), st.sampled_from([*COMPRESS, "identity"]))
def test_the_limit_is_exact(length: int, codec: str) -> None:
    plain = bytes(length)
    body = COMPRESS[codec](plain) if codec in COMPRESS else plain

    assert len(inflate(body, codec, length)) == length
    if length:
        with pytest.raises(TooLarge, match=str(length - 1)):
            inflate(body, codec, length - 1)


@given(st.lists(st.integers(0, 2_000), min_size=2, max_size=5), codecs)
def test_the_limit_is_for_all_parts_together(lengths: list[int], codec: str) -> None:
    body = b"".join(COMPRESS[codec](bytes(length)) for length in lengths)
    total = sum(lengths)

    assert len(inflate(body, codec, total)) == total
    if total:
        with pytest.raises(TooLarge):
            inflate(body, codec, total - 1)


@each_codec
def test_a_bomb_takes_no_more_memory_than_the_limit_allows(codec: str) -> None:
    bomb = COMPRESS[codec](bytes(64 * MIB))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match=f"inflates to more than the limit of {MIB} bytes"):
            inflate(bomb, codec, MIB)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < 24 * MIB  # one step of zstd may be 8 MiB, and a growing buffer is copied


@each_codec
def test_a_body_of_countless_empty_parts_is_refused(codec: str) -> None:
    empty = COMPRESS[codec](b"")

    assert inflate(empty * 1_000, codec, 0) == b""
    with pytest.raises(TooLarge, match="65536 compressed parts"):
        inflate(empty * 65_537, codec, MIB)


def test_a_plain_body_passes_as_it_is() -> None:
    assert inflate(b"windrow", "identity", 7) == b"windrow"
    assert inflate(b"windrow", "", 7) == b"windrow"


def test_an_unknown_encoding_is_bad_input_that_names_the_known() -> None:
    with pytest.raises(BadInput, match="unknown content encoding 'br'; use identity, gzip, zstd"):
        inflate(b"", "br", 1)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.csv.gz", "gzip"),
        ("a.ndjson.zst", "zstd"),
        ("a.csv", "identity"),
        ("gz", "identity"),
        ("a.gz.csv", "identity"),
    ],
)
def test_a_file_names_ending_tells_its_codec(name: str, codec: str) -> None:
    assert codec_of_name(name) == codec


@given(plain_bytes, codecs, st.integers(1, 50))
def test_how_a_body_is_cut_into_blocks_changes_nothing(plain: bytes, codec: str, size: int) -> None:
    body = COMPRESS[codec](plain) * 2
    blocks = (body[start : start + size] for start in range(0, len(body), size))

    assert b"".join(inflate_blocks(blocks, codec, 1_000_000)) == plain * 2


@each_codec
def test_a_large_body_is_inflated_without_being_held(codec: str) -> None:
    body = COMPRESS[codec](bytes(64 * MIB))
    tracemalloc.start()
    try:
        total = sum(map(len, inflate_blocks([body], codec, 64 * MIB)))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert total == 64 * MIB
    assert peak_bytes < 24 * MIB


# ------------------------------------------------------------------------------------------------ zip


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return buffer.getvalue()


@given(st.binary(max_size=500))
def test_a_zip_with_one_file_is_that_file(plain: bytes) -> None:
    body = zipped({"days/": b"", "days/a.csv": plain, "__MACOSX/days/._a.csv": b"furniture"})

    assert inflate(body, "zip", 500) == plain
    assert zip_member(body) == "days/a.csv"


def test_a_zip_of_several_files_or_none_is_refused() -> None:
    for body, count in ((zipped({}), 0), (zipped({"a": b"1", "b": b"2"}), 2)):
        with pytest.raises(BadInput, match=f"the zip holds {count} files"):
            inflate(body, "zip", 10)


@given(st.binary(max_size=100) | st.integers(0, 200).map(lambda cut: zipped({"a.csv": b"x" * 99})[:cut]))
def test_what_is_no_zip_is_bad_input(body: bytes) -> None:
    try:
        inflate(body, "zip", 1_000)
    except (BadInput, TooLarge):
        return
    assert zip_member(body)


def test_a_zip_bomb_is_refused_at_the_limit() -> None:
    with pytest.raises(TooLarge, match="the limit of 1048576 bytes"):
        inflate(zipped({"a": bytes(64 * MIB)}), "zip", MIB)
