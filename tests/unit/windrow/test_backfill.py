"""Windows from records that are in the lake already: as if they had been defined from the beginning."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import expected_windows, reading
from windrow import messages
from windrow.backfill import Backfill, Piece
from windrow.errors import BadInput, NotFound
from windrow.lake.tables import Place
from windrow.messages import Refreshed
from windrow.spec import StreamSpec, WindowSpec
from windrow.units import to_us
from windrow.windows import engine
from windrow_reprocessor.replay import ReplayRequest

HOUR_US = 3_600_000_000
BUCKET_US = 1_767_225_600_000_000
WINDOWS = {
    "minutes": "{size: 1m, aggregates: {total: sum(temperature)}}",
    "sliding": "{kind: sliding, size: 3h, slide: 1h, aggregates: {total: sum(temperature)}}",
    "visits": "{kind: session, gap: 40m, aggregates: {total: sum(temperature)}}",
    "endless": "{kind: session, gap: 40m, max_duration: 70m, aggregates: {spread: std(temperature)}}",
    "days": "{size: 1d, timezone: Europe/Berlin, aggregates: {middle: median(temperature)}}",
    "steps": "{kind: sequence, step: 30m, length: 4, stride: 2, mask: true, aggregates: {total: sum(temperature)}}",
}
WITHOUT = SENSORS[: SENSORS.index("windows:")]
ALL = WITHOUT + "windows:\n" + "".join(f"  {name}: {text}\n" for name, text in WINDOWS.items())
RECORDS = [
    reading(round(3_600 * hour), sensor) for hour in (-5.2, -4.9, -4.4, -2, -1.9, -1.4, -1.0, 0.1) for sensor in "ab"
]
COMPUTED = pl.selectors.exclude("computed_at", "input_count", "revision")


def filled(folder: Path, text: str, *batches: list[dict[str, object]], settle: bool = True) -> Pipeline:
    """A stream with these batches under a spec; everything it asks for is done."""
    pipeline = Pipeline(folder)
    pipeline.publish(text)
    for batch in batches or (RECORDS,):
        pipeline.post(batch)
        pipeline.clock.advance(1)
    if settle:
        pipeline.settle()
        pipeline.clock.advance(86_400)
        pipeline.settle()
    else:
        pipeline.run_until_quiet()
    return pipeline


def expire(pipeline: Pipeline) -> None:
    for info in list(pipeline.store.list("segments/")):
        pipeline.store.remove(info.key)


def backfill(
    pipeline: Pipeline,
    *windows: str,
    from_us: int | None = None,
    to_us: int | None = None,
    max_rows: int = 1_000_000,
) -> list[Refreshed]:
    """Run it; returns what it says to the writer, which then does it."""
    work = prepared(pipeline, max_rows)
    for piece in work.pieces(windows or list(work.published.spec.windows), from_us, to_us):
        work.run(piece)
    sent = [messages.decode(body) for body in pipeline.queues["writes"].bodies()]
    pipeline.run_until_quiet()
    return [message for message in sent if isinstance(message, Refreshed)]


def prepared(pipeline: Pipeline, max_rows: int = 1_000_000) -> Backfill:
    return Backfill(
        store=pipeline.store,
        lake=pipeline.lake,
        results=pipeline.refresher.results,
        clock=pipeline.clock,
        published=pipeline.catalog.current("sensors"),
        max_rows=max_rows,
    )


def hours(pointers: Sequence[Refreshed]) -> list[int]:
    return [(pointer.bucket_us - BUCKET_US) // HOUR_US for pointer in pointers]


# ------------------------------------------------------------------------------------------------ what is filled


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """All windows, defined from the beginning."""
    return filled(tmp_path_factory.mktemp("live"), ALL, RECORDS[:7], RECORDS[7:])


@pytest.mark.parametrize("max_rows", [1, 5, 1_000])
@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_added_later_is_filled_as_if_it_had_been_there_although_all_segments_have_expired(
    tmp_path: Path, live: Pipeline, name: str, max_rows: int
) -> None:
    pipeline = filled(tmp_path, WITHOUT, RECORDS[:7], RECORDS[7:])
    expire(pipeline)
    pipeline.publish(ALL)
    pointers = backfill(pipeline, name, max_rows=max_rows)

    expected = live.windows(name).select(COMPUTED).sort("sensor", "window_start")
    assert expected.height > 0
    assert expected["is_final"].all()
    assert pipeline.windows(name).select(COMPUTED).sort("sensor", "window_start").equals(expected)
    assert len(pointers) == len(set(pointers))


@pytest.mark.parametrize("name", [name for name, text in WINDOWS.items() if "session" not in text])
def test_what_a_backfill_says_of_its_inputs_is_what_a_refresh_would_say(tmp_path: Path, name: str) -> None:
    pipeline = filled(tmp_path, ALL, RECORDS[:7], RECORDS[7:])
    before = {info.key for info in pipeline.store.list("results/")}
    rows = pipeline.windows(name)
    pointers = backfill(pipeline, name)

    assert pointers
    assert {info.key for info in pipeline.store.list("results/")} == before
    assert pipeline.windows(name).equals(rows)


def test_an_aggregate_added_later_is_filled_by_a_revision_of_the_same_inputs(tmp_path: Path) -> None:
    pipeline = filled(tmp_path, SENSORS, [reading(1), reading(2), reading(61)])
    expire(pipeline)
    pipeline.publish(SENSORS + "      temperature_max: max(temperature)\n")
    backfill(pipeline)

    assert pipeline.windows().select("temperature_max", "row_count", "is_final").rows() == [
        (22.0, 2, True),
        (31.0, 1, True),
    ]
    assert pipeline.window_rows() == expected_windows([reading(1), reading(2), reading(61)])


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    pipeline = filled(tmp_path, WITHOUT)
    pipeline.publish(ALL)
    backfill(pipeline)
    rows = {name: pipeline.windows(name) for name in WINDOWS}
    objects = {info.key: info for info in pipeline.store.list("results/")}
    commits = pipeline.metrics.total("commits_made")
    backfill(pipeline)

    assert {info.key: info for info in pipeline.store.list("results/")} == objects
    assert pipeline.metrics.total("commits_made") == commits
    assert all(pipeline.windows(name).equals(rows[name]) for name in WINDOWS)


def test_a_record_that_comes_after_it_is_in_the_windows_with_those_it_filled(tmp_path: Path) -> None:
    pipeline = filled(tmp_path, WITHOUT, [reading(1), reading(-7_000)])
    expire(pipeline)
    pipeline.publish(SENSORS)
    backfill(pipeline)
    pipeline.post([reading(2)])
    pipeline.settle()

    assert pipeline.window_rows() == expected_windows([reading(1), reading(2), reading(-7_000)])
    assert pipeline.windows()["is_final"].all()


# ------------------------------------------------------------------------------------------------ what is left out


def test_only_windows_that_start_in_the_stretch_asked_for_are_filled(tmp_path: Path) -> None:
    pipeline = filled(tmp_path, WITHOUT)
    pipeline.publish(ALL)
    pointers = backfill(pipeline, "minutes", from_us=BUCKET_US - 2 * HOUR_US, to_us=BUCKET_US)

    assert hours(pointers) == [-2, -1]
    starts = {to_us(start) for start in pipeline.windows("minutes")["window_start"]}
    assert min(starts) >= BUCKET_US - 2 * HOUR_US
    assert max(starts) < BUCKET_US


def test_a_stretch_that_begins_within_a_bucket_fills_all_of_it(tmp_path: Path) -> None:
    pipeline = filled(tmp_path, WITHOUT)
    pipeline.publish(ALL)

    assert hours(backfill(pipeline, "minutes", from_us=BUCKET_US - HOUR_US // 2, to_us=BUCKET_US + 1)) == [-1, 0]


def test_windows_that_start_before_the_first_record_are_filled_too(tmp_path: Path) -> None:
    pipeline = filled(tmp_path, WITHOUT, [reading(1)])
    pipeline.publish(ALL)

    assert hours(backfill(pipeline, "sliding")) == [-2, -1, 0]


def test_records_on_their_way_are_left_to_the_result_that_has_them(tmp_path: Path) -> None:
    pipeline = filled(tmp_path, SENSORS, [reading(1)])
    pipeline.post([reading(2)])
    pipeline.workers["consumer"].turn()
    pipeline.workers["windower"].turn()  # it knows of two batches; the table holds one
    pipeline.queues["writes"]._messages.clear()
    pipeline.publish(SENSORS + "      temperature_max: max(temperature)\n")

    assert backfill(pipeline) == []


def test_inputs_are_never_more_than_what_is_in_records(tmp_path: Path) -> None:
    pipeline = filled(tmp_path, WITHOUT, [reading(1)])
    pipeline.publish(SENSORS)
    pipeline.post([reading(2)])
    pipeline.workers["consumer"].turn()
    for queue in pipeline.queues.values():
        queue._messages.clear()
    [pointer] = backfill(pipeline)
    assert pointer.input_count == 1
    assert pipeline.window_rows() == expected_windows([reading(1)])

    pipeline.settle()
    assert pipeline.window_rows() == expected_windows([reading(1), reading(2)])


def test_what_is_not_sealed_yet_is_filled_and_not_final(tmp_path: Path) -> None:
    pipeline = filled(tmp_path, WITHOUT, [reading(1), reading(-7_200)], settle=False)
    pipeline.publish(SENSORS)
    assert {pointer.is_final for pointer in backfill(pipeline)} == {False}

    pipeline.settle()
    assert pipeline.windows()["is_final"].to_list() == [True, True]


def test_windows_are_final_where_all_that_they_reach_over_is_sealed(tmp_path: Path) -> None:
    pipeline = filled(tmp_path, WITHOUT, [reading(-7_100), reading(1)], settle=False)
    for _ in range(2):
        pipeline.windower_sweep.run()  # seals what lies before the watermark
        pipeline.run_until_quiet()
    pipeline.publish(ALL)
    pointers = backfill(pipeline, "sliding")

    assert hours(pointers) == [-4, -3, -2, -1, 0]
    assert [pointer.is_final for pointer in pointers] == [True, False, False, False, False]


def test_a_batch_whose_records_were_all_known_already_counts_though_none_of_its_rows_is_left(tmp_path: Path) -> None:
    pipeline = filled(tmp_path, WITHOUT, [reading(1)], [reading(1)])
    expire(pipeline)
    pipeline.publish(SENSORS)
    [pointer] = backfill(pipeline)

    assert len(pipeline.record_rows()) == 1
    assert pointer.input_count == 2
    assert pipeline.window_rows() == expected_windows([reading(1)])


def test_a_backfill_leaves_buckets_alone_that_no_session_begins_in(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.publish(SENSORS.replace("size: 1m", "kind: session\n    gap: 40m"))
    pipeline.post([reading(1)])
    pipeline.settle()
    before = {info.key for info in pipeline.store.list("results/")}
    backfill(pipeline, "every_minute")

    assert {info.key for info in pipeline.store.list("results/")} == before


def test_a_backfill_names_the_batches_that_have_segments_in_the_bucket_and_no_others(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    epoch = {"ts": 1767225605000, "sensor": "a", "temperature": 3.0}
    pipeline.post([epoch])  # to quarantine: no segment
    pipeline.run_until_quiet()
    pipeline.publish(SENSORS.replace("[iso8601]", "[iso8601, epoch_ms]"))
    pipeline.replayer.replay(ReplayRequest(stream="sensors"))
    pipeline.settle()
    latest = pipeline.refresher.results.latest("sensors", "windows_every_minute", Place(BUCKET_US, 0))
    pipeline.publish(SENSORS.replace("[iso8601]", "[iso8601, epoch_ms]") + "      m: max(temperature)\n")
    backfill(pipeline, "every_minute")
    after = pipeline.refresher.results.latest("sensors", "windows_every_minute", Place(BUCKET_US, 0))

    assert latest is not None
    assert after is not None
    assert after.batches == latest.batches
    assert after.spec_version == latest.spec_version + 1


# ------------------------------------------------------------------------------------------------ pieces


def test_pieces_hold_no_more_records_than_asked_for_except_those_of_one_bucket(tmp_path: Path) -> None:
    pipeline = filled(
        tmp_path, WITHOUT, *([reading(-3_600 * hour + second) for second in range(hour)] for hour in range(1, 6))
    )
    pipeline.publish(ALL)
    read: list[int] = []

    def compute(rows: pl.DataFrame, spec: StreamSpec, window: WindowSpec, owned: tuple[int, int]) -> pl.DataFrame:
        read.append(rows.height)
        return engine.compute(rows, spec, window, owned)

    work = Backfill(
        store=pipeline.store,
        lake=pipeline.lake,
        results=pipeline.refresher.results,
        clock=pipeline.clock,
        published=pipeline.catalog.current("sensors"),
        compute=compute,
        max_rows=4,
    )
    pieces = work.pieces(["minutes"], None, None)
    for piece in pieces:
        work.run(piece)

    assert read == [5, 4, 3, 3]
    assert read == [piece.row_count for piece in pieces]
    assert sorted(owner for piece in pieces for owner in piece.owners) == [
        BUCKET_US - hour * HOUR_US for hour in (5, 4, 3, 2, 1)
    ]


def test_records_that_several_windows_reach_over_are_counted_once(tmp_path: Path) -> None:
    pipeline = filled(tmp_path, WITHOUT, [reading(second) for second in range(10)])
    pipeline.publish(ALL)
    pieces = prepared(pipeline, max_rows=10).pieces(["sliding"], None, None)

    assert [(len(piece.owners), piece.row_count) for piece in pieces] == [(3, 10)]
    assert all(isinstance(piece, Piece) for piece in pieces)


def test_a_stream_without_records_has_nothing_to_fill_from(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)

    with pytest.raises(NotFound, match="sensors has no records yet"):
        prepared(pipeline).pieces(["every_minute"], None, None)


def test_a_window_that_the_stream_does_not_have_is_refused_with_those_it_has(tmp_path: Path) -> None:
    pipeline = filled(tmp_path, SENSORS, [reading(1)], settle=False)

    with pytest.raises(
        BadInput, match="sensors has no window 'hourly' that a stream can fill; there are: every_minute"
    ):
        prepared(pipeline).pieces(["hourly"], None, None)
