"""Results on their way to people and programs."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from windrow_cli.export import defuse, print_table, write_csv, write_json, write_parquet

_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _reader(columns: dict[str, object]) -> pa.RecordBatchReader:
    return pa.table(columns).to_reader(max_chunksize=2)


def _csv(columns: dict[str, object]) -> list[list[str]]:
    out = io.StringIO()
    write_csv(_reader(columns), out)
    return list(csv.reader(io.StringIO(out.getvalue())))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_a_spreadsheet_would_run_is_marked_as_text(start: str) -> None:
    assert _csv({"text": [f"{start}cmd|' /C calc'!A0", "harmless", None]}) == [
        ["text"],
        [f"'{start}cmd|' /C calc'!A0"],
        ["harmless"],
        [""],
    ]


@given(cell=st.text())
def test_a_defused_cell_never_begins_like_a_formula_and_loses_nothing(cell: str) -> None:
    safe = defuse(cell)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert safe.endswith(cell)


def test_numbers_and_times_in_csv_are_not_touched() -> None:
    columns = {
        "int": [-1],
        "float": [-1.5],
        "decimal": [Decimal(-170141183460469231731687303715884105728)],
        "at": [_NOON],
        "day": [date(2026, 1, 1)],
        "flag": [True],
        "list": [["=a"]],
    }
    assert _csv(columns)[1] == [
        "-1",
        "-1.5",
        "-170141183460469231731687303715884105728",
        "2026-01-01T12:00:00Z",
        "2026-01-01",
        "true",
        '["=a"]',
    ]


def test_a_column_name_is_a_text_too() -> None:
    assert _csv({"=1+1": [1]})[0] == ["'=1+1"]


def test_json_is_valid_whatever_the_values_are() -> None:
    columns = {
        "sum": pa.array([Decimal(2**70), None], pa.decimal128(38, 0)),
        "mean": [float("nan"), 0.5],
        "max": [float("inf"), -1.0],
        "at": [_NOON, None],
        "raw": [b"\xff", b""],
        "nested": [{"a": [1, None]}, {"a": []}],
        "text": ["é\n", ""],
    }
    out = io.StringIO()
    write_json(_reader(columns), out)
    first, second = json.loads(out.getvalue(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))

    assert first == {
        "sum": 2**70,
        "mean": None,
        "max": None,
        "at": "2026-01-01T12:00:00Z",
        "raw": "/w==",
        "nested": {"a": [1, None]},
        "text": "é\n",
    }
    assert second["mean"] == 0.5
    assert second["sum"] is None


def test_no_rows_are_still_a_json_array() -> None:
    out = io.StringIO()
    write_json(_reader({"a": pa.array([], pa.int64())}), out)
    assert json.loads(out.getvalue()) == []


def test_parquet_keeps_values_and_types(tmp_path: Path) -> None:
    columns = {"a": [1, None, 3], "at": pa.array([_NOON] * 3, pa.timestamp("us", "UTC"))}
    with (tmp_path / "out.parquet").open("wb") as out:
        write_parquet(_reader(columns), out)

    assert pq.read_table(tmp_path / "out.parquet").equals(pa.table(columns))


def _shown(columns: dict[str, object], limit: int, width: int = 200) -> str:
    console = Console(width=width, file=io.StringIO())
    print_table(_reader(columns), console, limit)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def test_a_table_shows_the_first_rows_and_says_that_there_are_more() -> None:
    text = _shown({"number": list(range(100, 110))}, limit=3)
    assert "102" in text
    assert "103" not in text
    assert "the first 3 rows" in text
    assert "--limit" in text


def test_a_table_that_is_whole_says_how_many_rows_it_has() -> None:
    assert _shown({"number": [1, 2]}, limit=2).rstrip().endswith("2 rows")


def test_text_in_a_table_is_not_taken_for_markup() -> None:
    assert "[bold]x[/]" in _shown({"text": ["[bold]x[/]"]}, limit=5)


def test_columns_that_do_not_fit_are_named_and_the_others_stay_whole() -> None:
    columns = {"_batch": ["b" * 32], "sensor": ["sensor-39"], "at": [_NOON], "note": ["n" * 40]}
    text = _shown(columns, limit=5, width=80)

    assert "sensor-39" in text
    assert "2026-01-01 12:00:00" in text
    assert "n" * 40 in text
    assert "no room for: _batch" in text
    assert max(map(len, text.splitlines())) <= 80
