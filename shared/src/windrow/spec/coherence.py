"""What must hold between the settings of a spec, each of which is fine by itself."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from windrow.keys import TABLE_NAME
from windrow.spec import expressions
from windrow.spec.column_coherence import column_faults, no_column
from windrow.spec.faults import Fault, Path
from windrow.spec.names import RESERVED_COLUMNS
from windrow.spec.output_coherence import own_columns
from windrow.spec.window_coherence import window_faults
from windrow.units import DAY_US, SECOND_US, format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windrow.spec.stream import StreamSpec


_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def faults_of(spec: StreamSpec) -> list[Fault]:
    """Everything that does not hang together."""
    return [
        *_names(spec),
        *_time(spec),
        *_roles(spec),
        *_layout(spec),
        *_kept(spec),
        *_sinks(spec),
        *(fault for name in spec.columns for fault in column_faults(spec, name)),
        *(fault for name in spec.windows for fault in window_faults(spec, name)),
        *_expressions(spec),
    ]


def _names(spec: StreamSpec) -> Iterator[Fault]:
    for name in spec.columns:
        if not TABLE_NAME.fullmatch(name):
            message = f"use a-z, 0-9 and '_', starting with a letter (set source: {name!r})"
            yield Fault(("columns", name), message, is_name=True)
        if name in RESERVED_COLUMNS:
            message = f"the name is Windrow's own; choose another and set source: {name!r}"
            yield Fault(("columns", name), message, is_name=True)


def _time(spec: StreamSpec) -> Iterator[Fault]:
    name = spec.time.column
    column = spec.columns.get(name)
    if column is None:
        yield no_column(spec.columns, ("time", "column"), name)
        return
    between: tuple[Path, ...] = (("time", "column"), ("columns", name, "type"))
    if column.type != "timestamp":
        yield Fault(("time", "column"), f"{name!r} is a {column.type}; give it type timestamp", between)
    if column.drop:
        yield Fault(("columns", name, "drop"), "the event time is always written", between)
    if spec.time.of == "receipt":
        for setting in sorted(spec.time.model_fields_set - {"column", "of"}):
            message = "belongs to times that records bring, and this is that of receipt; leave it out"
            yield Fault(("time", setting), message, (("time", "of"),), is_name=True)
        for setting in ("source", "derive"):
            if getattr(column, setting):
                message = "the time is that of receipt; leave it out"
                yield Fault(("columns", name, setting), message, (*between, ("time", "of")))
    if spec.time.parts and column.source:
        message = "the time is put together from time.parts; leave the source out"
        yield Fault(("columns", name, "source"), message, (*between, ("time", "parts")))
    if "formats" in column.model_fields_set:
        message = "how the event time is written stands in time.formats; move it there"
        yield Fault(("columns", name, "formats"), message, between)


def _roles(spec: StreamSpec) -> Iterator[Fault]:
    own = frozenset[str]().union(*map(own_columns, spec.windows.values()))
    for role, names in (("keys", spec.keys), ("unique", spec.unique)):
        for place, name in enumerate(names):
            path: Path = (role, place)
            between: tuple[Path, ...] = (("columns", name, "type"), ("columns", name, "drop"))
            column = spec.columns.get(name)
            if column is None:
                yield no_column(spec.columns, path, name)
            elif column.drop:
                yield Fault(path, f"{name!r} is dropped, so no table could hold it", between)
            elif column.type == "list":
                yield Fault(path, f"{name!r} is a list, and lists do not name things", between)
            elif role == "keys" and column.type == "float":
                message = f"{name!r} is a float, and floats do not name things; use string or int"
                yield Fault(path, message, between)
            if role == "keys" and name in own:
                message = f"rows of windows have a column {name!r} of their own; choose another name"
                yield Fault(path, f"{message} and set source: {name!r}", (("windows",),))
            if name in names[:place]:
                yield Fault(path, f"{name!r} is named twice")
    if spec.unique and spec.time.column not in spec.unique:
        message = f"add the time column {spec.time.column!r}; copies are looked for within a bucket"
        yield Fault(("unique",), message, (("time", "column"),))
    if spec.unique and spec.shards > 1 and not set(spec.keys) <= set(spec.unique):
        message = "with shards it must include every key, so that copies meet in one shard"
        yield Fault(("unique",), message, (("keys",), ("shards",)))
    if spec.shards > 1 and not spec.keys:
        yield Fault(("shards",), "a stream without keys has nothing to be split by", (("keys",),))


def _layout(spec: StreamSpec) -> Iterator[Fault]:
    if spec.bucket < SECOND_US or spec.bucket % SECOND_US or (spec.bucket % DAY_US and DAY_US % spec.bucket):
        yield Fault(("bucket",), "use whole seconds that divide a day, or whole days")


def _kept(spec: StreamSpec) -> Iterator[Fault]:
    least = spec.bucket + spec.lateness
    if spec.retention is not None and spec.retention < least:
        message = (
            f"{format_duration(spec.retention)} is over before a bucket is sealed; "
            f"use at least bucket and lateness together ({format_duration(least)})"
        )
        yield Fault(("retention",), message, (("bucket",), ("lateness",)))


def _sinks(spec: StreamSpec) -> Iterator[Fault]:
    for place, sink in enumerate(spec.sinks):
        if sink in spec.sinks[:place]:
            yield Fault(("sinks", place), "the same sink stands here a second time")
        elif sink.kind == "dynamodb" and not spec.keys:
            message = "holds the latest record of every key, and the stream has no keys; set keys"
            yield Fault(("sinks", place, "kind"), f"dynamodb {message}", (("keys",),))
        elif sink.kind == "parquet":
            yield from _exported(spec, place, sink.prefix)


def _exported(spec: StreamSpec, place: int, prefix: str) -> Iterator[Fault]:
    for name in ("bucket", "shard"):
        if name in spec.columns and not spec.columns[name].drop:
            message = f"a parquet sink has folders of that name; choose another and set source: {name!r}"
            yield Fault(("columns", name), message, (("sinks", place),), is_name=True)
    for other in spec.sinks[:place]:
        if other.kind == "parquet" and (prefix.startswith(other.prefix) or other.prefix.startswith(prefix)):
            message = f"one of {prefix} and {other.prefix} lies within the other, so readers would see rows twice"
            yield Fault(("sinks", place, "prefix"), f"{message}; choose another prefix")


def _expressions(spec: StreamSpec) -> Iterator[Fault]:
    """Faults of `derive` and `filter`, each resting on every column that its expression names."""
    for fault in expressions.faults(spec):
        text = ""
        if fault.path[0] == "filter" and isinstance(fault.path[-1], int):
            text = spec.filter[fault.path[-1]]
        elif fault.path[0] == "columns" and fault.path[-1] == "derive":
            text = f"{fault.path[1]} {spec.columns[str(fault.path[1])].derive}"
        named = tuple(("columns", name, "type") for name in _NAME.findall(text))
        yield replace(fault, between=(*fault.between, *named))
