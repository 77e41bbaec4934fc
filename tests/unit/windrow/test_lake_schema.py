import polars as pl
import pytest

from tests.support.emulators import ROOT
from windrow import spec
from windrow.errors import SchemaConflict, Unavailable
from windrow.lake import schema
from windrow.spec import Column
from windrow.spec.windows import SequenceWindow, SessionWindow

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
        outputs = len(window.aggregates)
        if isinstance(window, SessionWindow):
            own |= {"first_time", "last_time"}
        if isinstance(window, SequenceWindow):
            own |= {"observed_steps"}
            outputs *= (1 + window.mask) * (2 if window.horizon else 1)

        assert len(schema.windows_schema(parsed, window)) == len(parsed.keys) + outputs + len(own) + len(place)


def test_arrays_stand_as_lists_in_a_table_and_everything_else_as_it_is() -> None:
    text = TEXT.replace("size: 1m", "kind: sequence\n    step: 1m\n    length: 3\n    horizon: 2\n    mask: true")
    parsed = spec.parse(text, "x")
    made, stored = schema.result_schema(parsed, parsed.windows["w"]), schema.windows_schema(parsed, parsed.windows["w"])

    assert (made["v_sum"], made["v_sum_target"]) == (pl.Array(pl.Float64(), 3), pl.Array(pl.Float64(), 2))
    assert (stored["v_sum"], stored["v_sum_target_mask"]) == (pl.List(pl.Float64()), pl.List(pl.Boolean()))
    assert list(stored)[: len(made)] == list(made)
    assert all(schema.stored_type(kind) == stored[name] for name, kind in made.items())


def test_an_entry_of_the_late_ledger_tells_the_record_and_how_late_it_was_and_no_column_twice() -> None:
    by_time = spec.parse(TEXT.replace("keys: [site]", "keys: [site, ts]"), "x")

    for parsed, keys in ((PARSED, ["site", "ts"]), (by_time, ["site", "ts"])):
        assert list(schema.late_schema(parsed)) == [
            *keys,
            *("_batch", "_ordinal", "_received_at", "watermark", "late_by_s", "windows"),
            *("_bucket", "_shard", "event_date"),
        ]


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
    with pytest.raises(SchemaConflict, match=r"segments/s/a: column 'a' is String, the spec says Int64"):
        schema.conform(pl.DataFrame({"a": ["1"]}), pl.Schema({"a": pl.Int64()}), "segments/s/a")


def test_rows_from_before_a_column_was_widened_are_cast() -> None:
    found = schema.conform(pl.DataFrame({"a": [1, None]}), pl.Schema({"a": pl.Float64()}), "x")

    assert (found.schema["a"], found.rows()) == (pl.Float64(), [(1.0,), (None,)])


def test_rows_wider_than_the_spec_at_hand_wait_until_it_is_the_one_they_were_written_by() -> None:
    with pytest.raises(Unavailable, match="a newer version of the spec is waited for"):
        schema.conform(pl.DataFrame({"a": [1.5]}), pl.Schema({"a": pl.Int64()}), "x")
