"""The files of a Delta table written anew with wider columns, one after the other: the same rows, in the same order.

The library would keep a file open for every day of the table while it rewrites it. Here one file is read, cast and
written at a time, so that memory does not grow with the table; nothing counts until the files are committed.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

import polars as pl
from deltalake import DeltaTable
from deltalake.transaction import AddAction
from polars.io.partition import SinkedPathsCallbackArgs

from windrow import keys
from windrow.errors import OutcomeUnknown
from windrow.lake.bounds import statistics
from windrow.lake.schema import EVENT_DATE

_Types = Mapping[str, pl.DataType]
_Values = Mapping[str, object] | None


def rewritten(
    delta: DeltaTable, columns: _Types, unbounded: Collection[str], options: Mapping[str, str]
) -> Iterator[AddAction]:
    """Write every file of a table anew with these columns cast, and say what to commit; of some, no bounds.

    A file's name says what it holds (law 2): a second attempt writes the same file again. Raises PolarsError for a
    value that does not fit, OSError when storage fails.
    """
    root = delta.table_uri.rstrip("/")
    target = ", ".join(f"{name} {kind}" for name, kind in sorted(columns.items()))
    for file in pl.DataFrame(delta.get_add_actions()).iter_rows(named=True):
        old, day = str(file["path"]), str(file["partition"][EVENT_DATE])
        path = f"{EVENT_DATE}={day}/{keys.digest(old, target)}.parquet"
        size_bytes = _cast_file(f"{root}/{old}", f"{root}/{path}", columns, options, int(file["num_records"]))
        made_ms, partition = int(file["modification_time"]), {EVENT_DATE: day}
        yield AddAction(
            path, size_bytes, partition, made_ms, data_change=True, stats=_statistics(file, columns, unbounded)
        )


def _cast_file(source: str, target: str, columns: _Types, options: Mapping[str, str], row_count: int) -> int:
    """Write one file anew; returns its size in bytes."""
    written: list[SinkedPathsCallbackArgs] = []
    rows = pl.scan_parquet(source, storage_options=dict(options), hive_partitioning=False)
    present = rows.collect_schema()
    rows = rows.cast({name: kind for name, kind in columns.items() if name in present})
    rows.sink_parquet(
        target,
        compression="zstd",
        compression_level=3,
        storage_options=dict(options),
        sinked_paths_callback=written.append,
    )
    [file] = written[0].paths
    if file.num_rows != row_count:
        raise OutcomeUnknown(f"{source}: {row_count} rows in the log, {file.num_rows} in the file")
    return file.num_bytes


def _statistics(file: Mapping[str, Any], columns: _Types, unbounded: Collection[str]) -> str:
    """What the log said of a file, of its columns as they are now: order and nulls do not change by widening."""

    def bounded(values: _Values) -> dict[str, object]:
        return {
            name: _widened(value, columns.get(name)) for name, value in (values or {}).items() if name not in unbounded
        }

    nulls = {
        name: count
        for name, count in (file.get("null_count") or {}).items()
        if isinstance(count, int) and name not in unbounded
    }
    return statistics(file["num_records"], bounded(file.get("min")), bounded(file.get("max")), nulls)


def _widened(value: object, kind: pl.DataType | None) -> object:
    match value, kind:
        case date(), pl.Datetime() if not isinstance(value, datetime):
            return datetime.combine(value, time())
        case int(), pl.Float64() if not isinstance(value, bool):
            return float(value)
    return value
