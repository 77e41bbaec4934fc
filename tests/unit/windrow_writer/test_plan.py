"""What to commit, given what is committed: pure rows and marks."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.errors import SchemaConflict
from windrow.lake import tables
from windrow.lake.schema import late_schema, records_schema, result_schema, windows_schema
from windrow.lake.tables import DataFile, Place, batch_mark, growth, place_mark, version_mark
from windrow.manifest import Manifest
from windrow.messages import Refreshed
from windrow.units import SECOND_US, from_us
from windrow_writer import plan
from windrow_writer.plan import LoadedBatch
from windrow_writer.sorting import Disk, sorted_on_disk

PARSED = spec.parse(
    """
stream: s
time: {column: ts}
keys: [k]
unique: [k, ts]
columns: {ts: timestamp, k: string, v: float, n: int}
windows:
  w: {size: 1m, aggregates: {v_sum: sum(v), n_last: last(n)}}
  diverting: {size: 1m, late: divert, aggregates: {v_sum: sum(v)}}
  sketch: {size: 1m, aggregates: {distinct: approx_n_unique(n), middle: 'approx_quantile(v, 0.5)', v_sum: sum(v)}}
  visits: {kind: session, gap: 5m, aggregates: {v_sum: sum(v)}}
  growing: {kind: cumulative, size: 2m, step: 1m, aggregates: {v_sum: sum(v)}}
  steps: {kind: sequence, step: 1m, length: 2, mask: true, aggregates: {v_sum: sum(v)}}
""",
    "x",
)
W = PARSED.windows["w"]
RESULT = result_schema(PARSED, W)
TABLE = windows_schema(PARSED, W)
BEFORE = dict.fromkeys(tables.TOTALS)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


# ------------------------------------------------------------------------------------------------ append_marks


def batch(name: str, rows: int = 0, max_time_us: int | None = None, **counts: int) -> LoadedBatch:
    told = {"decoded": rows, "accepted": rows, "quarantined": 0, **counts}
    found = Manifest(
        stream="s",
        batch=name,
        landing_key="landing/s/x",
        spec_version=1,
        source="http",
        received_us=0,
        max_time_us=max_time_us,
        **told,
    )
    return LoadedBatch(found, pl.DataFrame({"v": [0.0] * rows}))


counts = st.integers(0, 10**6)
batches = st.lists(
    st.builds(
        batch,
        st.text("0123456789abcdef", min_size=4, max_size=4),
        st.integers(0, 5),
        st.none() | st.integers(-(10**15), 10**16),
        decoded=counts,
        quarantined=counts,
        returned=counts,
    ),
    max_size=6,
    unique_by=lambda each: each.manifest.batch,
)


@given(batches, st.integers(0, 6))
def test_totals_are_the_same_however_the_batches_are_spread_over_commits(
    given_batches: list[LoadedBatch], cut: int
) -> None:
    once = plan.append_marks(given_batches, BEFORE, 9)
    first = plan.append_marks(given_batches[:cut], BEFORE, 5)
    then = {**first, **plan.append_marks(given_batches[cut:], {**BEFORE, **first}, 9)}

    assert then == once


@given(batches)
def test_every_batch_is_marked_and_every_record_counted(given_batches: list[LoadedBatch]) -> None:
    marks = plan.append_marks(given_batches, BEFORE, 0)
    manifests = [each.manifest for each in given_batches]

    assert {name for name in marks if name.startswith("batch:")} == {batch_mark(each.batch) for each in manifests}
    assert marks[tables.DECODED] == sum(each.decoded for each in manifests)
    assert marks[tables.QUARANTINED] == sum(each.quarantined for each in manifests)
    assert marks[tables.RETURNED] == sum(each.returned for each in manifests)
    assert marks[tables.APPENDED] == sum(each.rows.height for each in given_batches)
    assert tables.DUPLICATES not in marks


@pytest.mark.parametrize(
    ("known", "times", "expected"),
    [
        (None, [None], None),
        (None, [5, None, 3], 5),
        (7, [5], 7),
        (7, [9, 8], 9),
        (7, [None], 7),
        (-9, [-5], -5),
        (-5, [-9], -5),
        (0, [None], 0),
    ],
)
def test_the_largest_event_time_only_grows(known: int | None, times: list[int | None], expected: int | None) -> None:
    some = [batch(f"b{number}", 1, time) for number, time in enumerate(times)]
    marks = plan.append_marks(some, {**BEFORE, tables.MAX_TIME_US: known}, 0)

    assert marks.get(tables.MAX_TIME_US) == expected


def test_a_wall_clock_that_steps_back_does_not_take_the_mark_with_it() -> None:
    marks = plan.append_marks([batch("b")], {**BEFORE, tables.LAST_BATCH_US: 100}, 40)

    assert marks[tables.LAST_BATCH_US] == 100


# ------------------------------------------------------------------------------------------------ with_place, compact

Record = tuple[int, int, str, int, str, int]  # bucket, second, key, value, batch, ordinal
records = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 3),
        st.sampled_from("ab"),
        st.integers(0, 9),
        st.sampled_from(["b1", "b2"]),
        st.integers(0, 4),
    ),
    max_size=15,
    unique_by=lambda record: record[4:],
)


def stored(rows: list[Record]) -> pl.DataFrame:
    """The records table as it stands before a seal."""
    data = [
        (
            from_us((bucket * 3_600 + second) * SECOND_US),
            key,
            float(value),
            value,
            name,
            ordinal,
            from_us(int(name[1])),
            bucket * 3_600 * SECOND_US,
            0,
            from_us((bucket * 3_600 + second) * SECOND_US).date(),
        )
        for bucket, second, key, value, name, ordinal in rows
    ]
    return pl.DataFrame(data, schema=records_schema(PARSED), orient="row")


@given(records)
def test_what_sealing_keeps_is_each_record_once_in_order_and_what_it_removes_is_told(rows: list[Record]) -> None:
    table = stored(rows)
    found = plan.compact(table, PARSED)

    assert found.rows.schema == table.schema
    assert found.rows.select("k", "ts").is_unique().all()
    assert set(found.rows.select("k", "ts").rows()) == set(table.select("k", "ts").rows())
    assert found.removed == table.height - found.rows.height
    order = found.rows.select("_bucket", "k", "ts").rows()
    assert order == sorted(order)
    assert plan.compact(found.rows, PARSED).removed == 0


@given(records)
def test_the_places_that_hold_a_record_twice_are_found_from_its_identity_alone(rows: list[Record]) -> None:
    table = stored(rows)
    twice = {bucket for (bucket,), part in table.group_by("_bucket") if part.select("k", "ts").n_unique() < part.height}

    assert {place.bucket_us for place in plan.doubled(table.select("k", "ts", "_bucket", "_shard"))} == twice


@given(records.filter(bool), st.sampled_from(["last", "first"]))
@settings(max_examples=25)
def test_sorting_on_disk_leaves_what_sealing_in_memory_leaves(rows: list[Record], keep: str) -> None:
    table, parsed = stored([(0, *rest) for _, *rest in rows]), PARSED.model_copy(update={"keep": keep})
    cut = table.height // 2
    batches = iter([part for part in (table[:cut], table[cut:]) if part.height])
    with sorted_on_disk(batches, parsed, Disk(None, 64 << 20)) as found:
        together = pl.concat(found.batches)

    assert together.equals(plan.compact(table, parsed).rows)
    assert (found.row_count, found.removed) == (together.height, table.height - together.height)


def test_the_record_that_stays_is_the_one_received_last() -> None:
    found = plan.compact(stored([(0, 1, "a", 5, "b2", 0), (0, 1, "a", 3, "b1", 4)]), PARSED)

    assert (found.rows["n"].to_list(), found.removed) == ([5], 1)


def test_a_place_in_many_small_files_is_scattered_and_one_in_large_files_is_not() -> None:
    def files(count: int, size_bytes: int) -> list[DataFile]:
        return [DataFile(f"{number}.parquet", size_bytes, 10, date(1970, 1, 1), 0, 0) for number in range(count)]

    assert not plan.is_scattered(Place(0, 0), files(4, 1_000), 256_000_000)
    assert plan.is_scattered(Place(0, 0), files(5, 1_000), 256_000_000)
    assert not plan.is_scattered(Place(0, 0), files(40, 250_000_000), 256_000_000)
    assert not plan.is_scattered(Place(SECOND_US, 0), files(50, 1_000), 256_000_000)


def test_places_are_sealed_together_as_far_as_their_rows_allow_and_always_one() -> None:
    hours = [number * 3_600 * SECOND_US for number in range(3)]
    files = [DataFile(f"{hour}.parquet", 1, 60, date(1970, 1, 1), hour, hour) for hour in hours]
    places = [Place(hour, 0) for hour in hours]

    assert plan.fitting(places, files, 120) == places[:2]
    assert plan.fitting(places, files, 10) == places[:1]
    assert plan.fitting(places, files, 1_000) == places


def test_rows_get_their_place_and_the_day_of_their_event() -> None:
    before_midnight = datetime(1969, 12, 31, 23, 59, tzinfo=UTC)
    rows = pl.DataFrame({"ts": [before_midnight]}, schema={"ts": pl.Datetime("us", "UTC")})
    placed = plan.with_place(rows, Place(-3_600 * SECOND_US, 7), "ts")

    assert placed.select("_bucket", "_shard", "event_date").rows() == [(-3_600 * SECOND_US, 7, before_midnight.date())]
    assert placed.schema == {**rows.schema, "_bucket": pl.Int64(), "_shard": pl.Int32(), "event_date": pl.Date()}


# ------------------------------------------------------------------------------------------------ windows


def pointer(
    input_count: int = 1,
    is_final: bool = False,
    bucket_us: int = 0,
    shard: int = 0,
    table: str = "windows_w",
    spec_version: int = 1,
) -> Refreshed:
    return Refreshed(
        stream="s",
        table=table,
        bucket_us=bucket_us,
        shard=shard,
        input_count=input_count,
        input_digest=f"d{input_count}",
        spec_version=spec_version,
        is_final=is_final,
    )


def result(*windows: tuple[str, int, float | None, int]) -> pl.DataFrame:
    """(key, minute, sum, count) of each window."""
    data = [
        (key, NOON + minute * MINUTE, NOON + (minute + 1) * MINUTE, value, None, count)
        for key, minute, value, count in windows
    ]
    return pl.DataFrame(data, schema=RESULT, orient="row")


NOTHING = pl.DataFrame(schema=TABLE)


def told(rows: pl.DataFrame) -> list[tuple[str, int, bool, int]]:
    """(key, minute, final, revision) of each row."""
    minute = ((pl.col("window_start") - NOON).dt.total_minutes()).cast(pl.Int64)
    return rows.select("k", minute.alias("minute"), "is_final", "revision").rows()


def step(previous: pl.DataFrame, found: pl.DataFrame, is_final: bool) -> pl.DataFrame:
    return plan.window_rows(found, pointer(is_final=is_final), previous, NOON, W)


FINAL = step(NOTHING, result(("a", 0, 1.0, 1), ("a", 1, 2.0, 1)), is_final=True)
OPEN = step(NOTHING, result(("a", 0, 1.0, 1), ("a", 1, 2.0, 1)), is_final=False)


def test_a_first_result_is_revision_0() -> None:
    assert told(OPEN) == [("a", 0, False, 0), ("a", 1, False, 0)]
    assert told(FINAL) == [("a", 0, True, 0), ("a", 1, True, 0)]


def test_a_window_that_changes_while_open_keeps_its_revision() -> None:
    assert told(step(OPEN, result(("a", 0, 9.0, 2), ("a", 1, 2.0, 1)), is_final=False)) == told(OPEN)


def test_a_window_that_changes_after_it_was_final_gets_the_next_revision_and_the_others_do_not() -> None:
    reopened = step(FINAL, result(("a", 0, 9.0, 2), ("a", 1, 2.0, 1)), is_final=False)
    assert told(reopened) == [("a", 0, False, 1), ("a", 1, True, 0)]

    again = step(reopened, result(("a", 0, 10.0, 3), ("a", 1, 2.0, 1)), is_final=False)
    assert told(again) == [("a", 0, False, 1), ("a", 1, True, 0)]
    sealed = step(again, result(("a", 0, 10.0, 3), ("a", 1, 2.0, 1)), is_final=True)
    assert told(sealed) == [("a", 0, True, 1), ("a", 1, True, 0)]
    assert told(step(sealed, result(("a", 0, 0.0, 3), ("a", 1, 0.0, 1)), is_final=True)) == [
        ("a", 0, True, 2),
        ("a", 1, True, 1),
    ]


def test_a_window_that_appears_beside_final_ones_is_revision_0() -> None:
    found = step(FINAL, result(("a", 0, 1.0, 1), ("a", 1, 2.0, 1), ("a", 2, 3.0, 1), ("b", 0, 1.0, 1)), is_final=False)

    assert told(found) == [("a", 0, True, 0), ("a", 1, True, 0), ("a", 2, False, 0), ("b", 0, False, 0)]


def test_nulls_are_equal_to_nulls_and_a_value_that_appears_is_a_change() -> None:
    empty = step(NOTHING, result(("a", 0, None, 1)), is_final=True)

    assert told(step(empty, result(("a", 0, None, 1)), is_final=True)) == [("a", 0, True, 0)]
    assert told(step(empty, result(("a", 0, 0.0, 1)), is_final=True)) == [("a", 0, True, 1)]


def test_rows_have_the_tables_schema_and_say_what_they_were_computed_from() -> None:
    found = plan.window_rows(result(("a", 0, 1.0, 1)), pointer(7, bucket_us=5, shard=2), NOTHING, NOON, W)

    assert dict(found.schema) == dict(TABLE)
    assert found.select("input_count", "computed_at", "_bucket", "_shard", "event_date").rows() == [
        (7, NOON, 5, 2, NOON.date())
    ]


def test_an_aggregate_that_is_new_does_not_make_a_window_look_changed() -> None:
    older = FINAL.drop("n_last")

    assert told(step(older, result(("a", 0, 1.0, 1), ("a", 1, 2.0, 1)), is_final=True)) == told(FINAL)


def test_an_aggregate_that_changed_its_type_is_a_conflict_that_says_what_to_do() -> None:
    older = FINAL.with_columns(pl.col("v_sum").cast(pl.String))

    with pytest.raises(SchemaConflict, match="column 'v_sum' is String in the table and Float64 in the result"):
        step(older, result(("a", 0, 1.0, 1)), is_final=True)
    with pytest.raises(SchemaConflict, match="give the new one another name"):
        step(older.clear(), result(("a", 0, 1.0, 1)), is_final=True)


def test_an_aggregate_that_only_became_wider_does_not_make_a_window_look_changed() -> None:
    narrow = FINAL.with_columns(pl.col("v_sum").cast(pl.Int64))

    assert told(step(narrow, result(("a", 0, 1.0, 1), ("a", 1, 2.0, 1)), is_final=True)) == told(FINAL)
    assert told(step(narrow, result(("a", 0, 1.5, 1), ("a", 1, 2.0, 1)), is_final=True)) != told(FINAL)


def test_a_result_from_before_a_widening_stands_as_wide_as_its_table() -> None:
    older = result(("a", 0, 1.0, 1), ("a", 1, 2.0, 1)).with_columns(pl.col("v_sum").cast(pl.Int64))
    found = step(FINAL, older, is_final=True)

    assert (found.schema["v_sum"], told(found)) == (pl.Float64(), told(FINAL))


# ------------------------------------------------------------------------------------------------ other kinds


def rows_of(name: str, *windows: tuple[object, ...]) -> pl.DataFrame:
    """Key, bounds in minutes from noon, and the other columns of the definition's result."""
    data = [
        (key, NOON + start * MINUTE, NOON + end * MINUTE, *others)  # type: ignore[operator]
        for key, start, end, *others in windows
    ]
    return pl.DataFrame(data, schema=result_schema(PARSED, PARSED.windows[name]), orient="row")


def stepped(name: str, previous: pl.DataFrame | None, found: pl.DataFrame, is_final: bool) -> pl.DataFrame:
    before = pl.DataFrame(schema=windows_schema(PARSED, PARSED.windows[name])) if previous is None else previous
    made = plan.window_rows(found, pointer(is_final=is_final), before, NOON, PARSED.windows[name])
    assert dict(made.schema) == dict(windows_schema(PARSED, PARSED.windows[name]))
    return made


def visits(*some: tuple[str | None, int, int]) -> pl.DataFrame:
    """(key, first minute, last minute) of each session."""
    return rows_of(
        "visits",
        *((key, first, last + 5, NOON + first * MINUTE, NOON + last * MINUTE, 1.0, 1) for key, first, last in some),
    )


def revisions(rows: pl.DataFrame) -> list[tuple[str | None, int, int]]:
    return [(key, minute, revision) for key, minute, _, revision in told(rows)]


def test_a_session_that_takes_in_final_ones_is_the_revision_after_theirs() -> None:
    before = stepped("visits", None, visits(("a", 0, 2), ("a", 10, 12)), is_final=True)
    joined = stepped("visits", before, visits(("a", -3, 12)), is_final=False)

    assert told(joined) == [("a", -3, False, 1)]
    sealed = stepped("visits", joined, visits(("a", -3, 12)), is_final=True)
    earlier = stepped("visits", sealed, visits(("a", -6, 12)), is_final=False)
    assert (revisions(sealed), revisions(earlier)) == ([("a", -3, 1)], [("a", -6, 2)])


def test_a_session_that_takes_in_open_ones_only_is_a_first_revision() -> None:
    before = stepped("visits", None, visits(("a", 0, 2), ("a", 10, 12)), is_final=False)

    assert told(stepped("visits", before, visits(("a", -3, 12)), is_final=True)) == [("a", -3, True, 0)]


def test_a_session_that_grows_at_its_end_is_changed_like_any_window() -> None:
    before = stepped("visits", None, visits(("a", 0, 2), ("a", 20, 22)), is_final=True)
    after = stepped("visits", before, visits(("a", 0, 4), ("a", 20, 22)), is_final=False)

    assert told(after) == [("a", 0, False, 1), ("a", 20, True, 0)]


def test_sessions_of_another_key_and_at_another_time_are_not_taken_in() -> None:
    before = stepped("visits", None, visits(("a", 0, 2), ("b", 0, 2)), is_final=True)
    after = stepped("visits", before, visits(("a", 0, 2), ("a", 20, 22), ("b", 0, 2), ("c", 1, 2)), is_final=False)

    assert revisions(after) == [("a", 0, 0), ("a", 20, 0), ("b", 0, 0), ("c", 1, 0)]


def test_sessions_of_a_null_key_are_joined_like_those_of_any_other() -> None:
    before = stepped("visits", None, visits((None, 1, 2)), is_final=True)
    after = stepped("visits", before, visits((None, 0, 2)), is_final=False)

    assert revisions(after) == [(None, 0, 1)]


def test_what_is_only_approximated_makes_no_revision_and_what_is_exact_does() -> None:
    before = stepped("sketch", None, rows_of("sketch", ("a", 0, 1, 10, 5.0, 1.0, 9)), is_final=True)

    same = stepped("sketch", before, rows_of("sketch", ("a", 0, 1, 11, 5.5, 1.0, 9)), is_final=True)
    assert revisions(same) == [("a", 0, 0)]
    assert same.select("distinct", "middle").rows() == [(11, 5.5)]
    changed = stepped("sketch", before, rows_of("sketch", ("a", 0, 1, 10, 5.0, 2.0, 9)), is_final=True)
    assert revisions(changed) == [("a", 0, 1)]


def test_windows_that_share_a_start_are_told_apart_by_their_end() -> None:
    before = stepped("growing", None, rows_of("growing", ("a", 0, 1, 1.0, 1), ("a", 0, 2, 3.0, 2)), is_final=True)
    after = stepped("growing", before, rows_of("growing", ("a", 0, 1, 1.0, 1), ("a", 0, 2, 4.0, 3)), is_final=True)

    assert after.sort("window_end")["revision"].to_list() == [0, 1]


def test_sequences_become_lists_and_are_compared_as_such() -> None:
    found = rows_of("steps", ("a", 0, 2, [1.0, None], [True, False], 1, 1))
    before = stepped("steps", None, found, is_final=True)

    assert before.schema["v_sum"] == pl.List(pl.Float64())
    assert before.select("v_sum", "v_sum_mask").rows() == [([1.0, None], [True, False])]
    assert revisions(stepped("steps", before, found, is_final=True)) == [("a", 0, 0)]
    changed = rows_of("steps", ("a", 0, 2, [1.0, 0.0], [True, False], 1, 1))
    assert revisions(stepped("steps", before, changed, is_final=True)) == [("a", 0, 1)]


# ------------------------------------------------------------------------------------------------ pointers and marks

pointers = st.lists(
    st.builds(
        pointer,
        st.integers(1, 4),
        st.booleans(),
        st.integers(0, 2),
        st.integers(0, 1),
        st.sampled_from(["records", "windows_w"]),
        st.integers(1, 2),
    ),
    max_size=10,
)


@given(pointers)
def test_of_several_results_for_a_place_of_a_table_the_one_grown_furthest_counts(
    given_pointers: list[Refreshed],
) -> None:
    best = plan.newest(given_pointers)

    assert set(best) == {(each.table, Place(each.bucket_us, each.shard)) for each in given_pointers}
    for each in given_pointers:
        winner = best[each.table, Place(each.bucket_us, each.shard)]
        assert (winner.input_count, winner.is_final, winner.spec_version) >= (
            each.input_count,
            each.is_final,
            each.spec_version,
        )
        assert winner in given_pointers


@given(pointers)
def test_marks_say_how_far_each_place_has_grown_and_by_which_spec(given_pointers: list[Refreshed]) -> None:
    best = {what: each for what, each in plan.newest(given_pointers).items() if what[0] == "windows_w"}
    marks = plan.window_marks(best.values())

    grown = {place_mark(place): growth(each.input_count, is_final=each.is_final) for (_, place), each in best.items()}
    assert marks == grown | {version_mark(place): each.spec_version for (_, place), each in best.items()}


REPLACED = {
    # (inputs, final, version) of the result; the same of what stands there → whether it may, whether it is diverted
    ((1, False, 1), None): (True, True),
    ((2, False, 1), (1, False, 1)): (True, True),
    ((1, False, 1), (2, False, 1)): (False, False),
    ((1, False, 1), (1, False, 1)): (False, False),
    ((1, True, 1), (1, False, 1)): (True, True),
    ((1, False, 1), (1, True, 1)): (False, False),
    ((1, True, 1), (1, True, 1)): (False, False),
    ((2, False, 1), (1, True, 1)): (True, False),  # a late record reopens, unless it is diverted
    ((2, True, 1), (1, True, 1)): (True, False),
    ((2, True, 2), (1, True, 1)): (True, False),
    ((1, False, 2), (1, False, 1)): (True, True),  # a newer spec computes what is there anew
    ((1, True, 2), (1, True, 1)): (True, True),
    ((1, False, 2), (2, False, 1)): (False, False),  # but not from less
    ((1, True, 2), (2, True, 1)): (False, False),
    ((1, False, 1), (1, False, 2)): (False, False),
    ((2, False, 1), (1, False, 2)): (True, True),  # more inputs count more than a newer spec
}


@pytest.mark.parametrize(("found", "there", "may"), [(*case, may) for case, may in REPLACED.items()])
def test_a_result_replaces_one_that_it_has_outgrown_and_what_is_final_is_not_touched_where_late_records_are_diverted(
    found: tuple[int, bool, int], there: tuple[int, bool, int] | None, may: tuple[bool, bool]
) -> None:
    grown, version = (0, 0) if there is None else (growth(there[0], is_final=there[1]), there[2])
    each = pointer(found[0], found[1], spec_version=found[2])

    assert (
        tuple(plan.may_replace(each, PARSED.windows[name], grown, lambda: version) for name in ("w", "diverting"))
        == may
    )


# ------------------------------------------------------------------------------------------------ late records


def test_late_records_are_entered_with_how_late_they_are_and_what_they_reopened() -> None:
    rows = stored([(0, 1, "a", 5, "b1", 0), (0, 3, "b", 6, "b1", 1), (2, 0, "a", 7, "b1", 2)])
    sealed = {Place(0, 0): ["w", "visits"]}
    entered = plan.late_rows(rows, PARSED, sealed, 2_500_000)

    assert dict(entered.schema) == dict(late_schema(PARSED))
    assert entered.select("k", "_batch", "_ordinal", "late_by_s", "windows", "_bucket", "_shard").rows() == [
        ("a", "b1", 0, 1.5, ["w", "visits"], 0, 0),
        ("b", "b1", 1, 0.0, ["w", "visits"], 0, 0),  # the wall clock had closed its bucket
    ]
    assert entered["watermark"].unique().to_list() == [from_us(2_500_000)]
    assert entered["event_date"].to_list() == entered["ts"].dt.date().to_list()


def test_records_of_places_that_are_open_are_not_late() -> None:
    rows = stored([(1, 1, "a", 5, "b1", 0)])

    assert plan.late_rows(rows, PARSED, {Place(0, 0): []}, 10**12).is_empty()
    assert plan.late_rows(rows, PARSED, {Place(3_600 * SECOND_US, 1): []}, 10**12).is_empty()
