"""Any encoding to UTF-8: the same text however its bytes arrive, and what is no text stays recognisable."""

import codecs
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.decoding.text import is_utf8, to_utf8

texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("a,\n\r\0é€😀\ufeff"), max_size=20)
cuts = st.lists(st.integers(0, 60), max_size=8)
CODECS = {"utf-8": "utf-8", "latin-1": "latin-1", "windows-1252": "cp1252", "utf-16": "utf-16-le"}


def blocks(body: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(place, len(body)) for place in places), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


@settings(max_examples=150)
@given(texts, cuts, st.sampled_from(list(CODECS)))
def test_text_comes_out_as_utf8_however_its_bytes_are_cut(text: str, places: list[int], encoding) -> None:
    text = "x" + text.encode(CODECS[encoding], "ignore").decode(CODECS[encoding])

    found = b"".join(to_utf8(blocks(text.encode(CODECS[encoding]), places), encoding))

    assert found == text.encode()


@settings(max_examples=100)
@given(texts, cuts, st.sampled_from(list(CODECS)), st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]))
def test_a_byte_order_mark_overrules_the_encoding_and_is_no_text(text, places, declared, written) -> None:
    body = ("\ufeff" + text).encode(written)

    assert b"".join(to_utf8(blocks(body, places), declared)) == text.encode()


def test_utf16_without_a_mark_is_told_by_its_first_character() -> None:
    assert b"".join(to_utf8(["ts,ä\n".encode("utf-16-be")], "utf-16")) == "ts,ä\n".encode()
    assert b"".join(to_utf8(["ts,ä\n".encode("utf-16-le")], "utf-16")) == "ts,ä\n".encode()


@pytest.mark.parametrize(
    ("body", "encoding", "plain"),
    [
        (b"a\x81b\n", "windows-1252", b"a?b\n"),
        ("aé\n".encode("cp1252") + b"\x8d\x9d\n", "windows-1252", "aé\n??\n".encode()),
        ("a".encode("utf-16-le") + b"\x00\xd8" + "b\n".encode("utf-16-le"), "utf-16", b"a???b\n"),
        ("ab\n".encode("utf-16-le") + b"\x41", "utf-16", b"ab\n?"),
        ("ab\n".encode("utf-16-le") + b"\x00\xd8", "utf-16", b"ab\n?"),
        (b"a\xff\n", "utf-8", b"a?\n"),
    ],
)
def test_what_is_no_text_is_no_utf8_either_and_stays_in_its_place(body: bytes, encoding, plain: bytes) -> None:
    for places in ([], [1, 2, 3, 4, 5]):
        found = b"".join(to_utf8(blocks(body, places), encoding))

        assert not is_utf8(found)
        assert (
            "".join("?" if "\udc80" <= sign <= "\udcff" else sign for sign in found.decode(errors="surrogateescape"))
            == plain.decode()
        )


@given(st.binary(max_size=12) | st.text(max_size=5).map(str.encode))
def test_utf8_is_what_the_language_can_decode(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError:
        assert not is_utf8(body)
    else:
        assert is_utf8(body)


def test_marks_are_found_in_single_bytes_and_short_texts_pass() -> None:
    body = codecs.BOM_UTF8 + b"a"

    assert b"".join(to_utf8([body[place : place + 1] for place in range(4)], "latin-1")) == b"a"
    assert b"".join(to_utf8([], "utf-8")) == b""
    assert b"".join(to_utf8([b"a"], "utf-8")) == b"a"
