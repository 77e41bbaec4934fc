"""The job of `infra/modules/backfill` writes what the engine computes, and says what is wrong in a sentence."""

import importlib.util
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
from pyspark.sql import SparkSession

from tests.unit.windrow_spark.frames import records, values
from windrow import spec
from windrow.windows import engine

SOURCE = Path(__file__).parents[3] / "infra/modules/backfill/job/windows.py"
SPEC = """
stream: meters
time: {column: ts}
keys: [k]
unique: [ts, id]
columns:
  {ts: timestamp, k: string, id: int, v: float, n: int, big: int, d: "decimal(10,2)", s: string, b: bool}
windows:
  minute:
    size: 1m
    aggregates: {total: sum(v), rows: count()}
"""


def load() -> ModuleType:
    found = importlib.util.spec_from_file_location("windows", SOURCE)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def arguments(folder: Path, window: str = "minute") -> list[str]:
    (folder / "meters.yaml").write_text(SPEC, encoding="utf-8")
    given = {"spec": "meters.yaml", "records": "records", "to": "windows"}
    paths = [part for name, file in given.items() for part in (f"--{name}", str(folder / file))]
    return [*paths, "--window", window, "--format", "parquet"]


def test_the_job_writes_what_the_engine_computes(spark: SparkSession, tmp_path: Path) -> None:
    assert spark
    stream = spec.parse(SPEC, "meters.yaml")
    rows = records(values((0, 1.0), (59.5, 2.0), (60, 4.0), key="a"))
    (tmp_path / "records").mkdir()
    rows.write_parquet(tmp_path / "records" / "part.parquet")

    assert load().main(arguments(tmp_path)) == 0
    found = pl.concat([pl.read_parquet(path) for path in (tmp_path / "windows").glob("*.parquet")])
    expected = engine.compute(rows, stream, stream.windows["minute"])
    assert found.sort("window_start").select("k", "total", "rows").rows() == [("a", 3.0, 2), ("a", 4.0, 1)]
    assert found.height == expected.height


def test_a_window_that_is_not_there_is_said_with_those_that_are(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert spark
    assert load().main(arguments(tmp_path, window="hourly")) == 2
    assert capsys.readouterr().err == "nothing was written: meters has no window 'hourly'; it has minute\n"
    assert not (tmp_path / "windows").exists()
