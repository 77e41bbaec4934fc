"""The dialect of a CSV sample: chosen with evidence, asked for where two fit, refused where no spec could say it."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.errors import BadInput
from windrow.proposal import Choices, Proposal, propose


def of(sample: str | bytes, name: str = "sample.csv", **choices: object) -> Proposal:
    body = sample.encode() if isinstance(sample, str) else sample
    return propose(io.BytesIO(body), name, Choices(**choices))  # type: ignore[arg-type]


def csv_of(proposal: Proposal):
    assert proposal.spec is not None, proposal.questions
    return proposal.spec.format.csv


def why(proposal: Proposal, about: str) -> str:
    return next(each.why for each in proposal.evidence if each.about == about)


_WORDS = st.text(st.sampled_from("ab 'é,;|\t\"\n"), max_size=6)


@settings(max_examples=60)
@given(st.sampled_from(",;\t|"), st.lists(_WORDS, min_size=3, max_size=20), st.sampled_from(["\n", "\r\n"]))
def test_the_delimiter_is_found_whatever_stands_in_the_texts(mark: str, texts: list[str], line_end: str) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=mark, lineterminator=line_end, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(["ts", "text", "v"])
    for place, text in enumerate(texts):
        writer.writerow([f"2020-01-{place + 1:02}", text, place])
    proposal = of(out.getvalue())

    assert csv_of(proposal).delimiter == (None if mark == "," else mark)
    assert proposal.spec is not None
    assert list(proposal.spec.columns) == ["ts", "text", "v"]


def test_a_tab_needs_no_word_in_a_tsv_file() -> None:
    text = "ts\tv\n2020-01-01\t1\n2020-01-02\t2\n"

    assert csv_of(of(text, "x.tsv")).delimiter is None
    assert csv_of(of(text, "x.tsv.gz")).delimiter is None
    assert csv_of(of(text, "x.csv")).delimiter == "\t"
    assert csv_of(of(text.replace("\t", ","), "x.tsv")).delimiter == ","


def test_two_delimiters_that_fit_every_row_are_asked_about() -> None:
    text = "ts;a,b\n2020-01-01;1,x\n2020-01-02;2,y\n"
    (question,) = of(text).questions

    assert [option.flag for option in question.options] == ["--delimiter ';'", "--delimiter ','"]
    assert csv_of(of(text, delimiter=";")).delimiter == ";"


def test_a_file_of_one_column_has_no_delimiter_to_find() -> None:
    assert csv_of(of("ts\n2020-01-01\n2020-01-02\n")).delimiter is None


def test_single_quotes_are_seen() -> None:
    proposal = of("ts,text\n2020-01-01,'a, b'\n2020-01-02,'c, d'\n")

    assert csv_of(proposal).quote == "'"


def test_encoding_is_told_from_the_bytes() -> None:
    text = "date,Côté\n2020-01-01,é\n2020-01-02,è\n"

    assert csv_of(of(text)).encoding == "utf-8"
    assert csv_of(of(b"\xef\xbb\xbf" + text.encode())).encoding == "utf-8"
    assert csv_of(of(text.encode("utf-16"))).encoding == "utf-16"
    assert csv_of(of(text.encode("utf-16-le"))).encoding == "utf-16"
    latin = of(text.encode("latin-1"))
    assert csv_of(latin).encoding == "latin-1"
    assert why(latin, "encoding") == "byte 0xf4 at line 1 is not UTF-8"
    windows = of("date,v\n2020-01-01,5 €\n2020-01-02,\u201cx\u201d\n".encode("cp1252"))
    assert csv_of(windows).encoding == "windows-1252"
    assert why(windows, "encoding").startswith("byte 0x80 at line 2 is not UTF-8")
    for each in (text.encode("latin-1"), text.encode("utf-16"), b"\xef\xbb\xbf" + text.encode()):
        proposal = of(each)
        assert proposal.spec is not None
        assert list(proposal.spec.columns) == ["date", "cote"]
        assert proposal.spec.source_of("cote") == "Côté"


def test_a_damaged_byte_in_utf8_is_no_other_encoding() -> None:
    proposal = of("date,v\n2020-01-01,éèàüöä\n2020-01-02,x".encode() + b"\xff\n")

    assert csv_of(proposal).encoding == "utf-8"
    assert "byte 0xff at line 3 is not UTF-8" in why(proposal, "encoding")


@pytest.mark.parametrize("body", [b"", b" \n", b"a\0b\x01\x02\x03", bytes(range(1, 9)) * 50, "a,b\n".encode("utf-32")])
def test_what_is_no_text_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput, match=r"^sample\.csv: "):
        of(body)


def test_an_encoding_of_ones_own_must_fit() -> None:
    with pytest.raises(BadInput, match="the sample is not utf-8"):
        of("ts,é\n".encode("latin-1"), encoding="utf-8")
    with pytest.raises(BadInput, match="'ebcdic' is not an encoding"):
        of("ts,v\n", encoding="ebcdic")


def test_a_first_row_that_looks_like_the_rest_is_no_header() -> None:
    proposal = of("2020-01-01T00:00:00Z,north,1.5\n2020-01-01T01:00:00Z,south,2.5\n")

    assert csv_of(proposal).header is False
    assert csv_of(proposal).columns == ("field_1", "field_2", "field_3")
    assert proposal.spec is not None
    assert proposal.spec.time.column == "field_1"
    assert "2 records" in (proposal.text or "")


def test_a_header_may_hold_numbers_above_texts_and_texts_above_numbers() -> None:
    assert csv_of(of("ts,2020,2021\n2020-01-01,1,2\n2020-01-02,1,2\n")).header is True


def test_the_header_is_as_you_say() -> None:
    assert csv_of(of("ts,v\n2020-01-01,1\n", header=True)).header is True
    assert csv_of(of("2020-01-01,1\n2020-01-02,1\n", header=False)).columns == ("field_1", "field_2")


def test_what_stands_above_the_table_is_refused_with_the_line_it_begins_at() -> None:
    with pytest.raises(BadInput, match=r"begins at line 3; above it stands '# station 5'.*tail -n \+3"):
        of("# station 5\n\nts,a,b\n2020-01-01,1,2\n2020-01-02,1,2\n")


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="the header names 'v' more than once"):
        of("ts,v,v\n2020-01-01,1,2\n2020-01-02,1,2\n")


def test_fields_without_a_name_are_left_out_and_counted() -> None:
    proposal = of("ts,v,,\n2020-01-01,1,,\n2020-01-02,1,7,\n")

    assert proposal.spec is not None
    assert list(proposal.spec.columns) == ["ts", "v"]
    assert "field 3 is left out: it has no name and holds 1 value" in (proposal.text or "")
    assert "field 4 is left out: it has no name and is always empty" in (proposal.text or "")


def test_short_rows_are_padded_where_they_are_common() -> None:
    proposal = of("ts,a,b\n2020-01-01,1\n2020-01-02,1\n2020-01-03,1,2\n")

    assert csv_of(proposal).ragged == "pad"
    assert why(proposal, "ragged") == "the header has 3 fields; 2 rows of 2, 1 row of 3"


def test_rare_short_rows_and_long_ones_are_refused_and_counted() -> None:
    rows = "".join(f"2020-01-01T00:{minute:02}:00Z,1,2\n" for minute in range(60)) * 3
    rare = of(f"ts,a,b\n{rows}2020-01-02,1\n")
    assert csv_of(rare).ragged == "reject"
    assert "1 row of 2, 180 rows of 3" in why(rare, "ragged")
    long = of("ts,a\n2020-01-01,1\n2020-01-02,1,x\n2020-01-03,1\n")
    assert csv_of(long).ragged == "reject"
    assert "1 row of 3" in why(long, "ragged")


def test_rows_of_delimiters_alone_are_counted() -> None:
    proposal = of("ts;a\n2020-01-01;1\n;\n;\n2020-01-02;2\n")

    assert "2 rows of delimiters alone" in why(proposal, "rows")
    assert proposal.spec is not None
    assert proposal.spec.unique == ("ts",)


# ---------------------------------------------------------------------------------------------------- decimal marks


def test_a_decimal_comma_is_seen() -> None:
    proposal = of("ts;v;w\n2020-01-01;1,5;7\n2020-01-02;-0,25;8\n")

    assert csv_of(proposal).decimal == ","
    assert proposal.spec is not None
    assert proposal.spec.columns["v"].type == "float"
    assert why(proposal, "decimal") == "1 column with numbers such as '1,5'"


def test_a_comma_before_three_digits_is_asked_about() -> None:
    text = "ts;v\n2020-01-01;1,250\n2020-01-02;2,500\n"
    (question,) = of(text).questions

    assert [option.flag for option in question.options] == ["--decimal ,", "--decimal ."]
    fractions, groups = of(text, decimal=","), of(text, decimal=".")
    assert fractions.spec is not None
    assert fractions.spec.columns["v"].type == "float"
    assert groups.spec is not None
    assert groups.spec.columns["v"].type == "string"


def test_both_marks_in_one_file_are_asked_about() -> None:
    assert of("ts;v;w\n2020-01-01;1,5;1.5\n2020-01-02;2,5;2.5\n").questions[0].about == "decimal"


def test_numbers_in_groups_are_text_beside_a_decimal_point() -> None:
    proposal = of('ts,v,w\n2020-01-01,"1,250",1.5\n2020-01-02,"2,500",2.5\n')

    assert csv_of(proposal).decimal == "."
    assert proposal.spec is not None
    assert proposal.spec.columns["v"].type == "string"


def test_a_delimiter_or_a_mark_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="'::' is not a delimiter"):
        of("ts,v\n", delimiter="::")
    with pytest.raises(BadInput, match="'x' is not a decimal mark"):
        of("ts,v\n2020-01-01,1\n", decimal="x")
