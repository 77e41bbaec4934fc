"""What to commit, given what is already committed. Pure: rows and marks in, rows and marks out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl

from windrow import keys
from windrow.errors import SchemaConflict
from windrow.lake import tables
from windrow.lake.dedupe import deduplicate
from windrow.lake.schema import BUCKET, EVENT_DATE, SHARD, late_schema, stored_type
from windrow.lake.tables import DataFile, Place, batch_mark, growth, is_final_growth, place_mark, version_mark
from windrow.lake.widening import widened, widens
from windrow.manifest import Manifest
from windrow.messages import Refreshed
from windrow.spec import StreamSpec, WindowSpec
from windrow.spec.windows import SessionWindow
from windrow.units import SECOND_US
from windrow_writer.ordering import in_order

_PREVIOUS_REVISION, _PREVIOUS_FINAL, _OVERLAPPED = "__previous_revision", "__previous_final", "__overlapped"
_BEFORE, _END_BEFORE, _ROW = "__before", "__end_before", "__row"
_SERIES, _PLACE, _FIRST, _LAST = "__series", "__place", "__first", "__last"


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


def without_expired(batches: Sequence[LoadedBatch], before: date | None) -> list[LoadedBatch]:
    """Batches without their rows of days that retention has removed already; `append_marks` counts these."""
    if before is None:
        return list(batches)
    return [replace(batch, rows=batch.rows.filter(pl.col(EVENT_DATE) >= before)) for batch in batches]


def append_marks(batches: Sequence[LoadedBatch], before: Mapping[str, int | None], now_us: int) -> dict[str, int]:
    """The marks that commit with these batches' rows: each batch applied, and the running totals moved on."""
    manifests = [batch.manifest for batch in batches]
    marks = {batch_mark(found.batch): 1 for found in manifests}
    marks[tables.DECODED] = (before[tables.DECODED] or 0) + sum(found.decoded for found in manifests)
    marks[tables.QUARANTINED] = (before[tables.QUARANTINED] or 0) + sum(found.quarantined for found in manifests)
    marks[tables.RETURNED] = (before[tables.RETURNED] or 0) + sum(found.returned for found in manifests)
    marks[tables.ADDED] = (before[tables.ADDED] or 0) + sum(found.added for found in manifests)
    marks[tables.FILTERED] = (before[tables.FILTERED] or 0) + sum(found.filtered for found in manifests)
    kept = sum(batch.rows.height for batch in batches)
    marks[tables.EXPIRED] = (before[tables.EXPIRED] or 0) + sum(found.accepted for found in manifests) - kept
    marks[tables.APPENDED] = (before[tables.APPENDED] or 0) + kept
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
    """Rows in order of place, key and time, each record once; and how many copies are not among them."""

    rows: pl.DataFrame
    removed: int


def compact(rows: pl.DataFrame, spec: StreamSpec) -> Compaction:
    """What stays of the rows of some places."""
    once = [deduplicate(part, spec) for part in rows.partition_by(BUCKET, SHARD)]
    kept = in_order(pl.concat([rows.clear(), *once]), spec)
    return Compaction(kept, rows.height - kept.height)


def doubled(rows: pl.DataFrame) -> list[Place]:
    """The places among `rows` (identity and place) that hold a record more than once."""
    copies = rows.filter(rows.is_duplicated()).select(BUCKET, SHARD).unique().sort(BUCKET, SHARD)
    return [Place(int(bucket), int(shard)) for bucket, shard in copies.iter_rows()]


MarksOf = Callable[[Sequence[Place]], dict[str, int]]
"""The marks that say of some places that they are sealed."""
_FEW_FILES = 4


def _holding(place: Place, files: Sequence[DataFile]) -> list[DataFile]:
    """The files that may hold rows of a place."""
    return [file for file in files if file.reaches(place)]


def most_rows(place: Place, files: Sequence[DataFile]) -> int:
    """How many rows a place may have; files that it shares with others are counted whole."""
    return sum(file.row_count for file in _holding(place, files))


def is_scattered(place: Place, files: Sequence[DataFile], target_file_bytes: int) -> bool:
    """Whether many small files hold a place: more than a few, and more than twice what the target size asks for."""
    holding = _holding(place, files)
    needed = -(-sum(file.size_bytes for file in holding) // target_file_bytes)
    return len(holding) > max(_FEW_FILES, 2 * needed)


def fitting(places: Sequence[Place], files: Sequence[DataFile], max_rows: int) -> list[Place]:
    """The first of these places, as many as have no more than `max_rows` together, but at least one."""
    chosen: list[Place] = []
    rows = 0
    for place in places:
        rows += most_rows(place, files)
        if chosen and rows > max_rows:
            break
        chosen.append(place)
    return chosen


# ------------------------------------------------------------------------------------------------ late records


def late_rows(
    rows: pl.DataFrame, spec: StreamSpec, reopened: Mapping[Place, Sequence[str]], watermark_us: int
) -> pl.DataFrame:
    """Entries of the late ledger for those of a batch's placed rows that come after their place was sealed.

    `reopened` are the sealed places with the windows that were final there. A place that the wall clock closed before
    the watermark came to it has records that are late by nothing.
    """
    schema = late_schema(spec)
    time = pl.col(spec.time.column)
    places = pl.DataFrame(
        [(place.bucket_us, place.shard, list(windows)) for place, windows in reopened.items()],
        schema={BUCKET: pl.Int64(), SHARD: pl.Int32(), "windows": pl.List(pl.String())},
        orient="row",
    )
    late_us = (pl.lit(watermark_us) - time.dt.timestamp("us")).clip(0)
    return (
        rows.join(places, on=[BUCKET, SHARD], maintain_order="left")
        .with_columns(
            pl.lit(watermark_us).cast(schema["watermark"]).alias("watermark"), (late_us / SECOND_US).alias("late_by_s")
        )
        # A batch decoded by a newer spec may be wider than the one at hand says.
        .select(
            name if widens(kind, rows.schema.get(name, kind)) else pl.col(name).cast(kind)
            for name, kind in schema.items()
        )
    )


# ------------------------------------------------------------------------------------------------ windows


def newest(pointers: Iterable[Refreshed]) -> dict[tuple[str, Place], Refreshed]:
    """Of several results for a place of a table, the one grown furthest."""
    best: dict[tuple[str, Place], Refreshed] = {}
    for pointer in pointers:
        what = pointer.table, place_of(pointer)
        if what not in best or _order_of(best[what]) < _order_of(pointer):
            best[what] = pointer
    return best


def place_of(pointer: Refreshed) -> Place:
    """The place whose windows, or records, a pointer is about."""
    return Place(pointer.bucket_us, pointer.shard)


def folder_of(pointer: Refreshed) -> str:
    """Where the result stands that a pointer is about."""
    return keys.result_folder(
        pointer.stream,
        pointer.table,
        pointer.bucket_us,
        pointer.shard,
        input_count=pointer.input_count,
        input_digest=pointer.input_digest,
        spec_version=pointer.spec_version,
    )


def growth_of(pointer: Refreshed) -> int:
    """The order of results of one place (law 6)."""
    return growth(pointer.input_count, is_final=pointer.is_final)


def _order_of(pointer: Refreshed) -> tuple[int, int]:
    return growth_of(pointer), pointer.spec_version


def may_replace(pointer: Refreshed, window: WindowSpec, grown: int, version: Callable[[], int | None]) -> bool:
    """Whether a result takes the place of what a table holds, which has grown to `grown`, by a spec of `version()`.

    It has more inputs, or as many and is final (law 6); or as many, computed by a newer version of the spec, which is
    asked for only then. Where late records are diverted, what is final is replaced by nothing else.
    """
    if grown < growth_of(pointer) and not (is_final_growth(grown) and window.late == "divert"):
        return True
    return pointer.input_count == grown // 2 and pointer.spec_version > (version() or 0)


def window_rows(
    result: pl.DataFrame,
    pointer: Refreshed,
    previous: pl.DataFrame,
    computed_at: datetime,
    window: WindowSpec,
    around: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """A result's rows as they stand in the windows table.

    `previous` are the place's rows until now, `around` the sessions of other places too. A window whose values change
    after it was final gets the next revision; so does a session that takes in what others held. Raises SchemaConflict
    when a column has changed its type.
    """
    result = result.with_columns(
        pl.col(name).cast(stored_type(kind)) for name, kind in result.schema.items() if stored_type(kind) != kind
    )
    result, previous = widened(result, previous.schema, pointer.table), widened(previous, result.schema, pointer.table)
    around = previous if around is None else widened(around, result.schema, pointer.table)
    names = [name for name in result.columns if name in previous.columns]
    for name in names:
        if result.schema[name] != previous.schema[name]:
            raise SchemaConflict(
                f"column {name!r} is {previous.schema[name]} in the table and {result.schema[name]} in the result; "
                "a column cannot change its type, give the new one another name"
            )
    keys = result.columns[: result.columns.index("window_start")]
    is_session = isinstance(window, SessionWindow)
    identity = [*keys, "window_start", *(() if is_session else ("window_end",))]
    # What is only approximated may come out a little otherwise although nothing has changed.
    exact = [name for name in names if name not in identity and not _is_approximate(window, name)]
    told = previous.select(
        *identity,
        *(pl.col(name).alias(f"{name}{_BEFORE}") for name in exact),
        pl.col("revision").alias(_PREVIOUS_REVISION),
        pl.col("is_final").alias(_PREVIOUS_FINAL),
    )
    met = result.join(told, on=identity, how="left", nulls_equal=True, maintain_order="left")
    unchanged = pl.all_horizontal(
        pl.lit(value=True), *(pl.col(name).eq_missing(pl.col(f"{name}{_BEFORE}")) for name in exact)
    )
    if is_session:
        met = met.with_columns(_overlapped(result, around, keys))
    else:
        met = met.with_columns(pl.lit(0, pl.Int32).alias(_OVERLAPPED))
    revision = (
        pl.when(pl.col(_PREVIOUS_REVISION).is_null())
        .then(pl.col(_OVERLAPPED))
        .when(unchanged)
        .then(pl.col(_PREVIOUS_REVISION))
        .otherwise(pl.col(_PREVIOUS_REVISION) + pl.col(_PREVIOUS_FINAL).cast(pl.Int32))
        .cast(pl.Int32)
    )
    return with_place(
        met.select(
            *result.columns,
            # What a late record has not touched stays final.
            (pl.lit(pointer.is_final) | (unchanged & pl.col(_PREVIOUS_FINAL).fill_null(value=False))).alias("is_final"),
            revision.alias("revision"),
            pl.lit(pointer.input_count, pl.Int64).alias("input_count"),
            pl.lit(computed_at, pl.Datetime("us", "UTC")).alias("computed_at"),
        ),
        place_of(pointer),
        "window_start",
    )


def _is_approximate(window: WindowSpec, name: str) -> bool:
    return name in window.aggregates and window.aggregates[name].function.startswith("approx_")


def _overlapped(result: pl.DataFrame, previous: pl.DataFrame, keys: Sequence[str]) -> pl.Series:
    """For each session, the revision after those of the sessions before that it overlaps; 0 where it overlaps none."""
    # Sessions of a key follow each other, and so do their ends: those that one overlaps are neighbours.
    series = pl.concat([result.select(keys), previous.select(keys)]).unique().with_row_index(_SERIES) if keys else None

    def numbered(rows: pl.DataFrame) -> pl.DataFrame:
        if series is None:
            return rows.with_columns(pl.lit(0, pl.UInt32).alias(_SERIES))
        return rows.join(series, on=keys, how="left", nulls_equal=True, maintain_order="left")

    before = (
        numbered(previous)
        .select(
            _SERIES,
            pl.col("window_start").alias(_BEFORE),
            pl.col("window_end").alias(_END_BEFORE),
            (pl.col("revision") + pl.col("is_final").cast(pl.Int32)).alias(_OVERLAPPED),
        )
        .sort(_SERIES, _BEFORE)
        .with_row_index(_PLACE)
    )
    now = numbered(result.select(*keys, "window_start", "window_end")).with_row_index(_ROW)
    ends = before.select(_SERIES, pl.col(_END_BEFORE).alias("window_start"), pl.col(_PLACE).alias(_FIRST))
    starts = before.select(_SERIES, pl.col(_BEFORE).alias("window_end"), pl.col(_PLACE).alias(_LAST))
    met = (
        now.join_asof(ends, on="window_start", by=_SERIES, strategy="forward", check_sortedness=False)
        .join_asof(starts, on="window_end", by=_SERIES, strategy="backward", check_sortedness=False)
        .filter(pl.col(_FIRST) <= pl.col(_LAST))
        .select(_ROW, pl.int_ranges(_FIRST, pl.col(_LAST) + 1, dtype=pl.UInt32).alias(_PLACE))
        .explode(_PLACE)
        .join(before.select(_PLACE, _OVERLAPPED), on=_PLACE)
    )
    highest = met.group_by(_ROW).agg(pl.col(_OVERLAPPED).max())
    return now.join(highest, on=_ROW, how="left", maintain_order="left")[_OVERLAPPED].fill_null(0)


def window_marks(pointers: Iterable[Refreshed]) -> dict[str, int]:
    """How far each place has grown, and by which version of the spec."""
    marks: dict[str, int] = {}
    for pointer in pointers:
        marks[place_mark(place_of(pointer))] = growth_of(pointer)
        marks[version_mark(place_of(pointer))] = pointer.spec_version
    return marks
