"""Spark on this machine as the one who computes: polars in, polars out, by way of Parquet files."""

import tempfile
from functools import cache
from pathlib import Path

import polars as pl
from pyspark.sql import SparkSession
from pyspark.sql import functions as sf

from windrow.lake.schema import result_schema
from windrow.spark import compute as compute_on_spark
from windrow.spec import StreamSpec, WindowSpec

_MEMORY = "4g"


def compute(rows: pl.DataFrame, spec: StreamSpec, window: WindowSpec, owned: tuple[int, int]) -> pl.DataFrame:
    """What `windrow.windows.engine.compute` gives, of the windows that start within `owned` (µs, end excluded)."""
    schema = result_schema(spec, window)
    with tempfile.TemporaryDirectory(prefix="windrow-spark-") as folder:
        rows.write_parquet(Path(folder) / "rows.parquet")
        found = compute_on_spark(session().read.parquet(f"{folder}/rows.parquet"), spec, window)
        start = sf.unix_micros("window_start")
        found.where((start >= owned[0]) & (start < owned[1])).write.parquet(f"{folder}/windows")
        parts = sorted(Path(folder, "windows").glob("*.parquet"))
        computed = pl.read_parquet(parts) if parts else schema.to_frame()
    return computed.select(_as(name, kind) for name, kind in schema.items()).sort(
        *spec.keys, "window_start", "window_end"
    )


def _as(name: str, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Datetime):
        return pl.col(name).dt.replace_time_zone("UTC").cast(kind)
    if isinstance(kind, pl.Array):
        return pl.col(name).list.to_array(kind.size).cast(kind)
    return pl.col(name).cast(kind)


@cache
def session() -> SparkSession:
    """A Spark of this process, on all its cores; times are UTC."""
    return (
        SparkSession.builder.master("local[*]")
        .appName("windrow")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.driver.memory", _MEMORY)
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
