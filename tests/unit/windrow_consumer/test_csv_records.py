"""CSV to raw text columns: the columnar reader and the careful one see the same, and the original text is kept."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.errors import BadInput
from windrow_consumer.checks import INDEX
from windrow_consumer.csv_records import CsvRecords, read_csv

PARSED = spec.parse(
    "stream: s\ntime: {column: ts}\ncolumns: {ts: timestamp, a: string, b: {type: int, source: B}}", "x"
)
NAMES = ("ts", "a", "b")

fields = st.text(st.sampled_from("ab,\"\n\r 'é\u2028\x85\x0b\x0c\x1c"), max_size=6) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=6
)
ends = st.sampled_from(["\n", "\r\n", "\r"])
rows = st.lists(st.tuples(fields, fields, fields), max_size=6)


def written(
    table: list[tuple[str, ...]],
    end: str = "\n",
    is_quoted: bool = False,
    header: tuple[str, ...] | None = ("ts", "a", "B"),
) -> str:
    """CSV as RFC 4180 has it; Python's own writer leaves a lone carriage return unquoted."""

    def field(text: str) -> str:
        needs_quotes = is_quoted or any(mark in text for mark in ',"\r\n')
        return '"' + text.replace('"', '""') + '"' if needs_quotes else text

    lines = table if header is None else [header, *table]
    return "".join(",".join(map(field, row)) + end for row in lines)


def values(read: CsvRecords) -> list[tuple[str | None, ...]]:
    return read.rows.select(NAMES).rows()


def test_fields_come_out_as_text_under_the_specs_names() -> None:
    read = read_csv(b"B,extra,ts\n1,x,2026-01-01\n02,y,never\n", PARSED)

    assert values(read) == [("2026-01-01", None, "1"), ("never", None, "02")]
    assert read.rows[INDEX].to_list() == [0, 1]
    assert (read.record_count, read.rejects, read.header) == (2, (), ("B", "extra", "ts"))


@pytest.mark.parametrize(
    "body",
    [
        b"ts,a,B\nt,x,1\n,,\n",
        b"\xef\xbb\xbfts,a,B\nt,x,1\n,,\n",
        b"ts,a,B\r\nt,x,1\r\n,,\r\n",
        b"ts,a,B\rt,x,1\r,,\r",
        b"ts,a,B\nt,x,1\n,,",
        b"ts,a,B\n\nt,x,1\n\n\n,,\n\n",
        b'"ts","a","B"\n"t","x","1"\n"","",""\n',
    ],
)
def test_the_same_table_however_its_lines_end(body: bytes) -> None:
    read = read_csv(body, PARSED)

    assert values(read) == [("t", "x", "1"), (None, None, None)]
    assert read.record_count == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a,b"', "a,b"),
        ('"a\nb"', "a\nb"),
        ('"a\r\nb"', "a\r\nb"),
        ('"say ""hi"""', 'say "hi"'),
        ("it's", "it's"),
        (' "a"', ' "a"'),
        ('a"b', 'a"b'),
        (" ", " "),
        ("", None),
        ('""', None),
        ("null", "null"),
        ("NA", "NA"),
        ("\u2028", "\u2028"),
        ("\x85", "\x85"),
    ],
)
def test_quotes_protect_commas_and_line_breaks_and_only_nothing_is_missing(text: str, value: str | None) -> None:
    read = read_csv(f"ts,a,B\nt,{text},1\n".encode(), PARSED)

    assert values(read) == [("t", value, "1")]


@settings(max_examples=200)
@given(rows, ends, st.booleans())
def test_what_was_written_as_csv_is_read_back(table: list[tuple[str, ...]], end: str, is_quoted: bool) -> None:
    read = read_csv(written(table, end, is_quoted).encode(), PARSED)

    assert values(read) == [tuple(field or None for field in row) for row in table]
    assert read.record_count == len(table)


@settings(max_examples=200)
@given(rows, st.integers(0, 6), ends)
def test_one_bad_row_changes_nothing_about_the_others(table: list[tuple[str, ...]], place: int, end: str) -> None:
    """The first body is read in columns, the second row by row: the two roads must agree."""
    place = min(place, len(table))
    mixed = [*table[:place], ("too", "few"), *table[place:]]
    good = read_csv(written(table, end).encode(), PARSED)
    read = read_csv(written(mixed, end).encode(), PARSED)

    assert values(read) == values(good)
    assert read.rows[INDEX].to_list() == [index for index in range(len(mixed)) if index != place]
    assert [(reject.reason, reject.index, reject.value) for reject in read.rejects] == [
        ("ragged_row", place, "too,few")
    ]
    assert read.record_count == len(mixed)


@settings(max_examples=200)
@given(rows, ends)
def test_every_records_own_text_is_found_again_with_the_line_it_starts_on(
    table: list[tuple[str, ...]], end: str
) -> None:
    read = read_csv(written(table, end).encode(), PARSED)

    line = 2
    for index, row in enumerate(table):
        one = written([row], end, header=None)
        assert read.originals.record(index) == (line, one.rstrip("\r\n"))
        line += len(list(io.StringIO(one, newline="")))


@settings(max_examples=300)
@given(st.text(st.sampled_from('x,"\n\r \u2028'), max_size=12))
def test_any_text_under_a_header_gives_each_record_once(text: str) -> None:
    read = read_csv(f"ts,a\n{text}".encode(), PARSED)

    indexes = [*read.rows[INDEX].to_list(), *(reject.index for reject in read.rejects)]
    assert sorted(indexes) == list(range(read.record_count))
    for index in range(read.record_count):
        assert read.originals.record(index)[1]


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda rest: b"ts,a\n" + rest))
def test_any_bytes_are_records_or_bad_input(body: bytes) -> None:
    try:
        read = read_csv(body, PARSED)
    except BadInput:
        return
    assert read.rows.height + len(read.rejects) == read.record_count


@pytest.mark.parametrize("is_ragged", [False, True])
def test_a_field_may_be_long(is_ragged: bool) -> None:
    body = b"ts,a\nt," + b"x" * 300_000 + b"\n" + b"ragged\n" * is_ragged
    read = read_csv(body, PARSED)

    assert [len(row[1] or "") for row in values(read)] == [300_000]
    assert len(read.originals.record(0)[1]) == 300_002


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", r"the header has no column 'ts' \(columns: none\)"),
        (b"\n\nts,a\n", r"the header has no column 'ts' \(columns: none\)"),
        (b"time,a\n1,2\n", r"the header has no column 'ts' \(columns: time, a\)"),
        (b"ts;a\n1;2\n", r"the header has no column 'ts' \(columns: ts;a\)"),
        (b"TS,a\n1,2\n", "the header has no column 'ts'"),
        (b"ts,a,a\n1,2,3\n", "the header names 'a' more than once"),
        (b"ts,,\n1,,\n", "the header names '' more than once"),
        ("ts,a\n1,é\n".encode("latin-1"), "not UTF-8: byte 7 is 0xe9"),
        ("ts,a\n".encode("utf-16"), "not UTF-8: byte 0 is 0xff"),
    ],
)
def test_a_body_without_a_readable_header_is_bad_input_that_says_why(body: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_csv(body, PARSED)


def test_a_header_alone_holds_no_record() -> None:
    for body in (b"ts,a", b"ts,a\n", b"ts,a\r\n\r\n"):
        read = read_csv(body, PARSED)
        assert (read.record_count, read.rows.height) == (0, 0)


def test_a_ragged_row_says_how_many_fields_it_has() -> None:
    read = read_csv(b"ts,a\n1\n1,2\n1,2,3\n", PARSED)

    assert [reject.message for reject in read.rejects] == [
        "the row has 1 fields, the header 2",
        "the row has 3 fields, the header 2",
    ]
