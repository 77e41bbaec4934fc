"""Lists to rows, derived columns, filters: every row is stored, filtered, or refused with its record."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.decoding.chunks import INDEX
from windrow.decoding.transforms import MEMBER, Transformed, explode, member_columns, transform
from windrow.lake.schema import column_type, segment_schema
from windrow.spec import StreamSpec
from windrow.units import to_us

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MAX = 2**63 - 1


def parsed(columns: str, rest: str = "") -> StreamSpec:
    return spec.parse(f"stream: s\ntime: {{column: ts}}\n{rest}\ncolumns:\n  ts: timestamp\n{columns}", "x")


def typed(of: StreamSpec, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as they come from the checks."""
    columns = {
        name: pl.Series(
            [row.get(name, NOW if name == "ts" else None) for row in rows], dtype=column_type(of.columns[name])
        )
        for name in of.read
    }
    index = {INDEX: pl.Series([row.get(INDEX, place) for place, row in enumerate(rows)], dtype=pl.Int64)}
    member = {MEMBER: pl.Series([row.get(MEMBER, 0) for row in rows], dtype=pl.Int32)} if of.explode else {}
    return pl.DataFrame({**index, **member, **columns})


def run(of: StreamSpec, *rows: dict[str, Any]) -> Transformed:
    frame = typed(of, list(rows))
    done = transform(frame, of, to_us(NOW))
    segment = segment_schema(of)
    member = {MEMBER: pl.Int32()} if of.explode else {}
    assert dict(done.rows.schema) == {INDEX: pl.Int64(), **member, **{name: segment[name] for name in of.stored}}
    refused = {reject.index for reject in done.rejects}
    assert len(refused) == len(done.rejects)
    assert not refused & set(done.rows[INDEX])
    assert done.rows.height + done.filtered + frame[INDEX].is_in(list(refused)).sum() == frame.height
    return done


def refusal(of: StreamSpec, **row: Any) -> tuple[str, str]:
    [reject] = run(of, row).rejects
    return reject.reason, reject.message


# ------------------------------------------------------------------------------------------------ at no cost


def test_a_spec_that_transforms_nothing_gets_its_rows_back() -> None:
    plain = parsed("  n: int\n")
    frame = typed(plain, [{"n": 1}])

    assert transform(frame, plain, 0).rows is frame


# ------------------------------------------------------------------------------------------------ derive

DERIVED = parsed("""
  n: {type: int, drop: true}
  big: {type: int, derive: twice * twice}
  twice: {type: int, derive: n * 2}
  half: {type: float, derive: n / 2}
  cents: {type: 'decimal(5,2)', derive: n}
  kind: {type: categorical, derive: "'even' if n % 2 == 0 else 'odd'"}
""")


def test_derived_columns_stand_in_their_place_and_dropped_ones_go() -> None:
    done = run(DERIVED, {"n": 3}, {"n": None}, {"n": 4})

    assert done.rows.columns == [INDEX, "ts", "big", "twice", "half", "cents", "kind"]
    assert done.rows.drop(INDEX, "ts").rows() == [
        (36, 6, 1.5, Decimal("3.00"), "odd"),
        (None, None, None, None, "odd"),
        (64, 8, 2.0, Decimal("4.00"), "even"),
    ]


def test_no_rows_are_no_rows() -> None:
    assert run(DERIVED).rows.height == 0


@pytest.mark.parametrize("n", [MAX, 2**62, 2**32, -(2**40)])
def test_a_record_that_overflows_is_refused(n: int) -> None:
    of = parsed("  n: int\n  big: {type: int, derive: twice * twice}\n  twice: {type: int, derive: n * 2}\n")
    [reject] = run(of, {"n": 1}, {"n": n}, {"n": 2}).rejects

    assert (reject.index, reject.reason) == (1, "out_of_range")
    assert reject.field == ("twice" if n * 2 not in range(-MAX - 1, MAX + 1) else "big")
    assert reject.message.startswith(f"column {reject.field!r} came to more than its type holds, or a part of it did: ")


def test_a_decimal_of_more_digits_than_its_column_is_refused() -> None:
    assert refusal(DERIVED, n=1000) == (
        "out_of_range",
        "column 'cents' came to more than its type holds, or a part of it did: n",
    )
    assert run(DERIVED, {"n": 999}).rejects == ()


def test_a_float_that_is_not_finite_is_refused() -> None:
    of = parsed("  x: float\n  y: {type: float, derive: x * 1e10}\n")

    assert refusal(of, x=1e300) == (
        "not_finite",
        "column 'y' came to no finite number, or a part of it did: x * 1e10",
    )


def test_derived_columns_are_cleansed_as_read_ones_are() -> None:
    of = parsed(
        """
  n: {type: int, drop: true}
  y: {type: int, derive: n + 0, null_if: [7], clamp: [0, 100], default: 50, fill: 60}
"""
    )
    done = run(of, {"n": 7}, {"n": None}, {"n": -5}, {"n": 1000}, {"n": 3})

    assert done.rows["y"].to_list() == [60, 50, 0, 100, 3]


@pytest.mark.parametrize(
    ("settings", "n", "reason", "message"),
    [
        ("required: true", None, "missing_column", "column 'y' is required and missing or null"),
        ("range: [0, 5]", 3, "out_of_range", "column 'y' lies outside of [0, 5]: '6'"),
        ("allowed: [2, 4]", 3, "not_allowed", "column 'y' is none of 2, 4: '6'"),
    ],
)
def test_derived_columns_are_checked_as_read_ones_are(settings: str, n: int | None, reason: str, message: str) -> None:
    of = parsed(f"  n: int\n  y: {{type: int, derive: n * 2, {settings}}}\n")

    assert refusal(of, n=n) == (reason, message)
    assert run(of, {"n": 1}).rejects == ()


def test_a_derived_key_is_required() -> None:
    of = parsed("  name: string\n  k: {type: string, derive: lower(name)}\n", "keys: [k]")

    assert run(of, {"name": "Oslo"}).rows["k"].to_list() == ["oslo"]
    assert refusal(of, name=None)[0] == "missing_column"


TIMED = spec.parse(
    """
stream: s
time: {column: ts, max_future: 10m, max_age: 1d}
columns:
  start: {type: timestamp, drop: true}
  after: {type: int, drop: true}
  ts: {type: timestamp, derive: "add_seconds(start, after)"}
""",
    "x",
)


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (600, None),
        (601, "time_in_future"),
        (-86_400, None),
        (-86_401, "time_too_old"),
        (-444 * 366 * 86_400, "time_too_early"),
        (None, "missing_column"),
        (MAX, "out_of_range"),
    ],
)
def test_a_derived_event_time_is_held_to_the_same_limits(after: int | None, reason: str | None) -> None:
    done = run(TIMED, {"start": NOW, "after": after})

    assert [reject.reason for reject in done.rejects] == ([] if reason is None else [reason])


# ------------------------------------------------------------------------------------------------ filter


def test_a_filter_keeps_the_rows_for_which_it_is_true() -> None:
    of = parsed("  n: int\n", "filter: n > 1")
    done = run(of, {"n": 1}, {"n": None}, {"n": 2})

    assert done.rows["n"].to_list() == [2]
    assert (done.filtered, done.rejects) == (2, ())


def test_all_filters_must_hold_and_may_use_what_is_dropped() -> None:
    of = parsed("  n: int\n  m: {type: int, derive: n * n, drop: true}\n", "filter: [n > 1, m < 10]")
    done = run(of, {"n": 1}, {"n": 2}, {"n": 4})

    assert done.rows.rows() == [(1, NOW, 2)]
    assert done.filtered == 2


def test_a_filter_that_cannot_be_computed_refuses_the_record() -> None:
    of = parsed("  n: int\n", "filter: [n < 10 or n > 20, n * n > 4]")
    done = run(of, {"n": 1}, {"n": MAX}, {"n": 15}, {"n": 3})
    [reject] = done.rejects

    assert (reject.index, reject.reason, reject.field) == (1, "out_of_range", None)
    assert reject.message == "filter 2 came to more than its type holds, or a part of it did: n * n > 4"
    assert (done.rows["n"].to_list(), done.filtered) == ([3], 2)


def test_what_an_earlier_filter_leaves_out_a_later_one_does_not_refuse() -> None:
    of = parsed("  n: int\n", "filter: [n < 1000, n * n > 4]")
    done = run(of, {"n": MAX})

    assert (done.rejects, done.filtered) == ((), 1)


def test_what_is_bad_is_refused_even_if_a_filter_would_leave_it_out() -> None:
    of = parsed("  n: int\n  y: {type: int, derive: n * 2}\n", "filter: n < 1000")

    assert refusal(of, n=MAX)[0] == "out_of_range"


# ------------------------------------------------------------------------------------------------ explode

ORDERS = parsed(
    """
  order: int
  product: {type: string, source: 'products[].name'}
  price: {type: float, source: products.price}
  tags: {type: list(string), source: 'products[].tags'}
  notes: list(string)
  cost: {type: float, derive: price * 10, range: [0, 1000]}
""",
    "explode: products\nfilter: cost > 10 or is_null(cost)",
)


def exploded(**columns: list[Any]) -> list[tuple[Any, ...]]:
    kinds = {
        "product": pl.List(pl.String),
        "price": pl.List(pl.Float64),
        "notes": pl.List(pl.String),
        "order": pl.Int64,
    }
    height = len(next(iter(columns.values())))
    raw = pl.DataFrame(columns, schema={name: kinds[name] for name in columns}).with_columns(
        pl.int_range(height, dtype=pl.Int64).alias(INDEX)
    )
    absent = [pl.lit(None, pl.String).alias(name) for name in ORDERS.read if name not in columns]
    rows = explode(raw.with_columns(absent), ORDERS)
    assert set(rows.columns) == {*ORDERS.read, INDEX, MEMBER}
    assert rows.schema[MEMBER] == pl.Int32()
    return rows.select(INDEX, MEMBER, *columns).rows()


def test_columns_of_members_are_those_within_the_list() -> None:
    assert member_columns(ORDERS) == ("product", "price", "tags")
    assert member_columns(
        parsed("  a: {type: int, source: [itemsx.a, items_a]}\n  b: {type: int, source: [c, items]}", "explode: items")
    ) == ("b",)
    assert member_columns(parsed("  a: int\n")) == ()


def test_every_member_is_a_row_and_no_members_are_one() -> None:
    assert exploded(
        order=[1, 2, 3, 4], product=[["a", "b"], [], None, ["c"]], price=[[1.0, None], [], None, [2.0]]
    ) == [
        (0, 0, 1, "a", 1.0),
        (0, 1, 1, "b", None),
        (1, 0, 2, None, None),
        (2, 0, 3, None, None),
        (3, 0, 4, "c", 2.0),
    ]


def test_shorter_lists_end_in_nulls_and_other_lists_stay_whole() -> None:
    assert exploded(product=[["a", "b"], None], price=[[1.0], [5.0]], notes=[["x", "y", "z"], []]) == [
        (0, 0, "a", 1.0, ["x", "y", "z"]),
        (0, 1, "b", None, ["x", "y", "z"]),
        (1, 0, None, 5.0, []),
    ]


def test_without_lists_a_record_is_a_row() -> None:
    assert exploded(order=[1, 2]) == [(0, 0, 1), (1, 0, 2)]
    assert exploded(order=[]) == []
    assert exploded(product=[]) == []


def test_lists_in_members_stay_lists() -> None:
    of = parsed("  tags: {type: list(int), source: 'products[].tags'}\n", "explode: products")
    raw = pl.DataFrame(
        {"ts": ["t", "t"], "tags": [[[1, 2], None], None], INDEX: [0, 1]}, schema_overrides={INDEX: pl.Int64}
    )

    assert explode(raw, of).select("tags", MEMBER).rows() == [([1, 2], 0), (None, 1), (None, 0)]


@given(
    st.lists(
        st.tuples(
            st.none() | st.lists(st.none() | st.text("ab", max_size=2), max_size=4),
            st.none() | st.lists(st.none() | st.floats(0, 9), max_size=4),
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=60, deadline=None)
def test_no_member_is_lost(records: list[tuple[list[str | None] | None, list[float | None] | None]]) -> None:
    expected = [
        (index, place, names[place] if place < len(names) else None, prices[place] if place < len(prices) else None)
        for index, (names, prices) in enumerate((names or [], prices or []) for names, prices in records)
        for place in range(max(1, len(names), len(prices)))
    ]

    assert exploded(product=[names for names, _ in records], price=[prices for _, prices in records]) == expected


def test_a_record_with_a_bad_member_is_refused_whole_with_one_reject() -> None:
    rows = [{INDEX: 0, MEMBER: 0, "price": 5.0}]
    rows += [{INDEX: 1, MEMBER: place, "price": price} for place, price in enumerate([5.0, 101.0, 1e308, 6.0])]
    rows += [{INDEX: 2, MEMBER: 0, "price": 0.5}]
    done = run(ORDERS, *rows)
    [reject] = done.rejects

    assert reject.index == 1
    assert done.rows["price"].to_list() == [5.0]
    assert done.filtered == 1


def test_a_record_that_fails_twice_has_one_reject() -> None:
    done = run(ORDERS, *({INDEX: 7, MEMBER: place, "price": 1e308} for place in range(3)))

    assert [(reject.index, reject.reason) for reject in done.rejects] == [(7, "not_finite")]


def test_a_record_may_be_filtered_in_part_or_whole() -> None:
    rows = [{INDEX: 0, MEMBER: place, "price": price} for place, price in enumerate([0.5, 2.0, None])]
    rows += [{INDEX: 1, MEMBER: place, "price": 0.5} for place in range(2)]
    done = run(ORDERS, *rows)

    assert done.rows.select(INDEX, MEMBER).rows() == [(0, 1), (0, 2)]
    assert (done.filtered, done.rejects) == (3, ())


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.floats(-1, 120)),
        max_size=8,
    )
)
@settings(max_examples=60, deadline=None)
def test_a_records_fate_does_not_depend_on_its_neighbours(members: list[tuple[int, float | None]]) -> None:
    rows = [{INDEX: index, MEMBER: 0, "price": price} for index, price in sorted(members, key=lambda each: each[0])]
    together = run(ORDERS, *rows)
    apart = [run(ORDERS, *(row for row in rows if row[INDEX] == index)) for index in range(4)]

    assert together.filtered == sum(each.filtered for each in apart)
    assert sorted(together.rejects, key=lambda reject: reject.index or 0) == [
        reject for each in apart for reject in each.rejects
    ]
    assert together.rows.equals(pl.concat([each.rows for each in apart]))
