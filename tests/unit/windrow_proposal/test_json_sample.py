"""Where the records of a JSON sample are, and what their fields become."""

import io
import json

import pytest

from windrow.decoding.json_paths import compile_path
from windrow.errors import BadInput
from windrow.proposal import Choices, Proposal, propose, sniffing

_RECORDS = [{"ts": f"2020-01-0{day}", "v": day + 0.5} for day in range(1, 6)]


def of(value: object, **choices: object) -> Proposal:
    text = value if isinstance(value, str) else json.dumps(value)
    return propose(io.BytesIO(text.encode()), "sample.json", Choices(**choices))  # type: ignore[arg-type]


def spec_of(proposal: Proposal):
    assert proposal.spec is not None, proposal.questions
    return proposal.spec


def lines(records: list[object]) -> str:
    return "\n".join(map(json.dumps, records)) + "\n"


@pytest.mark.parametrize(
    ("text", "records", "arrays"),
    [
        (json.dumps(_RECORDS), None, None),
        (json.dumps(_RECORDS, indent=1), None, None),
        (lines(_RECORDS), None, None),
        (json.dumps(_RECORDS[0]), None, None),
        (json.dumps({"count": 5, "items": _RECORDS}), "items", None),
        (json.dumps({"meta": {"ts": "2020-01-01"}, "data": {"the items": _RECORDS}}), 'data."the items"', None),
        (lines([{"items": _RECORDS}, {"items": _RECORDS}]), "items", None),
        (json.dumps({"daily": {"ts": ["2020-01-01", "2020-01-02"], "v": [1.5, 2.5]}}), None, "daily"),
        (json.dumps({"ts": ["2020-01-01", "2020-01-02"], "v": [1.5, 2.5]}), None, "@"),
    ],
    ids=[
        "array",
        "pretty array",
        "lines",
        "one object",
        "items",
        "deeper",
        "lines of items",
        "arrays",
        "arrays on top",
    ],
)
def test_records_are_found_where_they_are(text: str, records: str | None, arrays: str | None) -> None:
    found = spec_of(of(text))

    assert (found.format.json_.records, found.format.json_.arrays) == (records, arrays)
    assert {name: column.type for name, column in found.columns.items()} == {"ts": "timestamp", "v": "float"}


def test_records_in_two_places_are_asked_about() -> None:
    hours = {"time": ["2020-01-01T00:00", "2020-01-01T01:00"], "t": [1.5, 2]}
    days = {"time": ["2020-01-01", "2020-01-02"], "t": [1, 2]}
    document = {"hourly": hours, "daily": days, "events": [{"time": "2020-01-01", "x": 1}]}
    (question,) = of(document).questions

    assert [option.flag for option in question.options] == ["--arrays hourly", "--arrays daily", "--records events"]
    assert spec_of(of(document, arrays="daily")).format.json_.arrays == "daily"
    assert spec_of(of(document, records="events")).format.json_.records == "events"


def test_a_path_where_nothing_is_is_refused_with_those_where_something_is() -> None:
    with pytest.raises(BadInput, match="there is no array of objects at 'x'; there is --records items"):
        of({"items": _RECORDS}, records="x")
    with pytest.raises(BadInput, match="there is no object of equally long arrays at 'items'"):
        of({"items": _RECORDS}, arrays="items")
    with pytest.raises(BadInput, match="not both"):
        of({"items": _RECORDS}, arrays="items", records="items")
    with pytest.raises(BadInput, match="is not a path"):
        of({"items": _RECORDS}, records="a..b")


def test_a_record_with_a_list_is_a_record_among_others_and_an_envelope_alone() -> None:
    order = {"ts": "2020-01-01", "id": 1, "lines": [{"ts": "2020-01-01", "sku": "a"}]}

    assert spec_of(of(lines([order, order]))).format.json_.records is None
    assert spec_of(of([order])).format.json_.records is None
    alone = of(order)
    assert spec_of(alone).format.json_.records == "lines"
    assert "--records . reads it as the record" in (alone.text or "")
    assert spec_of(of(order, records=".")).format.json_.records is None


def test_a_record_whose_list_has_no_times_is_not_taken_apart() -> None:
    assert spec_of(of({"ts": "2020-01-01", "lines": [{"sku": "a"}]})).format.json_.records is None


def test_lists_of_objects_are_mentioned_and_not_exploded() -> None:
    proposal = of([{"ts": "2020-01-01", "products": [{"id": 1}, {"id": 2}]}])

    assert spec_of(proposal).explode is None
    assert "products is a list of up to 2 objects; explode: products" in (proposal.text or "")


def test_nested_names_become_paths_that_the_decoder_reads() -> None:
    record = {"ts": "2020-01-01", "a": {"b c": 1, "pm2.5": 2}, "pm2.5": 3, "x.y": 4, "@type": "t", "wind speed": 5}
    found = spec_of(of([record]))

    values = {name: compile_path(found.source_of(name)).find(record) for name in found.columns}
    assert values == {"ts": "2020-01-01", "a_b_c": 1, "a_pm2_5": 2, "pm2_5": 3, "x_y": 4, "type": "t", "wind_speed": 5}


def test_geojson_features_have_their_properties_on_top_and_points_by_name() -> None:
    features = [
        {
            "type": "Feature",
            "id": f"e{number}",
            "properties": {"mag": number + 0.5, "type": "quake", "time": 1_517_966_773_840 + number},
            "geometry": {"type": "Point", "coordinates": [-118.5, 34.25, 26.5]},
        }
        for number in range(4)
    ]
    found = spec_of(of({"type": "FeatureCollection", "features": features}))

    assert found.format.json_.records == "features"
    assert {name: found.source_of(name) for name in found.columns} == {
        "id": "id", "mag": "properties.mag", "type": "properties.type", "time": "properties.time",
        "longitude": "geometry.coordinates[0]", "latitude": "geometry.coordinates[1]",
        "altitude": "geometry.coordinates[2]",
    }  # fmt: skip
    assert found.time.formats == ("epoch_ms",)
    assert found.unique == ("id", "time")


def test_what_stands_around_arrays_gives_units_and_a_zone() -> None:
    proposal = of(
        {
            "timezone": "America/Chicago",
            "latitude": 52.5,
            "daily_units": {"time": "iso8601", "temperature": "°C", "uv": ""},
            "daily": {"time": ["2023-05-28", "2023-05-29"], "temperature": [1.5, 2.5], "uv": [1, 2]},
        }
    )
    found = spec_of(proposal)

    assert found.time.zone == "America/Chicago"
    assert (found.columns["temperature"].unit, found.columns["uv"].unit) == ("°C", "")
    assert "$.timezone, $.latitude" in (proposal.text or "")


def test_lines_that_are_no_objects_are_counted() -> None:
    proposal = of(lines(_RECORDS) + 'oops\n[1]\n"x"\n')

    assert "1 line not JSON and 2 values not an object; they are refused" in " ".join((proposal.text or "").split())
    assert "Proposed from 5 records" in (proposal.text or "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"ts": }', r"not JSON: line 1, column 8"),
        ('[{"ts": 1},\n {"ts" 2}]', r"not JSON: line 2, column"),
        ("[]", "holds no objects"),
        ("[1, 2]", "holds no objects"),
        ("[" * 5_000, "not JSON"),
        ('{"ts": NaN}', "not JSON"),
        ("[{}]", "no questions"),
    ],
)
def test_what_holds_no_records_is_refused(text: str, message: str) -> None:
    if message == "no questions":
        assert of(text).questions[0].about == "time"
        return
    with pytest.raises(BadInput, match=message):
        of(text)


def test_json_in_another_encoding_is_refused() -> None:
    with pytest.raises(BadInput, match="JSON is UTF-8 text, and this is not: byte 0xe9 at line 1"):
        propose(io.BytesIO('[{"é": 1}]'.encode("latin-1")), "x.json")


def test_objects_whose_names_are_data_are_refused() -> None:
    with pytest.raises(BadInput, match="more than 1,000 fields"):
        of([{f"k{number}": 1 for number in range(1_001)}])


@pytest.mark.parametrize("envelope", ["{}", '{{"meta": {{"a": [1, 2]}}, "items": {}}}'])
def test_a_document_that_is_cut_is_read_up_to_its_last_whole_record(
    envelope: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sniffing, "HEAD_BYTES", 2_000)
    records = [
        {"ts": 1_600_000_000 + n, "text": 'a ] } , \\ " [ {', "in": {"v": n + 0.5, "l": [n, n]}} for n in range(500)
    ]
    proposal = of(envelope.format(json.dumps(records)))

    found = spec_of(proposal)
    assert [column.type for column in found.columns.values()] == ["timestamp", "categorical", "float", "list"]
    assert "Proposed from the first" in (proposal.text or "")


def test_the_last_line_that_the_head_cuts_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sniffing, "HEAD_BYTES", len(lines(_RECORDS)) - 5)

    assert "the first 4 records" in (of(lines(_RECORDS)).text or "")
