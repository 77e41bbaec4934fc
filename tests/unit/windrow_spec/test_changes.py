"""What a new version means for records and tables."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.lake.schema import column_type
from windrow.spec import Column, StreamSpec, breaking_changes
from windrow.spec import changes as module
from windrow.spec.changes import LEVELS, Change, Level, compare, stored_type, worst
from windrow.spec.windows import (
    KINDS,
    CountWindow,
    CumulativeWindow,
    PairwiseWindow,
    SequenceWindow,
    SessionWindow,
    SlidingWindow,
    TumblingWindow,
)

TEXT = """\
stream: s
time: {column: ts}
keys: [k]
unique: [k, ts]
columns: {ts: timestamp, k: string, v: float, w: 'decimal(9,2)'}
windows:
  hourly: {size: 1h, aggregates: {a: mean(v), b: count}}
"""


def changes(old: str, new: str) -> list[Change]:
    assert old in TEXT
    return compare(spec.parse(TEXT, "old"), spec.parse(TEXT.replace(old, new), "new"))


def test_the_same_spec_is_no_change() -> None:
    assert changes("v: float", "v: {type: float, unit: m, description: new words}") == []


@pytest.mark.parametrize(
    ("old", "new", "level", "path"),
    [
        ("v: float", "v: float, x: int", "compatible", "columns.x"),
        ("v: float", "v: float, x: {type: int, required: true}", "widening", "columns.x"),
        (", w: 'decimal(9,2)'", "", "compatible", "columns.w"),
        ("v: float", "v: int", "breaking", "columns.v"),
        ("decimal(9,2)", "decimal(12,2)", "breaking", "columns.w"),
        ("decimal(9,2)", "float", "breaking", "columns.w"),
        ("k: string", "k: categorical", "compatible", "columns.k.type"),
        ("v: float", "v: {type: float, required: true}", "widening", "columns.v.required"),
        ("v: float", "v: {type: float, range: [0, 5]}", "widening", "columns.v.range"),
        ("v: float", "v: {type: float, allowed: [0, 5]}", "widening", "columns.v.allowed"),
        ("v: float", "v: {type: float, missing: [NA]}", "widening", "columns.v.missing"),
        ("v: float", "v: {type: float, source: V}", "compatible", "columns.v.source"),
        ("v: float", "v: {type: float, clamp: [0, 5]}", "compatible", "columns.v.clamp"),
        ("'decimal(9,2)'", "{type: decimal, precision: 9, drop: true}", "compatible", "columns.w.drop"),
        ("{column: ts}", "{column: ts, formats: [iso8601, epoch_ms]}", "widening", "time.formats"),
        ("{column: ts}", "{column: ts, max_age: 30d}", "widening", "time.max_age"),
        ("{column: ts}", "{column: ts, zone: Asia/Tokyo}", "compatible", "time.zone"),
        ("stream: s", "stream: t", "breaking", "stream"),
        ("stream: s", "stream: s\nbucket: 2h", "breaking", "bucket"),
        ("stream: s", "stream: s\nshards: 2", "breaking", "shards"),
        ("keys: [k]", "keys: []", "breaking", "keys"),
        ("unique: [k, ts]", "unique: []", "breaking", "unique"),
        ("stream: s", "stream: s\nexplode: products", "breaking", "explode"),
        ("stream: s", "stream: s\nfilter: v > 2", "widening", "filter"),
        ("stream: s", "stream: s\nschema: freeze", "widening", "schema"),
        ("stream: s", "stream: s\non_error: reject", "widening", "on_error"),
        ("stream: s", "stream: s\nformat: {csv: {delimiter: ';'}}", "widening", "format"),
        ("stream: s", "stream: s\nlateness: 1h", "compatible", "lateness"),
        ("stream: s", "stream: s\nretention: 30d", "compatible", "retention"),
        ("windows:", "windows:\n  daily: {kind: session, gap: 1h, aggregates: {}}", "compatible", "windows.daily"),
        ("size: 1h", "size: 30m", "breaking", "windows.hourly"),
        ("size: 1h", "kind: sliding, slide: 5m, size: 1h", "breaking", "windows.hourly"),
        ("size: 1h", "size: 1h, fill: zero", "breaking", "windows.hourly"),
        ("size: 1h", "size: 1h, late: divert", "compatible", "windows.hourly.late"),
        ("mean(v)", "max(v)", "breaking", "windows.hourly"),
        ("b: count", "b: count, c: max(v)", "compatible", "windows.hourly.aggregates.c"),
        (", b: count", "", "compatible", "windows.hourly.aggregates.b"),
    ],
)
def test_a_change_has_its_level(old: str, new: str, level: Level, path: str) -> None:
    [change] = changes(old, new)

    assert (change.level, change.path) == (level, path)
    assert change.message


def test_another_event_time_breaks() -> None:
    before = spec.parse("stream: s\ntime: {column: a}\ncolumns: {a: timestamp, b: timestamp}", "x")
    after = spec.parse("stream: s\ntime: {column: b}\ncolumns: {a: timestamp, b: timestamp}", "x")

    assert breaking_changes(before, after) == [
        "time.column: cannot change, windows are cut by the old one; start a new stream for it"
    ]


def test_a_column_that_is_dropped_may_be_of_another_type() -> None:
    texts = [TEXT.replace("v: float", f"v: float, x: {{type: {kind}, drop: true}}") for kind in ("int", "string")]

    assert worst(compare(*(spec.parse(text, "x") for text in texts))) != "breaking"


def test_what_breaks_is_what_is_refused_with_a_remedy() -> None:
    after = spec.parse(TEXT.replace("v: float", "v: {type: int, source: V}").replace("1h", "30m"), "new")

    assert breaking_changes(spec.parse(TEXT, "old"), after) == [
        "columns.v: was float and cannot become int; give it another name and set source: 'V'",
        "windows.hourly: cannot change its size; define a window under another name",
    ]


def test_the_worst_change_counts() -> None:
    assert worst([]) == "compatible"
    assert worst([Change(level, "", "") for level in reversed(LEVELS)]) == "breaking"


def test_every_setting_has_been_thought_through() -> None:
    known = {name for effects in module._OF_STREAM for name in effects[1]}
    stream = {field.alias or name for name, field in StreamSpec.model_fields.items()} - {"time", "columns", "windows"}
    times = {f"time.{name}" for name in type(spec.parse(TEXT, "x").time).model_fields}
    of_column = {name for effects in module._OF_COLUMN for name in effects[1]}

    assert stream | times == known | {"version", "description"}
    assert set(Column.model_fields) == of_column | {
        "type", "precision", "scale", "items", "drop", "unit", "description",
    }  # fmt: skip


_WINDOWS = {
    "tumbling": "size: 1h",
    "sliding": "size: 1h, slide: 5m",
    "session": "gap: 5m",
    "cumulative": "size: 1h, step: 5m",
    "sequence": "step: 1m, length: 5",
    "count": "length: 5",
    "pairwise": "size: 1h",
}
_OTHERS = {
    "size": "2h",
    "slide": "10m",
    "gap": "10m",
    "step": "10m",
    "length": "6",
    "stride": "2",
    "late": "divert",
    "timezone": "Asia/Tokyo",
    "offset": "5m",
    "fill": "previous",
    "fill_limit": "2",
    "max_gap": "3",
    "fill_from": "2026-01-01",
    "fill_to": "2026-02-01",
    "closed": "right",
    "gap_inclusive": "false",
    "session_end": "last",
    "max_duration": "9h",
    "padding": "zero",
    "mask": "true",
    "min_observed": "2",
    "horizon": "1",
    "validate_from": "2026-01-01",
    "test_from": "2026-02-01",
}
_MODELS = {
    "tumbling": TumblingWindow,
    "sliding": SlidingWindow,
    "session": SessionWindow,
    "cumulative": CumulativeWindow,
    "sequence": SequenceWindow,
    "count": CountWindow,
    "pairwise": PairwiseWindow,
}
_SETTINGS = [
    (kind, field.alias or name)
    for kind in KINDS
    for name, field in _MODELS[kind].model_fields.items()
    if name not in ("kind", "aggregates")
]


@pytest.mark.parametrize(("kind", "setting"), _SETTINGS)
def test_every_setting_of_a_window_breaks_but_what_late_records_do(kind: str, setting: str) -> None:
    texts = []
    for value in (None, _OTHERS[setting]):
        settings = dict(each.split(": ") for each in _WINDOWS[kind].split(", "))
        if "fill" in setting or setting == "max_gap":
            settings["fill"] = "zero"
        if value is not None:
            settings[setting] = value
        written = ", ".join(f"{name}: {each}" for name, each in settings.items())
        texts.append(TEXT.replace("size: 1h", f"kind: {kind}, {written}"))
    [change] = compare(*(spec.parse(text, "x") for text in texts))

    assert change.level == ("compatible" if setting == "late" else "breaking")
    assert setting in str(change)


def test_an_aggregate_that_treats_nulls_in_another_way_is_another_one() -> None:
    texts = [
        TEXT.replace("mean(v)", f"{{function: mean, column: v, skip_nulls: {each}}}") for each in ("true", "false")
    ]

    assert [change.level for change in compare(*(spec.parse(text, "x") for text in texts))] == ["breaking"]


_COLUMNS = st.builds(
    Column,
    type=st.sampled_from(
        ["string", "bool", "int", "float", "decimal", "timestamp", "date", "categorical", "list", "json"]
    ),
    precision=st.integers(5, 9),
    scale=st.integers(0, 5),
    items=st.sampled_from(["int", "float"]),
)


@given(_COLUMNS, _COLUMNS)
@settings(max_examples=150)
def test_a_type_is_the_same_exactly_if_the_tables_say_so(one: Column, other: Column) -> None:
    assert (stored_type(one) == stored_type(other)) == (column_type(one) == column_type(other))
