"""What becomes of rows between reading and storing: lists to rows, derived columns, filters. Pure and columnar."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from windrow.decoding.checks import Checked, check
from windrow.decoding.chunks import INDEX
from windrow.decoding.expressions import Failure, evaluate
from windrow.lake.schema import column_type
from windrow.quarantine import Reject
from windrow.spec import StreamSpec
from windrow.spec.expressions import Expression, plan

MEMBER = "_member"
"""Column of the place of a row among the members of its record, from 0; 0 too for a record without members."""
_LENGTH, _KEPT, _FAILURE = "_length", "_kept", "_failure"
_RULES: dict[Failure, str] = {
    "out_of_range": "came to more than its type holds, or a part of it did",
    "not_finite": "came to no finite number, or a part of it did",
}
_SHOWN_CHARS = 200


@dataclass(frozen=True, slots=True)
class Transformed:
    """Rows with the spec's stored columns, and what became of the others."""

    rows: pl.DataFrame
    """INDEX, MEMBER if the spec explodes, and the stored columns, typed."""
    rejects: tuple[Reject, ...]
    """One for each record that was refused, of however many rows."""
    filtered: int
    """Rows that a filter left out, of records that were not refused."""


# ------------------------------------------------------------------------------------------------ lists to rows


def explode(rows: pl.DataFrame, spec: StreamSpec) -> pl.DataFrame:
    """Raw rows with a row for each member, and MEMBER; a record without members stays one row.

    The columns that are read from members hold a list per record. Where the lists of a record are of different
    lengths, the shorter ones end in nulls. Columns without lists are the same in each of a record's rows.
    """
    lists = [name for name in member_columns(spec) if isinstance(rows.schema[name], pl.List)]
    if not lists:
        return rows.with_columns(pl.lit(0, pl.Int32).alias(MEMBER))
    lengths = [pl.col(name).list.len().fill_null(0) for name in lists]
    rows = rows.with_columns(pl.max_horizontal(pl.lit(1), *lengths).alias(_LENGTH))
    rows = rows.with_columns(_padded(rows, name) for name in lists)
    places = pl.int_ranges(0, pl.col(_LENGTH), dtype=pl.Int32).alias(MEMBER)
    return rows.with_columns(places).drop(_LENGTH).explode(*lists, MEMBER)


def member_columns(spec: StreamSpec) -> tuple[str, ...]:
    """The columns that are read from the members of the list that the spec explodes."""
    if spec.explode is None:
        return ()
    path = spec.explode.removesuffix("[]").removesuffix("[*]")
    return tuple(name for name in spec.read if any(_is_within(source, path) for source in spec.sources_of(name)))


def _is_within(source: str, path: str) -> bool:
    return source == path or source.startswith((f"{path}.", f"{path}[].", f"{path}[*]."))


def _padded(rows: pl.DataFrame, name: str) -> pl.Series:
    """Lists that have a member, if only null, for each of their record's rows."""
    lists = rows[name]
    if (lists.list.len() == rows[_LENGTH]).fill_null(value=False).all():
        return lists
    places = pl.int_ranges(0, pl.col(_LENGTH))
    return rows.select(pl.col(name).fill_null([]).list.gather(places, null_on_oob=True))[name]


# ------------------------------------------------------------------------------------------------ derive and filter


def transform(rows: pl.DataFrame, spec: StreamSpec, received_us: int) -> Transformed:
    """Derive, check and filter typed rows, and drop what is not stored.

    `rows` has INDEX, MEMBER if the spec explodes, and `spec.read`. A derived column is cleansed and checked as one
    that was read; a derived event time against `received_us` too. A record with a bad row is refused whole, also if a
    filter would leave that row out.
    """
    if len(spec.stored) == len(spec.read) == len(spec.columns) and not spec.filter:
        return Transformed(rows, (), 0)
    todo = plan(spec)
    rejects: list[Reject] = []
    for name, expression in todo.derived.items():
        checked = _derived(rows, spec, name, expression)
        rejects += checked.rejects
        checked = check(checked.rows, spec, received_us, names=(name,))
        rejects += checked.rejects
        rows = checked.rows
    filtered = 0
    if todo.filters:
        checked = _marked(rows, todo.filters)
        rejects += checked.rejects
        rows = checked.rows.filter(_KEPT)
        filtered = checked.rows.height - rows.height
    columns = [INDEX, *(name for name in (MEMBER,) if name in rows.columns), *spec.stored]
    return Transformed(rows.select(columns), tuple(rejects), filtered)


def _derived(rows: pl.DataFrame, spec: StreamSpec, name: str, expression: Expression) -> Checked:
    """Rows with a derived column; without the records for which it cannot be computed."""
    found = evaluate(expression, rows)
    values = found.values.cast(column_type(spec.columns[name]), strict=False)
    failures = found.failures
    if values.null_count() > found.values.null_count():  # a decimal of more digits than the column keeps
        lost = values.is_null() & found.values.is_not_null()
        beyond = pl.select(pl.when(lost).then(pl.lit("out_of_range"))).to_series()
        failures = beyond if failures is None else pl.select(pl.coalesce(failures, beyond)).to_series()
    return _computed(rows.with_columns(values.alias(name)), failures, f"column {name!r}", name, expression)


def _marked(rows: pl.DataFrame, filters: Iterable[Expression]) -> Checked:
    """Rows with _KEPT: whether all filters are true; without the records for which that cannot be computed."""
    rejects: list[Reject] = []
    rows = rows.with_columns(pl.repeat(value=True, n=rows.height, eager=True).alias(_KEPT))
    for number, expression in enumerate(filters, start=1):
        found = evaluate(expression, rows)
        failures = found.failures
        if failures is not None:  # what an earlier filter leaves out, a later one does not refuse
            failures = rows.select(pl.when(_KEPT).then(failures)).to_series()
        rows = rows.with_columns(pl.col(_KEPT) & found.values.fill_null(value=False))
        checked = _computed(rows, failures, f"filter {number}", None, expression)
        rejects += checked.rejects
        rows = checked.rows
    return Checked(rows, tuple(rejects))


def _computed(
    rows: pl.DataFrame, failures: pl.Series | None, subject: str, field: str | None, expression: Expression
) -> Checked:
    """Rows without the records that have a failure, which get a reject each."""
    if failures is None:
        return Checked(rows, ())
    bad = pl.DataFrame([rows[INDEX], failures.alias(_FAILURE)]).drop_nulls(_FAILURE)
    bad = bad.unique(INDEX, keep="first", maintain_order=True)
    rejects = tuple(
        Reject(
            reason=failure,
            message=f"{subject} {_RULES[failure]}: {expression.text[:_SHOWN_CHARS]}",
            index=index,
            field=field,
        )
        for index, failure in bad.iter_rows()
    )
    return Checked(rows.filter(~pl.col(INDEX).is_in(bad[INDEX].implode())), rejects)
