"""Files cut into chunks: nothing is lost, nothing is added, and every chunk says where it stood."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.errors import BadInput
from windrow_cli import chunking
from windrow_cli.chunking import Chunk, is_collection, json_chunks, ndjson_chunks

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
_RECORDS = st.lists(st.dictionaries(st.text(max_size=5), _VALUES, max_size=4), max_size=12)
_LINES = st.lists(st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"")), max_size=20)


def _blocks(body: bytes, size_bytes: int) -> Iterator[bytes]:
    return (body[start : start + size_bytes] for start in range(0, len(body), size_bytes))


@given(lines=_LINES, block=st.integers(1, 40), most=st.integers(1, 60), ends=st.booleans())
def test_ndjson_chunks_put_together_are_the_file(lines: list[bytes], block: int, most: int, ends: bool) -> None:
    body = (b"\n".join(lines) + (b"\n" if ends else b"")).removeprefix(b"\xef\xbb\xbf")
    chunks = list(ndjson_chunks(_blocks(body, block), most))
    assert b"".join(chunk.body for chunk in chunks) == body
    assert all(chunk.body for chunk in chunks)


@given(lines=_LINES, block=st.integers(1, 40), most=st.integers(1, 60))
def test_an_ndjson_chunk_knows_its_place(lines: list[bytes], block: int, most: int) -> None:
    body = b"\n".join(lines).removeprefix(b"\xef\xbb\xbf")
    for chunk in ndjson_chunks(_blocks(body, block), most):
        before = body[: chunk.offset]
        assert body[chunk.offset :].startswith(chunk.body)
        assert chunk.first_line == before.count(b"\n") + 1
        assert chunk.first_index == sum(1 for line in before.split(b"\n") if line.strip(b" \t\r\n"))


@given(lines=_LINES, block=st.integers(1, 40), most=st.integers(1, 60))
def test_an_ndjson_chunk_ends_with_a_line(lines: list[bytes], block: int, most: int) -> None:
    body = b"\n".join(lines).removeprefix(b"\xef\xbb\xbf")
    chunks = list(ndjson_chunks(_blocks(body, block), most))
    for chunk in chunks[:-1]:
        assert chunk.body.endswith(b"\n")
    for chunk in chunks:
        assert len(chunk.body) <= most or chunk.body.count(b"\n") <= 1


@given(
    records=_RECORDS,
    block=st.integers(1, 64),
    most=st.integers(1, 200),
    indent=st.sampled_from([None, 0, 2]),
    as_array=st.booleans(),
    ascii_only=st.booleans(),
)
def test_json_chunks_hold_every_record_once_in_order(
    *, records: list[object], block: int, most: int, indent: int | None, as_array: bool, ascii_only: bool
) -> None:
    if as_array:
        text = json.dumps(records, indent=indent, ensure_ascii=ascii_only)
    else:
        if indent is not None:
            records = [record for record in records if record]  # `{}` fits on a line, which would be taken for NDJSON
        text = "\n".join(json.dumps(record, indent=indent, ensure_ascii=ascii_only) for record in records)
    chunks = list(json_chunks(_blocks(text.encode(errors="surrogatepass"), block), most))
    found = [json.loads(line) for chunk in chunks for line in chunk.body.split(b"\n") if line.strip()]
    assert found == records
    assert sum(chunk.record_count for chunk in chunks) == len(records)
    assert [chunk.first_index for chunk in chunks] == _starts(chunks)


def _starts(chunks: list[Chunk]) -> list[int]:
    starts, total = [], 0
    for chunk in chunks:
        starts.append(total)
        total += chunk.record_count
    return starts


@given(text=st.text(alphabet='[]{}",:\\ \n\ra1', max_size=60), block=st.integers(1, 8))
def test_cutting_broken_json_depends_on_its_bytes_alone(text: str, block: int) -> None:
    body = text.encode()
    assert list(json_chunks(_blocks(body, block), 20)) == list(json_chunks([body], 20))


def test_a_line_break_inside_a_string_leaves_the_record_broken() -> None:
    (chunk,) = json_chunks([b'[{"a": "one\ntwo"},\n {"b":\n 1}]'], 100)
    first, second = chunk.body.splitlines()
    with pytest.raises(ValueError):
        json.loads(first)
    assert json.loads(second) == {"b": 1}


def test_a_json_file_that_was_cut_off_keeps_its_last_record_as_it_is() -> None:
    (chunk,) = json_chunks([b'[{"a": 1}, {"a": 2'], 100)
    assert chunk.body == b'{"a": 1}\n{"a": 2\n'


def test_a_json_file_that_holds_lines_is_cut_by_lines_so_that_one_bad_line_costs_only_itself() -> None:
    body = b'{"a": 1}\n{"a": \n{"a": 3}\n'
    (chunk,) = json_chunks([body], 100)
    assert (chunk.body, chunk.record_count, chunk.first_line) == (body, 3, 1)


def test_a_byte_order_mark_is_no_part_of_the_first_record() -> None:
    (chunk,) = ndjson_chunks([b"\xef", b"\xbb", b'\xbf{"a": 1}\n'], 100)
    assert chunk.body == b'{"a": 1}\n'


def test_a_file_without_line_breaks_is_refused_before_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_RECORD_BYTES", 1_000)
    endless = (b"x" * 100 for _ in range(10_000_000))
    with pytest.raises(BadInput, match="a record is longer"):
        list(ndjson_chunks(endless, 100))
    with pytest.raises(BadInput, match="a record is longer"):
        list(json_chunks((b"[" + b"x" * 100 for _ in range(10_000_000)), 100))


# ---------------------------------------------------------------------------------------------------- collections

_NAMES = st.sampled_from(["type", "features", "FeatureCollection", 'a"b', "\\", "{["])
_TREES = st.recursive(
    _NAMES | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=10,
)


@given(document=_TREES, indent=st.sampled_from([None, 1]), blanks=st.sampled_from([b"", b"\xef\xbb\xbf", b" \n\t"]))
def test_a_collection_is_an_object_that_says_so_or_has_features_at_its_top(
    document: object, indent: int | None, blanks: bytes
) -> None:
    says_so = isinstance(document, dict) and (
        document.get("type") == "FeatureCollection" or isinstance(document.get("features"), list)
    )

    assert is_collection(blanks + json.dumps(document, indent=indent).encode()) == says_so


@pytest.mark.parametrize(
    "start", [b"", b"{", b"\xff\xfe", b'{"type', b'{"type":', b'}{"type":"FeatureCollection"}', b"[[[", b'"']
)
def test_what_is_cut_off_or_no_json_is_no_collection(start: bytes) -> None:
    assert not is_collection(start)


@pytest.mark.parametrize("inner", [{"type": "FeatureCollection"}, {"features": [1]}, ["type", "FeatureCollection"]])
def test_a_collection_inside_of_a_record_makes_the_record_none(inner: object) -> None:
    assert not is_collection(json.dumps({"a": inner, "type": 1}).encode())


def test_a_beginning_is_enough_to_tell_a_collection() -> None:
    assert is_collection(b'{"crs": {"type": "name"}, "type": "FeatureCollection", "features": [{"type": "Fea')
