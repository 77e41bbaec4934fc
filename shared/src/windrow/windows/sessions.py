"""Sessions: rows of a key that follow each other within a gap."""

import polars as pl

from windrow.lake.schema import TIMESTAMP, result_schema
from windrow.spec import StreamSpec
from windrow.spec.windows import SessionWindow
from windrow.windows import aggregates, series
from windrow.windows.series import Owned

_PANE = "__pane"


def panes(rows: pl.LazyFrame, spec: StreamSpec, window: SessionWindow) -> pl.DataFrame:
    """The sessions of some records, as parts that merge; `__pane` is the time of the first row (µs since 1970)."""
    return aggregates.parts(_with_runs(rows, spec, window), [*spec.keys, _PANE], spec, window)


def merge_panes(some: pl.DataFrame, spec: StreamSpec, window: SessionWindow) -> pl.DataFrame:
    """The sessions of all records from those of groups of them, which may lie in each other."""
    # Within a run no pause is longer than the gap. So a run that begins inside another, or within the gap after the
    # last row so far, has a neighbour there, wherever that one's rows are.
    last = pl.col("last_time").dt.timestamp("us")
    pause = pl.col(_PANE) - last.cum_max().over("__series").shift(1)
    marked = (
        some.sort(*spec.keys, _PANE)
        .with_columns(series.numbers(spec.keys).alias("__series"))
        .with_columns((series.begins(spec.keys) | _is_pause(pause, window)).alias("__new"))
    )
    joined = marked.with_columns(pl.when("__new").then(_PANE).forward_fill().alias(_PANE))
    if marked["__new"].all():
        return joined.select(some.columns)
    return aggregates.merge(joined.select(some.columns), [*spec.keys, _PANE], spec, window)


def from_panes(merged: pl.DataFrame, spec: StreamSpec, window: SessionWindow, owned: Owned = None) -> pl.DataFrame:
    """The rows of the definition from the merged sessions of all records.

    `owned`: only sessions that start in here (µs since 1970, end excluded).
    """
    if owned is not None:
        merged = merged.filter(pl.col(_PANE).is_between(*owned, closed="left"))
    finished = aggregates.finish(merged, [*spec.keys, _PANE], spec, window)
    end = pl.col("last_time").dt.timestamp("us") + _tail(window)
    return _result(finished.with_columns(pl.col(_PANE).alias("__start"), end.alias("__end")), spec, window)


def whole(rows: pl.LazyFrame, spec: StreamSpec, window: SessionWindow, owned: Owned = None) -> pl.DataFrame:
    """The rows of the definition straight from all records, for any aggregates and with `max_duration`."""
    by = [*spec.keys, "__start", "__end"]
    ordered = _with_runs(aggregates.prepared(rows, spec, window), spec, window).collect(engine="streaming")
    if window.max_duration is not None:
        ordered = _cut(ordered, spec, window.max_duration)
    time = _time(spec)
    is_last = pl.col("__new").shift(-1, fill_value=True)
    # A pause is longer than what a session reaches beyond its last row; only where it was cut, the next can be nearer.
    next_start = pl.when(~series.begins(spec.keys).shift(-1, fill_value=True)).then(time.shift(-1))
    end = pl.min_horizontal(time + _tail(window), next_start)
    bounded = ordered.lazy().with_columns(
        pl.when("__new").then(time).forward_fill().alias("__start"),
        pl.when(is_last).then(end).backward_fill().alias("__end"),
    )
    if owned is not None:
        bounded = bounded.filter(pl.col("__start").is_between(*owned, closed="left"))
    return _result(aggregates.whole(bounded.drop("__new", _PANE, "__series"), by, spec, window), spec, window)


# ------------------------------------------------------------------------------------------------ runs


def _time(spec: StreamSpec) -> pl.Expr:
    return pl.col(spec.time.column).dt.timestamp("us")


def _is_pause(between: pl.Expr, window: SessionWindow) -> pl.Expr:
    return between > window.gap if window.gap_inclusive else between >= window.gap


def _tail(window: SessionWindow) -> int:
    """How far a session reaches beyond its last row, in µs."""
    return window.gap if window.session_end == "gap" else 0


def _with_runs(rows: pl.LazyFrame, spec: StreamSpec, window: SessionWindow) -> pl.LazyFrame:
    """Rows in order of key and time; `__new` where a run begins, `__pane` the time of its first row."""
    time = _time(spec)
    is_first = (pl.col("__series") != pl.col("__series").shift(1)).fill_null(value=True)
    new = is_first | _is_pause(time - time.shift(1), window).fill_null(value=True)
    return (
        series.ordered(rows, spec.keys, spec.time.column)
        .with_columns(new.alias("__new"))
        .with_columns(pl.when("__new").then(time).forward_fill().alias(_PANE))
    )


# ------------------------------------------------------------------------------------------------ cuts


def _cut(ordered: pl.DataFrame, spec: StreamSpec, max_duration: int) -> pl.DataFrame:
    """`__new` also where a run has lasted for `max_duration` since it began, or since it was cut last.

    Each cut depends on the one before. Every time of a long run knows the time at which the run would be cut next, if
    it were cut here; following these pointers at doubled strides finds all cuts in as many rounds as their number has
    bits.
    """
    moments = (
        ordered.lazy()
        .select(
            pl.int_range(pl.len()).alias("row"),
            pl.col("__new").cum_sum().alias("run"),
            "__new",
            _time(spec).alias("at"),
        )
        .filter(pl.col("__new") | (pl.col("at") != pl.col("at").shift(1)))
        .filter((pl.col("at").last() - pl.col("at").first()).over("run") >= max_duration)
        .with_columns(pl.int_range(pl.len()).alias("place"))
        .collect()
    )
    nowhere = moments.height
    following = moments.select("run", pl.col("at") + max_duration).join_asof(
        moments.select("run", "at", "place"), on="at", by="run", strategy="forward", check_sortedness=False
    )
    jump = pl.concat([following["place"].fill_null(nowhere), pl.Series([nowhere], dtype=pl.Int64)])
    reached = moments.filter("__new")["place"]
    fresh = reached
    while fresh.len() > 0:
        fresh = jump.gather(reached)
        fresh = fresh.filter(fresh < nowhere)
        reached = pl.concat([reached, fresh])
        jump = jump.gather(jump)
    cuts = moments["row"].gather(reached)
    return ordered.with_columns(pl.col("__new") | pl.int_range(pl.len()).is_in(cuts.implode()))


# ------------------------------------------------------------------------------------------------ result


def _result(finished: pl.DataFrame, spec: StreamSpec, window: SessionWindow) -> pl.DataFrame:
    schema = result_schema(spec, window)
    return (
        finished.with_columns(
            pl.col("__start").cast(TIMESTAMP).alias("window_start"), pl.col("__end").cast(TIMESTAMP).alias("window_end")
        )
        .select(pl.col(name).cast(kind) for name, kind in schema.items())
        .sort(*spec.keys, "window_start", "window_end")
    )
