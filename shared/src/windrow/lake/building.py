"""Data files made on this machine's disk, batch by batch, for rows that are more than memory holds.

The library takes rows faster than it writes them: a file of half a gigabyte costs it four times that in memory. Here a
row group of each day is held at a time, however large the file.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from itertools import count
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from windrow.lake.bounds import Bounds
from windrow.lake.encoding import distinct_columns, plain
from windrow.lake.schema import EVENT_DATE


class Built(NamedTuple):
    """A Parquet file of one day's rows, and what the log is to say of them."""

    path: Path
    day: date
    bounds: Bounds


def built(
    batches: Iterable[pl.DataFrame],
    bounded: Collection[str],
    folder: Path,
    target_file_bytes: int,
    row_group_rows: int,
) -> Iterator[Built]:
    """Files of about this size with these rows in their order, each as soon as it is whole.

    Bounds are kept of the columns in `bounded`. Raises OSError.
    """
    numbers = count()
    growing: dict[date, _File] = {}
    try:
        for day, group in _row_groups(batches, row_group_rows):
            if day not in growing:
                growing[day] = _File(folder / f"{next(numbers)}.parquet", day, group)
            if growing[day].write(group, bounded) >= target_file_bytes:
                yield growing.pop(day).end()
        for day in list(growing):
            yield growing.pop(day).end()
    finally:
        for file in growing.values():
            file.close()


def _row_groups(batches: Iterable[pl.DataFrame], row_group_rows: int) -> Iterator[tuple[date, pl.DataFrame]]:
    """The rows of each day, as many at a time as a row group has."""
    waiting: dict[date, list[pl.DataFrame]] = defaultdict(list)
    for batch in batches:
        for day, rows in _by_day(batch):
            waiting[day].append(rows)
            if sum(part.height for part in waiting[day]) >= row_group_rows:
                together = pl.concat(waiting.pop(day), rechunk=False)
                whole = together.height // row_group_rows * row_group_rows
                for group in together.head(whole).iter_slices(row_group_rows):
                    yield day, group
                if whole < together.height:
                    waiting[day] = [together.slice(whole)]
    for day, parts in waiting.items():
        yield day, pl.concat(parts)


def _by_day(batch: pl.DataFrame) -> Iterator[tuple[date, pl.DataFrame]]:
    first, last = batch[EVENT_DATE].min(), batch[EVENT_DATE].max()
    if first == last and isinstance(first, date):  # most often; then nothing need be copied
        yield first, batch
        return
    for (day,), rows in batch.partition_by(EVENT_DATE, as_dict=True, maintain_order=True).items():
        assert isinstance(day, date)
        yield day, rows


class _File:
    """A file that is being written."""

    def __init__(self, path: Path, day: date, like: pl.DataFrame) -> None:
        """Begin a file of rows like these."""
        self._path = path
        self._day = day
        self._bounds = Bounds()
        schema, distinct = _arrow(like.head(0)).schema, distinct_columns(like)
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pq.ParquetWriter(
            self._sink,
            schema,
            compression="zstd",
            compression_level=3,
            use_dictionary=[name for name in schema.names if name not in distinct],
            write_page_index=True,
        )

    def write(self, rows: pl.DataFrame, bounded: Collection[str]) -> int:
        """Add a row group; returns how many bytes the file has so far."""
        self._writer.write_table(_arrow(rows), row_group_size=rows.height)
        self._bounds = self._bounds.and_of(Bounds.of(rows, bounded))
        return int(self._sink.tell())

    def end(self) -> Built:
        self.close()
        return Built(self._path, self._day, self._bounds)

    def close(self) -> None:
        self._writer.close()
        self._sink.close()


def _arrow(rows: pl.DataFrame) -> pa.Table:
    return pa.table(plain(rows.drop(EVENT_DATE)))
