"""Parquet and Arrow: their types are the sender's, and the spec still decides; whatever the bytes, no row is lost."""

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from windrow import spec
from windrow.decoding.decode import decode_whole
from windrow.decoding.parts import Batch, Decoded, DecodeLimits
from windrow.decoding.tables import cut_arrow, cut_parquet
from windrow.decoding.unknown import Unknown
from windrow.errors import BadInput, TooLarge
from windrow.spec import StreamSpec
from windrow.units import to_us

LIMITS = DecodeLimits(max_plain_bytes=64 << 20, max_record_bytes=1 << 20)
NOW_US = to_us(datetime(2026, 6, 1, tzinfo=UTC))
AT = datetime(2026, 1, 1, tzinfo=UTC)
SPEC = """
stream: s
time: {column: ts}
columns: {ts: timestamp, k: string, n: int, x: float, ok: bool}
"""


def parse(text: str = SPEC) -> StreamSpec:
    return spec.parse(text, "x")


def parquet_of(frame: pl.DataFrame, **options: object) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, **options)
    return buffer.getvalue()


def arrow_of(frame: pl.DataFrame, *, as_stream: bool) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer) if as_stream else frame.write_ipc(buffer)
    return buffer.getvalue()


def read(body: bytes, name: str = "a.parquet", parsed: StreamSpec | None = None) -> Decoded:
    return decode_whole(body, Batch("b" * 32, name, NOW_US, "", ""), parsed or parse(), LIMITS)


def frame_of(**columns: object) -> pl.DataFrame:
    count = max((len(values) for values in columns.values() if isinstance(values, list)), default=1)
    return pl.DataFrame({"ts": [AT] * count, **columns})


values = st.fixed_dictionaries(
    {
        "ts": st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
        "k": st.none() | st.text(max_size=5),
        "n": st.none() | st.integers(-(1 << 63), (1 << 63) - 1),
        "x": st.none() | st.floats(),
        "ok": st.none() | st.booleans(),
    }
)
SCHEMA = {"ts": pl.Datetime("us", "UTC"), "k": pl.String, "n": pl.Int64, "x": pl.Float64, "ok": pl.Boolean}


@settings(max_examples=60)
@given(st.lists(values, max_size=12), st.sampled_from(["a.parquet", "a.arrow", "a.arrows"]), st.integers(1, 5))
def test_every_row_is_a_record_or_a_reject(rows: list[dict[str, object]], name: str, group: int) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA)
    if name == "a.parquet":
        body = parquet_of(frame, row_group_size=group)
    else:
        body = arrow_of(frame, as_stream=name == "a.arrows")
    decoded = read(body, name)

    bad = [
        index
        for index, row in enumerate(rows)
        if row["ts"] is None
        or row["ts"] > datetime(2026, 6, 1, 0, 10, tzinfo=UTC)
        or (row["x"] is not None and (row["x"] != row["x"] or abs(row["x"]) == float("inf")))
    ]
    assert decoded.record_count == len(rows)
    assert [each.ordinal for each in decoded.rejected] == bad
    good = [row for index, row in enumerate(rows) if index not in bad]
    assert decoded.rows.select(list(SCHEMA)).to_dicts() == good


@settings(max_examples=80)
@given(st.binary(max_size=200), st.sampled_from(["a.parquet", "a.arrow", "a.arrows"]))
def test_what_is_no_table_is_bad_input(body: bytes, name: str) -> None:
    with pytest.raises(BadInput):
        read(body, name)


@settings(max_examples=80)
@given(st.data(), st.sampled_from(["a.parquet", "a.arrow", "a.arrows"]))
def test_a_damaged_table_is_refused_or_read_but_never_worse(data: st.DataObject, name: str) -> None:
    frame = frame_of(k=["a", "b", "c"], n=[1, 2, 3])
    whole = parquet_of(frame) if name == "a.parquet" else arrow_of(frame, as_stream=name == "a.arrows")
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    try:
        decoded = read(damaged, name)
    except (BadInput, TooLarge):
        return
    assert decoded.rows.height + decoded.quarantined == decoded.record_count


def test_a_rejected_row_is_kept_as_json_and_can_be_read_again_from_that() -> None:
    frame = frame_of(k=["a"], n=[1], x=[float("nan")], day=[date(2026, 1, 2)], raw=[b"\xff"], price=[Decimal("1.50")])
    [refused] = read(parquet_of(frame)).rejected

    kept = json.loads(refused.raw())
    assert refused.format == "json"
    assert kept["ts"] == "2026-01-01T00:00:00+00:00"
    assert (kept["k"], kept["n"], kept["x"]) == ("a", 1, "nan")
    assert (kept["day"], kept["raw"], kept["price"]) == ("2026-01-02", "/w==", "1.50")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pl.Series([1, 2], dtype=pl.UInt8), [1, 2]),
        (pl.Series([1, 2], dtype=pl.Int32), [1, 2]),
        (pl.Series([1.0, 2.0], dtype=pl.Float32), [1, 2]),
        (pl.Series(["1", "2"], dtype=pl.Categorical), [1, 2]),
        (pl.Series([1, None], dtype=pl.UInt64), [1, None]),
    ],
)
def test_numbers_of_any_width_are_read(values: pl.Series, expected: list[int | None]) -> None:
    assert read(parquet_of(frame_of(k=["a", "b"]).with_columns(values.alias("n")))).rows["n"].to_list() == expected


def test_a_number_too_large_for_64_bits_is_refused_and_not_wrapped() -> None:
    frame = frame_of(k=["a", "b"]).with_columns(pl.Series("n", [(1 << 64) - 1, 1], dtype=pl.UInt64))

    decoded = read(parquet_of(frame))
    assert (decoded.rows["n"].to_list(), [each.reject.reason for each in decoded.rejected]) == ([1], ["wrong_type"])


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_times_of_any_unit_are_read_to_the_microsecond(unit: str) -> None:
    moment = datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
    frame = pl.DataFrame({"ts": pl.Series([moment]).cast(pl.Datetime(unit, "UTC"))})

    assert read(parquet_of(frame)).rows["ts"].to_list() == [moment]


def test_times_without_a_zone_are_local_to_the_specs() -> None:
    frame = pl.DataFrame({"ts": [datetime(2026, 1, 1, 1)]})

    berlin = parse(SPEC.replace("{column: ts}", "{column: ts, zone: Europe/Berlin}"))
    assert read(parquet_of(frame)).rows["ts"].to_list() == [datetime(2026, 1, 1, 1, tzinfo=UTC)]
    assert read(parquet_of(frame), parsed=berlin).rows["ts"].to_list() == [AT]


def test_structs_are_descended_into_and_lists_are_exploded() -> None:
    nested = parse(
        "stream: s\ntime: {column: ts}\nexplode: lines\ncolumns: {ts: timestamp, city: {type: string, source: at.city},"
        " item: {type: int, source: lines.id}, tags: list(string), rest: {type: json, source: more}}"
    )
    frame = frame_of(
        at=[{"city": "Ulm"}], lines=[[{"id": 1}, {"id": 2}]], tags=[["a", "b"]], more=[{"x": [1, 2], "y": {"z": None}}]
    )
    rows = read(parquet_of(frame), parsed=nested).rows

    assert rows.select("city", "item").rows() == [("Ulm", 1), ("Ulm", 2)]
    assert rows["tags"].to_list() == [["a", "b"]] * 2
    assert json.loads(rows["rest"][0]) == {"x": [1, 2], "y": {"z": None}}


def test_the_time_may_be_put_together() -> None:
    parts = parse('stream: s\ntime: {column: ts, parts: [y, m, d], formats: ["%Y %m %d"]}\ncolumns: {ts: timestamp}')
    frame = pl.DataFrame({"y": [2026, 2026], "m": [1, None], "d": [1, 2]})

    decoded = read(parquet_of(frame), parsed=parts)
    assert (decoded.rows["ts"].to_list(), [each.ordinal for each in decoded.rejected]) == ([AT], [1])


def test_fields_that_no_column_names_are_counted_or_refused() -> None:
    frame = frame_of(k=["a", "b"], more=[None, 5], inner=[{"z": 1}, None])

    assert read(parquet_of(frame)).unknown == {"more": Unknown(1, "int"), "inner": Unknown(1, "json")}
    frozen = read(parquet_of(frame.drop("inner")), parsed=parse(SPEC + "schema: freeze\n"))
    assert (frozen.rows["k"].to_list(), [each.reject.reason for each in frozen.rejected]) == (["a"], ["unknown_field"])


def test_markers_are_no_values_in_tables_too() -> None:
    marked = parse(SPEC.replace("n: int", "n: {type: int, missing: [-200]}"))

    assert read(parquet_of(frame_of(k=["a", "b"], n=[-200, 7])), parsed=marked).rows["n"].to_list() == [None, 7]


def test_a_file_that_says_it_is_too_large_is_not_read() -> None:
    body = parquet_of(pl.DataFrame({"ts": [AT] * 1_000, "k": [str(number) for number in range(1_000)]}))

    with pytest.raises(TooLarge, match="the limit is 100"):
        list(cut_parquet(body, parse(), chunk_bytes=1 << 20, max_plain_bytes=100))


def test_a_column_named_twice_is_bad_input() -> None:
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)

    with pytest.raises(BadInput, match="more than once"):
        list(cut_arrow(buffer.getvalue(), parse()))
    parquet.write_table(table, twice := io.BytesIO())
    with pytest.raises(BadInput, match="more than once"):
        list(cut_parquet(twice.getvalue(), parse(), chunk_bytes=1 << 20, max_plain_bytes=1 << 20))


@pytest.mark.parametrize("chunk_bytes", [1, 100, 1 << 20])
def test_where_a_file_is_cut_changes_nothing(chunk_bytes: int) -> None:
    body = parquet_of(frame_of(k=[str(number) for number in range(50)]), row_group_size=7)
    chunks = [piece() for piece in cut_parquet(body, parse(), chunk_bytes=chunk_bytes, max_plain_bytes=1 << 20)]

    assert [key for chunk in chunks for key in chunk.rows["k"]] == [str(number) for number in range(50)]


@pytest.mark.parametrize("unit", ["ms", "us"])
def test_a_time_beyond_all_years_costs_only_its_row(unit: str) -> None:
    times = pl.Series([0, 1 << 62, -(1 << 62)]).cast(pl.Datetime(unit, "UTC"))
    decoded = read(parquet_of(pl.DataFrame({"ts": times, "k": ["a", "b", "c"]})))

    assert decoded.rows["k"].to_list() == ["a"]
    assert [(each.reject.reason, each.ordinal) for each in decoded.rejected] == [("bad_time", 1), ("bad_time", 2)]
