"""What every reader makes of an object: pieces that can be read apart, each with its records, good and bad."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from windrow.decoding.unknown import Unknown
from windrow.quarantine import RecordFormat, Reject

INDEX = "_index"
"""Column of the place of a record among the records of its piece, from 0."""


class Original(NamedTuple):
    """A record as it was sent: the line it starts on (from 1, in the decompressed object), and its bytes."""

    line: int | None
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The records of one piece of an object.

    `rows` has a raw column for every column in `spec.read`, under the spec's name, and INDEX. A raw column is either
    text (which `checks` will read) or already of the column's type; under `explode`, a list of those. Every record of
    the piece is either in `rows` or has one reject: `rows.height + len(rejects) == record_count`.
    """

    rows: pl.DataFrame
    rejects: tuple[Reject, ...]
    """With `index` as in INDEX, and `line` and `column` as in the decompressed object."""
    record_count: int
    original: Callable[[int], Original]
    """A record as it was sent, by its index here. Only asked for what is refused."""
    format: RecordFormat
    header: tuple[str, ...] = ()
    """Names of the fields of CSV originals."""
    document: str = ""
    """JSON text of what stood around the records, for sources that begin with `$.`; empty where nothing did."""
    unknown: Mapping[str, Unknown] = field(default_factory=dict)
    """By source path. Empty under `schema: freeze`, where such records are rejected."""


Piece = Callable[[], Chunk]
"""A piece that has been cut off but not read yet: pure, and safe to read in another thread."""
