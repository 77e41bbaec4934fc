"""The schema that editors read says what the code says."""

import json
import re

import pytest

from tests.unit.windrow_spec.test_stream import EXAMPLES
from windrow.spec.base import Part
from windrow.spec.document import check
from windrow.spec.json_schema import DIALECT, json_schema
from windrow.spec.reading import read

jsonschema = pytest.importorskip("jsonschema", reason="the validator comes with moto, and is not here")
VALIDATOR = jsonschema.Draft202012Validator(json_schema())
GOOD = """\
stream: sensors
time: {column: ts, formats: [iso8601, epoch_ms], max_age: 30d}
keys: [sensor]
columns:
  ts: timestamp
  sensor: {type: categorical, allowed: [north, no], default: north}
  v: {type: float, source: [a, b.c], missing: [-9.90, NA], null_if: -200, clamp: [~, 5], range: [0, 9.5]}
  w: decimal(12,2)
  x: list(float)
  y: {type: "decimal(12, 2)", fill: 0.5}
  z: {type: list, items: int}
  j: json
filter: v > 2
halt: {ratio: 0.5}
retention: 400d
sinks: [{kind: dynamodb, table: latest}, {kind: parquet, prefix: exports/s/}]
format: {csv: {delimiter: ";", decimal: ","}, json: {records: data.items}}
windows:
  tumbling: {size: 1h, fill: ~, aggregates: {n: count, m: mean(v), o: open(v), q: "quantile(v, 0.5)"}}
  monthly: {kind: tumbling, size: 1mo, timezone: Europe/Berlin, offset: -6h, fill: 5, fill_limit: 3, aggregates: {}}
  sliding: {kind: sliding, size: 1h, slide: 7m, aggregates: {t: {function: rate, column: v}}}
  carried: {size: 1h, aggregates: {t: {function: time_weighted_mean, column: v, carry: linear, max_carry: 1h}}}
  filled: {size: 1h, fill: zero, max_gap: 3, closed: right, aggregates: {}}
  from: {size: 1h, fill: zero, fill_from: 2026-01-31, fill_to: 2026-02-01T00:00:00Z, aggregates: {}}
  whole: {size: 1h, aggregates: {c: collect(v), t: {function: time_of_max, column: v, skip_nulls: false}}}
  counted: {kind: count, length: 10, stride: 5, aggregates: {i: integral(v)}}
  paired: {kind: pairwise, size: 1h, aggregates: {r: resets(v)}}
  cut: {kind: sequence, step: 1s, length: 6, validate_from: 2026-01-01, test_from: "2026-03-01 12:00", aggregates: {}}
  session: {kind: session, gap: 30m, session_end: last, late: divert, aggregates: {}}
  cumulative: {kind: cumulative, size: 1d, step: 1h, aggregates: {}}
  sequence: {kind: sequence, step: 1m, length: 60, padding: zero, mask: true, aggregates: {v: last(v)}}
"""


def is_valid(text: str) -> bool:
    return bool(VALIDATOR.is_valid(read(text, frozenset({"missing"})).value))


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())

    assert json_schema()["$schema"] == DIALECT


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_valid(path: object) -> None:
    assert is_valid(path.read_text())  # type: ignore[attr-defined]


def test_every_short_form_is_valid() -> None:
    assert check(GOOD) == []
    assert is_valid(GOOD)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("keys:", "kyes:"),
        ("stream: sensors", "stream: UPPER"),
        ("ts: timestamp", "TS: timestamp"),
        ("type: float", "type: flaot"),
        ("w: decimal(12,2)", "w: decimal(12)"),
        ("x: list(float)", "x: list(date)"),
        ("{column: ts,", "{"),
        ("column: ts", "colum: ts"),
        ("max_age: 30d", "max_age: 30"),
        ("missing: [-9.90, NA]", "missing: [{}]"),
        ("range: [0, 9.5]", "range: 5"),
        ("ratio: 0.5", "ratio: 1.5"),
        ("kind: dynamodb", "kind: dynamo"),
        ("size: 1h, slide: 7m", "size: 1h"),
        ("slide: 7m", "slied: 7m"),
        ("tumbling: {size: 1h", "tumbling: {size: 1h, slide: 5m"),
        ("kind: session", "kind: sesion"),
        ("size: 1mo", "size: 1 month"),
        ("gap: 30m", "gap: 1mo"),
        ("mean(v)", "avg(v)"),
        ("quantile(v, 0.5)", "quantile(v)"),
        ("last(v)", "last"),
        ("carry: linear", "carry: on"),
        ("length: 60", "length: 0"),
        ("padding: zero", "padding: previous"),
        ("mask: true", "mask: maybe"),
        ("closed: right", "closed: both"),
        ("max_gap: 3", "max_gap: 0"),
        ("fill_from: 2026-01-31", "fill_from: 31.01.2026"),
        ("skip_nulls: false", "skip_nulls: maybe"),
        ("kind: count, length: 10", "kind: count"),
        ("kind: pairwise, size: 1h", "kind: pairwise, size: 1mo"),
    ],
)
def test_what_is_misspelt_is_invalid_and_a_fault(old: str, new: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)

    assert not is_valid(text)
    assert check(text)


def test_every_setting_is_explained() -> None:
    schema = json_schema()
    parts = {"StreamSpec": schema, **{name: part.get("then", part) for name, part in schema["$defs"].items()}}
    unexplained = [
        f"{name}.{setting}"
        for name, part in parts.items()
        for setting, found in part["properties"].items()
        if "description" not in found and "$ref" not in found and "const" not in found
    ]

    assert unexplained == []


def test_every_setting_of_the_model_is_in_it() -> None:
    schema = json_schema()
    parts = {"StreamSpec": schema, **{name: part.get("then", part) for name, part in schema["$defs"].items()}}
    models: list[type[Part]] = list(Part.__subclasses__())
    for model in models:
        models.extend(model.__subclasses__())
        if model.__name__ in parts:
            names = {field.alias or name for name, field in model.model_fields.items()}
            assert set(parts[model.__name__]["properties"]) == names

    assert len(parts) > 12


def test_durations_stand_in_it_as_people_write_them() -> None:
    described = json_schema()
    del described["properties"]["target_file_bytes"]  # a size
    text = json.dumps(described)

    assert described["properties"]["bucket"]["default"] == "1h"
    assert not re.search(r'"default": \d{5,}', text)
