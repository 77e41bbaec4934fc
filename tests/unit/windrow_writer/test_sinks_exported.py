"""What an export of a bucket is: files by day, whose bytes follow from the rows, and a manifest."""

import io
from datetime import UTC, date, datetime

import msgspec
import polars as pl
import pytest

from tests.support.segments import RECEIVED_US, batch_rows
from windrow.errors import BadInput
from windrow.lake.schema import records_schema
from windrow.lake.tables import Place
from windrow.spec import parse
from windrow.units import DAY_US
from windrow_writer.plan import with_place
from windrow_writer.sinks.exported import (
    Export,
    ExportedFile,
    Part,
    days_of,
    decode,
    encode,
    parts_of,
    repeated,
)

TEXT = """
stream: sensors
time: {column: ts}
keys: [sensor]
unique: [sensor, ts]
columns: {ts: timestamp, sensor: string, v: float}
bucket: 2d
sinks: [{kind: parquet, prefix: exports/sensors/}]
"""
SPEC = parse(TEXT, "sensors.yaml")
PLACE = Place(RECEIVED_US // (2 * DAY_US) * 2 * DAY_US, 0)
DAY_S = 86_400


def rows(*records: tuple[int, str, float], batch: str = "a", received_us: int = RECEIVED_US) -> pl.DataFrame:
    told = [{"ts": second, "sensor": sensor, "v": value} for second, sensor, value in records]
    return with_place(batch_rows(SPEC, batch, told, received_us), PLACE, "ts")


def parts(*frames: pl.DataFrame, max_rows: int = 1_000) -> list[Part]:
    together = pl.concat([records_schema(SPEC).to_frame(), *frames]).select(SPEC.identity)
    return list(parts_of(iter(frames), repeated(together, SPEC), SPEC, max_rows))


def told(part: Part) -> list[tuple[str, float]]:
    return pl.read_parquet(io.BytesIO(part.body)).select("sensor", "v").rows()


SOME = rows((5, "b", 1.0), (1, "b", 2.0), (3, "a", 3.0), (DAY_S + 1, "a", 4.0))


def test_each_day_of_a_bucket_has_files_of_its_own_in_order_of_key_and_time() -> None:
    found = parts(SOME)

    assert [(part.day, told(part)) for part in found] == [
        (date(2026, 1, 1), [("a", 3.0), ("b", 2.0), ("b", 1.0)]),
        (date(2026, 1, 2), [("a", 4.0)]),
    ]
    assert (found[0].min_event_time, found[0].max_event_time) == (
        datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC),
    )
    assert [part.row_count for part in found] == [3, 1]


def test_the_bytes_follow_from_the_rows_however_they_are_read() -> None:
    backwards = [SOME.slice(place, 1) for place in (3, 1, 0, 2)]

    assert parts(SOME) == parts(*backwards)


def test_a_file_does_not_say_again_what_its_folders_say() -> None:
    [first, _] = parts(SOME)

    assert pl.read_parquet(io.BytesIO(first.body)).columns == [
        "ts",
        "sensor",
        "v",
        "_batch",
        "_ordinal",
        "_received_at",
    ]


def test_copies_that_came_after_the_seal_are_left_out() -> None:
    later = rows((1, "b", 20.0), (2, "b", 5.0), batch="b", received_us=RECEIVED_US + 1)
    [first, _] = parts(SOME, later)

    assert told(first) == [("a", 3.0), ("b", 20.0), ("b", 5.0), ("b", 1.0)]
    assert first.batches == {"a", "b"}


def test_a_record_that_was_replayed_twice_is_left_once_though_both_copies_bear_one_number() -> None:
    [first, _] = parts(SOME, SOME.head(1), SOME.head(1))

    assert told(first) == [("a", 3.0), ("b", 2.0), ("b", 1.0)]


def test_a_large_bucket_is_cut_while_it_is_read() -> None:
    frames = [
        rows(*((second, "a", float(second)) for second in range(start, start + 10))) for start in range(0, 60, 10)
    ]
    for number, frame in enumerate(frames):
        frames[number] = frame.with_columns(pl.lit(f"b{number}").alias("_batch"))
    found = parts(*frames, max_rows=25)

    assert [part.row_count for part in found] == [30, 30]
    assert sorted(row for part in found for row in told(part)) == [("a", float(second)) for second in range(60)]


def test_nothing_makes_no_file() -> None:
    assert parts() == []
    assert parts(rows()) == []


@pytest.mark.parametrize(("bucket", "days"), [("1h", 1), ("1d", 1), ("2d", 2), ("7d", 7)])
def test_a_bucket_spans_days_only_if_it_is_longer_than_one(bucket: str, days: int) -> None:
    spec = parse(TEXT.replace("2d", bucket), "sensors.yaml")
    start_us = RECEIVED_US // spec.bucket * spec.bucket

    found = days_of(Place(start_us + spec.bucket, 0), spec)

    assert len(found) == days
    assert found == sorted(set(found))


# ------------------------------------------------------------------------------------------------ the manifest

EXPORT = Export(
    stream="sensors",
    bucket=datetime(2026, 1, 1, tzinfo=UTC),
    shard=3,
    spec_version=2,
    revision=1,
    table_version=7,
    row_count=2,
    min_event_time=datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    max_event_time=None,
    input_count=2,
    input_digest="d",
    batches=("a", "b"),
    files=(ExportedFile("event_date=2026-01-01/bucket=b/shard=3/part-x.parquet", 2, 10, "s"),),
)


def test_a_manifest_reads_back_as_itself_and_people_can_read_it() -> None:
    body = encode(EXPORT)

    assert decode(body, "x") == EXPORT
    assert b'\n  "min_event_time": "2026-01-01T00:00:00.000001Z",\n' in body
    assert msgspec.json.decode(body)["v"] == 1


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b"[]"])
def test_what_is_no_manifest_is_told(body: bytes) -> None:
    with pytest.raises(BadInput, match="x/_SUCCESS is not the manifest of an export, remove it"):
        decode(body, "x/_SUCCESS")
