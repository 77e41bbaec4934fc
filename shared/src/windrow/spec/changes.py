"""What a new version of a spec means for the records to come and for the tables of the old one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from windrow.spec.base import Part
from windrow.spec.columns import Column
from windrow.spec.faults import Path, dotted
from windrow.spec.stream import StreamSpec
from windrow.spec.windows import WindowSpec

Level = Literal["compatible", "widening", "breaking"]
"""compatible: the same records are accepted, and tables follow. widening: tables follow, but other records are accepted
than before. breaking: the tables and segments of the old version cannot follow; a new stream can."""
LEVELS: tuple[Level, ...] = ("compatible", "widening", "breaking")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions, and what it means."""

    level: Level
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


_ROWS_MOVE = "start a new stream for it"
_BREAKING: Mapping[str, str] = {
    "stream": f"cannot change, it is the name of all that is stored; {_ROWS_MOVE}",
    "bucket": f"cannot change, old segments lie in the old buckets; {_ROWS_MOVE}",
    "shards": f"cannot change, old segments lie in the old shards; {_ROWS_MOVE}",
    "keys": f"cannot change, windows are kept by the old ones; {_ROWS_MOVE}",
    "unique": f"cannot change, stored rows were told apart by the old ones; {_ROWS_MOVE}",
    "explode": f"cannot change, stored rows were cut by the old path; {_ROWS_MOVE}",
    "time.column": f"cannot change, windows are cut by the old one; {_ROWS_MOVE}",
}
_WIDENING: Mapping[str, str] = {
    "format": "files are read in another way from now on",
    "time.of": "the time is another one from now on",
    "time.parts": "times are put together in another way from now on",
    "time.formats": "times are accepted in other formats than before",
    "time.ambiguous": "times that the clock shows twice are treated in another way",
    "time.nonexistent": "times that the clock skips are treated in another way",
    "time.max_future": "records are accepted up to another point ahead",
    "time.max_age": "records are accepted back to another point",
    "filter": "other rows are written from now on",
    "schema": "fields that no column names are treated in another way",
    "on_error": "a bad record costs more or less than before",
}
_COMPATIBLE: Mapping[str, str] = {
    "time.zone": "times without an offset are read in another zone from now on; stored rows keep theirs",
    "keep": "of several copies another one stays from now on",
    "halt": "consumption stops at another share of bad records",
    "lateness": "buckets are sealed earlier or later",
    "idle": "quiet buckets are sealed earlier or later",
    "target_file_bytes": "files are written in another size from now on",
    "retention": "stored data is kept for another time",
    "sinks": "data goes to other places from now on; what went to the old ones stays there",
}
_COLUMN_WIDENING: Mapping[str, str] = {
    "required": "records without a value are treated in another way",
    "formats": "times are accepted in other formats than before",
    "range": "numbers are accepted in another range",
    "allowed": "other values are accepted",
    "missing": "other texts mean that there is no value",
    "null_if": "other values mean that there is none",
    "trim": "texts are compared with or without the blanks around them",
    "default": "records without a value get another one",
}
_COLUMN_COMPATIBLE: Mapping[str, str] = {
    "source": "is read from elsewhere from now on",
    "derive": "is computed in another way from now on",
    "clamp": "numbers are cut at other bounds from now on",
    "fill": "stands for missing values from now on",
}
_Effects = tuple[tuple[Level, Mapping[str, str]], ...]
_OF_STREAM: _Effects = (("breaking", _BREAKING), ("widening", _WIDENING), ("compatible", _COMPATIBLE))
_OF_COLUMN: _Effects = (("widening", _COLUMN_WIDENING), ("compatible", _COLUMN_COMPATIBLE))
_OF_TYPE = frozenset({"precision", "scale", "items"})
_OF_ITS_COLUMN = frozenset({"sum", "min", "max", "first", "last"})
"""Aggregates whose type is that of their column."""
_FOR_PEOPLE = frozenset({"description", "unit", "version"})


def compare(before: StreamSpec, after: StreamSpec) -> list[Change]:
    """Every difference that matters to records or tables, in the order of the settings. What is for people does not."""
    return [*_settings(before, after), *_columns(before, after), *_windows(before, after)]


def breaking_changes(before: StreamSpec, after: StreamSpec) -> list[str]:
    """What a new version changes that the tables and segments of the old one cannot follow; a new stream can."""
    return [str(change) for change in compare(before, after) if change.level == "breaking"]


def worst(changes: list[Change]) -> Level:
    """The level of the change that matters most; compatible when there is none."""
    return max((change.level for change in changes), key=LEVELS.index, default="compatible")


def _settings(before: StreamSpec, after: StreamSpec) -> Iterator[Change]:
    pairs: list[tuple[Path, Part, Part]] = [((), before, after), (("time",), before.time, after.time)]
    for top, old, new in pairs:
        for name in _changed(old, new):
            path = dotted((*top, name))
            if path in ("time", "columns", "windows"):
                continue
            yield _known(path, path, _OF_STREAM)


def _known(path: str, setting: str, effects: _Effects) -> Change:
    for level, messages in effects:
        if setting in messages:
            return Change(level, path, messages[setting])
    raise KeyError(path)  # a setting that nobody has thought through: a test finds it first


def _changed(old: Part, new: Part) -> list[str]:
    """The settings, by their names in the text, that differ and are not for people."""
    return [
        field.alias or name
        for name, field in type(new).model_fields.items()
        if name not in _FOR_PEOPLE and getattr(old, name) != getattr(new, name)
    ]


# ------------------------------------------------------------------------------------------------ columns


def stored_type(column: Column) -> str:
    """What a column is in segments and tables, which never change it: text is text, whatever it says."""
    match column.type:
        case "string" | "categorical" | "json":
            return "string"
        case "decimal":
            return f"decimal({column.precision},{column.scale})"
        case "list":
            return f"list({column.items})"
        case _:
            return column.type


def _columns(before: StreamSpec, after: StreamSpec) -> Iterator[Change]:
    for name, column in after.columns.items():
        path: Path = ("columns", name)
        old = before.columns.get(name)
        if old is None:
            yield from _new_column(path, after, column)
        elif stored_type(old) != stored_type(column) and not (old.drop and column.drop):
            yield _other_type(path, old, column, after)
            yield from _same_column(path, old, column)
        else:
            yield from _same_column(path, old, column)
    for name in before.columns:
        if name not in after.columns:
            message = "is no longer read; stored values stay, and so does the type of this name in the tables"
            yield Change("compatible", dotted(("columns", name)), message)


def widens(old: Column, new: Column) -> bool:
    """Whether tables can follow a column to its new, different type: every value it ever held has a place there."""
    match old.type, new.type:
        case ("int", "float") | ("date", "timestamp"):
            return True
        case "int", "decimal":
            return new.precision - new.scale >= _INT_DIGITS
        case "decimal", "decimal":
            has_room = new.precision - new.scale >= old.precision - old.scale
            return has_room and new.scale >= old.scale and stored_type(old) != stored_type(new)
        case "list", "list":
            return (old.items, new.items) == ("int", "float")
        case _:
            return False


_INT_DIGITS = 19
_BECOMES: Mapping[tuple[str, str], str] = {
    ("int", "float"): "whole numbers beyond 2^53 (9,007,199,254,740,992) lose their last digits",
    ("list", "list"): "whole numbers beyond 2^53 (9,007,199,254,740,992) lose their last digits",
    ("date", "timestamp"): "a day is its midnight in UTC",
}


def _other_type(path: Path, old: Column, new: Column, after: StreamSpec) -> Change:
    name, types = str(path[-1]), f"was {stored_type(old)} and cannot become {stored_type(new)}"
    remedy = f"give it another name and set source: {after.source_of(name)!r}"
    if not widens(old, new):
        return Change("breaking", dotted(path), f"{types}; {remedy}")
    if name in (*after.keys, *after.unique) and new.type == "float":
        return Change("breaking", dotted(path), f"{types}, for records are told apart by it; {remedy}")
    if name in after.keys and after.shards > 1:
        return Change(
            "breaking", dotted(path), f"{types}, for old segments lie in the shards of its old text; {remedy}"
        )
    told = _BECOMES.get((old.type, new.type))
    message = f"becomes {stored_type(new)} where it was {stored_type(old)}, in stored rows too"
    return Change("widening", dotted(path), f"{message}: {told}" if told else message)


def _new_column(path: Path, after: StreamSpec, column: Column) -> Iterator[Change]:
    if after.required(str(path[-1])):
        yield Change("widening", dotted(path), "is new and required: records without it go to quarantine")
    else:
        message = "is new, and only there for expressions" if column.drop else "is new, and null in stored rows"
        yield Change("compatible", dotted(path), message)


def _same_column(path: Path, old: Column, new: Column) -> Iterator[Change]:
    for setting in _changed(old, new):
        if setting in _OF_TYPE:
            continue
        if setting == "type":
            if stored_type(old) == stored_type(new):
                yield Change("compatible", dotted((*path, setting)), "both are stored as text")
        elif setting == "drop":
            message = "is no longer written; stored values stay" if new.drop else "is written from now on"
            yield Change("compatible", dotted((*path, setting)), message)
        else:
            yield _known(dotted((*path, setting)), setting, _OF_COLUMN)


# ------------------------------------------------------------------------------------------------ windows


def _windows(before: StreamSpec, after: StreamSpec) -> Iterator[Change]:
    for name, window in after.windows.items():
        old = before.windows.get(name)
        if old is None:
            message = "is new: records to come fill it, and stored ones where they reopen a bucket"
            yield Change("compatible", dotted(("windows", name)), message)
        else:
            yield from _window(("windows", name), old, window)
            yield from _narrower_outputs(("windows", name), before, after)
    for name in before.windows:
        if name not in after.windows:
            yield Change("compatible", dotted(("windows", name)), "is no longer computed; its table stays as it is")


def _window(path: Path, old: WindowSpec, new: WindowSpec) -> Iterator[Change]:
    remedy = "define a window under another name"
    if old.kind != new.kind:
        yield Change("breaking", dotted(path), f"cannot change from {old.kind} to {new.kind}; {remedy}")
        return
    for setting in _changed(old, new):
        if setting == "late":
            message = "records for sealed buckets are treated in another way from now on"
            yield Change("compatible", dotted((*path, setting)), message)
        elif setting != "aggregates":
            yield Change("breaking", dotted(path), f"cannot change its {setting}; {remedy}")
    changed = sorted(name for name, each in old.aggregates.items() if new.aggregates.get(name, each) != each)
    if changed:
        yield Change("breaking", dotted(path), f"cannot change what {', '.join(changed)} is; {remedy}")
    for name in new.aggregates:
        if name not in old.aggregates:
            yield Change("compatible", dotted((*path, "aggregates", name)), "is new, and null in stored windows")
    for name in old.aggregates:
        if name not in new.aggregates:
            yield Change("compatible", dotted((*path, "aggregates", name)), "is no longer computed; stored values stay")


def _narrower_outputs(path: Path, before: StreamSpec, after: StreamSpec) -> Iterator[Change]:
    """Outputs that are floats already, and would have to become decimals: a fraction fills gaps between integers."""
    window = after.windows[str(path[-1])]
    fills = (getattr(window, "fill", None), getattr(window, "padding", None))
    if not any(isinstance(fill, float) and not fill.is_integer() for fill in fills):
        return
    for name, aggregate in window.aggregates.items():
        old, new = (spec.columns.get(aggregate.column or "") for spec in (before, after))
        if aggregate.function not in _OF_ITS_COLUMN or old is None or new is None:
            continue
        if (old.type, new.type) == ("int", "decimal"):
            message = f"is filled with a fraction, so it was a float and cannot become {stored_type(new)}"
            yield Change("breaking", dotted((*path, "aggregates", name)), f"{message}; make {aggregate.column} a float")
