"""Windows that end at each row and reach back from there."""

import polars as pl

from windrow.lake.schema import TIMESTAMP, result_schema
from windrow.spec import StreamSpec
from windrow.spec.windows import PairwiseWindow
from windrow.windows import series, slices


def whole(rows: pl.LazyFrame, spec: StreamSpec, window: PairwiseWindow) -> pl.DataFrame:
    """The rows of the definition: one window for each distinct time of a key, both bounds included."""
    ordered = rows.sort(*dict.fromkeys((*spec.keys, spec.time.column, *spec.identity))).collect(engine="streaming")
    at = pl.col("at")
    moments = (
        ordered.lazy()
        .select(
            pl.int_range(pl.len()).alias("from"),
            series.numbers(spec.keys).alias("series"),
            pl.col(spec.time.column).dt.timestamp("us").alias("at"),
        )
        .filter((pl.struct("series", "at") != pl.struct("series", "at").shift(1)).fill_null(value=True))
        .with_columns(pl.col("from").shift(-1, fill_value=ordered.height).alias("to"))
    )
    spans = (
        moments.select("series", "to", (at - window.span).alias("at"))
        .join_asof(moments.drop("to"), on="at", by="series", strategy="forward", check_sortedness=False)
        .with_columns((pl.col("to") - pl.col("from")).alias("rows"))
        .collect()
    )
    bounds = spans.select(
        at.cast(TIMESTAMP).alias("window_start"), (at + window.span).cast(TIMESTAMP).alias("window_end")
    )
    found = slices.aggregated(ordered, spans, spec, window)
    keys = (ordered[name].gather(spans["from"]) for name in spec.keys)
    found = pl.DataFrame([*keys, *bounds, *found])
    return found.select(pl.col(name).cast(kind) for name, kind in result_schema(spec, window).items())
