"""How columns lie in files: of plain types, and as dictionaries where values repeat."""

import polars as pl
from arro3.core import DataType, Field, Table

ROW_GROUP_ROWS = 125_000
"""Small enough that readers work on many at once and leave out most, large enough to read each in one go."""

_SAMPLE_ROWS = 100_000
_REPEATS = 20
"""A value that stands fewer times than this in a row group, on average, is not worth a place in a dictionary."""


def distinct_columns(rows: pl.DataFrame) -> list[str]:
    """The columns whose values hardly repeat, as those of times, counters and identities do.

    Dictionaries of such columns took a third of the time to write a file, and of the file: each is made only to be
    given up once it has grown too large.
    """
    sample = rows.head(_SAMPLE_ROWS)
    plain = sample.select(name for name, kind in sample.schema.items() if not kind.is_nested())
    if plain.is_empty():
        return []
    [numbers] = plain.select(pl.all().approx_n_unique()).to_dicts()
    return [name for name, number in numbers.items() if number * _REPEATS > sample.height]


def plain(rows: pl.DataFrame) -> Table:
    """Rows as Arrow of plain strings and lists.

    polars gives string views and large lists, and the files would say so at any depth. pyarrow cannot filter by
    such texts, and an Arrow from before there were views cannot open such files.
    """
    arrow = Table.from_arrow(rows)
    for number, name in enumerate(arrow.column_names):
        kind = arrow.schema.field(number).type
        wanted = _plain_type(kind)
        if wanted != kind:
            arrow = arrow.set_column(number, Field(name, wanted, nullable=True), arrow.column(number).cast(wanted))
    return arrow


def _plain_type(kind: DataType) -> DataType:
    if bool(DataType.is_string_view(kind)):  # bool(…), because its stub names a type that is none
        return DataType.string()
    member = kind.value_type
    if member is not None and bool(DataType.is_large_list(kind)):
        return DataType.list(Field("element", _plain_type(member), nullable=True))
    return kind
