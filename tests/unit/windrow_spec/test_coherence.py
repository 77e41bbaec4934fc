"""What must hold between settings, asked of the model itself."""

import pytest

from windrow import spec
from windrow.spec.carried_out import AGGREGATES, not_carried_out
from windrow.spec.columns import ColumnType
from windrow.spec.document import check
from windrow.spec.windows import FUNCTIONS, WITH_SHARE

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
            "sinks: [{kind: parquet, prefix: a}, {kind: parquet, prefix: a}]",
            "sinks.1: the same sink stands here a second",
        ),
        ("retention: 1h", "retention: 1h is over before a bucket is sealed; use at least bucket and lateness together"),
    ],
)
def test_roles_name_columns_that_can_play_them(line: str, fault: str) -> None:
    columns = "columns: {ts: timestamp, k: string, v: float, l: list(int), g: {type: int, drop: true}}\n"
    [found] = faults(TEXT[: TEXT.index("columns")] + columns + line)

    assert found.startswith(fault)


def test_the_faults_of_expressions_are_among_them() -> None:
    found = faults(TEXT.replace("v: float", "v: float, w: {type: float, derive: v * }") + "filter: vv > 2\n")

    assert [fault.split(": ")[0] for fault in found] == ["columns.w.derive", "filter.0"]


# ------------------------------------------------------------------------------------------------ not carried out


def not_yet(text: str) -> list[str]:
    return [str(fault) for fault in not_carried_out(spec.parse(text, "x"))]


def test_what_the_services_do_is_not_mentioned() -> None:
    aggregates = ", ".join(f"{name}: {name}(v)" for name in sorted(AGGREGATES))

    assert not_yet(TEXT + f"windows: {{w: {{size: 1h, aggregates: {{{aggregates}, high: high(v)}}}}}}") == []
    assert not_yet(TEXT + "bucket: 1d\nwindows: {w: {size: 1d, aggregates: {}}}") == []


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("retention: 400d", "retention"),
        ("sinks: [{kind: dynamodb, table: latest}]", "sinks.0"),
        ("windows: {w: {size: 1mo, aggregates: {}}}", "windows.w.size"),
        ("windows: {w: {size: 1d, timezone: Asia/Tokyo, aggregates: {}}}", "windows.w.size"),
        ("windows: {w: {size: 1h, offset: 5m, aggregates: {}}}", "windows.w.offset"),
        ("windows: {w: {size: 1h, fill: zero, aggregates: {}}}", "windows.w.fill"),
        ("windows: {w: {size: 1h, late: divert, aggregates: {}}}", "windows.w.late"),
        ("windows: {w: {kind: sliding, size: 1h, slide: 5m, aggregates: {}}}", "windows.w.kind"),
        ("windows: {w: {kind: session, gap: 5m, aggregates: {}}}", "windows.w.kind"),
        ("windows: {w: {kind: cumulative, size: 1h, step: 5m, aggregates: {}}}", "windows.w.kind"),
        ("windows: {w: {kind: sequence, step: 5m, length: 3, aggregates: {}}}", "windows.w.kind"),
    ],
)
def test_what_the_services_do_not_do_yet_is_said_plainly(line: str, path: str) -> None:
    [fault] = not_yet(TEXT + line)

    assert fault.startswith(f"{path}: ")
    assert "this version does not do that yet" in fault


@pytest.mark.parametrize("function", sorted(set(FUNCTIONS) - AGGREGATES))
def test_nor_is_an_aggregate_they_do_not_compute(function: str) -> None:
    share = ", share: 0.5" if function in WITH_SHARE else ""
    [fault] = not_yet(
        TEXT + f"windows: {{w: {{size: 1h, aggregates: {{a: {{function: {function}, column: v{share}}}}}}}}}"
    )

    assert fault.startswith(f"windows.w.aggregates.a: {function}: ")
