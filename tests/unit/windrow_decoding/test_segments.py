"""Rows to segments: each row in one place, the same place on every machine."""

import hashlib
import io
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import spec
from windrow.decoding.segments import Segment, split
from windrow.lake.schema import segment_schema
from windrow.lake.tables import Place
from windrow.spec import StreamSpec
from windrow.units import SECOND_US, from_us, to_us

HOUR_US = 3_600 * SECOND_US
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stream(shards: int = 1, bucket: str = "1h", keys: str = "[a, b]") -> StreamSpec:
    return spec.parse(
        f"stream: s\ntime: {{column: ts}}\nkeys: {keys}\nshards: {shards}\nbucket: {bucket}\n"
        "columns: {ts: timestamp, a: string, b: string, n: int, ok: bool, seen: timestamp}",
        "x",
    )


def frame(rows: list[tuple[datetime, str, str]]) -> pl.DataFrame:
    data = [(ts, a, b, number, True, ts, "b1", number, EPOCH) for number, (ts, a, b) in enumerate(rows)]
    return pl.DataFrame(data, schema=segment_schema(stream()), orient="row")


def read(segment: Segment) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(segment.body))


def shard_of(parsed: StreamSpec, **columns: object) -> int:
    row = frame([(EPOCH, "", "")]).with_columns(
        pl.lit(value, segment_schema(parsed)[name]).alias(name) for name, value in columns.items()
    )
    [segment] = split(row, parsed)
    return segment.place.shard


edges = st.sampled_from([0, 1, HOUR_US - 1, HOUR_US, HOUR_US + 1, -1, -HOUR_US, -HOUR_US - 1, -HOUR_US + 1])
times = (edges | st.integers(-(10**15), 10**15)).map(from_us)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
rows = st.lists(st.tuples(times, names, names), max_size=12)


@given(rows, st.sampled_from([1, 3, 256]), st.sampled_from(["1h", "1d", "7d", "1s"]))
def test_every_row_is_in_exactly_one_segment_and_its_bucket_holds_its_time(
    given_rows: list[tuple[datetime, str, str]], shards: int, bucket: str
) -> None:
    parsed = stream(shards, bucket)
    given_frame = frame(given_rows)
    segments = list(split(given_frame, parsed))

    found: Counter[int] = Counter()
    for segment in segments:
        part = read(segment)
        found.update(part["_ordinal"].to_list())
        assert part.schema == segment_schema(parsed)
        assert (part.height, part.height > 0) == (segment.row_count, True)
        assert part["_ordinal"].is_sorted()
        assert segment.place.bucket_us % parsed.bucket == 0
        assert 0 <= segment.place.shard < shards
        for ts in part["ts"]:
            assert segment.place.bucket_us <= to_us(ts) < segment.place.bucket_us + parsed.bucket
    assert found == Counter(range(len(given_rows)))
    places = [segment.place for segment in segments]
    assert places == sorted(set(places))


@settings(max_examples=40)
@given(st.lists(st.tuples(times, names, names), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_equal_keys_share_a_shard_whatever_else_is_in_the_batch(
    given_rows: list[tuple[datetime, str, str]], random: object
) -> None:
    parsed = stream(shards=16)
    doubled = given_rows + given_rows
    random.shuffle(doubled)  # type: ignore[attr-defined]
    shard_by_key: dict[tuple[str, str], int] = {}
    for segment in split(frame(doubled), parsed):
        for a, b in read(segment).select("a", "b").rows():
            assert shard_by_key.setdefault((a, b), segment.place.shard) == segment.place.shard
    for (a, b), shard in shard_by_key.items():
        assert shard_of(parsed, a=a, b=b) == shard


@pytest.mark.parametrize(
    ("one", "other"),
    [(("a", "bc"), ("ab", "c")), (("", "ab"), ("ab", "")), (("1:a;", "b"), ("1", "a;1:b")), (("ä", "b"), ("a", "b"))],
)
def test_keys_that_read_alike_when_joined_are_told_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    parsed = stream(shards=256)

    assert shard_of(parsed, a=one[0], b=one[1]) != shard_of(parsed, a=other[0], b=other[1])


PINNED = [
    ("[a]", {"a": "sensor-1"}, 51),
    ("[a]", {"a": ""}, 141),
    ("[a]", {"a": "Zürich"}, 50),
    ("[a, b]", {"a": "sensor-1", "b": "x"}, 192),
    ("[b, a]", {"a": "sensor-1", "b": "x"}, 241),
    ("[n]", {"n": -42}, 91),
    ("[ok]", {"ok": True}, 188),
    ("[seen]", {"seen": EPOCH + timedelta(microseconds=1)}, 249),
]


@pytest.mark.parametrize(("keys", "columns", "shard"), PINNED)
def test_the_shard_of_a_key_is_the_same_for_ever(keys: str, columns: dict[str, object], shard: int) -> None:
    """A change here would compute one series in two places."""
    assert shard_of(stream(shards=256, keys=keys), **columns) == shard


OTHER_TYPES = spec.parse(
    "stream: s\ntime: {column: ts}\nkeys: [day, price, kind, ok]\nshards: 256\n"
    "columns: {ts: timestamp, day: date, price: 'decimal(10,2)', kind: categorical, ok: bool}",
    "x",
)


@pytest.mark.parametrize(
    ("key", "text", "shard"),
    [
        ((date(2026, 1, 31), Decimal("1.50"), "a", True), ("20484", "150", "a", "true"), 126),
        ((date(1969, 12, 31), Decimal("-0.01"), "b", False), ("-1", "-1", "b", "false"), 84),
        ((date(1, 1, 1), Decimal("99999999.99"), "", False), ("-719162", "9999999999", "", "false"), 74),
    ],
)
def test_dates_decimals_and_categories_are_keys_that_stay_where_they_are(
    key: tuple[object, ...], text: tuple[str, ...], shard: int
) -> None:
    row = pl.DataFrame([(EPOCH, *key, "b1", 0, EPOCH)], schema=segment_schema(OTHER_TYPES), orient="row")
    [segment] = split(row, OTHER_TYPES)

    named = "".join(f"{len(part)}:{part};" for part in text)
    assert segment.place.shard == int.from_bytes(hashlib.sha256(named.encode()).digest()[:8], "big") % 256
    assert segment.place.shard == shard


def test_shards_are_about_equally_full() -> None:
    parsed = stream(shards=8)
    counts = [segment.row_count for segment in split(frame([(EPOCH, str(n), "") for n in range(2_000)]), parsed)]

    assert len(counts) == 8
    assert 200 < min(counts) <= max(counts) < 300


def test_the_same_rows_are_the_same_bytes() -> None:
    """A segment is written under its key once; a retry must meet itself (law 2)."""
    some = frame([(EPOCH, "a", "b"), (EPOCH + timedelta(hours=2), "c", "d")])

    assert list(split(some, stream(4))) == list(split(some, stream(4)))


def test_no_rows_are_no_segments() -> None:
    assert list(split(frame([]), stream(shards=4))) == []


def test_a_bucket_of_days_before_1970_starts_before_its_rows() -> None:
    [segment] = split(frame([(datetime(1969, 12, 31, 23, tzinfo=UTC), "a", "b")]), stream(bucket="7d"))

    assert segment.place == Place(to_us(datetime(1969, 12, 25, tzinfo=UTC)), 0)
