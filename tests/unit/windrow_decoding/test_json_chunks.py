"""JSON in pieces: nothing is lost, a record's fate is its own, and the quick readers see what the careful one sees."""

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.decoding import json_reader
from windrow.decoding.chunks import INDEX, Chunk
from windrow.decoding.json_chunks import cut_document, cut_lines
from windrow.decoding.unknown import Unknown, merged
from windrow.errors import BadInput
from windrow.framing import Malformed
from windrow.spec import StreamSpec

LIMIT_BYTES = 1 << 20


def parse(text: str) -> StreamSpec:
    return spec.parse(f"stream: s\n{text}", "x")


FLAT = parse("time: {column: ts}\ncolumns: {ts: timestamp, k: string, b: bool, n: {type: int, source: N}, v: float}")
EPOCH = parse("time: {column: ts, formats: [epoch_ms]}\ncolumns: {ts: timestamp, k: categorical, v: float}")
MIXED = parse("time: {column: ts, formats: [iso8601, epoch_s]}\ncolumns: {ts: timestamp, n: int, d: {type: date}}")
NESTED = parse("""
time: {column: ts}
columns:
  ts: {type: timestamp, source: [p.time, ts]}
  x: {type: float, source: 'p.at[0]'}
  y: {type: float, source: 'p.at[-1]'}
  w: {type: string, source: wind speed}
  pm: {type: float, source: pm2.5}
  q: {type: int, source: '"a.b"', missing: [NA, -200]}
  l: list(int)
  m: 'decimal(6,2)'
""")
EXPLODED = parse("""
time: {column: ts}
explode: o.products
columns:
  ts: timestamp
  id: {type: int, source: o.id}
  sku: {type: string, source: 'o.products[].sku'}
  price: {type: 'decimal(8,2)', source: [o.products.price, o.products.cost]}
  tags: {type: list(string), source: o.products.tags}
""")
PARTS = parse("time: {column: ts, parts: [day, at.hour], formats: ['%Y%m%d %H']}\ncolumns: {ts: timestamp, v: float}")
COMPUTED = parse("""
time: {column: ts}
columns: {ts: timestamp, n: {type: int, source: length(l)}, s: {type: float, source: 'l[?a].a | [0]'}}
""")
SPECS = {
    "flat": FLAT,
    "epoch": EPOCH,
    "mixed": MIXED,
    "nested": NESTED,
    "exploded": EXPLODED,
    "parts": PARTS,
    "computed": COMPUTED,
}
FROZEN = {name: each.model_copy(update={"schema_policy": "freeze"}) for name, each in SPECS.items()}

# ------------------------------------------------------------------------------------------------ what is sent

numbers = st.sampled_from(
    [
        *(
            "0",
            "-0",
            "1",
            "17850.0",
            "-200",
            "1.5",
            "0.1",
            "1e2",
            "1.555",
            "1E+3",
            "2.50",
            "1e400",
            "1e-400",
            "1" * 400,
        ),
        *("9007199254740993", "9007199254740993.0", "0.99999999999999999999", "123456789012345678901234567890"),
        *("9223372036854775807", "9223372036854775808", "-9223372036854775808"),
        *("1767225605123", "1767225605.5", "20260101"),
    ]
)
texts = st.sampled_from(
    [
        *("", "a", "5", "NA", "-200", "1.5", "+1.5", ".5", "5.", "1e1", "abc", " 1 ", "1_0", "١", "0x1", "x" * 40),
        *("true", "null", "NaN", "{", "[", ":", "a:null", "2026-01-01T00:00:00Z", "é", "日本"),
    ]
).map(lambda text: json.dumps(text, ensure_ascii=False)) | st.text(max_size=4).map(json.dumps)
scalars = st.sampled_from(["null", "true", "false"]) | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda all_: f"[{', '.join(all_)}]")
        | st.lists(st.tuples(st.sampled_from(["a", "x", "price", "sku", "hour", "at"]), inner), max_size=3).map(
            lambda pairs: "{" + ",".join(f'"{name}":{value}' for name, value in pairs) + "}"
        )
    ),
    max_leaves=6,
)
_PLACES = {
    "flat": {"ts": texts, "k": texts, "b": st.sampled_from(["true", "false"]), "N": numbers, "v": numbers},
    "epoch": {"ts": numbers, "k": texts, "v": numbers},
    "mixed": {"ts": numbers | texts, "n": numbers, "d": texts},
    "nested": {
        "ts": texts,
        "p": st.tuples(texts, numbers, numbers).map(lambda t: f'{{"time":{t[0]},"at":[{t[1]},{t[2]}]}}'),
        "wind speed": texts,
        "pm2.5": numbers,
        "a.b": numbers | texts,
        "l": st.lists(numbers, max_size=3).map(lambda all_: f"[{','.join(all_)}]"),
        "m": numbers | texts,
    },
    "exploded": {
        "ts": texts,
        "o": st.tuples(
            numbers,
            st.lists(
                st.tuples(texts, numbers, st.lists(texts, max_size=2)).map(
                    lambda t: f'{{"sku":{t[0]},"price":{t[1]},"tags":[{",".join(t[2])}]}}'
                ),
                max_size=3,
            ),
        ).map(lambda t: f'{{"id":{t[0]},"products":[{",".join(t[1])}]}}'),
    },
    "parts": {"day": numbers, "at": numbers.map(lambda n: f'{{"hour":{n}}}'), "v": numbers},
    "computed": {"ts": texts, "l": st.just('[{"a":1},{"b":2}]')},
}


def objects(name: str) -> st.SearchStrategy[str]:
    """Records that mostly fit a spec, with values of other kinds, other fields and names given twice among them."""
    places = _PLACES[name]
    good = st.sampled_from(sorted(places)).flatmap(lambda field: st.tuples(st.just(field), places[field]))
    other = st.tuples(st.sampled_from([*places, "z", "", "x:y", "time"]), values)
    fields = st.lists(st.one_of(good, good, good, good, other), max_size=6)
    whole = st.fixed_dictionaries(places).map(lambda record: list(record.items()))
    return (whole | whole | fields).flatmap(
        lambda pairs: st.sampled_from([(",", ":"), (", ", ": ")]).map(
            lambda marks: "{" + marks[0].join(json.dumps(key) + marks[1] + value for key, value in pairs) + "}"
        )
    )


breakage = st.sampled_from(
    [
        *(b"", b" ", b"null", b"1", b'"a"', b"[]", b"{}{}", b'{"a":1} null {"a":2}', b"{,}", b"{", b"}", b"\x00"),
        *(
            b'{"v":NaN}',
            b'{"v":-Infinity}',
            b'{"v":01}',
            b'{"v":1,}',
            b"{'v':1}",
            b"// {}",
            b'{"a":{"b":1}',
            b'{"k":"a',
        ),
        *(b'{"k":"\xff"}', b'{"z":"\xff"}', b'{"k":"\\ud800"}', b'{"k":"a\tb"}', b'{"z":[[[[]]]]}', b'{"v":1}\r'),
        b'{"z":' + b"[" * 2000 + b"]" * 2000 + b"}",
    ]
)


def lines(name: str) -> st.SearchStrategy[list[bytes]]:
    good = objects(name).map(str.encode)
    return st.lists(good, max_size=6) | st.lists(good | good | breakage, max_size=6)


cases = st.sampled_from(sorted(SPECS)).flatmap(lambda name: st.tuples(st.just(name), lines(name)))


def chunks_of(
    body: bytes, parsed: StreamSpec, chunk_bytes: int = 1 << 20, block_bytes: int = 1 << 20, **more: Any
) -> list[Chunk]:
    blocks = (body[start : start + block_bytes] for start in range(0, len(body), block_bytes))
    arguments = {"max_record_bytes": LIMIT_BYTES, **more}
    return [piece() for piece in cut_lines(blocks, parsed, chunk_bytes=chunk_bytes, **arguments)]


def fates(chunks: list[Chunk]) -> list[Any]:
    """What became of every record, in order; checks on the way that none is missing."""
    found: list[Any] = []
    for chunk in chunks:
        start = len(found)
        found += [None] * chunk.record_count
        assert chunk.rows.height + len(chunk.rejects) == chunk.record_count
        assert chunk.rows[INDEX].is_sorted()
        for row in chunk.rows.to_dicts():
            index = start + row.pop(INDEX)
            found[index] = tuple(map(plain, row.values()))
        for reject in chunk.rejects:
            assert reject.index is not None
            found[start + reject.index] = (reject.reason, reject.message, reject.line, reject.field, reject.value)
        assert None not in found
    return found


def plain(value: Any) -> Any:
    """Minus zero is zero; any list is a tuple."""
    if isinstance(value, list):
        return tuple(map(plain, value))
    return 0.0 if value == 0 and isinstance(value, float) else value


def unknown(chunks: list[Chunk]) -> dict[str, Unknown]:
    return merged(*(chunk.unknown for chunk in chunks))


def carefully(body: bytes, parsed: StreamSpec, **more: Any) -> list[Chunk]:
    """Every record read one by one."""
    with patch.object(json_reader, "layout_of", lambda *_: None):
        return chunks_of(body, parsed, **more)


# ------------------------------------------------------------------------------------------------ laws


@settings(max_examples=200)
@given(cases, st.booleans())
def test_columns_and_single_records_tell_the_same(case: tuple[str, list[bytes]], is_frozen: bool) -> None:
    name, sent = case
    parsed = (FROZEN if is_frozen else SPECS)[name]
    body = b"\n".join(sent)
    quick, careful = chunks_of(body, parsed), carefully(body, parsed)

    assert fates(quick) == fates(careful)
    assert unknown(quick) == unknown(careful)
    assert [chunk.rows.schema for chunk in quick] == [chunk.rows.schema for chunk in careful]


@settings(max_examples=100)
@given(
    cases, st.integers(1, 60), st.integers(1, 60), st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\n \t\n"]), st.booleans()
)
def test_cuts_change_nothing(
    case: tuple[str, list[bytes]], chunk_bytes: int, block_bytes: int, line_break: bytes, has_mark: bool
) -> None:
    name, sent = case
    body = b"\xef\xbb\xbf" * has_mark + line_break.join(sent)
    whole, apart = chunks_of(body, SPECS[name]), chunks_of(body, SPECS[name], chunk_bytes, block_bytes)

    assert fates(apart) == fates(whole)
    assert unknown(apart) == unknown(whole)


@settings(max_examples=100)
@given(cases)
def test_a_records_fate_is_its_own(case: tuple[str, list[bytes]]) -> None:
    name, sent = case
    alone = [fate for line in sent for fate in fates(chunks_of(line, SPECS[name]))]
    together = fates(chunks_of(b"\n".join(sent), SPECS[name]))

    def without_place(fate: Any) -> Any:
        return (
            (fate[0], fate[3], fate[4]) if isinstance(fate[0], str) and len(fate) == 5 and fate[0] in REASONS else fate
        )

    assert [without_place(fate) for fate in together] == [without_place(fate) for fate in alone]


REASONS = {"malformed_json", "not_an_object", "wrong_type", "unknown_field", "too_large"}


@settings(max_examples=150)
@given(
    st.lists(st.binary(max_size=12) | breakage, max_size=5), st.integers(1, 20), st.integers(1, 20), st.integers(1, 30)
)
def test_any_bytes_are_records_and_none_is_lost(
    sent: list[bytes], chunk_bytes: int, block_bytes: int, max_record_bytes: int
) -> None:
    body = b"\n".join(sent)
    chunks = chunks_of(body, FLAT, chunk_bytes, block_bytes, max_record_bytes=max_record_bytes)
    held = [line for line in body.replace(b"\xef\xbb\xbf", b"").split(b"\n") if line.strip(b" \t\r\n")]

    assert len(fates(chunks)) == len(held) or b"\xef\xbb\xbf" in body
    assert fates(chunks) == fates(chunks_of(body, FLAT, max_record_bytes=max_record_bytes))


@settings(max_examples=100)
@given(cases)
def test_originals_are_the_records_with_their_lines(case: tuple[str, list[bytes]]) -> None:
    name, sent = case
    body = b"\n \n".join(sent)
    expected = [
        (number, line.strip(b" \t\r\n")) for number, line in enumerate(body.split(b"\n"), 1) if line.strip(b" \t\r\n")
    ]

    found = [
        tuple(chunk.original(index))
        for chunk in chunks_of(body, SPECS[name], 64)
        for index in range(chunk.record_count)
    ]
    assert found == expected


# ------------------------------------------------------------------------------------------------ lines


@settings(max_examples=100)
@given(st.lists(st.integers(0, 40), max_size=6), st.integers(1, 30), st.integers(1, 30), st.booleans(), st.booleans())
def test_a_line_beyond_the_limit_is_a_reject_of_its_own(
    lengths: list[int], chunk_bytes: int, block_bytes: int, is_crlf: bool, has_end: bool
) -> None:
    limit = 20
    sent = [b'{"k":"' + b"x" * length + b'"}' for length in lengths]
    line_break = b"\r\n" if is_crlf else b"\n"
    body = line_break.join(sent) + line_break * has_end
    chunks = chunks_of(body, FLAT, chunk_bytes, block_bytes, max_record_bytes=limit)

    rejects = [(reject.reason, reject.line) for chunk in chunks for reject in chunk.rejects]
    assert rejects == [("too_large", number) for number, line in enumerate(sent, 1) if len(line) > limit]
    originals = [chunk.original(index).data for chunk in chunks for index in range(chunk.record_count)]
    assert originals == [line[:limit] for line in sent]


def test_a_long_line_is_not_held_whole() -> None:
    def endless() -> Iterator[bytes]:
        yield b'{"k":"a"}\n{"k":"'
        yield from (b"x" * 1_000 for _ in range(1_000))
        yield b'"}\n{"k":"b"}'

    chunks = [piece() for piece in cut_lines(endless(), FLAT, max_record_bytes=100, chunk_bytes=500)]
    assert [chunk.rows["k"].to_list() for chunk in chunks] == [["a"], [], ["b"]]
    assert [reject.line for chunk in chunks for reject in chunk.rejects] == [2]


def test_no_line_is_no_piece() -> None:
    assert chunks_of(b"", FLAT) == []
    assert sum(chunk.record_count for chunk in chunks_of(b"\n \r\n", FLAT)) == 0


def test_one_in_a_hundred_is_bad_and_the_others_stay_in_order() -> None:
    sent = [b'{"ts":"2026","k":"%d","N":%d}' % (number, number) for number in range(3_000)]
    for bad in (b"{", b'{"k":5}', b'{"N":"x"}', b'{"k":"\xff"}', b'{"a":1} null {"a":1}'):
        mixed = [bad if number % 100 == 50 else line for number, line in enumerate(sent)]
        [chunk] = chunks_of(b"\n".join(mixed), FLAT)
        assert [reject.index for reject in chunk.rejects] == list(range(50, 3_000, 100))
        assert chunk.rows["n"].to_list() == [number for number in range(3_000) if number % 100 != 50]


# ------------------------------------------------------------------------------------------------ values

WRONG = [
    (FLAT, '"k":1', "column 'k' is a number, expected text: '1'"),
    (FLAT, '"k":[1, "a"]', "column 'k' is an array, expected text: '[1, \"a\"]'"),
    (FLAT, '"b":"true"', "column 'b' is text, expected a bool: 'true'"),
    (FLAT, '"N":"5"', "column 'N' is text, expected a whole number of 64 bits: '5'"),
    (FLAT, '"N":1.5', "column 'N' is a number, expected a whole number of 64 bits: '1.5'"),
    (
        FLAT,
        '"N":9223372036854775808',
        "column 'N' is a number, expected a whole number of 64 bits: '9223372036854775808'",
    ),
    (FLAT, '"v":true', "column 'v' is a bool, expected a number: 'true'"),
    (FLAT, '"ts":5', "column 'ts' is a number, expected a time written as iso8601: '5'"),
    (MIXED, '"d":5', "column 'd' is a number, expected a date written as iso8601: '5'"),
    (NESTED, '"m":1.555', None),
    (NESTED, '"m":1.5555555555', "column 'm' is not a decimal(6,2): '1.5555555555'"),
    (NESTED, '"m":"abc"', "column 'm' is text, expected a number: 'abc'"),
    (NESTED, '"l":[1, null]', "column 'l' is an array that holds null, expected an array of ints: '[1, null]'"),
    (NESTED, '"l":{"a":1}', "column 'l' is an object, expected an array of ints: '{\"a\": 1}'"),
    (EXPLODED, '"o":{"products":5}', "column 'o.products' is a number, expected an array: '5'"),
    (EXPLODED, '"o":{"products":[5]}', "column 'o.products' holds a number, expected objects: '5'"),
    (PARTS, '"day":true', "column 'day at.hour' is a bool, expected text or a number: 'true'"),
]


@pytest.mark.parametrize(("parsed", "field", "message"), WRONG)
def test_a_value_of_another_kind_is_refused_with_what_was_expected(
    parsed: StreamSpec, field: str, message: str | None
) -> None:
    [chunk] = chunks_of(f"{{}}\n{{{field}}}".encode(), parsed)

    assert [reject.message for reject in chunk.rejects] == ([] if message is None else [message])
    assert all((reject.reason, reject.index, reject.line) == ("wrong_type", 1, 2) for reject in chunk.rejects)


@pytest.mark.parametrize(
    ("parsed", "record", "name", "value"),
    [
        (FLAT, '{"N":17850.0}', "n", 17850),
        (FLAT, '{"k":"a","k":"b"}', "k", "b"),
        (FLAT, '{"N":1,"N":null}', "n", None),
        (EPOCH, '{"ts":1767225605123}', "ts", "1767225605123"),
        (EPOCH, '{"ts":1767225605123.50}', "ts", "1767225605123.5"),
        (EPOCH, '{"ts":"1767225605123"}', "ts", "1767225605123"),
        (EPOCH, '{"ts":1.767e3}', "ts", "1767"),
        (NESTED, '{"p":{"time":null},"ts":"a"}', "ts", "a"),
        (NESTED, '{"p":{"time":"b"},"ts":"a"}', "ts", "b"),
        (NESTED, '{"p":{"at":[1,2,3]}}', "x", 1.0),
        (NESTED, '{"p":{"at":[1,2,3]}}', "y", 3.0),
        (NESTED, '{"p":{"at":[]}}', "x", None),
        (NESTED, '{"p":5}', "x", None),
        (NESTED, '{"pm2.5":4}', "pm", 4.0),
        (NESTED, '{"wind speed":"x"}', "w", "x"),
        (NESTED, '{"a.b":7}', "q", 7),
        (NESTED, '{"a.b":"NA"}', "q", None),
        (NESTED, '{"l":[1,2.0]}', "l", [1, 2]),
        (EXPLODED, '{"o":{"products":[{"sku":"a"},null,{}]}}', "sku", ["a", None, None]),
        (EXPLODED, '{"o":{"products":null}}', "sku", None),
        (EXPLODED, '{"o":{"products":[]}}', "sku", []),
        (PARTS, '{"day":20260101,"at":{"hour":"05"}}', "ts", "20260101 05"),
        (PARTS, '{"day":"20260101","at":{"hour":5}}', "ts", "20260101 5"),
        (PARTS, '{"day":20260101}', "ts", None),
        (COMPUTED, '{"l":[{"b":1},{"a":2.5}]}', "n", 2),
        (COMPUTED, '{"l":[{"b":1},{"a":2.5}]}', "s", 2.5),
    ],
)
def test_a_value_comes_out_as_it_was_sent(parsed: StreamSpec, record: str, name: str, value: Any) -> None:
    for body in (record, record + '\n{"ts":[]}'):
        [chunk] = chunks_of(body.encode(), parsed)
        assert chunk.rows[name].to_list()[0] == value


def test_decimals_keep_every_digit() -> None:
    wide = parse("time: {column: ts}\ncolumns: {ts: timestamp, m: 'decimal(30,12)'}")
    [chunk] = chunks_of(b'{"m":123456789012345678.123456789012}\n{"m":"0.000000000001"}\n{"m":1.50}', wide)
    assert [f"{value:.12f}" for value in chunk.rows["m"]] == [
        "123456789012345678.123456789012",
        "0.000000000001",
        "1.500000000000",
    ]


# ------------------------------------------------------------------------------------------------ unknown fields


@pytest.mark.parametrize("more", ["", '{"ts":5}\n'])
def test_unknown_fields_are_counted_with_their_kinds(more: str) -> None:
    body = more + "".join(
        f'{{"p":{{"time":"t","z":{number}}},"i":{number},"f":{number if number % 2 else number + 0.5},"t":"2026-01-01",'
        f'"n":null,"o":{{"q":1}},"w w":true,"a.c":1}}\n'
        for number in range(4)
    )
    kinds = {"p.z": "int", "i": "int", "f": "float", "t": "string", "o": "json", "w w": "bool", '"a.c"': "int"}
    assert unknown(chunks_of(body.encode(), NESTED)) == {path: Unknown(4, kind) for path, kind in kinds.items()}


def test_under_freeze_an_unknown_field_refuses_its_record_alone() -> None:
    [chunk] = chunks_of(b'{"k":"a"}\n{"k":"b","z":1,"y":2}\n{"k":"c","z":null}', FROZEN["flat"])
    assert chunk.rows["k"].to_list() == ["a", "c"]
    assert [(reject.reason, reject.field, reject.line) for reject in chunk.rejects] == [("unknown_field", "y", 2)]
    assert chunk.unknown == {}


@pytest.mark.parametrize(
    "value", ["[null]", "[[null, null]]", "[]", "{}", '{"a":null}', '{"a":[null]}', '[{"a":null}]']
)
def test_unknown_fields_that_hold_next_to_nothing_are_counted(value: str) -> None:
    for body in (f'{{"z":{value}}}', f'{{"p":{{"z":{value}}}}}'):
        [found] = unknown(chunks_of(f"{body}\n{body}".encode(), NESTED)).values()
        assert found == Unknown(2, "json")


def test_names_that_are_data_do_not_become_columns() -> None:
    body = b"".join(b'{"k":"a","id%d":1}\n' % number for number in range(2_000))
    found = unknown(chunks_of(body, FLAT))
    assert len(found) == 2_000
    assert set(found.values()) == {Unknown(1, "int")}


# ------------------------------------------------------------------------------------------------ documents


def document_chunks(body: bytes, parsed: StreamSpec, **more: Any) -> list[Chunk]:
    arguments = {"max_record_bytes": LIMIT_BYTES, "chunk_bytes": 1 << 20, **more}
    return [piece() for piece in cut_document(body, parsed, **arguments)]


@settings(max_examples=150)
@given(cases, st.sampled_from([None, 2]), st.booleans(), st.integers(1, 100))
def test_an_array_holds_what_lines_hold(
    case: tuple[str, list[bytes]], indent: int | None, has_mark: bool, chunk_bytes: int
) -> None:
    name, sent = case
    well = [line for line in sent if is_json(line) and b"\xff" not in line]
    body = b"\xef\xbb\xbf" * has_mark + b"[" + (b",\n" if indent else b",").join(well) + b"]"
    if not well:
        with pytest.raises(Malformed):
            document_chunks(body, SPECS[name])
        return
    of_array = document_chunks(body, SPECS[name], chunk_bytes=chunk_bytes)
    of_lines = chunks_of(b"\n".join(well), SPECS[name])

    assert [fate for fate in fates(of_array) if fate[0] not in REASONS] == [
        fate for fate in fates(of_lines) if fate[0] not in REASONS
    ]
    assert len(fates(of_array)) == len(well)
    assert unknown(of_array) == unknown(of_lines)
    assert [reject.reason for chunk in of_array for reject in chunk.rejects] == [
        reject.reason for chunk in of_lines for reject in chunk.rejects
    ]


def is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(b"[" + line + b"]", type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return bool(line.strip()) and len(msgspec.json.decode(b"[" + line + b"]", type=list[msgspec.Raw])) == 1


def test_a_pretty_printed_record_is_told_by_its_line_and_kept_on_one() -> None:
    body = json.dumps([{"k": "a"}, {"k": 5}, "x"], indent=2).encode()
    [chunk] = document_chunks(body, FLAT)
    assert [(reject.reason, reject.line) for reject in chunk.rejects] == [("wrong_type", 5), ("not_an_object", 8)]
    assert json.loads(chunk.original(1).data) == {"k": 5}
    assert b"\n" not in chunk.original(1).data


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'[{"a":1},', b"null", b'{"a":1} x', b'{"k":"\xff"}'])
def test_a_document_that_does_not_parse_is_refused_with_its_place(body: bytes) -> None:
    with pytest.raises(BadInput) as raised:
        cut_document(body, FLAT, max_record_bytes=LIMIT_BYTES, chunk_bytes=100)
    assert isinstance(raised.value, Malformed)
    assert raised.value.rejects[0].line == 1


def test_an_element_beyond_the_limit_is_a_reject_of_its_own() -> None:
    chunks = document_chunks(b'[{"k":"a"},{"k":"%s"},{"k":"b"}]' % (b"x" * 50), FLAT, max_record_bytes=20)
    assert [fate[1] for fate in fates(chunks) if fate[0] is None] == ["a", "b"]
    assert [reject.reason for chunk in chunks for reject in chunk.rejects] == ["too_large"]


def test_a_json_column_keeps_anything_as_its_text() -> None:
    spec_ = parse("time: {column: ts}\ncolumns: {ts: timestamp, x: json}")
    [chunk] = chunks_of(b'{"x":{"a": [1, "\xc3\xa9"]}}\n{"x":"t"}\n{"x":5}\n{"x":null}\n{"x":true}', spec_)
    assert chunk.rows["x"].to_list() == ['{"a":[1,"é"]}', '"t"', "5", None, "true"]
