"""Proposing a spec: from whatever bytes, either a spec that parses or a sentence that says why not."""

import bz2
import gzip
import io
import json

import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.errors import BadInput
from windrow.proposal import Choices, Proposal, propose

_CSV = "ts,sensor,value\n" + "".join(
    f"2020-01-01T{hour:02}:00:00Z,{sensor},{hour}.5\n" for hour in range(24) for sensor in ("north", "south")
)


def of(sample: str | bytes, name: str = "sample.csv", **choices: object) -> Proposal:
    body = sample.encode() if isinstance(sample, str) else sample
    return propose(io.BytesIO(body), name, Choices(**choices))  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------------- any bytes

_CELLS = st.one_of(
    st.text(max_size=8),
    st.integers(-(10**22), 10**22).map(str),
    st.floats().map(str),
    st.dates().map(str),
    st.datetimes().map(lambda moment: moment.strftime("%d/%m/%Y %H:%M")),
    st.integers(0, 4 * 10**18).map(str),
    st.sampled_from(
        ["", "NA", "-", "true", "00123", "1,5", "1,234", "12:30", "Côte", "'a'", '"', "\x85", "\ud800", "-999"]
    ),
)
_HEADS = st.lists(
    st.one_of(st.sampled_from(["ts", "date", "time", "id", "row_count", "Year", "month", "day"]), st.text(max_size=6)),
    max_size=6,
)
_JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(allow_nan=False, allow_infinity=False),
        _CELLS,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.sampled_from(["ts", "time", "features", "type", "a.b", "geometry"]), st.text(max_size=4)),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=20,
)


def _proposes_or_refuses(body: bytes, name: str) -> None:
    try:
        proposal = propose(io.BytesIO(body), name)
    except BadInput as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert refusal.startswith(f"{name}: ")
        return
    if proposal.text is None:
        assert proposal.questions
        assert all(question.text for question in proposal.questions)
        return
    parsed = spec.parse(proposal.text, name)
    assert parsed == proposal.spec
    assert parsed.stream == proposal.stream


@settings(max_examples=60)
@given(st.binary(max_size=400), st.sampled_from(["x", "x.csv", "x.json", "x.parquet", "x.tsv.gz"]))
def test_any_bytes_are_proposed_for_or_refused_in_a_sentence(body: bytes, name: str) -> None:
    _proposes_or_refuses(body, name)


@settings(max_examples=40)
@given(
    st.sampled_from(
        [
            b"PAR1",
            b"ARROW1\0\0",
            b"\x1f\x8b\x08",
            b"\x28\xb5\x2f\xfd",
            b"BZh9",
            b"PK\x03\x04",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
        ]
    ),
    st.binary(max_size=200),
)
def test_bytes_that_begin_like_a_format_are_proposed_for_or_refused(magic: bytes, rest: bytes) -> None:
    _proposes_or_refuses(magic + rest, "x")


@settings(max_examples=60)
@given(
    _HEADS,
    st.lists(st.lists(_CELLS, max_size=6), max_size=12),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "latin-1", "utf-16"]),
)
def test_any_csv_is_proposed_for_or_refused(head: list[str], rows: list[list[str]], mark: str, encoding: str) -> None:
    text = "\n".join(mark.join(row) for row in [head, *rows])
    _proposes_or_refuses(text.encode(encoding, errors="replace"), "x.csv")


@settings(max_examples=60)
@given(_HEADS, st.data())
def test_a_csv_with_a_time_is_proposed_for_whatever_stands_beside_it(head: list[str], data: st.DataObject) -> None:
    names = ["ts", *(title for title in dict.fromkeys(head) if title not in ("ts", "time", "date"))]
    names = [title for title in names if title.isalnum()]
    cells = st.lists(
        st.from_regex(r"[A-Za-z0-9./: -]{0,8}", fullmatch=True), min_size=len(names) - 1, max_size=len(names) - 1
    )
    rows = [[f"2020-01-0{day}T00:00:00Z", *data.draw(cells)] for day in range(1, 6)]
    text = "\n".join(",".join(row) for row in [names, *rows])
    proposal = of(text, delimiter=",", header=True, decimal=".", time=("ts",))
    assert proposal.spec is not None
    assert len(proposal.spec.columns) == len(names)
    assert {proposal.spec.source_of(name) for name in proposal.spec.columns} == set(names)


@settings(max_examples=60)
@given(_JSON, st.booleans())
def test_any_json_is_proposed_for_or_refused(value: object, is_lines: bool) -> None:
    documents = value if is_lines and isinstance(value, list) else [value]
    _proposes_or_refuses("\n".join(map(json.dumps, documents)).encode(), "x.json")


@settings(max_examples=60)
@given(
    st.lists(
        # Half a surrogate pair is no text, and makes the document no JSON.
        st.dictionaries(st.text(max_size=5), _JSON, max_size=4).filter(lambda each: "\\ud" not in json.dumps(each)),
        min_size=1,
        max_size=4,
    )
)
def test_json_records_with_a_time_are_proposed_for_whatever_else_they_hold(records: list[dict[str, object]]) -> None:
    dated = [{**record, "event_time": f"2020-01-0{day}T00:00:00Z"} for day, record in enumerate(records, start=1)]
    proposal = of(json.dumps(dated), "x.json", time=("event_time",))
    assert proposal.spec is not None
    assert proposal.spec.source_of(proposal.spec.time.column) == "event_time"


# ---------------------------------------------------------------------------------------------------- the whole


def test_a_series_of_sensors_is_proposed_whole() -> None:
    proposal = of(_CSV, "Monday readings.csv")

    assert proposal.spec is not None
    assert proposal.stream == proposal.spec.stream == "monday_readings"
    assert {name: column.type for name, column in proposal.spec.columns.items()} == {
        "ts": "timestamp",
        "sensor": "categorical",
        "value": "float",
    }
    assert proposal.spec.keys == ("sensor",)
    assert proposal.spec.unique == ("sensor", "ts")
    assert proposal.spec.time.formats == ("iso8601",)
    assert [column.source for column in proposal.columns] == ["ts", "sensor", "value"]
    assert not proposal.questions


def test_every_guess_says_in_the_text_what_it_rests_on() -> None:
    proposal = of(_CSV)

    assert proposal.text is not None
    text = " ".join(proposal.text.replace("#", " ").split())
    for each in proposal.evidence:
        assert each.why in text, each
    for column in proposal.columns:
        assert column.why in text


def test_the_same_sample_is_proposed_the_same() -> None:
    assert of(_CSV) == of(_CSV)


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, bz2.compress, zstandard.ZstdCompressor().compress],
    ids=["gzip", "bzip2", "zstd"],
)
def test_compression_is_seen_in_the_bytes(pack) -> None:
    plain = of(_CSV)
    assert plain.text is not None
    assert of(pack(_CSV.encode())).text == plain.text


def test_a_damaged_gzip_is_refused() -> None:
    with pytest.raises(BadInput, match=r"sample\.csv: it looks like gzip, but cannot be unpacked"):
        of(gzip.compress(_CSV.encode())[:40])


def test_a_large_file_is_looked_at_in_part_and_the_text_says_so() -> None:
    rows = "".join(f"{1_500_000_000 + second},{second}\n" for second in range(120_000))
    proposal = of("ts,value\n" + rows)

    assert proposal.text is not None
    assert "from the first 100,000 records of" in proposal.text


def test_names_that_a_table_cannot_have_keep_their_source() -> None:
    proposal = of("Date;Côte-Nord;row_count;2m;température °C\n2020-01-01;1;2;3;4,5\n2020-01-02;1;2;3;4,5\n")

    assert proposal.spec is not None
    assert {name: proposal.spec.source_of(name) for name in proposal.spec.columns} == {
        "date": "Date",
        "cote_nord": "Côte-Nord",
        "row_count_sent": "row_count",
        "c_2m": "2m",
        "temperature_c": "température °C",
    }


def test_a_stream_name_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="'A b' is not a stream name"):
        of(_CSV, stream="A b")


def test_comments_never_end_their_line() -> None:
    header = '"ts","a\nb: [x","# y"\n'
    proposal = of(header + '2020-01-01,"p\u2028q\n: {",1\n2020-01-02,"r\x85",2\n')

    assert proposal.spec is not None
    assert [proposal.spec.source_of(name) for name in proposal.spec.columns] == ["ts", "a\nb: [x", "# y"]


def test_parquet_keeps_the_types_it_has() -> None:
    frame = pl.DataFrame(
        {
            "ts": pl.Series(["2020-01-01 00:00", "2020-01-01 01:00"]).str.to_datetime(time_zone="UTC"),
            "price": pl.Series(["1.50", "2.25"]).cast(pl.Decimal(10, 2)),
            "day": pl.Series(["2020-01-01", "2020-01-01"]).str.to_date(),
            "is_open": [True, None],
            "count": pl.Series([1, 2], dtype=pl.UInt8),
            "tags": [["a"], []],
            "place": [{"lat": 1.5, "name": "x"}, {"lat": None, "name": "y"}],
            "raw": [b"1", b"2"],
        }
    )
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    proposal = of(buffer.getvalue(), "x.parquet")

    assert proposal.spec is not None
    assert {name: column.type for name, column in proposal.spec.columns.items()} == {
        "ts": "timestamp", "price": "decimal", "day": "date", "is_open": "bool", "count": "int", "tags": "list",
        "place_lat": "float", "place_name": "string",
    }  # fmt: skip
    assert proposal.spec.columns["price"].precision == 10
    assert proposal.spec.columns["place_lat"].source == ("place.lat",)
    assert "raw is left out" in (proposal.text or "")


def test_arrow_files_are_read_like_parquet() -> None:
    buffer = io.BytesIO()
    pl.DataFrame({"ts": ["2020-01-01", "2020-01-02"], "v": [1.5, 2.5]}).write_ipc(buffer)
    proposal = of(buffer.getvalue(), "x.arrow")

    assert proposal.spec is not None
    assert proposal.spec.columns["v"].type == "float"
