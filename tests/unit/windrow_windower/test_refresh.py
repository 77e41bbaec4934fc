"""What a refresh makes, what it leaves as it is, and what it says to the writer."""

import io
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import expected_windows, reading
from windrow import keys, messages, results
from windrow.errors import NotFound, Permanent, SchemaConflict, Unavailable
from windrow.lake.tables import Place
from windrow.listing import Listing
from windrow.messages import Refreshed
from windrow.results import Inputs
from windrow.units import to_us

HOUR_US = 3_600_000_000
BUCKET = Place(1_767_225_600_000_000, 0)
MINUTES, TABLE = "every_minute", "windows_every_minute"
HOURLY = SENSORS + "  hourly:\n    size: 1h\n    aggregates: {warmest: max(temperature)}\n"


def decoded(folder: Path, *seconds: int) -> Pipeline:
    """Records as segments, one batch each; nothing is computed yet."""
    pipeline = Pipeline(folder)
    for second in seconds:
        pipeline.post([reading(second)])
        pipeline.clock.advance(1)
    pipeline.workers["consumer"].turn()
    pipeline.queues["windows"]._messages.clear()
    pipeline.queues["writes"]._messages.clear()
    return pipeline


def sent(pipeline: Pipeline) -> list[Refreshed]:
    found = [messages.decode(body) for body in pipeline.queues["writes"].bodies()]
    return [message for message in found if isinstance(message, Refreshed)]


def puts_of(pipeline: Pipeline) -> list[str]:
    """Every key written from now on."""
    written: list[str] = []
    pipeline.store.fault = lambda operation, key: written.append(key) if operation == "put_if_absent.after" else None
    return written


def test_a_place_without_a_segment_has_no_result_and_no_pointer(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path)

    assert pipeline.refresher.refresh("sensors", MINUTES, BUCKET) is None
    assert (list(pipeline.store.list("results/")), sent(pipeline)) == ([], [])


def test_a_result_says_what_it_was_computed_from_and_its_pointer_says_the_same(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1, 2)
    inputs = pipeline.refresher.refresh("sensors", MINUTES, BUCKET)

    assert inputs is not None
    listed = [keys.parse_segment_key(info.key).batch for info in pipeline.store.list("segments/")]
    assert inputs.batches == {BUCKET.bucket_us: tuple(sorted(listed))}
    assert (inputs.table, inputs.spec_version) == (TABLE, 1)
    assert (inputs.from_us, inputs.to_us) == (BUCKET.bucket_us, BUCKET.bucket_us + HOUR_US)
    assert results.decode(pipeline.store.get(keys.inputs_key(inputs.folder)).body) == inputs
    assert sent(pipeline) == [
        Refreshed(
            stream="sensors",
            table=TABLE,
            bucket_us=BUCKET.bucket_us,
            shard=BUCKET.shard,
            input_count=2,
            input_digest=inputs.digest,
            spec_version=1,
            is_final=False,
        )
    ]
    stored = pipeline.store.get(keys.rows_key(inputs.folder))
    assert pl.read_parquet(io.BytesIO(stored.body))["row_count"].to_list() == [2]


def test_the_inputs_are_written_last_so_that_half_a_result_is_none(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1)
    written = puts_of(pipeline)
    pipeline.refresher.refresh("sensors", MINUTES, BUCKET)

    assert [key.rsplit("/", 1)[1] for key in written] == ["rows.parquet", "inputs.json"]
    pipeline.store.remove(written[-1])
    assert pipeline.refresher.results.latest("sensors", TABLE, BUCKET) is None


def test_a_refresh_of_known_inputs_computes_nothing_and_points_again(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1, 2)
    first = pipeline.refresher.refresh("sensors", MINUTES, BUCKET)
    written = puts_of(pipeline)
    again = pipeline.refresher.refresh("sensors", MINUTES, BUCKET, is_final=True)

    assert (written, again) == ([], first)
    assert [pointer.is_final for pointer in sent(pipeline)] == [False, True]
    assert pipeline.metrics.total("refreshes_computed") == 1


def test_two_windowers_at_the_same_bucket_make_one_result(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1, 2)
    is_first = True

    def rival(operation: str, key: str) -> None:
        nonlocal is_first
        if is_first and operation == "put_if_absent" and key.startswith("results/"):
            is_first = False
            pipeline.refresher.refresh("sensors", MINUTES, BUCKET)

    pipeline.store.fault = rival
    inputs = pipeline.refresher.refresh("sensors", MINUTES, BUCKET)

    assert inputs is not None
    folders = {info.key.rsplit("/", 1)[0] + "/" for info in pipeline.store.list("results/")}
    assert folders == {inputs.folder}
    assert len(set(sent(pipeline))) == 1


def test_the_latest_result_is_the_one_with_the_most_inputs(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1)
    for second in range(2, 13):
        pipeline.refresher.refresh("sensors", MINUTES, BUCKET)
        pipeline.post([reading(second)])
        pipeline.workers["consumer"].turn()
    pipeline.refresher.refresh("sensors", MINUTES, BUCKET)

    latest = pipeline.refresher.results.latest("sensors", TABLE, BUCKET)
    assert latest is not None
    assert latest.count == 12


def test_each_window_of_a_stream_has_results_of_its_own(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1, 2)
    first = pipeline.refresher.refresh("sensors", MINUTES, BUCKET)
    pipeline.publish(HOURLY)
    again = pipeline.refresher.refresh("sensors", MINUTES, BUCKET)
    other = pipeline.refresher.refresh("sensors", "hourly", BUCKET)

    assert again == first  # a new window is no reason to compute the others anew
    assert other is not None
    assert (other.table, other.spec_version) == ("windows_hourly", 2)
    assert first is not None
    assert other.batches == first.batches


def test_a_window_that_the_stream_does_not_have_is_refused(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1)

    with pytest.raises(Permanent, match="sensors: there is no window 'hourly' that a stream can fill"):
        pipeline.refresher.refresh("sensors", "hourly", BUCKET)


# ------------------------------------------------------------------------------------------------ windows over buckets

SLIDING = SENSORS.replace("size: 1m", "kind: sliding\n    size: 3h\n    slide: 1h")
VISITS = SENSORS.replace("size: 1m", "kind: session\n    gap: 40m")


def spread(folder: Path, text: str, *hours: float) -> Pipeline:
    """Under this spec, one record in one batch at each of these hours from the bucket's start."""
    pipeline = Pipeline(folder)
    pipeline.publish(text)
    for hour in hours:
        add(pipeline, hour)
    pipeline.queues["windows"]._messages.clear()
    pipeline.queues["writes"]._messages.clear()
    return pipeline


def add(pipeline: Pipeline, hour: float, temperature: float = 20.0) -> None:
    pipeline.post([reading(round(3_600 * hour), temperature=temperature)])
    pipeline.clock.advance(1)
    pipeline.workers["consumer"].turn()


def place(hour: int) -> Place:
    return Place(BUCKET.bucket_us + hour * HOUR_US, 0)


def refreshed(pipeline: Pipeline, hour: int = 0) -> Inputs:
    inputs = pipeline.refresher.refresh("sensors", MINUTES, place(hour))
    assert inputs is not None
    return inputs


def rows(pipeline: Pipeline, inputs: Inputs) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(pipeline.store.get(keys.rows_key(inputs.folder)).body))


def hours(inputs: Inputs) -> list[int]:
    return [(bucket - BUCKET.bucket_us) // HOUR_US for bucket in inputs.batches]


def owners(pipeline: Pipeline, hour: int) -> list[int]:
    listing = Listing(pipeline.store, "sensors")
    found = pipeline.refresher.owners("sensors", MINUTES, place(hour), listing)
    return [(owner.bucket_us - BUCKET.bucket_us) // HOUR_US for owner in found]


def test_a_window_over_several_buckets_is_computed_from_the_segments_of_all_of_them(tmp_path: Path) -> None:
    pipeline = spread(tmp_path, SLIDING, -1.5, -0.5, 0.5)
    inputs = refreshed(pipeline, -2)

    assert (hours(inputs), inputs.count) == ([-2, -1, 0], 3)
    assert (inputs.from_us, inputs.to_us) == (place(-2).bucket_us, place(1).bucket_us)
    assert rows(pipeline, inputs)["row_count"].to_list() == [3]
    assert [(pointer.bucket_us, pointer.input_count) for pointer in sent(pipeline)] == [(place(-2).bucket_us, 3)]


def test_the_windows_of_a_bucket_without_records_of_its_own_are_made_of_what_they_reach_over(tmp_path: Path) -> None:
    pipeline = spread(tmp_path, SLIDING, 0.5)
    inputs = refreshed(pipeline, -2)

    assert hours(inputs) == [0]
    assert rows(pipeline, inputs)["row_count"].to_list() == [1]
    assert owners(pipeline, 0) == [-2, -1, 0]


def test_only_the_windows_that_start_in_the_bucket_are_in_its_result(tmp_path: Path) -> None:
    pipeline = spread(tmp_path, SLIDING, -1.5, -0.5, 0.5)

    for hour in range(-4, 1):
        starts = rows(pipeline, refreshed(pipeline, hour))["window_start"]
        assert [to_us(start) for start in starts] == [place(hour).bucket_us]


def test_a_session_over_buckets_belongs_to_the_one_it_began_in(tmp_path: Path) -> None:
    pipeline = spread(tmp_path, VISITS, -1.9, -1.5, -1.0, -0.5, 0.0, 0.4)
    began, went_on = refreshed(pipeline, -2), refreshed(pipeline, 0)

    assert rows(pipeline, began)["row_count"].to_list() == [6]
    assert began.count == 6
    assert rows(pipeline, went_on).is_empty()
    assert owners(pipeline, 0) == [-2, 0]  # there are no records in the bucket after it


def test_what_a_result_reached_over_stays_in_it_when_a_session_has_moved_away(tmp_path: Path) -> None:
    pipeline = spread(tmp_path, VISITS, -0.5, 0.0, 0.4)
    before = refreshed(pipeline, -1)
    add(pipeline, -1.1)
    after = refreshed(pipeline, -1)

    assert rows(pipeline, before)["row_count"].to_list() == [3]
    assert rows(pipeline, after).is_empty()
    assert rows(pipeline, refreshed(pipeline, -2))["row_count"].to_list() == [4]
    assert set(after.batches[BUCKET.bucket_us]) == set(before.batches[BUCKET.bucket_us])
    assert after.count == before.count + 1
    assert (after.from_us, after.to_us) <= (before.from_us, before.to_us)


@pytest.mark.parametrize("extra", ["", "\n    max_duration: 70m"])
@pytest.mark.parametrize("output", ["temperature_sum: sum(temperature)", "temperature_std: std(temperature)"])
def test_sessions_are_the_same_whether_they_are_put_together_bit_by_bit_or_at_once(
    tmp_path: Path, extra: str, output: str
) -> None:
    text = VISITS.replace("gap: 40m", f"gap: 40m{extra}").replace("temperature_sum: sum(temperature)", output)
    some = [-1.9, -0.5, -1.0, 0.0, -1.5, 0.4, -3.0]
    stepwise = spread(tmp_path / "stepwise", text)
    for hour in some:
        add(stepwise, hour)
        for owner in range(-4, 2):
            stepwise.refresher.refresh("sensors", MINUTES, place(owner))
    at_once = spread(tmp_path / "at_once", text, *some)

    for owner in range(-4, 1):
        mine = stepwise.refresher.results.latest("sensors", TABLE, place(owner))
        theirs = at_once.refresher.refresh("sensors", MINUTES, place(owner))
        assert (mine is None) == (theirs is None)
        if mine is not None and theirs is not None:
            assert rows(stepwise, mine).equals(rows(at_once, theirs))


# ------------------------------------------------------------------------------------------------ what is read once


def gets_of(pipeline: Pipeline) -> list[str]:
    """The batch of every segment read from now on."""
    read: list[str] = []

    def hook(operation: str, key: str) -> None:
        if operation == "get" and key.startswith("segments/"):
            read.append(keys.parse_segment_key(key).batch)

    pipeline.store.fault = hook
    return read


def test_a_refresh_reads_only_the_segments_that_it_has_not_read_before(tmp_path: Path) -> None:
    pipeline = spread(tmp_path, SLIDING, -1.5, -0.5, 0.5)
    refreshed(pipeline, -2)
    read = gets_of(pipeline)
    add(pipeline, 0.6)
    inputs = refreshed(pipeline, -2)

    assert len(read) == 1
    assert rows(pipeline, inputs)["row_count"].to_list() == [4]


def test_a_record_that_may_be_known_already_leads_to_its_buckets_records_and_no_others(tmp_path: Path) -> None:
    pipeline = spread(tmp_path, SLIDING, -1.5, -0.5, 0.5, 0.6)
    refreshed(pipeline, -2)
    read = gets_of(pipeline)
    add(pipeline, 0.5, temperature=99.0)
    inputs = refreshed(pipeline, -2)

    here = set(inputs.batches[BUCKET.bucket_us])
    assert set(read) == here
    assert rows(pipeline, inputs).select("row_count", "temperature_sum").rows() == [(4, 20.0 * 3 + 99.0)]


def test_a_windower_that_has_forgotten_everything_makes_the_same_result(tmp_path: Path) -> None:
    pipeline = spread(tmp_path, SLIDING, -1.5, -0.5, 0.5)
    refreshed(pipeline, -2)
    add(pipeline, 0.25)
    pipeline.forget()
    read = gets_of(pipeline)
    inputs = refreshed(pipeline, -2)

    assert len(read) == 4
    assert rows(pipeline, inputs)["row_count"].to_list() == [4]


def test_panes_of_many_records_are_stored_and_read_instead_of_the_segments_they_are_of(tmp_path: Path) -> None:
    pipeline = spread(tmp_path, SLIDING, 0.1, 0.2)
    pipeline.refresher._places = replace(pipeline.refresher._places, min_stored_rows=2)
    refreshed(pipeline)
    pipeline.forget()
    pipeline.refresher._places = replace(pipeline.refresher._places, min_stored_rows=2)
    add(pipeline, 0.3)
    read = gets_of(pipeline)
    inputs = refreshed(pipeline)

    assert len(read) == 1
    assert rows(pipeline, inputs)["row_count"].to_list() == [3]
    stored = list(pipeline.store.list(keys.panes_prefix("sensors", TABLE, *BUCKET)))
    assert len(stored) == 2


def test_panes_are_a_cache_that_may_be_deleted_at_any_time(tmp_path: Path) -> None:
    pipeline = spread(tmp_path, SLIDING, 0.1, 0.2)
    pipeline.refresher._places = replace(pipeline.refresher._places, min_stored_rows=2)
    refreshed(pipeline)
    for info in list(pipeline.store.list(keys.panes_prefix("sensors", TABLE, *BUCKET))):
        pipeline.store.remove(info.key)
    pipeline.forget()
    add(pipeline, 0.3)

    assert rows(pipeline, refreshed(pipeline))["row_count"].to_list() == [3]


def test_panes_of_another_version_of_the_spec_are_not_used(tmp_path: Path) -> None:
    pipeline = spread(tmp_path, SLIDING, 0.1, 0.2)
    pipeline.refresher._places = replace(pipeline.refresher._places, min_stored_rows=2)
    refreshed(pipeline)
    pipeline.publish(SLIDING.replace("temperature_sum: sum(", "temperature_sum: max("))
    add(pipeline, 0.3)

    assert rows(pipeline, refreshed(pipeline))["temperature_sum"].to_list() == [20.0]


def test_a_batch_appended_between_listing_and_reading_the_lake_is_not_counted_twice(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS.replace("unique: [sensor, ts]\n", ""))
    pipeline.post([reading(1)])
    pipeline.settle()
    for info in list(pipeline.store.list("segments/")):
        pipeline.store.remove(info.key)
    pipeline.forget()
    pipeline.post([reading(2)])
    pipeline.workers["consumer"].turn()
    listing = Listing(pipeline.store, "sensors")
    listing.known(0, range(BUCKET.bucket_us, BUCKET.bucket_us + HOUR_US, HOUR_US))  # a group of pointers begins
    pipeline.post([reading(3)])
    pipeline.workers["consumer"].turn()
    pipeline.workers["writer"].turn()  # the writer is faster
    with suppress(Unavailable):
        pipeline.refresher.refresh("sensors", "every_minute", BUCKET, listing=listing)
    pipeline.settle()

    assert pipeline.windows()["row_count"].to_list() == [3]


# ------------------------------------------------------------------------------------------------ sealing of records


def test_a_seal_of_records_lists_the_batches_and_has_no_rows(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1, 2)
    inputs = pipeline.refresher.seal_records("sensors", BUCKET)

    assert inputs is not None
    assert (inputs.table, inputs.count, list(inputs.batches)) == ("records", 2, [BUCKET.bucket_us])
    assert [info.key for info in pipeline.store.list("results/")] == [keys.inputs_key(inputs.folder)]
    [pointer] = sent(pipeline)
    assert (pointer.table, pointer.is_final, pointer.input_digest) == ("records", True, inputs.digest)


def test_a_seal_of_nothing_is_none(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path)

    assert pipeline.refresher.seal_records("sensors", BUCKET) is None
    assert sent(pipeline) == []


def test_a_seal_counts_the_batches_whose_segments_have_expired_since_the_one_before(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1, 2)
    pipeline.refresher.seal_records("sensors", BUCKET)
    for info in list(pipeline.store.list("segments/")):
        pipeline.store.remove(info.key)
    pipeline.post([reading(3)])
    pipeline.workers["consumer"].turn()

    inputs = pipeline.refresher.seal_records("sensors", BUCKET)
    assert inputs is not None
    assert inputs.count == 3


def test_a_segment_that_a_lifecycle_rule_removes_just_after_it_was_listed_costs_another_try(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1)
    [segment] = pipeline.store.list("segments/")
    listing = Listing(pipeline.store, "sensors")
    listing.known(BUCKET.shard, range(BUCKET.bucket_us, BUCKET.bucket_us + 1, HOUR_US))
    pipeline.store.remove(segment.key)

    with pytest.raises(Unavailable, match="was removed after it was listed"):
        pipeline.refresher.refresh("sensors", MINUTES, BUCKET, listing=listing)
    assert (list(pipeline.store.list("results/")), sent(pipeline)) == ([], [])


# ------------------------------------------------------------------------------------------------ specs that change


def test_segments_of_an_older_spec_are_read_under_the_new_one(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1)
    pipeline.publish(SENSORS.replace("  humidity: int\n", "  humidity: int\n  pressure: float\n"))
    pipeline.post([reading(2, pressure=1013.25)])
    pipeline.run_until_quiet()
    pipeline.settle()

    assert pipeline.window_rows() == expected_windows([reading(1), reading(2)])
    assert pipeline.records()["pressure"].to_list() == [None, 1013.25]


def test_a_segment_whose_column_has_another_type_is_refused_by_name(tmp_path: Path) -> None:
    pipeline = decoded(tmp_path, 1)
    pipeline.publish(SENSORS.replace("humidity: int", "humidity: bool"))

    with pytest.raises(SchemaConflict, match=r"segments/sensors/.*: column 'humidity' is Int64, the spec says Boolean"):
        pipeline.refresher.refresh("sensors", MINUTES, BUCKET)
    assert (list(pipeline.store.list("results/")), sent(pipeline)) == ([], [])


def test_a_stream_without_a_spec_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no stream 'other'"):
        decoded(tmp_path).refresher.refresh("other", MINUTES, BUCKET)
