"""What must hold between settings, asked of the model itself."""

import pytest

from windrow.spec.columns import ColumnType
from windrow.spec.document import check

TEXT = """\
stream: s
time: {column: ts}
keys: [k]
columns: {ts: timestamp, k: string, v: float}
"""


def faults(text: str) -> list[str]:
    return [f"{fault.path}: {fault.message}" for fault in check(text)]


# ------------------------------------------------------------------------------------------------ columns and values


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("string", ["a", "'5'", "no"], ["5", "true", "1.5"]),
        ("categorical", ["a"], ["5"]),
        ("bool", ["true"], ["1", "'true'", "no"]),
        ("int", ["5", "-9223372036854775808"], ["5.0", "true", "'5'", "9223372036854775808"]),
        ("float", ["5", "5.5"], ["true", "'5'", "x"]),
        ("decimal", ["5", "5.5", "'0.10'"], ["true", "x", "'nan'"]),
        ("timestamp", ["2026-01-31T12:00:00Z", "2026-01-31"], ["5", "noon", "2026-02-31"]),
        ("date", ["2026-01-31"], ["5", "2026-02-31", "2026-01-31T12:00:00Z"]),
        ("json", ["'{}'"], ["5"]),
    ],
)
def test_the_values_of_a_column_are_of_its_type(kind: ColumnType, good: list[str], bad: list[str]) -> None:
    for setting in ("default", "fill", "null_if", "allowed"):
        for value in good:
            assert faults(TEXT.replace("v: float", f"v: {{type: {kind}, {setting}: {value}}}")) == []
        for value in bad:
            [fault] = faults(TEXT.replace("v: float", f"v: {{type: {kind}, {setting}: {value}}}"))
            assert "which 'v' holds" in fault


@pytest.mark.parametrize(
    ("column", "setting"),
    [
        ("{type: string, range: [0, 1]}", "range"),
        ("{type: bool, clamp: [0, 1]}", "clamp"),
        ("{type: float, precision: 5}", "precision"),
        ("{type: string, items: int}", "items"),
        ("{type: int, formats: epoch_s}", "formats"),
    ],
)
def test_a_setting_that_means_nothing_to_a_type_is_a_fault(column: str, setting: str) -> None:
    [fault] = faults(TEXT.replace("v: float", f"v: {column}"))

    assert fault.startswith(f"columns.v.{setting}: belongs to columns of type ")


@pytest.mark.parametrize(
    "column",
    [
        "{type: int, range: [1, 1]}",
        "{type: decimal, clamp: [~, 5]}",
        "{type: date, formats: '%d.%m.%Y'}",
        "'list(int)'",
    ],
)
def test_what_fits_is_good(column: str) -> None:
    assert faults(TEXT.replace("v: float", f"v: {column}")) == []


# ------------------------------------------------------------------------------------------------ the event time


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("ts: timestamp", "ts: {type: timestamp, drop: true}", "columns.ts.drop: the event time is always written"),
        (
            "ts: timestamp",
            "ts: {type: timestamp, formats: epoch_s}",
            "columns.ts.formats: how the event time is written",
        ),
        ("{column: ts}", "{column: t}", "time.column: no column named 't'; did you mean 'ts'?"),
        (
            "{column: ts}",
            "{column: ts, of: receipt, zone: Asia/Tokyo}",
            "time.zone: belongs to times that records bring",
        ),
    ],
)
def test_the_event_time_has_its_own_rules(old: str, new: str, fault: str) -> None:
    [found] = faults(TEXT.replace(old, new))

    assert found.startswith(fault)


def test_a_time_of_parts_has_no_source() -> None:
    text = TEXT.replace("{column: ts}", "{column: ts, parts: [a, b]}").replace(
        "timestamp", "{type: timestamp, source: a}"
    )

    assert faults(text) == ["columns.ts.source: the time is put together from time.parts; leave the source out"]


# ------------------------------------------------------------------------------------------------ roles


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("unique: [k, ts, l]", "unique.2: 'l' is a list, and lists do not name things"),
        ("unique: [k, ts, g]", "unique.2: 'g' is dropped, so no table could hold it"),
        ("unique: [k]", "unique: add the time column 'ts'; copies are looked for within a bucket"),
        (
            "sinks: [{kind: parquet, prefix: exports/a}, {kind: parquet, prefix: exports/a/}]",
            "sinks.1: the same sink stands here a second",
        ),
        (
            "sinks: [{kind: parquet, prefix: exports/a}, {kind: parquet, prefix: exports/a/b}]",
            "sinks.1.prefix: one of exports/a/b/ and exports/a/ lies within the other, so readers would see rows",
        ),
        ("retention: 1h", "retention: 1h is over before a bucket is sealed; use at least bucket and lateness together"),
    ],
)
def test_roles_name_columns_that_can_play_them(line: str, fault: str) -> None:
    columns = "columns: {ts: timestamp, k: string, v: float, l: list(int), g: {type: int, drop: true}}\n"
    [found] = faults(TEXT[: TEXT.index("columns")] + columns + line)

    assert found.startswith(fault)


@pytest.mark.parametrize("name", ["bucket", "shard"])
def test_a_parquet_sink_has_folders_that_no_column_is_called_like(name: str) -> None:
    text = TEXT.replace("v: float", f"v: float, {name}: int") + "sinks: [{kind: parquet, prefix: exports/a}]\n"
    message = "a parquet sink has folders of that name; choose another and set source"

    assert faults(text) == [f"columns.{name}: {message}: {name!r}"]
    assert faults(text.replace(f"{name}: int", f"{name}: {{type: int, drop: true}}")) == []


def test_prefixes_that_only_begin_alike_are_apart() -> None:
    assert faults(TEXT + "sinks: [{kind: parquet, prefix: exports/a}, {kind: parquet, prefix: exports/ab}]") == []


def test_the_faults_of_expressions_are_among_them() -> None:
    found = faults(TEXT.replace("v: float", "v: float, w: {type: float, derive: v * }") + "filter: vv > 2\n")

    assert [fault.split(": ")[0] for fault in found] == ["columns.w.derive", "filter.0"]


@pytest.mark.parametrize("window", ["size: 1h", "kind: sequence, step: 1m, length: 5"])
def test_a_key_is_not_called_like_a_column_of_windows(window: str) -> None:
    text = TEXT.replace("k: string", "first_time: string").replace("[k]", "[first_time]")

    assert faults(text) == []
    [fault] = faults(text + f"windows: {{a: {{{window}, aggregates: {{}}}}, b: {{size: 1m, aggregates: {{}}}}}}")
    own = "rows of windows have a column 'first_time' of their own"
    assert fault == f"keys.0: {own}; choose another name and set source: 'first_time'"


def test_only_the_keys_of_sequences_are_not_called_like_their_columns() -> None:
    text = TEXT.replace("k: string", "part: string").replace("[k]", "[part]")
    sequence = "kind: sequence, step: 1m, length: 5, aggregates: {}"

    assert faults(text + f"windows: {{w: {{{sequence}}}}}") == []
    [fault] = faults(text + f"windows: {{w: {{{sequence}, test_from: 2026-01-01}}}}")
    assert fault.startswith("keys.0: rows of windows have a column 'part' of their own")
