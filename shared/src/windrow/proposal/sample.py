"""A sample as columns: what the readers of each format hand to the guesses."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from windrow.proposal.evidence import Evidence
from windrow.spec import ColumnType

MAX_RECORDS = 100_000
MAX_FIELDS = 1_000

ValueKind = Literal["text", "int", "float", "bool", "list"]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of the sample."""

    path: Path
    """Names from the outside in; a CSV header is one name."""
    source: str
    """How a spec names it: a header, a Parquet column or a JMESPath."""
    texts: pl.Series
    """String; null where there is no value. Numbers and times are written out; of a list, null."""
    kinds: Mapping[ValueKind, int] = field(default_factory=Counter)
    """How many values are of each kind. In CSV, all are text, which may be read as anything."""
    items: Mapping[ValueKind, int] = field(default_factory=Counter)
    """Of lists: how many members are of each kind."""
    stored: ColumnType | None = None
    """The type the file itself declares, as Parquet does."""
    digits: tuple[int, int] | None = None
    """Precision and scale of a stored decimal."""
    decimal: str = "."
    """The decimal mark of its numbers."""
    unit: str = ""

    @property
    def label(self) -> str:
        """The name for people: the last one of the path."""
        return self.path[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The records that were looked at."""

    fields: tuple[Field, ...]
    row_count: int
    is_whole: bool
    """Whether these are all records of the file."""
    is_typed: bool
    """Whether values come with a kind (JSON, Parquet), or are all text (CSV)."""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the spec needs to say under `format`: `{"csv": {"delimiter": ";"}}`."""
    evidence: tuple[Evidence, ...] = ()
    left_out: tuple[Evidence, ...] = ()
    """Fields that no column is proposed for, each with its reason."""
    explode: tuple[tuple[str, int], ...] = ()
    """Lists of objects inside records: path and most members."""
    around: Mapping[str, Any] = field(default_factory=dict)
    """Plain values of the document around the records, by name."""

    @property
    def rows(self) -> str:
        """How many records a count speaks of."""
        return f"{self.row_count:,} records" if self.row_count != 1 else "1 record"
