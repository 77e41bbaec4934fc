"""Rows of a place that memory cannot hold: put in order and left once each, on disk."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import duckdb
import polars as pl
import pyarrow as pa

from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT
from windrow.spec import StreamSpec

_BATCH_ROWS = 64_000


@dataclass(frozen=True, slots=True)
class Disk:
    """Where rows are sorted, and how much memory that may take."""

    folder: Path | None
    """None: the machine's folder for temporary files."""
    memory_bytes: int


class Sorted(NamedTuple):
    """Rows in order of key and time, each record once; and how many copies are not among them."""

    row_count: int
    removed: int
    batches: Iterator[pl.DataFrame]


@contextmanager
def sorted_on_disk(rows: Iterator[pl.DataFrame], spec: StreamSpec, disk: Disk) -> Iterator[Sorted]:
    """The rows of one place as `deduplicate` would leave them, while the context lasts."""
    first = next(rows, None)
    if first is None:
        yield Sorted(0, 0, iter(()))
        return
    with tempfile.TemporaryDirectory(prefix="windrow-sort-", dir=disk.folder) as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{disk.memory_bytes}B",
            "temp_directory": folder,
            "threads": 2,
        }
        with duckdb.connect(f"{folder}/rows.duckdb", config=config) as session:
            session.execute("SET TimeZone = 'UTC'")
            session.register("incoming", _reader(first, rows))
            session.execute("CREATE TABLE rows AS SELECT * FROM incoming")
            identity, order = _names(spec.identity), _names((*spec.keys, spec.time.column))
            total, removed = _fetched(
                session,
                "SELECT (SELECT count(*) FROM rows), coalesce(sum(n - 1), 0) "  # noqa: S608  names of our own columns
                f"FROM (SELECT count(*) AS n FROM rows GROUP BY {identity} HAVING count(*) > 1)",
            )
            kept = "SELECT * FROM rows"
            if removed:
                way = "DESC" if spec.keep == "last" else "ASC"
                latest = ", ".join(f"{_names((name,))} {way}" for name in (RECEIVED_AT, BATCH, ORDINAL))
                kept += f" QUALIFY row_number() OVER (PARTITION BY {identity} ORDER BY {latest}) = 1"
            reader = session.sql(f"{kept} ORDER BY {order}").to_arrow_reader(_BATCH_ROWS)
            yield Sorted(total - removed, removed, _frames(reader, first.schema))


def _reader(first: pl.DataFrame, rest: Iterator[pl.DataFrame]) -> pa.RecordBatchReader:
    batches = (batch for frame in chain([first], rest) for batch in frame.to_arrow().to_batches())
    return pa.RecordBatchReader.from_batches(first.to_arrow().schema, batches)


def _frames(reader: pa.RecordBatchReader, schema: pl.Schema) -> Iterator[pl.DataFrame]:
    for batch in reader:
        if batch.num_rows:
            frame = pl.DataFrame(pl.from_arrow(batch))
            yield frame.select(pl.col(name).cast(kind) for name, kind in schema.items())


def _fetched(session: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, int]:
    [(first, second)] = session.execute(sql).fetchall()
    return int(first), int(second)


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
