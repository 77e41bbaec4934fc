"""Tables as the writer leaves them, in the files of an emulator that is not running."""

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
from deltalake import DeltaTable

from windrow import topology
from windrow.lake.delta import DeltaLake
from windrow.lake.tables import Place
from windrow.units import to_us
from windrow_cli import devfile
from windrow_cli.devfile import DevFile

NOW = datetime.now(UTC).replace(microsecond=0)
_DAY_US = 86_400_000_000
_FIRST_DAY = date(2026, 1, 1)
_SCHEMA = pl.Schema(
    {
        "sensor": pl.String(),
        "ts": pl.Datetime("us", "UTC"),
        "value": pl.Float64(),
        "_bucket": pl.Int64(),
        "_shard": pl.Int32(),
        "event_date": pl.Date(),
    }
)


def place(day: int) -> Place:
    return Place(to_us(datetime(2026, 1, 1, tzinfo=UTC)) + day * _DAY_US, 0)


def day_rows(day: int, value: float, count: int = 2) -> pl.DataFrame:
    start = place(day).bucket_us
    return pl.DataFrame(
        {
            "sensor": [f"s{number}" for number in range(count)],
            "ts": [start + number * 3_600_000_000 for number in range(count)],
            "value": [value] * count,
            "_bucket": start,
            "_shard": 0,
            "event_date": _FIRST_DAY + timedelta(days=day),
        },
        schema_overrides=_SCHEMA,
    )


class Standing:
    """The files of an emulator that is not running, with tables written as the writer writes them."""

    def __init__(self, state: Path) -> None:
        self.bucket = state / "s3" / "windrow-lake"
        self.bucket.mkdir(parents=True)
        self.lake = DeltaLake(str(self.bucket), {})
        devfile.write(
            state,
            DevFile(
                endpoint_url="http://127.0.0.1:1",
                is_embedded=True,
                region="r",
                prefix="windrow",
                topology=str(topology.find()),
                ports={},
            ),
        )

    def append(self, table: str, rows: pl.DataFrame, stream: str = "sensors") -> None:
        self.lake.open_or_create(stream, table, _SCHEMA).append(rows, {})

    def replace(self, table: str, day: int, rows: pl.DataFrame) -> None:
        self.lake.open_or_create("sensors", table, _SCHEMA).replace([place(day)], rows, {})

    def folder(self, table: str, stream: str = "sensors") -> Path:
        return self.bucket / "lake" / stream / table

    def delta(self, table: str) -> DeltaTable:
        found = self.lake.delta("sensors", table)
        assert found is not None
        return found

    def date_versions(self, table: str, hours_ago: Mapping[int, float], stream: str = "sensors") -> None:
        """Have versions of a table committed so long ago."""
        for version, hours in hours_ago.items():
            at = (NOW - timedelta(hours=hours)).timestamp()
            os.utime(self.folder(table, stream) / "_delta_log" / f"{version:020d}.json", (at, at))
