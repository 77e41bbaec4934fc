"""Documents that hold records: what is in them comes out, each record for itself, with what stands around it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.decoding.chunks import INDEX, Chunk
from windrow.decoding.json_chunks import cut_document, cut_lines
from windrow.spec import StreamSpec

DATA = Path(os.environ.get("WINDROW_DATA", Path(__file__).parents[4] / "shared" / "data"))


def parse(text: str) -> StreamSpec:
    return spec.parse(f"stream: s\ntime: {{column: t}}\n{text}", "x")


PLAIN = parse("columns: {t: timestamp, v: int}")
ITEMS = parse("format: {json: {records: data.items}}\ncolumns: {t: timestamp, v: int}")
AROUND = parse(
    "format: {json: {records: data.items}}\n"
    "columns: {t: timestamp, v: int, city: {type: string, source: $.city.name}, n: {type: int, source: [n, $.data.n]}}"
)
ARRAYS = parse(
    "format: {json: {arrays: daily}}\n"
    "columns: {t: {type: timestamp, source: time}, v: int, lat: {type: float, source: $.lat}}"
)
GEO = parse(
    "columns: {t: timestamp, v: {type: int, source: properties.v}, x: {type: float, source: 'geometry.coordinates[0]'}}"
)

records = st.lists(
    st.fixed_dictionaries({"t": st.text(max_size=3), "v": st.integers(-9, 9)})
    | st.sampled_from([{"v": "x"}, 5, None, [1], "a"]),
    max_size=5,
)


def whole(document: Any, parsed: StreamSpec, chunk_bytes: int = 1 << 20, indent: int | None = None) -> list[Chunk]:
    body = document if isinstance(document, bytes) else json.dumps(document, indent=indent).encode()
    return [piece() for piece in cut_document(body, parsed, max_record_bytes=1 << 20, chunk_bytes=chunk_bytes)]


def lined(documents: list[Any], parsed: StreamSpec, chunk_bytes: int = 1 << 20, **more: Any) -> list[Chunk]:
    body = b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in documents)
    return [
        piece() for piece in cut_lines(iter([body]), parsed, max_record_bytes=1 << 20, chunk_bytes=chunk_bytes, **more)
    ]


def fates(chunks: list[Chunk]) -> list[Any]:
    found: list[Any] = []
    for chunk in chunks:
        assert chunk.rows.height + len(chunk.rejects) == chunk.record_count
        here = {row.pop(INDEX): row for row in chunk.rows.to_dicts()} | {
            reject.index: reject.reason for reject in chunk.rejects
        }
        assert sorted(here) == list(range(chunk.record_count))
        found += [here[index] for index in range(chunk.record_count)]
    return found


@settings(max_examples=100)
@given(st.lists(records, min_size=1, max_size=3), st.integers(1, 80), st.sampled_from([None, 1]))
def test_records_in_documents_are_read_like_records_in_lines(
    all_records: list[list[Any]], chunk_bytes: int, indent: int | None
) -> None:
    documents = [{"city": {"name": "é"}, "data": {"items": each, "n": 3}} for each in all_records]
    every = [record for each in all_records for record in each]
    expected = fates(lined(every, PLAIN))

    assert fates(lined(documents, ITEMS, chunk_bytes)) == expected
    assert fates(whole(documents, ITEMS, chunk_bytes, indent)) == expected
    assert fates(whole(documents[0], ITEMS, chunk_bytes, indent)) == fates(lined(all_records[0], PLAIN))


@settings(max_examples=50)
@given(st.lists(records, min_size=1, max_size=3), st.integers(1, 80))
def test_what_stands_around_records_is_read_and_goes_with_them(all_records: list[list[Any]], chunk_bytes: int) -> None:
    documents = [
        {"city": {"name": f"c{number}"}, "data": {"items": each, "n": number}}
        for number, each in enumerate(all_records)
    ]
    chunks = lined(documents, AROUND, chunk_bytes)
    for chunk in chunks:
        around = json.loads(chunk.document)
        assert chunk.rows["city"].to_list() == [around["city"]["name"]] * chunk.rows.height
        assert chunk.rows["n"].to_list() == [around["data"]["n"]] * chunk.rows.height
        assert "items" not in around["data"]
        for index in range(chunk.record_count):
            again = lined([chunk.original(index).data], AROUND, document=chunk.document, is_unpacked=True)
            assert fates(again) == [fates([chunk])[index]]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.text(max_size=2), st.integers(-5, 5) | st.just("x")), max_size=5), st.integers(1, 60))
def test_each_place_in_equal_arrays_is_a_record(places: list[tuple[str, Any]], chunk_bytes: int) -> None:
    document = {"lat": 1.5, "daily": {"time": [t for t, _ in places], "v": [v for _, v in places]}}
    expected = ["wrong_type" if v == "x" else {"t": t, "v": v, "lat": 1.5} for t, v in places]

    chunks = whole(document, ARRAYS, chunk_bytes)
    assert fates(chunks) == expected
    originals = [json.loads(chunk.original(index).data) for chunk in chunks for index in range(chunk.record_count)]
    assert originals == [{"time": t, "v": v} for t, v in places]


@pytest.mark.parametrize(
    ("parsed", "document", "reason", "message"),
    [
        (
            ARRAYS,
            {"daily": {"time": ["a"], "v": [1, 2]}},
            "unequal_arrays",
            "line 1: 'daily' in the document holds arrays of unequal length: time has 1, v has 2",
        ),
        (
            ARRAYS,
            {"daily": {"time": ["a"], "v": 1}},
            "unequal_arrays",
            "line 1: 'daily.v' in the document is a number, expected an array like the others",
        ),
        (
            ARRAYS,
            {"hourly": {}},
            "no_records",
            "line 1: 'daily' in the document is missing; it should hold the records",
        ),
        (
            ARRAYS,
            {"daily": []},
            "no_records",
            "line 1: 'daily' in the document is an array, expected an object of arrays",
        ),
        (ITEMS, {"data": 5}, "no_records", "line 1: 'data' in the document is a number, expected an object"),
        (
            ITEMS,
            {"data": {"items": None}},
            "no_records",
            "line 1: 'data.items' in the document is null, expected an array of records",
        ),
        (
            ITEMS,
            {"data": {}},
            "no_records",
            "line 1: 'data.items' in the document is missing; it should hold the records",
        ),
        (ITEMS, 5, "not_an_object", "line 1: the document is a number, expected an object"),
    ],
)
def test_a_document_of_another_shape_is_one_reject(
    parsed: StreamSpec, document: Any, reason: str, message: str
) -> None:
    for chunks in (
        whole(document, parsed) if isinstance(document, dict) else [],
        lined([document], parsed),
        whole([document], parsed),
    ):
        for chunk in chunks:
            assert [(reject.reason, reject.message) for reject in chunk.rejects] == [(reason, message)]
            assert chunk.original(0).data == json.dumps(document).encode()
            assert chunk.document == ""


def test_one_document_that_does_not_parse_costs_itself() -> None:
    good = {"data": {"items": [{"t": "a", "v": 1}]}}
    assert fates(lined([good, b'{"data":{"items":[{]}}', good], ITEMS)) == [
        {"t": "a", "v": 1},
        "malformed_json",
        {"t": "a", "v": 1},
    ]


def test_no_records_are_no_fault() -> None:
    assert fates(whole({"data": {"items": []}}, ITEMS)) == []
    assert fates(whole({"lat": 1, "daily": {"time": [], "v": []}}, ARRAYS)) == []


def test_features_of_geojson_are_records_without_being_asked_for() -> None:
    feature = {
        "type": "Feature",
        "t": "a",
        "properties": {"v": 3},
        "geometry": {"type": "Point", "coordinates": [1.5, 2]},
    }
    row = {"t": "a", "v": 3, "x": 1.5}
    document = {
        "type": "FeatureCollection",
        "metadata": {"count": 1},
        "features": [feature, {"properties": 5, "t": "a"}],
    }
    plain = {"t": "a", "note": "FeatureCollection"}

    assert fates(whole(document, GEO)) == [row, {"t": "a", "v": None, "x": None}]
    assert fates(lined([feature, document, plain], GEO)) == [
        row,
        row,
        {"t": "a", "v": None, "x": None},
        {"t": "a", "v": None, "x": None},
    ]
    assert fates(lined([document], GEO, is_unpacked=True)) == [{"t": None, "v": None, "x": None}]


def test_many_small_documents_share_a_piece_unless_something_around_them_is_read() -> None:
    documents = [{"city": {"name": "c"}, "data": {"items": [{"t": "a"}], "n": number}} for number in range(20)]

    assert len(lined(documents, ITEMS)) == 1
    assert len(lined(documents, AROUND)) == 20


def test_a_record_of_a_pretty_printed_document_is_told_by_its_line() -> None:
    [chunk] = whole({"data": {"items": [{"t": "a"}, {"t": 5}]}}, ITEMS, indent=1)
    assert [(reject.line, json.loads(chunk.original(1).data)) for reject in chunk.rejects] == [(7, {"t": 5})]


def test_a_value_around_records_of_another_kind_refuses_each_of_them() -> None:
    document = {"city": {"name": 5}, "data": {"items": [{"t": "a"}, {"t": "b"}], "n": 1}}
    assert fates(whole(document, AROUND)) == ["wrong_type", "wrong_type"]


@pytest.mark.may_skip("needs recorded earthquakes, which are not part of the repository")
def test_real_earthquakes_are_read_whole() -> None:
    file = DATA / "usgs_earthquakes" / "earthquakes.json"
    if not file.exists():
        pytest.skip(f"no {file}")
    quakes = spec.parse(
        "stream: q\ntime: {column: at, formats: [epoch_ms]}\ncolumns: {at: {type: timestamp, source: properties.time},"
        " mag: {type: float, source: properties.mag}, depth: {type: float, source: 'geometry.coordinates[2]'},"
        " made: {type: int, source: $.metadata.generated}}",
        "x",
    )
    body = file.read_bytes()
    features = json.loads(body)["features"]
    rows = [row for chunk in whole(body, quakes) for row in chunk.rows.to_dicts()]
    assert [(row["at"], row["mag"], row["depth"]) for row in rows] == [
        (str(each["properties"]["time"]), each["properties"]["mag"], each["geometry"]["coordinates"][2])
        for each in features
    ]
