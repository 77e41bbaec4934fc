"""What is wrong with a table, given its log, its files and the figures. Pure.

A fault is one sentence: which table, which file, what is wrong with it, and what to do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from windrow.conservation import Balance
from windrow_cli.delta_log import LogFolder, spans
from windrow_cli.replay import LiveFile, State

_RESTORE = "restore it from a backup or from the bucket's earlier versions"
_REPORT = "please report it"
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)


class Fault(NamedTuple):
    """Something that does not verify."""

    table: str
    file: str
    """Below the table's folder; empty where the fault is not one file's."""
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.table}: {self.file}" if self.file else self.table
        return f"{where} {self.what}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Footer:
    """What a Parquet file says of itself; `trouble` says why it says nothing."""

    rows: int = 0
    schema: pa.Schema | None = None
    trouble: str = ""


# ------------------------------------------------------------------------------------------------ log


def gaps(table: str, log: LogFolder) -> list[Fault]:
    """Commits that are not there though later ones are."""
    missing = log.missing()
    if not missing:
        return []
    whose = f"lacks the commits of versions {spans(missing)}" if len(missing) > 1 else f"lacks version {missing[0]}"
    return [Fault(table, "_delta_log", whose, _RESTORE)]


def unreadable(table: str, file: str, trouble: str) -> Fault:
    """A file of the log that is none."""
    return Fault(table, f"_delta_log/{file}".rstrip("/"), f"cannot be read ({trouble})", _RESTORE)


def disagreement(table: str, told: State, read: Iterable[str]) -> list[Fault]:
    """Where the checkpoint and the commits after it tell other files than the library reads."""
    other = told.live.keys() ^ set(read)
    if not other:
        return []
    more = f", as are {len(other) - 1:,} more" if len(other) > 1 else ""
    what = f"is live either by the checkpoint and the commits after it or by what deltalake reads, not by both{more}"
    return [Fault(table, min(other), what, _REPORT)]


# ------------------------------------------------------------------------------------------------ files


def missing_or_cut(table: str, live: Iterable[LiveFile], present: Mapping[str, int]) -> list[Fault]:
    """Live files that are not there, or not as large as the log says."""
    faults = []
    for file in live:
        size = present.get(file.path)
        if size is None:
            faults.append(Fault(table, file.path, "is not there", _RESTORE))
        elif size != file.size_bytes:
            what = f"has {size:,} bytes where the log says {file.size_bytes:,}"
            faults.append(Fault(table, file.path, what, _RESTORE))
    return faults


def misread(table: str, file: LiveFile, footer: Footer, schema: pa.Schema) -> list[Fault]:
    """Where a file's own footer says otherwise than the log and the table's schema."""
    if footer.trouble or footer.schema is None:
        return [Fault(table, file.path, f"is no Parquet file that can be read ({footer.trouble})", _RESTORE)]
    faults = []
    if file.rows is not None and footer.rows != file.rows:
        faults.append(Fault(table, file.path, f"has {footer.rows:,} rows where the log says {file.rows:,}", _RESTORE))
    for column in footer.schema:
        position = schema.get_field_index(column.name)
        if position < 0:
            faults.append(Fault(table, file.path, f"has a column {column.name!r} that its table has not", _REPORT))
        elif not reads_as(column.type, schema.field(position).type):
            what = f"has {column.name!r} as {column.type} where its table has {schema.field(position).type}"
            faults.append(Fault(table, file.path, what, _REPORT))
    return faults


def reads_as(stored: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether values of a file are those of a table's column: the same type, or one that was widened into it."""
    if pa.types.is_list(wanted):
        is_list = bool(pa.types.is_list(stored) or pa.types.is_large_list(stored))
        return is_list and reads_as(stored.value_type, wanted.value_type)
    if pa.types.is_string(wanted):
        return any(is_text(stored) for is_text in _TEXTS)
    if pa.types.is_signed_integer(stored):
        if pa.types.is_signed_integer(wanted):
            return bool(stored.bit_width <= wanted.bit_width)
        return bool(pa.types.is_float64(wanted) or pa.types.is_decimal(wanted))
    if pa.types.is_decimal(stored) and pa.types.is_decimal(wanted):
        more = wanted.scale - stored.scale
        return bool(more >= 0 and wanted.precision - stored.precision >= more)
    return bool(stored == wanted or (pa.types.is_float32(stored) and pa.types.is_float64(wanted)))


# ------------------------------------------------------------------------------------------------ figures


def unbalanced(table: str, found: Balance, rows: int) -> list[Fault]:
    """Where the files hold other than what the figures of a stream say was written, or records are unexplained."""
    faults = []
    if rows != found.written:
        what = f"holds {rows:,} rows in its files where {found.written:,} are counted as written"
        faults.append(Fault(table, "", what, _REPORT))
    if found.unexplained:
        what = f"has {found.unexplained:,} records of which nobody knows what became (windrow status)"
        faults.append(Fault(table, "", what, _REPORT))
    return faults


def repeated(table: str, copies: int, example: str) -> Fault:
    """A sealed bucket with more rows than records."""
    what = f"holds {copies:,} rows too many in sealed buckets: a record there more than once, as in bucket {example}"
    return Fault(table, "", what, _REPORT)


def miscounted(table: str, windows: int, example: str, stream: str) -> Fault:
    """Windows that count other than the records in their bounds."""
    name = table.rpartition(".")[2].removeprefix("windows_")
    what = f"has {windows:,} windows whose row_count is not that of the records within, as {example}"
    return Fault(table, "", what, f"compute them again: windrow backfill {stream} --window {name}")


def unwindowed(table: str, buckets: int, example: str, stream: str) -> Fault:
    """Buckets whose windows together count other than their records."""
    name = table.rpartition(".")[2].removeprefix("windows_")
    what = f"has {buckets:,} buckets whose windows together count other than their records, as {example}"
    return Fault(table, "", what, f"compute them again: windrow backfill {stream} --window {name}")


def unrecorded(table: str, entries: int) -> Fault:
    """Entries of the late ledger without a record."""
    return Fault(table, "", f"has {entries:,} entries whose record is not in records", _REPORT)
