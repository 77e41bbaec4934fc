"""Pieces of plain flat records: the quickest way, for what most senders send most of the time.

The library that reads here is strict about JSON, and about numbers and bools. But it takes anything for text, the first
of two values under one name, and passes over names it does not know. So its reading only stands when the characters of
the piece account for it: every quote and every colon for a name or a text that was read.
"""

from collections.abc import Iterator

import polars as pl
import pyarrow as pa

_ESCAPE = b"\\"
_TYPES: dict[pa.DataType, pl.DataType] = {
    pa.string(): pl.String(),
    pa.bool_(): pl.Boolean(),
    pa.int64(): pl.Int64(),
    pa.float64(): pl.Float64(),
}


class Unfit(Exception):
    """Not every line is a record whose numbers and bools are of the right kind."""


def read_flat(text: bytes, count: int, schema: pa.Schema) -> pl.DataFrame | None:
    """`count` lines with a record each, by the names of the schema.

    None unless all names in them are known and all values of the right kind; and where there are objects, arrays,
    nulls or escapes. Raises Unfit when some lines are to blame.
    """
    kinds = {field.name: _TYPES.get(field.type) for field in schema}
    if None in kinds.values() or _ESCAPE in text:
        return None
    data = _bytes(pa.py_buffer(text))
    if _count(data, "[") or _count(data, "{") != count:
        return None
    try:
        frame = pl.read_ndjson(text, schema=kinds)
    except pl.exceptions.ComputeError as error:
        raise Unfit from error
    return frame if frame.height == count and _is_accounted_for(data, frame) else None


def _is_accounted_for(data: pl.Series, frame: pl.DataFrame) -> bool:
    """Whether the values that were read are all there are, and those read as text are text.

    Records hold no objects and arrays, so a colon follows a name or stands in a name or text. No more names than values
    leave no room for a name that is unknown or stands twice, nor for a null. Then quotes are around names and texts
    only, and no more quotes than those of the values that were read as texts, and no fewer, make all of them texts.
    """
    values = sum(frame.height - series.null_count() for series in frame)
    texts = [series for series in frame if series.dtype == pl.String()]
    if _count(data, ":") != values + sum(_count(part, ":") for series in texts for part in _parts(series)):
        return False
    return _count(data, '"') == 2 * (values + sum(series.len() - series.null_count() for series in texts))


def _parts(texts: pl.Series) -> Iterator[pl.Series]:
    """The bytes of texts."""
    array = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    data = array.buffers()[-1]
    if data is not None:
        yield _bytes(data)


def _bytes(buffer: pa.Buffer) -> pl.Series:
    return pl.Series(pa.Array.from_buffers(pa.uint8(), buffer.size, [None, buffer]))


def _count(data: pl.Series, character: str) -> int:
    return int((data == ord(character)).sum())
