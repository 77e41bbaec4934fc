"""What is kept of a group of rows for the functions that merge: pieces, each in columns named `<output>.<part>`.

Outputs of the same column share pieces; a piece is named after the first output that needs it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import polars as pl

from windrow.lake.schema import column_type, segment_schema
from windrow.spec import Aggregate, AggregateFunction, StreamSpec
from windrow.windows.aggregates import sketches
from windrow.windows.aggregates.exact_sums import LIMBS, Digits, Slots, digit_columns


@dataclass(frozen=True, slots=True)
class Reduction:
    """Many rows to one per group: aggregations, and what makes the piece's columns of the groups they give."""

    aggregations: Sequence[pl.Expr]
    settle: Callable[[pl.DataFrame], list[pl.Series]]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of what is known of one column's values in a group."""

    name: str
    column: str
    kind: pl.DataType

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """The columns it is kept in."""
        return {self.name: self.kind}

    def of_rows(self, _slots: Mapping[str, Slots], /) -> Reduction:
        """From rows, to which the terms of these slots have been added."""
        raise NotImplementedError

    def of_pieces(self, _pieces: pl.DataFrame, /) -> Reduction:
        """From the pieces of several groups of rows, which are all in this frame."""
        raise NotImplementedError

    def _reduction(self, *aggregations: pl.Expr) -> Reduction:
        """Of aggregations that are the piece's columns as they are."""
        named = [each.alias(name) for each, name in zip(aggregations, self.schema, strict=True)]
        return Reduction(named, lambda groups: [groups[name].cast(kind) for name, kind in self.schema.items()])


class CountPiece(Piece):
    """How many values there are."""

    def of_rows(self, _slots: Mapping[str, Slots], /) -> Reduction:
        return self._reduction(pl.col(self.column).count())

    def of_pieces(self, _pieces: pl.DataFrame, /) -> Reduction:
        return self._reduction(pl.col(self.name).sum())


class SumPiece(Piece):
    """Their exact sum."""

    @property
    def base(self) -> str:
        return f"{self.name}_base"

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return {self.base: pl.Int16(), self.name: LIMBS}

    def of_rows(self, slots: Mapping[str, Slots], /) -> Reduction:
        own = slots[self.column]
        names = [f"{self.name}.{number}" for number in range(len(own.units))]
        terms = [pl.col(term).sum().alias(name) for term, name in zip(own.terms(self.column), names, strict=True)]
        return Reduction(terms, lambda groups: self._kept(own.digits([groups[name] for name in names])))

    def of_pieces(self, pieces: pl.DataFrame, /) -> Reduction:
        spread = self.spread(pieces)
        sums = [digit.sum().alias(name) for name, digit in spread.digits.items()]
        return Reduction(sums, lambda groups: self._kept(spread.total(groups)))

    def spread(self, pieces: pl.DataFrame) -> "Spread":
        """The sums in columns that can be added up, digit by digit."""
        base, digits = digit_columns(pieces, self.base, self.name)
        return Spread(base, {f"{self.name}.{number}": digit for number, digit in enumerate(digits)})

    def _kept(self, digits: Digits) -> list[pl.Series]:
        return [series.alias(name) for series, name in zip(digits.lists(), self.schema, strict=True)]

    def digits(self, pieces: pl.DataFrame) -> Digits:
        return Digits.from_lists(pieces[self.base], pieces[self.name])


@dataclass(frozen=True, slots=True)
class Spread:
    """Sums, laid out in a column for each of their digits."""

    base: int
    digits: Mapping[str, pl.Expr]

    def total(self, groups: pl.DataFrame) -> Digits:
        """What the digits, added up by group, are together."""
        return Digits.of(self.base, [groups[name] for name in self.digits])


class MinPiece(Piece):
    """The smallest."""

    def of_rows(self, _slots: Mapping[str, Slots], /) -> Reduction:
        return self._extreme(self.column)

    def of_pieces(self, _pieces: pl.DataFrame, /) -> Reduction:
        return self._extreme(self.name)

    def _extreme(self, column: str) -> Reduction:
        return self._unsigned_zero(self._reduction(pl.col(column).min()))

    def _unsigned_zero(self, reduction: Reduction) -> Reduction:
        """Of 0.0 and -0.0, which are equal, any may come first; 0.0 stands for both."""
        if self.kind != pl.Float64():
            return reduction
        return replace(reduction, settle=lambda groups: [_unsigned(each) for each in reduction.settle(groups)])


class MaxPiece(MinPiece):
    """The largest."""

    def _extreme(self, column: str) -> Reduction:
        return self._unsigned_zero(self._reduction(pl.col(column).max()))


@dataclass(frozen=True, slots=True)
class FirstPiece(Piece):
    """The value that comes first by event time and record id, with both."""

    order: tuple[tuple[str, pl.DataType], ...]
    """The time column, then the record id's others, with their types."""

    @property
    def schema(self) -> dict[str, pl.DataType]:
        at = {f"{self.name}_at{number}": kind for number, (_, kind) in enumerate(self.order)}
        return {self.name: self.kind, **at}

    def of_rows(self, _slots: Mapping[str, Slots], /) -> Reduction:
        return self._end(self.column, [column for column, _ in self.order])

    def of_pieces(self, _pieces: pl.DataFrame, /) -> Reduction:
        return self._end(self.name, list(self.schema)[1:])

    def _end(self, value: str, order: Sequence[str]) -> Reduction:
        place = pl.col(order[0]) if len(order) == 1 else pl.struct(order)
        known = pl.when(pl.col(value).is_not_null()).then(place)
        return self._reduction(*(self._at_end(pl.col(column), known) for column in (value, *order)))

    def _at_end(self, column: pl.Expr, place: pl.Expr) -> pl.Expr:
        return column.min_by(place)


class LastPiece(FirstPiece):
    """The value that comes last by event time and record id, with both."""

    def _at_end(self, column: pl.Expr, place: pl.Expr) -> pl.Expr:
        return column.max_by(place)


class SketchPiece(Piece):
    """A sketch of the values, as its serialized bytes."""

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return {self.name: pl.Binary()}

    def of_pieces(self, _pieces: pl.DataFrame, /) -> Reduction:
        lists = [pl.col(self.name).implode()]
        return Reduction(lists, lambda groups: [self._merge(groups[self.name]).alias(self.name)])

    def _merge(self, lists: pl.Series) -> pl.Series:
        raise NotImplementedError


class QuantilesPiece(SketchPiece):
    """Of how the values are spread."""

    def of_rows(self, _slots: Mapping[str, Slots], /) -> Reduction:
        values = pl.col(self.column).drop_nulls().cast(pl.Float64()).sort().implode().alias(self.name)
        return Reduction([values], lambda groups: [sketches.quantiles(groups[self.name]).alias(self.name)])

    def _merge(self, lists: pl.Series) -> pl.Series:
        return sketches.merged_quantiles(lists)


class DistinctPiece(SketchPiece):
    """Of which values there are."""

    def of_rows(self, _slots: Mapping[str, Slots], /) -> Reduction:
        values = sketches.hashable(pl.col(self.column).drop_nulls(), self.kind)
        lists = [values.unique().sort().implode().alias(self.name)]
        return Reduction(lists, lambda groups: [sketches.distinct(groups[self.name]).alias(self.name)])

    def _merge(self, lists: pl.Series) -> pl.Series:
        return sketches.merged_distinct(lists)


def _unsigned(values: pl.Series) -> pl.Series:
    return values.set(values == 0, 0.0)


# ------------------------------------------------------------------------------------------------ which are needed

_SUMMED, _COUNTED = "sum", "count"
_NEEDED: Mapping[AggregateFunction, tuple[str, ...]] = {
    "count": (_COUNTED,),
    "sum": (_SUMMED, _COUNTED),
    "mean": (_SUMMED, _COUNTED),
    "min": ("min",),
    "max": ("max",),
    "first": ("first",),
    "last": ("last",),
    "approx_quantile": ("quantiles",),
    "approx_n_unique": ("distinct",),
}
_PIECES: Mapping[str, type[Piece]] = {
    _COUNTED: CountPiece,
    _SUMMED: SumPiece,
    "min": MinPiece,
    "max": MaxPiece,
    "quantiles": QuantilesPiece,
    "distinct": DistinctPiece,
}
_ENDS: Mapping[str, type[FirstPiece]] = {"first": FirstPiece, "last": LastPiece}


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces that some outputs need, by part and column."""

    found: Mapping[tuple[str, str], Piece]

    def __iter__(self) -> Iterator[Piece]:
        return iter(self.found.values())

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return {name: kind for piece in self for name, kind in piece.schema.items()}

    @property
    def of_sums(self) -> list[SumPiece]:
        return [piece for piece in self if isinstance(piece, SumPiece)]

    @property
    def sums(self) -> dict[str, pl.DataType]:
        """The columns that are summed up, with their types."""
        return {piece.column: piece.kind for piece in self.of_sums}

    def count(self, column: str) -> CountPiece:
        return cast("CountPiece", self.found[_COUNTED, column])

    def sum(self, column: str) -> SumPiece:
        return cast("SumPiece", self.found[_SUMMED, column])

    def of(self, aggregate: Aggregate) -> Piece:
        """The first piece of an aggregate of a column."""
        return self.found[_NEEDED[aggregate.function][0], str(aggregate.column)]


def pieces_of(outputs: Mapping[str, Aggregate], spec: StreamSpec) -> Pieces:
    """What these outputs, whose functions are all mergeable, need."""
    found: dict[tuple[str, str], Piece] = {}
    for output, aggregate in outputs.items():
        column = aggregate.column
        if column is None:
            continue
        # Whether there are nulls is in the count.
        parts = _NEEDED[aggregate.function] if aggregate.skip_nulls else (*_NEEDED[aggregate.function], _COUNTED)
        for part in parts:
            if (part, column) not in found:
                found[part, column] = _piece(f"{output}.{part}", part, column, spec)
    return Pieces(found)


def order_of(spec: StreamSpec) -> list[str]:
    """The columns that say which of a key's records comes first: the event time, then what else identifies a record."""
    time = spec.time.column
    return [time, *(name for name in spec.identity if name != time and name not in spec.keys)]


def _piece(name: str, part: str, column: str, spec: StreamSpec) -> Piece:
    kind = column_type(spec.columns[column])
    if part in _ENDS:
        schema = segment_schema(spec)
        return _ENDS[part](name, column, kind, tuple((each, schema[each]) for each in order_of(spec)))
    return _PIECES[part](name, column, pl.Int64() if part == _COUNTED else kind)
