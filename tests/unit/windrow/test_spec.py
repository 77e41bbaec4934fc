from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.emulators import ROOT
from windrow import spec
from windrow.errors import BadSettings
from windrow.spec import Aggregate, Column, StreamSpec

SECOND_US = 1_000_000
MINIMAL = """
stream: sensors
time: {column: ts}
columns: {ts: timestamp, sensor: string, temperature: float}
"""
EXAMPLES = sorted((ROOT / "examples" / "config" / "streams").glob("*.yaml"))


def faults_of(text: str) -> list[str]:
    with pytest.raises(BadSettings) as raised:
        spec.parse(text, "sensors.yaml")
    assert raised.value.subject == "sensors.yaml"
    return list(raised.value.faults)


# ------------------------------------------------------------------------------------------------ what is good


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_good_and_named_after_their_stream(path: Path) -> None:
    parsed = spec.parse(path.read_text(), path.name)

    assert parsed.stream == path.stem
    assert parsed.windows
    assert parsed.description


def test_there_are_three_examples() -> None:
    assert [path.stem for path in EXAMPLES] == ["cloudwatch", "machine", "sensors"]


def test_what_is_not_said_has_a_default() -> None:
    parsed = spec.parse(MINIMAL, "x")

    assert parsed.bucket == 3_600 * SECOND_US
    assert parsed.lateness == 300 * SECOND_US
    assert parsed.idle == 60 * SECOND_US
    assert (parsed.shards, parsed.keep, parsed.keys, parsed.unique, parsed.windows) == (1, "last", (), (), {})
    assert parsed.time.formats == ("iso8601",)
    assert parsed.time.max_future == 600 * SECOND_US


def test_a_columns_short_form_is_its_type() -> None:
    parsed = spec.parse(MINIMAL, "x")

    assert parsed.columns["sensor"] == Column(type="string")


@pytest.mark.parametrize(
    ("text", "aggregate"),
    [
        ("count", Aggregate(function="count", column=None)),
        ("count(temperature)", Aggregate(function="count", column="temperature")),
        ("mean(temperature)", Aggregate(function="mean", column="temperature")),
        (" max( temperature ) ", Aggregate(function="max", column="temperature")),
        ("{function: last, column: sensor}", Aggregate(function="last", column="sensor")),
    ],
)
def test_an_aggregates_short_form_is_a_call(text: str, aggregate: Aggregate) -> None:
    quoted = text if text.startswith("{") else f"'{text}'"
    parsed = spec.parse(MINIMAL + f"windows: {{w: {{size: 1m, aggregates: {{out: {quoted}}}}}}}", "x")

    assert parsed.windows["w"].aggregates["out"] == aggregate


def test_durations_have_units() -> None:
    parsed = spec.parse(MINIMAL + "bucket: 1d\nlateness: 1h30m\nidle: 500ms\n", "x")

    assert (parsed.bucket, parsed.lateness, parsed.idle) == (86_400 * SECOND_US, 5_400 * SECOND_US, 500_000)


@pytest.mark.parametrize("bucket", ["1s", "7m30s", "15m", "1h", "8h", "1d", "2d", "7d"])
def test_a_bucket_divides_a_day_or_is_whole_days(bucket: str) -> None:
    assert spec.parse(MINIMAL + f"bucket: {bucket}", "x").bucket > 0


def test_a_column_is_looked_for_under_the_senders_name() -> None:
    parsed = spec.parse("stream: s\ntime: {column: ts}\ncolumns: {ts: {type: timestamp, source: Zeit}, v: int}", "x")

    assert (parsed.source_of("ts"), parsed.source_of("v")) == ("Zeit", "v")


def test_the_time_the_keys_and_the_identity_are_always_required() -> None:
    text = """
stream: s
time: {column: ts}
keys: [k]
unique: [k, ts, u]
columns: {ts: timestamp, k: string, u: int, must: {type: int, required: true}, may: int}
"""
    parsed = spec.parse(text, "x")

    assert {name for name in parsed.columns if parsed.required(name)} == {"ts", "k", "u", "must"}
    assert parsed.identity == ("k", "ts", "u")


def test_without_unique_columns_a_record_is_its_batch_and_place() -> None:
    assert spec.parse(MINIMAL, "x").identity == ("_batch", "_ordinal")


def test_a_spec_does_not_change_under_anybodys_hands() -> None:
    with pytest.raises(ValueError, match="frozen"):
        spec.parse(MINIMAL, "x").shards = 2


# ------------------------------------------------------------------------------------------------ what is not


def test_every_fault_in_the_fields_is_reported_at_once_with_its_place() -> None:
    text = """
stream: ../etc
time: {column: ts, formats: [epoch, "%Y"]}
columns: {ts: timestamp, v: {type: decimal, colour: red}}
bucket: 3600
lateness: soon
shards: 0
keep: newest
surprise: 1
windows:
  w: {size: 1 hour, aggregates: {a: median(v), b: sum}}
  x: {kind: sliding, size: 1m, aggregates: {}}
"""
    places = sorted(fault.split(": ", 1)[0] for fault in faults_of(text))

    assert places == [
        "bucket",
        "columns.v.colour",
        "columns.v.type",
        "keep",
        "lateness",
        "shards",
        "stream",
        "surprise",
        "time.formats",
        "windows.w.aggregates.a",
        "windows.w.aggregates.b",
        "windows.w.size",
        "windows.x.kind",
    ]


def test_every_fault_between_fields_is_reported_at_once_with_its_place() -> None:
    text = """
stream: s
time: {column: when}
keys: [nobody, weight]
unique: [ghost]
shards: 4
bucket: 7m
columns: {Temp: float, is_final: bool, weight: float, name: string}
windows:
  Big: {size: 2m, aggregates: {n: count}}
  w: {size: 0s, aggregates: {weight: count, window_start: count, s: sum(name), g: min(ghost), _x: count}}
"""
    assert faults_of(text) == [
        "columns.Temp: use a-z, 0-9 and '_', starting with a letter (set source: 'Temp')",
        "columns.is_final: the name is Windrow's own; choose another and set source: 'is_final'",
        "time.column: no column named 'when'",
        "keys: no column named 'nobody'",
        "unique: no column named 'ghost'",
        "keys: 'weight' is a float, and floats do not name things; use string or int",
        "unique: add the time column 'when'; copies are looked for within a bucket",
        "unique: with shards it must include every key, so that copies meet in one shard",
        "bucket: use whole seconds that divide a day, or whole days",
        "windows.Big: use a-z, 0-9 and '_', starting with a letter",
        "windows.Big.size: 2m does not divide the bucket (7m); set bucket to a multiple of it",
        "windows.w.size: 0s does not divide the bucket (7m); set bucket to a multiple of it",
        "windows.w.aggregates.weight: choose another name (a-z, 0-9, '_'; not a key, not one of Windrow's own)",
        "windows.w.aggregates.window_start: choose another name (a-z, 0-9, '_'; not a key, not one of Windrow's own)",
        "windows.w.aggregates.s: sum needs a number, 'name' is a string",
        "windows.w.aggregates.g: no column named 'ghost'",
        "windows.w.aggregates._x: choose another name (a-z, 0-9, '_'; not a key, not one of Windrow's own)",
    ]


def test_what_is_missing_is_named() -> None:
    assert sorted(faults_of("description: nothing else")) == [
        "columns: is missing",
        "stream: is missing",
        "time: is missing",
    ]


def test_a_misspelt_setting_is_a_fault() -> None:
    assert faults_of(MINIMAL + "lateness_s: 5") == ["lateness_s: there is no such setting"]


def test_shards_need_keys_to_split_by() -> None:
    assert faults_of(MINIMAL + "shards: 2") == ["shards: a stream without keys has nothing to be split by"]


def test_the_event_time_is_a_timestamp() -> None:
    text = MINIMAL.replace("column: ts", "column: sensor")

    assert faults_of(text) == ["time.column: 'sensor' is a string; give it type timestamp"]


@pytest.mark.parametrize("bucket", ["36h", "1d1s", "7s", "500ms", "1500ms", "0s", "5h"])
def test_a_bucket_that_does_not_fit_the_days_is_a_fault(bucket: str) -> None:
    assert faults_of(MINIMAL + f"bucket: {bucket}") == ["bucket: use whole seconds that divide a day, or whole days"]


@pytest.mark.parametrize("number", ["30", "30.0", "30.5"])
def test_a_duration_without_a_unit_is_a_fault_and_never_microseconds(number: str) -> None:
    [fault] = faults_of(MINIMAL + f"idle: {number}")

    assert fault.startswith("idle: ")


@pytest.mark.parametrize("role", ["keys", "unique"])
def test_a_column_named_twice_in_a_role_is_a_fault(role: str) -> None:
    [fault] = faults_of(MINIMAL + f"{role}: [ts, sensor, sensor]")

    assert fault.startswith(f"{role}: ")
    assert "'sensor'" in fault


def test_a_column_described_twice_is_a_fault() -> None:
    [fault] = faults_of("stream: s\ntime: {column: ts}\ncolumns:\n  ts: timestamp\n  v: int\n  v: string\n")

    assert "line 6" in fault


# ------------------------------------------------------------------------------------------------ what is not YAML


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("stream: a\ntime: {column: ts\n", "line 3, column 1: "),
        ("stream: a\n  b: c\n", "line 2, column 4: "),
        ("stream: 'a", "line 1, column 11: "),
        ("\tstream: a", "line 1, column 1: "),
    ],
)
def test_a_syntax_error_names_line_and_column(text: str, place: str) -> None:
    [fault] = faults_of(text)

    assert fault.startswith(place)


@pytest.mark.parametrize("text", ["", "- a", "sensors", "7", "null", "# only a comment"])
def test_what_is_no_mapping_is_told_what_to_be(text: str) -> None:
    assert faults_of(text) == ["expected a mapping with stream, time, columns and so on"]


@pytest.mark.parametrize(
    "text",
    [
        "a: \x00",
        "!!python/object/apply:os.system [id]",
        MINIMAL + "description: 2024-99-99",
        MINIMAL + "description: " + "[" * 3_000,
        "1: 2",
        "[a]: b",
    ],
    ids=["control character", "python object", "no such date", "nesting", "number as a name", "list as a name"],
)
def test_hostile_yaml_is_a_fault_and_not_a_crash(text: str) -> None:
    assert faults_of(text)


@given(st.text(max_size=60))
def test_no_text_does_more_harm_than_a_list_of_faults(text: str) -> None:
    try:
        parsed: StreamSpec | None = spec.parse(text, "x")
    except BadSettings as error:
        parsed = None
        assert error.faults  # noqa: PT017  almost every text has faults

    assert parsed is None or parsed.stream


@pytest.mark.parametrize("pattern", ["%H:%M", "%Y-%m", "%d/%m %H:%M", "%Y-%m-%d %H:%M %Z"])
def test_a_time_pattern_that_cannot_say_a_moment_is_refused(pattern: str) -> None:
    text = f"stream: s\ntime: {{column: ts, formats: ['{pattern}']}}\ncolumns: {{ts: timestamp}}\n"

    with pytest.raises(BadSettings, match=r"time\.formats"):
        spec.parse(text, "s.yaml")
