"""Rows to segments: by bucket of event time and shard of key, as Parquet. Pure."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from windrow.lake.tables import Place
from windrow.spec import StreamSpec

_PLACE_BUCKET, _PLACE_SHARD = "_place_bucket", "_place_shard"


@dataclass(frozen=True, slots=True)
class Segment:
    """The rows of one batch in one place, as Parquet bytes."""

    place: Place
    row_count: int
    body: bytes


def bucket_of(time: pl.Expr, bucket_us: int) -> pl.Expr:
    """The start, in µs since 1970, of the bucket a time falls in; before 1970 too."""
    return (time.dt.timestamp("us") // bucket_us) * bucket_us


def split(rows: pl.DataFrame, spec: StreamSpec) -> Iterator[Segment]:
    """The segments of a batch's rows, in order of place; rows keep their order."""
    placed = rows.with_columns(
        bucket_of(pl.col(spec.time.column), spec.bucket).alias(_PLACE_BUCKET), shards(rows, spec).alias(_PLACE_SHARD)
    )
    first = placed.select(_PLACE_BUCKET, _PLACE_SHARD).row(0) if placed.height else None
    if first is not None and ((placed[_PLACE_BUCKET] == first[0]) & (placed[_PLACE_SHARD] == first[1])).all():
        # The commonest case by far, and nothing needs to be copied for it.
        yield Segment(Place(*first), rows.height, to_parquet(rows))
        return
    parts = placed.partition_by(_PLACE_BUCKET, _PLACE_SHARD, maintain_order=True, as_dict=True)
    for bucket, shard in sorted(parts):
        part = parts[bucket, shard].drop(_PLACE_BUCKET, _PLACE_SHARD)
        yield Segment(Place(int(bucket), int(shard)), part.height, to_parquet(part))


def shards(rows: pl.DataFrame, spec: StreamSpec) -> pl.Series:
    """The shard of each row: a hash of its key that is the same on every machine and in every version."""
    if spec.shards == 1:
        return pl.repeat(0, rows.height, dtype=pl.Int32, eager=True)
    # Lengths keep ("a", "bc") and ("ab", "c") apart.
    text = [_key_text(name, spec).fill_null("") for name in spec.keys]
    joined = rows.select(
        pl.concat_str(*(pl.format("{}:{};", part.str.len_bytes(), part) for part in text)).alias("key")
    )["key"]
    distinct = joined.unique()
    known = pl.DataFrame(
        {
            "key": distinct,
            "shard": [
                int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % spec.shards for key in distinct
            ],
        },
        schema={"key": pl.String, "shard": pl.Int32},
    )
    return joined.to_frame().join(known, on="key", how="left", maintain_order="left")["shard"]


def _key_text(name: str, spec: StreamSpec) -> pl.Expr:
    """A key as text, for ever the same.

    How a library prints times, dates and decimals is its own affair: of those it is the count of µs since 1970, of
    days, and of units of the last digit.
    """
    column = pl.col(name)
    match spec.columns[name].type:
        case "timestamp" | "date" | "decimal":
            return column.to_physical().cast(pl.String)
        case "bool":
            return pl.when(column).then(pl.lit("true")).when(~column).then(pl.lit("false"))
        case _:
            return column.cast(pl.String)


def to_parquet(rows: pl.DataFrame) -> bytes:
    """Rows as zstd Parquet. Segments are read whole, so statistics would serve nobody."""
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd", compression_level=3, statistics=False)
    return buffer.getvalue()
