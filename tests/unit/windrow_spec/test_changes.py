"""What a new version means for records and tables."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.errors import BadSettings
from windrow.lake.schema import column_type, windows_schema
from windrow.lake.widening import widens as lake_widens
from windrow.spec import Column, StreamSpec, breaking_changes, widens
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
        ("decimal(9,2)", "decimal(12,2)", "widening", "columns.w"),
        ("decimal(9,2)", "decimal(9,3)", "breaking", "columns.w"),
        ("decimal(9,2)", "decimal(12,1)", "breaking", "columns.w"),
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


def becomes(old: str, new: str, more: str = "") -> list[Change]:
    """What it means that the column v, which all windows are made of, changes its type."""
    text = f"stream: s\ntime: {{column: ts}}\ncolumns: {{ts: timestamp, k: string, v: TYPE}}\n{more}"
    return compare(*(spec.parse(text.replace("TYPE", f"'{kind}'"), "x") for kind in (old, new)))


@pytest.mark.parametrize(
    ("old", "new", "level"),
    [
        ("int", "float", "widening"),
        ("int", "decimal(19,0)", "widening"),
        ("int", "decimal(21,2)", "widening"),
        ("int", "decimal(20,2)", "breaking"),
        ("date", "timestamp", "widening"),
        ("list(int)", "list(float)", "widening"),
        ("list(float)", "list(int)", "breaking"),
        ("list(int)", "list(string)", "breaking"),
        ("timestamp", "date", "breaking"),
        ("decimal(21,2)", "int", "breaking"),
        ("decimal(9,2)", "decimal(10,3)", "widening"),
        ("int", "string", "breaking"),
        ("bool", "int", "breaking"),
    ],
)
def test_a_wider_type_is_followed_and_any_other_breaks(old: str, new: str, level: Level) -> None:
    [change] = becomes(old, new)

    assert (change.level, change.path) == (level, "columns.v")
    assert old in change.message
    assert new in change.message


def test_an_int_that_becomes_a_float_says_which_digits_it_loses() -> None:
    assert "beyond 2^53" in str(becomes("int", "float")[0])


@pytest.mark.parametrize(
    ("new", "more", "level"),
    [
        ("decimal(19,0)", "keys: [v]", "widening"),
        ("decimal(19,0)", "keys: [v]\nshards: 2", "breaking"),
        ("decimal(19,0)", "keys: [k]\nshards: 2", "widening"),
        ("decimal(19,0)", "unique: [v, ts]", "widening"),
        ("float", "unique: [v, ts]", "breaking"),
    ],
)
def test_what_tells_records_apart_is_widened_only_where_it_still_does(new: str, more: str, level: Level) -> None:
    assert [change.level for change in becomes("int", new, more)] == [level]


def test_gaps_filled_with_a_fraction_keep_a_column_from_becoming_a_decimal() -> None:
    windows = "windows: {w: {size: 1h, fill: 0.5, aggregates: {a: sum(v), b: count}}}"
    found = becomes("int", "decimal(21,2)", windows)

    assert [(change.level, change.path) for change in found] == [
        ("widening", "columns.v"),
        ("breaking", "windows.w.aggregates.a"),
    ]


_NARROW_AND_WIDE = [
    ("int", "float"),
    ("int", "decimal(21,2)"),
    ("decimal(9,2)", "decimal(12,4)"),
    ("date", "timestamp"),
]
_FILLS = ["", "fill: zero, ", "fill: linear, ", "fill: 0.5, ", "fill: previous, "]


@pytest.mark.parametrize(("old", "new"), _NARROW_AND_WIDE)
@pytest.mark.parametrize("fill", _FILLS)
def test_where_nothing_breaks_every_table_of_a_window_can_follow(old: str, new: str, fill: str) -> None:
    checked = 0
    for function in ("sum", "min", "max", "first", "last", "mean", "collect", "count", "std", "n_unique", "median"):
        text = (
            "stream: s\ntime: {column: ts}\ncolumns: {ts: timestamp, v: 'TYPE'}\n"
            f"windows: {{w: {{size: 1h, {fill}aggregates: {{a: {function}(v)}}}}}}"
        )
        try:
            before, after = (spec.parse(text.replace("TYPE", kind), "x") for kind in (old, new))
        except BadSettings:
            continue  # that aggregate, or that fill, is not for such a column
        if worst(compare(before, after)) == "breaking":
            assert (old, fill) == ("int", "fill: 0.5, ")
            continue
        checked += 1
        ours, theirs = (windows_schema(each, each.windows["w"]) for each in (before, after))
        assert all(kind == ours[name] or lake_widens(ours[name], kind) for name, kind in theirs.items()), function

    assert checked or (old == "date" and fill)


_GROWING = st.one_of(
    st.builds(Column, type=st.sampled_from(["string", "int", "float", "timestamp", "date", "bool"])),
    st.integers(0, 6).flatmap(
        lambda scale: st.builds(
            Column, type=st.just("decimal"), precision=st.integers(max(scale, 1), 37), scale=st.just(scale)
        )
    ),
    st.builds(Column, type=st.just("list"), items=st.sampled_from(["int", "float", "string"])),
)


@given(_GROWING, _GROWING)
@settings(max_examples=300)
def test_a_type_widens_in_a_spec_exactly_if_it_does_in_the_lake(one: Column, other: Column) -> None:
    assert widens(one, other) == lake_widens(column_type(one), column_type(other))


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
