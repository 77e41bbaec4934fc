"""Sessions over many buckets: whom a record concerns, and how far one has to look, against looking at everything."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.window_drawing import window_of
from windrow import spec
from windrow.lake.schema import segment_schema
from windrow.spec.windows import SessionWindow, TumblingWindow
from windrow.units import SECOND_US, from_us, to_us
from windrow.windows import engine
from windrow.windows.reach import bucket_at, bucket_of
from windrow.windows.territory import Territory, runs_only

SPEC = spec.parse(
    "stream: s\ntime: {column: ts}\nkeys: [k]\nunique: [k, ts]\ncolumns: {ts: timestamp, k: string, v: float}", "x"
)
S = SECOND_US
Record = tuple[float, str]
"""When (seconds), and of which key."""
Row = tuple[object, ...]


def frame(records: Iterable[Record]) -> pl.DataFrame:
    data = [
        (from_us(round(time * S)), key, float(time), "b", number, from_us(0))
        for number, (time, key) in enumerate(records)
    ]
    return pl.DataFrame(data, schema=segment_schema(SPEC), orient="row")


def sessions(**settings_: object) -> SessionWindow:
    window = window_of(kind="session", **{"aggregates": {"v_sum": "sum(v)"}, **settings_})
    assert isinstance(window, SessionWindow)
    return window


@dataclass
class Case:
    """A definition, a length of buckets in seconds, and records; it remembers which buckets were looked at."""

    window: SessionWindow
    bucket_s: int
    records: list[Record]

    @property
    def bucket_us(self) -> int:
        return self.bucket_s * S

    def territory(self) -> Territory:
        def runs(buckets: range) -> pl.DataFrame:
            within = [record for record in self.records if bucket_of(round(record[0] * S), self.bucket_us) in buckets]
            return engine.panes(frame(within), SPEC, runs_only(self.window))

        return Territory(self.window, self.bucket_us, runs)

    def rows(self, records: Iterable[Record], owner_us: int | None = None) -> list[Row]:
        owned = None if owner_us is None else bucket_at(owner_us, self.bucket_us)
        return engine.compute(frame(records), SPEC, self.window, owned).rows()

    def owner_of(self, row: Row) -> int:
        return bucket_of(to_us(row[1]), self.bucket_us)  # type: ignore[arg-type]

    def bucket_of(self, record: Record) -> int:
        return bucket_of(round(record[0] * S), self.bucket_us)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    settings_: dict[str, object] = {
        "gap": f"{draw(st.integers(1, 6))}s",
        "gap_inclusive": draw(st.booleans()),
        "session_end": draw(st.sampled_from(["gap", "last"])),
    }
    if draw(st.booleans()):
        settings_["max_duration"] = f"{draw(st.integers(1, 9))}s"
    if draw(st.booleans()):  # one that needs the rows of a session together
        settings_["aggregates"] = {"v_std": "std(v)"}
    time = st.integers(-30, 30).map(float) | st.sampled_from([-0.000001, 0.000001, 9.999999, 4.5])
    records = st.lists(st.tuples(time, st.sampled_from("ab")), min_size=1, max_size=14, unique=True)
    return Case(sessions(**settings_), draw(st.integers(1, 12)), draw(records))


@settings(max_examples=150)
@given(cases())
def test_a_record_changes_sessions_only_of_the_buckets_that_are_refreshed_for_it(case: Case) -> None:
    *others, added = case.records
    before, after = set(case.rows(others)), set(case.rows(case.records))
    changed = {case.owner_of(row) for row in before ^ after}

    assert changed <= set(case.territory().owners(case.bucket_of(added)))


@settings(max_examples=150)
@given(cases())
def test_the_sessions_of_a_bucket_are_the_same_from_what_they_reach_over_alone(case: Case) -> None:
    rows = case.rows(case.records)
    for owner in {case.bucket_of(record) for record in case.records}:
        stretch = case.territory().reach(owner)
        assert stretch is not None
        within = [record for record in case.records if stretch.from_us <= round(record[0] * S) < stretch.to_us]

        assert case.rows(within, owner) == [row for row in rows if case.owner_of(row) == owner]


@settings(max_examples=30)
@given(cases())
def test_what_a_bucket_reaches_over_does_not_shrink_by_a_record_except_where_a_session_has_left_it(case: Case) -> None:
    """A refresh adds what was reached before; here is why that is enough for those that are still there."""
    fewer = Case(case.window, case.bucket_s, case.records[:-1])
    for owner in {case.owner_of(row) for row in case.rows(case.records[:-1])}:
        before, after = fewer.territory().reach(owner), case.territory().reach(owner)
        assert before is not None
        assert after is not None
        still_there = {row[:2] for row in case.rows(case.records[:-1], owner)} <= {
            row[:2] for row in case.rows(case.records, owner)
        }
        if still_there:
            assert after.from_us <= before.from_us
            assert after.to_us >= before.to_us


# ------------------------------------------------------------------------------------------------ examples

CHAIN: list[Record] = [(second, "a") for second in range(5, 100, 10)]
"""Ten buckets of 10 s, one session."""


def seconds(buckets: Iterable[int]) -> list[int]:
    return [bucket // S for bucket in buckets]


def test_a_record_at_the_end_of_a_long_chain_changes_the_bucket_in_which_the_chain_began() -> None:
    territory = Case(sessions(gap="10s"), 10, CHAIN).territory()

    assert 0 in seconds(territory.owners(90 * S))
    assert territory.reach(0) == (-10 * S, 105 * S + 1)


def test_a_record_in_the_middle_of_silence_changes_its_own_bucket_and_the_next_only() -> None:
    territory = Case(sessions(gap="5s"), 10, [(5, "a"), (55, "a"), (95, "a")]).territory()

    assert seconds(territory.owners(50 * S)) == [50, 60]
    assert territory.reach(50 * S) == (45 * S, 65 * S)


def test_a_record_that_joins_two_sessions_changes_both() -> None:
    territory = Case(sessions(gap="6s"), 10, [(5, "a"), (11, "a"), (17, "a"), (23, "a")]).territory()

    assert {0, 10, 20} <= set(seconds(territory.owners(10 * S)))


def test_a_session_that_is_absorbed_is_taken_out_of_the_bucket_that_it_began_in() -> None:
    case = Case(sessions(gap="6s"), 10, [(12, "a"), (9, "a")])

    assert [case.owner_of(row) for row in case.rows(case.records[:1])] == [10 * S]
    assert [case.owner_of(row) for row in case.rows(case.records)] == [0]
    assert 10 in seconds(case.territory().owners(0))


def test_one_early_record_moves_every_cut_of_an_endless_session() -> None:
    case = Case(sessions(gap="10s", max_duration="15s"), 10, [*CHAIN, (-1, "a")])
    before = {row[1] for row in case.rows(case.records[:-1])}
    after = {row[1] for row in case.rows(case.records)}

    assert (len(before), len(after), before & after) == (5, 6, set())
    assert seconds(case.territory().owners(-10 * S)) == [*range(-10, 110, 10)]


def test_where_an_endless_session_is_cut_is_read_from_where_it_began() -> None:
    territory = Case(sessions(gap="10s", max_duration="15s"), 10, CHAIN).territory()

    assert territory.reach(90 * S) == (-5 * S, 110 * S)


def test_sessions_of_another_key_lead_nowhere() -> None:
    alternating: list[Record] = [(second, "ab"[second % 2]) for second in range(0, 60, 3)]
    territory = Case(sessions(gap="5s"), 10, alternating).territory()

    assert seconds(territory.owners(30 * S)) == [20, 30, 40]  # a session of the same key ends a gap before it


def test_what_was_looked_at_grows_by_what_is_needed_and_no_further() -> None:
    looked: list[range] = []
    case = Case(sessions(gap="5s"), 10, [(5, "a"), (52, "a"), (56, "a"), (61, "a"), (95, "a")])
    inner = case.territory().runs

    def runs(buckets: range) -> pl.DataFrame:
        looked.append(buckets)
        return inner(buckets)

    assert Territory(case.window, case.bucket_us, runs).reach(50 * S) == (45 * S, 66 * S + 1)
    assert [list(seconds(buckets)) for buckets in looked] == [[40, 50, 60]]


@pytest.mark.parametrize("bucket_s", [1, 10, 60])
def test_windows_on_a_grid_need_no_records_to_be_told(bucket_s: int) -> None:
    window = window_of(kind="tumbling", size="10s", aggregates={"n": "count"})
    assert isinstance(window, TumblingWindow)

    def unasked(_buckets: range) -> pl.DataFrame:
        raise AssertionError("records were asked for")

    territory = Territory(window, bucket_s * S, unasked)
    assert territory.owners(0) == [0]
    assert territory.reach(0) == (0, max(bucket_s, 10) * S)


def test_where_sessions_lie_is_told_without_their_values() -> None:
    bare = runs_only(sessions(gap="5s", max_duration="7s"))

    assert (bare.aggregates, bare.max_duration, bare.gap) == ({}, None, 5 * S)
