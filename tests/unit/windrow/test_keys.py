from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.texts import batches, buckets_us, shards, stream_names, text
from windrow import keys
from windrow.errors import BadInput

HOUR_US = 3_600_000_000
HOSTILE_NAMES = [
    "",
    "../sensors",
    "..",
    "a/b",
    "a/../b",
    "Sensors",
    "1sensor",
    "-a",
    "_a",
    "a b",
    "a\n",
    "a\x00",
    "größe",
    "a'",
    "a%2fb",
    "a" * 64,
    "\u0430bc",  # a Cyrillic а
]
EVERY_KEY_OF_A_STREAM = [
    keys.landing_prefix,
    lambda name: keys.landing_key(name, 0, "w", ".ndjson"),
    lambda name: keys.idempotent_landing_key(name, "k", ".ndjson"),
    lambda name: keys.replay_landing_key(name, "w", ".ndjson"),
    lambda name: keys.manifest_key(name, "b"),
    keys.segments_prefix,
    lambda name: keys.segment_key(keys.SegmentAddress(name, 0, 0, "b")),
    lambda name: keys.results_prefix(name, "windows_w", 0, 0),
    lambda name: keys.panes_prefix(name, "windows_w", 0, 0),
    lambda name: keys.quarantine_key(name, "b"),
    lambda name: keys.replay_receipt_key(name, "b", "w"),
    lambda name: keys.spec_key(name, 1, "text"),
    lambda name: keys.lake_prefix(name, "records"),
]


# ------------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize("name", ["a", "sensors", "a-b_c-9", "a" * 63])
def test_a_stream_name_is_taken_as_it_is(name: str) -> None:
    assert keys.check_stream_name(name) == name


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_that_could_leave_its_place_is_refused_with_the_rule(name: str) -> None:
    with pytest.raises(BadInput, match="use 1 to 63 characters of a-z, 0-9") as raised:
        keys.check_stream_name(name)

    assert repr(name) in str(raised.value)


@pytest.mark.parametrize("make", EVERY_KEY_OF_A_STREAM)
@pytest.mark.parametrize("name", ["../x", "a/b", ""])
def test_no_key_is_made_of_a_hostile_name(make: object, name: str) -> None:
    with pytest.raises(BadInput):
        make(name)  # type: ignore[operator]


# ------------------------------------------------------------------------------------------------ digests


@given(st.lists(text, max_size=4), st.lists(text, max_size=4))
def test_a_digest_names_its_parts_and_where_they_end(left: list[str], right: list[str]) -> None:
    assert (keys.digest(*left) == keys.digest(*right)) == (left == right)


def test_a_digest_is_32_hex_digits_and_the_same_in_every_process() -> None:
    assert keys.digest("landing/s/a", "etag") == "fd33a5a0f2605832da9a8a600e6481a3"
    assert keys.digest("ab", "c") != keys.digest("a", "bc")
    assert keys.digest("a") == keys.digest(b"a")


@given(st.lists(text, max_size=5), st.randoms(use_true_random=False))
def test_a_set_has_one_name_in_any_order_and_with_repeats(members: list[str], random: object) -> None:
    shuffled = [*members, *members[:2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert keys.set_digest(shuffled) == keys.set_digest(members)
    assert keys.set_digest([*members, "one more \x00"]) != keys.set_digest(members) or "one more \x00" in members


# ------------------------------------------------------------------------------------------------ landing


@given(stream_names, buckets_us, batches)
def test_every_way_in_lands_where_its_stream_can_be_told(stream: str, received_us: int, write_id: str) -> None:
    for key in (
        keys.landing_key(stream, received_us, write_id, ".ndjson.zst"),
        keys.idempotent_landing_key(stream, "any key / at all \n", ".ndjson"),
        keys.replay_landing_key(stream, write_id, ".ndjson"),
    ):
        assert keys.stream_of_landing_key(key) == stream
        assert key.startswith(keys.landing_prefix(stream))


def test_a_batch_lands_by_the_day_of_its_receipt() -> None:
    assert keys.landing_key("s", 1_774_915_199_999_999, "w1", ".csv") == "landing/s/2026-03-30/w1.csv"
    assert keys.landing_key("s", 1_774_915_200_000_000, "w1", ".csv") == "landing/s/2026-03-31/w1.csv"


def test_an_idempotent_request_lands_at_one_key_on_every_day() -> None:
    assert keys.idempotent_landing_key("s", "k", ".x") == keys.idempotent_landing_key("s", "k", ".x")
    assert keys.idempotent_landing_key("s", "k", ".x") != keys.idempotent_landing_key("s", "l", ".x")
    assert keys.idempotent_landing_key("s", "k", ".x") != keys.idempotent_landing_key("t", "k", ".x")


@pytest.mark.parametrize(
    "key",
    [
        "landing",
        "landing/",
        "landing/s",
        "landing/s/",
        "segments/s/a",
        "/landing/s/a",
        "landing//a",
        "landing/S/a",
        "landing/../a",
    ],
)
def test_a_key_that_is_not_a_landing_key_names_no_stream(key: str) -> None:
    with pytest.raises(BadInput):
        keys.stream_of_landing_key(key)


def test_a_batch_is_its_object_and_its_bytes() -> None:
    batch = keys.batch_id("landing/s/a.csv", "etag-1")

    assert keys.batch_id("landing/s/a.csv", '"etag-1"') == batch
    assert keys.batch_id("landing/s/a.csv", "etag-2") != batch
    assert keys.batch_id("landing/s/b.csv", "etag-1") != batch


# ------------------------------------------------------------------------------------------------ after decoding


@given(stream_names, buckets_us, shards, batches)
def test_a_segment_key_says_what_the_segment_holds(stream: str, bucket_us: int, shard: int, batch: str) -> None:
    address = keys.SegmentAddress(stream, bucket_us, shard, batch)
    key = keys.segment_key(address)

    assert keys.parse_segment_key(key) == address
    assert key.startswith(keys.segments_prefix(stream, bucket_us, shard))
    assert key.startswith(keys.segments_prefix(stream))


@given(buckets_us, buckets_us)
def test_buckets_sort_as_time_does(left_us: int, right_us: int) -> None:
    assert (keys.bucket_text(left_us) < keys.bucket_text(right_us)) == (left_us < right_us)


@given(buckets_us)
def test_a_bucket_written_is_the_bucket_read(bucket_us: int) -> None:
    assert keys.bucket_us(keys.bucket_text(bucket_us)) == bucket_us


def test_one_shards_prefix_never_covers_another() -> None:
    eleven = keys.segment_key(keys.SegmentAddress("s", 0, 11, "b"))

    assert not eleven.startswith(keys.segments_prefix("s", 0, 1))
    assert not keys.results_prefix("s", "w", 0, 11).startswith(keys.results_prefix("s", "w", 0, 1))
    assert not keys.panes_prefix("s", "w", 0, 11).startswith(keys.panes_prefix("s", "w", 0, 1))


def test_the_results_of_a_table_are_neither_its_panes_nor_those_of_a_table_whose_name_begins_like_it() -> None:
    table = keys.results_prefix("s", "windows_day")

    assert not keys.results_prefix("s", "windows_days", 0, 0).startswith(table)
    assert not keys.panes_prefix("s", "windows_day", 0, 0).startswith(table)


@given(st.integers(0, 999_999_999), st.integers(0, 999_999_999))
def test_results_sort_as_they_grow(fewer: int, more: int) -> None:
    def folder(count: int) -> str:
        return keys.result_folder("s", "windows_w", 0, 0, input_count=count, input_digest="d", spec_version=1)

    assert (folder(fewer) < folder(more)) == (fewer < more)
    assert folder(fewer).startswith(keys.results_prefix("s", "windows_w", 0, 0))


def test_other_inputs_or_another_spec_are_another_result() -> None:
    folders = {
        keys.result_folder("s", table, 0, 0, input_count=count, input_digest=digest, spec_version=version)
        for table in ("records", "windows_w")
        for count in (1, 2)
        for digest in ("a", "b")
        for version in (1, 2)
    }

    assert len(folders) == 16


@given(stream_names, buckets_us, shards, st.integers(0, 999_999_999), batches)
def test_the_key_of_anything_in_a_result_says_what_it_is_of(
    stream: str, bucket_us: int, shard: int, count: int, digest: str
) -> None:
    folder = keys.result_folder(
        stream, "windows_w", bucket_us, shard, input_count=count, input_digest=digest, spec_version=3
    )

    for key in (keys.inputs_key(folder), keys.rows_key(folder)):
        assert keys.parse_result_key(key) == keys.ResultAddress(bucket_us, shard, count, digest, spec_version=3)


@pytest.mark.parametrize(
    "key",
    [
        "results/s/w/",
        "results/s/w/2026-01-01T000000Z/0/inputs.json",
        "results/s/w/2026-01-01T000000Z/0/one-d-1/inputs.json",
        "results/s/w/2026-01-01T000000Z/0/000000001-d-one/inputs.json",
        "results/s/w/2026/0/000000001-d-000001/inputs.json",
    ],
)
def test_what_is_no_result_key_is_said_to_be_none(key: str) -> None:
    with pytest.raises(BadInput, match="not a result's key"):
        keys.parse_result_key(key)


@given(buckets_us, st.sampled_from([1, 60, 3_600, 86_400, 7 * 86_400]), st.integers(1, 40), st.integers(1, 1_000))
def test_every_bucket_lies_below_one_of_the_few_beginnings_that_are_listed_for_it(
    first_us: int, size_s: int, some: int, stretch: int
) -> None:
    buckets = range(first_us, first_us + size_s * 1_000_000 * some * stretch, size_s * 1_000_000)[:25_000]
    prefixes = keys.bucket_prefixes(buckets)

    assert 1 <= len(prefixes) <= 4
    for bucket_us in (*buckets[:50], *buckets[-50:], *buckets[:: max(1, len(buckets) // 50)]):
        address = keys.SegmentAddress("s", bucket_us, 0, "b")
        assert keys.segment_key(address).startswith(tuple(f"{keys.segments_prefix('s')}{below}" for below in prefixes))


@pytest.mark.parametrize(
    ("hours", "beginnings"),
    [
        (1, ["2026-01-01T000000Z/"]),
        (3, ["2026-01-01T000000Z/", "2026-01-01T010000Z/", "2026-01-01T020000Z/"]),
        (30, ["2026-01-01", "2026-01-02"]),
        (24 * 40, ["2026-01", "2026-02"]),
        (24 * 500, ["2026", "2027"]),
        (24 * 3_000, [""]),
        (24 * 900, [""]),
    ],
)
def test_what_is_listed_for_some_buckets_is_little_more_than_they_hold(hours: int, beginnings: list[str]) -> None:
    start_us = 1_767_225_600_000_000  # 2026-01-01

    assert keys.bucket_prefixes(range(start_us, start_us + hours * HOUR_US, HOUR_US)) == beginnings


def test_no_buckets_are_below_nothing() -> None:
    assert keys.bucket_prefixes(range(0)) == []


def test_a_windows_table_tells_the_window_it_is_for() -> None:
    assert keys.window_of_table(keys.windows_table("windows_of_a_day")) == "windows_of_a_day"


def test_a_dead_letter_is_named_by_what_it_says_and_where_it_died() -> None:
    assert keys.dead_letter_key("landed", "body") == keys.dead_letter_key("landed", "body")
    assert keys.dead_letter_key("landed", "body") != keys.dead_letter_key("landed", "other")
    assert keys.dead_letter_key("landed", "body") != keys.dead_letter_key("writes", "body")
    assert keys.dead_letter_key("landed", "body").startswith(keys.DEAD_LETTERS_PREFIX)


# ------------------------------------------------------------------------------------------------ exports


def test_an_export_lies_in_folders_that_readers_of_hive_tables_know() -> None:
    folder = keys.export_folder("exports/s/", date(2026, 1, 2), 1_767_312_000_000_000, 3)

    assert folder == "exports/s/event_date=2026-01-02/bucket=2026-01-02T000000Z/shard=3/"
    assert keys.export_success_key(folder) == f"{folder}_SUCCESS"
    part = keys.export_part_key(folder, 7, 1, "0123456789abcdef" * 4)
    assert part == f"{folder}part-000000007-00001-0123456789abcdef.parquet"
    assert keys.input_count_of_export_part(part) == 7


@pytest.mark.parametrize("name", ["_SUCCESS", "part-0.parquet", "part-000000007-00001-0123456789abcdef.csv", "a"])
def test_what_is_no_file_of_an_export_has_not_grown(name: str) -> None:
    assert keys.input_count_of_export_part(f"exports/s/{name}") is None


# ------------------------------------------------------------------------------------------------ specs


@given(stream_names, st.integers(1, 999_999), text)
def test_a_spec_key_tells_its_version(stream: str, version: int, body: str) -> None:
    key = keys.spec_key(stream, version, body)

    assert keys.spec_version(key) == version
    assert key.startswith(keys.spec_prefix(stream))


def test_every_zone_of_a_key_is_in_the_topology(topology: object) -> None:
    made = [
        keys.landing_prefix("s"),
        keys.manifest_prefix("s"),
        keys.segments_prefix("s"),
        keys.results_prefix("s", "records", 0, 0),
        keys.panes_prefix("s", "windows_w", 0, 0),
        keys.quarantine_prefix("s"),
        keys.replay_receipt_prefix("s"),
        keys.DEAD_LETTERS_PREFIX,
        keys.SPECS_PREFIX,
        keys.lease_key("s", "records"),
        keys.writer_key("a"),
        keys.lake_prefix("s", "records"),
        keys.export_folder("exports/s/", date(2026, 1, 1), 0, 0),
    ]

    assert {key.split("/")[0] for key in made} == set(topology.zones)  # type: ignore[attr-defined]


def test_a_bucket_long_ago_is_read_back_as_it_was_written() -> None:
    start_us = -31_000_000_000 * 1_000_000  # in the year 987

    assert keys.bucket_text(start_us).startswith("0987-")
    assert keys.bucket_us(keys.bucket_text(start_us)) == start_us


def test_what_is_no_segment_key_is_said_to_be_none() -> None:
    for key in ("segments/s/", "segments/s/2026/0/x.parquet", "segments/s/2026-01-01T000000Z/zero/x.parquet"):
        with pytest.raises(BadInput, match="not a segment's key"):
            keys.parse_segment_key(key)


# ------------------------------------------------------------------------------------------------ versions of tables


def test_the_first_tables_are_the_streams_own_and_later_ones_say_which_they_are() -> None:
    assert [keys.flow_name("sensors", tables) for tables in (1, 2, 12)] == ["sensors", "sensors__v2", "sensors__v12"]
    assert [keys.stream_of_flow(flow) for flow in ("sensors", "sensors__v2")] == ["sensors", "sensors"]
    assert [keys.tables_of_flow(flow) for flow in ("sensors", "sensors__v2")] == [1, 2]
    assert keys.named_tables("sensors") == ("sensors", None)
    assert keys.named_tables("sensors__v1") == ("sensors", 1)


def test_both_names_of_the_first_tables_are_one_place() -> None:
    assert (
        keys.lake_prefix("sensors__v1", "records") == keys.lake_prefix("sensors", "records") == "lake/sensors/records/"
    )
    assert keys.lake_prefix("sensors__v2", "records") == "lake/sensors__v2/records/"


@pytest.mark.parametrize("name", ["a__v2__v3", "A__v2", "__v2", "a/b__v2", "../a__v2"])
def test_a_flow_is_a_streams_name_and_a_version(name: str) -> None:
    with pytest.raises(BadInput):
        keys.check_flow(name)


def test_a_spec_key_says_which_tables_it_writes_to_and_older_keys_mean_the_first() -> None:
    first, second = keys.spec_key("s", 3, "text"), keys.spec_key("s", 4, "text", tables=2)

    assert first == f"config/streams/s/000003-{keys.digest('text')}.yaml"
    assert [(keys.spec_version(key), keys.tables_of_spec(key)) for key in (first, second)] == [(3, 1), (4, 2)]
