"""Keys and identity: only what holds for every record of the sample."""

import io
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.proposal import Proposal, propose
from windrow.units import DAY_US, SECOND_US, parse_duration_us

_START = datetime(2020, 1, 1)


def of(header: str, rows: list[tuple[object, ...]]) -> Proposal:
    text = "\n".join([header, *(",".join(map(str, row)) for row in rows)])
    return propose(io.BytesIO(text.encode()), "sample.csv")


def spec_of(proposal: Proposal):
    assert proposal.spec is not None, proposal.questions
    return proposal.spec


def why(proposal: Proposal, about: str) -> str:
    return next(each.why for each in proposal.evidence if each.about == about)


def at(minutes: float) -> str:
    return (_START + timedelta(minutes=minutes)).isoformat(sep=" ")


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 2)),
        min_size=1,
        max_size=14,
    )
)
def test_what_is_called_unique_is_unique_in_the_sample(drawn: list[tuple[int, str, str, int]]) -> None:
    rows = [(at(minute), station, side, number) for minute, station, side, number in drawn]
    found = spec_of(of("ts,station,side,id", rows))

    places = ["ts", "station", "side", "id"]
    for names in (found.unique, (*found.keys, "ts") if found.keys else ()):
        if names:
            values = [tuple(row[places.index(name)] for name in names) for row in rows]
            assert len(set(values)) == len(values)
    if len({row[0] for row in rows}) == len(rows) > 1:
        assert "ts" in found.unique


def test_time_alone_is_enough_where_it_is() -> None:
    found = spec_of(of("ts,sensor", [(at(n), "a" if n % 2 else "b") for n in range(10)]))

    assert found.keys == ()
    assert found.unique == ("ts",)


def test_the_fewest_columns_are_taken_and_ids_before_others() -> None:
    rows = [(at(n), sensor, kind, n) for n in range(5) for sensor, kind in (("s1", "x"), ("s2", "y"))]
    found = spec_of(of("ts,kind,sensor_id,v", [(ts, kind, sensor, v) for ts, sensor, kind, v in rows]))

    assert found.keys == ("sensor_id",)
    assert found.unique == ("sensor_id", "ts")


def test_two_columns_together_are_found() -> None:
    rows = [(at(n), host, metric) for n in range(4) for host in "ab" for metric in "xy"]
    found = spec_of(of("ts,host,metric", rows))

    assert set(found.keys) == {"host", "metric"}


def test_measured_numbers_are_never_keys() -> None:
    rows = [(at(n), count) for n in range(6) for count in (1, 2)]

    assert spec_of(of("ts,count", rows)).keys == ()


def test_a_column_with_gaps_is_no_key() -> None:
    rows = [(at(n), sensor) for n in range(6) for sensor in ("a", "")]

    assert spec_of(of("ts,sensor", rows)).keys == ()


def test_what_nothing_tells_apart_is_left_out_and_counted() -> None:
    proposal = of("ts,v", [(at(0), 1), (at(0), 1), (at(0), 2), (at(1), 1)])

    assert spec_of(proposal).unique == ()
    assert why(proposal, "unique") == (
        "2 records of 4 share their time with one before, and no few columns tell them apart; "
        "1 record is an exact copy of one before"
    )


def test_an_id_of_every_record_is_its_identity_together_with_the_time() -> None:
    found = spec_of(of("id,ts,v", [(f"e{n}", at(n // 2), 1.5) for n in range(6)]))

    assert found.unique == ("id", "ts")


def test_one_record_tells_nothing() -> None:
    proposal = of("ts,v", [(at(0), 1)])

    assert spec_of(proposal).unique == ()
    assert why(proposal, "unique") == "1 record tells nothing"


# ---------------------------------------------------------------------------------------------------- layout


@pytest.mark.parametrize(
    ("step_minutes", "count", "bucket", "window"),
    [
        (1 / 60, 500, "1h", "10s"),
        (1, 500, "1h", "5m"),
        (5, 500, "1d", "1h"),
        (60, 500, "1d", "1d"),
        (1_440, 500, "30d", "30d"),
        (1_440 * 7, 100, "360d", "30d"),
        (60, 3, "1d", "1d"),
    ],
)
def test_bucket_and_window_suit_the_pace(step_minutes: float, count: int, bucket: str, window: str) -> None:
    proposal = of("ts,v", [(at(n * step_minutes), n + 0.5) for n in range(count)])
    found = spec_of(proposal)

    assert found.bucket == parse_duration_us(bucket)
    assert {name: each.size for name, each in found.windows.items()} == {f"every_{window}": parse_duration_us(window)}


@settings(max_examples=60)
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_every_bucket_is_one_that_a_spec_may_have(seconds: list[int]) -> None:
    found = spec_of(of("ts,v", [((_START + timedelta(seconds=second)).isoformat(), 1.5) for second in seconds]))

    assert found.bucket % (3_600 * SECOND_US) == 0
    assert found.bucket % DAY_US == 0 or DAY_US % found.bucket == 0
    assert all(found.bucket % window.size == 0 for window in found.windows.values())


def test_a_window_has_figures_of_floats_or_else_of_counts_and_never_of_ids() -> None:
    floats = spec_of(of("ts,n,v,sensor_id", [(at(n), n, n + 0.5, n) for n in range(5)]))
    counts = spec_of(of("ts,n,sensor_id", [(at(n), n, n) for n in range(5)]))
    nothing = spec_of(of("ts,text", [(at(n), "a") for n in range(5)]))

    assert list(floats.windows["every_5m"].aggregates) == ["v_mean", "v_min", "v_max"]
    assert list(counts.windows["every_5m"].aggregates) == ["n_mean", "n_min", "n_max"]
    assert list(nothing.windows["every_5m"].aggregates) == ["record_count"]
