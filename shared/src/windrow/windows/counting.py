"""Windows of a number of rows."""

import polars as pl

from windrow.lake.schema import result_schema
from windrow.spec import StreamSpec
from windrow.spec.windows import CountWindow
from windrow.windows import series, slices


def whole(rows: pl.LazyFrame, spec: StreamSpec, window: CountWindow) -> pl.DataFrame:
    """The rows of the definition: `length` rows of a key in every window, by time, ties by record id."""
    stride = window.stride or window.length
    order = dict.fromkeys((*spec.keys, spec.time.column, *spec.identity))
    ordered = rows.sort(*order).collect(engine="streaming")
    firsts = (
        ordered.lazy()
        .select(pl.int_range(pl.len()).alias("from"), series.begins(spec.keys).alias("begins"))
        .filter("begins")
        .with_columns((pl.col("from").shift(-1, fill_value=ordered.height) - window.length).alias("to"))
        .filter(pl.col("from") <= pl.col("to"))
    )
    places = firsts.select(pl.int_ranges("from", pl.col("to") + 1, stride).alias("from")).explode("from")
    spans = places.with_columns(pl.lit(window.length, pl.Int64).alias("rows")).collect()
    found = slices.aggregated(ordered, spans, spec, window)
    bounds = found.select(pl.col("first_time").alias("window_start"), pl.col("last_time").alias("window_end"))
    keys = (ordered[name].gather(spans["from"]) for name in spec.keys)
    found = pl.DataFrame([*keys, *bounds, *found])
    # The order of ties is that of the rows, which key and bounds do not tell.
    return found.select(pl.col(name).cast(kind) for name, kind in result_schema(spec, window).items())
