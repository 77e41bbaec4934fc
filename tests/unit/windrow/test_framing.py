"""Where one record ends and the next begins: nothing is lost, nothing is altered, and a fault is pointed at."""

import json
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.errors import BadInput, TooLarge
from windrow.framing import Framed, Malformed, frame

JSON, LINES = "application/json", "application/x-ndjson"
LIMIT_BYTES = 1 << 20

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(), values, max_size=4)
records = st.lists(objects, min_size=1, max_size=8)
blank_lines = st.sampled_from(["\n", "\r\n", "\n\n", "\n  \n", "\r\n\r\n\t\r\n"])
fragments = st.lists(
    st.sampled_from(
        [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            '"',
            "\n",
            "\r",
            "\r\n",
            " ",
            "\t",
            "\v",
            "1",
            "1e999",
            "é",
            "{}",
            '{"a":1}',
            "null",
        ]
    ).map(str.encode)
    | st.sampled_from([b"\xff", b"\x00", b"\xef\xbb\xbf", b'{"a":"\xff"}', b"\\ud800"]),
    max_size=12,
).map(b"".join)


def read(framed: Framed) -> list[object]:
    """The records as any JSON reader sees them, line by line."""
    assert framed.lines.endswith(b"\n")
    return [json.loads(line) for line in framed.lines[:-1].split(b"\n")]


def judged(body: bytes, kind: str) -> Framed | None:
    """The records, even where all of them are bad; None when there are none."""
    try:
        return frame(body, kind, LIMIT_BYTES)
    except Malformed as error:
        return error.framed


# ------------------------------------------------------------------------------------------------ what is kept


@given(records, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_an_array_however_it_is_printed_holds_the_same_records_in_order(
    given_records: list[dict], indent: int | str | None, is_ascii: bool
) -> None:
    framed = frame(json.dumps(given_records, indent=indent, ensure_ascii=is_ascii).encode(), JSON, LIMIT_BYTES)

    assert read(framed) == given_records
    assert (framed.record_count, framed.rejects) == (len(given_records), ())


@given(records, blank_lines, st.booleans())
def test_lines_however_they_are_broken_hold_the_same_records_in_order(
    given_records: list[dict], line_break: str, ends_with_a_break: bool
) -> None:
    text = line_break.join(json.dumps(record) for record in given_records) + line_break * ends_with_a_break
    framed = frame(text.encode(), LINES, LIMIT_BYTES)

    assert read(framed) == given_records
    assert (framed.record_count, framed.rejects) == (len(given_records), ())


@given(objects, st.sampled_from([None, 1]))
def test_one_object_is_one_record(record: dict, indent: int | None) -> None:
    framed = frame(f" \n{json.dumps(record, indent=indent)}\r\n".encode(), JSON, LIMIT_BYTES)

    assert (read(framed), framed.record_count, framed.line_number(0)) == ([record], 1, 2)


@given(records)
def test_tidy_lines_are_passed_on_byte_by_byte(given_records: list[dict]) -> None:
    body = msgspec.json.Encoder().encode_lines(given_records)

    assert frame(body, LINES, LIMIT_BYTES) == Framed(body, len(given_records))


@given(records)
def test_a_pretty_printed_array_says_on_which_line_each_record_began(given_records: list[dict]) -> None:
    text = json.dumps(given_records, indent=2)
    framed = frame(text.encode(), JSON, LIMIT_BYTES)
    starts = [number for number, line in enumerate(text.split("\n"), 1) if line.startswith("  {")]

    assert [framed.line_number(index) for index in range(framed.record_count)] == starts


@given(records, st.sampled_from([JSON, LINES]), st.sampled_from([b"", b"\n", b" \r\n"]))
def test_a_byte_order_mark_before_the_first_record_is_no_part_of_it(
    given_records: list[dict], kind: str, before: bytes
) -> None:
    body = before + (
        json.dumps(given_records).encode() if kind == JSON else msgspec.json.Encoder().encode_lines(given_records)
    )
    mark = b"\xef\xbb\xbf"

    assert frame(mark + body, kind, LIMIT_BYTES) == frame(body, kind, LIMIT_BYTES)
    assert frame(before + mark + body[len(before) :], kind, LIMIT_BYTES) == frame(body, kind, LIMIT_BYTES)


def test_behind_a_byte_order_mark_places_are_those_of_the_text() -> None:
    [reject] = frame(b'\xef\xbb\xbf{"a":?}\n{}', LINES, LIMIT_BYTES).rejects
    assert (reject.line, reject.column) == (1, 6)


# ------------------------------------------------------------------------------------------------ any bytes


@settings(max_examples=300)
@given(fragments | st.binary(max_size=40), st.sampled_from([JSON, LINES]))
def test_any_bytes_are_framed_line_by_line_or_refused(body: bytes, kind: str) -> None:
    try:
        framed = frame(body, kind, LIMIT_BYTES)
    except BadInput:
        return
    lines = framed.lines.split(b"\n")
    assert lines.pop() == b""
    assert len(lines) == framed.record_count
    bad = {reject.index for reject in framed.rejects}
    assert bad < set(range(framed.record_count))
    for index, line in enumerate(lines):
        if index not in bad:
            assert line.decode().startswith("{")
            assert isinstance(msgspec.json.decode(line.replace(b"1e999", b"1").replace(b"\\ud800", b"")), dict)


@settings(max_examples=300)
@given(st.lists(fragments, max_size=4).map(b"\n".join))
def test_framing_what_was_framed_changes_nothing(body: bytes) -> None:
    """The consumer frames a landed object anew; it must see the records that the sender was told of."""
    first = judged(body, LINES)
    if first is None:
        return
    again = judged(first.lines, LINES)

    assert (again.lines, again.record_count) == (first.lines, first.record_count)
    assert [(one.index, one.reason) for one in again.rejects] == [(one.index, one.reason) for one in first.rejects]


@pytest.mark.parametrize(
    "body",
    [
        b"{}{}\n\n",
        b'{"a":\n1}{}\n',
        b'{"a":1}{"b":\n1}\n',
        b'{"a":{}\n,"b":1}{}\n',
        b"{} {}\n{}\n",
        b'{"a":[{}\n{}]}\n{}{}\n',
    ],
)
def test_two_objects_on_a_line_are_never_taken_for_two_lines(body: bytes) -> None:
    framed = judged(body, LINES)

    assert framed.record_count == sum(1 for line in body.split(b"\n") if line)
    assert framed.rejects[0].index == 0


@pytest.mark.parametrize("line", [b'{"a":"x\ry"}', b"\v{}", b"{}\f", b'  {"a":\t', b"{} x", b"\xff{}", b"[1,\r2]"])
def test_a_bad_line_keeps_the_bytes_it_was_sent_with(line: bytes) -> None:
    framed = frame(b"{}\r\n" + line + b"\r\n{}\r\n", LINES, LIMIT_BYTES)

    assert framed.lines == b"{}\n" + line + b"\n{}\n"
    assert [reject.index for reject in framed.rejects] == [1]


@pytest.mark.parametrize(
    ("kind", "body"), [(JSON, b'{"a":"\xff"}'), (JSON, b'[{"a":"\xff"}]'), (LINES, b'{"a":"\xff"}\n')]
)
def test_bytes_that_are_not_utf_8_are_not_a_record(kind: str, body: bytes) -> None:
    with pytest.raises(Malformed) as raised:
        frame(body, kind, LIMIT_BYTES)

    [reject] = raised.value.rejects
    assert (reject.reason, reject.index, reject.column) == ("malformed_json", 0, 1 + body.index(b"\xff"))
    assert "0xff is not UTF-8" in reject.message


def test_an_element_that_is_not_utf_8_costs_only_itself() -> None:
    framed = frame(b'[{"a":"\xff"},{"b":1}]', JSON, LIMIT_BYTES)

    assert [(reject.index, reject.reason) for reject in framed.rejects] == [(0, "malformed_json")]
    assert framed.record_count == 2


# ------------------------------------------------------------------------------------------------ positions

CULPRITS = {
    (JSON, "{"): (1, 2),
    (JSON, '{"a": nul}'): (1, 8),
    (JSON, '{"ä": "ö", x}'): (1, 12),
    (JSON, '{\n  "a": 1,\n  "b": ?\n}'): (3, 8),
    (JSON, '\n\n {"日本": +1}'): (3, 9),
    (JSON, '{"a": 1} trailing'): (1, 10),
    (JSON, '[{"a": 1},\n {"b": é}]'): (2, 8),
    (JSON, '[{"é": 1}, {"b": 1,}]'): (1, 20),
    (JSON, "[{}"): (1, 4),
    (LINES, '{"ok": "ü"}\n{"a": nope}\n'): (2, 8),
    (LINES, '{"ok": 1}\r\n\r\n{"ö": ?}\r\n'): (3, 7),
    (LINES, '{}\n{"𝄞": "ab", "c": 01}'): (2, 19),
}


@pytest.mark.parametrize(("kind", "text", "place"), [(*key, place) for key, place in CULPRITS.items()])
def test_line_and_column_point_at_the_culprit(kind: str, text: str, place: tuple[int, int]) -> None:
    try:
        [reject] = frame(text.encode(), kind, LIMIT_BYTES).rejects
    except Malformed as error:
        [reject] = error.rejects

    assert (reject.line, reject.column) == place
    assert reject.reason == "malformed_json"
    assert f"line {place[0]}, column {place[1]}" in reject.message


def test_every_element_that_is_not_an_object_is_pointed_at() -> None:
    framed = frame('[1, {"é": 1},\n  "ö", {},\n [2,\n 3], null]'.encode(), JSON, LIMIT_BYTES)

    found = [(reject.index, reject.line, reject.column, reject.value) for reject in framed.rejects]
    assert found == [(0, 1, 2, "1"), (2, 2, 3, '"ö"'), (4, 3, 2, "[2,\n 3]"), (5, 4, 6, "null")]
    assert framed.lines.decode().split("\n") == ["1", '{"é": 1}', '"ö"', "{}", "[2,  3]", "null", ""]
    assert [framed.line_number(index) for index in range(6)] == [1, 1, 2, 2, 3, 4]


@given(st.lists(st.sampled_from(["{}", '{"é": "日"}', "", " ", "?", '{"ü": ?}', "[1]"]), max_size=8))
def test_a_bad_lines_position_is_its_line_in_the_body(lines: list[str]) -> None:
    columns = {"?": 1, '{"ü": ?}': 7, "[1]": 1}
    expected = [(number, columns[line]) for number, line in enumerate(lines, 1) if line in columns]
    framed = judged("\n".join(lines).encode(), LINES)

    assert [(reject.line, reject.column) for reject in (framed.rejects if framed else ())] == expected


# ------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("kind", "body"), [(JSON, b""), (JSON, b" \r\n"), (JSON, b"[]"), (JSON, b" [ ] "), (LINES, b"\n\n")]
)
def test_a_body_without_a_record_is_refused_as_empty(kind: str, body: bytes) -> None:
    with pytest.raises(Malformed) as raised:
        frame(body, kind, LIMIT_BYTES)

    assert [reject.reason for reject in raised.value.rejects] == ["empty_body"]


@pytest.mark.parametrize(
    ("kind", "body", "reasons"),
    [
        (JSON, b"[1, 2]", ["not_an_object", "not_an_object"]),
        (JSON, b"null", ["not_an_object"]),
        (LINES, b"1\n?\n", ["not_an_object", "malformed_json"]),
    ],
)
def test_a_body_without_a_single_object_is_refused_with_every_reason(
    kind: str, body: bytes, reasons: list[str]
) -> None:
    with pytest.raises(Malformed) as raised:
        frame(body, kind, LIMIT_BYTES)

    assert [reject.reason for reject in raised.value.rejects] == reasons
    assert str(raised.value) == raised.value.rejects[0].message


def test_where_each_record_was_judged_for_itself_a_refusal_still_holds_them() -> None:
    with pytest.raises(Malformed) as raised:
        frame(b"?\n\n[1]\n", LINES, LIMIT_BYTES)

    assert raised.value.framed is not None
    assert (raised.value.framed.lines, raised.value.framed.line_numbers) == (b"?\n[1]\n", (1, 3))


@pytest.mark.parametrize("kind", ["", "text/csv", "application/xml", "json"])
def test_an_unknown_content_type_is_bad_input_that_names_the_known(kind: str) -> None:
    with pytest.raises(BadInput, match="send application/json or application/x-ndjson"):
        frame(b"{}", kind, LIMIT_BYTES)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", " Application/JSON ", "application/x-ndjson;x=y"])
def test_parameters_and_case_of_a_content_type_do_not_matter(kind: str) -> None:
    assert frame(b"{}", kind, LIMIT_BYTES).record_count == 1


@pytest.mark.parametrize(
    ("kind", "body"), [(JSON, b'[{},{"a":"%s"}]'), (JSON, b' {"a":"%s"}\n'), (LINES, b'{}\n{"a":"%s"}\n')]
)
def test_the_largest_record_has_exactly_the_limit(kind: str, body: bytes) -> None:
    record_bytes = len(b'{"a":"x"}')

    assert frame(body % b"x", kind, record_bytes).record_count >= 1
    with pytest.raises(TooLarge, match=f"has {record_bytes + 1} bytes; the limit is {record_bytes}"):
        frame(body % b"xx", kind, record_bytes)


@pytest.mark.parametrize(("kind", "body"), [(JSON, b"[{},1,2,3]"), (LINES, b"{}\n1\n2\n3\n")])
def test_more_rejects_than_the_limit_refuse_the_body(kind: str, body: bytes) -> None:
    assert len(frame(body, kind, LIMIT_BYTES, max_rejects=3).rejects) == 3
    with pytest.raises(Malformed) as raised:
        frame(body, kind, LIMIT_BYTES, max_rejects=2)
    assert len(raised.value.rejects) == 3


@pytest.mark.parametrize(
    ("kind", "start", "piece", "end"), [(JSON, b"[{}", b",1", b"]"), (LINES, b"{}\n", b"?\n", b"")]
)
def test_the_effort_for_bad_records_grows_with_their_number_and_not_with_its_square(
    kind: str, start: bytes, piece: bytes, end: bytes
) -> None:
    def effort_s(count: int) -> float:
        body = start + piece * count + end
        began_s = time.process_time()
        assert len(frame(body, kind, LIMIT_BYTES).rejects) == count
        return time.process_time() - began_s

    once_s = min(effort_s(4_000) for _ in range(3))
    assert effort_s(64_000) < once_s * 16 * 6  # the square would be 256 times as much
