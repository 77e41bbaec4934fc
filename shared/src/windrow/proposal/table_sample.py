"""A sample of a Parquet or Arrow file, which names and types its columns itself."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from windrow.errors import BadInput, first_line
from windrow.proposal.evidence import Evidence, quoted
from windrow.proposal.records import source
from windrow.proposal.sample import MAX_FIELDS, MAX_RECORDS, Field, Path, Sample, ValueKind
from windrow.proposal.sniffing import TableFile
from windrow.spec import ColumnType

_ISO = "%Y-%m-%dT%H:%M:%S%.6f"


@dataclass(frozen=True, slots=True)
class _Leaf:
    path: Path
    values: pa.Array


def read_table(found: TableFile) -> Sample:
    """The columns of a file. Raises BadInput when it is damaged, or has names that stand twice."""
    try:
        table, is_whole = _head(found)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadInput(f"the {found.kind} file cannot be read: {first_line(error)}") from error
    twice = [name for name, count in Counter(table.schema.names).items() if count > 1]
    if twice:
        raise BadInput(f"the file has more than one column named {quoted(twice)}; give each a name of its own")
    leaves = list(_leaves(table))
    if len(leaves) > MAX_FIELDS:
        raise BadInput(f"the file has {len(leaves):,} columns; the most is {MAX_FIELDS:,}")
    fields: list[Field] = []
    left_out: list[Evidence] = []
    for leaf in leaves:
        field = _field(leaf)
        if field is None:
            why = f"it is {leaf.values.type}, which no column can hold"
            left_out.append(Evidence(source(leaf.path), "left out", why))
        else:
            fields.append(field)
    return Sample(
        fields=tuple(fields), row_count=table.num_rows, is_whole=is_whole, is_typed=True, left_out=tuple(left_out)
    )


def _head(found: TableFile) -> tuple[pa.Table, bool]:
    if found.kind == "parquet":
        file = pq.ParquetFile(found.file)
        batches: Iterator[pa.RecordBatch] = file.iter_batches(batch_size=MAX_RECORDS)
        first = next(batches, None)
        table = file.schema_arrow.empty_table() if first is None else pa.Table.from_batches([first])
        return table, table.num_rows == file.metadata.num_rows
    reader = pa.ipc.open_file(found.file)
    taken: list[pa.RecordBatch] = []
    for number in range(reader.num_record_batches):
        if sum(batch.num_rows for batch in taken) >= MAX_RECORDS:
            return pa.Table.from_batches(taken, reader.schema).slice(0, MAX_RECORDS), False
        taken.append(reader.get_batch(number))
    table = pa.Table.from_batches(taken, reader.schema)
    return table.slice(0, MAX_RECORDS), table.num_rows <= MAX_RECORDS


def _leaves(table: pa.Table) -> Iterator[_Leaf]:
    for name in table.schema.names:
        yield from _below((name,), table.column(name).combine_chunks())


def _below(path: Path, values: pa.Array) -> Iterator[_Leaf]:
    if not pa.types.is_struct(values.type):
        yield _Leaf(path, values)
        return
    for place in range(values.type.num_fields):
        yield from _below((*path, values.type.field(place).name), pc.struct_field(values, [place]))


def _field(leaf: _Leaf) -> Field | None:
    name = source(leaf.path) if len(leaf.path) > 1 else leaf.path[0]
    kind = leaf.values.type
    count = len(leaf.values)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        item = _kind(kind.value_type)
        if item is None:
            return None
        texts = pl.Series(leaf.path[-1], [None] * count, pl.String)
        return Field(path=leaf.path, source=name, texts=texts, kinds={"list": count}, items={item: 1})
    if pa.types.is_dictionary(kind):
        return _field(_Leaf(leaf.path, leaf.values.cast(kind.value_type)))
    found = _stored(kind)
    if found is None:
        return None
    values = pl.Series(leaf.path[-1], leaf.values) if count else pl.Series(leaf.path[-1], [], pl.String)
    texts = _iso(values) if isinstance(values.dtype, pl.Datetime) else values.cast(pl.String)
    return Field(
        path=leaf.path,
        source=name,
        texts=texts,
        kinds={found[1]: count - leaf.values.null_count},
        stored=found[0],
        digits=(kind.precision, kind.scale) if pa.types.is_decimal(kind) else None,
    )


def _iso(values: pl.Series) -> pl.Series:
    if values.dtype.time_zone is not None:  # type: ignore[attr-defined]
        return values.dt.convert_time_zone("UTC").dt.strftime(_ISO + "Z")
    return values.dt.strftime(_ISO)


def _kind(kind: pa.DataType) -> ValueKind | None:
    found = _stored(kind)
    return found[1] if found is not None and found[1] != "list" else None


def _stored(kind: pa.DataType) -> tuple[ColumnType, ValueKind] | None:
    """The type of a column of this, and what kind its values are."""
    for test, found in (
        (pa.types.is_boolean, ("bool", "bool")),
        (pa.types.is_integer, ("int", "int")),
        (pa.types.is_floating, ("float", "float")),
        (pa.types.is_decimal, ("decimal", "float")),
        (pa.types.is_timestamp, ("timestamp", "text")),
        (pa.types.is_date, ("date", "text")),
        (pa.types.is_string, ("string", "text")),
        (pa.types.is_large_string, ("string", "text")),
        (pa.types.is_null, ("string", "text")),
    ):
        if test(kind):
            return found  # type: ignore[return-value]
    if "string_view" in str(kind):
        return ("string", "text")
    return None
