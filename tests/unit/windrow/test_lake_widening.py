"""Which types may grow into which, and what becomes of the values."""

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.errors import SchemaConflict
from windrow.lake.schema import TIMESTAMP
from windrow.lake.widening import to_widen, together, widened, widens

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    return st.integers(-(10**precision) + 1, 10**precision - 1).map(lambda units: Decimal(units).scaleb(-scale))


NARROW_AND_WIDE: list[tuple[pl.DataType, pl.DataType, st.SearchStrategy[object]]] = [
    (pl.Int64(), pl.Decimal(19, 0), INT64),
    (pl.Int64(), pl.Decimal(38, 19), INT64),
    (pl.Int64(), pl.Float64(), st.integers(-(1 << 53), 1 << 53)),
    (pl.Decimal(9, 2), pl.Decimal(12, 4), decimals(9, 2)),
    (pl.Decimal(9, 2), pl.Decimal(10, 2), decimals(9, 2)),
    (pl.Date(), TIMESTAMP, DAYS),
    (pl.List(pl.Int64()), pl.List(pl.Float64()), st.lists(st.integers(-(1 << 53), 1 << 53), max_size=4)),
]


@pytest.mark.parametrize(("narrow", "wide", "values"), NARROW_AND_WIDE, ids=str)
def test_no_value_is_lost_or_changed_by_a_widening(
    narrow: pl.DataType, wide: pl.DataType, values: st.SearchStrategy[object]
) -> None:
    @given(st.lists(st.none() | values, max_size=8))
    @settings(max_examples=60)
    def check(column: list[object]) -> None:
        before = pl.DataFrame({"v": pl.Series(column, dtype=narrow)})
        after = widened(before, {"v": wide}, "x")
        told = [
            datetime(each.year, each.month, each.day, tzinfo=UTC) if isinstance(each, date) else each for each in column
        ]

        assert after.schema["v"] == wide
        assert after["v"].to_list() == told

    check()


def test_whole_numbers_beyond_2_to_the_53_become_the_nearest_float() -> None:
    rows = pl.DataFrame({"v": [(1 << 53) + 1, (1 << 62) + 1]})

    assert widened(rows, {"v": pl.Float64()}, "x")["v"].to_list() == [float(1 << 53), float(1 << 62)]


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (pl.Int64(), pl.Int64()),
        (pl.Float64(), pl.Int64()),
        (pl.Int64(), pl.Decimal(20, 2)),
        (pl.Decimal(9, 2), pl.Decimal(9, 2)),
        (pl.Decimal(9, 2), pl.Decimal(9, 3)),
        (pl.Decimal(9, 2), pl.Decimal(12, 1)),
        (pl.Decimal(9, 2), pl.Float64()),
        (TIMESTAMP, pl.Date()),
        (pl.Date(), pl.Datetime("us")),
        (pl.Date(), pl.Datetime("ms", "UTC")),
        (pl.Int64(), pl.String()),
        (pl.Boolean(), pl.Int64()),
        (pl.Int32(), pl.Int64()),
        (pl.List(pl.Int64()), pl.Int64()),
        (pl.List(pl.Int64()), pl.List(pl.String())),
    ],
    ids=str,
)
def test_what_is_not_wider_is_left_alone(narrow: pl.DataType, wide: pl.DataType) -> None:
    assert not widens(narrow, wide)
    assert to_widen({"v": narrow}, {"v": wide}) == {}


def test_a_column_that_the_table_does_not_have_is_not_widened_but_added() -> None:
    assert to_widen({"a": pl.Int64()}, {"b": pl.Float64()}) == {}


def test_a_sum_gains_digits_after_the_point_as_long_as_it_has_them_to_spare() -> None:
    sums = pl.DataFrame({"v": pl.Series([Decimal("1.25")], dtype=pl.Decimal(38, 2))})
    huge = pl.DataFrame({"v": pl.Series([Decimal(10**36)], dtype=pl.Decimal(38, 0))})

    assert widened(sums, {"v": pl.Decimal(38, 4)}, "x")["v"].to_list() == [Decimal("1.2500")]
    with pytest.raises(SchemaConflict, match="sensors/windows_hourly"):
        widened(huge, {"v": pl.Decimal(38, 4)}, "sensors/windows_hourly")


@pytest.mark.parametrize("narrow_first", [True, False])
def test_rows_of_several_versions_are_as_wide_as_the_widest_of_them(narrow_first: bool) -> None:
    parts = [
        pl.DataFrame({"a": [1], "day": [date(2026, 1, 1)]}),
        pl.DataFrame({"a": [1.5], "b": ["x"], "day": [datetime(2026, 1, 1, tzinfo=UTC)]}).cast({"day": TIMESTAMP}),
    ]
    found = together(parts if narrow_first else parts[::-1], "x").sort("a")

    assert found.select("a", "b").rows() == [(1.0, None), (1.5, "x")]
    assert found["day"].n_unique() == 1


def test_rows_of_types_that_do_not_fit_each_other_are_refused_together() -> None:
    with pytest.raises(SchemaConflict, match="sensors: a column has changed its type"):
        together([pl.DataFrame({"a": [1]}), pl.DataFrame({"a": ["1"]})], "sensors")
