from pathlib import Path

import pytest

from tests.support.emulators import ROOT
from windrow import spec
from windrow.errors import BadSettings
from windrow.spec import Aggregate, Column

SECOND_US = 1_000_000
MINIMAL = """
stream: sensors
time: {column: ts}
columns: {ts: timestamp, sensor: string, temperature: float}
"""
EXAMPLES = sorted(
    path for path in (ROOT / "examples").rglob("*.yaml") if not path.name.endswith((".cases.yaml", ".case.yaml"))
)


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
    assert parsed.description


def test_there_are_examples() -> None:
    assert {"cloudwatch", "machine", "sensors"} <= {path.stem for path in EXAMPLES}


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


def test_shards_need_keys_to_split_by() -> None:
    assert faults_of(MINIMAL + "shards: 2") == [
        "line 5, column 9: shards: a stream without keys has nothing to be split by"
    ]


def test_the_event_time_is_a_timestamp() -> None:
    text = MINIMAL.replace("column: ts", "column: sensor")

    assert faults_of(text) == ["line 3, column 16: time.column: 'sensor' is a string; give it type timestamp"]


@pytest.mark.parametrize("bucket", ["36h", "1d1s", "7s", "500ms", "1500ms", "0s", "5h"])
def test_a_bucket_that_does_not_fit_the_days_is_a_fault(bucket: str) -> None:
    [fault] = faults_of(MINIMAL + f"bucket: {bucket}")

    assert fault == "line 5, column 9: bucket: use whole seconds that divide a day, or whole days"


@pytest.mark.parametrize("number", ["30", "30.0", "30.5"])
def test_a_duration_without_a_unit_is_a_fault_and_never_microseconds(number: str) -> None:
    [fault] = faults_of(MINIMAL + f"idle: {number}")

    assert "idle: " in fault
    assert "has no unit" in fault


@pytest.mark.parametrize("role", ["keys", "unique"])
def test_a_column_named_twice_in_a_role_is_a_fault(role: str) -> None:
    [fault] = faults_of(MINIMAL + f"{role}: [ts, sensor, sensor]")

    assert f"{role}.2: " in fault
    assert "'sensor'" in fault


@pytest.mark.parametrize("pattern", ["%H:%M", "%Y-%m", "%d/%m %H:%M", "%Y-%m-%d %H:%M %Z"])
def test_a_time_pattern_that_cannot_say_a_moment_is_refused(pattern: str) -> None:
    text = f"stream: s\ntime: {{column: ts, formats: ['{pattern}']}}\ncolumns: {{ts: timestamp}}\n"

    with pytest.raises(BadSettings, match=r"time\.formats"):
        spec.parse(text, "s.yaml")


@pytest.mark.parametrize(
    "line",
    ["retention: 1m", "sinks: [{kind: dynamodb, table: latest}]", "sinks: [{kind: parquet, prefix: ../x}]"],
    ids=["shorter than a bucket", "a key-value sink without keys", "a prefix that leads elsewhere"],
)
def test_what_is_kept_elsewhere_or_for_how_long_must_be_possible(line: str) -> None:
    [fault] = faults_of(MINIMAL + line)

    assert fault.startswith("line 5, ")


def test_retention_and_sinks_are_read() -> None:
    text = (
        MINIMAL
        + "keys: [sensor]\nretention: 400d\nsinks: [{kind: dynamodb, table: t}, {kind: parquet, prefix: exports/b}]"
    )
    parsed = spec.parse(text, "x")

    assert parsed.retention == 400 * 86_400 * SECOND_US
    assert [sink.kind for sink in parsed.sinks] == ["dynamodb", "parquet"]
    assert getattr(parsed.sinks[1], "prefix", None) == "exports/b/"
