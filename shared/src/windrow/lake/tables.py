"""What a table is to Windrow: an open handle at one version, and marks that commit with the rows."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple, Protocol

import polars as pl

from windrow.lake.marks import AddedFile


class Place(NamedTuple):
    """A (bucket, shard) of a stream; `bucket_us` is the bucket's start in µs."""

    bucket_us: int
    shard: int


class DataFile(NamedTuple):
    """A file of a table as of a version. Its rows lie in buckets from `first_bucket_us` to `last_bucket_us`."""

    path: str
    size_bytes: int
    row_count: int
    event_date: date
    first_bucket_us: int
    last_bucket_us: int

    def reaches(self, place: "Place") -> bool:
        """Whether rows of a place may lie in it."""
        return self.first_bucket_us <= place.bucket_us <= self.last_bucket_us


TARGET_FILE_BYTES = 256_000_000
"""How large files become, where there is so much to write: fewer than readers would wait for, and not too large."""
Rows = pl.DataFrame | Iterator[pl.DataFrame]
"""Rows at once, or batch by batch."""


class Table(Protocol):
    """A handle opened at a version. Whatever is committed goes through it, and fails if the table moved on (law 5).

    Every commit method raises OutcomeUnknown on any failure: the commit may have landed. Open afresh, compare the
    marks, and only then decide. A handle is spent after one commit.
    """

    @property
    def version(self) -> int: ...

    @property
    def target_file_bytes(self) -> int:
        """How large the files become that are written through it, as Parquet, where there is so much to write."""
        ...

    def mark(self, name: str) -> int | None:
        """The value last committed under a mark (a Delta application transaction), or None."""
        ...

    @property
    def schema(self) -> pl.Schema:
        """The columns and their types."""
        ...

    def row_count(self) -> int:
        """Rows physically present, from the log."""
        ...

    def files(self) -> Sequence[DataFile]:
        """The files that hold the table's rows."""
        ...

    def carry(self, marks: Mapping[str, int]) -> None:
        """Set these marks too in whatever is committed through this handle."""
        ...

    def committed_files(self) -> Sequence[AddedFile]:
        """The files that the commit through this handle added; none if that cannot be told."""
        ...

    def read(self, places: Sequence[Place], columns: Sequence[str] | None = None) -> pl.DataFrame:
        """All rows of these buckets and shards, or some of their columns."""
        ...

    def read_windows(self, shard: int, from_us: int, to_us: int) -> pl.DataFrame:
        """Of a windows table: the rows of a shard whose windows begin by `to_us` and do not end before `from_us`."""
        ...

    def append(self, rows: pl.DataFrame, marks: Mapping[str, int]) -> None:
        """Add rows and marks in one commit; with no rows, marks alone.

        Rows narrower than the table are cast. Raises SchemaConflict before writing where a type differs otherwise.
        """
        ...

    def scan(self, place: Place) -> Iterator[pl.DataFrame]:
        """The rows of a place, in batches of bounded size. Raises Unavailable, also in the middle."""
        ...

    def replace(self, places: Sequence[Place], rows: Rows, marks: Mapping[str, int]) -> None:
        """Put `rows` in place of everything in `places`, and set marks, in one commit.

        Rows that come in batches (none of them empty) are written as they come, so that they may be more than memory
        holds. What they raise is raised here, and nothing is committed.
        """
        ...

    def remove_before(self, day: date, marks: Mapping[str, int]) -> None:
        """Remove all partitions of earlier days, whole, and set marks, in one commit."""
        ...

    def compact(self, day: date, target_file_bytes: int) -> int:
        """Merge the small files of a partition into files of about this size. No row changes. How many are fewer."""
        ...

    def vacuum(self, marks: Mapping[str, int]) -> int:
        """Delete files that no version of the last week has, and set marks; how many. Raises OutcomeUnknown."""
        ...

    def widen(self, columns: Mapping[str, pl.DataType], marks: Mapping[str, int]) -> None:
        """Cast these columns of all rows, and set marks, in one commit; every other mark stays.

        The whole table is written anew, a file at a time. Raises SchemaConflict for a value that does not fit.
        """
        ...


class Lake(Protocol):
    """All tables."""

    def open(self, stream: str, table: str) -> Table | None:
        """A handle at the newest version, or None if the table does not exist yet."""
        ...

    def open_or_create(
        self, stream: str, table: str, schema: pl.Schema, target_file_bytes: int = TARGET_FILE_BYTES
    ) -> Table:
        """A handle at the newest version, creating an empty table first if need be."""
        ...


# ------------------------------------------------------------------------------------------------ marks

DECODED = "windrow.decoded"
QUARANTINED = "windrow.quarantined"
RETURNED = "windrow.returned"
APPENDED = "windrow.appended"
ADDED = "windrow.added"
FILTERED = "windrow.filtered"
DUPLICATES = "windrow.duplicates"
MAX_TIME_US = "windrow.max_time_us"
LAST_BATCH_US = "windrow.last_batch_us"
EXPIRED = "windrow.expired"
TOTALS = (DECODED, QUARANTINED, RETURNED, APPENDED, ADDED, FILTERED, DUPLICATES, EXPIRED, MAX_TIME_US, LAST_BATCH_US)
"""Running totals in the records table, committed with the rows they count, so that law 8 holds at every version."""

FENCE = "windrow.fence"
"""In every table: the token of the lease it was last committed under. Who has a smaller one has lost the table."""
EXPIRED_BEFORE = "windrow.expired_before"
"""In every table: the day (since 1970) before which retention has removed everything, for good."""
VACUUMED_US = "windrow.vacuumed_us"
"""In every table: when files that no version has were last looked for."""


def day_number(day: date) -> int:
    """Days since 1970: how a mark holds a day."""
    return (day - date(1970, 1, 1)).days


def expired_before(table: Table) -> date | None:
    """The day before which retention has removed everything for good, if it has removed anything."""
    number = table.mark(EXPIRED_BEFORE)
    return None if number is None else date(1970, 1, 1) + timedelta(days=number)


def batch_mark(batch: str) -> str:
    """Set to 1 when a batch's rows are in the records table."""
    return f"batch:{batch}"


def place_mark(place: Place) -> str:
    """In a windows table: how far a place has grown. In the records table: up to where it is sealed."""
    return f"place:{place.bucket_us}:{place.shard}"


def version_mark(place: Place) -> str:
    """In a windows table: the version of the spec that a place's windows were computed by."""
    return f"version:{place.bucket_us}:{place.shard}"


def late_mark(batch: str, place: Place) -> str:
    """In the late ledger: set to 1 when a batch's records for a sealed place are entered."""
    return f"late:{batch}:{place.bucket_us}:{place.shard}"


def growth(input_count: int, *, is_final: bool) -> int:
    """The order of results of one place (law 6): more inputs win, and among equals the final one."""
    return 2 * input_count + int(is_final)


def is_final_growth(value: int | None) -> bool:
    """Whether a place mark says that the place was sealed when last written."""
    return value is not None and value % 2 == 1
