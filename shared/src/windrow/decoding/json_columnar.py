"""Whole pieces of JSON lines to raw columns, or not at all.

It never takes what the careful reader would refuse, nor reads it otherwise. Three strict readings stand in for one:
the text is UTF-8; a decoder that builds nothing finds exactly one JSON object on every line (pyarrow takes NaN, several
objects on a line and objects over several lines, and is brought down by a lone `null`); and pyarrow reads every value
as the one kind that its column has in this piece.
"""

from typing import NamedTuple

import msgspec
import polars as pl
import pyarrow as pa
from pyarrow import json as pa_json

from windrow.decoding.chunks import INDEX
from windrow.decoding.json_flat import Unfit, read_flat
from windrow.decoding.json_layout import Layout
from windrow.decoding.json_learned import Learned, column_of
from windrow.decoding.json_lines import lines_fit
from windrow.decoding.json_unknown import count_fields, fields_of
from windrow.decoding.text import is_utf8
from windrow.decoding.unknown import Unknown

_BLOCK_BYTES = 1 << 20
_DOUBTFUL = "_doubtful"


class _Object(msgspec.Struct):
    """Any JSON object."""


_OBJECTS = msgspec.json.Decoder(_Object)
_ANY = msgspec.json.Decoder()


class Columnar(NamedTuple):
    """What was read of a piece."""

    frame: pl.DataFrame
    """Raw columns, and INDEX: the number of the line within what was read."""
    doubtful: list[int]
    """Lines that are not among the rows, because only the careful reader can judge them."""
    unknown: dict[str, Unknown]
    """Of the rows."""


def read_columnar(body: bytes, count: int, layout: Layout, *, is_hasty: bool = False) -> Columnar | None:
    """All `count` lines at once; None if any of them does not fit exactly.

    `is_hasty` gives up as soon as single lines are seen to be to blame, for whoever can find them faster.

    Every line begins with `{` and ends with `}` and a line break: so no object reaches from one line into the next.
    """
    if not is_utf8(body):
        return None
    learned = layout.learned
    if is_flat(layout):
        try:
            flat = read_as_flat(body, count, layout)
        except Unfit:
            if is_hasty:
                return None
            flat = None
        if flat is not None:
            return flat
    if not _is_an_object_a_line(body, count):
        return None
    if learned is not None:
        table = _read(body, learned.schema, "error")
        if table is not None:
            return _assemble(table, layout, learned.fields)
    table = _read(body, layout.schema, "ignore")
    if table is None:
        return None
    return _with_counted(table, layout, body)


def is_flat(layout: Layout) -> bool:
    """Whether the sample of a piece showed plain flat records only."""
    return layout.learned is not None and not layout.has_nulls


def read_as_flat(body: bytes, count: int, layout: Layout) -> Columnar | None:
    """All `count` lines as plain flat records of this layout, whichever piece it was made for; None if they are not.

    Raises Unfit when single lines are to blame.
    """
    learned = layout.learned
    flat = read_flat(body, count, learned.schema) if learned is not None and is_utf8(body) else None
    return None if flat is None or learned is None else _assemble(flat, layout, learned.fields)


def _is_an_object_a_line(body: bytes, count: int) -> bool:
    try:
        return len(_OBJECTS.decode_lines(body)) == count
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False


def _read(body: bytes, schema: pa.Schema, unexpected: str) -> pa.Table | None:
    # An object must fit into a block, and may lie across two.
    block_bytes = _BLOCK_BYTES if lines_fit(body, _BLOCK_BYTES // 2) else len(body) + 1
    try:
        return pa_json.read_json(
            pa.BufferReader(body),
            read_options=pa_json.ReadOptions(block_size=block_bytes),
            parse_options=pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior=unexpected),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError):
        return None


# ------------------------------------------------------------------------------------------------ from the table


def _assemble(table: pa.Table | pl.DataFrame, layout: Layout, learned: tuple[Learned, ...]) -> Columnar:
    # By number: what senders call their fields is no concern of ours from here on.
    numbered = [column_of(number) for number in range(len(table.columns))]
    if isinstance(table, pl.DataFrame):
        frame = table.rename(dict(zip(table.columns, numbered, strict=True)))
    else:
        frame = pl.DataFrame(table.rename_columns(numbered))
    frame = frame.with_row_index(INDEX)
    masks = [pl.any_horizontal(mask.fill_null(value=False) for mask in layout.doubts)] if layout.doubts else []
    present = [field.holds.alias(f"_{number}") for number, field in enumerate(learned)]
    if layout.plan.is_frozen and present:
        masks.append(pl.any_horizontal(field.holds for field in learned))
    doubtful = pl.any_horizontal(masks) if masks else pl.lit(value=False)
    # with_columns and not select alone: constants have the height of the rest.
    read = frame.with_columns(doubtful.alias(_DOUBTFUL)).select(
        pl.col(INDEX).cast(pl.Int64), _DOUBTFUL, *layout.values, *present
    )
    lines: list[int] = []
    if masks:
        lines = read.filter(_DOUBTFUL)[INDEX].to_list()
        if lines:
            read = read.filter(~pl.col(_DOUBTFUL))
    unknown = {}
    for number, field in enumerate(learned):
        count = int(read[f"_{number}"].sum())
        if count:
            unknown[field.source] = Unknown(count, field.kind)
    return Columnar(read.select(INDEX, *layout.plan.schema()), lines, unknown)


def _with_counted(table: pa.Table, layout: Layout, body: bytes) -> Columnar:
    """With the unknown fields found record by record, where they are too many for columns, or of several kinds."""
    records = _ANY.decode_lines(body)
    found = _assemble(table, layout, ())
    used = layout.plan.used
    if layout.plan.is_frozen:
        bad = {line for line, record in enumerate(records) if next(fields_of(record, used), None)}
        kept = found.frame.filter(~pl.col(INDEX).is_in(pl.Series(sorted(bad), dtype=pl.Int64).implode()))
        return Columnar(kept, sorted(bad.union(found.doubtful)), {})
    for line in reversed(found.doubtful):
        del records[line]
    return Columnar(found.frame, found.doubtful, count_fields(records, used))
