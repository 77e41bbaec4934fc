"""Data files made on this machine's disk, batch by batch, for rows that are more than memory holds.

The library takes rows faster than it writes them: a file of half a gigabyte costs it four times that in memory. Here a
row group of each day is held at a time, however large the file.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
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
    with ThreadPoolExecutor(1, thread_name_prefix="encode") as encoder:
        try:
            for day, group in _row_groups(batches, row_group_rows):
                made = _Group(_arrow(group), Bounds.of(group, bounded))  # while the one before is encoded
                if day in growing and growing[day].size_bytes() >= target_file_bytes:
                    yield growing.pop(day).end()
                if day not in growing:
                    growing[day] = _File(folder / f"{next(numbers)}.parquet", day, group, encoder)
                growing[day].write(made)
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


class _Group(NamedTuple):
    """A row group, ready to be encoded."""

    rows: pa.Table
    bounds: Bounds


class _File:
    """A file that is being written, a row group behind what is asked: meanwhile the next can be made ready."""

    def __init__(self, path: Path, day: date, like: pl.DataFrame, encoder: Executor) -> None:
        """Begin a file of rows like these."""
        self._path = path
        self._day = day
        self._encoder = encoder
        self._encoding: Future[None] | None = None
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

    def write(self, group: _Group) -> None:
        """Add a row group. What was wrong with the one before is raised."""
        self._wait()
        self._encoding = self._encoder.submit(self._writer.write_table, group.rows, row_group_size=group.rows.num_rows)
        self._bounds = self._bounds.and_of(group.bounds)

    def size_bytes(self) -> int:
        """How many bytes the file has with all its row groups so far."""
        self._wait()
        return int(self._sink.tell())

    def end(self) -> Built:
        self._wait()
        self.close()
        return Built(self._path, self._day, self._bounds)

    def close(self) -> None:
        """Write no more. What was being encoded is finished, whatever came of it."""
        if self._encoding is not None:
            wait([self._encoding])
        self._writer.close()
        self._sink.close()

    def _wait(self) -> None:
        if self._encoding is not None:
            self._encoding.result()


def _arrow(rows: pl.DataFrame) -> pa.Table:
    return pa.table(plain(rows.drop(EVENT_DATE)))
