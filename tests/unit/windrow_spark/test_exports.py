"""Spark reads what a parquet sink writes by its folders alone."""

from pathlib import Path

from pyspark.sql import SparkSession

from tests.support.exports import SINKS, as_folder
from tests.support.pipeline import SENSORS, Pipeline
from tests.support.sensors import reading


def test_spark_reads_an_export_with_its_folders_as_columns(spark: SparkSession, tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path / "lake")
    pipeline.publish(SENSORS + SINKS)
    pipeline.clock.advance(3_600)
    pipeline.post([reading(second, sensor, temperature=0.1) for second in (0, 5, 3_700) for sensor in ("a", "ü|b")])
    pipeline.settle()
    pipeline.post([reading(5, temperature=7.5)])
    pipeline.settle()
    found = spark.read.parquet(str(as_folder(pipeline.store, tmp_path / "tree")))

    assert dict(found.dtypes)["ts"] == "timestamp"
    expected = [(row[1], row[2]) for row in pipeline.records().rows()]
    assert sorted((row["sensor"], row["temperature"]) for row in found.collect()) == sorted(expected)
    assert found.where("event_date = '2026-01-01' and bucket = '2026-01-01T010000Z' and shard = 0").count() == 2
