import polars as pl
import pytest

from tests.support.emulators import ROOT
from windrow import spec
from windrow.errors import SchemaConflict
from windrow.lake import schema
from windrow.spec import Column

TEXT = """
stream: s
time: {column: ts}
keys: [site]
columns: {ts: timestamp, site: string, ok: bool, n: int, v: float}
windows:
  w:
    size: 1m
    aggregates: {rows: count, n_count: count(v), n_sum: sum(n), v_sum: sum(v), n_mean: mean(n), n_min: min(n),
      ts_max: max(ts), site_first: first(site), ok_last: last(ok)}
"""
PARSED = spec.parse(TEXT, "x")
UTC_US = pl.Datetime("us", "UTC")


def test_a_segment_is_the_records_columns_and_where_each_came_from() -> None:
    assert dict(schema.segment_schema(PARSED)) == {
        "ts": UTC_US,
        "site": pl.String(),
        "ok": pl.Boolean(),
        "n": pl.Int64(),
        "v": pl.Float64(),
        "_batch": pl.String(),
        "_ordinal": pl.Int64(),
        "_received_at": UTC_US,
    }


def test_the_records_table_is_a_segment_with_its_place_and_day() -> None:
    added = {"_bucket": pl.Int64(), "_shard": pl.Int32(), "event_date": pl.Date()}

    assert dict(schema.records_schema(PARSED)) == {**schema.segment_schema(PARSED), **added}


def test_an_aggregate_keeps_its_columns_type_unless_it_counts_or_divides() -> None:
    assert dict(schema.result_schema(PARSED, PARSED.windows["w"])) == {
        "site": pl.String(),
        "window_start": UTC_US,
        "window_end": UTC_US,
        "rows": pl.Int64(),
        "n_count": pl.Int64(),
        "n_sum": pl.Int64(),
        "v_sum": pl.Float64(),
        "n_mean": pl.Float64(),
        "n_min": pl.Int64(),
        "ts_max": UTC_US,
        "site_first": pl.String(),
        "ok_last": pl.Boolean(),
        "row_count": pl.Int64(),
    }


@pytest.mark.parametrize("name", ["cloudwatch", "machine", "sensors"])
def test_no_column_of_a_windows_table_hides_another(name: str) -> None:
    parsed = spec.parse(next((ROOT / "examples").rglob(f"{name}.yaml")).read_text(), name)
    for window in parsed.windows.values():
        own = {"window_start", "window_end", "row_count", "is_final", "revision", "input_count", "computed_at"}
        place = {"_bucket", "_shard", "event_date"}
        expected = len(parsed.keys) + len(window.aggregates) + len(own) + len(place)

        assert len(schema.windows_schema(parsed, window)) == expected


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("decimal(12,3)", pl.Decimal(12, 3)),
        ("date", pl.Date()),
        ("categorical", pl.String()),
        ("json", pl.String()),
        ("list(string)", pl.List(pl.String())),
        ("list(float)", pl.List(pl.Float64())),
    ],
)
def test_every_type_of_the_spec_has_a_type_in_the_tables(column: str, kind: pl.DataType) -> None:
    assert schema.column_type(Column.model_validate(column)) == kind


def test_a_sum_of_decimals_has_room_for_more_digits_and_their_mean_is_a_float() -> None:
    text = TEXT.replace("n: int", "n: 'decimal(4,2)'")
    types = schema.result_schema(spec.parse(text, "x"), spec.parse(text, "x").windows["w"])

    assert (types["n_sum"], types["n_mean"], types["n_min"]) == (pl.Decimal(38, 2), pl.Float64(), pl.Decimal(4, 2))


# ------------------------------------------------------------------------------------------------ conform


def test_rows_from_before_a_column_was_added_have_none_of_it() -> None:
    rows = pl.DataFrame({"a": [1]})
    found = schema.conform(rows, pl.Schema({"a": pl.Int64(), "b": pl.String()}), "x")

    assert found.rows() == [(1, None)]
    assert found.schema == pl.Schema({"a": pl.Int64(), "b": pl.String()})


def test_a_column_the_spec_dropped_goes_and_the_order_is_the_specs() -> None:
    rows = pl.DataFrame({"gone": [0], "b": ["x"], "a": [1]})

    assert schema.conform(rows, pl.Schema({"a": pl.Int64(), "b": pl.String()}), "x").columns == ["a", "b"]


def test_no_rows_conform_to_no_rows() -> None:
    rows = pl.DataFrame({"a": []}, schema={"a": pl.Int64()})

    assert schema.conform(rows, pl.Schema({"a": pl.Int64(), "b": pl.String()}), "x").height == 0


def test_a_column_that_changed_its_type_is_a_conflict_that_names_the_rows() -> None:
    with pytest.raises(SchemaConflict, match=r"segments/s/a: column 'a' is Float64, the spec says Int64"):
        schema.conform(pl.DataFrame({"a": [1.5]}), pl.Schema({"a": pl.Int64()}), "segments/s/a")
