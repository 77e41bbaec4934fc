"""CSV to raw columns: every record once, with the values the dialect gives it, wherever the text is cut."""

import csv
import io
from itertools import pairwise
from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.decoding import csv_chunks
from windrow.decoding.checks import check
from windrow.decoding.chunks import INDEX, Chunk
from windrow.decoding.csv_chunks import cut_csv
from windrow.decoding.text import is_utf8
from windrow.decoding.unknown import Unknown
from windrow.errors import BadInput
from windrow.spec import StreamSpec


def stream(columns: str = "ts: timestamp, a: string, b: string", rest: str = "") -> StreamSpec:
    return spec.parse(f"stream: s\ntime: {{column: ts}}\ncolumns: {{{columns}}}\n{rest}", "x")


TEXTS = stream()
FAR_US = 1 << 51


def blocks(body: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def chunks(body: bytes, parsed: StreamSpec = TEXTS, places: list[int] | None = None, **options) -> list[Chunk]:
    settings_ = {"is_tsv": False, "max_record_bytes": 1 << 20, **options}
    return [piece() for piece in cut_csv(iter(blocks(body, places or [])), parsed, **settings_)]


class Fate(NamedTuple):
    """What became of a record."""

    line: int | None
    text: bytes
    values: tuple | None
    reason: str = ""


def fates(found: list[Chunk]) -> list[Fate]:
    """Of every record in order; each has exactly one."""
    every = []
    for chunk in found:
        assert chunk.rows.height + len(chunk.rejects) == chunk.record_count
        rows = {row[-1]: row[:-1] for row in chunk.rows.iter_rows()}
        rejects = {reject.index: reject for reject in chunk.rejects}
        assert sorted([*rows, *rejects]) == list(range(chunk.record_count))
        for index in range(chunk.record_count):
            line, text = chunk.original(index)
            reason = rejects[index].reason if index in rejects else ""
            assert not reason or rejects[index].line == line
            every.append(Fate(line, text, rows.get(index), reason))
    return every


def reference(text: bytes, limit: int, delimiter: bytes = b",", quote: bytes = b'"') -> list[Fate]:
    """The definition, byte by byte."""
    every, place, line = [], 0, 1
    while place < len(text):
        end, fields, reason = one_record(text, place, limit, delimiter, quote)
        own = text[place:end].removesuffix(b"\n").removesuffix(b"\r")
        if own or reason:
            every.append(Fate(line, own[:limit], fields and tuple(fields), reason))
        line += len(text[place:end].splitlines())
        place = end
    return every


def one_record(
    text: bytes, start: int, limit: int, delimiter: bytes, quote: bytes
) -> tuple[int, list[bytes] | None, str]:
    """End of a record with its line break, its fields, and why it has none."""
    state, fields, opened = "start", [b""], start
    for place in range(start, len(text) + 1):
        sign = text[place : place + 1]
        is_over = place - start == limit and sign and (state == "quoted" or sign not in b"\r\n")
        if state == "quoted" and (is_over or not sign):
            end = line_end(text, opened)
            size = len(text[start:end].removesuffix(b"\n").removesuffix(b"\r"))
            return end, None, "too_large" if size > limit else "unclosed_quote"
        if is_over:
            return line_end(text, place), None, "too_large"
        if state == "quoted":
            if sign == quote:
                state = "perhaps closed"
            else:
                fields[-1] += sign
        elif not sign or sign in b"\r\n":
            return line_end(text, place), fields, ""
        elif state == "perhaps closed" and sign == quote:
            fields[-1] += sign
            state = "quoted"
        elif sign == delimiter:
            fields.append(b"")
            state = "start"
        elif state == "start" and sign == quote:
            state, opened = "quoted", place
        else:
            fields[-1] += sign
            state = "text"
    raise AssertionError


def line_end(text: bytes, place: int) -> int:
    return place + len((text[place:].splitlines(keepends=True) or [b""])[0])


def expected(text: bytes, limit: int, width: int = 3) -> list[Fate]:
    """Fates of records under a header of `width` names."""
    every = []
    for line, own, fields, reason in reference(text, limit):
        values = None
        if not reason:
            values = tuple(field.decode(errors="replace") or None for field in fields or ())
        if values is not None and not is_utf8(own):
            every.append(Fate(line, own, None, "bad_encoding"))
        elif values is not None and len(values) != width:
            every.append(Fate(line, own, None, "ragged_row"))
        else:
            every.append(Fate(line, own, values, reason))
    return every


PARTS = [
    *(b"a,b,c\n", b"a,,\r\n", b'"x,y",1,2\n', b'"m\r\nn","",""\r\n', b'p,"say ""hi""",q\n'),
    *(b'5" pipe,a,b\n', b'"a"b,c,d\n', b'u,"open', b"short\n", b"1,2,3,4\n", b',"\r\n', b"long" * 9),
    *(b"\n", b"\r", b" ", b"\t", b";", b",", b'"', b'""', b"a", b"\0", b"\xff", b"\xe2\x82"),
    *("é".encode(), b"x\x01", b"\xef\xbb\xbf"),
]
bodies = st.lists(st.sampled_from(PARTS), max_size=14).map(b"".join)
regular = st.lists(st.sampled_from(PARTS[:5]), max_size=12).map(b"".join)
places = st.lists(st.integers(0, 10_000), max_size=6)
sizes = st.integers(1, 40) | st.just(1 << 16)


@settings(max_examples=200)
@given(bodies | regular, places, sizes, st.integers(3, 60), st.booleans())
def test_every_record_has_the_fate_of_the_definition_wherever_the_text_is_cut(
    body: bytes, at: list[int], chunk_bytes: int, limit: int, is_careful: bool
) -> None:
    found = chunks(
        body, places=at, chunk_bytes=chunk_bytes, max_record_bytes=limit, is_careful=is_careful, header=("ts", "a", "b")
    )

    assert fates(found) == expected(body, limit)


@settings(max_examples=100)
@given(bodies, places, places, st.integers(1, 40), st.integers(6, 60))
def test_pieces_depend_on_the_bytes_alone(
    body: bytes, one: list[int], other: list[int], chunk_bytes: int, limit: int
) -> None:
    def shape(at: list[int]) -> list[list[Fate]]:
        body_ = b"ts,a,b\n" + body
        return [fates([each]) for each in chunks(body_, places=at, chunk_bytes=chunk_bytes, max_record_bytes=limit)]

    assert shape(one) == shape(other)


@given(st.text(st.sampled_from(',;"\n\r \ta1é\0'), max_size=24).filter(lambda text: text.count('"') % 2 == 0))
def test_the_definition_is_that_of_the_csv_module(text: str) -> None:
    lines = list(csv.reader(io.StringIO(text, newline="")))

    found = reference(text.encode(), 1 << 20)

    if not any(fate.reason for fate in found):
        assert [[field.decode() for field in fate.values or ()] for fate in found] == [line for line in lines if line]


@settings(max_examples=100)
@given(bodies | regular, st.sampled_from(["reject", "pad"]), st.integers(1, 3))
@example(b"a\na,", "reject", 1)
@example(b"a,b,c\na,b\na,b,c,", "reject", 3)
@example(b"x^,b,c\n", "reject", 3)
@example(b'"a\rb",b,c\n', "reject", 3)
@example(b'"a",b,c\rd,e,f\n', "reject", 3)
def test_columns_lines_and_records_give_the_same(body: bytes, ragged: str, width: int) -> None:
    names = ("ts", "a", "b")[:width]
    parsed = stream(rest=f"format: {{csv: {{ragged: {ragged}}}}}")

    fast = fates(chunks(body, parsed, header=names))

    assert fast == fates(chunks(body, parsed, header=names, is_careful=True))


NUMBERS = (
    *("", "1", "-1", "+7", " 2", "3 ", " ", "007", "1.0", "1.5", "1e5", "1e999", "inf", "NaN", "-0", "0x1", "1_000"),
    *("NA", " NA", "-200", "-200.0", "9223372036854775807", "9223372036854775808", '"4"', '" 5"', '""', '"NA"'),
    *('"1,5"', "0.1", "1e-400", ".5", "5.", "abc", "\u0661", "#1", "null"),
)
numbers = st.sampled_from(NUMBERS) | st.floats().map(repr)
tables = st.lists(st.tuples(numbers, numbers, st.sampled_from(["t", '"q,r"', ""])), max_size=8) | st.lists(
    st.tuples(st.integers().map(str), st.floats(allow_nan=False, allow_infinity=False).map(repr), st.just("t")),
    max_size=8,
)


@settings(max_examples=200)
@given(tables, st.sampled_from(["", "NA", "-200", "NA, -200", "-200, NA"]))
@example([("1", "-200.0", "t"), ("-200", "NA", "t")], "NA, -200")
@example([("1", "-200.0", "t"), ("-200", "2", "t")], "-200")
@example([("1", "nan", "t"), ("2", "1e999", "t")], "")
def test_a_number_read_at_once_is_the_one_the_checks_make_of_its_text(
    table: list[tuple[str, ...]], missing: str
) -> None:
    parsed = stream(
        f"ts: timestamp, i: {{type: int, missing: [{missing}]}}, f: {{type: float, missing: [{missing}]}}, s: string"
    )
    body = "".join(f"2026-01-01,{','.join(row)}\n" for row in table).encode()

    def checked(is_careful: bool) -> tuple[list[tuple], list[tuple]]:
        rows, rejects = [], []
        for chunk in chunks(b"ts,i,f,s\n" + body, parsed, is_careful=is_careful):
            done = check(chunk.rows, parsed, FAR_US)
            rows += [(*row[:2], repr(row[2]), *row[3:]) for row in done.rows.iter_rows()]
            rejects += [(each.index, each.reason, each.value) for each in (*chunk.rejects, *done.rejects)]
        return rows, sorted(rejects)

    assert checked(is_careful=False) == checked(is_careful=True)


def test_good_pieces_are_read_in_columns_with_numbers_as_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or nothing of the above has looked at the columnar reader."""
    monkeypatch.setattr(csv_chunks, "_read_records", None)
    monkeypatch.setattr(csv_chunks, "_read_lines", None)
    parsed = stream("ts: timestamp, i: int, f: {type: float, missing: NA}, s: string")

    for body in (
        b"t,1,NA,x\nt,,2.5,\n",
        b"t,1,NA,x\r\nt,,2.5,\r\n",
        b't,"1",NA,"x"\n"t",,2.5,""\n',
        b"t,1,NA,x\rt,,2.5,\r",
    ):
        (chunk,) = chunks(b"ts,i,f,s\n" + body, parsed)
        assert chunk.rows.drop(INDEX).rows() == [("t", 1, None, "x"), ("t", None, 2.5, None)]
        assert chunk.rows.dtypes == [pl.String, pl.Int64, pl.Float64, pl.String, pl.Int64]


def test_one_bad_line_among_plain_ones_does_not_need_the_careful_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_chunks, "_read_records", None)
    body = b"1,2,3\n\nragged\n4,\xff,6\n7,8,9\n"

    found = fates(chunks(b"ts,a,b\n" + body))

    assert [(fate.line, fate.reason) for fate in found] == [(2, ""), (4, "ragged_row"), (5, "bad_encoding"), (6, "")]


# ------------------------------------------------------------------------------------------------ single cases


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "windows-1252", "utf-16"])
def test_the_same_rows_under_any_line_end_and_encoding(end: str, encoding: str) -> None:
    text = end.join(["ts,a,b", "t,é,1", "", "u,ü,2"])
    parsed = stream(rest=f"format: {{csv: {{encoding: {encoding}}}}}")

    found = fates(chunks(text.encode(encoding), parsed, places=[1, 2, 9], chunk_bytes=4))

    assert found == [Fate(2, "t,é,1".encode(), ("t", "é", "1")), Fate(4, "u,ü,2".encode(), ("u", "ü", "2"))]


def test_an_unclosed_quote_costs_its_own_record_only() -> None:
    body = b'ts,a,b\n1,x,y\n2,"m\nn","open\n3,x,y\n4,x,y\n'

    found = fates(chunks(body))

    assert found == [
        Fate(2, b"1,x,y", ("1", "x", "y")),
        Fate(3, b'2,"m\nn","open', None, "unclosed_quote"),
        Fate(5, b"3,x,y", ("3", "x", "y")),
        Fate(6, b"4,x,y", ("4", "x", "y")),
    ]


def test_a_quote_far_from_its_end_is_unclosed() -> None:
    body = b'ts,a,b\n1,"open,y\n' + b"2,x,y\n" * 50 + b'3,"x",y\n'

    found = fates(chunks(body, max_record_bytes=100))

    assert [fate.reason for fate in found] == ["unclosed_quote", *[""] * 51]
    assert found[-1] == Fate(53, b'3,"x",y', ("3", "x", "y"))


@pytest.mark.parametrize("chunk_bytes", [5, 64, 1 << 20])
def test_a_record_over_the_limit_is_refused_alone_with_its_beginning_kept(chunk_bytes: int) -> None:
    body = b"ts,a,b\n1,x,y\n2," + b"z" * 500 + b",y\r\n3,x,y\n"

    found = fates(chunks(body, max_record_bytes=50, chunk_bytes=chunk_bytes))

    assert found == [
        Fate(2, b"1,x,y", ("1", "x", "y")),
        Fate(3, (b"2," + b"z" * 500)[:50], None, "too_large"),
        Fate(4, b"3,x,y", ("3", "x", "y")),
    ]


def test_short_rows_are_padded_and_long_ones_taken_if_the_surplus_is_empty() -> None:
    parsed = stream(rest="format: {csv: {ragged: pad}}")
    body = b"ts,a,b\n1\n2,x,y,,\n3,x,y,z\n\n"

    (chunk,) = chunks(body, parsed)

    assert chunk.rows.rows() == [("1", None, None, 0), ("2", "x", "y", 1)]
    assert chunk.rejects[0].message == "the row has 4 fields, the header 3, and those beyond are not empty"
    (quoted,) = chunks(body.replace(b"x", b'"x"'), parsed)
    assert quoted.rows.equals(chunk.rows)


def test_dialects() -> None:
    semicolon = stream(
        "ts: timestamp, x: float, n: {type: decimal, missing: '-1,0'}, s: string",
        "format: {csv: {delimiter: ';', quote: \"'\", decimal: ','}}",
    )
    body = b"ts;x;n;s\nt;1,5;-1,0;'a;b'\nt;1.234,5;2,25;1,5\nt;7;,5;\"\n"

    (chunk,) = chunks(body, semicolon)

    assert chunk.rows.rows() == [
        ("t", "1.5", "-1,0", "a;b", 0),
        ("t", "1.234,5", "2.25", "1,5", 1),
        ("t", "7", ".5", '"', 2),
    ]
    assert fates(chunks(b"ts\ta\tb\nt\tx,y\t\n", is_tsv=True))[0].values == ("t", "x,y", None)
    unquoted = stream(rest="format: {csv: {quote: ''}}")
    assert fates(chunks(b'ts,a,b\nt,"x,"\n', unquoted))[0].values == ("t", '"x', '"')
    odd = stream(rest="format: {csv: {delimiter: '¦', quote: '«'}}")
    assert fates(chunks("ts¦a¦b\nt¦«x¦y«¦z\n".encode(), odd))[0].values == ("t", "x¦y", "z")
    nameless = stream(rest="format: {csv: {header: false, columns: [b, ts]}}")
    assert fates(chunks(b"1,t\n", nameless))[0] == Fate(1, b"1,t", ("t", None, "1"))


def test_columns_take_the_source_that_holds_a_value() -> None:
    parsed = stream(
        "ts: timestamp, a: {type: string, source: [pm2.5, PM25]}, b: {type: string, source: $.doc}, "
        "c: {type: int, source: ts}"
    )

    (chunk,) = chunks(b' PM25 , pm2.5,"ts",$.doc\nold,new,5,x\nold,,6,x\n', parsed)

    assert chunk.rows.rows() == [("5", "new", None, "5", 0), ("6", "old", None, "6", 1)]
    assert chunk.header == ("PM25", "pm2.5", "ts", "$.doc")


def test_a_time_in_parts_is_joined_or_missing() -> None:
    parsed = spec.parse(
        "stream: s\ntime: {column: ts, parts: [year, hour], formats: '%Y-%m-%d %H'}\n"
        "columns: {ts: timestamp, year: string, hour: int}",
        "x",
    )

    (chunk,) = chunks(b"hour,year\n5,2026-01-01\n,2026-01-01\n", parsed)

    assert chunk.rows["ts"].to_list() == ["2026-01-01 5", None]


@pytest.mark.parametrize("body", [b"1,,x\n2,7,\n3,08,y\n", b'1,"",x\n2,"7",\n3,08,"y"\n'])
def test_fields_nobody_asks_for(body: bytes) -> None:
    columns, text = "ts: timestamp", b"ts,n,s\n" + body

    (discarded,) = chunks(text, stream(columns))
    (evolved,) = chunks(text.replace(b"08", b"8"), stream(columns, "schema: evolve"))
    (frozen,) = chunks(text, stream(columns, "schema: freeze"))

    assert discarded.unknown == {"n": Unknown(2, "string"), "s": Unknown(2, "string")}
    assert evolved.unknown == {"n": Unknown(2, "int"), "s": Unknown(2, "string")}
    assert (frozen.rows.height, dict(frozen.unknown)) == (0, {})
    assert [(each.reason, each.field, each.value, each.line) for each in frozen.rejects] == [
        ("unknown_field", "s", "x", 2),
        ("unknown_field", "n", "7", 3),
        ("unknown_field", "n", "08", 4),
    ]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["true", "False"], "bool"),
        (["0", "-12"], "int"),
        (["1", "2.5", "1e5"], "float"),
        (["01"], "string"),
        (["1234567890123456789"], "string"),
        (["1", "x"], "string"),
        (["nan"], "string"),
        ([" 1"], "string"),
    ],
)
def test_an_unknown_field_is_of_the_narrowest_kind_that_loses_nothing(values: list[str], kind: str) -> None:
    body = "ts,n\n" + "".join(f"t,{value}\n" for value in values)

    (chunk,) = chunks(body.encode(), stream("ts: timestamp", "schema: evolve"))

    assert chunk.unknown["n"].kind == kind


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", r"the header has no column 'ts' \(columns: none\)"),
        (b"\n\n", r"the header has no column 'ts' \(columns: none\)"),
        (b"time,a\n1,2\n", r"the header has no column 'ts' \(columns: time, a\)$"),
        (b"TS,a\n1,2\n", "the header has no column 'ts'"),
        (b"ts;a\n1;2\n", r"\(columns: ts;a\); its fields seem to be separated by ';': set format.csv.delimiter to ';'"),
        (b"ts\ta\n1\t2\n", r"separated by a tab: set format.csv.delimiter to '\\t'"),
        (b"a b|c, d|ts\n", r"separated by '\|'"),
        (b"ts,a,a\n1,2,3\n", "the header names 'a' more than once"),
        ("ts,é\n".encode("latin-1"), "the header is not utf-8: byte 0xe9 at 3; set format.csv.encoding"),
        ("ts,a\n".encode("utf-16-le"), "it looks like utf-16: set format.csv.encoding to utf-16"),
        (b'ts,"a\n1,2\n', "the header opens a quote that is not closed"),
        (b"x" * 200 + b"\nts,a\n", "the header has more than 100 bytes; is this a CSV file?"),
        (b"x" * 900, "the header has more than 100 bytes"),
    ],
)
def test_without_a_usable_header_there_is_no_piece_but_a_reason(body: bytes, message: str) -> None:
    for size in (1, 7, 1000):
        cut = cut_csv(
            (body[place : place + size] for place in range(0, len(body), size)),
            TEXTS,
            is_tsv=False,
            max_record_bytes=100,
        )
        with pytest.raises(BadInput, match=message):
            next(cut)


def test_every_part_of_the_time_must_be_there() -> None:
    parsed = spec.parse("stream: s\ntime: {column: ts, parts: [d, h]}\ncolumns: {ts: timestamp}", "x")

    with pytest.raises(BadInput, match=r"the header has no column 'h' \(columns: d, ts\)"):
        chunks(b"d,ts\n1,2\n", parsed)


def test_fields_without_a_name_are_unknown_together() -> None:
    (chunk,) = chunks(b"ts,a,b,,\nt,1,2,,\nt,1,2,x,y\n")

    assert chunk.rows.height == 2
    assert chunk.unknown == {"": Unknown(2, "string")}


def test_a_header_may_follow_blank_lines_and_span_two() -> None:
    found = fates(chunks(b'\r\n\nts,a,"b\nc"\n1,2,3\n'))

    assert found == [Fate(5, b"1,2,3", ("1", "2", None))]


def test_a_header_alone_holds_no_record() -> None:
    for body in (b"ts,a", b"ts,a\n", b"ts,a\r\n\r\n", b"\xef\xbb\xbfts,a"):
        assert sum(chunk.record_count for chunk in chunks(body)) == 0


def test_no_more_is_held_than_a_piece_a_block_and_a_record() -> None:
    """A stream that would not fit is read from beginning to end, and is asked for only as pieces are."""
    asked = 0

    def endless():
        nonlocal asked
        yield b"ts,a,b\n"
        while True:
            asked += 1
            yield b"1,2,3\n" * 100

    cut = cut_csv(endless(), TEXTS, is_tsv=False, max_record_bytes=1000, chunk_bytes=6000)
    for _ in range(20):
        assert next(cut)().record_count > 900

    assert asked <= 20 * 10 + 3


def test_originals_read_again_under_their_header_are_the_same_records() -> None:
    body = b'ts,a,b\nt,"x\ny",z\nt,5" pipe,z\n'
    for fate in fates(chunks(body)):
        (again,) = fates(chunks(fate.text, header=("ts", "a", "b")))
        assert again.values == fate.values


def test_a_delimiter_hidden_in_a_quoted_number_does_not_stand_in_for_a_missing_field() -> None:
    parsed = stream("ts: timestamp, i: int, s: string")

    found = fates(chunks(b'ts\ti\ts\nt\t"\t5"\tx\nt\t6\n', parsed, is_tsv=True))

    assert [(fate.values, fate.reason) for fate in found] == [(("t", "\t5", "x"), ""), (None, "ragged_row")]
