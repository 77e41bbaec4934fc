"""What to commit, given what is already committed. Pure: rows and marks in, rows and marks out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from windrow.errors import SchemaConflict
from windrow.lake import tables
from windrow.lake.dedupe import deduplicate
from windrow.lake.schema import BUCKET, EVENT_DATE, SHARD
from windrow.lake.tables import Place, batch_mark, growth, place_mark
from windrow.manifest import Manifest
from windrow.messages import Refreshed
from windrow.spec import StreamSpec

_PREVIOUS_REVISION, _PREVIOUS_FINAL = "_previous_revision", "_previous_final"


@dataclass(frozen=True, slots=True)
class LoadedBatch:
    """A decoded batch with its rows, placed."""

    manifest: Manifest
    rows: pl.DataFrame


def with_place(rows: pl.DataFrame, place: Place, time: str) -> pl.DataFrame:
    """Rows of one place with the columns that say where they belong."""
    return rows.with_columns(
        pl.lit(place.bucket_us, pl.Int64).alias(BUCKET),
        pl.lit(place.shard, pl.Int32).alias(SHARD),
        pl.col(time).dt.date().alias(EVENT_DATE),
    )


# ------------------------------------------------------------------------------------------------ records


def append_marks(batches: Sequence[LoadedBatch], before: Mapping[str, int | None], now_us: int) -> dict[str, int]:
    """The marks that commit with these batches' rows: each batch applied, and the running totals moved on."""
    manifests = [batch.manifest for batch in batches]
    marks = {batch_mark(found.batch): 1 for found in manifests}
    marks[tables.DECODED] = (before[tables.DECODED] or 0) + sum(found.decoded for found in manifests)
    marks[tables.QUARANTINED] = (before[tables.QUARANTINED] or 0) + sum(found.quarantined for found in manifests)
    marks[tables.RETURNED] = (before[tables.RETURNED] or 0) + sum(found.returned for found in manifests)
    marks[tables.ADDED] = (before[tables.ADDED] or 0) + sum(found.added for found in manifests)
    marks[tables.FILTERED] = (before[tables.FILTERED] or 0) + sum(found.filtered for found in manifests)
    marks[tables.APPENDED] = (before[tables.APPENDED] or 0) + sum(batch.rows.height for batch in batches)
    times = [found.max_time_us for found in manifests if found.max_time_us is not None]
    known = before[tables.MAX_TIME_US]
    if known is not None:
        times.append(known)
    if times:
        marks[tables.MAX_TIME_US] = max(times)
    # The wall clock may step back; the mark does not.
    marks[tables.LAST_BATCH_US] = max(now_us, before[tables.LAST_BATCH_US] or 0)
    return marks


@dataclass(frozen=True, slots=True)
class Compaction:
    """What sealing does to the records table: rows that take the place of a place's rows, where any were removed."""

    places: tuple[Place, ...]
    rows: pl.DataFrame
    removed: int


def compact(rows: pl.DataFrame, spec: StreamSpec) -> Compaction:
    """The places among `rows` that hold duplicates, with each record once and in order of key and time."""
    kept: list[pl.DataFrame] = []
    places: list[Place] = []
    removed = 0
    for (bucket, shard), part in rows.partition_by(BUCKET, SHARD, as_dict=True, maintain_order=True).items():
        once = deduplicate(part, spec)
        if once.height < part.height:
            places.append(Place(int(bucket), int(shard)))
            kept.append(once.sort(*spec.keys, spec.time.column))
            removed += part.height - once.height
    return Compaction(tuple(places), pl.concat([rows.clear(), *kept]), removed)


# ------------------------------------------------------------------------------------------------ windows


def newest(pointers: Iterable[Refreshed]) -> dict[Place, Refreshed]:
    """Of several results for a place, the one grown furthest."""
    best: dict[Place, Refreshed] = {}
    for pointer in pointers:
        place = Place(pointer.bucket_us, pointer.shard)
        if place not in best or growth_of(best[place]) < growth_of(pointer):
            best[place] = pointer
    return best


def growth_of(pointer: Refreshed) -> int:
    """The order of results of one place (law 6)."""
    return growth(pointer.input_count, is_final=pointer.is_final)


def window_rows(
    result: pl.DataFrame, pointer: Refreshed, previous: pl.DataFrame, computed_at: datetime
) -> pl.DataFrame:
    """A result's rows as they stand in the windows table.

    `previous` are the place's rows until now. A window whose values change after it was final gets the next revision.
    Raises SchemaConflict when a column has changed its type.
    """
    place = Place(pointer.bucket_us, pointer.shard)
    names = [name for name in result.columns if name in previous.columns]
    for name in names:
        if result.schema[name] != previous.schema[name]:
            raise SchemaConflict(
                f"column {name!r} is {previous.schema[name]} in the table and {result.schema[name]} in the result; "
                "a column cannot change its type, give the new one another name"
            )
    told = previous.select(
        *names, pl.col("revision").alias(_PREVIOUS_REVISION), pl.col("is_final").alias(_PREVIOUS_FINAL)
    )
    # An unchanged window meets itself on all its columns; a changed one only on its key and start.
    same = result.join(told, on=names, how="left", nulls_equal=True, maintain_order="left")
    identity = [name for name in names if name in _identity(result)]
    other = result.join(
        told.select(*identity, _PREVIOUS_REVISION, _PREVIOUS_FINAL),
        on=identity,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    unchanged = same[_PREVIOUS_REVISION].is_not_null()
    revision = (
        pl.when(unchanged)
        .then(same[_PREVIOUS_REVISION])
        .otherwise(other[_PREVIOUS_REVISION] + other[_PREVIOUS_FINAL].cast(pl.Int32))
        .fill_null(0)
        .cast(pl.Int32)
    )
    return with_place(
        result.with_columns(
            pl.lit(pointer.is_final).alias("is_final"),
            revision.alias("revision"),
            pl.lit(pointer.input_count, pl.Int64).alias("input_count"),
            pl.lit(computed_at, pl.Datetime("us", "UTC")).alias("computed_at"),
        ),
        place,
        "window_start",
    )


def _identity(result: pl.DataFrame) -> list[str]:
    """Keys and start: the columns before `window_end`, in the order the result schema gives."""
    return result.columns[: result.columns.index("window_end")]


def window_marks(pointers: Iterable[Refreshed]) -> dict[str, int]:
    """How far each place has grown."""
    return {place_mark(Place(each.bucket_us, each.shard)): growth_of(each) for each in pointers}
