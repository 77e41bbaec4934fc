"""A landed object's bytes to rows and rejects: everything is one or the other, whatever the bytes are."""

import gzip
import json
from datetime import UTC, datetime

import msgspec
import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.decoding.decode import decode_whole as decode
from windrow.decoding.formats import kind_of
from windrow.decoding.parts import Batch, Decoded, DecodeLimits
from windrow.errors import BadInput, TooLarge
from windrow.lake.schema import segment_schema
from windrow.quarantine import REPLAY_TYPE, QuarantinedRecord, Reject, encode_lines
from windrow.spec import StreamSpec
from windrow.units import from_us, to_us

TEXT = """
stream: s
time: {column: ts, formats: [iso8601]}
keys: [k]
unique: [k, ts]
columns: {ts: timestamp, k: string, v: float, n: int}
"""
PARSED = spec.parse(TEXT, "x")
LENIENT = spec.parse(TEXT.replace("[iso8601]", "[iso8601, epoch_s]").replace("v: float, n: int", "w: string"), "x")
LIMITS = DecodeLimits(max_plain_bytes=1 << 20, max_record_bytes=1 << 16)
NOW_US = to_us(datetime(2026, 1, 1, tzinfo=UTC))
GOOD = b'{"ts":"2026-01-01","k":"a"}'
FIRST, SECOND = "1" * 32, "2" * 32
JSON, LINES, CSV = "application/json", "application/x-ndjson", "text/csv"


def batch(
    kind: str, name: str = FIRST, key: str = "landing/s/x", encoding: str = "", received_us: int = NOW_US
) -> Batch:
    return Batch(name, key, received_us, kind, encoding)


def read(body: bytes, kind: str, parsed: StreamSpec = PARSED) -> Decoded:
    return decode(body, batch(kind), parsed, LIMITS)


def replay(entries: list[QuarantinedRecord] | tuple[QuarantinedRecord, ...], parsed: StreamSpec = PARSED) -> Decoded:
    later_us = NOW_US + 3_600_000_000
    return decode(encode_lines(list(entries)), batch(REPLAY_TYPE, SECOND, received_us=later_us), parsed, LIMITS)


def check_balance(decoded: Decoded) -> None:
    """Nothing is missing, nothing is there twice."""
    places = [*decoded.rows["_ordinal"], *(record.ordinal for record in decoded.rejected)]
    assert sorted(places) == list(range(decoded.record_count))
    assert decoded.rows.schema == segment_schema(PARSED)


# ------------------------------------------------------------------------------------------------ what it is


@pytest.mark.parametrize(
    ("declared", "key", "kind"),
    [
        ("application/json", "landing/s/a.csv", "json"),
        ("Application/JSON; charset=utf-8", "landing/s/a", "json"),
        ("application/x-ndjson", "landing/s/a.json", "lines"),
        ("text/csv;header=present", "landing/s/a", "csv"),
        (REPLAY_TYPE, "landing/s/a.csv", "replay"),
        ("binary/octet-stream", "landing/s/a.csv", "csv"),
        ("application/gzip", "landing/s/a.csv.gz", "csv"),
        ("", "landing/s/a.ndjson", "lines"),
        ("", "landing/s/a.jsonl.zst", "lines"),
        ("", "landing/s/A.NDJSON.GZ", "lines"),
        ("text/plain", "landing/s/b.json", "json"),
    ],
)
def test_a_type_we_know_counts_and_else_the_name_does(declared: str, key: str, kind: str) -> None:
    assert kind_of(key, declared) == kind


@pytest.mark.parametrize("key", ["landing/s/a", "landing/s/a.xlsx", "landing/s/csv", "landing/s/a.csv.xz"])
def test_what_neither_type_nor_name_explains_is_bad_input(key: str) -> None:
    with pytest.raises(
        BadInput, match=r"content type 'x/y' is not understood; use one of .json, .geojson, .ndjson, .jsonl, .csv"
    ):
        kind_of(key, "x/y")


@pytest.mark.parametrize(
    ("encoding", "key", "compress"),
    [
        ("gzip", "landing/s/a.csv", gzip.compress),
        (" GZIP ", "landing/s/a.csv", gzip.compress),
        ("", "landing/s/a.csv.gz", gzip.compress),
        ("", "landing/s/A.CSV.GZ", gzip.compress),
        ("", "landing/s/a.csv.zst", zstandard.compress),
        ("zstd", "landing/s/a.csv.gz", zstandard.compress),
        ("identity", "landing/s/a.csv.gz", bytes),
    ],
)
def test_a_declared_encoding_counts_and_else_the_name_does(encoding: str, key: str, compress: object) -> None:
    body = compress(b"ts,k\n2026-01-01,a\n")  # type: ignore[operator]
    decoded = decode(body, batch("", key=key, encoding=encoding), PARSED, LIMITS)

    assert decoded.rows["k"].to_list() == ["a"]


def test_rows_carry_where_they_came_from_and_when() -> None:
    decoded = read(b'{"ts":"2026-01-01","k":"a"}\n?\n{"ts":"2026-01-01","k":"b"}\n', LINES)

    assert decoded.rows.select("k", "_batch", "_ordinal", "_received_at").rows() == [
        ("a", FIRST, 0, from_us(NOW_US)),
        ("b", FIRST, 2, from_us(NOW_US)),
    ]


# ------------------------------------------------------------------------------------------------ rows and rejects

good_lines = [b'{"ts":"2026-01-01","k":"a"}', b'{"k":"\xc3\xa9","ts":"2025-12-31T23:00:00Z","v":1,"n":-5,"x":[{}]}']
bad_lines = [
    b"?",
    b"[1]",
    b"{}",
    b'{"ts":5,"k":"a"}',
    b'{"ts":"x","k":"a"}',
    b'{"ts":"2026-01-01","k":7}',
    b'{"ts":"2026-01-01","k":"\xff"}',
    b'{"ts":"2026-01-01","k":"a","v":1e999}',
    b'{"ts":"2026-01-01","k":"a","z":NaN}',
    b'{"ts":"2126-01-01","k":"a"}',
    b'{"ts":"0001-01-01","k":"a"}',
    b'{"ts":"2026-01-01","k":"a\rb"}',
    b"{}{}",
]
good_rows = [b"2026-01-01,a,1.5", b'2025-12-31T12:00:00+02:00,"a,""b""\nc",', b"2026-01-01,\xe2\x80\xa8,"]
bad_rows = [
    b",a,1",
    b"2026-01-01,,1",
    b"x,a,1",
    b"2026-01-01,a,inf",
    b"2026-01-01",
    b"2026-01-01,a,1,2",
    b'"\n",\x0b,1',
]
lines = st.lists(st.sampled_from(good_lines + bad_lines), min_size=1, max_size=8)
rows = st.lists(st.sampled_from(good_rows + bad_rows), max_size=8)
line_ends = st.sampled_from([b"\n", b"\r\n"])


@given(lines, line_ends)
def test_every_line_is_a_row_or_a_reject_with_its_own_bytes(given_lines: list[bytes], end: bytes) -> None:
    decoded = read(end.join(given_lines) + end, LINES)

    check_balance(decoded)
    assert decoded.record_count == len(given_lines)
    bad = [(index, index + 1, line) for index, line in enumerate(given_lines) if line in bad_lines]
    found = [(each.reject.index, each.reject.line, each.raw()) for each in decoded.rejected]
    assert found == bad
    assert [each.ordinal for each in decoded.rejected] == [index for index, *_ in bad]


@given(rows, line_ends | st.just(b"\r"))
def test_every_csv_row_is_a_row_or_a_reject_with_its_own_bytes(given_rows: list[bytes], end: bytes) -> None:
    decoded = read(end.join([b"ts,k,v", *given_rows]) + end, CSV)

    check_balance(decoded)
    assert decoded.record_count == len(given_rows)
    assert [each.raw() for each in decoded.rejected] == [row for row in given_rows if row in bad_rows]
    assert all(each.header == ("ts", "k", "v") for each in decoded.rejected)
    line = 2
    for index, row in enumerate(given_rows):
        told = [each.reject.line for each in decoded.rejected if each.ordinal == index]
        assert told == ([line] if row in bad_rows else [])
        line += 1 + row.count(b"\n")


@given(
    lines.map(lambda found: [line for line in found if line not in (b"?", b"{}{}", b'{"ts":"2026-01-01","k":"a\rb"}')])
)
def test_every_element_of_an_array_is_a_row_or_a_reject(given_lines: list[bytes]) -> None:
    elements = [line for line in given_lines if b"NaN" not in line]
    if not elements:
        return
    decoded = read(b"[\n" + b",\n".join(elements) + b"]", JSON)

    check_balance(decoded)
    assert decoded.record_count == len(elements)
    found = [(each.reject.index, each.reject.line, each.raw()) for each in decoded.rejected]
    assert found == [(index, index + 2, line) for index, line in enumerate(elements) if line in bad_lines]


@pytest.mark.parametrize(("kind", "body"), [(LINES, b"?\n[1]\n\n{\n"), (JSON, b'[1,\n"x",[\n2]]')])
def test_where_no_record_is_an_object_each_is_refused_for_itself(kind: str, body: bytes) -> None:
    decoded = read(body, kind)

    check_balance(decoded)
    assert (decoded.record_count, decoded.rows.height) == (3, 0)


anything = st.binary(max_size=80) | st.lists(
    st.sampled_from([*good_lines, *bad_lines, *good_rows, b"\n", b"ts,k\n"])
).map(b"".join)


@settings(max_examples=300)
@given(
    anything,
    st.sampled_from([JSON, LINES, CSV, REPLAY_TYPE]),
    st.sampled_from(["", "gzip", "zstd", "br"]),
    st.booleans(),
)
def test_any_bytes_are_decoded_or_refused_as_bad_input(body: bytes, kind: str, codec: str, is_compressed: bool) -> None:
    if is_compressed:
        body = {"gzip": gzip.compress, "zstd": zstandard.compress}.get(codec, bytes)(body)
    try:
        decoded = decode(body, batch(kind, encoding=codec), PARSED, LIMITS)
    except (BadInput, TooLarge):
        return
    check_balance(decoded)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, b'{"ts":'),
        (JSON, b"[{},"),
        (JSON, b"[]"),
        (LINES, b""),
        (CSV, b"k\na\n"),
        (REPLAY_TYPE, b""),
        (REPLAY_TYPE, b"{}"),
        (REPLAY_TYPE, b"\xff"),
        (REPLAY_TYPE, b'{"x":' + b"[" * 100_000),
    ],
)
def test_an_object_that_cannot_be_read_at_all_is_bad_input(kind: str, body: bytes) -> None:
    with pytest.raises(BadInput):
        read(body, kind)


def test_limits_are_for_the_plain_bytes_and_for_one_record() -> None:
    big = b'{"ts":"2026-01-01","k":"' + b"x" * LIMITS.max_record_bytes + b'"}'
    decoded = read(GOOD + b"\n" + big + b"\n" + GOOD, LINES)
    assert (decoded.rows.height, decoded.record_count) == (2, 3)
    assert [(each.reject.reason, each.ordinal) for each in decoded.rejected] == [("too_large", 1)]
    with pytest.raises(TooLarge, match="1048576 bytes"):
        decode(gzip.compress(bytes(2 << 20)), batch(LINES, encoding="gzip"), PARSED, LIMITS)


# ------------------------------------------------------------------------------------------------ replays


@given(lines, rows)
def test_what_is_replayed_unmended_is_refused_as_before_at_the_place_where_it_first_stood(
    given_lines: list[bytes], given_rows: list[bytes]
) -> None:
    first = [
        *read(b"\n".join(given_lines), LINES).rejected,
        *read(b"\n".join([b"ts,k,v", *given_rows]), CSV).rejected,
    ]
    if not first:
        return
    again = replay(first)

    assert again.rows.height == 0
    assert again.record_count == len(first)
    assert list(again.rejected) == first


def test_what_the_spec_has_learnt_to_read_is_replayed_under_the_identity_it_first_had() -> None:
    refused = [
        *read(b'{"ts":"2026-01-01","k":"ok"}\n{"ts":1767225605,"k":"a"}\n?\n', LINES).rejected,
        *read(b"ts,k\n2026-01-01,ok\n2026-01-01,ok\n1767225606,b\n", CSV).rejected,
        *read(b"k,ts\nc,1767225607\n", CSV).rejected,
    ]
    again = replay(refused, LENIENT)

    assert again.rows.select("k", "_batch", "_ordinal", "_received_at").rows() == [
        ("a", FIRST, 1, from_us(NOW_US)),
        ("b", FIRST, 2, from_us(NOW_US)),
        ("c", FIRST, 0, from_us(NOW_US)),
    ]
    assert [(each.raw(), each.ordinal, each.reject.line) for each in again.rejected] == [(b"?", 2, 3)]
    assert again.record_count == 4


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_a_replay_does_not_matter(random: object) -> None:
    refused = [
        *read(b"".join(b'{"ts":%d,"k":"%d"}\n' % (1767225600 + n, n) for n in range(5)), LINES).rejected,
        *read(b"ts,k\n" + b"".join(b"%d,%d\n" % (1767225600 + n, n) for n in range(5, 9)), CSV).rejected,
    ]
    shuffled = list(refused)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert replay(shuffled, LENIENT).rows.sort("k").equals(replay(refused, LENIENT).rows.sort("k"))


def test_a_record_still_refused_for_another_reason_keeps_its_place_and_names_the_new_one() -> None:
    [first] = read(b'{"ts":"2026-01-01","k":"ok"}\n\n{"ts":1767225605}\n', LINES).rejected
    assert first.reject.reason == "wrong_type"
    [again] = replay([first], LENIENT).rejected

    assert (again.reject.reason, again.reject.index, again.reject.line) == ("missing_column", 1, 3)
    assert (again.batch, again.ordinal, again.received_us, again.data) == (FIRST, 1, NOW_US, first.data)


def test_an_open_quote_in_one_replayed_row_takes_no_other_row_with_it() -> None:
    refused = [
        *read(b'ts,k\n1767225605,a\n"1767225606,b', CSV).rejected,
        *read(b"ts,k\n1767225607,c\n1767225608,d\n", CSV).rejected,
        *read(b'ts,k\n"x', CSV).rejected,
    ]
    again = replay(refused, LENIENT)

    assert again.rows["k"].to_list() == ["a", "c", "d"]
    assert [each.raw() for each in again.rejected] == [b'"1767225606,b', b'"x']


def test_the_future_is_measured_anew() -> None:
    [early] = read(b'{"ts":"2026-01-01T00:30:00Z","k":"a"}\n', LINES).rejected
    assert early.reject.reason == "time_in_future"

    assert replay([early]).rows["_received_at"].to_list() == [from_us(NOW_US)]


def entry(**fields: object) -> QuarantinedRecord:
    made = QuarantinedRecord(
        reject=Reject(reason="r", message="m"),
        batch=FIRST,
        ordinal=0,
        received_us=NOW_US,
        format="json",
        data='{"ts":"2026-01-01","k":"a"}',
    )
    return msgspec.structs.replace(made, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"ordinal": -1},
        {"ordinal": 1 << 63},
        {"received_us": 1 << 62},
        {"received_us": 1 << 80},
        {"is_base64": True, "data": "x"},
        {"format": "csv", "header": ("ts", "k"), "data": ""},
        {"format": "csv", "header": ("ts", "k"), "data": "2026-01-01,a\n2026-01-01,b"},
        {"format": "csv", "header": ("k",), "data": "a"},
        {"format": "csv"},
        {"data": ""},
        {"data": '{}\n{"ts":1}'},
    ],
)
def test_what_cannot_have_come_out_of_quarantine_is_bad_input(fields: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        replay([entry(**fields)])


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "ordinal": st.integers(),
                "received_us": st.integers(),
                "data": st.text(),
                "is_base64": st.booleans(),
                "header": st.lists(st.text(max_size=3), max_size=3).map(tuple),
                "format": st.sampled_from(["json", "csv", "object"]),
            },
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_forged_replay_is_decoded_or_refused_as_bad_input(fields: list[dict[str, object]]) -> None:
    try:
        again = replay([entry(**each) for each in fields])
    except (BadInput, TooLarge):
        return
    assert again.rows.height + len(again.rejected) == again.record_count == len(fields)


def test_bytes_that_are_not_text_survive_quarantine_and_replay() -> None:
    [first] = [each for each in read(b'{}\n{"k":"\xff"}\n', LINES).rejected if each.is_base64]
    [again] = replay([first]).rejected

    assert again.raw() == b'{"k":"\xff"}'
    assert again.reject == first.reject


def test_every_number_of_a_row_is_read_alike_from_json_and_csv() -> None:
    values = ["0.1", "1e-7", "123456789.123456789", "-5e300"]
    from_json = read(
        "".join(json.dumps({"ts": "2026-01-01", "k": "a", "v": float(v)}) + "\n" for v in values).encode(), LINES
    )
    from_csv = read(("ts,k,v\n" + "".join(f"2026-01-01,a,{v}\n" for v in values)).encode(), CSV)

    assert from_json.rows.equals(from_csv.rows)
    assert from_json.rows["v"].to_list() == [float(v) for v in values]
    assert isinstance(from_json.rows, pl.DataFrame)


def test_a_document_that_was_refused_can_be_unpacked_by_a_later_spec_and_counts_once() -> None:
    body = b'{"daily":{"ts":["2025-12-30","2025-12-31","soon"],"k":["a","b","c"]}}'
    [refused] = read(body, JSON).rejected
    unpacking = spec.parse(TEXT + "format: {json: {arrays: daily}}\n", "x")
    first, second = replay([refused], unpacking), replay([refused], unpacking)

    assert first.rows["k"].to_list() == ["a", "b"]
    assert [each.reject.reason for each in first.rejected] == ["bad_time"]
    assert first.rows.select("_batch", "_ordinal").equals(second.rows.select("_batch", "_ordinal"))
    assert first.rows["_batch"][0] != FIRST
