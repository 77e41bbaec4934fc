"""One table, many readers: each finds the rows that were sent, and the files hold only what all of them read.

The production services write the tables on S3 (moto), in several appends, with a seal that replaces files, late
records, and a column that a later version of the spec adds. Readers open them with the lines that the README shows.
Spark has no Delta here, whose jars come from Maven: it reads the Parquet files that the log names, under the table's
schema.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pyarrow import fs

from tests.support.emulators import Deploy, only
from tests.support.pipeline import Pipeline
from windrow.aws.session import AwsSession
from windrow.lake.delta import DeltaLake
from windrow.topology import Topology
from windrow.units import to_us

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.xdist_group("spark")  # written once, and Spark started once

_SPEC = """
stream: readers
time: {column: ts, formats: [iso8601]}
keys: [sensor]
unique: [sensor, ts]
columns:
  ts: timestamp
  sensor: string
  flag: bool
  number: int
  value: float
  seen: timestamp
  day: date
  price: decimal(38,9)
  cents: decimal(9,2)
  texts: list(string)
  counts: list(int)
  shares: list(float)
  flags: list(bool)
  kind: categorical
  extra: json
bucket: 1h
windows:
  per_quarter:
    size: 15m
    aggregates:
      spent: sum(price)
      cents: sum(cents)
      mean: mean(value)
      numbers: collect(number)
      kinds: collect(kind)
      highest_at: time_of_max(value)
      first_day: first(day)
      different: n_unique(kind)
  steps:
    kind: sequence
    step: 5m
    length: 4
    mask: true
    aggregates: {mean: mean(value), last: last(number)}
"""
_GROWN = _SPEC.replace("  extra: json\n", "  extra: json\n  firmware: string\n")
_START = datetime(2026, 1, 1, tzinfo=UTC)
_HOSTILE = [
    "x' OR '1'='1",
    'a"b',
    "a=b/c%20d",
    "",
    " ",
    "\\",
    "line\nbreak",
    "ключ ✓ 🌾",
    "; DROP TABLE r; --",
    "\x00",
    "NULL",
]
_URI = re.compile(r"s3://windrow-lake/lake/sensors/records")
_GLUE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,254}")
_ARROW_AND_PARQUET = {  # what the spec's types and Windrow's own columns are in a file
    (pa.string(), "BYTE_ARRAY"),
    (pa.bool_(), "BOOLEAN"),
    (pa.int64(), "INT64"),
    (pa.int32(), "INT32"),
    (pa.float64(), "DOUBLE"),
    (pa.date32(), "INT32"),
    (pa.timestamp("us", "UTC"), "INT64"),
}


def _records() -> list[dict[str, object]]:
    """Records with every type, at the edges of each, and with nothing at all."""
    edges: list[dict[str, object]] = [
        {"number": 2**63 - 1, "value": 1.7976931348623157e308, "price": "12345678901234567890123456789.123456789"},
        {"number": -(2**63), "value": 5e-324, "price": "-0.000000001", "cents": "-9999999.99", "flag": False},
        {"number": 2**53 + 1, "value": -0.1, "cents": "0.05", "flag": True},
        {"seen": "2300-12-31T23:59:59.999999Z", "day": "9999-12-31"},
        {"seen": "1700-01-01T00:00:00.000001Z", "day": "1600-02-29"},
        {"texts": _HOSTILE, "counts": [2**63 - 1, 0, -1], "shares": [0.1, -1e300], "flags": [True, False]},
        {"texts": [], "counts": [], "shares": [], "flags": []},
        {"extra": {"a": [1, {"b": "ü"}], "c": None}, "kind": "blue"},
        {},
    ]
    filled = [{**edge, "sensor": "edges", "ts": _ts(17 * number)} for number, edge in enumerate(edges)]
    hostile = [
        {"sensor": text, "ts": _ts(1_800 + number), "kind": text, "value": float(number), "extra": text}
        for number, text in enumerate(_HOSTILE)
    ]
    steps = [
        {"sensor": "steps", "ts": _ts(300 * number), "value": number / 3, "number": number, "kind": f"k{number % 2}"}
        for number in range(30)
        if number % 7 != 3
    ]
    return [*filled, *hostile, *steps]


def _ts(second: int) -> str:
    return (_START + timedelta(seconds=second, microseconds=second)).isoformat().replace("+00:00", "Z")


def _sent(record: Mapping[str, object]) -> dict[str, object]:
    """A record as the table must hold it, by plain Python."""
    read: dict[str, Callable[[Any], object]] = {
        "ts": datetime.fromisoformat,
        "seen": datetime.fromisoformat,
        "day": date.fromisoformat,
        "price": Decimal,
        "cents": Decimal,
        "extra": lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    }
    columns = re.findall(r"^  (\w+): ", _GROWN.split("windows:")[0].split("columns:")[1], re.MULTILINE)
    found = {name: record.get(name) for name in columns}
    return {name: None if value is None else read.get(name, lambda same: same)(value) for name, value in found.items()}


@dataclass(frozen=True)
class Written:
    """The tables of one stream on S3, and what was sent to it."""

    session: AwsSession
    lake: DeltaLake
    sent: list[dict[str, object]]
    folder: Path
    """The same tables on disk, for Spark."""

    def uri(self, table: str) -> str:
        return self.lake.table_uri("readers", table)

    def delta(self, table: str) -> DeltaTable:
        found = self.lake.delta("readers", table)
        assert found is not None
        return found

    def local(self, table: str) -> Path:
        return self.folder / "lake" / "readers" / table

    def files(self, table: str) -> list[Path]:
        """The table's live files on disk."""
        return [
            self.local(table) / path for path in self.delta(table).get_add_actions(flatten=True)["path"].to_pylist()
        ]


TABLES = ["records", "windows_per_quarter", "windows_steps", "late"]


@pytest.fixture(scope="module")
def written(
    moto: str, deploy: Deploy, topology: Topology, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Written]:
    session = deploy(moto, only(topology, buckets=["lake"]))
    lake = DeltaLake(session.lake_uri(), session.lake_options(), session.store())
    now_us = to_us(_START + timedelta(hours=30))
    flow = Pipeline(tmp_path_factory.mktemp("unused"), now_us=now_us, tables=lake)
    flow.publish(_SPEC)
    records = _records()
    for part in (records[::3], records[1::3], records[2::3]):
        flow.post(part, stream="readers")
        flow.run_until_quiet()
    flow.post(records[::2], stream="readers", key="again")  # the seal has something to remove
    flow.settle()
    flow.publish(_GROWN)
    later = [{"sensor": "edges", "ts": _ts(at), "firmware": "1.2 ✓", "value": 1.5} for at in (19, 90_000, 90_060)]
    flow.post(later, stream="readers")  # the first of them is late
    flow.settle()
    assert flow.balance("readers").unexplained == 0

    with pytest.MonkeyPatch.context() as patch:
        for name, value in session.lake_options().items():
            patch.setenv(name, value)
        folder = tmp_path_factory.mktemp("copy")
        bucket = session.lake_uri().removeprefix("s3://")
        s3 = fs.S3FileSystem(endpoint_override=session.endpoint_url, region=session.region)
        fs.copy_files(bucket, str(folder), source_filesystem=s3, destination_filesystem=fs.LocalFileSystem())
        yield Written(session, lake, [*records, *later], folder)


def snippets() -> dict[str, str]:
    """The README's lines for each reader."""
    section = Path("README.md").read_text().split("## Reading the tables")[1].split("\n## ")[0]
    found = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    return {next(name for name in ("polars", "pandas", "duckdb", "pyarrow") if name in code): code for code in found}


def _rows(found: Any) -> list[dict[str, object]]:
    """A reader's rows as plain values, in an order of their own."""
    if hasattr(found, "to_dict") and not hasattr(found, "to_arrow"):  # pandas
        plain = found.to_dict("records")
    else:
        made = (
            found
            if isinstance(found, pa.Table)
            else getattr(found, "to_arrow_table", getattr(found, "to_arrow", None))()
        )
        plain = made.to_pylist()
    return sorted(({name: _value(value) for name, value in row.items()} for row in plain), key=repr)


def _value(value: Any) -> object:
    """The same value whatever the reader calls it: moments in UTC, lists as lists, nothing as None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [_value(each) for each in value]
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime()
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return Decimal(value).normalize() if isinstance(value, Decimal) else value


def _read(written: Written, table: str, reader: str) -> list[dict[str, object]]:
    names: dict[str, Any] = {}
    exec(_URI.sub(written.uri(table), snippets()[reader]), names)
    return _rows(names["rows"])


def _live_rows(spark: "SparkSession", written: Written, table: str) -> list[dict[str, object]]:
    """What Spark reads: the files that the log names, their partition, and the table's schema."""
    from pyspark.sql import types

    schema = types.StructType.fromJson(json.loads(written.delta(table).schema().to_json()))
    reader = spark.read.schema(schema).option("basePath", str(written.local(table)))
    return _rows(reader.parquet(*map(str, written.files(table))).select(schema.names).toArrow())


# ------------------------------------------------------------------------------------------------ rows


def test_the_readme_shows_each_reader() -> None:
    assert set(snippets()) == {"polars", "pandas", "duckdb", "pyarrow"}


def test_the_tables_are_of_files_that_differ(written: Written) -> None:
    """Or the readers would not have much to agree on."""
    # From the copy: deltalake waits for a history without giving way to the emulator, which is in this process.
    commits = DeltaTable(str(written.local("records"))).history()
    schemas = {tuple(pq.read_schema(path).names) for path in written.files("records")}

    assert len(commits) > 5
    assert any(commit.get("operationMetrics", {}).get("num_removed_files") for commit in commits)
    assert len(schemas) == 2
    assert written.delta("late").count() == 1
    assert all(written.delta(table).count() for table in TABLES)


@pytest.mark.parametrize("reader", ["polars", "pandas", "duckdb", "pyarrow"])
def test_every_reader_finds_the_records_that_were_sent(written: Written, reader: str) -> None:
    own = [{name: row[name] for name in row if not name.startswith("_")} for row in _read(written, "records", reader)]
    expected = [_sent(record) for record in written.sent]

    assert all(row.pop("event_date") == row["ts"].date() for row in own)
    assert sorted(own, key=repr) == _plain(expected)


def _plain(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return sorted(({name: _value(value) for name, value in row.items()} for row in rows), key=repr)


@pytest.mark.parametrize("table", TABLES)
def test_readers_agree_on_every_row(written: Written, table: str) -> None:
    first, *others = (_read(written, table, reader) for reader in snippets())

    assert first
    assert all(other == first for other in others)


@pytest.mark.parametrize("table", TABLES)
def test_spark_finds_the_same_rows_in_the_files_that_the_log_names(
    spark: "SparkSession", written: Written, table: str
) -> None:
    assert _live_rows(spark, written, table) == _read(written, table, "pyarrow")


@pytest.mark.parametrize("table", TABLES)
def test_every_value_is_found_by_a_condition_on_it(written: Written, table: str) -> None:
    """Readers leave out files by the bounds that the log has of them, which must hold for the last digit of a value."""
    delta = DeltaTable(str(written.local(table)))
    files = fs.SubTreeFileSystem(str(written.local(table)), fs.LocalFileSystem())
    dataset, lazy = delta.to_pyarrow_dataset(filesystem=files), pl.scan_delta(delta)
    rows = dataset.to_table()
    for field in rows.schema:
        counts = dict.fromkeys(() if pa.types.is_list(field.type) else set(rows.column(field.name).to_pylist()), 0)
        for value in rows.column(field.name).to_pylist() if counts else ():
            counts[value] += 1
        for value, count in counts.items():
            here = pc.field(field.name)
            condition = here.is_null() if value is None else here == pa.scalar(value, field.type)
            assert dataset.to_table(filter=condition).num_rows == count, (field.name, value)
            there = pl.col(field.name)
            typed = pl.lit(pa.scalar(value, field.type).as_py(), pl.Schema(pa.schema([field]))[field.name])
            found = lazy.filter(there.is_null() if value is None else there == typed).collect().height
            assert found == count, (field.name, value)


# ------------------------------------------------------------------------------------------------ files


def _is_plain(kind: pa.DataType, physical: str) -> bool:
    if pa.types.is_decimal128(kind):
        return kind.precision <= 38 and physical in ("INT32", "INT64", "FIXED_LEN_BYTE_ARRAY")
    return (kind, physical) in _ARROW_AND_PARQUET


@pytest.mark.parametrize("table", TABLES)
def test_files_hold_types_that_athena_reads_and_what_it_prunes_by(written: Written, table: str) -> None:
    for path in written.local(table).rglob("*.parquet"):
        if "_delta_log" in path.parts:
            continue
        file = pq.ParquetFile(path)
        leaves: list[pa.DataType] = []
        for field in file.schema_arrow:
            assert _GLUE_NAME.fullmatch(field.name)
            is_list = pa.types.is_list(field.type)
            assert not is_list or field.type.field(0).name == "element"
            leaves.append(field.type.value_type if is_list else field.type)
        columns = [file.schema.column(number) for number in range(len(file.schema))]
        for column, kind in zip(columns, leaves, strict=True):
            assert _is_plain(kind, column.physical_type), (column.path, kind, column.physical_type)
            assert "UINT" not in str(column.logical_type)
            if pa.types.is_timestamp(kind):
                told = json.loads(column.logical_type.to_json())
                assert (told["isAdjustedToUTC"], told["timeUnit"]) == (True, "microseconds")
            assert column.path == (f"{column.path.split('.')[0]}.list.element" if "." in column.path else column.name)
        for group in (file.metadata.row_group(number) for number in range(file.num_row_groups)):
            for chunk in (group.column(number) for number in range(group.num_columns)):
                assert chunk.compression == "ZSTD"
                assert chunk.statistics is not None
                assert chunk.statistics.has_null_count
                assert chunk.statistics.has_min_max or chunk.statistics.num_values == 0
                # A page of lists without a single value has no bounds, and its column then no index.
                assert chunk.has_column_index or (
                    chunk.path_in_schema.endswith(".element") and not chunk.statistics.has_min_max
                )
                assert chunk.has_offset_index


@pytest.mark.parametrize("table", TABLES)
def test_the_log_has_the_bounds_of_every_column_that_it_can_put_down(written: Written, table: str) -> None:
    """Of those the table began with: less lists, and decimals whose bounds the log would round."""
    actions = pa.table(written.delta(table).get_add_actions(flatten=True))
    for field in pa.schema(written.delta(table).schema().to_arrow()):
        is_bounded = not pa.types.is_list(field.type) and field.name not in {"event_date", "firmware"}
        if pa.types.is_decimal(field.type) and (field.type.precision > 15 or field.type.scale > 5):
            is_bounded = False
        assert (f"min.{field.name}" in actions.column_names) == is_bounded, field.name
        if not is_bounded:
            continue
        columns = [actions.column(f"{what}{field.name}").to_pylist() for what in ("min.", "max.", "null_count.")]
        for low, high, nulls, rows in zip(*columns, actions.column("num_records").to_pylist(), strict=True):
            assert (low is not None) == (high is not None) == (nulls < rows), field.name
