"""What people write, and what they are told about it."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.errors import BadSettings
from windrow.spec.document import check, placed
from windrow.spec.faults import Fault, PlacedFault
from windrow.spec.reading import MAX_NODES, MAX_TEXT_BYTES, read
from windrow.spec.wording import settings_of

GOOD = """\
stream: sensors
time: {column: ts}
columns:
  ts: timestamp
  sensor: string
  temperature: float
"""
MEAN = "windows: {w: {size: 1h, aggregates: {a: mean(temperature)}}}"


def told(text: str) -> list[str]:
    return [str(fault) for fault in check(text)]


def in_place(text: str) -> list[str]:
    """What is written where each fault is said to be, up to the end of the word."""
    lines = text.splitlines()
    return [lines[fault.line - 1][fault.column - 1 :].split(",")[0].split("}")[0].strip() for fault in check(text)]


# ------------------------------------------------------------------------------------------------ all at once


def test_every_fault_in_the_settings_is_told_at_once_with_its_place() -> None:
    text = """\
stream: ../etc
time: {column: ts, formats: [epoch, "%Y"]}
columns: {ts: timestamp, v: {type: flaot, colour: red}, w: {type: decimal, precision: many}}
bucket: 3600
lateness: soon
shards: 0
keep: newest
surprise: 1
windows:
  w: {size: 1 hour, aggregates: {a: median(v), b: sum}}
  x: {kind: slidin, size: 1m, aggregates: {}}
"""
    assert [(fault.line, fault.column, fault.path) for fault in check(text)] == [
        (1, 9, "stream"),
        (2, 20, "time.formats"),
        (3, 36, "columns.v.type"),
        (3, 43, "columns.v.colour"),
        (3, 87, "columns.w.precision"),
        (4, 9, "bucket"),
        (5, 11, "lateness"),
        (6, 9, "shards"),
        (7, 7, "keep"),
        (8, 1, "surprise"),
        (10, 13, "windows.w.size"),
        (10, 51, "windows.w.aggregates.b"),
        (11, 13, "windows.x.kind"),
    ]


def test_every_fault_between_settings_is_told_at_once_with_its_place() -> None:
    text = """\
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
    taken = "choose another name (a-z, 0-9, '_'; not a key, not one of Windrow's own)"

    assert told(text) == [
        "line 2, column 16: time.column: no column named 'when'",
        "line 3, column 8: keys.0: no column named 'nobody'",
        "line 3, column 16: keys.1: 'weight' is a float, and floats do not name things; use string or int",
        "line 4, column 1: unique: add the time column 'when'; copies are looked for within a bucket",
        "line 4, column 1: unique: with shards it must include every key, so that copies meet in one shard",
        "line 4, column 10: unique.0: no column named 'ghost'",
        "line 6, column 9: bucket: use whole seconds that divide a day, or whole days",
        "line 7, column 11: columns.Temp: use a-z, 0-9 and '_', starting with a letter (set source: 'Temp')",
        "line 7, column 24: columns.is_final: the name is Windrow's own; choose another and set source: 'is_final'",
        "line 9, column 3: windows.Big: use a-z, 0-9 and '_', starting with a letter",
        "line 10, column 13: windows.w.size: is no time at all; use 1us or more",
        f"line 10, column 30: windows.w.aggregates.weight: {taken}",
        f"line 10, column 45: windows.w.aggregates.window_start: {taken}",
        "line 10, column 69: windows.w.aggregates.s: sum needs a number, 'name' is a string",
        "line 10, column 83: windows.w.aggregates.g: no column named 'ghost'",
        f"line 10, column 95: windows.w.aggregates._x: {taken}",
    ]


def test_faults_in_settings_and_between_them_are_told_together() -> None:
    text = GOOD + "lateness: soon\nkeys: [sensr]\nshards: two\nfilter: temprature > 3\n"

    assert [fault.path for fault in check(text)] == ["lateness", "keys.0", "shards", "filter.0"]


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("temperature: float", "temperature: flaot") + MEAN,
        GOOD.replace("temperature: float", "temperature: {tpye: float}") + MEAN,
        GOOD.replace("temperature: float", "temperature: flaot\n  half: {type: float, derive: temperature / 2}"),
        GOOD.replace("temperature: float", "temperature: flaot") + "filter: temperature > 2\n",
        GOOD.replace("sensor: string", "sensor: strnig") + "keys: [sensor]\nshards: 2\n",
        GOOD.replace("ts: timestamp", "ts: timestmap"),
        GOOD.replace("column: ts", "colum: ts") + "unique: [sensor, ts]\n",
        GOOD + "keys: sensor\nshards: 2\n",
        GOOD + "bucket: 3600\nwindows: {w: {size: 7m, aggregates: {a: count}}}",
        GOOD + "bukcet: 7m30s\nwindows: {w: {size: 7m30s, aggregates: {a: count}}}",
        GOOD + "lateness: soon\nretention: 62m\n",
        GOOD + "windows: {w: {kind: slidin, size: 1h, slide: 7m, aggregates: {a: count}}}",
        GOOD + "keys: [sensor, 010]\nunique: [ts, sensor]\nshards: 2\n",
    ],
)  # fmt: skip
def test_one_fault_does_not_bring_forth_others(text: str) -> None:
    assert len(check(text)) == 1


def test_a_spec_is_told_of_its_faults_in_the_order_of_their_places() -> None:
    text = GOOD + "shards: 0\nkeep: newest\n" + "bucket: 7s\n"

    assert check(text) == sorted(check(text))
    assert [fault.line for fault in check(text)] == [7, 8, 9]


def test_the_sentences_of_a_refusal_are_those_of_the_check() -> None:
    with pytest.raises(BadSettings) as raised:
        spec.parse(GOOD + "shards: 0\nkeep: newest\n", "sensors.yaml")

    assert raised.value.subject == "sensors.yaml"
    assert list(raised.value.faults) == told(GOOD + "shards: 0\nkeep: newest\n")


def test_a_thousand_faults_are_a_hundred_and_a_number() -> None:
    columns = "".join(f"  c{number}: flaot\n" for number in range(1_000))

    with pytest.raises(BadSettings) as raised:
        spec.parse(GOOD + columns, "x")
    assert (len(raised.value.faults), raised.value.faults[-1]) == (101, "and 900 more")


# ------------------------------------------------------------------------------------------------ where


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("lateness_s: 5m", "lateness_s: 5m"),
        ("keep: newest", "newest"),
        ("keys: [sensr]", "sensr]"),
        ("halt: {min_records: 5}", "{min_records: 5"),
        ("windows: {w: {size: 1h, aggregates: {Mean: mean(temperature)}}}", "Mean: mean(temperature)"),
        ("windows: {w: {size: 1h, aggregates: {mean: mean(temprature)}}}", "mean(temprature)"),
        ("windows: {w: {size: 1h, slide: 1m, aggregates: {}}}", "slide: 1m"),
    ],
)
def test_a_fault_is_found_where_it_is_written(line: str, at: str) -> None:
    assert in_place(GOOD + line) == [at]


def test_what_is_missing_is_missing_where_it_should_stand() -> None:
    assert told("description: nothing else") == [
        "line 1, column 1: columns: is missing",
        "line 1, column 1: stream: is missing",
        "line 1, column 1: time: is missing",
    ]


def test_what_an_alias_repeats_is_at_fault_where_it_is_written() -> None:
    text = GOOD + "  a: &broken\n    type: float\n    range: [5, 1]\n  b: *broken\n"

    assert [(fault.line, fault.path) for fault in check(text)] == [(9, "columns.a.range"), (9, "columns.b.range")]


def test_faults_from_elsewhere_get_their_places_too() -> None:
    assert placed(GOOD, [Fault(("columns", "sensor"), "so"), Fault(("halt", "ratio"), "what")]) == [
        PlacedFault(1, 1, "halt.ratio", "what"),
        PlacedFault(5, 11, "columns.sensor", "so"),
    ]


# ------------------------------------------------------------------------------------------------ how it is said


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("lateness_s: 5m", "there is no setting 'lateness_s' here; did you mean lateness?"),
        ("keys: [temprature]", "no column named 'temprature'; did you mean 'temperature'?"),
        ("keep: Lastt", "'Lastt' is not a value of keep; did you mean last? (last, first)"),
        ("shards: 0", "0 is too small; use 1 or more"),
        ("shards: 1000", "1000 is too large; use at most 256"),
        ("shards: many", "'many' is not a whole number"),
        ("shards: 2.5", "2.5 is not a whole number"),
        ("keys: sensor", "'sensor' is not a list; write [sensor]"),
        ("explode: 5", "5 is not a text; put it in quotes: '5'"),
        ("explode: {a: 1}", "a mapping is not a text"),
        ("bucket:", "is empty; expected a length of time such as 30s, 5m or 1h"),
        ("windows: []", "a list is not a mapping of names to windows"),
        ("windows: {w: }", "is empty; expected a mapping with size and aggregates"),
        ("windows: {w: {kind: hopping, size: 1h, aggregates: {}}}",
         "'hopping' is not a kind; did you mean sliding? (tumbling, sliding, session, cumulative, sequence, count, "),
        ("windows: {w: {size: 1h, aggregates: {a: avg(temperature)}}}", "'avg' is not a function; did you mean mean?"),
        ("windows: {w: {size: 1h, aggregates: {a: }}}", "is empty; expected an aggregate such as count"),
        ("windows: {w: {size: 1d, timezone: Europe/Berln, aggregates: {}}}",
         "'Europe/Berln' is not a time zone; did you mean Europe/Berlin?"),
        ("windows: {w: {kind: sequence, length: 5, aggregates: {}}}", "windows.w.step: is missing"),
        ("sinks: [{table: x}]", "kind: is missing; use dynamodb or parquet"),
        ("sinks: [{kind: parquet, prefix: a/b}]",
         "'a/b' does not lie below exports/, where exports are; write exports/a/b/"),
        ("sinks: [{kind: parquet, prefix: exports/}]", "write exports/sensors/"),
        ("sinks: [{kind: dynamodb, table: a b}]", "'a b' is no table name; use 1 to 150 of a-z, A-Z, 0-9"),
        ("format: {csv: {delimiter: \\t}}", 'a tab is written "\\t", in double quotes'),
        ("on_error: [reject]", "a list is not quarantine or reject"),
    ],
)  # fmt: skip
def test_a_fault_says_what_was_found_what_was_expected_and_what_was_meant(line: str, sentence: str) -> None:
    [fault] = told(GOOD + line)

    assert sentence in fault


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("flaot", "columns.v.type: 'flaot' is not a type; did you mean float? (string, bool, int, float"),
        ("datetime", "'datetime' is not a type; did you mean timestamp?"),
        ("{type: float, requird: true}", "there is no setting 'requird' here; did you mean required?"),
        ("{tpye: float}", "there is no setting 'tpye' here; did you mean type?"),
        ("{type: float, required: maybe}", "'maybe' is not true or false"),
        ("{type: float, range: 5}", "5 is not [lowest, highest]"),
        ("{type: float, range: [5]}", "expected [lowest, highest]"),
        ("{type: float, range: [5, 1]}", "the lowest, 5, is more than the highest, 1"),
        ("{type: string, range: [1, 5]}", "belongs to columns of type decimal, float or int, and 'v' is a string"),
        ("{type: int, scale: 2}", "belongs to columns of type decimal, and 'v' is an int"),
        ("{type: float, default: {}}", "a mapping is not a single value"),
        ("{type: float, source: [1]}", "1 is not a text; put it in quotes: '1'"),
        ("", "is empty; expected a type, or a mapping with type"),
        ("{type: string, allowed: [true, se]}", "true is not a text, which 'v' holds; put it in quotes: 'true'"),
        ("{type: bool, default: yes}", "write true or false, as yes, no, on and off are texts"),
        ("{type: int, null_if: '-1'}", "which 'v' holds; write it without quotes"),
        ("{type: date, default: soon}", "'soon' is not a day such as 2026-01-31"),
        ("list(float)\n  w: {type: list(int), default: 3}", "'w' is a list, and takes no single values"),
    ],
)  # fmt: skip
def test_a_columns_fault_says_so_too(column: str, sentence: str) -> None:
    [fault] = told(GOOD + f"  v: {column}\n")

    assert sentence in fault


def test_no_sentence_is_pydantics() -> None:
    words = ("Input should", "valid", "pydantic", "ctx", "literal_error", "NoneType", "dict", "tuple")
    lines = [
        f"{name}: {value}" for name in settings_of(spec.StreamSpec) for value in ("{}", "[]", "5", "x", "~", "true")
    ]
    faults = [fault for line in lines for fault in told(GOOD + line)]

    assert len(faults) > 60
    assert [fault for fault in faults if any(word in fault for word in words)] == []


# ------------------------------------------------------------------------------------------------ YAML's traps


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2020-01-01", "2020-01-01"),
        ("true", True),
        ("'true'", "true"),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-200", -200),
        ("0x1F", 31),
        ("0o17", 15),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1_000", "1_000"),
        ("1.2.3", "1.2.3"),
        ('"5"', "5"),
        ("!!str x", "x"),
    ],
)
def test_a_plain_value_is_what_it_looks_like(written: str, value: object) -> None:
    reading = read(f"a: {written}")

    assert (reading.value, reading.faults) == ({"a": value}, [])
    assert type(reading.value["a"]) is type(value)


def test_norway_is_a_country() -> None:
    parsed = spec.parse(GOOD + "  land: {type: string, allowed: [no, se]}", "x")

    assert parsed.columns["land"].allowed == ("no", "se")


def test_a_day_is_a_day() -> None:
    parsed = spec.parse(GOOD + "  day: {type: date, null_if: 2020-01-01}", "x")

    assert parsed.columns["day"].null_if == ("2020-01-01",)


def test_a_column_may_be_called_missing() -> None:
    parsed = spec.parse(GOOD + "  missing: {type: int, default: 5, null_if: [7]}", "x")

    assert (parsed.columns["missing"].default, parsed.columns["missing"].null_if) == (5, (7,))


def test_markers_stand_as_the_sender_wrote_them() -> None:
    parsed = spec.parse(
        GOOD + "  v: {type: float, missing: [007, -9.90, null, no, true, '']}\n  w: {type: int, missing: -200}", "x"
    )

    assert parsed.columns["v"].missing == ("007", "-9.90", "null", "no", "true", "")
    assert parsed.columns["w"].missing == ("-200",)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("010", "010 begins with 0; write '010' in quotes, or 10"),
        (".inf", "is not a number to compute with"),
        (".nan", "is not a number to compute with"),
        ("1e999", "is more than a number holds"),
        ("9" * 100, "a number of 100 digits is too long"),
        ("!!binary aGk=", "!!binary is not understood in a spec"),
        ("!!python/name:os.system", "is not understood in a spec"),
        ("!mine 5", "!mine is not understood in a spec"),
    ],
)
def test_a_value_that_yaml_and_people_read_differently_is_a_fault(written: str, sentence: str) -> None:
    [fault] = read(f"x: 1\na: {written}").faults

    assert (fault.line, fault.column, fault.path) == (2, 4, "a")
    assert sentence in fault.message


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("stream: a\ntime: {column: ts\n", (3, 1), "is not YAML"),
        ("stream: a\n  b: c\n", (2, 4), "indent settings alike"),
        ("description: what: ever\n", (1, 18), "put a text that holds ': ' in quotes"),
        ("stream: 'a", (1, 11), "is not YAML"),
        ("\tstream: a", (1, 1), "a tab stands here; YAML is indented with blanks"),
        ("columns:\n  unit: %\n", (2, 9), "'%' cannot begin a plain text; put the text in quotes"),
        ("a: @home", (1, 4), "'@' cannot begin a plain text"),
        ("a: *nobody", (1, 4), "undefined alias"),
        ("a: 1\n---\nb: 2", (2, 1), "a second document begins here"),
        ("a: \x00", (1, 4), "control character"),
        ("a: 1\nb: \x07", (2, 4), "control character"),
    ],
)
def test_what_is_not_yaml_names_its_place_and_the_remedy(text: str, place: tuple[int, int], sentence: str) -> None:
    [fault] = check(text)

    assert ((fault.line, fault.column), fault.path) == (place, "")
    assert sentence in fault.message


@pytest.mark.parametrize("text", ["", "- a", "sensors", "7", "null", "# only a comment"])
def test_what_is_no_mapping_is_told_what_to_be(text: str) -> None:
    assert told(text) == ["line 1, column 1: expected a mapping with stream, time, columns and so on"]


def test_a_name_that_stands_twice_is_a_fault_and_tells_of_the_first() -> None:
    text = "stream: s\ntime: {column: ts}\ncolumns:\n  ts: timestamp\n  v: int\n  v: string\n"

    assert told(text) == ["line 6, column 3: columns.v: 'v' stands here a second time; the first is in line 5"]


def test_names_are_texts() -> None:
    text = GOOD + "  1: float\n  true: float\n  on: float\n  2020-01-01: float\n"

    assert [fault.path for fault in check(text)] == ["columns.1", "columns.2020-01-01"]
    assert told(GOOD + "  [a]: float") == ["line 7, column 3: columns: a list or mapping cannot be a name"]


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("windows: {w: {size: 1h, aggregates: {p: quantile(v, 0.9), n: count}}}", "'quantile(v, 0.9)'"),
        ("filter: [round(temperature, 1) > 2, temperature < 9]", "'round(temperature, 1) > 2'"),
    ],
)  # fmt: skip
def test_a_text_that_a_comma_cuts_in_two_is_one_fault_with_the_remedy(line: str, remedy: str) -> None:
    [fault] = check(GOOD + line)

    assert fault.message == f"a ',' ends a text within {{…}} and […]; put it in quotes: {remedy}"


# ------------------------------------------------------------------------------------------------ anchors


def test_anchors_aliases_and_merges_work() -> None:
    text = (
        GOOD
        + "  a: &number {type: float, required: true}\n  b: *number\n  c: {<<: *number, required: false, unit: m}\n"
    )
    parsed = spec.parse(text, "x")

    assert parsed.columns["a"] == parsed.columns["b"]
    assert (parsed.columns["c"].type, parsed.columns["c"].required, parsed.columns["c"].unit) == ("float", False, "m")


def test_of_several_merged_mappings_the_first_counts() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {z: 3, <<: [*a, *b]}\n"

    assert read(text).value["c"] == {"x": 1, "y": 1, "z": 3}
    assert read("a: {<<: 5}").faults == [
        PlacedFault(1, 9, "a", "<< takes in a mapping, such as an alias of one (<<: *name)")
    ]


_TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cn", "Cs", "Co", "Zl", "Zp"]), max_size=8)
_NUMBERS = st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.recursive(
        st.none() | st.booleans() | _NUMBERS | _TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
        max_leaves=12,
    )
)
@settings(max_examples=150)
def test_json_is_yaml_too(value: object) -> None:
    reading = read(json.dumps({"top": value}, ensure_ascii=False))

    assert not reading.faults
    assert reading.value == {"top": value}


# ------------------------------------------------------------------------------------------------ hostile


def bomb(levels: int, width: int) -> str:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]" for level in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (bomb(20, 10), "aliases repeat more than"),
        ("a: &a [*a]", "inside the very thing that it repeats"),
        ("a: &a {<<: *a}", "inside the very thing that it repeats"),
        ("a: " + "[" * 3_000, "is nested more than 32 levels deep"),
        ("a: " + "{b: " * 3_000, "is nested more than 32 levels deep"),
        ("- " * 30_000, "is nested more than 32 levels deep"),
        ("a: [" + "1," * MAX_NODES + "]", "a spec holds at most"),
        (
            "columns: {"
            + ", ".join(f"c{n}: int" for n in range(3_000))
            + "}\nkeys: "
            + str([f"d{n}" for n in range(3_000)]),
            "no column named 'd2999'",
        ),
        ("# " + "x" * MAX_TEXT_BYTES, "a spec has at most 262,144"),
        ("# " + "ü" * (MAX_TEXT_BYTES // 2), "a spec has at most 262,144"),
    ],
    ids=[
        "laughs",
        "itself",
        "merges itself",
        "lists",
        "mappings",
        "dashes",
        "many",
        "wrong names",
        "long",
        "long in bytes",
    ],
)
def test_a_hostile_text_is_refused_soon(text: str, sentence: str) -> None:
    started_s = time.monotonic()
    faults = check(text)

    assert any(sentence in fault.message for fault in faults)
    assert time.monotonic() - started_s < 20


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"stream: s\ndescription: caf\xe9\n", "line 2, column 17: is not UTF-8: byte 0xe9; save it as UTF-8"),
        ("stream: s".encode("utf-16"), "line 1, column 1: is not UTF-8 but UTF-16; save it as UTF-8"),
    ],
)
def test_what_is_not_utf_8_is_a_fault_at_its_place(raw: bytes, sentence: str) -> None:
    assert [str(fault) for fault in check(raw)] == [sentence]


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"", b"\r\n"])
def test_bytes_are_read_as_their_text(start: bytes) -> None:
    assert check(start + GOOD.replace("\n", "\r\n").encode()) == []
    assert check("\ufeff" + GOOD) == []


@given(st.text(max_size=60))
def test_no_text_does_more_harm_than_a_list_of_faults(text: str) -> None:
    faults = check(text)

    assert faults
    assert all(fault.line >= 1 and fault.column >= 1 and fault.message for fault in faults)


_WORDS = st.sampled_from(
    ["stream", "time", "columns", "ts", "timestamp", "float", "windows", "size", "1h", "aggregates", "mean(v)", "kind",
     "sliding", "sinks", "010", "~", "%", "*a", "&a x", "<<", "{", "}", "[", "]", ": ", ", ", "\n",
     "\n  ", "- ", "'", '"', "\t"]
)  # fmt: skip


@given(st.lists(_WORDS, max_size=25).map("".join))
@settings(max_examples=200)
def test_nor_does_a_heap_of_words(text: str) -> None:
    assert check(GOOD.replace("stream: sensors", "stream: UPPER") + text)


@given(st.data())
@settings(max_examples=150)
def test_a_spec_with_one_piece_torn_out_or_put_twice_is_told_so_or_good(data: st.DataObject) -> None:
    text = (
        GOOD + "keys: [sensor]\nbucket: 1h\nwindows:\n  w:\n    size: 1m\n    aggregates:\n      a: mean(temperature)\n"
    )
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    changed = text[:start] + data.draw(st.sampled_from(["", text[start:end] * 2, "x", ": ", "5", "~"])) + text[end:]

    faults = check(changed)
    if not faults:
        assert spec.parse(changed, "x")
